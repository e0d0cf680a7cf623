"""The matching engine's rules, one by one."""

import pytest

from crosswire.domain import SelfTrade
from crosswire.sim.matching import (
    Amended,
    AmendRefused,
    Completed,
    Expired,
    Killed,
    MatchingEngine,
    Order,
    Refilled,
    Rested,
    Traded,
)
from tests.matching_orders import limit, trades


def test_price_goes_before_time_and_time_before_nothing() -> None:
    engine = MatchingEngine()
    for order_id, price in (("late", 101), ("first", 100), ("second", 100)):
        engine.place(limit(order_id, order_id, "sell", 2, price), 0)
    made = engine.place(limit("t", "taker", "buy", 5, 101), 0)
    assert trades(made) == [("first", "t", 100, 2), ("second", "t", 100, 2), ("late", "t", 101, 1)]
    assert made[-1] == Completed("t", "taker", 5)
    assert engine.last == 101
    assert [order.id for order in engine.queue("sell", 101)] == ["late"]
    assert engine.queue("sell", 100) == []


def test_outcomes_carry_totals_of_their_moment() -> None:
    engine = MatchingEngine()
    engine.place(limit("m", "ann", "sell", 4, 100), 0)
    (first,) = trades(engine.place(limit("t", "bob", "buy", 1, 100), 0))
    assert first == ("m", "t", 100, 1)
    made = engine.place(limit("u", "bob", "buy", 5, 100), 0)
    assert made == [
        Traded("m", "ann", 4, "u", "bob", 3, "buy", 100, 3),
        Completed("m", "ann", 4),
        Rested("u", "bob", 100, 2, 3),
    ]


@pytest.mark.parametrize(
    ("order", "reason", "remaining"),
    [
        (limit("t", "bob", "buy", 5, 100, time_in_force="ioc"), "ioc", 3),
        (limit("t", "bob", "buy", 5, 100, time_in_force="fok"), "fok", 5),
        (limit("t", "bob", "buy", 5, None), "no_liquidity", 3),
        (limit("t", "bob", "buy", 5, 100, post_only=True), "post_only", 5),
        (limit("t", "ann", "buy", 5, 100, self_trade="cancel_newest"), "self_trade", 5),
    ],
)
def test_what_may_not_rest_is_killed(order: Order, reason: str, remaining: int) -> None:
    engine = MatchingEngine()
    engine.place(limit("m", "ann", "sell", 2, 100), 0)
    made = engine.place(order, 0)
    assert made[-1] == Killed("t", order.owner, reason, 5 - remaining, remaining)
    assert "t" not in engine.orders
    assert order.stage == "done"


def test_all_or_nothing_is_all_when_all_is_there() -> None:
    engine = MatchingEngine()
    engine.place(limit("m", "ann", "sell", 9, 100, display=2), 0)
    made = engine.place(limit("t", "bob", "buy", 7, 100, time_in_force="fok"), 0)
    assert sum(quantity for *_, quantity in trades(made)) == 7
    assert made.count(Refilled("m", "ann", 2, 2)) == 1
    beyond = engine.place(limit("u", "bob", "buy", 3, 100, time_in_force="fok"), 0)
    assert beyond == [Killed("u", "bob", "fok", 0, 3)]
    own = limit("w", "ann", "buy", 1, 100, time_in_force="fok", self_trade="cancel_newest")
    assert engine.place(own, 0) == [Killed("w", "ann", "fok", 0, 1)]
    skipping = limit("x", "ann", "buy", 1, 100, time_in_force="fok", self_trade="cancel_oldest")
    assert engine.place(skipping, 0) == [Killed("x", "ann", "fok", 0, 1)]
    engine.place(limit("n", "cyd", "sell", 9, 101), 0)
    meeting = limit("y", "ann", "buy", 8, 101, time_in_force="fok", self_trade="cancel_newest")
    assert engine.place(meeting, 0) == [Killed("y", "ann", "fok", 0, 8)]
    too_dear = engine.place(limit("v", "bob", "buy", 1, 99, time_in_force="fok"), 0)
    assert too_dear == [Killed("v", "bob", "fok", 0, 1)]


def test_an_iceberg_shows_a_part_and_refills_behind_the_others() -> None:
    engine = MatchingEngine()
    engine.place(limit("ice", "ann", "sell", 7, 100, display=3), 0)
    engine.place(limit("m", "cyd", "sell", 2, 100), 0)
    assert engine.top("sell", 5) == [(100, 5)]
    assert engine.sweep("buy", 99) == [(100, 9)]
    made = engine.place(limit("t", "bob", "buy", 6, 100), 0)
    assert trades(made) == [("ice", "t", 100, 3), ("m", "t", 100, 2), ("ice", "t", 100, 1)]
    assert [one for one in made if isinstance(one, Refilled)] == [Refilled("ice", "ann", 3, 3)]
    assert engine.best_ask() == (100, 2)


def test_self_trade_prevention_cancels_oldest_or_both() -> None:
    cases: list[tuple[SelfTrade, list[str]]] = [("cancel_oldest", ["t"]), ("cancel_both", [])]
    for prevention, left in cases:
        engine = MatchingEngine()
        engine.place(limit("m", "ann", "sell", 2, 100), 0)
        made = engine.place(limit("t", "ann", "buy", 5, 100, self_trade=prevention), 0)
        assert made[0] == Killed("m", "ann", "self_trade", 0, 2)
        assert list(engine.orders) == left


def test_an_amend_keeps_the_place_only_when_it_takes_less() -> None:
    engine = MatchingEngine()
    for order_id in ("a", "b", "c"):
        engine.place(limit(order_id, order_id, "buy", 4, 100), 0)
    assert engine.amend("a", 0, quantity=3) == [Amended("a", "a", kept_place=True)]
    assert engine.amend("a", 0, quantity=3) == [Amended("a", "a", kept_place=True)]
    assert engine.amend("b", 0, quantity=5) == [Amended("b", "b", kept_place=False)]
    assert [order.id for order in engine.queue("buy", 100)] == ["a", "c", "b"]
    assert engine.amend("c", 0, display=1) == [Amended("c", "c", kept_place=True)]
    assert engine.best_bid() == (100, 3 + 1 + 5)
    engine.amend("c", 0, display=0)
    assert engine.best_bid() == (100, 3 + 4 + 5)
    engine.amend("a", 0, price=99, display=1)
    assert engine.top("buy", 2) == [(100, 9), (99, 1)]
    assert engine.amend("a", 0, price=99) == [Amended("a", "a", kept_place=True)]


def test_an_amend_that_would_take_is_refused_or_takes() -> None:
    engine = MatchingEngine()
    engine.place(limit("m", "ann", "sell", 2, 101), 0)
    engine.place(limit("q", "bob", "buy", 4, 100, post_only=True), 0)
    refused = engine.amend("q", 0, price=101, post_only=True)
    assert refused == [AmendRefused("q", "bob", "post_only")]
    assert engine.orders["q"].price == 100
    assert engine.would_take("buy", 101)
    assert not engine.would_take("buy", 100)
    made = engine.amend("q", 0, price=101)
    assert made == [
        Amended("q", "bob", kept_place=False),
        Traded("m", "ann", 2, "q", "bob", 2, "buy", 101, 2),
        Completed("m", "ann", 2),
    ]
    assert engine.orders["q"].post_only
    assert engine.best_bid() == (101, 2)
    assert engine.amend("q", 0, quantity=2) == [Killed("q", "bob", "amended", 2, 2)]


def test_orders_expire_at_their_time() -> None:
    engine = MatchingEngine()
    engine.place(limit("a", "ann", "buy", 1, 100, expire_ns=50), 0)
    engine.place(limit("b", "ann", "buy", 1, 99, expire_ns=40), 0)
    engine.place(limit("c", "ann", "buy", 1, 98, expire_ns=45), 0)
    engine.cancel("b", 0)
    assert engine.next_expiry_ns() == 45
    assert engine.expire(44) == []
    assert engine.expire(45) == [Expired("c", "ann", 0, 1)]
    assert engine.expire(60) == [Expired("a", "ann", 0, 1)]
    assert engine.next_expiry_ns() is None


def test_wrong_use_is_an_error() -> None:
    engine = MatchingEngine()
    order = limit("a", "ann", "buy", 1, 100)
    engine.place(order, 0)
    with pytest.raises(ValueError, match="not new"):
        engine.place(order, 0)
    with pytest.raises(ValueError, match="no quantity"):
        engine.place(limit("b", "ann", "buy", 0, 100), 0)
    with pytest.raises(KeyError):
        engine.cancel("nobody", 0)
    with pytest.raises(KeyError):
        engine.amend("nobody", 0, quantity=1)
    assert engine.cancel_all("nobody", 0) == []
    assert [one.id for one in engine.of_owner("ann")] == ["a"]
    assert not engine.would_take("buy", 10**6)
    assert engine.sweep("sell", 5, 101) == []
    assert engine.sweep("sell", 5, 100) == [(100, 1)]
    assert engine.quantity_at("buy", 100) == 1
    assert engine.quantity_at("buy", 99) == 0
