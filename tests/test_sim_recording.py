"""Recorded books as external levels, made ones and a real one."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crosswire.domain import BookChanged, BookReset, Level, Side, TradePrinted
from crosswire.fixed import SCALE, parse
from crosswire.sim.flow import Flow, FlowInstrument
from crosswire.sim.life import Life
from crosswire.sim.matching import MatchingEngine, Order, Traded
from crosswire.sim.recording import LOOP_GAP_NS, Mirror, RecordedEvent, Recording

SECOND = 1_000_000_000
NAME = "v:BTC/USD"


def reset(
    bids: tuple[Level, ...], asks: tuple[Level, ...], depth: int = 0, at_ns: int = 0
) -> BookReset:
    return BookReset(0, NAME, bids, asks, depth, None, at_ns)


def change(bids: tuple[Level, ...], asks: tuple[Level, ...], at_ns: int = 0) -> BookChanged:
    return BookChanged(0, NAME, bids, asks, None, at_ns)


THREE: list[RecordedEvent] = [
    reset(((99, 5),), ((101, 5),)),  # some snapshots carry no time
    change(((98, 1),), (), at_ns=1000),
    change(((98, 2),), (), at_ns=900),
    change(((98, 0),), (), at_ns=3000),
]


def test_events_are_due_at_their_times_and_time_does_not_go_back() -> None:
    recording = Recording(THREE, 50)
    assert recording.length_ns == 2000
    assert recording.next_due_ns() == 50
    assert recording.due(49) == []
    assert recording.due(50) == THREE[:3]
    assert recording.due(2049) == []
    assert recording.due(2050) == THREE[3:]
    assert recording.is_over
    assert recording.rounds == 1
    assert recording.next_due_ns() is None
    assert recording.due(10**9) == []


def test_speed_scales_and_loops_go_on() -> None:
    recording = Recording(THREE, 0, speed=2, has_loop=True)
    assert len(recording.due(999)) == 3
    assert len(recording.due(1000)) == 1
    assert not recording.is_over
    assert recording.next_due_ns() == 1000 + LOOP_GAP_NS
    assert len(recording.due(2000 + LOOP_GAP_NS)) == 4
    assert recording.rounds == 2


def test_what_cannot_be_played_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no book"):
        Recording([], 0)
    with pytest.raises(ValueError, match="speed 0"):
        Recording(THREE, 0, speed=0)
    assert Recording([reset((), ())], 5).next_due_ns() == 5


def test_a_mirror_holds_the_known_levels_and_no_others() -> None:
    engine = MatchingEngine()
    mirror = Mirror(engine)
    mirror.apply(reset(((99, 1), (98, 1)), ((101, 1), (102, 1)), depth=2), 0)
    engine.place(Order("q", "me", "buy", 3, 98), 0)
    assert engine.orders["q"].ahead == 1
    mirror.apply(change(((100, 4),), ((103, 9), (101, 0))), 1)
    assert engine.top("buy", 9) == [(100, 4), (99, 1), (98, 3)]
    assert engine.top("sell", 9) == [(102, 1), (103, 9)]
    assert engine.orders["q"].ahead == 1
    mirror.apply(change(((100, 0), (97, 0)), ()), 2)
    assert engine.top("buy", 9) == [(99, 1), (98, 3)]
    # Without a depth, nothing is cut off.
    deep = Mirror(engine)
    deep.apply(reset(((99, 1),), ()), 3)
    deep.apply(change(tuple((price, 1) for price in range(50, 60)), ()), 4)
    assert len(engine.top("buy", 99)) == 12


def test_prints_fill_us_and_old_ones_do_not() -> None:
    engine = MatchingEngine()
    mirror = Mirror(engine)
    mirror.apply(reset(((99, 5),), ((101, 5),)), 0)
    engine.place(Order("q", "me", "buy", 3, 100), 0)
    old = TradePrinted(0, NAME, "sell", 100, 9, "t0", is_snapshot=True)
    assert mirror.apply(old, 1) == []
    made = mirror.apply(TradePrinted(0, NAME, "sell", 100, 2, "t1"), 2)
    assert [one.quantity for one in made if isinstance(one, Traded)] == [2]


def test_what_was_taken_is_there_again_after_a_while() -> None:
    engine = MatchingEngine()
    mirror = Mirror(engine, heal_ns=SECOND)
    mirror.apply(reset(((99, 5),), ((101, 5), (102, 5))), 0)
    engine.place(Order("t", "me", "buy", 8, 102), 0)
    assert engine.top("sell", 9) == [(102, 2)]
    assert mirror.next_due_ns() == SECOND
    assert mirror.tick(SECOND - 1) == []
    # Resting where the real offers were, we are the first they meet when they are seen again.
    engine.place(Order("q", "me", "buy", 1, 101), 0)
    made = mirror.tick(SECOND)
    assert [one.price for one in made if isinstance(one, Traded)] == [101]
    assert engine.top("sell", 9) == [(101, 4), (102, 5)]
    assert Mirror(engine, heal_ns=0).next_due_ns() is None
    assert Mirror(engine, heal_ns=0).tick(10**18) == []


# --- a real recording --------------------------------------------------------------------------


def _levels(rows: list[dict[str, Any]]) -> tuple[Level, ...]:
    return tuple((parse(str(row["price"])), parse(str(row["qty"]))) for row in rows)


def _time_ns(item: dict[str, Any]) -> int:
    stamp = item.get("timestamp")
    return int(datetime.fromisoformat(stamp).timestamp() * 1e6) * 1000 if stamp else 0


@pytest.fixture
def real(captures: Path) -> list[RecordedEvent]:
    found = sorted(captures.glob("*/captured/*/orderbook-v2.json"))
    if not found:
        pytest.skip(f"no orderbook-v2.json below {captures}")
    document = msgspec.json.decode(found[0].read_bytes())
    (first,) = document["init"]["data"]
    bids, asks = _levels(first["bids"]), _levels(first["asks"])
    events: list[RecordedEvent] = [reset(bids, asks, 10, _time_ns(first))]
    for frame in document["updates"]:
        (item,) = frame["data"]
        bids, asks = _levels(item["bids"]), _levels(item["asks"])
        events.append(change(bids, asks, at_ns=_time_ns(item)))
    return events


def test_a_real_book_is_mirrored_level_for_level(real: list[RecordedEvent]) -> None:
    assert len(real) == 510
    engine = MatchingEngine()
    mirror = Mirror(engine)
    recording = Recording(real, 0)
    naive: dict[str, dict[int, int]] = {"buy": {}, "sell": {}}
    while (due := recording.next_due_ns()) is not None:
        for event in recording.due(due):
            assert isinstance(event, BookReset | BookChanged)
            mirror.apply(event, due)
            for side, levels in (("buy", event.bids), ("sell", event.asks)):
                naive[side].update(levels)
                kept = {price: quantity for price, quantity in naive[side].items() if quantity}
                best = sorted(kept, reverse=side == "buy")[:10]
                naive[side] = {price: kept[price] for price in best}
        assert dict(engine.top("buy", 99)) == naive["buy"]
        assert dict(engine.top("sell", 99)) == naive["sell"]
    assert 50 * SECOND < recording.length_ns < 52 * SECOND


@pytest.mark.parametrize("seed", range(3))
def test_a_ladder_trades_on_the_real_book(real: list[RecordedEvent], seed: int) -> None:
    engine, tick = MatchingEngine(), SCALE // 10
    it = FlowInstrument("BTC/USD", 29_430 * SCALE, tick, 1, has_makers=False)
    life = Life(
        {"BTC/USD": engine},
        flow=Flow(seed, [it]),
        recordings={"BTC/USD": Recording(real, SECOND, has_loop=True)},
    )
    ladder: dict[tuple[Side, int], Order] = {}
    now, placed, fills = SECOND, 0, 0
    while now < 21 * SECOND:
        now = max(now, life.next_due_ns() or 0)
        for _, made in life.tick(now):
            fills += sum(isinstance(one, Traded) and one.maker_owner == "me" for one in made)
        bid, ask = engine.best_bid(), engine.best_ask()
        assert bid is not None
        assert ask is not None
        assert bid[0] < ask[0]
        for distance in (0, 3, 6):
            ours: list[tuple[Side, int]] = [
                ("buy", bid[0] - distance * tick),
                ("sell", ask[0] + distance * tick),
            ]
            for side, price in ours:
                rung = ladder.get((side, distance))
                if rung is None or rung.stage == "done":
                    placed += 1
                    rung = Order(f"me{placed}", "me", side, tick, price, post_only=True)
                    ladder[side, distance] = rung
                    engine.place(rung, now)
                elif rung.price is not None and abs(rung.price - price) > 3 * tick:
                    engine.amend(rung.id, now, price=price, post_only=True)
    assert fills > 5
