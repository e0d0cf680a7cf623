"""Frames and lists become events; what makes no sense is an event too, and nothing raises."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import (
    Accepted,
    CandleChanged,
    CashMoved,
    Closed,
    Filled,
    OrderReported,
    OrdersRead,
    TradePrinted,
    Unreadable,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import fills, info, orders, text, websocket
from crosswire.venues.hyperliquid.decode.messages import (
    ChannelMessage,
    Complaint,
    Context,
    Greeting,
    Mids,
    Pong,
    Reply,
    Subscribed,
)
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from tests.hyperliquid_world import ACCOUNT, NOW_MS, NOW_NS, OWN_ID, listings, vectors

OBSERVED = vectors("observed_responses")
CLOID = "0x" + OWN_ID


def decoder(account: str = "main") -> Decoder:
    return Decoder(listings(), session=account or "hyperliquid", connection="c", account=account)


def frame(channel: str, data: Any) -> bytes:
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


def read(channel: str, data: Any) -> ChannelMessage:
    message = decoder().frame(frame(channel, data), NOW_NS)
    assert isinstance(message, ChannelMessage), message
    return message


def only(channel: str, data: Any) -> Any:
    """Return the one event of a frame, beside what fills do to the cash."""
    [event] = [event for event in read(channel, data).events if not is_leg(event)]
    return event


def is_leg(event: object) -> bool:
    """Whether an event is what a fill did to the account's cash."""
    return isinstance(event, CashMoved) and event.kind == "trade"


def update(status: str = "open", **changes: Any) -> dict[str, Any]:
    order = {
        "coin": "ETH",
        "side": "B",
        "limitPx": "1100.0",
        "sz": "0.2",
        "oid": 77,
        "timestamp": NOW_MS - 5,
        "origSz": "0.2",
        "cloid": CLOID,
        **changes,
    }
    return {"order": order, "status": status, "statusTimestamp": NOW_MS}


def fill(**changes: Any) -> dict[str, Any]:
    row = {
        "coin": "ETH",
        "px": "2067.2",
        "sz": "0.01",
        "side": "A",
        "time": NOW_MS,
        "startPosition": "0.01",
        "dir": "Close Long",
        "closedPnl": "-0.13",
        "hash": "0x5b19",
        "oid": 315449302232,
        "crossed": True,
        "fee": "0.00893",
        "tid": 343484124188045,
        "cloid": CLOID,
        "feeToken": "USDC",
        "twapId": None,
    }
    return {**row, **changes}


# --- orders ------------------------------------------------------------------------------------

# The sheet's table, string by string.
STATUSES = {
    "open": "open triggered resting waitingForFill waitingForTrigger",
    "filled": "filled",
    "canceled": "canceled marginCanceled vaultWithdrawalCanceled openInterestCapCanceled "
    "selfTradeCanceled reduceOnlyCanceled siblingFilledCanceled delistedCanceled "
    "liquidatedCanceled outcomeSettledCanceled scheduledCancel internalCancel",
    "rejected": "rejected tickRejected minTradeNtlRejected perpMarginRejected "
    "reduceOnlyRejected badAloPxRejected iocCancelRejected badTriggerPxRejected "
    "marketOrderNoLiquidityRejected positionIncreaseAtOpenInterestCapRejected "
    "positionFlipAtOpenInterestCapRejected tooAggressiveAtOpenInterestCapRejected "
    "openInterestIncreaseRejected insufficientSpotBalanceRejected oracleRejected "
    "perpMaxPositionRejected tooManyOpenOrdersRejected",
}


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(status, meaning) for meaning, all_of in STATUSES.items() for status in all_of.split()],
)
def test_every_status_of_the_sheet_has_its_meaning(status: str, meaning: str) -> None:
    assert orders.meaning(status) == meaning
    [event] = read("orderUpdates", [update(status)]).events
    assert isinstance(event, Accepted if meaning == "open" else Closed)


def test_an_unheard_status_is_judged_by_its_ending() -> None:
    assert orders.meaning("brandNewRejected") == "rejected"
    assert orders.meaning("brandNewCanceled") == orders.meaning("brandNewCancel") == "canceled"
    assert orders.meaning("brandNew") == "unknown"
    event = only("orderUpdates", [update("brandNew")])
    assert event == VenueWarned(
        NOW_NS, "main", 'order 77 has the status "brandNew", which is not known here'
    )


def test_an_order_update_names_the_order_by_both_ids() -> None:
    accepted = only("orderUpdates", [update()])
    assert accepted == Accepted(NOW_NS, "main", OWN_ID, "77", source="stream", venue_ns=NOW_NS)
    external = only("orderUpdates", [update(cloid=None)])
    assert external.client_order_id == ""


def test_an_end_tells_what_was_filled() -> None:
    both = read("orderUpdates", [update(), update("filled", sz="0.0")]).events
    assert [type(event) for event in both] == [Accepted, Closed]
    assert both[1] == Closed(
        NOW_NS, "main", OWN_ID, "77", "filled", parse("0.2"), "", "stream", NOW_NS
    )
    part = only("orderUpdates", [update("canceled", sz="0.05")])
    assert (part.cause, part.filled, part.reason) == ("canceled", parse("0.15"), "")
    refused = only("orderUpdates", [update("iocCancelRejected")])
    assert (refused.cause, refused.filled) == ("rejected", 0)
    assert refused.reason == "iocCancelRejected"
    emptied = only("orderUpdates", [update("tickRejected", sz="0.0")])
    assert emptied.filled == 0
    rest = only("orderUpdates", [update("iocCancelRejected", sz="0.05")])
    assert (rest.cause, rest.filled) == ("canceled", parse("0.15"))
    untold = only("orderUpdates", [update("iocCancelRejected", sz="0.0")])
    assert (untold.cause, untold.filled) == ("canceled", None)


def test_a_shrunk_reduce_only_order_says_nothing_about_its_fills() -> None:
    """The planted mistake: asked less remaining is not what was filled once it was shrunk."""
    event = only("orderUpdates", [update("reduceOnlyCanceled", sz="0.05", reduceOnly=True)])
    assert (event.cause, event.filled) == ("canceled", None)
    row = wire.OrderUpdate(
        wire.Order("ETH", 7, "B", "1", "0.05", NOW_MS, "0.2", reduce_only=True), "open"
    )
    assert orders.report(row, "main", listings(), NOW_NS, "lookup").filled == 0


def test_a_row_without_sense_leaves_its_neighbours() -> None:
    events = read("orderUpdates", [update(), update("canceled", sz="x"), update("filled")]).events
    assert [type(event) for event in events] == [Accepted, Unreadable, Closed]
    assert isinstance(events[1], Unreadable)
    assert events[1].is_private
    filled = read("userFills", {"user": ACCOUNT, "fills": [fill(), fill(side="X"), fill()]}).events
    kinds = [type(event) for event in filled if not is_leg(event)]
    assert kinds == [Filled, Unreadable, Filled]


def test_an_order_of_a_list_is_reported_with_its_kind() -> None:
    row = wire.Order(
        "xyz:TSLA", 9, "A", "300.0", "1.5", NOW_MS, "2.0", CLOID,
        order_type="Stop Limit", tif=None,
    )  # fmt: skip
    report = orders.open_report(row, "main", listings(), NOW_NS, "lookup")
    assert report == OrderReported(
        NOW_NS, "main", OWN_ID, "9", "hyperliquid:xyz:TSLA-PERP", "sell", parse("2"),
        parse("0.5"), is_open=True, price=parse("300"), order_type="stop_loss_limit",
        opened_ns=NOW_NS, source="lookup",
    )  # fmt: skip
    ioc = orders.report(
        wire.OrderUpdate(wire.Order("ETH", 1, "B", None, "0.0", 0, "1", tif="Ioc"), "filled", 5),
        "main", listings(), NOW_NS, "lookup",
    )  # fmt: skip
    assert (ioc.time_in_force, ioc.cause, ioc.price) == ("ioc", "filled", None)
    assert (ioc.filled, ioc.closed_ns) == (parse("1"), 5_000_000)
    for broken in (
        wire.OrderUpdate(wire.Order("ETH", 1, "B"), "open"),
        wire.OrderUpdate(wire.Order("ETH", 1, "", "1", "1"), "open"),
        wire.OrderUpdate(wire.Order("ETH", 1, "B", "1", "1"), "brandNew"),
    ):
        with pytest.raises(ValueError, match=r"size|side|status"):
            orders.report(broken, "main", listings(), NOW_NS, "lookup")


def test_a_list_of_one_dex_is_never_the_whole_truth() -> None:
    order = {**update()["order"], "orderType": "Limit", "tif": "Alo"}
    listed = only("openOrders", {"user": ACCOUNT, "orders": [order]})
    assert isinstance(listed, OrdersRead)
    assert not listed.is_complete
    assert listed.orders[0].client_order_id == OWN_ID
    shortened = {"user": ACCOUNT, "orders": [{"coin": "BTC", "oid": 1, "limitPx": "1"}]}
    assert isinstance(decoder().frame(frame("openOrders", shortened), NOW_NS), Unreadable)


def test_a_history_shows_the_last_row_of_each_order() -> None:
    open_row = wire.OrderUpdate(wire.Order("ETH", 1, "B", "1", "1", 0, "1"), "open", 10)
    gone = wire.OrderUpdate(wire.Order("ETH", 1, "B", "1", "1", 0, "1"), "canceled", 10)
    older = wire.OrderUpdate(wire.Order("ETH", 2, "B", "1", "0", 0, "1"), "open", 4)
    newer = wire.OrderUpdate(wire.Order("ETH", 2, "B", "1", "0", 0, "1"), "filled", 9)
    for rows in ([open_row, gone, newer, older], [gone, open_row, older, newer]):
        found = orders.latest(rows)
        assert {row.order.oid: row.status for row in found} == {1: "canceled", 2: "filled"}


# --- fills and cash ----------------------------------------------------------------------------


def test_a_fill_is_booked_with_all_of_its_key() -> None:
    """The planted mistakes: tid alone, or time alone, is not unique."""
    event = only("userFills", {"user": ACCOUNT, "fills": [fill()]})
    assert event == Filled(
        NOW_NS, "main", OWN_ID, "315449302232", "hyperliquid:ETH-PERP", "sell",
        parse("2067.2"), parse("0.01"), f"ETH:{NOW_MS}:343484124188045:315449302232",
        parse("0.00893"), "USDC", "taker", "stream", NOW_NS,
    )  # fmt: skip
    keys = {
        fills.fill_key(wire.Fill("ETH", "1", "1", "B", time, oid, tid=tid))
        for time in (1, 2)
        for oid in (3, 4)
        for tid in (5, 6)
    }
    assert len(keys) == 8


def test_fills_come_the_same_by_every_channel() -> None:
    plain = only("userFills", {"user": ACCOUNT, "fills": [fill()]})
    assert only("user", {"fills": [fill()]}) == plain
    assert only("user", {"twapSliceFills": [{"fill": fill(), "twapId": 3}]}) == plain
    snapshot = read("userFills", {"isSnapshot": True, "user": ACCOUNT, "fills": [fill()]})
    assert snapshot.is_snapshot
    assert isinstance(snapshot.events[0], Filled)
    assert snapshot.events[0].source == "snapshot"


def test_a_rebate_a_spot_fee_and_a_stranger() -> None:
    maker = only("user", {"fills": [fill(crossed=False, fee="-0.001", cloid=None)]})
    assert (maker.fee, maker.liquidity, maker.client_order_id) == (parse("-0.001"), "maker", "")
    spot = only("user", {"fills": [fill(coin="@107", side="B", feeToken="HYPE")]})
    assert (spot.instrument, spot.fee_asset) == ("hyperliquid:HYPE/USDC", "HYPE")
    old = fill()
    del old["feeToken"]
    assert only("user", {"fills": [old]}).fee_asset == "USDC"


def legs(**changes: Any) -> list[tuple[str, int, int, str]]:
    """Return what a fill of the stream moves: asset, amount, fee, and the fill it belongs to."""
    events = read("userFills", {"user": ACCOUNT, "fills": [fill(**changes)]}).events
    return [(e.asset, e.amount, e.fee, e.ref) for e in events if isinstance(e, CashMoved)]


def test_a_fill_of_the_stream_moves_cash_and_one_of_a_snapshot_does_not() -> None:
    fee = parse("0.00893")
    key = f"ETH:{NOW_MS}:343484124188045:315449302232"
    assert legs() == [("USDC", parse("-0.13"), fee, key)]
    bought = legs(coin="@107", side="B", feeToken="HYPE", px="20", sz="0.5")
    assert [each[:3] for each in bought] == [
        ("HYPE", parse("0.5"), fee),
        ("spot:USDC", parse("-10"), 0),
    ]
    sold = legs(coin="@107", side="A", px="20", sz="0.5")
    assert [each[:3] for each in sold] == [
        ("HYPE", parse("-0.5"), 0),
        ("spot:USDC", parse("10"), fee),
    ]
    assert legs(coin="@999") == []
    snapshot = read("userFills", {"isSnapshot": True, "user": ACCOUNT, "fills": [fill()]})
    assert not any(isinstance(event, CashMoved) for event in snapshot.events)


def test_user_events_of_all_kinds() -> None:
    paid = {"coin": "ETH", "usdc": "-3.625312", "szi": "49.1477", "fundingRate": "0.0000417"}
    row = {"time": NOW_MS, **paid, "nSamples": None}
    event = only("user", {"funding": row})
    assert event == CashMoved(
        NOW_NS, "main", "USDC", parse("-3.625312"), 0, None, "funding", "ETH",
        f"funding:ETH:{NOW_MS}", NOW_NS,
    )  # fmt: skip
    listed = {"user": ACCOUNT, "fundings": [row]}
    assert only("userFundings", listed) == event
    assert read("userFundings", {**listed, "isSnapshot": True}).events == ()
    gone = only("user", {"nonUserCancel": [{"coin": "ETH", "oid": 5}]})
    assert (gone.venue_order_id, gone.cause, gone.filled) == ("5", "canceled", None)
    warned = only("user", {"liquidation": {"lid": 7, "liquidated_user": ACCOUNT}})
    assert warned.text == f"liquidation 7 of {ACCOUNT}"
    assert read("user", {"twapHistory": []}).events == ()


def test_cash_has_the_sign_of_its_type_or_of_who_sent_it() -> None:
    def moved(**delta: Any) -> Any:
        row = wire.LedgerRow(NOW_MS, "0x1", _raw(delta))
        return fills.ledger_row(row, "main", ACCOUNT, NOW_NS)

    came = moved(type="deposit", usdc="2703997.4500000002")
    assert (came.amount, came.asset, came.balance) == (parse("2703997.4500000002"), "USDC", None)
    gone = moved(type="withdraw", usdc="5.0", fee="1.0")
    assert (gone.amount, gone.fee, gone.kind) == (parse("-5"), parse("1"), "withdraw")
    assert moved(type="accountClassTransfer", usdc="12.0", toPerp=False).amount == 0
    token = {"type": "spotTransfer", "token": "HYPE", "amount": "2.5", "fee": "1.0"}
    sent = moved(**token, user=ACCOUNT.upper(), destination="0x2")
    assert (sent.asset, sent.amount, sent.fee) == ("HYPE", parse("-2.5"), parse("1"))
    got = moved(**token, user="0x2", destination=ACCOUNT)
    assert (got.amount, got.fee) == (parse("2.5"), 0)
    for odd in (moved(**token, user="0x2", destination="0x3"), moved(type="brandNew", usdc="1")):
        assert isinstance(odd, VenueWarned)
    row = {"time": NOW_MS, "hash": "0x1", "delta": {"type": "deposit", "usdc": "5.0"}}
    listed = {"user": ACCOUNT, "nonFundingLedgerUpdates": [row]}
    assert only("userNonFundingLedgerUpdates", listed).amount == parse("5")
    old = read("userNonFundingLedgerUpdates", {**listed, "isSnapshot": True})
    assert old.events == ()


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


# --- market data -------------------------------------------------------------------------------


def test_the_first_trades_of_a_subscription_are_old() -> None:
    reader = decoder("")
    row = {
        "coin": "ETH", "side": "B", "px": "2067.2", "sz": "0.01", "time": NOW_MS,
        "hash": "0x0", "tid": 7, "users": ["0x1", "0x2"],
    }  # fmt: skip
    first, second = (reader.frame(frame("trades", [row]), NOW_NS) for _ in range(2))
    assert isinstance(first, ChannelMessage)
    assert isinstance(second, ChannelMessage)
    assert first.events[0] == TradePrinted(
        NOW_NS, "hyperliquid:ETH-PERP", "buy", parse("2067.2"), parse("0.01"), "7", NOW_NS,
        is_snapshot=True,
    )  # fmt: skip
    assert isinstance(second.events[0], TradePrinted)
    assert not second.events[0].is_snapshot
    again = {"method": "subscribe", "subscription": {"type": "trades", "coin": "ETH"}}
    reader.frame(frame("subscriptionResponse", again), NOW_NS)
    third = reader.frame(frame("trades", [row]), NOW_NS)
    assert isinstance(third, ChannelMessage)
    assert third.is_snapshot
    reader.opened()
    assert reader.frame(frame("trades", [row]), NOW_NS) == third


def test_a_candle_is_read_with_its_noise() -> None:
    row = {
        "t": NOW_MS, "T": NOW_MS + 59_999, "s": "@107", "i": "1m", "o": "1.0", "c": "2.0",
        "h": "3.0", "l": "0.5", "v": "3495670.83999999999999", "n": 4,
    }  # fmt: skip
    bar = only("candle", row)
    assert bar == CandleChanged(
        NOW_NS, "hyperliquid:HYPE/USDC", NOW_NS, 60_000_000_000, parse("1"), parse("3"),
        parse("0.5"), parse("2"), parse("3495670.84"), 4,
    )  # fmt: skip
    assert isinstance(decoder().frame(frame("candle", {**row, "i": "7m"}), NOW_NS), Unreadable)


def test_contexts_and_mids_are_facts() -> None:
    ctx = {"markPx": "14.3161", "midPx": None, "oraclePx": "14.32", "funding": "0.0000125"}
    fact = read("activeAssetCtx", {"coin": "ETH", "ctx": ctx}).fact
    assert fact == Context(
        "hyperliquid:ETH-PERP", parse("14.3161"), None, parse("14.32"), parse("0.0000125"), 0, 0
    )
    spot = read("activeSpotAssetCtx", {"coin": "@107", "ctx": {"dayNtlVlm": "9", "markPx": "1"}})
    assert isinstance(spot.fact, Context)
    assert (spot.fact.instrument, spot.fact.day_notional) == ("hyperliquid:HYPE/USDC", parse("9"))
    mids = read("allMids", {"mids": {"BTC": "104633.0", "@107": "21.8"}}).fact
    assert mids == Mids(
        (("hyperliquid:BTC-PERP", parse("104633")), ("hyperliquid:HYPE/USDC", parse("21.8")))
    )
    assert only("notification", {"notification": "hello"}).text == "hello"


@pytest.mark.parametrize("channel", sorted(websocket.UNREAD))
def test_a_channel_nobody_reads_is_no_nonsense(channel: str) -> None:
    assert read(channel, {"any": "thing"}).events == ()


# --- frames around -----------------------------------------------------------------------------


def test_answers_to_posts_come_out_by_number() -> None:
    reader = decoder()
    for case in OBSERVED["websocket"]:
        message = reader.frame(json.dumps(case["frame"]).encode(), NOW_NS)
        if case["frame"]["channel"] == "post":
            assert isinstance(message, Reply), case
            assert message.request_id == case["frame"]["data"]["id"]
            kind = case["frame"]["data"]["response"]["type"]
            assert message.kind == kind
            assert bool(message.error) == (kind == "error")
        else:
            assert isinstance(message, Complaint), case
            assert message.text == case["frame"]["data"]


def test_the_error_channel_says_about_what_where_it_does() -> None:
    numbered = websocket.complaint("too many pending post requests id=1234")
    assert (numbered.request_id, numbered.is_limit) == (1234, True)
    echoed = websocket.complaint('Error parsing JSON into valid websocket request: {"id":7}')
    assert (echoed.request_id, echoed.is_our_words) == (0, True)
    assert websocket.complaint('Already subscribed: {"type":"bbo"}').is_benign
    assert not websocket.complaint("Invalid subscription {}").is_benign


def test_subscriptions_pongs_and_greetings() -> None:
    echoed = {"type": "l2Book", "coin": "ETH", "nSigFigs": None, "mantissa": None}
    answer = frame("subscriptionResponse", {"method": "unsubscribe", "subscription": echoed})
    assert decoder().frame(answer, NOW_NS) == Subscribed(False, "l2Book", "ETH")
    assert decoder().frame(b'{"channel":"pong"}', NOW_NS) == Pong()
    greeting = b"Websocket connection established."
    assert decoder().frame(greeting, NOW_NS) == Greeting(greeting.decode())


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"x", b"{", b"[]", b"null", b"{}", b'{"channel":1}', b'{"channel":"brandNew"}',
        b'{"channel":"post","data":{}}', b'{"channel":"l2Book","data":null}', b"\xff\xfe",
        b'{"channel":"post","data":{"id":1,"response":{"type":"odd","payload":1}}}',
        b'{"channel":"error","data":{}}', b'{"channel":"trades","data":[{}]}',
        b'{"channel":"user","data":[]}', b"[" * 5000,
    ],
)  # fmt: skip
def test_nonsense_is_an_event(payload: bytes) -> None:
    public, private = decoder("").frame(payload, 5), decoder().frame(payload, 5)
    assert isinstance(public, Unreadable)
    assert isinstance(private, Unreadable)
    assert (public.is_private, private.is_private, private.excerpt) == (False, True, "")
    assert len(public.excerpt) <= 120


LEVEL = {"px": "99.0", "sz": "1", "n": 1}
SAMPLES = [
    frame("orderUpdates", [update(), update("filled", sz="0.0")]),
    frame("userFills", {"isSnapshot": True, "user": ACCOUNT, "fills": [fill()]}),
    frame("user", {"funding": {"coin": "ETH", "usdc": "1", "time": 1}}),
    frame("l2Book", {"coin": "ETH", "time": 5, "levels": [[LEVEL, LEVEL], [LEVEL]]}),
    frame("bbo", {"coin": "ETH", "time": 5, "bbo": [LEVEL, None]}),
    *[json.dumps(case["frame"]).encode() for case in OBSERVED["websocket"]],
]


@given(st.sampled_from(SAMPLES), st.data())
def test_no_mutated_frame_raises(payload: bytes, data: st.DataObject) -> None:
    changed = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(changed) - 1))
        changed[index : index + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not changed:
            return
    decoder().frame(bytes(changed), NOW_NS)


@given(st.binary(max_size=60))
def test_no_bytes_raise(payload: bytes) -> None:
    decoder().frame(payload, NOW_NS)


# --- texts -------------------------------------------------------------------------------------


@given(st.integers(-(10**22), 10**22))
def test_a_number_without_noise_is_exact(value: int) -> None:
    written = f"{'-' if value < 0 else ''}{abs(value) // 10**10}.{abs(value) % 10**10:010d}"
    assert text.noisy(written) == value


def test_noise_is_rounded_and_nonsense_refused() -> None:
    assert text.noisy("0.30000000000000004") == parse("0.3")
    assert text.noisy("170043721737.450012207123") == parse("170043721737.4500122071")
    assert text.noisy(None) == 0
    assert text.money_or(None, 7) == 7
    for wrong in ("", "x", "nan", "inf", "1e999"):
        with pytest.raises((ValueError, ArithmeticError)):
            text.noisy(wrong)
    assert text.time_ns(-1) == text.time_ns(10**15) == 0
    assert text.own_id("0xAB") == "ab"
    with pytest.raises(ValueError, match='unknown side "C"'):
        text.side_of("C")


def test_a_reply_to_a_question_is_wrapped_once_more() -> None:
    [case] = [c for c in OBSERVED["websocket"] if c["when"] == "post, info"]
    reply = decoder().frame(json.dumps(case["frame"]).encode(), NOW_NS)
    assert isinstance(reply, Reply)
    got: info.Answer[Any] = info.posted(reply.payload, info.SHAPES["l2Book"])
    assert got.result is not None
    assert got.result.coin == "ETH"
