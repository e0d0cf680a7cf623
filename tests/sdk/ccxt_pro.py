"""ccxt and ccxt.pro, unchanged."""

import asyncio
import base64
from functools import partial
from typing import Any

import ccxt.pro

from tests.sdk.report import WS_PAIR, Place, Report, place
from tests.sdk.waiting import closing, limited, refusal


def client(at: Place, number: int) -> Any:
    """Return an exchange whose places are the simulator's."""
    key, secret = at.logins[number]
    exchange = ccxt.pro.kraken({"apiKey": key, "secret": secret, "enableRateLimit": False})
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = at.http
    sockets = exchange.urls["api"]["ws"]
    sockets["public"] = sockets["publicV2"] = f"{at.ws}/v2"
    sockets["private"] = sockets["privateV2"] = f"{at.ws}/auth/v2"
    return exchange


class Cases:
    """The cases, in the order in which one builds on the other."""

    def __init__(self, at: Place) -> None:
        self.at = at
        self.exchange = client(at, 8)
        self.rest = client(at, 9)
        self.order: Any = {}
        self.ids: list[str] = []
        self.bid = 0.0

    def low(self, below: float) -> float:
        """Return a price far below the market, on the tick."""
        return round(self.bid * below, 1)

    async def load_markets(self) -> object:
        markets = await self.exchange.load_markets()
        row = markets[WS_PAIR]
        return f"{len(markets)} markets, {WS_PAIR} {row['precision']}"

    async def watch_order_book(self) -> object:
        book = await self.exchange.watch_order_book(WS_PAIR, 10)
        self.bid = book["bids"][0][0]
        assert self.bid < book["asks"][0][0]
        return f"{len(book['bids'])} bids from {book['bids'][0]}, asks from {book['asks'][0]}"

    async def watch_ticker(self) -> object:
        found = await self.exchange.watch_ticker(WS_PAIR)
        assert found["bid"] < found["ask"]
        return f"bid {found['bid']}, ask {found['ask']}"

    async def watch_trades(self) -> object:
        waiting = asyncio.ensure_future(self.exchange.watch_trades(WS_PAIR))
        await asyncio.sleep(0.5)
        await self.rest.create_order(WS_PAIR, "market", "buy", 0.0103)
        found = await waiting
        return f"{len(found)} trades, last {found[-1]['amount']} at {found[-1]['price']}"

    async def watch_ohlcv(self) -> object:
        found = await self.exchange.watch_ohlcv(WS_PAIR, "1m")
        return found[-1]

    async def watch_balance(self) -> object:
        found = await self.exchange.watch_balance()
        assert found["BTC"]["total"] > 0
        return f"BTC {found['BTC']['total']}, USD {found['USD']['total']}"

    async def create_order_ws(self) -> object:
        waiting = asyncio.ensure_future(self.exchange.watch_orders(WS_PAIR))
        await asyncio.sleep(0.5)
        self.order = await self.exchange.create_order_ws(
            WS_PAIR, "limit", "buy", 0.01, self.low(0.8)
        )
        assert self.order["id"]
        seen = await waiting
        assert seen[-1]["id"] == self.order["id"]
        return f"{self.order['id']}, watch_orders saw {seen[-1]['status']}"

    async def edit_order_ws(self) -> object:
        number = self.order["id"]
        edited = await self.exchange.edit_order_ws(
            number, WS_PAIR, "limit", "buy", 0.02, self.low(0.81)
        )
        row = (await self.rest.fetch_open_orders(WS_PAIR))[0]
        assert row["amount"] == 0.02
        return f"{edited['id']}, now {row['amount']} at {row['price']}"

    async def cancel_order_ws(self) -> object:
        done = await self.exchange.cancel_order_ws(self.order["id"])
        assert done["result"]["order_id"] == self.order["id"]
        return done["result"]

    async def cancel_orders_ws(self) -> object:
        ids = [
            (await self.exchange.create_order_ws(WS_PAIR, "limit", "buy", 0.01, self.low(below)))[
                "id"
            ]
            for below in (0.7, 0.71)
        ]
        await self.exchange.cancel_orders_ws(ids)
        await asyncio.sleep(0.5)  # it resolves on the first of two answers
        assert not await self.rest.fetch_open_orders(WS_PAIR)
        return f"{ids} gone"

    async def watch_my_trades(self) -> object:
        waiting = asyncio.ensure_future(self.exchange.watch_my_trades(WS_PAIR))
        await asyncio.sleep(0.5)
        made = await self.exchange.create_order_ws(WS_PAIR, "market", "buy", 0.0104)
        found = await waiting
        assert found[-1]["order"] == made["id"], found[-1]
        return f"{found[-1]['amount']} at {found[-1]['price']}, fee {found[-1]['fee']}"

    async def create_order(self) -> object:
        self.order = await self.rest.create_order(WS_PAIR, "limit", "buy", 0.01, self.low(0.8))
        return self.order["id"]

    async def fetch_open_orders(self) -> object:
        rows = await self.rest.fetch_open_orders(WS_PAIR)
        assert [row["id"] for row in rows] == [self.order["id"]]
        return f"{rows[0]['side']} {rows[0]['amount']} at {rows[0]['price']}"

    async def edit_order(self) -> object:
        edited = await self.rest.edit_order(
            self.order["id"], WS_PAIR, "limit", "buy", 0.015, self.low(0.81)
        )
        return edited["id"]

    async def cancel_order(self) -> object:
        row = (await self.rest.fetch_open_orders(WS_PAIR))[0]
        return (await self.rest.cancel_order(row["id"], WS_PAIR))["id"]

    async def fetch_closed_orders(self) -> object:
        rows = await self.rest.fetch_closed_orders(WS_PAIR)
        assert rows
        return f"{len(rows)} orders, last {rows[-1]['status']}"

    async def fetch_my_trades(self) -> object:
        rows = await self.rest.fetch_my_trades(WS_PAIR)
        assert any(row["amount"] == 0.0104 for row in rows)
        return f"{len(rows)} fills, last {rows[-1]['amount']} at {rows[-1]['price']}"

    async def fetch_balance(self) -> object:
        found = await client(self.at, 10).fetch_balance()
        return f"BTC {found['BTC']['total']}, USD {found['USD']['total']}"

    async def fetch_order_book(self) -> object:
        book = await self.rest.fetch_order_book(WS_PAIR, 10)
        return f"bids from {book['bids'][0]}"

    # --- refusals ---

    async def insufficient_funds(self) -> object:
        return await self.exchange.create_order_ws(WS_PAIR, "limit", "buy", 100000, self.low(0.8))

    async def wrong_signature(self) -> object:
        exchange = client(self.at, 10)
        sign = exchange.sign

        def flipped(*words: Any, **named: Any) -> Any:
            request = sign(*words, **named)
            if "API-Sign" in (request.get("headers") or {}):
                mac = bytearray(base64.b64decode(request["headers"]["API-Sign"]))
                mac[0] ^= 1
                request["headers"]["API-Sign"] = base64.b64encode(mac).decode()
            return request

        exchange.sign = flipped
        return await closing(exchange, exchange.fetch_balance)

    async def old_nonce(self) -> object:
        exchange = client(self.at, 11)
        await exchange.fetch_balance()
        exchange.incrementing_nonce = lambda: 1616492376594
        return await closing(exchange, exchange.fetch_balance)

    async def unknown_key(self) -> object:
        exchange = client(self.at, 10)
        exchange.apiKey = "nobody"
        return await closing(exchange, exchange.fetch_balance)


GOOD = [
    "load_markets",
    "watch_order_book",
    "watch_ticker",
    "watch_trades",
    "watch_ohlcv",
    "watch_balance",
    "create_order_ws",
    "edit_order_ws",
    "cancel_order_ws",
    "cancel_orders_ws",
    "watch_my_trades",
    "create_order",
    "fetch_open_orders",
    "edit_order",
    "cancel_order",
    "fetch_closed_orders",
    "fetch_my_trades",
    "fetch_balance",
    "fetch_order_book",
]
REFUSED = {
    "insufficient_funds": "EOrder:Insufficient funds",
    "wrong_signature": "EAPI:Invalid signature",
    "old_nonce": "EAPI:Invalid nonce",
    "unknown_key": "EAPI:Invalid key",
}


async def main() -> None:
    """Run all cases."""
    cases, report = Cases(place()), Report("ccxt.pro")
    for name in GOOD:
        await report.wait(name, partial(limited, getattr(cases, name)))
    for name, text in REFUSED.items():
        await report.wait(name, partial(refusal, ccxt.BaseError, getattr(cases, name), text))
    await cases.exchange.close()
    await cases.rest.close()
    report.end()


if __name__ == "__main__":
    asyncio.run(main())
