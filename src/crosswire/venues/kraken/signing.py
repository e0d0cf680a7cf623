"""Signs REST requests: API-Sign = base64(HMAC-SHA512(secret, path + SHA-256(nonce + body))).

The hashes are keyed once per login and copied per request; the secret is not kept.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from hashlib import sha256, sha512

_EMPTY = sha256()
_BLOCK = 128  # bytes of a SHA-512 block, which HMAC pads its key to
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Signer:
    """One key's signatures and nonces."""

    def __init__(self, key: str, secret: str, first_nonce: int = 0) -> None:
        """`ValueError` if the secret is not base64 or the key cannot stand in a header."""
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the API key must be printable text without spaces")
        padded = _decoded(secret).ljust(_BLOCK, b"\0")
        self._key = key
        self._inner = sha512(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha512(bytes(byte ^ 0x5C for byte in padded))
        self._last_nonce = first_nonce - 1

    def nonce(self, now_ns: int) -> int:
        """Return the next nonce: our clock, but always above the one before."""
        last = self._last_nonce
        self._last_nonce = nonce = now_ns if now_ns > last else last + 1
        return nonce

    def sign(self, path: bytes, nonce: bytes, body: bytes) -> str:
        """Return API-Sign for a body that holds the same nonce."""
        message = _EMPTY.copy()  # quicker than a new one
        message.update(nonce + body)
        inner = self._inner.copy()
        inner.update(path + message.digest())
        outer = self._outer.copy()
        outer.update(inner.digest())
        return b2a_base64(outer.digest(), newline=False).decode()

    def headers(self, path: str, nonce: int, body: bytes, content: str = FORM) -> dict[str, str]:
        """Return the headers of a private call."""
        return {
            "API-Key": self._key,
            "API-Sign": self.sign(path.encode(), str(nonce).encode(), body),
            "Content-Type": content,
        }

    def __repr__(self) -> str:
        return "Signer(***)"


def _decoded(secret: str) -> bytes:
    """Return the secret's bytes; the error never shows the secret."""
    try:
        decoded = b64decode(secret, validate=True)
    except (Base64Error, ValueError):
        raise ValueError("the API secret is not base64: was it copied whole?") from None
    if not decoded:
        raise ValueError("the API secret is empty")
    return decoded if len(decoded) <= _BLOCK else sha512(decoded).digest()
