"""What is read has the shape of what was captured, and is true."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.hyperliquid_stage import (
    CLOID,
    OTHER,
    OWN,
    Json,
    Stage,
    order,
    place,
    trigger,
)

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("CROSSWIRE_CAPTURES") or ROOT.parent / "shared" / "data")
CAPTURED = DATA / "hyperliquid" / "captured"
needs_captures = pytest.mark.skipif(not CAPTURED.exists(), reason=f"no captures at {CAPTURED}")
# Keys that only some rows have, and those that came after the older captures were made.
OPTIONAL = {
    "cloid", "reduceOnly", "isDelisted", "onlyIsolated", "marginMode", "builderFee", "liquidation",
    "rawUsd", "twapId", "feeToken", "tid", "tokenId", "evmContract", "fullName", "maxTradeSzs",
    "deployerTradingFeeShare", "nRequestsSurplus", "cumFunding", "maxLeverage", "sinceChange",
    "marginTables", "marginTableId", "collateralToken", "crossMaintenanceMarginUsed", "time",
}  # fmt: skip


@pytest.fixture
def stage() -> Stage:
    """One with a position, a resting order, a trigger and some history."""
    made = Stage()
    made.quote()
    made.act(place(order("65010", "0.5", tif="Ioc")))
    made.act(place(order("60000", "0.01", cloid=CLOID)))
    made.act(place(trigger("64000", "0.5", "sell", "sl", limit="60000")))
    made.act(place(order("0.2", "100", asset=10000)))
    made.wait(61)
    made.rest("65011", "1", "sell")
    return made


def shape(value: Any) -> Any:
    """Names and kinds of values; a list is its first element's shape."""
    if isinstance(value, dict):
        return {key: shape(held) for key, held in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if value is None or isinstance(value, bool):
        return type(value).__name__
    return "text" if isinstance(value, str) else "number"


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where two shapes differ; what may be absent or null counts only where both have it."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        odd = {key for key in ours.keys() ^ theirs.keys() if key not in OPTIONAL}
        found = [f"{at}.{key}: {'ours' if key in ours else 'theirs'} alone" for key in sorted(odd)]
        for key in ours.keys() & theirs.keys():
            found += differences(ours[key], theirs[key], f"{at}.{key}")
        return found
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{at}[]") if ours and theirs else []
    if "NoneType" in {str(ours), str(theirs)} or ours == theirs:
        return []
    return [f"{at}: {ours} is {theirs}"]


def captured(name: str) -> Any:
    """The answer to the request of the file's kind."""
    found = json.loads((CAPTURED / name).read_text())
    kind = CASES[name][0]
    for one in found:
        if isinstance(one, dict) and one.get("request", {}).get("type") == kind:
            return one["response"]
    return found


CASES: dict[str, tuple[str, Json]] = {
    "go_hyperliquid/Meta.json": ("meta", {}),
    "go_hyperliquid/SpotMeta.json": ("spotMeta", {}),
    "go_hyperliquid/PerpDexs.json": ("perpDexs", {}),
    "python_sdk/test_get_all_mids.json": ("allMids", {}),
    "python_sdk/test_get_l2_snapshot.json": ("l2Book", {"coin": "BTC"}),
    "python_sdk/test_get_user_state.json": ("clearinghouseState", {"user": OWN}),
    "python_sdk/test_get_frontend_open_orders.json": ("frontendOpenOrders", {"user": OWN}),
    "python_sdk/test_get_user_fills.json": ("userFills", {"user": OWN}),
    "gemwallet/user_fills_multiple.json": ("userFills", {"user": OWN}),
    "go_hyperliquid/UserState_WithDex.json": ("clearinghouseState", {"user": OWN}),
    "go_hyperliquid/SpotUserState.json": ("spotClearinghouseState", {"user": OWN}),
    "go_hyperliquid/UserActiveAssetData.json": ("activeAssetData", {"user": OWN, "coin": "BTC"}),
    "python_sdk/test_user_rate_limit.json": ("userRateLimit", {"user": OWN}),
    "python_sdk/test_extra_agents.json": ("extraAgents", {"user": OWN}),
    "python_sdk/test_get_candles_snapshot.json": (
        "candleSnapshot",
        {"req": {"coin": "BTC", "interval": "1m", "startTime": 0, "endTime": 1 << 45}},
    ),
}


@needs_captures
@pytest.mark.parametrize("name", CASES)
def test_an_answer_has_the_captured_shape(stage: Stage, name: str) -> None:
    kind, more = CASES[name]
    ours, theirs = stage.info(kind, **more), captured(name)
    if kind == "perpDexs":
        ours, theirs = ours[1:], theirs[1:]
        assert captured(name)[0] is None
    if kind == "allMids":
        assert all("." in price for price in ours.values())
        return
    if kind == "meta":
        assert all(len(table) == 2 for table in ours["marginTables"] + theirs["marginTables"])
        ours["marginTables"], theirs["marginTables"] = [], []
    assert differences(shape(ours), shape(theirs)) == []


@needs_captures
def test_the_comparison_sees_a_difference(stage: Stage) -> None:
    ours = shape(stage.info("userFills", user=OWN))
    theirs = shape(captured("gemwallet/user_fills_multiple.json"))
    assert differences([ours[0] | {"px": "number"}], theirs) == ["[].px: number is text"]
    del ours[0]["px"]
    assert differences(ours, theirs) == ["[].px: theirs alone"]


def test_the_list_has_what_trips_clients_up(stage: Stage) -> None:
    universe = stage.info("meta")["universe"]
    assert {row["szDecimals"] for row in universe} >= {0, 5}
    assert [row["name"] for row in universe if row.get("isDelisted")] == ["MATIC"]
    assert [row["name"] for row in universe if row.get("onlyIsolated")] == ["VINE"]
    spot = stage.info("spotMeta")["universe"]
    assert [row["index"] for row in spot] == [0, 107]
    assert [row["name"] for row in stage.info("meta", dex="xyz")["universe"]] == ["xyz:TSLA"]
    halted = stage.statuses(place(order("0.5", "100", asset=2)))
    assert halted == [{"error": "Trading is halted."}]
    dexed = stage.statuses(place(order("390", "1", asset=110000)))
    assert "resting" in dexed[0]
    assert len(stage.info("openOrders", user=OWN, dex="xyz")) == 1


def test_all_orders_but_those_of_other_dexs_are_shown(stage: Stage) -> None:
    rows = stage.info("frontendOpenOrders", user=OWN)
    assert [row["coin"] for row in rows] == ["PURR/USDC", "BTC", "BTC"]
    plain = stage.info("openOrders", user=OWN)
    assert [row["oid"] for row in plain] == [row["oid"] for row in rows]
    assert "triggerPx" not in plain[1]
    assert rows[1]["orderType"] == "Stop Market"
    assert rows[1]["tif"] is None


def test_an_order_is_found_by_oid_and_cloid(stage: Stage) -> None:
    by_cloid = stage.info("orderStatus", user=OWN, oid=CLOID)
    oid = by_cloid["order"]["order"]["oid"]
    assert stage.info("orderStatus", user=OWN, oid=oid) == by_cloid
    assert by_cloid["order"]["status"] == "open"
    assert stage.info("orderStatus", user=OTHER, oid=oid) == {"status": "unknownOid"}
    answer = stage.ask("/info", {"type": "orderStatus", "user": OWN, "oid": "0x12"})
    assert answer is not None
    assert answer.status == 422


def test_the_record_of_an_order_is_rewritten_with_its_status_alone(stage: Stage) -> None:
    oid = stage.statuses(place(order("65000", "1")))[0]["resting"]["oid"]
    stage.act(place(order("65000", "0.4", "sell", tif="Ioc")), "0x" + "4" * 64)
    row = stage.info("orderStatus", user=OWN, oid=oid)["order"]
    assert (row["status"], row["order"]["sz"]) == ("open", "1.0")
    assert stage.info("openOrders", user=OWN)[0]["sz"] == "0.6"
    stage.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}]})
    row = stage.info("orderStatus", user=OWN, oid=oid)["order"]
    assert (row["status"], row["order"]["sz"]) == ("canceled", "0.6")
    history = [
        one for one in stage.info("historicalOrders", user=OWN) if one["order"]["oid"] == oid
    ]
    assert [one["status"] for one in history] == ["canceled", "open"]


def test_fills_are_newest_first_and_by_time_oldest_first(stage: Stage) -> None:
    stage.wait(1)
    stage.act(place(order("64990", "0.1", "sell", tif="Ioc")))
    newest = stage.info("userFills", user=OWN)
    oldest = stage.info("userFillsByTime", user=OWN, startTime=0)
    assert newest == oldest[::-1]
    assert [fill["dir"] for fill in newest] == ["Close Long", "Open Long"]
    assert newest[0]["closedPnl"] == "-2.0"
    assert stage.info("userFillsByTime", user=OWN, startTime=newest[0]["time"]) == newest[:1]
    until = newest[0]["time"] - 1
    assert stage.info("userFillsByTime", user=OWN, startTime=0, endTime=until) == newest[1:]


def test_aggregated_fills_are_sums(stage: Stage) -> None:
    stage.act(place(order("65012", "1.5", tif="Ioc")))
    raw = stage.info("userFills", user=OWN)[:2]
    assert [(fill["sz"], fill["fee"]) for fill in raw] == [("1.0", "29.25495"), ("0.5", "14.62725")]
    row = stage.info("userFills", user=OWN, aggregateByTime=True)[0]
    assert (row["sz"], row["px"], row["fee"]) == ("1.5", "65010.666666", "43.8822")


def test_a_position_is_valued_at_the_mark(stage: Stage) -> None:
    state = stage.info("clearinghouseState", user=OWN)
    (held,) = state["assetPositions"]
    position = held["position"]
    assert (position["szi"], position["entryPx"]) == ("0.5", "65010.0")
    # The middle of 64990 and 65010.
    assert (position["positionValue"], position["unrealizedPnl"]) == ("32500.0", "-5.0")
    assert position["marginUsed"] == "1625.0"
    assert state["marginSummary"]["accountValue"] == "99980.37275"  # less the fee
    assert stage.info("clearinghouseState", user=OWN, dex="xyz")["assetPositions"] == []
    assert stage.info("clearinghouseState", user="0x" + "9" * 40)["withdrawable"] == "0.0"


def test_spot_orders_hold_money(stage: Stage) -> None:
    balances = {
        row["coin"]: row for row in stage.info("spotClearinghouseState", user=OWN)["balances"]
    }
    assert balances["USDC"] == {
        "coin": "USDC",
        "token": 0,
        "total": "10000.0",
        "hold": "20.0",
        "entryNtl": "0.0",
    }
    assert balances["PURR"]["hold"] == "0.0"


def test_a_spot_buyer_pays_in_the_token(stage: Stage) -> None:
    stage.sim.deposit("other", "PURR", "1000", stage.now_ns)
    sold = stage.statuses(place(order("0.2", "100", "sell", asset=10000)), "0x" + "4" * 64)
    assert "filled" in sold[0]
    fill = stage.info("userFills", user=OWN)[0]
    assert (fill["coin"], fill["dir"], fill["feeToken"]) == ("PURR/USDC", "Buy", "PURR")
    assert fill["fee"] == "0.04"
    assert fill["startPosition"] == "1000.0"
    poor = stage.statuses(place(order("0.2", "100000", asset=10000)))
    assert poor == [{"error": "Insufficient spot balance asset=10000"}]


def test_who_is_who(stage: Stage) -> None:
    roles = {user: stage.info("userRole", user=user)["role"] for user in (OWN, "0x" + "9" * 40)}
    assert roles == {OWN: "user", "0x" + "9" * 40: "missing"}
    assert stage.info("userAbstraction", user=OWN) == "disabled"
    fees = stage.info("userFees", user=OWN)
    assert (fees["userCrossRate"], fees["userSpotAddRate"]) == ("0.00045", "0.0004")
    assert fees["feeSchedule"]["tiers"]["vip"][0]["ntlCutoff"] == "5000000.0"
    data = stage.info("activeAssetData", user=OWN, coin="BTC")
    assert data["leverage"] == {"type": "cross", "value": 20}
    assert len(data["maxTradeSzs"]) == 2


def test_leverage_decides_about_margin(stage: Stage) -> None:
    stage.act({"type": "updateLeverage", "asset": 1, "isCross": True, "leverage": 2})
    assert stage.statuses(place(order("3000", "80", asset=1)))[0]["error"].startswith("Insuff")
    stage.act({"type": "updateLeverage", "asset": 1, "isCross": True, "leverage": 25})
    assert "resting" in stage.statuses(place(order("3000", "80", asset=1)))[0]
    over = stage.act({"type": "updateLeverage", "asset": 1, "isCross": True, "leverage": 26})
    assert over == {"status": "err", "response": "Invalid leverage value"}
    cross = stage.act({"type": "updateLeverage", "asset": 5, "isCross": True, "leverage": 2})
    assert cross["status"] == "err"


def test_margin_is_put_aside_for_an_isolated_position() -> None:
    stage = Stage()
    stage.quote()
    stage.act({"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 10})
    stage.act(place(order("65010", "0.1", tif="Ioc")))
    more = {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 100_000_000}
    assert stage.act(more)["status"] == "ok"
    (held,) = stage.info("clearinghouseState", user=OWN)["assetPositions"]
    assert held["position"]["leverage"]["type"] == "isolated"
    assert held["position"]["leverage"]["value"] == 10
    assert stage.act(more | {"ntli": -200_000_000})["status"] == "err"
    assert stage.act(more | {"asset": 1})["status"] == "err"


def test_an_address_has_a_budget(stage: Stage) -> None:
    account = stage.sim.exchange.accounts["main"]
    used = stage.info("userRateLimit", user=OWN)["nRequestsUsed"]
    assert used == 4
    account.requests_used = account.request_cap
    assert stage.act({"type": "noop"})["status"] == "ok"  # one in ten seconds passes
    refused = stage.act({"type": "noop"})
    assert refused["response"].startswith("Too many cumulative requests sent (")
    assert stage.statuses({"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]})
    stage.wait(10)
    assert stage.act({"type": "noop"})["status"] == "ok"
    bought = {"type": "reserveRequestWeight", "weight": 1000}
    account.requests_used -= 10
    assert stage.act(bought)["status"] == "ok"
    assert stage.info("userRateLimit", user=OWN)["nRequestsCap"] == account.request_cap
    assert account.requests_bought == 1000
