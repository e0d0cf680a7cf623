"""A pair's public history: trades, candles, the day's figures, and how each is printed.

The venue's day has 24 hours; a simulator's begins when it starts.
"""

from collections import deque

from msgspec import Struct

from crosswire.domain import Level
from crosswire.venues.kraken.simulator.exchange import Print
from crosswire.venues.kraken.simulator.markets import Market
from crosswire.venues.kraken.simulator.text import (
    SECOND,
    number,
    over,
    rounded,
    stamp,
    stamp_ns,
    times,
)

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # minutes
MAX_CANDLES = 720
MAX_TRADES = 1000
MAX_FRESH = 1000
Item = dict[str, object]


class Candle(Struct):
    """One bar so far."""

    begin_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    cost: int = 0
    trades: int = 0

    @property
    def vwap(self) -> int:
        return over(self.cost, self.volume) if self.volume else self.close

    def add(self, print_: Print) -> None:
        self.high = max(self.high, print_.price)
        self.low = min(self.low, print_.price)
        self.close = print_.price
        self.volume += print_.quantity
        self.cost += times(print_.price, print_.quantity)
        self.trades += 1


class Tape:
    """What everybody may know of one pair besides its book."""

    def __init__(self, market: Market, start_ns: int) -> None:
        self.market = market
        self.trades: deque[Print] = deque(maxlen=MAX_TRADES)
        price = market.start_price
        self._fresh: list[Print] = []  # in no candle yet: nobody may ever ask for one
        self._day = Candle(start_ns, price, price, price, price)
        self._candles = {
            interval: deque([_candle(price, start_ns, interval)], maxlen=MAX_CANDLES)
            for interval in INTERVALS
        }

    def add(self, print_: Print) -> None:
        """Book one trade."""
        self.trades.append(print_)
        self._fresh.append(print_)
        if len(self._fresh) >= MAX_FRESH:
            self._fold()

    @property
    def day(self) -> Candle:
        """The day so far."""
        self._fold()
        return self._day

    @property
    def candles(self) -> dict[int, deque[Candle]]:
        """The bars by interval, oldest first."""
        self._fold()
        return self._candles

    def _fold(self) -> None:
        """Put what is fresh into the candles."""
        for print_ in self._fresh:
            self._day.add(print_)
            for interval, candles in self._candles.items():
                span_ns = interval * 60 * SECOND
                if print_.at_ns >= candles[-1].begin_ns + span_ns:
                    candles.append(_candle(print_.price, print_.at_ns, interval))
                candles[-1].add(print_)
        self._fresh.clear()

    def ticker(self, bid: Level | None, ask: Level | None, now_ns: int) -> Item:
        """The item of the `ticker` channel, in the shape of 2026."""
        market, day = self.market, self.day
        change = day.close - day.open
        decimals, lots = market.price_decimals, market.quantity_decimals
        bid_price, bid_quantity = bid or (0, 0)
        ask_price, ask_quantity = ask or (0, 0)
        return {
            "symbol": market.symbol,
            "bid": number(bid_price, decimals),
            "bid_qty": number(bid_quantity, lots),
            "ask": number(ask_price, decimals),
            "ask_qty": number(ask_quantity, lots),
            "last": number(day.close, decimals),
            "volume": number(day.volume, lots),
            "vwap": number(day.vwap, decimals),
            "low": number(day.low, decimals),
            "high": number(day.high, decimals),
            "change": number(change, decimals),
            "change_pct": number(rounded(over(change * 100, day.open), 2), 2),
            "trades": day.trades,
            "timestamp": stamp(now_ns),
        }

    def candle_item(self, candle: Candle, interval: int) -> Item:
        """The item of the `ohlc` channel."""
        market = self.market
        decimals = market.price_decimals
        return {
            "symbol": market.symbol,
            "open": number(candle.open, decimals),
            "high": number(candle.high, decimals),
            "low": number(candle.low, decimals),
            "close": number(candle.close, decimals),
            "trades": candle.trades,
            "volume": number(candle.volume, market.quantity_decimals),
            "vwap": number(candle.vwap, decimals),
            "interval_begin": stamp_ns(candle.begin_ns),
            "interval": interval,
            "timestamp": stamp(candle.begin_ns + interval * 60 * SECOND),
        }


def _candle(price: int, at_ns: int, interval: int) -> Candle:
    span_ns = interval * 60 * SECOND
    return Candle(at_ns // span_ns * span_ns, price, price, price, price)


def trade_item(print_: Print) -> Item:
    """The item of the `trade` channel."""
    market = print_.market
    return {
        "symbol": market.symbol,
        "side": print_.side,
        "price": number(print_.price, market.price_decimals),
        "qty": number(print_.quantity, market.quantity_decimals),
        "ord_type": print_.order_type,
        "trade_id": print_.trade_id,
        "timestamp": stamp(print_.at_ns),
    }
