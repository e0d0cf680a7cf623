"""One side of the book: price levels with a queue of orders and, beside it, external quantity.

Levels are keyed so that the best is always the largest key: `key = price * sign`, where sign is
1 for bids and -1 for asks. `keys` lists the visible levels in ascending order, best last.

The external quantity of a level is what a real or recorded book shows there (`recorded`) minus
what our orders took from it (`consumed`). What was taken stays taken until the recorded level
shrinks below it: a recording cannot know of us, so its next update must not refill it.
"""

from bisect import bisect_left, insort

from crosswire.domain import Level, Side
from crosswire.sim.matching.outcomes import Order

ANY_PRICE = -(1 << 200)  # a limit key below every level's: a market order's


class PriceLevel:
    """What stands at one price. `own` is the shown part of the queue."""

    __slots__ = (
        "consumed",
        "credit",
        "credit_ns",
        "is_listed",
        "key",
        "own",
        "price",
        "queue",
        "recorded",
    )

    def __init__(self, price: int, key: int) -> None:
        self.price = price
        self.key = key
        self.queue: dict[str, Order] = {}  # in queue order
        self.own = 0
        self.recorded = 0
        self.consumed = 0
        self.credit = 0  # recorded reductions that a trade print may still explain
        self.credit_ns = 0
        self.is_listed = False

    @property
    def external(self) -> int:
        return self.recorded - self.consumed

    @property
    def visible(self) -> int:
        return self.own + self.recorded - self.consumed

    def consume(self, quantity: int) -> None:
        """An order took `quantity` of the external part, from its front."""
        self.consumed += quantity
        self.advance(quantity)

    def advance(self, quantity: int) -> None:
        """The external queue lost `quantity` at its front: ours move up."""
        for order in self.queue.values():
            order.ahead = max(0, order.ahead - quantity)

    def cap(self) -> None:
        """No order can have more ahead of it than there is."""
        external = self.recorded - self.consumed
        for order in self.queue.values():
            order.ahead = min(order.ahead, external)


class Half:
    """All levels of one side."""

    __slots__ = ("keys", "levels", "resting", "side", "sign", "watchers")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sign = 1 if side == "buy" else -1
        self.levels: dict[int, PriceLevel] = {}
        self.keys: list[int] = []
        self.resting = 0  # orders in the queues
        self.watchers: list[set[int]] = []  # keys touched since each view last looked

    def at(self, price: int) -> PriceLevel:
        """The level of a price, made if it is not there."""
        key = price * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = PriceLevel(price, key)
        return level

    def best(self) -> PriceLevel | None:
        return self.levels[self.keys[-1]] if self.keys else None

    def stand(self, order: Order, price: int) -> None:
        """Put an order at the end of the queue of its price."""
        level = self.at(price)
        left = order.quantity - order.filled
        order.shown = min(order.display, left) if order.display else left
        order.ahead = level.recorded - level.consumed
        level.queue[order.id] = order
        level.own += order.shown
        self.resting += 1
        self.settle(level)

    def withdraw(self, order: Order, level: PriceLevel) -> None:
        """Take an order out of its queue. The caller settles the level."""
        del level.queue[order.id]
        level.own -= order.shown
        order.shown = 0
        self.resting -= 1

    def settle(self, level: PriceLevel) -> None:
        """List or unlist a level after a change, and tell the views."""
        key = level.key
        if level.own + level.recorded - level.consumed > 0:
            if not level.is_listed:
                level.is_listed = True
                insort(self.keys, key)
        else:
            if level.is_listed:
                level.is_listed = False
                if self.keys[-1] == key:
                    self.keys.pop()
                else:
                    del self.keys[bisect_left(self.keys, key)]
            if not level.recorded:
                self.levels.pop(key, None)
        for touched in self.watchers:
            touched.add(key)

    def top(self, count: int) -> list[Level]:
        """The best `count` levels, best first."""
        levels = self.levels
        return [
            (level.price, level.own + level.recorded - level.consumed)
            for level in (levels[key] for key in reversed(self.keys[-count:]))
        ]

    def keys_with_orders(self, limit_key: int) -> list[int]:
        """Keys of the levels at `limit_key` or better that hold orders, best first."""
        levels = self.levels
        found = self.keys[bisect_left(self.keys, limit_key) :]
        return [key for key in reversed(found) if levels[key].queue]
