"""Books: whole ones every few seconds, and the best of each side with every block between.

`l2Book` replaces the book; `bbo` is newer most of the time and wins where it is. So a top laid
over a book removes what stands better than it, and sets its own level; a book that is older than
the last top gets that top laid over it before anybody sees it.
"""

from msgspec import Struct

from crosswire.domain import BookChanged, BookReset, Level
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.text import money, time_ns
from crosswire.venues.hyperliquid.listings import Listings

MAX_LEVELS = 64  # a side; deeper ones go: tops may have added some since the last whole book
_Changes = list[Level]
_NOTHING: Level = (0, 0)


class _Ladder(Struct):
    """What has been told of one book, best first."""

    bids: list[Level] = []
    asks: list[Level] = []
    book_ms: int = 0
    top_ms: int = 0
    top: tuple[Level | None, Level | None] = (None, None)


class Books:
    """The books of one feed."""

    def __init__(self, listings: Listings) -> None:
        self._listings = listings
        self._ladders: dict[str, _Ladder] = {}

    def forget(self, coin: str) -> None:
        """Drop what is known of a book: its connection is gone."""
        self._ladders.pop(coin, None)

    def best(self, coin: str) -> tuple[Level, Level]:
        """Return the best bid and ask of a book; (0, 0) for a side on which nothing stands."""
        ladder = self._ladders.get(coin)
        if ladder is None:
            return _NOTHING, _NOTHING
        return next(iter(ladder.bids), _NOTHING), next(iter(ladder.asks), _NOTHING)

    def whole(self, book: wire.Book, recv_ns: int) -> BookReset | None:
        """Return a whole book, with a newer top laid over it; None if a newer one was here."""
        bids = [(money(level.px), money(level.sz)) for level in book.levels[0]]
        asks = [(money(level.px), money(level.sz)) for level in book.levels[1]]
        return self.reset(book.coin, book.time, bids, asks, recv_ns)

    def reset(
        self, coin: str, book_ms: int, bids: list[Level], asks: list[Level], recv_ns: int
    ) -> BookReset | None:
        """Return a whole book given as its levels, best first."""
        ladder = self._ladders.get(coin)
        if ladder is None:
            ladder = self._ladders[coin] = _Ladder()
        if book_ms < ladder.book_ms:
            return None
        ladder.bids, ladder.asks, ladder.book_ms = bids, asks, book_ms
        stamp_ms = book_ms
        if ladder.top_ms > book_ms:
            _lay(ladder, *ladder.top)
            stamp_ms = ladder.top_ms
        return BookReset(
            recv_ns,
            self._listings.instrument_id(coin),
            tuple(ladder.bids),
            tuple(ladder.asks),
            venue_ns=time_ns(stamp_ms),
        )

    def top(self, bbo: wire.Bbo, recv_ns: int) -> BookReset | BookChanged | None:
        """Return what a new top changes; None if the book is newer than it."""
        bid, ask = (
            None if level is None else (money(level.px), money(level.sz)) for level in bbo.bbo
        )
        return self.lay(bbo.coin, bbo.time, bid, ask, recv_ns)

    def lay(
        self, coin: str, top_ms: int, bid: Level | None, ask: Level | None, recv_ns: int
    ) -> BookReset | BookChanged | None:
        """Return what a new top, given as its levels, changes."""
        ladder = self._ladders.get(coin)
        if ladder is None:
            ladder = self._ladders[coin] = _Ladder()
        if top_ms < ladder.book_ms or top_ms < ladder.top_ms:
            return None
        ladder.top, ladder.top_ms = (bid, ask), top_ms
        instrument, venue_ns = self._listings.instrument_id(coin), time_ns(top_ms)
        bids, asks = _lay(ladder, bid, ask)
        if not ladder.book_ms:  # nothing whole has come yet: the top is the book
            whole_bids, whole_asks = tuple(ladder.bids), tuple(ladder.asks)
            return BookReset(recv_ns, instrument, whole_bids, whole_asks, venue_ns=venue_ns)
        return BookChanged(recv_ns, instrument, tuple(bids), tuple(asks), venue_ns=venue_ns)


def _lay(ladder: _Ladder, bid: Level | None, ask: Level | None) -> tuple[_Changes, _Changes]:
    """Lay a top over a book and return the changes; no bid and no ask stand crossed after it."""
    bids: _Changes = []
    asks: _Changes = []
    floor = None if bid is None else bid[0]
    ceiling = None if ask is None else ask[0]
    while ladder.bids and (floor is None or ladder.bids[0][0] > floor):
        bids.append((ladder.bids.pop(0)[0], 0))
    while ladder.asks and (ceiling is None or ladder.asks[0][0] < ceiling):
        asks.append((ladder.asks.pop(0)[0], 0))
    if bid is not None:
        _put(ladder.bids, bid, bids)
    if ask is not None:
        _put(ladder.asks, ask, asks)
    return bids, asks


def _put(side: list[Level], best: Level, changes: _Changes) -> None:
    """Set the best level of a side, from which all better ones were removed."""
    if side and side[0][0] == best[0]:
        if side[0][1] == best[1]:
            return
        side[0] = best
    else:
        side.insert(0, best)
        del side[MAX_LEVELS:]
    changes.append(best)
