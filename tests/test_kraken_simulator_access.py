"""The simulated Kraken's doors: keys, signatures, nonces, permissions, tokens, counters."""

import json
from pathlib import Path
from typing import Any

import pytest

from crosswire.venues.kraken.simulator import SimAccount, api_sign
from crosswire.venues.kraken.simulator.limits import CANCEL_AGES, TradingCounter, penalty
from tests.kraken_rig import ME, SECOND, SECRET, Rig, answers, error_of, items, limit, sign

NO_MONEY = {"USD": "1"}


def form(nonce: object) -> bytes:
    return f"nonce={nonce}".encode()


# --- signatures --------------------------------------------------------------------------------


def test_the_documented_signature() -> None:
    body = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert api_sign(SECRET, "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_every_signing_vector(captures: Path) -> None:
    path = captures / "kraken" / "signing_vectors.json"
    if not path.exists():
        pytest.skip(f"no {path.name} beside the recordings")
    vectors = json.loads(path.read_text())["vectors"]
    assert len(vectors) >= 19
    for vector in vectors:
        secret, body = vector["secret_b64"], vector["body"].encode()
        found = api_sign(secret, vector["uri_path"], vector["nonce"], body)
        assert found == vector["api_sign"], vector["name"]


def test_a_flipped_bit_in_the_signature_is_refused() -> None:
    rig = Rig()
    path, body = "/0/private/Balance", form(5)
    good = sign(path, "5", body)
    for bad in ("A" + good[1:] if good[0] != "A" else "B" + good[1:], "", good.lower(), "ä"):
        answer = rig.http("POST", path, {"API-Key": ME, "API-Sign": bad}, body)
        assert answer == {"error": ["EAPI:Invalid signature"]}
    # A refused signature uses no nonce up; header names have no case.
    assert rig.http("POST", path, {"api-key": ME, "api-sign": good}, body)["error"] == []


def test_a_signature_is_for_one_path_and_one_body() -> None:
    rig = Rig()
    headers = {"API-Key": ME, "API-Sign": sign("/0/private/Balance", "5", form(5))}
    other_path = rig.http("POST", "/0/private/OpenOrders", headers, form(5))
    other_body = rig.http("POST", "/0/private/Balance", headers, form(5) + b"&x=1")
    assert other_path == other_body == {"error": ["EAPI:Invalid signature"]}


def test_unknown_and_missing_keys_are_refused() -> None:
    rig = Rig()
    assert rig.send_signed("Balance", form(1), "1", "nobody") == {"error": ["EAPI:Invalid key"]}
    assert rig.http("POST", "/0/private/Balance", {}, form(1)) == {"error": ["EAPI:Invalid key"]}


def test_a_secret_that_is_no_base64_never_fits() -> None:
    rig = Rig(accounts={ME: SimAccount(secret="x", balances={})})
    assert rig.send_signed("Balance", form(1), "1") == {"error": ["EAPI:Invalid signature"]}


# --- nonces ------------------------------------------------------------------------------------


def test_a_nonce_must_grow() -> None:
    rig = Rig()
    assert rig.send_signed("Balance", form(100), "100")["error"] == []
    for nonce in ("100", "99", "1"):
        answer = rig.send_signed("Balance", form(nonce), nonce)
        assert answer == {"error": ["EAPI:Invalid nonce"]}
    assert rig.send_signed("Balance", form(101), "101")["error"] == []


def test_each_key_has_its_own_nonces() -> None:
    rig = Rig()
    assert rig.send_signed("Balance", form(100), "100")["error"] == []
    assert rig.send_signed("Balance", form(7), "7", "other-key")["error"] == []


@pytest.mark.parametrize("nonce", ["", "-1", "1.5", "x", "²", str(2**64)])
def test_a_nonce_is_an_unsigned_number_of_64_bits(nonce: str) -> None:
    rig = Rig()
    answer = rig.send_signed("Balance", form(nonce), nonce)
    assert answer == {"error": ["EAPI:Invalid nonce"]}


def test_a_nonce_may_be_a_json_number() -> None:
    rig = Rig()
    body = b'{"nonce":18446744073709551615}'
    answer = rig.send_signed("Balance", body, str(2**64 - 1), ME, "application/json")
    assert answer["error"] == []


def test_many_refusals_in_a_row_lock_the_key_for_a_while() -> None:
    rig = Rig()
    for _ in range(20):
        rig.send_signed("Balance", form(0), "0")
    assert rig.error("Balance") == "EGeneral:Temporary lockout"
    rig.wait(900)
    assert rig.post("Balance")["error"] == []


# --- what a key may do -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        ("GetWebSocketsToken", "websocket"),
        ("AddOrder", "trade"),
        ("CancelAll", "trade"),
        ("Ledgers", "ledger"),
        ("Balance", "query"),
        ("OpenOrders", "query"),
    ],
)
def test_a_missing_permission_is_denied(call: str, needs: str) -> None:
    every = {"query", "trade", "ledger", "websocket"}
    lame = SimAccount(secret=SECRET, balances={}, permissions=frozenset(every - {needs}))
    rig = Rig(accounts={ME: lame})
    assert rig.error(call) == "EGeneral:Permission denied"


def test_paths_and_methods_that_are_not_there() -> None:
    rig = Rig()
    assert rig.error("Fly") == "EGeneral:Unknown method"
    assert rig.get("/0/public/Fly") == {"error": ["EGeneral:Unknown method"]}
    assert rig.get("/0/private/Balance") == {"error": ["EAPI:Bad request"]}
    assert rig.get("/1/public/Time") == 404
    assert rig.get("/0/secret/Time") == 404
    assert rig.get("/") == 404


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe=1"])
def test_a_body_that_cannot_be_read(body: bytes) -> None:
    rig = Rig()
    headers = {} if body[:1] != b"[" else {"Content-Type": "application/json"}
    assert rig.http("POST", "/0/private/Balance", headers, body) == {"error": ["EAPI:Bad request"]}


# --- tokens ------------------------------------------------------------------------------------


def test_a_token_has_43_letters_and_900_seconds() -> None:
    rig = Rig()
    found = rig.result("GetWebSocketsToken")
    assert found["expires"] == 900
    assert len(found["token"]) == 43
    assert set(found["token"]) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
    assert rig.result("GetWebSocketsToken")["token"] != found["token"]


def private(rig: Rig) -> int:
    socket = rig.open("/auth/v2")
    rig.frames(socket)
    return socket


def subscribed(rig: Rig, socket: int, token: object) -> Any:
    params = {"channel": "executions", "token": token}
    return rig.send(socket, {"method": "subscribe", "params": params, "req_id": 42})[0]


def test_tokens_that_do_not_open() -> None:
    rig = Rig()
    socket = private(rig)
    missing = rig.send(socket, {"method": "subscribe", "params": {"channel": "balances"}})
    assert error_of(missing) == "Token(s) not found"
    assert subscribed(rig, socket, "")["error"] == "Token(s) not found"
    assert subscribed(rig, socket, "x" * 43)["error"] == "EAPI:Invalid token"
    old = rig.result("GetWebSocketsToken")["token"]
    rig.now += 900 * SECOND
    refused = subscribed(rig, private(rig), old)
    assert refused["error"] == "ESession:Invalid session"
    assert list(refused) == [
        "error",
        "method",
        "req_id",
        "status",
        "success",
        "time_in",
        "time_out",
    ]
    assert refused["status"] == "error"


def test_a_used_token_lives_as_long_as_its_connection() -> None:
    rig = Rig()
    socket = rig.login()
    for _ in range(40):
        rig.wait(30)
    assert answers(rig.ask(socket, "add_order", limit()))[0]["success"] is True
    stranger = private(rig)
    assert error_of(rig.ask(stranger, "add_order", limit())) == "ESession:Invalid session"
    rig.sim.closed(socket, rig.now)
    assert subscribed(rig, private(rig), rig.tokens[ME])["error"] == "ESession:Invalid session"
    rig.sim.opened(socket, "/auth/v2", rig.now)  # not even under the old connection's number
    rig.frames(socket)
    assert subscribed(rig, socket, rig.tokens[ME])["error"] == "ESession:Invalid session"


def test_a_revoked_token_is_an_invalid_session_until_a_new_one() -> None:
    rig = Rig()
    socket = rig.login()
    rig.sim.revoke_tokens("mine")
    assert error_of(rig.ask(socket, "add_order", limit())) == "ESession:Invalid session"
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
    assert answers(rig.ask(socket, "add_order", limit()))[0]["success"] is True


def test_trading_needs_a_token_and_the_private_socket() -> None:
    rig = Rig()
    public, socket = rig.open(), private(rig)
    rig.frames(public)
    message = {"method": "cancel_all", "params": {}}
    assert error_of(rig.send(socket, message)) == "Token(s) not found"
    refused = rig.send(public, message)
    assert error_of(refused) == "Private data and trading are unavailable on this endpoint"


def test_a_connection_hears_only_of_its_own_account() -> None:
    rig = Rig()
    mine, theirs = rig.login(), rig.login("other-key")
    for socket in (mine, theirs):
        rig.ask(socket, "subscribe", {"channel": "balances"}, "other-key")
    rig.ask(mine, "add_order", limit())
    assert items(rig.frames(theirs)) == []


# --- counters ----------------------------------------------------------------------------------


def test_the_rest_counter_fills_and_decays() -> None:
    rig = Rig(tier="starter")
    for _ in range(15):
        assert rig.post("Balance")["error"] == []
    assert rig.error("Balance") == "EAPI:Rate limit exceeded"
    rig.wait(3.1)
    assert rig.post("Balance")["error"] == []
    assert rig.error("Balance") == "EAPI:Rate limit exceeded"


def test_history_calls_cost_four_and_trading_calls_nothing() -> None:
    rig = Rig(tier="starter")
    for _ in range(3):
        assert rig.post("TradesHistory")["error"] == []
    assert rig.error("Ledgers") == "EAPI:Rate limit exceeded"
    for _ in range(3):
        rig.post("Balance")
    assert rig.error("Balance") == "EAPI:Rate limit exceeded"
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "6"}
    assert rig.post("AddOrder", order)["error"] == []


def test_the_trading_counter_of_the_fact_sheet() -> None:
    """Add (1), amend after 7 s (1 + 2), cancel 36 s later (4): 8, without the decay."""
    counter = TradingCounter("starter")
    assert counter.spend("BTC/USD", 1, 0)
    assert counter.spend("BTC/USD", 1 + 2, 0)
    assert counter.spend("BTC/USD", penalty(CANCEL_AGES, 36 * SECOND), 0)
    assert counter.value("BTC/USD", 0) == 8
    assert counter.value("BTC/USD", 3 * SECOND) == 5
    assert counter.value("ETH/USD", 0) == 0
    assert penalty(CANCEL_AGES, 300 * SECOND) == 0


def test_quick_cancels_use_the_counter_up_and_a_batch_passes() -> None:
    rig = Rig(tier="starter")
    socket = rig.login()
    ids = []
    for _ in range(7):
        ack = answers(rig.ask(socket, "add_order", limit()))[0]
        ids.append(ack["result"]["order_id"])
    frames = [rig.ask(socket, "cancel_order", {"order_id": [order]}) for order in ids]
    texts = [answers(one)[0].get("error") for one in frames]
    assert texts == [None] * 6 + ["EOrder:Rate limit exceeded"]  # 7 adds, 8 for each cancel
    ids = ids[6:]
    eth = limit(symbol="ETH/USD", price=3000)  # every pair has a counter of its own
    ids.append(answers(rig.ask(socket, "add_order", eth))[0]["result"]["order_id"])
    batch = answers(rig.ask(socket, "batch_cancel", {"orders": ids}))[0]
    assert batch["result"] == {"count": 2}
    assert error_of(rig.ask(socket, "add_order", limit())) == "EOrder:Rate limit exceeded"


def test_a_refused_order_counts_too() -> None:
    rig = Rig(tier="starter", funds=NO_MONEY)
    socket = rig.login()
    texts = [error_of(rig.ask(socket, "add_order", limit())) for _ in range(61)]
    assert texts == ["EOrder:Insufficient funds"] * 60 + ["EOrder:Rate limit exceeded"]


def test_the_counter_rides_on_the_frames_where_it_was_asked_for() -> None:
    rig = Rig()
    socket = rig.login(ratecounter=True)
    (first, second) = items(rig.ask(socket, "add_order", limit()))
    assert (first["ratecount"], second["ratecount"]) == (1, 1)


def test_open_orders_per_pair_are_limited() -> None:
    rig = Rig(tier="starter")
    socket = rig.login()
    for _ in range(60):
        assert answers(rig.ask(socket, "add_order", limit(quantity=0.001)))[0]["success"]
        rig.wait(1.1)
    assert error_of(rig.ask(socket, "add_order", limit())) == "EOrder:Orders limit exceeded"
    assert answers(rig.ask(socket, "add_order", limit(symbol="ETH/USD", price=3000)))[0]["success"]
