"""Which fills are booked: keys above a watermark, look-ups that join, tombstones, owners."""

from typing import Any

import pytest
from msgspec.structs import replace

from crosswire.domain import ClockMeasured, Filled, FillsRead, Reversed, RunStarted
from crosswire.fixed import parse
from crosswire.orders import BookedFills, Orders
from crosswire.orders.fills import MAX_REVERSED, MAX_UNOWNED, START_MARGIN_NS
from tests.samples import ACCOUNT, BTC, S, accepted, approved, place, sent

START_NS = 1_000_000 * S
HOUR = 3_600 * S


def fill(venue_ns: int, key: str = "f1", **rest: Any) -> Filled:
    one = Filled(START_NS, ACCOUNT, "", "V", BTC, "buy", parse("100"), parse("0.5"), key)
    return replace(one, venue_ns=venue_ns, **rest)


def begun(offset_ns: int | None = None, lag_ns: int = S) -> Orders:
    orders = Orders({ACCOUNT: lag_ns})
    orders.apply(RunStarted(START_NS, 1))
    if offset_ns is not None:
        orders.apply(ClockMeasured(START_NS, ACCOUNT, offset_ns))
    return orders


def is_booked(orders: Orders, one: Filled) -> bool:
    return orders.apply(one).booked is not None


def look(orders: Orders, started_ns: int, since_ns: int, horizon_ns: int | None = None) -> None:
    horizon_ns = started_ns if horizon_ns is None else horizon_ns
    orders.apply(FillsRead(started_ns, ACCOUNT, 1, started_ns, since_ns, horizon_ns))


# --- the watermark -----------------------------------------------------------------------------


def test_what_was_filled_before_the_journal_is_not_ours_to_book() -> None:
    orders = begun()
    mark_ns = START_NS - START_MARGIN_NS
    assert not is_booked(orders, fill(mark_ns - 1, "old"))
    assert is_booked(orders, fill(mark_ns, "at"))
    assert is_booked(orders, fill(mark_ns, "at too")), "told apart by their keys"
    assert not is_booked(orders, fill(mark_ns, "at"))
    assert is_booked(orders, fill(0, "no time")), "what has no time can't be old"


@pytest.mark.parametrize("offset_ns", [-HOUR, HOUR])
def test_the_journal_begins_by_the_venues_clock(offset_ns: int) -> None:
    """A clock of ours that is an hour fast would else make every fill of ours an old one."""
    orders = begun()
    assert orders.fill(ACCOUNT, "none yet") is None
    orders.apply(ClockMeasured(START_NS, ACCOUNT, offset_ns))
    mark_ns = START_NS + offset_ns - START_MARGIN_NS
    assert not is_booked(orders, fill(mark_ns - 1, "old"))
    assert is_booked(orders, fill(mark_ns))
    orders.apply(ClockMeasured(START_NS, ACCOUNT, offset_ns + 10 * HOUR))
    assert is_booked(orders, fill(mark_ns, "f2")), "only the first measurement tells"
    orders.apply(RunStarted(START_NS + HOUR, 2))
    assert is_booked(orders, fill(mark_ns, "f3")), "a new run goes on with the same journal"


def test_keys_are_kept_until_a_look_up_proves_that_all_before_are_booked() -> None:
    orders = begun()
    assert is_booked(orders, fill(START_NS))
    orders.forget(START_NS + HOUR)
    assert not is_booked(orders, fill(START_NS))
    assert orders.fill(ACCOUNT, "f1") is not None
    look(orders, START_NS + HOUR, since_ns=0)
    orders.forget(START_NS + HOUR)
    assert orders.fill(ACCOUNT, "f1") is None, "forgotten: a day must not grow memory"
    assert not is_booked(orders, fill(START_NS)), "and still not booked again"
    assert is_booked(orders, fill(START_NS + HOUR, "f2"))


def test_no_more_is_forgotten_than_was_asked_for() -> None:
    orders = begun()
    assert is_booked(orders, fill(START_NS + S, "at"))
    assert is_booked(orders, fill(START_NS + S - 1, "before"))
    look(orders, START_NS + HOUR, since_ns=0)
    orders.forget(START_NS + S)
    orders.forget(START_NS)
    assert not is_booked(orders, fill(START_NS + S - 1, "before")), "the mark never falls"
    assert (orders.fill(ACCOUNT, "at"), orders.fill(ACCOUNT, "before")) == (
        fill(START_NS + S, "at"),
        None,
    )
    assert is_booked(orders, fill(START_NS + S, "at too"))


# --- look-ups that join ------------------------------------------------------------------------


def test_a_look_up_begins_where_the_last_whole_one_may_have_missed_something() -> None:
    orders = begun(offset_ns=HOUR, lag_ns=10 * S)
    first_ns = orders.fills_since_ns(ACCOUNT)
    assert first_ns <= START_NS + HOUR
    look(orders, START_NS + 600 * S, first_ns)
    next_ns = orders.fills_since_ns(ACCOUNT)
    assert first_ns < next_ns <= START_NS + HOUR + 590 * S, "the lag may have hidden some"
    assert is_booked(orders, fill(next_ns, "hidden"))


def test_a_look_up_that_does_not_reach_back_far_enough_joins_nothing() -> None:
    orders = begun()
    first_ns = orders.fills_since_ns(ACCOUNT)
    look(orders, START_NS + 600 * S, first_ns + 1)
    assert orders.fills_since_ns(ACCOUNT) == first_ns, "there is a hole before it"
    look(orders, START_NS + 600 * S, first_ns, horizon_ns=0)
    assert orders.fills_since_ns(ACCOUNT) == first_ns, "it may have been blind"
    look(orders, START_NS + 600 * S, first_ns)
    second_ns = orders.fills_since_ns(ACCOUNT)
    assert second_ns > first_ns
    look(orders, START_NS + 300 * S, 0)
    assert orders.fills_since_ns(ACCOUNT) == second_ns, "an older one takes nothing back"


def test_a_hole_keeps_its_keys() -> None:
    orders = begun()
    look(orders, START_NS + HOUR, since_ns=START_NS + HOUR - S)
    orders.forget(START_NS + HOUR)
    assert is_booked(orders, fill(START_NS + S)), "what fell into the hole is still booked"


# --- tombstones --------------------------------------------------------------------------------


def test_a_tombstone_holds_whether_it_comes_first_or_last() -> None:
    for is_first in (True, False):
        orders = begun()
        stone = Reversed(START_NS, ACCOUNT, "", "V", "f1")
        for event in (stone, fill(START_NS)) if is_first else (fill(START_NS), stone):
            orders.apply(event)
        assert orders.fill(ACCOUNT, "f1") is None
        assert not is_booked(orders, fill(START_NS))


def test_tombstones_are_bounded_the_oldest_go_first() -> None:
    fills = BookedFills()
    for number in range(MAX_REVERSED + 1):
        assert fills.reverse(f"f{number}") is None
    assert fills.is_new(fill(START_NS, "f0"))
    assert not fills.is_new(fill(START_NS, "f1"))
    assert not fills.is_new(fill(START_NS, f"f{MAX_REVERSED}"))


# --- whose they are ----------------------------------------------------------------------------


def lost_order(orders: Orders) -> None:
    orders.register(approved(place(strategy="s")))
    orders.apply(sent())


def test_fills_that_come_before_it_is_known_whose_they_are_go_to_their_order_once() -> None:
    """The venue's history names its own id alone, which the lost answer would have told."""
    orders = begun()
    lost_order(orders)
    change = orders.apply(fill(START_NS))
    assert (change.order, change.booked) == (None, fill(START_NS))
    orders.apply(accepted())
    orders.apply(accepted())
    order = orders.get("a")
    assert order is not None
    assert (order.filled, order.reserved) == (parse("0.5"), parse("0.5"))
    assert order.average_price == parse("100")
    orders.apply(fill(START_NS))
    assert order.filled == parse("0.5")


def test_a_fill_that_was_taken_back_finds_no_owner() -> None:
    orders = begun()
    lost_order(orders)
    orders.apply(fill(START_NS))
    orders.apply(Reversed(START_NS, ACCOUNT, "", "V", "f1"))
    orders.apply(accepted())
    order = orders.get("a")
    assert order is not None
    assert order.filled == 0


def test_a_repetition_may_tell_whose_a_fill_was() -> None:
    """The history names the venue's id alone, the stream ours as well: either may come first."""
    orders = begun()
    lost_order(orders)
    orders.apply(fill(START_NS, source="lookup"))
    again = orders.apply(fill(START_NS, client_order_id="a"))
    order = orders.get("a")
    assert order is not None
    assert (again.booked, order.filled, order.stage) == (None, parse("0.5"), "LIVE")
    assert orders.apply(fill(START_NS, client_order_id="a")).kind == "nothing"
    assert order.filled == parse("0.5")


def test_strangers_fills_that_wait_for_an_owner_are_bounded() -> None:
    fills = BookedFills()
    for number in range(MAX_UNOWNED + 1):
        fills.mark_unowned(fill(START_NS, f"f{number}", venue_order_id=f"V{number}"))
    assert fills.take_unowned("V0") == []
    assert len(fills.take_unowned("V1")) == len(fills.take_unowned(f"V{MAX_UNOWNED}")) == 1


def test_a_new_runs_clock_is_not_dated_by_the_old_runs_measurement() -> None:
    """A machine that slept: the last run's clock was an hour behind, this one's is right."""
    orders = begun(HOUR)
    orders.apply(RunStarted(START_NS + HOUR, 2))
    look(orders, START_NS + HOUR + S, 0)
    orders.forget(START_NS + HOUR)
    now_ns = START_NS + HOUR + 2 * S
    assert is_booked(orders, fill(now_ns))
    orders.apply(ClockMeasured(now_ns, ACCOUNT, 0))
    before_ns = orders.fills_since_ns(ACCOUNT)
    look(orders, now_ns + S, 0)
    assert before_ns < orders.fills_since_ns(ACCOUNT) < now_ns
