"""The simulated Kraken's cancels, dead-man, batches and edits by WebSocket."""

from typing import Any

import pytest

from tests.kraken_rig import Frame, Rig, answers, error_of, items, kinds, limit

STOP = {"reference": "last", "price": 60000}


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


# --- cancels -----------------------------------------------------------------------------------


def test_a_cancel_of_n_orders_has_n_answers(rig: Rig) -> None:
    socket = rig.login()
    ids = [rig.place(socket) for _ in range(3)]
    frames = rig.ask(socket, "cancel_order", {"order_id": ids})
    found = answers(frames)
    assert [answer["result"] for answer in found] == [{"order_id": order} for order in ids]
    assert {answer["req_id"] for answer in found} == {7}
    assert kinds(frames) == ["canceled"] * 3
    end = items(frames)[0]
    assert list(end) == [
        "timestamp",
        "order_status",
        "exec_type",
        "cum_qty",
        "cum_cost",
        "fee_usd_equiv",
        "avg_price",
        "order_userref",
        "cancel_reason",
        "reason",
        "order_id",
    ]
    assert end["reason"] == "User requested"


def test_cancels_by_every_name_and_what_they_cannot_find(rig: Rig) -> None:
    socket = rig.login()
    by_id = rig.place(socket)
    rig.place(socket, cl_ord_id="mine")
    for _ in range(2):
        rig.place(socket, order_userref=9)
    names = {
        "order_id": [by_id, by_id, "ONEVER-WASTH-EREXXX"],
        "cl_ord_id": ["mine", "yours"],
        "order_userref": [9, 10, "x"],
    }
    frames = rig.ask(socket, "cancel_order", names)
    assert [answer.get("result", answer.get("error")) for answer in answers(frames)] == [
        {"order_id": by_id},
        "EOrder:Unknown order",
        "EOrder:Invalid order",
        {"cl_ord_id": "mine"},
        "EOrder:Unknown order",
        {"order_userref": 9},
        "EOrder:Unknown order",
        "EOrder:Unknown order",
    ]
    assert kinds(frames) == ["canceled"] * 4
    assert error_of(rig.ask(socket, "cancel_order", {})) == "EGeneral:Invalid arguments:order_id"
    text = error_of(rig.ask(socket, "cancel_order", {"order_id": by_id}))
    assert text == "Order_id field must be an array"


def test_a_batch_cancel_counts(rig: Rig) -> None:
    socket = rig.login()
    ids = [rig.place(socket), rig.place(socket, order_userref=3)]
    rig.place(socket, cl_ord_id="c")
    params = {"orders": [ids[0], 3, "O"], "cl_ord_id": ["c", "d"]}
    frames = rig.ask(socket, "batch_cancel", params)
    assert answers(frames)[0]["result"] == {"count": 3}
    assert error_of(rig.ask(socket, "batch_cancel", params)) == "EOrder:Unknown order"
    for orders in (["O"], ["O"] * 51):
        text = error_of(rig.ask(socket, "batch_cancel", {"orders": orders}))
        assert text == "EGeneral:Invalid arguments:orders"


def test_cancel_all_spares_nobody_but_others(rig: Rig) -> None:
    other = rig.rest("buy", "1", "60000")
    socket = rig.login()
    assert answers(rig.ask(socket, "cancel_all", {}))[0]["result"] == {"count": 0}
    rig.place(socket)
    rig.place(socket, symbol="ETH/USD", price=3000)
    frames = rig.ask(socket, "cancel_all", {})
    assert answers(frames)[0]["result"] == {"count": 2}
    assert kinds(frames) == ["canceled"] * 2
    assert list(rig.result("OpenOrders", key="other-key")["open"]) == [other]


def test_the_dead_man_fires_unless_it_is_armed_again(rig: Rig) -> None:
    socket = rig.login()
    rig.place(socket)
    armed = answers(rig.ask(socket, "cancel_all_orders_after", {"timeout": 60}))[0]
    assert armed["result"] == {
        "currentTime": "2026-09-21T14:13:20Z",
        "triggerTime": "2026-09-21T14:14:20Z",
    }
    rig.wait(50)
    rig.result("CancelAllOrdersAfter", {"timeout": 60})  # shared with REST
    rig.wait(50)
    assert kinds(rig.frames(socket)) == []
    rig.wait(10.5)
    (end,) = items(rig.frames(socket))
    assert end["reason"] == "Cancel all orders after timeout"
    assert end["timestamp"] == "2026-09-21T14:15:10.000000Z"
    assert answers(rig.ask(socket, "add_order", limit()))[0]["success"] is True
    rig.wait(200)
    assert kinds(rig.frames(socket)) == []


def test_the_dead_man_is_disarmed_by_zero(rig: Rig) -> None:
    socket = rig.login()
    rig.place(socket)
    rig.ask(socket, "cancel_all_orders_after", {"timeout": 5})
    off = answers(rig.ask(socket, "cancel_all_orders_after", {"timeout": 0}))[0]
    assert off["result"]["triggerTime"] == "0"
    rig.wait(10)
    assert kinds(rig.frames(socket)) == []
    for timeout in (86_400, -1):
        text = error_of(rig.ask(socket, "cancel_all_orders_after", {"timeout": timeout}))
        assert text == "EGeneral:Invalid arguments:timeout"
    bare = rig.ask(socket, "cancel_all_orders_after", {})
    assert error_of(bare) == "EGeneral:Invalid arguments:timeout"


# --- batches and edits -------------------------------------------------------------------------


def one(**more: Any) -> Frame:
    return {name: value for name, value in limit(**more).items() if name != "symbol"}


def test_a_batch_has_a_verdict_per_order_in_the_order_asked(rig: Rig) -> None:
    socket = rig.login()
    orders = [one(cl_ord_id="a1"), one(quantity=99), one(cl_ord_id="a1"), one()]
    frames = rig.ask(socket, "batch_add", {"symbol": "BTC/USD", "orders": orders})
    (answer,) = answers(frames)
    assert answer["success"] is True
    first, poor, twice, last = answer["result"]
    assert first["cl_ord_id"] == "a1"
    assert poor == {"error": "EOrder:Insufficient funds"}
    assert twice == {"error": "EGeneral:Invalid arguments:cl_ord_id not unique"}
    assert list(last) == ["order_id"]
    assert kinds(frames) == ["pending_new", "new"] * 2
    assert rig.sim.exchange.accounts["mine"].counter.value("BTC/USD", rig.now) == 2


def test_a_batch_that_fails_whole_still_has_its_array(rig: Rig) -> None:
    socket = rig.login()
    orders = [one(quantity=99), one(quantity=99)]
    (answer,) = answers(rig.ask(socket, "batch_add", {"symbol": "BTC/USD", "orders": orders}))
    assert answer["success"] is False
    assert answer["result"] == [{"error": "EOrder:Insufficient funds"}] * 2


@pytest.mark.parametrize(
    ("orders", "error"),
    [
        ([one()], "EGeneral:Invalid arguments:orders"),
        ([one()] * 16, "EGeneral:Invalid arguments:orders"),
        ([one(), "x"], "Orders field must be an array"),
        ([one(), one(price="1")], "Limit_price field must be a number_float"),
        ([one(), limit()], "Unsupported field: 'symbol' for the given msg type: batch add"),
        ([one(), one(side="hold")], "EGeneral:Invalid arguments:side"),
    ],
)
def test_a_syntax_error_refuses_the_whole_batch(rig: Rig, orders: list[Any], error: str) -> None:
    socket = rig.login()
    frames = rig.ask(socket, "batch_add", {"symbol": "BTC/USD", "orders": orders})
    assert error_of(frames) == error
    assert kinds(frames) == []


def test_a_batch_needs_its_orders_and_can_be_validated(rig: Rig) -> None:
    socket = rig.login()
    text = error_of(rig.ask(socket, "batch_add", {"symbol": "BTC/USD"}))
    assert text == "EGeneral:Invalid arguments:orders"
    params = {"symbol": "BTC/USD", "orders": [one(), one()], "validate": True}
    (answer,) = answers(rig.ask(socket, "batch_add", params))
    assert answer["result"] == [{"order_id": ""}] * 2


def test_an_edit_is_another_order(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    old = rig.place(socket, price=60000, cl_ord_id="old", post_only=False)
    params = {"order_id": old, "symbol": "BTC/USD", "limit_price": 59000, "order_userref": 4}
    frames = rig.ask(socket, "edit_order", params)
    (ack,) = answers(frames)
    new = ack["result"]["order_id"]
    assert ack["result"] == {"order_id": new, "original_order_id": old}
    assert kinds(frames) == ["canceled", "pending_new", "new"]
    end, born, _ = items(frames)
    assert (end["order_id"], end["cum_qty"]) == (old, "0.20000000")
    assert end["reason"] == "Order replaced"
    assert (born["order_id"], born["order_qty"]) == (new, "0.30000000")
    assert born["order_userref"] == 4
    assert "cl_ord_id" not in born


def test_an_edit_may_use_the_money_of_the_order_it_replaces(rig: Rig) -> None:
    socket = rig.login()
    old = rig.place(socket, quantity=10)
    params = {"order_id": old, "symbol": "BTC/USD", "order_qty": 16, "post_only": True}
    new = answers(rig.ask(socket, "edit_order", params))[0]["result"]["order_id"]
    rig.wait(60)
    refused = rig.ask(socket, "edit_order", params | {"order_id": new, "order_qty": 17})
    assert error_of(refused) == "EOrder:Insufficient funds"
    assert kinds(refused) == []
    assert list(rig.result("OpenOrders")["open"]) == [new]
    checked = rig.ask(socket, "edit_order", params | {"order_id": new, "validate": True})
    assert answers(checked)[0]["success"] is True
    assert kinds(checked) == []


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"symbol": "BTC/USD"}, "EGeneral:Invalid arguments:order_id"),
        ({"order_id": "OLD"}, "EGeneral:Invalid arguments:symbol"),
        ({"order_id": "ONEVER-WASTH-EREXXX", "symbol": "BTC/USD"}, "EOrder:Invalid order"),
        (
            {"order_id": "x", "symbol": "BTC/USD", "cl_ord_id": "x"},
            "Unsupported field: 'cl_ord_id' for the given msg type: edit order",
        ),
    ],
)
def test_refused_edits(rig: Rig, params: Frame, error: str) -> None:
    assert error_of(rig.ask(rig.login(), "edit_order", params)) == error


def test_what_cannot_be_edited(rig: Rig) -> None:
    socket = rig.login()
    gone = rig.place(socket)
    rig.ask(socket, "cancel_all", {})
    stop = rig.place(socket, side="sell", order_type="stop-loss-limit", triggers=STOP)
    for order, error in ((gone, "EOrder:Unknown order"), (stop, "EOrder:Invalid order")):
        params = {"order_id": order, "symbol": "BTC/USD", "order_qty": 1}
        assert error_of(rig.ask(socket, "edit_order", params)) == error


def test_quick_edits_and_amends_use_the_counter_up() -> None:
    rig = Rig(tier="starter")
    socket = rig.login()
    order = rig.place(socket)
    for step in range(14):
        change = {"order_id": order, "limit_price": 60001 + step}
        assert answers(rig.ask(socket, "amend_order", change))[0]["success"] is True
    change = {"order_id": order, "limit_price": 59000}
    assert error_of(rig.ask(socket, "amend_order", change)) == "EOrder:Rate limit exceeded"
    edit = change | {"symbol": "BTC/USD"}
    assert error_of(rig.ask(socket, "edit_order", edit)) == "EOrder:Rate limit exceeded"
