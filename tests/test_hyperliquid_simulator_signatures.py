"""The simulated venue recovers every signer of the vectors, whatever the spelling it is sent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from crosswire.venues.hyperliquid.simulator import actions, signatures
from crosswire.venues.hyperliquid.simulator.packing import pack

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("CROSSWIRE_CAPTURES") or ROOT.parent / "shared" / "data")
FOLDER = ROOT / "tests" / "vectors" / "hyperliquid"
SIGNERS = "signing_vectors.json", "user_signed_vectors.json"


def vectors(name: str) -> list[dict[str, Any]]:
    for folder in (FOLDER, DATA / "hyperliquid"):
        if (folder / name).exists():
            found: list[dict[str, Any]] = json.loads((folder / name).read_text())
            return found
    pytest.skip(f"{name} is not there", allow_module_level=True)


L1, USER = map(vectors, SIGNERS)


def named(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def body(vector: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": vector["action"],
        "nonce": vector["nonce"],
        "signature": vector["signature"],
        "vaultAddress": vector.get("vault_address"),
        "expiresAfter": vector.get("expires_after"),
    }


def understood(sent: dict[str, Any]) -> actions.Signed:
    signed = actions.parse(sent)
    assert signed is not None
    return signed


@pytest.mark.parametrize("vector", L1, ids=named)
def test_an_l1_action_is_packed_hashed_and_its_signer_found(vector: dict[str, Any]) -> None:
    signed = understood(body(vector))
    action = signed.action
    assert not isinstance(action, actions.UserSigned)
    assert pack(action).hex() == vector["msgpack_hex"]
    hashed = signatures.action_hash(
        action, signed.nonce, signed.vault_address, signed.expires_after
    )
    assert f"0x{hashed.hex()}" == vector["action_hash"]
    is_mainnet = vector["is_mainnet"]
    digest = signatures.l1_digest(hashed, is_mainnet=is_mainnet)
    assert f"0x{digest.hex()}" == vector["eip712_digest"]
    assert signatures.signer(signed, is_mainnet=is_mainnet) == vector["address"].lower()
    assert signatures.signer(signed, is_mainnet=not is_mainnet) != vector["address"].lower()


@pytest.mark.parametrize("vector", USER, ids=named)
def test_the_signer_of_a_user_signed_action_is_found(vector: dict[str, Any]) -> None:
    signed = understood(body(vector))
    assert signatures.signer(signed, is_mainnet=True) == vector["address"].lower()


def turned(value: Any) -> Any:
    """The same JSON with every object's keys the other way round."""
    if isinstance(value, dict):
        return {key: turned(held) for key, held in reversed(value.items())}
    return [turned(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("vector", L1 + USER, ids=named)
def test_the_order_of_keys_in_the_json_means_nothing(vector: dict[str, Any]) -> None:
    is_mainnet = vector["is_mainnet"]
    signed = understood(turned(body(vector)))
    assert signatures.signer(signed, is_mainnet=is_mainnet) == vector["address"].lower()


def order() -> dict[str, Any]:
    found = next(one for one in L1 if one["name"] == "order_limit_ioc_cloid_mainnet")
    copied: dict[str, Any] = json.loads(json.dumps(body(found)))
    return copied


def spelled_otherwise() -> dict[str, Any]:
    """The same order: zeros behind its numbers, capitals in its cloid and no 0x before it."""
    sent = order()
    wire = sent["action"]["orders"][0]
    wire |= {"p": "65432.00", "s": "0.001230", "c": wire["c"].removeprefix("0x").upper()}
    return sent


def test_other_spellings_are_hashed_as_the_venue_spells_them() -> None:
    first, other = understood(order()), understood(spelled_otherwise())
    assert signatures.signer(other, is_mainnet=True) == signatures.signer(first, is_mainnet=True)


def test_a_flag_that_says_false_is_left_out() -> None:
    """So a client that signed it is taken for somebody else."""
    said = actions.parse(order() | {"action": {"type": "cancel", "cancels": [], "f": False}})
    assert said is not None
    assert isinstance(said.action, actions.Cancel)
    assert said.action.f is UNSET
    assert pack(said.action) == pack(actions.Cancel([]))


@pytest.mark.parametrize("key", ["r", "s"])
def test_one_flipped_bit_gives_somebody_else_or_nobody(key: str) -> None:
    sent = order()
    right = signatures.signer(understood(sent), is_mainnet=True)
    sent["signature"][key] = hex(int(sent["signature"][key], 16) ^ 1)
    assert signatures.signer(understood(sent), is_mainnet=True) != right


def test_what_no_key_can_have_made_has_no_signer() -> None:
    for broken in ({"r": "0x0"}, {"s": "0x0"}, {"v": 12}, {"r": "0x" + "f" * 80}, {"r": "no"}):
        sent = order()
        sent["signature"] |= broken
        assert signatures.signer(understood(sent), is_mainnet=True) is None


@pytest.mark.parametrize(
    "change",
    [
        {"p": 65432},
        {"a": "0"},
        {"x": 1},
        {"c": None},
        {"c": "0x12"},
        {"p": "many"},
        {"t": {}},
        {"t": {"limit": {"tif": "Fok"}}},
        {"t": {"limit": {"tif": "LiquidationMarket"}}},
        {"t": {"limit": {"tif": "Ioc"}, "trigger": {}}},
    ],
    ids=str,
)
def test_what_fits_no_type_is_not_parsed(change: dict[str, Any]) -> None:
    sent = order()
    sent["action"]["orders"][0] |= change
    assert actions.parse(sent) is None


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "1"},
        {"nonce": -1},
        {"nonce": 1 << 64},
        {"signature": None},
        {"vaultAddress": "0x12"},
        {"action": {"type": "order"}},
        {"action": {"type": "fly"}},
        {"action": None},
    ],
    ids=str,
)
def test_an_envelope_that_fits_no_type_is_not_parsed(change: dict[str, Any]) -> None:
    assert actions.parse(order() | change) is None


def test_an_entry_counts_for_the_budget() -> None:
    sent = order()
    sent["action"]["orders"] *= 3
    assert actions.weight(understood(sent).action) == 3
    assert actions.weight(actions.Noop()) == 1


def test_integers_and_lengths_are_packed_in_their_smallest_form() -> None:
    sizes = {0: 1, 127: 1, 128: 2, 256: 3, 1 << 16: 5, 1 << 32: 9, -1: 1, -33: 2, -129: 3}
    sizes |= {-(1 << 15) - 1: 5, -(1 << 31) - 1: 9}
    assert {value: len(pack(value)) for value in sizes} == sizes
    assert [len(pack("x" * count)) - count for count in (31, 32, 256)] == [1, 2, 3]
    assert [pack([None] * count)[:-count] for count in (15, 16)] == [b"\x9f", b"\xdc\x00\x10"]
    with pytest.raises(TypeError, match="float"):
        pack(1.5)


def test_the_address_of_a_private_key() -> None:
    for vector in L1:
        made = signatures.address_of_secret(vector["private_key"])
        assert made == vector["address"].lower()
