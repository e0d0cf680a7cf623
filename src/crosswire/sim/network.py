"""What lies between our process and a venue, as it is on a bad day.

`NetworkFaults` says what can go wrong and how often; `Weather` draws from it and keeps count of
what struck which order. `FaultyLink` has the face of `net.LocalLink`: a session's connections to a
simulator in the same process, in virtual time, each message taking its own time.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from urllib.parse import urlsplit

from msgspec import Struct

from crosswire.domain import AnyCommand, AnyEvent, Approved, CancelBatch, PlaceBatch
from crosswire.net.clock import Clock
from crosswire.net.delay import CallLater, Cancellable, Line
from crosswire.net.dialogue import TICK_S, Dialogue, OnEvents, ignore_fatal
from crosswire.net.switchboard import Plug, Switchboard
from crosswire.net.transport import ALL_OPEN, Routes, carriers, choose, mode
from crosswire.venues.interface import (
    Endpoint,
    Frame,
    HttpRequest,
    Reconnect,
    Session,
    SimAnswer,
)

MS = 1_000_000
NS = 1_000_000_000
BACKOFF_NS = 500 * MS  # shorter than the real one's: a world has little time
REQUEST_NS = 5 * NS
MAX_WAIT_NS = 5 * NS  # an ordered request older than this no longer leaves
ORDER_NS = 1 * NS  # an ordered request waits so long for the answer to the one before it


class NetworkFaults(Struct, frozen=True, kw_only=True):
    """The switches: probabilities per opportunity, those of `second` per second."""

    latency_ns: int = 2 * MS  # the least; each message takes up to `spread` times as long
    spread: int = 10
    # Per frame that places, amends or cancels.
    lost_before: float = 0.0  # the connection is lost, and the frame with it
    lost_after: float = 0.0  # the frame arrives, the connection is lost before the answer
    late_bytes: float = 0.0  # the frame, and all behind it, is under way for seconds
    # Per HTTP request.
    http_refused: float = 0.0  # no connection: nothing left
    http_lost: float = 0.0  # the request is lost
    http_answer_lost: float = 0.0
    http_late: float = 0.0  # the request is under way for seconds
    # Per connection and second.
    second_cut: float = 0.0
    second_deaf: float = 0.0  # we hear nothing more, what we say arrives
    second_mute: float = 0.0  # nothing passes either way, and nobody is told
    # Per opening.
    no_connection: float = 0.0

    @property
    def is_calm(self) -> bool:
        return self == NetworkFaults(latency_ns=self.latency_ns, spread=self.spread)


class Weather:
    """Draws what happens to messages, and remembers to which orders."""

    def __init__(self, faults: NetworkFaults, rng: Random) -> None:
        self.faults = faults
        self.rng = rng
        self.counts: dict[str, int] = {}
        self.marks: dict[str, set[str]] = {}  # client_order_id -> kinds that struck it
        self.subject: tuple[str, ...] = ()  # whose request is being sent
        self._seed = rng.getrandbits(32)
        self._rngs: dict[str, Random] = {}

    def latency_ns(self) -> int:
        """How long one message takes."""
        faults = self.faults
        return faults.latency_ns + int(faults.latency_ns * faults.spread * self.rng.random() ** 3)

    def strikes(self, name: str, subject: Sequence[str] = ()) -> bool:
        """Whether this opportunity goes wrong; counts it, and whom it hits."""
        rate = getattr(self.faults, name)
        if rate <= 0.0:
            return False
        # Each kind has draws of its own, so that leaving one out leaves the others as they are.
        rng = self._rngs.get(name)
        if rng is None:
            rng = self._rngs[name] = Random(f"{self._seed}/{name}")
        if rng.random() >= rate:
            return False
        self.mark(name, subject)
        return True

    def mark(self, name: str, subject: Sequence[str] = ()) -> None:
        """Count a fault and whom it hits."""
        self.counts[name] = self.counts.get(name, 0) + 1
        for client_order_id in subject:
            self.marks.setdefault(client_order_id, set()).add(name)

    def seconds_ns(self) -> int:
        """A delay that outlasts timeouts and bounds, often enough."""
        return int(NS * (0.5 + 17 * self.rng.random() ** 2))


class _Cable:
    """One endpoint; each opening gets lines of its own, and old ones may still deliver."""

    def __init__(self, endpoint: Endpoint, link: "FaultyLink") -> None:
        self.endpoint = endpoint
        self.number = 0  # the simulator's; 0 = not connected
        self.is_deaf = self.is_mute = False
        self.is_opening = False
        self._heard_ns = 0  # by our own clock
        self._link = link
        self._up = link.line_up()
        self._down = link.line_down()

    def open(self) -> None:
        """Connect, unless the weather forbids it."""
        link = self._link
        self.is_opening = False
        if link.is_stopped or self.number:
            return
        if link.weather.strikes("no_connection"):
            self._come_back()
            return
        self.is_deaf = self.is_mute = False
        self._heard_ns = link.own_clock.now_ns()
        self._up, self._down = link.line_up(), link.line_down()
        down = self._down
        plug = Plug(partial(self._deliver, down), partial(self._drop, down))
        self.number = link.switchboard.open(urlsplit(self.endpoint.url).path, plug)
        link.dialogue.opened(self.endpoint.connection)

    def write(self, payload: bytes) -> None:
        """Send a frame up the line."""
        link, weather = self._link, self._link.weather
        if self.is_mute:
            return
        number, subject = self.number, weather.subject
        wait_ns = weather.latency_ns()
        if subject and not weather.faults.is_calm:
            if weather.strikes("lost_before", subject):
                link.at(wait_ns, partial(self.lose_number, number, "lost before"))
                self.is_mute = True  # what follows is lost as well
                return
            if weather.strikes("late_bytes", subject):
                wait_ns += weather.seconds_ns()
            if weather.strikes("lost_after", subject):
                self.is_deaf = True
                link.at(wait_ns, partial(self.lose_number, number, "lost after"))
        self._up.put(wait_ns, partial(link.arrive, number, payload, subject))

    def lose_number(self, number: int, reason: str) -> None:
        """Lose this very opening, if it is still the one."""
        if self.number == number:
            self.lose(reason)

    def lose(self, reason: str) -> None:
        """We are told that the connection is gone. What was written may yet arrive over there."""
        if not self.number:
            return
        link = self._link
        number, self.number = self.number, 0
        self._down.cut()
        self._close_there(number)
        link.dialogue.closed(self.endpoint.connection, reason)
        if not link.is_stopped:
            self._come_back()

    def vanish(self) -> None:
        """Our process died: the kernel closes the socket behind what was written."""
        if self.number:
            self._down.cut()
            self._close_there(self.number)
            self.number = 0

    def _close_there(self, number: int) -> None:
        """The venue hears of the end after the bytes before it, or later."""
        link, weather = self._link, self._link.weather
        is_unheard = self.is_mute and weather.rng.random() < 0.5
        wait_ns = weather.seconds_ns() if is_unheard else weather.latency_ns()
        self._up.put(wait_ns, partial(link.switchboard.close, number))

    def _come_back(self) -> None:
        if not self.is_opening:
            self.is_opening = True
            wait_ns = BACKOFF_NS + self._link.weather.rng.randrange(BACKOFF_NS)
            self._link.later(wait_ns, self.open)

    def second(self) -> None:
        """What strikes by the clock; and a silence that tells of what struck."""
        weather = self._link.weather
        if not self.number:
            return
        if self._link.own_clock.now_ns() - self._heard_ns > self.endpoint.silence_ns:
            self.lose("silent")
            return
        under_way = self._link.under_way() if self.endpoint.is_private else ()
        if weather.strikes("second_cut", under_way):
            self.lose("cut")
        elif weather.strikes("second_deaf", under_way):
            self.is_deaf = True
        elif weather.strikes("second_mute", under_way):
            self.is_mute = self.is_deaf = True

    def _deliver(self, down: Line, payload: bytes) -> None:
        if not self.is_deaf and down is self._down:
            down.put(self._link.weather.latency_ns(), partial(self._frame, payload))

    def _drop(self, down: Line, code: int) -> None:
        if not self.is_mute and down is self._down:
            down.put(self._link.weather.latency_ns(), partial(self.lose, f"closed: {code}"))

    def _frame(self, payload: bytes) -> None:
        link = self._link
        self._heard_ns = link.own_clock.now_ns()
        link.dialogue.received(self.endpoint.connection, payload, self._heard_ns, 1)


class FaultyLink:
    """Owns a session's connections to a simulator, through the weather."""

    def __init__(
        self,
        session: Session,
        switchboard: Switchboard,
        weather: Weather,
        *,
        own_clock: Clock,
        clock: Clock,
        call_later: CallLater,
        network_later: CallLater,
        on_events: OnEvents,
        on_write: Callable[[], object],
        under_way: Callable[[], Sequence[str]],
        routes: Routes = ALL_OPEN,
    ) -> None:
        """`call_later` is our process's, `network_later` goes on without it.

        `on_write` is called before and after bytes are handed over: a crash may come from it.
        """
        self.session = session
        self.switchboard = switchboard
        self.weather = weather
        self.own_clock = own_clock
        self.under_way = under_way
        self.is_stopped = False
        self._clock = clock
        self._call_later = call_later
        self._network_later = network_later
        self._on_write = on_write
        self._routes = routes
        self.dialogue = Dialogue(session, self, own_clock, on_events, ignore_fatal)
        endpoints = list(session.endpoints())
        self._cables = {each.connection: _Cable(each, self) for each in endpoints}
        self._carriers = [self._cables[each.connection] for each in carriers(endpoints)]
        self._http = _Http(self)
        self._ticker: Cancellable | None = None
        self.on_arrival: Callable[[Sequence[str]], object] = lambda _subject: None

    def begin(self) -> None:
        """Begin the session and connect."""
        self.dialogue.start()
        for cable in self._cables.values():
            cable.open()
        self._ticker = self._call_later(TICK_S, self._tick_again)
        self._call_later(1.0, self._second)

    def vanish(self) -> None:
        """Our process died: nothing more is told to anyone, bytes on their way go on."""
        self.is_stopped = True
        for cable in self._cables.values():
            cable.vanish()

    def send(self, approved: Approved) -> list[AnyEvent]:
        """Choose the transport and send."""
        command = approved.command
        parts: Sequence[AnyCommand] = (command,)
        if isinstance(command, PlaceBatch):
            parts = command.places
        elif isinstance(command, CancelBatch):
            parts = command.cancels
        self.weather.subject = tuple(getattr(each, "client_order_id", "") for each in parts)
        transport = choose(command, self.session, self._routes, ws_open=self._is_open())
        try:
            return self.dialogue.send(approved, transport)
        finally:
            self.weather.subject = ()

    # --- the wire, as the dialogue sees it ---

    def write(self, frame: Frame) -> None:
        """Send a frame, if its connection stands."""
        cable = self._cables[frame.connection]
        if cable.number:
            if self.weather.subject:
                self._on_write()
            cable.write(frame.payload)
            if self.weather.subject:
                self._on_write()

    def ask(self, request: HttpRequest) -> None:
        """Send an HTTP request."""
        self._http.ask(request)

    def reconnect(self, order: Reconnect) -> None:
        """Drop a connection once the session's call is over."""
        cable = self._cables[order.connection]
        self._call_later(0.0, partial(cable.lose_number, cable.number, order.reason))

    # --- for its cables ---

    def line_up(self) -> Line:
        """Return a new line to the venue: it delivers whatever becomes of us."""
        return Line(self._clock, self._network_later)

    def line_down(self) -> Line:
        """Return a new line to our process."""
        return Line(self._clock, self._call_later)

    def arrive(self, number: int, payload: bytes, subject: Sequence[str]) -> None:
        """A frame reaches the venue."""
        self.switchboard.received(number, payload)
        self.on_arrival(subject)

    def later(self, wait_ns: int, callback: Callable[[], object]) -> None:
        """Call after a while, unless our process is dead by then."""
        self._call_later(wait_ns / NS, callback)

    at = later

    def after(self, wait_ns: int, callback: Callable[[], object]) -> None:
        """Call after a while, dead or alive: what is out on the network."""
        self._network_later(wait_ns / NS, callback)

    def statistics(self) -> Mapping[str, int | str | bool]:
        """States of the connections."""
        return {
            "connections_open": sum(bool(each.number) for each in self._cables.values()),
            "transport_mode": mode(self.session, self._routes, ws_open=self._is_open()),
        }

    def _is_open(self) -> bool:
        return all(each.number for each in self._carriers)

    def _tick_again(self) -> None:
        self._ticker = self._call_later(TICK_S, self._tick_again)
        self.dialogue.tick()

    def _second(self) -> None:
        if not self.is_stopped:
            self._call_later(1.0, self._second)
            for cable in self._cables.values():
                cable.second()


class _Http:
    """A session's HTTP requests: those with nonces leave in order, as `net.http` does it."""

    def __init__(self, link: FaultyLink) -> None:
        self._link = link
        self._waiting: deque[tuple[HttpRequest, tuple[str, ...], int]] = deque()
        self._busy = 0  # the ordered request whose answer is waited for
        self._asked = 0
        self._open: dict[int, HttpRequest] = {}

    def ask(self, request: HttpRequest) -> None:
        """Send it now, or behind those before it."""
        subject = self._link.weather.subject
        if request.is_ordered and (self._busy or self._waiting):
            self._waiting.append((request, subject, self._link.own_clock.now_ns()))
        else:
            self._start(request, subject)

    def _start(self, request: HttpRequest, subject: tuple[str, ...]) -> None:
        link, weather = self._link, self._link.weather
        self._asked += 1
        number = self._asked
        self._open[number] = request
        if request.is_ordered:
            self._busy = number
            link.later(ORDER_NS, partial(self._go_on, number))
        if weather.strikes("http_refused", subject):
            link.later(weather.latency_ns(), partial(self._fail, number, was_sent=False))
            return
        link.later(REQUEST_NS, partial(self._fail, number, was_sent=True))
        if weather.strikes("http_lost", subject):
            return
        wait_ns = weather.latency_ns()
        if weather.strikes("http_late", subject):
            wait_ns += weather.seconds_ns()
        link.after(wait_ns, partial(self._arrive, number, request, subject))

    def _arrive(self, number: int, request: HttpRequest, subject: tuple[str, ...]) -> None:
        link = self._link
        link.switchboard.ask(request, partial(self._come_back, number, subject))
        link.on_arrival(subject)

    def _come_back(self, number: int, subject: tuple[str, ...], answer: SimAnswer) -> None:
        link = self._link
        if not link.weather.strikes("http_answer_lost", subject):
            link.later(link.weather.latency_ns(), partial(self._answered, number, answer))

    def _answered(self, number: int, answer: SimAnswer) -> None:
        if not answer.status:
            self._fail(number, was_sent=True)
            return
        request = self._open.pop(number, None)
        if request is not None:
            self._link.dialogue.answered(request, answer.status, answer.body)
            self._go_on(number)

    def _fail(self, number: int, *, was_sent: bool) -> None:
        request = self._open.pop(number, None)
        if request is not None:
            self._link.dialogue.failed(request, "no answer", was_sent=was_sent)
            self._go_on(number)

    def _go_on(self, number: int) -> None:
        """The next in order, once the one before is answered or has had its time."""
        if self._busy != number:
            return
        self._busy = 0
        while self._waiting and not self._busy:
            request, subject, asked_ns = self._waiting.popleft()
            if self._link.own_clock.now_ns() - asked_ns > MAX_WAIT_NS:
                self._link.dialogue.failed(request, "waited too long", was_sent=False)
            else:
                self._start(request, subject)
