"""Hosts a simulator on real sockets: WebSocket and HTTP on one port.

A text frame in is a frame for the simulator, whatever path it was opened on; an HTTP request is
asked of it and answered when it answers. `GET /_ledger`, from this machine only, shows its ledger.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web
from msgspec import Struct

from crosswire.net.clock import Clock
from crosswire.net.delay import Carriage, Line, steady
from crosswire.net.switchboard import Plug, Switchboard
from crosswire.venues.interface import HttpRequest, SimAnswer, Simulator

LEDGER_PATH = "/_ledger"
MAX_FRAME = 4 * 1024 * 1024  # from a client
MAX_REQUEST = 4 * 1024 * 1024
MAX_QUEUED = 50_000  # frames a client has not read; then it is cut, as venues do
ABNORMAL = 1006


class Network(Struct, frozen=True):
    """What lies between client and simulator. A lost HTTP request or answer cuts its socket."""

    up: Carriage = steady(0)
    down: Carriage = steady(0)


class _Guest:
    """One WebSocket client: its frames wait in order for a task that writes them."""

    def __init__(self, host: "Host", ws: web.WebSocketResponse, request: web.BaseRequest) -> None:
        self._host = host
        self._ws = ws
        self._request = request
        self._queue: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._up, self._down = host.line(), host.line()
        self.number = 0

    async def stay(self) -> None:
        """Serve until either side leaves."""
        switchboard = self._host.switchboard
        plug = Plug(self._carry_down, self._carry_drop)
        writer = asyncio.get_running_loop().create_task(self._write())
        self.number = switchboard.open(self._request.path, plug)
        try:
            async for message in self._ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._carry_up(message.data.encode())
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self._carry_up(message.data)
        finally:
            self._up.cut()
            self._down.cut()
            switchboard.close(self.number)
            writer.cancel()

    def _carry_up(self, payload: bytes) -> None:
        host = self._host
        latency_ns = host.network.up(payload)
        if latency_ns is None:
            return
        deliver = partial(host.switchboard.received, self.number, payload)
        if latency_ns:
            self._up.put(latency_ns, deliver)
        else:
            deliver()

    def _carry_down(self, payload: bytes) -> None:
        latency_ns = self._host.network.down(payload)
        if latency_ns is not None:
            self._put_down(latency_ns, payload)

    def _carry_drop(self, code: int) -> None:
        self._put_down(self._host.network.down(b"") or 0, code)

    def _put_down(self, latency_ns: int, item: bytes | int) -> None:
        if latency_ns:
            self._down.put(latency_ns, partial(self._enqueue, item))
        else:
            self._enqueue(item)

    def _enqueue(self, item: bytes | int) -> None:
        if self._queue.qsize() >= MAX_QUEUED:
            self._cut()
        else:
            self._queue.put_nowait(item)

    async def _write(self) -> None:
        """Write what is queued; a number is a close code and the end."""
        with suppress(ConnectionError):
            while True:
                item = await self._queue.get()
                if isinstance(item, bytes):
                    await self._ws.send_frame(item, aiohttp.WSMsgType.TEXT)
                elif item == ABNORMAL:
                    self._cut()
                    return
                else:
                    await self._ws.close(code=item)
                    return

    def _cut(self) -> None:
        """Cut the socket without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()


class Host:
    """A simulator behind an aiohttp server."""

    def __init__(self, simulator: Simulator, clock: Clock, network: Network) -> None:
        loop = asyncio.get_running_loop()
        self.network = network
        self._clock = clock
        self._call_later = loop.call_later
        self.switchboard = Switchboard(simulator, clock, loop.call_later)
        self._runner: web.ServerRunner | None = None

    def line(self) -> Line:
        """Return a new line."""
        return Line(self._clock, self._call_later)

    async def open(self, address: str, port: int) -> int:
        """Listen; return the port. `OSError` if it is taken."""
        self._runner = web.ServerRunner(
            web.Server(self.serve, access_log=None), shutdown_timeout=1.0
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, address, port)
        await site.start()
        taken = self._runner.addresses[0][1]
        assert isinstance(taken, int)
        self.switchboard.flush()  # the first tick may be due already
        return taken

    async def close(self) -> None:
        """Stop listening and drop everybody."""
        self.switchboard.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def ledger(self) -> bytes:
        """Return the simulator's ledger as JSON."""
        return json.dumps(self.switchboard.simulator.ledger(), indent=1).encode()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, or stay with one WebSocket until it ends."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_ws(request)
        if request.path == LEDGER_PATH and request.method == "GET":
            if request.remote not in ("127.0.0.1", "::1"):
                return web.Response(status=403)
            return web.Response(body=self.ledger(), content_type="application/json")
        return await self._serve_http(request)

    async def _serve_ws(self, request: web.BaseRequest) -> web.StreamResponse:
        ws = web.WebSocketResponse(compress=False, max_msg_size=MAX_FRAME, timeout=1.0)
        await ws.prepare(request)
        await _Guest(self, ws, request).stay()
        return ws

    async def _serve_http(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read(MAX_REQUEST + 1)
        while not request.content.at_eof() and len(body) <= MAX_REQUEST:
            body += await request.content.read(MAX_REQUEST + 1)
        if len(body) > MAX_REQUEST:
            return web.Response(status=413)
        asked = HttpRequest(0, request.method, request.raw_path, request.headers, body)
        answer = await self._ask(asked)
        if answer.status:
            return web.Response(
                status=answer.status,
                body=answer.body,
                headers={"Content-Type": answer.content_type},
            )
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499)  # to nobody: the socket is gone

    async def _ask(self, request: HttpRequest) -> SimAnswer:
        """Carry a request to the simulator and its answer back."""
        cut = SimAnswer(0, 0, b"")
        if not await _carried(self.network.up(request.body)):
            return cut
        answer: asyncio.Future[SimAnswer] = asyncio.get_running_loop().create_future()

        def on_answer(given: SimAnswer) -> None:
            if not answer.done():  # the client may have gone meanwhile
                answer.set_result(given)

        self.switchboard.ask(request, on_answer)
        given = await answer
        return given if await _carried(self.network.down(given.body)) else cut


async def _carried(latency_ns: int | None) -> bool:
    """Wait for the way; False if it was lost on it."""
    if latency_ns:
        await asyncio.sleep(latency_ns / 1e9)
    return latency_ns is not None


@asynccontextmanager
async def hosted(
    simulator: Simulator,
    port: int = 0,
    *,
    address: str = "127.0.0.1",
    clock: Clock | None = None,
    network: Network | None = None,
) -> AsyncIterator[int]:
    """Host a simulator; gives the port it listens on. `OSError` if the port is taken."""
    host = Host(simulator, clock or Clock(), network or Network())
    taken = await host.open(address, port)
    try:
        yield taken
    finally:
        await host.close()


async def serve(
    simulator: Simulator,
    port: int,
    *,
    address: str = "127.0.0.1",
    ledger: Path | None = None,
    on_ready: Callable[[int], object] = print,
    clock: Clock | None = None,
    network: Network | None = None,
) -> None:
    """Host until SIGTERM or SIGINT, then write the ledger: for a process of its own."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: Ctrl-C raises by itself
            loop.add_signal_handler(number, over.set)
    try:
        async with hosted(simulator, port, address=address, clock=clock, network=network) as taken:
            on_ready(taken)
            await over.wait()
    finally:
        if ledger is not None:
            write_ledger(simulator, ledger)


def write_ledger(simulator: Simulator, path: Path) -> None:
    """Write the ledger so that a reader sees the old file or the whole new one."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(simulator.ledger(), indent=1))
    part.replace(path)
