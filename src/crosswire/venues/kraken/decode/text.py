"""Kraken's texts -> integers: times, and numbers that msgspec read as Decimal."""

import re
from calendar import timegm
from decimal import Decimal

import msgspec

from crosswire import fixed

NANOSECONDS = 1_000_000_000
# What reading a foreign message can raise. A deeply nested one ends in RecursionError.
FAULTS = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
_SECOND = r"([0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9])"
_second = re.compile(_SECOND).fullmatch
_TIME = re.compile(_SECOND + r"(?:\.([0-9]{1,9}))?Z")
# Seconds whose start is kept; one a second passes, so the store starts anew every hour or so.
MAX_SECONDS = 4_096
_seconds: dict[str, int] = {}


def second_ns(text: str) -> int:
    """Return the nanoseconds at the start of a second such as 2026-08-26T15:16:16.

    `ValueError` if it is not one.
    """
    known = _seconds.get(text)
    if known is None:
        if _second(text) is None:
            raise ValueError(f'"{text}" is not a time')
        fields = [int(part) for part in re.split("[-T:]", text)]
        year, month, day, hour, minute, second = fields
        is_day = 1970 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= 31
        if not is_day or hour > 23 or minute > 59 or second > 60:
            raise ValueError(f'"{text}" is not a time')
        known = timegm((year, month, day, hour, minute, second)) * NANOSECONDS
        if len(_seconds) >= MAX_SECONDS:
            _seconds.clear()
        _seconds[text] = known
    return known


def time_ns(text: str | None) -> int:
    """Return the nanoseconds of an RFC 3339 time; 0 for a missing one or another text."""
    match = _TIME.fullmatch(text) if text else None
    if match is None:
        return 0
    second, fraction = match.groups()
    try:
        return second_ns(second) + int((fraction or "").ljust(9, "0"))
    except ValueError:
        return 0


def unix_ns(seconds: Decimal | None) -> int:
    """Return the nanoseconds of a REST time (seconds with a fraction); 0 for a missing one."""
    if seconds is None or not seconds.is_finite() or abs(seconds) > 10**11:
        return 0
    return int(seconds * NANOSECONDS)


def money(number: Decimal) -> int:
    """Return the fixed-point integer of a number; `ValueError` beyond 10^-10."""
    return fixed.from_decimal(number)


def money_or(number: Decimal | None, missing: int) -> int:
    """Return the fixed-point integer, or `missing` for a number that was not sent."""
    return missing if number is None else fixed.from_decimal(number)


def money_or_none(number: Decimal | None) -> int | None:
    """Return the fixed-point integer, or None for a number that was not sent."""
    return None if number is None else fixed.from_decimal(number)
