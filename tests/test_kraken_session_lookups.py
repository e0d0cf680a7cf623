"""Look-ups without holes, that say from when to when they are whole."""

import json
from typing import Any

import pytest

from crosswire.domain import (
    BalancesRead,
    Filled,
    FillsRead,
    LookUp,
    OrderReported,
    OrdersRead,
    ReadFailed,
)
from crosswire.fixed import parse
from crosswire.venues.kraken.session import lookups
from tests.kraken_dialogue import (
    ACCOUNT,
    NOW,
    SECOND,
    Rig,
    cancel,
    joined,
    of,
    only,
    own_id,
    place,
)
from tests.test_kraken_session_doubt import pong
from tests.test_kraken_session_rest import PAIRS, named, row, trade

# --- pages ---------------------------------------------------------------------------------------


class History:
    """The venue's closed orders, newest first, answering one page at a time."""

    def __init__(self, rig: Rig, size: int) -> None:
        self.rig = rig
        self.newest = size

    def page(self, *, behind: int = 0, is_blind: bool = False) -> list[Any]:
        """Answer the look-up under way from a view that lacks the newest `behind` orders."""
        call = self.rig.call("ClosedOrders")
        offset = int(call.body.split(b"ofs=")[1].split(b"&")[0])
        size = 0 if is_blind else self.newest - behind
        ids = [f"O{number}" for number in range(size, 0, -1)][offset : offset + 50]
        closed = {one: row("", status="canceled", closetm=1_700_000_000) for one in ids}
        body = json.dumps({"error": [], "result": {"closed": closed, "count": size}}).encode()
        return self.rig.take(self.rig.session.answered(call, 200, body, self.rig.now_ns))


def whole(events: list[Any], count: int) -> bool:
    """Whether a read ended that shows the oldest `count` orders without a hole."""
    (read,) = of(events, OrdersRead)
    numbers = sorted(int(order.venue_order_id[1:]) for order in read.orders)
    return numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= count


def history(size: int) -> History:
    """Return a venue with so many closed orders, asked for all of them."""
    rig = named()
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    return History(rig, size)


def test_a_read_is_as_old_as_its_first_page() -> None:
    venue = history(60)
    venue.rig.now_ns += SECOND
    pong(venue.rig)
    assert not venue.page()
    read = only(venue.page(), OrdersRead)
    assert (read.started_ns, read.venue_ns) == (NOW, 0)


def test_orders_that_close_between_two_pages_leave_no_hole() -> None:
    venue = history(120)
    assert not venue.page()
    venue.newest += 7
    assert not venue.page()
    venue.newest += 60
    assert not venue.page()
    assert whole(venue.page(), 120)


def test_a_page_of_an_older_view_leaves_no_hole() -> None:
    venue = history(110)
    assert not venue.page()
    # 105 in this view: its rows from 50 on lack five that the first page did not show either.
    assert not venue.page(behind=5)
    assert not venue.page(behind=5)
    assert whole(venue.page(behind=5), 105)


def test_a_blind_page_ends_no_look_up() -> None:
    venue = history(60)
    assert not venue.page()
    assert not venue.page(is_blind=True)
    events = venue.page()
    assert whole(events or venue.page(), 60)


def test_a_jump_ahead_after_a_blind_page_leaves_no_hole() -> None:
    venue = history(60)
    assert not venue.page()
    assert not venue.page(is_blind=True)
    venue.newest += 200
    assert not venue.page()  # too young to join what was read
    assert whole(venue.page(), 60)


def test_views_that_never_agree_are_a_failed_read() -> None:
    venue = history(60)
    assert not venue.page()
    for _ in range(lookups.MAX_BREAKS):
        assert not venue.page(is_blind=True)
    failed = only(venue.page(is_blind=True), ReadFailed)
    assert failed.reason.startswith("incomplete: 50 of 0 rows")


# --- what a read says of itself ------------------------------------------------------------------


@pytest.mark.parametrize("extra_ns", [0, 1, 999_999_999])
def test_a_read_says_from_when_on_it_is_whole(extra_ns: int) -> None:
    rig = named()
    pong(rig, "2026-01-22T06:06:20Z")
    since_ns = NOW - 60 * SECOND + extra_ns
    rig.send(LookUp(ACCOUNT, "closed_orders", since_ns=since_ns))
    start = int(rig.calls[-1].body.split(b"start=")[1])
    shown = row(own_id(1), status="canceled", opentm=NOW / SECOND - 9, closetm=NOW / SECOND - 1)
    rig.now_ns += SECOND
    read = only(rig.answer("ClosedOrders", {"closed": {"O1": shown}, "count": 1}), OrdersRead)
    assert start * SECOND < read.since_ns <= since_ns
    assert read.since_ns > since_ns - SECOND
    assert (read.started_ns, read.venue_ns) == (NOW, NOW + SECOND)
    assert read.horizon_ns == NOW - SECOND
    assert read.orders[0].opened_ns == NOW - 9 * SECOND


def test_a_look_up_begins_when_its_first_page_is_asked_for() -> None:
    rig = Rig().login()
    rig.send(LookUp(ACCOUNT, "balances"))
    rig.send(LookUp(ACCOUNT, "open_orders"))
    rig.now_ns += 2 * SECOND
    rig.answer("AssetPairs", PAIRS)
    rig.now_ns += 2 * SECOND
    balances = only(rig.answer("BalanceEx", {"XXBT": {"balance": "1.5"}}), BalancesRead)
    assert (balances.started_ns, balances.balances) == (NOW + 2 * SECOND, (("BTC", parse("1.5")),))
    read = only(rig.answer("OpenOrders", {"open": {}}), OrdersRead)
    assert (read.started_ns, read.venue_ns, read.since_ns) == (NOW + 2 * SECOND, 0, 0)


def test_a_look_up_of_fills_says_that_these_were_all() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "fills", since_ns=NOW - 60 * SECOND))
    trades = {f"T{number}": trade(time=1_769_061_900 + number) for number in range(2)}
    events = rig.answer("TradesHistory", {"trades": trades, "count": 2})
    assert [type(event) for event in events] == [Filled, Filled, FillsRead]
    read = only(events, FillsRead)
    assert (read.count, read.started_ns) == (2, NOW)
    assert read.since_ns == NOW - 61 * SECOND + 1
    assert read.horizon_ns == 1_769_061_901 * SECOND
    rig.send(LookUp(ACCOUNT, "fills"))
    (empty,) = rig.answer("TradesHistory", {"trades": {}, "count": 0})
    assert empty == FillsRead(rig.now_ns, ACCOUNT, 0, rig.now_ns)


def test_against_the_simulator_a_closed_order_shows_when_it_ended() -> None:
    world = joined()
    world.send(place(1))
    world.pass_time(3)
    world.send(cancel(1))
    closed_ns = world.now_ns
    world.pass_time(2)
    read = only(world.send(LookUp(ACCOUNT, "closed_orders", since_ns=closed_ns)), OrdersRead)
    (order,) = read.orders
    assert isinstance(order, OrderReported)
    assert (order.closed_ns, order.opened_ns) == (closed_ns, NOW)
    assert closed_ns - SECOND < read.since_ns <= closed_ns == read.horizon_ns
    assert read.venue_ns >= closed_ns - 5 * SECOND
