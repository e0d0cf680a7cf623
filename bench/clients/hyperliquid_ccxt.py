"""A bot as one would write it with ccxt.pro: watch the book, edit the order by post.

ccxt.pro has no `bbo` here, so it follows whole books. Runs in an environment of its own and
imports nothing of ours.
"""

import asyncio
import sys

import ccxt.pro

SYMBOL = "BTC/USDC:USDC"


async def main(port: int, key: str, address: str) -> None:
    """Follow the book, move the order to the best bid on every update."""
    exchange = ccxt.pro.hyperliquid(
        {"walletAddress": address, "privateKey": key, "enableRateLimit": False}
    )
    http = f"http://127.0.0.1:{port}"
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = http
    exchange.urls["api"]["ws"]["public"] = f"ws://127.0.0.1:{port}/ws"
    exchange.options["sandboxMode"] = True
    await exchange.load_markets()
    only = {"postOnly": True}
    order = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, 60000.0, only)
    await exchange.watch_order_book(SYMBOL)
    while True:
        book = await exchange.watch_order_book(SYMBOL)
        price = book["bids"][0][0]
        order = await exchange.edit_order_ws(order["id"], SYMBOL, "limit", "buy", 0.01, price, only)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
