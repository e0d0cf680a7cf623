"""What the venue lets an address and a connection do; cancels always may, and have room kept.

An address has 10,000 requests and one more for each dollar it ever traded; a batch of n counts n.
Cancels have a larger budget of their own. The counts in between two readings are ours.
"""

from collections import deque

MINUTE_NS = 60_000_000_000
READ_NS = MINUTE_NS  # the venue's own counters are asked for so often
REFUSED_NS = 10_000_000_000  # an address without budget may do one thing in this time
FIRST_CAP = 10_000
MOST_MESSAGES, KEPT_MESSAGES = 2_000, 200  # in any minute
MOST_PLACING_POSTS = 90  # of 100 in flight: cancels take the rest
KEPT_WEIGHT = 60  # of the IP's, for cancels by REST


class Pacing:
    """The budgets of one login."""

    def __init__(self) -> None:
        self.cap = FIRST_CAP
        self.used = 0
        self.refusals = 0
        self.asked_ns: int | None = None  # when the venue's counters were asked for
        self._sent = 0  # entries we sent, ever
        self._sent_when_asked = 0
        self._closed_until_ns = 0
        self._messages: deque[int] = deque()

    def may_place(self, count: int, is_open: int, posts: int, now_ns: int) -> bool:
        """Whether so many orders may leave, and all that is open then can still be cancelled."""
        used = self.used + count
        cap = self.cap
        messages = self._messages
        while messages and now_ns - messages[0] >= MINUTE_NS:
            messages.popleft()
        return (
            used <= cap
            and used + is_open + count <= min(cap + 100_000, 2 * cap)
            and now_ns >= self._closed_until_ns
            and posts < MOST_PLACING_POSTS
            and len(messages) < MOST_MESSAGES - KEPT_MESSAGES
        )

    def spend(self, count: int) -> None:
        """Count the entries of an action."""
        self.used += count
        self._sent += count

    def message(self, now_ns: int) -> None:
        """Count a frame."""
        self._messages.append(now_ns)

    def refused(self, now_ns: int) -> None:
        """The venue says that the budget is spent."""
        self.refusals += 1
        self._closed_until_ns = now_ns + REFUSED_NS

    def is_due(self, now_ns: int) -> bool:
        """Whether the venue's counters should be asked for."""
        return self.asked_ns is None or now_ns - self.asked_ns >= READ_NS

    def asked(self, now_ns: int) -> None:
        """The venue's counters are being asked for."""
        self.asked_ns = now_ns
        self._sent_when_asked = self._sent

    def read(self, cap: int, used: int) -> None:
        """Take over what the venue says, and what we have sent since we asked."""
        self.cap = cap
        self.used = used + self._sent - self._sent_when_asked

    @property
    def left(self) -> int:
        """How many requests the address has left."""
        return max(0, self.cap - self.used)
