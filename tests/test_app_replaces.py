"""The Python API at a venue that replaces orders, against its simulator in this process."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

import crosswire as cw
from crosswire.app.placed import Number
from crosswire.app.wiring import CANCELS_NONCES

VENUE = "hyperliquid"
PERP, SPOT = "BTC-PERP", "PURR/USDC"
Story = Callable[[cw.Client], Awaitable[None]]


def play(story: Story, **options: Any) -> None:
    """Run a story with a client of a simulator in this process."""

    async def run() -> None:
        async with asyncio.timeout(60):
            async with cw.connect(VENUE, mode="sim", latency_ms=0, **options) as client:
                await story(client)

    asyncio.run(run())


async def far(client: cw.Client, away: Number = 1_000) -> Decimal:
    book = await client.book(PERP)
    assert book.best_bid is not None
    return book.best_bid - Decimal(away)


def test_an_amended_order_is_a_new_one_under_the_same_handle() -> None:
    async def story(client: cw.Client) -> None:
        price = await far(client)
        order = await client.place(PERP, "buy", "0.01", limit=price, post_only=True)
        first = (order.client_order_id, order.venue_order_id)
        told = aiter(order)
        await order.amend(limit=price - 1, quantity="0.012")
        assert (order.status, order.price, order.quantity) == ("OPEN", price - 1, Decimal("0.012"))
        assert order.client_order_id != first[0]
        assert order.venue_order_id not in ("", first[1])
        second = order.client_order_id
        await order.amend(limit=price - 2)
        await order.amend(quantity="0.01")
        assert (order.price, order.quantity) == (price - 2, Decimal("0.01"))
        assert [each.client_order_id for each in client.orders(open_only=True)] == [
            order.client_order_id
        ]
        assert client.order(order.client_order_id) is order
        assert (await client.order(first[0]).done()).status == "CANCELED"
        await order.cancel()
        assert (await order.done()).status == "CANCELED"
        updates = [update async for update in told]
        ends = [update for update in updates if update.status == "CANCELED"]
        assert ends[0].client_order_id == first[0]
        assert ends[0].replaced_by == second
        assert ends[-1].client_order_id == order.client_order_id
        assert len(ends) == 4

    play(story)


def test_an_amend_of_an_order_that_filled_meanwhile_leaves_the_handle_on_it() -> None:
    async def story(client: cw.Client) -> None:
        book = await client.book(PERP)
        assert book.best_ask is not None
        resting = await client.place(PERP, "buy", "0.001", limit=book.best_ask - 200)
        own = resting.client_order_id
        amends = asyncio.gather(
            resting.amend(limit=book.best_ask + 100),
            resting.amend(limit=book.best_ask + 101),
            return_exceptions=True,
        )
        one, other = await amends
        assert one is None
        # The first took and filled; the second found nothing to replace.
        assert isinstance(other, cw.Rejected), other
        assert (await resting.done()).status == "FILLED"
        assert resting.client_order_id != own
        assert resting.filled == Decimal("0.001")
        with pytest.raises(cw.Rejected, match="the order is over"):
            await resting.amend(quantity="0.002")

    play(story)


def test_what_a_market_order_is_there_is_made_here() -> None:
    async def story(client: cw.Client) -> None:
        order = await client.place(PERP, "buy", "0.001")
        assert (await order.done()).status == "FILLED"
        back = await client.place(PERP, "sell", "0.001", reduce_only=True)
        assert (await back.done()).status == "FILLED"
        assert client.positions()[PERP].quantity == 0

    play(story)


def test_a_price_off_the_grid_is_told_its_neighbours() -> None:
    async def story(client: cw.Client) -> None:
        price = (await far(client)).to_integral_value()
        with pytest.raises(cw.Refused, match=f"{price} or {price + 1}"):
            await client.place(PERP, "buy", "0.01", limit=price + Decimal("0.5"))
        order = await client.place(PERP, "buy", "0.01", limit=price)
        with pytest.raises(cw.Refused, match=f"{price - 1} or {price}"):
            await order.amend(limit=price - Decimal("0.5"))
        assert order.status == "OPEN"

    play(story)


def test_spot_is_traded_beside_perps() -> None:
    async def story(client: cw.Client) -> None:
        order = await client.place(SPOT, "buy", "100")
        assert (await order.done()).filled > 0
        balances = await client.balances()
        assert balances["PURR"] > 1_000_000
        assert {"USDC", "spot:USDC"} <= balances.keys()

    play(story)


def test_posts_are_answered_in_the_venues_own_words() -> None:
    async def story(client: cw.Client) -> None:
        assert client.has_ws
        book = await client.post_info({"type": "l2Book", "coin": "BTC"})
        assert book["coin"] == "BTC"
        answer = await client.post_action({"type": "noop"}, timeout=5)
        assert answer == {"status": "ok", "response": {"type": "default"}}
        answer = await client.post_action(
            {"type": "cancel", "cancels": [{"a": 0, "o": 123}]}, timeout=5
        )
        assert "error" in answer["response"]["data"]["statuses"][0]
        with pytest.raises(cw.UserError, match="not sent"):
            await client.post_action({"type": "cancel", "cancels": [{"a": 0.5, "o": 1}]})

    play(story)


def test_at_the_ceiling_of_its_nonces_only_cancels_are_sent() -> None:
    async def story(client: cw.Client) -> None:
        price = await far(client)
        order = await client.place(PERP, "buy", "0.01", limit=price)
        trader = client.trader
        trader.journal.clock_nonces.ceiling_ns = trader.now_ns() + CANCELS_NONCES * 1_000_000
        with pytest.raises(cw.Rejected, match=r"not sent: .*ceiling"):
            await client.place(PERP, "buy", "0.01", limit=price)
        with pytest.raises(cw.UserError, match=r"not sent: .*ceiling"):
            await client.post_action({"type": "noop"})
        with pytest.raises(cw.Rejected, match=r"not sent: .*ceiling"):
            await order.amend(limit=price - 1)
        assert order.status == "OPEN"
        await order.cancel()
        assert (await order.done()).status == "CANCELED"

    play(story)


def test_other_venues_have_no_posts() -> None:
    async def story() -> None:
        async with cw.connect("kraken", mode="sim") as client:
            with pytest.raises(cw.UserError, match="takes no posts"):
                await client.post_action({"type": "noop"})
            with pytest.raises(cw.UserError, match="takes no posts"):
                _ = client.has_ws

    asyncio.run(story())
