"""A login's own picture of its account: what is open, and whose requests the stream has settled."""

from collections.abc import Iterable, Mapping

from crosswire.domain import (
    Accepted,
    AnyEvent,
    CancelRejected,
    Closed,
    Filled,
    OrdersRead,
    Rejected,
    TimedOut,
)
from crosswire.venues.hyperliquid.session.inflight import InFlight
from crosswire.venues.hyperliquid.session.once import Once
from crosswire.venues.hyperliquid.session.open_orders import OpenOrders


class Picture:
    """Takes in all events that the session hands out; `instruments` is of orders by number."""

    def __init__(
        self, orders: OpenOrders, inflight: InFlight, instruments: Mapping[str, str]
    ) -> None:
        self.counts = {"refusals": 0, "timeouts": 0}
        self._orders = orders
        self._inflight = inflight
        self._instruments = instruments
        self._once = Once()

    def streamed(self, events: Iterable[AnyEvent]) -> list[AnyEvent]:
        """Take in what the private stream said; returns what is new of it."""
        return self.noted(self._once.fresh(events))

    def looked_up(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Take in what look-ups showed."""
        self._once.saw(events)
        for event in events:
            if isinstance(event, OrdersRead):
                self._orders.apply(event)
        return events

    def noted(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Take in what answers and the stream said."""
        for event in events:
            if isinstance(event, Accepted | Closed | Filled):
                known = getattr(event, "venue_order_id", "")
                self._orders.apply(event, self._instruments.get(known, ""))
                if getattr(event, "source", "") != "answer":
                    self._prove(event)
            elif isinstance(event, TimedOut):
                self.counts["timeouts"] += 1
            elif isinstance(event, Rejected | CancelRejected):
                self.counts["refusals"] += 1
                if isinstance(event, Rejected) and self._is_over(event):
                    self._orders.apply(event)
        return events

    def _is_over(self, event: Rejected) -> bool:
        """Whether no copy of a refused order's request may still run."""
        own_id = event.client_order_id
        return self._inflight.place_of(event.request_id, own_id) is None

    def _prove(self, event: Accepted | Closed | Filled) -> None:
        """An order's events on the stream settle requests before their answers arrive."""
        key = self._orders.key(event.client_order_id, event.venue_order_id)
        for request in self._inflight.of_order(key):
            is_new = request.kind == "place" and any(
                part.client_order_id == key for part in request.parts
            )
            if is_new or isinstance(event, Closed):
                request.pending.discard(key)
                if not request.pending:
                    self._inflight.forget(request)
