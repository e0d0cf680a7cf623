"""The simulated Kraken's ledger adds up, whatever is done to it."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crosswire.venues.interface import Credentials
from crosswire.venues.kraken.simulator import Faults, simulator
from tests.kraken_rig import ME, SECOND, SECRET, START, Rig, answers, error_of, limit

Rows = list[dict[str, Any]]


def rows(ledger: Any, name: str) -> Rows:
    found = ledger[name]
    assert isinstance(found, list)
    return found


def check_sums(ledger: Any) -> None:
    """Balances = start + rows; each row's balance follows from the one before; fills = orders."""
    held = {
        (account, asset): Decimal(amount)
        for account, assets in ledger["starting_balances"].items()
        for asset, amount in assets.items()
    }
    for row in rows(ledger, "cash"):
        key = (row["account"], row["asset"])
        held[key] = held.get(key, Decimal(0)) + Decimal(row["amount"]) - Decimal(row["fee"])
        assert held[key] == Decimal(row["balance"])
    for account, assets in ledger["balances"].items():
        for asset, amount in assets.items():
            assert held[account, asset] == Decimal(amount)
    for order in rows(ledger, "orders"):
        fills = [
            Decimal(fill["quantity"])
            for fill in rows(ledger, "fills")
            if fill["venue_order_id"] == order["venue_order_id"]
        ]
        assert sum(fills) == Decimal(order["filled"]) <= Decimal(order["quantity"])
        assert order["status"] != "filled" or order["filled"] == order["quantity"]


def check_trades(ledger: Any) -> None:
    """A trade's two rows are its price times its quantity, to half a unit of the last decimal."""
    legs: dict[str, Rows] = {}
    for row in rows(ledger, "cash"):
        legs.setdefault(row["ref"], []).append(row)
    for fill in rows(ledger, "fills"):
        base, quote = legs[fill["fill_key"]]
        sign = 1 if fill["side"] == "buy" else -1
        assert Decimal(base["amount"]) == sign * Decimal(fill["quantity"])
        exact = Decimal(fill["price"]) * Decimal(fill["quantity"])
        assert abs(-sign * exact - Decimal(quote["amount"])) <= Decimal("0.00006")
        assert Decimal(quote["fee"]) + Decimal(base["fee"]) == Decimal(fill["fee"])


def test_one_trade_row_by_row() -> None:
    rig = Rig()
    theirs = rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    answer = answers(rig.ask(socket, "add_order", limit(price=60000, cl_ord_id="mine")))[0]
    mine = answer["result"]["order_id"]
    rig.ask(socket, "amend_order", {"cl_ord_id": "mine", "order_qty": 0.4})
    rig.ask(socket, "cancel_order", {"order_id": [mine]})
    rig.ask(socket, "cancel_all", {})
    rig.ask(socket, "cancel_all_orders_after", {"timeout": 0})
    ledger = rig.sim.ledger()
    assert (ledger["venue"], ledger["seed"]) == ("kraken", 5)
    order = next(row for row in rows(ledger, "orders") if row["venue_order_id"] == mine)
    assert order == {
        "venue_order_id": mine,
        "client_order_id": "mine",
        "account": "mine",
        "instrument": "BTC/USD",
        "side": "buy",
        "quantity": "0.4",
        "original_quantity": "0.5",
        "price": "60000",
        "filled": "0.2",
        "status": "canceled",
        "opened_ns": START,
        "closed_ns": START,
        "reason": "User requested",
        "is_past_bound": False,
    }
    sold, bought = rows(ledger, "fills")
    assert (sold["venue_order_id"], sold["liquidity"], sold["fee"]) == (theirs, "maker", "30")
    assert (bought["venue_order_id"], bought["liquidity"], bought["fee"]) == (mine, "taker", "48")
    assert (bought["price"], bought["quantity"], bought["fee_asset"]) == ("60000", "0.2", "USD")
    requests = [row for row in rows(ledger, "requests") if row["account"] == "mine"]
    assert requests.pop(0)["method"] == "other"  # the token
    assert [(row["method"], row["transport"], row["outcome"]) for row in requests] == [
        ("place", "ws", "accepted"),
        ("amend", "ws", "accepted"),
        ("cancel", "ws", "accepted"),
        ("cancel_all", "ws", "accepted"),
        ("arm_dead_man", "ws", "accepted"),
    ]
    assert requests[0]["client_order_id"] == "mine"
    assert requests[0]["quantity"] == "0.5"
    assert requests[0]["venue_order_id"] == mine
    numbers = [row["n"] for row in requests]
    assert numbers == sorted(set(numbers))
    check_sums(ledger)
    check_trades(ledger)


def test_two_copies_of_one_order_are_two_rows() -> None:
    rig = Rig(Faults(drop_ack=1.0))
    socket = rig.login()
    for _ in range(2):
        rig.ask(socket, "add_order", limit(quantity=0.12345678))
    doubles = [
        row for row in rows(rig.sim.ledger(), "orders") if row["original_quantity"] == "0.12345678"
    ]
    assert len(doubles) == 2


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["limit", "market", "amend", "cancel", "edit", "wait", "close", "base"]),
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 400),
        st.integers(-40, 40),
    ),
    max_size=40,
)


@given(ACTIONS, st.integers(0, 5))
@settings(max_examples=40)
def test_any_trading_adds_up(actions: list[tuple[str, str, int, int]], seed: int) -> None:
    """Random orders against a living market and a second client: the sums hold at every step."""
    rig = Rig()
    sockets = {ME: rig.login(), "other-key": rig.login("other-key")}
    ids: list[str] = []
    for number, (action, side, lots, offset) in enumerate(actions):
        key = ME if (number + seed) % 3 else "other-key"
        order = limit(
            side=side,
            quantity=lots / 1000,
            price=60000 + offset,
            stp_type="cancel_oldest" if number % 2 else "cancel_newest",
        )
        if action == "market":
            order["order_type"] = "market"
        elif action == "close":
            order["conditional"] = {"order_type": "limit", "limit_price": 60000 - offset}
        elif action == "base":
            order["fee_preference"] = "base"
        if action in {"limit", "market", "close", "base"}:
            answer = answers(rig.ask(sockets[key], "add_order", order, key))[0]
            ids += [answer["result"]["order_id"]] if answer["success"] else []
        elif action == "wait":
            rig.wait(lots / 10)
        elif ids:
            target = ids[lots % len(ids)]
            change = {"order_id": target, "order_qty": lots / 500, "limit_price": 60000 + offset}
            if action == "cancel":
                rig.ask(sockets[key], "cancel_order", {"order_id": [target]}, key)
            elif action == "amend":
                rig.ask(sockets[key], "amend_order", change, key)
            else:
                rig.ask(sockets[key], "edit_order", change | {"symbol": "BTC/USD"}, key)
    ledger = rig.sim.ledger()
    check_sums(ledger)
    check_trades(ledger)
    for name, account in rig.sim.exchange.accounts.items():
        for asset, held in account.balances.items():
            assert account.held(asset) >= 0, (name, asset)
            assert held >= 0, (name, asset)


def test_a_day_of_the_living_market_adds_up() -> None:
    login = Credentials(ME, SECRET)
    sim = simulator(3, START, login, {"USD": "100000", "BTC": "2", "ETH": "20"})
    rig = Rig()
    rig.sim, rig.tokens = sim, {}
    socket = rig.login()
    for step in range(120):
        rig.now += SECOND
        sim.tick(rig.now)
        best = sim.exchange.engines["ETH/BTC"].best_ask()
        if step % 5 == 4 and best is not None:
            order = limit(symbol="ETH/BTC", quantity=0.123, price=best[0] / 10**10)
            assert answers(rig.ask(socket, "add_order", order))[0]["success"] is True
    ledger = sim.ledger()
    assert len(rows(ledger, "fills")) > 5
    check_sums(ledger)
    check_trades(ledger)


def test_what_is_long_over_can_be_forgotten() -> None:
    rig = Rig()
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    old = rig.place(socket, price=60000, cl_ord_id="old")
    rig.ask(socket, "cancel_order", {"order_id": [old]})
    later = {"effective_time": "2026-09-21T14:13:40Z"}
    pending = rig.place(socket, **later)
    rig.ask(socket, "cancel_order", {"order_id": [pending]})
    resting = rig.place(socket, price=50000)
    rig.wait(10)
    recent = rig.place(socket, price=50000)
    rig.ask(socket, "cancel_order", {"order_id": [recent]})
    balances = rig.result("Balance")
    rig.sim.trim(rig.now - SECOND)
    ledger = rig.sim.ledger()
    assert [row["venue_order_id"] for row in rows(ledger, "orders")] == [resting, recent]
    assert rows(ledger, "fills") == rows(ledger, "cash") == []
    methods = [row["method"] for row in rows(ledger, "requests")]
    assert methods == ["place", "cancel", "read"]
    assert rig.result("Balance") == balances
    assert list(rig.result("OpenOrders")["open"]) == [resting]
    assert list(rig.result("ClosedOrders")["closed"]) == [recent]
    assert rig.result("TradesHistory")["trades"] == {}
    assert error_of(rig.ask(socket, "cancel_order", {"order_id": [old]})) == "EOrder:Invalid order"
    rig.wait(20)
    rig.ask(socket, "cancel_order", {"order_id": [resting]})
    assert rig.result("OpenOrders")["open"] == {}
