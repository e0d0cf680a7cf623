"""Frames and lists become events; what makes no sense is an event too, and nothing raises."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import (
    CandleChanged,
    CashMoved,
    Filled,
    TradePrinted,
    Unreadable,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import fills, info, text, websocket
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
from tests.hyperliquid_frames import decoder, fill, frame, only, read, update
from tests.hyperliquid_world import ACCOUNT, NOW_MS, NOW_NS, OWN_ID, vectors

OBSERVED = vectors("observed_responses")


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
