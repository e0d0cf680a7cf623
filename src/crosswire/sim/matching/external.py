"""External levels: liquidity of a real or recorded book, against which our orders match.

The rules, chosen so that a simulated fill is one that reality could have given:

* Our marketable orders take external quantity; what is taken stays taken until the recorded
  level shrinks below it (see `half`).
* A resting order joins behind the whole external quantity at its price. Growth stands behind it.
* A reduction at the best recorded price counts as traded, from the front of the queue: ours move
  up. A reduction deeper in the book counts as cancelled, from the back first: ours move up only
  when less is left than stood ahead of them. No reduction by itself fills anybody.
* An external level that appears at or through our price takes us, at our price: the incoming
  order that made it would have met us first. What it has left stands as recorded.
* A trade print takes orders at better prices than its own first; at its own price it passes
  what stands ahead of us. A reduction seen less than a second before is taken to be that same
  trade, so that a book update and its print do not move us twice.
"""

from collections.abc import Iterable, Sequence

from crosswire.domain import Level, Side
from crosswire.sim.matching.floor import Floor
from crosswire.sim.matching.half import Half, PriceLevel

CREDIT_NS = 1_000_000_000  # how long a print may trail the book update that shows it


class ExternalBook:
    """Applies what the outside world does to a floor."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def reset(self, bids: Sequence[Level], asks: Sequence[Level], now_ns: int) -> None:
        """The whole external book: levels not named are gone."""
        for half, levels in ((self._floor.bids, bids), (self._floor.asks, asks)):
            named = {price * half.sign for price, _ in levels}
            gone = [
                level for key, level in half.levels.items() if level.recorded and key not in named
            ]
            for level in gone:
                self._record(half, level, 0)
            for price, quantity in levels:
                self._record(half, half.at(price), quantity)
        self._cross(bids, asks)

    def change(self, bids: Sequence[Level], asks: Sequence[Level], now_ns: int) -> None:
        """Absolute quantities of some levels, applied in sequence."""
        for half, levels in ((self._floor.bids, bids), (self._floor.asks, asks)):
            for price, quantity in levels:
                level = half.at(price)
                if quantity < level.recorded and level.queue:
                    self._reduce(half, level, level.recorded - quantity, now_ns)
                self._record(half, level, quantity)
        self._cross(bids, asks)

    def heal(self) -> None:
        """What our orders took is there again: where nobody's taking is remembered for long.

        The new quantity stands behind our resting orders, and takes those that it reaches.
        """
        healed: tuple[list[Level], list[Level]] = ([], [])
        for half, levels in zip((self._floor.bids, self._floor.asks), healed, strict=True):
            for level in half.levels.values():
                if level.consumed:
                    level.consumed = 0
                    levels.append((level.price, level.recorded))
            for price, _ in levels:
                half.settle(half.at(price))
        self._cross(*healed)

    def forget(self, side: Side, prices: Iterable[int]) -> None:
        """Levels went out of the recording's range: no longer shown, but not known to be gone.

        So our orders there keep what stood ahead of them.
        """
        half = self._floor.half(side)
        for price in prices:
            level = half.at(price)
            level.recorded = level.consumed = 0
            half.settle(level)

    def trade(self, side: Side, price: int, quantity: int, now_ns: int) -> None:
        """A public trade; `side` is the taker's."""
        half = self._floor.opposite(side)
        limit_key = price * half.sign
        left = quantity
        for key in half.keys_with_orders(limit_key):
            level = half.levels[key]
            if key == limit_key:
                self._print(half, level, left, now_ns)
            else:
                left -= self._hit_all(half, level, left)
            half.settle(level)
        self._floor.set_last(price)

    def _record(self, half: Half, level: PriceLevel, quantity: int) -> None:
        level.recorded = quantity
        level.consumed = min(level.consumed, quantity)
        if level.queue:
            level.cap()
        half.settle(level)

    def _reduce(self, half: Half, level: PriceLevel, quantity: int, now_ns: int) -> None:
        """Give a reduction at the best recorded price to the front of the queue."""
        best = next((k for k in reversed(half.keys) if half.levels[k].recorded), level.key)
        if best == level.key:
            level.advance(quantity)
        if now_ns - level.credit_ns > CREDIT_NS:
            level.credit = 0
        level.credit += quantity
        level.credit_ns = now_ns

    def _print(self, half: Half, level: PriceLevel, quantity: int, now_ns: int) -> None:
        """A trade at our own price: first who stands ahead, then us, then who stands behind."""
        if now_ns - level.credit_ns <= CREDIT_NS:
            explained = min(level.credit, quantity)
            level.credit -= explained
            quantity -= explained
        while quantity and level.queue:
            front = next(iter(level.queue.values()))
            passed = min(front.ahead, level.external, quantity)
            if passed:
                level.recorded -= passed
                level.advance(passed)
                quantity -= passed
            else:
                quantity -= self._floor.hit(front, half, level, quantity)
        level.recorded -= min(level.external, quantity)

    def _hit_all(self, half: Half, level: PriceLevel, quantity: int) -> int:
        """Fill the queue of a level from its front; returns how much."""
        left = quantity
        while left and level.queue:
            front = next(iter(level.queue.values()))
            left -= self._floor.hit(front, half, level, left)
        return quantity - left

    def _cross(self, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """External levels that reach our orders on the other side take them."""
        floor = self._floor
        for half, levels in ((floor.bids, bids), (floor.asks, asks)):
            opposite = floor.opposite(half.side)
            if not opposite.resting:
                continue
            for price, _ in levels:
                taking = half.levels.get(price * half.sign)
                if taking is not None and taking.external > 0:
                    self._take(half, taking, opposite)

    def _take(self, half: Half, taking: PriceLevel, opposite: Half) -> None:
        for key in opposite.keys_with_orders(taking.price * opposite.sign):
            level = opposite.levels[key]
            taking.consume(self._hit_all(opposite, level, taking.external))
            opposite.settle(level)
            half.settle(taking)
            if not taking.external:
                return
