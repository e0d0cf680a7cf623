"""Text <-> integers, exact both ways."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.fixed import (
    SCALE,
    divide,
    from_decimal,
    from_user,
    multiply,
    parse,
    text,
    to_decimal,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", 0),
        ("1", SCALE),
        ("65000.1", 650001 * 10**9),
        ("0.0000000001", 1),
        ("0.00000000010", 1),
        ("-1.5", -15 * 10**9),
        ("+2", 2 * SCALE),
        ("1e-08", 100),
        ("5E-05", 500000),
        ("1e3", 1000 * SCALE),
        (".5", SCALE // 2),
        ("5.", 5 * SCALE),
        ("00012.50", 125 * 10**9),
    ],
)
def test_parse(written: str, value: int) -> None:
    assert parse(written) == value


@pytest.mark.parametrize(
    "wrong", ["", "abc", "1,5", "1_000", "nan", "inf", "-Infinity", " 1", "1 ", "0x10", "--1", "1e"]
)
def test_what_is_not_a_number_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(ValueError, match=f'"{wrong}"'):
        parse(wrong)


@pytest.mark.parametrize("wrong", ["0.00000000001", "1e-11", "1.00000000005", "1e99"])
def test_digits_that_do_not_fit_are_refused_never_rounded(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"digits below|out of range"):
        parse(wrong)


@given(st.integers(-(10**30), 10**30))
def test_text_and_integer_are_exact_both_ways(value: int) -> None:
    assert parse(text(value)) == value
    assert parse(text(value, 10)) == value
    assert from_decimal(to_decimal(value)) == value


@given(st.integers(-(10**20), 10**20), st.integers(0, 10))
def test_fixed_decimals_keep_the_value_or_refuse(value: int, decimals: int) -> None:
    if value % 10 ** (10 - decimals):
        with pytest.raises(ValueError, match="more than"):
            text(value, decimals)
        return
    written = text(value, decimals)
    assert parse(written) == value
    assert len(written.partition(".")[2]) == decimals


def test_a_float_is_refused_with_the_fix() -> None:
    with pytest.raises(TypeError, match=r'quantity 0\.01 is a float; write "0\.01"'):
        from_user(0.01, "quantity")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="price True is a bool"):
        from_user(True, "price")
    with pytest.raises(TypeError, match="price None is a NoneType"):
        from_user(None, "price")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='price: "x" is not a number'):
        from_user("x", "price")


def test_text_decimal_and_int_are_taken_from_users() -> None:
    assert from_user("0.01", "q") == from_user(Decimal("0.01"), "q") == SCALE // 100
    assert from_user(3, "q") == 3 * SCALE


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18))
def test_a_product_is_off_by_at_most_half_a_unit(left: int, right: int) -> None:
    assert abs(multiply(left, right) * SCALE - left * right) * 2 <= SCALE


def test_division_goes_towards_zero() -> None:
    assert divide(parse("1"), parse("3")) == 3333333333
    assert divide(-parse("1"), parse("3")) == -3333333333
    assert divide(-parse("6"), -parse("3")) == parse("2")
