"""Who may trade: signers, API wallets with an end, sub-accounts; nonces and bounds."""

from typing import Any

import pytest

from crosswire.venues.hyperliquid.simulator.gate import DAY_MS, KEPT_NONCES, Nonces
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret
from tests.hyperliquid_stage import (
    AGENT,
    AGENT_KEY,
    OTHER,
    OTHER_KEY,
    OWN,
    SUB,
    SUB_KEY,
    Json,
    Stage,
    order,
    place,
    sign,
)

NOOP: Json = {"type": "noop"}
OK = {"status": "ok", "response": {"type": "default"}}
NEW_KEY = "0x" + "5" * 64
NEW = address_of_secret(NEW_KEY)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def user_signed(kind: str, stage: Stage, **fields: Any) -> Json:
    """A user-signed action with its chain; `nonce` or `time` is the next."""
    chain = {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
    return {"type": kind, **chain, **fields}


def approve(stage: Stage, address: str, name: str = "") -> Any:
    nonce = stage.nonce()
    action = user_signed("approveAgent", stage, agentAddress=address, nonce=nonce)
    if name:
        action["agentName"] = name
    return stage.exchange(sign(action, nonce))


def refusal(answer: Any) -> str:
    assert answer["status"] == "err"
    return str(answer["response"])


def test_an_api_wallet_trades_for_its_master(stage: Stage) -> None:
    (entry,) = stage.statuses(place(order("60000", "0.01")), AGENT_KEY)
    assert "resting" in entry
    assert len(stage.info("openOrders", user=OWN)) == 1
    assert stage.info("openOrders", user=AGENT) == []  # nobody says that it is the wrong address


def test_the_other_network_s_signature_is_somebody_else_s(stage: Stage) -> None:
    text = refusal(stage.exchange(sign(NOOP, stage.nonce(), is_mainnet=True)))
    assert text.startswith("User or API Wallet 0x")
    assert OWN not in text


def test_a_new_wallet_trades_until_its_end(stage: Stage) -> None:
    end_ms = stage.now_ms + 60_000
    assert approve(stage, NEW, f"bot valid_until {end_ms}") == OK
    assert stage.act(NOOP, NEW_KEY) == OK
    assert stage.info("extraAgents", user=OWN)[-1] == {
        "name": "bot",
        "address": NEW,
        "validUntil": end_ms,
    }
    assert stage.info("userRole", user=NEW) == {"role": "agent", "data": {"user": OWN}}
    stage.wait(61)
    assert refusal(stage.act(NOOP, NEW_KEY)) == f"User or API Wallet {NEW} does not exist."


def test_a_name_used_again_replaces_the_wallet(stage: Stage) -> None:
    assert approve(stage, NEW, "bot") == OK
    assert stage.info("userRole", user=AGENT) == {"role": "missing"}
    assert refusal(approve(stage, NEW, "other")) == "Extra agent already used."
    assert approve(stage, SUB[:-1] + "0", f"x valid_until {stage.now_ms}")["status"] == "err"


def test_there_are_so_many_named_wallets(stage: Stage) -> None:
    answers = [approve(stage, f"0x{number:040x}", f"b{number}") for number in range(1, 7)]
    assert [answer["status"] for answer in answers] == ["ok"] * 4 + ["err"] * 2
    assert approve(stage, f"0x{99:040x}") == OK  # the one without a name is apart


def test_the_master_trades_for_a_sub_account(stage: Stage) -> None:
    upper = "0x" + SUB[2:].upper()
    (entry,) = stage.statuses(place(order("60000", "0.01")), vault=upper)
    assert "resting" in entry
    assert len(stage.info("openOrders", user=SUB)) == 1
    assert stage.info("openOrders", user=OWN) == []
    assert refusal(stage.act(NOOP, SUB_KEY)).startswith("User or API Wallet")
    assert refusal(stage.act(NOOP, OTHER_KEY, vault=SUB)) == f"Vault not registered: {SUB}"
    assert stage.info("userRole", user=SUB) == {"role": "subAccount", "data": {"master": OWN}}
    assert stage.info("subAccounts", user=OWN)[0]["subAccountUser"] == SUB


def test_a_wallet_moves_no_money(stage: Stage) -> None:
    action = user_signed("usdSend", stage, destination=OTHER, amount="1.0", time=stage.now_ms)
    text = refusal(stage.act(action, AGENT_KEY))
    assert text == f"Must deposit before performing actions. User: {AGENT}"


def test_money_moves_between_wallets_and_accounts(stage: Stage) -> None:
    sent = user_signed("usdSend", stage, destination=OTHER, amount="100.0", time=stage.now_ms)
    assert stage.act(sent) == OK
    moved = user_signed("usdClassTransfer", stage, amount="50", toPerp=False, nonce=stage.now_ms)
    assert stage.act(moved) == OK
    out = user_signed("withdraw3", stage, destination=OWN, amount="10", time=stage.now_ms)
    assert stage.act(out) == OK
    token = "PURR:0xeb62eee3685fc4c43992febcd9e75443"
    spot = user_signed(
        "spotSend", stage, destination=SUB, token=token, amount="7", time=stage.now_ms
    )
    assert stage.act(spot) == OK
    balances = stage.sim.ledger()["balances"]
    assert isinstance(balances, dict)
    assert balances["main"] == {"USDC": "99840", "spot:USDC": "10050", "PURR": "993"}
    assert balances["other"]["USDC"] == "1000100"
    assert balances["sub"]["PURR"] == "7"
    rows = stage.info("userNonFundingLedgerUpdates", user=OWN, startTime=0)
    assert [row["delta"]["type"] for row in rows] == [
        "internalTransfer",
        "accountClassTransfer",
        "withdraw",
        "spotTransfer",
    ]
    too_much = user_signed("usdSend", stage, destination=OTHER, amount="1e9", time=stage.now_ms)
    assert stage.act(too_much)["status"] == "err"


def test_a_builder_is_paid_when_it_was_approved(stage: Stage) -> None:
    stage.quote()
    builder = "0x" + "b" * 40
    approved = user_signed(
        "approveBuilderFee", stage, maxFeeRate="0.01%", builder=builder, nonce=stage.now_ms
    )
    assert stage.act(approved) == OK
    assert stage.info("maxBuilderFee", user=OWN, builder=builder) == 10
    wire = order("65010", "1", tif="Ioc")
    stage.act(place(wire, builder={"b": builder.upper().replace("X", "x"), "f": 10}))
    (fill,) = stage.info("userFills", user=OWN)
    assert fill["builderFee"] == "6.501"
    assert fill["fee"] == "35.7555"  # 29.2545 of the venue, 6.501 of the builder
    more = stage.act(place(wire, builder={"b": builder, "f": 11}))
    assert refusal(more) == "Builder fee has not been approved."


# --- nonces ------------------------------------------------------------------------------------


def test_the_highest_nonces_are_kept() -> None:
    nonces = Nonces()
    for nonce in range(1000, 1000 + KEPT_NONCES):
        assert nonces.refusal(nonce, 2000, must_rise=False) == ""
        nonces.spend(nonce)
    assert nonces.refusal(1005, 2000, must_rise=False) == "Invalid nonce: duplicate nonce 1005"
    assert "too low 999 < 1000" in nonces.refusal(999, 2000, must_rise=False)
    nonces.spend(1200)
    assert "too low 1000 < 1001" in nonces.refusal(1000, 2000, must_rise=False)
    assert nonces.refusal(1150, 2000, must_rise=False) == ""
    assert "too low 1150 < 1200" in nonces.refusal(1150, 2000, must_rise=True)


def test_nonces_are_times_of_these_days() -> None:
    nonces, now_ms = Nonces(), 10 * DAY_MS
    assert nonces.refusal(now_ms + DAY_MS, now_ms, must_rise=False) == ""
    assert "too high" in nonces.refusal(now_ms + DAY_MS + 1, now_ms, must_rise=False)
    assert nonces.refusal(8 * DAY_MS, now_ms, must_rise=False) == ""
    assert "too low" in nonces.refusal(8 * DAY_MS - 1, now_ms, must_rise=False)


def test_a_sub_account_has_no_nonces_of_its_own(stage: Stage) -> None:
    nonce = stage.nonce()
    assert stage.exchange(sign(NOOP, nonce)) == OK
    assert "duplicate" in refusal(stage.exchange(sign(NOOP, nonce, vault=SUB)))
    assert stage.exchange(sign(NOOP, nonce, AGENT_KEY)) == OK


def late(stage: Stage) -> Json:
    return sign(NOOP, stage.nonce(), expires=stage.now_ms - 1)


def test_a_late_request_leaves_its_nonce_unless_read_otherwise(stage: Stage) -> None:
    body = late(stage)
    assert refusal(stage.exchange(body)) == "Action already expired"
    assert stage.exchange(sign(NOOP, body["nonce"])) == OK
    stage.sim.set_faults({"expired_spends_nonce_is": 1.0})
    body = late(stage)
    assert refusal(stage.exchange(body)) == "Action already expired"
    assert "duplicate" in refusal(stage.exchange(sign(NOOP, body["nonce"])))


def test_a_late_copy_is_a_duplicate_where_nonces_are_read_first(stage: Stage) -> None:
    body = sign(NOOP, stage.nonce(), expires=stage.now_ms + 1000)
    assert stage.exchange(body) == OK
    stage.wait(2)
    assert refusal(stage.exchange(body)) == "Action already expired"
    stage.sim.set_faults({"nonce_checked_first_is": 1.0})
    assert "duplicate" in refusal(stage.exchange(body))


def test_a_late_request_costs_five_times_its_budget(stage: Stage) -> None:
    stage.exchange(late(stage))
    assert stage.info("userRateLimit", user=OWN)["nRequestsUsed"] == 5
