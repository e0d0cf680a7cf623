"""The strategy's side of the engine: what it sees, and what it may want."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable

from msgspec import Struct

from crosswire.book import Book
from crosswire.domain import Filled, Instrument, OrderType, Side, TimeInForce, Trigger
from crosswire.fixed import from_user
from crosswire.orders import Order, Orders
from crosswire.positions import Position, Positions


class Quote(Struct, frozen=True, gc=False):
    """One rung of a ladder: a price and a quantity that should rest."""

    price: int
    quantity: int


class Quotes(Struct, frozen=True):
    """The standing quotes wanted at one instrument, best first on each side; () = none.

    An order is moved only if its price is off by more than `threshold`, or if less than half of
    the quantity is left.
    """

    instrument: str
    bids: tuple[Quote, ...]
    asks: tuple[Quote, ...]
    threshold: int = 0
    post_only: bool = True


class WantedOrder(Struct, frozen=True, kw_only=True):
    """One order to send now."""

    instrument: str
    side: Side
    quantity: int
    price: int | None = None
    order_type: OrderType = "limit"
    time_in_force: TimeInForce = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    trigger: Trigger | None = None


Targets = Quotes | WantedOrder | Sequence[Quotes | WantedOrder] | None


class View:
    """What a strategy may see: everything of its account, nothing to write to."""

    __slots__ = ("_books", "_instruments", "_orders", "_positions", "account", "name", "now_ns")

    def __init__(
        self,
        account: str,
        name: str,
        books: Mapping[str, Book],
        instruments: Mapping[str, Instrument],
        orders: Orders,
        positions: Positions,
    ) -> None:
        self.account = account
        self.name = name
        self.now_ns = 0
        self._books = books
        self._instruments = instruments
        self._orders = orders
        self._positions = positions

    def book(self, instrument: str) -> Book:
        """Return a book; `is_valid` tells whether it may be believed."""
        return self._books[instrument]

    def instrument(self, instrument: str) -> Instrument:
        """Return an instrument's rules."""
        return self._instruments[instrument]

    def position(self, instrument: str) -> Position:
        """Return the account's position."""
        return self._positions.get(self.account, instrument)

    def share(self, instrument: str) -> int:
        """Return the signed quantity that this strategy's own fills add up to."""
        return self._positions.share(self.name, instrument)

    def balance(self, asset: str) -> int:
        """Return the venue's total of an asset."""
        return self._positions.balances.get((self.account, asset), 0)

    def orders(self, instrument: str) -> list[Order]:
        """Return this strategy's open orders at an instrument."""
        found: Iterable[Order] = self._orders.open(self.account, instrument)
        return [order for order in found if order.strategy == self.name]

    def price(self, instrument: str, value: str | Decimal | int, *, up: bool = False) -> int:
        """Return a price on the instrument's grid, rounded down (or up)."""
        tick = self._instruments[instrument].price_tick
        return _on_grid(from_user(value, "price"), tick, up=up)

    def quantity(self, instrument: str, value: str | Decimal | int) -> int:
        """Return a quantity on the instrument's grid, rounded down."""
        return _on_grid(from_user(value, "quantity"), self._instruments[instrument].quantity_step)


def _on_grid(value: int, step: int, *, up: bool = False) -> int:
    return -(-value // step) * step if up else value // step * step


@runtime_checkable
class Strategy(Protocol):
    """The whole of what a strategy must have. `on_fill(view, fill)`, `on_order(view, order)` and
    `on_timer(view)` are called where it has them; they return `Targets` too."""

    @property
    def instruments(self) -> Sequence[str]: ...

    def on_update(self, view: View) -> Targets: ...


class OnFill(Protocol):
    """A strategy that wants to hear of its fills."""

    def on_fill(self, view: View, fill: Filled) -> Targets: ...


class OnOrder(Protocol):
    """A strategy that wants to hear of changes of its orders."""

    def on_order(self, view: View, order: Order) -> Targets: ...


class OnTimer(Protocol):
    """A strategy that wants to be called once a second."""

    def on_timer(self, view: View) -> Targets: ...
