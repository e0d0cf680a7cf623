"""The token of the private connection: one in use, a spare kept fresh, never two mints at once.

A token must be used for the first time within 15 minutes; in use it lasts as long as its
connection. So every connection gets one of its own, and the spare only saves a round trip.
"""

from typing import Literal

SPARE_NS = 13 * 60 * 1_000_000_000  # a spare older than this is not worth trying
_SECOND = 1_000_000_000
_FIRST_RETRY_NS = 1_000_000_000
_LAST_RETRY_NS = 60_000_000_000
PATIENCE_NS = 2_000_000_000  # with a lost question; then another is asked while it may yet come


class Tokens:
    """Which token to use, and when to mint. Its text never shows one."""

    def __init__(self) -> None:
        self.mints = 0
        self._spare = ""
        self._until_ns = 0
        self._is_minting = False
        self._minting_ns = 0
        self._patience_ns = PATIENCE_NS
        self._retry_ns = _FIRST_RETRY_NS
        self._next_ns = 0

    def __repr__(self) -> str:
        return f"Tokens(mints={self.mints})"

    def take(self, now_ns: int) -> str:
        """Return the spare for a connection's use, "" if there is no fresh one."""
        if not self._spare or now_ns >= self._until_ns:
            return ""
        token, self._spare = self._spare, ""
        return token

    def should_mint(self, now_ns: int, *, is_waiting: bool) -> bool:
        """Whether to ask for a token now; `is_waiting` if a connection stands without one."""
        is_stale = not self._spare or now_ns >= self._until_ns
        if self._is_minting:
            # A connection that waits must not do so for a whole HTTP timeout.
            return is_waiting and now_ns - self._minting_ns >= self._patience_ns
        return (is_waiting or is_stale) and now_ns >= self._next_ns

    def minting(self, now_ns: int) -> None:
        """A token is being asked for; if one was already, the next is waited for longer."""
        if self._is_minting:
            self._patience_ns = min(2 * self._patience_ns, _LAST_RETRY_NS)
        self._is_minting = True
        self._minting_ns = now_ns
        self.mints += 1

    def minted(self, token: str, expires: int, now_ns: int) -> None:
        """A token arrived; it must be used within `expires` seconds."""
        self._is_minting = False
        self._patience_ns = PATIENCE_NS
        self._retry_ns = _FIRST_RETRY_NS
        self._spare = token
        self._until_ns = now_ns + min(SPARE_NS, expires * _SECOND * 13 // 15)

    def failed(self, now_ns: int) -> None:
        """None arrived: ask again, more and more slowly."""
        self._is_minting = False
        self._next_ns = now_ns + self._retry_ns
        self._retry_ns = min(2 * self._retry_ns, _LAST_RETRY_NS)

    def distrust(self) -> None:
        """The venue refuses a token: a spare minted before that may be just as dead."""
        self._spare = ""

    def state(self) -> Literal["fresh", "minting", "none"]:
        """Return what there is to take, for people."""
        if self._spare:
            return "fresh"
        return "minting" if self._is_minting else "none"
