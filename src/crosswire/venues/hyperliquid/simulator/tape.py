"""What the public sees of trading: recent trades, candles, the day's figures."""

from collections import deque

from msgspec import Struct

from crosswire.fixed import multiply
from crosswire.venues.hyperliquid.simulator.exchange import Print
from crosswire.venues.hyperliquid.simulator.markets import Market
from crosswire.venues.hyperliquid.simulator.rows import Row, side
from crosswire.venues.hyperliquid.simulator.text import ms, shown

MINUTE_MS = 60_000
MINUTES = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
    "3d": 4320,
    "1w": 10080,
    "1M": 43200,
}
KEPT_MINUTES = 5000
KEPT_TRADES = 30


class Candle(Struct):
    """One stretch of trading."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    count: int = 0

    def add(self, other: "Candle") -> None:
        """Go on with what came next."""
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.volume += other.volume
        self.count += other.count


class Tape:
    """The trades of one market."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.trades: deque[Row] = deque(maxlen=KEPT_TRADES)
        self.minutes: deque[Candle] = deque(maxlen=KEPT_MINUTES)
        self.volume = 0
        self.notional = 0

    def print(self, one: Print) -> Row:
        """Write a trade; returns its public row."""
        row = public(one)
        self.trades.append(row)
        start = ms(one.at_ns) // MINUTE_MS * MINUTE_MS
        made = Candle(start, one.price, one.price, one.price, one.price, one.quantity, 1)
        if self.minutes and self.minutes[-1].open_ms == start:
            self.minutes[-1].add(made)
        else:
            self.minutes.append(made)
        self.volume += one.quantity
        self.notional += multiply(one.price, one.quantity)
        return row

    def candles(self, interval: str, start_ms: int, end_ms: int) -> list[Row]:
        """Return the candles that began in a stretch of time."""
        span = MINUTES[interval] * MINUTE_MS
        found: list[Candle] = []
        for one in self.minutes:
            start = one.open_ms // span * span
            if not start_ms <= start <= end_ms:
                continue
            if not found or found[-1].open_ms != start:
                found.append(Candle(start, one.open, one.high, one.low, one.close))
            found[-1].add(one)
        return [self._row(one, interval, span) for one in found[-KEPT_MINUTES:]]

    def last_candle(self, interval: str) -> Row | None:
        """Return the candle under way, None before the first trade."""
        if not self.minutes:
            return None
        span = MINUTES[interval] * MINUTE_MS
        start = self.minutes[-1].open_ms // span * span
        return self.candles(interval, start, start)[-1]

    def _row(self, one: Candle, interval: str, span: int) -> Row:
        return {
            "t": one.open_ms,
            "T": one.open_ms + span - 1,
            "s": self.market.coin,
            "i": interval,
            "o": shown(one.open),
            "c": shown(one.close),
            "h": shown(one.high),
            "l": shown(one.low),
            "v": shown(one.volume),
            "n": one.count,
        }


def public(one: Print) -> Row:
    """A trade as everybody sees it."""
    return {
        "coin": one.market.coin,
        "side": side(one.side),
        "px": shown(one.price),
        "sz": shown(one.quantity),
        "time": ms(one.at_ns),
        "hash": one.hash,
        "tid": one.tid,
        "users": [one.buyer, one.seller],
    }
