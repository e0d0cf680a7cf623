"""Books as the venue shows them: whole, in levels, coarser where asked."""

from collections.abc import Sequence

from crosswire.domain import Level, Side
from crosswire.fixed import SCALE
from crosswire.sim.matching import MatchingEngine
from crosswire.venues.hyperliquid.simulator.rows import Row
from crosswire.venues.hyperliquid.simulator.text import shown

LEVELS, FAST_LEVELS = 20, 5
DEEP = 500  # how far a coarser book looks


def level_row(engine: MatchingEngine, side: Side, level: Level) -> Row:
    """A level; how many orders it is made of, external quantity being one."""
    price, quantity = level
    queue = engine.queue(side, price)
    count = len(queue) + (sum(order.shown for order in queue) < quantity)
    return {"px": shown(price), "sz": shown(quantity), "n": count}


def best(engine: MatchingEngine) -> list[Row | None]:
    """The best bid and ask, null where there is none."""
    found: list[Row | None] = []
    sides: tuple[Side, Side] = ("buy", "sell")
    for side in sides:
        top = engine.top(side, 1)
        found.append(level_row(engine, side, top[0]) if top else None)
    return found


def levels(
    engine: MatchingEngine, count: int, figures: int | None = None, mantissa: int | None = None
) -> list[list[Row]]:
    """Bids and asks, best first; `figures`: the significant digits that prices keep."""
    sides: tuple[Side, Side] = ("buy", "sell")
    if figures is None:
        return [
            [level_row(engine, side, level) for level in engine.top(side, count)] for side in sides
        ]
    return [_coarser(engine.top(side, DEEP), side, count, figures, mantissa or 1) for side in sides]


def _coarser(
    found: Sequence[Level], side: Side, count: int, figures: int, mantissa: int
) -> list[Row]:
    """Add up levels: bids are rounded down, asks up."""
    totals: dict[int, list[int]] = {}
    for price, quantity in found:
        step = min(10 ** max(len(str(price)) - figures, 0) * mantissa, SCALE * 10**9)
        rounded = price // step * step if side == "buy" else -(-price // step) * step
        total = totals.setdefault(rounded, [0, 0])
        total[0] += quantity
        total[1] += 1
    return [
        {"px": shown(price), "sz": shown(total), "n": number}
        for price, (total, number) in list(totals.items())[:count]
    ]
