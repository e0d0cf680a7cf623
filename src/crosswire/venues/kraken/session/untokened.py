"""Requests that were refused for their token: they go once more, with a new one.

Such a refusal is definite, so no first copy can live: the same frame is sent with the same id,
number and deadline. A second refusal for the token stands.
"""

from crosswire.domain import AnyEvent
from crosswire.venues.kraken.session import settle
from crosswire.venues.kraken.session.inflight import InFlight, Request
from crosswire.venues.kraken.session.login import Login
from crosswire.venues.kraken.session.outgoing import Outgoing, TooLateError
from crosswire.venues.unsent import unsent


class Untokened:
    """What one login waits to send again."""

    def __init__(
        self, login: Login, outgoing: Outgoing, inflight: InFlight, timeout_ns: int
    ) -> None:
        self._login = login
        self._outgoing = outgoing
        self._inflight = inflight
        self._timeout_ns = timeout_ns
        self._waiting: list[Request] = []

    def refused(self, request: Request, reason: str, now_ns: int) -> list[AnyEvent]:
        """Refused for the token alone: it was not done, so it may be sent once more."""
        request.refusals += 1
        request.error = reason
        self._inflight.remove(request)
        self._login.distrust(request.sent_ns, now_ns)
        self._waiting.append(request)
        return self.resend(now_ns)

    def resend(self, now_ns: int) -> list[AnyEvent]:
        """Send again what waits, if there is a token that nothing has been said against."""
        if not self._login.has_token:
            return []
        waiting, self._waiting = self._waiting, []
        events: list[AnyEvent] = []
        for request in waiting:
            try:
                self._outgoing.resend(request, now_ns)
            except TooLateError:
                events += _stands(request, now_ns)
            else:
                self._inflight.add(request)
        return events

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Send what can go; where no token came in time, the refusal stands."""
        events = self.resend(now_ns) if self._waiting else []
        late = [each for each in self._waiting if now_ns - each.sent_ns >= self._timeout_ns]
        for request in late:
            self._waiting.remove(request)
            events += _stands(request, now_ns)
        return events

    def give_up(self, now_ns: int) -> list[AnyEvent]:
        """The connection is gone: all refusals stand."""
        waiting, self._waiting = self._waiting, []
        return [event for request in waiting for event in _stands(request, now_ns)]


def _stands(request: Request, now_ns: int) -> list[AnyEvent]:
    events = settle.refuse(request, request.parts, reason=request.error, now_ns=now_ns)
    return events or unsent(request.approved, request.error, now_ns)
