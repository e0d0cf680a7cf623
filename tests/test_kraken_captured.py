"""Every recording is read, or listed here by name with the reason why it does not apply."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crosswire.book import Book
from crosswire.domain import BookChanged, BookReset, Instrument, ReadFailed, Unreadable
from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode import rest
from crosswire.venues.kraken.decode.messages import ChannelMessage, Message
from crosswire.venues.kraken.decode.names import Names
from crosswire.venues.kraken.decode.websocket import Decoder

# Which struct reads the result of which recorded REST answer.
ORDERS = dict[str, wire.RestOrder]
TRADES = dict[str, wire.RestTrade]
BALANCES = dict[str, Decimal | wire.RestBalance]
LEDGER = dict[str, wire.RestLedgerRow]
TICKERS = dict[str, wire.RestTicker]
BOOKS = dict[str, wire.RestBook]
ASSETS = dict[str, wire.RestAsset]
PAIRS = dict[str, wire.RestAssetPair]
REST: dict[str, Any] = {
    "doc_examples/assets_2026.json": ASSETS,
    "doc_examples/system_status_2026.json": wire.RestStatus,
    "kraken_async_rs/closed_orders_page_1.json": wire.RestClosedOrders,
    "kraken_async_rs/closed_orders_page_2.json": wire.RestClosedOrders,
    "kraken_async_rs/closed_orders_page_3.json": wire.RestClosedOrders,
    "kraken_net/Endpoints_Spot_Account_GetAvailableBalances.json": BALANCES,
    "kraken_net/Endpoints_Spot_Account_GetBalances.json": BALANCES,
    "kraken_net/Endpoints_Spot_Account_GetLedgerInfo.json": wire.RestLedgers,
    "kraken_net/Endpoints_Spot_Account_GetLedgersEntry.json": LEDGER,
    "kraken_net/Endpoints_Spot_ExchangeData_GetAssets.json": ASSETS,
    "kraken_net/Endpoints_Spot_ExchangeData_GetOrderBook.json": BOOKS,
    "kraken_net/Endpoints_Spot_ExchangeData_GetSystemStatus.json": wire.RestStatus,
    "kraken_net/Endpoints_Spot_ExchangeData_GetTicker.json": TICKERS,
    "kraken_net/Endpoints_Spot_Trading_CancelAllOrders.json": wire.RestCancel,
    "kraken_net/Endpoints_Spot_Trading_CancelAllOrdersAfter.json": wire.RestCancelAfter,
    "kraken_net/Endpoints_Spot_Trading_CancelMultipleOrders.json": wire.RestCancel,
    "kraken_net/Endpoints_Spot_Trading_EditOrder.json": wire.RestEditOrder,
    "kraken_net/Endpoints_Spot_Trading_GetOrders2.json": ORDERS,
    "kraken_net/Endpoints_Spot_Trading_GetUserTradeDetails.json": TRADES,
    "kraken_net/Endpoints_Spot_Trading_PlaceMultipleOrders.json": wire.RestAddOrderBatch,
    "kraken_net/JsonResponses_SpotAccount_GetBalancesAsync.json": BALANCES,
    "kraken_net/JsonResponses_SpotAccount_GetLedgerInfoAsync.json": wire.RestLedgers,
    "kraken_net/JsonResponses_SpotAccount_GetTradeVolumeAsync.json": wire.RestTradeVolume,
    "kraken_net/JsonResponses_SpotExchangeData_GetAssetsAsync.json": ASSETS,
    "kraken_net/JsonResponses_SpotExchangeData_GetSymbolsAsync.json": PAIRS,
    "kraken_net/JsonResponses_SpotExchangeData_GetSystemStatusAsync.json": wire.RestStatus,
    "kraken_net/JsonResponses_SpotExchangeData_GetTickerAsync.json": TICKERS,
    "kraken_net/JsonResponses_SpotTrading_CancelOrderAsync.json": wire.RestCancel,
    "kraken_net/JsonResponses_SpotTrading_GetClosedOrdersAsync.json": wire.RestClosedOrders,
    "kraken_net/JsonResponses_SpotTrading_GetOrderAsync.json": ORDERS,
    "kraken_net/JsonResponses_SpotTrading_GetUserTradeDetailsAsync.json": TRADES,
    "kraken_net/JsonResponses_SpotTrading_GetUserTradesAsync.json": wire.RestTradesHistory,
    "nautilus/http_asset_pairs_tokenized.json": PAIRS,
    "nautilus/http_cancel_order_spot.json": wire.RestCancel,
    "nautilus/http_order_book.json": BOOKS,
    "nautilus/http_system_status.json": wire.RestStatus,
    "nautilus/http_ticker.json": TICKERS,
    "nautilus/http_trades_history.json": wire.RestTradesHistory,
    "xchange/example-addorder-response-data.json": wire.RestAddOrder,
    "xchange/example-assetpairs-data.json": PAIRS,
    "xchange/example-assets-data.json": ASSETS,
    "xchange/example-balance-data.json": BALANCES,
    "xchange/example-krakenWebsocketToken-data.json": wire.RestToken,
    "xchange/example-openorders-data.json": wire.RestOpenOrders,
    "xchange/example-order-data.json": wire.RestAddOrder,
    "xchange/example-ticker-data.json": TICKERS,
    "xchange/example-tradehistory-data.json": wire.RestTradesHistory,
    "xchange/example-tradehistory-icn.json": wire.RestTradesHistory,
    "xchange/example-tradevolume-data-2.json": wire.RestTradeVolume,
    "xchange/example-tradevolume-data.json": wire.RestTradeVolume,
}
FRAMES = {
    "kraken_async_rs/ws_private.jsonl",
    "kraken_async_rs/ws_public.jsonl",
    "kraken_async_rs/ws_method_responses.jsonl",
    "nautilus/ws_add_order_response_failure.json",
    "nautilus/ws_add_order_response_success.json",
    "nautilus/ws_book_update.json",
    "nautilus/ws_l3_snapshot.json",
    "nautilus/ws_l3_update_modify_price.json",
    "nautilus/ws_l3_update_modify_qty.json",
    "nautilus/ws_pong.json",
    "nautilus/ws_subscribe_response.json",
    "nautilus/ws_ticker_snapshot.json",
    "nautilus/ws_trade_update.json",
    "raw_v2/book_algo_usd_d10.ndjson",
    "raw_v2/book_eth_btc_d10.ndjson",
    "raw_v2/book_mina_gbp_d25.ndjson",
    "raw_v2/executions_amend_cancel.ndjson",
    "raw_v2/misc_frames.ndjson",
}
BOOKS_WITH_CHECKSUMS = {
    "raw_v2/book_algo_usd_d10.ndjson": (5, 1, 10),
    "raw_v2/book_eth_btc_d10.ndjson": (6, 1, 10),
    "raw_v2/book_mina_gbp_d25.ndjson": (4, 24, 25),
}
V1 = "the first WebSocket API, which is not spoken here"
FUNDING = "deposits, withdrawals and earn are not part of execution"
MARGIN = "margin positions are not traded here"
CANDLES = "public history is not read: strategies get live candles"
REQUEST = "a request: what we would send, not what we read"
NOT_APPLICABLE = {
    "SOURCES.md": "the list of sources",
    "cryptofeed/ws_v1_trade_2021.txt": V1,
    "gocryptotrader/wsAllTrades.jsonl": V1,
    "gocryptotrader/wsHandleData.jsonl": V1,
    "gocryptotrader/wsOpenTrades.jsonl": V1,
    "kraken_net/Endpoints_Spot_Account_CancelWithdrawal.json": FUNDING,
    "kraken_net/Endpoints_Spot_Account_GetApiKeyInfo.json": "keys are not managed here",
    "kraken_net/Endpoints_Spot_Account_GetDepositStatus.json": FUNDING,
    "kraken_net/Endpoints_Spot_Account_GetOpenPositions.json": MARGIN,
    "kraken_net/Endpoints_Spot_Account_GetTradeBalance.json": MARGIN,
    "kraken_net/Endpoints_Spot_Account_GetWithdrawAddressesAsync.json": FUNDING,
    "kraken_net/Endpoints_Spot_Account_GetWithdrawalStatus.json": FUNDING,
    "kraken_net/Endpoints_Spot_Account_Withdraw.json": FUNDING,
    "kraken_net/Endpoints_Spot_Earn_AllocateEarnFunds.json": FUNDING,
    "kraken_net/Endpoints_Spot_Earn_DeallocateEarnFunds.json": FUNDING,
    "kraken_net/Endpoints_Spot_Earn_GetAllocationStatus.json": FUNDING,
    "kraken_net/Endpoints_Spot_Earn_GetDeallocationStatus.json": FUNDING,
    "kraken_net/Endpoints_Spot_ExchangeData_GetKlines.json": CANDLES,
    "kraken_net/Endpoints_Spot_ExchangeData_GetRecentSpread.json": CANDLES,
    "kraken_net/Endpoints_Spot_ExchangeData_GetTradeHistory.json": CANDLES,
    "kraken_net/JsonResponses_SpotAccount_GetDepositAddressesAsync.json": FUNDING,
    "kraken_net/JsonResponses_SpotAccount_GetDepositMethodsAsync.json": FUNDING,
    "kraken_net/JsonResponses_SpotAccount_GetDepositStatusAsync.json": FUNDING,
    "kraken_net/JsonResponses_SpotAccount_GetOpenPositionsAsync.json": MARGIN,
    "kraken_net/JsonResponses_SpotAccount_GetTradeBalanceAsync.json": MARGIN,
    "kraken_net/JsonResponses_SpotAccount_GetWithdrawInfoAsync.json": FUNDING,
    "nautilus/http_spot_open_positions.json": MARGIN,
    "nautilus/http_spot_trade_balance.json": MARGIN,
    "nautilus/http_trades.json": CANDLES,
    "nautilus/ws_amend_order_request.json": REQUEST,
    "nautilus/ws_cancel_order_request.json": REQUEST,
    "xchange/connectionDetails.json": V1,
    "xchange/example-deposit-methods-trx.json": FUNDING,
    "xchange/example-deposit-methods-usdt.json": FUNDING,
    "xchange/example-deposit-methods-xrp.json": FUNDING,
    "xchange/example-ohlc-data.json": CANDLES,
    "xchange/example-spreads-data.json": CANDLES,
    "xchange/example-trades-data.json": CANDLES,
    "xchange/orderBookMessageSnapshot.json": V1,
    "xchange/orderBookMessageUpdate00.json": V1,
    "xchange/orderBookMessageUpdate02.json": V1,
    "xchange/subscriptionConfirmation.json": V1,
    "xchange/trades.json": V1,
}
# Read by tests of their own below.
SPECIAL = {"python-kraken-sdk/orderbook-v2.json", "kraken_async_rs/rest_errors_and_rest.jsonl"}
# Lines of a file of frames that are no frames.
NO_FRAMES = {
    '{"timestamp":"2024-05-18T11:00:37.240691Z","order_status":"new",': "a part of a frame",
    '{"method":"amend_order","params":': REQUEST,
}
PRIVATE = ("executions", "balances")


@pytest.fixture(scope="session")
def folder(captures: Path) -> Path:
    return captures / "kraken" / "captured"


def test_every_recording_is_accounted_for(folder: Path) -> None:
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(REST) | FRAMES | set(NOT_APPLICABLE) | SPECIAL


@pytest.mark.parametrize("name", REST)
def test_rest_recording_is_read(folder: Path, name: str) -> None:
    got = rest.answer(200, (folder / name).read_bytes(), REST[name])
    assert got.verdict == "", got.reason
    assert got.result is not None


def frames(path: Path) -> Iterator[bytes]:
    if path.suffix == ".json":
        yield path.read_bytes()
        return
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith(tuple(NO_FRAMES)):
            yield line.encode()


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_frames_are_read(folder: Path, name: str) -> None:
    read: list[Message] = []
    for payload in frames(folder / name):
        is_private = any(f'"channel":"{name}"'.encode() in payload for name in PRIVATE)
        decoder = Decoder(session="s", connection="c", is_private=is_private)
        read.append(decoder.frame(payload, 1))
    assert read
    assert not [message for message in read if isinstance(message, Unreadable)]
    events = [e for message in read if isinstance(message, ChannelMessage) for e in message.events]
    assert not [event for event in events if isinstance(event, Unreadable)]


def instrument(symbol: str, price_decimals: int) -> Instrument:
    base, quote = symbol.split("/")
    name = f"kraken:{symbol}"
    ticks = (10 ** (10 - price_decimals), 100, price_decimals, 8)
    return Instrument(name, "kraken", symbol, "spot", base, quote, *ticks, 1, 0)


@pytest.mark.parametrize("name", BOOKS_WITH_CHECKSUMS)
def test_all_checksums_of_a_book_fit(folder: Path, name: str) -> None:
    decimals, changes, depth = BOOKS_WITH_CHECKSUMS[name]
    decoder = Decoder(session="kraken", connection="public", depth=depth)
    book: Book | None = None
    counted = 0
    for payload in frames(folder / name):
        message = decoder.frame(payload, 1)
        for event in message.events if isinstance(message, ChannelMessage) else ():
            if isinstance(event, BookReset):
                book = Book(instrument(event.instrument.partition(":")[2], decimals))
                assert event.checksum is not None
                assert event.depth == depth
                assert book.reset(event)
            elif isinstance(event, BookChanged):
                assert event.checksum is not None
                assert book is not None
                assert book.change(event)
                assert decoder.book_update(payload, 1) == event
                counted += 1
    assert counted == changes


def exact_text(frame: dict[str, Any]) -> bytes:
    """Write a frame as the venue did before a float parser lost its trailing zeros."""
    item = frame["data"][0]

    def levels(rows: list[dict[str, str]]) -> str:
        return ",".join(
            f'{{"price":{Decimal(row["price"]):.1f},"qty":{Decimal(row["qty"]):.8f}}}'
            for row in rows
        )

    stamp = item.get("timestamp")
    tail = f',"timestamp":"{stamp}"' if stamp else ""
    return (
        f'{{"channel":"book","type":"{frame["type"]}","data":[{{"symbol":"{item["symbol"]}",'
        f'"bids":[{levels(item["bids"])}],"asks":[{levels(item["asks"])}],'
        f'"checksum":{item["checksum"]}{tail}}}]}}'
    ).encode()


def test_all_509_updates_of_the_long_recording_fit(folder: Path) -> None:
    recording = json.loads(
        (folder / "python-kraken-sdk/orderbook-v2.json").read_text(), parse_float=str
    )
    decoder = Decoder(session="kraken", connection="public", depth=10)
    message = decoder.frame(exact_text(recording["init"]), 1)
    assert isinstance(message, ChannelMessage)
    reset = message.events[0]
    assert isinstance(reset, BookReset)
    book, untruncated = Book(instrument("BTC/USD", 1)), Book(instrument("BTC/USD", 1))
    assert book.reset(reset)
    fitting = planted = 0
    for frame in recording["updates"]:
        payload = exact_text(frame)
        change = decoder.book_update(payload, 2)
        assert change is not None
        slow = decoder.frame(payload, 2)
        assert isinstance(slow, ChannelMessage)
        assert slow.events == (change,)
        fitting += book.change(change)
        # Planted: a book that keeps more than the venue sends goes wrong within this recording.
        if not untruncated.is_valid:
            untruncated.reset(BookReset(1, reset.instrument, book.bids(10), book.asks(10), 0))
        planted += untruncated.change(change)
    assert fitting == 509
    assert planted < 509


def test_rest_errors_are_classified(folder: Path) -> None:
    lines = (folder / "kraken_async_rs/rest_errors_and_rest.jsonl").read_text().splitlines()
    answers = [rest.answer(200, line.encode(), wire.RestStatus) for line in lines]
    assert all(got.result is None for got in answers)
    assert [got.verdict for got in answers if "EService" in got.reason] == ["unknown", "unknown"]
    assert {got.verdict for got in answers} == {"refused", "transient", "unknown"}


def names_of(folder: Path) -> Names:
    names = Names()
    for name in ("xchange/example-assets-data.json", "doc_examples/assets_2026.json"):
        assets = rest.answer(200, (folder / name).read_bytes(), ASSETS)
        assert assets.result is not None
        names.learn_assets(assets.result)
    pairs = rest.answer(200, (folder / "xchange/example-assetpairs-data.json").read_bytes(), PAIRS)
    assert pairs.result is not None
    named = [row for row in pairs.result.values() if row.wsname]
    assert len(rest.instruments(pairs.result, names)) == len(named) > 70
    return names


def test_names_follow_the_recorded_pairs(folder: Path) -> None:
    names = names_of(folder)
    assert names.pair("XXBTZUSD") == names.pair("XBTUSD") == names.pair("XBT/USD") == "BTC/USD"
    assert names.pair("XDGXBT") == names.pair("XXDGXXBT") == "DOGE/BTC"
    assert names.pair("XTZUSD") == "XTZ/USD"
    assert names.rest_pair("BTC/USD") == "XBTUSD"
    assert [names.asset(spelling) for spelling in ("XXBT", "ZEUR", "XXDG", "XTZ", "ETH2.S")] == [
        "BTC",
        "EUR",
        "DOGE",
        "XTZ",
        "ETH2.S",
    ]


def test_recorded_look_ups_become_events(folder: Path) -> None:
    reader = rest.Rest("mm", names_of(folder))

    def body(name: str) -> bytes:
        return (folder / name).read_bytes()

    fills = reader.trades_history(200, body("nautilus/http_trades_history.json"), 5)
    assert isinstance(fills, rest.FillsPage)
    # USDT pairs are younger than the recorded AssetPairs: an unknown spelling stays as it is.
    assert fills.fills[0].instrument == "kraken:XBTUSDT"
    many = reader.trades_history(
        200, body("kraken_net/JsonResponses_SpotTrading_GetUserTradesAsync.json"), 5
    )
    assert isinstance(many, rest.FillsPage)
    assert (len(many.fills), many.total) == (50, 2346)
    assert {(fill.instrument, fill.fee_asset) for fill in many.fills} == {
        ("kraken:BTC/EUR", "EUR"),
        ("kraken:BTC/USD", "USD"),
    }
    opened = reader.open_orders(200, body("xchange/example-openorders-data.json"), 5)
    assert isinstance(opened, rest.OrdersPage)
    assert {order.is_open for order in opened.orders} == {True}
    closed = reader.closed_orders(
        200, body("kraken_net/JsonResponses_SpotTrading_GetClosedOrdersAsync.json"), 5
    )
    assert isinstance(closed, rest.OrdersPage)
    assert {order.cause for order in closed.orders} == {"canceled"}
    ledger = reader.ledgers(
        200, body("kraken_net/JsonResponses_SpotAccount_GetLedgerInfoAsync.json"), 5
    )
    assert isinstance(ledger, rest.CashPage)
    # Whoever altered this page emptied the descriptions: a read that cannot be used says so.
    emptied = reader.closed_orders(200, body("kraken_async_rs/closed_orders_page_1.json"), 5)
    assert isinstance(emptied, ReadFailed)
