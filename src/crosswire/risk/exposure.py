"""What could be held at worst: position + open + in flight + UNKNOWN + amends' worst case.

Notionals are in an instrument's quote asset at the last mid seen; totals are kept per account
and quote asset, and only instruments whose orders, fills or marks changed are added up again.
"""

from collections.abc import Callable, Mapping

from crosswire.domain import Instrument
from crosswire.fixed import SCALE
from crosswire.orders import Orders
from crosswire.positions import Positions


class Exposure:
    """Worst-case notionals by account and instrument, with their totals."""

    def __init__(
        self,
        orders: Orders,
        positions: Positions,
        instruments: Mapping[str, Instrument],
        mark: Callable[[str], int],
    ) -> None:
        self._orders = orders
        self._positions = positions
        self._instruments = instruments
        self._mark = mark
        self._notionals: dict[tuple[str, str], int] = {}
        self._totals: dict[tuple[str, str], int] = {}
        self._dirty: set[tuple[str, str]] = set()

    def touch(self, account: str, instrument: str) -> None:
        """Note that an order or a position changed."""
        self._dirty.add((account, instrument))

    def worst(self, account: str, instrument: str, *, buy: int = 0, sell: int = 0) -> int:
        """Return the largest quantity that could be held, in magnitude, with more orders added."""
        held = self._positions.quantity(account, instrument)
        buys, sells = self._orders.reserved(account, instrument)
        return max(held + buys + buy, sells + sell - held, abs(held))

    def total(self, account: str, quote: str, *, without: str) -> int:
        """Return the worst notional of an account in one quote asset, without one instrument."""
        self._bring_up_to_date()
        total = self._totals.get((account, quote), 0)
        return total - self._notionals.get((account, without), 0)

    def open_instruments(self, account: str) -> int:
        """Return at how many instruments something is held or could be."""
        self._bring_up_to_date()
        return sum(1 for key, value in self._notionals.items() if value and key[0] == account)

    def _bring_up_to_date(self) -> None:
        for key in self._dirty:
            self._refresh(key)
        self._dirty.clear()

    def _refresh(self, key: tuple[str, str]) -> None:
        account, name = key
        instrument = self._instruments.get(name)
        if instrument is None:
            return
        notional = self.worst(account, name) * self._mark(name) // SCALE
        total = (account, instrument.quote)
        change = notional - self._notionals.get(key, 0)
        self._notionals[key] = notional
        self._totals[total] = self._totals.get(total, 0) + change
