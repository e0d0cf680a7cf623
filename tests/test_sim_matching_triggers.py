"""Stops, take-profits and trailing orders: when they wake and what they become."""

import pytest

from crosswire.domain import OrderType, PriceUnit, Side, Trigger
from crosswire.fixed import SCALE
from crosswire.sim.matching import (
    Amended,
    Expired,
    Killed,
    MatchingEngine,
    Order,
    Rested,
    Traded,
    Trailed,
    Triggered,
    Waiting,
)


def waiting(
    order_id: str,
    side: Side,
    order_type: OrderType,
    trigger: Trigger,
    price: int | None = None,
    price_unit: PriceUnit = "static",
    expire_ns: int = 0,
) -> Order:
    return Order(
        id=order_id,
        owner="ann",
        side=side,
        quantity=2,
        price=price,
        order_type=order_type,
        trigger=trigger,
        price_unit=price_unit,
        expire_ns=expire_ns,
    )


def market(engine: MatchingEngine, price: int, quantity: int = 1) -> None:
    """Let strangers trade at a price."""
    engine.place(Order("s", "sam", "sell", quantity, price), 0)
    engine.place(Order("b", "bea", "buy", quantity, price), 0)


@pytest.mark.parametrize(
    ("side", "order_type", "asleep", "awake"),
    [
        ("sell", "stop_loss", 96, 95),
        ("buy", "stop_loss", 94, 95),
        ("sell", "take_profit", 94, 95),
        ("buy", "take_profit", 96, 95),
    ],
)
def test_each_kind_wakes_on_its_own_side(
    side: Side, order_type: OrderType, asleep: int, awake: int
) -> None:
    engine = MatchingEngine(last=asleep)
    order = waiting("w", side, order_type, Trigger(95))
    assert engine.place(order, 0) == [Waiting("w", "ann", 95)]
    assert engine.best_bid() is None
    assert engine.best_ask() is None
    market(engine, asleep)
    assert order.stage == "waiting"
    engine.place(Order("s", "sam", "sell", 1, awake), 0)
    made = engine.place(Order("b", "bea", "buy", 1, awake), 0)
    assert made[-2:] == [
        Triggered("w", "ann", awake),
        Killed("w", "ann", "no_liquidity", 0, 2),
    ]


def test_a_stop_that_is_reached_already_wakes_at_once() -> None:
    engine = MatchingEngine(last=90)
    engine.place(Order("m", "sam", "buy", 5, 89), 0)
    made = engine.place(waiting("w", "sell", "stop_loss", Trigger(95)), 0)
    assert made[:2] == [Waiting("w", "ann", 95), Triggered("w", "ann", 90)]
    assert isinstance(made[2], Traded)


def test_a_woken_limit_order_rests_at_its_price() -> None:
    engine = MatchingEngine(last=100)
    engine.place(waiting("w", "sell", "stop_loss_limit", Trigger(95), price=94), 0)
    market(engine, 95)
    assert engine.top("sell", 1) == [(94, 2)]


def test_offsets_are_taken_from_the_price_at_placing_and_from_the_trigger() -> None:
    engine = MatchingEngine(tick=10, last=1000)
    percent = waiting("p", "buy", "stop_loss", Trigger(5 * SCALE, "percent"))
    quote = waiting("q", "sell", "stop_loss_limit", Trigger(-99, "quote"), -11, "quote")
    assert engine.place(percent, 0) == [Waiting("p", "ann", 1050)]
    assert engine.place(quote, 0) == [Waiting("q", "ann", 900)]
    engine.place(Order("m", "sam", "buy", 1, 900), 0)
    made = engine.place(Order("t", "bea", "sell", 1, 900), 0)
    assert made[-1] == Rested("q", "ann", 880, 2, 0)


def test_a_relative_trigger_needs_a_price() -> None:
    engine = MatchingEngine()
    for order in (
        waiting("a", "sell", "trailing_stop", Trigger(5, "quote")),
        waiting("b", "sell", "stop_loss", Trigger(-5, "quote")),
    ):
        with pytest.raises(ValueError, match="there is none yet"):
            engine.place(order, 0)
    assert not engine.orders


def test_a_trailing_sell_follows_the_peak_and_wakes_behind_it() -> None:
    engine = MatchingEngine(last=100)
    assert engine.place(waiting("w", "sell", "trailing_stop", Trigger(5, "quote")), 0) == [
        Waiting("w", "ann", 95)
    ]
    engine.place(Order("m", "sam", "sell", 1, 110), 0)
    made = engine.place(Order("t", "bea", "buy", 1, 110), 0)
    assert made[1] == Trailed("w", "ann", 110, 105)
    market(engine, 106)
    assert "w" in engine.orders
    market(engine, 105)
    assert "w" not in engine.orders


def test_a_trailing_buy_follows_the_trough() -> None:
    engine = MatchingEngine(last=1000)
    order = waiting("w", "buy", "trailing_stop_limit", Trigger(10 * SCALE, "percent"), 7, "quote")
    assert engine.place(order, 0) == [Waiting("w", "ann", 1100)]
    market(engine, 500)
    assert order.trigger_price == 550
    market(engine, 520)
    assert order.trigger_price == 550
    market(engine, 551)
    assert engine.best_bid() == (557, 2)


def test_index_triggers_ignore_trades() -> None:
    engine = MatchingEngine(last=100)
    engine.place(waiting("w", "sell", "stop_loss", Trigger(95, reference="index")), 0)
    market(engine, 90)
    assert "w" in engine.orders
    assert engine.move_index(96, 0) == []
    made = engine.move_index(95, 0)
    assert made[0] == Triggered("w", "ann", 95)
    assert engine.index == 95
    assert engine.last == 90


def test_one_stop_wakes_the_next() -> None:
    engine = MatchingEngine(last=100)
    engine.place(Order("m1", "sam", "buy", 2, 97), 0)
    engine.place(Order("m2", "sam", "buy", 2, 90), 0)
    engine.place(waiting("far", "sell", "stop_loss", Trigger(95)), 0)
    engine.place(waiting("near", "sell", "stop_loss", Trigger(98)), 0)
    engine.place(Order("m3", "sam", "buy", 1, 98), 0)
    made = engine.place(Order("t", "bea", "sell", 1, 98), 0)
    assert [one.order_id for one in made if isinstance(one, Triggered)] == ["near"]
    made = engine.place(Order("u", "bea", "sell", 1, 90), 0)
    woken = [one for one in made if isinstance(one, Triggered)]
    assert woken == [Triggered("far", "ann", 90)]


def test_a_chain_of_stops_runs_in_one_call() -> None:
    engine = MatchingEngine(last=100)
    for number, price in enumerate((98, 96, 94)):
        engine.place(Order(f"m{number}", "sam", "buy", 2, price), 0)
    engine.place(waiting("a", "sell", "stop_loss", Trigger(98)), 0)
    engine.place(waiting("b", "sell", "stop_loss", Trigger(97)), 0)
    made = engine.place(Order("t", "bea", "sell", 1, 98), 0)
    assert [one.order_id for one in made if isinstance(one, Triggered)] == ["a", "b"]
    assert engine.last == 94


def test_waiting_orders_are_amended_cancelled_and_expire() -> None:
    engine = MatchingEngine(last=100)
    for order_id in ("a", "b", "c", "d"):
        order = waiting(order_id, "sell", "stop_loss_limit", Trigger(95), 94, expire_ns=9)
        engine.place(order, 0)
    engine.place(Order("m", "sam", "buy", 1, 101), 0)
    assert engine.amend("a", 0, trigger_price=90, price=89, quantity=5, display=1) == [
        Amended("a", "ann", kept_place=True)
    ]
    kept = engine.orders["a"]
    assert (kept.trigger_price, kept.price, kept.quantity, kept.display) == (90, 89, 5, 1)
    made = engine.amend("b", 0, trigger_price=100)
    assert made[:2] == [Amended("b", "ann", kept_place=True), Triggered("b", "ann", 100)]
    assert isinstance(made[2], Traded)
    assert engine.cancel("c", 0) == [Killed("c", "ann", "canceled", 0, 2)]
    assert engine.orders["d"].stage == "waiting"
    assert engine.expire(9)[:1] == [Expired("a", "ann", 0, 5)]
