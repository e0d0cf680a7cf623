"""Keccak-256 as Ethereum uses it, which is not SHA-3: the standard library has none.

safe-pysha3 is several times as quick, but has wheels for Linux only; elsewhere pycryptodome.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Hash = Callable[[bytes], bytes]


def by_pysha3() -> Hash:
    """Return the hash of safe-pysha3; `ImportError` where it is not installed."""
    new: Callable[[bytes], Any] = import_module("sha3").keccak_256

    def digest(data: bytes) -> bytes:
        found: bytes = new(data).digest()
        return found

    return digest


def by_pycryptodome() -> Hash:
    """Return the hash of pycryptodome; `ImportError` where it is not installed."""
    new: Callable[..., Any] = import_module("Crypto.Hash.keccak").new

    def digest(data: bytes) -> bytes:
        found: bytes = new(data=data, digest_bits=256).digest()
        return found

    return digest


keccak: Hash = by_pysha3() if find_spec("sha3") else by_pycryptodome()
