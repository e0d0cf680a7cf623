"""What a strategy sees and wants; the built-in ladder; loading by name."""

import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire.book import Book
from crosswire.domain import Approved, Side
from crosswire.fixed import parse, text
from crosswire.orders import Orders
from crosswire.positions import Positions
from crosswire.strategies import Quotes, Strategy, View, load
from crosswire.strategies.market_making import MarketMaking
from tests.samples import ACCOUNT, BTC, S, book_reset, filled, instrument, place


class Desk:
    """A view on one instrument with a book of 100.0 / 100.2."""

    def __init__(self) -> None:
        self.book = Book(instrument())
        self.book.reset(book_reset())
        self.orders = Orders()
        self.positions = Positions()
        books = {BTC: self.book}
        self.view = View(ACCOUNT, "s", books, {BTC: instrument()}, self.orders, self.positions)

    def hold(self, quantity: str) -> None:
        side: Side = "sell" if quantity.startswith("-") else "buy"
        fill = filled(quantity.lstrip("-"), quantity, side=side)
        self.positions.book(fill, "s")


def ladder(**rest: Any) -> MarketMaking:
    return MarketMaking(BTC, "1", **rest)


def prices(quotes: object) -> tuple[list[str], list[str]]:
    assert isinstance(quotes, Quotes)
    one = parse("1")
    bids, asks = ([str(q.price / one) for q in side] for side in (quotes.bids, quotes.asks))
    return bids, asks


def test_a_ladder_stands_around_the_mid() -> None:
    quotes = ladder(levels=3, edge_ticks=2, spacing_ticks=2).on_update(Desk().view)
    assert prices(quotes) == (["99.9", "99.7", "99.5"], ["100.3", "100.5", "100.7"])
    assert isinstance(quotes, Quotes)
    assert (quotes.threshold, quotes.post_only) == (parse("0.1"), True)


class Border(Desk):
    """A view on an instrument of five significant digits, its book at a power of ten."""

    def __init__(self, bid: str, ask: str) -> None:
        super().__init__()
        self.rules = replace(instrument(), price_tick=parse("0.000001"), price_digits=5)
        self.book = Book(self.rules)
        self.book.reset(book_reset(bid, ask))
        books = {BTC: self.book}
        self.view = View(ACCOUNT, "s", books, {BTC: self.rules}, self.orders, self.positions)


def test_a_ladder_across_a_power_of_ten_has_only_valid_rungs() -> None:
    quotes = ladder(levels=4, edge_ticks=1, spacing_ticks=1).on_update(
        Border("0.99999", "1.0002").view
    )
    assert prices(quotes) == (
        ["0.9999", "0.9998", "0.9997", "0.9996"],
        ["1.0002", "1.0003", "1.0004", "1.0005"],
    )
    quotes = ladder(levels=4, edge_ticks=1, spacing_ticks=1).on_update(
        Border("0.99997", "0.99999").view
    )
    assert prices(quotes) == (
        ["0.99997", "0.99996", "0.99995", "0.99994"],
        ["0.99999", "1.0", "1.0001", "1.0002"],
    )


@given(
    st.integers(999_000_000, 1_001_000_000),
    st.integers(1, 50),
    st.integers(0, 20),
    st.integers(1, 5),
    st.integers(-3, 3),
)
def test_rungs_are_on_the_grid_apart_and_behind_the_touch(
    mid: int, spread: int, edge: int, spacing: int, held: int
) -> None:
    desk = Border("1", "2")
    bid, ask = desk.rules.floor_price(10 * mid), desk.rules.ceil_price(10 * (mid + spread * 1_000))
    desk.book.reset(book_reset(text(bid), text(ask)))
    desk.hold(str(held))
    quotes = ladder(edge_ticks=edge, spacing_ticks=spacing, levels=5).on_update(desk.view)
    if bid == ask:
        return
    assert isinstance(quotes, Quotes)
    bids, asks = ([quote.price for quote in side] for side in (quotes.bids, quotes.asks))
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert len(bids) == len(asks) == 5
    assert all(map(desk.rules.is_on_grid, bids + asks))
    assert max(bids) < ask
    assert min(asks) > bid


def test_inventory_leans_the_ladder_against_itself() -> None:
    desk = Desk()
    desk.hold("3")
    long = ladder(levels=1, skew_ticks=10, max_position="6").on_update(desk.view)
    assert prices(long) == (["99.4"], ["100.1"])  # the ask stays behind the touch
    desk = Desk()
    desk.hold("-3")
    short = ladder(levels=1, skew_ticks=10, max_position="6").on_update(desk.view)
    assert prices(short) == (["100.1"], ["100.8"])


def test_a_full_inventory_is_not_added_to() -> None:
    desk = Desk()
    desk.hold("5.5")
    bids, asks = prices(ladder(levels=1, max_position="6").on_update(desk.view))
    assert (bids, len(asks)) == ([], 1)
    desk.hold("-11")
    bids, asks = prices(ladder(levels=1, max_position="6").on_update(desk.view))
    assert (len(bids), asks) == (1, [])


def test_the_same_book_and_position_give_the_same_object() -> None:
    desk, strategy = Desk(), ladder()
    first = strategy.on_update(desk.view)
    assert strategy.on_update(desk.view) is first
    desk.hold("1")
    assert strategy.on_update(desk.view) is not first


def test_without_a_two_sided_valid_book_nothing_changes() -> None:
    desk, strategy = Desk(), ladder()
    desk.book.lose()
    assert strategy.on_update(desk.view) is None
    desk.book.reset(replace(book_reset(), asks=()))
    assert strategy.on_update(desk.view) is None
    desk.book.reset(book_reset())
    assert strategy.on_update(desk.view) is not None


@pytest.mark.parametrize(
    "wrong",
    [{"levels": 0}, {"edge_ticks": -1}, {"spacing_ticks": 0}, {"max_position": "-1"}],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ladder(**wrong)


def test_the_view_puts_numbers_on_the_grid() -> None:
    view = Desk().view
    assert view.price(BTC, "100.07") == parse("100.0")
    assert view.price(BTC, "100.07", up=True) == parse("100.1")
    assert view.quantity(BTC, "0.123456789") == parse("0.12345678")
    assert view.instrument(BTC).name == "BTC/USD"


def test_the_view_shows_only_its_strategys_orders_and_its_accounts_money() -> None:
    desk = Desk()
    for number, owner in enumerate(("s", "other"), start=1):
        desk.orders.register(Approved(place(owner, strategy=owner), number, S))
    desk.positions.balances[(ACCOUNT, "USD")] = 5
    desk.hold("2")
    assert [order.client_order_id for order in desk.view.orders(BTC)] == ["s"]
    assert (desk.view.balance("USD"), desk.view.balance("EUR")) == (5, 0)
    assert desk.view.position(BTC).quantity == desk.view.share(BTC) == parse("2")


def test_a_built_in_is_loaded_by_its_name() -> None:
    made = load("market_making", {"instrument": BTC, "quantity": "0.1"})
    assert isinstance(made, Strategy)
    assert type(made) is MarketMaking


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("market_makin", {}, "expected one of market_making"),
        ("nowhere_at_all:X", {}, "No module named"),
        ("crosswire.fixed:Missing", {}, "has no class Missing"),
        ("crosswire.fixed:parse", {}, "has no class parse"),
        ("market_making", {"instrument": BTC}, "missing a required argument: 'quantity'"),
        ("market_making", {"instrument": BTC, "quantity": "1", "x": 1}, "unexpected keyword"),
        ("market_making", {"instrument": BTC, "quantity": "x"}, '"x" is not a number'),
        ("market_making", {"instrument": BTC, "quantity": 0.1}, "is a float"),
        ("made_up_bots:NoUpdate", {}, "expected `instruments`"),
    ],
)
def test_a_wrong_name_or_parameter_is_one_clear_line(
    name: str, parameters: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("made_up_bots")
    vars(module)["NoUpdate"] = type("NoUpdate", (), {})
    monkeypatch.setitem(sys.modules, "made_up_bots", module)
    with pytest.raises(ValueError, match=message) as caught:
        load(name, parameters)
    assert "\n" not in str(caught.value)
