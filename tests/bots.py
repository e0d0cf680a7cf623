"""A bot whose clock a test moves, and a strategy that wants what a test says."""

from collections.abc import Sequence

from crosswire.domain import (
    Accepted,
    AnyEvent,
    Approved,
    Filled,
    InstrumentListed,
    Place,
    Sent,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.fixed import parse
from crosswire.orders import Order
from crosswire.risk import Limits
from crosswire.strategies import Quote, Quotes, Targets, View
from tests.samples import ACCOUNT, BTC, S, book_reset, instrument

ONE = parse("1")


class Quoter:
    """Wants one bid a tick below the best, or whatever a test says."""

    def __init__(self) -> None:
        self.instruments = (BTC,)
        self.calls = 0
        self.fills: list[Filled] = []
        self.orders: list[str] = []
        self.timers = 0
        self.wants: Targets = None
        self.says = False

    def on_update(self, view: View) -> Targets:
        self.calls += 1
        if self.says:
            return self.wants
        bid = view.book(BTC).best_bid - parse("0.1")
        return Quotes(BTC, (Quote(bid, ONE),), ())

    def on_fill(self, view: View, fill: Filled) -> Targets:
        self.fills.append(fill)
        return None

    def on_order(self, view: View, order: Order) -> Targets:
        self.orders.append(order.stage)
        return None

    def on_timer(self, view: View) -> Targets:
        self.timers += 1
        return None


class Bot:
    """An engine whose clock a test moves, and a record of all that a journal would hold."""

    def __init__(
        self, limits: Limits | None = None, *, dead_man_s: int = 0, max_batch: int = 1
    ) -> None:
        self.now_ns = 10 * S
        account = Account(
            "kraken",
            limits or Limits(),
            max_place_batch=max_batch,
            max_cancel_batch=max_batch,
            dead_man_ns=dead_man_s * S,
        )
        self.settings = Settings("b", 1, {ACCOUNT: account})
        self.engine = Engine(self.settings, lambda: self.now_ns)
        self.quoter = Quoter()
        self.engine.add_strategy("s", ACCOUNT, self.quoter)
        self.journal: list[AnyEvent | Approved] = []
        self.turn(InstrumentListed(S, instrument()))

    def turn(self, *events: AnyEvent) -> list[Approved]:
        approved = self.engine.turn(events, self.now_ns)
        return self.keep(events, approved)

    def tick(self) -> list[Approved]:
        return self.keep((), self.engine.tick(self.now_ns))

    def keep(self, events: Sequence[AnyEvent], approved: list[Approved]) -> list[Approved]:
        self.journal += [*events, *self.engine.made, *approved]
        for sent in approved:
            note = Sent(self.now_ns, ACCOUNT, sent.request_id, "ws")
            self.engine.note((note,))
            self.journal.append(note)
        return approved

    def book(self, bid: str = "100.0", ask: str = "100.2") -> list[Approved]:
        return self.turn(book_reset(bid, ask, self.now_ns))

    def quoted(self) -> Order:
        """One order of ours resting at the venue."""
        (approved,) = self.book()
        command = approved.command
        assert isinstance(command, Place)
        ids = (ACCOUNT, command.client_order_id, "V")
        self.turn(Accepted(self.now_ns, *ids, approved.request_id))
        order = self.engine.orders.get(command.client_order_id)
        assert order is not None
        return order
