"""The simulated Kraken's public channels: acks, snapshots, refusals, number text, checksums."""

import json
import zlib
from random import Random
from typing import Any

import pytest

from crosswire.venues.interface import SimFrame
from crosswire.venues.kraken.simulator.books import book_checksum
from crosswire.venues.kraken.simulator.text import fixed
from tests.kraken_rig import Frame, Rig, answers, items

Levels = dict[str, str]


def subscribe(rig: Rig, channel: str, symbols: list[str] | None = None, **more: Any) -> int:
    socket = rig.open()
    rig.frames(socket)
    names = {"symbol": symbols} if symbols else {}
    rig.ask(socket, "subscribe", {"channel": channel, **names, **more})
    return socket


def naive_crc(bids: Levels, asks: Levels) -> int:
    """The checksum over what a client holds, from the text alone."""
    text = ""
    for side, is_bids in ((asks, False), (bids, True)):
        best = sorted(side, key=float, reverse=is_bids)[:10]
        text += "".join(
            (p.replace(".", "")).lstrip("0") + side[p].replace(".", "").lstrip("0") for p in best
        )
    return zlib.crc32(text.encode())


def follow(item: Frame, bids: Levels, asks: Levels, depth: int) -> None:
    """Apply a frame as a client does: in sequence, 0 deletes, then truncate."""
    for levels, held, is_bids in ((item["bids"], bids, True), (item["asks"], asks, False)):
        for level in levels:
            held[level["price"]] = level["qty"]
            if float(level["qty"]) == 0:
                del held[level["price"]]
        for price in sorted(held, key=float, reverse=is_bids)[depth:]:
            del held[price]


# --- subscribe ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error", "symbol"),
    [
        (
            {"channel": "book", "symbol": ["WWW/USD"]},
            "Currency pair not supported WWW/USD",
            "WWW/USD",
        ),
        (
            {"channel": "book", "symbol": ["XBT/USD"]},
            "Currency pair not supported XBT/USD",
            "XBT/USD",
        ),
        ({"channel": "book", "symbol": "BTC/USD"}, "Symbol field must be an array", None),
        ({"channel": "book"}, "Symbol(s) not found", None),
        ({"channel": "ticker", "symbol": []}, "Symbol(s) not found", None),
        ({"channel": "status"}, "Symbol(s) not found", None),
        (
            {"channel": "book", "symbol": ["BTC/USD"], "depth": 50},
            "Subscription depth not supported",
            None,
        ),
        ({"channel": "books", "symbol": ["BTC/USD"]}, "Subscription name invalid", None),
        ({"symbol": ["BTC/USD"]}, "Subscription name invalid", None),
        (
            {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 7},
            "Subscription ohlc interval not supported",
            None,
        ),
        (
            {"channel": "ticker", "symbol": ["BTC/USD"], "event_trigger": "x"},
            "Event_trigger field must be one of trades, bbo",
            None,
        ),
        (
            {"channel": "book", "symbol": ["BTC/USD"], "level": 3},
            "Unsupported field: 'level' for the given msg type: subscribe",
            None,
        ),
        (
            {"channel": "book", "symbol": ["BTC/USD"], "snapshot": 1},
            "Snapshot field must be a boolean",
            None,
        ),
        (
            {"channel": "executions", "token": "x"},
            "Private data and trading are unavailable on this endpoint",
            None,
        ),
        (
            {"channel": "level3", "symbol": ["BTC/USD"]},
            "Private data and trading are unavailable on this endpoint",
            None,
        ),
    ],
)
def test_refused_subscriptions(params: Frame, error: str, symbol: str | None) -> None:
    rig = Rig()
    socket = rig.open()
    rig.frames(socket)
    (refused,) = rig.ask(socket, "subscribe", params)
    assert refused["error"] == error
    assert refused.get("symbol") == symbol
    assert (refused["method"], refused["req_id"], refused["success"]) == ("subscribe", 7, False)
    assert "result" not in refused


def test_public_channels_are_not_on_the_private_socket() -> None:
    rig = Rig()
    socket = rig.login()
    (refused,) = rig.ask(socket, "subscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    assert refused["error"] == "Public market data subscriptions are unavailable on this endpoint"


def test_one_ack_per_symbol_each_before_its_snapshot() -> None:
    rig = Rig()
    socket = rig.open()
    rig.frames(socket)
    symbols = ["ETH/USD", "WWW/USD", "BTC/USD", "BTC/USD"]
    frames = rig.ask(socket, "subscribe", {"channel": "book", "symbol": symbols, "depth": 25})
    assert [frame.get("success", "snapshot") for frame in frames] == [
        True,
        "snapshot",
        False,
        True,
        "snapshot",
    ]
    assert frames[0]["result"] == {
        "channel": "book",
        "depth": 25,
        "snapshot": True,
        "symbol": "ETH/USD",
    }
    assert frames[1]["data"][0]["symbol"] == "ETH/USD"
    (again,) = rig.ask(socket, "subscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    assert again["error"] == "Already subscribed"


def test_unsubscribing_ends_a_channel_and_must_match() -> None:
    rig = Rig()
    socket = subscribe(rig, "book", ["BTC/USD"], depth=25)
    (refused,) = rig.ask(socket, "unsubscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    assert refused["error"] == "Subscription Not Found"
    assert (refused["method"], refused["symbol"]) == ("subscribe", "BTC/USD")
    params = {"channel": "book", "symbol": ["BTC/USD"], "depth": 25}
    (ended,) = rig.ask(socket, "unsubscribe", params)
    assert (ended["method"], ended["success"]) == ("unsubscribe", True)
    assert ended["result"] == {"channel": "book", "depth": 25, "symbol": "BTC/USD"}
    rig.rest("buy", "1", "60000")
    assert items(rig.frames(socket), "book") == []
    assert rig.ask(socket, "unsubscribe", params)[0]["error"] == "Subscription Not Found"


@pytest.mark.parametrize(
    ("params", "result"),
    [
        (
            {"channel": "ticker", "symbol": ["BTC/USD"]},
            {"channel": "ticker", "event_trigger": "trades", "symbol": "BTC/USD"},
        ),
        (
            {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 60},
            {"channel": "ohlc", "interval": 60, "symbol": "BTC/USD"},
        ),
        ({"channel": "instrument"}, {"channel": "instrument"}),
    ],
)
def test_what_the_end_of_other_channels_says(params: Frame, result: Frame) -> None:
    rig = Rig()
    socket = rig.open()
    rig.ask(socket, "subscribe", params)
    assert rig.ask(socket, "unsubscribe", params)[0]["result"] == result


# --- book --------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [10, 25, 100, 500, 1000])
def test_every_checksum_and_level_follows_at_every_depth(depth: int) -> None:
    rig = Rig()
    socket = subscribe(rig, "book", ["BTC/USD"], depth=depth)
    rng, placed = Random(depth), []
    bids: Levels = {}
    asks: Levels = {}
    for step in range(150):
        side, base = rng.choice([("buy", 60000), ("sell", 60010)])
        price = base + rng.randrange(-30, 31) / 10
        placed.append(rig.rest(side, f"0.{rng.randrange(1, 99):02}", f"{price:.1f}"))
        if step % 3 == 2:
            rig.post("CancelOrder", {"txid": placed.pop(rng.randrange(len(placed)))}, "other-key")
        rig.wait(1)
    updates = items(rig.frames(socket), "book")
    assert len(updates) > 100
    for item in updates:
        assert (item["symbol"], list(item)[-2:]) == ("BTC/USD", ["checksum", "timestamp"])
        follow(item, bids, asks, depth)
        assert naive_crc(bids, asks) == item["checksum"]
    engine = rig.sim.exchange.engines["BTC/USD"]
    assert {fixed(p, 1): fixed(q, 8) for p, q in engine.top("buy", depth)} == bids
    assert {fixed(p, 1): fixed(q, 8) for p, q in engine.top("sell", depth)} == asks


def test_a_level_that_comes_into_range_is_told_with_the_one_that_left() -> None:
    rig = Rig()
    ids = [rig.rest("buy", "1", f"{60000 - step}.0") for step in range(12)]
    socket = subscribe(rig, "book", ["BTC/USD"])
    rig.frames(socket)
    rig.wait(20)
    rig.result("CancelOrder", {"txid": ids[4]}, key="other-key")
    (update,) = items(rig.frames(socket), "book")
    assert update["bids"] == [
        {"price": "59996.0", "qty": "0.00000000"},
        {"price": "59990.0", "qty": "1.00000000"},
    ]
    rig.rest("buy", "1", "60001.0")  # pushes 59990 out again: no delete is sent for it
    (update,) = items(rig.frames(socket), "book")
    assert update["bids"] == [{"price": "60001.0", "qty": "1.00000000"}]
    rig.rest("buy", "1", "59000.0")
    assert items(rig.frames(socket), "book") == []


def test_removed_levels_lead_a_frame() -> None:
    """Some clients truncate after every level: none may be lost to one that is going."""
    rig = Rig()
    order = rig.rest("buy", "1", "60000.0")
    socket = subscribe(rig, "book", ["BTC/USD"])
    rig.result("AmendOrder", {"txid": order, "limit_price": "60001.0"}, key="other-key")
    (update,) = items(rig.frames(socket), "book")
    assert update["bids"] == [
        {"price": "60000.0", "qty": "0.00000000"},
        {"price": "60001.0", "qty": "1.00000000"},
    ]


def test_a_snapshot_shows_the_present_and_others_are_told_first() -> None:
    rig = Rig()
    first = subscribe(rig, "book", ["BTC/USD"])
    rig.rest("sell", "0.1", "60000.5")
    second = rig.open()
    rig.frames(second)
    frames = rig.ask(second, "subscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    (snapshot,) = items(frames, "book")
    assert snapshot["asks"] == [{"price": "60000.5", "qty": "0.10000000"}]
    assert list(snapshot) == ["symbol", "bids", "asks", "checksum", "timestamp"]
    rig.rest("sell", "0.2", "60000.5")
    for socket in (first, second):
        last = items(rig.frames(socket), "book")[-1]
        assert last["asks"] == [{"price": "60000.5", "qty": "0.30000000"}]


def test_a_book_without_its_snapshot_still_updates() -> None:
    rig = Rig()
    socket = subscribe(rig, "book", ["BTC/USD"], snapshot=False)
    assert items(rig.frames(socket), "book") == []
    rig.rest("buy", "1", "60000")
    assert len(items(rig.frames(socket), "book")) == 1


def test_the_exact_bytes_of_a_book_frame() -> None:
    rig = Rig()
    subscribe(rig, "book", ["BTC/USD"])
    rig.sim.outbox.clear()
    rig.rest("buy", "0.1", "45281")
    (frame,) = [out for out in rig.sim.outbox if isinstance(out, SimFrame)]
    crc = zlib.crc32(b"45281010000000")
    assert frame.payload == (
        b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD",'
        b'"bids":[{"price":45281.0,"qty":0.10000000}],"asks":[],"checksum":'
        + str(crc).encode()
        + b","
        b'"timestamp":"2026-09-21T14:13:20.000000Z"}]}'
    )
    market = rig.sim.exchange.markets["BTC/USD"]
    assert book_checksum(rig.sim.exchange.engines["BTC/USD"], market) == crc


# --- trade, ticker, ohlc -----------------------------------------------------------------------


def trade(rig: Rig, quantity: str = "0.1") -> None:
    """Let the two clients trade at 60000.5."""
    rig.rest("sell", quantity, "60000.5")
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": quantity}
    rig.result("AddOrder", order)


def test_trades_are_printed_and_the_last_fifty_are_the_snapshot() -> None:
    rig = Rig()
    socket = subscribe(rig, "trade", ["BTC/USD"])
    assert answers(rig.frames(socket)) == []
    for _ in range(60):
        trade(rig)
        rig.wait(10)
    updates = items(rig.frames(socket), "trade")
    assert len(updates) == 60
    assert list(updates[0]) == [
        "symbol",
        "side",
        "price",
        "qty",
        "ord_type",
        "trade_id",
        "timestamp",
    ]
    assert updates[0]["side"] == "buy"
    assert (updates[0]["price"], updates[0]["qty"]) == ("60000.5", "0.10000000")
    assert updates[0]["ord_type"] == "market"
    assert [item["trade_id"] for item in updates] == list(range(1_000_001, 1_000_061))
    late = rig.open()
    frames = rig.ask(
        late, "subscribe", {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": True}
    )
    (ack,) = answers(frames)
    assert ack["result"] == {"channel": "trade", "snapshot": True, "symbol": "BTC/USD"}
    assert items(frames, "trade") == updates[-50:]


def test_the_trade_snapshot_is_not_sent_unless_asked_for() -> None:
    rig = Rig()
    trade(rig)
    socket = rig.open()
    rig.frames(socket)
    (ack,) = rig.ask(socket, "subscribe", {"channel": "trade", "symbol": ["BTC/USD"]})
    assert ack["result"]["snapshot"] is False


def test_the_ticker_follows_trades_or_the_best_prices() -> None:
    rig = Rig()
    by_trade = subscribe(rig, "ticker", ["BTC/USD", "ETH/USD"])
    by_best = subscribe(rig, "ticker", ["BTC/USD"], event_trigger="bbo")
    rig.frames(by_trade)
    rig.frames(by_best)
    rig.rest("buy", "1", "59000")
    assert items(rig.frames(by_trade), "ticker") == []
    (best,) = items(rig.frames(by_best), "ticker")
    assert (best["bid"], best["bid_qty"], best["ask"]) == ("59000.0", "1.00000000", "0.0")
    rig.rest("buy", "1", "58000")
    assert items(rig.frames(by_best), "ticker") == []
    trade(rig)
    (item,) = items(rig.frames(by_trade), "ticker")
    assert item == {
        "symbol": "BTC/USD",
        "bid": "59000.0",
        "bid_qty": "1.00000000",
        "ask": "0.0",
        "ask_qty": "0.00000000",
        "last": "60000.5",
        "volume": "0.10000000",
        "vwap": "60000.5",
        "low": "60000.5",
        "high": "65000.0",
        "change": "-4999.5",
        "change_pct": "-7.69",
        "trades": 1,
        "timestamp": "2026-09-21T14:13:20.000000Z",
    }


def test_candles_open_and_close_with_time() -> None:
    rig = Rig()
    socket = rig.open()
    rig.frames(socket)
    ask = {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 5}
    ack, snapshot = rig.ask(socket, "subscribe", ask)
    assert ack["result"] == {
        "channel": "ohlc",
        "interval": 5,
        "snapshot": True,
        "symbol": "BTC/USD",
        "warnings": ["timestamp is deprecated, use interval_begin"],
    }
    assert snapshot["type"] == "snapshot"
    assert snapshot["timestamp"] == "2026-09-21T14:13:20.000000Z"
    assert snapshot["data"][0]["interval_begin"] == "2026-09-21T14:10:00.000000000Z"
    trade(rig)
    rig.wait(100)  # to the nanosecond at which the next one begins
    trade(rig, "0.3")
    first, second = items(rig.frames(socket), "ohlc")
    assert first["interval_begin"] == snapshot["data"][0]["interval_begin"]
    assert first["open"] == "65000.0"
    assert second == {
        "symbol": "BTC/USD",
        "open": "60000.5",
        "high": "60000.5",
        "low": "60000.5",
        "close": "60000.5",
        "trades": 1,
        "volume": "0.30000000",
        "vwap": "60000.5",
        "interval_begin": "2026-09-21T14:15:00.000000000Z",
        "interval": 5,
        "timestamp": "2026-09-21T14:20:00.000000Z",
    }
    one_more = rig.ask(socket, "subscribe", ask | {"interval": 1, "snapshot": False})
    assert len(one_more) == 1  # another interval is another subscription


# --- instrument --------------------------------------------------------------------------------


def test_instruments_print_exponents_as_the_venue_does() -> None:
    rig = Rig()
    socket = rig.open()
    rig.sim.outbox.clear()
    params = {"channel": "instrument", "include_tokenized_assets": False}
    rig.sim.received(
        socket, json.dumps({"method": "subscribe", "params": params}).encode(), rig.now
    )
    ack, snapshot = [out.payload for out in rig.sim.outbox if isinstance(out, SimFrame)]
    assert json.loads(ack)["result"]["warnings"] == ["tick_size is deprecated, use price_increment"]
    assert (
        b'{"id":"BTC","status":"enabled","precision":10,"precision_display":5,"borrowable":true,'
        b'"collateral_value":1.00,"margin_rate":0.010000}'
    ) in snapshot
    assert (
        b'{"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"online","qty_precision":8,'
        b'"qty_increment":1e-08,"price_precision":1,"cost_precision":5,"marginable":true,'
        b'"has_index":true,"cost_min":0.5,"margin_initial":0.2,"position_limit_long":250,'
        b'"position_limit_short":200,"tick_size":0.1,"price_increment":0.1,"qty_min":5e-05}'
    ) in snapshot


# --- level 3 -----------------------------------------------------------------------------------


def l3_crc(frame: Frame) -> int:
    text = ""
    for side in ("asks", "bids"):
        for order in frame[side]:
            for name in ("limit_price", "order_qty"):
                text += order[name].replace(".", "").lstrip("0")
    return zlib.crc32(text.encode())


def test_level_three_shows_every_order_in_its_queue() -> None:
    rig = Rig()
    ids = [rig.rest("buy", "1", "60000.0"), rig.rest("buy", "2", "60000.0")]
    ids.append(rig.rest("sell", "1.5", "60001.0"))
    rig.login()
    socket = rig.open("/l3/v2")
    rig.frames(socket)
    ack, snapshot = rig.ask(socket, "subscribe", {"channel": "level3", "symbol": ["BTC/USD"]})
    assert ack["result"] == {"channel": "level3", "snapshot": True, "symbol": "BTC/USD"}
    (data,) = snapshot["data"]
    assert [order["order_id"] for order in data["bids"] + data["asks"]] == ids
    assert data["bids"][1]["limit_price"] == "60000.0"
    assert data["bids"][1]["order_qty"] == "2.00000000"
    assert data["checksum"] == l3_crc(data)
    rig.wait(30)
    rig.result("AmendOrder", {"txid": ids[1], "order_qty": "1.25"}, key="other-key")
    rig.result("CancelOrder", {"txid": ids[0]}, key="other-key")
    added = rig.rest("sell", "0.5", "60002.0")
    changes = items(rig.frames(socket), "level3")
    assert [(c["bids"] or c["asks"])[0]["event"] for c in changes] == ["modify", "delete", "add"]
    assert changes[0]["bids"][0]["order_qty"] == "1.25000000"
    assert changes[2]["asks"][0]["order_id"] == added
    deeper = {"channel": "level3", "symbol": ["ETH/USD"], "depth": 100}
    ack = rig.ask(socket, "subscribe", deeper | {"snapshot": False})[0]
    assert ack["result"]["depth"] == 100
    ended = rig.ask(socket, "unsubscribe", deeper)[0]
    assert ended["result"] == {"channel": "level3", "depth": 100, "symbol": "ETH/USD"}


def test_level_three_needs_a_token_and_has_its_own_depths() -> None:
    rig = Rig()
    socket = rig.open("/l3/v2")
    rig.frames(socket)
    params: Frame = {"channel": "level3", "symbol": ["BTC/USD"]}
    assert rig.ask(socket, "subscribe", params)[0]["error"] == "Token(s) not found"
    params["depth"] = 25
    assert rig.ask(socket, "subscribe", params)[0]["error"] == "Subscription depth not supported"
