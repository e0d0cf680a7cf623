"""Whether a private channel delivered every frame: it counts them from 1, per subscription."""

from typing import Literal

_PATIENCE_NS = 5_000_000_000  # without a snapshot for this long, the channel is asked again


class Sequence:
    """One channel's subscription: wanted, asked for, live."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.state: Literal["closed", "asked", "live"] = "closed"
        self.gaps = 0
        self._next: int | None = None
        self._asked_ns = 0
        self._needs_snapshot = False

    def asked(self, now_ns: int, *, needs_snapshot: bool) -> None:
        """A subscription was sent: until its snapshot, gaps mean nothing.

        A snapshot that was owed before is still owed.
        """
        is_owed = self.state == "asked" and self._needs_snapshot
        self.state = "asked"
        self._needs_snapshot = needs_snapshot or is_owed
        self._asked_ns = now_ns

    def close(self) -> None:
        """The connection is gone."""
        self.state = "closed"
        self._next = None

    def stands(self) -> bool:
        """The venue says that the subscription is there already; returns whether that will do."""
        if not self._needs_snapshot:
            self.state = "live"
        return self.state == "live"

    def take(self, number: int, *, is_snapshot: bool) -> str:
        """Take in one frame; returns what is missing, "" if nothing is."""
        expected = self._next
        self._next = number + 1
        if is_snapshot:
            self.state = "live"
            return ""
        if self.state != "live" or expected is None or number == expected:
            return ""
        self.gaps += 1
        return f"{self.channel} jumped from {expected - 1} to {number}"

    def is_overdue(self, now_ns: int) -> bool:
        """Whether the snapshot has been waited for long enough."""
        return self.state == "asked" and now_ns - self._asked_ns >= _PATIENCE_NS
