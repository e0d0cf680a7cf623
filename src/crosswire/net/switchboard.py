"""Between a simulator and those connected to it, on sockets or in this process."""

from collections.abc import Callable

from msgspec import Struct

from crosswire.net.clock import Clock
from crosswire.net.delay import CallLater, Cancellable
from crosswire.venues.interface import HttpRequest, SimAnswer, SimDrop, SimFrame, Simulator

# A timer of the loop is a millisecond coarse: closer than this is due now.
SOON_NS = 500_000
MAX_ASKED = 10_000  # unanswered HTTP requests


class Plug(Struct, frozen=True, gc=False):
    """Where the simulator's frames for one connection go. Neither may call back at once."""

    on_frame: Callable[[bytes], None]
    on_drop: Callable[[int], None]


class Switchboard:
    """Owns a simulator: numbers its connections, routes its outbox, ticks it when it is due."""

    def __init__(
        self,
        simulator: Simulator,
        clock: Clock,
        call_later: CallLater,
        *,
        soon_ns: int = SOON_NS,
    ) -> None:
        """In virtual time, where a timer is exact, `soon_ns` has to be 0: waiting is free."""
        self.simulator = simulator
        self._soon_ns = soon_ns
        self._clock = clock
        self._call_later = call_later
        self._plugs: dict[int, Plug] = {}
        self._asked: dict[int, Callable[[SimAnswer], None]] = {}
        self._connections = 0
        self._requests = 0
        self._timer: Cancellable | None = None
        self._timer_ns = 0

    def open(self, path: str, plug: Plug) -> int:
        """Connect; return the connection's number."""
        self._connections += 1
        number = self._connections
        self._plugs[number] = plug
        self.simulator.opened(number, path, self._clock.now_ns())
        self.flush()
        return number

    def received(self, connection: int, payload: bytes) -> None:
        """A frame for the simulator, who may act on one of a connection that is gone, unheard."""
        self.simulator.received(connection, payload, self._clock.now_ns())
        self.flush()

    def close(self, connection: int) -> None:
        """The client is gone."""
        if self._plugs.pop(connection, None) is not None:
            self.simulator.closed(connection, self._clock.now_ns())
            self.flush()

    def ask(self, request: HttpRequest, on_answer: Callable[[SimAnswer], None]) -> None:
        """Pass an HTTP request on under a key of our own."""
        self._requests += 1
        key = self._requests
        if len(self._asked) >= MAX_ASKED:
            on_answer(SimAnswer(key, 503, b""))
            return
        self._asked[key] = on_answer
        own = HttpRequest(key, request.method, request.path, request.headers, request.body)
        self.simulator.asked(key, own, self._clock.now_ns())
        self.flush()

    def tick(self) -> None:
        """Let the simulator do what is due."""
        self.simulator.tick(self._clock.now_ns())
        self.flush()

    def flush(self) -> None:
        """Route the outbox and set the timer; also to be called after feeding it directly."""
        outbox = self.simulator.outbox
        outputs = outbox.copy()
        outbox.clear()
        for output in outputs:
            self._route(output)
        self._arm()

    def _route(self, output: SimFrame | SimAnswer | SimDrop) -> None:
        if isinstance(output, SimAnswer):
            on_answer = self._asked.pop(output.key, None)
            if on_answer is not None:
                on_answer(output)
        elif isinstance(output, SimFrame):
            plug = self._plugs.get(output.connection)
            if plug is not None:
                plug.on_frame(output.payload)
        else:
            plug = self._plugs.pop(output.connection, None)
            if plug is not None:
                plug.on_drop(output.code)

    def _arm(self) -> None:
        """One timer for the next due moment; it is left alone if it already stands there."""
        due_ns = self.simulator.next_due_ns()
        if self._timer is not None:
            if due_ns == self._timer_ns:
                return
            self._timer.cancel()
            self._timer = None
        if due_ns is not None:
            self._timer_ns = due_ns
            wait_ns = due_ns - self._clock.now_ns()
            wait_s = wait_ns / 1e9 if wait_ns > self._soon_ns else 0.0
            self._timer = self._call_later(wait_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self.tick()

    def stop(self) -> None:
        """No further ticks; who is connected or waits for an answer is cut."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for key in list(self._asked):
            self._asked.pop(key)(SimAnswer(key, 0, b""))
        for number in list(self._plugs):
            self._plugs.pop(number).on_drop(1006)
