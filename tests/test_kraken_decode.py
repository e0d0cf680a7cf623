"""Kraken's decoder against golden vectors, on damaged ones, and the meaning of error texts."""

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import (
    BalancesRead,
    BookChanged,
    Closed,
    Filled,
    OrdersRead,
    ReadFailed,
    Unreadable,
)
from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode import errors, private, rest, text
from crosswire.venues.kraken.decode.messages import (
    ChannelMessage,
    Heartbeat,
    Message,
    Pong,
    Reply,
)
from crosswire.venues.kraken.decode.names import Names
from crosswire.venues.kraken.decode.websocket import Decoder

VECTORS = Path(__file__).parent / "vectors" / "kraken"
STREAMS: list[dict[str, Any]] = [
    case
    for name in ("market", "answers", "private")
    for case in json.loads((VECTORS / f"{name}.json").read_text())
]
REST = json.loads((VECTORS / "rest.json").read_text())
PAIRS = dict[str, wire.RestAssetPair]


def decoder(case: dict[str, Any]) -> Decoder:
    return Decoder(session="s", connection="c", is_private=case["is_private"], depth=10)


def reader() -> rest.Rest:
    names = Names()
    pairs = rest.answer(200, REST["pairs"].encode(), PAIRS)
    assert pairs.result is not None
    rest.instruments(pairs.result, names)
    return rest.Rest("mm", names)


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case["name"])
def test_frames_become_the_expected_messages(case: dict[str, Any]) -> None:
    one = decoder(case)
    got = [msgspec.to_builtins(one.frame(frame.encode(), 1)) for frame in case["frames"]]
    assert json.loads(json.dumps(got)) == case["expected"]


@pytest.mark.parametrize("case", REST["cases"], ids=lambda case: case["name"])
def test_look_ups_become_the_expected_events(case: dict[str, Any]) -> None:
    got = getattr(reader(), case["call"])(case["status"], case["body"].encode(), 1)
    assert json.loads(json.dumps(msgspec.to_builtins(got))) == case["expected"]


def test_vectors_name_their_sources() -> None:
    for case in [*STREAMS, *REST["cases"]]:
        assert case["kind"] in ("documented", "made")
        assert case["source"]
        assert case["date"]


def damage(payload: bytes, rng: random.Random) -> bytes:
    """Cut, flip, double, swap or insert at random places."""
    data = bytearray(payload)
    for _ in range(rng.randint(1, 4)):
        at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        match rng.randrange(5):
            case 0:
                data[at:to] = b""
            case 1 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                data[at:at] = data[at:to]
            case 3:
                words = (b"null", b"-1", b"1e999999", b'"NaN"', b"[", b"{}", b"1e-08", b"true")
                data[at:to] = rng.choice(words)
            case _:
                data[at:at] = bytes([rng.randrange(256)])
        if not data:
            break
    return bytes(data)


seeds = st.integers(0, 2**32)


@given(case=st.sampled_from(STREAMS), seed=seeds, is_private=st.booleans())
def test_damaged_frames_never_raise(case: dict[str, Any], seed: int, is_private: bool) -> None:
    rng = random.Random(seed)
    one = Decoder(session="s", connection="c", is_private=is_private)
    for frame in case["frames"]:
        payload = damage(frame.encode(), rng)
        got = one.frame(payload, 1)
        assert isinstance(got, Reply | Pong | Heartbeat | ChannelMessage | Unreadable)
        change = one.book_update(payload, 1)
        assert change is None or isinstance(change, BookChanged)


@given(case=st.sampled_from(REST["cases"]), seed=seeds)
def test_damaged_answers_never_raise(case: dict[str, Any], seed: int) -> None:
    body = damage(case["body"].encode(), random.Random(seed))
    got = getattr(reader(), case["call"])(200, body, 1)
    assert isinstance(
        got, ReadFailed | rest.OrdersPage | rest.FillsPage | rest.CashPage | BalancesRead
    )


@given(seed=seeds, kind=st.sampled_from([PAIRS, wire.RestTradeVolume, dict[str, wire.RestBook]]))
def test_damaged_lists_never_raise(seed: int, kind: Any) -> None:
    bodies = {
        PAIRS: REST["pairs"],
        wire.RestTradeVolume: VOLUME,
        dict[str, wire.RestBook]: DEPTH,
    }
    got = rest.answer(200, damage(bodies[kind].encode(), random.Random(seed)), kind)
    assert (got.result is None) == (got.verdict != "")
    if got.result is None:
        return
    if kind is PAIRS:
        rest.instruments(got.result, Names())
    elif kind is wire.RestTradeVolume:
        rest.fees(got.result, Names())
    else:
        rest.books(got.result, Names(), 1)


@given(st.binary(max_size=200))
def test_noise_is_unreadable(noise: bytes) -> None:
    one = Decoder(session="s", connection="c")
    is_heartbeat = noise == b'{"channel":"heartbeat"}'  # Hypothesis reads constants in code
    assert isinstance(one.frame(noise, 1), Heartbeat if is_heartbeat else Unreadable)
    assert one.book_update(noise, 1) is None


def test_deep_nesting_is_unreadable() -> None:
    deep = b'{"channel":"book","type":"update","data":' + b"[" * 100_000
    assert isinstance(Decoder(session="s", connection="c").frame(deep, 1), Unreadable)
    assert rest.answer(200, b"[" * 100_000, wire.RestStatus).verdict == "unknown"


# --- error texts -------------------------------------------------------------------------------

REFUSED = [
    "EOrder:Insufficient funds",
    "EOrder:Orders limit exceeded",
    "EOrder:Unknown order",
    "EGeneral:Invalid arguments:cl_ord_id not unique",
    "EGeneral:Permission denied",
    "EQuery:Unknown asset pair",
    "EAPI:Invalid key",
    "ETrade:Invalid request",
    "EBM:limit exceeded:CAL",
    "Limit_price field must be a number_float",
    "Unsupported field: 'price' for the given msg type: add order",
    "Currency pair not supported WWW/USD",
]
TRANSIENT = [
    "EAPI:Rate limit exceeded",
    "EOrder:Rate limit exceeded",
    "EOrder:Domain rate limit exceeded",
    "EService:Throttled: 1700000000",
    "EService:Market in cancel_only mode",
    "EService:Deadline elapsed",
    "EAPI:Invalid nonce",
    "EAPI:Invalid token",
    "ESession:Invalid session",
    "EGeneral:Temporary lockout",
    "EAuth:Account temporary disabled",
    "Token(s) not found",
    "Exceeded msg rate",
]
UNKNOWN = [
    "EService:Unavailable",
    "EService:Busy",
    "EGeneral:Internal error",
    "EGeneral:Internal error:17",
    "EFuture:Never heard of",
    "",
]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        *[(line, "refused") for line in REFUSED],
        *[(line, "transient") for line in TRANSIENT],
        *[(line, "unknown") for line in UNKNOWN],
    ],
)
def test_error_texts_have_one_of_three_meanings(line: str, verdict: str) -> None:
    assert errors.classify(line) == verdict


def test_the_least_certain_error_wins() -> None:
    assert errors.classify_all([]) == ""
    assert errors.classify_all(["EOrder:Unknown order"]) == "refused"
    assert errors.classify_all(["EOrder:Unknown order", "EAPI:Invalid nonce"]) == "transient"
    assert errors.classify_all(["EService:Busy", "EOrder:Unknown order"]) == "unknown"


def test_what_a_refusal_asks_for() -> None:
    assert errors.is_duplicate("EGeneral:Invalid arguments:cl_ord_id not unique")
    assert not errors.is_duplicate("EGeneral:Invalid arguments:cl_ord_id")
    assert errors.is_unknown_order("EOrder:Unknown order")
    assert not errors.is_unknown_order("EOrder:Unknown position")
    assert errors.is_token_refusal("Token(s) not found")
    assert not errors.is_token_refusal("EAPI:Invalid nonce")
    assert errors.is_rate_limit("EOrder:Rate limit exceeded")
    assert not errors.is_rate_limit("EOrder:Orders limit exceeded")


# --- REST answers ------------------------------------------------------------------------------

VOLUME = (
    '{"error":[],"result":{"currency":"ZUSD","volume":"451.3","fees":{"XXBTZUSD":{"fee":"0.2600"},'
    '"XETHZUSD":{"fee":"0.2600"},"BAD":{"fee":"NaN"}},"fees_maker":{"XXBTZUSD":{"fee":"0.1600"}}}}'
)
DEPTH = (
    '{"error":[],"result":{"XXBTZUSD":{"asks":[["30384.1","2.059",1688671659]],'
    '"bids":[["30297.0","1.115",1688671636]]},"BAD":{"asks":[["NaN","1",0]],"bids":[]}}}'
)


def test_answers_say_what_went_wrong() -> None:
    def ask(status: int, body: str) -> rest.Answer[wire.RestStatus]:
        return rest.answer(status, body.encode(), wire.RestStatus)

    good = ask(200, '{"error":["WGeneral:Old"],"result":{"status":"online"}}')
    assert good.result == wire.RestStatus("online")
    assert (good.verdict, good.warnings, good.reason) == ("", ("WGeneral:Old",), "")
    assert ask(200, '{"error":["EOrder:Unknown order"]}').verdict == "refused"
    assert ask(200, '{"error":["EService:Busy","EOrder:X"]}').reason == "EService:Busy; EOrder:X"
    assert ask(429, "slow down").verdict == "transient"
    assert ask(502, "<html>").verdict == "unknown"
    assert ask(503, '{"error":[],"result":{"status":"online"}}').verdict == "unknown"
    assert ask(200, '{"error":[],"result":7}').verdict == "unknown"


def test_instruments_of_asset_pairs() -> None:
    names = Names()
    pairs = rest.answer(200, REST["pairs"].encode(), PAIRS).result
    assert pairs is not None
    row = pairs["XXBTZUSD"]
    edit = msgspec.structs.replace
    rows = {
        **pairs,
        "XBTUSD.d": edit(row, altname="XBTUSD.d", wsname=None),
        "FINE": edit(row, altname="FINE", wsname="FINE/USD", pair_decimals=11),
        "FINEST": edit(row, altname="FINEST", wsname="FINEST/USD", tick_size=Decimal("1e-12")),
        "XDGUSD": edit(
            row, altname="XDGUSD", wsname="XDG/USD", base="XXDG", tick_size=None, fees_maker=[]
        ),
        "FREE": edit(row, altname="FREE", wsname="FREE/USD", fees=[], fees_maker=[], status="bust"),
    }
    bitcoin, doge, free = rest.instruments(rows, names)
    assert (bitcoin.id, bitcoin.base, bitcoin.quote) == ("kraken:BTC/USD", "BTC", "USD")
    assert (bitcoin.price_tick, bitcoin.quantity_step) == (10**9, 100)
    assert (bitcoin.maker_fee, bitcoin.taker_fee) == (25_000_000, 40_000_000)
    assert (bitcoin.min_quantity, bitcoin.min_notional) == (500_000, 5 * 10**9)
    assert (doge.name, doge.price_tick, doge.maker_fee) == ("DOGE/USD", 10**9, 40_000_000)
    assert (free.status, free.taker_fee) == ("off", 0)


def test_fees_and_depth_skip_what_is_no_number() -> None:
    names = reader().names
    volume = rest.answer(200, VOLUME.encode(), wire.RestTradeVolume).result
    assert volume is not None
    assert rest.fees(volume, names) == {
        "kraken:BTC/USD": (16_000_000, 26_000_000),
        "kraken:XETHZUSD": (26_000_000, 26_000_000),
    }
    depth = rest.answer(200, DEPTH.encode(), dict[str, wire.RestBook]).result
    assert depth is not None
    (book,) = rest.books(depth, names, 1)
    assert (book.instrument, book.asks) == ("kraken:BTC/USD", ((303841 * 10**9, 20590000000),))


def test_relative_prices_are_no_limit_prices() -> None:
    page = REST["cases"][0]["body"].replace('"price":"30010.0","price2"', '"price":"-2%","price2"')
    read = reader().open_orders(200, page.encode(), 1)
    assert isinstance(read, rest.OrdersPage)
    assert read.orders[0].price is None


def test_names_are_learnt_never_trimmed() -> None:
    names = Names()
    assert names.pair("XBT/USD") == "BTC/USD"
    assert names.pair("XXBTZUSD") == "XXBTZUSD"
    assert names.rest_pair("BTC/USD") == "BTC/USD"
    names = reader().names
    assert names.pair("XXBTZUSD") == names.pair("BTC/USD") == "BTC/USD"
    assert names.rest_pair("BTC/USD") == "XBTUSD"
    assert (names.asset("XXBT"), names.asset("ZUSD"), names.asset("ZEUR")) == ("BTC", "USD", "ZEUR")
    names.learn_assets({"ZEUR": wire.RestAsset("EUR", 4), "XXDG": wire.RestAsset("XDG", 8)})
    assert (names.asset("ZEUR"), names.asset("XXDG")) == ("EUR", "DOGE")


# --- times -------------------------------------------------------------------------------------


def test_times_are_read_to_the_nanosecond() -> None:
    assert text.time_ns("1970-01-01T00:00:01Z") == 1_000_000_000
    assert text.time_ns("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert text.time_ns("1970-01-01T00:00:00.000000001Z") == 1
    assert text.time_ns("2026-08-26T15:16:16.637831Z") == 1_787_757_376_637_831_000
    for line in (None, "", "0", "2026-08-26", "2026-19-26T15:16:16Z", "2026-08-26T29:16:16Z"):
        assert text.time_ns(line) == 0
    assert text.unix_ns(Decimal("1616666559.8974")) == 1_616_666_559_897_400_000
    assert text.unix_ns(None) == text.unix_ns(Decimal("NaN")) == 0


def test_seconds_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_SECONDS", 1)
    for second in ("2026-08-26T15:16:16Z", "2026-08-26T15:16:17Z", "2026-08-26T15:16:16Z"):
        assert text.time_ns(second) > 0


# --- the memory of orders ----------------------------------------------------------------------


def executions(*items: str, kind: str = "update") -> bytes:
    line = f'{{"channel":"executions","type":"{kind}","data":[{",".join(items)}],"sequence":1}}'
    return line.encode()


def events(message: Message) -> list[str]:
    assert isinstance(message, ChannelMessage)
    return [type(event).__name__ for event in message.events]


FILL = (
    '{"order_id":"O1","exec_type":"trade","exec_id":"T1","last_qty":1,"last_price":2,"cum_qty":1}'
)


def test_an_answer_teaches_what_the_stream_will_not_say() -> None:
    one = Decoder(session="mm", connection="p", is_private=True)
    assert events(one.frame(executions(FILL), 1)) == ["Unreadable"]
    one.private.memory.learn("O1", client_order_id="c1", symbol="BTC/USD", side="sell")
    one.private.memory.learn("O1")
    message = one.frame(executions(FILL), 1)
    assert isinstance(message, ChannelMessage)
    (fill,) = message.events
    assert isinstance(fill, Filled)
    assert (fill.client_order_id, fill.instrument, fill.side) == ("c1", "kraken:BTC/USD", "sell")


def test_memory_is_bounded_and_forgets_finished_orders_first() -> None:
    one = Decoder(session="mm", connection="p", is_private=True)
    memory = one.private.memory = private.OrderMemory(max_orders=3)
    memory.learn("live", symbol="BTC/USD", side="buy")
    end = '{"order_id":"ended","exec_type":"canceled","order_status":"canceled"}'
    one.frame(executions(end), 1)
    memory.learn("b")
    memory.learn("c")
    assert list(memory.orders) == ["live", "b", "c"]
    memory.learn("d")
    assert list(memory.orders) == ["b", "c", "d"]


def test_a_snapshot_says_when_it_was_asked_for_and_whether_it_has_orders() -> None:
    one = Decoder(session="mm", connection="p", is_private=True)
    one.private.snapshot_started_ns = 7
    message = one.frame(executions(kind="snapshot"), 9)
    assert isinstance(message, ChannelMessage)
    (read,) = message.events
    assert isinstance(read, OrdersRead)
    assert (read.started_ns, read.is_complete) == (7, True)
    one.private.has_order_snapshot = False
    assert events(one.frame(executions(kind="snapshot"), 9)) == []


def test_fills_that_add_up_settle_a_silent_end() -> None:
    """`filled` without a quantity: known where the fills so far reach the total, else unsaid."""
    one = Decoder(session="mm", connection="p", is_private=True)
    one.private.memory.learn("O1", symbol="BTC/USD", side="buy")
    ended = '{"order_id":"O1","exec_type":"filled","order_status":"filled"}'
    new = '{"order_id":"O1","exec_type":"new","order_status":"new","order_qty":%d}'
    for total, filled in ((1, 10**10), (2, None)):
        message = one.frame(executions(new % total, FILL, ended), 1)
        assert isinstance(message, ChannelMessage)
        closed = message.events[-1]
        assert isinstance(closed, Closed)
        assert closed.filled == filled
