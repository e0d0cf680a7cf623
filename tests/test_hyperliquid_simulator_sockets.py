"""Connections, subscriptions, posts of both kinds, and error frames in all their shapes."""

import json
from pathlib import Path
from typing import Any

import pytest

from crosswire.venues.interface import SimFrame
from tests.hyperliquid_stage import OTHER, OTHER_KEY, OWN, Stage, order, place, sign

ROOT = Path(__file__).parent.parent
OBSERVED: dict[str, Any] = json.loads(
    (ROOT / "tests/vectors/hyperliquid/observed_responses.json").read_text()
)
FRAMES: dict[str, Any] = {one["when"]: one["frame"] for one in OBSERVED["websocket"]}


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.open()
    made.quote()
    return made


def errors(stage: Stage) -> list[str]:
    return [frame["data"] for frame in stage.frames() if frame["channel"] == "error"]


def test_a_ping_is_answered(stage: Stage) -> None:
    stage.send({"method": "ping"})
    assert stage.frames() == [{"channel": "pong"}]


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b'{"method":"fly"}',
        b'{"method":"subscribe","subscriptions":{"type":"bbo","coin":"SOL"}}',
        b'{"method":"post","id":"1","request":{"type":"info","payload":{}}}',
        b'{"method":"post","id":1,"request":{"type":"prayer","payload":{}}}',
        b'{"method":"post","id":1,"request":{"type":"action","payload":{"nonce":1}}}',
        b'{"method":"post","id":1,"request":{"type":"info","payload":{"type":"nothing"}}}',
    ],
    ids=repr,
)
def test_what_is_not_understood_comes_back(stage: Stage, payload: bytes) -> None:
    stage.send(payload)
    expected = "Error parsing JSON into valid websocket request: " + payload.decode()
    assert stage.frames() == [{"channel": "error", "data": expected}]
    assert FRAMES["error channel: unparsable"]["data"].startswith(expected[:49])


def test_errors_of_subscribing_are_as_observed(stage: Stage) -> None:
    stage.subscribe("candle", coin="BTC", interval="30m")
    stage.frames()
    stage.subscribe("candle", interval="30m", coin="BTC")
    stage.send({"method": "unsubscribe", "subscription": {"type": "trades", "coin": "BTC"}})
    asked = {"type": "l2Book", "coin": "NOPE", "nSigFigs": None, "mantissa": None}
    frame = json.dumps({"method": "subscribe", "subscription": asked}, separators=(",", ":"))
    stage.send(frame.encode())
    told = [{"channel": "error", "data": text} for text in errors(stage)]
    kinds = ("duplicate subscribe", "unsubscribe twice", "bad subscription")
    expected = [FRAMES[f"error channel: {kind}"] for kind in kinds]
    expected[0] = {"channel": "error", "data": expected[0]["data"].replace("UNI", "BTC")}
    assert told == expected


@pytest.mark.parametrize(
    ("asked", "echo"),
    [
        (
            {"type": "l2Book", "coin": "BTC"},
            {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None},
        ),
        (
            {"type": "candle", "coin": "BTC", "interval": "1d"},
            {"type": "candle", "interval": "1d", "coin": "BTC"},
        ),
        (
            {"type": "orderUpdates", "user": "0x" + OWN[2:].upper()},
            {"type": "orderUpdates", "user": OWN},
        ),
    ],
)
def test_the_echo_is_in_the_venue_s_spelling(stage: Stage, asked: Any, echo: Any) -> None:
    stage.send({"method": "subscribe", "subscription": asked})
    first = stage.frames()[0]
    data = {"method": "subscribe", "subscription": echo}
    assert json.dumps(first) == json.dumps({"channel": "subscriptionResponse", "data": data})


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "nothing"},
        {"type": "bbo", "coin": "NOPE"},
        {"type": "bbo", "coin": "BTC", "user": OWN},
        {"type": "userFills", "user": "0x12"},
        {"type": "candle", "coin": "BTC", "interval": "7m"},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 9},
    ],
    ids=str,
)
def test_what_cannot_be_subscribed(stage: Stage, asked: Any) -> None:
    stage.send({"method": "subscribe", "subscription": asked})
    (text,) = errors(stage)
    assert text == f"Invalid subscription {json.dumps(asked)}"


def test_first_frames(stage: Stage) -> None:
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    for kind in ("bbo", "l2Book", "trades"):
        stage.subscribe(kind, coin="BTC")
    stage.subscribe("candle", coin="BTC", interval="1m")
    stage.subscribe("activeAssetCtx", coin="BTC")
    stage.subscribe("activeAssetCtx", coin="@107")
    stage.subscribe("allMids")
    for kind in ("userFills", "orderUpdates", "userEvents", "openOrders", "clearinghouseState"):
        stage.subscribe(kind, user=OWN)
    stage.subscribe("spotState", user=OWN)
    stage.subscribe("activeAssetData", user=OWN, coin="BTC")
    found = {frame["channel"]: frame["data"] for frame in stage.frames()}
    found.pop("subscriptionResponse")
    assert found.keys() == {
        "bbo",
        "l2Book",
        "trades",
        "candle",
        "activeAssetCtx",
        "activeSpotAssetCtx",
        "allMids",
        "userFills",
        "openOrders",
        "clearinghouseState",
        "spotState",
        "activeAssetData",
    }
    assert found["userFills"]["isSnapshot"] is True
    assert len(found["trades"]) == 1
    assert found["candle"]["s"] == "BTC"


def test_bbo_is_told_when_it_changes_and_a_book_at_its_times(stage: Stage) -> None:
    stage.subscribe("bbo", coin="BTC")
    stage.subscribe("l2Book", coin="BTC")
    stage.subscribe("l2Book", coin="BTC", fast=True)
    stage.frames()
    stage.rest("64980", "1")
    assert stage.frames() == []
    stage.rest("65000", "1")
    (told,) = stage.frames()
    assert told["data"]["bbo"][0] == {"px": "65000.0", "sz": "1.0", "n": 1}
    stage.wait(5)
    told = stage.frames("l2Book")
    assert len([one for one in told if "fast" not in one]) == 1
    assert len([one for one in told if one.get("fast")]) == 10


def test_a_coarser_book(stage: Stage) -> None:
    stage.rest("64980", "2")
    stage.subscribe("l2Book", coin="BTC", nSigFigs=2)
    (book,) = stage.frames("l2Book")
    assert book["levels"] == [
        [{"px": "64000.0", "sz": "3.0", "n": 2}],
        [{"px": "66000.0", "sz": "1.0", "n": 1}],
    ]


def test_trades_name_both_sides(stage: Stage) -> None:
    stage.subscribe("trades", coin="BTC")
    stage.frames()
    stage.act(place(order("64990", "0.5", "sell", tif="Ioc")))
    ((trade,),) = stage.frames("trades")
    assert (trade["side"], trade["users"]) == ("A", [OTHER, OWN])
    (own,), (others,) = (stage.info("userFills", user=user) for user in (OWN, OTHER))
    assert trade["tid"] == own["tid"] == others["tid"]
    assert trade["hash"] == own["hash"]


def test_the_unsubscribed_hear_no_more(stage: Stage) -> None:
    stage.subscribe("bbo", coin="BTC")
    stage.send({"method": "unsubscribe", "subscription": {"type": "bbo", "coin": "BTC"}})
    assert stage.frames()[-1]["data"]["method"] == "unsubscribe"
    stage.rest("65000", "1")
    assert stage.frames() == []


def test_info_by_post_is_wrapped_twice(stage: Stage) -> None:
    stage.post({"type": "info", "payload": {"type": "l2Book", "coin": "BTC"}}, ident=123)
    (data,) = stage.frames("post")
    expected = FRAMES["post, info"]["data"]
    assert (data["id"], data["response"]["type"]) == (123, expected["response"]["type"])
    assert data["response"]["payload"].keys() == expected["response"]["payload"].keys()
    assert data["response"]["payload"]["data"] == stage.info("l2Book", coin="BTC")


def test_an_unknown_coin_is_a_500_by_post(stage: Stage) -> None:
    stage.post({"type": "info", "payload": {"type": "l2Book", "coin": "NOPE"}})
    (data,) = stage.frames("post")
    assert data["response"] == {"type": "error", "payload": "500 Internal Server Error: null"}


def test_a_silent_minute_ends_a_connection_and_a_ping_prevents_it() -> None:
    stage = Stage()
    stage.open()
    stage.open(2)
    stage.wait(30)
    stage.send({"method": "ping"}, 2)
    stage.wait(31)
    assert [(drop.connection, drop.code) for drop in stage.drops()] == [(1, 1000)]


def test_limits_of_an_ip(stage: Stage) -> None:
    for number in range(2, 12):
        stage.open(number)
    assert [drop.connection for drop in stage.drops()] == [11]
    for number in range(11):
        stage.subscribe("orderUpdates", user=f"0x{number:040x}")
    assert errors(stage) == ["Cannot track more than 10 total users."]
    for _ in range(2000):
        stage.send({"method": "ping"})
    assert errors(stage)[-1] == "Cannot send more than 2000 messages per minute."
    stage.wait(61)


def test_so_many_posts_may_wait() -> None:
    stage = Stage(block_ns=100_000_000)
    stage.open()
    for ident in range(101):
        body = sign({"type": "noop"}, stage.nonce())
        stage.post({"type": "action", "payload": body}, ident=ident)
    assert errors(stage) == ["too many pending post requests id=100"]
    stage.wait(0.1)
    assert len(stage.frames("post")) == 100
    stage.post({"type": "info", "payload": {"type": "exchangeStatus"}})
    assert len(stage.frames("post")) == 1


def test_rest_has_so_much_weight() -> None:
    stage = Stage()
    for _ in range(60):
        stage.info("meta")
    busy = stage.ask("/info", {"type": "meta"})
    assert busy is not None
    assert (busy.status, busy.body) == (429, b"null")
    stage.wait(61)
    stage.info("meta")


def test_states_are_pushed_when_they_change(stage: Stage) -> None:
    stage.subscribe("openOrders", user=OTHER)
    stage.subscribe("clearinghouseState", user=OWN)
    stage.frames()
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    found = {frame["channel"]: frame["data"] for frame in stage.frames()}
    assert [one["sz"] for one in found["openOrders"]["orders"]] == ["1.0", "0.5"]
    (held,) = found["clearinghouseState"]["clearinghouseState"]["assetPositions"]
    assert held["position"]["szi"] == "0.5"


def test_an_answer_of_a_closed_connection_goes_nowhere() -> None:
    stage = Stage(block_ns=100_000_000)
    stage.open()
    body = sign(place(order("60000", "0.01")), stage.nonce(), OTHER_KEY)
    stage.post({"type": "action", "payload": body})
    stage.sim.closed(1, stage.now_ns)
    stage.wait(0.2)
    assert not [one for one in stage.sim.outbox if isinstance(one, SimFrame)]
    assert len(stage.info("openOrders", user=OTHER)) == 1
