"""Whatever spelling an action comes in, one form of it is hashed."""

import json
from typing import Any

import msgspec
import pytest

from crosswire.venues.hyperliquid import canonical, wire
from tests.hyperliquid_world import vectors

VECTORS = vectors("signing_vectors")


def shuffled(value: Any) -> Any:
    """Return the same JSON with all keys turned around."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(each) for each in value] if isinstance(value, list) else value


def noisy(value: Any) -> Any:
    """Return the same action with zeros after its numbers and capitals in its ids."""
    if isinstance(value, dict):
        return {key: _spelled(key, noisy(each)) for key, each in value.items()}
    return [noisy(each) for each in value] if isinstance(value, list) else value


def _spelled(key: str, value: Any) -> Any:
    if key in ("p", "s", "triggerPx") and isinstance(value, str):
        return f"{value}0" if "." in value else f"{value}.000"
    if (key in ("c", "cloid") or (key == "oid" and isinstance(value, str))) and value:
        return value[2:].upper()
    return value


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
@pytest.mark.parametrize("change", [shuffled, noisy])
def test_spelling_does_not_change_what_is_hashed(vector: dict[str, Any], change: Any) -> None:
    payload = json.dumps(change(vector["action"])).encode()
    assert canonical.pack(canonical.read(payload)).hex() == vector["msgpack_hex"]


def test_a_builders_address_is_hashed_in_lower_case() -> None:
    action = next(v["action"] for v in VECTORS if "builder" in v["action"])
    loud = {
        **action,
        "builder": {**action["builder"], "b": "0x8C967E73E7B15087C42A10D344CFF4C96D877F1D"},
    }
    assert canonical.from_mapping(loud) == canonical.from_mapping(action)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ({}, "either a limit or a trigger"),
        (
            {
                "limit": {"tif": "Gtc"},
                "trigger": {"isMarket": True, "triggerPx": "1", "tpsl": "sl"},
            },
            "either a limit or a trigger",
        ),
    ],
)
def test_an_order_has_one_kind(kind: dict[str, Any], reason: str) -> None:
    order = {"a": 1, "b": True, "p": "1", "s": "1", "r": False, "t": kind}
    with pytest.raises(ValueError, match=reason):
        canonical.from_mapping({"type": "order", "orders": [order], "grouping": "na"})


@pytest.mark.parametrize("wrong", ["", "0x", "0x12", "g" * 32, "0x" + "0" * 33])
def test_a_cloid_is_checked(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a cloid"):
        canonical.cloid(wrong)


def test_json_that_is_no_action_raises_what_decoding_raises() -> None:
    for wrong in (b"", b"{}", b"[]", b'{"type":"order"}', b'{"type":"unheard"}', b"\xff"):
        with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
            canonical.read(wrong)


def test_every_field_stands_in_canonical_order() -> None:
    """The planted mistake: sorted fields would pack, and be somebody else's signature."""
    packed = canonical.pack(wire.CancelAction([wire.CancelWire(1, 2)], f=True))
    assert packed == b"\x83\xa4type\xa6cancel\xa7cancels\x91\x82\xa1a\x01\xa1o\x02\xa1f\xc3"
