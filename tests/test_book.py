"""Book: against a naive one, the documented checksums, truncation, and when to distrust it."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire import book as book_module
from crosswire.book import CHECKED, Book
from crosswire.domain import BookChanged, BookReset, Instrument, Level
from crosswire.fixed import SCALE, parse, text
from tests.samples import BTC, instrument

ETH_BTC = Instrument(
    "kraken:ETH/BTC",
    "kraken",
    "ETH/BTC",
    "spot",
    "ETH",
    "BTC",
    price_tick=parse("0.000001"),
    quantity_step=parse("0.00000001"),
    price_decimals=6,
    quantity_decimals=8,
    min_quantity=parse("0.001"),
    min_notional=0,
)


def levels(line: str) -> tuple[Level, ...]:
    """Read "price/quantity price/quantity ..."."""
    pairs = [pair.split("/") for pair in line.split()]
    return tuple((parse(price), parse(quantity)) for price, quantity in pairs)


# Example A of the fact sheet: the venue's documentation.
DOCUMENTED = BookReset(
    1,
    BTC,
    bids=levels(
        "45283.5/0.10000000 45283.4/1.54582015 45282.1/0.10000000 45281.0/0.10000000 "
        "45280.3/1.54592586 45279.0/0.07990000 45277.6/0.03310103 45277.5/0.30000000 "
        "45277.3/1.54602737 45276.6/0.15445238"
    ),
    asks=levels(
        "45285.2/0.00100000 45286.4/1.54571953 45286.6/1.54571109 45289.6/1.54560911 "
        "45290.2/0.15890660 45291.8/1.54553491 45294.7/0.04454749 45296.1/0.35380000 "
        "45297.5/0.09945542 45299.5/0.18772827"
    ),
    depth=10,
    checksum=3310070434,
)
# A made book below one: the zeros in front of a number are no part of the digits.
SMALL = BookReset(
    1,
    ETH_BTC.id,
    bids=levels("0.031348/0.03740000 0.031347/2.87000000"),
    asks=levels("0.031357/0.03740000 0.031358/10.00000001"),
    depth=2,
    checksum=crc32(b"31357374000031358100000000131348374000031347287000000"),
    venue_ns=7,
)
SMALL_CHANGE = BookChanged(
    2,
    ETH_BTC.id,
    bids=levels("0.031347/0 0.031329/19.07893401"),
    asks=(),
    checksum=crc32(b"313573740000313581000000001313483740000313291907893401"),
    venue_ns=9,
)


def test_documented_checksum() -> None:
    book = Book(instrument())
    assert book.reset(DOCUMENTED)
    assert book.is_valid
    assert book.checksum == 3310070434


def test_digits_have_no_leading_zeros() -> None:
    book = Book(ETH_BTC)
    assert book.reset(SMALL)
    assert book.change(SMALL_CHANGE)
    assert book.bids(2) == levels("0.031348/0.03740000 0.031329/19.07893401")
    assert (book.venue_ns, book.proven_ns, book.age_ns(12)) == (9, 2, 10)


def test_a_wrong_checksum_is_not_trusted_until_the_next_reset() -> None:
    book = Book(ETH_BTC)
    assert not book.reset(BookReset(1, ETH_BTC.id, SMALL.bids, SMALL.asks, 10, checksum=1))
    assert not book.is_valid
    assert not book.change(SMALL_CHANGE)
    assert book.reset(SMALL)
    assert not book.change(BookChanged(2, ETH_BTC.id, (), (), checksum=0))
    assert not book.change(BookChanged(3, ETH_BTC.id, (), ()))


def test_a_change_before_any_reset_is_not_trusted() -> None:
    book = Book(instrument())
    assert not book.change(BookChanged(1, BTC, levels("1/1"), ()))
    assert book.bids(9) == ()


def test_a_lost_book_waits_for_a_reset() -> None:
    book = Book(instrument())
    book.reset(DOCUMENTED)
    book.lose()
    assert not book.is_valid
    assert not book.change(BookChanged(2, BTC, levels("1/1"), ()))
    assert book.reset(DOCUMENTED)
    assert book.is_valid


def test_best_prices_of_empty_sides_are_zero() -> None:
    book = Book(instrument())
    assert (book.best_bid, book.best_ask, book.mid, book.is_crossed) == (0, 0, 0, False)
    book.reset(BookReset(1, BTC, levels("10/1"), levels("11/2")))
    assert (book.best_bid, book.bid_quantity) == (parse("10"), parse("1"))
    assert (book.best_ask, book.ask_quantity) == (parse("11"), parse("2"))
    assert book.mid == parse("10.5")
    book.change(BookChanged(2, BTC, levels("10/0"), levels("11/0")))
    assert (book.best_bid, book.bid_quantity, book.best_ask, book.ask_quantity) == (0, 0, 0, 0)
    assert book.mid == 0


def test_crossed_books_are_seen() -> None:
    book = Book(instrument())
    book.reset(BookReset(1, BTC, levels("10/1"), levels("11/1")))
    assert not book.is_crossed
    book.change(BookChanged(2, BTC, levels("11/1"), ()))
    assert book.is_crossed


def test_one_price_twice_in_a_frame_is_applied_in_sequence() -> None:
    book = Book(instrument())
    book.reset(BookReset(1, BTC, (), levels("10/1")))
    book.change(BookChanged(2, BTC, (), levels("10/0 10/3 11/1 11/0")))
    assert book.asks(5) == levels("10/3")


def test_walk_pays_the_prices_it_meets() -> None:
    book = Book(instrument())
    book.reset(BookReset(1, BTC, levels("9/1 8/5"), levels("10/1 11/2")))
    assert book.walk("buy", parse("2")) == (parse("2"), parse("21"))
    assert book.walk("sell", parse("3")) == (parse("3"), parse("25"))
    assert book.walk("buy", parse("9")) == (parse("3"), parse("32"))
    assert book.walk("buy", 1) == (1, 10)
    assert Book(instrument()).walk("sell", 5) == (0, 0)


def test_a_proof_of_life_renews_the_age() -> None:
    book = Book(instrument())
    assert book.age_ns(50) == 50
    book.prove(40)
    assert book.age_ns(50) == 10


def test_digits_kept_ready_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MAX_DIGITS", 3)
    book = Book(instrument())
    book.reset(DOCUMENTED)
    assert book.checksum == 3310070434


class NaiveBook:
    """Two dicts, sorted whenever asked: too slow to trade on, too simple to be wrong."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def apply(self, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
        for side, changes in zip(self.sides, (bids, asks), strict=True):
            for price, quantity in changes:
                side[price] = quantity
                if not quantity:
                    del side[price]
        if self.depth:
            for side, best in zip(self.sides, (self.bids(), self.asks()), strict=True):
                for price, _ in best[self.depth :]:
                    del side[price]

    def bids(self) -> list[Level]:
        return sorted(self.sides[0].items(), reverse=True)

    def asks(self) -> list[Level]:
        return sorted(self.sides[1].items())

    def checksum(self) -> int:
        line = ""
        for price, quantity in self.asks()[:10] + self.bids()[:10]:
            for number, decimals in ((price, 1), (quantity, 8)):
                line += text(number, decimals).replace(".", "").lstrip("0")
        return crc32(line.encode())


prices = st.integers(1, 40).map(lambda ticks: ticks * SCALE // 10)
quantities = st.sampled_from([0, 0, 1, 7, 12345678, 10**12]).map(lambda lots: lots * 100)
sides = st.lists(st.tuples(prices, quantities), max_size=6).map(tuple)
frames = st.lists(st.tuples(sides, sides), max_size=12)


def agree(book: Book, naive: NaiveBook) -> bool:
    return (
        list(book.bids(1000)) == naive.bids()
        and list(book.asks(1000)) == naive.asks()
        and (book.best_bid, book.bid_quantity) == next(iter(naive.bids()), (0, 0))
        and (book.best_ask, book.ask_quantity) == next(iter(naive.asks()), (0, 0))
        and book.checksum == naive.checksum()
    )


@given(depth=st.sampled_from([0, 1, 3, 10, 25]), changes=frames, has_checksums=st.booleans())
def test_fast_book_equals_a_naive_one(
    depth: int, changes: list[tuple[tuple[Level, ...], tuple[Level, ...]]], has_checksums: bool
) -> None:
    book, naive = Book(instrument()), NaiveBook(depth)
    checksum = naive.checksum() if has_checksums else None
    assert book.reset(BookReset(1, BTC, (), (), depth=depth, checksum=checksum))
    for bids, asks in changes:
        naive.apply(bids, asks)
        assert book.change(BookChanged(2, BTC, bids, asks, checksum=naive.checksum()))
        assert agree(book, naive)


def test_levels_pushed_out_of_the_depth_never_come_back() -> None:
    """Planted: a book that does not truncate shows what the venue has long forgotten."""

    def outcome(depth: int) -> tuple[bool, tuple[Level, ...]]:
        book, venue = Book(instrument()), NaiveBook(CHECKED)
        start = tuple((price * SCALE, SCALE) for price in range(20, 30))
        venue.apply((), start)
        book.reset(BookReset(1, BTC, (), start, depth=depth))
        venue.apply((), ((10 * SCALE, SCALE),))  # pushes 29 out, without a word
        book.change(BookChanged(2, BTC, (), ((10 * SCALE, SCALE),)))
        gone = ((10 * SCALE, 0), (35 * SCALE, SCALE))  # 35 is what comes into range
        venue.apply((), gone)
        fits = book.change(BookChanged(3, BTC, (), gone, checksum=venue.checksum()))
        return fits, book.asks(100)

    fits, asks = outcome(depth=CHECKED)
    assert fits
    assert asks[-1] == (35 * SCALE, SCALE)
    assert not outcome(depth=0)[0]
