"""Client order ids say who made them, and never repeat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.orders import ClientOrderIds, bot_number, parse
from crosswire.orders.ids import MAX_RUN


def test_an_id_says_bot_run_and_counter() -> None:
    ids = ClientOrderIds("ladder", 7)
    first, second = ids.next(), ids.next()
    assert parse(first) == (bot_number("ladder"), 7, 1)
    assert parse(second) == (bot_number("ladder"), 7, 2)
    assert len(first) == 32
    assert first == first.lower()


def test_ours_means_the_same_bot_in_any_run() -> None:
    earlier = ClientOrderIds("ladder", 1).next()
    ids = ClientOrderIds("ladder", 2)
    assert ids.is_ours(earlier)
    assert not ids.is_ours(ClientOrderIds("other", 1).next())


def test_two_runs_never_make_the_same_id() -> None:
    one, two = ClientOrderIds("b", 1), ClientOrderIds("b", 2)
    assert not {one.next() for _ in range(500)} & {two.next() for _ in range(500)}


@given(st.text(max_size=40))
def test_a_strangers_id_is_not_ours(text: str) -> None:
    assert parse(text) is None


@given(st.integers(0, 31), st.sampled_from("0123456789abcdef"))
def test_a_changed_digit_is_noticed(place: int, digit: str) -> None:
    made = ClientOrderIds("b", 3).next()
    changed = made[:place] + digit + made[place + 1 :]
    assert (parse(changed) is None) == (changed != made)


def test_a_run_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="run"):
        ClientOrderIds("b", MAX_RUN + 1)
