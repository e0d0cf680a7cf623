"""Every fault does what its name says, and is counted."""

import json
from typing import Any

import pytest

from crosswire.venues.hyperliquid.simulator import SWITCHES
from crosswire.venues.hyperliquid.simulator.faults import CAMPAIGN, READINGS, Faults
from crosswire.venues.interface import SimAnswer
from tests.hyperliquid_stage import (
    AGENT_KEY,
    CLOID,
    OWN,
    SUB,
    Json,
    Stage,
    order,
    place,
    sign,
)

PLACE = place(order("60000", "0.01", cloid=CLOID))


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.open()
    made.quote()
    return made


def post(stage: Stage, action: Json = PLACE, ident: int = 1) -> None:
    body = sign(action, stage.nonce())
    stage.post({"type": "action", "payload": body}, ident=ident)


def is_open(stage: Stage) -> bool:
    return bool(stage.sim.exchange.accounts["main"].open)


def ask(stage: Stage, path: str = "/exchange", body: Any = None) -> SimAnswer | None:
    return stage.ask(path, body or sign(PLACE, stage.nonce()))


# --- actions -----------------------------------------------------------------------------------


def test_an_ack_is_lost(stage: Stage) -> None:
    stage.sim.set_faults({"drop_ack@1": 1.0})
    post(stage)
    assert stage.frames() == []
    assert is_open(stage)
    assert stage.sim.ledger()["faults"] == {"drop_ack": 1}


def test_an_ack_is_late(stage: Stage) -> None:
    stage.sim.set_faults({"late_ack@1": 1.0, "late_s": 3.0})
    post(stage)
    assert stage.frames() == []
    stage.wait(3)
    assert stage.frames("post")[0]["response"]["payload"]["status"] == "ok"


def test_a_request_is_late(stage: Stage) -> None:
    stage.sim.set_faults({"place_late@1": 1.0, "late_s": 3.0})
    body = sign(PLACE, stage.nonce(), expires=stage.now_ms + 2000)
    stage.post({"type": "action", "payload": body})
    assert stage.act({"type": "noop"})["status"] == "ok"
    stage.wait(3)
    payload = stage.frames("post")[0]["response"]["payload"]
    assert payload == {"status": "err", "response": "Action already expired"}
    assert not is_open(stage)


def test_a_noop_overtakes_a_late_request_and_takes_its_nonce(stage: Stage) -> None:
    stage.sim.set_faults({"place_late@1": 1.0, "late_s": 3.0})
    nonce = stage.nonce()
    stage.post({"type": "action", "payload": sign(PLACE, nonce)})
    assert stage.exchange(sign({"type": "noop"}, nonce))["status"] == "ok"
    stage.wait(3)
    payload = stage.frames("post")[0]["response"]["payload"]
    assert "duplicate nonce" in payload["response"]
    assert not is_open(stage)


@pytest.mark.parametrize(("fault", "was_placed"), [("cut_before", False), ("cut_after", True)])
def test_a_socket_is_cut(stage: Stage, fault: str, was_placed: bool) -> None:
    stage.sim.set_faults({f"{fault}@1": 1.0, f"{fault}@2": 1.0})
    post(stage)
    assert [drop.code for drop in stage.drops()] == [1006]
    assert is_open(stage) == was_placed
    answer = ask(stage, body=sign(place(order("60001", "0.01")), stage.nonce()))
    assert answer is not None
    assert answer.status == 0


def test_a_cancel_is_refused_though_the_order_is_open(stage: Stage) -> None:
    stage.act(PLACE)
    stage.sim.set_faults({"cancel_refused@1": 1.0})
    cancel = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
    assert "never placed" in stage.statuses(cancel)[0]["error"]
    assert is_open(stage)
    assert stage.statuses(cancel) == ["success"]


def test_one_text_for_a_batch(stage: Stage) -> None:
    stage.sim.set_faults({"batch_err": 1.0})
    bad, good = order("60000.5", "0.01"), order("60000", "0.01")
    assert stage.act(place(bad, bad)) == {"status": "err", "response": "Order has invalid price."}
    assert len(stage.statuses(place(bad, good))) == 2
    assert [row.outcome for row in stage.sim.live_ledger.requests] == [
        "refused",
        "refused",
        "refused",
        "accepted",
    ]


# --- posts -------------------------------------------------------------------------------------


def test_error_frames_with_and_without_an_id(stage: Stage) -> None:
    stage.sim.set_faults({"error_with_id@1": 1.0, "error_without_id@1": 1.0})
    post(stage, ident=7)
    post(stage, ident=8)
    first, second = stage.frames("error")
    assert first == "too many pending post requests id=7"
    assert second.startswith("Error parsing JSON into valid websocket request: {")
    assert json.loads(second.partition("request: ")[2])["id"] == 8
    assert not is_open(stage)


@pytest.mark.parametrize(
    ("fault", "text", "was_placed"),
    [
        ("post_429", "429 Too Many Requests: null", False),
        ("post_502_after", "502 Bad Gateway: null", True),
    ],
)
def test_a_post_fails(stage: Stage, fault: str, text: str, was_placed: bool) -> None:
    stage.sim.set_faults({f"{fault}@1": 1.0})
    post(stage, ident=9)
    (data,) = stage.frames("post")
    assert data == {"id": 9, "response": {"type": "error", "payload": text}}
    assert is_open(stage) == was_placed


def test_a_cut_connection_may_still_be_read(stage: Stage) -> None:
    stage.sim.set_faults({"cut@1": 1.0, "read_after_cut@2": 1.0})
    stage.wait(1)
    assert stage.drops()
    post(stage)
    assert not is_open(stage)
    post(stage)
    assert is_open(stage)
    stage.wait(61)
    stage.sim.set_faults({"read_after_cut": 1.0})
    post(stage, place(order("60001", "0.01")))
    assert len(stage.sim.exchange.accounts["main"].open) == 1


# --- REST --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "body", "was_placed"),
    [
        ("rest_429", 429, "null", False),
        ("rest_500", 500, "null", False),
        ("rest_502", 502, "<html>", False),
        ("rest_502_after", 502, "<html>", True),
    ],
)
def test_rest_fails(stage: Stage, fault: str, status: int, body: str, was_placed: bool) -> None:
    stage.sim.set_faults({f"{fault}@1": 1.0})
    answer = ask(stage)
    assert answer is not None
    assert answer.status == status
    assert answer.body.decode().startswith(body)
    assert is_open(stage) == was_placed


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500), ("502", 502)])
def test_look_ups_fail_and_others_do_not(stage: Stage, fault: str, status: int) -> None:
    stage.sim.set_faults({f"lookup_{fault}": 1.0})
    answer = ask(stage, "/info", {"type": "openOrders", "user": OWN})
    assert answer is not None
    assert answer.status == status
    stage.info("meta")
    stage.post({"type": "info", "payload": {"type": "openOrders", "user": OWN}})
    assert stage.frames("post")[0]["response"]["payload"].startswith(fault)


def test_a_look_up_is_empty_and_not_true(stage: Stage) -> None:
    stage.act(PLACE)
    stage.sim.set_faults({"lookup_empty@1": 1.0, "lookup_empty@2": 1.0})
    assert stage.info("frontendOpenOrders", user=OWN) == []
    assert stage.info("orderStatus", user=OWN, oid=CLOID) == {"status": "unknownOid"}
    assert stage.info("orderStatus", user=OWN, oid=CLOID)["status"] == "order"


@pytest.mark.parametrize("name", ["views_behind_s", "views_lag_s"])
def test_look_ups_are_behind(stage: Stage, name: str) -> None:
    stage.sim.set_faults({name: 2.0})
    stage.wait(1)
    stage.act(PLACE)
    stage.act(place(order("65010", "0.5", tif="Ioc")))
    stage.wait(1)
    assert stage.info("openOrders", user=OWN) == stage.info("userFills", user=OWN) == []
    assert stage.info("orderStatus", user=OWN, oid=CLOID) == {"status": "unknownOid"}
    assert stage.info("historicalOrders", user=OWN) == []
    stage.wait(1.5)
    assert len(stage.info("openOrders", user=OWN)) == 1
    assert len(stage.info("userFills", user=OWN)) == 1
    stage.act({"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]})
    (row,) = stage.info("frontendOpenOrders", user=OWN)
    assert row["sz"] == "0.01"
    assert stage.info("orderStatus", user=OWN, oid=CLOID)["order"]["status"] == "open"


# --- frames ------------------------------------------------------------------------------------


def test_frames_are_lost_and_doubled(stage: Stage) -> None:
    stage.subscribe("orderUpdates", user=OWN)
    stage.frames()
    stage.sim.set_faults({"omit_frame@1": 1.0, "duplicate_frame@1": 1.0})
    stage.act(PLACE)
    assert stage.frames() == []
    stage.act(place(order("60001", "0.01")))
    first, second = stage.frames("orderUpdates")
    assert first == second


def test_some_connections_begin_with_a_greeting() -> None:
    stage = Stage(faults={"greeting": 1.0})
    stage.open()
    (frame,) = stage.sim.outbox
    assert getattr(frame, "payload", b"") == b"Websocket connection established."


def test_a_book_goes_stale_while_pings_are_answered(stage: Stage) -> None:
    stage.subscribe("bbo", coin="BTC")
    stage.frames()
    stage.sim.set_faults({"stale_book@1": 1.0, "stale_s": 3.0})
    stage.wait(1)
    stage.rest("65000", "1")
    stage.send({"method": "ping"})
    assert stage.frames() == [{"channel": "pong"}]
    stage.wait(3)
    stage.rest("65001", "1")
    assert stage.frames("bbo")[0]["bbo"][0]["px"] == "65001.0"


# --- by the clock ------------------------------------------------------------------------------


def test_a_half_open_connection_is_dead_both_ways(stage: Stage) -> None:
    stage.sim.set_faults({"half_open@1": 1.0})
    stage.wait(1)
    post(stage)
    assert stage.frames() == []
    assert not is_open(stage)


def test_a_budget_is_spent_for_a_while(stage: Stage) -> None:
    stage.act(PLACE)
    stage.sim.set_faults({"budget_exhausted@1": 1.0, "budget_s": 3.0})
    stage.wait(1)
    answer = stage.act(place(order("60001", "0.01")))
    assert answer["response"].startswith("Too many cumulative requests sent (2 > 1)")
    cancel = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
    assert stage.statuses(cancel) == ["success"]
    stage.wait(3)
    assert stage.act(PLACE)["status"] == "ok"


def test_only_post_only_orders_for_a_while(stage: Stage) -> None:
    stage.sim.set_faults({"post_only@1": 1.0, "post_only_s": 3.0})
    stage.wait(1)
    assert stage.act(PLACE)["response"].startswith("Only post-only orders")
    assert stage.act(place(order("60000", "0.01", tif="Alo")))["status"] == "ok"
    oid = next(iter(stage.sim.exchange.accounts["main"].open))
    assert stage.statuses({"type": "cancel", "cancels": [{"a": 0, "o": oid}]}) == ["success"]
    stage.wait(3)
    assert stage.act(PLACE)["status"] == "ok"


def test_an_api_wallet_expires_for_a_while(stage: Stage) -> None:
    stage.sim.set_faults({"agent_expired@1": 1.0, "agent_s": 3.0})
    stage.wait(1)
    assert "does not exist" in stage.act({"type": "noop"}, AGENT_KEY)["response"]
    assert stage.act({"type": "noop"})["status"] == "ok"
    stage.wait(3)
    assert stage.act({"type": "noop"}, AGENT_KEY)["status"] == "ok"


def test_money_comes_and_goes(stage: Stage) -> None:
    stage.subscribe("userNonFundingLedgerUpdates", user=OWN)
    stage.frames()
    stage.sim.set_faults({"deposit@1": 1.0, "withdrawal@1": 1.0})
    stage.wait(1)
    told = [row for frame in stage.frames("userNonFundingLedgerUpdates") for row in _rows(frame)]
    assert [(row["type"], row["usdc"]) for row in told] == [
        ("deposit", "10.0"),
        ("withdraw", "5.0"),
    ]
    assert stage.info("clearinghouseState", user=OWN)["withdrawable"] == "100005.0"


def _rows(frame: Any) -> list[Any]:
    return [row["delta"] for row in frame["nonFundingLedgerUpdates"]]


def test_a_restart_loses_connections_and_what_waits() -> None:
    stage = Stage(block_ns=10_000_000_000)
    stage.open()
    post(stage)
    stage.sim.set_faults({"restart@1": 1.0, "restart_s": 2.0})
    stage.wait(1)
    assert [drop.code for drop in stage.drops()] == [1001]
    answer = ask(stage, "/info", {"type": "meta"})
    assert answer is not None
    assert answer.status == 502
    stage.open(2)
    assert len(stage.drops()) == 2
    stage.wait(20)
    assert not is_open(stage)
    stage.info("meta")


# --- readings ----------------------------------------------------------------------------------


def test_a_cloid_may_rest_twice_unless_read_otherwise(stage: Stage) -> None:
    assert "resting" in stage.statuses(PLACE)[0]
    assert "resting" in stage.statuses(PLACE)[0]
    stage.sim.set_faults({"cloids_are_unique_is": 1.0})
    stage.sim.exchange.duplicate_cloid = "Twice!"
    assert stage.statuses(PLACE)[0] == {"error": "Twice! asset=0"}
    for _ in range(2):
        cancel = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
        assert stage.statuses(cancel) == ["success"]
    assert "resting" in stage.statuses(PLACE)[0]


def test_a_book_of_no_coin_may_be_null(stage: Stage) -> None:
    stage.sim.set_faults({"unknown_coin_is_null_is": 1.0})
    assert stage.info("l2Book", coin="NOPE") is None


def test_a_refused_replacement_may_make_no_row(stage: Stage) -> None:
    stage.subscribe("orderUpdates", user=OWN)
    for is_quiet, count in ((0.0, 2), (1.0, 1)):
        stage.sim.set_faults({"refused_replacement_is_quiet_is": is_quiet})
        stage.act(PLACE)
        stage.frames()
        modify = {"oid": CLOID, "order": order("65010", "0.01")}
        stage.act({"type": "batchModify", "modifies": [modify]})
        (frame,) = stage.frames("orderUpdates")
        assert len(frame) == count
        assert frame[0]["status"] == "canceled"


@pytest.mark.parametrize("spares_vaults", [0.0, 1.0])
def test_the_dead_man_switch_covers_a_vault_or_its_master(
    stage: Stage, spares_vaults: float
) -> None:
    stage.sim.set_faults({"schedule_spares_vaults_is": spares_vaults, "schedule_gate_is": 0.0})
    for vault in (None, SUB):
        stage.act(place(order("60000", "0.01")), vault=vault)
    stage.act({"type": "scheduleCancel", "time": stage.now_ms + 6000}, vault=SUB)
    stage.wait(7)
    left = [bool(stage.info("openOrders", user=user)) for user in (OWN, SUB)]
    assert left == ([False, True] if spares_vaults else [True, False])


def test_nonces_may_have_to_rise(stage: Stage) -> None:
    stage.sim.set_faults({"nonce_rises_is": 1.0})
    first, second = stage.nonce(), stage.nonce()
    stage.exchange(sign({"type": "noop"}, second))
    assert "too low" in stage.exchange(sign({"type": "noop"}, first))["response"]


def test_the_gate_of_the_dead_man_switch_can_be_opened(stage: Stage) -> None:
    stage.sim.exchange.accounts["main"].volume = 0
    action = {"type": "scheduleCancel", "time": stage.now_ms + 9000}
    assert stage.act(action)["response"].startswith("Cannot set scheduled cancel time")
    stage.sim.set_faults({"schedule_gate_is": 0.0})
    assert stage.act(action)["status"] == "ok"


def test_a_campaign_knows_every_switch() -> None:
    drawn, readings = Stage().sim.fault_menu
    assert drawn is CAMPAIGN
    assert set(SWITCHES) <= CAMPAIGN.keys()
    known = {name for name in Faults.__struct_fields__ if name.endswith("_is")}
    assert known - readings.keys() == {"schedule_gate_is"}
    assert readings is READINGS
    with pytest.raises(ValueError, match="unknown fault"):
        Stage(faults={"everything": 1.0})
