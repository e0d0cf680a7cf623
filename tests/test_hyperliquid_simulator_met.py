"""The client and the simulated venue, written apart, understand each other."""

import json
from typing import Any

import msgspec
import pytest

from crosswire.domain import Filled, Unreadable
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.signing import Signer, sign_action
from crosswire.venues.interface import SimFrame
from tests.hyperliquid_stage import (
    AGENT_KEY,
    CLOID,
    KEY,
    OTHER,
    OWN,
    SUB,
    Json,
    Stage,
    order,
    place,
    trigger,
)

ACTIONS: list[Json] = [
    place(order("60000", "0.01", cloid=CLOID)),
    place(order("60000.0", "0.010"), order("65010", "0.01", tif="Ioc")),
    place(order("65010", "0.5"), trigger("70000", "0.5", "sell", "tp"), grouping="normalTpsl"),
    {"type": "cancel", "cancels": [{"a": 0, "o": 1 << 40}]},
    {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]},
    {"type": "batchModify", "modifies": [{"oid": CLOID, "order": order("60001", "0.01")}]},
    {"type": "modify", "oid": 7, "order": order("60001", "0.01")},
    {"type": "scheduleCancel"},
    {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5},
    {"type": "noop"},
    {"type": "twapCancel", "a": 0, "t": 3},
    {"type": "usdClassTransfer", "amount": "1.5", "toPerp": False},
    {"type": "usdSend", "destination": OTHER, "amount": "1.5"},
    {"type": "approveAgent", "agentAddress": "0x" + "7" * 40, "agentName": ""},
]
NONCES = {"usdClassTransfer": "nonce", "usdSend": "time", "approveAgent": "nonce"}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda one: str(one["type"]))
def test_what_the_client_signs_is_its_own_to_the_venue(action: Json) -> None:
    stage = Stage()
    stage.quote()
    nonce = stage.nonce()
    if action["type"] in NONCES:
        action = {**action, NONCES[action["type"]]: nonce}
    signed = sign_action(action, Signer(KEY, is_mainnet=False), nonce)
    answer = stage.exchange(signed.body())
    assert answer["status"] == "ok" or action["type"] == "modify", answer
    assert "does not exist" not in str(answer)
    wrong = sign_action(action, Signer(AGENT_KEY, is_mainnet=True), nonce)
    assert stage.exchange(wrong.body())["status"] == "err"


def test_a_vault_and_an_expiry_are_signed_alike() -> None:
    stage = Stage()
    signer = Signer(AGENT_KEY, is_mainnet=False, vault=SUB)
    made = sign_action(
        place(order("60000", "0.01")),
        signer,
        stage.nonce(),
        expires_after_ms=stage.now_ms + 1000,
    )
    assert stage.exchange(made.body())["status"] == "ok"
    assert len(stage.info("openOrders", user=SUB)) == 1


def lively(stage: Stage) -> list[bytes]:
    """Frames of every channel, of a session in which something happens."""
    stage.open()
    for kind in ("bbo", "l2Book", "trades", "activeAssetCtx", "activeAssetData"):
        stage.subscribe(kind, coin="BTC", **dict[str, Any](user=OWN) if "Data" in kind else {})
    stage.subscribe("l2Book", coin="ETH", fast=True)
    stage.subscribe("activeAssetCtx", coin="@107")
    stage.subscribe("candle", coin="BTC", interval="1m")
    stage.subscribe("allMids")
    for kind in (
        "orderUpdates", "userFills", "userEvents", "userFundings", "userNonFundingLedgerUpdates",
        "openOrders", "clearinghouseState", "spotState",
    ):  # fmt: skip
        stage.subscribe(kind, user=OWN)
    stage.send({"method": "ping"})
    stage.send({"method": "fly"})
    stage.post({"type": "info", "payload": {"type": "openOrders", "user": OWN}}, ident=77)
    stage.quote()
    for action in ACTIONS[:9]:
        stage.act(action)
        stage.wait(1)
    stage.sim.deposit("main", "USDC", "5", stage.now_ns)
    return [one.payload for one in stage.sim.outbox if isinstance(one, SimFrame)]


def learnt(stage: Stage) -> Listings:
    listings = Listings()
    listings.learn_dexs(msgspec.convert(stage.info("perpDexs"), list[wire.PerpDex | None]))
    spot = msgspec.json.decode(json.dumps(stage.info("spotMeta")), type=wire.SpotMeta)
    listings.learn_spot(spot)
    for dex in listings.dexs:
        meta = msgspec.json.decode(json.dumps(stage.info("meta", dex=dex)), type=wire.Meta)
        listings.learn_perps(meta, dex)
    return listings


def test_every_frame_of_the_venue_is_read_by_the_client() -> None:
    stage = Stage()
    listings = learnt(stage)
    decoder = Decoder(listings, session="main", connection="all", account="main", address=OWN)
    messages = [decoder.frame(payload, stage.now_ns) for payload in lively(stage)]
    assert [one for one in messages if isinstance(one, Unreadable)] == []
    events = [event for one in messages for event in getattr(one, "events", ())]
    assert [event for event in events if isinstance(event, Unreadable)] == []
    told = {
        (fill.fill_key, fill.instrument.partition(":")[2], fill.price, fill.quantity, fill.fee)
        for fill in events
        if isinstance(fill, Filled)
    }
    assert told == {
        (fill.fill_key, fill.instrument, fill.price, fill.quantity, fill.fee)
        for fill in stage.sim.live_ledger.fills
        if fill.account == "main"
    }
    assert told


def test_the_venue_s_names_and_ids_are_the_client_s() -> None:
    stage = Stage()
    listings = learnt(stage)
    ours = {one.asset: (one.coin, one.instrument.name) for one in listings.by_id.values()}
    assert ours == {one.asset: (one.coin, one.name) for one in stage.sim.exchange.markets.values()}


READS: list[Json] = [
    {"type": "metaAndAssetCtxs"},
    {"type": "spotMetaAndAssetCtxs"},
    {"type": "allMids"},
    {"type": "l2Book", "coin": "BTC"},
    {"type": "exchangeStatus"},
    {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1m", "startTime": 0}},
    *(
        {"type": kind, "user": OWN}
        for kind in (
            "clearinghouseState", "spotClearinghouseState", "openOrders", "frontendOpenOrders",
            "historicalOrders", "userFills", "userRateLimit", "userFees", "userRole",
            "extraAgents",
        )
    ),
    {"type": "orderStatus", "user": OWN, "oid": CLOID},
    {"type": "orderStatus", "user": OWN, "oid": 1},
    {"type": "userFillsByTime", "user": OWN, "startTime": 0},
    {"type": "userNonFundingLedgerUpdates", "user": OWN, "startTime": 0},
    {"type": "userFunding", "user": OWN, "startTime": 0},
    {"type": "activeAssetData", "user": OWN, "coin": "BTC"},
]  # fmt: skip


@pytest.mark.parametrize("asked", READS, ids=lambda one: str(one["type"]))
def test_every_answer_of_the_venue_is_read_by_the_client(asked: Json) -> None:
    stage = Stage()
    lively(stage)
    answer = stage.ask("/info", asked)
    assert answer is not None
    kinds: Any = info.SHAPES
    if asked["type"] not in kinds:
        pytest.skip(f"the client does not ask for {asked['type']}")
    read: Any = info.answer(answer.status, answer.body, kinds[asked["type"]])
    assert read.error == ""
