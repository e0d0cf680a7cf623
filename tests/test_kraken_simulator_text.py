"""How the simulated Kraken writes numbers, times, ids and checksums."""

from random import Random

import pytest

from crosswire.venues.kraken.simulator.text import (
    checksum,
    crc_part,
    decimals_of,
    decode,
    fixed,
    make_id,
    moment,
    over,
    rounded,
    scaled,
    short,
    stamp_ns,
)
from tests.kraken_rig import SECOND, START

# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (452_810_000_000_000, 1, "45281.0"),
        (1_000_000_000, 8, "0.10000000"),
        (-199_743_000_000, 4, "-19.9743"),
        (5_250_000_000_000, 0, "525"),
        (499_999, 4, "0.0000"),
        (500_000, 4, "0.0001"),
        (-500_000, 4, "-0.0001"),
        (1, 10, "0.0000000001"),
    ],
)
def test_numbers_have_all_their_decimals(value: int, decimals: int, text: str) -> None:
    assert fixed(value, decimals) == text
    assert rounded(value, decimals) == scaled(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.1", "0.1"),
        ("0.00000001", "1e-08"),
        ("0.00005", "5e-05"),
        ("0.000015", "1.5e-05"),
        ("-0.00005", "-5e-05"),
        ("0.0001", "0.0001"),
        ("250", "250"),
        ("0", "0"),
    ],
)
def test_small_numbers_of_instruments_have_exponents(value: str, text: str) -> None:
    number = scaled(value)
    assert number is not None
    assert short(number) == text
    assert float(text) == float(value)


@pytest.mark.parametrize("value", ["x", "", "nan", "1e99", "0.00000000001", True, None, 1.5, []])
def test_what_is_no_exact_number_reads_as_none(value: object) -> None:
    assert scaled(value) is None


def test_small_arithmetic_is_exact() -> None:
    one = 10**10
    assert over(one, 0) == 0
    assert over(one, 3 * one) == 3_333_333_333
    assert over(-2 * one, 3 * one) == -6_666_666_667
    assert decimals_of(one) == 0
    assert decimals_of(one // 1000) == 3
    assert decimals_of(0) == 0


def test_times_are_read_and_written() -> None:
    assert moment("2026-09-21T14:13:20Z") == START
    assert moment("2026-09-21T14:13:20.500") == START + SECOND // 2
    assert moment("soon") is None
    assert moment(5) is None
    for second in range(1200):  # more than are remembered
        stamp_ns(START + second * SECOND)
    assert stamp_ns(START + 7) == "2026-09-21T14:13:20.000000007Z"


def test_ids_look_like_the_venues() -> None:
    parts = make_id(Random(1), "O").split("-")
    assert [len(part) for part in parts] == [6, 5, 6]
    assert parts[0].startswith("O")
    assert decode(b"no json") is None


def test_the_documented_checksum() -> None:
    asks = (
        "45285.2/0.00100000 45286.4/1.54571953 45286.6/1.54571109 45289.6/1.54560911 "
        "45290.2/0.15890660 45291.8/1.54553491 45294.7/0.04454749 45296.1/0.35380000 "
        "45297.5/0.09945542 45299.5/0.18772827"
    )
    bids = (
        "45283.5/0.10000000 45283.4/1.54582015 45282.1/0.10000000 45281.0/0.10000000 "
        "45280.3/1.54592586 45279.0/0.07990000 45277.6/0.03310103 45277.5/0.30000000 "
        "45277.3/1.54602737 45276.6/0.15445238"
    )
    parts = []
    for level in f"{asks} {bids}".split():
        price, _, quantity = level.partition("/")
        parts.append(crc_part(scaled(price) or 0, scaled(quantity) or 0, 1, 8))
    assert checksum(parts) == 3310070434
