"""What outlives every run of nonces: no run uses one that another may have used.

`journal` keeps the same on a disk: a run's number where a nonce is a count, and where it is the
clock a ceiling that moves ahead of it, at which the next run begins, with whatever clock.
"""

from crosswire.journal.ceiling import AHEAD_NS, EVERY_S, ROOM_NS, STEP_NS

COUNTS = 1_000_000  # of one run, where a nonce is a count
EVERY_NS = int(EVERY_S * 1_000_000_000)


class Nonces:
    """Of one login, over all runs."""

    def __init__(self, unit_ns: int) -> None:
        """`unit_ns`: what a nonce counts in; 1 = nothing but itself."""
        self._unit_ns = unit_ns
        self._ceiling_ns = 0
        self._base_ns = 0
        self._due_ns = 0

    def first(self, run: int, now_ns: int) -> int:
        """Return the first nonce of a run."""
        if self._unit_ns == 1:
            return run * COUNTS
        first_ns = max(now_ns, self._ceiling_ns)
        self._base_ns = max(now_ns, first_ns + ROOM_NS - AHEAD_NS)
        self._raise(now_ns)
        return -(-first_ns // self._unit_ns)

    def keep(self, now_ns: int) -> None:
        """Move the ceiling ahead if it is time."""
        if self._unit_ns > 1 and now_ns >= self._due_ns:
            self._base_ns = max(now_ns, self._base_ns + STEP_NS)
            self._raise(now_ns)

    def _raise(self, now_ns: int) -> None:
        self._ceiling_ns = max(self._ceiling_ns, self._base_ns + AHEAD_NS)
        self._due_ns = now_ns + EVERY_NS

    def ceiling(self) -> int:
        """Return the nonce that must not be reached."""
        if self._unit_ns == 1:
            return 1 << 62
        return self._ceiling_ns // self._unit_ns
