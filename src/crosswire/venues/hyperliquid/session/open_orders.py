"""What is open on the account as far as a session must know: to cancel all of it, and to count it.

This is no second order table: nothing but budgets and cancel-all reads it.
"""

from collections.abc import Iterator

from msgspec import Struct

from crosswire.domain import (
    Accepted,
    AnyEvent,
    Cancel,
    Closed,
    OrdersRead,
    Place,
    Rejected,
)

_SETTLED_NS = 30_000_000_000  # an order sent so long before a read that lacks it is not open
_REMEMBERED = 10_000  # pairs of ids


class OpenOrder(Struct, eq=False, gc=False):
    """What is kept of one order."""

    instrument: str
    since_ns: int
    venue_order_id: str = ""


class OpenOrders:
    """Open orders by our id, or by the venue's where an order has none of ours."""

    def __init__(self, account: str) -> None:
        self._account = account
        self.orders: dict[str, OpenOrder] = {}
        self._own_ids: dict[str, str] = {}

    def sent(self, place: Place, now_ns: int) -> None:
        """An order left us: from now on it may be open."""
        self.orders[place.client_order_id] = OpenOrder(place.instrument, now_ns)

    def own_id(self, venue_order_id: str) -> str:
        """Return our id of an order that the venue names, "" if it has none."""
        return self._own_ids.get(venue_order_id, "")

    def key(self, client_order_id: str, venue_order_id: str) -> str:
        """Return what an order is known by here."""
        return client_order_id or self._own_ids.get(venue_order_id, venue_order_id)

    def apply(self, event: AnyEvent, instrument: str = "") -> None:
        """Take in what was said of one order, or of many; `instrument` if more than it is known."""
        if isinstance(event, Accepted):
            self._accepted(event, instrument)
        elif isinstance(event, Closed | Rejected):
            self.orders.pop(self.key(event.client_order_id, event.venue_order_id), None)
        elif isinstance(event, OrdersRead):
            self._read(event)

    def cancels(self) -> Iterator[Cancel]:
        """Yield the cancels of all that is open."""
        for key, order in self.orders.items():
            own = "" if key == order.venue_order_id else key
            yield Cancel(self._account, own, order.venue_order_id, order.instrument)

    def instrument(self, cancel: Cancel) -> str:
        """Return what the order of a cancel is of, "" if unknown."""
        found = self.orders.get(self.key(cancel.client_order_id, cancel.venue_order_id))
        return found.instrument if found is not None else cancel.instrument

    def _accepted(self, event: Accepted, instrument: str) -> None:
        if event.client_order_id and event.venue_order_id:
            self._own_ids[event.venue_order_id] = event.client_order_id
            if len(self._own_ids) > _REMEMBERED:
                del self._own_ids[next(iter(self._own_ids))]
        key = self.key(event.client_order_id, event.venue_order_id)
        found = self.orders.get(key)
        if found is not None:
            found.venue_order_id = event.venue_order_id or found.venue_order_id
        elif instrument and event.source == "stream":
            self.orders[key] = OpenOrder(instrument, event.recv_ns, event.venue_order_id)

    def _read(self, event: OrdersRead) -> None:
        """Take in a read; a whole one of open orders also ends what it lacks."""
        listed = set()
        for order in event.orders:
            key = self.key(order.client_order_id, order.venue_order_id)
            if not order.is_open:
                self.orders.pop(key, None)
                continue
            listed.add(key)
            known = self.orders.get(key)
            if known is None:
                self.orders[key] = OpenOrder(
                    order.instrument, event.started_ns, order.venue_order_id
                )
            else:
                known.venue_order_id = order.venue_order_id
        if event.scope == "open" and event.is_complete and not event.client_order_id:
            old_ns = event.started_ns - _SETTLED_NS
            for key in [key for key in self.orders if key not in listed]:
                if self.orders[key].since_ns < old_ns:
                    del self.orders[key]
