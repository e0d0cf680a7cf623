"""The direct way of plain orders and amends does what the general way does, to the byte."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from crosswire.domain import (
    Amend,
    AnyCommand,
    AnyEvent,
    Approved,
    Place,
    PlaceBatch,
    Sent,
    Transport,
)
from crosswire.fixed import parse
from crosswire.venues.interface import Frame
from crosswire.venues.kraken.encode.frames import Frames
from crosswire.venues.kraken.session.pacing import POINT
from tests.kraken_dialogue import (
    ACCOUNT,
    BTC,
    NOW,
    SECOND,
    Rig,
    amend,
    cancel,
    of,
    only,
    own_id,
    place,
)

FRAMES = Frames("token")
ETH = "kraken:ETH/USD"
VENUE_ID = "OPS23M-VS41G-DDE5Z2"


class Pair:
    """Two logins that are told the same: one of them has the general way only."""

    def __init__(self, tier: str = "starter") -> None:
        self.rigs = [Rig(tier=tier, max_held=3).login() for _ in range(2)]
        self.ways: list[bool] = []  # of each command, whether it went the direct way
        self._send_directly = self.rigs[0].session._send_directly
        self.rigs[0].session._send_directly = self._watched
        self.rigs[1].session._send_directly = lambda *_: None
        self.requests = 0

    def _watched(self, approved: Approved, now_ns: int) -> list[AnyEvent] | None:
        events = self._send_directly(approved, now_ns)
        self.ways.append(events is not None)
        return events

    def send(self, command: AnyCommand, transport: Transport = "ws") -> list[AnyEvent]:
        """Send by both; returns the events, which are the same."""
        self.requests += 1
        found = []
        for rig in self.rigs:
            approved = Approved(command, self.requests, rig.now_ns)
            events = rig.session.send(approved, transport, rig.now_ns)
            found.append((events, [_bytes(output) for output in rig.session.outbox]))
            rig.take(events)
        assert found[0] == found[1]
        self.check()
        return found[0][0]

    def do(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Let the same happen to both."""
        first, second = (getattr(rig, name)(*args, **kwargs) for rig in self.rigs)
        assert first == second
        self.check()

    def wait(self, seconds: float) -> None:
        """Let time pass on connections that beat."""
        for rig in self.rigs:
            rig.now_ns += int(seconds * SECOND)
        self.do("hear", b'{"channel":"heartbeat"}')
        self.do("pass_time", 0)

    def check(self) -> None:
        """Both know the same of orders, requests, limits and counts."""
        first, second = (_state(rig) for rig in self.rigs)
        assert first == second


def _bytes(output: object) -> object:
    return output.payload if isinstance(output, Frame) else output


def _state(rig: Rig) -> dict[str, object]:
    session = rig.session
    return {
        "statistics": dict(session.statistics()),
        "requests": [astuple(request) for request in session._inflight],
        "amends": [key for key in map(own_id, range(8)) if session._inflight.is_amending(key)],
        "of orders": {
            key: [request.number for request in session._inflight.of_order(key)]
            for key in map(own_id, range(8))
        },
        "orders": {key: astuple(order) for key, order in session._orders.orders.items()},
        "open": [session._orders.count(instrument) for instrument in (BTC, ETH)],
        "counters": [
            (instrument, session._pacing.trading(instrument).value(0)) for instrument in (BTC, ETH)
        ],
        "held": [waiting.approved.request_id for waiting in session._held.queue],
    }


ids = st.integers(1, 6)
amounts = st.sampled_from(["0.001", "0.0010", "12", "0.00000001", "65000.1", "-1", "0"]).map(parse)
bounds = st.sampled_from([0, NOW + SECOND, NOW + 5 * SECOND, NOW + 59 * SECOND, NOW + 70 * SECOND])
oddities = st.sampled_from(
    [
        {"time_in_force": "ioc", "post_only": False},
        {"time_in_force": "ioc"},
        {"order_type": "market", "price": None, "post_only": False},
        {"client_order_id": 'a"b'},
        {"client_order_id": "z" * 32},
        {"client_order_id": " " + "0" * 30 + " "},
        {"client_order_id": "plain-18"},
        {"instrument": "BTC/USD"},
        {"validate": True},
        {"reduce_only": True},
        {"self_trade": "cancel_newest"},
        {"price": None},
        {"display_quantity": 1},
    ]
)
usual = st.fixed_dictionaries(
    {},
    optional={
        "instrument": st.sampled_from([BTC, ETH]),
        "side": st.sampled_from(["buy", "sell"]),
        "quantity": amounts,
        "price": amounts,
        "post_only": st.booleans(),
        "bound_ns": bounds,
    },
)
places = st.builds(
    lambda number, plain, odd: place(number, **(plain | odd)),
    ids,
    usual,
    st.just({}) | st.just({}) | oddities,
)
amends = st.builds(
    amend,
    ids,
    venue_order_id=st.sampled_from(["", VENUE_ID, "OTHER1-AAAAA-BBBBBB", 'x"y']),
    quantity=st.none() | amounts,
    price=st.none() | amounts,
    display_quantity=st.none() | st.none() | amounts,
    trigger_price=st.none() | st.none() | amounts,
    post_only=st.booleans(),
    bound_ns=bounds,
)
others = st.builds(cancel, ids) | st.builds(
    lambda one, two: PlaceBatch(one.account, (one, two)),
    st.builds(place, ids),
    st.builds(place, ids),
)
steps = st.lists(
    st.tuples(
        st.just("send"), places | amends | others, st.sampled_from(["ws", "ws", "ws", "rest"])
    )
    | st.tuples(st.just("time"), st.sampled_from([0, 0.05, 0.3, 2, 6, 16]))
    | st.tuples(st.just("full"), st.sampled_from([BTC, ETH]), st.integers(0, 70))
    | st.tuples(st.just("answer"), st.booleans())
    | st.tuples(st.just("clock"), st.integers(-(10**10), 10**10))
    | st.tuples(st.just("token"))
    | st.tuples(st.just("lost")),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_both_ways_do_the_same(steps: list[tuple[Any, ...]]) -> None:
    pair = Pair()
    for kind, *rest in steps:
        if kind == "send":
            pair.send(*rest)
        elif kind == "time":
            pair.wait(*rest)
        elif kind == "answer":
            answer(pair, is_good=rest[0])
        elif kind == "lost":
            for rig in pair.rigs:
                rig.take(rig.session.closed("private", "cut", rig.now_ns))
            pair.check()
        else:
            for rig in pair.rigs:
                disturb(rig, kind, rest)


@given(amends, places, st.integers(1, 10**6))
def test_an_encoding_without_a_detour_gives_the_same_bytes_or_none(
    change: Amend, order: Place, number: int
) -> None:
    until_ns = NOW + number * 1_000_000
    amended = FRAMES.plain_amend(change, number, until_ns)
    if amended is not None:
        assert amended == FRAMES.amend_order(change, number, deadline_ns=until_ns)
    ordered = FRAMES.plain_order(order, number, until_ns)
    if ordered is not None:
        assert ordered == FRAMES.add_order(order, number, now_ns=NOW, deadline_ns=until_ns)


@pytest.mark.parametrize(
    "change",
    [
        amend(price=0),
        amend(price=None, quantity=1),
        amend(quantity=0),
        amend(quantity=-1, venue_order_id=VENUE_ID),
        amend(trigger_price=1),
        amend(display_quantity=1),
        amend(venue_order_id='x"y'),
        Amend(ACCOUNT, BTC, 'x"y', price=1),
    ],
)
def test_a_special_or_wrong_amend_is_not_encoded_without_a_detour(change: Amend) -> None:
    assert FRAMES.plain_amend(change, 1, NOW) is None


def answer(pair: Pair, *, is_good: bool) -> None:
    """Answer the oldest request by WebSocket."""
    for request in pair.rigs[0].session._inflight:
        if request.transport == "ws" and request.method in ("add_order", "amend_order"):
            if is_good:
                pair.do("reply", request.method, request.number, result={"order_id": VENUE_ID})
            else:
                pair.do("refuse", request.method, request.number, "EOrder:Rate limit exceeded")
            return


def disturb(rig: Rig, kind: str, rest: list[Any]) -> None:
    """Change what a login believes of limits, of the venue's clock, or its token."""
    session = rig.session
    if kind == "full":
        session._pacing.trading(rest[0]).set(rest[1] * POINT, rig.now_ns)
    elif kind == "clock":
        session.clock.measure(rig.now_ns, rig.now_ns, venue_ns=rig.now_ns + rest[0])
    else:
        session._outgoing.frames.token = "another token"


def test_what_quoting_does_goes_the_direct_way() -> None:
    pair = Pair()
    assert only(pair.send(place(1, bound_ns=NOW + 5 * SECOND)), Sent).bound_ns == NOW + 5 * SECOND
    assert of(pair.send(place(2, post_only=False, side="sell")), Sent)
    assert of(pair.send(place(3, post_only=False, time_in_force="ioc")), Sent)
    assert of(pair.send(amend(1, venue_order_id=VENUE_ID, quantity=parse("0.002"))), Sent)
    assert of(pair.send(amend(2, post_only=True)), Sent)
    assert pair.ways == [True] * 5
    assert not pair.send(amend(1))  # one in flight is enough
    assert pair.ways == [True] * 5 + [False]


@pytest.mark.parametrize(
    "order",
    [
        place(time_in_force="ioc"),
        place(time_in_force="gtd", expire_ns=NOW + 60 * SECOND),
        place(bound_ns=NOW + 100_000_000),
        place(bound_ns=NOW + 60 * SECOND),
        place(instrument="BTC/USD"),
        place(price=None),
    ],
)
def test_anything_special_goes_the_general_way(order: Place) -> None:
    pair = Pair()
    pair.send(order)
    assert pair.ways == [False]


def test_where_it_is_tight_the_general_way_looks_at_the_ages() -> None:
    pair = Pair()
    pair.send(place(1))
    for rig in pair.rigs:
        rig.session._pacing.trading(BTC).set(52 * POINT, rig.now_ns)
    assert not pair.send(place(2))
    pair.wait(0.5)
    assert pair.ways == [True, False]


def test_nothing_overtakes_what_is_held_back() -> None:
    pair = Pair()
    for rig in pair.rigs:
        rig.session._pacing.refused(BTC, rig.now_ns)
    assert not pair.send(place(1))
    for rig in pair.rigs:
        rig.session._pacing.trading(BTC).set(0, rig.now_ns)
    assert not pair.send(place(2))
    assert pair.ways == [False]
    pair.wait(0)
    assert of(pair.send(place(3)), Sent)
    assert pair.ways == [False, True]


def test_no_more_orders_than_the_venue_lets_be_open() -> None:
    pair = Pair()
    for number in range(1, 61):
        pair.wait(1.5)
        assert of(pair.send(place(number)), Sent)
    pair.wait(1.5)
    assert not pair.send(place(61))
    assert pair.ways == [True] * 60 + [False]
