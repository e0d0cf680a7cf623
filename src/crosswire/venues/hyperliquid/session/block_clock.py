"""The venue's clock is the time of its blocks.

Its offset is a measurement, good enough to write an `expiresAfter`. `lower_ns` is a proof: the
chain has come so far, and what we send now runs in a later block.
"""

from crosswire.domain import AnyEvent, ClockMeasured
from crosswire.venues.clock import VenueClock

BLOCK_NS = 100_000_000  # about what lies between two blocks: a stamp may be so old when it is read


class BlockClock:
    """One account's view of the chain's clock."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._clock = VenueClock()
        # Returns the venue's reading of a time on our clock.
        self.venue_ns = self._clock.venue_ns

    @property
    def lower_ns(self) -> int:
        """The highest block time seen; 0 = none yet. It never falls."""
        return self._clock.seen_ns

    @property
    def offset_ns(self) -> int:
        """The venue's clock minus ours."""
        return self._clock.offset_ns

    @property
    def is_measured(self) -> bool:
        """Whether the offset was ever measured."""
        return self._clock.error_ns is not None

    @property
    def has_jumped(self) -> bool:
        """Whether the last word on it is no longer near the truth."""
        return self._clock.has_jumped

    def see(self, venue_ns: int) -> None:
        """Take in a block's stamp that nobody asked for."""
        self._clock.see(venue_ns)

    def measure(self, sent_ns: int, recv_ns: int, *, venue_ns: int) -> None:
        """Take in the stamp of an answer to what was asked at `sent_ns`."""
        self._clock.measure(sent_ns, recv_ns, venue_ns=venue_ns, grain_ns=BLOCK_NS)

    def news(self, now_ns: int) -> list[AnyEvent]:
        """Return the offset if it is news: the first one, or one that has moved noticeably."""
        offset_ns = self._clock.tell()
        return [] if offset_ns is None else [ClockMeasured(now_ns, self._account, offset_ns)]
