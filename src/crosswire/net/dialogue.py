"""What every link does: hand the session what happened, empty its outbox, pass its events on.

The live path runs through `received` and `send` without a task or a queue: the frame that moved
the book and the order that answers it share one call stack.
"""

import sys
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from crosswire.domain import AnyEvent, Approved, Sent, Transport
from crosswire.net.clock import Clock
from crosswire.net.transport import refused
from crosswire.venues.interface import Frame, HttpRequest, Reconnect, Session

TICK_S = 0.05  # how often a session learns the time

OnEvents = Callable[[list[AnyEvent]], None]
OnFatal = Callable[[BaseException], None]


def ignore_fatal(error: BaseException) -> None:
    """Where nobody was named to hear of a broken invariant; it is raised all the same."""


class Wire(Protocol):
    """The sockets under a dialogue, real or not. None of these may call the session back."""

    def write(self, frame: Frame) -> None:
        """Hand a frame to its connection now; nothing if that connection is not open."""

    def ask(self, request: HttpRequest) -> None:
        """Start an HTTP request."""

    def reconnect(self, order: Reconnect) -> None:
        """Drop a connection soon, and open it anew."""


class Dialogue:
    """One session, its wire, and where its events go.

    An exception out of the session or out of `on_events` is a broken invariant of ours: it is
    told to `on_fatal` and raised, and the connection lives on, so that a cancel can still leave.
    """

    __slots__ = ("_clock", "_on_events", "_on_fatal", "_pending", "_wire", "_write", "session")

    def __init__(
        self, session: Session, wire: Wire, clock: Clock, on_events: OnEvents, on_fatal: OnFatal
    ) -> None:
        self.session = session
        self._wire = wire
        self._write = wire.write
        self._clock = clock
        self._on_events = on_events
        self._on_fatal = on_fatal
        self._pending: list[AnyEvent] = []  # of earlier frames of the same read

    def tap(self, record: Callable[[Frame], object]) -> None:
        """Show every frame to somebody before it is written."""
        inner = self._write

        def write(frame: Frame) -> None:
            record(frame)
            inner(frame)

        self._write = write

    def received(self, connection: str, payload: bytes, now_ns: int, is_last: int) -> None:
        """Decode one frame; with the last of its read, hand on the events of all of them."""
        is_sound = False
        try:
            session = self.session
            events = session.received(connection, payload, now_ns)
            if session.outbox:
                self.flush()
            if not is_last:
                self._pending += events
            else:
                if self._pending:
                    events, self._pending = [*self._pending, *events], []
                if events:
                    self._on_events(events)
            is_sound = True
        finally:
            if not is_sound:
                self._tell_fatal()

    def end_read(self) -> None:
        """Hand on what waits, where a read ended with something other than a message."""
        if self._pending:
            self._conclude(lambda _now_ns: [])

    def start(self) -> None:
        """Begin the session."""
        self._conclude(self.session.start)

    def opened(self, connection: str) -> None:
        """A connection stands."""
        self._conclude(lambda now_ns: self.session.opened(connection, now_ns))

    def closed(self, connection: str, reason: str) -> None:
        """A connection is gone."""
        self._conclude(lambda now_ns: self.session.closed(connection, reason, now_ns))

    def answered(self, request: HttpRequest, status: int, body: bytes) -> None:
        """An HTTP answer came, whole."""
        self._conclude(lambda now_ns: self.session.answered(request, status, body, now_ns))

    def failed(self, request: HttpRequest, reason: str, *, was_sent: bool) -> None:
        """No HTTP answer came."""
        self._conclude(
            lambda now_ns: self.session.failed(request, reason, now_ns, was_sent=was_sent)
        )

    def tick(self) -> None:
        """Time passed."""
        self._conclude(self.session.tick)

    def send(self, approved: Approved, transport: Transport | None) -> list[AnyEvent]:
        """Send a command: its bytes are with the socket when this returns. None = no way out."""
        session, now_ns = self.session, self._clock.now_ns
        if transport is None:
            return refused(approved, now_ns())
        events = session.send(approved, transport, now_ns())
        encoded_ns = now_ns()
        if session.outbox:
            self.flush()
        return stamped(events, encoded_ns, now_ns())

    def flush(self) -> None:
        """Empty the session's outbox."""
        outbox = self.session.outbox
        outputs = outbox.copy()
        outbox.clear()
        wire = self._wire
        for output in outputs:
            if type(output) is Frame:
                self._write(output)
            elif isinstance(output, HttpRequest):
                wire.ask(output)
            elif isinstance(output, Reconnect):
                wire.reconnect(output)

    def _conclude(self, call: Callable[[int], list[AnyEvent]]) -> None:
        """Call the session off the hot path, flush, and hand on what came of it."""
        is_sound = False
        try:
            events = call(self._clock.now_ns())
            if self.session.outbox:
                self.flush()
            if self._pending:
                events, self._pending = [*self._pending, *events], []
            if events:
                self._on_events(events)
            is_sound = True
        finally:
            if not is_sound:
                self._tell_fatal()

    def _tell_fatal(self) -> None:
        """Tell of the exception that is on its way up."""
        error = sys.exception()
        if error is not None:
            self._on_fatal(error)


def stamped(events: list[AnyEvent], encoded_ns: int, written_ns: int) -> list[AnyEvent]:
    """Return the events with `Sent` saying when its bytes were ready, and with the socket."""
    return [
        replace(event, encoded_ns=encoded_ns, recv_ns=written_ns) if type(event) is Sent else event
        for event in events
    ]
