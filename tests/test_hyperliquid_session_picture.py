"""What the login tells once: fills, what they do to the cash, rows of the ledger."""

from crosswire.domain import CashMoved, Filled, OrderReported, OrdersRead
from crosswire.fixed import parse
from crosswire.venues.hyperliquid.session.once import KEPT, Once
from crosswire.venues.hyperliquid.session.open_orders import OpenOrders
from tests.hyperliquid_dialogue import (
    ACCOUNT,
    BTC,
    NOW,
    SECOND,
    joined,
    of,
    only,
    own_id,
    place,
)  # fmt: skip


def test_a_fill_is_told_once_with_its_cash_and_not_again_by_a_snapshot() -> None:
    world = joined()
    world.quote()
    buy = place(1, post_only=False, price=parse("66000"), time_in_force="ioc")
    events = world.do(buy)
    fill, row = only(events, Filled), only(events, CashMoved)
    assert fill.client_order_id == own_id(1)
    assert (row.kind, row.ref, row.asset, row.balance) == ("trade", fill.fill_key, "USDC", None)
    assert row.fee == fill.fee > 0
    assert events.index(row) == events.index(fill) + 1
    known = len(world.events)
    world.drop(ACCOUNT)
    world.wait(0.5)
    assert not of(world.events[known:], CashMoved) + of(world.events[known:], Filled)


def test_the_same_ledger_by_both_sides() -> None:
    world = joined()
    world.quote()
    for number, side in enumerate(("buy", "sell", "sell", "buy"), 1):
        price = parse("66000" if side == "buy" else "64000")
        world.do(place(number, side=side, post_only=False, price=price, time_in_force="ioc"))
    rows = world.sim.ledger()["cash"]
    assert isinstance(rows, list)
    theirs = [each for each in rows if each["account"] == ACCOUNT and each["kind"] == "trade"]
    ours = of(world.events, CashMoved)
    assert [(one.asset, one.amount, one.fee, one.ref) for one in ours] == [
        (one["asset"], parse(one["amount"]), parse(one["fee"]), one["ref"]) for one in theirs
    ]
    assert len(ours) == 4


def test_deposits_are_told_once() -> None:
    world = joined({"deposit": 1.0})
    events = world.wait(2)
    rows = [event for event in of(events, CashMoved) if event.kind == "deposit"]
    assert rows
    assert len({row.ledger_id for row in rows}) == len(rows)


def fill(key: str) -> Filled:
    return Filled(NOW, ACCOUNT, own_id(1), "7", BTC, "buy", 1, 1, key)


def leg(key: str) -> CashMoved:
    return CashMoved(NOW, ACCOUNT, "USDC", 1, 0, None, "trade", key, f"{key}:USDC")


def test_a_fill_of_a_look_up_or_a_snapshot_moves_no_cash_later() -> None:
    once = Once()
    once.saw([fill("a")])
    assert once.fresh([fill("a"), leg("a"), fill("b"), leg("b")]) == [fill("b"), leg("b")]
    assert once.fresh([fill("c")]) == [fill("c")]
    assert once.fresh([fill("c"), leg("c")]) == []
    once.saw([fill(str(number)) for number in range(KEPT)])
    assert once.fresh([fill("a")]) == [fill("a")], "what is remembered is bounded"


def read(*orders: OrderReported, is_complete: bool = True, at_ns: int = NOW) -> OrdersRead:
    return OrdersRead(at_ns, ACCOUNT, "open", orders, at_ns, is_complete, "lookup")


def test_a_whole_read_ends_what_it_lacks_and_a_partial_one_does_not() -> None:
    orders = OpenOrders(ACCOUNT)
    orders.sent(place(1), NOW)
    for is_complete, seconds, left in ((True, 5, 1), (False, 60, 1), (True, 60, 0)):
        orders.apply(read(is_complete=is_complete, at_ns=NOW + seconds * SECOND))
        assert len(orders.orders) == left
    shown = OrderReported(NOW, ACCOUNT, "", "99", BTC, "buy", 1, 0, is_open=True)
    orders.apply(read(shown))
    (found,) = orders.cancels()
    assert (found.client_order_id, found.venue_order_id, found.instrument) == ("", "99", BTC)
