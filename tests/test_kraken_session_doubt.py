"""What a doubt rests on: the venue's clock as a proof, snapshots anew, told faults."""

from typing import Any

from crosswire.domain import (
    Accepted,
    AmendRejected,
    CancelBatch,
    CancelRejected,
    ClockMeasured,
    Disconnected,
    LoggedIn,
    LookUp,
    OrdersRead,
    PlaceBatch,
    ReadFailed,
    Rejected,
    Sent,
    TimedOut,
    TransportFailed,
)
from crosswire.venues.clock import VenueClock
from crosswire.venues.kraken.session.asked_time import EVERY_NS
from tests.kraken_dialogue import (
    ACCOUNT,
    NOW,
    SECOND,
    TOKEN,
    Joined,
    Rig,
    amend,
    cancel,
    joined,
    of,
    only,
    own_id,
    place,
)
from tests.test_kraken_session_rest import PAIRS, named

UNKNOWN = "EOrder:Unknown order"
SEEN = NOW + 800_000_000  # what `Rig.reply` stamps: 06:06:19.8


def pong(rig: Rig, text: str = "2026-01-22T06:06:25Z") -> None:
    """Let the answer to the newest ping arrive with this time."""
    number = rig.sent("ping")[-1]["req_id"]
    rig.hear({"method": "pong", "req_id": number, "time_in": text, "time_out": text})


def asked(rig: Rig, name: str = "executions") -> dict[str, Any]:
    """Return the newest subscription to a private channel."""
    frames = rig.sent("subscribe")
    return [frame for frame in frames if frame["params"]["channel"] == name][-1]


def acknowledge(rig: Rig, request: dict[str, Any], text: str) -> None:
    """Let the answer to a subscription arrive with this time."""
    result = {"channel": "executions", "snap_orders": True}
    number = request["req_id"]
    rig.reply("subscribe", number, result=result, time_in=text, time_out=text)


# --- the venue's clock ---------------------------------------------------------------------------


def test_a_refusal_by_rest_proves_the_time_that_was_seen_when_it_was_asked() -> None:
    rig = Rig().login()
    pong(rig, "2026-01-22T06:06:20Z")
    rig.send(cancel(), "rest")
    # The answer itself has no stamp. What is seen while it is under way proves nothing for it.
    rig.pass_time(1)
    pong(rig, "2026-01-22T06:06:30Z")
    refused = only(rig.answer("CancelOrder", error=[UNKNOWN]), CancelRejected)
    assert (refused.venue_ns, refused.is_unknown_order) == (NOW + SECOND, True)
    rig.send(cancel(), "rest")
    refused = only(rig.answer("CancelOrder", error=[UNKNOWN]), CancelRejected)
    assert refused.venue_ns == NOW + 11 * SECOND


def test_every_kind_of_refusal_by_rest_carries_it() -> None:
    rig = Rig().login()
    pong(rig, "2026-01-22T06:06:20Z")
    rig.send(place(), "rest")
    assert only(rig.answer("AddOrder", error=["EOrder:Insufficient funds"]), Rejected).venue_ns
    rig.send(amend(), "rest")
    assert only(rig.answer("AmendOrder", error=[UNKNOWN]), AmendRejected).venue_ns
    rig.send(PlaceBatch(ACCOUNT, (place(1), place(2))), "rest")
    orders = [{"txid": "O1"}, {"error": "EOrder:Insufficient funds"}]
    assert only(rig.answer("AddOrderBatch", {"orders": orders}), Rejected).venue_ns
    rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2))), "rest")
    refused = of(rig.answer("CancelOrderBatch", error=[UNKNOWN]), CancelRejected)
    assert [event.venue_ns for event in refused] == [NOW + SECOND] * 2


def test_an_answer_by_websocket_keeps_its_own_time() -> None:
    rig = Rig().login()
    pong(rig, "2026-01-22T06:06:30Z")
    rig.send(cancel(1))
    stamp = "2026-01-22T06:06:29Z"
    refused = rig.refuse("cancel_order", 1, UNKNOWN, time_in=stamp, time_out=stamp)
    assert only(refused, CancelRejected).venue_ns == NOW + 10 * SECOND
    rig.send(cancel(2))
    assert only(rig.refuse("cancel_order", 2, UNKNOWN), CancelRejected).venue_ns == 0


def test_what_was_seen_never_goes_back_and_needs_no_plausible_measurement() -> None:
    clock = VenueClock()
    clock.measure(10, 20, venue_ns=500)
    clock.measure(30, 40, venue_ns=400)
    assert clock.seen_ns == 500
    clock.measure(60, 50, venue_ns=900)  # our clock stepped back: no measurement, still a proof
    assert clock.seen_ns == 900
    assert clock.offset_ns == 400 - 35


def test_a_measurement_that_contradicts_the_best_one_replaces_it() -> None:
    clock = VenueClock()
    clock.measure(NOW, NOW + 2_000, venue_ns=NOW + 1_000)
    later = NOW + SECOND
    clock.measure(later, later + 20_000, venue_ns=later + 15_000)  # coarser, and it agrees
    assert (clock.offset_ns, clock.error_ns) == (0, 1_000)
    clock.measure(later, later + 20_000, venue_ns=later + SECOND)  # the venue's clock jumped
    assert (clock.offset_ns, clock.error_ns) == (SECOND - 10_000, 10_000)


def test_what_is_sent_again_keeps_the_deadline_that_was_announced() -> None:
    rig = Rig().login()
    sent = only(rig.send(place()), Sent)
    pong(rig, "2026-01-22T06:06:22Z")  # the venue's clock turns out to be 3 s ahead
    rig.refuse("add_order", 1, "EAPI:Invalid token")
    rig.now_ns += SECOND
    rig.answer("GetWebSocketsToken", {"token": TOKEN[::-1], "expires": 900})
    first, again = rig.sent("add_order")
    assert again["params"]["deadline"] == first["params"]["deadline"] == "2026-01-22T06:06:24.000Z"
    assert sent.bound_ns == NOW + 5 * SECOND
    # Moved the other way it is the earlier of the two.
    rig.snapshot()
    rig.send(place(2))
    rig.session.clock.measure(rig.now_ns, rig.now_ns, venue_ns=rig.now_ns - 9 * SECOND)
    rig.refuse("add_order", 2, "EAPI:Invalid token")
    rig.now_ns += SECOND
    rig.answer("GetWebSocketsToken", {"token": TOKEN, "expires": 900})
    first, again = rig.sent("add_order")[2:]
    assert again["params"]["deadline"] < first["params"]["deadline"]


def test_time_is_asked_for_by_rest_while_no_connection_tells_it() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.answer("Time", {"unixtime": NOW // SECOND, "rfc1123": ""})
    assert rig.session.clock.seen_ns == NOW
    rig.pass_time(EVERY_NS / SECOND - 0.1)
    assert not [call for call in rig.calls if "Time" in call.path]
    rig.pass_time(0.1)
    rig.answer("Time", {"unixtime": NOW // SECOND + 5, "rfc1123": ""})
    assert rig.session.clock.seen_ns == NOW + 5 * SECOND
    rig.login()
    rig.calls.clear()
    for _ in range(20):
        rig.hear({"channel": "heartbeat"})
        rig.pass_time(1)
    assert not [call for call in rig.calls if "Time" in call.path]
    assert len(rig.sent("ping")) >= 4
    rig.take(rig.session.closed("private", "gone", rig.now_ns))
    rig.pass_time(0.1)
    assert len([call for call in rig.calls if "Time" in call.path]) == 1


def test_a_failed_question_for_the_time_is_no_fault_and_questions_do_not_pile_up() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    call = rig.call("Time")
    assert not rig.session.failed(call, "timeout", rig.now_ns, was_sent=True)
    for _ in range(100):
        rig.pass_time(5)
    assert len(rig.session._time._sent) <= 8
    rig.calls = [call for call in rig.calls if "Time" in call.path]
    first = rig.calls[0]
    assert not rig.session.answered(first, 200, b"{}", rig.now_ns)


def test_the_clock_is_told_when_it_is_known_and_when_it_has_moved() -> None:
    rig = Rig().login()
    rig.pass_time(0.05)
    assert not of(rig.events, ClockMeasured)
    rig.now_ns = NOW
    pong(rig, "2026-01-22T06:06:20.000Z")
    assert only(rig.pass_time(0), ClockMeasured).offset_ns == SECOND
    assert not of(rig.pass_time(0), ClockMeasured)
    for text, count in (("20.100", 0), ("20.101", 1), ("20.050", 0), ("20", 1)):
        rig.session.clock.measure(NOW, NOW, venue_ns=NOW + SECOND)
        rig.session._login._ping(rig.now_ns)
        rig.take([])
        pong(rig, f"2026-01-22T06:06:{text}Z")
        assert len(of(rig.pass_time(0), ClockMeasured)) == count


def test_a_jump_of_the_clock_is_told_before_the_answer_that_shows_it() -> None:
    """We slept for a minute and a half: the next order must not trust the dead-man."""
    rig = Rig().login()
    rig.send(place(1))
    rig.reply("add_order", 1, result={"order_id": "O1"})
    rig.pass_time(0.05)
    rig.send(place(2))
    slept = {"time_in": "2026-01-22T06:07:49.8Z", "time_out": "2026-01-22T06:07:49.9Z"}
    moved, taken = rig.reply("add_order", 2, result={"order_id": "O2"}, **slept)
    assert isinstance(moved, ClockMeasured)
    assert moved.offset_ns > 80 * SECOND
    assert isinstance(taken, Accepted)
    assert not of(rig.pass_time(0.05), ClockMeasured)


# --- the transport's own faults ------------------------------------------------------------------


def test_a_drop_is_one_fault_and_so_is_a_request_without_an_answer() -> None:
    rig = named()
    rig.send(place(1))
    rig.send(place(2))
    events = rig.take(rig.session.closed("private", "gone", rig.now_ns))
    assert [type(event) for event in events[:2]] == [Disconnected, TransportFailed]
    assert only(events, TransportFailed) == TransportFailed(rig.now_ns, ACCOUNT, "ws", "gone")
    assert len(of(events, TimedOut)) == 2
    for was_sent in (True, False):
        rig.send(place(3), "rest")
        call = rig.call("AddOrder")
        events = rig.session.failed(call, "refused", rig.now_ns, was_sent=was_sent)
        assert only(events, TransportFailed).transport == "rest"
    rig.send(LookUp(ACCOUNT, "balances"))
    events = rig.session.failed(rig.call("BalanceEx"), "timeout", rig.now_ns, was_sent=True)
    assert [type(event) for event in events] == [TransportFailed, ReadFailed]


def test_an_answer_is_no_fault_of_the_transport_whatever_it_says() -> None:
    rig = named()
    rig.send(place(1))
    rig.refuse("add_order", 1, "EService:Busy")
    rig.send(place(2), "rest")
    rig.answer_raw("AddOrder", 520, b"<html>")
    rig.send(LookUp(ACCOUNT, "balances"))
    rig.answer("BalanceEx", error=["EAPI:Rate limit exceeded"])
    assert not of(rig.events, TransportFailed)


# --- the stream's snapshot, asked for anew -------------------------------------------------------


def test_a_snapshot_anew_carries_the_times_of_its_own_question() -> None:
    rig = Rig().login()
    rig.now_ns += 3 * SECOND
    before = len(rig.frames)
    assert not rig.send(LookUp(ACCOUNT, "snapshot"))
    left, again = rig.frames[before:]
    assert (left["method"], again["method"]) == ("unsubscribe", "subscribe")
    assert again["params"]["snap_orders"] is again["params"]["snap_trades"] is True
    asked_ns = rig.now_ns
    rig.now_ns += SECOND
    acknowledge(rig, again, "2026-01-22T06:06:23Z")
    read = only(rig.snapshot(), OrdersRead)
    assert (read.source, read.is_complete, read.scope) == ("snapshot", True, "open")
    assert (read.started_ns, read.venue_ns) == (asked_ns, NOW + 4 * SECOND)
    assert rig.session.is_ready("ws")
    assert not of(rig.events, ReadFailed)


def test_what_the_old_subscription_still_says_is_heard() -> None:
    rig = Rig().login()
    rig.send(place())
    rig.send(LookUp(ACCOUNT, "snapshot"))
    events = rig.execution(order_id="O1", cl_ord_id=own_id(1), exec_type="canceled")
    assert len(events) == 1
    rig.snapshot()
    assert rig.execution(order_id="O2", cl_ord_id=own_id(2), exec_type="new")
    assert rig.session.statistics()["sequence_gaps"] == 0


def test_a_snapshot_under_way_is_not_taken_for_the_answer_to_a_later_question() -> None:
    rig = Rig().login()
    rig.send(LookUp(ACCOUNT, "snapshot"))
    first, first_ns = asked(rig), rig.now_ns
    rig.now_ns += 2 * SECOND
    assert not rig.send(LookUp(ACCOUNT, "snapshot"))
    assert not rig.send(LookUp(ACCOUNT, "snapshot"))
    assert asked(rig) is first  # at most one under way
    acknowledge(rig, first, "2026-01-22T06:06:20Z")
    assert only(rig.snapshot(), OrdersRead).started_ns == first_ns
    second = asked(rig)
    assert second is not first
    acknowledge(rig, second, "2026-01-22T06:06:22Z")
    read = only(rig.snapshot(), OrdersRead)
    assert (read.started_ns, read.venue_ns) == (rig.now_ns, NOW + 3 * SECOND)
    assert asked(rig) is second


def test_a_late_snapshot_after_the_channel_was_asked_again_keeps_its_own_times() -> None:
    rig = Rig().login()
    rig.send(LookUp(ACCOUNT, "snapshot"))
    first, first_ns = asked(rig), rig.now_ns
    rig.pass_time(4)
    rig.hear({"channel": "heartbeat"})
    rig.pass_time(1.5)
    second, second_ns = asked(rig), rig.now_ns
    assert second is not first
    acknowledge(rig, first, "2026-01-22T06:06:20Z")
    read = only(rig.snapshot(), OrdersRead)
    assert (read.started_ns, read.venue_ns) == (first_ns, NOW + SECOND)
    acknowledge(rig, second, "2026-01-22T06:06:25Z")
    read = only(rig.snapshot(), OrdersRead)
    assert (read.started_ns, read.venue_ns) == (second_ns, NOW + 6 * SECOND)


def test_without_its_answer_a_snapshot_is_as_old_as_the_first_question() -> None:
    rig = Rig().login()
    rig.send(LookUp(ACCOUNT, "snapshot"))
    first_ns = rig.now_ns
    rig.pass_time(4)
    rig.hear({"channel": "heartbeat"})
    rig.pass_time(1.5)
    read = only(rig.snapshot(), OrdersRead)
    assert (read.started_ns, read.venue_ns) == (first_ns, 0)


def test_a_snapshot_that_cannot_come_is_a_failed_read() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    failed = only(rig.send(LookUp(ACCOUNT, "snapshot")), ReadFailed)
    assert (failed.what, failed.reason) == ("snapshot", "not logged in by WebSocket")
    rig.login()
    rig.send(LookUp(ACCOUNT, "snapshot"))
    refused = rig.refuse("subscribe", asked(rig)["req_id"], "EGeneral:Permission denied")
    assert only(refused, ReadFailed).what == "snapshot"
    gone = Rig().login()
    gone.send(LookUp(ACCOUNT, "snapshot"))
    events = gone.take(gone.session.closed("private", "cut", gone.now_ns))
    assert only(events, ReadFailed).reason == "connection lost: cut"
    assert not of(gone.take(gone.session.closed("private", "cut", gone.now_ns)), ReadFailed)


def test_a_snapshot_that_is_owed_outlives_a_change_of_tokens() -> None:
    rig = Rig().login()
    rig.answer("AssetPairs", PAIRS)
    rig.send(LookUp(ACCOUNT, "snapshot"))
    for frame in rig.frames[-2:]:
        rig.refuse(frame["method"], frame["req_id"], "EAPI:Invalid token")
    rig.answer("GetWebSocketsToken", {"token": TOKEN[::-1], "expires": 900})
    # The venue kept the old subscription: without a snapshot, the question stays open.
    assert not of(rig.refuse("subscribe", asked(rig)["req_id"], "Already subscribed"), LoggedIn)
    rig.pass_time(4)
    rig.hear({"channel": "heartbeat"})
    rig.pass_time(1.5)
    assert rig.frames[-2]["method"] == "unsubscribe" or rig.frames[-3]["method"] == "unsubscribe"
    events = rig.snapshot()
    assert of(events, OrdersRead)
    assert of(events, LoggedIn)


def lived(world: Joined) -> str:
    """Place one order that rests; returns the venue's id of it."""
    return of(world.send(place(1)), Accepted)[0].venue_order_id


def test_against_the_simulator_a_snapshot_anew_shows_what_is_open() -> None:
    world = joined()
    order_id = lived(world)
    read = only(world.send(LookUp(ACCOUNT, "snapshot")), OrdersRead)
    assert [order.venue_order_id for order in read.orders] == [order_id]
    assert (read.started_ns, read.venue_ns) == (world.now_ns, world.now_ns)
    world.send(cancel(1))
    read = only(world.send(LookUp(ACCOUNT, "snapshot")), OrdersRead)
    assert read.orders == ()
    statistics = world.sessions[ACCOUNT].statistics()
    assert (statistics["sequence_gaps"], statistics["login"]) == (0, "ready")
