"""Both ends of Hyperliquid's wire in one test: the sessions against the simulator, no sockets."""

import json
from typing import Any

import pytest

from crosswire.domain import (
    Accepted,
    Amend,
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    CancelAccepted,
    CancelAll,
    CancelBatch,
    CancelRejected,
    ClockMeasured,
    Closed,
    DeadManArmed,
    InstrumentListed,
    LoggedIn,
    LookUp,
    PlaceBatch,
    Rejected,
    Resend,
    Seen,
    Sent,
    TimedOut,
    Transport,
    TransportFailed,
    Trigger,
    Unreadable,
    VenueWarned,
    Void,
)
from crosswire.fixed import parse
from crosswire.venues.interface import Frame, HttpRequest, Reconnect, SimFrame
from tests.hyperliquid_dialogue import (
    ACCOUNT,
    BTC,
    SECOND,
    World,
    cancel,
    joined,
    of,
    only,
    own_id,
    place,
)


def resting(world: World, number: int = 1) -> str:
    """Place an order that rests; return its number."""
    events = world.do(place(number))
    return next(event.venue_order_id for event in of(events, Accepted))


def bodies(world: World) -> list[dict[str, Any]]:
    """Return the signed bodies in the outbox, by either transport, as JSON."""
    found = []
    for output in world.session.outbox:
        if isinstance(output, HttpRequest) and output.path == "/exchange":
            found.append(json.loads(output.body))
        elif isinstance(output, Frame) and b'"type":"action"' in output.payload:
            found.append(json.loads(output.payload)["request"]["payload"])
    return found


# --- logging in --------------------------------------------------------------------------------


def test_login_lists_the_instruments_measures_the_clock_and_is_ready() -> None:
    world = joined()
    assert {event.instrument.id for event in of(world.events, InstrumentListed)} >= {BTC}
    assert only(world.events, LoggedIn).session == ACCOUNT
    assert of(world.events, ClockMeasured)[0].account == ACCOUNT
    assert not of(world.events, Unreadable) + of(world.events, VenueWarned)
    assert world.session.is_ready("ws")
    assert world.session.is_ready("rest")


def test_after_a_reconnect_everything_is_subscribed_again() -> None:
    world = joined()
    world.drop(ACCOUNT)
    events = world.wait(0.5)
    world.drop(ACCOUNT)
    assert len(of(world.events, LoggedIn)) == 3
    assert not of(events, VenueWarned)
    assert resting(world)
    closed = world.do(cancel())
    assert only(closed, Closed).client_order_id == own_id(1)


def test_already_subscribed_is_as_good_as_subscribed() -> None:
    world = joined()
    world.session.closed("private", "cut", world.now_ns)
    world.session.opened("private", world.now_ns)
    world.session.outbox.clear()
    for channel in ("orderUpdates", "userFills"):
        assert not world.session.is_ready("ws")
        text = f'Already subscribed: {{"type":"{channel}","user":"0x1"}}'
        events = world.hear({"channel": "error", "data": text})
        assert not of(events, VenueWarned)
    assert world.session.is_ready("ws")


def test_a_connection_that_answers_no_posts_is_given_up() -> None:
    world = joined()
    world.is_cut = lambda output: isinstance(output, SimFrame)
    for _ in range(200):
        world.now_ns += SECOND // 10
        world.events += world.session.tick(world.now_ns)
        if any(isinstance(output, Reconnect) for output in world.session.outbox):
            break
    else:
        pytest.fail("a dead connection was kept")
    assert not world.session.is_ready("ws")


def test_garbage_is_unreadable_and_private() -> None:
    world = joined()
    frames: list[object] = [b"\xff{", {"channel": "orderUpdates", "data": 7}, {"channel": "post"}]
    for frame in frames:
        event = only(world.hear(frame), Unreadable)
        assert event.is_private
        assert not event.excerpt


# --- orders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_an_order_is_placed_replaced_and_cancelled(transport: Transport) -> None:
    world = joined()
    first = world.do(place(), transport)
    number = of(first, Accepted)[0].venue_order_id
    other = place(2, price=parse("60100"), replaces=own_id(1), replaces_venue_id=number)
    second = world.do(other, transport)
    assert {event.client_order_id for event in of(second, Accepted)} == {own_id(2)}
    gone = only(second, CancelAccepted)
    assert (gone.client_order_id, gone.request_id) == (own_id(1), 2)
    assert only(second, Closed).client_order_id == own_id(1)
    assert only(second, Sent).client_order_ids == (own_id(2),)
    third = world.do(cancel(2), transport)
    assert only(third, CancelAccepted).client_order_id == own_id(2)
    assert only(third, Closed).cause == "canceled"
    assert not of(world.events, TimedOut) + of(world.events, Rejected)


def test_a_replacement_that_is_refused_leaves_the_old_order_as_it_was() -> None:
    world = joined()
    number = resting(world)
    world.do(cancel())
    events = world.do(place(2, replaces=own_id(1), replaces_venue_id=number))
    assert only(events, Rejected).client_order_id == own_id(2)
    refused = only(events, CancelRejected)
    assert (refused.client_order_id, refused.is_unknown_order) == (own_id(1), True)


def test_a_replacement_that_is_half_done_closes_the_old_order() -> None:
    world = joined()
    world.quote()
    number = resting(world)
    crossing = place(2, price=parse("66000"), replaces=own_id(1), replaces_venue_id=number)
    events = world.do(crossing)
    assert only(events, Rejected).client_order_id == own_id(2)
    assert {event.client_order_id for event in of(events, Closed)} >= {own_id(1)}
    assert not of(events, CancelRejected)


def test_a_replacement_without_an_answer_leaves_both_in_doubt() -> None:
    world = joined()
    number = resting(world)
    world.is_cut = lambda output: isinstance(output, Frame) and b"batchModify" in output.payload
    world.do(place(2, replaces=own_id(1), replaces_venue_id=number))
    doubt = only(world.wait(6), TimedOut)
    assert set(doubt.client_order_ids) == {own_id(1), own_id(2)}
    assert doubt.kind == "place"


def test_a_batch_is_split_by_kind_and_every_order_has_a_verdict() -> None:
    world = joined()
    world.quote()
    places = (
        place(1),
        place(2, post_only=False),
        place(3, price=parse("66000")),
        place(4, post_only=False, price=parse("66000"), time_in_force="ioc"),
    )
    world.session.send(approved(PlaceBatch(ACCOUNT, places), 50, world), "ws", world.now_ns)
    kinds = [
        [each["t"]["limit"]["tif"] for each in one["action"]["orders"]] for one in bodies(world)
    ]
    assert kinds == [["Alo", "Alo"], ["Gtc", "Ioc"]]
    world.settle()
    events = world.wait(0.5)
    answered = [event for event in of(events, Accepted) if event.source == "answer"]
    assert {event.client_order_id for event in answered} == {own_id(1), own_id(2), own_id(4)}
    assert only(events, Rejected).client_order_id == own_id(3)
    cancelled = world.do(CancelBatch(ACCOUNT, (cancel(1), cancel(2))))
    assert {event.client_order_id for event in of(cancelled, Closed)} == {own_id(1), own_id(2)}


def test_triggers_and_reduce_only_orders_are_taken() -> None:
    world = joined()
    world.quote()
    world.do(place(1, post_only=False, price=parse("66000"), time_in_force="ioc"))
    stop = place(
        2,
        side="sell",
        post_only=False,
        reduce_only=True,
        order_type="stop_loss",
        price=parse("50000"),
        trigger=Trigger(parse("55000")),
    )
    assert of(world.do(stop), Accepted)
    over = place(3, side="sell", reduce_only=True, price=parse("70000"), quantity=parse("5"))
    assert of(world.do(over), Accepted)


def test_an_amend_is_refused_unsent() -> None:
    world = joined()
    resting(world)
    events = world.do(Amend(ACCOUNT, BTC, own_id(1), price=parse("60001")))
    (refused,) = [event for event in events if type(event).__name__ == "AmendRejected"]
    assert getattr(refused, "is_unsent", False)


def test_expires_after_is_the_bound_and_an_expired_one_does_not_leave() -> None:
    world = joined()
    session, now_ns = world.session, world.now_ns
    offset_ns = session.clock.offset_ns
    late = approved(place(1, bound_ns=now_ns + 100_000_000), 50, world)
    refused = only(session.send(late, "ws", now_ns), Rejected)
    assert refused.is_unsent
    assert refused.is_transient
    assert not session.outbox
    ways: list[Transport] = ["ws", "rest"]
    for number, transport in enumerate(ways, 51):
        bound_ns = now_ns + 7 * SECOND
        command = approved(place(number, bound_ns=bound_ns), number, world)
        sent = only(session.send(command, transport, now_ns), Sent)
        body = bodies(world)[-1]
        assert body["expiresAfter"] == (bound_ns + offset_ns) // 1_000_000
        assert sent.bound_ns == body["expiresAfter"] * 1_000_000
    session.send(approved(cancel(), 53, world), "ws", now_ns)
    assert bodies(world)[-1]["expiresAfter"] is None


def test_the_direct_way_and_the_general_one_say_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    straight, general = joined(), joined()
    monkeypatch.setattr(general.session, "_send_directly", lambda _approved, _now_ns: None)
    commands = [
        place(1),
        place(2, post_only=False, side="sell", price=parse("70000")),
        place(3, replaces=own_id(1), replaces_venue_id="77"),
        place(4, post_only=False, replaces=own_id(2)),
        place(5, reduce_only=True, bound_ns=straight.now_ns + 9 * SECOND),
        place(6, price=parse("60000.55")),
        place(7, time_in_force="fok"),
    ]
    for number, command in enumerate(commands, 50):
        results = []
        for world in (straight, general):
            now_ns = world.now_ns + number
            events = world.session.send(approved(command, number, world), "ws", now_ns)
            results.append((events, list(world.session.outbox), world.session.statistics()))
        assert results[0] == results[1]


# --- doubt -------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["rest", "ws"])
def test_identical_bytes_are_sent_again_and_run_once(second: Transport) -> None:
    """The planted mistake: signing again on fallback, which is a second order."""
    world = joined({"drop_ack": 1.0, "omit_frame": 1.0})
    first: Transport = "ws" if second == "rest" else "rest"
    sent = world.session.send(approved(place(), 50, world), first, world.now_ns)
    original = bodies(world)[0]
    world.settle()
    world.wait(6)
    world.session.send(approved(Resend(ACCOUNT, own_id(1), 50), 51, world), second, world.now_ns)
    assert bodies(world) == [original]
    world.settle()
    world.disturb()
    world.wait(1)
    again = world.session.send(
        approved(Resend(ACCOUNT, own_id(1), 50), 52, world), second, world.now_ns
    )
    assert only(again, Sent).request_id == 50
    assert only(again, Sent).bound_ns == only(sent, Sent).bound_ns
    world.settle()
    world.wait(0.5)
    seen = of(world.events, Seen)
    assert seen
    assert all(one.reason.startswith("Invalid nonce: duplicate nonce") for one in seen)
    assert world.orders() == [own_id(1)]


def test_no_copy_leaves_after_the_bound() -> None:
    world = joined({"drop_ack": 1.0, "omit_frame": 1.0})
    world.do(place())
    world.wait(11)
    events = world.session.send(
        approved(Resend(ACCOUNT, own_id(1), 1), 52, world), "rest", world.now_ns
    )
    assert only(events, Rejected).is_unsent
    assert not bodies(world)


def test_a_nonce_that_is_used_up_ends_the_order_and_its_late_bytes() -> None:
    world = joined()
    kept: list[Frame] = []

    def swallow(output: object) -> bool:
        is_order = isinstance(output, Frame) and b'"type":"order"' in output.payload
        if is_order and isinstance(output, Frame):
            kept.append(output)
        return is_order

    world.is_cut = swallow
    world.do(place())
    assert of(world.wait(6), TimedOut)
    events = world.do(Void(ACCOUNT, own_id(1), 1))
    final = only(events, Rejected)
    assert final.is_final
    assert final.request_id == 1
    world.is_cut = lambda _: False
    world._to_venue(ACCOUNT, kept[0])
    world.wait(1)
    assert world.orders() == []


def test_the_refusal_of_one_copy_leaves_the_other_in_doubt() -> None:
    """The planted mistake: refusing one copy refuses the order."""
    world = joined()
    world.is_cut = lambda output: isinstance(output, Frame) and b'"type":"order"' in output.payload
    world.do(place())
    assert of(world.wait(6), TimedOut)
    world.disturb(rest_429=1.0)
    refused = only(world.do(Resend(ACCOUNT, own_id(1), 1), "rest"), Rejected)
    assert not refused.is_final
    world.disturb()
    assert only(world.do(Void(ACCOUNT, own_id(1), 1)), Rejected).is_final


def test_a_nonce_that_was_used_already_shows_that_the_order_arrived() -> None:
    world = joined({"drop_ack": 1.0, "omit_frame": 1.0})
    world.do(place())
    world.wait(6)
    world.disturb()
    events = world.do(Void(ACCOUNT, own_id(1), 1))
    assert only(events, Seen).client_order_id == own_id(1)
    assert not of(events, Rejected)


def test_a_lost_answer_is_made_good_by_the_stream() -> None:
    world = joined({"drop_ack": 1.0})
    events = world.do(place())
    assert only(events, Accepted).source == "stream"
    assert not of(world.wait(8), TimedOut)


def test_a_lost_connection_puts_all_that_was_under_way_in_doubt_at_once() -> None:
    world = joined({"late_ack": 1.0, "omit_frame": 1.0})
    world.send(place(1))
    world.send(place(2))
    number = world.session._outgoing.post_id
    events = world.session.closed("private", "reset", world.now_ns)
    assert [event.request_id for event in of(events, TimedOut)] == [1, 2]
    assert only(events, TransportFailed).transport == "ws"
    assert not world.session.is_ready("ws")
    world.session.opened("private", world.now_ns)
    late = post(number, {"status": "ok", "response": {"type": "order", "data": {"statuses": []}}})
    assert only(world.hear(late), VenueWarned).text.startswith("late answers")
    assert world.hear(late) == []
    assert world.session.statistics()["late_answers"] == 2


def test_no_number_of_a_post_comes_twice() -> None:
    world = joined()
    before = world.session._outgoing.post_id
    world.drop(ACCOUNT)
    world.session.outbox.clear()
    world.session.send(approved(place(), 50, world), "ws", world.now_ns)
    (frame,) = [one for one in world.session.outbox if isinstance(one, Frame)]
    assert json.loads(frame.payload)["id"] > before


# --- where errors stand ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("error_without_id", Rejected),  # it echoes the request
        ("error_with_id", Rejected),
        ("post_429", Rejected),
        ("post_502_after", TimedOut),
        ("rest_502_after", TimedOut),
        ("rest_429", Rejected),
    ],
)
def test_errors_are_read_wherever_they_stand(fault: str, kind: type[AnyEvent]) -> None:
    world = joined()
    world.disturb(**{fault: 1.0, "omit_frame": 1.0})
    events = world.do(place(), "rest" if fault.startswith("rest") else "ws")
    assert [type(event) for event in of(events, kind)] == [kind]
    assert bool(world.orders()) == (kind is TimedOut)


def test_a_complaint_about_nobody_puts_the_newest_requests_in_doubt() -> None:
    world = joined()
    world.session.send(approved(place(1), 50, world), "ws", world.now_ns)
    world.session.send(approved(cancel(2), 51, world), "ws", world.now_ns)
    text = "Cannot send more than 2000 messages per minute."
    events = world.hear({"channel": "error", "data": text})
    assert [(one.request_id, one.kind) for one in of(events, TimedOut)] == [
        (50, "place"),
        (51, "cancel"),
    ]
    assert world.hear({"channel": "error", "data": "Cannot track more than 10 total users."})
    world.settle()
    assert of(world.wait(0.5), Accepted), "a late answer is read all the same"


def test_a_refusal_as_a_whole_speaks_for_each_order() -> None:
    world = joined({"agent_expired": 1.0})
    world.wait(1)
    events = world.do(PlaceBatch(ACCOUNT, (place(1), place(2))))
    assert len(of(events, Rejected)) == 2
    assert "does not exist" in only(events, VenueWarned).text


def test_a_refused_cancel_is_stamped_with_the_block_it_left_after() -> None:
    world = joined()
    number = resting(world)
    world.do(cancel())
    lower_ns = world.session.clock.lower_ns
    refused = only(world.do(cancel(1, number)), CancelRejected)
    assert refused.is_unknown_order
    assert refused.venue_ns == lower_ns


# --- cancel-all and the dead-man ---------------------------------------------------------------


def test_cancel_all_takes_everything_that_is_known() -> None:
    world = joined()
    empty = world.do(CancelAll(ACCOUNT))
    assert "nothing is known to be open" in only(empty, VenueWarned).text
    for number in (1, 2, 3):
        resting(world, number)
    one, spot = parse("0.002"), parse("10")
    world.sim.trade_elsewhere(ACCOUNT, "BTC-PERP", "buy", one, parse("59000"), world.now_ns)
    world.sim.trade_elsewhere(ACCOUNT, "PURR/USDC", "buy", spot, parse("2"), world.now_ns)
    world.wait(0.5)
    assert len(of(world.do(CancelAll(ACCOUNT)), Closed)) == 5
    assert "nothing" in only(world.do(CancelAll(ACCOUNT)), VenueWarned).text


def test_cancel_all_knows_what_a_look_up_showed() -> None:
    world = joined()
    world.disturb(omit_frame=1.0)
    one = parse("0.002")
    world.sim.trade_elsewhere(ACCOUNT, "BTC-PERP", "buy", one, parse("59000"), world.now_ns)
    world.wait(0.5)
    world.disturb()
    world.do(LookUp(ACCOUNT, "open_orders"))
    assert len(of(world.do(CancelAll(ACCOUNT)), Closed)) == 1


def test_the_dead_man_is_armed_only_where_the_account_may() -> None:
    world = joined()
    warned = only(world.do(ArmDeadMan(ACCOUNT, 20 * SECOND)), VenueWarned)
    assert warned.text.startswith("no dead-man switch: Cannot set scheduled cancel time")
    world.disturb(schedule_gate_is=0.0)
    now_ns = world.now_ns
    armed = only(world.do(ArmDeadMan(ACCOUNT, 20 * SECOND)), DeadManArmed)
    assert armed.fires_ns == now_ns + 20 * SECOND
    assert only(world.do(ArmDeadMan(ACCOUNT, 0)), DeadManArmed).fires_ns == 0


def approved(command: AnyCommand, number: int, world: World) -> Approved:
    """Return a command that was approved now."""
    return Approved(command, number, world.now_ns)


def post(number: int, payload: object) -> dict[str, object]:
    """Return the frame that answers an action."""
    response = {"type": "action", "payload": payload}
    return {"channel": "post", "data": {"id": number, "response": response}}
