"""The public REST calls."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from msgspec import Raw

from crosswire.domain import Side
from crosswire.venues.kraken.simulator.hub import Hub
from crosswire.venues.kraken.simulator.markets import (
    Market,
    asset_row,
    find,
    pair_row,
    rest_key,
)
from crosswire.venues.kraken.simulator.tape import INTERVALS
from crosswire.venues.kraken.simulator.text import (
    EPOCH,
    SECOND,
    fixed,
    number,
    scaled,
    stamp_seconds,
    unix,
)
from crosswire.venues.kraken.simulator.wishes import ARGUMENTS, UnfitError

Fields = Mapping[str, object]
UNKNOWN_PAIR = "EQuery:Unknown asset pair"
UNKNOWN_ASSET = "EQuery:Unknown asset"
MAX_DEPTH = 500
MAX_TRADES = 1000


class PublicCalls:
    """What anyone may ask."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.calls: dict[str, Callable[[Fields, int], object]] = {
            "Time": self._time,
            "SystemStatus": self._system_status,
            "Assets": self._assets,
            "AssetPairs": self._asset_pairs,
            "Ticker": self._ticker,
            "Depth": self._depth,
            "Trades": self._trades,
            "OHLC": self._ohlc,
            "Spread": self._spread,
        }

    def _time(self, fields: Fields, now_ns: int) -> object:
        moment = EPOCH + timedelta(seconds=now_ns // SECOND)
        text = moment.strftime("%a, %d %b %y %H:%M:%S +0000")
        return {"unixtime": now_ns // SECOND, "rfc1123": text}

    def _system_status(self, fields: Fields, now_ns: int) -> object:
        return {"status": self._hub.exchange.system, "timestamp": stamp_seconds(now_ns)}

    def _assets(self, fields: Fields, now_ns: int) -> object:
        asked = _names(fields, "asset")
        is_modern = str(fields.get("assetVersion", "")) == "1"
        assets = self._hub.exchange.assets.values()
        found: dict[str, object] = {}
        for asset in assets:
            if not asked or asked & {asset.name, asset.alt_name, asset.rest_name}:
                found[asset.name if is_modern else asset.rest_name] = asset_row(asset)
        if asked and not found:
            raise UnfitError(UNKNOWN_ASSET)
        return found

    def _pairs(self, fields: Fields) -> list[tuple[str, Market]]:
        """(key of the answer, market) of every pair asked for, all if none is."""
        markets = self._hub.exchange.markets
        asked = fields.get("pair")
        if not asked:
            return [(market.rest_name, market) for market in markets.values()]
        found = []
        for name in str(asked).split(","):
            market = find(markets, name)
            if market is None:
                raise UnfitError(UNKNOWN_PAIR)
            found.append((rest_key(market, name), market))
        return found

    def _pair(self, fields: Fields) -> tuple[str, Market]:
        if not fields.get("pair"):
            raise UnfitError(f"{ARGUMENTS}:pair")
        return self._pairs(fields)[0]

    def _asset_pairs(self, fields: Fields, now_ns: int) -> object:
        is_modern = str(fields.get("assetVersion", "")) == "1"
        return {
            market.symbol if is_modern else key: pair_row(market, is_modern=is_modern)
            for key, market in self._pairs(fields)
        }

    def _ticker(self, fields: Fields, now_ns: int) -> object:
        return {key: self._ticker_row(market) for key, market in self._pairs(fields)}

    def _ticker_row(self, market: Market) -> object:
        engine, day = self._hub.exchange.engines[market.symbol], self._hub.tapes[market.symbol].day
        trades = self._hub.tapes[market.symbol].trades
        last = trades[-1].quantity if trades else 0
        price, lots = market.price_text, market.quantity_text

        def best(level: tuple[int, int] | None) -> list[str]:
            at, there = level or (0, 0)
            return [price(at), fixed(there, 0), fixed(there, 3)]

        return {
            "a": best(engine.best_ask()),
            "b": best(engine.best_bid()),
            "c": [price(day.close), lots(last)],
            "v": [lots(day.volume)] * 2,
            "p": [price(day.vwap)] * 2,
            "t": [day.trades] * 2,
            "l": [price(day.low)] * 2,
            "h": [price(day.high)] * 2,
            "o": price(day.open),
        }

    def _depth(self, fields: Fields, now_ns: int) -> object:
        key, market = self._pair(fields)
        engine = self._hub.exchange.engines[market.symbol]
        count = _whole(fields, "count", 100, MAX_DEPTH)

        def side(name: Side) -> list[list[object]]:
            return [
                [market.price_text(at), fixed(there, 3), now_ns // SECOND]
                for at, there in engine.top(name, count)
            ]

        return {key: {"asks": side("sell"), "bids": side("buy")}}

    def _trades(self, fields: Fields, now_ns: int) -> object:
        key, market = self._pair(fields)
        since_ns = _whole(fields, "since", 0, 2**63)
        count = _whole(fields, "count", MAX_TRADES, MAX_TRADES)
        prints = [one for one in self._hub.tapes[market.symbol].trades if one.at_ns > since_ns]
        rows = [
            [
                market.price_text(one.price),
                market.quantity_text(one.quantity),
                unix(one.at_ns),
                one.side[0],
                one.order_type[0],
                "",
                one.trade_id,
            ]
            for one in prints[:count]
        ]
        last_ns = prints[:count][-1].at_ns if rows else since_ns
        return {key: rows, "last": str(last_ns)}

    def _ohlc(self, fields: Fields, now_ns: int) -> object:
        key, market = self._pair(fields)
        interval = _whole(fields, "interval", 1, INTERVALS[-1])
        if interval not in INTERVALS:
            raise UnfitError(f"{ARGUMENTS}:interval")
        since = _whole(fields, "since", 0, 2**63)
        candles = self._hub.tapes[market.symbol].candles[interval]
        price = market.price_text
        rows = [
            [
                candle.begin_ns // SECOND,
                price(candle.open),
                price(candle.high),
                price(candle.low),
                price(candle.close),
                price(candle.vwap),
                market.quantity_text(candle.volume),
                candle.trades,
            ]
            for candle in candles
            if candle.begin_ns // SECOND >= since
        ]
        return {key: rows, "last": candles[-1].begin_ns // SECOND}

    def _spread(self, fields: Fields, now_ns: int) -> object:
        key, market = self._pair(fields)
        engine = self._hub.exchange.engines[market.symbol]
        bid, ask = engine.best_bid() or (0, 0), engine.best_ask() or (0, 0)
        row = [now_ns // SECOND, market.price_text(bid[0]), market.price_text(ask[0])]
        return {key: [row], "last": now_ns // SECOND}


def _names(fields: Fields, name: str) -> set[str]:
    return {part for part in str(fields.get(name) or "").split(",") if part}


def _whole(fields: Fields, name: str, default: int, most: int) -> int:
    """Read a whole number, at most `most`; REST ignores what it cannot read."""
    text = str(fields.get(name) or "")
    return min(int(text), most) if text.isascii() and text.isdecimal() else default


def percent(text: str) -> Raw:
    """Print a fee percentage the way TradeVolume does: four decimals."""
    return number(scaled(text) or 0, 4)
