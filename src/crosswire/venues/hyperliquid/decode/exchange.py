"""Answers of /exchange -> verdicts and events: every place where an error can stand.

One answer may refuse the whole request (`status: err`), or each entry for itself; a twap has one
status instead of a list. What an answer leaves open is a doubt: `TimedOut`, never a refusal.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, structs

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
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import errors
from crosswire.venues.hyperliquid.decode.text import FAULTS, money, own_id

_answer = msgspec.json.Decoder(wire.Answer)
_result = msgspec.json.Decoder(wire.Result)
_results = msgspec.json.Decoder(wire.Results)
_entry = msgspec.json.Decoder(str | wire.Entry)
_text = msgspec.json.Decoder(str)
_WAITING = ("waitingForFill", "waitingForTrigger")


class Verdict(Struct, frozen=True):
    """One entry: `outcome` is resting, filled, waiting, running, success or error."""

    outcome: str
    venue_order_id: str = ""
    client_order_id: str = ""
    quantity: int = 0  # traded at once: maybe less than asked
    price: int = 0  # the average of that
    error: str = ""
    meaning: errors.Verdict = "refused"  # of `error`


class Outcome(Struct, frozen=True):
    """One answer. `error` refuses all of it; `is_unknown` says that nothing can be said."""

    kind: str = ""
    entries: tuple[Verdict, ...] = ()
    error: str = ""
    verdict: errors.Verdict = "refused"  # of `error`
    is_unknown: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the request as a whole was taken."""
        return not self.error and not self.is_unknown


class Request(Struct, frozen=True):
    """What an answer is about: a request of ours and its entries' ids, in order."""

    account: str
    request_id: int
    client_order_ids: tuple[str, ...]
    venue_order_ids: tuple[str, ...] = ()  # of cancels and of what is replaced
    replaced_ids: tuple[str, ...] = ()  # ours of what is replaced


EventOf = Callable[[Verdict, Request, int, int], AnyEvent]


def read(payload: bytes) -> Outcome:
    """Return what an answer's body says; garbage is an unknown outcome."""
    try:
        return _read(payload)
    except FAULTS as error:
        return Outcome(error=f"unreadable answer: {error}", verdict="unknown", is_unknown=True)


def read_http(status: int, body: bytes) -> Outcome:
    """Return what a REST answer says: a decision of the venue always comes as HTTP 200."""
    if status == 200:
        return read(body)
    text = f"{status} {body[:120].decode('utf-8', 'replace')}".rstrip()
    return transport_error(text)


def transport_error(text: str) -> Outcome:
    """Return what the transport's own error says, by REST or as a post's `error`."""
    verdict = errors.classify_transport(text)
    return Outcome(error=text, verdict=verdict, is_unknown=verdict == "unknown")


def _read(payload: bytes) -> Outcome:
    answer = _answer.decode(payload)
    if answer.status == "err":
        text = _text.decode(answer.response)
        return Outcome(error=text, verdict=errors.classify(text))
    if answer.status != "ok":
        raise ValueError(f'unknown status "{answer.status}"')
    result = _result.decode(answer.response) if bytes(answer.response) else wire.Result()
    data = bytes(result.data) or bytes(answer.data)
    results = _results.decode(data) if data else wire.Results()
    raws = list(results.statuses)
    if bytes(results.status):
        raws.append(results.status)
    return Outcome(result.type, tuple([_verdict(bytes(raw)) for raw in raws]))


def _verdict(raw: bytes) -> Verdict:
    entry = _entry.decode(raw)
    if isinstance(entry, str):
        if entry in _WAITING:
            return Verdict("waiting")
        if entry == "success":
            return Verdict("success")
        raise ValueError(f'unknown status "{entry}"')
    if entry.error is not None:
        return Verdict("error", error=entry.error, meaning=errors.classify(entry.error))
    if entry.resting is not None:
        rests = entry.resting
        return Verdict("resting", str(rests.oid), own_id(rests.cloid))
    if entry.filled is not None:
        done = entry.filled
        quantity, price = money(done.total_sz), money(done.avg_px)
        return Verdict("filled", str(done.oid), own_id(done.cloid), quantity, price)
    if entry.running is not None:
        return Verdict("running", str(entry.running.twap_id))
    raise ValueError("an entry that says nothing")


def placed(outcome: Outcome, request: Request, recv_ns: int) -> list[AnyEvent]:
    """Return what an answer to new orders says of each of them.

    `filled` and `resting` both mean that the venue has the order; how much of it traded comes
    with the fills, and frees nothing before they do.
    """
    return _each(outcome, request, recv_ns, "place", _placed)


def cancelled(outcome: Outcome, request: Request, recv_ns: int) -> list[AnyEvent]:
    """Return what an answer to cancels says of each of them; it never closes an order."""
    return _each(outcome, request, recv_ns, "cancel", _cancelled)


def replaced(outcome: Outcome, request: Request, recv_ns: int) -> list[AnyEvent]:
    """Return what an answer to a batchModify says of the new orders, and of the old ones.

    A new order's refusal can leave the old one as it was, dead already, or killed by this very
    request; the text tells. Of an old order whose place was taken, the stream tells the end.
    """
    news = _each(outcome, request, recv_ns, "place", _placed)
    olds = dict(zip(request.client_order_ids, _olds(request), strict=False))
    events: list[AnyEvent] = []
    for event in news:
        if isinstance(event, TimedOut):
            ids = [each for new in event.client_order_ids for each in (new, olds[new][0]) if each]
            events.append(structs.replace(event, client_order_ids=tuple(ids)))
            continue
        events.append(event)
        if isinstance(event, Accepted | Rejected) and event.client_order_id in olds:
            events.append(_displaced(event, *olds[event.client_order_id], request.request_id))
    return events


def _olds(request: Request) -> list[tuple[str, str]]:
    """Return both ids of what is replaced, in the order of what replaces it."""
    count = len(request.client_order_ids)
    own = (*request.replaced_ids, *[""] * count)[:count]
    theirs = (*request.venue_order_ids, *[""] * count)[:count]
    return list(zip(own, theirs, strict=True))


def _displaced(event: Accepted | Rejected, own: str, theirs: str, number: int) -> AnyEvent:
    """Return what became of an order that another one was to replace."""
    ids = (event.recv_ns, event.account, own, theirs)
    if isinstance(event, Accepted):
        return CancelAccepted(*ids, number)
    if errors.is_modify_half_done(event.reason):
        return Closed(*ids, cause="canceled", reason=event.reason, source="answer")
    return CancelRejected(
        *ids,
        number,
        event.reason,
        is_unknown_order=errors.is_unknown_order(event.reason),
        is_transient=event.is_transient,
    )


def _each(
    outcome: Outcome,
    request: Request,
    recv_ns: int,
    kind: str,
    event_of: EventOf,
) -> list[AnyEvent]:
    """Apply each entry's verdict to its order; one refusal of all stands for each of them."""
    ids = request.client_order_ids
    is_place = kind == "place"
    if outcome.is_unknown or (not is_place and outcome.verdict == "seen" and outcome.error):
        return [_doubt(request, ids, outcome.error, recv_ns, is_place=is_place)]
    if outcome.error:
        refusal = Verdict("error", error=outcome.error, meaning=outcome.verdict)
        entries: Sequence[Verdict] = [refusal] * len(ids)
    else:
        entries = outcome.entries[: len(ids)]
    events = [event_of(verdict, request, index, recv_ns) for index, verdict in enumerate(entries)]
    if missing := ids[len(entries) :]:
        text = f"{len(entries)} results for {len(ids)} entries"
        events.append(_doubt(request, missing, text, recv_ns, is_place=is_place))
    return events


def _doubt(
    request: Request, ids: tuple[str, ...], reason: str, recv_ns: int, *, is_place: bool
) -> AnyEvent:
    return TimedOut(
        recv_ns,
        request.account,
        request.request_id,
        reason,
        client_order_ids=ids,
        kind="place" if is_place else "cancel",
    )


def _placed(verdict: Verdict, request: Request, index: int, recv_ns: int) -> AnyEvent:
    own = request.client_order_ids[index]
    number = request.request_id
    if verdict.outcome != "error":
        if verdict.outcome == "success":
            return _doubt(request, (own,), "success is no answer", recv_ns, is_place=True)
        return Accepted(recv_ns, request.account, own, verdict.venue_order_id, number)
    if verdict.meaning == "seen":
        return Seen(recv_ns, request.account, own, "", number, verdict.error)
    return Rejected(
        recv_ns,
        request.account,
        own,
        "",
        number,
        verdict.error,
        is_transient=verdict.meaning == "transient",
    )


def _cancelled(verdict: Verdict, request: Request, index: int, recv_ns: int) -> AnyEvent:
    own = request.client_order_ids[index]
    theirs = request.venue_order_ids[index] if index < len(request.venue_order_ids) else ""
    if verdict.outcome == "success":
        return CancelAccepted(recv_ns, request.account, own, theirs, request.request_id)
    if verdict.outcome != "error":
        text = f"{verdict.outcome} is no answer to a cancel"
        return _doubt(request, (own,), text, recv_ns, is_place=False)
    return CancelRejected(
        recv_ns,
        request.account,
        own,
        theirs,
        request.request_id,
        verdict.error,
        is_unknown_order=errors.is_unknown_order(verdict.error),
        is_transient=verdict.meaning == "transient",
    )
