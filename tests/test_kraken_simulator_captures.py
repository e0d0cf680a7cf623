"""What the simulated Kraken says has the shape of what the real one was recorded saying."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crosswire.venues.interface import SimFrame
from crosswire.venues.kraken.simulator.markets import default_markets
from crosswire.venues.kraken.simulator.text import checksum, crc_part, scaled
from tests.kraken_rig import ME, Frame, Rig, answers, items, limit, read

# Keys that came after a recording was made, or that only some accounts or moments have.
NEWER = {"trades", "timestamp", "snap_orders", "snap_trades", "warnings", "sender_sub_id"}


def shape(value: Any) -> Any:
    """Reduce a message to its keys and the kinds of its values; numbers are one kind."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


def lines(path: Path) -> list[Frame]:
    """The recorded messages of a file, one a line; skips where it is absent."""
    if not path.exists():
        pytest.skip(f"no recording {path.name}")
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


@pytest.fixture(name="folder")
def _folder(captures: Path) -> Path:
    return captures / "kraken" / "captured"


def raw(rig: Rig, socket: int, method: str, params: Frame) -> list[Frame]:
    """Like `Rig.ask`, with numbers left as they are."""
    token = {"token": rig.tokens[ME]} if ME in rig.tokens else {}
    message = {"method": method, "params": {**params, **token}, "req_id": 0}
    rig.sim.outbox.clear()
    rig.sim.received(socket, json.dumps(message).encode(), rig.now)
    outputs = [out for out in rig.sim.outbox if isinstance(out, SimFrame)]
    return [json.loads(out.payload) for out in outputs if out.connection == socket]


# --- the private life of an order ---------------------------------------------------------------


def test_the_whole_life_of_an_order(folder: Path) -> None:
    """Key for key, in the recorded order: snapshot, pending_new, new, amended twice, canceled."""
    recorded = lines(folder / "raw_v2" / "executions_amend_cancel.ndjson")
    rig = Rig()
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
    socket = rig.open("/auth/v2")
    name = "b17c7bb34d000200"
    amend = {"cl_ord_id": name, "order_qty": 0.00025, "limit_price": 61818}
    frames = raw(rig, socket, "subscribe", {"channel": "executions"})
    order = limit(quantity=0.0005, cl_ord_id=name)
    frames += raw(rig, socket, "add_order", order)
    frames += raw(rig, socket, "amend_order", amend)
    frames += raw(rig, socket, "cancel_order", {"cl_ord_id": [name]})
    said = [frame for frame in frames if frame.get("channel") == "executions"]
    assert [shape(frame) for frame in said] == [shape(frame) for frame in recorded]
    for ours, theirs in zip(said, recorded, strict=True):
        assert ours["sequence"] == theirs["sequence"]
        for mine, real in zip(ours["data"], theirs["data"], strict=True):
            assert list(mine) == list(real)  # the keys' order too
            assert mine["exec_type"] == real["exec_type"]
            assert mine["order_status"] == real["order_status"]
            assert mine.get("reason") == real.get("reason")


def test_the_number_text_of_the_life_of_an_order(folder: Path) -> None:
    path = folder / "raw_v2" / "executions_amend_cancel.ndjson"
    lines(path)
    recorded = [read(line) for line in path.read_bytes().splitlines() if line.strip()]
    rig = Rig()
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(quantity=0.0001, price=80000, cl_ord_id="x"))
    frames += rig.ask(socket, "cancel_order", {"cl_ord_id": ["x"]})
    ours = [*items(frames)[:1], *items(frames)[-1:]]
    theirs = [recorded[1]["data"][0], recorded[-1]["data"][0]]
    same: tuple[str, ...] = (
        "order_qty",
        "cum_cost",
        "cum_qty",
        "limit_price",
        "stop_price",
        "avg_price",
    )
    same += ("fee_usd_equiv",)
    for mine, real in zip(ours, theirs, strict=True):
        assert {k: mine[k] for k in same if k in mine} == {k: real[k] for k in same if k in real}


def executions_of(rig: Rig) -> list[Frame]:
    socket = rig.login()
    frames = raw(rig, socket, "add_order", limit())
    order_id = frames[0]["result"]["order_id"]
    frames += raw(rig, socket, "amend_order", {"order_id": order_id, "limit_price": 61000})
    return frames + raw(rig, socket, "cancel_order", {"order_id": [order_id]})


def test_private_frames_without_a_client_id(folder: Path) -> None:
    recorded = lines(folder / "kraken_async_rs" / "ws_private.jsonl")
    rig = Rig()
    ours = {item["exec_type"]: item for item in items(executions_of(rig))}
    seen = set()
    for frame in recorded:
        for item in items([frame]):
            assert shape(ours[item["exec_type"]]) == shape(item)
            seen.add(item["exec_type"])
    assert seen == {"pending_new", "new", "amended", "canceled"}


def test_balance_frames(folder: Path) -> None:
    recorded = lines(folder / "kraken_async_rs" / "ws_private.jsonl")
    rig = Rig()
    rig.rest("sell", "1", "60000")
    socket = rig.login()
    raw(rig, socket, "subscribe", {"channel": "balances"})
    ours = [f for f in raw(rig, socket, "add_order", limit()) if f.get("channel") == "balances"]
    theirs = [frame for frame in recorded if frame.get("channel") == "balances"]
    assert len(theirs) == 2
    for frame in theirs:
        assert [list(item) for item in frame["data"]] == [list(ours[0]["data"][0])]
        assert shape(frame) == shape(ours[0])


def test_private_acks(folder: Path) -> None:
    recorded = lines(folder / "kraken_async_rs" / "ws_private.jsonl")
    acks = {frame["result"]["channel"]: frame for frame in recorded if "method" in frame}
    rig = Rig()
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
    socket = rig.open("/auth/v2")
    for channel in ("executions", "balances"):
        (ours, _) = raw(rig, socket, "subscribe", {"channel": channel})[-2:]
        mine, theirs = ours["result"], acks[channel]["result"]
        kept = {key: shape(mine[key]) for key in mine if key not in NEWER}
        renamed = set() if "snapshot" in mine else {"snapshot"}  # now snap_orders
        wanted = {key: shape(theirs[key]) for key in theirs if key not in NEWER | renamed}
        assert kept == wanted
        assert mine.get("warnings") == theirs.get("warnings")
        assert list(ours) == list(acks[channel])


# --- answers -----------------------------------------------------------------------------------


def ping_params(rig: Rig) -> Frame:
    return raw(rig, rig.open(), "ping", {})[-1]


def subscribed(channel: str, **params: Any) -> Callable[[Rig], Frame]:
    def ask(rig: Rig) -> Frame:
        if channel == "level3":
            rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
        socket = rig.open("/l3/v2" if channel == "level3" else "/v2")
        return answers(raw(rig, socket, "subscribe", {"channel": channel, **params}))[0]

    return ask


def traded(method: str, params: Frame) -> Callable[[Rig], Frame]:
    def ask(rig: Rig) -> Frame:
        socket = rig.login()
        order_id = rig.place(socket, cl_ord_id="a-uuid")
        mine = {key: [order_id] if value == "ID" else value for key, value in params.items()}
        if method == "amend_order":
            mine = {key: order_id if value == "ID" else value for key, value in params.items()}
        return answers(raw(rig, socket, method, mine))[0]

    return ask


BOTH = {key: value for key, value in limit().items() if key != "symbol"}
PAIR = {"symbol": ["BTC/USD"]}
SAME: dict[str, Callable[[Rig], Frame]] = {
    "subscribe ticker": subscribed("ticker", **PAIR),
    "subscribe level3": subscribed("level3", **PAIR),
    "subscribe ohlc": subscribed("ohlc", interval=60, **PAIR),
    "subscribe instrument": subscribed("instrument"),
    "ping Unsupported field: 'params' for the given msg type: ping": ping_params,
    "add_order Cash_order_qty field must be a number_float": traded(
        "add_order", limit(cash_order_qty="1")
    ),
    "add_order order_id cl_ord_id": traded("add_order", limit(cl_ord_id="client-zero")),
    "amend_order Limit_price field must be a number_float": traded(
        "amend_order", {"order_id": "ID", "limit_price": "1"}
    ),
    "cancel_order order_id": traded("cancel_order", {"order_id": "ID"}),
    "cancel_order cl_ord_id": traded("cancel_order", {"cl_ord_id": ["a-uuid"]}),
    "cancel_all_orders_after": traded("cancel_all_orders_after", {"timeout": 5}),
    "batch_add": traded("batch_add", {"symbol": "BTC/USD", "orders": [BOTH, BOTH]}),
    "subscribe Currency pair not supported WWW/USD": subscribed("book", symbol=["WWW/USD"]),
}


def title(frame: Frame) -> str:
    """Name a recorded answer by its method and what it says."""
    words = [frame["method"]]
    result = frame.get("result")
    if "error" in frame:
        words.append(frame["error"])
    elif isinstance(result, dict) and "channel" in result:
        words.append(result["channel"])
    elif isinstance(result, dict) and frame["method"] in {"add_order", "cancel_order"}:
        words += result
    return " ".join(words)


@pytest.mark.parametrize("name", SAME)
def test_answers_have_the_recorded_shape(folder: Path, name: str) -> None:
    recorded = lines(folder / "kraken_async_rs" / "ws_method_responses.jsonl")
    found = {title(frame): frame for frame in recorded if "params" not in frame}
    ours, theirs = SAME[name](Rig()), found[name]
    assert list(ours) == list(theirs)  # alphabetical, as the venue has them
    assert shape(ours) == shape(theirs)
    assert ours.get("error") == theirs.get("error")
    assert ours["success"] == theirs["success"]
    if isinstance(ours.get("result"), dict):
        assert ours["result"].get("warnings") == theirs["result"].get("warnings")


def test_refusals_of_tokens_have_the_recorded_shape(folder: Path) -> None:
    recorded = lines(folder / "kraken_async_rs" / "ws_method_responses.jsonl")
    found = {title(frame): frame for frame in recorded if "params" not in frame}
    rig = Rig()
    socket = rig.login()
    rig.sim.revoke_tokens("mine")
    other = rig.open("/auth/v2")
    old = answers(raw(rig, other, "subscribe", {"channel": "balances"}))[0]
    assert shape(old) == shape(found["subscribe ESession:Invalid session"])
    assert old["status"] == "error"
    rig.tokens.clear()
    missing = answers(raw(rig, socket, "edit_order", {"order_id": "O", "symbol": "BTC/USD"}))[0]
    theirs = found["edit_order Token(s) not found"]
    assert missing["error"] == theirs["error"]
    assert shape(missing) == shape(theirs)


# --- market data --------------------------------------------------------------------------------


def public(rig: Rig, channel: str, **params: Any) -> list[Frame]:
    socket = rig.open("/l3/v2" if channel == "level3" else "/v2")
    frames = raw(rig, socket, "subscribe", {"channel": channel, **PAIR, **params})
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.1"}
    rig.result("AddOrder", order)
    frames += [json.loads(out.payload) for out in rig.sim.outbox if isinstance(out, SimFrame)]
    return frames


@pytest.mark.parametrize("channel", ["ticker", "book", "level3", "trade"])
def test_public_frames_have_the_recorded_shape(folder: Path, channel: str) -> None:
    recorded = lines(folder / "kraken_async_rs" / "ws_public.jsonl")
    rig = Rig()
    for price in ("60000", "60001"):
        rig.rest("sell", "1", price)
    rig.rest("buy", "1", "59000")
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"] if channel == "level3" else ""
    if channel != "level3":
        rig.tokens.clear()
    rig.result("AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "1"})
    ours = {
        frame["type"]: frame
        for frame in public(rig, channel, snapshot=True)
        if frame.get("channel") == channel
    }
    seen = 0
    for theirs in recorded:
        if theirs.get("channel") != channel:
            continue
        seen += 1
        mine = ours[theirs["type"]]
        assert list(mine) == list(theirs)
        for item, real in zip(mine["data"][:1], theirs["data"][:1], strict=True):
            kept = {key: shape(item[key]) for key in item if key in real or key not in NEWER}
            wanted = shape(real)
            if theirs["type"] == "update":
                # Which side moved is chance: one side's rows stand for both.
                for sides in (kept, wanted):
                    rows = sides.pop("bids", []) or sides.get("asks", [])
                    if sides.pop("asks", None) is not None:
                        sides["levels"] = rows
            assert kept == wanted
    assert seen


def test_the_first_frame_and_the_newest_ticker(folder: Path) -> None:
    recorded = lines(folder / "raw_v2" / "misc_frames.ndjson")
    rig = Rig()
    socket = rig.open()
    (status,) = rig.frames(socket)
    theirs = recorded[0]["data"][0]
    newer = {"upcoming_maintenance", "emergency"}
    assert list(status["data"][0]) == [key for key in theirs if key not in newer]
    ticker = next(f for f in recorded if f.get("channel") == "ticker")
    ours = raw(rig, socket, "subscribe", {"channel": "ticker", **PAIR})[-1]
    assert shape(ours) == shape(ticker)
    assert list(ours["data"][0]) == list(ticker["data"][0])


@pytest.mark.parametrize(
    "name", ["book_eth_btc_d10.ndjson", "book_algo_usd_d10.ndjson", "book_mina_gbp_d25.ndjson"]
)
def test_its_checksum_is_the_venues(folder: Path, name: str) -> None:
    """The simulator's own checksum over the exact text of recorded snapshots."""
    path = folder / "raw_v2" / name
    lines(path)
    seen = 0
    for line in path.read_bytes().splitlines():
        frame = read(line) if line.strip() else {}
        if frame.get("channel") != "book" or frame["type"] != "snapshot":
            continue
        (item,) = frame["data"]
        decimals = len(item["asks"][0]["price"].partition(".")[2])
        parts = [
            crc_part(scaled(level["price"]) or 0, scaled(level["qty"]) or 0, decimals, 8)
            for level in item["asks"][:10] + item["bids"][:10]
        ]
        assert checksum(parts) == item["checksum"]
        seen += 1
    assert seen


# --- REST ----------------------------------------------------------------------------------------


def rest_file(folder: Path, name: str) -> Any:
    path = folder / name
    if not path.exists():
        pytest.skip(f"no recording {path.name}")
    return json.loads(path.read_text())


def first(rows: Any) -> Any:
    return next(iter(rows.values()))


def test_rest_rows_have_the_recorded_keys(folder: Path) -> None:
    rig = Rig()
    rig.rest("sell", "1", "60000")
    rig.result("AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "1"})
    closed = first(rig.result("ClosedOrders", {"trades": "true"})["closed"])
    base = "kraken_net/JsonResponses_SpotTrading_"
    theirs = first(rest_file(folder, f"{base}GetOrderAsync.json")["result"])
    assert set(theirs) <= set(closed)
    assert set(theirs["descr"]) == set(closed["descr"])
    trade = first(rig.result("TradesHistory")["trades"])
    real = first(rest_file(folder, "nautilus/http_trades_history.json")["result"]["trades"])
    assert set(trade) - {"leverage"} == set(real)
    row = first(rig.result("Ledgers")["ledger"])
    name = "kraken_net/JsonResponses_SpotAccount_GetLedgerInfoAsync.json"
    ledger = rest_file(folder, name)["result"]["ledger"]
    assert list(row) == list(first(ledger))
    balance = rest_file(folder, "kraken_net/JsonResponses_SpotAccount_GetTradeBalanceAsync.json")
    assert set(rig.result("TradeBalance")) == set(balance["result"]) - {"ml"}
    volume = rest_file(folder, "kraken_net/JsonResponses_SpotAccount_GetTradeVolumeAsync.json")
    ours = rig.result("TradeVolume", {"pair": "XBTUSD"})
    assert list(ours) == list(volume["result"])
    assert list(ours["fees"]["XXBTZUSD"]) == list(volume["result"]["fees"]["XXBTZUSD"])


def test_public_rest_rows_have_the_recorded_keys(folder: Path) -> None:
    rig = Rig()
    rows = rest_file(folder, "xchange/example-assetpairs-data.json")["result"]
    ours = rig.get("/0/public/AssetPairs")["result"]["XXBTZUSD"]
    assert set(rows["XXBTZUSD"]) - set(ours) == set()
    assets = rest_file(folder, "doc_examples/assets_2026.json")["result"]
    assert set(rig.get("/0/public/Assets")["result"]["XXBT"]) == set(assets["XXBT"])
    ticker = rest_file(folder, "kraken_net/Endpoints_Spot_ExchangeData_GetTicker.json")["result"]
    mine = rig.get("/0/public/Ticker?pair=XBTUSD")["result"]
    assert {key: shape(value) for key, value in mine["XXBTZUSD"].items()} == {
        key: shape(value) for key, value in ticker["XXBTZUSD"].items()
    }
    book = rest_file(folder, "kraken_net/Endpoints_Spot_ExchangeData_GetOrderBook.json")["result"]
    rig.rest("buy", "1", "60000")
    rig.rest("sell", "1", "60001")
    assert shape(rig.get("/0/public/Depth?pair=XBTUSD")["result"]) == shape(book)


def test_our_pairs_have_the_real_rules(folder: Path) -> None:
    """Decimals and names of the default pairs, against a recorded AssetPairs."""
    rows = rest_file(folder, "xchange/example-assetpairs-data.json")["result"]
    for market in default_markets():
        real = rows.get(market.rest_name)
        if real is not None:
            assert (real["altname"], real["wsname"]) == (market.alt_name, market.v1_name)
            assert (real["base"], real["quote"]) == (market.base.rest_name, market.quote.rest_name)
            assert real["lot_decimals"] == market.quantity_decimals
            assert real["pair_decimals"] == market.price_decimals
