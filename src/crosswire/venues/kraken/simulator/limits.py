"""The trading counter: per account and pair, shared by both transports."""

from crosswire.venues.kraken.simulator.text import SECOND

THRESHOLD = {"starter": 60, "intermediate": 125, "pro": 180}
DECAY = {"starter": 1.0, "intermediate": 2.34, "pro": 3.75}
OPEN_ORDERS = {"starter": 60, "intermediate": 80, "pro": 225}
EXCEEDED = "EOrder:Rate limit exceeded"

# Age limits in seconds and what an action on an order younger than that adds.
AMEND_AGES = ((5, 3), (10, 2), (15, 1))
EDIT_AGES = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
CANCEL_AGES = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))


def penalty(ages: tuple[tuple[int, int], ...], age_ns: int) -> int:
    """Return what acting on an order of this age adds."""
    for limit, cost in ages:
        if age_ns < limit * SECOND:
            return cost
    return 0


class TradingCounter:
    """One account's counters, one per pair, each decaying on its own."""

    def __init__(self, tier: str) -> None:
        self.threshold = THRESHOLD[tier]
        self._decay = DECAY[tier]
        self._values: dict[str, tuple[float, int]] = {}

    def value(self, symbol: str, now_ns: int) -> float:
        value, at_ns = self._values.get(symbol, (0.0, now_ns))
        return max(0.0, value - (now_ns - at_ns) / SECOND * self._decay)

    def spend(self, symbol: str, cost: float, now_ns: int) -> bool:
        """Count an action; False, and nothing counted, if it would pass the threshold."""
        value = self.value(symbol, now_ns)
        if value + cost > self.threshold:
            return False
        self._values[symbol] = (value + cost, now_ns)
        return True

    def add(self, symbol: str, cost: float, now_ns: int) -> None:
        """Count an action that is let pass even over the threshold (a batch cancel)."""
        self._values[symbol] = (self.value(symbol, now_ns) + cost, now_ns)
