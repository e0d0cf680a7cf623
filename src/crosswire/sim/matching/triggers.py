"""Orders that wait outside the book until a reference price wakes them.

Stop-losses and trailing stops wake when the price runs against the position they guard (a sell
at or below its trigger, a buy at or above); take-profits on the other side. A trailing order's
trigger keeps its distance to the best price seen since it was placed.
"""

from crosswire.domain import PriceUnit
from crosswire.fixed import multiply
from crosswire.sim.matching.outcomes import Order

NEVER = 1 << 200


def wakes_on_rise(order: Order) -> bool:
    return (order.side == "buy") != order.order_type.startswith("take_profit")


def is_trailing(order: Order) -> bool:
    return order.order_type.startswith("trailing")


def with_offset(base: int, offset: int, unit: PriceUnit, tick: int) -> int:
    """Return `base` moved by a signed offset, in per cent or in the quote asset, on a tick."""
    moved = base + (multiply(base, offset) // 100 if unit == "percent" else offset)
    return moved - moved % tick


class TriggerWatch:
    """The orders that wait for one reference price (last, or index)."""

    def __init__(self, tick: int) -> None:
        self.price = 0
        self.tick = tick
        self._orders: dict[str, Order] = {}
        self._rise = NEVER  # the nearest triggers: nothing between them can wake anybody
        self._fall = -NEVER
        self._trailing = 0

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Order) -> None:
        """Resolve the trigger against the price now and wait.

        `ValueError` if the trigger is an offset and there has been no price yet.
        """
        trigger = order.trigger
        assert trigger is not None
        if is_trailing(order):
            self._need_price()
            order.peak = self.price
            order.trigger_price = self._behind(order)
        elif trigger.unit == "static":
            order.trigger_price = trigger.price
        else:
            self._need_price()
            order.trigger_price = with_offset(self.price, trigger.price, trigger.unit, self.tick)
        self._orders[order.id] = order
        self._measure()

    def discard(self, order: Order) -> None:
        del self._orders[order.id]
        self._measure()

    def retarget(self, order: Order, trigger_price: int) -> None:
        order.trigger_price = trigger_price
        self._measure()

    def moved(self, price: int) -> tuple[list[Order], list[Order]]:
        """The reference price is `price` now: (orders that woke, orders that trailed)."""
        self.price = price
        if self._fall < price < self._rise and not self._trailing:
            return [], []
        trailed = [order for order in self._orders.values() if self._trail(order)]
        woken = [order for order in self._orders.values() if self._wakes(order)]
        for order in woken:
            del self._orders[order.id]
        if woken or trailed:
            self._measure()
        return woken, trailed

    def wakes_now(self, order: Order) -> bool:
        """Whether the price there is already wakes the order."""
        return self.price > 0 and self._wakes(order)

    def _need_price(self) -> None:
        if not self.price:
            raise ValueError("a relative trigger needs a reference price; there is none yet")

    def _wakes(self, order: Order) -> bool:
        if wakes_on_rise(order):
            return self.price >= order.trigger_price
        return self.price <= order.trigger_price

    def _trail(self, order: Order) -> bool:
        if not is_trailing(order):
            return False
        rises = wakes_on_rise(order)
        if self.price >= order.peak if rises else self.price <= order.peak:
            return False
        order.peak = self.price
        order.trigger_price = self._behind(order)
        return True

    def _behind(self, order: Order) -> int:
        """The trigger price that belongs to a trailing order's peak."""
        assert order.trigger is not None
        distance = abs(order.trigger.price)
        signed = distance if wakes_on_rise(order) else -distance
        unit = order.trigger.unit
        return with_offset(order.peak, signed, unit, self.tick)

    def _measure(self) -> None:
        orders = self._orders.values()
        self._rise = min((o.trigger_price for o in orders if wakes_on_rise(o)), default=NEVER)
        self._fall = max((o.trigger_price for o in orders if not wakes_on_rise(o)), default=-NEVER)
        self._trailing = sum(map(is_trailing, orders))
