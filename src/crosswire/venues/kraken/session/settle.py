"""What an answer says about the request it answers, as events.

A REST answer comes here in the shape of a WebSocket's, so that one text means one thing by
both transports. A refusal whose text leaves the outcome open is `TimedOut`, never `Rejected`.
"""

from collections.abc import Callable, Iterable

from crosswire.domain import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    AnyEvent,
    ArmDeadMan,
    CancelAccepted,
    CancelRejected,
    DeadManArmed,
    Rejected,
    Seen,
    TimedOut,
    VenueWarned,
)
from crosswire.venues.kraken.decode import errors
from crosswire.venues.kraken.decode.messages import Reply
from crosswire.venues.kraken.encode.rules import timeout_seconds
from crosswire.venues.kraken.session.inflight import Part, Request

Settled = tuple[list[AnyEvent], bool]  # and whether the request has all its answers


def settle(request: Request, reply: Reply, now_ns: int) -> Settled:
    """Return the events of an answer, and whether the request is over with it."""
    return _SETTLE[request.method](request, reply, now_ns)


def refuse(
    request: Request,
    parts: Iterable[Part],
    *,
    reason: str,
    now_ns: int,
    venue_ns: int = 0,
) -> list[AnyEvent]:
    """Return the verdict on some orders of a request, by what the error's text means."""
    parts = tuple(parts)
    if not parts:
        return []
    verdict = errors.classify(reason)
    if verdict == "unknown" or errors.is_duplicate(reason):
        return _doubt(request, parts, reason, now_ns)
    request.pending -= {part.client_order_id for part in parts}
    return [
        refusal(
            request,
            part,
            reason=reason,
            now_ns=now_ns,
            venue_ns=venue_ns,
            is_transient=verdict == "transient",
            is_unsent=False,
        )
        for part in parts
    ]


def never_left(request: Request, reason: str, now_ns: int) -> list[AnyEvent]:
    """Return the refusals of a request that was announced as `Sent` and did not leave after all.

    They count as refusals of that copy: `is_unsent` is for what was never announced.
    """
    request.pending.clear()
    return [
        refusal(
            request,
            part,
            reason=f"never left: {reason}",
            now_ns=now_ns,
            is_transient=True,
            is_unsent=False,
        )
        for part in request.parts
    ]


def refusal(
    request: Request,
    part: Part,
    *,
    reason: str,
    now_ns: int,
    is_transient: bool,
    is_unsent: bool,
    venue_ns: int = 0,
) -> AnyEvent:
    """Return the refusal of one order's place, amend or cancel."""
    own_id, venue_id = part.client_order_id, getattr(part, "venue_order_id", "")
    request_id = request.request_id
    if request.kind == "place":
        return Rejected(
            now_ns,
            part.account,
            own_id,
            venue_id,
            request_id,
            reason,
            is_transient=is_transient,
            is_unsent=is_unsent,
            venue_ns=venue_ns,
        )
    if request.kind == "amend":
        return AmendRejected(
            now_ns,
            part.account,
            own_id,
            venue_id,
            request_id,
            reason,
            is_transient=is_transient,
            is_unsent=is_unsent,
            venue_ns=venue_ns,
        )
    return CancelRejected(
        now_ns,
        part.account,
        own_id,
        venue_id,
        request_id,
        reason,
        is_unknown_order=errors.is_unknown_order(reason),
        is_transient=is_transient,
        is_unsent=is_unsent,
        venue_ns=venue_ns,
    )


def _doubt(request: Request, parts: tuple[Part, ...], reason: str, now_ns: int) -> list[AnyEvent]:
    """The orders stay in doubt; a duplicate's answer proves only that something arrived."""
    ids = tuple(part.client_order_id for part in parts)
    account = request.approved.command.account
    events: list[AnyEvent] = []
    if errors.is_duplicate(reason):
        events += [Seen(now_ns, account, own_id, "", request.request_id, reason) for own_id in ids]
    request.pending -= set(ids)
    doubt = TimedOut(
        now_ns,
        account,
        request.request_id,
        reason,
        client_order_ids=ids,
        kind=request.kind,
    )
    return [*events, doubt]


def _accepted(
    request: Request, part: Part, venue_order_id: str, reply: Reply, now_ns: int
) -> Accepted:
    request.pending.discard(part.client_order_id)
    return Accepted(
        now_ns,
        part.account,
        part.client_order_id,
        venue_order_id,
        request_id=request.request_id,
        venue_ns=reply.in_ns,
    )


def _refused(request: Request, parts: Iterable[Part], reply: Reply, now_ns: int) -> list[AnyEvent]:
    venue_ns = stamp(request, reply)
    return refuse(request, parts, reason=reply.error, now_ns=now_ns, venue_ns=venue_ns)


def stamp(request: Request, reply: Reply) -> int:
    """Return a time that the venue's clock had reached when it refused.

    A REST answer is not stamped: the venue read that request after the latest time we had from
    it when we asked.
    """
    return reply.in_ns or request.seen_ns


def _add(request: Request, reply: Reply, now_ns: int) -> Settled:
    if reply.success:
        return [_accepted(request, request.parts[0], reply.order_id, reply, now_ns)], True
    return _refused(request, request.parts, reply, now_ns), True


def _batch_add(request: Request, reply: Reply, now_ns: int) -> Settled:
    """The array is read whatever `success` says; without one the whole batch was refused."""
    if not reply.items and not reply.success:
        return _refused(request, request.parts, reply, now_ns), True
    if len(reply.items) != len(request.parts):
        reason = f"{len(reply.items)} verdicts on {len(request.parts)} orders"
        return _doubt(request, request.parts, reason, now_ns), True
    events: list[AnyEvent] = []
    for part, item in zip(request.parts, reply.items, strict=True):
        if item.error:
            reason, venue_ns = item.error, stamp(request, reply)
            events += refuse(request, [part], reason=reason, now_ns=now_ns, venue_ns=venue_ns)
        elif item.order_id or getattr(part, "validate", False):
            events.append(_accepted(request, part, item.order_id, reply, now_ns))
        else:
            events += _doubt(request, (part,), "neither an order id nor an error", now_ns)
    return events, True


def _amend(request: Request, reply: Reply, now_ns: int) -> Settled:
    amend = request.parts[0]
    assert isinstance(amend, Amend)
    if not reply.success:
        return _refused(request, request.parts, reply, now_ns), True
    request.pending.clear()
    done = Amended(
        now_ns,
        amend.account,
        amend.client_order_id,
        amend.venue_order_id or reply.order_id,
        quantity=amend.quantity,
        price=amend.price,
        request_id=request.request_id,
        source="answer",
        venue_ns=reply.in_ns,
    )
    return [done], True


def _cancel(request: Request, reply: Reply, now_ns: int) -> Settled:
    """One answer for each order. A success names its order, a refusal may name none."""
    request.answers += 1
    is_last = request.answers >= len(request.parts)
    is_single = len(request.parts) == 1
    named = [part for part in request.parts if is_single or _is_named(part, reply)]
    if reply.success:
        events = _cancelled(request, named, reply, now_ns)
    else:
        request.error = reply.error
        events = _refused(request, named, reply, now_ns)
    # What no answer named when all are there, are the refused ones.
    if is_last and not is_single:
        left = [part for part in request.parts if part.client_order_id in request.pending]
        reason, venue_ns = request.error, stamp(request, reply)
        events += refuse(request, left, reason=reason, now_ns=now_ns, venue_ns=venue_ns)
    return events, is_last


def _cancelled(
    request: Request, parts: Iterable[Part], reply: Reply, now_ns: int
) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    for part in parts:
        request.pending.discard(part.client_order_id)
        events.append(
            CancelAccepted(
                now_ns,
                part.account,
                part.client_order_id,
                getattr(part, "venue_order_id", "") or reply.order_id,
                request_id=request.request_id,
                venue_ns=reply.in_ns,
            )
        )
    return events


def _batch_cancel(request: Request, reply: Reply, now_ns: int) -> Settled:
    """One count for all. Fewer than asked: the stream, or asking one by one, tells which."""
    if not reply.success:
        return _refused(request, request.parts, reply, now_ns), True
    if reply.count is not None and reply.count >= len(request.parts):
        return _cancelled(request, request.parts, reply, now_ns), True
    return [], True


def _cancel_all(request: Request, reply: Reply, now_ns: int) -> Settled:
    account = request.approved.command.account
    if reply.success:
        number = request.request_id
        return [CancelAccepted(now_ns, account, "", "", number, venue_ns=reply.in_ns)], True
    verdict = errors.classify(reply.error)
    if verdict == "unknown":
        return request.give_up(reply.error, now_ns), True
    refused = CancelRejected(
        now_ns,
        account,
        "",
        "",
        request.request_id,
        reply.error,
        is_transient=verdict == "transient",
        venue_ns=stamp(request, reply),
    )
    return [refused], True


def _dead_man(request: Request, reply: Reply, now_ns: int) -> Settled:
    command = request.approved.command
    assert isinstance(command, ArmDeadMan)
    if reply.success:
        # The earliest moment it can fire: the venue starts its timer after we have sent.
        seconds = timeout_seconds(command.timeout_ns)
        fires_ns = request.sent_ns + seconds * 1_000_000_000 if seconds else 0
        return [DeadManArmed(now_ns, command.account, fires_ns)], True
    text = f"dead-man switch not armed: {reply.error}"
    return [VenueWarned(now_ns, command.account, text)], True


def _is_named(part: Part, reply: Reply) -> bool:
    venue_order_id = getattr(part, "venue_order_id", "")
    is_by_venue = bool(reply.order_id) and reply.order_id == venue_order_id
    return is_by_venue or (bool(reply.cl_ord_id) and reply.cl_ord_id == part.client_order_id)


_SETTLE: dict[str, Callable[[Request, Reply, int], Settled]] = {
    "add_order": _add,
    "batch_add": _batch_add,
    "amend_order": _amend,
    "cancel_order": _cancel,
    "batch_cancel": _batch_cancel,
    "cancel_all": _cancel_all,
    "cancel_all_orders_after": _dead_man,
}
