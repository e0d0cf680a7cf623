"""The dead-man timer that fired, bytes never sent again, frames lost unseen, ghosts."""

from typing import Any

import pytest

from crosswire.domain import (
    Amended,
    ArmDeadMan,
    Closed,
    DeadManArmed,
    LookUp,
    OrdersRead,
    ReadFailed,
    Rejected,
    Resend,
    Sent,
)
from crosswire.fixed import parse
from tests.kraken_dialogue import (
    ACCOUNT,
    NOW,
    SECOND,
    Rig,
    amend,
    cancel,
    joined,
    of,
    only,
    own_id,
    place,
)
from tests.test_kraken_session_rest import named, row

# --- the dead-man timer --------------------------------------------------------------------------


FIRED = "Cancel all orders after timeout"


def armed(rig: Rig, text: str = "2026-01-22T06:06:20Z") -> None:
    """Arm the timer by WebSocket; the venue takes it in at this time."""
    rig.send(ArmDeadMan(ACCOUNT, 60 * SECOND))
    events = rig.reply("cancel_all_orders_after", rig.requests, time_in=text, result={})
    assert only(events, DeadManArmed).fires_ns == rig.now_ns + 60 * SECOND


def ended(rig: Rig, order_id: str, reason: str, text: str) -> list[Any]:
    """Let the end of an order arrive."""
    return rig.execution(
        order_id=order_id,
        exec_type="canceled",
        order_status="canceled",
        reason=reason,
        timestamp=text,
    )


def test_what_the_timer_cancelled_shows_once_that_it_is_not_armed_any_more() -> None:
    rig = Rig().login()
    assert not of(ended(rig, "O0", FIRED, "2026-01-22T06:06:21Z"), DeadManArmed)
    armed(rig)
    events = ended(rig, "O1", "User requested", "2026-01-22T06:06:21Z")
    assert not of(events, DeadManArmed)
    events = ended(rig, "O2", FIRED, "2026-01-22T06:06:22Z")
    assert [type(event) for event in events] == [Closed, DeadManArmed]
    assert only(events, DeadManArmed) == DeadManArmed(rig.now_ns, ACCOUNT, 0)
    assert not of(ended(rig, "O3", FIRED, "2026-01-22T06:06:22Z"), DeadManArmed)


def test_the_work_of_an_earlier_timer_says_nothing_of_the_one_that_stands() -> None:
    rig = Rig().login()
    armed(rig)
    armed(rig, "2026-01-22T06:06:40Z")
    assert not of(ended(rig, "O1", FIRED, "2026-01-22T06:06:39Z"), DeadManArmed)
    assert of(ended(rig, "O2", FIRED, "2026-01-22T06:06:40Z"), DeadManArmed)
    armed(rig)
    rig.send(ArmDeadMan(ACCOUNT, 0))
    rig.reply("cancel_all_orders_after", rig.requests, result={})
    assert not of(ended(rig, "O3", FIRED, "2026-01-22T06:07:40Z"), DeadManArmed)


def test_a_look_up_tells_of_the_timer_what_the_stream_has_lost() -> None:
    rig = named()
    armed(rig)
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    old = row(own_id(1), status="canceled", reason=FIRED, closetm=NOW // SECOND)
    assert not of(rig.answer("ClosedOrders", {"closed": {"O1": old}, "count": 1}), DeadManArmed)
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    new = row(own_id(2), status="canceled", reason=FIRED, closetm=NOW // SECOND + 2)
    rows = {"O2": new, "O1": old}
    events = rig.answer("ClosedOrders", {"closed": rows, "count": 2})
    assert [type(event) for event in events] == [OrdersRead, DeadManArmed]
    assert only(events, DeadManArmed).fires_ns == 0


def test_against_the_simulator_a_timer_that_fires_is_told() -> None:
    world = joined(faults={"dead_man@1": 1})
    world.send(place(1))
    world.send(ArmDeadMan(ACCOUNT, 60 * SECOND))
    known = len(world.events)
    world.pass_time(2)
    events = world.events[known:]
    assert only(events, Closed).cause == "canceled"
    assert only(events, DeadManArmed).fires_ns == 0


# --- identical bytes, lost frames, ghosts --------------------------------------------------------


@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_identical_bytes_are_never_sent_again(transport: Any) -> None:
    rig = Rig().login()
    rig.send(place())
    before = (len(rig.frames), len(rig.calls))
    events = rig.send(Resend(ACCOUNT, own_id(1), 1), transport)
    refused = only(events, Rejected)
    assert (refused.client_order_id, refused.request_id) == (own_id(1), 2)
    assert (refused.is_unsent, refused.is_transient) == (True, False)
    assert "look the first one up" in refused.reason
    assert (len(rig.frames), len(rig.calls)) == before
    assert not of(events, Sent)


def test_a_snapshot_tells_all_after_frames_that_the_numbers_hide() -> None:
    # The venue's frames here: both orders' beginnings (4), then an amend and an end, both lost.
    world = joined(faults={"omit_silently@5": 1, "omit_silently@6": 1})
    world.send(place(1))
    world.send(place(2))
    world.send(amend(1, price=parse("26400")))
    assert not [event for event in of(world.events, Amended) if event.source == "stream"]
    assert not of(world.send(cancel(2)), Closed)
    read = only(world.send(LookUp(ACCOUNT, "snapshot")), OrdersRead)
    (order,) = read.orders
    assert (order.client_order_id, order.price) == (own_id(1), parse("26400"))
    # What is remembered of the lost order contradicts nothing that is said of it later.
    world.send(LookUp(ACCOUNT, "closed_orders"))
    read = of(world.events, OrdersRead)[-1]
    assert [(each.client_order_id, each.cause) for each in read.orders] == [(own_id(2), "canceled")]
    assert not of(world.send(cancel(1)), ReadFailed)


def test_ghosts_go_with_the_next_whole_read_and_ends_with_their_look_up() -> None:
    rig = named()
    orders = rig.session._orders
    for number in (1, 2, 3):
        rig.send(place(number))
    assert orders.count() == 3
    # 1 is shown to have ended; 2 and 3 never arrived, which is sure only after a while.
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    rows = {"O1": row(own_id(1), status="canceled")}
    rig.answer("ClosedOrders", {"closed": rows, "count": 1})
    assert sorted(orders.orders) == [own_id(2), own_id(3)]
    rig.send(LookUp(ACCOUNT, "snapshot"))
    rig.snapshot()
    assert orders.count() == 2
    rig.now_ns += 61 * SECOND
    rig.send(LookUp(ACCOUNT, "snapshot"))
    rig.snapshot()
    assert orders.count() == 0


def test_an_order_is_no_younger_than_now_though_the_venues_clock_is_ahead() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "open_orders"))
    rows = {"O1": row("", opentm=NOW // SECOND + 3600)}
    rig.answer("OpenOrders", {"open": rows})
    assert rig.session._orders.since_ns("O1") == NOW
    rig.now_ns += 61 * SECOND
    rig.send(LookUp(ACCOUNT, "open_orders"))
    rig.answer("OpenOrders", {"open": {}})
    assert rig.session._orders.count() == 0
