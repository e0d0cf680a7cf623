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


def test_a_429_empties_it_for_a_minute() -> None:
    weights = Weights()
    weights.spend(7, 0)
    weights.refused(SECOND)
    assert weights.left(SECOND) == 0
    assert weights.left(MINUTE_NS) == 7
    assert weights.left(MINUTE_NS + SECOND) == LIMIT
    weights.refused(MINUTE_NS + SECOND)
    assert weights.refusals == 2


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
