"""Whole books, tops laid over them, and the two ways in which a book is read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.book import Book
from crosswire.domain import BookChanged, BookReset
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import text
from crosswire.venues.hyperliquid.decode.books import MAX_LEVELS, Books
from crosswire.venues.hyperliquid.decode.fast import BookReader
from crosswire.venues.hyperliquid.decode.messages import ChannelMessage
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from tests.hyperliquid_world import NOW_NS, listings


def decoder() -> Decoder:
    return Decoder(listings(), session="hyperliquid", connection="c")


def frame(channel: str, data: Any) -> bytes:
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


# --- books -------------------------------------------------------------------------------------


def level(price: int, quantity: int = 1) -> dict[str, Any]:
    return {"px": f"{price}.0", "sz": str(quantity), "n": 1}


def book_frame(time: int, bids: list[int], asks: list[int], **more: Any) -> bytes:
    levels = [[level(price) for price in bids], [level(price) for price in asks]]
    return frame("l2Book", {"coin": "ETH", "time": time, "levels": levels, **more})


def bbo_frame(time: int, bid: int | None, ask: int | None, quantity: int = 5) -> bytes:
    tops = [None if price is None else level(price, quantity) for price in (bid, ask)]
    return frame("bbo", {"coin": "ETH", "time": time, "bbo": tops})


def shown(book: Book) -> tuple[list[int], list[int]]:
    unit = 10**10
    return [p // unit for p, _ in book.bids(99)], [p // unit for p, _ in book.asks(99)]


def play(*payloads: bytes) -> Book:
    """Return the book after frames, as the engine would hold it."""
    reader = decoder()
    book = Book(reader.listings.by_coin["ETH"].instrument)
    for payload in payloads:
        message = reader.frame(payload, NOW_NS)
        assert isinstance(message, ChannelMessage), message
        for event in message.events:
            if isinstance(event, BookReset):
                book.reset(event)
            elif isinstance(event, BookChanged):
                book.change(event)
            assert not book.is_crossed
    return book


def test_a_newer_top_is_laid_over_the_book() -> None:
    start = book_frame(10, [99, 98, 97], [101, 102, 103])
    assert shown(play(start, bbo_frame(11, 100, 101))) == ([100, 99, 98, 97], [101, 102, 103])
    assert shown(play(start, bbo_frame(11, 98, 101))) == ([98, 97], [101, 102, 103])
    assert shown(play(start, bbo_frame(11, 102, 104))) == ([102, 99, 98, 97], [104])
    assert shown(play(start, bbo_frame(11, None, 101))) == ([], [101, 102, 103])
    moved = play(start, bbo_frame(11, 99, 101, 7))
    assert (moved.bid_quantity, moved.ask_quantity) == (parse("7"), parse("7"))


def test_an_older_top_changes_nothing() -> None:
    """The planted mistake: a top from before the book would take levels from it."""
    start = book_frame(10, [99, 98], [101, 102])
    assert shown(play(start, bbo_frame(9, 90, 110))) == ([99, 98], [101, 102])
    late = (start, bbo_frame(12, 100, 101), bbo_frame(11, 90, 110))
    assert shown(play(*late)) == ([100, 99, 98], [101, 102])


def test_an_older_book_gets_the_newer_top() -> None:
    after = play(bbo_frame(12, 98, 101), book_frame(10, [99, 98, 97], [101, 102]))
    assert shown(after) == ([98, 97], [101, 102])
    assert after.bid_quantity == parse("5")
    assert shown(play(bbo_frame(12, 98, 101))) == ([98], [101])
    newer = play(bbo_frame(12, 98, 101), book_frame(13, [99], [101]))
    assert shown(newer) == ([99], [101])


def test_an_older_book_changes_nothing() -> None:
    start = book_frame(10, [99], [101])
    assert shown(play(start, book_frame(9, [50], [60]))) == ([99], [101])
    assert shown(play(start, book_frame(10, [50], [60]))) == ([50], [60])


prices = st.lists(st.integers(50, 99), unique=True, max_size=6)
steps = st.one_of(
    st.tuples(st.just("book"), st.integers(1, 30), prices, prices),
    st.tuples(
        st.just("bbo"), st.integers(1, 30), st.integers(50, 98) | st.none(),
        st.integers(1, 40) | st.none(),
    ),
)  # fmt: skip


@given(st.lists(steps, max_size=12))
def test_the_books_best_is_always_the_newest_said(taken: list[Any]) -> None:
    payloads, best_ms = [], 0
    expected: tuple[int, int] = (0, 0)
    for kind, time, first, second in taken:
        if kind == "book":
            bids, asks = sorted(first, reverse=True), sorted(price + 50 for price in second)
            payloads.append(book_frame(time, bids, asks))
            if time >= best_ms:
                best_ms, expected = time, (bids[0] if bids else 0, asks[0] if asks else 0)
        else:
            ask = None if second is None else (first or 50) + second
            payloads.append(bbo_frame(time, first, ask))
            if time >= best_ms:
                best_ms, expected = time, (first or 0, ask or 0)
    book = play(*payloads)
    if payloads and best_ms:
        unit = 10**10
        assert (book.best_bid // unit, book.best_ask // unit) == expected


def test_a_ladder_is_bounded() -> None:
    books = Books(listings())
    books.whole(wire.Book("ETH", ([], []), 1), NOW_NS)
    for number in range(1, 200):
        top = wire.Bbo("ETH", number + 1, (wire.Level(str(number), "1"), None))
        books.top(top, NOW_NS)
    assert len(books._ladders["ETH"].bids) == MAX_LEVELS
    last = books.whole(wire.Book("ETH", ([], []), 1), NOW_NS)
    assert last is not None
    assert len(last.bids) == 1
    books.forget("ETH")
    assert isinstance(books.top(wire.Bbo("ETH", 1, (None, None)), NOW_NS), BookReset)


# --- the fast path -----------------------------------------------------------------------------


def slow(payload: bytes) -> Any:
    """Return what the slow path reads of a whole book."""
    message = decoder()._frame(payload, NOW_NS)
    assert isinstance(message, ChannelMessage)
    [event] = message.events
    return event


def test_the_fast_path_reads_what_the_slow_one_reads() -> None:
    reader = BookReader()
    for payload in (
        book_frame(5, [99, 98], [101]),
        book_frame(5, [99], []),
        book_frame(5, [], []),
        book_frame(5, [1, 2, 3], [4], fast=True),
    ):
        found = reader.read(payload)
        assert found is not None
        coin, time_ms, bids, asks = found
        event = slow(payload)
        assert (coin, time_ms) == ("ETH", 5)
        assert (tuple(bids), tuple(asks)) == (event.bids, event.asks)
        assert reader.read(payload) == found  # from memory


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'[{"px"', b'[x"px"'),
        (b'"n":1}]', b'"n":1x]'),
        (b'"n":1', b'"n":01'),
        (b'"n":1', b'"n":-1'),
        (b'"time":5', b'"time":05'),
        (b'"px":"99.0"', b'"px":"9e1"'),
        (b'"px":"99.0"', b'"px":"-99.0"'),
        (b'"px":"99.0"', b'"px":"0.00000000001"'),
        (b'"coin":"ETH"', b'"coin":"ET\\u0048"'),
        (b'},{"px"', b'}, {"px"'),
        (b"]]}}", b']],"spread":"1"}}'),
    ],
)
def test_another_layout_is_left_to_the_slow_path(old: bytes, new: bytes) -> None:
    payload = book_frame(5, [99, 98], [101])
    assert BookReader().read(payload) is not None
    assert BookReader().read(payload.replace(old, new)) is None
    alone = book_frame(5, [99], [101])
    assert BookReader().read(alone.replace(old, new)) is None or old not in alone


@given(st.data())
def test_a_mutated_book_is_read_alike_by_both_ways(data: st.DataObject) -> None:
    payload = bytearray(book_frame(1_700_000_000_000, [99, 98], [101, 102]))
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(payload) - 1))
        payload[index : index + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"0", b"1", b".", b'"', b"{", b"}", b"[", b"]", b",", b"-", b"e"])
        )
    found = BookReader().read(bytes(payload))
    if found is None:
        return
    coin, time_ms, bids, asks = found
    message = decoder()._frame(bytes(payload), NOW_NS)
    assert isinstance(message, ChannelMessage)
    [event] = message.events
    assert isinstance(event, BookReset)
    assert (event.bids, event.asks) == (tuple(bids), tuple(asks))
    assert (message.coin, event.venue_ns) == (coin, text.time_ns(time_ms))


def test_the_kept_levels_do_not_grow_for_ever() -> None:
    reader = BookReader()
    for number in range(25_000):
        assert reader.read(book_frame(1, [number + 1], []))
    assert len(reader._levels) <= 20_000


# --- tops --------------------------------------------------------------------------------------

TOP = (
    b'{"channel":"bbo","data":{"coin":"ETH","time":1700000000000,"bbo":'
    b'[{"px":"99.5","sz":"1.25","n":2},{"px":"101.0","sz":"0.5","n":1}]}}'
)


def by_both_ways(payload: bytes) -> None:
    """See that the fast way, where it answers, answers what the slow one does."""
    found = BookReader().read_top(payload)
    if found is None:
        return
    fast = decoder().frame(payload, NOW_NS)
    assert fast == decoder()._frame(payload, NOW_NS)
    assert isinstance(fast, ChannelMessage)
    assert (fast.channel, fast.coin) == ("bbo", found[0])


@pytest.mark.parametrize(
    "side", [b'{"px":"99.5","sz":"1.25","n":2}', b'{"px":"101.0","sz":"0.5","n":1}']
)
def test_a_top_is_read_fast_also_where_a_side_is_empty(side: bytes) -> None:
    for payload in (TOP, TOP.replace(side, b"null")):
        assert BookReader().read_top(payload) is not None
        by_both_ways(payload)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"px":"99.5"', b'"px":"9e1"'),
        (b'"n":2', b'"n":02'),
        (b'"sz"', b'"sy"'),
        (b",{", b", {"),
        (b'"time":1', b'"time":01'),
        (b"null", b"nul"),
        (b"}]}}", b'}],"fast":true}}'),
    ],
)
def test_another_top_is_left_to_the_slow_way(old: bytes, new: bytes) -> None:
    payload = TOP.replace(b'{"px":"101.0","sz":"0.5","n":1}', b"null") if old == b"null" else TOP
    assert BookReader().read_top(payload.replace(old, new)) is None


@given(st.data())
def test_a_mutated_top_is_read_alike_by_both_ways(data: st.DataObject) -> None:
    payload = bytearray(TOP)
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(payload) - 1))
        payload[index : index + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"0", b"1", b".", b'"', b"{", b"}", b"[", b"]", b",", b"-", b"e"])
        )
    by_both_ways(bytes(payload))
