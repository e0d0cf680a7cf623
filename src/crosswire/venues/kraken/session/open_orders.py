"""What is open on the account as far as a session must know: ages for costs, ids for joins.

This is no second order table. It is fed from the events the session hands out, and nothing
but pacing and the translation of ids reads it.
"""

from collections.abc import Iterator

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
        self._venue_ids: dict[str, str] = {}

    def sent(self, client_order_id: str, instrument: str, now_ns: int) -> None:
        """An order left us: from now on it may be open."""
        self._add(client_order_id, instrument, now_ns)

    def seen(self, client_order_id: str, venue_order_id: str, instrument: str, at_ns: int) -> None:
        """The venue shows an order; `instrument` may be ""."""
        if client_order_id and venue_order_id:
            self._own_ids[venue_order_id] = client_order_id
            self._venue_ids[client_order_id] = venue_order_id
            if len(self._own_ids) > _REMEMBERED:
                del self._own_ids[next(iter(self._own_ids))]
        key = self._key(client_order_id, venue_order_id)
        if instrument and key not in self._orders:
            self._add(key, instrument, at_ns)

    def amended(self, client_order_id: str, venue_order_id: str, now_ns: int) -> None:
        """An amend makes an order young again."""
        found = self._orders.get(self._key(client_order_id, venue_order_id))
        if found is not None:
            found.since_ns = now_ns

    def closed(self, client_order_id: str, venue_order_id: str) -> None:
        """An order is over, or was refused."""
        key = self._key(client_order_id, venue_order_id)
        self._venue_ids.pop(key, None)
        found = self._orders.pop(key, None)
        if found is not None:
            del self._by_instrument[found.instrument][key]

    def own_id(self, venue_order_id: str) -> str:
        """Return our id of an order that the venue names, "" if it has none."""
        return self._own_ids.get(venue_order_id, "")

    def venue_id(self, client_order_id: str) -> str:
        """Return the venue's id of an open order, "" if it has not been told."""
        return self._venue_ids.get(client_order_id, "")

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

    def _key(self, client_order_id: str, venue_order_id: str) -> str:
        return client_order_id or self._own_ids.get(venue_order_id) or venue_order_id

    def _add(self, key: str, instrument: str, since_ns: int) -> None:
        order = self._orders[key] = _Open(key, instrument, since_ns)
        self._by_instrument.setdefault(instrument, {})[key] = order
