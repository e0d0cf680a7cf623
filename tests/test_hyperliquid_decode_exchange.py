"""Answers to actions: an error in any of its places refuses what it speaks of, and no more."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from crosswire.domain import (
    Accepted,
    AnyEvent,
    CancelAccepted,
    CancelRejected,
    Closed,
    Rejected,
    Seen,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.venues.hyperliquid.decode import errors, exchange
from crosswire.venues.hyperliquid.decode.exchange import Outcome, Request, Verdict
from tests.hyperliquid_world import NOW_NS, OWN_ID, vectors

OBSERVED = vectors("observed_responses")
IDS = tuple(f"{number:032x}" for number in range(3))
REQUEST = Request("main", 9, IDS, ("11", "12", "13"))
NEVER = "Order was never placed, already canceled, or filled. asset=4"
DUPLICATE = "Invalid nonce: duplicate nonce 1764221206959"
KILLED = "Error placing new order during modify: Post only order would have immediately matched"


def answer(*statuses: Any, kind: str = "order") -> bytes:
    body = {"type": kind, "data": {"statuses": list(statuses)}}
    return json.dumps({"status": "ok", "response": body}).encode()


def refusal(text: str) -> bytes:
    return json.dumps({"status": "err", "response": text}).encode()


def placed(body: bytes, request: Request = REQUEST) -> list[AnyEvent]:
    return exchange.placed(exchange.read(body), request, NOW_NS)


def observed(when: str) -> Outcome:
    [case] = [case for case in OBSERVED["exchange"] if case["when"] == when]
    return exchange.read(json.dumps(case["response"]).encode())


@pytest.mark.parametrize("case", OBSERVED["exchange"], ids=lambda case: case["when"])
def test_every_observed_answer_is_read(case: dict[str, Any]) -> None:
    outcome = exchange.read_http(case["http_status"], json.dumps(case["response"]).encode())
    assert not outcome.is_unknown, outcome.error
    assert bool(outcome.error) == (case["response"]["status"] == "err")
    shown = case["response"]["response"]
    data = {} if isinstance(shown, str) else shown.get("data", {})
    assert len(outcome.entries) == len(data.get("statuses", [])) + ("status" in data)


def test_entries_are_told_apart() -> None:
    rests = observed("order rests, cloid echoed").entries[0]
    assert rests == Verdict("resting", "41547028680", "06c60000000000000000000000003f5a")
    filled = observed("IOC larger than the book at its limit: partial fill, remainder dropped "
                      "silently").entries[0]  # fmt: skip
    assert filled == Verdict("filled", "62014694776", "", parse("136"), parse("0.2876"))
    waiting = observed("normalTpsl, parent rests: children wait").entries
    assert [each.outcome for each in waiting] == ["resting", "waiting", "waiting"]
    assert observed("twap ok").entries == (Verdict("running", "77738308"),)
    assert observed("twap error").entries[0].error == "Invalid TWAP duration: 1 min(s)"
    assert observed("twap cancel ok").entries == (Verdict("success"),)
    assert observed("scheduleCancel / updateLeverage / modify / noop ok") == Outcome("default")
    assert observed("scheduleCancel / updateLeverage / modify / noop ok").is_done


# --- places ------------------------------------------------------------------------------------


def test_each_entry_has_its_own_verdict() -> None:
    """The planted mistake: one verdict for the whole batch."""
    events = placed(
        answer({"resting": {"oid": 5}}, {"error": "Order has zero size."}, "waitingForFill")
    )
    assert events == [
        Accepted(NOW_NS, "main", IDS[0], "5", 9),
        Rejected(NOW_NS, "main", IDS[1], "", 9, "Order has zero size."),
        Accepted(NOW_NS, "main", IDS[2], "", 9),
    ]


def test_filled_at_once_is_accepted_and_no_fill() -> None:
    """The planted mistake: the reservation freed at `filled`, before any fill was booked."""
    filled = {"filled": {"totalSz": "0.01", "avgPx": "2104.7", "oid": 7, "cloid": "0x" + OWN_ID}}
    request = Request("main", 9, (OWN_ID,))
    assert placed(answer(filled), request) == [Accepted(NOW_NS, "main", OWN_ID, "7", 9)]


def rejections(events: Sequence[AnyEvent]) -> list[Rejected]:
    """Return the events, all of which have to be refusals."""
    found = [event for event in events if isinstance(event, Rejected)]
    assert len(found) == len(events)
    return found


def test_one_refusal_of_all_stands_for_each() -> None:
    events = placed(refusal("Order has invalid price."))
    refused = rejections(events)
    assert [event.client_order_id for event in refused] == list(IDS)
    assert not any(event.is_transient for event in refused)


def test_a_used_nonce_settles_nothing() -> None:
    """The planted mistake: the refusal of a copy taken for a refusal of the order."""
    events = placed(refusal(DUPLICATE))
    assert [type(event) for event in events] == [Seen] * 3


def test_an_expired_copy_is_refused_and_may_be_tried_anew() -> None:
    events = placed(refusal("Action already expired"))
    assert [event.is_transient for event in rejections(events)] == [True] * 3


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"{}", b"[]", b"<html>", b'{"status":"error"}', b'{"status":"ok"',
        b'{"status":"err","response":7}', answer({}), answer("brandNew"), answer(7),
        answer({"filled": {"oid": 1, "totalSz": "x"}}), answer({"resting": {}}),
    ],
)  # fmt: skip
def test_garbage_is_a_doubt_not_a_refusal(body: bytes) -> None:
    [event] = placed(body)
    assert isinstance(event, TimedOut)
    assert (event.client_order_ids, event.request_id, event.kind) == (IDS, 9, "place")


def test_entries_without_a_result_are_in_doubt() -> None:
    events = placed(answer({"resting": {"oid": 5}}))
    assert isinstance(events[0], Accepted)
    assert isinstance(events[1], TimedOut)
    assert events[1].client_order_ids == IDS[1:]
    assert isinstance(placed(answer("success", "success", "success"))[0], TimedOut)
    more = placed(answer(*[{"resting": {"oid": number}} for number in range(5)]))
    assert len(more) == 3


@pytest.mark.parametrize(
    ("status", "is_unknown"),
    [(200, True), (429, False), (422, False), (500, True), (502, True), (503, True), (0, True)],
)
def test_an_http_error_refuses_only_what_cannot_have_run(status: int, is_unknown: bool) -> None:
    """The planted mistake: a transport's fault taken for the venue's refusal."""
    outcome = exchange.read_http(status, b"<html>bad gateway</html>")
    assert outcome.is_unknown is is_unknown
    assert not outcome.is_done
    kinds = {type(event) for event in exchange.placed(outcome, REQUEST, NOW_NS)}
    assert kinds == {TimedOut if is_unknown else Rejected}


def test_a_posts_own_error_is_read_by_its_code() -> None:
    limited = exchange.transport_error("429 Too Many Requests: null")
    events = exchange.placed(limited, REQUEST, NOW_NS)
    assert [event.is_transient for event in rejections(events)] == [True] * 3
    assert exchange.transport_error("504 Gateway Timeout").is_unknown
    assert exchange.transport_error("who knows").is_unknown


# --- cancels and replacements ------------------------------------------------------------------


def test_a_cancels_answer_closes_nothing() -> None:
    """The planted mistake: the refusal of a cancel taken for the order's end."""
    outcome = exchange.read(answer("success", {"error": NEVER}, {"error": "Odd."}, kind="cancel"))
    events = exchange.cancelled(outcome, REQUEST, NOW_NS)
    assert events == [
        CancelAccepted(NOW_NS, "main", IDS[0], "11", 9),
        CancelRejected(NOW_NS, "main", IDS[1], "12", 9, NEVER, is_unknown_order=True),
        CancelRejected(NOW_NS, "main", IDS[2], "13", 9, "Odd."),
    ]
    assert not any(isinstance(event, Closed) for event in events)


def test_a_cancel_whose_nonce_was_used_is_in_doubt() -> None:
    [event] = exchange.cancelled(exchange.read(refusal(DUPLICATE)), REQUEST, NOW_NS)
    assert isinstance(event, TimedOut)
    assert event.kind == "cancel"
    odd = exchange.cancelled(exchange.read(answer({"resting": {"oid": 1}})), REQUEST, NOW_NS)
    assert [type(each) for each in odd] == [TimedOut, TimedOut]
    refused = exchange.cancelled(exchange.read(refusal("Action already expired")), REQUEST, NOW_NS)
    assert [type(each) for each in refused] == [CancelRejected] * 3


def test_a_replacement_speaks_of_the_new_order_and_of_an_old_one_it_killed() -> None:
    """The planted mistakes: a replaced order taken for done, a killed one for open."""
    outcome = exchange.read(
        answer(
            {"resting": {"oid": 99}},
            {"error": "Cannot modify canceled or filled order"},
            {"error": KILLED},
        )
    )
    events = exchange.replaced(outcome, REQUEST, NOW_NS)
    assert [type(event) for event in events] == [
        Accepted,
        CancelAccepted,
        Rejected,
        CancelRejected,
        Rejected,
        Closed,
    ]
    assert isinstance(events[0], Accepted)
    assert events[0].venue_order_id == "99"
    [refused] = [event for event in events if isinstance(event, CancelRejected)]
    assert (refused.venue_order_id, refused.is_unknown_order) == ("12", True)
    [closed] = [event for event in events if isinstance(event, Closed)]
    assert (closed.venue_order_id, closed.cause, closed.filled) == ("13", "canceled", None)


def test_a_replacement_without_an_outcome_leaves_both_orders_in_doubt() -> None:
    olds = ("a" * 32, "b" * 32, "c" * 32)
    request = structs.replace(REQUEST, replaced_ids=olds)
    [event] = exchange.replaced(exchange.read(b"garbage"), request, NOW_NS)
    assert isinstance(event, TimedOut)
    assert set(event.client_order_ids) == {*IDS, *olds}
    refused = exchange.replaced(exchange.read(refusal("Action already expired")), request, NOW_NS)
    assert [type(event) for event in refused] == [Rejected, CancelRejected] * 3
    assert {event.client_order_id for event in refused if isinstance(event, CancelRejected)} == {
        *olds
    }


# --- texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (DUPLICATE, "seen"),
        ("Invalid nonce: nonce too low 1 < 2", "transient"),
        ("Action already expired", "transient"),
        ("L1 error: Action already expired", "transient"),
        ("Insufficient margin to place order. asset=5", "transient"),
        ("Order must have minimum value of $10. asset=173", "refused"),
        ("User or API Wallet 0xefc0 does not exist.", "refused"),
        ("Vault not registered: 0x00", "refused"),
        ("a text nobody has seen", "refused"),
        ("", "refused"),
    ],
)
def test_what_a_text_means(text: str, verdict: str) -> None:
    assert errors.classify(text) == verdict


def test_texts_are_recognised_with_what_stands_around_them() -> None:
    assert errors.asset_of(NEVER) == 4
    assert errors.asset_of("Order has zero size.") is None
    assert errors.plain(f"L1 error: {NEVER}") == NEVER.removesuffix(" asset=4")
    assert errors.is_unknown_order(f"L1 error: {NEVER}")
    assert errors.is_modify_half_done(KILLED)
    assert errors.is_wrong_signer("User or API Wallet 0x1 does not exist.")
    assert errors.is_wrong_signer("Must deposit before performing actions. User: 0x1")
    assert errors.is_expired("Action already expired")
    assert errors.is_spent_budget("Too many cumulative requests sent (2 > 1) for cumulative")
    assert errors.is_no_dead_man("Cannot set scheduled cancel time until enough volume traded.")
    assert errors.request_id_of("too many pending post requests id=1234") == 1234
    assert errors.request_id_of('Already subscribed: {"user_id":7}') == 0
    for text in ("404 Not Found", "422", "400 x"):
        assert errors.classify_transport(text) == "refused"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "response", "data", "statuses", "type", "error", "resting"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_answer_raises_and_every_order_hears_of_it(value: Any) -> None:
    outcome = exchange.read(json.dumps(value).encode())
    for read in (exchange.placed, exchange.cancelled, exchange.replaced):
        named = set()
        for event in read(outcome, REQUEST, NOW_NS):
            named |= set(getattr(event, "client_order_ids", ())) or {
                getattr(event, "client_order_id", "")
            }
        assert set(IDS) <= named
