"""The trading floor: both halves, all open orders, and the elementary steps between them.

`MatchingEngine` (what owners ask for) and `ExternalBook` (what the outside world does) both work
through these steps, so that trades, icebergs and triggers behave alike in either.
"""

from collections import deque

from crosswire.domain import Side
from crosswire.sim.matching.half import Half, PriceLevel
from crosswire.sim.matching.outcomes import (
    EXTERNAL,
    AnyOutcome,
    Completed,
    Order,
    Refilled,
    Traded,
    Trailed,
)
from crosswire.sim.matching.triggers import TriggerWatch


class Floor:
    """State of one instrument's market, and the steps that change it."""

    def __init__(self, tick: int) -> None:
        self.bids = Half("buy")
        self.asks = Half("sell")
        self.orders: dict[str, Order] = {}
        self.owners: dict[str, dict[str, Order]] = {}
        self.last_watch = TriggerWatch(tick)
        self.index_watch = TriggerWatch(tick)
        self.woken: deque[tuple[Order, int]] = deque()  # with the price that woke them
        self.out: list[AnyOutcome] = []

    def half(self, side: Side) -> Half:
        return self.bids if side == "buy" else self.asks

    def opposite(self, side: Side) -> Half:
        return self.asks if side == "buy" else self.bids

    def flush(self) -> list[AnyOutcome]:
        out, self.out = self.out, []
        return out

    def register(self, order: Order) -> None:
        self.orders[order.id] = order
        self.owners.setdefault(order.owner, {})[order.id] = order

    def forget(self, order: Order) -> None:
        """The order is over; its struct stays with whoever holds it."""
        order.stage = "done"
        del self.orders[order.id]
        mine = self.owners[order.owner]
        del mine[order.id]
        if not mine:
            del self.owners[order.owner]

    def set_last(self, price: int) -> None:
        """A trade happened at `price`: wake and move what waits for it."""
        self._moved(self.last_watch, price)

    def set_index(self, price: int) -> None:
        self._moved(self.index_watch, price)

    def _moved(self, watch: TriggerWatch, price: int) -> None:
        if not len(watch):
            watch.price = price
            return
        woken, trailed = watch.moved(price)
        for order in trailed:
            self.out.append(Trailed(order.id, order.owner, order.peak, order.trigger_price))
        self.woken.extend((order, price) for order in woken)

    def meet(self, taker: Order, maker: Order, half: Half, level: PriceLevel) -> None:
        """Two orders trade as much as both show, at the maker's level."""
        quantity = min(taker.quantity - taker.filled, maker.shown)
        taker.filled += quantity
        self._fill_maker(maker, level, quantity)
        self.out.append(
            Traded(
                maker.id,
                maker.owner,
                maker.filled,
                taker.id,
                taker.owner,
                taker.filled,
                taker.side,
                level.price,
                quantity,
            )
        )
        self.set_last(level.price)
        self._after_fill(maker, half, level)

    def take_external(self, taker: Order, level: PriceLevel, limit: int) -> None:
        """An order takes at most `limit` of a level's external quantity."""
        quantity = min(taker.quantity - taker.filled, limit)
        taker.filled += quantity
        level.consume(quantity)
        self.out.append(
            Traded(
                EXTERNAL,
                EXTERNAL,
                0,
                taker.id,
                taker.owner,
                taker.filled,
                taker.side,
                level.price,
                quantity,
            )
        )
        self.set_last(level.price)

    def hit(self, maker: Order, half: Half, level: PriceLevel, quantity: int) -> int:
        """The outside world trades with a resting order: returns how much, at most `quantity`."""
        quantity = min(quantity, maker.shown)
        self._fill_maker(maker, level, quantity)
        side: Side = "sell" if half.side == "buy" else "buy"
        self.out.append(
            Traded(
                maker.id,
                maker.owner,
                maker.filled,
                EXTERNAL,
                EXTERNAL,
                0,
                side,
                level.price,
                quantity,
            )
        )
        self.set_last(level.price)
        self._after_fill(maker, half, level)
        return quantity

    def _fill_maker(self, maker: Order, level: PriceLevel, quantity: int) -> None:
        maker.filled += quantity
        maker.shown -= quantity
        level.own -= quantity

    def _after_fill(self, maker: Order, half: Half, level: PriceLevel) -> None:
        """A maker with nothing shown is complete, or an iceberg that goes to the back."""
        if maker.shown:
            return
        left = maker.quantity - maker.filled
        if not left:
            half.withdraw(maker, level)
            self.forget(maker)
            self.out.append(Completed(maker.id, maker.owner, maker.filled))
            return
        maker.shown = min(maker.display, left)
        maker.ahead = level.recorded - level.consumed
        level.own += maker.shown
        level.queue[maker.id] = level.queue.pop(maker.id)  # to the end
        self.out.append(Refilled(maker.id, maker.owner, maker.shown, maker.filled))
