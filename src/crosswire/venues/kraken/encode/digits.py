"""Numbers and times as the venue reads them: plain decimals without exponents, RFC 3339."""

from datetime import UTC, datetime

from crosswire.fixed import SCALE_DIGITS

_KEPT = 8192  # texts of recent prices and quantities; a quoter's repeat, so most are found
texts: dict[int, str] = {}  # read by the hot path first, filled by `number`
_SECONDS_KEPT = 64
_seconds: dict[int, str] = {}
_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_MILLISECONDS = tuple(f".{count:03d}Z" for count in range(1000))


def number(value: int) -> str:
    """Return the shortest plain decimal of a fixed-point integer: 26500.4, 0.0012, 5.0."""
    found = texts.get(value)
    if found is None:
        if len(texts) >= _KEPT:
            texts.clear()
        found = texts[value] = _number(value)
    return found


def _number(value: int) -> str:
    if value < 0:
        return "-" + _number(-value)
    digits = str(value).zfill(SCALE_DIGITS + 1)
    whole, fraction = digits[:-SCALE_DIGITS], digits[-SCALE_DIGITS:].rstrip("0")
    return f"{whole}.{fraction or '0'}"


def _second(seconds: int) -> str:
    found = _seconds.get(seconds)
    if found is None:
        if len(_seconds) >= _SECONDS_KEPT:
            _seconds.clear()
        found = _seconds[seconds] = _second_text(seconds)
    return found


def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp_ms(time_ns: int) -> str:
    """Return the time cut to milliseconds, as deadlines are written."""
    seconds = time_ns // _SECOND
    text = _seconds.get(seconds) or _second(seconds)
    return text + _MILLISECONDS[time_ns % _SECOND // _MILLISECOND]


def stamp(time_ns: int) -> str:
    """Return the time cut to seconds, as order start and expiry are written."""
    return _second(time_ns // _SECOND) + "Z"
