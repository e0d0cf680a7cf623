"""The simulated Kraken's trading requests by WebSocket: every refusal, every answer's shape."""

import json

import pytest

from crosswire.venues.kraken.simulator import Market, default_markets
from crosswire.venues.kraken.simulator.text import scaled
from tests.kraken_rig import ME, Frame, Rig, answers, error_of, items, kinds, limit

STOP = {"reference": "last", "price": 60000}
OFFSET = {"reference": "last", "price": 1, "price_type": "pct"}
MONTHS = "2026-11-21T14:13:20Z"


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


def coarse() -> tuple[Market, ...]:
    """The default pairs, the first with a tick of 0.5."""
    first, *rest = default_markets()
    first.tick = scaled("0.5") or 0
    first.is_marginable = False
    return (first, *rest)


# --- schema ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"limit_price": "60000"}, "Limit_price field must be a number_float"),
        ({"cash_order_qty": "5"}, "Cash_order_qty field must be a number_float"),
        ({"order_qty": "0.5"}, "Order_qty field must be a number_float"),
        ({"order_qty": True}, "Order_qty field must be a number_float"),
        ({"price": 60000}, "Unsupported field: 'price' for the given msg type: add order"),
        ({"symbol": ["BTC/USD"]}, "Symbol field must be a string"),
        ({"post_only": "true"}, "Post_only field must be a boolean"),
        ({"order_userref": 1.5}, "Order_userref field must be an integer"),
        ({"triggers": []}, "Triggers field must be an object"),
        ({"triggers": {"price": "5"}}, "Price field must be a number_float"),
        (
            {"conditional": {"x": 1}},
            "Unsupported field: 'x' for the given msg type: add order",
        ),
    ],
)
def test_the_schema_refuses_before_anything_else(rig: Rig, change: Frame, error: str) -> None:
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit() | change)
    assert error_of(frames) == error
    assert kinds(frames) == []
    (row,) = [row for row in _rows(rig, "requests") if row["method"] == "place"]
    assert (row["outcome"], row["reason"]) == ("refused", error)


def _rows(rig: Rig, name: str) -> list[Frame]:
    rows = rig.sim.ledger()[name]
    assert isinstance(rows, list)
    return rows


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"symbol": "XBT/EUR"}, "EQuery:Unknown asset pair"),
        ({"order_type": "magic"}, "EGeneral:Invalid arguments:order_type"),
        ({"side": "hold"}, "EGeneral:Invalid arguments:side"),
        ({"time_in_force": "day"}, "EGeneral:Invalid arguments:time_in_force"),
        ({"limit_price_type": "furlong"}, "EGeneral:Invalid arguments:limit_price_type"),
        ({"limit_price": 60000.05}, "EOrder:Invalid price"),
        ({"limit_price": 0}, "EOrder:Invalid price"),
        ({"limit_price": -5}, "EOrder:Invalid price"),
        ({"limit_price": 1e30}, "EGeneral:Invalid arguments:limit_price"),
        ({"limit_price_type": "pct"}, "EOrder:Invalid price"),
        ({"order_qty": 0.00004}, "EOrder:Order minimum not met"),
        ({"order_qty": -1}, "EOrder:Order minimum not met"),
        ({"order_qty": 0.123456789}, "EGeneral:Invalid arguments:volume"),
        ({"order_qty": 0.0001, "limit_price": 10}, "EOrder:Cost minimum not met"),
        ({"order_qty": 20}, "EOrder:Insufficient funds"),
        ({"side": "sell", "order_qty": 20}, "EOrder:Insufficient funds"),
        (
            {"order_type": "stop-loss", "order_qty": 20, "triggers": STOP},
            "EOrder:Insufficient funds",
        ),
        (
            {"order_type": "trailing-stop", "order_qty": 20, "triggers": OFFSET},
            "EOrder:Insufficient funds",
        ),
        ({"order_type": "stop-loss"}, "EGeneral:Invalid arguments:triggers"),
        ({"triggers": STOP}, "EGeneral:Invalid arguments:triggers"),
        ({"order_type": "stop-loss", "triggers": {}}, "EGeneral:Invalid arguments:price"),
        (
            {"order_type": "stop-loss", "triggers": {"price": 1, "reference": "x"}},
            "EGeneral:Invalid arguments:reference",
        ),
        ({"order_type": "stop-loss", "triggers": {"price": 1.05}}, "EOrder:Invalid price"),
        (
            {"order_type": "trailing-stop", "triggers": STOP},
            "EGeneral:Invalid arguments:price_type",
        ),
        ({"time_in_force": "gtd"}, "EGeneral:Invalid arguments:expire_time"),
        ({"expire_time": MONTHS}, "EGeneral:Invalid arguments:expire_time"),
        (
            {"time_in_force": "gtd", "expire_time": MONTHS},
            "EGeneral:Invalid arguments:expire_time",
        ),
        (
            {"time_in_force": "gtd", "expire_time": "2020-01-01T00:00:00Z"},
            "EGeneral:Invalid arguments:expire_time",
        ),
        ({"effective_time": MONTHS}, "EGeneral:Invalid arguments:effective_time"),
        ({"effective_time": "soon"}, "EGeneral:Invalid arguments:effective_time"),
        (
            {"time_in_force": "fok", "order_type": "market"},
            "EGeneral:Invalid arguments:time_in_force",
        ),
        ({"time_in_force": "ioc", "post_only": True}, "EGeneral:Invalid arguments:post_only"),
        ({"order_type": "market", "post_only": True}, "EGeneral:Invalid arguments:post_only"),
        ({"order_type": "iceberg"}, "EGeneral:Invalid arguments:display_qty"),
        ({"display_qty": 0.1}, "EGeneral:Invalid arguments:display_qty"),
        ({"order_type": "iceberg", "display_qty": 0.01}, "EGeneral:Invalid arguments:display_qty"),
        ({"cl_ord_id": "a", "order_userref": 1}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"order_userref": 2**31}, "EGeneral:Invalid arguments:userref"),
        (
            {"cl_ord_id": "a", "conditional": {"order_type": "limit", "limit_price": 1}},
            "EGeneral:Invalid arguments:conditional",
        ),
        ({"cash_order_qty": 50}, "EGeneral:Invalid arguments:cash_order_qty"),
        ({"deadline": "2026-09-21T14:13:19.999Z"}, "EService:Deadline elapsed"),
        ({"deadline": "2026-09-21T14:13:20Z"}, "EService:Deadline elapsed"),
        ({"deadline": "2026-09-21T14:14:20.001Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "5"}, "EGeneral:Invalid arguments:deadline"),
        ({"reduce_only": True}, "EOrder:Reduce only:No position exists"),
        ({"order_type": "settle-position"}, "EOrder:Unknown position"),
        ({"margin": True, "order_qty": 100}, "EOrder:Insufficient margin"),
    ],
)
def test_refused_orders_leave_nothing(rig: Rig, change: Frame, error: str) -> None:
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit() | change)
    assert error_of(frames) == error
    assert kinds(frames) == []
    assert rig.result("OpenOrders") == {"open": {}}
    (row,) = [row for row in _rows(rig, "requests") if row["method"] == "place"]
    assert (row["outcome"], row["reason"]) == ("refused", error)
    assert _rows(rig, "orders") == []


def test_a_price_between_ticks_and_a_pair_without_margin() -> None:
    rig = Rig(instruments=coarse())
    socket = rig.login()
    off_tick = rig.ask(socket, "add_order", limit(price=60000.3))
    assert error_of(off_tick) == "EOrder:Tick size check failed"
    margin = rig.ask(socket, "add_order", limit(margin=True))
    assert error_of(margin) == "EOrder:Margin allowance exceeded"
    (pair,) = rig.get("/0/public/AssetPairs?pair=XBTUSD")["result"].values()
    assert (pair["leverage_buy"], pair["tick_size"]) == ([], "0.5")


def test_money_held_by_open_orders_is_not_there_twice(rig: Rig) -> None:
    socket = rig.login()
    rig.place(socket, quantity=10)
    second = rig.ask(socket, "add_order", limit(quantity=7))
    assert error_of(second) == "EOrder:Insufficient funds"
    rig.place(socket, quantity=10, side="sell", price=70000)
    third = rig.ask(socket, "add_order", limit(quantity=0.1, side="sell", price=70000))
    assert error_of(third) == "EOrder:Insufficient funds"
    extended = rig.result("BalanceEx")
    assert extended["ZUSD"] == {"balance": "1000000.0000", "hold_trade": "602400.0000"}
    assert extended["XXBT"]["hold_trade"] == "10.0000000000"
    assert extended["XETH"]["hold_trade"] == "0.0000000000"


def test_a_market_order_must_be_paid_for_too(rig: Rig) -> None:
    rig.rest("sell", "20", "60000")
    socket = rig.login()
    order = limit(order_type="market", quantity=17)
    assert error_of(rig.ask(socket, "add_order", order)) == "EOrder:Insufficient funds"
    cash = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "cash_order_qty": 30000.0}
    frames = rig.ask(socket, "add_order", cash)
    assert kinds(frames) == ["pending_new", "new", "trade", "filled"]
    first, _, fill, _ = items(frames)
    assert (first["cash_order_qty"], first["order_qty"]) == ("30000.0000", "0.50000000")
    assert fill["cost"] == "30000.00000"
    few = error_of(rig.ask(socket, "add_order", cash | {"cash_order_qty": 0.1}))
    assert few == "EOrder:Cost minimum not met"
    more = error_of(rig.ask(socket, "add_order", cash | {"cash_order_qty": 1e7}))
    assert more == "EOrder:Insufficient funds"


def test_cash_spread_over_levels(rig: Rig) -> None:
    rig.rest("sell", "0.1", "60000")
    rig.rest("sell", "0.1", "61000")
    socket = rig.login()
    cash = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "cash_order_qty": 9050.0}
    first = items(rig.ask(socket, "add_order", cash))[0]
    assert first["order_qty"] == "0.15000000"


def test_fees_in_the_base_asset_where_it_was_asked_for(rig: Rig) -> None:
    rig.rest("sell", "1", "60000")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(price=60000, fee_preference="base"))
    first, _, fill, _ = items(frames)
    assert first["fee_ccy_pref"] == "fcib"
    assert fill["fees"] == [{"asset": "BTC", "qty": "0.0020000000"}]
    assert fill["fee_usd_equiv"] == "120.0000"
    assert rig.result("Balance")["XXBT"] == "10.4980000000"


# --- ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "0835958d-c526-4ad8-aea8-af54836de47e",
        "0835958dc5264ad8aea8af54836de47e",
        "ws_order_12345678",
        "arb-20240509-00010",
        "a",
    ],
)
def test_the_three_forms_of_a_client_id(rig: Rig, name: str) -> None:
    socket = rig.login()
    ack = answers(rig.ask(socket, "add_order", limit(cl_ord_id=name)))[0]
    assert ack["result"]["cl_ord_id"] == name


@pytest.mark.parametrize(
    "name", ["", "x" * 19, "x" * 22, "g" * 32, "with a space", "ünï", "0" * 33]
)
def test_other_forms_are_refused(rig: Rig, name: str) -> None:
    socket = rig.login()
    text = error_of(rig.ask(socket, "add_order", limit(cl_ord_id=name)))
    assert text == "EGeneral:Invalid arguments:cl_ord_id"


def test_an_id_is_unique_among_open_orders_and_free_after(rig: Rig) -> None:
    socket = rig.login()
    dashed, bare = "0835958d-c526-4ad8-aea8-af54836de47e", "0835958DC5264AD8AEA8AF54836DE47E"
    first = rig.place(socket, cl_ord_id=dashed)
    for name in (dashed, bare):  # 128 bits have two spellings
        again = rig.ask(socket, "add_order", limit(cl_ord_id=name, symbol="ETH/USD", price=3000))
        assert error_of(again) == "EGeneral:Invalid arguments:cl_ord_id not unique"
    rig.ask(socket, "cancel_order", {"cl_ord_id": [bare]})
    second = rig.place(socket, cl_ord_id=dashed)
    assert first != second
    rig.ask(socket, "cancel_all", {})
    closed = rig.result("ClosedOrders", {"cl_ord_id": dashed})["closed"]
    assert set(closed) == {first, second}


def test_two_accounts_may_use_one_id(rig: Rig) -> None:
    mine, theirs = rig.login(), rig.login("other-key")
    for socket, key in ((mine, ME), (theirs, "other-key")):
        ack = answers(rig.ask(socket, "add_order", limit(cl_ord_id="same"), key))[0]
        assert ack["success"] is True


# --- validate, deadline, states ----------------------------------------------------------------


def test_validate_checks_and_places_nothing(rig: Rig) -> None:
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(validate=True))
    assert answers(frames)[0]["result"] == {"order_id": ""}
    assert kinds(frames) == []
    assert error_of(rig.ask(socket, "add_order", limit(price=0, validate=True)))


def test_a_deadline_ahead_is_fine(rig: Rig) -> None:
    socket = rig.login()
    for deadline in ("2026-09-21T14:13:25.000Z", "2026-09-21T14:14:20Z"):
        frames = rig.ask(socket, "add_order", limit(deadline=deadline))
        assert answers(frames)[0]["success"] is True


@pytest.mark.parametrize(
    ("system", "order", "error"),
    [
        ("cancel_only", {}, "EService:Market in cancel_only mode"),
        ("post_only", {}, "EService:Market in post_only mode"),
        ("post_only", {"post_only": True}, ""),
        ("limit_only", {"order_type": "market"}, "EService:Market in limit_only mode"),
        ("limit_only", {}, ""),
        ("delisted", {}, "EService:Unavailable"),
    ],
)
def test_what_a_pair_takes_depends_on_its_state(
    rig: Rig, system: str, order: Frame, error: str
) -> None:
    socket = rig.login()
    standing = rig.place(socket)
    rig.sim.exchange.markets["BTC/USD"].status = system
    answer = answers(rig.ask(socket, "add_order", limit() | order))[0]
    assert answer.get("error", "") == error
    frames = rig.ask(socket, "cancel_order", {"order_id": [standing]})
    assert answers(frames)[0]["success"] is True


def test_the_venues_state_holds_for_every_pair_and_maintenance_for_everything(rig: Rig) -> None:
    socket = rig.login()
    standing = rig.place(socket)
    rig.sim.set_system("cancel_only", rig.now)
    change = {"order_id": standing, "order_qty": 1}
    assert error_of(rig.ask(socket, "amend_order", change)) == "EService:Market in cancel_only mode"
    rig.sim.set_system("maintenance", rig.now)
    for method, params in (("cancel_all", {}), ("add_order", limit())):
        assert error_of(rig.ask(socket, method, params)) == "EService:Unavailable"
    assert rig.error("CancelAll") == "EService:Unavailable"
    rig.sim.set_system("online", rig.now)
    assert answers(rig.ask(socket, "cancel_all", {}))[0]["result"] == {"count": 1}


# --- margin, in its smallest form --------------------------------------------------------------


def test_margin_opens_turns_and_closes_a_position(rig: Rig) -> None:
    rig.rest("sell", "2", "60000")
    rig.rest("buy", "4", "59000")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(quantity=1, price=60000, margin=True))
    assert items(frames)[2]["margin_borrow"] is True
    assert rig.result("Balance") == {
        "ZUSD": "999760.0000",
        "XXBT": "10.0000000000",
        "XETH": "100.0000000000",
    }
    (position,) = rig.result("OpenPositions").values()
    assert (position["type"], position["vol"], position["cost"]) == (
        "buy",
        "1.00000000",
        "60000.00000",
    )
    same_way = limit(quantity=1, price=60000, reduce_only=True)
    assert error_of(rig.ask(socket, "add_order", same_way)) == "EOrder:Reduce only:Non-PC"
    rig.ask(socket, "add_order", limit(side="sell", quantity=0.25, price=59000, margin=True))
    (position,) = rig.result("OpenPositions").values()
    assert (position["vol"], position["cost"]) == ("0.75000000", "45000.00000")
    # Reducing: cut to the position, 750 more lost.
    reduce = limit(side="sell", quantity=3, price=59000, reduce_only=True)
    frames = rig.ask(socket, "add_order", reduce)
    assert [item["last_qty"] for item in items(frames) if item["exec_type"] == "trade"] == [
        "0.75000000"
    ]
    assert rig.result("OpenPositions") == {}
    lost = rig.result("Ledgers", {"type": "margin"})["ledger"]
    assert next(iter(lost.values()))["amount"] == "-750.0000"
    # Turning: from long one to short one.
    rig.ask(socket, "add_order", limit(quantity=1, price=60000, margin=True))
    rig.ask(socket, "add_order", limit(side="sell", quantity=2, price=59000, margin=True))
    (position,) = rig.result("OpenPositions").values()
    assert (position["type"], position["vol"]) == ("sell", "1.00000000")
    assert (position["net"][0], position["pair"]) == ("+", "XXBTZUSD")
    summary = rig.result("TradeBalance")
    assert (summary["m"], summary["c"], summary["n"]) == ("11800.0000", "59000.0000", "0.0000")


def test_settling_a_position_moves_the_spot_balances(rig: Rig) -> None:
    rig.rest("buy", "2", "60000")
    socket = rig.login()
    rig.ask(socket, "add_order", limit(side="sell", quantity=1, price=60000, margin=True))
    settle = {"order_type": "settle-position", "symbol": "BTC/USD", "order_qty": 2}
    wrong = rig.ask(socket, "add_order", settle | {"side": "sell"})
    assert error_of(wrong) == "EOrder:Cannot open opposing position"
    frames = rig.ask(socket, "add_order", settle | {"side": "buy"})
    assert kinds(frames) == ["pending_new", "new", "filled"]
    assert rig.result("OpenPositions") == {}
    assert rig.result("Balance")["XXBT"] == "9.0000000000"
    assert rig.result("Balance")["ZUSD"] == "1059760.0000"
    closed = next(iter(rig.result("ClosedOrders")["closed"].values()))
    assert closed["descr"]["order"] == "buy 1.00000000 XBTUSD @ settle position"


def test_an_amend_of_a_margin_order_needs_no_spot_money(rig: Rig) -> None:
    socket = rig.login()
    order = rig.place(socket, quantity=20, margin=True)
    frames = rig.ask(socket, "amend_order", {"order_id": order, "order_qty": 30})
    assert answers(frames)[0]["success"] is True


# --- what a deposit or the wire brings ---------------------------------------------------------


def test_exact_numbers_are_read_from_the_wire(rig: Rig) -> None:
    socket = rig.login()
    token = json.dumps(rig.tokens[ME])
    payload = (
        '{"method":"add_order","params":{"order_type":"limit","side":"buy","symbol":"ETH/BTC",'
        f'"order_qty":1.00000001,"limit_price":0.05385,"token":{token}}}}}'
    )
    rig.sim.received(socket, payload.encode(), rig.now)
    frames = rig.frames(socket)
    assert "req_id" not in answers(frames)[0]
    first = items(frames)[0]
    assert (first["order_qty"], first["limit_price"]) == ("1.00000001", "0.05385")
