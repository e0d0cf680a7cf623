"""Place, follow, amend and cancel one order: python examples/quickstart.py."""

import asyncio

import crosswire as cw


async def main() -> None:
    async with cw.connect("kraken", mode="sim") as kraken:
        book = await kraken.book("BTC/USD")
        print("best bid", book.best_bid, "best ask", book.best_ask)
        assert book.best_bid is not None
        order = await kraken.place(
            "BTC/USD", "buy", "0.01", limit=book.best_bid - 100, post_only=True
        )
        print(order)
        await order.amend(limit=book.best_bid - 90)
        await order.cancel()
        async for update in order:
            print(update.status, update.filled, update.average_price)


if __name__ == "__main__":
    asyncio.run(main())
