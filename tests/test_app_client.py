"""The Python API against embedded simulators, and in paper mode against a hosted one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import crosswire as cw
from crosswire.app.hosting import SimWish, build
from crosswire.net.host import hosted
from crosswire.venues import NAMES, venue

VENUE = NAMES[0]
PAIR = "BTC/USD"
Story = Callable[[cw.Client], Awaitable[None]]


def play(story: Story, **options: Any) -> None:
    """Run a story with a client of a simulator in this process."""

    async def run() -> None:
        async with cw.connect(VENUE, mode="sim", latency_ms=0, **options) as client:
            await story(client)

    asyncio.run(run())


async def far_price(client: cw.Client) -> Decimal:
    book = await client.book(PAIR)
    assert book.best_bid is not None
    return book.best_bid - 1_000


def test_an_order_lives_from_place_to_cancel() -> None:
    async def story(client: cw.Client) -> None:
        price = await far_price(client)
        order = await client.place(PAIR, "buy", "0.01", limit=price, post_only=True)
        assert (order.status, order.price, order.quantity) == ("OPEN", price, Decimal("0.01"))
        assert order.venue_order_id
        await order.amend(limit=price - 1, quantity="0.02")
        assert (order.price, order.quantity) == (price - 1, Decimal("0.02"))
        assert [o.client_order_id for o in client.orders(open_only=True)] == [order.client_order_id]
        await order.cancel()
        assert (await order.done()).status == "CANCELED"
        assert client.orders(open_only=True) == []
        assert client.order(order.venue_order_id).client_order_id == order.client_order_id

    play(story)


def test_a_market_order_fills_and_is_heard_and_counted() -> None:
    async def story(client: cw.Client) -> None:
        heard: list[cw.Execution] = []
        seen: list[str] = []

        async def status(update: cw.Update) -> None:
            seen.append(update.status)

        client.on_execution(heard.append)
        client.on_status(status)
        order = await client.place(PAIR, "buy", "0.01")
        updates = [update async for update in order]
        assert updates[-1].status == "FILLED"
        assert updates[-1].average_price is not None
        await asyncio.sleep(0)
        assert sum(fill.quantity for fill in heard) == Decimal("0.01")
        assert seen[-1] == "FILLED"
        assert client.fills()[0] == heard[-1]
        assert (await client.history(5))[0] == heard[-1]
        assert (await client.history(5_000))[0] == heard[-1]
        assert client.positions()[PAIR].quantity == Decimal("0.01")
        balances = await client.balances()
        assert balances["BTC"] == Decimal("20.01")
        statistics = client.statistics()
        assert statistics["orders_submitted"] == 1
        assert statistics["orders_filled"] == 1
        assert statistics["websocket_orders"] == 1
        assert statistics["websocket_connected"] is True
        assert statistics["doubts_open"] == 0

    play(story)


def test_statistics_have_what_the_design_names() -> None:
    names = (
        "orders_submitted orders_filled orders_cancelled orders_rejected websocket_orders "
        "rest_fallback_orders execution_messages_processed active_orders_count "
        "websocket_connected websocket_authenticated circuit_breaker_active doubts_open "
        "doubts_opened doubts_settled corrections late_accepts rest_orders fallbacks "
        "breaker_openings websocket_breaker rest_breaker transport_mode"
    )

    async def story(client: cw.Client) -> None:
        assert set(names.split()) <= set(client.statistics())

    play(story)


def test_the_venues_refusal_is_raised_with_its_own_text() -> None:
    async def story(client: cw.Client) -> None:
        price = await far_price(client)
        with pytest.raises(cw.Rejected, match="Insufficient funds") as caught:
            await client.place(PAIR, "sell", "5", limit=price + 3_000)
        assert "Insufficient funds" in caught.value.reason
        assert client.statistics()["orders_rejected"] == 1

    play(story, balances={"USD": "100", "BTC": "1"})


def test_our_own_refusal_names_the_rule_and_both_numbers() -> None:
    async def story(client: cw.Client) -> None:
        price = await far_price(client)
        with pytest.raises(cw.Refused) as caught:
            await client.place(PAIR, "buy", "1", limit=price)
        assert caught.value.rule == "order notional"
        assert caught.value.limit == "1000"
        assert Decimal(caught.value.actual) == price

    play(story, risk={"max_order_notional": "1000"})


def test_a_float_is_refused_with_the_fix() -> None:
    async def story(client: cw.Client) -> None:
        wrong: Any = 0.01
        with pytest.raises(cw.UserError, match="is a float; write"):
            await client.place(PAIR, "buy", wrong)
        side: Any = "bye"
        with pytest.raises(cw.UserError, match="expected buy or sell"):
            await client.place(PAIR, side, "0.01")

    play(story)


def test_an_unknown_instrument_is_one_clear_line() -> None:
    async def story(client: cw.Client) -> None:
        with pytest.raises(cw.UserError, match='no instrument "NOPE/USD"'):
            await client.book("NOPE/USD")
        with pytest.raises(cw.UserError, match='no instrument "BTCC/USD"'):
            await client.place("BTCC/USD", "buy", "1")

    play(story)


def test_a_batch_has_one_verdict_each_and_batch_and_all_cancel() -> None:
    async def story(client: cw.Client) -> None:
        price = await far_price(client)
        wishes = [cw.Wish(PAIR, "buy", "0.01", limit=price - step) for step in range(3)]
        orders = await client.place_batch([*wishes, cw.Wish(PAIR, "sell", "0.5")])
        placed = [order for order in orders if isinstance(order, cw.PlacedOrder)]
        assert len(placed) == len(orders) == 4
        await client.cancel_batch(placed[:2])
        for order in placed[:2]:
            assert (await order.done()).status == "CANCELED"
        await client.cancel_all()
        assert (await placed[2].done()).status == "CANCELED"
        assert client.orders(open_only=True) == []

    play(story)


def test_a_callback_that_raises_is_logged_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(client: cw.Client) -> None:
        def raising(update: cw.Update) -> None:
            raise ValueError("my own mistake")

        async def raising_later(update: cw.Update) -> None:
            raise ValueError("my own later mistake")

        client.on_status(raising)
        client.on_status(raising_later)
        order = await client.place(PAIR, "buy", "0.01")
        assert (await order.done()).status == "FILLED"
        assert client.trader.failure is None

    with caplog.at_level(logging.ERROR):
        play(story)
    assert "my own mistake" in caplog.text
    assert "my own later mistake" in caplog.text


def test_leaving_cancels_what_is_open_and_the_journal_says_so(tmp_path: Path) -> None:
    orders: list[cw.PlacedOrder] = []

    async def story(client: cw.Client) -> None:
        price = await far_price(client)
        orders.append(await client.place(PAIR, "buy", "0.01", limit=price))

    play(story, journal=tmp_path)
    assert orders[0].status == "CANCELED"
    assert (tmp_path / "ring").exists()


def test_public_trades_are_kept_newest_first() -> None:
    async def story(client: cw.Client) -> None:
        await client.trades(PAIR)
        await (await client.place(PAIR, "buy", "0.01")).done()
        trades = await client.trades(PAIR)
        assert trades
        assert trades == sorted(trades, key=lambda trade: -trade.at_ns)

    play(story)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mode": "lvie"}, "expected one of sim, paper, testnet, live"),
        ({"mode": "live"}, "needs journal="),
        ({"mode": "live", "journal": "x"}, "max_order_notional"),
        ({"bot": "A Bot"}, "bot: expected a name"),
        ({"risk": {"max_ordr": "1"}}, "risk.max_ordr: unknown key"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(cw.UserError, match=expected):
        cw.connect(VENUE, **options)


def test_an_unknown_venue_is_refused_at_once() -> None:
    with pytest.raises(cw.UserError, match="expected a venue's name"):
        cw.connect("nowhere")


@pytest.mark.parametrize("name", NAMES)
def test_paper_trades_on_the_real_book_without_a_private_call(name: str) -> None:
    real = build(SimWish(venue=name, account="somebody"))
    pair = venue(name).stage.instrument
    calls: list[str] = []
    asked = real.asked

    def listening(key: int, request: Any, now_ns: int) -> None:
        calls.append(request.path)
        asked(key, request, now_ns)

    vars(real)["asked"] = listening

    async def run() -> None:
        async with hosted(real) as port:
            hosts = venue(name).local_hosts(f"127.0.0.1:{port}")
            place = {"rest": hosts.rest, "ws": hosts.ws, "ws_private": hosts.ws_private}
            async with cw.connect(name, mode="paper", hosts=place, latency_ms=0) as client:
                book = await client.book(pair)
                order = await client.place(pair, "buy", "0.01")
                assert (await order.done()).status == "FILLED"
                assert order.average_price is not None
                assert book.best_ask is not None
                assert abs(order.average_price - book.best_ask) < 100
        ledger: Any = real.ledger()
        assert ledger["fills"] == []
        assert ledger["requests"] == []
        assert not [path for path in calls if "private" in path or "exchange" in path]

    asyncio.run(run())
