"""A ladder of quotes around the mid, leaning against the inventory.

Each side has `levels` rungs, the first `edge_ticks` away from the mid, then every `spacing_ticks`.
Inventory moves both sides against it by `skew_ticks` per full `max_position`, and a side that
would add to a full inventory is left out. Orders stay where they are while the mid has moved by
no more than `refresh_ticks`, so that they keep their place in the queue. Where the price step grows
with the price, a tick is the step at the mid; a rung between two valid prices moves outwards.
"""

from crosswire.domain import Instrument, Quote, Quotes, Targets
from crosswire.fixed import from_user
from crosswire.view import View


class MarketMaking:
    """Quotes one instrument."""

    def __init__(
        self,
        instrument: str,
        quantity: str,
        levels: int = 3,
        edge_ticks: int = 2,
        spacing_ticks: int = 2,
        refresh_ticks: int = 1,
        skew_ticks: int = 4,
        max_position: str = "",
        post_only: bool = True,
    ) -> None:
        if levels < 1 or edge_ticks < 0 or spacing_ticks < 1 or refresh_ticks < 0:
            raise ValueError("levels and spacing_ticks must be at least 1, the others not negative")
        self.instruments = (instrument,)
        self._instrument = instrument
        self._quantity = from_user(quantity, "quantity")
        self._max_position = from_user(max_position, "max_position") if max_position else 0
        if not self._max_position:
            self._max_position = self._quantity * levels * 2
        if self._quantity <= 0 or self._max_position <= 0:
            raise ValueError("quantity and max_position must be positive")
        self._levels = levels
        self._edge_ticks = edge_ticks
        self._spacing_ticks = spacing_ticks
        self._refresh_ticks = refresh_ticks
        self._skew_ticks = skew_ticks
        self._post_only = post_only
        self._basis: tuple[int, int, int] | None = None
        self._quotes: Quotes | None = None

    def on_update(self, view: View) -> Targets:
        book = view.book(self._instrument)
        bid, ask = book.best_bid, book.best_ask
        if not (book.is_valid and bid and ask):
            return None
        position = view.share(self._instrument)
        basis = (bid, ask, position)
        if basis != self._basis:
            self._basis = basis
            self._quotes = self._ladder(view.instrument(self._instrument), bid, ask, position)
        return self._quotes

    def _ladder(self, instrument: Instrument, bid: int, ask: int, position: int) -> Quotes:
        tick = instrument.tick_at((bid + ask) // 2)
        skew = self._skew_ticks * tick * position // self._max_position
        middle = (bid + ask) // 2 - skew
        # A post-only order that would take is canceled by the venue, so stay behind the touch.
        top = min((middle - self._edge_ticks * tick) // tick * tick, ask - tick)
        bottom = max(-(-(middle + self._edge_ticks * tick) // tick) * tick, bid + tick)
        step = self._spacing_ticks * tick
        rungs = range(self._levels)
        room_up = self._max_position - position
        room_down = self._max_position + position
        bids = [top - n * step for n in rungs if top > n * step]
        asks = [bottom + n * step for n in rungs]
        if instrument.price_digits:
            bids, asks = _moved_down(instrument, bids), _moved_up(instrument, asks)
        quantity = self._quantity
        return Quotes(
            self._instrument,
            tuple([Quote(price, quantity) for price in bids]) if room_up >= quantity else (),
            tuple([Quote(price, quantity) for price in asks]) if room_down >= quantity else (),
            threshold=self._refresh_ticks * tick,
            post_only=self._post_only,
        )


def _moved_down(instrument: Instrument, prices: list[int]) -> list[int]:
    """Put bids, best first, on the grid: each strictly below the one before it."""
    found: list[int] = []
    for price in prices:
        highest = min(price, found[-1] - 1) if found else price
        if (valid := instrument.floor_price(highest)) > 0:
            found.append(valid)
    return found


def _moved_up(instrument: Instrument, prices: list[int]) -> list[int]:
    """Put asks, best first, on the grid: each strictly above the one before it."""
    found: list[int] = []
    for price in prices:
        lowest = max(price, found[-1] + 1) if found else price
        found.append(instrument.ceil_price(lowest))
    return found
