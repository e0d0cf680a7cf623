"""The venue's time by REST: asked for at the start, and while no connection tells it.

It is a public call that costs nothing of the account's budget. Its answer is cut to whole
seconds: coarse as a measurement, exact as a proof that the venue's clock has come so far.
"""

from crosswire.venues.kraken.decode.rest import answer
from crosswire.venues.kraken.session.outgoing import Outgoing
from crosswire.venues.kraken.wire import RestTime

EVERY_NS = 5_000_000_000
_SECOND = 1_000_000_000
_REMEMBERED = 8  # questions whose answers are still read


class AskedTime:
    """The questions for the time of one login."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._sent: dict[int, int] = {}  # key of the request -> when
        self._asked_ns = 0

    def ask(self, now_ns: int) -> None:
        """Ask now."""
        self._asked_ns = now_ns
        self._sent[self._outgoing.get("/0/public/Time")] = now_ns
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def tick(self, now_ns: int, *, is_told: bool) -> None:
        """Ask again, unless a connection's pings tell the time anyway."""
        if not is_told and now_ns - self._asked_ns >= EVERY_NS:
            self.ask(now_ns)

    def is_asked(self, key: int) -> bool:
        """Whether an HTTP request was such a question."""
        return key in self._sent

    def answered(self, key: int, status: int, body: bytes, now_ns: int) -> None:
        """Read the venue's clock."""
        sent_ns = self._sent.pop(key)
        time = answer(status, body, RestTime).result
        if time is not None:
            venue_ns = time.unixtime * _SECOND
            clock = self._outgoing.clock
            clock.measure(sent_ns, now_ns, venue_ns=venue_ns, grain_ns=_SECOND)

    def failed(self, key: int) -> None:
        """No answer: the next question comes in time."""
        del self._sent[key]
