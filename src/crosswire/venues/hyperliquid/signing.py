"""Signatures: L1 actions (orders and all that trades), user-signed ones (money, approvals).

L1: connection id = keccak(msgpack of the action, nonce, vault, expiry); what is signed is the
EIP-712 digest of Agent(source, connection id), in which only those 32 bytes ever change, so the
rest is computed once. User-signed: plain EIP-712 of the action's own fields. All of it is
secp256k1 by RFC 6979, so the same action gives the same signature.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from coincurve import PrivateKey, PublicKey
from msgspec import Struct

from crosswire.venues.hyperliquid import canonical
from crosswire.venues.hyperliquid.keccak import keccak

MAINNET_CHAIN, TESTNET_CHAIN = "Mainnet", "Testnet"
RESERVED = 10_000  # nonces above the ceiling that are kept for cancels
SIGNATURE_CHAIN = "0x66eee"  # what the venue's SDK signs user actions for
_L1_CHAIN_ID = 1337
_PREFIX = b"\x19\x01"
_HALF = re.compile("0x[0-9a-fA-F]{1,64}").fullmatch
_DOMAIN_TYPE = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_AGENT_TYPE = keccak(b"Agent(string source,bytes32 connectionId)")


def domain_separator(name: str, chain_id: int) -> bytes:
    """Return the hash of an EIP-712 domain of version 1 at the zero address."""
    words = (_DOMAIN_TYPE, keccak(name.encode()), keccak(b"1"), chain_id.to_bytes(32, "big"))
    return keccak(b"".join(words) + bytes(32))


L1_DOMAIN = domain_separator("Exchange", _L1_CHAIN_ID)
_L1_HEAD = _PREFIX + L1_DOMAIN
_AGENT_HEADS = {True: _AGENT_TYPE + keccak(b"a"), False: _AGENT_TYPE + keccak(b"b")}

Fields = tuple[tuple[str, str], ...]
_STRING, _ADDRESS, _UINT, _BOOL, _BYTES32 = "string", "address", "uint64", "bool", "bytes32"
_TIME, _NONCE = ("time", _UINT), ("nonce", _UINT)
_TO, _AMOUNT = ("destination", _STRING), ("amount", _STRING)
# Action type -> name of the signed type, and its fields after `hyperliquidChain`.
USER_SIGNED: dict[str, tuple[str, Fields]] = {
    "usdSend": ("UsdSend", (_TO, _AMOUNT, _TIME)),
    "spotSend": ("SpotSend", (_TO, ("token", _STRING), _AMOUNT, _TIME)),
    "withdraw3": ("Withdraw", (_TO, _AMOUNT, _TIME)),
    "usdClassTransfer": ("UsdClassTransfer", (_AMOUNT, ("toPerp", _BOOL), _NONCE)),
    "sendAsset": (
        "SendAsset",
        (
            _TO,
            ("sourceDex", _STRING),
            ("destinationDex", _STRING),
            ("token", _STRING),
            _AMOUNT,
            ("fromSubAccount", _STRING),
            _NONCE,
        ),
    ),
    "approveAgent": (
        "ApproveAgent",
        (("agentAddress", _ADDRESS), ("agentName", _STRING), _NONCE),
    ),
    "approveBuilderFee": (
        "ApproveBuilderFee",
        (("maxFeeRate", _STRING), ("builder", _ADDRESS), _NONCE),
    ),
    "cDeposit": ("CDeposit", (("wei", _UINT), _NONCE)),
    "cWithdraw": ("CWithdraw", (("wei", _UINT), _NONCE)),
    "tokenDelegate": (
        "TokenDelegate",
        (("validator", _ADDRESS), ("wei", _UINT), ("isUndelegate", _BOOL), _NONCE),
    ),
}


class Nonces:
    """One signer's nonces: the clock in ms, but always above the one before.

    They are given out below `ceiling` only, if there is one: whoever keeps it durable raises
    it ahead of time, so that no restart, with whatever clock, can give one out again.
    """

    def __init__(self, first: int = 0, ceiling: int | None = None) -> None:
        self._last = first - 1
        self.ceiling = ceiling

    def next(self, now_ns: int) -> int:
        """Return the next nonce; `ValueError` at the ceiling, and none is used up."""
        now_ms = now_ns // 1_000_000
        nonce = now_ms if now_ms > self._last else self._last + 1
        if self.ceiling is not None and nonce >= self.ceiling:
            raise ValueError(f"nonce {nonce} is not below the durable ceiling {self.ceiling}")
        self._last = nonce
        return nonce

    def spare(self, now_ns: int) -> int:
        """Return the next nonce for a cancel: at the ceiling one of those kept for cancels.

        They are no longer the clock then, but just above the one before: that is enough for the
        venue, and few of them last long.
        """
        try:
            return self.next(now_ns)
        except ValueError:
            if self.ceiling is None or self._last + 1 >= self.ceiling + RESERVED:
                raise
        self._last += 1
        return self._last


class Signer:
    """One key's signatures for one network, for its own account or for a vault's."""

    __slots__ = ("_agent", "_key", "_vault", "address", "is_mainnet", "vault")

    def __init__(self, key: str, *, is_mainnet: bool, vault: str = "") -> None:
        """`ValueError` if the key is none; the message never shows it."""
        self._key = _private_key(key)
        self._agent = _AGENT_HEADS[is_mainnet]
        self._vault = b"\x01" + address_bytes(vault) if vault else b"\0"
        self.address = _address_of(self._key.public_key)
        self.is_mainnet = is_mainnet
        self.vault = vault.lower()

    def acting_for(self, vault: str) -> "Signer":
        """Return the same key's signer for a vault's account, "" = for its own."""
        return Signer(self._key.secret.hex(), is_mainnet=self.is_mainnet, vault=vault)

    def sign_packed(self, packed: bytes, nonce: int, expires_after_ms: int = 0) -> bytes:
        """Return r, s and v (65 bytes) of an L1 action given as msgpack; 0 = never expires."""
        tail = self._vault
        if expires_after_ms:
            tail = b"%b\0%b" % (tail, expires_after_ms.to_bytes(8, "big"))
        connection_id = keccak(packed + nonce.to_bytes(8, "big") + tail)
        return self.sign_digest(keccak(_L1_HEAD + keccak(self._agent + connection_id)))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return r, s and v (65 bytes; v is 0 or 1) of a 32-byte digest."""
        return self._key.sign_recoverable(digest, hasher=None)

    def sign_user(self, action: Mapping[str, Any]) -> bytes:
        """Return r, s and v (65 bytes) of a user-signed action; see `user_digest`."""
        return self.sign_digest(user_digest(action))

    def __repr__(self) -> str:
        return f"Signer({self.address})"


class Signed(Struct, frozen=True):
    """A signed action: what an /exchange request or a post carries."""

    action: object
    nonce: int
    signature: dict[str, str | int]
    vault_address: str | None = None
    expires_after: int | None = None

    def body(self) -> bytes:
        """Return the exact JSON to send, and to send again."""
        members = {
            "action": self.action,
            "nonce": self.nonce,
            "signature": self.signature,
            "vaultAddress": self.vault_address,
            "expiresAfter": self.expires_after,
        }
        return msgspec.json.encode(members)


def sign_action(
    action: Mapping[str, Any],
    signer: Signer,
    nonce: int,
    *,
    expires_after_ms: int = 0,
) -> Signed:
    """Sign any action of the venue, given as a plain mapping.

    Known L1 actions are put into canonical form first, so keys may stand in any order; others
    are signed as they are. User-signed ones get chain and signature chain added, and take
    neither a vault nor an expiry. `ValueError` for what the venue would not understand,
    `TypeError` for a float.
    """
    kind = action.get("type")
    refuse_floats(action)
    if kind in USER_SIGNED:
        if expires_after_ms or signer.vault:
            raise ValueError(f"{kind} takes neither a vault nor an expiry")
        chain = MAINNET_CHAIN if signer.is_mainnet else TESTNET_CHAIN
        whole = {**action, "signatureChainId": SIGNATURE_CHAIN, "hyperliquidChain": chain}
        if user_nonce(whole) != nonce:
            raise ValueError(f"{kind} carries its nonce: {user_nonce(whole)} is not {nonce}")
        signature = signer.sign_user(whole)
        if kind == "approveAgent" and not whole["agentName"]:
            del whole["agentName"]  # signed as "", not sent
        return Signed(whole, nonce, signature_members(signature))
    packed, ready = packed_action(action)
    signature = signer.sign_packed(packed, nonce, expires_after_ms)
    return Signed(
        ready,
        nonce,
        signature_members(signature),
        signer.vault or None,
        expires_after_ms or None,
    )


def packed_action(action: Mapping[str, Any]) -> tuple[bytes, object]:
    """Return the msgpack that is signed, and the action it is of, canonical where known."""
    if action.get("type") not in canonical.KNOWN:
        # A type that is not known here: the order of its keys is the user's.
        return canonical.pack(action), action
    try:
        ready = canonical.from_mapping(action)
    except msgspec.ValidationError as error:
        raise ValueError(f"{action['type']}: {error}") from None
    return canonical.pack(ready), ready


def refuse_floats(value: object) -> None:
    """`TypeError` if a float is anywhere in a value: its text would be a guess."""
    if isinstance(value, float):
        raise TypeError(f'{value} is a float; write "{value}"')
    if isinstance(value, Mapping):
        for each in value.values():
            refuse_floats(each)
    elif isinstance(value, list | tuple):
        for each in value:
            refuse_floats(each)


def user_nonce(action: Mapping[str, Any]) -> int:
    """Return the nonce that a user-signed action carries inside; -1 if it has none."""
    found = action.get("time", action.get("nonce"))
    return found if isinstance(found, int) else -1


def user_digest(action: Mapping[str, Any]) -> bytes:
    """Return what is signed of a user-signed action; `ValueError` if it lacks something."""
    kind = str(action.get("type"))
    if kind not in USER_SIGNED:
        raise ValueError(f'"{kind}" is not a user-signed action')
    name, fields = USER_SIGNED[kind]
    whole = (("hyperliquidChain", _STRING), *fields)
    listed = ",".join(f"{word} {field}" for field, word in whole)
    words = [keccak(f"HyperliquidTransaction:{name}({listed})".encode())]
    for field, word in whole:
        value = action.get(field)
        if field == "agentName" and value is None:
            value = ""
        words.append(_word(field, word, value))
    try:
        chain_id = int(str(action["signatureChainId"]), 16)
    except (KeyError, ValueError):
        raise ValueError(f"{kind} names no signatureChainId") from None
    domain = domain_separator("HyperliquidSignTransaction", chain_id)
    return keccak(_PREFIX + domain + keccak(b"".join(words)))


def _word(field: str, word: str, value: object) -> bytes:
    """Return the 32 bytes that stand for one field."""
    if word == _STRING and isinstance(value, str):
        return keccak(value.encode())
    if word == _ADDRESS and isinstance(value, str):
        return address_bytes(value).rjust(32, b"\0")
    if word == _BOOL and isinstance(value, bool):
        return value.to_bytes(32, "big")
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if word == _UINT and is_number and isinstance(value, int) and 0 <= value < 2**64:
        return value.to_bytes(32, "big")
    raise ValueError(f"{field} is not a {word}")


def signature_members(signature: bytes) -> dict[str, str | int]:
    """Return a signature as JSON has it, padded to full length."""
    return {
        "r": f"0x{signature[:32].hex()}",
        "s": f"0x{signature[32:64].hex()}",
        "v": 27 + signature[64],
    }


def signature_bytes(r: str, s: str, v: int) -> bytes:
    """Return the 65 bytes of a signature's members, which may lack leading zeros."""
    if v not in (27, 28) or not (_HALF(r) and _HALF(s)):
        raise ValueError("not a signature")
    halves = [int(half, 16).to_bytes(32, "big") for half in (r, s)]
    return b"".join(halves) + bytes((v - 27,))


def recovered(digest: bytes, signature: bytes) -> str:
    """Return the address that signed a digest; `ValueError` if none can have."""
    try:
        return _address_of(PublicKey.from_signature_and_message(signature, digest, hasher=None))
    except ValueError:
        raise ValueError("the signer cannot be recovered") from None


def l1_digest(
    packed: bytes, nonce: int, vault: str, expires_after_ms: int | None, *, is_mainnet: bool
) -> bytes:
    """Return what is signed of an L1 action: for whoever checks a signature."""
    tail = b"\x01" + address_bytes(vault) if vault else b"\0"
    if expires_after_ms is not None:
        tail += b"\0" + expires_after_ms.to_bytes(8, "big")
    connection_id = keccak(packed + nonce.to_bytes(8, "big") + tail)
    return keccak(_L1_HEAD + keccak(_AGENT_HEADS[is_mainnet] + connection_id))


def address_of(key: str) -> str:
    """Return the address of a private key, in lower case."""
    return _address_of(_private_key(key).public_key)


def address_bytes(text: str) -> bytes:
    """Return the 20 bytes of an address; `ValueError` if it is none."""
    return bytes.fromhex(canonical.address(text)[2:])


def _address_of(public_key: PublicKey) -> str:
    return "0x" + keccak(public_key.format(compressed=False)[1:])[-20:].hex()


def _private_key(key: str) -> PrivateKey:
    try:
        secret = bytes.fromhex(key.removeprefix("0x"))
        if len(secret) == 32:
            return PrivateKey(secret)
    except ValueError:
        pass
    raise ValueError("the private key must be 0x and 64 hex digits, of a valid key") from None
