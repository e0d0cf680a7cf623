"""The life of an order at the simulated Kraken, as `executions` and `balances` tell it."""

import pytest

from tests.kraken_rig import (
    OTHER,
    Frame,
    Rig,
    answers,
    error_of,
    items,
    kinds,
    limit,
)

ID = "b17c7bb34d000200"


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


# --- one order's life --------------------------------------------------------------------------


def test_an_order_is_pending_then_new_at_one_moment(rig: Rig) -> None:
    socket = rig.login()
    ack, first, second = rig.ask(socket, "add_order", limit(cl_ord_id=ID))
    order_id = ack["result"]["order_id"]
    assert ack == {
        "method": "add_order",
        "req_id": 7,
        "result": {"order_id": order_id, "cl_ord_id": ID},
        "success": True,
        "time_in": "2026-09-21T14:13:20.000000Z",
        "time_out": "2026-09-21T14:13:20.000150Z",
    }
    assert (first["type"], first["sequence"], second["sequence"]) == ("update", 2, 3)
    assert first["data"] == [
        {
            "order_id": order_id,
            "symbol": "BTC/USD",
            "order_qty": "0.50000000",
            "cum_cost": "0.00000",
            "time_in_force": "GTC",
            "exec_type": "pending_new",
            "side": "buy",
            "order_type": "limit",
            "cl_ord_id": ID,
            "limit_price_type": "static",
            "limit_price": "60000.0",
            "stop_price": "0.0",
            "order_status": "pending_new",
            "fee_usd_equiv": "0.0000",
            "fee_ccy_pref": "fciq",
            "timestamp": "2026-09-21T14:13:20.000000Z",
        }
    ]
    assert second["data"] == [
        {
            "timestamp": "2026-09-21T14:13:20.000000Z",
            "order_status": "new",
            "exec_type": "new",
            "cl_ord_id": ID,
            "order_id": order_id,
        }
    ]


def test_without_a_name_the_reference_is_zero(rig: Rig) -> None:
    socket = rig.login()
    bare = items(rig.ask(socket, "add_order", limit()))
    tagged = rig.ask(socket, "add_order", limit(order_userref=-3))
    assert [item["order_userref"] for item in bare] == [0, 0]
    assert "cl_ord_id" not in bare[0]
    assert answers(tagged)[0]["result"]["order_userref"] == -3
    assert [item["order_userref"] for item in items(tagged)] == [-3, -3]


def test_fills_come_one_by_one(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    rig.rest("sell", "0.1", "60000.1")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(price=60001, cl_ord_id=ID))
    assert kinds(frames) == ["pending_new", "new", "trade", "trade"]
    first, second = items(frames)[2:]
    assert list(first) == [
        "order_id",
        "cl_ord_id",
        "exec_id",
        "exec_type",
        "trade_id",
        "symbol",
        "side",
        "last_qty",
        "last_price",
        "liquidity_ind",
        "cost",
        "order_type",
        "timestamp",
        "order_status",
        "cum_qty",
        "cum_cost",
        "avg_price",
        "fee_usd_equiv",
        "fees",
    ]
    assert (first["last_qty"], first["last_price"]) == ("0.20000000", "60000.0")
    assert (first["cost"], first["liquidity_ind"]) == ("12000.00000", "t")
    assert first["fees"] == [{"asset": "USD", "qty": "48.0000"}]
    assert (second["cum_qty"], second["cum_cost"]) == ("0.30000000", "18000.01000")
    assert second["avg_price"] == "60000.0"
    assert {first["order_status"], second["order_status"]} == {"partially_filled"}
    assert first["exec_id"] != second["exec_id"]
    assert second["trade_id"] == first["trade_id"] + 1


def test_a_trade_moves_two_balances(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    rig.rest("sell", "0.1", "60000.1")
    socket = rig.login()
    rig.ask(socket, "subscribe", {"channel": "balances"})
    frames = rig.ask(socket, "add_order", limit(price=60001, cl_ord_id=ID))
    first = items(frames)[2]
    # Its two rows share its id, one asset a frame.
    money = items(frames, "balances")
    assert [row["asset"] for row in money] == ["BTC", "USD", "BTC", "USD"]
    assert {row["ref_id"] for row in money[:2]} == {first["exec_id"]}
    assert money[0]["ledger_id"] != money[1]["ledger_id"]
    assert money[1] == {
        "ledger_id": money[1]["ledger_id"],
        "ref_id": first["exec_id"],
        "timestamp": "2026-09-21T14:13:20.000000Z",
        "type": "trade",
        "asset": "USD",
        "asset_class": "currency",
        "category": "trade",
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": "-12000.0000",
        "fee": "48.0000",
        "balance": "987952.0000",
    }


def test_the_end_of_an_order_is_told_apart(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    rig.rest("sell", "0.1", "60000.1")
    socket = rig.login()
    rig.ask(socket, "add_order", limit(price=60001, cl_ord_id=ID))
    # The rest of it rests; its last fill still says partially_filled, the end is an event apart.
    rig.result("AddOrder", _sell("0.2", "60001"), key=OTHER)
    frames = rig.frames(socket)
    assert kinds(frames) == ["trade", "filled"]
    last, end = items(frames)
    assert (last["order_status"], last["liquidity_ind"]) == ("partially_filled", "m")
    assert last["fees"] == [{"asset": "USD", "qty": "24.0004"}]  # 0.2 %: 10,000 traded
    assert end == {
        "timestamp": "2026-09-21T14:13:20.000000Z",
        "order_status": "filled",
        "exec_type": "filled",
        "cum_qty": "0.50000000",
        "cum_cost": "30000.21000",
        "fee_usd_equiv": "93.0004",
        "avg_price": "60000.4",
        "cl_ord_id": ID,
        "order_id": last["order_id"],
    }


def _sell(quantity: str, price: str) -> Frame:
    order = {"pair": "XBTUSD", "type": "sell", "ordertype": "limit"}
    return order | {"volume": quantity, "price": price}


def test_an_amend_of_price_and_quantity_is_told_in_two_events(rig: Rig) -> None:
    socket = rig.login()
    order_id = rig.place(socket, cl_ord_id=ID)
    changes = {"cl_ord_id": ID, "order_qty": 0.25, "limit_price": 61000.5}
    ack, price, quantity = rig.ask(socket, "amend_order", changes)
    assert list(ack["result"]) == ["amend_id", "cl_ord_id"]
    assert ack["result"]["amend_id"].startswith("T")
    assert price["data"] == [
        {
            "timestamp": "2026-09-21T14:13:20.000000Z",
            "exec_type": "amended",
            "order_status": "new",
            "cum_qty": "0.00000000",
            "reason": "User requested",
            "amended": True,
            "order_qty": "0.50000000",
            "limit_price": "61000.5",
            "limit_price_type": "static",
            "cl_ord_id": ID,
            "order_id": order_id,
        }
    ]
    assert quantity["data"][0]["order_qty"] == "0.25000000"
    by_order_id = rig.ask(socket, "amend_order", {"order_id": order_id, "order_qty": 0.3})
    assert list(answers(by_order_id)[0]["result"]) == ["amend_id", "order_id"]
    assert kinds(by_order_id) == ["amended"]


def test_an_amend_keeps_its_place_only_when_it_shrinks(rig: Rig) -> None:
    socket = rig.login()
    rig.place(socket, quantity=0.2, cl_ord_id=ID)
    rig.rest("buy", "0.2", "60000")
    rig.ask(socket, "amend_order", {"cl_ord_id": ID, "order_qty": 0.1})
    rig.result("AddOrder", _sell("0.05", "60000"), key=OTHER)  # its own buy is behind ours
    assert kinds(rig.frames(socket)) == ["trade"]
    rig.ask(socket, "amend_order", {"cl_ord_id": ID, "order_qty": 0.4})
    (record,) = rig.sim.exchange.accounts["mine"].open.values()
    assert rig.sim.exchange.engines["BTC/USD"].queue("buy", record.price)[-1].id == record.id


def test_an_amend_below_what_is_filled_cancels_the_rest(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    rig.place(socket, cl_ord_id=ID)
    frames = rig.ask(socket, "amend_order", {"cl_ord_id": ID, "order_qty": 0.1})
    assert kinds(frames) == ["amended", "canceled"]
    end = items(frames)[-1]
    assert (end["cum_qty"], end["reason"]) == ("0.20000000", "User requested")


def test_an_amend_can_trade(rig: Rig) -> None:
    rig.rest("sell", "1", "60010")
    socket = rig.login()
    rig.place(socket, cl_ord_id=ID)
    frames = rig.ask(socket, "amend_order", {"cl_ord_id": ID, "limit_price": 60010})
    assert kinds(frames) == ["amended", "trade", "filled"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, "EGeneral:Invalid arguments:No amendable parameters"),
        ({"limit_price": 60000}, "EGeneral:Invalid arguments:No amendable parameters"),
        ({"limit_price": 60000.05}, "EOrder:Invalid price"),
        ({"order_qty": 0.00001}, "EOrder:Order minimum not met"),
        ({"order_qty": 0.000000001}, "EGeneral:Invalid arguments:volume"),
        ({"order_qty": 100}, "EOrder:Insufficient funds"),
        ({"trigger_price": 1000}, "EOrder:Invalid order"),
        ({"display_qty": 0.01}, "EGeneral:Invalid arguments:display_qty"),
        ({"limit_price": 60010, "post_only": True}, "EOrder:Post only order"),
        ({"order_qty": "1"}, "Order_qty field must be a number_float"),
        ({"limit_price": "1"}, "Limit_price field must be a number_float"),
        ({"order_qty": 1, "deadline": "2026-09-21T14:13:19Z"}, "EService:Deadline elapsed"),
        ({"order_id": "O"}, "EGeneral:Invalid arguments:order_id"),
        ({"side": "buy"}, "Unsupported field: 'side' for the given msg type: amend order"),
    ],
)
def test_refused_amends_change_nothing(rig: Rig, changes: Frame, error: str) -> None:
    rig.rest("sell", "1", "60010")
    socket = rig.login()
    order_id = rig.place(socket, cl_ord_id=ID)
    frames = rig.ask(socket, "amend_order", {"cl_ord_id": ID} | changes)
    assert error_of(frames) == error
    assert kinds(frames) == []
    row = rig.result("QueryOrders", {"txid": order_id})[order_id]
    assert (row["vol"], row["descr"]["price"], row["status"]) == ("0.50000000", "60000.0", "open")


def test_amends_of_what_is_not_open(rig: Rig) -> None:
    socket = rig.login()
    order_id = rig.place(socket)
    rig.ask(socket, "cancel_order", {"order_id": [order_id]})
    for name, error in (
        ({"order_id": order_id}, "EOrder:Unknown order"),
        ({"order_id": "ONEVER-WASTH-EREXXX"}, "EOrder:Invalid order"),
        ({"cl_ord_id": "nobody"}, "EOrder:Unknown order"),
    ):
        assert error_of(rig.ask(socket, "amend_order", {**name, "order_qty": 1})) == error


def test_a_post_only_order_that_would_take_is_accepted_then_canceled(rig: Rig) -> None:
    rig.rest("sell", "1", "60000")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(price=60000, post_only=True))
    assert answers(frames)[0]["success"] is True
    assert kinds(frames) == ["pending_new", "canceled"]
    first, end = items(frames)
    assert first["post_only"] is True
    assert end["reason"] == end["cancel_reason"] == "Post only order"
    assert kinds(rig.ask(socket, "add_order", limit(price=59999, post_only=True)))[-1] == "new"


@pytest.mark.parametrize(
    ("order", "ends", "filled"),
    [
        ({"time_in_force": "ioc"}, ["trade", "canceled"], "0.20000000"),
        ({"time_in_force": "ioc", "limit_price": 59000}, ["canceled"], "0.00000000"),
        ({"time_in_force": "fok"}, ["canceled"], "0.00000000"),
        ({"time_in_force": "fok", "order_qty": 0.2}, ["trade", "filled"], "0.20000000"),
        ({"order_type": "market", "order_qty": 0.2}, ["trade", "filled"], "0.20000000"),
        ({"order_type": "market"}, ["trade", "canceled"], "0.20000000"),
    ],
)
def test_orders_that_do_not_wait(rig: Rig, order: Frame, ends: list[str], filled: str) -> None:
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit() | order)
    assert kinds(frames) == ["pending_new", "new", *ends]
    end = items(frames)[-1]
    assert end["cum_qty"] == filled
    assert ("reason" in end) == (ends[-1] == "canceled")
    assert items(frames)[0]["time_in_force"] == order.get("time_in_force", "gtc").upper()


def test_a_good_till_date_order_expires(rig: Rig) -> None:
    socket = rig.login()
    order = limit(time_in_force="gtd", expire_time="2026-09-21T14:13:30Z")
    (first, _) = items(rig.ask(socket, "add_order", order))
    assert first["expire_time"] == "2026-09-21T14:13:30.000000Z"
    rig.wait(9.9)
    assert kinds(rig.frames(socket)) == []
    rig.wait(0.2)
    (end,) = items(rig.frames(socket))
    assert (end["exec_type"], end["order_status"]) == ("expired", "expired")
    assert end["timestamp"] == "2026-09-21T14:13:30.000000Z"
    row = next(iter(rig.result("ClosedOrders")["closed"].values()))
    assert (row["status"], row["expiretm"]) == ("expired", 1_790_000_010)


def test_a_scheduled_order_starts_later(rig: Rig) -> None:
    socket = rig.login()
    order = limit(effective_time="2026-09-21T14:13:25Z", cl_ord_id=ID)
    frames = rig.ask(socket, "add_order", order)
    assert kinds(frames) == ["pending_new"]
    again = rig.login()
    (shown,) = items(rig.ask(again, "unsubscribe", {"channel": "executions"})) or [{}]
    assert shown == {}
    (row,) = rig.result("OpenOrders")["open"].values()
    assert (row["status"], row["starttm"]) == ("pending", 1_790_000_005)
    rig.ask(socket, "amend_order", {"cl_ord_id": ID, "limit_price": 60001})
    rig.wait(6)
    assert kinds(rig.frames(socket)) == ["new"]
    second = limit(effective_time="2026-09-21T14:14:00Z")
    order_id = rig.place(socket, **second)
    frames = rig.ask(socket, "cancel_order", {"order_id": [order_id]})
    assert kinds(frames) == ["canceled"]
    rig.wait(60)
    assert kinds(rig.frames(socket)) == []


def test_an_iceberg_shows_a_part_and_refills(rig: Rig) -> None:
    socket = rig.login()
    order = limit(quantity=1, order_type="iceberg", display_qty=0.2)
    (first, _) = items(rig.ask(socket, "add_order", order))
    assert (first["order_type"], first["display_qty"]) == ("iceberg", "0.20000000")
    assert rig.sim.exchange.engines["BTC/USD"].best_bid() == (600_000_000_000_000, 2_000_000_000)
    rig.result("AddOrder", _sell("0.2", "60000"), key=OTHER)
    frames = rig.frames(socket)
    assert kinds(frames) == ["trade", "iceberg_refill"]
    refill = items(frames)[1]
    assert (refill["cum_qty"], refill["display_qty_remain"]) == ("0.20000000", "0.20000000")
    change = {"order_id": refill["order_id"], "display_qty": 0.1}
    amended = items(rig.ask(socket, "amend_order", change))
    assert [item["display_qty"] for item in amended] == ["0.10000000"]


def test_an_order_does_not_meet_its_own_account(rig: Rig) -> None:
    socket = rig.login()
    rig.place(socket, side="sell", price=60000)
    frames = rig.ask(socket, "add_order", limit(price=60000))
    assert kinds(frames) == ["pending_new", "new", "canceled"]
    assert items(frames)[-1]["reason"] == "Self trade prevention"
    frames = rig.ask(socket, "add_order", limit(price=60000, stp_type="cancel_oldest"))
    assert kinds(frames) == ["pending_new", "new", "canceled"]
    assert items(frames)[-1]["order_id"] != items(frames)[0]["order_id"]
