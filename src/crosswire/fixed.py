"""Text <-> fixed-point integers, exact both ways: one scale, 10^-10, for all venues.

A float never enters and is never formatted. `parse` reads what venues and people write
(including exponents, which some venues print); `text` writes plain decimals.
"""

from decimal import Decimal, InvalidOperation

SCALE_DIGITS = 10
SCALE: int = 10**SCALE_DIGITS
POWERS: tuple[int, ...] = tuple(10**digits for digits in range(101))


def parse(text: str) -> int:
    """Return the integer for a decimal text such as "65000.1" or "1e-08".

    `ValueError` if it is not a finite number or has digits below 10^-10.
    """
    whole, dot, fraction = text.partition(".")
    if not dot and whole.isdecimal():
        return int(whole) * SCALE
    if whole.isdecimal() and fraction.isdecimal() and len(fraction) <= SCALE_DIGITS:
        return int(whole + fraction) * POWERS[SCALE_DIGITS - len(fraction)]
    return _parse_slowly(text)


def _parse_slowly(text: str) -> int:
    """Signs, exponents, spaces of no kind, and good messages."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f'"{text}" is not a number') from None
    if text != text.strip() or "_" in text or not value.is_finite():
        raise ValueError(f'"{text}" is not a plain finite number')
    return from_decimal(value)


def from_decimal(value: Decimal) -> int:
    """Return the integer for a Decimal; `ValueError` if it has digits below 10^-10."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) > 40 or len(digits) > 60:
        raise ValueError(f"{value} is out of range")
    number = int("".join(map(str, digits)))
    shift = exponent + SCALE_DIGITS
    if shift < 0:
        number, rest = divmod(number, POWERS[-shift])
        if rest:
            raise ValueError(f"{value} has digits below 10^-{SCALE_DIGITS}")
    else:
        number *= POWERS[shift]
    return -number if sign else number


def from_user(value: str | Decimal | int, what: str) -> int:
    """Return the integer for what a user passed; `what` names it in the message.

    `TypeError` for a float, with the fix; `ValueError` for what is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, str | Decimal | int):
        fix = f'; write "{value}"' if isinstance(value, float) else ""
        name = type(value).__name__
        raise TypeError(f"{what} {value!r} is a {name}{fix}")
    try:
        return from_decimal(value) if isinstance(value, Decimal) else parse(str(value))
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def text(value: int, decimals: int | None = None) -> str:
    """Return the plain decimal text, with exactly `decimals` digits after the point.

    With None, trailing zeros go. `ValueError` if digits would be lost.
    """
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, fraction = divmod(value, SCALE)
    digits = f"{fraction:010d}"
    if decimals is None:
        digits = digits.rstrip("0")
    elif digits[decimals:].strip("0"):
        raise ValueError(f"{text(value)} has more than {decimals} decimals")
    else:
        digits = digits[:decimals].ljust(decimals, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def to_decimal(value: int) -> Decimal:
    """Return the Decimal of a fixed-point integer, exact, without trailing zeros."""
    return Decimal(text(value))


def multiply(left: int, right: int) -> int:
    """Return the product of two fixed-point numbers, rounded half up in magnitude."""
    product = left * right
    if product < 0:
        return -((-product + SCALE // 2) // SCALE)
    return (product + SCALE // 2) // SCALE


def divide(left: int, right: int) -> int:
    """Return left / right as fixed point, rounded towards zero; `right` is not zero."""
    quotient = abs(left) * SCALE // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient
