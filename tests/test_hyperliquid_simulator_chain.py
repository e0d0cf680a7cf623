"""Blocks: acks leave after them, and inside one takers come last, cancels before them."""

from typing import Any

import pytest

from tests.hyperliquid_stage import (
    CLOID,
    OTHER_KEY,
    OWN,
    Json,
    Stage,
    order,
    place,
    sign,
)

BLOCK_NS = 100_000_000


@pytest.fixture
def stage() -> Stage:
    made = Stage(block_ns=BLOCK_NS)
    made.open()
    return made


def post(stage: Stage, action: Json, ident: int, **more: Any) -> Json:
    body = sign(action, stage.nonce(), **more)
    stage.post({"type": "action", "payload": body}, ident=ident)
    return body


def answers(stage: Stage) -> dict[int, Any]:
    return {one["id"]: one["response"]["payload"] for one in stage.frames("post")}


def test_an_answer_leaves_after_its_block(stage: Stage) -> None:
    post(stage, place(order("60000", "0.01")), 1)
    assert answers(stage) == {}
    assert stage.info("openOrders", user=OWN) == []
    stage.wait(0.1)
    assert answers(stage)[1]["status"] == "ok"
    assert len(stage.info("openOrders", user=OWN)) == 1


def test_what_is_refused_at_the_door_waits_for_no_block(stage: Stage) -> None:
    post(stage, {"type": "noop"}, 1, expires=stage.now_ms - 1)
    assert answers(stage)[1]["response"] == "Action already expired"


def test_a_bound_may_pass_while_a_request_waits(stage: Stage) -> None:
    stage.wait(0.05)
    post(stage, place(order("60000", "0.01")), 1, expires=stage.now_ms + 10)
    stage.wait(0.1)
    assert answers(stage)[1]["response"] == "Action already expired"
    assert stage.info("openOrders", user=OWN) == []


def test_a_cancel_beats_a_taker_of_the_same_block(stage: Stage) -> None:
    post(stage, place(order("60000", "0.01", cloid=CLOID)), 1)
    stage.wait(0.1)
    post(stage, place(order("60000", "0.01", "sell", tif="Ioc")), 2, key=OTHER_KEY)
    post(stage, {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}, 3)
    stage.wait(0.1)
    found = answers(stage)
    assert found[3]["response"]["data"]["statuses"] == ["success"]
    (entry,) = found[2]["response"]["data"]["statuses"]
    assert entry["error"].startswith("Order could not immediately match")


def test_a_cancel_misses_an_order_that_comes_after_it_in_the_block(stage: Stage) -> None:
    """Why a refused cancel closes nothing."""
    post(stage, place(order("60000", "0.01", cloid=CLOID)), 1)
    post(stage, {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}, 2)
    stage.wait(0.1)
    (entry,) = answers(stage)[2]["response"]["data"]["statuses"]
    assert entry == {"error": "Order was never placed, already canceled, or filled. asset=0"}
    assert len(stage.info("openOrders", user=OWN)) == 1


def test_post_only_orders_come_before_cancels(stage: Stage) -> None:
    post(stage, {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}, 1)
    post(stage, place(order("60000", "0.01", tif="Alo", cloid=CLOID)), 2)
    stage.wait(0.1)
    assert answers(stage)[1]["response"]["data"]["statuses"] == ["success"]


@pytest.mark.parametrize("is_first", [0.0, 1.0])
def test_events_come_before_or_after_the_answer(stage: Stage, is_first: float) -> None:
    stage.sim.set_faults({"events_first": is_first})
    stage.subscribe("orderUpdates", user=OWN)
    stage.frames()
    post(stage, place(order("60000", "0.01")), 1)
    stage.wait(0.1)
    channels = [frame["channel"] for frame in stage.frames()]
    assert channels == (["orderUpdates", "post"] if is_first else ["post", "orderUpdates"])


@pytest.mark.parametrize("is_in_block", [0.0, 1.0])
def test_a_copy_that_comes_while_the_first_waits(stage: Stage, is_in_block: float) -> None:
    """A duplicate nonce may mean pending: it is said at once, or in the block."""
    stage.sim.set_faults({"nonce_spent_in_block_is": is_in_block})
    body = post(stage, place(order("60000", "0.01")), 1)
    stage.post({"type": "action", "payload": body}, ident=2)
    assert (2 in answers(stage)) == (not is_in_block)
    stage.wait(0.1)
    assert len(stage.info("openOrders", user=OWN)) == 1
    ledger = stage.sim.live_ledger
    assert [row.outcome for row in ledger.requests].count("accepted") == 1


def test_funding_is_paid_by_the_hour(stage: Stage) -> None:
    post(stage, place(order("60000", "1", "sell")), 1, key=OTHER_KEY)
    stage.wait(0.2)
    post(stage, place(order("60000", "1")), 2)
    stage.wait(0.2)
    stage.now_ms = (stage.now_ms // 3_600_000 + 1) * 3_600_000 - 1000
    stage.sim.tick(stage.now_ns)
    stage.open(2)
    stage.subscribe("userFundings", 2, user=OWN)
    stage.subscribe("userEvents", 2, user=OWN)
    stage.frames(number=2)
    stage.wait(1.2)
    found = {frame["channel"]: frame["data"] for frame in stage.frames(number=2)}
    payment = found["userFundings"]["fundings"][0]
    assert payment == found["user"]["funding"]
    assert (payment["coin"], payment["szi"], payment["usdc"]) == ("BTC", "1.0", "-0.75")
    (row,) = stage.info("userFunding", user=OWN, startTime=0)
    assert row["delta"]["type"] == "funding"
    cash = [row for row in stage.sim.live_ledger.cash if row.kind == "funding"]
    assert sum(row.amount for row in cash) == 0


def test_a_slow_order_trades_in_slices(stage: Stage) -> None:
    post(stage, place(order("60000", "1", "sell")), 1, key=OTHER_KEY)
    stage.wait(0.2)
    twap = {"a": 0, "b": True, "s": "0.1", "r": False, "m": 5, "t": False}
    post(stage, {"type": "twapOrder", "twap": twap}, 2)
    stage.wait(301)
    fills = stage.info("userFills", user=OWN)
    assert len(fills) == 10
    assert len({fill["oid"] for fill in fills}) == 10
    assert {fill["hash"] for fill in fills} == {"0x" + "0" * 64}
    assert len({fill["twapId"] for fill in fills}) == 1
    (held,) = stage.info("clearinghouseState", user=OWN)["assetPositions"]
    assert held["position"]["szi"] == "0.1"
