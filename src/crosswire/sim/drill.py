"""A strategy for campaigns: many orders and fills in little time, at little cost.

A ladder a rung or two deep that is drawn anew every so often, and takers that cross the spread
towards an inventory that swings from one side to the other, up against the limits: there a
reservation that ends too early shows. It earns nothing; it asks what can be asked.
"""

from crosswire.domain import Quote, Quotes, Targets, WantedOrder
from crosswire.fixed import from_user
from crosswire.view import View

MS = 1_000_000
FAR_TICKS = 400  # between rungs: the second one outlives what the market does in a minute
NEAR_TICKS = 250  # behind the touch: one at it is refused as a taker when the price moves
REACH_TICKS = 20
FAR_OFF = 30  # a price of one in so many is out of any band
SWING = (0, 1, 0, -1)  # what is held at most, leg after leg
LEG_TURNS = 14


class Drill:
    """Quotes and takes at one instrument."""

    def __init__(
        self,
        instrument: str,
        quantity: str = "0.001",
        levels: int = 2,
        every_ms: int = 180,
        redraw_every: int = 24,
        swing: int = 9,
        takers: int = 1,
        near_ticks: int = NEAR_TICKS,
        far_every: int = 0,
        miss_every: int = 0,
        tenths: int = 10,
    ) -> None:
        """`swing`: how many orders' worth it holds at most; `takers`: how many it sends at once.

        `near_ticks`: how far behind the touch it quotes; `far_every`: how often it sends a pair
        that the venue refuses by its price, 0 = never; `miss_every`: how often a taker does not
        cross the spread, 0 = two times out of three; `tenths` of the quantity are ordered.
        """
        self.instruments = (instrument,)
        self._instrument = instrument
        self._quantity = from_user(quantity, "quantity") * tenths // 10
        self._near_ticks = near_ticks
        self._far_every = far_every
        self._miss_every = miss_every
        self._most = swing * self._quantity
        self._takers = takers
        self._levels = levels
        self._every_ns = every_ms * MS
        self._redraw_every = redraw_every
        self._due_ns = 0
        self._turns = 0

    def on_update(self, view: View) -> Targets:
        """Take when it is time; now and then draw the ladder anew instead."""
        book = view.book(self._instrument)
        bid, ask = book.best_bid, book.best_ask
        if not (book.is_valid and bid and ask) or view.now_ns < self._due_ns:
            return None
        self._due_ns = view.now_ns + self._every_ns
        self._turns += 1
        held = view.share(self._instrument)
        if self._turns % self._redraw_every == 1:
            return self._ladder(view, bid, ask, held)
        if self._far_every and self._turns % self._far_every == 0:
            return [self._far(view, bid) for _ in range(2)]
        return [self._taker(view, bid, ask, held) for _ in range(self._takers)]

    def _taker(self, view: View, bid: int, ask: int, held: int) -> WantedOrder:
        """One that crosses the spread and fills, or one that does not and ends at once."""
        reach = REACH_TICKS * view.instrument(self._instrument).tick_at(ask)
        aim = SWING[self._turns // LEG_TURNS % len(SWING)] * self._most
        is_buy = held < aim or (held == aim and self._turns % 4 < 2)
        every = self._miss_every
        if self._turns % every == 0 if every else self._turns % 3:
            price = bid - reach if is_buy else ask + reach
        else:
            price = ask + reach if is_buy else bid - reach
        return WantedOrder(
            instrument=self._instrument,
            side="buy" if is_buy else "sell",
            quantity=self._quantity,
            price=view.round_price(self._instrument, price, up=not is_buy),
            time_in_force="ioc",
        )

    def _far(self, view: View, bid: int) -> WantedOrder:
        """One so far from the market that the venue does not look at it any further."""
        return WantedOrder(
            instrument=self._instrument,
            side="buy",
            quantity=self._quantity,
            price=view.round_price(self._instrument, bid // FAR_OFF),
            time_in_force="ioc",
        )

    def _ladder(self, view: View, bid: int, ask: int, held: int) -> Quotes:
        """A rung near the touch and one far off; now and then one side is left out, to cancel."""
        rules = view.instrument(self._instrument)
        tick = rules.tick_at(ask)
        draw = self._turns // self._redraw_every
        near = self._near_ticks + draw % 3
        shifts = [(i * FAR_TICKS + near) * tick for i in range(self._levels)]
        below = (rules.floor_price(bid - shift) for shift in shifts if bid > shift)
        above = (rules.ceil_price(ask + shift) for shift in shifts)
        bids = tuple(Quote(price, self._quantity) for price in below)
        asks = tuple(Quote(price, self._quantity) for price in above)
        if held > self._most or draw % 6 == 1:
            bids = ()
        if held < -self._most or draw % 6 == 4:
            asks = ()
        return Quotes(self._instrument, bids, asks, threshold=tick)


class Rush(Drill):
    """The same in a hurry: so many orders that look-ups take pages."""

    def __init__(self, instrument: str, quantity: str = "0.001") -> None:
        super().__init__(instrument, quantity, every_ms=150, takers=6, redraw_every=60, tenths=5)


class Nigh(Drill):
    """Quotes so near that some of a ladder is refused as a taker and some of it rests."""

    def __init__(self, instrument: str, quantity: str = "0.001") -> None:
        super().__init__(instrument, quantity, near_ticks=-4, redraw_every=6)


class Hoarder(Drill):
    """Buys and buys: only the limit stops it, and only if everything bought is counted."""

    def __init__(self, instrument: str, quantity: str = "0.001") -> None:
        super().__init__(instrument, quantity, every_ms=400, tenths=30)

    def _taker(self, view: View, bid: int, ask: int, held: int) -> WantedOrder:
        reach = REACH_TICKS * view.instrument(self._instrument).tick_at(ask)
        return WantedOrder(
            instrument=self._instrument,
            side="buy",
            quantity=self._quantity,
            price=view.round_price(self._instrument, ask + reach),
            time_in_force="ioc",
        )
