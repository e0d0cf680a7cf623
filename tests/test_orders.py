"""The life of an order: the whole table, and the sequences that break programs without it."""

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    CancelRejected,
    Closed,
    Filled,
    Missing,
    OrderReported,
    OrdersRead,
    PlaceBatch,
    Rejected,
    Reversed,
    RunStarted,
    Seen,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.orders import STAGES, TABLE, Late, Order, Orders, Stage
from crosswire.orders.order import Status
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
HOUR = 3_600 * S
IDS = (ACCOUNT, "a", "V")
EVENTS: dict[type, AnyEvent] = {
    Accepted: accepted(),
    Rejected: rejected(),
    Filled: filled("0.1"),
    Closed: closed("canceled", "0.1"),
    TimedOut: timed_out(),
    Missing: Missing(S, *IDS),
    Absent: Absent(S, *IDS),
    Reversed: Reversed(S, *IDS, "f1"),
}


def started(quantity: str = "1") -> tuple[Orders, Order]:
    orders = Orders()
    orders.register(approved(place(quantity=quantity)))
    orders.apply(sent())
    order = orders.get("a")
    assert order is not None
    return orders, order


def at(stage: Stage) -> tuple[Orders, Order]:
    """An order brought to a stage the way it really happens."""
    orders, order = started()
    if stage == "LIVE":
        orders.apply(accepted())
    elif stage == "UNKNOWN":
        orders.apply(timed_out())
    elif stage == "DONE":
        orders.apply(closed("canceled", "0"))
    assert order.stage == stage
    return orders, order


def amend(orders: Orders, request_id: int, quantity: str, price: str = "100") -> None:
    command = Amend(ACCOUNT, BTC, "a", "V", parse(quantity), parse(price))
    orders.register(Approved(command, request_id, S))
    orders.apply(sent(request_id))


def cancel(orders: Orders, request_id: int = 2) -> None:
    orders.register(Approved(Cancel(ACCOUNT, "a", "V", BTC), request_id, S))
    orders.apply(sent(request_id))


def test_the_table_has_every_cell() -> None:
    assert set(TABLE) == set(STAGES) == set(get_args(Stage))
    for row in TABLE.values():
        assert set(row) == set(EVENTS)
        assert set(row.values()) <= set(STAGES)
    assert set(TABLE["DONE"].values()) == {"DONE"}


def test_every_sequence_up_to_five_from_every_stage_keeps_the_invariants() -> None:
    for stage in STAGES:
        for length in range(1, 6):
            for names in product(EVENTS, repeat=length):
                orders, order = at(stage)
                for name in names:
                    before = order.stage
                    orders.apply(EVENTS[name])
                    allowed = {before, TABLE[before][name]}
                    # A report of a fill or an amend may also complete the order.
                    assert order.stage in allowed, (stage, names)
                check(orders, order, names)


def check(orders: Orders, order: Order, names: tuple[type, ...]) -> None:
    booked = 0 if Reversed in names else parse("0.1") * (Filled in names)
    assert order.filled == booked, names
    assert order.reserved == order.worst_remaining() == orders.reserved(ACCOUNT, BTC)[0], names
    listed = order.client_order_id in {o.client_order_id for o in orders.open_at(ACCOUNT, BTC)}
    assert listed == (order.is_open or order.reserved > 0), names
    assert orders.open_count(ACCOUNT) == int(listed), names
    if order.stage != "DONE":
        assert order.reserved == order.quantity - order.filled, names
    assert order.status in get_args(Status)


# Of an order that was seen absence is never concluded, and a refusal speaks of a mere copy.
UNREACHED = {("LIVE", Absent), ("LIVE", Rejected)}
CELLS = [cell for cell in product(STAGES, EVENTS) if cell not in UNREACHED]


@pytest.mark.parametrize(("stage", "name"), CELLS)
def test_each_cell_is_reached_by_real_events(stage: Stage, name: type) -> None:
    orders, order = at(stage)
    if name is TimedOut:
        cancel(orders, 1)  # in LIVE the place is answered: what can time out is a cancel
    orders.apply(EVENTS[name])
    assert order.stage == TABLE[stage][name]


def test_a_fill_is_booked_once_in_every_stage() -> None:
    for stage in STAGES:
        orders, order = at(stage)
        assert orders.apply(filled("0.4")).booked == filled("0.4")
        assert orders.apply(filled("0.4")).kind == "nothing"
        assert order.filled == parse("0.4")
        assert order.average_price == parse("100")


def test_a_fill_may_come_before_the_ack_and_the_ack_changes_nothing() -> None:
    orders, order = started()
    orders.apply(filled("0.4"))
    assert (order.stage, order.status) == ("LIVE", "PARTIALLY_FILLED")
    orders.apply(accepted())
    assert order.remaining == parse("0.6")
    orders.apply(filled("0.6", "f2"))
    assert (order.stage, order.status, order.reserved) == ("DONE", "FILLED", 0)


def test_a_completed_quantity_does_not_end_an_order_whose_amend_is_in_flight() -> None:
    orders, order = started("2")
    orders.apply(accepted())
    amend(orders, 2, "4")
    orders.apply(timed_out(2))
    orders.apply(filled("2"))
    assert order.stage == "LIVE"
    assert order.reserved == parse("2"), "the amend to 4 may have been executed"
    orders.apply(Amended(S, *IDS, parse("4"), parse("100")))
    assert (order.stage, order.reserved) == ("LIVE", parse("2"))
    orders.apply(filled("2", "f2"))
    assert order.status == "FILLED"


def test_the_reservation_outlives_a_closure_that_is_ahead_of_the_fills() -> None:
    orders, order = started()
    orders.apply(accepted())
    orders.apply(closed("filled", "1"))
    assert (order.status, order.reserved) == ("FILLED", ONE)
    assert orders.open_count(ACCOUNT) == 1
    orders.apply(filled("1"))
    assert (order.reserved, orders.open_count(ACCOUNT)) == (0, 0)


def test_a_closure_without_a_quantity_keeps_the_rest_reserved() -> None:
    orders, order = started()
    orders.apply(closed("canceled", None))
    assert order.reserved == ONE
    orders.apply(closed("canceled", "0"))
    assert order.reserved == 0


def test_an_order_is_rejected_when_every_copy_is_refused() -> None:
    orders, order = started()
    orders.apply(sent())  # the second copy, by the other transport
    orders.apply(rejected())
    assert order.stage == "SENDING"
    orders.apply(rejected())
    assert (order.stage, order.status, order.reserved) == ("DONE", "REJECTED", 0)


def test_a_refusal_of_what_never_left_ends_the_order() -> None:
    orders = Orders()
    orders.register(approved(place()))
    orders.apply(Rejected(S, ACCOUNT, "a", "", 1, "held back too long", is_unsent=True))
    order = orders.get("a")
    assert order is not None
    assert (order.status, order.reason) == ("REJECTED", "held back too long")


def test_a_late_accept_is_open_again_and_said_so() -> None:
    orders, order = started()
    orders.apply(rejected())
    orders.apply(accepted())
    assert orders.news == [Late(order)]
    assert (order.stage, order.is_late, order.reserved) == ("DONE", True, ONE)
    assert order.status == "OPEN"
    orders.apply(filled("0.5"))
    assert orders.news == [Late(order)], "said once"
    orders.apply(closed("canceled", "0.5"))
    assert (order.is_late, order.reserved, order.status) == (False, 0, "CANCELED")


def test_a_late_fill_is_booked_and_said_so() -> None:
    orders, order = started()
    orders.apply(timed_out())
    orders.apply(Absent(S, *IDS, "look-up"))
    assert order.status == "REJECTED"
    orders.news.clear()
    assert orders.apply(filled("0.5")).booked is not None
    assert (order.filled, orders.news) == (parse("0.5"), [Late(order)])


def test_absence_is_never_concluded_of_an_order_that_was_seen() -> None:
    orders, order = started()
    orders.apply(timed_out())
    orders.apply(filled("0.5"))
    orders.apply(Missing(S, *IDS))
    assert order.stage == "UNKNOWN"
    orders.apply(Absent(S, *IDS))
    assert (order.stage, order.reserved) == ("UNKNOWN", parse("0.5"))


def test_a_refused_cancel_never_closes_an_order() -> None:
    orders, order = at("LIVE")
    cancel(orders)
    assert order.in_flight("cancel") is not None
    orders.apply(CancelRejected(S, *IDS, 2, "Unknown order", is_unknown_order=True))
    assert (order.stage, order.in_flight("cancel")) == ("LIVE", None)
    assert not order.is_ruled_out


def test_a_cancel_without_an_answer_makes_the_order_unknown_until_it_is_shown() -> None:
    orders, order = at("LIVE")
    cancel(orders)
    orders.apply(timed_out(2))
    assert (order.stage, order.doubts) == ("UNKNOWN", 1)
    shown = OrderReported(S * 2, *IDS, BTC, "buy", ONE, 0, True)
    orders.apply(OrdersRead(S * 2, ACCOUNT, "open", (shown,), S * 2, True))
    assert (order.stage, order.doubts) == ("LIVE", 0)


def test_an_accepted_cancel_waits_for_the_closure() -> None:
    orders, order = at("LIVE")
    cancel(orders)
    orders.apply(CancelAccepted(S, *IDS, 2))
    assert (order.stage, order.reserved) == ("LIVE", ONE)
    orders.apply(closed("canceled", "0"))
    assert (order.stage, order.reserved) == ("DONE", 0)


def test_an_amends_answer_and_its_stream_event_come_in_either_order() -> None:
    answer = Amended(S, *IDS, request_id=2, source="answer")
    stream = Amended(S, *IDS, parse("3"), parse("99"))
    for first, second in ((answer, stream), (stream, answer)):
        orders, order = at("LIVE")
        amend(orders, 2, "3", "99")
        assert order.reserved == parse("3")
        orders.apply(first)
        orders.apply(second)
        assert (order.quantity, order.price) == (parse("3"), parse("99"))
        assert not order.requests


def test_a_refused_amend_leaves_the_order_as_it_was() -> None:
    orders, order = at("LIVE")
    amend(orders, 2, "3", "99")
    orders.apply(AmendRejected(S, *IDS, 2, "no"))
    assert (order.quantity, order.price, order.reserved) == (ONE, parse("100"), ONE)


def test_missing_in_a_complete_read_is_not_absence() -> None:
    orders, order = at("LIVE")
    read = OrdersRead(S * 3, ACCOUNT, "open", (), S * 2, True)
    orders.apply(OrdersRead(S * 3, ACCOUNT, "open", (), S * 2, is_complete=False))
    assert order.stage == "LIVE", "an incomplete read says nothing"
    orders.apply(read)
    assert order.status == "UNKNOWN"


def test_a_read_that_began_before_the_order_changed_says_nothing_about_it() -> None:
    orders, order = at("LIVE")
    order.known_ns = S * 5
    orders.apply(OrdersRead(S * 6, ACCOUNT, "open", (), S * 4, True))
    assert order.stage == "LIVE"


def test_a_read_settles_what_became_of_an_unknown_order() -> None:
    orders, order = at("UNKNOWN")
    over = OrderReported(S * 2, *IDS, BTC, "buy", ONE, parse("0.3"), False, cause="canceled")
    orders.apply(OrdersRead(S * 2, ACCOUNT, "closed", (over,), S * 2, True))
    assert (order.status, order.reserved) == ("CANCELED", parse("0.3"))
    orders.apply(filled("0.3"))
    assert order.reserved == 0


def test_past_its_bound_an_order_the_venue_does_not_know_is_ruled_out_but_reserved() -> None:
    """The venue's clock is an hour ahead of ours: only its own reading of the bound counts."""
    orders = Orders()
    orders.register(approved(place(bound_ns=10 * S - HOUR)))
    orders.apply(replace(sent(), bound_ns=10 * S))
    orders.apply(timed_out())
    order = orders.get("a")
    assert order is not None
    cancel(orders)
    unknown = CancelRejected(S, *IDS, 2, "Unknown order", is_unknown_order=True, venue_ns=10 * S)
    orders.apply(unknown)
    assert not order.is_ruled_out, "the venue's clock has not passed the bound and its margin"
    cancel(orders, 3)
    late = CancelRejected(S, *IDS, 3, "Unknown order", is_unknown_order=True, venue_ns=12 * S)
    orders.apply(late)
    assert (order.is_ruled_out, order.stage, order.reserved) == (True, "UNKNOWN", ONE)
    orders.apply(accepted())
    assert not order.is_ruled_out
    assert order.status == "OPEN"


def test_a_complete_snapshot_past_the_bound_rules_out_too() -> None:
    orders = Orders()
    orders.register(approved(place(bound_ns=10 * S)))
    orders.apply(replace(sent(), bound_ns=10 * S))
    orders.apply(timed_out())
    order = orders.get("a")
    assert order is not None
    for venue_ns in (0, 10 * S):
        orders.apply(OrdersRead(S * 2, ACCOUNT, "open", (), S * 2, True, venue_ns=venue_ns))
        assert not order.is_ruled_out
    orders.apply(OrdersRead(S * 3, ACCOUNT, "open", (), S * 3, True, venue_ns=12 * S))
    assert order.ruled_out_ns == S * 3


def test_without_the_bound_on_the_venues_clock_the_worst_skew_is_allowed_for() -> None:
    orders = Orders()
    orders.register(approved(place(bound_ns=10 * S)))
    orders.apply(RunStarted(S * 2, 2))  # the crash came before `Sent` was noted
    order = orders.get("a")
    assert order is not None
    orders.apply(OrdersRead(S * 3, ACCOUNT, "open", (), S * 3, True, venue_ns=60 * S))
    assert not order.is_ruled_out
    orders.apply(OrdersRead(S * 4, ACCOUNT, "open", (), S * 4, True, venue_ns=72 * S))
    assert order.is_ruled_out


def test_a_new_run_doubts_all_that_was_in_flight() -> None:
    orders, order = started()
    orders.register(approved(place("b"), 2))
    orders.apply(sent(2, "b"))
    orders.apply(accepted("b", "W"))
    orders.apply(RunStarted(S * 2, 2))
    other = orders.get("b")
    assert other is not None
    assert (order.stage, other.stage, orders.doubts()) == ("UNKNOWN", "LIVE", 1)


def test_a_batch_is_one_request_with_a_verdict_for_each() -> None:
    orders = Orders()
    batch = PlaceBatch(ACCOUNT, (place("a"), place("b"), place("c")))
    orders.register(Approved(batch, 7, S))
    orders.apply(sent(7, "a", "b", "c"))
    orders.apply(accepted("a", "V1"))
    orders.apply(rejected("b", 7))
    orders.apply(timed_out(7))
    stages = {name: order.stage for name in "abc" if (order := orders.get(name))}
    assert stages == {"a": "LIVE", "b": "DONE", "c": "UNKNOWN"}


def test_a_reversal_undoes_its_fill_or_keeps_it_out() -> None:
    orders, order = at("LIVE")
    orders.apply(filled("0.4"))
    assert orders.apply(Reversed(S, *IDS, "f1")).unbooked == filled("0.4")
    assert (order.filled, order.cost) == (0, 0)
    assert orders.apply(filled("0.4")).kind == "nothing"
    orders.apply(Reversed(S, *IDS, "f9"))
    assert orders.apply(filled("0.4", "f9")).kind == "nothing"


def test_orders_from_elsewhere_are_shown_and_their_fills_told_apart() -> None:
    orders = Orders()
    there = OrderReported(S, ACCOUNT, "", "X", BTC, "sell", ONE, 0, True)
    orders.apply(OrdersRead(S, ACCOUNT, "open", (there,), S, True))
    assert list(orders.externals) == [(ACCOUNT, "X")]
    change = orders.apply(Filled(S, ACCOUNT, "", "X", BTC, "sell", ONE, ONE, "k"))
    assert change.order is None
    assert change.booked is not None
    assert orders.apply(Reversed(S, ACCOUNT, "", "X", "k")).unbooked == change.booked
    over = OrderReported(S, ACCOUNT, "", "X", BTC, "sell", ONE, ONE, False)
    orders.apply(OrdersRead(S, ACCOUNT, "closed", (over,), S, True))
    assert not orders.externals


def test_seen_settles_nothing() -> None:
    orders, order = started()
    assert orders.apply(Seen(S, *IDS, 1, "duplicate")).kind == "nothing"
    assert order.stage == "SENDING"


def test_forgetting_keeps_what_still_matters() -> None:
    orders, order = at("DONE")
    orders.register(approved(place("b"), 2))
    orders.apply(closed("filled", "1", "b"))
    assert orders.forget(S * 9) == 1
    assert orders.get("a") is None
    assert orders.get("b") is not None, "its fill has not come"
    assert orders.find(ACCOUNT, "", order.venue_order_id) is not order


@given(st.permutations(["ack", "new", "f1", "f2", "end"]), st.lists(st.sampled_from("an12e")))
def test_any_order_and_any_repetition_end_alike(first: list[str], again: list[str]) -> None:
    events: dict[str, AnyEvent] = {
        "ack": accepted(),
        "new": Accepted(S, *IDS, source="stream"),
        "f1": filled("0.25", "f1"),
        "f2": filled("0.5", "f2"),
        "end": closed("canceled", "0.75"),
    }
    short = dict(zip("an12e", events.values(), strict=True))
    orders, order = started()
    for name in first:
        orders.apply(events[name])
    for letter in again:
        orders.apply(short[letter])
    assert (order.status, order.filled, order.reserved) == ("CANCELED", parse("0.75"), 0)
    assert order.cost == parse("0.75") * parse("100")
