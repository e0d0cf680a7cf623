"""The weight of an IP within any minute."""

from hypothesis import given
from hypothesis import strategies as st

from crosswire.venues.hyperliquid.session.weights import LIMIT, MINUTE_NS, Weights

SECOND = 1_000_000_000


def test_what_is_spent_comes_back_after_a_minute() -> None:
    weights = Weights()
    weights.spend(LIMIT - 20, 0)
    assert weights.may(20, SECOND)
    assert not weights.may(21, SECOND)
    weights.spend(20, SECOND)
    assert weights.left(MINUTE_NS - 1) == 0
    assert weights.left(MINUTE_NS) == LIMIT - 20
    assert weights.left(MINUTE_NS + SECOND) == LIMIT


def test_rows_may_cost_more_than_what_is_left() -> None:
    weights = Weights(100)
    weights.spend(90, 0)
    weights.spend(50, 1)
    assert weights.left(2) == 0
    weights.spend(0, 2)
    assert weights.left(MINUTE_NS) == 50


def test_after_a_429_it_is_tried_again_soon_and_later_each_time() -> None:
    weights = Weights()
    weights.spend(7, 0)
    weights.refused(5 * SECOND)
    assert weights.left(6 * SECOND - 1) == 0
    assert weights.left(6 * SECOND) == LIMIT - 7
    weights.refused(6 * SECOND - 1)  # asked before the pause
    assert weights.left(6 * SECOND) == LIMIT - 7
    now_ns = 6 * SECOND
    for pause_s in (2, 4, 8, 16, 30, 30):
        weights.refused(now_ns)
        assert not weights.may(1, now_ns + pause_s * SECOND - 1)
        now_ns += pause_s * SECOND
        assert weights.may(1, now_ns)
    weights.refused(now_ns + 31 * SECOND)  # much was answered since
    assert weights.may(1, now_ns + 32 * SECOND)
    assert weights.refusals == 9


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 20 * SECOND))))
def test_no_minute_ever_holds_more_than_the_limit(asked: list[tuple[int, int]]) -> None:
    weights, now_ns = Weights(500), 0
    spent: list[tuple[int, int]] = []
    for weight, pause_ns in asked:
        now_ns += pause_ns
        if weights.may(weight, now_ns):
            weights.spend(weight, now_ns)
            spent.append((now_ns, weight))
        recent = sum(one for at_ns, one in spent if now_ns - at_ns < MINUTE_NS)
        assert recent <= 500
        assert weights.left(now_ns) == 500 - recent
