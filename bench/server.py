"""What the benchmarks' venues share: connections, HTTP, and the ticks with their stopwatch.

A venue runs in a process of its own, for one client: prints its port, `ready`, and the result as
JSON lines. What happens between a tick and its order is in C (`spin.c`) where there is a compiler.
"""

import argparse
import json
import select
import socket
import sys
import time
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from bench import wire
from bench.build import Stopwatch, stopwatch

SETTLE_S = 0.4  # quiet for this long after the last subscription: the client is ready
ANSWER_LIMIT_NS = 100_000_000
BEFORE_NS = 60_000  # nothing is looked at so shortly before a tick


class Tick(NamedTuple):
    """One update: its text, and the best bid after it."""

    text: bytes
    best_bid: str


class Peer:
    """One connection of the client's."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self.socket = connection
        self.received = bytearray()
        self.path = ""
        self.is_websocket = False
        self.sequences: dict[str, int] = {}  # of what is numbered by channel

    def write(self, data: bytes) -> None:
        """Send all of it, waiting where the socket is full."""
        while data:
            try:
                data = data[self.socket.send(data) :]
            except BlockingIOError:
                select.select([], [self.socket], [])

    def say(self, text: str | bytes) -> None:
        """Send a text frame."""
        self.write(wire.frame(text.encode() if isinstance(text, str) else text))


class Server(ABC):
    """A venue: what it says is told by its heirs."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.peers: list[Peer] = []
        self.book: Peer | None = None
        self.orders: Peer | None = None
        self.changed = 0.0  # when a client last did something on the way to being ready
        self.prices: list[float] = []  # of the orders that came since the last tick

    # --- what an heir says ---------------------------------------------------------------------

    @abstractmethod
    def welcomed(self, peer: Peer) -> None:
        """A WebSocket stands."""

    @abstractmethod
    def told(self, peer: Peer, request: dict[str, Any]) -> None:
        """A message came; where it is an order, its price is to be added to `prices`."""

    @abstractmethod
    def rested(self, peer: Peer, body: bytes) -> bytes:
        """Return the answer to an HTTP request on `peer.path`."""

    @abstractmethod
    def tick(self, number: int) -> Tick:
        """Return the tick of this number."""

    @abstractmethod
    def beat(self) -> None:
        """Send what is due by the clock."""

    # --- connections ---------------------------------------------------------------------------

    def serve(self, timeout: float) -> None:
        """Handle whatever waits on any connection."""
        sockets: list[Any] = [self.listener, *(peer.socket for peer in self.peers)]
        ready, _, _ = select.select(sockets, [], [], timeout)
        if self.listener in ready:
            self.peers.append(Peer(self.listener.accept()[0]))
        for peer in [peer for peer in self.peers if peer.socket in ready]:
            try:
                data = peer.socket.recv(1 << 16)
            except (BlockingIOError, ConnectionError):
                continue
            if not data:
                self.left(peer)
                continue
            peer.received += data
            self.handle(peer)
        self.beat()

    def left(self, peer: Peer) -> None:
        """A connection is gone."""
        self.peers.remove(peer)

    def handle(self, peer: Peer) -> None:
        """Take whole requests off a connection's buffer."""
        while peer.is_websocket and (message := wire.take(peer.received)):
            if message.opcode == wire.TEXT:
                self.told(peer, json.loads(message.payload))
            elif message.opcode == wire.PING:
                peer.write(wire.frame(message.payload, wire.PONG))
        while not peer.is_websocket and b"\r\n\r\n" in peer.received:
            if not self.requested(peer):
                break

    def requested(self, peer: Peer) -> bool:
        """Answer one HTTP request; False while its body is on the way."""
        head, _, tail = bytes(peer.received).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        size = int(fields.get(b"content-length", b"0"))
        if len(tail) < size:
            return False
        peer.path = lines[0].split(b" ")[1].decode()
        del peer.received[: len(head) + 4 + size]
        self.changed = time.monotonic()
        if key := fields.get(b"sec-websocket-key"):
            peer.is_websocket = True
            peer.write(wire.accept(key))
            self.welcomed(peer)
            return True
        body = self.rested(peer, tail[:size])
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        peer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        return True

    # --- ticking -------------------------------------------------------------------------------

    def is_ready(self) -> bool:
        """Whether the client has all it asked for and has come to rest."""
        return (
            self.book is not None
            and self.orders is not None
            and time.monotonic() - self.changed > SETTLE_S
        )

    def run(self, watch: Stopwatch, *, count: int, warm: int, interval_ns: int) -> dict[str, Any]:
        """Tick `count` times and return how long each order took, in ns."""
        times: list[int] = []
        missed = wrong = 0
        due = watch.now_ns()
        for number in range(warm + count):
            tick = self.tick(number)
            while self.pending(due - watch.now_ns()):
                self.serve(0)
            watch.wait_until(due)
            taken, price = self.one(watch, wire.frame(tick.text))
            # A slow client is given the time to come back to its feed: no tick is lost on it.
            due = watch.now_ns() + max(interval_ns, 3 * taken)
            if number < warm:
                continue
            if price is None:
                missed += 1
            elif price != float(tick.best_bid):
                wrong += 1
            else:
                times.append(taken)
        return {"times_ns": times, "missed": missed, "wrong": wrong}

    def pending(self, left_ns: int) -> bool:
        """Whether there is time, and reason, to look at the connections before the next tick."""
        if left_ns < BEFORE_NS:
            return False
        self.beat()
        sockets = [peer.socket for peer in self.peers]
        return bool(select.select(sockets, [], [], max(0, (left_ns - BEFORE_NS) / 1e9))[0])

    def one(self, watch: Stopwatch, data: bytes) -> tuple[int, float | None]:
        """Send one tick; return the time to its order and the order's price."""
        assert self.book is not None
        started = taken = 0
        self.prices.clear()
        while not self.prices:
            assert self.orders is not None
            sent, got, answer = watch.tick(
                self.book.socket.fileno(), data, self.orders.socket.fileno(), ANSWER_LIMIT_NS
            )
            started, data = started or sent, b""
            if not answer:
                return 0, None
            taken = got - started
            self.orders.received += answer
            self.handle(self.orders)
        return taken, self.prices[-1]

    def flood(self, watch: Stopwatch, data: bytes, rounds: int) -> dict[str, Any]:
        """Send some ticks again and again, as fast as the client reads."""
        assert self.book is not None
        started = watch.now_ns()
        watch.flood(self.book.socket.fileno(), data, rounds)
        return {"rounds": rounds, "ns": watch.now_ns() - started}


def words() -> argparse.ArgumentParser:
    """Return the words that every venue understands."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--warm", type=int, default=300)
    parser.add_argument("--interval-us", type=int, default=300)
    parser.add_argument("--flood", type=int, default=0, help="rounds of the ring, no orders")
    return parser


def open_to_clients(venue: Server) -> Stopwatch:
    """Say where the venue is, wait until its client is ready, say so; the clock is then set."""
    print(json.dumps({"port": venue.listener.getsockname()[1]}), flush=True)
    limit = time.monotonic() + 30
    while not venue.is_ready():
        if time.monotonic() > limit:
            sys.exit("the client did not get ready within 30 s")
        venue.serve(0.05)
    print(json.dumps({"ready": True}), flush=True)
    return stopwatch()
