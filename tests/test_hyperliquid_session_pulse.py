"""Signs of life of one connection."""

from crosswire.venues.hyperliquid.session.pulse import Pulse

SECOND = 1_000_000_000


def run(seconds: int, *, hears: bool, is_answered: bool) -> tuple[int, str]:
    """Tick each second; returns how many pings went, and why it ended, if it did."""
    pulse = Pulse()
    pulse.opened(0)
    for second in range(1, seconds + 1):
        now_ns = second * SECOND
        if hears:
            pulse.heard_ns = now_ns
        death = pulse.death(now_ns)
        if death:
            return second, death
        if pulse.is_ping_due(now_ns) and is_answered:
            pulse.pong(now_ns)
    return pulse.pings, ""


def test_a_busy_connection_is_pinged_each_15_seconds() -> None:
    assert run(60, hears=True, is_answered=True) == (4, "")


def test_a_quiet_one_is_asked_early_and_lives_by_its_answers() -> None:
    assert run(60, hears=False, is_answered=True) == (30, "")


def test_one_that_says_nothing_at_all_is_dead_soon() -> None:
    assert run(60, hears=False, is_answered=False) == (10, "silent for 10 s")


def test_one_that_talks_and_never_answers_is_dead_after_two_pings() -> None:
    assert run(60, hears=True, is_answered=False) == (45, "two pings unanswered")


def test_a_new_connection_owes_no_answer_of_the_old() -> None:
    pulse = Pulse()
    pulse.opened(0)
    assert pulse.is_ping_due(15 * SECOND)
    pulse.opened(40 * SECOND)
    assert pulse.death(49 * SECOND) == ""
    assert not pulse.is_ping_due(41 * SECOND)
