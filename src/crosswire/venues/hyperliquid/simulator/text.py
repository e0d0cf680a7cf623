"""How the venue writes numbers, times, ids and JSON, and how it reads ours."""

from hashlib import blake2b

import msgspec

from crosswire import fixed

SECOND = 1_000_000_000
MS = 1_000_000
HEX = frozenset("0123456789abcdef")
ZERO_HASH = "0x" + "0" * 64

encode = msgspec.json.encode


def decode(payload: bytes) -> object:
    """Return the JSON value, None if it is none."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def shown(value: int) -> str:
    """Return a number as the venue prints it: always with a point."""
    plain = fixed.text(value)
    return plain if "." in plain else f"{plain}.0"


def canonical(text: str) -> str:
    """Return a number as it is hashed: no trailing zeros; `ValueError` if it is none."""
    return fixed.text(fixed.parse(text))


def scaled(text: str) -> int:
    """Return the scaled integer of a decimal text; `ValueError` if it is none."""
    return fixed.parse(text)


def ms(now_ns: int) -> int:
    return now_ns // MS


def is_hex(text: str, digits: int) -> bool:
    """Whether the text is 0x and so many lower-case hex digits."""
    return len(text) == digits + 2 and text[:2] == "0x" and HEX.issuperset(text[2:])


def address(text: str) -> str:
    """Return an address in lower case; `ValueError` if it is none."""
    lowered = text.lower()
    if not is_hex(lowered, 40):
        raise ValueError(f'"{text}" is no address')
    return lowered


def cloid(text: str) -> str:
    """Return a client order id as it is hashed: 0x and 32 lower-case digits."""
    lowered = text.lower()
    lowered = lowered if lowered.startswith("0x") else f"0x{lowered}"
    if not is_hex(lowered, 32):
        raise ValueError(f'"{text}" is no cloid')
    return lowered


def bare_id(text: str) -> str:
    """Return a cloid as the ledger keeps it: without the 0x."""
    return text.removeprefix("0x")


def trade_id(buyer: str, seller: str) -> int:
    """Return the 50 bits that both sides of a trade share."""
    digest = blake2b(f"{buyer}/{seller}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") & ((1 << 50) - 1)


def stranger(name: str) -> str:
    """Return the address of somebody who is no client here."""
    return "0x" + blake2b(name.encode(), digest_size=20).hexdigest()
