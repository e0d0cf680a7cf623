"""Numbers on the wire: exact, shortest, and packed as msgpack packs them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.fixed import parse
from crosswire.venues.hyperliquid.encode import digits
from tests.hyperliquid_world import vectors


@pytest.mark.parametrize("vector", vectors("float_to_wire"), ids=lambda each: each["in"])
def test_a_number_is_written_as_the_sdk_writes_it(vector: dict[str, str]) -> None:
    if "out" in vector:
        assert digits.wire_text(vector["in"]) == vector["out"]
    else:
        with pytest.raises(ValueError, match="has more than 8 decimals"):
            digits.wire_text(vector["in"])


def test_all_number_vectors_are_here() -> None:
    assert len(vectors("float_to_wire")) == 27


@pytest.mark.parametrize("wrong", ["", "x", "nan", "inf", "1e30", "1 2"])
def test_what_is_no_number_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        digits.wire_text(wrong)


@given(st.integers(-(10**24), 10**24))
def test_an_integers_text_is_exact_and_shortest(eighths: int) -> None:
    value = eighths * 100
    text = digits.wire_number(value)
    assert parse(text) == value
    assert digits.wire_text(text) == text
    assert not ("." in text and text.endswith("0"))


@given(st.integers(0, 10**20).filter(lambda value: value % 100))
def test_digits_that_cannot_be_written_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="more than 8 decimals"):
        digits.number(value)


@given(st.integers(0, 2**64 - 1), st.text("0123456789.", max_size=200), st.integers(0, 60_000))
def test_the_fast_packing_is_msgpack(value: int, text: str, count: int) -> None:
    pack = msgspec.msgpack.encode
    assert digits.packed_int(value) == pack(value)
    assert digits.packed_text(text) == pack(text)
    assert digits.packed_count(count) == pack([None] * count)[: 1 if count < 16 else 3]


@pytest.mark.parametrize("edge", [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32])
def test_the_edges_of_packed_integers(edge: int) -> None:
    assert digits.packed_int(edge) == msgspec.msgpack.encode(edge)


@pytest.mark.parametrize("edge", [15, 16, 200])
def test_the_edges_of_packed_arrays(edge: int) -> None:
    head = msgspec.msgpack.encode([None] * edge)[:-edge]
    assert digits.packed_count(edge) == head


def test_the_kept_numbers_do_not_grow_for_ever() -> None:
    for value in range(0, 20_000 * 100, 100):
        digits.number(value)
    assert len(digits.numbers) <= 8192
