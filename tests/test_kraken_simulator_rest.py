"""The simulated Kraken's REST calls: names, rows, pages, and the twins of the trading requests."""

from typing import Any

import pytest

from crosswire.venues.kraken.simulator.markets import TAKER_FEES, fee_percent
from tests.kraken_rig import OTHER, Frame, Rig, items

BUY: Frame = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit"}


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


def order(volume: str = "0.5", price: str = "60000", **more: Any) -> Frame:
    return BUY | {"volume": volume, "price": price} | more


def add(rig: Rig, fields: Frame | None = None) -> str:
    return str(rig.result("AddOrder", fields or order())["txid"][0])


def trade(rig: Rig, volume: str = "0.1", price: str = "60000") -> None:
    rig.rest("sell", volume, price)
    add(rig, {**BUY, "ordertype": "market", "volume": volume})


# --- orders ------------------------------------------------------------------------------------


def test_an_order_and_how_it_is_shown(rig: Rig) -> None:
    fields = order("1.25", "30010", cl_ord_id="mine", oflags="post", pair="XXBTZUSD")
    answer = rig.result("AddOrder", fields)
    (txid,) = answer["txid"]
    assert answer["descr"] == {"order": "buy 1.25000000 XBTUSD @ limit 30010.0"}
    assert rig.result("OpenOrders") == {
        "open": {
            txid: {
                "refid": None,
                "userref": 0,
                "cl_ord_id": "mine",
                "status": "open",
                "opentm": "1790000000.0000",
                "starttm": 0,
                "expiretm": 0,
                "descr": {
                    "pair": "XBTUSD",
                    "type": "buy",
                    "ordertype": "limit",
                    "price": "30010.0",
                    "price2": "0",
                    "leverage": "none",
                    "order": "buy 1.25000000 XBTUSD @ limit 30010.0",
                    "close": "",
                },
                "vol": "1.25000000",
                "vol_exec": "0.00000000",
                "cost": "0.00000",
                "fee": "0.00000",
                "price": "0.0",
                "stopprice": "0.0",
                "limitprice": "0.0",
                "misc": "",
                "oflags": "fciq,post",
            }
        }
    }


def test_what_an_sdk_adds_to_every_order(rig: Rig) -> None:
    """Python's spelling of booleans, `starttm=0`, the dashed self-trade word."""
    fields = order(stptype="cancel-newest", starttm=0, validate=False, reduce_only=False)
    assert len(rig.result("AddOrder", fields | {"pair": "BTC/USD"})["txid"]) == 1
    checked = rig.result("AddOrder", order(validate=True))
    assert checked == {"descr": {"order": "buy 0.50000000 XBTUSD @ limit 60000.0"}}
    market = {**BUY, "ordertype": "market", "volume": "1", "validate": "true"}
    assert rig.result("AddOrder", market)["descr"]["order"] == "buy 1.00000000 XBTUSD @ market"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"pair": ""}, "EGeneral:Invalid arguments:pair"),
        ({"pair": "XBTDOGE"}, "EQuery:Unknown asset pair"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": ""}, "EGeneral:Invalid arguments:ordertype"),
        ({"volume": "much"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": ""}, "EOrder:Order minimum not met"),
        ({"price": "high"}, "EGeneral:Invalid arguments:price"),
        ({"price": ""}, "EOrder:Invalid price"),
        ({"price": "60000.05"}, "EOrder:Invalid price"),
        ({"volume": "100"}, "EOrder:Insufficient funds"),
        ({"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"starttm": "soon"}, "EGeneral:Invalid arguments:starttm"),
        ({"deadline": "2026-09-21T14:13:21.5Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-09-21T14:13:20Z"}, "EService:Deadline elapsed"),
        ({"ordertype": "stop-loss", "price": ""}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "stop-loss", "price": "x%"}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "stop-loss", "price": "-100%"}, "EOrder:Invalid price"),
        ({"ordertype": "stop-loss", "price": "+65000"}, "EOrder:Invalid price"),
        ({"oflags": "viqc"}, "EGeneral:Invalid arguments:cash_order_qty"),
        ({"leverage": "5:1", "volume": "90"}, "EOrder:Insufficient margin"),
    ],
)
def test_refused_orders(rig: Rig, fields: Frame, error: str) -> None:
    assert rig.error("AddOrder", order() | fields) == error
    assert rig.result("OpenOrders") == {"open": {}}


def test_a_deadline_two_seconds_ahead_is_the_least(rig: Rig) -> None:
    assert add(rig, order(deadline="2026-09-21T14:13:22Z"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ordertype": "stop-loss", "price": "55000"}, "stop loss 55000.0"),
        (
            {"ordertype": "take-profit-limit", "price": "-2%", "price2": "+10", "trigger": "index"},
            "take profit -2.0000% -> limit +10.0",
        ),
        ({"ordertype": "trailing-stop", "price": "+1.5"}, "trailing stop +1.5"),
        ({"ordertype": "stop-loss", "price": "#1"}, "stop loss -1.0"),
        ({"ordertype": "iceberg", "price": "70000", "displayvol": "0.1"}, "iceberg 70000.0"),
    ],
)
def test_relative_prices_and_other_types(rig: Rig, fields: Frame, words: str) -> None:
    fields = {"pair": "XBTUSD", "type": "sell", "volume": "0.5"} | fields
    answer = rig.result("AddOrder", fields)
    assert answer["descr"]["order"] == f"sell 0.50000000 XBTUSD @ {words}"


def test_a_close_order_in_a_form_and_in_json(rig: Rig) -> None:
    close = {"ordertype": "stop-loss-limit", "price": "55000", "price2": "54000"}
    fields = {f"close[{name}]": value for name, value in close.items()}
    add(rig, order() | fields)
    rig.post_json("AddOrder", order() | {"close": close})
    for row in rig.result("OpenOrders")["open"].values():
        assert row["descr"]["close"] == "close position @ stop loss limit 55000.0 -> limit 54000.0"


def test_times_in_every_spelling(rig: Rig) -> None:
    add(rig, order(timeinforce="GTD", expiretm="+60"))
    add(rig, order(timeinforce="GTD", expiretm="1790000060", starttm="+5"))
    rows = rig.result("OpenOrders")["open"].values()
    assert [row["expiretm"] for row in rows] == [1_790_000_060] * 2
    assert [row["starttm"] for row in rows] == [1_790_000_005, 0]
    assert rig.error("AddOrder", order(timeinforce="GTD", expiretm="-5")) == (
        "EGeneral:Invalid arguments:expiretm"
    )


def test_money_for_an_amount_in_the_quote_asset(rig: Rig) -> None:
    rig.rest("sell", "1", "60000")
    fields = {**BUY, "ordertype": "market", "volume": "3000", "oflags": "viqc,fcib"}
    txid = add(rig, fields)
    row = rig.result("QueryOrders", {"txid": txid, "trades": "true"})[txid]
    assert (row["vol"], row["oflags"], row["status"]) == ("0.05000000", "fcib,viqc", "closed")
    (fill,) = rig.result("QueryTrades", {"txid": ",".join(row["trades"])}).values()
    assert (fill["fee"], fill["maker"], fill["ordertxid"]) == ("0", False, txid)


def test_batches(rig: Rig) -> None:
    item = {"ordertype": "limit", "type": "buy", "volume": "1", "price": "60000"}
    poor = item | {"volume": "99"}
    named = item | {"cl_ord_id": "n1"}
    answer = rig.post_json("AddOrderBatch", {"pair": "BTC/USD", "orders": [named, poor, item]})
    first, second, third = answer["result"]["orders"]
    assert first["descr"] == {"order": "buy 1.00000000 XBTUSD @ limit 60000.0"}
    assert second == {"error": "EOrder:Insufficient funds"}
    both = [first["txid"], third["txid"]]
    assert sorted(rig.result("OpenOrders")["open"]) == sorted(both)
    checked = {"pair": "BTC/USD", "orders": [item, item], "validate": True}
    orders = rig.post_json("AddOrderBatch", checked)["result"]["orders"]
    assert [list(one) for one in orders] == [["descr"], ["descr"]]
    for orders in ([item], "x", [item] * 16, [item, 5]):
        wrong = rig.post_json("AddOrderBatch", {"pair": "BTC/USD", "orders": orders})
        assert wrong == {"error": ["EGeneral:Invalid arguments:orders"]}
    gone = {"orders": [third["txid"], "O"], "cl_ord_ids": [{"cl_ord_id": "n1"}, "n2"]}
    assert rig.post_json("CancelOrderBatch", gone)["result"] == {"count": 2}
    assert rig.post_json("CancelOrderBatch", gone) == {"error": ["EOrder:Unknown order"]}
    for nonsense in ({}, {"orders": "x"}, {"orders": [1] * 51}):
        wrong = rig.post_json("CancelOrderBatch", nonsense)
        assert wrong == {"error": ["EGeneral:Invalid arguments:orders"]}


def test_amends_and_their_history(rig: Rig) -> None:
    txid = add(rig, order(cl_ord_id="mine"))
    amend_id = rig.result("AmendOrder", {"txid": txid, "order_qty": "0.4"})["amend_id"]
    fields = {"cl_ord_id": "mine", "limit_price": "59000", "post_only": "true"}
    rig.result("AmendOrder", fields)
    found = rig.result("OrderAmends", {"order_id": txid})
    assert found["count"] == 3
    original, first, second = found["amends"]
    assert (original["amend_type"], original["order_qty"]) == ("original", "0.50000000")
    assert "reason" not in original
    assert first == {
        "amend_id": amend_id,
        "amend_type": "user",
        "order_qty": "0.40000000",
        "remaining_qty": "0.40000000",
        "limit_price": "60000.0",
        "reason": "User requested",
        "post_only": False,
        "timestamp": 1_790_000_000_000,
    }
    assert second["limit_price"] == "59000.0"
    (row,) = rig.result("OpenOrders")["open"].values()
    assert row["misc"] == "amended"
    assert rig.error("AmendOrder", {"order_qty": "1"}) == "EGeneral:Invalid arguments:txid"
    assert rig.error("AmendOrder", {"txid": "O", "order_qty": "1"}) == "EOrder:Invalid order"
    assert rig.error("OrderAmends", {"order_id": "O"}) == "EOrder:Invalid order"


def test_an_amended_iceberg_and_stop_in_the_history(rig: Rig) -> None:
    sell = {"pair": "XBTUSD", "type": "sell", "volume": "0.5"}
    berg = add(rig, sell | {"ordertype": "iceberg", "price": "70000", "displayvol": "0.1"})
    stop = add(rig, sell | {"ordertype": "stop-loss", "price": "50000"})
    rig.result("AmendOrder", {"txid": berg, "display_qty": "0.2"})
    rig.result("AmendOrder", {"txid": stop, "trigger_price": "51000"})
    shown = rig.result("OrderAmends", {"order_id": berg})["amends"]
    assert [row["display_qty"] for row in shown] == ["0.10000000", "0.20000000"]
    assert rig.result("OrderAmends", {"order_id": stop})["amends"][1]["trigger_price"] == "51000.0"


def test_an_edit(rig: Rig) -> None:
    old = add(rig)
    fields = {"txid": old, "pair": "BTC/USD", "volume": "0.25", "price": "59000"}
    answer = rig.result("EditOrder", fields | {"oflags": "post", "userref": "5"})
    new = answer["txid"]
    assert answer == {
        "status": "ok",
        "txid": new,
        "originaltxid": old,
        "volume": "0.25000000",
        "price": "59000.0",
        "price2": "0",
        "orders_cancelled": 1,
        "descr": {"order": "buy 0.25000000 XBTUSD @ limit 59000.0"},
    }
    (row,) = rig.result("OpenOrders")["open"].values()
    assert (row["userref"], row["oflags"]) == (5, "fciq,post")
    assert rig.result("EditOrder", fields | {"txid": new, "validate": "true"})["descr"]
    assert rig.error("EditOrder", fields) == "EOrder:Unknown order"
    assert rig.error("EditOrder", {"pair": "XBTUSD"}) == "EGeneral:Invalid arguments:txid"


def test_cancels(rig: Rig) -> None:
    by_id, tagged = add(rig), [add(rig, order(userref=7)) for _ in range(2)]
    add(rig, order(cl_ord_id="mine"))
    assert rig.result("CancelOrder", {"txid": by_id}) == {"count": 1}
    assert rig.error("CancelOrder", {"txid": by_id}) == "EOrder:Unknown order"
    assert rig.error("CancelOrder", {"txid": "nonsense"}) == "EOrder:Invalid order"
    assert rig.error("CancelOrder") == "EGeneral:Invalid arguments:txid"
    assert rig.result("CancelOrder", {"cl_ord_id": "mine"}) == {"count": 1}
    assert rig.result("CancelOrder", {"txid": "7"}) == {"count": len(tagged)}
    add(rig)
    assert rig.result("CancelAll") == {"count": 1}
    assert rig.result("CancelAll") == {"count": 0}


def test_the_dead_man(rig: Rig) -> None:
    found = rig.result("CancelAllOrdersAfter", {"timeout": "60"})
    assert found == {
        "currentTime": "2026-09-21T14:13:20Z",
        "triggerTime": "2026-09-21T14:14:20Z",
    }
    assert rig.result("CancelAllOrdersAfter", {"timeout": 0})["triggerTime"] == "0"
    for timeout in ("", "1.5", "86400"):
        text = rig.error("CancelAllOrdersAfter", {"timeout": timeout})
        assert text == "EGeneral:Invalid arguments:timeout"


# --- reading -----------------------------------------------------------------------------------


def test_look_ups_by_the_clients_id_and_by_tag(rig: Rig) -> None:
    mine, tagged = add(rig, order(cl_ord_id="mine")), add(rig, order(userref=7))
    assert list(rig.result("OpenOrders", {"cl_ord_id": "mine"})["open"]) == [mine]
    assert list(rig.result("OpenOrders", {"userref": 7})["open"]) == [tagged]
    assert rig.result("OpenOrders", {"cl_ord_id": "none"}) == {"open": {}}
    both = rig.result("OpenOrders", {"clordid": "none"})["open"]  # an unknown name is ignored
    assert set(both) == {mine, tagged}
    found = rig.result("QueryOrders", {"txid": f"{mine},{tagged}", "cl_ord_id": "mine"})
    assert list(found) == [mine]
    for fields, error in (
        ({"cl_ord_id": "mine"}, "EGeneral:Invalid arguments:txid"),
        ({"txid": ",".join(["O"] * 51)}, "EGeneral:Invalid arguments:txid"),
        ({"txid": "O"}, "EOrder:Invalid order"),
    ):
        assert rig.error("QueryOrders", fields) == error


def test_closed_orders_come_in_pages_newest_first(rig: Rig) -> None:
    ids = []
    for _ in range(55):
        ids.append(add(rig))
        rig.result("CancelOrder", {"txid": ids[-1]})
        rig.wait(10)
    first = rig.result("ClosedOrders")
    second = rig.result("ClosedOrders", {"ofs": 50, "without_count": "true"})
    assert first["count"] == 55
    assert "count" not in second
    assert [*first["closed"], *second["closed"]] == ids[::-1]
    row = first["closed"][ids[-1]]
    assert (row["status"], row["reason"]) == ("canceled", "User requested")
    assert row["closetm"] == "1790000540.0000"
    since = {"start": "1790000500", "closetime": "close"}
    assert list(rig.result("ClosedOrders", since)["closed"]) == ids[:50:-1]
    until = {"end": "1790000005", "closetime": "open"}
    assert list(rig.result("ClosedOrders", until)["closed"]) == ids[:1]
    after = {"start": ids[52]}
    assert list(rig.result("ClosedOrders", after)["closed"]) == ids[:52:-1]


def test_the_history_of_trades_and_its_rows(rig: Rig) -> None:
    for _ in range(3):
        trade(rig)
        rig.wait(10)
    found = rig.result("TradesHistory")
    assert found["count"] == 3
    key, row = next(iter(found["trades"].items()))
    assert key.startswith("T")
    closed = rig.result("ClosedOrders", {"trades": "true"})["closed"]
    assert closed[row["ordertxid"]]["trades"] == [key]
    assert closed[row["ordertxid"]]["fee"] == "21.00000"
    assert row == {
        "ordertxid": row["ordertxid"],
        "postxid": row["postxid"],
        "pair": "XXBTZUSD",
        "time": "1790000020.0000",
        "type": "buy",
        "ordertype": "market",
        "price": "60000.0",
        "cost": "6000.00000",
        "fee": "21.00000",
        "vol": "0.10000000",
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "ledgers": row["ledgers"],
        "trade_id": 1_000_003,
        "maker": False,
    }
    later = rig.result("TradesHistory", {"start": key})["trades"]
    assert later == {}
    assert rig.result("QueryTrades", {"txid": key}) == {key: row}
    for txid in ("", ",".join(["T"] * 21)):
        assert rig.error("QueryTrades", {"txid": txid}) == "EGeneral:Invalid arguments:txid"
    rows = rig.result("QueryLedgers", {"id": ",".join(row["ledgers"])})
    assert {entry["refid"] for entry in rows.values()} == {key}
    assert [entry["asset"] for entry in rows.values()] == ["XXBT", "ZUSD"]
    assert rows[row["ledgers"][1]]["amount"] == "-6000.0000"
    assert rows[row["ledgers"][1]]["fee"] == "21.0000"
    rig.wait(10)
    assert rig.result("Ledgers", {"type": "trade"})["count"] == 6
    assert rig.result("Ledgers", {"type": "deposit"})["ledger"] == {}


def test_balances_are_text_and_unknown_assets_keep_their_name() -> None:
    rig = Rig(funds={"USD": "1.5", "DOT": "2.5"})
    assert rig.result("Balance") == {"ZUSD": "1.5000", "DOT": "2.5000000000"}
    assert rig.result("BalanceEx")["DOT"] == {
        "balance": "2.5000000000",
        "hold_trade": "0.0000000000",
    }
    socket = rig.login()
    shown = items(rig.ask(socket, "subscribe", {"channel": "balances"}), "balances")
    assert [item["asset"] for item in shown] == ["USD", "DOT"]
    assert rig.result("TradeBalance")["eb"] == "1.5000"
    assert rig.result("OpenPositions") == {}


def test_the_volume_and_its_fees(rig: Rig) -> None:
    trade(rig, "0.2")
    found = rig.result("TradeVolume", {"pair": "XBTUSD,ETH/USD"})
    assert (found["currency"], found["volume"]) == ("ZUSD", "12000.0000")
    assert list(found["fees"]) == ["XXBTZUSD", "ETH/USD"]
    assert found["fees"]["XXBTZUSD"] == {
        "fee": "0.3500",
        "minfee": "0.1000",
        "maxfee": "0.4000",
        "nextfee": "0.2400",
        "nextvolume": "50000.0000",
        "tiervolume": "10000.0000",
    }
    assert found["fees_maker"]["XXBTZUSD"]["fee"] == "0.2000"
    assert "fees" not in rig.result("TradeVolume")
    assert rig.error("TradeVolume", {"pair": "X"}) == "EQuery:Unknown asset pair"
    assert fee_percent(TAKER_FEES, 10**9) == "0.10"


def test_the_other_client_sees_its_own(rig: Rig) -> None:
    mine = add(rig)
    assert rig.result("OpenOrders", key=OTHER) == {"open": {}}
    assert rig.post("CancelOrder", {"txid": mine}, OTHER) == {"error": ["EOrder:Invalid order"]}
