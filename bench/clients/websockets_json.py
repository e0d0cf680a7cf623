"""A bot as one would write it with websockets and json: two connections, dicts for the book."""

import asyncio
import json
import sys

import websockets


async def main(port: int) -> None:
    """Follow the book, move the order to the best bid on every update."""
    url = f"ws://127.0.0.1:{port}"
    async with (
        websockets.connect(f"{url}/auth/v2") as orders,
        websockets.connect(f"{url}/v2") as feed,
    ):
        params = {"channel": "book", "symbol": ["BTC/USD"], "depth": 10}
        await feed.send(json.dumps({"method": "subscribe", "params": params, "req_id": 1}))
        answers = asyncio.create_task(drain(orders))
        book: dict[str, dict[float, float]] = {"bids": {}, "asks": {}}
        number = 0
        async for text in feed:
            frame = json.loads(text)
            if frame.get("channel") != "book":
                continue
            for side, levels in book.items():
                for level in frame["data"][0][side]:
                    if level["qty"]:
                        levels[level["price"]] = level["qty"]
                    else:
                        levels.pop(level["price"], None)
            if frame["type"] == "update":
                number += 1
                await orders.send(amend(max(book["bids"]), number))
        answers.cancel()


async def drain(orders: websockets.ClientConnection) -> None:
    """Take the answers to the orders off the socket."""
    async for _ in orders:
        pass


def amend(price: float, number: int) -> str:
    """Return the request that moves the order."""
    params = {
        "cl_ord_id": "00000000000000000000000000000001",
        "order_qty": 0.01,
        "limit_price": price,
        "post_only": True,
        "deadline": "2026-08-26T15:16:21.730Z",
        "token": "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw",
    }
    return json.dumps({"method": "amend_order", "params": params, "req_id": number})


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
