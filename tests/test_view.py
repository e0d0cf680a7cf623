"""What a strategy sees: numbers on the instrument's grid, and its own orders alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.book import Book
from crosswire.fixed import parse, text
from crosswire.orders import Orders
from crosswire.positions import Positions
from crosswire.view import View
from tests.samples import ACCOUNT, BTC, filled, instrument

TICK, STEP = instrument().price_tick, instrument().quantity_step


def view(positions: Positions | None = None) -> View:
    rules = instrument()
    held = positions or Positions()
    return View(ACCOUNT, "s", {BTC: Book(rules)}, {BTC: rules}, Orders(), held)


@given(st.integers(1, 10**18))
def test_a_price_lies_on_the_grid_next_to_what_was_asked(value: int) -> None:
    below = view().price(BTC, text(value))
    above = view().price(BTC, text(value), up=True)
    assert below % TICK == above % TICK == 0
    assert below <= value <= above
    assert above - below == (TICK if value % TICK else 0)


@given(st.integers(1, 10**18))
def test_a_quantity_is_never_more_than_what_was_asked(value: int) -> None:
    found = view().quantity(BTC, text(value))
    assert found % STEP == 0
    assert 0 <= value - found < STEP


def test_a_float_is_refused_with_the_fix() -> None:
    with pytest.raises(TypeError, match=r'price 0\.1 is a float; write "0\.1"'):
        view().price(BTC, 0.1)  # type: ignore[arg-type]


def test_the_share_is_the_strategys_own() -> None:
    positions = Positions()
    positions.book(filled("0.5", "1"), "s")
    positions.book(filled("0.25", "2"), "another")
    seen = view(positions)
    assert seen.share(BTC) == parse("0.5")
    assert seen.position(BTC).quantity == parse("0.75")
    assert seen.balance("USD") == 0
    assert not seen.book(BTC).is_valid
    assert seen.orders(BTC) == []


def test_a_scaled_price_is_rounded_down_for_a_bid_and_up_for_an_ask() -> None:
    seen = view()
    assert seen.round_price(BTC, parse("100.07")) == parse("100")
    assert seen.round_price(BTC, parse("100.07"), up=True) == parse("100.1")
    assert seen.round_price(BTC, parse("100.1"), up=True) == parse("100.1")
