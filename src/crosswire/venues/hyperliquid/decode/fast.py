"""The hot path: the bytes of a whole book, or of its top -> levels, without a JSON parser.

The venue prints a book in one fixed layout, and most of its levels were in the book before. So
the text of a side is cut where levels meet, and each piece is looked up by its bytes; only new
ones are read. Any other layout (other keys, spaces, exponents) gives None, and the slow path
reads it; where this path answers, it answers what the slow path would.
"""

import re

from crosswire.domain import Level
from crosswire.fixed import POWERS, SCALE_DIGITS

# Levels and prices kept; a store that is full starts anew. About 200 bytes each.
MAX_KEPT = 20_000
# The price, and the size before and after its point.
_level = re.compile(
    rb'"px":"((?!0[0-9])[0-9]{1,18}(?:\.[0-9]{1,10})?)",'
    rb'"sz":"(?!0[0-9])([0-9]{1,18})(?:\.([0-9]{1,10}))?","n":(?!0[0-9])[0-9]{1,9}'
).fullmatch
# A coin without escapes, a time without leading zeros.
_frame = re.compile(
    rb'\{"channel":"l2Book","data":\{"coin":"([!#-\[\]-~]+)","time":((?!0[0-9])[0-9]{1,14}),'
    rb'"levels":\[\[(?:\{([^\]]*)\})?\],\[(?:\{([^\]]*)\})?\]\]'
    rb'(?:,"fast":(?:true|false))?\}\}'
).fullmatch
_top = re.compile(
    rb'\{"channel":"bbo","data":\{"coin":"([!#-\[\]-~]+)","time":((?!0[0-9])[0-9]{1,14}),'
    rb'"bbo":\[(?:null|\{([^{}]*)\}),(?:null|\{([^{}]*)\})\]\}\}'
).fullmatch
Whole = tuple[str, int, list[Level], list[Level]]
Top = tuple[str, int, Level | None, Level | None]


class _Prices(dict[bytes, int]):
    """Texts of prices -> integers: they come again and again, with other sizes."""

    def __missing__(self, digits: bytes) -> int:
        if len(self) >= MAX_KEPT:
            self.clear()
        whole, _, fraction = digits.partition(b".")
        price = self[digits] = int(whole + fraction) * POWERS[SCALE_DIGITS - len(fraction)]
        return price


class _Levels(dict[bytes, Level]):
    """What stands between a level's braces -> the level; `ValueError` where that is no level."""

    def __init__(self) -> None:
        super().__init__()
        self._prices = _Prices()

    def __missing__(self, piece: bytes) -> Level:
        match = _level(piece)
        if match is None:
            raise ValueError("not a plain level")
        if len(self) >= MAX_KEPT:
            self.clear()
        price, whole, fraction = match.groups(b"")
        size = int(whole + fraction) * POWERS[SCALE_DIGITS - len(fraction)]
        level = self[piece] = (self._prices[price], size)
        return level


class BookReader:
    """Reads whole books; remembers the levels it has met."""

    def __init__(self) -> None:
        self._levels = _Levels()
        self._level = self._levels.__getitem__

    def read(self, payload: bytes) -> Whole | None:
        """Return coin, time (ms), bids and asks; None for any other frame."""
        match = _frame(payload)
        if match is None:
            return None
        coin, time_ms, bids, asks = match.groups()
        level = self._level
        try:
            return (
                coin.decode(),
                int(time_ms),
                [] if bids is None else list(map(level, bids.split(b"},{"))),
                [] if asks is None else list(map(level, asks.split(b"},{"))),
            )
        except ValueError:
            return None

    def read_top(self, payload: bytes) -> Top | None:
        """Return coin, time (ms), best bid and ask of a `bbo`; None for any other frame."""
        match = _top(payload)
        if match is None:
            return None
        coin, time_ms, bid, ask = match.groups()
        level = self._level
        try:
            return (
                coin.decode(),
                int(time_ms),
                None if bid is None else level(bid),
                None if ask is None else level(ask),
            )
        except ValueError:
            return None
