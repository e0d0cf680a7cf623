"""The hot path: a book update's bytes -> BookChanged, without a JSON parser.

The venue prints a book update in one fixed layout. Regular expressions that know exactly this
layout read it in a third of the time msgspec needs for exact numbers; anything else in any way
(other key order, spaces, exponents, a missing timestamp) gives None, and the slow path reads it.
Wherever this path answers, it answers what the slow path would: a test holds the two together
on mutated frames. Nearly all prices repeat, so their integers are kept by their bytes.
"""

import re

from crosswire.domain import BookChanged, Level
from crosswire.fixed import POWERS, SCALE_DIGITS
from crosswire.venues.kraken.decode.text import second_ns

PREFIX = b'{"channel":"book","type":"update","data":[{"symbol":"'
START = len(PREFIX)
# A frame of one level is shorter than this (names of up to 20 characters or so); a longer one
# may be too, and a wrong guess costs time only.
ONE_LEVEL = 208
# Prices, symbols and seconds kept; when one of these stores is full, it starts anew.
MAX_KEPT = 20_000

# JSON writes no leading zeros. Quantities of up to 8 decimals: what every pair has.
_PRICE = rb"([^,]+)"  # checked where it is turned into a number
_QUANTITY = rb"((?!0[0-9])[0-9]{1,18}\.[0-9]{8})"
_LEVEL = rb'\{"price":' + _PRICE + rb',"qty":' + _QUANTITY + rb"\}"
_HEAD = rb'([^"]+)","bids":\['
_TAIL = (
    rb'\],"checksum":((?!0[0-9])[0-9]{1,10}),"timestamp":"'
    rb'([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{6})Z"\}\]\}'
)
_one = re.compile(
    _HEAD + b"(?:" + _LEVEL + rb')?\],"asks":\[(?:' + _LEVEL + b")?" + _TAIL
).fullmatch
_many = re.compile(_HEAD + rb'([^\]]*)\],"asks":\[([^\]]*)' + _TAIL).fullmatch
_levels = re.compile(_LEVEL + rb"(?:,(?=\{)|\Z)").findall
# Characters of a level beside its two numbers, and the comma after it.
_FRAME = len('{"price":,"qty":},')
_exact = re.compile(rb"(?:0|[1-9][0-9]{0,17})\.([0-9]{1,10})").fullmatch


class Prices(dict[bytes, int]):
    """Price text -> fixed point."""

    def __missing__(self, text: bytes) -> int:
        match = _exact(text)
        if match is None:
            raise ValueError("not a plain price")
        if len(self) >= MAX_KEPT:
            self.clear()
        price = int(text.replace(b".", b"")) * POWERS[SCALE_DIGITS - len(match[1])]
        self[text] = price
        return price


class Seconds(dict[bytes, int]):
    """A time up to its second -> nanoseconds."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= MAX_KEPT:
            self.clear()
        start_ns = self[text] = second_ns(text.decode())
        return start_ns


class Symbols(dict[bytes, str]):
    """A symbol -> the instrument's id. Holds only what the slow path has seen."""

    def learn(self, symbol: str, instrument: str) -> None:
        if not symbol.isascii() or "\\" in symbol:
            return  # its bytes in a frame could be escaped: the slow path knows
        if len(self) >= MAX_KEPT:
            self.clear()
        self[symbol.encode()] = instrument


class FastBook:
    """Reads book updates in the layout it knows. `symbols` says which names it may pass."""

    def __init__(self) -> None:
        self.symbols = Symbols()
        self._prices = Prices()
        self._seconds = Seconds()

    def update(self, payload: bytes, recv_ns: int) -> BookChanged | None:
        """Return the event, or None: not a book update, or not in this layout."""
        if not payload.startswith(PREFIX):
            return None
        try:
            if len(payload) < ONE_LEVEL:
                match = _one(payload, START)
                if match is not None:
                    symbol, bid, bid_qty, ask, ask_qty, checksum, second, micros = match.groups()
                    # 100: a quantity of 8 decimals at scale 10^-10.
                    return BookChanged(
                        recv_ns,
                        self.symbols[symbol],
                        ((self._prices[bid], int(bid_qty.replace(b".", b"")) * 100),)
                        if bid is not None
                        else (),
                        ((self._prices[ask], int(ask_qty.replace(b".", b"")) * 100),)
                        if ask is not None
                        else (),
                        int(checksum),
                        self._seconds[second] + int(micros) * 1000,
                    )
            return self._many(payload, recv_ns)
        except (ValueError, KeyError):
            return None

    def _many(self, payload: bytes, recv_ns: int) -> BookChanged | None:
        match = _many(payload, START)
        if match is None:
            return None
        symbol, bids, asks, checksum, second, micros = match.groups()
        return BookChanged(
            recv_ns,
            self.symbols[symbol],
            self._side(bids) if bids else (),
            self._side(asks) if asks else (),
            int(checksum),
            self._seconds[second] + int(micros) * 1000,
        )

    def _side(self, text: bytes) -> tuple[Level, ...]:
        found = _levels(text)
        # Every character must belong to a level: findall skips what it does not know.
        length = -1
        levels = []
        for price, quantity in found:
            length += len(price) + len(quantity) + _FRAME
            levels.append((self._prices[price], int(quantity.replace(b".", b"")) * 100))
        if length != len(text):
            raise ValueError("not a plain side")
        return tuple(levels)
