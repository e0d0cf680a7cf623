"""What a strategy may see: its account and the books, and nothing to write to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from crosswire.book import Book
from crosswire.domain import Instrument
from crosswire.fixed import from_user
from crosswire.orders import Order, Orders
from crosswire.positions import Position, Positions

__all__ = ["Order", "View"]


class View:
    """Everything of one strategy's account."""

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
        found: Iterable[Order] = self._orders.open_at(self.account, instrument)
        return [order for order in found if order.strategy == self.name]

    def price(self, instrument: str, value: str | Decimal | int, *, up: bool = False) -> int:
        """Return a price on the instrument's grid, rounded down (or up)."""
        return self.round_price(instrument, from_user(value, "price"), up=up)

    def round_price(self, instrument: str, price: int, *, up: bool = False) -> int:
        """Round a scaled price onto the instrument's grid: down for a bid, up for an ask.

        Where digits are limited the step grows with the price; 0 = below the least price.
        """
        rules = self._instruments[instrument]
        return rules.ceil_price(price) if up else rules.floor_price(price)

    def quantity(self, instrument: str, value: str | Decimal | int) -> int:
        """Return a quantity on the instrument's grid, rounded down."""
        step = self._instruments[instrument].quantity_step
        return from_user(value, "quantity") // step * step
