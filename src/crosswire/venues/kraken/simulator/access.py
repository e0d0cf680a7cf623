"""Who may do what: API keys, signatures, nonces, tokens, and the REST counter."""

import base64
import binascii
import hashlib
import hmac
from random import Random

from msgspec import Struct

from crosswire.venues.kraken.simulator.text import BASE64_LETTERS, SECOND, draw

TOKEN_LIFE_NS = 900 * SECOND
LOCKOUT_AFTER = 20  # refusals of one key in a row; a guess, the venue gives no number
LOCKOUT_NS = 900 * SECOND
REST_MAX = {"starter": 15, "intermediate": 20, "pro": 20}
REST_DECAY = {"starter": 0.33, "intermediate": 0.5, "pro": 1.0}
MAX_NONCE = 2**64 - 1

INVALID_KEY = "EAPI:Invalid key"
INVALID_SIGNATURE = "EAPI:Invalid signature"
INVALID_NONCE = "EAPI:Invalid nonce"
NOT_ISSUED = "EAPI:Invalid token"
INVALID_SESSION = "ESession:Invalid session"
NOT_NAMED = "Token(s) not found"
LOCKOUT = "EGeneral:Temporary lockout"
RATE_LIMIT = "EAPI:Rate limit exceeded"
DENIED = "EGeneral:Permission denied"

PERMISSIONS = frozenset({"query", "trade", "ledger", "websocket"})


def api_sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Compute the signature that a request must carry.

    base64( HMAC-SHA512( base64-decoded secret, path + SHA-256( nonce + body ) ) )
    """
    inner = hashlib.sha256(nonce.encode() + body).digest()
    outer = hmac.new(base64.b64decode(secret), path.encode() + inner, hashlib.sha512)
    return base64.b64encode(outer.digest()).decode()


class Login(Struct, kw_only=True):
    """One API key of an account."""

    key: str
    secret: str
    account: str
    tier: str = "starter"
    permissions: frozenset[str] = PERMISSIONS
    nonce: int = 0
    counter: float = 0.0
    counted_ns: int = 0
    refusals: int = 0
    locked_until_ns: int = 0
    refused_until_ns: int = 0  # the key is as if it had expired

    def verify(self, path: str, nonce: object, body: bytes, signature: str, now_ns: int) -> str:
        """Return the refusal of a signed request, "" if it may pass."""
        if now_ns < self.refused_until_ns:
            return INVALID_KEY
        if now_ns < self.locked_until_ns:
            return LOCKOUT
        refusal = self._check(path, nonce, body, signature)
        if not refusal:
            self.refusals = 0
            return ""
        self.refusals += 1
        if self.refusals >= LOCKOUT_AFTER:
            self.refusals, self.locked_until_ns = 0, now_ns + LOCKOUT_NS
        return refusal

    def _check(self, path: str, nonce: object, body: bytes, signature: str) -> str:
        text = str(nonce)
        if not (text.isascii() and text.isdecimal()) or int(text) > MAX_NONCE:
            return INVALID_NONCE
        try:
            expected = api_sign(self.secret, path, text, body)
        except binascii.Error:
            return INVALID_SIGNATURE
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return INVALID_SIGNATURE
        if int(text) <= self.nonce:
            return INVALID_NONCE
        self.nonce = int(text)
        return ""

    def spend(self, cost: float, now_ns: int) -> bool:
        """Count a REST call; False if the counter would pass its maximum."""
        passed = (now_ns - self.counted_ns) / SECOND
        self.counter = max(0.0, self.counter - passed * REST_DECAY[self.tier])
        self.counted_ns = now_ns
        if self.counter + cost > REST_MAX[self.tier]:
            return False
        self.counter += cost
        return True


class Token(Struct):
    """A WebSocket token: valid while young, or for the connections that took it up."""

    account: str
    issued_ns: int
    connections: set[int]
    is_revoked: bool = False


class Tokens:
    """All tokens ever issued."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._tokens: dict[str, Token] = {}

    def issue(self, account: str, now_ns: int) -> str:
        text = draw(self._rng, BASE64_LETTERS, 43)
        self._tokens[text] = Token(account, now_ns, set())
        return text

    def check(self, text: object, connection: int, now_ns: int) -> tuple[str, str]:
        """Return (account, ""), or ("", refusal)."""
        if text is None or text == "":
            return "", NOT_NAMED
        token = self._tokens.get(text) if isinstance(text, str) else None
        if token is None:
            return "", NOT_ISSUED
        is_young = now_ns - token.issued_ns < TOKEN_LIFE_NS
        if token.is_revoked or not (is_young or connection in token.connections):
            return "", INVALID_SESSION
        return token.account, ""

    def bind(self, text: str, connection: int) -> None:
        """A private subscription stands: the token stays valid for this connection."""
        self._tokens[text].connections.add(connection)

    def forget(self, connection: int) -> None:
        """The connection is gone, and what it had bound with it."""
        for token in self._tokens.values():
            token.connections.discard(connection)

    def lose_all(self) -> None:
        """Nobody remembers any token."""
        self._tokens.clear()

    def revoke(self, account: str) -> None:
        """Every token of the account stops being valid, as after a venue's upgrade."""
        for token in self._tokens.values():
            if token.account == account:
                token.is_revoked = True
