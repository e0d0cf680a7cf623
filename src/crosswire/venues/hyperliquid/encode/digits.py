"""Wire numbers: plain decimals of at most 8 digits after the point, without trailing zeros.

The venue hashes the text of a number, so a zero too many is a wrong signature. Ours come from
integers; what cannot be written exactly is refused, never rounded.
"""

from decimal import Decimal, InvalidOperation

from crosswire.fixed import SCALE_DIGITS

WIRE_DECIMALS = 8
_FINER = 10 ** (SCALE_DIGITS - WIRE_DECIMALS)
_KEPT = 8192  # recent prices and quantities; a quoter's repeat, so most are found
_STEP = Decimal(1).scaleb(-WIRE_DECIMALS)
_MAX_MOVE = Decimal("1e-12")

# A number's text, and the same as a msgpack string: read by the hot path first.
numbers: dict[int, tuple[str, bytes]] = {}


def number(value: int) -> tuple[str, bytes]:
    """Return text and msgpack of a fixed-point integer; `ValueError` below 10^-8."""
    found = numbers.get(value)
    if found is None:
        if len(numbers) >= _KEPT:
            numbers.clear()
        text = wire_number(value)
        found = numbers[value] = (text, packed_text(text))
    return found


def wire_number(value: int) -> str:
    """Return the wire text of a fixed-point integer: 0.0147, 1670.1, 123456.

    `ValueError` if it has digits below 10^-8.
    """
    if value < 0:
        return "-" + wire_number(-value)
    if value % _FINER:
        raise ValueError(f"{Decimal(value).scaleb(-SCALE_DIGITS)} has more than 8 decimals")
    digits = str(value).zfill(SCALE_DIGITS + 1)
    whole, fraction = digits[:-SCALE_DIGITS], digits[-SCALE_DIGITS:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def wire_text(text: str) -> str:
    """Return the wire text of a decimal text, by the venue's rule for noise.

    Digits beyond the eighth may be left out if together they are below 10^-12, as the last one
    of 0.30000000000000004 is; `ValueError` otherwise. A minus before zero stays, as in the
    venue's own SDK.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f'"{text}" is not a number') from None
    if not value.is_finite() or value.adjusted() > 24:
        raise ValueError(f'"{text}" is not a plain finite number')
    rounded = value.quantize(_STEP)
    if abs(rounded - value) >= _MAX_MOVE:
        raise ValueError(f"{text} has more than 8 decimals")
    return f"{rounded:f}".rstrip("0").rstrip(".")


def packed_text(text: str) -> bytes:
    """Return the msgpack of a short ASCII text."""
    length = len(text)
    if length < 32:
        return bytes((0xA0 | length,)) + text.encode("ascii")
    return bytes((0xD9, length)) + text.encode("ascii")


def packed_int(value: int) -> bytes:
    """Return the msgpack of a whole number from 0 to 2^64 - 1, in the fewest bytes."""
    if value < 0x80:
        return value.to_bytes(1, "big")
    if value < 0x100:
        return b"\xcc" + value.to_bytes(1, "big")
    if value < 0x10000:
        return b"\xcd" + value.to_bytes(2, "big")
    if value < 0x100000000:
        return b"\xce" + value.to_bytes(4, "big")
    return b"\xcf" + value.to_bytes(8, "big")


def packed_count(count: int) -> bytes:
    """Return the head of a msgpack array."""
    return bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
