"""Whether a connection lives: pings, pongs, and how long nothing came.

The venue closes a connection on which it said nothing for a minute, and a connection may go dead
both ways without being closed. A quiet one is asked early, so that silence means something.
"""

PING_NS = 15_000_000_000
QUIET_NS = 2_000_000_000  # after this without a frame, a ping asks
MISSED_NS = 2 * PING_NS  # two pings without a pong, whatever else comes
DEAD_NS = 10_000_000_000  # a ping unanswered, and no frame of any kind for this long


class Pulse:
    """One connection's signs of life."""

    __slots__ = ("_asked_ns", "_pinged_ns", "heard_ns", "pings", "pongs")

    def __init__(self) -> None:
        self.heard_ns = 0  # whoever reads the frames writes it
        self.pings = 0
        self.pongs = 0
        self._pinged_ns = 0
        self._asked_ns: int | None = None  # when the oldest unanswered ping left

    def opened(self, now_ns: int) -> None:
        """A new connection stands."""
        self.heard_ns = self._pinged_ns = now_ns
        self._asked_ns = None

    def pong(self, now_ns: int) -> None:
        """A ping was answered."""
        self.pongs += 1
        self.heard_ns = now_ns
        self._asked_ns = None

    def is_ping_due(self, now_ns: int) -> bool:
        """Whether to ping now; then it counts as sent."""
        is_quiet = self._asked_ns is None and now_ns - self.heard_ns >= QUIET_NS
        if not is_quiet and now_ns - self._pinged_ns < PING_NS:
            return False
        self.pings += 1
        self._pinged_ns = now_ns
        if self._asked_ns is None:
            self._asked_ns = now_ns
        return True

    def death(self, now_ns: int) -> str:
        """Return why the connection is to be given up, "" if it is not."""
        if self._asked_ns is None:
            return ""
        if now_ns - self._asked_ns >= MISSED_NS:
            return "two pings unanswered"
        if now_ns - self.heard_ns >= DEAD_NS:
            return "silent for 10 s"
        return ""
