"""Numbers and times as the venue reads them: plain decimals without exponents, RFC 3339."""

from datetime import UTC, datetime

from crosswire.fixed import SCALE_DIGITS

_KEPT = 8192  # texts of recent prices and quantities; a quoter's repeat, so most are found
texts: dict[int, str] = {}  # read by the hot path first, filled by `number`
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


class _Second:
    """The second that was written last: deadlines come in order, so it is mostly the same."""

    __slots__ = ("start_ns", "text")

    def __init__(self) -> None:
        self.start_ns = 0
        self.text = _second_text(0)

    def turn(self, time_ns: int) -> int:
        """Go to the second of a time; returns what is left of it, in ns."""
        self.start_ns = time_ns - time_ns % _SECOND
        self.text = _second_text(self.start_ns // _SECOND)
        return time_ns - self.start_ns


def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_second = _Second()


def stamp_ms(time_ns: int) -> str:
    """Return the time cut to milliseconds, as deadlines are written."""
    rest_ns = time_ns - _second.start_ns
    if not 0 <= rest_ns < _SECOND:
        rest_ns = _second.turn(time_ns)
    return _second.text + _MILLISECONDS[rest_ns // _MILLISECOND]


def stamp(time_ns: int) -> str:
    """Return the time cut to seconds, as order start and expiry are written."""
    return _second_text(time_ns // _SECOND) + "Z"
