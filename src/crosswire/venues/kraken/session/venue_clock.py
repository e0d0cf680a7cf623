"""How far the venue's clock is from ours, so that a deadline can be written in its time."""

_FRESH_NS = 60_000_000_000  # after this a worse measurement replaces a better one


class VenueClock:
    """The venue's clock minus ours, from the best question and answer of late."""

    def __init__(self) -> None:
        self.offset_ns = 0
        self.error_ns: int | None = None  # half the time the answer took; None = never measured
        self._at_ns = 0

    def measure(self, sent_ns: int, now_ns: int, *, venue_ns: int, grain_ns: int = 0) -> None:
        """Take in one answer: the venue read its clock between `sent_ns` and `now_ns`.

        `grain_ns` is the clock's step where it is cut off (whole seconds of REST Time).
        """
        if not venue_ns or not sent_ns <= now_ns:
            return
        error_ns = (now_ns - sent_ns + grain_ns) // 2
        is_old = now_ns - self._at_ns > _FRESH_NS
        if self.error_ns is None or is_old or error_ns <= self.error_ns:
            self.offset_ns = venue_ns + grain_ns // 2 - (sent_ns + now_ns) // 2
            self.error_ns = error_ns
            self._at_ns = now_ns

    def venue_ns(self, our_ns: int) -> int:
        """Return the venue's reading of a time on our clock."""
        return our_ns + self.offset_ns
