"""The simulated Kraken's private channels: snapshots, sequence, what may be left out."""

import pytest

from tests.kraken_rig import ME, Rig, items, kinds, limit

ID = "b17c7bb34d000200"


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


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
    rig.place(socket, price=60000, cl_ord_id=ID, post_only=False)
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
    fills = rig.open("/auth/v2")
    rig.frames(fills)
    assert items(rig.ask(fills, "subscribe", wish | {"snap_orders": False})) == [fill]
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
    rig.place(socket, **order, sender_sub_id="desk")
    late = rig.open("/auth/v2")
    rig.frames(late)
    (shown,) = items(rig.ask(late, "subscribe", {"channel": "executions"}))
    assert shown["triggers"]["reference"] == "index"
    assert (shown["margin"], shown["sender_sub_id"]) == (True, "desk")
