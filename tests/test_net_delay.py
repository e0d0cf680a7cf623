"""A line keeps order and never delivers early."""

from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from crosswire.net.delay import Line, steady
from tests.net_time import Timer, Timers


@given(
    st.lists(
        st.tuples(st.integers(0, 2_000_000), st.integers(0, 5_000_000)), min_size=1, max_size=30
    )
)
def test_in_order_and_never_early(plan: list[tuple[int, int]]) -> None:
    timers = Timers()
    line = Line(timers.clock, timers.call_later)
    arrived: list[tuple[int, int]] = []
    earliest: list[int] = []

    def arrive(number: int) -> None:
        arrived.append((number, timers.clock.now_ns()))

    for number, (pause_ns, latency_ns) in enumerate(plan):
        timers.run_for(pause_ns)
        earliest.append(timers.clock.now_ns() + latency_ns)
        line.put(latency_ns, partial(arrive, number))
    timers.run_for(60_000_000_000)
    assert [number for number, _ in arrived] == list(range(len(plan)))
    for number, at_ns in arrived:
        # No earlier than its own way, nor than those ahead; a timer is a nanosecond's float off.
        assert abs(at_ns - max(earliest[: number + 1])) <= 1
    assert timers.waiting == 0


def test_a_timer_that_fires_early_delivers_nothing_early() -> None:
    timers = Timers()

    def early(delay: float, callback: Callable[[], object], /) -> Timer:
        return timers.call_later(max(delay / 2, 1e-9), callback)

    line = Line(timers.clock, early)
    arrived: list[int] = []
    started_ns = timers.clock.now_ns()
    line.put(1_000_000, lambda: arrived.append(timers.clock.now_ns()))
    timers.run_for(10_000_000)
    assert len(arrived) == 1
    assert arrived[0] - started_ns >= 1_000_000


def test_a_cut_line_loses_what_is_under_way_and_works_on() -> None:
    timers = Timers()
    line = Line(timers.clock, timers.call_later)
    arrived: list[str] = []
    line.put(5, lambda: arrived.append("lost"))
    line.cut()
    assert timers.waiting == 0
    line.put(5, lambda: arrived.append("kept"))
    timers.run_for(1_000)
    assert arrived == ["kept"]


def test_who_is_called_may_put_something_or_cut() -> None:
    timers = Timers()
    line = Line(timers.clock, timers.call_later)
    arrived: list[int] = []

    def first() -> None:
        arrived.append(1)
        line.put(0, lambda: arrived.append(2))

    line.put(0, first)
    timers.run_for(0)
    line.put(1_000_000, line.cut)
    line.put(1_000_000, lambda: arrived.append(3))
    timers.run_for(10_000_000)
    assert arrived == [1, 2]


def test_a_steady_way_takes_the_same_for_all() -> None:
    assert steady(7)(b"") == steady(7)(b"x" * 1000) == 7
