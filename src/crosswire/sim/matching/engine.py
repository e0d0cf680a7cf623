"""Price-time matching for one instrument: what owners may ask of a book."""

import heapq
from collections.abc import Iterable, Sequence

from crosswire.domain import Level, Side
from crosswire.sim.matching.depth import DepthView
from crosswire.sim.matching.external import ExternalBook
from crosswire.sim.matching.floor import Floor
from crosswire.sim.matching.half import ANY_PRICE, Half, PriceLevel
from crosswire.sim.matching.outcomes import (
    Amended,
    AmendRefused,
    AnyOutcome,
    Completed,
    Expired,
    Killed,
    Order,
    Rested,
    Triggered,
    Waiting,
)
from crosswire.sim.matching.triggers import TriggerWatch, with_offset


class MatchingEngine:
    """One instrument's market. Every call returns what came of it, in order.

    Ids are unique among open orders (`ValueError` otherwise). Whether an order may be placed at
    all (ticks, minimums, funds, reduce-only) is the caller's to decide before.
    """

    def __init__(self, *, tick: int = 1, last: int = 0) -> None:
        """`tick`: what relative trigger prices are rounded to; `last`: the last trade's price."""
        self._floor = Floor(tick)
        self._floor.last_watch.price = last
        self._external = ExternalBook(self._floor)
        self._tick = tick
        self._expiries: list[tuple[int, str]] = []
        self.orders = self._floor.orders  # open orders by id; read only

    # --- orders --------------------------------------------------------------------------------

    def place(self, order: Order, now_ns: int) -> list[AnyOutcome]:
        """Take a new order: it trades, rests, waits for its trigger, or is killed.

        The engine keeps and changes the struct; do not place it again.
        """
        if order.id in self.orders or order.stage != "new":
            raise ValueError(f"order {order.id} is not new")
        if order.quantity <= 0:
            raise ValueError(f"order {order.id} has no quantity")
        if order.trigger is not None:
            watch = self._watch(order)
            watch.add(order)
        self._floor.register(order)
        if order.expire_ns:
            heapq.heappush(self._expiries, (order.expire_ns, order.id))
        if order.trigger is not None:
            order.stage = "waiting"
            self._floor.out.append(Waiting(order.id, order.owner, order.trigger_price))
            self._wake_if_reached(order)
        else:
            self._enter(order, announce=True)
        return self._settle()

    def amend(
        self,
        order_id: str,
        now_ns: int,
        *,
        quantity: int | None = None,
        price: int | None = None,
        display: int | None = None,
        trigger_price: int | None = None,
        post_only: bool = False,
    ) -> list[AnyOutcome]:
        """Change an open order in place; None stays. `quantity` is the new total, fills included.

        Its place in the queue is kept if the price stays and the quantity does not grow. No more
        than what is filled: the rest is killed. `KeyError` if the order is not open.
        """
        order = self.orders[order_id]
        if quantity is not None and quantity <= order.filled:
            self._end(order, "amended")
            return self._settle()
        moves = price is not None and price != order.price
        if order.stage == "waiting":
            self._amend_waiting(order, quantity, price, display, trigger_price)
        elif moves and post_only and self._would_take(order.side, price):
            return [AmendRefused(order.id, order.owner, "post_only")]
        elif moves or (quantity is not None and quantity > order.quantity):
            self._move(order, quantity, price, display)
        else:
            self._shrink(order, quantity, display)
        return self._settle()

    def cancel(self, order_id: str, now_ns: int, reason: str = "canceled") -> list[AnyOutcome]:
        """End an open order; `KeyError` if it is not open."""
        self._end(self.orders[order_id], reason)
        return self._settle()

    def cancel_all(self, owner: str, now_ns: int, reason: str = "canceled") -> list[AnyOutcome]:
        """End every open order of an owner."""
        for order in list(self._floor.owners.get(owner, {}).values()):
            self._end(order, reason)
        return self._settle()

    def expire(self, now_ns: int) -> list[AnyOutcome]:
        """End the orders whose time has come."""
        while self._expiries and self._expiries[0][0] <= now_ns:
            due_ns, order_id = heapq.heappop(self._expiries)
            order = self.orders.get(order_id)
            if order is not None and order.expire_ns == due_ns:
                self._withdraw(order)
                out = Expired(order.id, order.owner, order.filled, order.open_quantity)
                self._floor.out.append(out)
        return self._settle()

    def next_expiry_ns(self) -> int | None:
        """When `expire` has something to do next."""
        while self._expiries and self._expiries[0][1] not in self.orders:
            heapq.heappop(self._expiries)
        return self._expiries[0][0] if self._expiries else None

    # --- orders of which nobody hears ----------------------------------------------------------

    def stand_quietly(self, order: Order) -> bool:
        """Let a plain limit order rest without an outcome; False if it would trade: place it."""
        assert order.price is not None
        floor = self._floor
        half = floor.opposite(order.side)
        if half.keys and half.keys[-1] >= order.price * half.sign:
            return False
        if order.id in floor.orders:
            raise ValueError(f"order {order.id} is not new")
        floor.register(order)
        order.stage = "resting"
        floor.half(order.side).stand(order, order.price)
        return True

    def leave_quietly(self, order_id: str) -> None:
        """End a resting order without an outcome; nothing if it is not open."""
        order = self._floor.orders.get(order_id)
        if order is not None:
            self._withdraw(order)

    def of_owner(self, owner: str) -> list[Order]:
        """The open orders of an owner, oldest first."""
        return list(self._floor.owners.get(owner, {}).values())

    # --- the outside world ---------------------------------------------------------------------

    def set_external(
        self, bids: Sequence[Level], asks: Sequence[Level], now_ns: int
    ) -> list[AnyOutcome]:
        """Replace the whole external book (rules: `external`)."""
        self._external.reset(bids, asks, now_ns)
        return self._settle()

    def change_external(
        self, bids: Sequence[Level], asks: Sequence[Level], now_ns: int
    ) -> list[AnyOutcome]:
        """Absolute quantities of some external levels; 0 removes."""
        self._external.change(bids, asks, now_ns)
        return self._settle()

    def forget_external(self, side: Side, prices: Iterable[int]) -> list[AnyOutcome]:
        """External levels that went out of the recording's range."""
        self._external.forget(side, prices)
        return self._settle()

    def retick(self, tick: int) -> None:
        """Round relative trigger prices to another tick from now on."""
        self._tick = tick
        self._floor.last_watch.tick = self._floor.index_watch.tick = tick

    def heal_external(self, now_ns: int) -> list[AnyOutcome]:
        """Put back what our orders took from external levels."""
        self._external.heal()
        return self._settle()

    def external_trade(
        self, side: Side, price: int, quantity: int, now_ns: int
    ) -> list[AnyOutcome]:
        """A public trade of the external market; `side` is the taker's."""
        self._external.trade(side, price, quantity, now_ns)
        return self._settle()

    def move_index(self, price: int, now_ns: int) -> list[AnyOutcome]:
        """The index price, for triggers that refer to it."""
        self._floor.set_index(price)
        return self._settle()

    # --- the book ------------------------------------------------------------------------------

    @property
    def last(self) -> int:
        """The last trade's price; 0 before the first."""
        return self._floor.last_watch.price

    @property
    def index(self) -> int:
        return self._floor.index_watch.price

    def best_bid(self) -> Level | None:
        best = self._floor.bids.best()
        return None if best is None else (best.price, best.visible)

    def best_ask(self) -> Level | None:
        best = self._floor.asks.best()
        return None if best is None else (best.price, best.visible)

    def top(self, side: Side, count: int) -> list[Level]:
        """The best `count` visible levels of a side, best first."""
        return self._floor.half(side).top(count)

    def quantity_at(self, side: Side, price: int) -> int:
        """What is visible at a price."""
        half = self._floor.half(side)
        level = half.levels.get(price * half.sign)
        return 0 if level is None else level.visible

    def queue(self, side: Side, price: int) -> list[Order]:
        """The resting orders at a price in queue order (external quantity is not among them)."""
        half = self._floor.half(side)
        level = half.levels.get(price * half.sign)
        return [] if level is None else list(level.queue.values())

    def view(self, depth: int) -> DepthView:
        """A view of the N best levels a side for one audience; keep it and ask it for changes."""
        return DepthView(self._floor.bids, self._floor.asks, depth)

    def sweep(self, side: Side, quantity: int, limit: int | None = None) -> list[Level]:
        """What an order of `side` would trade now, as (price, quantity), hidden parts included."""
        half = self._floor.opposite(side)
        limit_key = ANY_PRICE if limit is None else limit * half.sign
        found: list[Level] = []
        for key in reversed(half.keys):
            if key < limit_key or quantity <= 0:
                break
            level = half.levels[key]
            there = level.external + sum(o.open_quantity for o in level.queue.values())
            found.append((level.price, min(there, quantity)))
            quantity -= there
        return found

    def would_take(self, side: Side, price: int) -> bool:
        """Whether a limit order of `side` at `price` would trade at once."""
        return self._would_take(side, price)

    # --- entry ---------------------------------------------------------------------------------

    def _enter(self, order: Order, *, announce: bool) -> None:
        """An order without a trigger meets the book, and what is left of it rests or dies."""
        half = self._floor.opposite(order.side)
        limit_key = ANY_PRICE if order.price is None else order.price * half.sign
        takes = bool(half.keys) and half.keys[-1] >= limit_key
        if order.post_only and takes:
            self._finish(order, "post_only")
            return
        if order.time_in_force == "fok" and not self._can_fill(order, half, limit_key):
            self._finish(order, "fok")
            return
        killed = self._take(order, half, limit_key) if takes else ""
        if order.filled == order.quantity:
            self._floor.forget(order)
            self._floor.out.append(Completed(order.id, order.owner, order.filled))
        elif killed:
            self._finish(order, killed)
        elif order.price is None:
            self._finish(order, "no_liquidity")
        elif order.time_in_force == "ioc":
            self._finish(order, "ioc")
        else:
            self._stand(order, announce=announce)

    def _stand(self, order: Order, *, announce: bool) -> None:
        assert order.price is not None
        order.stage = "resting"
        self._floor.half(order.side).stand(order, order.price)
        if announce:
            left = order.open_quantity
            self._floor.out.append(Rested(order.id, order.owner, order.price, left, order.filled))

    def _take(self, taker: Order, half: Half, limit_key: int) -> str:
        """Trade along the book; returns why the rest must die, or ""."""
        while taker.filled < taker.quantity and half.keys and half.keys[-1] >= limit_key:
            level = half.levels[half.keys[-1]]
            killed = self._take_level(taker, half, level)
            half.settle(level)
            if killed:
                return killed
        return ""

    def _take_level(self, taker: Order, half: Half, level: PriceLevel) -> str:
        """Trade along one level's queue, external quantity at its place between our orders."""
        floor = self._floor
        while taker.filled < taker.quantity:
            maker = next(iter(level.queue.values()), None)
            external = level.recorded - level.consumed
            if maker is None:
                if not external:
                    return ""
                floor.take_external(taker, level, external)
            elif maker.ahead and external:
                floor.take_external(taker, level, min(maker.ahead, external))
            elif taker.self_trade is not None and maker.owner == taker.owner:
                if taker.self_trade != "cancel_newest":
                    half.withdraw(maker, level)
                    self._finish(maker, "self_trade")
                if taker.self_trade != "cancel_oldest":
                    return "self_trade"
            else:
                floor.meet(taker, maker, half, level)
        return ""

    def _can_fill(self, order: Order, half: Half, limit_key: int) -> bool:
        """Whether a fill-or-kill order would get everything, self-trade prevention included."""
        left = order.quantity
        for key in reversed(half.keys):
            if key < limit_key:
                return False
            level = half.levels[key]
            left -= level.external
            for maker in level.queue.values():
                if order.self_trade is not None and maker.owner == order.owner:
                    if order.self_trade != "cancel_oldest":
                        return False
                else:
                    left -= maker.open_quantity
            if left <= 0:
                return True
        return False

    def _would_take(self, side: Side, price: int | None) -> bool:
        half = self._floor.opposite(side)
        if not half.keys:
            return False
        return price is None or half.keys[-1] >= price * half.sign

    # --- changes and ends ----------------------------------------------------------------------

    def _move(
        self, order: Order, quantity: int | None, price: int | None, display: int | None
    ) -> None:
        """An amend that costs the place in the queue."""
        self._leave_book(order)
        order.quantity = order.quantity if quantity is None else quantity
        order.price = order.price if price is None else price
        order.display = order.display if display is None else display
        self._floor.out.append(Amended(order.id, order.owner, kept_place=False))
        order.stage = "new"
        self._enter_again(order)

    def _enter_again(self, order: Order) -> None:
        """A moved order has lost its post-only promise: `amend` was asked about it already."""
        promised, order.post_only = order.post_only, False
        self._enter(order, announce=False)
        order.post_only = promised

    def _shrink(self, order: Order, quantity: int | None, display: int | None) -> None:
        """An amend that keeps the place: less quantity, another display."""
        assert order.price is not None
        half = self._floor.half(order.side)
        level = half.at(order.price)
        order.quantity = order.quantity if quantity is None else quantity
        if display is not None:
            order.display = display
            shown = min(display, order.open_quantity) if display else order.open_quantity
        else:
            shown = min(order.shown, order.open_quantity)
        level.own += shown - order.shown
        order.shown = shown
        half.settle(level)
        self._floor.out.append(Amended(order.id, order.owner, kept_place=True))

    def _amend_waiting(
        self,
        order: Order,
        quantity: int | None,
        price: int | None,
        display: int | None,
        trigger_price: int | None,
    ) -> None:
        order.quantity = order.quantity if quantity is None else quantity
        order.price = order.price if price is None else price
        order.display = order.display if display is None else display
        if trigger_price is not None:
            self._watch(order).retarget(order, trigger_price)
        self._floor.out.append(Amended(order.id, order.owner, kept_place=True))
        self._wake_if_reached(order)

    def _leave_book(self, order: Order) -> None:
        assert order.price is not None
        half = self._floor.half(order.side)
        level = half.at(order.price)
        half.withdraw(order, level)
        half.settle(level)

    def _withdraw(self, order: Order) -> None:
        """Take an open order from wherever it is."""
        if order.stage == "resting":
            self._leave_book(order)
        elif order.stage == "waiting":
            self._watch(order).discard(order)
        self._floor.forget(order)

    def _end(self, order: Order, reason: str) -> None:
        self._withdraw(order)
        self._report_killed(order, reason)

    def _finish(self, order: Order, reason: str) -> None:
        """The end of an order that stands in no queue."""
        self._floor.forget(order)
        self._report_killed(order, reason)

    def _report_killed(self, order: Order, reason: str) -> None:
        killed = Killed(order.id, order.owner, reason, order.filled, order.open_quantity)
        self._floor.out.append(killed)

    # --- triggers ------------------------------------------------------------------------------

    def _watch(self, order: Order) -> TriggerWatch:
        assert order.trigger is not None
        floor = self._floor
        return floor.last_watch if order.trigger.reference == "last" else floor.index_watch

    def _wake_if_reached(self, order: Order) -> None:
        watch = self._watch(order)
        if watch.wakes_now(order):
            watch.discard(order)
            self._floor.woken.append((order, watch.price))

    def _settle(self) -> list[AnyOutcome]:
        """Let the woken orders enter, and those that their trades wake; hand the outcomes out."""
        floor = self._floor
        while floor.woken:
            order, price = floor.woken.popleft()
            floor.out.append(Triggered(order.id, order.owner, price))
            order.stage = "new"
            if order.price is not None and order.price_unit != "static":
                order.price = with_offset(
                    order.trigger_price, order.price, order.price_unit, self._tick
                )
            self._enter(order, announce=True)
        return floor.flush()
