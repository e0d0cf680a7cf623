"""What an answer says about the request it answers, as events."""

from collections.abc import Callable

from msgspec import structs

from crosswire.domain import (
    Accepted,
    AnyEvent,
    ArmDeadMan,
    CancelAccepted,
    CancelRejected,
    Closed,
    DeadManArmed,
    Place,
    Rejected,
    Seen,
    TimedOut,
    VenueWarned,
)
from crosswire.venues.hyperliquid.decode import errors, exchange
from crosswire.venues.hyperliquid.decode.exchange import Outcome
from crosswire.venues.hyperliquid.session.inflight import Copy, Request

_USED_UP = "its nonce was used up"
_Read = Callable[[Outcome, exchange.Request, int], list[AnyEvent]]
_READ: dict[str, _Read] = {
    "order": exchange.placed,
    "batchModify": exchange.replaced,
    "cancel": exchange.cancelled,
    "cancelByCloid": exchange.cancelled,
}


def settle(copy: Copy, outcome: Outcome, now_ns: int) -> list[AnyEvent]:
    """Return the events of an answer; the request's orders that it proves are pending no more."""
    request = copy.request
    if request.voids is not None:
        return _voided(request, request.voids, outcome, now_ns)
    if request.method == "scheduleCancel":
        return _armed(copy, outcome, now_ns)
    said = _READ[request.method](outcome, _about(request), now_ns)
    events = [_stamped(event, copy) for event in said]
    for event in events:
        _note(request, event)
    seen = [event for event in events if isinstance(event, Seen)]
    if seen and not request.is_doubtful:
        events += request.doubt(seen[0].reason, now_ns)
    return events


def _stamped(event: AnyEvent, copy: Copy) -> AnyEvent:
    """Actions run on chain, after the block that we knew of when they left."""
    if isinstance(event, CancelRejected):
        return structs.replace(event, venue_ns=copy.lower_ns)
    return event


def never_left(copy: Copy, reason: str, now_ns: int) -> list[AnyEvent]:
    """Return the refusals of a copy that was announced as `Sent` and did not leave after all."""
    if copy.request.voids is not None:
        return []
    text = f"never left: {reason}"
    return settle(copy, Outcome(error=text, verdict="transient"), now_ns)


def _about(request: Request) -> exchange.Request:
    """Return whom an answer is about, entry by entry."""
    parts = request.parts
    ids = tuple([part.client_order_id for part in parts])
    account = request.approved.command.account
    if request.kind == "place":
        places = [part for part in parts if isinstance(part, Place)]
        return exchange.Request(
            account,
            request.request_id,
            ids,
            tuple([place.replaces_venue_id for place in places]),
            tuple([place.replaces for place in places]),
        )
    theirs = tuple([getattr(part, "venue_order_id", "") for part in parts])
    return exchange.Request(account, request.request_id, ids, theirs)


def _note(request: Request, event: AnyEvent) -> None:
    """Keep who is proven: a refusal proves something only if no other copy is unanswered."""
    if isinstance(event, TimedOut):
        request.is_doubtful = True
        return
    if not isinstance(event, Accepted | CancelAccepted | Closed | Rejected | CancelRejected):
        return
    is_refused = isinstance(event, Rejected | CancelRejected)
    if not is_refused or request.answers >= request.copies:
        request.pending.discard(event.client_order_id or event.venue_order_id)


def _voided(void: Request, place: Request, outcome: Outcome, now_ns: int) -> list[AnyEvent]:
    """Return what the answer to a noop says of the place whose nonce it was sent under."""
    account = place.approved.command.account
    if outcome.error and outcome.verdict == "seen":
        return [
            Seen(now_ns, account, part.client_order_id, "", place.request_id, outcome.error)
            for part in place.parts
            if part.client_order_id in place.pending
        ]
    if not outcome.is_done:
        text = f"the nonce {void.nonce} could not be used up: {outcome.error}"
        return [VenueWarned(now_ns, account, text)]
    events: list[AnyEvent] = []
    for part in place.parts:
        if not isinstance(part, Place) or part.client_order_id not in place.pending:
            continue
        ids = (now_ns, account, part.client_order_id, "", place.request_id)
        events.append(Rejected(*ids, _USED_UP, is_final=True))
        if part.replaces:
            old = (now_ns, account, part.replaces, part.replaces_venue_id, place.request_id)
            events.append(CancelRejected(*old, _USED_UP))
    place.pending.clear()
    return events


def _armed(copy: Copy, outcome: Outcome, now_ns: int) -> list[AnyEvent]:
    command = copy.request.approved.command
    assert isinstance(command, ArmDeadMan)
    if outcome.is_done:
        fires_ns = copy.sent_ns + command.timeout_ns if command.timeout_ns else 0
        return [DeadManArmed(now_ns, command.account, fires_ns)]
    if errors.is_no_dead_man(outcome.error):
        return [VenueWarned(now_ns, command.account, f"no dead-man switch: {outcome.error}")]
    return [VenueWarned(now_ns, command.account, f"dead-man switch not armed: {outcome.error}")]
