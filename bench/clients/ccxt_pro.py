"""A bot as one would write it with ccxt.pro: watch the book, edit the order; no checksums.

Runs in an environment of its own and imports nothing of ours.
"""

import asyncio
import sys

import ccxt.pro


async def main(port: int) -> None:
    """Follow the book, move the order to the best bid on every update."""
    exchange = ccxt.pro.kraken({"apiKey": "key", "secret": "c2VjcmV0", "enableRateLimit": False})
    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = http
    places = exchange.urls["api"]["ws"]
    places["public"] = places["publicV2"] = f"{ws}/v2"
    places["private"] = places["privateV2"] = f"{ws}/auth/v2"
    await exchange.load_markets()
    order = await exchange.create_order_ws("BTC/USD", "limit", "buy", 0.01, 60000.0)
    await exchange.watch_order_book("BTC/USD", 10)
    while True:
        book = await exchange.watch_order_book("BTC/USD", 10)
        price = book["bids"][0][0]
        await exchange.edit_order_ws(order["id"], "BTC/USD", "limit", "buy", 0.01, price)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
