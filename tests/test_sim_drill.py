"""The campaign's strategy asks for much, on both sides, and stays within its position."""

from msgspec.structs import replace

from crosswire.book import Book
from crosswire.domain import Instrument, Quotes
from crosswire.fixed import parse
from crosswire.orders import Orders
from crosswire.positions import Positions
from crosswire.sim.drill import Drill, Hoarder, Rush
from crosswire.view import View
from tests.samples import ACCOUNT, BTC, book_reset, filled, instrument

S = 1_000_000_000


def _view(rules: Instrument | None = None, ask: str = "100.2") -> tuple[View, Positions]:
    rules = rules or instrument()
    book = Book(rules)
    book.reset(book_reset(ask=ask))
    positions = Positions()
    return View(ACCOUNT, "drill", {BTC: book}, {BTC: rules}, Orders(), positions), positions


def test_now_and_then_it_sends_what_the_venue_refuses_by_its_price() -> None:
    view, _ = _view()
    drill = Drill(BTC, far_every=5)
    found = []
    for turn in range(10):
        view.now_ns = (turn + 1) * S
        found.append(drill.on_update(view))
    far = [each for each in found if isinstance(each, list) and len(each) == 2]
    assert len(far) == 2
    assert all(one.price and one.price < parse("100") // 20 for each in far for one in each)


def test_a_quantity_is_ordered_in_tenths() -> None:
    assert Rush(BTC, "0.002")._quantity == parse("0.001")
    assert Hoarder(BTC, "0.002")._quantity == parse("0.006")


def test_it_takes_and_quotes_by_turns() -> None:
    view, _ = _view()
    drill = Drill(BTC, redraw_every=4)
    wanted = []
    for turn in range(32):
        view.now_ns = (turn + 1) * S
        wanted.append(drill.on_update(view))
        assert drill.on_update(view) is None  # not before its time
    ladders = [each for each in wanted if isinstance(each, Quotes)]
    takers = [one for each in wanted if isinstance(each, list) for one in each]
    assert (len(ladders), len(takers)) == (8, 24)
    assert {each.side for each in takers} == {"buy", "sell"}
    assert any(not each.bids for each in ladders)
    assert any(not each.asks for each in ladders)


def test_it_goes_back_to_flat() -> None:
    view, positions = _view()
    positions.book(filled("0.03"), "drill")
    drill = Drill(BTC)
    for turn in range(14):
        view.now_ns = (turn + 1) * S
        wanted = drill.on_update(view)
        if isinstance(wanted, Quotes):
            assert wanted.bids == ()
        else:
            assert isinstance(wanted, list)
            assert [one.side for one in wanted] == ["sell"]


def test_a_hoarder_only_buys_and_a_rush_is_many() -> None:
    view, positions = _view()
    positions.book(filled("0.03"), "drill")
    hoarder, rush = Hoarder(BTC), Rush(BTC)
    view.now_ns = S
    for drill in (hoarder, rush):
        drill.on_update(view)  # the ladder comes first
    view.now_ns = 2 * S
    bought, many = hoarder.on_update(view), rush.on_update(view)
    assert isinstance(bought, list)
    assert [one.side for one in bought] == ["buy"]
    assert isinstance(many, list)
    assert len(many) == 6


def test_what_it_wants_is_on_a_grid_that_grows_with_the_price() -> None:
    rules = replace(instrument(), price_tick=parse("0.000001"), price_digits=5)
    view, _ = _view(rules, "100.21")
    prices: list[int | None] = []
    for drill in (Drill(BTC, redraw_every=2), Hoarder(BTC)):
        for turn in range(32):
            view.now_ns += S
            wanted = drill.on_update(view)
            if isinstance(wanted, Quotes):
                prices += [quote.price for quote in (*wanted.bids, *wanted.asks)]
            else:
                assert isinstance(wanted, list), turn
                prices += [one.price for one in wanted]
    assert len(prices) > 64
    assert all(price is not None and rules.is_on_grid(price) for price in prices)


def test_it_waits_for_a_book() -> None:
    view, _ = _view()
    book = view.book(BTC)
    book.lose()
    view.now_ns = S
    assert Drill(BTC).on_update(view) is None
