"""The clock never steps back, whatever the wall clock does."""

import time

import pytest

from crosswire.net.clock import Clock, VirtualClock


def test_it_starts_at_the_wall_clock_and_never_steps_back() -> None:
    before = time.time_ns()
    clock = Clock()
    readings = [clock.now_ns() for _ in range(1000)]
    assert readings == sorted(readings)
    assert readings[0] >= before - 1_000_000  # the two clocks are read one after the other


def test_a_step_of_the_wall_clock_is_seen_but_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    before = clock.now_ns()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600_000_000_000)
    assert clock.now_ns() >= before
    assert -3_601_000_000_000 < clock.drift_ns() < -3_599_000_000_000


def test_the_virtual_clock_stands_until_told() -> None:
    clock = VirtualClock(5)
    assert clock.now_ns() == clock.now_ns() == 5
    assert clock.advance(7) == clock.now_ns() == 12
    clock.wall_step_ns = 9
    assert clock.drift_ns() == 9
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
