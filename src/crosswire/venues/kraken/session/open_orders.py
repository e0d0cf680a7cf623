"""What is open on the account as far as a session must know: ages for costs, ids for joins.

This is no second order table. It is fed from the events the session hands out, and nothing
but pacing and the translation of ids reads it.
"""

from collections.abc import Iterator

from msgspec import Struct

from crosswire.domain import Accepted, Amended, Cancel, Closed, Filled, OrdersRead, Rejected

Statement = Accepted | Filled | Amended | Closed | Rejected
# An order sent this long before a read that lacks it is not open: the venue's slowest look-up,
# and the usual deadline twice over for the stream's own snapshot, which has no lag.
_SETTLED_NS = 60_000_000_000
_SNAPSHOT_NS = 10_000_000_000
_REMEMBERED = 10_000  # pairs of ids kept after an order's end, for fills found by look-ups


class OpenOrder(Struct, eq=False, gc=False):
    """What is kept of one order."""

    instrument: str
    since_ns: int  # when it was made or last amended
    is_pressed: bool = False  # its cancel is counted already: it can only be cancelled once


class OpenOrders:
    """`orders`: open orders by our id, or by the venue's where an order has none of ours."""

    def __init__(self) -> None:
        self.orders: dict[str, OpenOrder] = {}
        self._by_instrument: dict[str, dict[str, OpenOrder]] = {}
        self._own_ids: dict[str, str] = {}

    def sent(self, client_order_id: str, instrument: str, now_ns: int) -> None:
        """An order left us: from now on it may be open."""
        order = self.orders[client_order_id] = OpenOrder(instrument, now_ns)
        open_there = self._by_instrument.get(instrument)
        if open_there is None:
            open_there = self.on(instrument)
        open_there[client_order_id] = order

    def apply(self, event: Statement, now_ns: int) -> None:
        """Take in what was said of one order."""
        if event.client_order_id and event.venue_order_id:
            self._learn(event.client_order_id, event.venue_order_id)
        key = event.client_order_id or self._own_ids.get(event.venue_order_id, event.venue_order_id)
        if isinstance(event, Closed | Rejected):
            self._remove(key)
        elif isinstance(event, Amended) and key in self.orders:
            self.orders[key].since_ns = now_ns

    def read(self, event: OrdersRead) -> None:
        """Take in a read; a whole one of open orders also ends what it lacks.

        What is counted as open by mistake costs room under the rate limit, so it must not stay:
        neither an order that never arrived nor one whose end the stream has lost.
        """
        if event.scope != "open":
            for order in event.orders:
                if not order.is_open:
                    self._remove(order.client_order_id or order.venue_order_id)
            return
        listed = set()
        for order in event.orders:
            if order.client_order_id:
                self._learn(order.client_order_id, order.venue_order_id)
            key = order.client_order_id or order.venue_order_id
            listed.add(key)
            if order.is_open and key not in self.orders:
                # The venue's clock may be ahead of ours: nothing is younger than now.
                opened_ns = min(order.opened_ns or event.recv_ns, event.recv_ns)
                self.sent(key, order.instrument, opened_ns)
        if event.is_complete and not event.client_order_id:
            is_snapshot = event.source == "snapshot"
            old_ns = event.started_ns - (_SNAPSHOT_NS if is_snapshot else _SETTLED_NS)
            gone = [key for key in self.orders if key not in listed]
            for key in gone:
                if self.orders[key].since_ns < old_ns:
                    self._remove(key)

    def press(self, key: str) -> bool:
        """Note a cancel of an order; True for the first one, which alone can cost anything."""
        found = self.orders.get(key)
        is_first = found is not None and not found.is_pressed
        if found is not None:
            found.is_pressed = True
        return is_first

    def own_id(self, venue_order_id: str) -> str:
        """Return our id of an order that the venue names, "" if it has none."""
        return self._own_ids.get(venue_order_id, "")

    def is_open(self, cancel: Cancel) -> bool:
        """Whether the order of a cancel is open, as far as we know."""
        key = cancel.client_order_id or self.own_id(cancel.venue_order_id)
        return (key or cancel.venue_order_id) in self.orders

    def instrument(self, key: str) -> str:
        """Return an open order's instrument, "" if unknown."""
        found = self.orders.get(key)
        return found.instrument if found is not None else ""

    def since_ns(self, key: str) -> int | None:
        """Return when an open order was made or last amended."""
        found = self.orders.get(key)
        return found.since_ns if found is not None else None

    def on(self, instrument: str) -> dict[str, OpenOrder]:
        """Return an instrument's open orders: always the same dict."""
        found = self._by_instrument.get(instrument)
        if found is None:
            found = self._by_instrument[instrument] = {}
        return found

    def ages(self, instrument: str) -> Iterator[int]:
        """Yield `since_ns` of an instrument's open orders."""
        return (order.since_ns for order in self._by_instrument.get(instrument, {}).values())

    def count(self, instrument: str = "") -> int:
        """Return how many orders are open, on one instrument or on all."""
        return len(self._by_instrument.get(instrument, ()) if instrument else self.orders)

    def _learn(self, client_order_id: str, venue_order_id: str) -> None:
        self._own_ids[venue_order_id] = client_order_id
        if len(self._own_ids) > _REMEMBERED:
            del self._own_ids[next(iter(self._own_ids))]

    def _remove(self, key: str) -> None:
        found = self.orders.pop(key, None)
        if found is not None:
            del self._by_instrument[found.instrument][key]
