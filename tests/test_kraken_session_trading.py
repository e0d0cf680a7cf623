"""A login driven by literal frames: answers and events in any order, doubts, refusals, limits."""

import pytest

from crosswire.domain import (
    Accepted,
    Amended,
    AmendRejected,
    AnyEvent,
    ArmDeadMan,
    CancelAccepted,
    CancelAll,
    CancelBatch,
    CancelRejected,
    Closed,
    ConditionalClose,
    Connected,
    DeadManArmed,
    Disconnected,
    Filled,
    LoggedIn,
    PlaceBatch,
    Rejected,
    Seen,
    Sent,
    TimedOut,
    Unreadable,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.interface import Credentials
from crosswire.venues.kraken.session.trading import Trading
from tests.kraken_dialogue import (
    ACCOUNT,
    KEY,
    NOW,
    SECOND,
    SECRET,
    TOKEN,
    Rig,
    amend,
    cancel,
    in_doubt,
    of,
    only,
    own_id,
    place,
    settings,
)

ORDER_ID = "OPS23M-VS41G-DDE5Z2"


def placed(number: int = 1, **changes: object) -> Rig:
    """Return a login with one order accepted."""
    rig = Rig().login()
    rig.send(place(number, **changes))
    rig.reply("add_order", 1, result={"order_id": ORDER_ID, "cl_ord_id": own_id(number)})
    return rig


def opened(rig: Rig) -> list[AnyEvent]:
    """Let the stream say that order 1 is open."""
    return rig.execution(
        order_id=ORDER_ID,
        cl_ord_id=own_id(1),
        exec_type="pending_new",
        order_status="pending_new",
        symbol="BTC/USD",
        side="buy",
        order_qty=0.001,
        limit_price=26500.4,
        order_type="limit",
    )


def test_the_life_of_a_connection() -> None:
    rig = Rig()
    (endpoint,) = rig.session.endpoints()
    assert (endpoint.url, endpoint.is_private) == ("ws://127.0.0.1:1/auth/v2", True)
    rig.login()
    assert [type(event) for event in rig.events[:1]] == [Connected]
    assert only(rig.events, LoggedIn).session == ACCOUNT
    assert [frame["params"]["channel"] for frame in rig.sent("subscribe")] == [
        "executions",
        "balances",
    ]
    assert rig.sent("subscribe")[0]["params"]["token"] == TOKEN
    assert rig.session.is_ready("ws")
    events = rig.take(rig.session.closed("private", "code 1006", rig.now_ns))
    assert only(events, Disconnected).reason == "code 1006"
    assert not rig.session.is_ready("ws")
    assert rig.session.is_ready("rest")


def test_an_accepted_order_is_said_once_by_each_source_in_either_order() -> None:
    answer_first = placed()
    assert only(of(answer_first.events, Accepted), Accepted).venue_order_id == ORDER_ID
    assert only(opened(answer_first), Accepted).source == "stream"
    event_first = Rig().login()
    sent = only(event_first.send(place()), Sent)
    assert (sent.request_id, sent.client_order_ids, sent.transport) == (1, (own_id(1),), "ws")
    assert only(opened(event_first), Accepted).client_order_id == own_id(1)
    answered = event_first.reply("add_order", 1, result={"order_id": ORDER_ID})
    assert only(answered, Accepted).request_id == 1
    assert not in_doubt(event_first.pass_time(10))


@pytest.mark.parametrize(
    ("error", "is_transient"),
    [
        ("EOrder:Insufficient funds", False),
        ("Limit_price field must be a number_float", False),
        ("EOrder:Rate limit exceeded", True),
        ("EService:Deadline elapsed", True),
        ("EService:Market in cancel_only mode", True),
    ],
)
def test_a_definite_refusal_is_rejected(error: str, is_transient: bool) -> None:
    rig = Rig().login()
    rig.send(place())
    refused = only(rig.refuse("add_order", 1, error), Rejected)
    assert (refused.reason, refused.is_transient, refused.is_unsent) == (error, is_transient, False)
    assert not rig.pass_time(10)


@pytest.mark.parametrize(
    "error", ["EService:Unavailable", "EService:Busy", "EGeneral:Internal error", "ENew:Never seen"]
)
def test_an_open_outcome_is_a_doubt_and_never_a_refusal(error: str) -> None:
    rig = Rig().login()
    rig.send(place())
    doubt = only(rig.refuse("add_order", 1, error), TimedOut)
    assert (doubt.client_order_ids, doubt.kind, doubt.reason) == ((own_id(1),), "place", error)


def test_a_duplicate_id_is_seen_and_stays_in_doubt() -> None:
    rig = Rig().login()
    rig.send(place())
    text = "EGeneral:Invalid arguments:cl_ord_id not unique"
    events = rig.refuse("add_order", 1, text)
    assert [type(event) for event in events] == [Seen, TimedOut]


def test_silence_is_a_doubt_and_a_late_answer_is_still_read() -> None:
    rig = Rig().login()
    rig.send(place())
    assert not in_doubt(rig.pass_time(4.9))
    assert in_doubt(rig.pass_time(0.2)) == [own_id(1)]
    assert not in_doubt(rig.pass_time(1))
    late = rig.reply("add_order", 1, result={"order_id": ORDER_ID})
    assert only(late, Accepted).venue_order_id == ORDER_ID
    assert rig.session.statistics()["late_answers"] == 1
    assert not rig.reply("add_order", 1, result={"order_id": ORDER_ID})
    assert rig.session.statistics()["stray_answers"] == 1


def test_a_request_is_forgotten_when_no_answer_can_come_any_more() -> None:
    rig = Rig().login()
    rig.send(place())
    for _ in range(14):
        rig.hear({"channel": "heartbeat"})
        rig.pass_time(5)
    assert not of(rig.reply("add_order", 1, result={"order_id": ORDER_ID}), Accepted)


def test_a_lost_connection_leaves_everything_on_it_in_doubt() -> None:
    rig = placed()
    rig.send(place(2))
    rig.send(amend())
    rig.send(cancel())
    rig.send(place(3), "rest")
    events = rig.take(rig.session.closed("private", "gone", rig.now_ns))
    assert {(event.request_id, event.kind) for event in of(events, TimedOut)} == {
        (2, "place"),
        (3, "amend"),
        (4, "cancel"),
    }


def test_what_the_stream_has_proven_is_not_in_doubt_when_the_connection_goes() -> None:
    rig = Rig().login()
    rig.send(place())
    opened(rig)
    assert not of(rig.take(rig.session.closed("private", "gone", rig.now_ns)), TimedOut)


def test_a_batch_gives_its_verdicts_in_order() -> None:
    rig = Rig().login()
    rig.send(PlaceBatch(ACCOUNT, (place(1), place(2), place(3))))
    (frame,) = rig.sent("batch_add")
    assert frame["params"]["symbol"] == "BTC/USD"
    items = [
        {"order_id": ORDER_ID, "cl_ord_id": own_id(1)},
        {"error": "EOrder:Insufficient funds"},
        {"error": "EService:Busy"},
    ]
    events = rig.hear({"method": "batch_add", "req_id": 1, "success": False, "result": items})
    assert [(type(event), getattr(event, "client_order_id", "")) for event in events] == [
        (Accepted, own_id(1)),
        (Rejected, own_id(2)),
        (TimedOut, ""),
    ]
    assert in_doubt(events) == [own_id(3)]


def test_a_batch_is_split_by_instrument_and_at_fifteen() -> None:
    rig = Rig().login()
    places = [place(number) for number in range(1, 18)]
    places.append(place(18, instrument="kraken:ETH/USD"))
    rig.send(PlaceBatch(ACCOUNT, tuple(places)))
    first, second = rig.sent("batch_add")
    (alone,) = rig.sent("add_order")
    assert len(first["params"]["orders"]) == 15
    assert len(second["params"]["orders"]) == 2
    assert alone["params"]["symbol"] == "ETH/USD"
    numbers = {frame["req_id"] for frame in (first, second, alone)}
    assert len(numbers) == 3
    events = rig.reply("add_order", alone["req_id"], result={"order_id": ORDER_ID})
    assert (only(events, Accepted).client_order_id, only(events, Accepted).request_id) == (
        own_id(18),
        1,
    )


def test_a_whole_batch_refused_or_half_told() -> None:
    rig = Rig().login()
    rig.send(PlaceBatch(ACCOUNT, (place(1), place(2))))
    events = rig.refuse("batch_add", 1, "Symbol field missing")
    assert [event.client_order_id for event in of(events, Rejected)] == [own_id(1), own_id(2)]
    rig.send(PlaceBatch(ACCOUNT, (place(3), place(4))))
    short = rig.reply("batch_add", 2, result=[{"order_id": ORDER_ID}])
    assert in_doubt(short) == [own_id(3), own_id(4)]
    rig.send(PlaceBatch(ACCOUNT, (place(5), place(6, validate=False))))
    empty = rig.reply("batch_add", 3, result=[{"order_id": ORDER_ID}, {}])
    assert in_doubt(empty) == [own_id(6)]


def test_a_check_is_accepted_without_an_id() -> None:
    rig = Rig().login()
    rig.send(place(validate=True))
    assert only(rig.reply("add_order", 1, result={}), Accepted).venue_order_id == ""
    rig.send(PlaceBatch(ACCOUNT, (place(2, validate=True), place(3, validate=True))))
    assert len(of(rig.reply("batch_add", 2, result=[{}, {}]), Accepted)) == 2


def test_one_amend_of_an_order_at_a_time_and_the_newest_wins() -> None:
    rig = placed()
    rig.send(amend(price=parse("26501")))
    assert not rig.send(amend(price=parse("26502")))
    replaced = only(rig.send(amend(price=parse("26503"))), AmendRejected)
    assert (replaced.request_id, replaced.is_unsent) == (3, True)
    assert len(rig.sent("amend_order")) == 1
    events = rig.reply("amend_order", 2, result={"amend_id": "T", "order_id": ORDER_ID})
    done = only(events, Amended)
    assert (done.price, done.request_id, done.source) == (parse("26501"), 2, "answer")
    assert only(events, Sent).request_id == 4
    assert rig.sent("amend_order")[-1]["params"]["limit_price"] == 26503.0


def test_the_stream_frees_the_next_amend_too() -> None:
    rig = placed()
    rig.send(amend())
    rig.send(amend(price=parse("26505")))
    events = rig.execution(
        order_id=ORDER_ID,
        cl_ord_id=own_id(1),
        exec_type="amended",
        order_status="new",
        order_qty=0.001,
        limit_price=26501.0,
    )
    assert only(events, Amended).price == parse("26501")
    assert only(events, Sent).request_id == 3
    assert not of(rig.pass_time(10), Amended)


def test_a_refused_amend() -> None:
    rig = placed()
    rig.send(amend())
    refused = only(rig.refuse("amend_order", 2, "EOrder:Unknown order"), AmendRejected)
    assert refused.client_order_id == own_id(1)
    rig.send(amend())
    assert only(rig.refuse("amend_order", 3, "EService:Busy"), TimedOut).kind == "amend"


def test_an_amend_that_waits_too_long_is_refused_unsent() -> None:
    rig = placed()
    rig.send(amend())
    rig.send(amend(price=parse("26502")))
    refused = only(rig.pass_time(2.1), AmendRejected)
    assert refused.is_unsent
    assert "held back for 2 s" in refused.reason


def test_a_cancel_overtakes_what_waits() -> None:
    rig = placed()
    rig.send(amend())
    rig.send(amend(price=parse("26502")))
    events = rig.send(cancel())
    assert only(events, AmendRejected).reason == "cancelled before it was sent"
    assert only(events, Sent).request_id == 4
    assert rig.sent("cancel_order")[0]["params"]["cl_ord_id"] == [own_id(1)]


def test_a_cancel_by_the_venues_id_and_its_refusals() -> None:
    rig = placed()
    rig.send(cancel(1, ORDER_ID))
    assert rig.sent("cancel_order")[0]["params"]["order_id"] == [ORDER_ID]
    events = rig.reply("cancel_order", 2, result={"order_id": ORDER_ID})
    assert only(events, CancelAccepted).client_order_id == own_id(1)
    rig.send(cancel())
    refused = only(rig.refuse("cancel_order", 3, "EOrder:Unknown order"), CancelRejected)
    assert (refused.is_unknown_order, refused.is_unsent) == (True, False)


def test_a_batch_cancel_in_both_shapes_of_its_answer() -> None:
    rig = Rig().login()
    rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2))))
    assert len(of(rig.reply("batch_cancel", 1, result={"count": 2}), CancelAccepted)) == 2
    rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2))))
    assert len(of(rig.reply("batch_cancel", 2, orders_cancelled=2), CancelAccepted)) == 2
    rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2))))
    assert len(of(rig.refuse("batch_cancel", 3, "EOrder:Invalid order"), CancelRejected)) == 2


def test_a_batch_cancel_that_counts_too_few_is_settled_one_by_one() -> None:
    rig = Rig().login()
    for number in (1, 2, 3, 4):
        rig.send(place(number))
    rig.send(CancelBatch(ACCOUNT, tuple(cancel(number) for number in (1, 2, 3, 4))))
    assert not rig.reply("batch_cancel", 5, result={"count": 1})
    rig.execution(order_id="O1", cl_ord_id=own_id(1), exec_type="canceled", order_status="canceled")
    rig.pass_time(1.5)
    (frame,) = rig.sent("cancel_order")
    assert frame["params"]["cl_ord_id"] == [own_id(2), own_id(3), own_id(4)]
    number = frame["req_id"]
    assert not rig.refuse("cancel_order", number, "EOrder:Unknown order")
    second = rig.reply("cancel_order", number, result={"cl_ord_id": own_id(3)})
    assert only(second, CancelAccepted).client_order_id == own_id(3)
    last = rig.refuse("cancel_order", number, "EOrder:Unknown order")
    assert [event.client_order_id for event in of(last, CancelRejected)] == [own_id(2), own_id(4)]
    assert {event.request_id for event in of(last, CancelRejected)} == {5}
    assert rig.session.statistics()["stray_answers"] == 0


def test_n_answers_that_each_name_their_order() -> None:
    rig = Rig().login()
    for number in (1, 2):
        rig.send(place(number))
    rig.send(CancelBatch(ACCOUNT, (cancel(1, "OA-1"), cancel(2))))
    rig.reply("batch_cancel", 3, result={"count": 0})
    rig.pass_time(1.5)
    by_venue, by_own = rig.sent("cancel_order")
    assert by_venue["params"]["order_id"] == ["OA-1"]
    assert by_own["params"]["cl_ord_id"] == [own_id(2)]
    done = rig.reply("cancel_order", by_venue["req_id"], result={"order_id": "OA-1"})
    assert only(done, CancelAccepted).venue_order_id == "OA-1"


def test_cancels_are_split_at_fifty() -> None:
    rig = Rig().login()
    rig.send(CancelBatch(ACCOUNT, tuple(cancel(number) for number in range(51))))
    assert len(rig.sent("batch_cancel")[0]["params"]["cl_ord_id"]) == 50
    assert len(rig.sent("cancel_order")[0]["params"]["cl_ord_id"]) == 1


def test_cancel_all_is_answered_for_the_account() -> None:
    rig = Rig().login()
    rig.send(CancelAll(ACCOUNT))
    assert only(rig.reply("cancel_all", 1, result={"count": 1}), CancelAccepted).request_id == 1
    rig.send(CancelAll(ACCOUNT))
    refused = only(rig.refuse("cancel_all", 2, "EGeneral:Permission denied"), CancelRejected)
    assert (refused.client_order_id, refused.is_transient) == ("", False)
    rig.send(CancelAll(ACCOUNT))
    assert only(rig.refuse("cancel_all", 3, "EService:Busy"), TimedOut).kind == "cancel"
    rig.send(CancelAll(ACCOUNT))
    assert only(rig.pass_time(6), TimedOut).request_id == 4


def test_the_dead_man_is_armed_from_the_earliest_moment_it_can_fire() -> None:
    rig = Rig().login()
    rig.send(ArmDeadMan(ACCOUNT, 60 * SECOND))
    rig.now_ns += SECOND
    result = {"currentTime": "2026-01-22T06:06:20Z", "triggerTime": "2026-01-22T06:07:20Z"}
    armed = only(rig.reply("cancel_all_orders_after", 1, result=result), DeadManArmed)
    assert armed.fires_ns == NOW + 60 * SECOND
    rig.send(ArmDeadMan(ACCOUNT, 60 * SECOND))
    warned = rig.refuse("cancel_all_orders_after", 2, "EService:Busy")
    assert only(warned, VenueWarned).text == "dead-man switch not armed: EService:Busy"


def test_a_deadline_is_in_the_venues_time_and_within_its_limits() -> None:
    rig = Rig().login()
    rig.session.clock.offset_ns = -30 * SECOND
    sent = only(rig.send(place(bound_ns=NOW + 4 * SECOND)), Sent)
    assert rig.sent("add_order")[0]["params"]["deadline"] == "2026-01-22T06:05:53.000Z"
    assert sent.bound_ns == NOW - 26 * SECOND, "who doubts it needs the venue's reading"
    rig.send(place(2, bound_ns=NOW + 600 * SECOND))
    assert rig.sent("add_order")[1]["params"]["deadline"] == "2026-01-22T06:06:48.000Z"
    batch = PlaceBatch(ACCOUNT, (place(3), place(4)), bound_ns=NOW + 2 * SECOND)
    assert only(rig.send(batch), Sent).bound_ns == NOW - 28 * SECOND
    assert rig.sent("batch_add")[0]["params"]["deadline"] == "2026-01-22T06:05:51.000Z"
    late = only(rig.send(place(5, bound_ns=NOW + 400_000_000)), Rejected)
    assert (late.is_unsent, late.is_transient) == (True, True)
    assert late.reason == "too late: 400 ms to its bound, the venue wants 500"
    late = only(rig.send(place(6, bound_ns=NOW + SECOND), "rest"), Rejected)
    assert "the venue wants 2000" in late.reason
    assert not [call for call in rig.calls if "AddOrder" in call.path]


def test_what_cannot_be_said_is_refused_before_anything_leaves() -> None:
    rig = Rig().login()
    close = ConditionalClose("limit", price=parse("30000"))
    refused = only(rig.send(place(close=close)), Rejected)
    assert (refused.is_unsent, refused.is_transient) == (True, False)
    mixed = PlaceBatch(ACCOUNT, (place(1), place(2), place(3, quantity=0)))
    assert len(of(rig.send(mixed), Rejected)) == 3
    assert not rig.sent("add_order") + rig.sent("batch_add")
    assert not rig.pass_time(10)


def test_nothing_goes_by_websocket_before_the_login() -> None:
    rig = Rig()
    assert only(rig.send(place()), Rejected).is_unsent
    assert only(rig.send(amend()), AmendRejected).is_unsent
    assert only(rig.send(cancel()), CancelRejected).is_unsent
    assert len(of(rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2)))), CancelRejected)) == 2
    assert len(of(rig.send(PlaceBatch(ACCOUNT, (place(1), place(2)))), Rejected)) == 2
    assert only(rig.send(CancelAll(ACCOUNT)), CancelRejected).is_unsent
    assert "not armed" in only(rig.send(ArmDeadMan(ACCOUNT, SECOND)), VenueWarned).text
    assert not rig.frames


def test_unreadable_frames_show_nothing_of_themselves() -> None:
    rig = Rig().login()
    event = only(rig.hear(f'{{"method":"add_order","token":"{TOKEN}'.encode()), Unreadable)
    assert event.is_private
    assert TOKEN not in repr(event)


def test_answers_to_nothing_are_counted_and_their_errors_told() -> None:
    rig = Rig().login()
    assert not rig.reply("add_order", 99, result={"order_id": ORDER_ID})
    assert "EOrder" in only(rig.refuse("add_order", 98, "EOrder:Odd"), VenueWarned).text
    assert "Exceeded msg rate" in only(rig.hear({"Error": "Exceeded msg rate"}), VenueWarned).text
    rig.send(place())
    assert not of(rig.reply("amend_order", 1, result={"amend_id": "T"}), Amended)


def test_fills_settle_a_place_and_closures_everything() -> None:
    rig = Rig().login()
    rig.send(place())
    opened(rig)
    rig.send(amend())
    rig.send(cancel())
    fill = rig.execution(
        order_id=ORDER_ID,
        exec_id="TGBB7L-HT5LX-J3BZ4A",
        exec_type="trade",
        order_status="filled",
        last_qty=0.001,
        last_price=26500.4,
        cum_qty=0.001,
        liquidity_ind="m",
        fees=[{"asset": "USD", "qty": 0.05}],
    )
    assert only(fill, Filled).client_order_id == own_id(1)
    assert only(fill, Closed).cause == "filled"
    assert not of(rig.pass_time(10), TimedOut)


def test_credentials_and_tiers_that_cannot_be_right_are_one_clear_line() -> None:
    with pytest.raises(ValueError, match="the API secret is not base64"):
        Trading(settings(credentials=Credentials(KEY, "nonsense!")), 1)
    with pytest.raises(ValueError, match="expected one of starter, intermediate, pro"):
        Trading(settings(tier="gold"), 1)


def test_no_secret_in_any_event_or_text() -> None:
    rig = placed()
    rig.refuse("add_order", 1, "EOrder:Odd")
    rig.pass_time(30)
    rig.answer("GetWebSocketsToken", error=["EAPI:Invalid key"])
    text = repr(rig.events) + repr(rig.session) + str(rig.session.statistics())
    for part in (rig.session._login.tokens, rig.session._outgoing.frames, rig.session._outgoing):
        text += repr(part)
    text += repr(list(rig.session._inflight))
    for secret in (KEY, SECRET, TOKEN):
        assert secret not in text
