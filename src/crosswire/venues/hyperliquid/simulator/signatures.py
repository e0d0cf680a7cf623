"""Who signed: the digest of what was understood, and the address that its signature gives.

Nothing here is shared with the client's signing but the choice of a keccak.
"""

from coincurve import PrivateKey, PublicKey
from msgspec.structs import fields

from crosswire.venues.hyperliquid.keccak import keccak
from crosswire.venues.hyperliquid.simulator.actions import (
    ApproveAgent,
    ApproveBuilderFee,
    L1Action,
    SendAsset,
    Signature,
    Signed,
    SpotSend,
    UsdClassTransfer,
    UsdSend,
    UserAction,
    UserSigned,
    Withdraw,
)
from crosswire.venues.hyperliquid.simulator.packing import pack

NO_CONTRACT = bytes(32)
TYPES: dict[type[UserSigned], str] = {
    UsdSend: "UsdSend(string hyperliquidChain,string destination,string amount,uint64 time)",
    SpotSend: "SpotSend(string hyperliquidChain,string destination,string token,string amount,"
    "uint64 time)",
    Withdraw: "Withdraw(string hyperliquidChain,string destination,string amount,uint64 time)",
    UsdClassTransfer: "UsdClassTransfer(string hyperliquidChain,string amount,bool toPerp,"
    "uint64 nonce)",
    SendAsset: "SendAsset(string hyperliquidChain,string destination,string sourceDex,"
    "string destinationDex,string token,string amount,string fromSubAccount,uint64 nonce)",
    ApproveAgent: "ApproveAgent(string hyperliquidChain,address agentAddress,string agentName,"
    "uint64 nonce)",
    ApproveBuilderFee: "ApproveBuilderFee(string hyperliquidChain,string maxFeeRate,"
    "address builder,uint64 nonce)",
}


def _domain(name: str, chain_id: int) -> bytes:
    kind = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    words = (keccak(kind.encode()), keccak(name.encode()), keccak(b"1"), _word(chain_id))
    return keccak(b"".join(words) + NO_CONTRACT)


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


L1_DOMAIN = _domain("Exchange", 1337)
AGENT = keccak(b"Agent(string source,bytes32 connectionId)")
SOURCES = {True: keccak(b"a"), False: keccak(b"b")}


def action_hash(action: L1Action, nonce: int, vault: str | None, expires: int | None) -> bytes:
    """Return the connection id: what of an action goes under the signature."""
    parts = [pack(action), nonce.to_bytes(8, "big")]
    parts.append(b"\x00" if vault is None else b"\x01" + bytes.fromhex(vault[2:]))
    if expires is not None:
        parts.append(b"\x00" + expires.to_bytes(8, "big"))
    return keccak(b"".join(parts))


def l1_digest(connection: bytes, *, is_mainnet: bool) -> bytes:
    """Return what an L1 action's signer signs."""
    return _typed(L1_DOMAIN, keccak(AGENT + SOURCES[is_mainnet] + connection))


def user_digest(action: UserAction) -> bytes:
    """Return what the signer of a user-signed action signs; `ValueError` for a bad field."""
    kind = TYPES[type(action)]
    words = [keccak(f"HyperliquidTransaction:{kind}".encode())]
    members = [one.split(" ") for one in kind.partition("(")[2].removesuffix(")").split(",")]
    held = {one.encode_name: getattr(action, one.name) for one in fields(action)}
    words += [_member(sort, held[name]) for sort, name in members]
    domain = _domain("HyperliquidSignTransaction", int(action.chain_id, 16))
    return _typed(domain, keccak(b"".join(words)))


def _member(sort: str, value: str | int) -> bytes:
    if isinstance(value, int):
        return _word(value)
    if sort == "address":
        return _word(int(value, 16))
    return keccak(value.encode())


def _typed(domain: bytes, struct: bytes) -> bytes:
    return keccak(b"\x19\x01" + domain + struct)


def address_of(public: bytes) -> str:
    """Return the address of an uncompressed public key (65 bytes, the first of them 4)."""
    return "0x" + keccak(public[1:])[-20:].hex()


def address_of_secret(secret: str) -> str:
    """Return the address of a private key in hex; `ValueError` if it is none."""
    key = PrivateKey(bytes.fromhex(secret.removeprefix("0x").zfill(64)))
    return address_of(key.public_key.format(compressed=False))


def recover(digest: bytes, signature: Signature) -> str | None:
    """Return the signer's address, None if no key can have made the signature."""
    try:
        r, s = int(signature.r, 16), int(signature.s, 16)
        compact = _word(r) + _word(s) + bytes((signature.v - 27,))
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except (ValueError, OverflowError):
        return None
    return address_of(key.format(compressed=False))


def signer(signed: Signed, *, is_mainnet: bool) -> str | None:
    """Return who signed a request, as far as its bytes tell; None if nobody can have."""
    action = signed.action
    if isinstance(action, UserSigned):
        try:
            return recover(user_digest(action), signed.signature)
        except (ValueError, OverflowError):
            return None
    hashed = action_hash(action, signed.nonce, signed.vault_address, signed.expires_after)
    return recover(l1_digest(hashed, is_mainnet=is_mainnet), signed.signature)
