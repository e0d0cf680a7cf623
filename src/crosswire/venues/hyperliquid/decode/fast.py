"""The hot path: the bytes of a whole book, or of its top -> levels, without a JSON parser.

The venue prints a book in one fixed layout, and most of its levels were in the book before. So
the text of a side is cut where levels meet, and each piece is looked up by its bytes; only new
ones are read. Any other layout (other keys, spaces, exponents) gives None, and the slow path
reads it; where this path answers, it answers what the slow path would.
"""

import re

from crosswire.domain import Level
from crosswire.fixed import POWERS, SCALE_DIGITS

# Levels kept; when the store is full, it starts anew. About 200 bytes each.
MAX_KEPT = 20_000
_NUMBER = rb'"((?!0[0-9])[0-9]{1,18}(?:\.[0-9]{1,10})?)"'
_level = re.compile(
    rb'"px":' + _NUMBER + rb',"sz":' + _NUMBER + rb',"n":(?!0[0-9])[0-9]{1,9}'
).fullmatch
# A coin without escapes, a time without leading zeros.
_frame = re.compile(
    rb'\{"channel":"l2Book","data":\{"coin":"([!#-\[\]-~]+)","time":((?!0[0-9])[0-9]{1,14}),'
    rb'"levels":\[\[([^\]]*)\],\[([^\]]*)\]\](?:,"fast":(?:true|false))?\}\}'
).fullmatch
_top = re.compile(
    rb'\{"channel":"bbo","data":\{"coin":"([!#-\[\]-~]+)","time":((?!0[0-9])[0-9]{1,14}),'
    rb'"bbo":\[(?:null|\{([^{}]*)\}),(?:null|\{([^{}]*)\})\]\}\}'
).fullmatch
Whole = tuple[str, int, list[Level], list[Level]]
Top = tuple[str, int, Level | None, Level | None]


class BookReader:
    """Reads whole books; remembers the levels it has met."""

    def __init__(self) -> None:
        self._levels: dict[bytes, Level] = {}

    def read(self, payload: bytes) -> Whole | None:
        """Return coin, time (ms), bids and asks; None for any other frame."""
        match = _frame(payload)
        if match is None:
            return None
        coin, time_ms, bids, asks = match.groups()
        try:
            return coin.decode(), int(time_ms), self._side(bids), self._side(asks)
        except ValueError:
            return None

    def read_top(self, payload: bytes) -> Top | None:
        """Return coin, time (ms), best bid and ask of a `bbo`; None for any other frame."""
        match = _top(payload)
        if match is None:
            return None
        coin, time_ms, bid, ask = match.groups()
        get, learn = self._levels.get, self._learn
        try:
            return (
                coin.decode(),
                int(time_ms),
                None if bid is None else get(bid) or learn(bid),
                None if ask is None else get(ask) or learn(ask),
            )
        except ValueError:
            return None

    def _side(self, text: bytes) -> list[Level]:
        """Return the levels of one side; `ValueError` if it is anything but plain levels."""
        if not text:
            return []
        pieces = text.split(b"},{")
        first, last = pieces[0], pieces[-1]
        if first[:1] != b"{" or last[-1:] != b"}":
            raise ValueError("not a plain side")
        if len(pieces) == 1:
            pieces[0] = text[1:-1]
        else:
            pieces[0], pieces[-1] = first[1:], last[:-1]
        get, learn = self._levels.get, self._learn
        return [get(piece) or learn(piece) for piece in pieces]

    def _learn(self, piece: bytes) -> Level:
        match = _level(piece)
        if match is None:
            raise ValueError("not a plain level")
        if len(self._levels) >= MAX_KEPT:
            self._levels.clear()
        price, size = match.groups()
        level = self._levels[piece] = (_money(price), _money(size))
        return level


def _money(digits: bytes) -> int:
    """Return the integer of a plain number."""
    whole, _, fraction = digits.partition(b".")
    return int(whole + fraction) * POWERS[SCALE_DIGITS - len(fraction)]
