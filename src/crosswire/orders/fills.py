"""Which fills are booked: their keys, kept above a watermark.

A key seen is never booked again. Keys below the watermark are forgotten, and whatever happened
before it is ignored, because all of that is booked: the watermark starts where the journal
does, and follows the look-ups of fills that came back whole.
"""

from crosswire.domain import Filled

# What we may be wrong by about the venue's clock when the journal begins.
START_MARGIN_NS = 60_000_000_000
MAX_UNOWNED = 1_000  # strangers' orders whose fills might turn out to be ours
MAX_REVERSED = 10_000  # tombstones kept: a venue takes back a handful a year


class BookedFills:
    """The fills of one account."""

    def __init__(self) -> None:
        self.kept: dict[str, Filled] = {}
        self.watermark_ns = 0  # on the venue's clock; what happened at it is still told apart
        self._begun_ns = 0
        self.covered_ns = 0  # on the venue's clock: what it could show then is booked
        self._unowned: dict[str, list[Filled]] = {}  # by the venue's id of an order we do not know
        self._reversed: dict[str, None] = {}

    def begin(self, began_ns: int) -> None:
        """What was filled before the journal's first run is not ours to book.

        Told anew when the venue's clock is measured first: a clock of ours that is minutes fast
        would else have every fill of ours pass for an old one.
        """
        if self.watermark_ns == self._begun_ns:
            self._begun_ns = self.watermark_ns = began_ns - START_MARGIN_NS

    def is_new(self, fill: Filled) -> bool:
        """Whether a fill is still to be booked."""
        is_old = 0 < fill.venue_ns < self.watermark_ns
        return not (is_old or fill.fill_key in self.kept or fill.fill_key in self._reversed)

    def mark(self, fill: Filled) -> None:
        """Note a fill as booked; only once it is."""
        self.kept[fill.fill_key] = fill

    def mark_unowned(self, fill: Filled) -> None:
        """A fill was booked whose order is a stranger's, or ours and not yet known by this id."""
        self.mark(fill)
        self._unowned.setdefault(fill.venue_order_id, []).append(fill)
        if len(self._unowned) > MAX_UNOWNED:
            del self._unowned[next(iter(self._unowned))]

    def take_unowned(self, venue_order_id: str) -> list[Filled]:
        """Return, once, the fills of an order that turned out to be ours."""
        return self._unowned.pop(venue_order_id, []) if self._unowned else []

    def is_unowned(self, fill: Filled) -> bool:
        """Whether a fill is booked without an order."""
        return fill.venue_order_id in self._unowned

    def reverse(self, fill_key: str) -> Filled | None:
        """Lay a tombstone; returns the fill if it had been booked."""
        self._reversed[fill_key] = None
        if len(self._reversed) > MAX_REVERSED:
            del self._reversed[next(iter(self._reversed))]
        fill = self.kept.pop(fill_key, None)
        if fill is not None and fill.venue_order_id in self._unowned:
            self._unowned[fill.venue_order_id].remove(fill)
        return fill

    def forget(self, before_ns: int) -> None:
        """Raise the watermark to a moment on the venue's clock, and drop the keys below it."""
        if before_ns <= self.watermark_ns:
            return
        self.watermark_ns = before_ns
        old = [key for key, fill in self.kept.items() if 0 < fill.venue_ns < before_ns]
        for key in old:
            del self.kept[key]
