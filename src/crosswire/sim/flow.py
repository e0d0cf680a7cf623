"""Life for a simulated market: makers around a wandering price, takers, bursts.

A flow looks at nothing: what it sends depends on its seed and on the time alone, never on the
book, on who else trades, or on how often it is stepped. Flows of several venues with one seed
and one `latent` share the price they quote around, even in processes of their own.

Time is cut into cells of a quarter of a second. In each cell, per instrument, the makers move
their ladder to where the price is now, and a Poisson number of takers arrives: mostly small ones,
now and then one that sweeps; in a burst they come often and all from one side. A taker's limit
is a few ticks beyond the price, so that an order far away is not hit by accident.
"""

import math
from collections import deque
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from crosswire.domain import Side, TimeInForce
from crosswire.fixed import SCALE
from crosswire.sim.chance import Draws, Drift, mix, word

OWNER = "flow"
CELL_NS = 250_000_000
OCTAVES = 17  # up to 4.5 hours: beyond that the price comes back
MAX_CATCH_UP_NS = 600_000_000_000  # a longer sleep is skipped, not lived through
BURST_CELLS = 8
BURST_ODDS = 15  # one burst in so many stretches of BURST_CELLS: about every 30 s
MAX_ARRIVALS = 24  # of takers in one cell
REACH_TICKS = 20  # how far beyond the price a sweep goes
MAX_TAKEN = 10_000
QUOTE_NOTIONAL = 2_000 * SCALE  # a typical quote, where the instrument does not say


class FlowInstrument(Struct, frozen=True):
    """How one instrument is brought to life. Prices and quantities at 10^-10."""

    name: str
    start_price: int  # the price wanders about it
    tick: int
    step: int
    quantity: int = 0  # of a typical quote; 0 = what costs about 2,000
    volatility: int = 50_000  # relative, at 10^-10, per square root of a second
    spread_ticks: int = 3  # between the makers' best prices, or one more
    levels: int = 14  # a side
    latent: str = ""  # whose price it follows; "" = its own name's
    min_price: int = 0  # 0 = one tick
    max_price: int = 0  # 0 = none
    has_makers: bool = True  # False: a recorded book makes the market, takers come at any price


class FlowOrder(Struct, frozen=True, gc=False):
    """An order of the flow; `price` None = at the market."""

    instrument: str
    at_ns: int
    id: str
    side: Side
    price: int | None
    quantity: int
    time_in_force: TimeInForce
    step: int = 1  # what quantities are whole multiples of


class FlowCancel(Struct, frozen=True, gc=False):
    """A cancel of an order of the flow, which may be gone already: then it means nothing."""

    instrument: str
    at_ns: int
    id: str


FlowAction = FlowOrder | FlowCancel


class Flow:
    """The order flow of one venue."""

    def __init__(
        self,
        seed: int,
        instruments: Sequence[FlowInstrument],
        *,
        venue: str = "",
        takers_per_second: float = 6.0,
        efficient: bool = True,
        divergence: int = 3_000_000,
    ) -> None:
        """`venue` sets it apart from other venues' flows of the same seed.

        If not `efficient`, the venue's price strays from the latent one by about `divergence`
        (relative, at 10^-10), so that venues cross each other at times.
        """
        strays = 0 if efficient else divergence
        self._markets = [_Market(seed, one, venue, strays) for one in instruments]
        self._cdf = _poisson_cdf(takers_per_second * CELL_NS / 1e9)
        self._burst_cdf = _poisson_cdf(takers_per_second * 4 * CELL_NS / 1e9)
        self._orders = 0
        self._pending: deque[FlowAction] = deque()
        self._due_ns = 0

    def step(self, now_ns: int) -> list[FlowAction]:
        """Return what the flow does until now, in order of time."""
        if now_ns < self._due_ns:
            return []
        for market in self._markets:
            market.start(now_ns)
        done: list[FlowAction] = []
        while (due_ns := self._next_cell_ns()) is not None and due_ns <= now_ns:
            made: list[FlowAction] = []
            for market in self._markets:
                while market.next_ns <= due_ns:
                    made += self._live(market)
            # Cells of instruments overlap: what is left of one may come after what is new.
            merged = sorted([*self._pending, *made], key=lambda action: action.at_ns)
            self._pending = deque(merged)
            done += self._until(min(now_ns, self._next_cell_ns() or now_ns))
        done += self._until(now_ns)
        due_ns = self._next_cell_ns() or 0
        self._due_ns = min(due_ns, self._pending[0].at_ns) if self._pending else due_ns
        return done

    def _until(self, time_ns: int) -> list[FlowAction]:
        pending, done = self._pending, []
        while pending and pending[0].at_ns <= time_ns:
            done.append(pending.popleft())
        return done

    def next_due_ns(self) -> int:
        """When `step` has something to do next; 0 before the first step."""
        return self._due_ns

    def price(self, name: str, now_ns: int) -> int:
        """Return the price the makers quote around, on no tick."""
        return next(one for one in self._markets if one.it.name == name).price(now_ns)

    def retick(self, name: str, tick: int) -> None:
        """Quote an instrument on another grid, from its next cell on."""
        for market in self._markets:
            if market.it.name == name:
                market.it = replace(market.it, tick=tick)

    def _next_cell_ns(self) -> int | None:
        return min((market.next_ns for market in self._markets), default=None)

    def _live(self, market: "_Market") -> list[FlowAction]:
        """One cell of one instrument."""
        at_ns = market.next_ns
        market.next_ns += CELL_NS
        cell = at_ns // CELL_NS
        made = self._quote(market, cell, at_ns) if market.it.has_makers else []
        return made + self._take(market, cell, at_ns)

    def _quote(self, market: "_Market", cell: int, at_ns: int) -> list[FlowAction]:
        """Move the ladder: cancels first, so that it never meets itself."""
        name = market.it.name
        draws = Draws(market.place, 1, cell)
        cancels: list[FlowAction] = []
        orders: list[FlowAction] = []
        sides: tuple[Side, Side] = ("buy", "sell")
        for side, wanted in zip(sides, market.ladder(cell, at_ns), strict=True):
            standing = market.standing[side]
            # Two of the rungs, mostly near the top, are renewed: takers may have eaten them.
            renewed = {min(draws.below(len(wanted)), draws.below(len(wanted))) for _ in range(2)}
            fresh = {wanted[rung] for rung in renewed}
            kept = set(wanted) - fresh
            gone = [price for price in standing if price not in kept]
            cancels.extend(FlowCancel(name, at_ns, standing.pop(price)) for price in gone)
            for rung, price in enumerate(wanted):
                if price not in standing:
                    standing[price] = self._new_id()
                    percent = (40 + draws.below(121)) * (4 + rung) // 4
                    quantity = market.lots(percent)
                    orders.append(
                        FlowOrder(name, at_ns, standing[price], side, price, quantity, "gtc")
                    )
        return cancels + orders

    def _take(self, market: "_Market", cell: int, at_ns: int) -> list[FlowAction]:
        """The takers of one cell."""
        stretch = Draws(market.place, 2, cell // BURST_CELLS)
        is_burst = stretch.below(BURST_ODDS) == 0
        burst_side = stretch.below(2)
        draws = Draws(market.place, 3, cell)
        arrivals = _arrivals(self._burst_cdf if is_burst else self._cdf, draws.fraction())
        made: list[FlowAction] = []
        for _ in range(arrivals):
            side: Side = "buy" if (burst_side if is_burst else draws.below(2)) else "sell"
            percent, reach = _appetite(draws)
            when_ns = at_ns + draws.below(CELL_NS)
            price = market.limit(side, when_ns, reach) if market.it.has_makers else None
            lots = market.lots(percent)
            made.append(
                FlowOrder(
                    market.it.name,
                    when_ns,
                    self._new_id(),
                    side,
                    price,
                    lots,
                    "ioc",
                    market.it.step,
                )
            )
        return sorted(made, key=lambda action: action.at_ns)

    def _new_id(self) -> str:
        self._orders += 1
        return f"flow{self._orders}"


class _Market:
    """One instrument's makers: the price they see and the ladder they keep."""

    def __init__(self, seed: int, it: FlowInstrument, venue: str, divergence: int) -> None:
        self.it = it
        self.place = mix(seed, word(venue), word(it.name))
        self.standing: dict[Side, dict[int, str]] = {"buy": {}, "sell": {}}
        self.next_ns = 0
        self.has_started = False
        self._taken: dict[int, bool] = {}  # whether a tick is one: asked for over and over
        latent = it.latent or it.name
        # One latent, one rhythm: all venues that follow it move their quotes at once.
        self._phase_ns = mix(seed, word(latent)) % CELL_NS
        self._drift = Drift(seed, latent, it.volatility, first_ns=CELL_NS, count=OCTAVES)
        self._strays = Drift(self.place, "strays", divergence, first_ns=4 * CELL_NS, count=3)
        self._quantity = it.quantity or max(it.step, QUOTE_NOTIONAL * SCALE // it.start_price)

    def start(self, now_ns: int) -> None:
        """Begin with the cell that holds `now_ns`, or jump to it after a long sleep."""
        if not self.has_started or now_ns - self.next_ns > MAX_CATCH_UP_NS:
            self.has_started = True
            self.next_ns = now_ns - (now_ns - self._phase_ns) % CELL_NS

    def price(self, at_ns: int) -> int:
        moved = self._drift.at(at_ns) + self._strays.at(at_ns)
        price = self.it.start_price + self.it.start_price * moved // SCALE
        high = self.it.max_price or price
        return min(max(price, self.it.min_price or self.it.tick), high)

    def ladder(self, cell: int, at_ns: int) -> tuple[list[int], list[int]]:
        """The prices of bids and asks, best first. Rounded outward: never through the price."""
        it = self.it
        price = self.price(at_ns)
        # The spread changes every few seconds.
        spread = (it.spread_ticks + Draws(self.place, 4, cell // 16).below(2)) * it.tick
        bid = (price - spread // 2) // it.tick
        ask = -(-(price + spread // 2) // it.tick)
        return self._rungs(bid, -1), self._rungs(ask, 1)

    def _rungs(self, best: int, away: int) -> list[int]:
        """Ticks are taken or skipped for good, so that a moving ladder keeps most rungs."""
        low = -(-(self.it.min_price or self.it.tick) // self.it.tick)
        high = self.it.max_price // self.it.tick if self.it.max_price else best + (1 << 40)
        if len(self._taken) > MAX_TAKEN:
            self._taken.clear()
        taken = self._taken
        rungs = [min(max(best, low), high)]
        rung = rungs[0] + away
        while len(rungs) < self.it.levels and low <= rung <= high:
            is_taken = taken.get(rung)
            if is_taken is None:
                is_taken = taken[rung] = mix(self.place, 5, rung) % 3 > 0
            if is_taken:
                rungs.append(rung)
            rung += away
        return [rung * self.it.tick for rung in rungs]

    def lots(self, percent: int) -> int:
        """So much of a typical quantity, in whole steps, at least one."""
        quantity = self._quantity * percent // 100
        return max(quantity - quantity % self.it.step, self.it.step)

    def limit(self, side: Side, at_ns: int, reach: int) -> int:
        """A taker's limit: `reach` ticks beyond the makers' best."""
        it = self.it
        ticks = self.price(at_ns) // it.tick
        beyond = it.spread_ticks // 2 + 1 + reach
        limit = (ticks + beyond if side == "buy" else ticks - beyond) * it.tick
        return min(max(limit, it.min_price or it.tick), it.max_price or limit)


def _appetite(draws: Draws) -> tuple[int, int]:
    """What a taker wants: per cent of a typical quote, and how many ticks it goes for it."""
    kind = draws.below(100)
    if kind < 65:
        return draws.between(10, 100), draws.between(0, 5)
    if kind < 88:
        return draws.between(100, 500), draws.between(2, 10)
    return draws.between(1_000, 4_000), draws.between(5, REACH_TICKS)


def _poisson_cdf(mean: float) -> tuple[float, ...]:
    """The chance of at most 0, 1, 2 ... arrivals."""
    chance = total = math.exp(-mean)
    cdf = [total]
    for count in range(1, MAX_ARRIVALS):
        chance *= mean / count
        total += chance
        cdf.append(total)
    return tuple(cdf)


def _arrivals(cdf: tuple[float, ...], fraction: float) -> int:
    return sum(fraction >= bound for bound in cdf)
