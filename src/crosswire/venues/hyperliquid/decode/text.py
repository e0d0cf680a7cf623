"""Hyperliquid's texts -> integers: prices, quantities, times."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

import msgspec

from crosswire import fixed
from crosswire.domain import Side

MILLISECOND = 1_000_000
MAX_MS = 10**14  # the year 5138: beyond it a number is no time
# What reading a foreign message can raise. A deeply nested one ends in RecursionError.
FAULTS = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
SIDES: dict[str, Side] = {"B": "buy", "A": "sell"}
_STEP = Decimal(1).scaleb(-fixed.SCALE_DIGITS)

money = fixed.parse


def money_or(text: str | None, missing: int) -> int:
    """Return the fixed-point integer, or `missing` for a number that was not sent."""
    return missing if text is None else fixed.parse(text)


def noisy(text: str | None) -> int:
    """Return the nearest fixed-point integer of a number the venue computed in floats.

    Sums and volumes only: 3495670.8399999999 is sent, and longer ones may be.
    """
    if text is None:
        return 0
    try:
        return fixed.parse(text)
    except ValueError:
        pass
    try:
        with localcontext() as context:
            context.prec = 60
            rounded = Decimal(text).quantize(_STEP, ROUND_HALF_EVEN)
    except InvalidOperation:
        raise ValueError(f'"{text}" is not a number') from None
    return fixed.from_decimal(rounded)


def time_ns(milliseconds: int) -> int:
    """Return the nanoseconds of a time in ms; 0 for one that cannot be."""
    return milliseconds * MILLISECOND if 0 < milliseconds < MAX_MS else 0


def side_of(letter: str) -> Side:
    """Return the side of B or A; `ValueError` for another letter."""
    side = SIDES.get(letter)
    if side is None:
        raise ValueError(f'unknown side "{letter}"')
    return side


def own_id(cloid: str | None) -> str:
    """Return our spelling of a cloid: 32 hex digits; "" where there is none."""
    return cloid.removeprefix("0x").lower() if cloid else ""
