"""ccxt and ccxt.pro on Hyperliquid, unchanged."""

import asyncio
from functools import partial
from typing import Any

import ccxt.pro

from tests.sdk.report import Place, Report, place
from tests.sdk.waiting import closing, limited, refusal

SYMBOL, COIN = "BTC/USDC:USDC", "BTC"
SPOT, BUILDER_PERP = "PURR/USDC", "XYZ-TSLA/USDC:USDC"
LOGIN = 3  # of the simulator's
LISTEN_S = 0.5  # for a subscription to be heard


def client(at: Place) -> Any:
    """Return an exchange whose places are the simulator's, signing as for the testnet."""
    address, secret = at.logins[LOGIN]
    exchange = ccxt.pro.hyperliquid(
        {"walletAddress": address, "privateKey": secret, "enableRateLimit": False}
    )
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = at.http
    exchange.urls["api"]["ws"]["public"] = f"{at.ws}/ws"
    exchange.options["sandboxMode"] = True
    return exchange


class Cases:
    """The cases, in the order in which one builds on the other."""

    def __init__(self, at: Place) -> None:
        self.at = at
        self.exchange = client(at)
        self.order: Any = {}
        self.bid = 0.0

    def low(self, below: float) -> float:
        """Return a price far below the market, a whole number."""
        return float(round(self.bid * below))

    def row(self, number: str) -> Any:
        """Return the simulator's own row of an order."""
        rows = [row for row in self.at.ledger()["orders"] if row["venue_order_id"] == number]
        assert len(rows) == 1, f"{len(rows)} orders have the number {number}"
        return rows[0]

    def fills(self, number: str) -> Any:
        """Return the simulator's own fills of an order."""
        return [row for row in self.at.ledger()["fills"] if row["venue_order_id"] == number]

    async def seen(self, waiting: Any, number: str, status: str) -> Any:
        """Return the order as `watch_orders` tells it, waiting until it is so."""
        while True:
            for row in await waiting:
                if row["id"] == number and row["status"] == status:
                    return row
            waiting = asyncio.ensure_future(self.exchange.watch_orders(SYMBOL))

    # --- markets ---

    async def load_markets(self) -> object:
        markets = await self.exchange.load_markets()
        assert {SYMBOL, SPOT, BUILDER_PERP} <= markets.keys(), list(markets)
        return f"{len(markets)} markets, {SYMBOL} {markets[SYMBOL]['precision']}"

    async def fetch_order_book(self) -> object:
        book = await self.exchange.fetch_order_book(SYMBOL)
        self.bid = book["bids"][0][0]
        assert self.bid < book["asks"][0][0]
        return f"bids from {book['bids'][0]}"

    async def watch_order_book(self) -> object:
        book = await self.exchange.watch_order_book(SYMBOL)
        self.bid, before = book["bids"][0][0], book["timestamp"]
        assert self.bid < book["asks"][0][0]
        self.at.switch("skip/6")
        later = await self.exchange.watch_order_book(SYMBOL)
        assert later["timestamp"] - before >= 4_500, "whole books come every 5 s"
        return f"{len(book['bids'])} bids from {book['bids'][0]}, asks from {book['asks'][0]}"

    async def watch_ticker(self) -> object:
        found = await self.exchange.watch_ticker(SYMBOL)
        assert found["last"] or found["close"]
        return f"last {found['last']}"

    async def watch_trades(self) -> object:
        await self.exchange.watch_trades(SYMBOL)
        waiting = asyncio.ensure_future(self.exchange.watch_trades(SYMBOL))
        await self.exchange.create_order(SYMBOL, "market", "buy", 0.0103, self.bid)
        found = await waiting
        assert found[-1]["symbol"] == SYMBOL
        return f"{found[-1]['side']} {found[-1]['amount']} at {found[-1]['price']}"

    async def watch_ohlcv(self) -> object:
        found = await self.exchange.watch_ohlcv(SYMBOL, "1m")
        _, opened, high, low, close, _ = found[-1]
        assert low <= min(opened, close) <= high
        return found[-1]

    # --- orders by REST ---

    async def create_order(self) -> object:
        price = self.low(0.8)
        self.order = await self.exchange.create_order(SYMBOL, "limit", "buy", 0.011, price)
        row = self.row(self.order["id"])
        assert (row["status"], row["quantity"], row["account"]) == ("open", "0.011", "ccxt")
        return f"{self.order['id']}: {row['side']} {row['quantity']} at {row['price']}"

    async def fetch_open_orders(self) -> object:
        rows = await self.exchange.fetch_open_orders(SYMBOL)
        assert [row["id"] for row in rows] == [self.order["id"]]
        assert rows[0]["amount"] == 0.011
        return f"{rows[0]['side']} {rows[0]['amount']} at {rows[0]['price']}"

    async def edit_order(self) -> object:
        old = self.order["id"]
        self.order = await self.exchange.edit_order(
            old, SYMBOL, "limit", "buy", 0.012, self.low(0.81)
        )
        assert self.row(old)["status"] == "canceled"
        row = self.row(self.order["id"])
        assert (row["status"], row["quantity"]) == ("open", "0.012")
        return f"{old} -> {self.order['id']}: {row['quantity']} at {row['price']}"

    async def fetch_order(self) -> object:
        row = await self.exchange.fetch_order(self.order["id"], SYMBOL)
        assert (row["status"], row["amount"]) == ("open", 0.012)
        return f"{row['status']} {row['amount']} at {row['price']}"

    async def cancel_order(self) -> object:
        await self.exchange.cancel_order(self.order["id"], SYMBOL)
        assert self.row(self.order["id"])["status"] == "canceled"
        assert not await self.exchange.fetch_open_orders(SYMBOL)
        return f"{self.order['id']} canceled"

    async def create_orders(self) -> object:
        one = {"symbol": SYMBOL, "type": "limit", "side": "buy"}
        asked = [{**one, "amount": 0.0131 + n / 1e4, "price": self.low(0.7)} for n in range(2)]
        made = [row["id"] for row in await self.exchange.create_orders(asked)]
        assert [self.row(number)["quantity"] for number in made] == ["0.0131", "0.0132"]
        await self.exchange.cancel_orders(made, SYMBOL)
        assert [self.row(number)["status"] for number in made] == ["canceled"] * 2
        return f"{made} made and canceled"

    async def create_market_order(self) -> object:
        made = await self.exchange.create_order(SYMBOL, "market", "buy", 0.0133, self.bid)
        fills = self.fills(made["id"])
        assert round(sum(float(row["quantity"]) for row in fills), 8) == 0.0133
        mine = [
            row for row in await self.exchange.fetch_my_trades(SYMBOL) if row["order"] == made["id"]
        ]
        assert len(mine) == len(fills)
        return f"{made['id']}: {mine[-1]['amount']} at {mine[-1]['price']}, fee {mine[-1]['fee']}"

    async def fetch_positions(self) -> object:
        (row,) = await self.exchange.fetch_positions([SYMBOL])
        assert row["side"] == "long"
        assert row["contracts"] >= 0.0133
        return f"{row['side']} {row['contracts']} from {row['entryPrice']}"

    async def fetch_balance(self) -> object:
        found = await self.exchange.fetch_balance()
        assert 99_000 < found["USDC"]["total"] < 101_000
        return found["USDC"]

    async def fetch_closed_orders(self) -> object:
        rows = await self.exchange.fetch_closed_orders(SYMBOL)
        assert rows
        return f"{len(rows)} orders, last {rows[-1]['status']}"

    # --- orders by WebSocket ---

    async def create_order_ws(self) -> object:
        waiting = asyncio.ensure_future(self.exchange.watch_orders(SYMBOL))
        await asyncio.sleep(LISTEN_S)
        self.order = await self.exchange.create_order_ws(
            SYMBOL, "limit", "buy", 0.014, self.low(0.8)
        )
        row = self.row(self.order["id"])
        assert (row["status"], row["quantity"]) == ("open", "0.014")
        seen = await self.seen(waiting, self.order["id"], "open")
        assert seen["amount"] == 0.014
        return f"{self.order['id']}, watch_orders saw {seen['status']} {seen['amount']}"

    async def edit_order_ws(self) -> object:
        old = self.order["id"]
        waiting = asyncio.ensure_future(self.exchange.watch_orders(SYMBOL))
        self.order = await self.exchange.edit_order_ws(
            old, SYMBOL, "limit", "buy", 0.0141, self.low(0.81)
        )
        assert self.row(old)["status"] == "canceled"
        assert self.row(self.order["id"])["quantity"] == "0.0141"
        seen = await self.seen(waiting, self.order["id"], "open")
        assert seen["amount"] == 0.0141
        return f"{old} -> {self.order['id']}, watch_orders saw {seen['status']}"

    async def cancel_order_ws(self) -> object:
        waiting = asyncio.ensure_future(self.exchange.watch_orders(SYMBOL))
        done = await self.exchange.cancel_order_ws(self.order["id"], SYMBOL)
        assert self.row(self.order["id"])["status"] == "canceled"
        seen = await self.seen(waiting, self.order["id"], "canceled")
        return f"{done['info']}, watch_orders saw {seen['status']}"

    async def watch_my_trades(self) -> object:
        await self.exchange.watch_my_trades(SYMBOL)  # the snapshot
        waiting = asyncio.ensure_future(self.exchange.watch_my_trades(SYMBOL))
        made = await self.exchange.create_order_ws(SYMBOL, "market", "buy", 0.0142, self.bid)
        found = await waiting
        assert found[-1]["order"] == made["id"], found[-1]
        (fill, *_) = self.fills(made["id"])
        assert found[-1]["price"] == float(fill["price"])
        return f"{found[-1]['amount']} at {found[-1]['price']}, fee {found[-1]['fee']}"

    # --- refusals ---

    async def post_only(self) -> object:
        price = float(round(self.bid * 1.01))
        return await self.exchange.create_order(
            SYMBOL, "limit", "buy", 0.01, price, {"postOnly": True}
        )

    async def insufficient_margin_ws(self) -> object:
        return await self.exchange.create_order_ws(SYMBOL, "limit", "buy", 70, self.low(0.8))

    async def cancel_again(self) -> object:
        return await self.exchange.cancel_order(self.order["id"], SYMBOL)

    async def wrong_signature(self) -> object:
        """One bit of ccxt's own signature is another."""
        exchange = client(self.at)
        sign = exchange.sign_hash

        def flipped(*words: Any) -> Any:
            signature = sign(*words)
            return {**signature, "s": hex(int(signature["s"], 16) ^ 4)}

        exchange.sign_hash = flipped
        return await closing(exchange, partial(self._order, exchange))

    async def wrong_network(self) -> object:
        """Signed as for the mainnet."""
        exchange = client(self.at)
        exchange.options["sandboxMode"] = False
        return await closing(exchange, partial(self._order, exchange))

    async def _order(self, exchange: Any) -> object:
        return await exchange.create_order(SYMBOL, "limit", "buy", 0.01, self.low(0.8))


GOOD = [
    "load_markets",
    "fetch_order_book",
    "watch_order_book",
    "watch_ticker",
    "watch_trades",
    "watch_ohlcv",
    "create_order",
    "fetch_open_orders",
    "edit_order",
    "fetch_order",
    "cancel_order",
    "create_orders",
    "create_market_order",
    "fetch_positions",
    "fetch_balance",
    "fetch_closed_orders",
    "create_order_ws",
    "edit_order_ws",
    "cancel_order_ws",
    "watch_my_trades",
]
REFUSED = {
    "post_only": "Post only order would have immediately matched, bbo was",
    "insufficient_margin_ws": "Insufficient margin to place order.",
    "cancel_again": "Order was never placed, already canceled, or filled.",
    "wrong_signature": "User or API Wallet 0x",
    "wrong_network": "User or API Wallet 0x",
}


async def main() -> None:
    """Run all cases."""
    cases, report = Cases(place()), Report("ccxt.pro on Hyperliquid")
    for name in GOOD:
        await report.wait(name, partial(limited, getattr(cases, name)))
    for name, text in REFUSED.items():
        await report.wait(name, partial(refusal, ccxt.BaseError, getattr(cases, name), text))
    await cases.exchange.close()
    report.end()


if __name__ == "__main__":
    asyncio.run(main())
