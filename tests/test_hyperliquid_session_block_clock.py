"""The chain's clock: a bound that never falls, an offset good enough for an expiry."""

from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import ClockMeasured
from crosswire.venues.hyperliquid.session.block_clock import BLOCK_NS, BlockClock

MS = 1_000_000
SECOND = 1_000_000_000
NOW = 1_760_000_000 * SECOND


def test_nothing_is_known_before_a_block_was_seen() -> None:
    clock = BlockClock("main")
    assert (clock.lower_ns, clock.offset_ns, clock.is_measured) == (0, 0, False)
    assert clock.news(NOW) == []


def test_a_stamp_is_a_bound_and_not_a_measurement() -> None:
    clock = BlockClock("main")
    clock.see(NOW)
    assert clock.lower_ns == NOW
    assert not clock.is_measured
    assert clock.news(NOW) == []


@given(st.lists(st.integers(0, 10**19), min_size=1))
def test_the_bound_never_falls(stamps: list[int]) -> None:
    clock = BlockClock("main")
    highest = 0
    for number, stamp in enumerate(stamps):
        if number % 2:
            clock.see(stamp)
        else:
            clock.measure(NOW, NOW + MS, venue_ns=stamp)
        highest = max(highest, stamp)
        assert clock.lower_ns == highest


def test_an_answer_measures_the_clock_and_the_first_is_news() -> None:
    clock = BlockClock("main")
    # The block is up to 100 ms old when it is read; asked and answered within 40 ms.
    clock.measure(NOW, NOW + 40 * MS, venue_ns=NOW + 3 * SECOND - 30 * MS)
    assert clock.is_measured
    assert abs(clock.offset_ns - 3 * SECOND) <= BLOCK_NS // 2 + 20 * MS
    assert clock.venue_ns(NOW) == NOW + clock.offset_ns
    assert clock.news(NOW) == [ClockMeasured(NOW, "main", clock.offset_ns)]
    assert clock.news(NOW) == []


def test_blocks_that_come_unevenly_are_no_news() -> None:
    clock = BlockClock("main")
    told = []
    for second in range(100):
        sent = NOW + second * SECOND
        age = (second * 37 % 100) * MS
        clock.measure(sent, sent + 30 * MS, venue_ns=sent + 15 * MS - age)
        told += clock.news(sent)
        assert abs(clock.offset_ns) <= 65 * MS
    assert len(told) == 1


def test_a_clock_that_jumps_is_noticed_at_once() -> None:
    clock = BlockClock("main")
    clock.measure(NOW, NOW + 10 * MS, venue_ns=NOW)
    clock.news(NOW)
    before = clock.has_jumped
    later = NOW + SECOND
    clock.measure(later, later + 10 * MS, venue_ns=later - 5 * SECOND)
    after = clock.has_jumped
    assert clock.lower_ns == NOW  # what was seen was seen
    [news] = clock.news(later)
    assert isinstance(news, ClockMeasured)
    assert abs(news.offset_ns + 5 * SECOND) < 200 * MS
    assert (before, after, clock.has_jumped) == (False, True, False)


def test_an_answer_from_before_its_question_measures_nothing() -> None:
    clock = BlockClock("main")
    clock.measure(NOW, NOW - 1, venue_ns=NOW)
    clock.measure(NOW, NOW, venue_ns=0)
    assert not clock.is_measured
