"""Every answer that was ever observed is given, in its shape and its words.

Numbers, ids and addresses of the vectors are examples: they are replaced before comparing.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hyperliquid_stage import (
    AGENT_KEY,
    CLOID,
    OTHER,
    OTHER_KEY,
    OWN,
    Json,
    Stage,
    order,
    place,
    sign,
    trigger,
)

ROOT = Path(__file__).parent.parent
OBSERVED: dict[str, Any] = json.loads(
    (ROOT / "tests/vectors/hyperliquid/observed_responses.json").read_text()
)
STRANGER_KEY = "0x" + "9" * 64
BUILDER = "0x" + "b" * 40


VARIABLE = re.compile(
    r"0x[0-9a-f]+|asset=\d+|\$?\d+\.\d+|(?<![$\d])\d{5,}|(?<=bbo was )\S+?(?=\.?$)"
)


def blurred(value: Any) -> Any:
    """The shape and the words of an answer, without what differs from one to the next.

    The numbers that stand for a rule stay: $10, 95%, a weight of 200.
    """
    if isinstance(value, dict):
        return {key: blurred(held) for key, held in value.items()}
    if isinstance(value, list):
        return [blurred(one) for one in value]
    return 0 if isinstance(value, int) else VARIABLE.sub("?", value)


def error(stage: Stage, *orders: Json, **more: Any) -> Any:
    return stage.act(place(*orders, **more))


def long_position(stage: Stage, size: str = "0.01") -> None:
    stage.act(place(order("65010", size, tif="Ioc")))


def parent_and_children(stage: Stage, price: str) -> Any:
    take, stop = trigger("80000", "0.01", "sell", "tp"), trigger("50000", "0.01", "sell", "sl")
    return stage.act(place(order(price, "0.01"), take, stop, grouping="normalTpsl"))


def modify(stage: Stage, oid: int, wire: Json, **more: Any) -> Any:
    action = {"type": "batchModify", "modifies": [{"oid": oid, "order": wire}], **more}
    return stage.act(action)


def resting(stage: Stage, **more: Any) -> int:
    oid: int = stage.statuses(place(order("60000", "0.01", **more)))[0]["resting"]["oid"]
    return oid


def mixed_cancel(stage: Stage) -> Any:
    cancels = [{"a": 0, "o": resting(stage)}, {"a": 4, "o": 1}]
    return stage.act({"type": "cancel", "cancels": cancels})


def twap(stage: Stage, minutes: int) -> Any:
    asked = {"a": 0, "b": True, "s": "1", "r": False, "m": minutes, "t": False}
    return stage.act({"type": "twapOrder", "twap": asked})


def stopped_twap(stage: Stage) -> Any:
    answer = twap(stage, 30)
    ident = answer["response"]["data"]["status"]["running"]["twapId"]
    return stage.act({"type": "twapCancel", "a": 0, "t": ident})


def twice(stage: Stage) -> Any:
    body = sign({"type": "noop"}, stage.nonce())
    stage.exchange(body)
    return stage.exchange(body)


def too_low(stage: Stage) -> Any:
    for _ in range(101):
        stage.act({"type": "noop"})
    return stage.exchange(sign({"type": "noop"}, stage.now_ms - 1000))


def spent(stage: Stage) -> Any:
    account = stage.sim.exchange.accounts["main"]
    account.requests_used = account.request_cap
    account.last_grace_ns = stage.now_ns
    return error(stage, order("60000", "0.01"))


def unrecoverable(stage: Stage) -> Any:
    body = sign({"type": "noop"}, stage.nonce())
    body["signature"]["r"] = "0x0"
    return stage.exchange(body)


def switched(stage: Stage) -> Any:
    long_position(stage)
    return stage.act({"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 5})


def upgraded(stage: Stage) -> Any:
    stage.sim.desk.post_only_until_ns = stage.now_ns + 1
    return error(stage, order("60000", "0.01"))


def unfunded(stage: Stage) -> Any:
    action = {
        "type": "usdSend",
        "destination": OTHER,
        "amount": "1",
        "time": stage.now_ms,
        "signatureChainId": "0x66eee",
        "hyperliquidChain": "Testnet",
    }
    return stage.act(action, AGENT_KEY)


def built(stage: Stage) -> Any:
    return error(stage, order("60000", "0.01"), builder={"b": BUILDER, "f": 10})


def gated(stage: Stage) -> Any:
    action = {"type": "scheduleCancel", "time": stage.now_ms + 60_000}
    return stage.act(action, OTHER_KEY)


CASES: dict[str, Callable[[Stage], Any]] = {
    "order rests, no cloid": lambda s: error(s, order("60000", "0.01")),
    "order rests, cloid echoed": lambda s: error(s, order("60000", "0.01", cloid=CLOID)),
    "order fills at once, no cloid": lambda s: error(s, order("65010", "0.01")),
    "order fills at once, cloid echoed": lambda s: error(s, order("65010", "0.01", cloid=CLOID)),
    "IOC larger than the book at its limit: partial fill, remainder dropped silently": lambda s: (
        error(s, order("65010", "1.5", tif="Ioc"))
    ),
    "normalTpsl, parent rests: children wait": lambda s: parent_and_children(s, "60000"),
    "normalTpsl, parent filled at once: children become triggers": lambda s: parent_and_children(
        s, "65010"
    ),
    "min notional perp": lambda s: error(s, order("60000", "0.0001")),
    "min notional spot": lambda s: error(s, order("0.1", "50", asset=10000)),
    "margin": lambda s: error(s, order("60000", "40")),
    "reduce only on flat or wrong side": lambda s: error(s, order("60000", "0.01", r=True)),
    "IOC without a match": lambda s: error(s, order("60000", "0.01", tif="Ioc")),
    "ALO crosses": lambda s: error(s, order("65010", "0.01", tif="Alo")),
    "price far away (no asset suffix)": lambda s: error(s, order("1000", "0.1")),
    "too large (no asset suffix)": lambda s: error(s, order("60000", "100")),
    "bad price precision (no asset suffix)": lambda s: error(s, order("60000.5", "0.01")),
    "bad size precision (no asset suffix)": lambda s: error(s, order("60000", "0.010001")),
    "zero size": lambda s: error(s, order("60000", "0")),
    "batchModify to an unacceptable order": lambda s: modify(
        s, resting(s), order("60000", "0.01", tif="Ioc")
    ),
    "batchModify of a dead order": lambda s: modify(s, 7, order("60000", "0.01")),
    "batchModify: cancel leg done, new leg refused": lambda s: modify(
        s, resting(s), order("65010", "0.01")
    ),
    "cancel ok": lambda s: s.act({"type": "cancel", "cancels": [{"a": 0, "o": resting(s)}]}),
    "cancel mixed": mixed_cancel,
    "scheduleCancel / updateLeverage / modify / noop ok": lambda s: s.act({"type": "noop"}),
    "twap ok": lambda s: twap(s, 30),
    "twap error": lambda s: twap(s, 1),
    "twap cancel ok": stopped_twap,
    "twap cancel error": lambda s: s.act({"type": "twapCancel", "a": 0, "t": 9}),
    "wrong signature / unknown API wallet": lambda s: s.act({"type": "noop"}, STRANGER_KEY),
    "signature recovers an unfunded user": unfunded,
    "r,s,v do not recover": unrecoverable,
    "nonce replayed": twice,
    "nonce below the window": too_low,
    "expiresAfter in the past": lambda s: s.act({"type": "noop"}, expires=s.now_ms - 1),
    "batch above 200 entries": lambda s: error(s, *[order("60000", "0.01")] * 201),
    "address budget spent": spent,
    "scheduleCancel volume gate": gated,
    "vault unknown": lambda s: s.act({"type": "noop"}, vault=OTHER),
    "cross/isolated switch": switched,
    "after an upgrade": upgraded,
    "builder not approved": built,
}


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.quote()
    return made


@pytest.mark.parametrize("observed", OBSERVED["exchange"], ids=lambda one: one["when"])
def test_an_observed_answer_is_given(stage: Stage, observed: dict[str, Any]) -> None:
    answer = CASES[observed["when"]](stage)
    assert blurred(answer) == blurred(observed["response"])


def test_no_case_is_left_over() -> None:
    assert CASES.keys() == {one["when"] for one in OBSERVED["exchange"]}


def test_blurring_keeps_the_words() -> None:
    """Or the comparison above would be worth nothing."""
    texts = ["Order has zero size.", "over weight limit of 200.", "Max is $5000000.", "of $10."]
    assert blurred(texts) == texts
    assert blurred({"a": "0x1f 12.5 asset=3 (97460 > 97456)", "b": [7]}) == {
        "a": "? ? ? (? > ?)",
        "b": [0],
    }


def test_the_same_texts_come_by_post() -> None:
    stage = Stage()
    stage.open()
    stage.quote()
    assert stage.post_action({"type": "noop"}) == {"status": "ok", "response": {"type": "default"}}
    body = sign(place(order("60000", "0.0001")), stage.nonce())
    stage.post({"type": "action", "payload": body}, ident=41)
    entry = {"error": "Order must have minimum value of $10. asset=0"}
    payload = {
        "status": "ok",
        "response": {"type": "order", "data": {"statuses": [entry]}},
    }
    response = {"type": "action", "payload": payload}
    assert stage.frames() == [{"channel": "post", "data": {"id": 41, "response": response}}]


def test_http_errors_are_as_observed() -> None:
    stage = Stage()
    rows = {one["http_status"]: one for one in OBSERVED["http_errors"]}
    unfit = stage.ask("/exchange", {"action": {"type": "fly"}})
    unknown = stage.ask("/info", {"type": "l2Book", "coin": "NOPE"})
    stage.sim.set_faults({"rest_429": 1.0})
    busy = stage.ask("/info", {"type": "meta"})
    for status, answer in ((422, unfit), (500, unknown), (429, busy)):
        assert answer is not None
        assert answer.status == status
        assert answer.body.decode() == rows[status]["body"]
        assert answer.content_type == rows[status]["content_type"]


def test_whoever_asks_the_wrong_thing_is_told() -> None:
    stage = Stage()
    page = stage.ask("/elsewhere", {})
    assert page is not None
    assert page.status == 404
    bodies: list[object] = [b"{", [], {"type": "nothing"}]
    for body in [*bodies, {"type": "openOrders", "user": OWN[:-1]}]:
        answer = stage.ask("/info", body)
        assert answer is not None
        assert answer.status == 422
