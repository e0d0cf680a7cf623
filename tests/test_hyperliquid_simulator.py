"""The venue's event scripts: what a client hears of each case, by which channel, in what order."""

from typing import Any

import pytest

from crosswire.venues.hyperliquid.simulator import simulator
from crosswire.venues.interface import Credentials
from tests.hyperliquid_stage import (
    CLOID,
    KEY,
    OTHER_KEY,
    OWN,
    Json,
    Stage,
    order,
    place,
    trigger,
)

NONE: dict[str, list[Any]] = {"orderUpdates": [], "userFills": [], "user": []}


@pytest.fixture
def stage() -> Stage:
    """One who listens to all of his own, and a book of one bid and one offer."""
    made = Stage()
    made.open()
    made.quote()
    for kind in ("orderUpdates", "userFills", "userEvents"):
        made.subscribe(kind, user=OWN)
    made.frames()
    return made


def heard(stage: Stage) -> dict[str, list[Any]]:
    """The frames since the last time, by channel."""
    found: dict[str, list[Any]] = {channel: [] for channel in NONE}
    for frame in stage.frames():
        found.setdefault(frame["channel"], []).append(frame["data"])
    return found


def rows(frames: list[Any]) -> list[list[tuple[str, str]]]:
    """(status, size) of each row of each frame."""
    return [[(row["status"], row["order"]["sz"]) for row in frame] for frame in frames]


def sizes(frames: list[Any]) -> list[list[str]]:
    return [[fill["sz"] for fill in frame["fills"]] for frame in frames]


def test_an_order_that_rests(stage: Stage) -> None:
    (entry,) = stage.statuses(place(order("60000", "0.01", cloid=CLOID)))
    assert entry["resting"]["cloid"] == CLOID
    frames = heard(stage)
    assert rows(frames["orderUpdates"]) == [[("open", "0.01")]]
    (row,) = frames["orderUpdates"][0]
    assert row["order"] == {
        "coin": "BTC",
        "side": "B",
        "limitPx": "60000.0",
        "sz": "0.01",
        "oid": entry["resting"]["oid"],
        "timestamp": stage.now_ms,
        "origSz": "0.01",
        "cloid": CLOID,
    }
    assert row["statusTimestamp"] == stage.now_ms
    assert frames["userFills"] == []


def test_one_that_fills_at_once_tells_open_and_filled_in_one_frame(stage: Stage) -> None:
    stage.rest("65020", "1", "sell")
    (entry,) = stage.statuses(place(order("65020", "1.5")))
    assert entry["filled"]["totalSz"] == "1.5"
    frames = heard(stage)
    assert rows(frames["orderUpdates"]) == [[("open", "1.5"), ("filled", "0.0")]]
    assert sizes(frames["userFills"]) == sizes(frames["user"]) == [["1.0", "0.5"]]
    fills = frames["userFills"][0]["fills"]
    assert "isSnapshot" not in frames["userFills"][0]
    assert len({fill["hash"] for fill in fills}) == len({fill["time"] for fill in fills}) == 1
    assert [fill["crossed"] for fill in fills] == [True, True]


def test_an_immediate_order_with_nothing_to_hit(stage: Stage) -> None:
    (entry,) = stage.statuses(place(order("60000", "0.01", tif="Ioc")))
    assert entry["error"].startswith("Order could not immediately match")
    assert rows(heard(stage)["orderUpdates"]) == [[("iocCancelRejected", "0.01")]]


@pytest.mark.parametrize(("reading", "status"), [(0.0, "canceled"), (1.0, "iocCancelRejected")])
def test_an_immediate_order_in_part(stage: Stage, reading: float, status: str) -> None:
    stage.sim.set_faults({"ioc_rest_is_rejected_is": reading})
    (entry,) = stage.statuses(place(order("65010", "1.5", tif="Ioc")))
    assert entry["filled"]["totalSz"] == "1.0"
    frames = heard(stage)
    assert rows(frames["orderUpdates"]) == [[("open", "1.5"), (status, "0.5")]]
    assert sizes(frames["userFills"]) == [["1.0"]]


@pytest.mark.parametrize("is_told", [0.0, 1.0])
def test_a_resting_order_hit_in_part_and_then_wholly(stage: Stage, is_told: float) -> None:
    stage.sim.set_faults({"partial_fill_is_told_is": is_told})
    stage.act(place(order("65000", "1")))
    heard(stage)
    stage.act(place(order("65000", "0.4", "sell")), OTHER_KEY)
    frames = heard(stage)
    assert rows(frames["orderUpdates"]) == ([[("open", "0.6")]] if is_told else [])
    assert [fill["crossed"] for fill in frames["userFills"][0]["fills"]] == [False]
    stage.act(place(order("65000", "0.6", "sell")), OTHER_KEY)
    assert rows(heard(stage)["orderUpdates"]) == [[("filled", "0.0")]]


@pytest.mark.parametrize(("is_filled", "key"), [(0.0, "resting"), (1.0, "filled")])
def test_a_resting_order_that_takes_first(stage: Stage, is_filled: float, key: str) -> None:
    stage.sim.set_faults({"partial_gtc_is_filled_is": is_filled})
    (entry,) = stage.statuses(place(order("65010", "1.5")))
    assert key in entry
    (row,) = stage.info("openOrders", user=OWN)
    assert (row["sz"], row["origSz"]) == ("0.5", "1.5")


def test_what_the_chain_refuses_has_an_oid_and_a_row(stage: Stage) -> None:
    stage.act(place(order("60000", "0.0001", cloid=CLOID)))
    (frame,) = heard(stage)["orderUpdates"]
    assert frame[0]["status"] == "minTradeNtlRejected"
    assert frame[0]["order"]["cloid"] == CLOID
    assert frame[0]["order"]["oid"] > 1 << 32


@pytest.mark.parametrize(("is_told", "expected"), [(0.0, []), (1.0, [[("rejected", "0.0")]])])
def test_a_pre_check_leaves_no_row(stage: Stage, is_told: float, expected: list[Any]) -> None:
    stage.sim.set_faults({"prechecks_are_told_is": is_told})
    (entry,) = stage.statuses(place(order("60000.5", "0.01")))
    assert entry == {"error": "Order has invalid price."}
    assert rows(heard(stage)["orderUpdates"]) == expected


def test_a_cancel(stage: Stage) -> None:
    oid = stage.statuses(place(order("65000", "1")))[0]["resting"]["oid"]
    stage.act(place(order("65000", "0.4", "sell")), OTHER_KEY)
    heard(stage)
    cancel = {"type": "cancel", "cancels": [{"a": 0, "o": oid}]}
    assert stage.statuses(cancel) == ["success"]
    assert rows(heard(stage)["orderUpdates"]) == [[("canceled", "0.6")]]
    assert "error" in stage.statuses(cancel)[0]
    assert heard(stage) == NONE


def test_a_cancel_by_cloid_needs_the_right_asset(stage: Stage) -> None:
    stage.act(place(order("60000", "0.01", cloid=CLOID)))
    wrong = {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": CLOID}]}
    assert "asset=1" in stage.statuses(wrong)[0]["error"]
    right = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": "0x" + "AB" * 16}]}
    assert stage.statuses(right) == ["success"]


def modified(stage: Stage, oid: int | str, wire: Json, **more: Any) -> Any:
    action = {"type": "batchModify", "modifies": [{"oid": oid, "order": wire}], **more}
    return stage.statuses(action)[0]


@pytest.mark.parametrize("is_open_first", [0.0, 1.0])
def test_a_modified_order_is_another_one(stage: Stage, is_open_first: float) -> None:
    stage.sim.set_faults({"modify_open_first": is_open_first})
    first = stage.statuses(place(order("60000", "0.01", cloid=CLOID)))[0]["resting"]["oid"]
    heard(stage)
    entry = modified(stage, CLOID, order("60001", "0.01", cloid=CLOID))
    second = entry["resting"]["oid"]
    assert second != first
    (frame,) = heard(stage)["orderUpdates"]
    told = [(row["status"], row["order"]["oid"], row["order"]["cloid"]) for row in frame]
    expected = [("canceled", first, CLOID), ("open", second, CLOID)]
    assert told == (expected[::-1] if is_open_first else expected)


def test_a_replacement_that_is_refused_leaves_nothing(stage: Stage) -> None:
    oid = stage.statuses(place(order("60000", "0.01")))[0]["resting"]["oid"]
    heard(stage)
    entry = modified(stage, oid, order("65010", "0.01"))
    assert entry["error"].startswith("Error placing new order during modify: Post only")
    told = rows(heard(stage)["orderUpdates"])
    assert told == [[("canceled", "0.01"), ("badAloPxRejected", "0.01")]]
    assert stage.info("openOrders", user=OWN) == []


def test_always_place_lets_a_replacement_take(stage: Stage) -> None:
    oid = stage.statuses(place(order("60000", "0.01")))[0]["resting"]["oid"]
    assert "filled" in modified(stage, oid, order("65010", "0.01"), a=True)


def test_a_single_modify_never_tells_the_new_oid(stage: Stage) -> None:
    oid = stage.statuses(place(order("60000", "0.01")))[0]["resting"]["oid"]
    answer = stage.act({"type": "modify", "oid": oid, "order": order("60001", "0.01")})
    assert answer == {"status": "ok", "response": {"type": "default"}}
    answer = stage.act({"type": "modify", "oid": oid, "order": order("60001", "0.01")})
    assert answer == {"status": "err", "response": "Cannot modify canceled or filled order"}


def test_meeting_an_order_of_ones_own_cancels_it(stage: Stage) -> None:
    stage.act(place(order("65005", "1", "sell")))
    heard(stage)
    stage.act(place(order("65010", "0.5")))
    frames = heard(stage)
    assert rows(frames["orderUpdates"])[0][0] == ("selfTradeCanceled", "1.0")
    assert [one["px"] for one in frames["userFills"][0]["fills"]] == ["65010.0"]


def test_the_dead_man_switch_fires_once(stage: Stage) -> None:
    stage.act(place(order("60000", "0.01"), order("60001", "0.01")))
    heard(stage)
    stage.act({"type": "scheduleCancel", "time": stage.now_ms + 6000})
    stage.wait(5)
    assert heard(stage)["orderUpdates"] == []
    stage.wait(2)
    (frame,) = rows(heard(stage)["orderUpdates"])
    assert frame == [("scheduledCancel", "0.01")] * 2
    stage.act(place(order("60000", "0.01")))
    stage.wait(20)
    assert len(stage.info("openOrders", user=OWN)) == 1


def test_the_dead_man_switch_is_cleared(stage: Stage) -> None:
    stage.act(place(order("60000", "0.01")))
    stage.act({"type": "scheduleCancel", "time": stage.now_ms + 6000})
    stage.act({"type": "scheduleCancel"})
    stage.wait(10)
    assert len(stage.info("openOrders", user=OWN)) == 1
    near = stage.act({"type": "scheduleCancel", "time": stage.now_ms + 1000})
    assert near["status"] == "err"


# --- reduce-only and tpsl ----------------------------------------------------------------------


def test_a_reduce_only_order_shrinks_with_its_position(stage: Stage) -> None:
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    heard(stage)
    stage.act(place(order("66000", "2", "sell", r=True)))
    (frame,) = heard(stage)["orderUpdates"]
    assert (frame[0]["order"]["origSz"], frame[0]["order"]["sz"]) == ("2.0", "0.5")
    assert frame[0]["order"]["reduceOnly"] is True
    stage.act(place(order("64990", "0.2", "sell", tif="Ioc")))
    assert stage.info("openOrders", user=OWN)[0]["sz"] == "0.3"
    heard(stage)
    stage.act(place(order("64990", "0.3", "sell", tif="Ioc")))
    told = [row for frame in rows(heard(stage)["orderUpdates"]) for row in frame]
    assert ("reduceOnlyCanceled", "0.3") in told
    assert stage.info("openOrders", user=OWN) == []


def test_a_newer_reduce_only_order_pushes_an_older_one_out(stage: Stage) -> None:
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    stage.act(place(order("66000", "0.5", "sell", r=True)))
    heard(stage)
    stage.act(place(order("66001", "0.5", "sell", r=True)))
    (frame,) = rows(heard(stage)["orderUpdates"])
    assert frame == [("open", "0.5"), ("reduceOnlyCanceled", "0.5")]


def group(price: str, tif: str = "Gtc") -> Json:
    take = trigger("66000", "0.5", "sell", "tp", limit="65000")
    stop = trigger("64000", "0.5", "sell", "sl", limit="60000")
    return place(order(price, "0.5", tif=tif), take, stop, grouping="normalTpsl")


def test_children_wait_for_their_parent(stage: Stage) -> None:
    entries = stage.statuses(group("65000"))
    assert entries[1:] == ["waitingForFill", "waitingForFill"]
    (row,) = stage.info("frontendOpenOrders", user=OWN)
    assert [child["orderType"] for child in row["children"]] == [
        "Take Profit Market",
        "Stop Market",
    ]
    heard(stage)
    stage.act(place(order("65000", "0.5", "sell")), OTHER_KEY)
    (frame,) = rows(heard(stage)["orderUpdates"])
    assert frame == [("filled", "0.0"), ("open", "0.5"), ("open", "0.5")]
    triggers = [row for row in stage.info("frontendOpenOrders", user=OWN) if row["isTrigger"]]
    assert {row["triggerCondition"] for row in triggers} == {
        "Price above 66000.0",
        "Price below 64000.0",
    }


def test_children_die_with_their_parent(stage: Stage) -> None:
    oid = stage.statuses(group("60000"))[0]["resting"]["oid"]
    heard(stage)
    stage.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}]})
    (frame,) = rows(heard(stage)["orderUpdates"])
    assert frame == [("canceled", "0.5")] * 3


def test_one_child_done_ends_the_other(stage: Stage) -> None:
    assert stage.statuses(group("65010", "Ioc"))[1:] == ["waitingForTrigger"] * 2
    heard(stage)
    stage.act(place(order("63000", "1", "sell")), OTHER_KEY)  # the only bid goes: the mark falls
    stage.rest("62000", "2")
    told = [row for frame in rows(heard(stage)["orderUpdates"]) for row in frame]
    statuses = [status for status, _ in told]
    assert statuses[:2] == ["triggered", "filled"]
    assert statuses[2] in {"siblingFilledCanceled", "reduceOnlyCanceled"}
    assert stage.info("frontendOpenOrders", user=OWN) == []
    assert stage.info("clearinghouseState", user=OWN)["assetPositions"] == []


def test_a_position_tpsl_is_as_large_as_the_position(stage: Stage) -> None:
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    stop = trigger("64000", "0", "sell", "sl", limit="60000")
    assert stage.statuses(place(stop, grouping="positionTpsl")) == ["waitingForTrigger"]
    (row,) = stage.info("frontendOpenOrders", user=OWN)
    assert (row["sz"], row["isPositionTpsl"], row["tif"]) == ("0.5", True, None)
    stage.act(place(order("65010", "0.2", tif="Ioc")))
    assert stage.info("frontendOpenOrders", user=OWN)[0]["sz"] == "0.7"
    stage.act(place(order("64990", "0.6", "sell", tif="Ioc")))
    assert stage.info("frontendOpenOrders", user=OWN)[0]["sz"] == "0.1"
    stage.act(place(order("64990", "0.1", "sell", tif="Ioc")))
    assert stage.info("frontendOpenOrders", user=OWN) == []


def test_a_group_of_other_orders_is_none(stage: Stage) -> None:
    wires = order("60000", "0.01"), order("60001", "0.01")
    entries = stage.statuses(place(*wires, grouping="normalTpsl"))
    assert entries == [{"error": "Unexpected number of trigger orders"}] * 2
    entries = stage.statuses(place(*wires, grouping="positionTpsl"))
    assert entries == [{"error": "Unexpected number of trigger orders"}] * 2


def test_a_trigger_that_is_reached_already_is_refused(stage: Stage) -> None:
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    (entry,) = stage.statuses(place(trigger("70000", "0.5", "sell", "sl")))
    assert entry == {"error": "Invalid TP/SL price. asset=0"}


# --- built by those who know nothing of it -----------------------------------------------------


def test_it_is_built_without_knowing_the_venue() -> None:
    made = simulator(
        5, 1_760_000_000_000_000_000, Credentials(key=OWN, secret=KEY), {"USDC": "1000"}
    )
    for second in range(1, 6):
        made.tick(1_760_000_000_000_000_000 + second * 1_000_000_000)
    engine = made.exchange.engines["BTC-PERP"]
    assert engine.best_bid() is not None
    assert made.gate.agents == {}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"flow": "wild"}, 'unknown flow "wild"'),
        ({"pairs": ["X"]}, "X is not listed: BTC-PERP"),
        ({"faults": {"x": 1.0}}, 'unknown fault "x"'),
        ({"balances": {"USDC": "much"}}, 'balance of USDC: "much" is not a number'),
        ({"credentials": Credentials(key="0x1", secret=KEY)}, "is no address"),
    ],
)
def test_a_mistake_is_one_clear_line(more: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"credentials": Credentials(OWN, KEY), "balances": {}}
    with pytest.raises(ValueError, match=message):
        simulator(1, 0, **(usual | more))
