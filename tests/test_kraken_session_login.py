"""The private connection: tokens, subscriptions, gaps, silence."""

import json

from crosswire.domain import (
    Accepted,
    CashMoved,
    LoggedIn,
    OrdersRead,
    Rejected,
    Sent,
    TimedOut,
    VenueWarned,
)
from crosswire.venues.interface import HttpRequest
from crosswire.venues.kraken.session.sequences import Sequence
from crosswire.venues.kraken.session.tokens import SPARE_NS, Tokens
from tests.kraken_dialogue import SECOND, TOKEN, Rig, of, only, own_id, place

NEW = "another-token-of-forty-three-characters-bbb"
GRANT = {"token": NEW, "expires": 900}


def mints(rig: Rig) -> list[HttpRequest]:
    """Return the questions for a token that are not answered yet."""
    return [call for call in rig.calls if "GetWebSocketsToken" in call.path]


def test_a_connection_that_stands_first_waits_for_the_token() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.take(rig.session.opened("private", rig.now_ns))
    assert len(mints(rig)) == 1
    assert not rig.sent("subscribe")
    assert rig.sent("ping") == [{"method": "ping", "req_id": 1}]
    rig.answer("GetWebSocketsToken", {"token": TOKEN, "expires": 900})
    assert len(rig.sent("subscribe")) == 2
    assert not rig.session.is_ready("ws")
    assert of(rig.snapshot(), LoggedIn)


def test_a_spare_is_kept_fresh_and_used_for_the_next_connection() -> None:
    rig = Rig().login()
    rig.pass_time(0.1)
    rig.answer("GetWebSocketsToken", GRANT)
    rig.pass_time(1)
    assert not mints(rig)
    rig.take(rig.session.closed("private", "gone", rig.now_ns))
    rig.take(rig.session.opened("private", rig.now_ns))
    assert rig.sent("subscribe")[-1]["params"]["token"] == NEW
    rig.pass_time(0.1)
    assert len(mints(rig)) == 1
    rig.answer("GetWebSocketsToken", {"token": "later", "expires": 900})
    rig.snapshot()
    rig.pass_time(13 * 60 + 1)
    assert len(mints(rig)) == 1


def test_a_failed_mint_is_said_and_tried_again_ever_more_slowly() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.take(rig.session.opened("private", rig.now_ns))
    warned = rig.answer("GetWebSocketsToken", error=["EGeneral:Permission denied"])
    assert only(warned, VenueWarned).text == "no WebSocket token: EGeneral:Permission denied"
    rig.pass_time(0.5)
    assert not mints(rig)
    rig.pass_time(0.6)
    assert len(mints(rig)) == 1
    call = rig.call("GetWebSocketsToken")
    rig.take(rig.session.failed(call, "timeout", rig.now_ns, was_sent=True))
    rig.pass_time(1.9)
    assert not mints(rig)
    rig.pass_time(0.2)
    rig.answer("GetWebSocketsToken", {"token": "", "expires": 900})
    assert "an empty token" in of(rig.events, VenueWarned)[-1].text


def test_a_lost_question_for_a_token_holds_the_login_up_for_two_seconds() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.pass_time(1)
    rig.take(rig.session.opened("private", rig.now_ns))
    rig.pass_time(0.9)
    assert len(mints(rig)) == 1
    rig.pass_time(0.1)
    first, second = mints(rig)
    # The next is waited for longer, so that questions do not pile up.
    rig.pass_time(2)
    # The end of the first says nothing of the second.
    rig.take(rig.session.failed(first, "timeout", rig.now_ns, was_sent=True))
    rig.pass_time(1.9)
    assert len(mints(rig)) == 2
    body = json.dumps({"error": [], "result": GRANT}).encode()
    rig.take(rig.session.answered(second, 200, body, rig.now_ns))
    assert rig.sent("subscribe")[-1]["params"]["token"] == NEW
    assert of(rig.snapshot(), LoggedIn)


def test_a_spare_that_nobody_waits_for_is_asked_for_once() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.pass_time(9)
    assert len(mints(rig)) == 1
    rig.take(rig.session.opened("private", rig.now_ns))
    assert len(mints(rig)) == 2


def test_a_token_that_comes_late_is_as_good() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.take(rig.session.opened("private", rig.now_ns))
    rig.pass_time(2)
    first, second = mints(rig)
    body = json.dumps({"error": [], "result": GRANT}).encode()
    rig.take(rig.session.answered(first, 200, body, rig.now_ns))
    assert len(rig.sent("subscribe")) == 2
    rig.take(rig.session.failed(second, "timeout", rig.now_ns, was_sent=True))
    assert of(rig.snapshot(), LoggedIn)


def test_a_refused_token_is_minted_once_and_what_it_refused_is_sent_again() -> None:
    rig = Rig().login()
    rig.send(place(1))
    rig.send(place(2))
    rig.send(place(3))
    assert not rig.refuse("add_order", 1, "EAPI:Invalid token")
    assert not rig.refuse("add_order", 2, "Token(s) not found")
    assert len(mints(rig)) == 1
    assert not rig.session.is_ready("ws")
    rig.reply("add_order", 3, result={"order_id": "O3"})
    assert not rig.answer("GetWebSocketsToken", GRANT)
    again = rig.sent("add_order")[3:]
    assert [frame["params"]["cl_ord_id"] for frame in again] == [own_id(1), own_id(2)]
    assert {frame["params"]["token"] for frame in again} == {NEW}
    assert [frame["req_id"] for frame in again] == [1, 2]
    assert rig.sent("subscribe")[-1]["params"]["token"] == NEW
    assert len(of(rig.events, Sent)) == 3
    assert of(rig.reply("add_order", 1, result={"order_id": "O1"}), Accepted)
    refused = only(rig.refuse("add_order", 2, "ESession:Invalid session"), Rejected)
    assert (refused.is_transient, refused.is_unsent) == (True, False)
    assert not of(rig.pass_time(10), TimedOut)


def test_what_was_refused_for_an_older_token_goes_again_at_once() -> None:
    rig = Rig().login()
    rig.send(place(1))
    rig.send(place(2))
    rig.refuse("add_order", 1, "EAPI:Invalid token")
    rig.now_ns += 1
    rig.answer("GetWebSocketsToken", GRANT)
    rig.refuse("add_order", 2, "EAPI:Invalid token")
    assert not mints(rig)
    assert rig.sent("add_order")[-1]["params"]["cl_ord_id"] == own_id(2)


def test_without_a_new_token_the_refusal_stands() -> None:
    rig = Rig().login()
    rig.send(place())
    rig.refuse("add_order", 1, "ESession:Invalid session")
    assert not of(rig.pass_time(4.9), Rejected)
    assert only(rig.pass_time(0.2), Rejected).reason == "ESession:Invalid session"
    late = Rig().login()
    late.send(place())
    late.refuse("add_order", 1, "ESession:Invalid session")
    late.now_ns += 4_800_000_000
    assert only(late.answer("GetWebSocketsToken", GRANT), Rejected).is_transient
    gone = Rig().login()
    gone.send(place())
    gone.refuse("add_order", 1, "ESession:Invalid session")
    events = gone.take(gone.session.closed("private", "gone", gone.now_ns))
    assert only(events, Rejected).client_order_id == own_id(1)
    assert not of(events, TimedOut)


def test_a_subscription_refused_for_its_token_is_cured() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.take(rig.session.opened("private", rig.now_ns))
    rig.answer("GetWebSocketsToken", {"token": TOKEN, "expires": 900})
    for frame in rig.sent("subscribe"):
        rig.refuse("subscribe", frame["req_id"], "ESession:Invalid session")
    assert len(mints(rig)) == 1
    rig.answer("GetWebSocketsToken", GRANT)
    assert of(rig.snapshot(), LoggedIn)


def test_other_refusals_of_subscriptions_are_told() -> None:
    rig = Rig().login()
    number = rig.sent("subscribe")[1]["req_id"]
    warned = rig.refuse("subscribe", number, "EGeneral:Permission denied")
    assert only(warned, VenueWarned).text == "balances refused: EGeneral:Permission denied"
    assert not rig.refuse("unsubscribe", 77, "Subscription Not Found")
    assert not rig.reply("subscribe", 78, result={"channel": "balances"})


def test_a_subscription_that_stands_through_a_change_of_tokens_is_enough() -> None:
    rig = Rig().login()
    rig.send(place())
    rig.refuse("add_order", 1, "EAPI:Invalid token")
    rig.answer("GetWebSocketsToken", GRANT)
    executions = rig.sent("subscribe")[-2]
    events = rig.refuse("subscribe", executions["req_id"], "Already subscribed")
    assert of(events, LoggedIn)
    assert rig.session.is_ready("ws")


def test_a_gap_asks_for_that_channel_alone_with_both_snapshots() -> None:
    rig = Rig().login()
    before = len(rig.frames)
    rig.sequence += 2
    warned = rig.execution(order_id="O1", cl_ord_id=own_id(1), exec_type="new")
    assert only(warned, VenueWarned).text == "frames are missing: executions jumped from 1 to 4"
    assert of(warned, Accepted)
    left, asked = rig.frames[before:]
    assert (left["method"], left["params"]["channel"]) == ("unsubscribe", "executions")
    assert asked["params"]["snap_orders"] is asked["params"]["snap_trades"] is True
    rig.sequence += 5
    assert not of(rig.execution(order_id="O1", exec_type="new"), VenueWarned)
    assert not rig.refuse("subscribe", asked["req_id"], "Already subscribed")
    assert of(rig.snapshot(), OrdersRead)
    assert not of(rig.execution(order_id="O1", exec_type="new"), VenueWarned)
    assert rig.session.statistics()["sequence_gaps"] == 1


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    rig = Rig().login()
    rig.sequence += 2
    rig.execution(order_id="O1", exec_type="new")
    rig.pass_time(2)
    before = len(rig.frames)
    rig.hear({"channel": "heartbeat"})
    rig.pass_time(3.5)
    methods = [frame["method"] for frame in rig.frames[before:]]
    assert methods == ["unsubscribe", "subscribe", "ping"]


def test_every_channel_counts_alone() -> None:
    rig = Rig().login()
    row = {
        "asset": "USD",
        "balance": 118.0677,
        "amount": -19.9743,
        "fee": 0.0499,
        "ledger_id": "L1",
        "ref_id": "T1",
        "type": "trade",
    }
    frame = {"channel": "balances", "type": "update", "data": [row], "sequence": 2}
    events = rig.hear(frame)
    assert only(events, CashMoved).ref == "T1"
    assert not of(events, VenueWarned)


def test_silence_after_subscribing_gives_the_connection_up_once() -> None:
    rig = Rig().login()
    rig.pass_time(4.9)
    assert not rig.reconnects
    rig.hear({"channel": "heartbeat"})
    rig.pass_time(4.9)
    assert not rig.reconnects
    rig.pass_time(0.2)
    rig.pass_time(1)
    assert [output.reason for output in rig.reconnects] == ["silent for 5 s"]
    rig.take(rig.session.opened("private", rig.now_ns))
    assert rig.session.statistics()["websocket_connected"]


def test_pings_measure_the_venues_clock() -> None:
    rig = Rig().login()
    number = rig.sent("ping")[-1]["req_id"]
    rig.now_ns += 20_000_000
    ahead = {"time_in": "2026-01-22T06:06:20.010Z", "time_out": "2026-01-22T06:06:20.010Z"}
    assert not rig.hear({"method": "pong", "req_id": number, **ahead})
    assert rig.session.clock.offset_ns == SECOND
    assert not rig.hear({"method": "pong", "req_id": 12345, **ahead})
    for _ in range(11):
        rig.hear({"channel": "heartbeat"})
        rig.pass_time(1)
    assert len(rig.sent("ping")) == 3


def test_the_time_of_the_venue_is_asked_for_at_the_start() -> None:
    rig = Rig()
    rig.take(rig.session.start(rig.now_ns))
    rig.answer("Time", {"unixtime": rig.now_ns // SECOND + 100, "rfc1123": ""})
    assert rig.session.clock.offset_ns == 100 * SECOND + SECOND // 2
    failed = Rig()
    failed.take(failed.session.start(failed.now_ns))
    failed.answer("Time", error=["EService:Busy"])
    other = Rig()
    other.take(other.session.start(other.now_ns))
    call = other.call("Time")
    assert not other.session.failed(call, "timeout", other.now_ns, was_sent=True)
    assert failed.session.clock.error_ns is other.session.clock.error_ns is None


def test_a_token_is_taken_once_and_not_when_it_is_old() -> None:
    tokens = Tokens()
    assert tokens.should_mint(0, is_waiting=False)
    tokens.minting(0)
    assert not tokens.should_mint(0, is_waiting=True)
    assert tokens.state() == "minting"
    tokens.minted(TOKEN, 900, 0)
    assert TOKEN not in repr(tokens)
    assert tokens.take(SPARE_NS) == ""
    assert tokens.take(SPARE_NS - 1) == TOKEN
    assert tokens.take(1) == ""
    tokens.minted(TOKEN, 15, 0)
    assert tokens.take(13 * SECOND) == ""


def test_a_sequence_knows_a_gap_only_after_its_snapshot() -> None:
    sequence = Sequence("executions")
    assert sequence.take(7, is_snapshot=False) == ""
    sequence.asked(0, needs_snapshot=True)
    assert not sequence.stands()
    assert sequence.take(9, is_snapshot=False) == ""
    assert sequence.take(1, is_snapshot=True) == ""
    assert sequence.take(2, is_snapshot=False) == ""
    assert sequence.take(2, is_snapshot=False) == "executions jumped from 2 to 2"
    assert not sequence.is_overdue(10**18)
