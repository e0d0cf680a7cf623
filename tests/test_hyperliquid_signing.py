"""Signatures, byte for byte those of the venue's own SDK, and what must never be signed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.venues.hyperliquid import canonical, signing
from crosswire.venues.hyperliquid.keccak import keccak
from crosswire.venues.hyperliquid.signing import Nonces, Signer
from tests.hyperliquid_world import ACCOUNT, KEY, NOW_MS, NOW_NS, VAULT, vectors

L1 = vectors("signing_vectors")
USER = vectors("user_signed_vectors")
ORDER = L1[1]["action"]


def signer_of(vector: dict[str, Any]) -> Signer:
    vault = vector.get("vault_address") or ""
    return Signer(vector["private_key"], is_mainnet=vector["is_mainnet"], vault=vault)


def named(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def test_all_vectors_are_here() -> None:
    assert (len(L1), len(USER)) == (51, 12)


@pytest.mark.parametrize("vector", L1, ids=named)
def test_an_l1_action_is_signed_as_the_sdk_signs_it(vector: dict[str, Any]) -> None:
    signer, expiry = signer_of(vector), vector["expires_after"]
    packed, _ = signing.packed_action(vector["action"])
    assert packed.hex() == vector["msgpack_hex"]
    assert signer.address == vector["address"]
    signed = signing.sign_action(
        vector["action"], signer, vector["nonce"], expires_after_ms=expiry or 0
    )
    expected = signing.signature_bytes(**vector["signature"])
    assert signed.signature == signing.signature_members(expected)
    digest = signing.l1_digest(
        packed,
        vector["nonce"],
        vector["vault_address"] or "",
        expiry,
        is_mainnet=vector["is_mainnet"],
    )
    assert "0x" + digest.hex() == vector["eip712_digest"]
    assert signing.recovered(digest, expected) == vector["address"]


@pytest.mark.parametrize("vector", L1, ids=named)
def test_the_connection_id_is_the_hash_of_the_preimage(vector: dict[str, Any]) -> None:
    assert "0x" + keccak(bytes.fromhex(vector["preimage_hex"])).hex() == vector["action_hash"]
    assert vector["preimage_hex"].startswith(vector["msgpack_hex"])


@pytest.mark.parametrize("vector", USER, ids=named)
def test_a_user_signed_action_is_signed_as_the_sdk_signs_it(vector: dict[str, Any]) -> None:
    signed = signing.sign_action(vector["action"], signer_of(vector), vector["nonce"])
    assert signed.signature == vector["signature"]
    assert signed.action == vector["action"]
    name, fields = signing.USER_SIGNED[vector["action"]["type"]]
    assert vector["primary_type"] == f"HyperliquidTransaction:{name}"
    listed = [(each["name"], each["type"]) for each in vector["types"]]
    assert listed == [("hyperliquidChain", "string"), *fields]


def test_the_constants_are_those_of_the_sheet() -> None:
    assert signing.L1_DOMAIN.hex().startswith("d79297fcdf2ffcd4ae223d01edaa2ba2")
    user = signing.domain_separator("HyperliquidSignTransaction", 421614)
    assert user.hex().startswith("feb1393ca4412a4ca577bd51d04f0a77")


@pytest.mark.parametrize("vector", L1, ids=named)
def test_one_flipped_bit_is_another_signer(vector: dict[str, Any]) -> None:
    signature = bytearray(signing.signature_bytes(**vector["signature"]))
    digest = bytes.fromhex(vector["eip712_digest"][2:])
    signature[40] ^= 1
    try:
        found = signing.recovered(digest, bytes(signature))
    except ValueError:
        return
    assert found != vector["address"]


def test_the_order_of_a_known_actions_keys_does_not_matter() -> None:
    signer = Signer(KEY, is_mainnet=True)
    turned = {
        "grouping": ORDER["grouping"],
        "orders": [dict(reversed(each.items())) for each in ORDER["orders"]],
        "type": "order",
    }
    turned["orders"][0]["p"] += ".00"
    turned["orders"][0]["c"] = turned["orders"][0]["c"].upper().replace("0X", "")
    signed = signing.sign_action(turned, signer, NOW_MS)
    assert signed == signing.sign_action(ORDER, signer, NOW_MS)
    assert signed.body() == signing.sign_action(ORDER, signer, NOW_MS).body()


def test_an_explicit_false_is_another_hash_than_none() -> None:
    plain = {"type": "cancel", "cancels": [{"a": 1, "o": 2}]}
    told = {**plain, "f": False}
    assert signing.packed_action(plain)[0] != signing.packed_action(told)[0]


def test_an_unknown_field_of_a_known_action_is_refused_not_dropped() -> None:
    with pytest.raises(ValueError, match="noop: Object contains unknown field `x`"):
        signing.packed_action({"type": "noop", "x": 1})


def test_an_unknown_action_is_signed_in_the_order_given() -> None:
    packed, action = signing.packed_action({"type": "brandNew", "b": 1, "a": "2"})
    assert packed == b"\x83\xa4type\xa8brandNew\xa1b\x01\xa1a\xa12"
    assert action == {"type": "brandNew", "b": 1, "a": "2"}


def test_a_float_is_refused_with_the_fix() -> None:
    order = {**ORDER, "orders": [{**ORDER["orders"][0], "p": 65432.5}]}
    with pytest.raises(TypeError, match=r'65432.5 is a float; write "65432.5"'):
        signing.sign_action(order, Signer(KEY, is_mainnet=True), NOW_MS)


def test_a_user_signed_action_takes_no_vault_no_expiry_and_one_nonce() -> None:
    transfer = {"type": "usdSend", "destination": VAULT, "amount": "1", "time": NOW_MS}
    signer, vault = Signer(KEY, is_mainnet=True), Signer(KEY, is_mainnet=True, vault=VAULT)
    with pytest.raises(ValueError, match="neither a vault nor an expiry"):
        signing.sign_action(transfer, vault, NOW_MS)
    with pytest.raises(ValueError, match="neither a vault nor an expiry"):
        signing.sign_action(transfer, signer, NOW_MS, expires_after_ms=NOW_MS)
    with pytest.raises(ValueError, match="carries its nonce"):
        signing.sign_action(transfer, signer, NOW_MS + 1)
    with pytest.raises(ValueError, match="amount is not a string"):
        signing.sign_action({**transfer, "amount": 1}, signer, NOW_MS)
    with pytest.raises(ValueError, match="time is not a uint64"):
        signing.user_digest({**transfer, "hyperliquidChain": "Mainnet", "time": True})
    with pytest.raises(ValueError, match="no signatureChainId"):
        signing.user_digest({**transfer, "hyperliquidChain": "Mainnet"})
    with pytest.raises(ValueError, match='"order" is not a user-signed action'):
        signing.user_digest(ORDER)


def test_an_unnamed_agent_is_signed_with_an_empty_name_that_is_not_sent() -> None:
    agent = {"type": "approveAgent", "agentAddress": VAULT, "agentName": "", "nonce": NOW_MS}
    signed = signing.sign_action(agent, Signer(KEY, is_mainnet=True), NOW_MS)
    assert isinstance(signed.action, dict)
    assert "agentName" not in signed.action
    assert signing.user_digest(signed.action) == signing.user_digest(
        {**signed.action, "agentName": ""}
    )


def test_a_short_half_of_a_signature_is_padded() -> None:
    assert signing.signature_bytes("0x1", "0x2", 28) == b"\0" * 31 + b"\1" + b"\0" * 31 + b"\2\1"
    for r, s, v in (("1", "0x2", 27), ("0x1", "0x", 27), ("0x1", "0x2", 29), ("0x1 ", "0x2", 27)):
        with pytest.raises(ValueError, match="not a signature"):
            signing.signature_bytes(r, s, v)
    with pytest.raises(ValueError, match="cannot be recovered"):
        signing.recovered(b"\1" * 32, b"\xff" * 64 + b"\0")


def test_a_key_never_shows() -> None:
    assert KEY[2:] not in repr(Signer(KEY, is_mainnet=True))
    for wrong in ("", "0x12", "0x" + "0" * 64, "0x" + "f" * 64, KEY + "0", "zz" * 32):
        with pytest.raises(ValueError, match="private key must be") as error:
            Signer(wrong, is_mainnet=True)
        assert not wrong or wrong not in str(error.value)
        assert error.value.__cause__ is None
    assert signing.address_of(KEY[2:]) == ACCOUNT


@pytest.mark.parametrize("wrong", ["", "0x", VAULT[2:], VAULT + "0", VAULT[:-1] + "g"])
def test_an_address_is_checked(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        signing.address_bytes(wrong)


# --- nonces ------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_nonces_rise_whatever_the_clock_does(clock: list[int]) -> None:
    nonces = Nonces(500)
    given_out = [nonces.next(ms * 1_000_000) for ms in clock]
    assert given_out == sorted(set(given_out))
    assert given_out[0] >= max(500, clock[0])


def test_a_burst_in_one_millisecond_takes_the_next_ones() -> None:
    nonces = Nonces()
    assert [nonces.next(NOW_NS + offset) for offset in range(3)] == [
        NOW_MS, NOW_MS + 1, NOW_MS + 2
    ]  # fmt: skip


def test_no_nonce_reaches_the_durable_ceiling_until_it_is_raised() -> None:
    nonces = Nonces(NOW_MS, ceiling=NOW_MS + 1)
    assert nonces.next(NOW_NS) == NOW_MS
    for _ in range(2):
        with pytest.raises(ValueError, match="not below the durable ceiling"):
            nonces.next(NOW_NS)
    nonces.ceiling = NOW_MS + 2
    assert nonces.next(NOW_NS) == NOW_MS + 1


def test_at_the_ceiling_some_are_kept_for_cancels() -> None:
    nonces = Nonces(NOW_MS, ceiling=NOW_MS + 1)
    given_out = [nonces.spare(NOW_NS + 10**15) for _ in range(3)]
    assert given_out == [NOW_MS, NOW_MS + 1, NOW_MS + 2]
    with pytest.raises(ValueError, match="not below the durable ceiling"):
        nonces.next(NOW_NS)
    for _ in range(signing.RESERVED - 2):
        nonces.spare(NOW_NS)
    with pytest.raises(ValueError, match="not below the durable ceiling"):
        nonces.spare(NOW_NS)
    nonces.ceiling = NOW_MS + 10**6
    assert nonces.next(NOW_NS) == NOW_MS + 1 + signing.RESERVED


def test_canonical_knows_what_is_documented() -> None:
    assert {vector["action"]["type"] for vector in L1} <= canonical.KNOWN
