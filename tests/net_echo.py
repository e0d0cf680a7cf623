"""A made-up venue for the tests of `net`: one session, one simulator, and raw servers."""

import asyncio
import base64
import hashlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from crosswire.domain import AnyEvent, Approved, Cancel, Sent, Transport, VenueWarned
from crosswire.net.loop import new_event_loop
from crosswire.venues.interface import (
    Endpoint,
    Frame,
    HttpRequest,
    Output,
    SimAnswer,
    SimDrop,
    SimFrame,
    SimOutput,
)

Result = TypeVar("Result")
WATCHDOG_S = 20.0  # a test that hangs fails instead


def run(story: Coroutine[Any, Any, Result]) -> Result:
    """Run one test's story in a loop of its own."""

    async def watched() -> Result:
        async with asyncio.timeout(WATCHDOG_S):
            return await story

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(watched())


def order(number: int) -> Approved:
    """Return a command to send."""
    return Approved(Cancel("alice", f"order-{number}"), request_id=number, approved_ns=0)


class Gathered:
    """Lists of what happened, and a way to wait for more of it."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Wake whoever waits."""
        self._changed.set()

    async def until(self, claim: Callable[[], object]) -> None:
        """Wait until the claim holds."""
        while not claim():
            self._changed.clear()
            await self._changed.wait()


class EchoSession(Gathered):
    """Writes down what it is told; each text frame becomes one event."""

    def __init__(self, port: int, *, scheme: str = "ws", silence_ns: int = 60_000_000_000) -> None:
        super().__init__()
        self.name = "alice"
        self.rest_url = f"http://127.0.0.1:{port}"
        self.outbox: list[Output] = []
        self.calls: list[tuple[object, ...]] = []
        self.batches: list[list[AnyEvent]] = []
        self.ready: set[Transport] = {"ws", "rest"}
        self.at_start: list[Output] = []
        self.at_open: list[Output] = []
        self.at_tick: list[AnyEvent] = []
        self.outcomes: list[tuple[object, ...]] = []
        self.breaks_on = b"never"
        self.says: list[AnyEvent] | None = None  # to every frame, where set
        self._endpoint = Endpoint("main", f"{scheme}://127.0.0.1:{port}/v2", True, silence_ns)

    def on_events(self, events: list[AnyEvent]) -> None:
        self.batches.append(list(events))
        self.changed()

    def texts(self) -> list[str]:
        """Return the texts of all frames, in order."""
        return [each.text for batch in self.batches for each in batch if type(each) is VenueWarned]

    async def answers(self, count: int) -> None:
        """Wait for so many outcomes of HTTP requests."""
        await self.until(lambda: len(self.outcomes) >= count)

    def count(self, kind: str) -> int:
        return sum(call[0] == kind for call in self.calls)

    def _told(self, *call: object) -> list[AnyEvent]:
        self.calls.append(call)
        self.changed()
        return []

    def endpoints(self) -> Sequence[Endpoint]:
        return [self._endpoint]

    def start(self, now_ns: int) -> list[AnyEvent]:
        self.outbox += self.at_start
        return self._told("start")

    def opened(self, connection: str, now_ns: int) -> list[AnyEvent]:
        self.outbox += self.at_open
        return self._told("opened", connection)

    def received(self, connection: str, payload: bytes, now_ns: int) -> list[AnyEvent]:
        if payload == self.breaks_on:
            self.changed()
            raise AssertionError("an invariant of ours")
        if self.says is not None:
            return self.says
        return [VenueWarned(now_ns, connection, payload.decode())] if payload != b"quiet" else []

    def closed(self, connection: str, reason: str, now_ns: int) -> list[AnyEvent]:
        return self._told("closed", connection, reason)

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        self.outcomes.append((request.key, status, body))
        return self._told("answered", request.key)

    def failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        self.outcomes.append((request.key, reason, was_sent))
        return self._told("failed", request.key)

    def tick(self, now_ns: int) -> list[AnyEvent]:
        events, self.at_tick = self.at_tick, []
        return events

    def is_ready(self, transport: Transport) -> bool:
        return transport in self.ready

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        if transport == "ws":
            self.outbox.append(Frame("main", b"order %d" % approved.request_id))
        else:
            self.outbox.append(ask(approved.request_id, "/order"))
        return [Sent(now_ns, "alice", approved.request_id, transport)]

    def statistics(self) -> Mapping[str, int | str | bool]:
        return {}


def ask(
    key: int, path: str, *, method: str = "GET", is_ordered: bool = False, is_cheap: bool = False
) -> HttpRequest:
    """Return an HTTP request."""
    body = b"body" if method == "POST" else b""
    return HttpRequest(key, method, path, {"X-Key": "k"}, body, is_ordered, is_cheap)


class EchoSimulator(Gathered):
    """Answers `order N` with `ack N`; other words make it send many, cut, close or wait."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox: list[SimOutput] = []
        self.seen: list[tuple[object, ...]] = []
        self.due_ns: int | None = None
        self.held: list[SimOutput] = []
        self.wait_ns = 1_000_000

    def _saw(self, *what: object) -> None:
        self.seen.append(what)
        self.changed()

    def opened(self, connection: int, path: str, now_ns: int) -> None:
        self._saw("opened", connection, path)
        self.outbox.append(SimFrame(connection, b"hello"))

    def received(self, connection: int, payload: bytes, now_ns: int) -> None:
        self._saw("received", connection, payload)
        word, _, rest = payload.partition(b" ")
        if word == b"order":
            self.outbox.append(SimFrame(connection, b"ack " + rest))
        elif word == b"later":
            self._hold(SimFrame(connection, rest), now_ns)
        elif word == b"drop":
            self.outbox.append(SimDrop(connection, int(rest)))

    def closed(self, connection: int, now_ns: int) -> None:
        self._saw("closed", connection)

    def asked(self, key: int, request: HttpRequest, now_ns: int) -> None:
        self._saw("asked", request.method, request.path, request.body, request.headers.get("x-key"))
        if request.path == "/cut":
            self.outbox.append(SimAnswer(key, 0, b""))
        elif request.path.startswith("/later"):
            self._hold(SimAnswer(key, 200, b"late"), now_ns)
        elif request.path == "/page":
            self.outbox.append(SimAnswer(key, 502, b"<html>bad</html>", "text/html"))
        elif request.path != "/never":
            self.outbox.append(SimAnswer(key, 200, request.path.encode()))

    def _hold(self, output: SimOutput, now_ns: int) -> None:
        self.held.append(output)
        self.due_ns = now_ns + self.wait_ns

    def tick(self, now_ns: int) -> None:
        if self.due_ns is not None and now_ns >= self.due_ns:
            self.due_ns = None
            self.outbox += self.held
            self.held = []

    def next_due_ns(self) -> int | None:
        return self.due_ns

    def ledger(self) -> Mapping[str, object]:
        return {"seen": len(self.seen)}


# --- servers that misbehave in ways a simulator cannot -------------------------------------------

Story = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(story: Story, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve a story to each client; gives the port."""
    writers: list[asyncio.StreamWriter] = []

    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await story(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(told, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert isinstance(port, int)
        return port


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a WebSocket."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(
        line.partition(":")[2].strip()
        for line in head.split("\r\n")
        if line.lower().startswith("sec-websocket-key")
    )
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


def frame(payload: bytes, *, opcode: int = 1, fin: bool = True) -> bytes:
    """Return a server's frame, unmasked."""
    head = (0x80 if fin else 0) | opcode
    size = len(payload)
    if size < 126:
        return bytes([head, size]) + payload
    return bytes([head, 126]) + struct.pack(">H", size) + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a client's short frame; return its opcode and payload."""
    head, size = await reader.readexactly(2)
    mask = await reader.readexactly(4)
    masked = await reader.readexactly(size & 0x7F)
    return head & 0xF, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))
