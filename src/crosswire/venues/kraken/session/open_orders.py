"""What is open on the account as far as a session must know: ages for costs, ids for joins.

This is no second order table. It is fed from the events the session hands out, and nothing
but pacing and the translation of ids reads it.
"""

from collections.abc import Iterator

from crosswire.domain import Accepted, Amended, Cancel, Closed, Filled, OrdersRead, Rejected

Statement = Accepted | Filled | Amended | Closed | Rejected
# An order sent this long before a read that lacks it is not open: the venue's slowest look-up.
_SETTLED_NS = 60_000_000_000
_REMEMBERED = 10_000  # pairs of ids kept after an order's end, for fills found by look-ups


class _Open:
    __slots__ = ("instrument", "key", "since_ns")

    def __init__(self, key: str, instrument: str, since_ns: int) -> None:
        self.key = key
        self.instrument = instrument
        self.since_ns = since_ns


class OpenOrders:
    """Open orders by our id, or by the venue's where an order has none of ours."""

    def __init__(self) -> None:
        self._orders: dict[str, _Open] = {}
        self._by_instrument: dict[str, dict[str, _Open]] = {}
        self._own_ids: dict[str, str] = {}

    def sent(self, client_order_id: str, instrument: str, now_ns: int) -> None:
        """An order left us: from now on it may be open."""
        self._add(client_order_id, instrument, now_ns)

    def apply(self, event: Statement, now_ns: int) -> None:
        """Take in what was said of one order."""
        if event.client_order_id and event.venue_order_id:
            self._learn(event.client_order_id, event.venue_order_id)
        key = event.client_order_id or self._own_ids.get(event.venue_order_id, event.venue_order_id)
        if isinstance(event, Closed | Rejected):
            self._remove(key)
        elif isinstance(event, Amended) and key in self._orders:
            self._orders[key].since_ns = now_ns

    def read(self, event: OrdersRead) -> None:
        """Take in a read of open orders; a whole one also ends what it lacks."""
        if event.scope != "open":
            return
        listed = set()
        for order in event.orders:
            if order.client_order_id:
                self._learn(order.client_order_id, order.venue_order_id)
            key = order.client_order_id or order.venue_order_id
            listed.add(key)
            if order.is_open and key not in self._orders:
                self._add(key, order.instrument, order.opened_ns or event.recv_ns)
        if event.is_complete and not event.client_order_id:
            old_ns = event.started_ns - _SETTLED_NS
            gone = [key for key in self._orders if key not in listed]
            for key in gone:
                if self._orders[key].since_ns < old_ns:
                    self._remove(key)

    def own_id(self, venue_order_id: str) -> str:
        """Return our id of an order that the venue names, "" if it has none."""
        return self._own_ids.get(venue_order_id, "")

    def is_open(self, cancel: Cancel) -> bool:
        """Whether the order of a cancel is open, as far as we know."""
        key = cancel.client_order_id or self.own_id(cancel.venue_order_id)
        return (key or cancel.venue_order_id) in self._orders

    def instrument(self, key: str) -> str:
        """Return an open order's instrument, "" if unknown."""
        found = self._orders.get(key)
        return found.instrument if found is not None else ""

    def since_ns(self, key: str) -> int | None:
        """Return when an open order was made or last amended."""
        found = self._orders.get(key)
        return found.since_ns if found is not None else None

    def ages(self, instrument: str) -> Iterator[int]:
        """Yield `since_ns` of an instrument's open orders."""
        return (order.since_ns for order in self._by_instrument.get(instrument, {}).values())

    def count(self, instrument: str = "") -> int:
        """Return how many orders are open, on one instrument or on all."""
        return len(self._by_instrument.get(instrument, ()) if instrument else self._orders)

    def _learn(self, client_order_id: str, venue_order_id: str) -> None:
        self._own_ids[venue_order_id] = client_order_id
        if len(self._own_ids) > _REMEMBERED:
            del self._own_ids[next(iter(self._own_ids))]

    def _remove(self, key: str) -> None:
        found = self._orders.pop(key, None)
        if found is not None:
            del self._by_instrument[found.instrument][key]

    def _add(self, key: str, instrument: str, since_ns: int) -> None:
        order = self._orders[key] = _Open(key, instrument, since_ns)
        self._by_instrument.setdefault(instrument, {})[key] = order
