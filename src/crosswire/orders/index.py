"""Every order found by our id, by the venue's, by request, and by where it stands.

`standing` keeps the reservation of each account and instrument added up, so that the gate never
walks over orders.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from crosswire.domain import Approved, OrderReported
from crosswire.orders.order import Order, Request

MAX_ABSENT = 1_000  # orders called absent that are remembered


class Standing:
    """What stands of one account at one instrument: its open orders, and the worst to come.

    There is one object for each, for good, so that the gate may keep hold of it.
    """

    __slots__ = ("buys", "orders", "sells")

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.buys = 0
        self.sells = 0


class Index:
    """All orders and what is added up of them."""

    def __init__(self) -> None:
        self._by_id: dict[str, Order] = {}
        self._by_venue_id: dict[tuple[str, str], Order] = {}
        self._standing: dict[tuple[str, str], Standing] = {}
        self._open_counts: dict[str, int] = {}
        self._by_request: dict[int, tuple[Order, ...]] = {}
        self.externals: dict[tuple[str, str], OrderReported] = {}

    def get(self, client_order_id: str) -> Order | None:
        """Return an order by our id."""
        return self._by_id.get(client_order_id)

    def find(self, account: str, client_order_id: str, venue_order_id: str) -> Order | None:
        """Return an order by whichever id the venue named."""
        order = self._by_id.get(client_order_id) if client_order_id else None
        return order or self._by_venue_id.get((account, venue_order_id))

    def open_at(self, account: str, instrument: str) -> Iterable[Order]:
        """Return the orders that may still fill at one instrument, oldest first."""
        found = self._standing.get((account, instrument))
        return found.orders.values() if found is not None else ()

    def standing(self, account: str, instrument: str) -> Standing:
        """Return what stands of an account at an instrument; the object stays the same."""
        found = self._standing.get((account, instrument))
        if found is None:
            found = self._standing[(account, instrument)] = Standing()
        return found

    def all_open(self, account: str = "") -> Iterator[Order]:
        """Yield every order that may still fill, of one account or of all."""
        for (owner, _), standing in self._standing.items():
            if not account or owner == account:
                yield from standing.orders.values()

    def instruments(self, account: str) -> list[str]:
        """Return every instrument at which an account ever had an order."""
        return [instrument for owner, instrument in self._standing if owner == account]

    def open_count(self, account: str) -> int:
        """Return how many orders of an account may still fill."""
        return self._open_counts.get(account, 0)

    @property
    def unanswered(self) -> Mapping[int, Sequence[Order]]:
        """A live view of the requests about orders that are not settled, doubtful ones included."""
        return self._by_request

    def in_flight(self, account: str) -> int:
        """Return how many requests of an account await an answer and are not given up."""
        return sum(
            orders[0].account == account
            and any(not order.requests[number].is_doubtful for order in orders)
            for number, orders in self._by_request.items()
        )

    def reserved(self, account: str, instrument: str) -> tuple[int, int]:
        """Return the worst quantity still to come: (buys, sells)."""
        standing = self.standing(account, instrument)
        return standing.buys, standing.sells

    def doubts(self, account: str = "") -> int:
        """Return how many outcomes are in doubt, of one account or of all."""
        return sum(order.doubts for order in self.all_open(account))

    def __iter__(self) -> Iterator[Order]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    # --- keeping ------------------------------------------------------------------------------

    def _enter(self, order: Order, approved: Approved) -> None:
        """Take up a new order: the hot path, so its bookkeeping is written out."""
        number = approved.request_id
        order.changed_ns = order.stamps.approved = approved.approved_ns
        order.requests[number] = Request(number, "place", approved.approved_ns)
        others = self._by_request.get(number)
        self._by_request[number] = (*others, order) if others else (order,)
        self._by_id[order.client_order_id] = order
        standing = self.standing(order.account, order.instrument)
        standing.orders[order.client_order_id] = order
        order.reserved = order.quantity
        if order.side == "buy":
            standing.buys += order.quantity
        else:
            standing.sells += order.quantity
        self._open_counts[order.account] = self._open_counts.get(order.account, 0) + 1

    def _drop(self, order: Order, request: Request) -> None:
        order.requests.pop(request.request_id, None)
        rest = tuple(o for o in self._by_request.get(request.request_id, ()) if o is not order)
        if rest:
            self._by_request[request.request_id] = rest
        else:
            self._by_request.pop(request.request_id, None)

    def _drop_all(self, order: Order) -> None:
        for request in list(order.requests.values()):
            self._drop(order, request)

    def _settle(self, order: Order) -> None:
        """Bring the indexes and the reservation up to date with an order's fields."""
        standing = self.standing(order.account, order.instrument)
        worst = order.worst_remaining()
        if worst != order.reserved:
            if order.side == "buy":
                standing.buys += worst - order.reserved
            else:
                standing.sells += worst - order.reserved
            order.reserved = worst
        belongs = worst > 0 or order.is_open
        if belongs != (order.client_order_id in standing.orders):
            step = 1 if belongs else -1
            self._open_counts[order.account] = self._open_counts.get(order.account, 0) + step
            if belongs:
                standing.orders[order.client_order_id] = order
            else:
                del standing.orders[order.client_order_id]

    def forget(self, before_ns: int) -> int:
        """Drop ended orders unchanged since `before_ns`; the journal keeps them. Returns how many.

        An order whose fills are still missing stays. So do the last ones called absent: should one
        of them turn up after all, it must be known for what it is.
        """
        old = [
            order
            for order in self._by_id.values()
            if order.stage == "DONE" and not order.reserved and order.changed_ns < before_ns
        ]
        absent = [order for order in old if order.end == "absent"]
        kept = {id(order) for order in absent[-MAX_ABSENT:]}
        gone = [order for order in old if id(order) not in kept]
        for order in gone:
            del self._by_id[order.client_order_id]
            self._by_venue_id.pop((order.account, order.venue_order_id), None)
        return len(gone)
