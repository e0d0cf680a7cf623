"""Canonical msgpack of a parsed action: what the venue hashes, whatever the client sent.

A struct is a map in the order of its fields, its tag first; what is unset is left out. Written
out here, so that the client's encoder and this one cannot share a mistake.
"""

from collections.abc import Iterable

from msgspec import UNSET, Struct
from msgspec.structs import fields


def pack(value: object) -> bytes:
    """Return the msgpack bytes; `TypeError` for a type no action holds."""
    if isinstance(value, Struct):
        return _map(_items(value))
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return _head(len(value), 0x90, 0xDC) + b"".join(map(pack, value))
    raise TypeError(f"no action holds a {type(value).__name__}")


def _items(value: Struct) -> list[tuple[str, object]]:
    config = value.__struct_config__
    found: list[tuple[str, object]] = []
    if config.tag_field is not None:
        found.append((config.tag_field, config.tag))
    for one in fields(value):
        held = getattr(value, one.name)
        if held is not UNSET:
            found.append((one.encode_name, held))
    return found


def _map(items: Iterable[tuple[str, object]]) -> bytes:
    pairs = [_text(name) + pack(held) for name, held in items]
    return _head(len(pairs), 0x80, 0xDE) + b"".join(pairs)


def _head(count: int, small: int, wide: int) -> bytes:
    """The head of an array or a map: one byte below sixteen, else 16 bits of length."""
    if count < 16:
        return bytes((small | count,))
    return bytes((wide,)) + count.to_bytes(2, "big")


def _text(value: str) -> bytes:
    raw = value.encode()
    if len(raw) < 32:
        return bytes((0xA0 | len(raw),)) + raw
    if len(raw) < 256:
        return bytes((0xD9, len(raw))) + raw
    return b"\xda" + len(raw).to_bytes(2, "big") + raw


def _integer(value: int) -> bytes:
    """The smallest encoding; `OverflowError` beyond 64 bits."""
    if 0 <= value < 128:
        return bytes((value,))
    if value < 0:
        return _negative(value)
    for code, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4)):
        if value < 1 << (8 * size):
            return bytes((code,)) + value.to_bytes(size, "big")
    return b"\xcf" + value.to_bytes(8, "big")


def _negative(value: int) -> bytes:
    if value >= -32:
        return bytes((value & 0xFF,))
    for code, size in ((0xD0, 1), (0xD1, 2), (0xD2, 4)):
        if value >= -(1 << (8 * size - 1)):
            return bytes((code,)) + value.to_bytes(size, "big", signed=True)
    return b"\xd3" + value.to_bytes(8, "big", signed=True)
