"""Every recording is read, or listed here by name with the reason why it does not apply."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswire.book import Book
from crosswire.domain import BookReset, CashMoved, ReadFailed, TradePrinted, Unreadable
from crosswire.venues.hyperliquid import canonical, signing
from crosswire.venues.hyperliquid.decode import exchange, fills, info
from crosswire.venues.hyperliquid.decode.messages import ChannelMessage
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from crosswire.venues.hyperliquid.listings import Listings

GEM, JKORF, JKORF_SPOT = "gemwallet/", "jkorf/Endpoints_", "jkorf/Endpoints_Spot_"
POSITIONS = f"{GEM}perpetual_positions_response_"
# Bodies of answers, by the question they answer ("exchange": to an action).
BODIES = {
    f"{GEM}order_broadcast_error.json": "exchange",
    f"{GEM}order_broadcast_filled.json": "exchange",
    f"{GEM}order_broadcast_resting.json": "exchange",
    f"{GEM}transaction_broadcast_error_extra_agent.json": "exchange",
    f"{POSITIONS}clearinghouse_state.json": "clearinghouseState",
    f"{POSITIONS}clearinghouse_state_dex1.json": "clearinghouseState",
    f"{POSITIONS}clearinghouse_state_dex2.json": "clearinghouseState",
    f"{POSITIONS}perp_dexs.json": "perpDexs",
    f"{GEM}spot_meta_spot_swap.json": "spotMeta",
    f"{GEM}user_fills_liquidation.json": "userFills",
    f"{GEM}user_fills_multiple.json": "userFills",
    f"{GEM}user_fills_shared_hash.json": "userFills",
    f"{GEM}user_fills_spot_swap.json": "userFills",
    f"{GEM}user_fills_spot_swap_buy.json": "userFills",
    f"{JKORF}Futures_Account_GetAccountInfo.json": "clearinghouseState",
    f"{JKORF}Futures_Account_GetFundingHistory.json": "userFunding",
    f"{JKORF}Futures_ExchangeData_GetExchangeInfo.json": "meta",
    f"{JKORF}Futures_ExchangeData_GetExchangeInfoAndTickers.json": "metaAndAssetCtxs",
    f"{JKORF}Futures_Trading_SetLeverage.json": "exchange",
    f"{JKORF_SPOT}Account_GetAccountLedger.json": "userNonFundingLedgerUpdates",
    f"{JKORF_SPOT}Account_GetApprovedBuilderFee.json": "maxBuilderFee",
    f"{JKORF_SPOT}Account_GetBalances.json": "spotClearinghouseState",
    f"{JKORF_SPOT}Account_GetExtraAgents.json": "extraAgents",
    f"{JKORF_SPOT}Account_GetRateLimits.json": "userRateLimit",
    f"{JKORF_SPOT}Account_GetSubAccounts.json": "subAccounts",
    f"{JKORF_SPOT}Account_GetSubAccounts2.json": "subAccounts2",
    f"{JKORF_SPOT}ExchangeData_GetAssetInfo.json": "tokenDetails",
    f"{JKORF_SPOT}ExchangeData_GetExchangeInfo.json": "spotMeta",
    f"{JKORF_SPOT}ExchangeData_GetExchangeInfoAndTickers.json": "spotMetaAndAssetCtxs",
    f"{JKORF_SPOT}ExchangeData_GetKlines.json": "candleSnapshot",
    f"{JKORF_SPOT}ExchangeData_GetOrderBook.json": "l2Book",
    f"{JKORF_SPOT}ExchangeData_GetPrices.json": "allMids",
    f"{JKORF_SPOT}Trading_GetOpenOrders.json": "openOrders",
    f"{JKORF_SPOT}Trading_GetOpenOrdersExtended.json": "frontendOpenOrders",
    f"{JKORF_SPOT}Trading_GetUserTrades.json": "userFills",
    f"{JKORF_SPOT}Trading_PlaceOrder.json": "exchange",
}
FRAMES = {
    f"{GEM}ws_active_asset_ctx.json",
    f"{GEM}ws_all_mids.json",
    f"{GEM}ws_candle.json",
    f"{GEM}ws_clearinghouse_state.json",
    "hftbacktest/btcusd_20250126.json",
    "jkorf/Subscriptions_BookTicker.json",
    "jkorf/Subscriptions_Klines.json",
    "jkorf/Subscriptions_Order.json",
    "jkorf/Subscriptions_OrderBook.json",
    "jkorf/Subscriptions_Prices.json",
    "jkorf/Subscriptions_Trades.json",
    "jkorf/Subscriptions_UserEventTrade.json",
}
SIGNED = "hl_action_"  # actions of a wallet with their signatures
TYPED = "hl_eip712_"  # what a wallet was asked to sign
DEPLOYING = "putting up markets is not trading"
STAKING = "referrals and staking are not trading"
REQUEST = "a question: what is asked, not what is read"
SHORTENED = "a row shortened by hand: the venue sends side and sizes"
NOT_APPLICABLE = {
    "SOURCES.md": "the list of sources",
    f"{GEM}order_broadcast_simple_error.json": "made by hand: a status no source knows",
    f"{GEM}referral_need_to_create_code.json": STAKING,
    f"{GEM}referral_need_to_trade.json": STAKING,
    f"{GEM}staking_delegations.json": STAKING,
    f"{GEM}ws_open_orders.json": SHORTENED,
    f"{POSITIONS}open_orders.json": SHORTENED,
    f"{POSITIONS}open_orders_dex1.json": SHORTENED,
    "jkorf/Subscriptions_Concurrent.json": "candles shortened by hand to their names",
    f"{JKORF}Futures_ExchangeData_GetFundingRateHistory.json": "past rates are not read",
    f"{JKORF}Futures_ExchangeData_GetSymbolsAtMaxOpenInterest.json": "the venue refuses by itself",
    "go_hyperliquid/PerpDeployAuctionStatus.json": DEPLOYING,
    **dict.fromkeys(
        [
            f"{GEM}perpetual_positions_request_{name}.json"
            for name in (
                "clearinghouse_state", "clearinghouse_state_dex1", "clearinghouse_state_dex2",
                "open_orders", "open_orders_dex1", "open_orders_dex2", "perp_dexs",
            )
        ],
        REQUEST,
    ),
}  # fmt: skip
# Questions in the exchanges of two sources that nobody asks here.
UNASKED = {"fundingHistory": "past rates are not read"}
EXCHANGES = ("go_hyperliquid/", "python_sdk/")
WALLET = "0x2ba553d9f990a3b66b03b2dc0d030dfc1c061036"  # of one recorded ledger
NOW_NS = 1_800_000_000_000_000_000


@pytest.fixture(scope="session")
def captured(captures: Path) -> Path:
    folder = captures / "hyperliquid" / "captured"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: set CROSSWIRE_CAPTURES")
    return folder


def body_of(answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()


def result_of(question: str, answer: Any) -> Any:
    """Return a recorded answer as its struct."""
    got: info.Answer[Any] = info.answer(200, body_of(answer), info.SHAPES[question])
    return got.result


def kind_of(name: str) -> str:
    """Return how a recording is read; "" where nobody knows."""
    if name in NOT_APPLICABLE:
        return "not applicable"
    if name in BODIES:
        return "body"
    if name in FRAMES:
        return "frames"
    if name.startswith(EXCHANGES):
        return "exchanges"
    if name.startswith((GEM + SIGNED, GEM + TYPED)):
        return "signing"
    return ""


def test_every_recording_is_read_or_listed(captured: Path) -> None:
    names = {str(path.relative_to(captured)) for path in captured.rglob("*") if path.is_file()}
    assert {name for name in names if not kind_of(name)} == set()
    listed = NOT_APPLICABLE.keys() | BODIES.keys() | FRAMES
    assert listed <= names
    assert len(listed) == len(NOT_APPLICABLE) + len(BODIES) + len(FRAMES)


def read_body(question: str, body: bytes) -> None:
    """Read an answer by REST and as a post, as far as it goes: to events."""
    if question == "exchange":
        outcome = exchange.read(body)
        assert not outcome.is_unknown, outcome.error
        assert outcome.error or outcome.entries or outcome.kind == "default"
        return
    got: info.Answer[Any] = info.answer(200, body, info.SHAPES[question])
    assert got.result is not None, got.error
    wrapped = b'{"type":"%b","data":%b}' % (question.encode(), body)
    assert info.posted(wrapped, info.SHAPES[question]) == got
    lookups = info.Lookups("main", Listings())
    read: Any = {
        "clearinghouseState": lookups.perps,
        "frontendOpenOrders": lookups.open_orders,
        "historicalOrders": lookups.history,
        "openOrders": lookups.open_orders,
        "orderStatus": lookups.order_status,
        "spotClearinghouseState": lookups.balances,
        "userFills": lookups.fills,
        "userFillsByTime": lookups.fills,
    }.get(question)
    if read is not None:
        assert not isinstance(read(got, NOW_NS), ReadFailed)
    if question in ("userFunding", "userNonFundingLedgerUpdates"):
        moved = [fills.ledger_row(row, "main", WALLET, NOW_NS) for row in got.result]
        assert all(isinstance(row, CashMoved) and row.kind for row in moved)
    if question == "meta":
        assert len(Listings().learn_perps(got.result)) == len(got.result.universe)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_body_is_read(captured: Path, name: str) -> None:
    recorded = json.loads((captured / name).read_text())
    if name.startswith("jkorf/"):
        recorded = recorded["response"]
    read_body(BODIES[name], body_of(recorded))


def exchanges(captured: Path) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield file, request and answer of every recorded exchange that is asked here."""
    for folder in EXCHANGES:
        for path in sorted((captured / folder).glob("*.json")):
            name = str(path.relative_to(captured))
            if name in NOT_APPLICABLE:
                continue
            for each in json.loads(path.read_text()):
                answer = each["response"]
                while isinstance(answer, dict) and "$same_as" in answer:
                    file, _, number = answer["$same_as"].partition(" interaction ")
                    answer = json.loads((path.parent / file).read_text())[int(number)]["response"]
                yield name, each["request"], answer


def test_every_recorded_exchange_is_read(captured: Path) -> None:
    seen = set()
    for name, request, answer in exchanges(captured):
        question = request.get("type") or "exchange"
        if question in UNASKED:
            continue
        if request.get("action", {}).get("type") == "perpDeploy":
            exchange.read(body_of(answer))  # not sent here, and read all the same
            continue
        assert question == "exchange" or question in info.SHAPES, (name, question)
        read_body(question, body_of(answer))
        seen.add(question)
    assert {"exchange", "meta", "spotMeta", "perpDexs", "orderStatus", "userFills"} <= seen


def frames(captured: Path, name: str) -> Iterator[bytes]:
    recorded = json.loads((captured / name).read_text())
    for each in recorded if isinstance(recorded, list) else [recorded]:
        if each.get("dir") != "client":
            yield body_of(each.get("frame", each))


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_frames_are_read(captured: Path, name: str) -> None:
    decoder = Decoder(Listings(), session="main", connection="c", account="main")
    for payload in frames(captured, name):
        message = decoder.frame(payload, NOW_NS)
        assert not isinstance(message, Unreadable), message
        for event in message.events if isinstance(message, ChannelMessage) else ():
            assert not isinstance(event, Unreadable), event


def test_a_recorded_feed_makes_books_that_stand(captured: Path) -> None:
    decoder = Decoder(Listings(), session="hyperliquid", connection="public")
    listed = Listings()
    listed.learn_perps(_meta(captured))
    book = Book(listed.by_coin["BTC"].instrument)
    books = trades = 0
    for payload in frames(captured, "hftbacktest/btcusd_20250126.json"):
        message = decoder.frame(payload, NOW_NS)
        assert isinstance(message, ChannelMessage)
        for event in message.events:
            if isinstance(event, BookReset):
                book.reset(event)
                assert len(event.bids) == len(event.asks) == 20
                assert not book.is_crossed
                books += 1
            elif isinstance(event, TradePrinted):
                assert event.instrument == "hyperliquid:BTC-PERP"
                trades += 1
    assert (books, trades > 20) == (46, True)


def recorded_answer(captured: Path, name: str) -> Any:
    return json.loads((captured / f"go_hyperliquid/{name}.json").read_text())[0]["response"]


def _meta(captured: Path) -> Any:
    return result_of("meta", recorded_answer(captured, "Meta"))


def test_a_whole_list_of_instruments_has_no_two_of_one_name(captured: Path) -> None:
    known = Listings()
    found = known.learn_spot(result_of("spotMeta", recorded_answer(captured, "SpotMeta")))
    found += known.learn_perps(_meta(captured))
    assert len({each.id for each in found}) == len(found) == len(known.by_asset) > 400
    assert known.instrument_id("@107") == "hyperliquid:HYPE/USDC"
    assert known.by_id["hyperliquid:PURR/USDC"].asset == 10_000
    dexs = result_of("perpDexs", recorded_answer(captured, "PerpDexs"))
    assert known.learn_dexs(dexs)[:2] == ("", "xyz")


# --- signatures of a wallet --------------------------------------------------------------------


def signer_of(captured: Path, name: str) -> str:
    """Return who signed a recorded action, by what we hash of it."""
    recorded = json.loads((captured / f"{GEM}{SIGNED}{name}.json").read_text())
    signature = signing.signature_bytes(**recorded["signature"])
    action = recorded["action"]
    if action["type"] in signing.USER_SIGNED:
        return signing.recovered(signing.user_digest(action), signature)
    packed, _ = signing.packed_action(action)
    digest = signing.l1_digest(packed, recorded["nonce"], "", None, is_mainnet=True)
    return signing.recovered(digest, signature)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("open_long_order", "open_short_order"),
        ("spot_send_l1", "core_to_evm"),
        ("perp_to_spot", "spot_to_perps"),
    ],
)
def test_two_actions_of_one_wallet_have_one_signer(captured: Path, one: str, other: str) -> None:
    """Recorded with sorted keys: only the canonical form gives both the same address."""
    assert signer_of(captured, one) == signer_of(captured, other)


def test_every_signed_action_is_read(captured: Path) -> None:
    names = [path.stem for path in (captured / GEM).glob(f"{SIGNED}*.json")]
    assert len(names) == 13
    for name in names:
        assert len(signer_of(captured, name.removeprefix(SIGNED))) == 42
    long = json.loads((captured / f"{GEM}{SIGNED}open_long_order.json").read_text())
    assert long["action"]["type"] in canonical.KNOWN


def test_what_a_wallet_is_asked_to_sign_has_the_types_we_sign(captured: Path) -> None:
    found = 0
    for path in sorted((captured / GEM).glob(f"{TYPED}*.json")):
        asked = json.loads(path.read_text())
        name, members = signing.USER_SIGNED[asked["message"]["type"]]
        assert asked["primaryType"] == f"HyperliquidTransaction:{name}"
        listed = [(each["name"], each["type"]) for each in asked["types"][asked["primaryType"]]]
        assert listed == [("hyperliquidChain", "string"), *members]
        assert len(signing.user_digest(asked["message"])) == 32
        found += 1
    assert found == 9
