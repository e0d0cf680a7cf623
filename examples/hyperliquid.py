"""Place, replace and post at Hyperliquid's simulator: python examples/hyperliquid.py."""

import asyncio

import crosswire as cw


async def main() -> None:
    # On the venue: mode="testnet" or "live", address="0x...", secret_env="HYPERLIQUID_KEY" (the
    # private key of an API wallet), journal="journal".
    async with cw.connect("hyperliquid", mode="sim") as perps:
        book = await perps.book("BTC-PERP")
        print("best bid", book.best_bid, "best ask", book.best_ask)
        assert book.best_bid is not None
        order = await perps.place(
            "BTC-PERP", "buy", "0.001", limit=book.best_bid - 100, post_only=True
        )
        first = order.client_order_id
        await order.amend(limit=book.best_bid - 90)  # a new order in the old one's place
        print(order.status, "under another id:", order.client_order_id != first)
        limits = await perps.post_info({"type": "userRateLimit", "user": "0x" + "0" * 40})
        print("requests left", limits["nRequestsCap"] - limits["nRequestsUsed"])
        await order.cancel()
        print((await order.done()).status)


if __name__ == "__main__":
    asyncio.run(main())
