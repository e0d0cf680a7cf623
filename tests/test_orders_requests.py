"""One request about two orders: a replacement, whatever order its events come in."""

from itertools import permutations
from typing import Any

import pytest

from crosswire.domain import (
    Accepted,
    AnyEvent,
    Approved,
    CancelAccepted,
    CancelRejected,
    Closed,
    Filled,
    FillsRead,
    OrderReported,
    OrdersRead,
    Place,
    PlaceBatch,
    Rejected,
    Sent,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.orders import Order, Orders
from tests.samples import ACCOUNT, BTC, S, approved, place

ONE, TWO = parse("1"), parse("2")
HALF = parse("0.5")
OLD, NEW = (ACCOUNT, "a", "V"), (ACCOUNT, "b", "W")


def replacing(*, sent: bool = True, lag_ns: int = 0, **ways: Any) -> tuple[Orders, Order, Order]:
    """An order of 1 that rests, and one of 2 on its way to take its place."""
    orders = Orders({ACCOUNT: lag_ns})
    orders.register(approved(place(**ways)))
    orders.apply(Sent(S, ACCOUNT, 1, "ws", ("a",)))
    orders.apply(Accepted(S, *OLD, 1))
    new = place("b", quantity="2", replaces="a", replaces_venue_id="V")
    orders.register(approved(new, 2, 2 * S))
    if sent:
        orders.apply(Sent(2 * S, ACCOUNT, 2, "ws", ("b",), bound_ns=12 * S))
    return orders, found(orders, "a"), found(orders, "b")


def found(orders: Orders, client_order_id: str) -> Order:
    order = orders.get(client_order_id)
    assert order is not None
    return order


def fill(ids: tuple[str, str, str], quantity: int, key: str) -> Filled:
    return Filled(3 * S, *ids, BTC, "buy", parse("100"), quantity, key)


def test_both_are_reserved_until_each_has_an_end() -> None:
    orders, old, new = replacing()
    assert orders.reserved(ACCOUNT, BTC) == (ONE + TWO, 0)
    assert old.is_leaving
    orders.apply(Accepted(3 * S, *NEW, 2))
    assert orders.reserved(ACCOUNT, BTC) == (ONE + TWO, 0)
    orders.apply(CancelAccepted(3 * S, *OLD, 2))
    assert (old.stage, old.is_leaving) == ("LIVE", True)
    assert orders.reserved(ACCOUNT, BTC) == (ONE + TWO, 0)
    orders.apply(Closed(3 * S, *OLD, "canceled", HALF))
    assert orders.reserved(ACCOUNT, BTC) == (HALF + TWO, 0)  # a fill of it is on its way
    orders.apply(fill(OLD, HALF, "f"))
    assert orders.reserved(ACCOUNT, BTC) == (TWO, 0)
    assert (old.status, new.status) == ("CANCELED", "OPEN")


def done() -> list[AnyEvent]:
    return [
        Accepted(3 * S, *NEW, 2),
        CancelAccepted(3 * S, *OLD, 2),
        Closed(3 * S, *OLD, "canceled", HALF),
        fill(OLD, HALF, "f1"),
        fill(NEW, TWO, "f2"),
    ]


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_events_of_both_end_alike_in_any_order(order: tuple[int, ...]) -> None:
    orders, old, new = replacing()
    events = done()
    for index in order:
        orders.apply(events[index])
        assert old.filled <= ONE
        assert new.filled <= TWO
    assert (old.stage, old.filled, old.end) == ("DONE", HALF, "canceled")
    assert (new.stage, new.filled, new.end) == ("DONE", TWO, "filled")
    assert orders.reserved(ACCOUNT, BTC) == (0, 0)
    assert not orders.unanswered


def test_the_replaced_one_is_not_done_by_being_replaced() -> None:
    orders, old, _ = replacing()
    orders.apply(Accepted(3 * S, *NEW, 2))
    assert old.stage == "LIVE"
    assert old.reserved == ONE


def test_a_refused_replacement_leaves_the_old_one_where_it_was() -> None:
    orders, old, new = replacing()
    orders.apply(Rejected(3 * S, *NEW, 2, "too far"))
    orders.apply(CancelRejected(3 * S, *OLD, 2, "too far"))
    assert (old.stage, old.is_leaving, new.end) == ("LIVE", False, "rejected")
    assert orders.reserved(ACCOUNT, BTC) == (ONE, 0)
    assert old.requests == {}


def test_what_never_left_leaves_the_old_one_as_it_was() -> None:
    orders, old, new = replacing(sent=False)
    orders.apply(Rejected(3 * S, *NEW, 2, "no room", is_unsent=True))
    assert (old.requests, old.replaced_by, old.missed_ns) == ({}, "", 0)
    assert (old.stage, new.stage) == ("LIVE", "DONE")


def test_one_whose_bytes_can_never_run_frees_the_old_one() -> None:
    orders, old, new = replacing()
    orders.apply(TimedOut(3 * S, ACCOUNT, 2, "silence", ("b", "a")))
    assert (old.stage, new.stage) == ("UNKNOWN", "UNKNOWN")
    orders.apply(Sent(3 * S, ACCOUNT, 2, "rest", ("b",)))
    orders.apply(Rejected(4 * S, *NEW, 2, "late"))
    assert new.stage == "UNKNOWN"  # one copy of two
    orders.apply(Rejected(5 * S, *NEW, 2, "its nonce was used up", is_final=True))
    assert (new.end, old.requests) == ("rejected", {})
    assert old.stage == "UNKNOWN"  # a read must show it
    row = OrderReported(20 * S, *OLD, BTC, "buy", ONE, 0, is_open=True, source="lookup")
    orders.apply(OrdersRead(20 * S, ACCOUNT, "open", (row,), 19 * S, True, "lookup"))
    assert (old.stage, old.is_leaving) == ("LIVE", False)


def test_a_silent_replacement_reserves_both_until_reads_tell() -> None:
    orders, old, _new = replacing()
    orders.apply(TimedOut(8 * S, ACCOUNT, 2, "silence", ("b",)))
    assert old.stage == "UNKNOWN"
    assert orders.reserved(ACCOUNT, BTC) == (ONE + TWO, 0)
    row = OrderReported(20 * S, *NEW, BTC, "buy", TWO, 0, is_open=True, source="lookup")
    orders.apply(OrdersRead(20 * S, ACCOUNT, "open", (row,), 19 * S, True, "lookup"))
    assert old.stage == "UNKNOWN"  # it lacks, and may have filled
    orders.apply(Closed(21 * S, *OLD, "canceled", 0, source="lookup"))
    assert orders.reserved(ACCOUNT, BTC) == (TWO, 0)


# --- refused by the chain ----------------------------------------------------------------------


def test_a_refusal_told_twice_is_no_sign_of_life() -> None:
    orders, _, new = replacing()
    orders.apply(Rejected(3 * S, *NEW, 2, "margin"))
    orders.apply(Closed(3 * S, *NEW, "rejected", 0, "perpMarginRejected"))
    assert (new.end, new.is_late, new.status) == ("rejected", False, "REJECTED")
    assert not orders.news


def test_the_streams_refusal_alone_ends_it() -> None:
    orders, _, new = replacing()
    orders.apply(TimedOut(8 * S, ACCOUNT, 2, "silence", ("b",)))
    orders.apply(Closed(9 * S, *NEW, "rejected", 0, "perpMarginRejected"))
    assert (new.status, new.reserved, new.requests) == ("REJECTED", 0, {})
    orders.apply(fill(NEW, ONE, "f"))
    assert new.is_late


def test_a_refusal_of_what_had_rested_is_an_end_like_others() -> None:
    orders, old, _ = replacing()
    orders.apply(Closed(9 * S, *OLD, "rejected", 0, "badTriggerPxRejected"))
    assert old.status == "CANCELED"


# --- what only reduces -------------------------------------------------------------------------


def test_a_shrunk_order_ends_with_what_all_fills_add_up_to() -> None:
    orders, old, _ = replacing(lag_ns=S, reduce_only=True)
    orders.apply(fill(OLD, HALF, "f"))
    orders.apply(Closed(10 * S, *OLD, "filled"))  # shrunk to what it had filled
    assert (old.stage, old.reserved) == ("DONE", HALF)
    early = FillsRead(12 * S, ACCOUNT, 1, 12 * S, 0, 11 * S)
    orders.apply(early)  # it may trail its end
    assert old.reserved == HALF
    orders.apply(FillsRead(20 * S, ACCOUNT, 1, 20 * S, 0, 11 * S))
    assert (old.reserved, old.filled) == (0, HALF)
    assert "a" not in orders.unsettled


def test_a_row_tells_nothing_of_a_shrunk_orders_fills() -> None:
    orders, old, _ = replacing(reduce_only=True)
    row = OrderReported(
        10 * S, *OLD, BTC, "buy", ONE, 0, is_open=False, cause="filled", source="lookup"
    )
    orders.apply(OrdersRead(10 * S, ACCOUNT, "closed", (row,), 9 * S, True, "lookup"))
    assert (old.stage, old.reserved) == ("DONE", ONE)


def test_a_replacement_of_what_nobody_knows_is_an_order_of_its_own() -> None:
    orders = Orders()
    command = Place(ACCOUNT, BTC, "b", "buy", ONE, ONE, replaces="gone")
    orders.register(Approved(command, 1, S))
    orders.apply(Rejected(S, *NEW, 1, "no", is_unsent=True))
    assert found(orders, "b").end == "rejected"


def test_a_copy_of_one_part_counts_for_that_part_alone() -> None:
    orders = Orders()
    places = (place("a"), place("b"))
    orders.register(Approved(PlaceBatch(ACCOUNT, places), 1, S))
    orders.apply(Sent(S, ACCOUNT, 1, "ws", ("a", "b")))
    orders.apply(Sent(2 * S, ACCOUNT, 1, "rest", ("a",)))
    orders.apply(Rejected(3 * S, ACCOUNT, "a", "", 1, "no"))
    orders.apply(Rejected(3 * S, ACCOUNT, "b", "", 1, "no"))
    assert (found(orders, "a").stage, found(orders, "b").end) == ("SENDING", "rejected")
