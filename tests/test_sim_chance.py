"""Chance by place: the same from anywhere, even enough, and a drift that stays home."""

import math

from hypothesis import given
from hypothesis import strategies as st

from crosswire.sim.chance import NS, Draws, Drift, mix, word


@given(st.lists(st.integers(0, 2**64), min_size=1, max_size=4))
def test_mix_is_a_function_of_every_word(words: list[int]) -> None:
    value = mix(*words)
    assert 0 <= value < 1 << 64
    assert value == mix(*words)
    assert value != mix(*words, 0)
    assert value != mix(words[0] + 1, *words[1:])


def test_draws_of_one_place_repeat_and_spread() -> None:
    first, again, other = Draws(1, 2), Draws(1, 2), Draws(1, 3)
    drawn = [first.below(10) for _ in range(2000)]
    assert drawn == [again.below(10) for _ in range(2000)]
    assert drawn != [other.below(10) for _ in range(2000)]
    assert all(150 < drawn.count(digit) < 250 for digit in range(10))
    assert {Draws(word("x")).between(3, 5) for _ in range(3)} <= {3, 4, 5}
    assert {first.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert 0 <= first.fraction() < 1


def test_a_draw_is_the_mix_of_its_place_and_number() -> None:
    draws = Draws(7, 8)
    for number in range(1, 50):
        assert draws.below(1 << 64) == mix(mix(7, 8), number)


def test_a_drift_is_known_at_any_moment_in_any_order() -> None:
    times = [5 * NS, 3 * NS + 17, 10**18, 0, 10**18 + 1, 3 * NS]
    one = Drift(7, "gold", 1000, first_ns=NS // 4, count=17)
    values = [one.at(time_ns) for time_ns in times]
    two = Drift(7, "gold", 1000, first_ns=NS // 4, count=17)
    assert values[::-1] == [two.at(time_ns) for time_ns in reversed(times)]
    assert values != [Drift(8, "gold", 1000, first_ns=NS // 4, count=17).at(t) for t in times]


def test_a_drift_spreads_like_a_random_walk_and_comes_back() -> None:
    drift = Drift(3, "gold", 10_000, first_ns=NS // 4, count=17)
    for seconds in (1, 16, 256):
        steps = [
            drift.at((number + 1) * seconds * NS) - drift.at(number * seconds * NS)
            for number in range(400)
        ]
        spread = math.sqrt(sum(step * step for step in steps) / len(steps))
        assert 0.6 < spread / (10_000 * math.sqrt(seconds)) < 1.5
    week = [drift.at(hour * 3600 * NS) for hour in range(168)]
    assert max(map(abs, week)) <= drift.bound < 10_000 * 500
