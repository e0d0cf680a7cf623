"""Both libraries give Ethereum's hash, which is not the standard's SHA-3."""

from collections.abc import Callable
from hashlib import sha3_256

import pytest

from crosswire.venues.hyperliquid.keccak import Hash, by_pycryptodome, by_pysha3, keccak

EMPTY = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("made", [by_pysha3, by_pycryptodome])
def test_a_library_gives_the_hash(made: Callable[[], Hash]) -> None:
    try:
        found = made()
    except ImportError:
        pytest.skip("its library has no wheel here")
    assert found(b"").hex() == EMPTY


def test_the_one_that_is_used_is_not_sha3() -> None:
    assert keccak(b"").hex() == EMPTY
    assert keccak(b"") != sha3_256(b"").digest()
    assert keccak(b"a" * 200) == by_pycryptodome()(b"a" * 200)
