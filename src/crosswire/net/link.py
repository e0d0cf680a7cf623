"""A session joined to its sockets, or to a simulator in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from ssl import SSLContext

from crosswire.domain import AnyEvent, Approved
from crosswire.net.clock import Clock
from crosswire.net.delay import Cancellable
from crosswire.net.dialogue import TICK_S, Dialogue, OnEvents, OnFatal, ignore_fatal, stamped
from crosswire.net.http import REQUEST_S, Answer, Failure, HttpLane, HttpPool
from crosswire.net.local import LocalLink
from crosswire.net.loop import BusyPoll
from crosswire.net.transport import ALL_OPEN, Routes, carriers, choose, mode
from crosswire.net.websocket import TEXT, Connection
from crosswire.venues.interface import Frame, HttpRequest, Reconnect, Session

__all__ = ["TICK_S", "Link", "LocalLink"]


class Link:
    """Owns a session's sockets."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        on_events: OnEvents,
        *,
        rng: Random,
        pool: HttpPool | None = None,
        on_fatal: OnFatal = ignore_fatal,
        busy_poll: bool = False,
        routes: Routes = ALL_OPEN,
        request_s: float = REQUEST_S,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        ssl_context: SSLContext | None = None,
    ) -> None:
        self.session = session
        self._now_ns = clock.now_ns
        self._on_fatal = on_fatal
        self._routes = routes
        self._dialogue = Dialogue(session, self, clock, on_events, on_fatal)
        self._flush = self._dialogue.flush
        self._owned_pool = pool is None
        self._pool = pool or HttpPool(
            session.name, session.rest_url, ssl_context=ssl_context, request_s=request_s
        )
        self._cheap: HttpRequest | None = None  # what the pool is kept warm by
        self._lane = HttpLane(self._pool, clock, self._http_outcome)
        endpoints = list(session.endpoints())
        self._connections = {
            endpoint.connection: Connection(
                endpoint, self._dialogue, clock, rng, sleep=sleep, ssl_context=ssl_context
            )
            for endpoint in endpoints
        }
        self._carriers = [self._connections[each.connection] for each in carriers(endpoints)]
        self._tasks: list[asyncio.Task[None]] = []
        self._ticker: Cancellable | None = None
        self._busy = BusyPoll() if busy_poll else None

    async def start(self) -> None:
        """Begin the session, start to connect, warm the pool; does not wait for the sockets."""
        loop = asyncio.get_running_loop()
        self._pool.open()
        self._dialogue.start()
        for connection in self._connections.values():
            task = loop.create_task(connection.run())
            task.add_done_callback(self._ended)
            self._tasks.append(task)
        self._ticker = loop.call_later(TICK_S, self._tick_again)
        if self._busy is not None:
            self._busy.start()
        if self._cheap is not None:
            await self._pool.warm(self._cheap)

    async def stop(self) -> None:
        """Close everything; the session hears of each end before this returns."""
        if self._busy is not None:
            self._busy.stop()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(each.stop() for each in self._connections.values()))
        await self._lane.close()
        if self._owned_pool:
            await self._pool.close()

    def send(self, approved: Approved) -> list[AnyEvent]:
        """Choose the transport and send; a WS frame is with its socket when this returns."""
        session = self.session
        ws_open = True
        for connection in self._carriers:
            if not connection.is_writable:
                ws_open = False
        if ws_open and self._routes.ws_places and session.is_ready("ws"):
            events = session.send(approved, "ws", self._now_ns())
            encoded_ns = self._now_ns()
            if session.outbox:
                self._flush()
            return stamped(events, encoded_ns, self._now_ns())
        transport = choose(approved.command, session, self._routes, ws_open=ws_open)
        return self._dialogue.send(approved, transport)

    def tap(self, record: Callable[[Frame], object]) -> None:
        """Show every frame to somebody before it is written."""
        self._dialogue.tap(record)

    def flush(self) -> None:
        """Send what somebody else had the session put into its outbox."""
        self._dialogue.flush()

    def tick(self) -> None:
        """Look after the connections, then the session: every 50 ms by itself."""
        now_ns = self._now_ns()
        for connection in self._connections.values():
            connection.check(now_ns)
        self._dialogue.tick()

    def statistics(self) -> Mapping[str, int | str | bool]:
        """States of the sockets, and where orders would go."""
        connections = self._connections.values()
        ws_open = all(each.is_writable for each in self._carriers)
        return {
            "connections_open": sum(each.is_open for each in connections),
            "connections_opened": sum(each.opened_times for each in connections),
            "bytes_buffered": sum(each.buffered for each in connections),
            "http_waiting": self._lane.waiting,
            "transport_mode": mode(self.session, self._routes, ws_open=ws_open),
        }

    # --- the wire, as the dialogue sees it ---

    def write(self, frame: Frame) -> None:
        """Hand a frame to its socket. One for a socket that is gone has no way to go."""
        ws = self._connections[frame.connection].ws
        if ws is not None:
            ws.send(TEXT, frame.payload)

    def ask(self, request: HttpRequest) -> None:
        """Start an HTTP request."""
        if self._cheap is None and request.is_cheap:
            self._cheap = request
        self._lane.ask(request)

    def reconnect(self, order: Reconnect) -> None:
        """Drop a connection in the loop's next turn: the session is in the middle of a call."""
        connection = self._connections[order.connection]
        asyncio.get_running_loop().call_soon(connection.lose, order.reason)

    # --- callbacks ---

    def _http_outcome(self, request: HttpRequest, outcome: Answer | Failure) -> None:
        if isinstance(outcome, Answer):
            self._dialogue.answered(request, outcome.status, outcome.body)
        else:
            self._dialogue.failed(request, outcome.reason, was_sent=outcome.was_sent)

    def _tick_again(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick_again)
        self.tick()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A connection's task ends only by `stop`; anything else is a broken invariant."""
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self._on_fatal(error)
