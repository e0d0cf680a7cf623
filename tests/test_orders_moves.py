"""How one statement moves one order: copies, requests, quantities, and what is none of ours."""

from zlib import crc32

import pytest
from msgspec.structs import replace

from crosswire.domain import (
    Absent,
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    AnyEvent,
    Approved,
    Cancel,
    CancelAccepted,
    CancelBatch,
    CancelRejected,
    Closed,
    Filled,
    Missing,
    OrderReported,
    OrdersRead,
    Rejected,
    Reversed,
    RunStarted,
    Sent,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.orders import NOTHING, Order, Orders
from crosswire.orders import parse as parse_id
from tests.samples import (
    ACCOUNT,
    BTC,
    S,
    accepted,
    approved,
    closed,
    filled,
    place,
    rejected,
    sent,
    timed_out,
)

ONE = parse("1")
IDS = (ACCOUNT, "z", "Z")
ABOUT_NOBODY: list[AnyEvent] = [
    Sent(S, ACCOUNT, 99, "ws"),
    Accepted(S, *IDS, 99),
    Rejected(S, *IDS, 99, "no"),
    Amended(S, *IDS, ONE, ONE, 99),
    AmendRejected(S, *IDS, 99, "no"),
    CancelAccepted(S, *IDS, 99),
    CancelRejected(S, *IDS, 99, "no"),
    Closed(S, *IDS, "canceled", 0),
    TimedOut(S, ACCOUNT, 99, "silence"),
    Missing(S, *IDS),
    Absent(S, *IDS),
    Reversed(S, *IDS, "k"),
]


def live(quantity: str = "1") -> tuple[Orders, Order]:
    orders = Orders()
    orders.register(approved(place(quantity=quantity)))
    orders.apply(sent())
    orders.apply(accepted())
    order = orders.get("a")
    assert order is not None
    return orders, order


def request(orders: Orders, number: int, kind: str) -> None:
    command = Amend(ACCOUNT, BTC, "a", "V") if kind == "amend" else Cancel(ACCOUNT, "a", "V")
    orders.register(Approved(command, number, S))
    orders.apply(sent(number))


@pytest.mark.parametrize("event", ABOUT_NOBODY, ids=lambda event: type(event).__name__)
def test_what_is_said_of_an_order_we_do_not_know_moves_nothing(event: AnyEvent) -> None:
    orders, order = live()
    before = repr(order)
    assert orders.apply(event) == NOTHING
    assert repr(order) == before
    assert len(orders) == 1


def test_a_request_about_an_order_we_do_not_know_is_not_kept() -> None:
    orders = Orders()
    orders.register(Approved(Amend(ACCOUNT, BTC, "z"), 1, S))
    orders.register(Approved(Cancel(ACCOUNT, "z"), 2, S))
    assert not orders.unanswered


def test_fees_add_up_by_their_asset() -> None:
    orders, order = live()
    orders.apply(filled("0.25", "f1", fee="0.5"))
    orders.apply(filled("0.25", "f2", fee="0.25"))
    orders.apply(replace(filled("0.25", "f3", fee="1"), fee_asset="BTC"))
    orders.apply(filled("0.25", "f4"))
    assert order.fees == {"USD": parse("0.75"), "BTC": ONE}
    assert order.notional == parse("100")


def test_an_order_that_is_closed_as_filled_was_filled_whole() -> None:
    orders, order = live()
    orders.apply(filled("0.25"))
    orders.apply(closed("filled", None))
    assert (order.end_filled, order.reserved) == (ONE, parse("0.75"))


def test_what_is_owed_is_the_most_that_any_closure_named() -> None:
    orders, order = live()
    orders.apply(closed("canceled", "0.75"))
    orders.apply(closed("canceled", "0.25"))
    assert order.reserved == parse("0.75")


def test_a_cumulative_quantity_above_the_order_is_reserved_too() -> None:
    """An amend that we have lost sight of raised it."""
    orders, order = live()
    order.changed_ns = 9 * S
    shown = OrderReported(9 * S, ACCOUNT, "a", "V", BTC, "buy", 3 * ONE, 2 * ONE, True)
    orders.apply(OrdersRead(9 * S, ACCOUNT, "open", (shown,), 5 * S, True))
    assert (order.quantity, order.reserved) == (ONE, 2 * ONE)


def test_a_refusal_after_the_acceptance_speaks_of_a_copy_that_settles_nothing() -> None:
    """Copy 1 rests, its answer is lost; copy 2 is refused for want of balance."""
    orders = Orders()
    orders.register(approved(place()))
    orders.apply(sent())
    orders.apply(sent())
    orders.apply(Accepted(S, ACCOUNT, "a", "V", source="stream"))
    assert orders.apply(rejected()).kind == "nothing"
    order = orders.get("a")
    assert order is not None
    assert (order.stage, order.reserved) == ("LIVE", ONE)


def test_one_refused_copy_of_a_doubtful_order_leaves_it_in_doubt() -> None:
    orders = Orders()
    orders.register(approved(place()))
    orders.apply(sent())
    orders.apply(sent())
    orders.apply(timed_out())
    orders.apply(rejected())
    order = orders.get("a")
    assert order is not None
    assert (order.stage, order.reserved) == ("UNKNOWN", ONE)


def test_a_refused_order_leaves_no_cancel_in_doubt() -> None:
    """Its place arrives late and is refused, after the silence about its cancel."""
    orders = Orders()
    orders.register(approved(place()))
    orders.apply(sent())
    orders.apply(timed_out())
    orders.register(Approved(Cancel(ACCOUNT, "a"), 2, S))
    orders.apply(sent(2))
    orders.apply(TimedOut(2 * S, ACCOUNT, 2, "silence", ("a",), "cancel"))
    orders.apply(rejected())
    order = orders.get("a")
    assert order is not None
    assert (order.end, order.requests, order.doubts) == ("rejected", {}, 0)
    assert not orders.unsettled


def test_a_copy_that_never_left_counts_neither_way() -> None:
    orders = Orders()
    orders.register(approved(place()))
    orders.apply(sent())
    orders.apply(replace(rejected(), is_unsent=True))
    order = orders.get("a")
    assert order is not None
    assert order.stage == "SENDING", "the other one may be taken"


@pytest.mark.parametrize("kind", ["amend", "cancel"])
def test_a_request_is_refused_when_each_of_its_copies_is(kind: str) -> None:
    orders, order = live()
    request(orders, 2, kind)
    orders.apply(sent(2))
    refusal: AnyEvent = AmendRejected(S, ACCOUNT, "a", "V", 2, "no")
    if kind == "cancel":
        refusal = CancelRejected(S, ACCOUNT, "a", "V", 2, "no")
    orders.apply(refusal)
    assert order.requests
    orders.apply(refusal)
    assert not order.requests
    assert orders.apply(refusal) == NOTHING


def test_a_request_refused_by_ourselves_is_no_refusal_of_the_venues() -> None:
    orders, order = live()
    orders.register(Approved(Cancel(ACCOUNT, "a", "V"), 2, S))
    orders.apply(CancelRejected(S, ACCOUNT, "a", "V", 2, "held back", is_unsent=True))
    assert (order.requests, order.refused_ns) == ({}, 0)


def test_the_venues_word_of_a_place_refuses_no_other_request() -> None:
    orders, order = live()
    request(orders, 2, "cancel")
    assert orders.apply(rejected(request_id=2)) == NOTHING
    assert order.requests


def test_a_batch_of_cancels_is_one_request_about_several() -> None:
    orders, order = live()
    orders.register(approved(place("b"), 2))
    orders.apply(sent(2, "b"))
    orders.apply(accepted("b", "W"))
    pair = (Cancel(ACCOUNT, "a", "V"), Cancel(ACCOUNT, "b", "W"))
    orders.register(Approved(CancelBatch(ACCOUNT, pair), 3, S))
    orders.apply(sent(3, "a", "b"))
    orders.apply(CancelAccepted(S, ACCOUNT, "a", "V", 3))
    orders.apply(timed_out(3))
    other = orders.get("b")
    assert other is not None
    assert (order.stage, other.stage) == ("LIVE", "UNKNOWN")
    assert orders.in_flight(ACCOUNT) == 0, "what is given up is not awaited"


def test_an_amend_that_a_crash_overtook_is_doubted_until_the_worst_skew_has_passed() -> None:
    orders, order = live()
    amend = Amend(ACCOUNT, BTC, "a", "V", 2 * ONE, parse("100"), bound_ns=10 * S)
    orders.register(Approved(amend, 2, S))
    orders.apply(RunStarted(2 * S, 2))  # before `Sent` was noted
    assert (order.doubts, order.reserved) == (1, 2 * ONE)
    shown = OrderReported(3 * S, ACCOUNT, "a", "V", BTC, "buy", ONE, 0, True)
    read = OrdersRead(3 * S, ACCOUNT, "open", (shown,), 3 * S, True, venue_ns=60 * S)
    orders.apply(read)
    assert order.doubts == 1
    orders.apply(replace(read, venue_ns=72 * S))
    assert (order.doubts, order.reserved) == (0, ONE)


def test_a_fill_taken_back_of_an_order_that_ended_is_owed_by_nobody() -> None:
    orders, order = live()
    orders.apply(filled("1"))
    assert order.status == "FILLED"
    orders.apply(Reversed(S, ACCOUNT, "a", "V", "f1"))
    assert (order.filled, order.cost, order.reserved) == (0, 0, 0)
    assert not orders.unsettled


def test_a_strangers_fill_is_booked_and_taken_back_without_an_order() -> None:
    orders = Orders()
    one = Filled(S, *IDS, BTC, "sell", ONE, ONE, "k")
    assert orders.apply(one).booked == one
    change = orders.apply(Reversed(S, *IDS, "k"))
    assert (change.order, change.unbooked) == (None, one)


def test_an_id_that_only_checks_out_is_not_ours() -> None:
    body = "not hexadecimal at all, "[:24]
    assert parse_id(f"{body}{crc32(body.encode()):08x}") is None
