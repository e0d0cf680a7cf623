"""The venue's clock: how far it is from ours, and how late it has been seen to be.

The distance is a measurement, good enough to write a deadline in the venue's time. `seen_ns` is
a proof: what we send now reaches the venue after that.
"""

_FRESH_NS = 60_000_000_000  # after this a worse measurement replaces a better one
_JUMP_NS = 1_000_000_000
_NOTICED_NS = 100_000_000  # a smaller move is not worth telling


class VenueClock:
    """The venue's clock minus ours, from the best question and answer of late."""

    def __init__(self) -> None:
        self.offset_ns = 0
        self.error_ns: int | None = None  # half the time the answer took; None = never measured
        self.seen_ns = 0  # the latest time that the venue has ever stamped for us
        self._at_ns = 0
        self._told_ns: int | None = None

    def measure(self, sent_ns: int, now_ns: int, *, venue_ns: int, grain_ns: int = 0) -> None:
        """Take in one answer: the venue read its clock between `sent_ns` and `now_ns`.

        `grain_ns` is the clock's step where it is cut off (whole seconds of REST Time). What
        contradicts the measurement that stands replaces it: one of the clocks has jumped.
        """
        if venue_ns > self.seen_ns:
            self.seen_ns = venue_ns
        if not venue_ns or not sent_ns <= now_ns:
            return
        error_ns = (now_ns - sent_ns + grain_ns) // 2
        offset_ns = venue_ns + grain_ns // 2 - (sent_ns + now_ns) // 2
        if (
            self.error_ns is None
            or error_ns <= self.error_ns
            or now_ns - self._at_ns > _FRESH_NS
            or abs(offset_ns - self.offset_ns) > error_ns + self.error_ns
        ):
            self.offset_ns = offset_ns
            self.error_ns = error_ns
            self._at_ns = now_ns

    def see(self, venue_ns: int) -> None:
        """Take in a stamp of the venue: its clock has come so far, whatever it answers."""
        if venue_ns > self.seen_ns:
            self.seen_ns = venue_ns

    def venue_ns(self, our_ns: int) -> int:
        """Return the venue's reading of a time on our clock."""
        return our_ns + self.offset_ns

    @property
    def has_jumped(self) -> bool:
        """Whether the last word on it is no longer near the truth."""
        return self._told_ns is not None and abs(self.offset_ns - self._told_ns) > _JUMP_NS

    def tell(self) -> int | None:
        """Return the offset if it is news: the first one, or one that has moved noticeably."""
        if self.error_ns is None:
            return None
        told_ns = self._told_ns
        if told_ns is not None and abs(self.offset_ns - told_ns) <= _NOTICED_NS:
            return None
        self._told_ns = self.offset_ns
        return self.offset_ns
