"""Whatever holds placing back, alone or all together, holds back nothing that makes it safe.

The engine's gate, the choice of transport and a venue's session, one behind the other: with a stale
book, open breakers, a halt, an exhausted rate budget, no slot in flight and the kill switch, in
every combination, a cancel, a cancel of all, the dead-man switch and a look-up leave at once;
and each of the six has an exit after which orders leave again.
"""

from collections.abc import Callable, Sequence
from itertools import chain, combinations

import pytest

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    BalancesRead,
    BookReset,
    Cancel,
    CancelAll,
    CancelBatch,
    CancelRejected,
    FeedProven,
    InstrumentListed,
    Kill,
    LookUp,
    OrdersRead,
    PlaceBatch,
    Refused,
    Resume,
    Sent,
    Transport,
    TransportFailed,
    Unreadable,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.engine.path import OPERATORS
from crosswire.fixed import parse
from crosswire.net.transport import choose, refused
from tests.kraken_dialogue import ACCOUNT, BTC, Rig, amend, cancel, of, own_id, place
from tests.samples import S, instrument

PAIR = {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD"}
PAIRS = {"XXBTZUSD": {**PAIR, "pair_decimals": 1, "lot_decimals": 8}}
INFLIGHT = 10
BOTH: tuple[Transport, ...] = ("ws", "rest")


class Desk:
    """One engine and one login, joined as the live path joins them; one order is open."""

    def __init__(self) -> None:
        self.rig = Rig().login()
        self.rig.answer("AssetPairs", PAIRS)
        account = Account("kraken", max_inflight=INFLIGHT)
        settings = Settings("b", 1, {ACCOUNT: account})
        self.engine = Engine(settings, lambda: self.rig.now_ns)
        self.routes = self.engine.risk.breakers.routes(ACCOUNT)
        self.is_stale = False
        self.number = 0
        listed = InstrumentListed(self.rig.now_ns, instrument())
        one = parse("1")
        bids, asks = ((parse("26500.4"), one),), ((parse("26500.5"), one),)
        self.turn(listed, BookReset(self.rig.now_ns, BTC, bids, asks, depth=10))
        assert self.places()
        self.turn(*self.rig.reply("add_order", self.number_of(1), result={"order_id": "O1"}))

    def number_of(self, number: int) -> int:
        """The request that placed an order."""
        order = self.engine.orders.get(own_id(number))
        assert order is not None
        return next(iter(order.requests))

    def turn(self, *events: AnyEvent) -> None:
        self.act(self.engine.turn(events, self.rig.now_ns))

    def act(self, approved: Sequence[Approved]) -> None:
        for each in approved:
            if not isinstance(each.command, OPERATORS):
                self.engine.note(self.send(each))

    def send(self, approved: Approved) -> list[AnyEvent]:
        session, now_ns = self.rig.session, self.rig.now_ns
        transport = choose(approved.command, session, self.routes, ws_open=True)
        if transport is None:
            return refused(approved, now_ns)
        return self.rig.take(session.send(approved, transport, now_ns))

    def submit(self, command: AnyCommand) -> Approved | Refused:
        return self.engine.submit(command, self.rig.now_ns)

    def wait(self, seconds: int) -> None:
        """Let time pass: the venue's connections live, the book does unless it is stale."""
        for _ in range(seconds):
            self.rig.now_ns += S
            events = self.rig.hear({"channel": "heartbeat"})
            events += self.rig.take(self.rig.session.tick(self.rig.now_ns))
            if not self.is_stale:
                events.append(FeedProven(self.rig.now_ns, "kraken"))
            self.turn(*events)
            self.act(self.engine.tick(self.rig.now_ns))
            self.answer_cancels()

    def answer_cancels(self) -> None:
        """What is given up is cancelled at once, and the venue knows nothing of it."""
        now_ns, text = self.rig.now_ns, "EOrder:Unknown order"
        for number, orders in list(self.engine.orders.unanswered.items()):
            for order in orders:
                if order.requests[number].kind == "cancel":
                    ids = (ACCOUNT, order.client_order_id, "")
                    self.turn(CancelRejected(now_ns, *ids, number, text, is_unknown_order=True))

    def places(self) -> bool:
        """Whether a new order leaves now."""
        self.number += 1
        approved = self.submit(place(self.number))
        if isinstance(approved, Refused):
            return False
        events = self.send(approved)
        self.engine.note(events)
        return bool(of(events, Sent))


# --- what holds placing back, and what ends it ---------------------------------------------------


def let_the_book_grow_old(desk: Desk) -> None:
    desk.is_stale = True
    desk.wait(6)


def refresh_the_book(desk: Desk) -> None:
    desk.is_stale = False
    desk.turn(FeedProven(desk.rig.now_ns, "kraken"))


def open_the_breakers(desk: Desk) -> None:
    for transport in BOTH:
        for _ in range(5):
            desk.rig.now_ns += 1
            desk.turn(TransportFailed(desk.rig.now_ns, ACCOUNT, transport, "cut"))
    assert list(desk.engine.risk.breakers.blocked) == [ACCOUNT]


def answer_a_probe(desk: Desk) -> None:
    desk.rig.calls.clear()
    desk.wait(61)
    assert [call for call in desk.rig.calls if "Balance" in call.path], "asked by itself"
    desk.turn(BalancesRead(desk.rig.now_ns, ACCOUNT, (), "lookup"))


def halt(desk: Desk) -> None:
    desk.turn(Unreadable(desk.rig.now_ns, ACCOUNT, "private", "junk", is_private=True))


def read_the_orders(desk: Desk) -> None:
    now_ns = desk.rig.now_ns
    desk.turn(OrdersRead(now_ns, ACCOUNT, "open", (), now_ns, is_complete=True))


def spend_the_budget(desk: Desk) -> None:
    desk.rig.session._pacing.refused(BTC, desk.rig.now_ns)


def earn_the_budget(desk: Desk) -> None:
    desk.wait(60)


def fill_the_slots(desk: Desk) -> None:
    """So many requests that nothing answers: what is approved counts, sent or held back."""
    while desk.engine.orders.in_flight(ACCOUNT) < INFLIGHT:
        desk.number += 1
        approved = Approved(place(desk.number), 10_000 + desk.number, desk.rig.now_ns)
        desk.engine.register(approved)
        sent = (own_id(desk.number),)
        number, now_ns = approved.request_id, desk.rig.now_ns
        desk.engine.note((Sent(now_ns, ACCOUNT, number, "ws", sent),))
        desk.rig.session._outgoing.send(approved, "ws", now_ns)
    desk.rig.take([])


def give_them_up(desk: Desk) -> None:
    desk.wait(6)


def kill(desk: Desk) -> None:
    assert isinstance(desk.submit(Kill(ACCOUNT, "operator")), Approved)


def resume(desk: Desk) -> None:
    assert isinstance(desk.submit(Resume(ACCOUNT)), Approved)


Step = Callable[[Desk], None]
HOLDS: dict[str, tuple[Step, Step]] = {
    "book age": (let_the_book_grow_old, refresh_the_book),
    "breaker": (open_the_breakers, answer_a_probe),
    "account halted": (halt, read_the_orders),
    "in flight": (fill_the_slots, give_them_up),
    "kill switch": (kill, resume),
    "budget": (spend_the_budget, earn_the_budget),
}
SUBSETS = list(chain.from_iterable(combinations(HOLDS, size) for size in range(1, len(HOLDS) + 1)))


def is_asked(desk: Desk, path: str) -> bool:
    return any(path in call.path for call in desk.rig.calls)


@pytest.mark.parametrize("names", SUBSETS, ids=" + ".join)
def test_nothing_that_makes_safe_is_held_back_and_each_hold_has_an_exit(
    names: tuple[str, ...],
) -> None:
    desk = Desk()
    for name in names:
        HOLDS[name][0](desk)
    assert not desk.places()
    assert isinstance(desk.submit(amend(1)), Refused) or names == ("budget",)
    desk.rig.calls.clear()
    safe: list[AnyCommand] = [
        cancel(1, "O1"),
        CancelBatch(ACCOUNT, (cancel(1, "O1"), cancel(2))),
        CancelAll(ACCOUNT),
        ArmDeadMan(ACCOUNT, 60 * S),
    ]
    for command in safe:
        approved = desk.submit(command)
        assert isinstance(approved, Approved), command
        assert of(desk.send(approved), Sent), command
    look_up = desk.submit(LookUp(ACCOUNT, "closed_orders"))
    assert isinstance(look_up, Approved)
    desk.send(look_up)
    assert is_asked(desk, "ClosedOrders")
    for name in names:
        HOLDS[name][1](desk)
    desk.wait(3)
    assert desk.places(), "each has an exit"


@pytest.mark.parametrize("name", HOLDS)
def test_each_of_them_holds_by_itself_and_says_so(name: str) -> None:
    """Without this the test above would prove nothing: every hold does hold placing back."""
    desk = Desk()
    HOLDS[name][0](desk)
    outcome = desk.submit(PlaceBatch(ACCOUNT, (place(900),)))
    if name == "budget":  # the venue's, not the gate's: held back, then refused unsent
        assert isinstance(outcome, Approved)
        assert not of(desk.send(outcome), Sent)
    else:
        assert isinstance(outcome, Refused)
        assert outcome.rule == name


def test_a_cancel_leaves_by_rest_where_the_socket_is_gone_and_every_breaker_open() -> None:
    desk = Desk()
    open_the_breakers(desk)
    desk.turn(*desk.rig.take(desk.rig.session.closed("private", "cut", desk.rig.now_ns)))
    approved = desk.submit(Cancel(ACCOUNT, own_id(1), "O1", BTC))
    assert isinstance(approved, Approved)
    (sent,) = of(desk.send(approved), Sent)
    assert sent.transport == "rest"
