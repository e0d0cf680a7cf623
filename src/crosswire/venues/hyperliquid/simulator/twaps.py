"""Slow orders: a slice every half minute, taken at once from the book."""

from msgspec import Struct

from crosswire.fixed import text
from crosswire.venues.hyperliquid.simulator.accounts import Account
from crosswire.venues.hyperliquid.simulator.actions import (
    Limit,
    OrderWire,
    Terms,
    TwapCancel,
    TwapOrder,
)
from crosswire.venues.hyperliquid.simulator.exchange import Exchange, Wish
from crosswire.venues.hyperliquid.simulator.markets import Market
from crosswire.venues.hyperliquid.simulator.rules import INCREASES, reducible
from crosswire.venues.hyperliquid.simulator.text import SECOND, scaled

FIRST_ID = 77_738_308
SLICE_NS = 30 * SECOND
LEAST_MINUTES, MOST_MINUTES = 5, 1440
SLIPPAGE = 33  # a slice goes a 33rd part beyond the mark: three per cent
GONE = "TWAP was never placed, already canceled, or filled."
WOULD_INCREASE = INCREASES.replace("Reduce only order", "Reduce-only TWAP order")


class Twap(Struct):
    """One of them."""

    id: int
    account: Account
    market: Market
    order: OrderWire
    slices: int
    done: int
    due_ns: int


class Twaps:
    """Runs them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._running: dict[int, Twap] = {}
        self._last = FIRST_ID

    def run(
        self, account: Account, action: TwapOrder | TwapCancel, now_ns: int
    ) -> dict[str, object]:
        """Start or stop one; the answer."""
        if isinstance(action, TwapOrder):
            return _answer("twapOrder", self._start(account, action, now_ns))
        found = self._running.get(action.t)
        if found is None or found.account is not account or found.market.asset != action.a:
            return _answer("twapCancel", {"error": GONE})
        del self._running[action.t]
        return _answer("twapCancel", "success")

    def _start(self, account: Account, action: TwapOrder, now_ns: int) -> dict[str, object]:
        asked = action.twap
        market = self._exchange.markets.get(asked.a)
        if not LEAST_MINUTES <= asked.m <= MOST_MINUTES:
            return {"error": f"Invalid TWAP duration: {asked.m} min(s)"}
        size = scaled(asked.s)
        if market is None or market.is_delisted or size <= 0 or not market.size_fits(size):
            return {"error": "Order has invalid size."}
        wire = OrderWire(
            a=asked.a,
            b=asked.b,
            p=text(market.start_price),
            s=asked.s,
            r=asked.r,
            t=Terms(limit=Limit("Ioc")),
        )
        if asked.r and reducible(account, market, wire) < size:
            return {"error": WOULD_INCREASE}
        self._last += 1
        slices = asked.m * 60 * SECOND // SLICE_NS
        self._running[self._last] = Twap(self._last, account, market, wire, slices, 0, now_ns)
        return {"running": {"twapId": self._last}}

    def tick(self, now_ns: int) -> None:
        """Trade the slices that are due."""
        for twap in list(self._running.values()):
            while twap.due_ns <= now_ns and twap.done < twap.slices:
                self._slice(twap, now_ns)
            if twap.done >= twap.slices:
                self._running.pop(twap.id, None)

    def next_due_ns(self) -> list[int]:
        """When slices are due."""
        return [twap.due_ns for twap in self._running.values()]

    def _slice(self, twap: Twap, now_ns: int) -> None:
        """One slice: an order of its own, without a cloid."""
        exchange, market, total = self._exchange, twap.market, scaled(twap.order.s)
        twap.done += 1
        twap.due_ns += SLICE_NS
        there = total * twap.done // twap.slices - total * (twap.done - 1) // twap.slices
        size = there - there % market.step
        mark = exchange.mark(market)
        price = mark + mark // SLIPPAGE if twap.order.b else mark - mark // SLIPPAGE
        if size <= 0 or price < market.tick:
            return
        wire = OrderWire(
            a=market.asset,
            b=twap.order.b,
            p=text(price - price % market.tick),
            s=text(size),
            r=twap.order.r,
            t=twap.order.t,
        )
        if wire.r and not reducible(twap.account, market, wire):
            return
        exchange.next_hash()
        wish = Wish(market=market, wire=wire, quantity=size, twap_id=twap.id)
        exchange.create(twap.account, wish, now_ns)
        exchange.settle(now_ns)


def _answer(kind: str, status: object) -> dict[str, object]:
    return {"status": "ok", "response": {"type": kind, "data": {"status": status}}}
