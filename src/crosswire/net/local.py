"""A link without sockets: the simulator lives in this process, at a set latency."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from urllib.parse import urlsplit

from crosswire.domain import AnyEvent, Approved
from crosswire.net.clock import Clock
from crosswire.net.delay import CallLater, Cancellable, Line
from crosswire.net.dialogue import TICK_S, Dialogue, OnEvents, OnFatal, ignore_fatal
from crosswire.net.switchboard import Plug, Switchboard
from crosswire.net.transport import ALL_OPEN, Routes, carriers, choose, mode
from crosswire.net.websocket import SECOND_NS, backoff_ns
from crosswire.venues.interface import (
    Endpoint,
    Frame,
    HttpRequest,
    Reconnect,
    Session,
    SimAnswer,
    Simulator,
)


class _LocalConnection:
    """One endpoint plugged into the switchboard; each opening gets lines of its own."""

    def __init__(self, endpoint: Endpoint, link: "LocalLink") -> None:
        self.endpoint = endpoint
        self.number = 0  # the simulator's; 0 = not connected
        self.failures = 0
        self._link = link
        self._up = link.line()
        self._down = link.line()

    def open(self) -> None:
        """Plug in, and tell the session; what the simulator says first comes after that."""
        link = self._link
        if link.is_stopped or self.number:
            return
        self._up, self._down = link.line(), link.line()
        down = self._down
        plug = Plug(
            lambda payload: down.put(link.latency_ns, partial(self._frame, payload)),
            lambda code: down.put(link.latency_ns, partial(self._dropped, code)),
        )
        self.number = link.switchboard.open(urlsplit(self.endpoint.url).path, plug)
        link.dialogue.opened(self.endpoint.connection)

    def write(self, payload: bytes) -> None:
        """Send a frame up the line."""
        link = self._link
        self._up.put(link.latency_ns, partial(link.switchboard.received, self.number, payload))

    def lose(self, reason: str) -> None:
        """Unplug and tell the session; come back after the backoff."""
        if not self.number:
            return
        link = self._link
        number, self.number = self.number, 0
        self._up.cut()
        self._down.cut()
        link.switchboard.close(number)
        link.dialogue.closed(self.endpoint.connection, reason)
        if not link.is_stopped:
            self.failures += 1
            link.later(backoff_ns(self.failures, link.rng), self.open)

    def _frame(self, payload: bytes) -> None:
        self.failures = 0
        link = self._link
        link.dialogue.received(self.endpoint.connection, payload, link.now_ns(), 1)

    def _dropped(self, code: int) -> None:
        self.lose(f"closed by the venue: {code}")


class LocalLink:
    """The face of `Link`, over a simulator in this process.

    Links that share a simulator share its `Switchboard`: pass that instead of the simulator.
    """

    def __init__(
        self,
        session: Session,
        simulator: Simulator | Switchboard,
        clock: Clock,
        on_events: OnEvents,
        *,
        latency_ns: int,
        rng: Random | None = None,
        on_fatal: OnFatal = ignore_fatal,
        call_later: CallLater | None = None,
        routes: Routes = ALL_OPEN,
    ) -> None:
        self.session = session
        self.latency_ns = latency_ns
        self.rng = rng or Random(0)
        self.is_stopped = False
        self._clock = clock
        self._routes = routes
        self._call_later = call_later or _loop_call_later
        self._owned_switchboard = not isinstance(simulator, Switchboard)
        self.switchboard = (
            simulator
            if isinstance(simulator, Switchboard)
            else Switchboard(simulator, clock, self._call_later)
        )
        self.dialogue = Dialogue(session, self, clock, on_events, on_fatal)
        endpoints = list(session.endpoints())
        self._connections = {each.connection: _LocalConnection(each, self) for each in endpoints}
        self._carriers = [self._connections[each.connection] for each in carriers(endpoints)]
        self._http_up, self._http_down = self.line(), self.line()
        self._unanswered: dict[int, HttpRequest] = {}
        self._asked = 0
        self._ticker: Cancellable | None = None

    async def start(self) -> None:
        """Begin the session and connect."""
        self.begin()

    def begin(self) -> None:
        """The same, for a world without a loop."""
        self.dialogue.start()
        for connection in self._connections.values():
            connection.open()
        self._ticker = self._call_later(TICK_S, self._tick_again)

    async def stop(self) -> None:
        """Unplug; requests without an answer end as sent and unanswered."""
        self.end()

    def end(self) -> None:
        """The same, for a world without a loop."""
        self.is_stopped = True
        if self._ticker is not None:
            self._ticker.cancel()
        for connection in self._connections.values():
            connection.lose("stopped")
        self._http_up.cut()
        self._http_down.cut()
        for number in list(self._unanswered):
            self._fail(number, "stopped")
        if self._owned_switchboard:
            self.switchboard.stop()

    def send(self, approved: Approved) -> list[AnyEvent]:
        """Choose the transport and send."""
        transport = choose(approved.command, self.session, self._routes, ws_open=self._is_open())
        return self.dialogue.send(approved, transport)

    def tap(self, record: Callable[[Frame], object]) -> None:
        """Show every frame to somebody before it is written."""
        self.dialogue.tap(record)

    def flush(self) -> None:
        """Send what somebody else had the session put into its outbox."""
        self.dialogue.flush()

    def tick(self) -> None:
        """Let the session know the time: every 50 ms by itself."""
        self.dialogue.tick()

    def statistics(self) -> Mapping[str, int | str | bool]:
        """States of the connections, and where orders would go."""
        return {
            "connections_open": sum(bool(each.number) for each in self._connections.values()),
            "http_waiting": len(self._unanswered),
            "transport_mode": mode(self.session, self._routes, ws_open=self._is_open()),
        }

    def _is_open(self) -> bool:
        return all(each.number for each in self._carriers)

    # --- the wire, as the dialogue sees it ---

    def write(self, frame: Frame) -> None:
        """Send a frame, if its connection stands."""
        connection = self._connections[frame.connection]
        if connection.number:
            connection.write(frame.payload)

    def ask(self, request: HttpRequest) -> None:
        """Send an HTTP request."""
        self._asked += 1
        number = self._asked
        self._unanswered[number] = request
        on_answer = partial(self._come_back, number)
        self._http_up.put(self.latency_ns, lambda: self.switchboard.ask(request, on_answer))

    def reconnect(self, order: Reconnect) -> None:
        """Drop a connection once the session's call is over."""
        connection = self._connections[order.connection]
        self._call_later(0.0, lambda: connection.lose(order.reason))

    # --- for its connections ---

    def line(self) -> Line:
        """Return a new line."""
        return Line(self._clock, self._call_later)

    def later(self, wait_ns: int, callback: Callable[[], object]) -> None:
        """Call after a while."""
        self._call_later(wait_ns / SECOND_NS, callback)

    def now_ns(self) -> int:
        """Return the time."""
        return self._clock.now_ns()

    # --- callbacks ---

    def _come_back(self, number: int, answer: SimAnswer) -> None:
        self._http_down.put(self.latency_ns, partial(self._arrive, number, answer))

    def _arrive(self, number: int, answer: SimAnswer) -> None:
        if number not in self._unanswered:
            return  # stopped meanwhile
        if not answer.status:
            self._fail(number, "cut without an answer")
            return
        request = self._unanswered.pop(number)
        self.dialogue.answered(request, answer.status, answer.body)

    def _fail(self, number: int, reason: str) -> None:
        self.dialogue.failed(self._unanswered.pop(number), reason, was_sent=True)

    def _tick_again(self) -> None:
        self._ticker = self._call_later(TICK_S, self._tick_again)
        self.tick()


def _loop_call_later(delay: float, callback: Callable[[], object], /) -> Cancellable:
    """Use the running loop, looked up when it runs."""
    return asyncio.get_running_loop().call_later(delay, callback)
