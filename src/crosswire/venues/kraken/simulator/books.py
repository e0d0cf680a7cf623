"""The book channels: views per pair and depth, their frames and checksums."""

from collections.abc import Sequence
from random import Random

from msgspec import Raw

from crosswire.domain import Level, Side
from crosswire.sim.matching import DepthView, MatchingEngine
from crosswire.venues.kraken.simulator.exchange import Exchange
from crosswire.venues.kraken.simulator.markets import Market
from crosswire.venues.kraken.simulator.text import (
    checksum,
    crc_part,
    fixed,
    make_id,
    number,
    stamp,
    stamp_ns,
)

Item = dict[str, object]
Resting = tuple[int, int, int]  # price, quantity, when it was first seen
CHECKED = 10  # levels a side under the checksum
SIDES: tuple[tuple[str, Side], ...] = (("bids", "buy"), ("asks", "sell"))


class BookViews:
    """What the subscribers of each pair and depth have been shown."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._views: dict[tuple[str, int], DepthView] = {}

    def depths(self, symbol: str) -> list[int]:
        """The depths at which a pair has ever been asked for."""
        return [depth for name, depth in self._views if name == symbol]

    def snapshot(self, symbol: str, depth: int, now_ns: int) -> Item:
        """The whole book; call `update` first where others are shown this depth already."""
        view = self._views.get((symbol, depth))
        if view is None:
            view = self._views[symbol, depth] = self._exchange.engines[symbol].view(depth)
            view.changes()
        bids, asks = view.snapshot()
        return self._item(symbol, bids, asks, now_ns)

    def update(self, symbol: str, depth: int, now_ns: int) -> Item | None:
        """What changed since the last call; None if nothing in range did."""
        view = self._views.get((symbol, depth))
        if view is None:
            return None
        bids, asks = view.changes()
        if not bids and not asks:
            return None
        return self._item(symbol, _gone_first(bids), _gone_first(asks), now_ns)

    def _item(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level], now_ns: int) -> Item:
        market = self._exchange.markets[symbol]
        return {
            "symbol": symbol,
            "bids": _levels(bids, market),
            "asks": _levels(asks, market),
            "checksum": book_checksum(self._exchange.engines[symbol], market),
            "timestamp": stamp(now_ns),
        }


def _gone_first(levels: Sequence[Level]) -> list[Level]:
    """Removed levels lead: clients that truncate after every level must not lose one to them."""
    return sorted(levels, key=lambda level: level[1] != 0)


def _levels(levels: Sequence[Level], market: Market) -> Raw:
    decimals, lots = market.price_decimals, market.quantity_decimals
    rows = [
        f'{{"price":{fixed(price, decimals)},"qty":{fixed(quantity, lots)}}}'
        for price, quantity in levels
    ]
    return Raw(f"[{','.join(rows)}]".encode())


def book_checksum(engine: MatchingEngine, market: Market) -> int:
    """CRC-32 over the ten best asks, then the ten best bids."""
    decimals, lots = market.price_decimals, market.quantity_decimals
    levels = engine.top("sell", CHECKED) + engine.top("buy", CHECKED)
    return checksum([crc_part(price, there, decimals, lots) for price, there in levels])


class OrderViews:
    """Level 3: every order in the best levels. External quantity appears as one order a level."""

    def __init__(self, exchange: Exchange, rng: Random) -> None:
        self._exchange = exchange
        self._rng = rng
        self._shown: dict[tuple[str, int], dict[str, dict[str, Resting]]] = {}
        self._names: dict[tuple[str, str], str] = {}

    def depths(self, symbol: str) -> list[int]:
        return [depth for name, depth in self._shown if name == symbol]

    def _now(self, symbol: str, side: Side, depth: int, now_ns: int) -> dict[str, Resting]:
        engine = self._exchange.engines[symbol]
        found: dict[str, Resting] = {}
        for price, visible in engine.top(side, depth):
            left = visible
            for order in engine.queue(side, price):
                # The order flow names its orders in its own way; here all look alike.
                name = order.id if order.id.startswith("O") else self._name(symbol, order.id)
                found[name] = (price, order.shown, now_ns)
                left -= order.shown
            if left > 0:
                name = self._name(symbol, f"{side} {price}")
                found[name] = (price, left, now_ns)
        return found

    def _name(self, symbol: str, of: str) -> str:
        key = (symbol, of)
        if key not in self._names:
            self._names[key] = make_id(self._rng, "O")
        return self._names[key]

    def snapshot(self, symbol: str, depth: int, now_ns: int) -> Item:
        shown = self._shown.setdefault((symbol, depth), {})
        for name, side in SIDES:
            old = shown.get(name, {})
            now = self._now(symbol, side, depth, now_ns)
            shown[name] = {
                order_id: (*row[:2], old.get(order_id, row)[2]) for order_id, row in now.items()
            }
        items = {
            name: [self._row(symbol, order_id, row) for order_id, row in shown[name].items()]
            for name, _ in SIDES
        }
        head = {"symbol": symbol, "checksum": self._checksum(symbol, now_ns)}
        return {**head, **items, "timestamp": stamp_ns(now_ns)}

    def update(self, symbol: str, depth: int, now_ns: int) -> Item | None:
        """The orders that came, changed or went since the last call; None if none did."""
        shown = self._shown[symbol, depth]
        changes: dict[str, list[Item]] = {}
        for name, side in SIDES:
            old, now = shown[name], self._now(symbol, side, depth, now_ns)
            changes[name] = [
                {"event": "delete", **self._row(symbol, order_id, (*row[:2], now_ns))}
                for order_id, row in old.items()
                if order_id not in now
            ]
            for order_id, row in now.items():
                before = old.get(order_id)
                if before is not None and before[:2] == row[:2]:
                    now[order_id] = before
                    continue
                event = "add" if before is None else "modify"
                changes[name].append({"event": event, **self._row(symbol, order_id, row)})
            shown[name] = now
        if not any(changes.values()):
            return None
        head = {"checksum": self._checksum(symbol, now_ns), "timestamp": stamp_ns(now_ns)}
        return {**head, "symbol": symbol, **changes}

    def _row(self, symbol: str, order_id: str, row: Resting) -> Item:
        market = self._exchange.markets[symbol]
        price, quantity, at_ns = row
        return {
            "order_id": order_id,
            "limit_price": number(price, market.price_decimals),
            "order_qty": number(quantity, market.quantity_decimals),
            "timestamp": stamp_ns(at_ns),
        }

    def _checksum(self, symbol: str, now_ns: int) -> int:
        market = self._exchange.markets[symbol]
        decimals, lots = market.price_decimals, market.quantity_decimals
        rows = [
            *self._now(symbol, "sell", CHECKED, now_ns).values(),
            *self._now(symbol, "buy", CHECKED, now_ns).values(),
        ]
        return checksum([crc_part(row[0], row[1], decimals, lots) for row in rows])
