"""Stops, take-profits, trailing and closing orders at the simulated Kraken."""

import pytest

from tests.kraken_rig import Rig, error_of, items, kinds, limit


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


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
    order_id = rig.place(socket, **order)
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
