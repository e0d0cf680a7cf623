"""What an IP may ask by REST in a minute: 1200 of weight, answers' rows included.

The venue counts per IP, so this is what this session believes is left; a 429 says that others
have spent it too. What they spent comes back bit by bit: so after a moment it is tried again, and
after a longer one each time that is refused at once.
"""

from collections import deque

LIMIT = 1_200
MINUTE_NS = 60_000_000_000
LEAST_PAUSE_NS, MOST_PAUSE_NS = 1_000_000_000, 30_000_000_000


class Weights:
    """The weight spent in the last minute."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.refusals = 0
        self._spent: deque[tuple[int, int]] = deque()  # when, how much
        self._total = 0
        self._pause_ns = 0
        self._closed_until_ns = 0

    def may(self, weight: int, now_ns: int) -> bool:
        """Return whether so much may be asked for now."""
        return weight <= self.left(now_ns)

    def spend(self, weight: int, now_ns: int) -> None:
        """Count what was asked, or what an answer's rows cost on top; it may go below nothing."""
        if weight > 0:
            self._spent.append((now_ns, weight))
            self._total += weight

    def left(self, now_ns: int) -> int:
        """Return what is left, never below 0."""
        spent = self._spent
        while spent and now_ns - spent[0][0] >= MINUTE_NS:
            self._total -= spent.popleft()[1]
        return 0 if now_ns < self._closed_until_ns else max(0, self.limit - self._total)

    def refused(self, now_ns: int) -> None:
        """The venue answered 429: what we count is less than what it counts."""
        self.refusals += 1
        if now_ns < self._closed_until_ns:
            return  # asked before the last pause began
        is_again = now_ns < self._closed_until_ns + max(self._pause_ns, LEAST_PAUSE_NS)
        longer_ns = 2 * self._pause_ns if is_again else 0
        self._pause_ns = min(max(longer_ns, LEAST_PAUSE_NS), MOST_PAUSE_NS)
        self._closed_until_ns = now_ns + self._pause_ns
