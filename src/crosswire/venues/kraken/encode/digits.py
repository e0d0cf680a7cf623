"""Numbers and times as the venue reads them: plain decimals without exponents, RFC 3339."""

from datetime import UTC, datetime
from functools import lru_cache

from crosswire.fixed import SCALE_DIGITS

_KEPT = 8192  # texts of recent prices and quantities; a quoter's repeat, so most are found
_texts: dict[int, str] = {}
_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_MILLISECONDS = tuple(f".{count:03d}Z" for count in range(1000))


def number(value: int) -> str:
    """Return the shortest plain decimal of a fixed-point integer: 26500.4, 0.0012, 5.0."""
    found = _texts.get(value)
    if found is None:
        if len(_texts) >= _KEPT:
            _texts.clear()
        found = _texts[value] = _number(value)
    return found


def _number(value: int) -> str:
    if value < 0:
        return "-" + _number(-value)
    digits = str(value).zfill(SCALE_DIGITS + 1)
    whole, fraction = digits[:-SCALE_DIGITS], digits[-SCALE_DIGITS:].rstrip("0")
    return f"{whole}.{fraction or '0'}"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp_ms(time_ns: int) -> str:
    """Return the time cut to milliseconds, as deadlines are written."""
    seconds, milliseconds = divmod(time_ns // _MILLISECOND, 1000)
    return _second(seconds) + _MILLISECONDS[milliseconds]


def stamp(time_ns: int) -> str:
    """Return the time cut to seconds, as order start and expiry are written."""
    return _second(time_ns // _SECOND) + "Z"
