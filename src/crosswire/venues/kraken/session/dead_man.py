"""The venue's dead-man timer: whether what it cancelled shows that it is not armed any more.

The venue says nothing of its own when the timer fires: the orders it cancels carry the reason.
"""

from crosswire.domain import AnyEvent, Closed, DeadManArmed, OrdersRead
from crosswire.venues.kraken.decode.errors import is_dead_man


class DeadMan:
    """The timer of one account, as this login armed it."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._armed_ns: int | None = None  # the venue's clock was at least here; None = not armed
        self.has_fired = False  # and nobody was told yet

    def settled(self, events: list[AnyEvent], venue_ns: int) -> None:
        """The venue answered a request for the timer that reached it after `venue_ns`."""
        for event in events:
            if isinstance(event, DeadManArmed):
                self._armed_ns = venue_ns if event.fires_ns else None
                self.has_fired = False

    def closed(self, event: Closed) -> None:
        """An order ended."""
        self._look(event.reason, event.venue_ns)

    def read(self, event: OrdersRead) -> None:
        """Orders were read: the stream may have missed their ends."""
        for order in event.orders:
            if not order.is_open:
                self._look(order.reason, order.closed_ns)

    def tell(self, now_ns: int) -> list[AnyEvent]:
        """Return once that the timer has fired."""
        if not self.has_fired:
            return []
        self.has_fired = False
        return [DeadManArmed(now_ns, self._account, 0)]

    def _look(self, reason: str, venue_ns: int) -> None:
        """Orders that an earlier timer cancelled say nothing of the one that stands now."""
        if self._armed_ns is None or not reason or not is_dead_man(reason):
            return
        if not venue_ns or venue_ns >= self._armed_ns:
            self._armed_ns = None
            self.has_fired = True
