"""What the tests of Kraken's sessions share: commands, literal frames, and both ends joined."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

from crosswire.domain import (
    Amend,
    AnyCommand,
    AnyEvent,
    Approved,
    Cancel,
    Place,
    TimedOut,
    Transport,
)
from crosswire.fixed import parse
from crosswire.venues.interface import (
    Credentials,
    FeedSettings,
    Frame,
    HttpRequest,
    Reconnect,
    Session,
    SessionSettings,
    SimAnswer,
    SimDrop,
    SimFrame,
    Simulator,
)
from crosswire.venues.kraken import VENUE
from crosswire.venues.kraken.encode.bodies import Call
from crosswire.venues.kraken.session.trading import Trading

SECOND = 1_000_000_000
NOW = 1_769_061_979 * SECOND  # 2026-01-22T06:06:19Z
ACCOUNT = "mm1"
KEY = "the-api-key-0001"
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
TOKEN = "token-of-forty-three-characters-aaaaaaaaaaa"
BTC = "kraken:BTC/USD"
HOSTS = VENUE.local_hosts("127.0.0.1:1")
EventType = TypeVar("EventType", bound=AnyEvent)


def own_id(number: int) -> str:
    """Return the client_order_id of an order in a test."""
    return f"{number:032x}"


def place(number: int = 1, **changes: Any) -> Place:
    """Return a plain post-only limit order, changed where a test wants it."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "instrument": BTC,
        "client_order_id": own_id(number),
        "side": "buy",
        "quantity": parse("0.001"),
        "price": parse("26500.4"),
        "post_only": True,
    }
    return Place(**(fields | changes))


def amend(number: int = 1, **changes: Any) -> Amend:
    """Return an amend of an order's price."""
    fields: dict[str, Any] = {"quantity": None, "price": parse("26501")}
    return Amend(ACCOUNT, BTC, own_id(number), **(fields | changes))


def cancel(number: int = 1, venue_order_id: str = "") -> Cancel:
    """Return a cancel by our id, or by the venue's."""
    return Cancel(ACCOUNT, own_id(number), venue_order_id, BTC)


def of(events: Sequence[AnyEvent], kind: type[EventType]) -> list[EventType]:
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def only(events: Sequence[AnyEvent], kind: type[EventType]) -> EventType:
    """Return the one event of a kind."""
    (found,) = of(events, kind)
    return found


def settings(**changes: Any) -> SessionSettings:
    """Return the settings of a login."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "hosts": HOSTS,
        "credentials": Credentials(KEY, SECRET),
        "tier": "pro",
    }
    return SessionSettings(**(fields | changes))


class Rig:
    """A login driven by literal frames. Every event it ever made is kept."""

    def __init__(self, **changes: Any) -> None:
        self.session = Trading(settings(**changes), 1)
        self.now_ns = NOW
        self.events: list[AnyEvent] = []
        self.requests = 0
        self.frames: list[dict[str, Any]] = []
        self.calls: list[HttpRequest] = []
        self.reconnects: list[Reconnect] = []
        self.sequence = 0

    def take(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Keep events, and sort what the outbox holds."""
        self.events += events
        for output in self.session.outbox:
            if isinstance(output, Frame):
                self.frames.append(json.loads(output.payload))
            elif isinstance(output, HttpRequest):
                self.calls.append(output)
            else:
                self.reconnects.append(output)
        self.session.outbox.clear()
        return events

    def login(self) -> "Rig":
        """Start, mint, connect, subscribe and read the snapshots."""
        self.take(self.session.start(self.now_ns))
        self.answer("GetWebSocketsToken", {"token": TOKEN, "expires": 900})
        self.take(self.session.opened("private", self.now_ns))
        self.snapshot()
        self.hear({"channel": "balances", "type": "snapshot", "data": [], "sequence": 1})
        return self

    def snapshot(self, *orders: dict[str, Any]) -> list[AnyEvent]:
        """Let the executions snapshot arrive."""
        self.sequence = 1
        frame = {"channel": "executions", "type": "snapshot", "data": list(orders), "sequence": 1}
        return self.hear(frame)

    def execution(self, **item: Any) -> list[AnyEvent]:
        """Let one update of `executions` arrive."""
        self.sequence += 1
        fields = {"timestamp": "2026-01-22T06:06:19.833306Z", **item}
        frame = {"channel": "executions", "type": "update", "data": [fields]}
        return self.hear({**frame, "sequence": self.sequence})

    def hear(self, frame: dict[str, Any] | bytes) -> list[AnyEvent]:
        """Let a frame arrive."""
        payload = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        return self.take(self.session.received("private", payload, self.now_ns))

    def send(self, command: AnyCommand, transport: Transport = "ws") -> list[AnyEvent]:
        """Send an approved command."""
        self.requests += 1
        approved = Approved(command, self.requests, self.now_ns)
        return self.take(self.session.send(approved, transport, self.now_ns))

    def reply(self, method: str, number: int, **fields: Any) -> list[AnyEvent]:
        """Let a success arrive."""
        frame = {"method": method, "req_id": number, "success": True}
        stamps = {"time_in": "2026-01-22T06:06:19.8Z", "time_out": "2026-01-22T06:06:19.9Z"}
        return self.hear({**frame, **stamps, **fields})

    def refuse(self, method: str, number: int, error: str, **fields: Any) -> list[AnyEvent]:
        """Let a refusal arrive."""
        return self.hear(
            {"method": method, "req_id": number, "success": False, "error": error, **fields}
        )

    def call(self, name: str) -> HttpRequest:
        """Return the newest HTTP request of a name, and forget it."""
        found = next(call for call in reversed(self.calls) if name in call.path)
        self.calls.remove(found)
        return found

    def answer(
        self, name: str, result: Any = None, *, error: Sequence[str] = (), status: int = 200
    ) -> list[AnyEvent]:
        """Answer the newest HTTP request of a name."""
        body = {"error": list(error)} | ({} if error else {"result": result})
        return self.answer_raw(name, status, json.dumps(body).encode())

    def answer_raw(self, name: str, status: int, body: bytes) -> list[AnyEvent]:
        """Answer the newest HTTP request of a name with these bytes."""
        return self.take(self.session.answered(self.call(name), status, body, self.now_ns))

    def pass_time(self, seconds: float) -> list[AnyEvent]:
        """Let time pass, then tick."""
        self.now_ns += int(seconds * SECOND)
        return self.take(self.session.tick(self.now_ns))

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Return the frames of a method that went out so far."""
        return [frame for frame in self.frames if frame["method"] == method]


class Joined:
    """Sessions and a simulator, joined in memory: no sockets, no waiting, one clock."""

    def __init__(self, simulator: Simulator, sessions: Sequence[Session]) -> None:
        self.simulator = simulator
        self.sessions = {session.name: session for session in sessions}
        self.now_ns = NOW
        self.events: list[AnyEvent] = []
        self.is_cut: Callable[[object], bool] = lambda _: False
        self._lines: dict[int, tuple[str, str]] = {}
        self._asked: dict[int, tuple[str, HttpRequest]] = {}
        self._last = 0
        self._requests = 0

    def start(self) -> None:
        """Start every session and connect it."""
        for name, session in self.sessions.items():
            self.events += session.start(self.now_ns)
            for endpoint in session.endpoints():
                self.connect(name, endpoint.connection, endpoint.url)
        self.settle()

    def connect(self, name: str, connection: str, url: str) -> None:
        """Open one connection."""
        self._last += 1
        self._lines[self._last] = (name, connection)
        path = "/" + url.split("/", 3)[3]
        self.events += self.sessions[name].opened(connection, self.now_ns)
        self.simulator.opened(self._last, path, self.now_ns)

    def settle(self) -> None:
        """Carry everything to and fro, what is due now included, until nothing is left."""
        while self._carry() or self._is_due():
            self.simulator.tick(self.now_ns)

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass in steps; both sides tick."""
        until_ns = self.now_ns + int(seconds * SECOND)
        while self.now_ns < until_ns:
            self.now_ns += int(step * SECOND)
            self.simulator.tick(self.now_ns)
            for session in self.sessions.values():
                self.events += session.tick(self.now_ns)
            self.settle()

    def send(self, command: AnyCommand, transport: Transport = "ws") -> list[AnyEvent]:
        """Send an approved command and carry everything; returns all events that followed."""
        self._requests += 1
        known = len(self.events)
        session = self.sessions[command.account]
        approved = Approved(command, self._requests, self.now_ns)
        self.events += session.send(approved, transport, self.now_ns)
        self.settle()
        return self.events[known:]

    def drop(self, name: str) -> None:
        """Cut a session's connections and open them anew."""
        for line, (owner, connection) in list(self._lines.items()):
            if owner == name:
                del self._lines[line]
                self.simulator.closed(line, self.now_ns)
                self.events += self.sessions[name].closed(connection, "cut", self.now_ns)
        for endpoint in self.sessions[name].endpoints():
            self.connect(name, endpoint.connection, endpoint.url)
        self.settle()

    def _is_due(self) -> bool:
        due_ns = self.simulator.next_due_ns()
        return due_ns is not None and due_ns <= self.now_ns

    def _carry(self) -> bool:
        has_moved = False
        for name, session in self.sessions.items():
            outputs, session.outbox[:] = session.outbox.copy(), []
            for output in outputs:
                has_moved = True
                if not self.is_cut(output):
                    self._to_venue(name, output)
        answers, self.simulator.outbox[:] = self.simulator.outbox.copy(), []
        for answer in answers:
            has_moved = True
            self._to_session(answer)
        return has_moved

    def _to_venue(self, name: str, output: object) -> None:
        if isinstance(output, HttpRequest):
            self._last += 1
            self._asked[self._last] = (name, output)
            self.simulator.asked(self._last, output, self.now_ns)
        elif isinstance(output, Frame):
            for line, owner in self._lines.items():
                if owner == (name, output.connection):
                    self.simulator.received(line, output.payload, self.now_ns)
        else:
            self.drop(name)

    def _to_session(self, output: SimFrame | SimAnswer | SimDrop) -> None:
        if isinstance(output, SimAnswer):
            name, request = self._asked.pop(output.key)
            session, now_ns = self.sessions[name], self.now_ns
            if self.is_cut(output) or not output.status:
                self.events += session.failed(request, "cut", now_ns, was_sent=True)
            else:
                self.events += session.answered(request, output.status, output.body, now_ns)
        elif output.connection in self._lines:
            name, connection = self._lines[output.connection]
            session = self.sessions[name]
            if isinstance(output, SimDrop):
                del self._lines[output.connection]
                self.events += session.closed(connection, "dropped", self.now_ns)
            elif not self.is_cut(output):
                self.events += session.received(connection, output.payload, self.now_ns)


def joined(**options: Any) -> Joined:
    """Return a feed and a login, joined to a simulator without order flow, all started."""
    simulator = VENUE.simulator(
        1,
        NOW,
        Credentials(KEY, SECRET),
        {"USD": "1000000", "BTC": "10"},
        **({"flow": "off", "account": ACCOUNT} | options),
    )
    feed = VENUE.feed(FeedSettings(HOSTS, ("BTC/USD",), trades=True, ticker=True))
    world = Joined(simulator, [feed, VENUE.session(settings(), 1)])
    world.start()
    return world


def in_doubt(events: Sequence[AnyEvent]) -> list[str]:
    """Return the ids of all orders that events put in doubt."""
    return [own for event in of(events, TimedOut) for own in event.client_order_ids]


def form(call: Call) -> dict[str, str]:
    """Return a call's form fields."""
    nonce, _, text = call.body(5).decode().partition("&")
    assert nonce == "nonce=5"
    return {name: value for name, (value,) in parse_qs(text, strict_parsing=bool(text)).items()}
