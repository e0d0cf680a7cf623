"""The direct way of what the hot path sends: one order, new or in another's place, by WebSocket.

It does in one go what `Trading.send` does for every command and transport, and only where nothing
stands in the way: what is special, tight or wrong it leaves untouched to that general way, by
returning None. The general way stays the truth; a test holds the two to the same bytes, events
and counters. Written for few calls, because calls are what costs.
"""

from crosswire.domain import AnyEvent, Approved, Place, Sent
from crosswire.venues.hyperliquid.encode import envelope
from crosswire.venues.hyperliquid.session.inflight import Copy, Request
from crosswire.venues.hyperliquid.session.outgoing import (
    BOUND_NS,
    MAX_LEAD_NS,
    MIN_LEAD_NS,
    PRIVATE,
    Outgoing,
)
from crosswire.venues.interface import Frame

_MS = 1_000_000


class Direct:
    """One login's direct way, for while it is logged in and nothing is held back."""

    __slots__ = ("_inflight", "_orders", "_outgoing", "_pacing")

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._pacing = outgoing.pacing
        self._orders = outgoing.orders
        self._inflight = outgoing.inflight

    def send(self, approved: Approved, now_ns: int) -> list[AnyEvent] | None:
        """Send one order; None for everything else, and then nothing was done."""
        command = approved.command
        if type(command) is not Place:
            return None
        bound_ns = command.bound_ns or approved.approved_ns + BOUND_NS
        if not MIN_LEAD_NS <= bound_ns - now_ns <= MAX_LEAD_NS:
            return None
        out, inflight, orders = self._outgoing, self._inflight, self._orders
        if not self._pacing.may_place(1, len(orders.orders), len(inflight.posts), now_ns):
            return None
        try:
            make = out.actions.move if command.replaces else out.actions.order
            action = make(command)
            nonce = out.nonce(now_ns)
        except ValueError:
            return None
        until_ms = out.clock.venue_ns(bound_ns) // _MS
        until_ns = until_ms * _MS
        body = envelope.signed(action, out.signer, nonce, until_ms)
        own_id, number = command.client_order_id, approved.request_id
        pending = {own_id, command.replaces} if command.replaces else {own_id}
        request = Request(
            approved, action.kind, "place", (command,), pending, body, nonce, until_ns, now_ns,
            copies=1,
        )  # fmt: skip
        inflight.add(request)
        self._pacing.spend(1)
        orders.sent(command, now_ns)
        out.post_id = post_id = out.post_id + 1
        inflight.posts[post_id] = Copy(request, post_id, "ws", now_ns, out.clock.lower_ns)
        out.counts["frames"] += 1
        self._pacing.message(now_ns)
        out.outbox.append(Frame(PRIVATE, envelope.post_action(post_id, body)))
        ids = (own_id,)
        return [Sent(now_ns, command.account, number, "ws", ids, now_ns, PRIVATE, until_ns)]
