"""The life of an order at the simulated Kraken, as `executions` and `balances` tell it."""

from typing import Any

import pytest

from tests.kraken_rig import (
    ME,
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


def place(rig: Rig, socket: int, **order: Any) -> str:
    """Place an order that must be accepted; its id. The frames after the ack stay unread."""
    token = {"token": rig.tokens[ME]}
    frames = rig.send(socket, {"method": "add_order", "params": order | token})
    assert answers(frames)[0].get("error") is None, frames
    return str(answers(frames)[0]["result"]["order_id"])


def fields(item: Frame, **changes: Any) -> Frame:
    return {name: item[name] for name in item if name not in changes}


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


def test_fills_come_one_by_one_and_the_end_apart(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    rig.rest("sell", "0.1", "60000.1")
    socket = rig.login()
    rig.ask(socket, "subscribe", {"channel": "balances"})
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
    # Two rows a trade share its id, one asset a frame.
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
    order_id = place(rig, socket, **limit(cl_ord_id=ID))
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
    place(rig, socket, **limit(quantity=0.2, cl_ord_id=ID))
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
    place(rig, socket, **limit(cl_ord_id=ID))
    frames = rig.ask(socket, "amend_order", {"cl_ord_id": ID, "order_qty": 0.1})
    assert kinds(frames) == ["amended", "canceled"]
    end = items(frames)[-1]
    assert (end["cum_qty"], end["reason"]) == ("0.20000000", "User requested")


def test_an_amend_can_trade(rig: Rig) -> None:
    rig.rest("sell", "1", "60010")
    socket = rig.login()
    place(rig, socket, **limit(cl_ord_id=ID))
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
    order_id = place(rig, socket, **limit(cl_ord_id=ID))
    frames = rig.ask(socket, "amend_order", {"cl_ord_id": ID} | changes)
    assert error_of(frames) == error
    assert kinds(frames) == []
    row = rig.result("QueryOrders", {"txid": order_id})[order_id]
    assert (row["vol"], row["descr"]["price"], row["status"]) == ("0.50000000", "60000.0", "open")


def test_amends_of_what_is_not_open(rig: Rig) -> None:
    socket = rig.login()
    order_id = place(rig, socket, **limit())
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
    order_id = place(rig, socket, **second)
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
    place(rig, socket, **limit(side="sell", price=60000))
    frames = rig.ask(socket, "add_order", limit(price=60000))
    assert kinds(frames) == ["pending_new", "new", "canceled"]
    assert items(frames)[-1]["reason"] == "Self trade prevention"
    frames = rig.ask(socket, "add_order", limit(price=60000, stp_type="cancel_oldest"))
    assert kinds(frames) == ["pending_new", "new", "canceled"]
    assert items(frames)[-1]["order_id"] != items(frames)[0]["order_id"]


# --- triggers ----------------------------------------------------------------------------------


def trade_at(rig: Rig, price: str) -> None:
    """Let the other client's order trade with a third one's, to move the last price."""
    rig.rest("sell", "0.001", price)
    rig.result(
        "AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
    )


def test_a_stop_waits_and_wakes(rig: Rig) -> None:
    rig.rest("buy", "1", "59000")
    socket = rig.login()
    stop = {
        "order_type": "stop-loss",
        "side": "sell",
        "order_qty": 0.5,
        "symbol": "BTC/USD",
        "triggers": {"reference": "last", "price": 60000, "price_type": "static"},
    }
    frames = rig.ask(socket, "add_order", stop)
    assert kinds(frames) == ["pending_new", "new"]
    first = items(frames)[0]
    assert first["order_type"] == "stop-loss"
    assert first["triggers"] == {
        "reference": "last",
        "price": "60000.0",
        "price_type": "static",
        "actual_price": "60000.0",
        "last_price": "65000.0",
        "status": "untriggered",
        "timestamp": "2026-09-21T14:13:20.000000Z",
    }
    (row,) = rig.result("OpenOrders")["open"].values()
    assert (row["trigger"], row["stopprice"]) == ("last", "60000.0")
    assert row["descr"]["order"] == "sell 0.50000000 XBTUSD @ stop loss 60000.0"
    trade_at(rig, "59999")
    said = [item for item in items(rig.frames(socket)) if item["order_id"] == first["order_id"]]
    assert [item["exec_type"] for item in said] == ["status", "trade", "filled"]
    assert said[0]["triggers"]["status"] == "triggered"
    assert said[1]["order_type"] == "stop-loss"


def test_a_trigger_can_be_amended_until_it_fires(rig: Rig) -> None:
    socket = rig.login()
    order = limit(side="sell", order_type="take-profit-limit", price=70000)
    order["triggers"] = {"reference": "last", "price": 69000}
    order_id = place(rig, socket, **order)
    frames = rig.ask(socket, "amend_order", {"order_id": order_id, "trigger_price": 68000})
    assert items(frames)[0]["triggers"]["actual_price"] == "68000.0"
    bad = {"order_id": order_id, "trigger_price": 68000.05}
    assert error_of(rig.ask(socket, "amend_order", bad)) == "EOrder:Invalid price"
    trade_at(rig, "68000")
    mine = [item for item in items(rig.frames(socket)) if item["order_id"] == order_id]
    assert [item["exec_type"] for item in mine] == ["status"]
    again = rig.ask(socket, "amend_order", {"order_id": order_id, "trigger_price": 67000})
    assert error_of(again) == "EOrder:Invalid order"
    (row,) = rig.result("OpenOrders")["open"].values()
    assert row["limitprice"] == "70000.0"


def test_a_trailing_stop_follows_its_peak(rig: Rig) -> None:
    socket = rig.login()
    order = limit(side="sell", order_type="trailing-stop-limit", price=-50)
    order["triggers"] = {"reference": "last", "price": 1, "price_type": "pct"}
    first = items(rig.ask(socket, "add_order", order))[0]
    assert first["triggers"]["actual_price"] == "64350.0"
    assert first["limit_price_type"] == "quote"
    trade_at(rig, "66000")
    said = [item for item in items(rig.frames(socket)) if item["order_id"] == first["order_id"]]
    assert said[0]["exec_type"] == "status"
    assert (said[0]["triggers"]["peak_price"], said[0]["triggers"]["actual_price"]) == (
        "66000.0",
        "65340.0",
    )
    (row,) = rig.result("OpenOrders")["open"].values()
    assert row["descr"]["price"] == "+1.0000%"
    assert row["descr"]["price2"] == "-50.0"
    words = "sell 0.50000000 XBTUSD @ trailing stop +1.0000% -> limit -50.0"
    assert row["descr"]["order"] == words


def test_every_fill_makes_its_closing_order(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    close = {
        "order_type": "stop-loss-limit",
        "trigger_price": 55000,
        "trigger_price_type": "static",
        "limit_price": 54000,
        "limit_price_type": "static",
    }
    frames = rig.ask(socket, "add_order", limit(price=60000, conditional=close))
    assert kinds(frames) == ["pending_new", "new", "trade", "pending_new", "new"]
    first, closing = items(frames)[0], items(frames)[3]
    assert first["contingent"] == {
        "order_type": "stop-loss-limit",
        "trigger_price": "55000.0",
        "trigger_price_type": "static",
        "limit_price": "54000.0",
        "limit_price_type": "static",
    }
    assert (closing["side"], closing["order_qty"]) == ("sell", "0.20000000")
    assert closing["ord_ref_id"] == first["order_id"]
    opened = rig.result("OpenOrders")["open"]
    assert opened[closing["order_id"]]["refid"] == first["order_id"]
    words = "close position @ stop loss limit 55000.0 -> limit 54000.0"
    assert opened[first["order_id"]]["descr"]["close"] == words
    change = {"order_id": first["order_id"], "order_qty": 0.4}
    assert error_of(rig.ask(socket, "amend_order", change)) == "EOrder:Invalid order"


def test_a_conditional_limit_close(rig: Rig) -> None:
    rig.rest("sell", "0.5", "60000")
    socket = rig.login()
    close = {"order_type": "limit", "limit_price": 70000}
    frames = rig.ask(socket, "add_order", limit(price=60000, conditional=close))
    assert items(frames)[0]["contingent"]["limit_price"] == "70000.0"
    assert kinds(frames) == ["pending_new", "new", "trade", "filled", "pending_new", "new"]
    closed = rig.result("ClosedOrders")["closed"]
    descr = next(iter(closed.values()))["descr"]
    assert descr["close"] == "close position @ limit 70000.0"


# --- snapshots and sequence --------------------------------------------------------------------


def test_an_empty_snapshot_is_sent_too(rig: Rig) -> None:
    socket = rig.open("/auth/v2")
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
    rig.frames(socket)
    ack, snapshot = rig.ask(socket, "subscribe", {"channel": "executions", "snap_trades": True})
    assert ack["result"] == {
        "channel": "executions",
        "maxratecount": 180,
        "snap_orders": True,
        "snap_trades": True,
        "warnings": [
            "cancel_reason is deprecated, use reason",
            "stop_price is deprecated, use triggers.price",
            "trigger is deprecated use triggers.reference",
            "triggered_price is deprecated use triggers.last_price",
        ],
    }
    assert snapshot == {"channel": "executions", "type": "snapshot", "data": [], "sequence": 1}
    (again,) = rig.ask(socket, "subscribe", {"channel": "executions"})
    assert again["error"] == "Already subscribed"


def test_what_the_ack_says_may_be_sent_back(rig: Rig) -> None:
    socket = rig.open("/auth/v2")
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
    rig.frames(socket)
    wish = {"channel": "executions", "order_status": False, "ratecounter": True}
    first = rig.ask(socket, "subscribe", wish | {"snapshot": False, "snapshot_trades": True})[0]
    rig.ask(socket, "unsubscribe", {"channel": "executions"})
    kept = {k: v for k, v in first["result"].items() if k not in {"maxratecount", "warnings"}}
    assert kept == wish | {"snap_orders": False, "snap_trades": True}
    assert rig.ask(socket, "subscribe", kept)[0]["result"] == first["result"]


def test_the_snapshot_shows_open_orders_whole_and_the_last_fills(rig: Rig) -> None:
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    place(rig, socket, **limit(price=60000, cl_ord_id=ID, post_only=False))
    rig.ask(socket, "amend_order", {"cl_ord_id": ID, "order_qty": 0.6})
    late = rig.open("/auth/v2")
    rig.frames(late)
    wish = {"channel": "executions", "snap_trades": True}
    order, fill = items(rig.ask(late, "subscribe", wish))
    assert order["exec_type"] == "new"
    assert order["order_status"] == "partially_filled"
    assert (order["order_qty"], order["cum_qty"]) == ("0.60000000", "0.20000000")
    assert (order["avg_price"], order["cl_ord_id"]) == ("60000.0", ID)
    assert (order["symbol"], order["side"], order["limit_price"]) == ("BTC/USD", "buy", "60000.0")
    assert order["amended"] is True
    assert fill["exec_type"] == "trade"
    assert fill["order_status"] == "filled"
    assert "cum_qty" not in fill
    none = rig.open("/auth/v2")
    rig.frames(none)
    assert len(rig.ask(none, "subscribe", wish | {"users": "all"})) == 1


def test_each_private_channel_counts_alone_and_anew(rig: Rig) -> None:
    rig.rest("sell", "1", "60000")
    socket = rig.login()
    ack, snapshot = rig.ask(socket, "subscribe", {"channel": "balances"})
    assert ack["result"] == {"channel": "balances", "snapshot": True}
    assert snapshot["sequence"] == 1
    assert snapshot["data"][0] == {
        "asset": "USD",
        "asset_class": "currency",
        "balance": "1000000.0000",
        "wallets": [{"type": "spot", "id": "main", "balance": "1000000.0000"}],
    }
    frames = rig.ask(socket, "add_order", limit(price=60000))
    numbers = [(f["channel"], f["sequence"]) for f in frames if "sequence" in f]
    assert numbers == [
        ("executions", 2),
        ("executions", 3),
        ("executions", 4),
        ("executions", 5),
        ("balances", 2),
        ("balances", 3),
    ]
    rig.ask(socket, "unsubscribe", {"channel": "executions"})
    again = rig.ask(socket, "subscribe", {"channel": "executions"})
    assert again[1]["sequence"] == 1
    other = rig.open("/auth/v2")
    rig.frames(other)
    (quiet,) = rig.ask(other, "subscribe", {"channel": "balances", "snapshot": False})
    assert quiet["result"] == {"channel": "balances", "snapshot": False}


def test_order_status_false_keeps_the_transitions_only(rig: Rig) -> None:
    socket = rig.login(order_status=False)
    assert kinds(rig.ask(socket, "add_order", limit(cl_ord_id=ID))) == ["new"]
    assert kinds(rig.ask(socket, "amend_order", {"cl_ord_id": ID, "order_qty": 1})) == []
    assert kinds(rig.ask(socket, "cancel_order", {"cl_ord_id": [ID]})) == ["canceled"]


def test_a_stop_in_the_snapshot_has_its_triggers(rig: Rig) -> None:
    socket = rig.login()
    order = limit(side="sell", order_type="stop-loss-limit", price=50000, margin=True)
    order["triggers"] = {"price": 51000, "reference": "index"}
    place(rig, socket, **order, sender_sub_id="desk")
    late = rig.open("/auth/v2")
    rig.frames(late)
    (shown,) = items(rig.ask(late, "subscribe", {"channel": "executions"}))
    assert shown["triggers"]["reference"] == "index"
    assert (shown["margin"], shown["sender_sub_id"]) == (True, "desk")
