"""How the venue writes: numbers with fixed decimals, times, ids, envelopes.

This is the simulator's own code from the ground up, shared with no client: the two ends of the
wire must not be able to share one mistake. Prices and quantities are integers at scale 10^-10.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from random import Random
from zlib import crc32

import msgspec
from msgspec import Raw

DIGITS = 10
ONE: int = 10**DIGITS
SECOND = 1_000_000_000
REPEATED = 4_096  # texts kept: a book prints the same levels over and over
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE64_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Json = Mapping[str, object]


def rounded(value: int, decimals: int) -> int:
    """Round a scaled integer half up in magnitude to so many decimals, still scaled."""
    unit: int = 10 ** (DIGITS - min(decimals, DIGITS))
    half = unit // 2
    return -((-value + half) // unit * unit) if value < 0 else (value + half) // unit * unit


def times(left: int, right: int) -> int:
    """Multiply two scaled integers, rounded half up in magnitude."""
    product = left * right
    return -((-product + ONE // 2) // ONE) if product < 0 else (product + ONE // 2) // ONE


def over(left: int, right: int) -> int:
    """Divide two scaled integers, rounded half up; 0 where there is nothing to divide by."""
    if right == 0:
        return 0
    return (abs(left) * ONE + abs(right) // 2) // abs(right) * (1 if left * right >= 0 else -1)


@lru_cache(REPEATED)
def fixed(value: int, decimals: int) -> str:
    """Return the plain decimal text with exactly so many decimals, as the book prints it."""
    value = rounded(value, decimals)
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(value, ONE)
    if decimals == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{f'{rest:010d}'[:decimals].ljust(decimals, '0')}"


@lru_cache(REPEATED)
def number(value: int, decimals: int) -> Raw:
    """Return a bare JSON number of fixed decimals."""
    return Raw(fixed(value, decimals).encode())


def short(value: int) -> str:
    """Return the text as the `instrument` channel prints it: `0.1`, `5e-05`, `1e-08`, `250`."""
    plain = fixed(value, DIGITS).rstrip("0").removesuffix(".")
    if plain == "0" or abs(value) >= ONE // 10_000:
        return plain
    sign = "-" if value < 0 else ""
    digits = str(abs(value))
    exponent = DIGITS - len(digits) + 1
    digits = digits.rstrip("0")
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e-{exponent:02d}"


def short_number(value: int) -> Raw:
    """Return a bare JSON number as the `instrument` channel prints it."""
    return Raw(short(value).encode())


def scaled(value: object) -> int | None:
    """Return the scaled integer of a request's number or numeric text; None if it is none.

    None too where it has digits below 10^-10 or is out of any range.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        exact = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        return None
    if not exact.is_finite() or abs(exact.adjusted()) > 24:
        return None
    shifted = exact.scaleb(DIGITS)
    return int(shifted) if shifted == shifted.to_integral_value() else None


def decimals_of(value: int) -> int:
    """Return how many decimals a scaled integer really uses."""
    used = DIGITS
    while used and value % 10 == 0:
        value //= 10
        used -= 1
    return used


@lru_cache(REPEATED)
def crc_part(price: int, quantity: int, price_decimals: int, quantity_decimals: int) -> str:
    """Return one level's text inside the checksum: no point, no leading zeros."""
    left = fixed(price, price_decimals).replace(".", "").lstrip("0")
    return left + fixed(quantity, quantity_decimals).replace(".", "").lstrip("0")


def checksum(parts: list[str]) -> int:
    """CRC-32 over the asks' parts, lowest first, then the bids', highest first."""
    return crc32("".join(parts).encode())


def stamp(at_ns: int) -> str:
    """RFC 3339 with microseconds and `Z`."""
    seconds, rest = divmod(at_ns, SECOND)
    return f"{_second(seconds)}.{rest // 1000:06d}Z"


def stamp_ns(at_ns: int) -> str:
    """RFC 3339 with nanoseconds, as level 3 and `ohlc` print it."""
    seconds, rest = divmod(at_ns, SECOND)
    return f"{_second(seconds)}.{rest:09d}Z"


def stamp_seconds(at_ns: int) -> str:
    """RFC 3339 with whole seconds."""
    return f"{_second(at_ns // SECOND)}Z"


_seconds: dict[int, str] = {}  # the texts of recent seconds: formatting one costs microseconds


def _second(seconds: int) -> str:
    text = _seconds.get(seconds)
    if text is None:
        if len(_seconds) > 1000:
            _seconds.clear()
        moment = EPOCH + timedelta(seconds=seconds)
        text = _seconds[seconds] = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return text


def unix(at_ns: int) -> Raw:
    """Unix seconds with four decimals, the way REST dates its rows."""
    return Raw(f"{at_ns // SECOND}.{at_ns % SECOND // 100_000:04d}".encode())


def moment(value: object) -> int | None:
    """Return nanoseconds for an RFC 3339 text; None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return (found - EPOCH) // timedelta(microseconds=1) * 1000


def draw(rng: Random, letters: str, length: int) -> str:
    """Draw so many letters."""
    return "".join(rng.choices(letters, k=length))


def make_id(rng: Random, prefix: str) -> str:
    """Draw an id such as `OXM2QD-EALR2-YBAVEU` (O order, T fill or amend, L ledger row)."""
    letters = draw(rng, ID_LETTERS, 16)
    return f"{prefix}{letters[:5]}-{letters[5:10]}-{letters[10:]}"


def encode(message: object) -> bytes:
    """Write JSON; numbers wrapped in `Raw` go out digit for digit."""
    return msgspec.json.encode(message)


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def decode(payload: bytes) -> object:
    """Read JSON with every fraction as an exact Decimal; None if it is no JSON."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return None


def success(
    method: str, req_id: object, result: object, time_in: int, time_out: int
) -> dict[str, object]:
    """The answer to a request that worked; keys in the venue's alphabetical order."""
    message: dict[str, object] = {"method": method}
    if req_id is not None:
        message["req_id"] = req_id
    message |= {"result": result, "success": True}
    return message | {"time_in": stamp(time_in), "time_out": stamp(time_out)}


def failure(
    method: str, req_id: object, error: str, time_in: int, time_out: int, symbol: str = ""
) -> dict[str, object]:
    """The answer to a request that was refused; `symbol` where the refusal is about one."""
    message: dict[str, object] = {"error": error, "method": method}
    if req_id is not None:
        message["req_id"] = req_id
    if error.startswith("ESession:"):
        message["status"] = "error"
    message["success"] = False
    if symbol:
        message["symbol"] = symbol
    return message | {"time_in": stamp(time_in), "time_out": stamp(time_out)}
