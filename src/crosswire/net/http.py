"""HTTP: one warm pool per venue, and one ordered lane per session.

What matters after a failure is whether a byte can have left. Before a connection stands, none
can (refused, no such host, TLS failure, time spent waiting for a connection); from then on any
end without a whole answer leaves the request in doubt. aiohttp's own tracing marks that moment.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from ssl import SSLContext
from types import SimpleNamespace
from typing import Any

import aiohttp
import structlog
from msgspec import Struct
from yarl import URL

from crosswire.net.clock import Clock
from crosswire.venues.interface import HttpRequest

KEPT = 2  # connections kept warm
LIMIT = 8  # at most so many at once
IDLE_S = 60
KEEPALIVE_S = 30
CONNECT_S = 10
REQUEST_S = 10
TOUCH_S = 45.0  # before `IDLE_S` ends
MAX_BODY = 16 * 1024 * 1024
MAX_WAITING = 256  # requests under way in one lane; more are refused unsent
MAX_WAIT_NS = 5_000_000_000  # an ordered request older than this no longer leaves
# An answer later than this holds nothing up: the venue read that request long ago, and a cancel
# or a token behind it is worth more than the small risk that its nonce arrives first after all.
ORDER_S = 1.0
STOP_S = 2.0

_log = structlog.get_logger("crosswire.net")


class Answer(Struct, frozen=True, gc=False):
    """A whole answer, whatever its status and content."""

    status: int
    body: bytes


class Failure(Struct, frozen=True, gc=False):
    """No whole answer. `was_sent` is False only if no byte can have left."""

    reason: str
    was_sent: bool


def keepalive_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make a socket on which the kernel notices a dead peer."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), KEEPALIVE_S)
    return made


class _Attempt:
    """How far one request came.

    aiohttp would send a GET or DELETE again by itself when a kept connection breaks; as a
    middleware, this lets a request try once.
    """

    __slots__ = ("has_begun", "is_connected")

    def __init__(self) -> None:
        self.has_begun = False
        self.is_connected = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self.has_begun:
            raise aiohttp.ServerDisconnectedError
        self.has_begun = True
        return await handler(request)


def _trace() -> aiohttp.TraceConfig:
    """Mark the attempt when it has got a connection."""
    trace = aiohttp.TraceConfig()

    async def connected(
        _client: aiohttp.ClientSession, context: SimpleNamespace, _params: object
    ) -> None:
        context.trace_request_ctx.is_connected = True

    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


class HttpPool:
    """Kept connections to one venue."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        ssl_context: SSLContext | None = None,
        request_s: float = REQUEST_S,
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._sleep = sleep
        self._ssl_context = ssl_context
        self._request_s = request_s
        self._client: aiohttp.ClientSession | None = None
        self._toucher: asyncio.Task[None] | None = None
        self._is_warmed = False

    def open(self) -> None:
        """Make the pool, cold; nothing if it is open."""
        if self._client is not None:
            return
        connector = aiohttp.TCPConnector(
            limit=LIMIT,
            keepalive_timeout=IDLE_S,
            ttl_dns_cache=300,
            socket_factory=keepalive_socket,
            ssl=self._ssl_context or True,
        )
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._request_s, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_trace()],
        )

    async def warm(self, cheap: HttpRequest) -> None:
        """Warm an open pool by a cheap public call, say so, and keep it warm by the same.

        Only the first call given counts: links of one venue may share the pool.
        """
        if self._is_warmed:
            return
        self._is_warmed = True
        warm = await self._ask_at_once(cheap)
        self._toucher = asyncio.create_task(self._touch(cheap))
        _log.info(
            f"[INIT] {self.name} HTTP pool: {warm} warm, limit {LIMIT}, idle {IDLE_S} s, "
            f"keepalive {KEEPALIVE_S} s, connect {CONNECT_S} s, request {REQUEST_S} s"
        )

    async def _ask_at_once(self, cheap: HttpRequest) -> int:
        """Ask over `KEPT` connections in parallel; return how many answered."""
        outcomes = await asyncio.gather(*(self.fetch(cheap) for _ in range(KEPT)))
        return sum(isinstance(outcome, Answer) for outcome in outcomes)

    async def _touch(self, cheap: HttpRequest) -> None:
        """Keep the pool warm."""
        while True:
            await self._sleep(TOUCH_S)
            await self._ask_at_once(cheap)

    async def fetch(self, request: HttpRequest) -> Answer | Failure:
        """Make one request, once: no retry, no redirect. Never raises on what the network does."""
        client = self._client
        if client is None:
            return Failure("the pool is closed", was_sent=False)
        attempt = _Attempt()
        try:
            async with client.request(
                request.method,
                URL(self._base_url + request.path, encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                trace_request_ctx=attempt,
                middlewares=(attempt,),
            ) as response:
                body = await _read(response)
                if body is None:
                    return Failure("an answer larger than 16 MiB", was_sent=True)
                return Answer(response.status, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Failure(type(error).__name__, was_sent=attempt.is_connected)

    async def close(self) -> None:
        """Close every connection."""
        if self._toucher is not None:
            self._toucher.cancel()
            await asyncio.gather(self._toucher, return_exceptions=True)
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the whole body, or None if it passes `MAX_BODY`."""
    parts = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MAX_BODY:
            return None
    return b"".join(parts)


class HttpLane:
    """One session's requests: those with nonces one after the other, the others at once."""

    def __init__(
        self,
        pool: HttpPool,
        clock: Clock,
        on_outcome: Callable[[HttpRequest, Answer | Failure], None],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._on_outcome = on_outcome
        self._ordered: deque[tuple[HttpRequest, int]] = deque()
        self._ordered_task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """Requests not answered yet."""
        return len(self._ordered) + len(self._tasks)

    def ask(self, request: HttpRequest) -> None:
        """Start a request; its outcome comes later, in a callback of its own."""
        if self._is_stopping or self.waiting >= MAX_WAITING:
            reason = "stopping" if self._is_stopping else f"{MAX_WAITING} requests wait already"
            failure = Failure(reason, was_sent=False)
            asyncio.get_running_loop().call_soon(self._on_outcome, request, failure)
        elif request.is_ordered:
            self._ordered.append((request, self._clock.now_ns()))
            if self._ordered_task is None:
                self._ordered_task = self._keep(self._in_order())
        else:
            self._keep(self._one(request))

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _one(self, request: HttpRequest) -> None:
        """Fetch, and tell the outcome exactly once, cancelled or not."""
        outcome: Answer | Failure = Failure("stopped", was_sent=True)
        try:
            outcome = await self._pool.fetch(request)
        finally:
            self._on_outcome(request, outcome)

    async def _in_order(self) -> None:
        """Empty the ordered queue, each after the answer to the one before, or a while."""
        try:
            while self._ordered:
                request, asked_ns = self._ordered.popleft()
                if self._clock.now_ns() - asked_ns > MAX_WAIT_NS or self._is_stopping:
                    self._on_outcome(request, Failure("waited too long", was_sent=False))
                else:
                    await asyncio.wait({self._keep(self._one(request))}, timeout=ORDER_S)
        finally:
            self._ordered_task = None

    async def close(self) -> None:
        """Let what is under way end, for a short while; what waits behind it never leaves."""
        self._is_stopping = True
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._ordered:
            request, _ = self._ordered.popleft()
            self._on_outcome(request, Failure("stopped", was_sent=False))
