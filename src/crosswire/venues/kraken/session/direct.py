"""The direct way of what the hot path sends: a plain limit order or its amend, by WebSocket.

It does in one go what `Trading.send` does for every command and transport, and only where nothing
stands in the way: what is special, tight or wrong it leaves untouched to that general way, by
returning None. The general way stays the truth; a test holds the two to the same bytes, events
and counters. Written for few calls, because calls are what costs.
"""

from crosswire.domain import Amend, AnyEvent, Approved, Place, Sent
from crosswire.venues.interface import Frame
from crosswire.venues.kraken.session.inflight import Request
from crosswire.venues.kraken.session.open_orders import OpenOrders
from crosswire.venues.kraken.session.outgoing import (
    BOUND_NS,
    MAX_LEAD_NS,
    MIN_LEAD_NS,
    PRIVATE,
    Outgoing,
)
from crosswire.venues.kraken.session.pacing import DEAREST, POINT, Pacing, amend_cost

_KINDS = (Amend, Place)
_MIN_LEAD_NS = MIN_LEAD_NS["ws"]


class Direct:
    """One login's direct way, for while it is logged in and nothing is held back."""

    __slots__ = (
        "_clock",
        "_counts",
        "_frames",
        "_in_flight_of",
        "_inflight",
        "_lanes",
        "_most_open",
        "_open",
        "_orders",
        "_outbox",
        "_pacing",
        "_requests",
    )

    def __init__(self, outgoing: Outgoing, orders: OpenOrders, pacing: Pacing) -> None:
        self._frames = outgoing.frames
        self._counts = outgoing.counts
        self._outbox = outgoing.outbox
        self._clock = outgoing.clock
        self._inflight = outgoing.inflight
        self._requests = outgoing.inflight.requests
        self._in_flight_of = outgoing.inflight.by_order
        self._orders = orders
        self._open = orders.orders
        self._pacing = pacing
        self._lanes = pacing.lanes
        self._most_open = pacing.tier.open_orders

    def send(self, approved: Approved, now_ns: int) -> list[AnyEvent] | None:
        """Send a plain order or amend; None for everything else, and then nothing was done."""
        command = approved.command
        if not isinstance(command, _KINDS):
            return None
        bound_ns = command.bound_ns or approved.approved_ns + BOUND_NS
        if not _MIN_LEAD_NS <= bound_ns - now_ns <= MAX_LEAD_NS:
            return None
        until_ns = bound_ns + self._clock.offset_ns
        number, own_id, instrument = (
            approved.request_id,
            command.client_order_id,
            command.instrument,
        )
        lane = self._lanes.get(instrument) or self._pacing.lane(instrument)
        is_open = len(lane.open_orders)
        if isinstance(command, Amend):
            if own_id in self._in_flight_of and self._inflight.is_amending(own_id):
                return None
            method, counter = "amend_order", "amend_order_ws"
            payload = self._frames.plain_amend(command, number, until_ns)
            order = self._open.get(own_id)
            cost = POINT if order is None else amend_cost(now_ns - order.since_ns)
        else:
            if is_open >= self._most_open:
                return None
            method, counter = "add_order", "add_order_ws"
            payload = self._frames.plain_order(command, number, until_ns)
            cost = POINT
            is_open += 1
        if payload is None or not lane.counter.take(cost, is_open * DEAREST, now_ns):
            return None
        if method == "add_order":
            self._orders.sent(own_id, instrument, now_ns)
        ids = (own_id,)
        request = Request(
            approved, (command,), {own_id}, number, method, "ws", PRIVATE, now_ns, until_ns
        )
        if own_id in self._in_flight_of:
            self._inflight.add(request)
        else:  # what `add` does for an order with nothing else in flight
            self._requests[number] = request
            self._in_flight_of[own_id] = [request]
            request.is_amending = method == "amend_order"
        counts = self._counts
        counts["frames"] += 1
        counts[counter] += 1
        self._outbox.append(Frame(PRIVATE, payload))
        return [Sent(now_ns, command.account, number, "ws", ids, now_ns, PRIVATE, until_ns)]
