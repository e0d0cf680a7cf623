"""The order flow: repeatable however it is stepped, sane for days, and worth trading with."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire.domain import Level, Side
from crosswire.fixed import SCALE
from crosswire.sim.flow import (
    CELL_NS,
    MAX_CATCH_UP_NS,
    OWNER,
    Flow,
    FlowAction,
    FlowCancel,
    FlowInstrument,
    FlowOrder,
)
from crosswire.sim.matching import MatchingEngine, Order, Traded

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND + 123_456_789
TICK = SCALE // 10
BTC = FlowInstrument("BTC/USD", 65_000 * SCALE, TICK, 100)
ETH = FlowInstrument("ETH/USD", 3_500 * SCALE, SCALE // 100, 100)


def apply(engine: MatchingEngine, action: FlowAction, now_ns: int) -> int:
    """Apply one action as a simulator does; returns how many trades met the owner "me"."""
    if isinstance(action, FlowCancel):
        if action.id in engine.orders:
            engine.cancel(action.id, now_ns)
        return 0
    made = engine.place(
        Order(
            action.id,
            OWNER,
            action.side,
            action.quantity,
            action.price,
            time_in_force=action.time_in_force,
        ),
        now_ns,
    )
    return sum(isinstance(one, Traded) and one.maker_owner == "me" for one in made)


@settings(max_examples=25)
@given(st.integers(0, 99), st.lists(st.integers(0, 3 * SECOND), max_size=12))
def test_the_same_however_often_it_is_stepped(seed: int, pauses: list[int]) -> None:
    often, seldom = Flow(seed, [BTC, ETH]), Flow(seed, [BTC, ETH])
    now = START
    stepped = often.step(now)
    first = seldom.step(now)
    for pause in pauses:
        now += pause
        stepped += often.step(now)
        while often.next_due_ns() <= now:
            raise AssertionError("more was due")
    assert first + seldom.step(now) == stepped
    assert all(one.at_ns <= later.at_ns for one, later in pairwise(stepped[len(first) :]))


def test_stepping_exactly_when_due_finds_something_to_do() -> None:
    flow = Flow(1, [BTC])
    assert flow.next_due_ns() == 0
    now, actions = START, len(flow.step(START))
    for _ in range(200):
        due = flow.next_due_ns()
        assert now < due <= now + CELL_NS
        now = due
        actions += len(flow.step(now))
    assert actions > 200
    assert Flow(1, []).step(START) == []


def test_seeds_and_venues_differ() -> None:
    def life(seed: int, venue: str) -> list[FlowAction]:
        flow = Flow(seed, [BTC], venue=venue)
        return flow.step(START) + flow.step(START + 5 * SECOND)

    assert life(1, "a") == life(1, "a")
    assert life(1, "a") != life(2, "a")
    assert life(1, "a") != life(1, "b")


class Life(NamedTuple):
    """What a market looked like over a while."""

    mids: list[int]
    spreads: list[int]
    fills: int
    trades: int
    open_orders: int


def live(seed: int, seconds: int, distances: tuple[int, ...] = ()) -> Life:
    """Let a flow trade with a ladder of ours, `distances` ticks from the mid on both sides."""
    flow, engine = Flow(seed, [BTC]), MatchingEngine()
    ladder: dict[tuple[Side, int], Order] = {}
    mids: list[int] = []
    spreads: list[int] = []
    now, fills, placed = START, 0, 0
    while now < START + seconds * SECOND:
        now = max(now, flow.next_due_ns())
        fills += sum(apply(engine, action, now) for action in flow.step(now))
        bid, ask = engine.best_bid(), engine.best_ask()
        if bid is None or ask is None:
            continue
        mids.append((bid[0] + ask[0]) // 2)
        spreads.append((ask[0] - bid[0]) // TICK)
        for distance in distances:
            ours: list[tuple[Side, int]] = [
                ("buy", (mids[-1] // TICK - distance) * TICK),
                ("sell", (mids[-1] // TICK + distance) * TICK),
            ]
            for side, price in ours:
                order = ladder.get((side, distance))
                if order is None or order.stage == "done":
                    placed += 1
                    order = Order(f"me{placed}", "me", side, SCALE // 100, price, post_only=True)
                    ladder[side, distance] = order
                    engine.place(order, now)
                elif order.price is not None and abs(order.price - price) >= 2 * TICK:
                    engine.amend(order.id, now, price=price, post_only=True)
    traded = sum(order.filled > 0 for order in ladder.values())
    return Life(mids, spreads, fills, traded, len(engine.orders))


@pytest.mark.parametrize("seed", range(6))
def test_a_ladder_is_filled_several_times_in_twenty_seconds(seed: int) -> None:
    life = live(seed, 20, distances=(3, 6, 9))
    assert life.fills >= 10
    assert len(set(life.mids)) > 10
    assert sum(life.spreads) / len(life.spreads) < 10
    assert max(life.spreads) < 60


def test_an_hour_leaves_no_heap_of_orders() -> None:
    life = live(3, 900)
    assert life.open_orders < 60
    assert min(life.spreads) > 0


def test_prices_stay_sane_for_days() -> None:
    flow = Flow(5, [BTC])
    start = BTC.start_price
    day = 86_400 * SECOND
    prices = [flow.price("BTC/USD", START + number * day // 24) for number in range(24 * 30)]
    assert all(abs(price - start) < start // 100 for price in prices)
    assert len(set(prices)) > 700


class Tops:
    """The best prices of a flow's own quotes, moment by moment."""

    def __init__(self, seed: int, it: FlowInstrument, venue: str, *, efficient: bool) -> None:
        self.flow = Flow(seed, [it], venue=venue, efficient=efficient)
        self.engine = MatchingEngine()

    def at(self, now_ns: int) -> tuple[Level, Level]:
        for action in self.flow.step(now_ns):
            if isinstance(action, FlowCancel) or action.time_in_force == "gtc":
                apply(self.engine, action, now_ns)
        bid, ask = self.engine.best_bid(), self.engine.best_ask()
        assert bid is not None
        assert ask is not None
        return bid, ask


@pytest.mark.parametrize("efficient", [True, False])
def test_an_efficient_flow_leaves_no_free_money_between_venues(efficient: bool) -> None:
    coarse = FlowInstrument("BTC-PERP", 65_000 * SCALE, SCALE, 1000, latent="BTC/USD")
    one = Tops(1, BTC, "one", efficient=efficient)
    two = Tops(1, coarse, "two", efficient=efficient)
    crossed = 0
    for number in range(600):
        now = START + number * CELL_NS // 3
        (bid, ask), (other_bid, other_ask) = one.at(now), two.at(now)
        crossed += bid[0] > other_ask[0] or other_bid[0] > ask[0]
    assert (crossed == 0) is efficient


def test_bursts_come_from_one_side_and_often() -> None:
    flow = Flow(2, [BTC], takers_per_second=2.0)
    flow.step(START)
    takers = [
        action
        for action in flow.step(START + 500 * SECOND)
        if isinstance(action, FlowOrder) and action.time_in_force == "ioc"
    ]
    assert 1.6 < len(takers) / 500 < 3.2
    stretches: dict[int, list[Side]] = {}
    for taker in takers:
        stretches.setdefault(taker.at_ns // (8 * CELL_NS), []).append(taker.side)
    one_sided = [sides for sides in stretches.values() if len(sides) > 9 and len(set(sides)) == 1]
    assert one_sided


def test_without_makers_takers_come_at_the_market() -> None:
    flow = Flow(2, [replace(BTC, has_makers=False)])
    actions = flow.step(START) + flow.step(START + 20 * SECOND)
    assert len(actions) > 10
    for action in actions:
        assert isinstance(action, FlowOrder)
        assert action.price is None
        assert action.quantity % BTC.step == 0


def test_bounded_prices_keep_their_bounds() -> None:
    cent = SCALE // 100
    for start in (cent, 50 * cent, 99 * cent):
        odds = FlowInstrument(
            "ODDS", start, cent, SCALE, volatility=50_000_000, max_price=99 * cent
        )
        flow = Flow(4, [odds])
        flow.step(START)
        for action in flow.step(START + 60 * SECOND):
            if isinstance(action, FlowOrder):
                assert action.price is not None
                assert cent <= action.price <= 99 * cent
                assert action.price % cent == 0
                assert action.quantity % SCALE == 0


def test_a_long_sleep_is_skipped_not_lived_through() -> None:
    flow = Flow(1, [BTC])
    flow.step(START)
    actions = flow.step(START + MAX_CATCH_UP_NS + 2 * SECOND)
    assert 0 < len(actions) < 100
    fresh = Flow(1, [BTC])
    later = fresh.step(START + MAX_CATCH_UP_NS + 2 * SECOND)
    prices = {action.price for action in later if isinstance(action, FlowOrder)}
    assert {
        action.price
        for action in actions
        if isinstance(action, FlowOrder) and action.time_in_force == "gtc"
    } <= prices
