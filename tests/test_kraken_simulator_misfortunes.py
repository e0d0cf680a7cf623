"""What befalls the simulated Kraken by the clock: restarts, keys, rules, money."""

from decimal import Decimal
from typing import Any

import pytest

from crosswire.fixed import parse
from crosswire.sim.flow import FlowOrder
from crosswire.venues.interface import SimAnswer
from crosswire.venues.kraken.simulator import Faults, Market, default_markets
from crosswire.venues.kraken.simulator.simulator import flow_for
from tests.kraken_rig import Frame, Rig, answers, error_of, items, kinds, limit


def btc() -> tuple[Market, ...]:
    """One pair; its rules change."""
    return default_markets()[:1]


def struck(name: str, **settings: Any) -> Rig:
    """A simulator of one pair at which a fault strikes once, after a second."""
    return Rig(Faults(schedule={name: (1,)}, **settings), instruments=btc())


def opened(rig: Rig) -> list[str]:
    return list(rig.result("OpenOrders")["open"])


# --- the venue restarts ------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "left"), [("restart", 1), ("restart_empty", 0)])
def test_a_restart_forgets_all_but_orders_and_money(fault: str, left: int) -> None:
    rig = struck(fault)
    private, public = rig.login(), rig.open()
    order = rig.place(private)
    rig.ask(private, "cancel_all_orders_after", {"timeout": 3})
    rig.wait(1.1)
    assert rig.drops() == [(private, 1001), (public, 1001)]
    rig.sim.outbox.clear()
    assert rig.post("OpenOrders") == 502
    early = rig.open("/auth/v2")
    assert rig.drops() == [(early, 1001)]
    rig.wait(1)
    assert opened(rig) == [order] * left
    late = rig.open("/auth/v2")
    refused = rig.ask(late, "subscribe", {"channel": "executions"})
    assert error_of(refused) == "EAPI:Invalid token"
    rig.wait(5)
    assert opened(rig) == [order] * left  # the timer is gone
    assert rig.sim.fault_counts == {fault: 1}
    rows = rig.sim.ledger()["orders"]
    assert isinstance(rows, list)
    assert rows[0]["reason"] == ("" if left else "Service restart")


def test_a_restart_loses_what_is_under_way() -> None:
    faults = Faults(place_late=1.0, late_s=1.5, read_after_cut=1.0, schedule={"restart": (1,)})
    rig = Rig(faults, instruments=btc())
    socket = rig.login()
    rig.ask(socket, "add_order", limit())
    rig.wait(1.1)
    rig.ask(socket, "add_order", limit())  # was under way on the connection
    rig.wait(5)
    assert opened(rig) == []
    assert rig.sim.ledger()["orders"] == []


# --- keys --------------------------------------------------------------------------------------


def test_a_key_is_refused_for_a_while() -> None:
    rig = struck("key_refused", key_s=3.0)
    socket = rig.login()
    rig.wait(1.1)
    ask = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "60000"}
    assert rig.error("GetWebSocketsToken") == "EAPI:Invalid key"
    assert rig.error("AddOrder", ask | {"cl_ord_id": "mine"}) == "EAPI:Invalid key"
    rig.place(socket)  # the token that is held goes on
    rig.wait(3)
    assert len(opened(rig)) == 1
    rows = rig.sim.ledger()["requests"]
    assert isinstance(rows, list)
    (row,) = [row for row in rows if row["outcome"] == "refused"]
    assert (row["method"], row["client_order_id"], row["transport"]) == ("place", "mine", "rest")


# --- rules -------------------------------------------------------------------------------------


def pair_of(frames: list[Frame]) -> Frame:
    """The one pair that an `instrument` update tells about."""
    (update,) = [f for f in frames if f.get("channel") == "instrument" and f["type"] == "update"]
    assert update["data"]["assets"] == []
    (pair,) = update["data"]["pairs"]
    assert isinstance(pair, dict)
    return pair


def test_a_pairs_tick_changes_and_the_instrument_feed_says_so() -> None:
    rig = struck("tick_changed")
    public, private = rig.open(), rig.login()
    rig.ask(public, "subscribe", {"channel": "instrument"})
    old = rig.place(private, price=60000.1)
    rig.sim.outbox.clear()
    rig.wait(1.1)
    tick = Decimal(str(pair_of(rig.frames(public))["price_increment"]))
    assert tick in {Decimal("0.2"), Decimal("0.5"), Decimal(1)}
    assert opened(rig) == [old]
    frames = rig.ask(private, "add_order", limit(price=60000.1))
    assert error_of(frames) == "EOrder:Tick size check failed"
    rig.place(private, price=60000)
    assert rig.sim.exchange.markets["BTC/USD"].price_decimals == 1


def test_a_pairs_quantities_get_coarser_once() -> None:
    rig = Rig(Faults(step_changed=1.0), instruments=btc())
    public, private = rig.open(), rig.login()
    rig.ask(public, "subscribe", {"channel": "instrument"})
    fine = rig.place(private, quantity=0.12345678)
    rig.sim.outbox.clear()
    rig.wait(5)
    assert pair_of(rig.frames(public))["qty_increment"] == "1e-07"
    assert rig.sim.fault_counts == {"step_changed": 1}
    frames = rig.ask(private, "add_order", limit(quantity=0.12345678))
    assert error_of(frames) == "EGeneral:Invalid arguments:volume"
    rig.place(private, quantity=0.1234567)
    moved = {"order_id": fine, "limit_price": 59000}
    assert answers(rig.ask(private, "amend_order", moved))[0]["success"] is True
    frames = rig.ask(private, "amend_order", {"order_id": fine, "order_qty": 0.11111111})
    assert error_of(frames) == "EGeneral:Invalid arguments:volume"


def test_what_is_filled_may_be_off_the_step() -> None:
    rig = Rig(Faults(schedule={"step_changed": (1,)}), instruments=btc())
    rig.rest("sell", "0.00012345", "60000")
    private = rig.login()
    order = rig.place(private, price=60000)
    rig.wait(1.1)
    more = {"order_id": order, "order_qty": 0.40012345}
    assert answers(rig.ask(private, "amend_order", more))[0]["success"] is True


def test_the_order_flow_follows_a_new_tick() -> None:
    flow = flow_for(btc(), 3, "normal", ())
    assert flow is not None
    flow.step(1_000_000_000)
    flow.retick("BTC/USD", parse("10"))
    made = [one for one in flow.step(3_000_000_000) if isinstance(one, FlowOrder)]
    later = [one for one in made if one.at_ns > 1_500_000_000]
    assert later
    assert all(one.price is not None and one.price % parse("10") == 0 for one in later)


# --- money -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        ("deposit", [("deposit", "USD", "10.0000")]),
        ("withdrawal", [("withdrawal", "USD", "-5.0000")]),
        ("transfer", [("transfer", "USD", "-3.0000")]),
        ("dust", [("spend", "BTC", "-0.0000100000"), ("receive", "USD", "0.6500")]),
    ],
)
def test_money_moves_without_trades(fault: str, rows: list[tuple[str, str, str]]) -> None:
    rig = struck(fault)
    socket = rig.login()
    rig.ask(socket, "subscribe", {"channel": "balances"})
    rig.wait(1.5)
    told = items(rig.frames(socket), "balances")
    assert [(row["type"], row["asset"], row["amount"]) for row in told] == rows
    assert len({row["ref_id"] for row in told}) == 1
    held = rig.sim.ledger()["balances"]
    assert isinstance(held, dict)
    for row in told:
        assert Decimal(row["balance"]) == Decimal(held["mine"][row["asset"]])


def test_a_trades_rows_bear_its_fills_key() -> None:
    rig = Rig(instruments=btc())
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    rig.ask(socket, "subscribe", {"channel": "balances"})
    frames = rig.ask(socket, "add_order", limit(price=60000))
    (fill,) = [item for item in items(frames) if item["exec_type"] == "trade"]
    assert [row["ref_id"] for row in items(frames, "balances")] == [fill["exec_id"]] * 2


# --- what the clock brings to an end -----------------------------------------------------------


def test_nothing_strikes_twice_on_a_schedule() -> None:
    rig = struck("restart")
    rig.wait(1.1)
    socket = rig.open()
    assert rig.drops() == [(socket, 1001)]
    rig.wait(10)
    rig.sim.outbox.clear()
    socket = rig.login()
    rig.place(socket)
    assert kinds(rig.frames(socket)) == []
    assert not [out for out in rig.sim.outbox if isinstance(out, SimAnswer) and out.status != 200]
