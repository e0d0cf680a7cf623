"""One WebSocket connection of a session, kept open: decode in the callback, reconnect with backoff.

picows calls the listener from inside the socket's read callback. What a read brought is decoded
frame by frame and handed on once, with its last frame; an order written meanwhile leaves by the
same call. picows' own pings and pongs stay off: it would swallow the last frame of a read.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from ssl import SSLContext

import picows
import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from crosswire.net.clock import Clock
from crosswire.net.dialogue import Dialogue
from crosswire.venues.interface import Endpoint

SECOND_NS = 1_000_000_000
MAX_MESSAGE = 16 * 1024 * 1024  # the largest known snapshot is about 2 MiB
MAX_BUFFERED = 1024 * 1024  # a venue that leaves this much unread is not there
CONNECT_S = 10.0
CLOSE_S = 1.0
PING_NS = 30 * SECOND_NS
PONG_WITHIN_NS = 10 * SECOND_NS
BACKOFF_FIRST_NS = SECOND_NS
BACKOFF_LAST_NS = 60 * SECOND_NS
LASTED_NS = 30 * SECOND_NS  # a connection that stood this long was no failed attempt

TEXT = WSMsgType.TEXT
_log = structlog.get_logger("crosswire.net")
# picows would log each connection, and at its debug level payloads.
_silent = logging.getLogger("crosswire.net.picows")
_silent.setLevel(logging.CRITICAL + 1)
_silent.propagate = False


def backoff_ns(failures: int, rng: Random) -> int:
    """Return how long to wait after so many failures in a row (from 1): 1 s doubling to 60 s.

    The jitter takes up to half of it away, so that many clients do not come back as one.
    """
    whole = min(BACKOFF_FIRST_NS << min(failures - 1, 10), BACKOFF_LAST_NS)
    return whole - rng.randrange(whole // 2)


class _Listener(WSListener):
    """The end of one socket: from picows' callbacks to the dialogue."""

    def __init__(self, owner: "Connection", clock: Clock, dialogue: Dialogue) -> None:
        self._owner = owner
        self._name = owner.endpoint.connection
        self._now_ns = clock.now_ns
        self._dialogue = dialogue
        self._received = dialogue.received
        self._is_new_read: int = 1
        self._parts: list[bytes] = []
        self._parts_size = 0
        self.read_ns = 0  # when the latest bytes came

    def detach(self) -> None:
        """Deaf from now on: what an old socket still says is not for the session."""
        self._received = _ignore

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.read_ns = self._now_ns()
        self._owner.begin(self, transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._is_new_read:
            self.read_ns = self._now_ns()
        self._is_new_read = is_last = frame.last_in_buffer
        if frame.msg_type is TEXT and frame.fin:
            self._received(self._name, frame.get_payload_as_bytes(), self.read_ns, is_last)
        else:
            self._other_frame(transport, frame, is_last)

    def _other_frame(self, transport: WSTransport, frame: WSFrame, is_last: int) -> None:
        """Control frames, binary messages and fragments."""
        kind = frame.msg_type
        if kind in (TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._fragment(frame, is_last)
            return
        if kind is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is WSMsgType.PONG:
            self._owner.pong()
        elif kind is WSMsgType.CLOSE:
            payload = frame.get_payload_as_bytes()
            transport.send_close(WSCloseCode.OK)
            code = int.from_bytes(payload[:2], "big") or 1005
            text = payload[2:].decode("utf-8", "replace")
            self._owner.lose(f"closed by the venue: {code} {text}".rstrip())
            return
        if is_last and self._received is not _ignore:
            self._dialogue.end_read()

    def _fragment(self, frame: WSFrame, is_last: int) -> None:
        """Join a message that came in pieces."""
        self._parts_size += frame.payload_size
        if self._parts_size > MAX_MESSAGE:
            self._owner.lose("a message larger than 16 MiB")
            return
        self._parts.append(frame.get_payload_as_bytes())
        if not frame.fin:
            if is_last and self._received is not _ignore:
                self._dialogue.end_read()
            return
        payload = b"".join(self._parts)
        self._parts.clear()
        self._parts_size = 0
        self._received(self._name, payload, self.read_ns, is_last)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._received is not _ignore:
            self._owner.lose("connection lost")

    def pause_writing(self) -> None:
        self._owner.is_paused = True

    def resume_writing(self) -> None:
        self._owner.is_paused = False


def _ignore(connection: str, payload: bytes, now_ns: int, is_last: int) -> None:
    """What a detached listener does with frames."""


class Connection:
    """One endpoint, connected again and again until stopped."""

    def __init__(
        self,
        endpoint: Endpoint,
        dialogue: Dialogue,
        clock: Clock,
        rng: Random,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        ssl_context: SSLContext | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.opened_times = 0
        self.ws: WSTransport | None = None  # None as soon as it is given up
        self.is_paused = False  # the peer reads too slowly: our writes pile up
        self._dialogue = dialogue
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._ssl_context = ssl_context
        self._listener: _Listener | None = None
        self._lost = asyncio.Event()
        self._opened_ns = 0
        self._pinged_ns = 0
        self._awaits_pong = False

    @property
    def is_open(self) -> bool:
        """Whether a frame written now is handed to a live socket.

        picows drops frames silently once a close frame has left, and asyncio once the socket
        has failed: both are asked here, before the choice of transport.
        """
        ws = self.ws
        return not (ws is None or ws.is_close_frame_sent or ws.underlying_transport.is_closing())

    @property
    def is_writable(self) -> bool:
        """Open, and what was written before is not piling up."""
        ws = self.ws  # as in `is_open`, once more: this is asked for every order
        return not (
            ws is None
            or self.is_paused
            or ws.is_close_frame_sent
            or ws.underlying_transport.is_closing()
        )

    @property
    def buffered(self) -> int:
        """Bytes handed over that the kernel has not taken yet: they count as sent."""
        ws = self.ws
        return ws.underlying_transport.get_write_buffer_size() if ws is not None else 0

    async def run(self) -> None:
        """Connect, wait for the end, wait a while, and again; until cancelled."""
        failures = 0
        while True:
            self._lost.clear()
            if await self._connect():
                await self._lost.wait()
                if self._clock.now_ns() - self._opened_ns >= LASTED_NS:
                    failures = 0
            failures += 1
            await self._sleep(backoff_ns(failures, self._rng) / SECOND_NS)

    async def _connect(self) -> bool:
        """Open the socket; the session hears of it from within. False if it did not come up."""
        try:
            async with asyncio.timeout(CONNECT_S):
                await picows.ws_connect(
                    lambda: _Listener(self, self._clock, self._dialogue),
                    self.endpoint.url,
                    ssl_context=self._ssl_context,
                    disconnect_on_exception=False,
                    websocket_handshake_timeout=CONNECT_S,
                    logger_name=_silent,
                    enable_auto_pong=False,
                    max_frame_size=MAX_MESSAGE,
                    max_redirects=0,
                )
        except (OSError, TimeoutError, picows.WSError) as error:
            self.lose("connection failed")  # where it stood for a moment
            _log.warning(
                "connection failed",
                connection=self.endpoint.connection,
                session=self._dialogue.session.name,
                reason=type(error).__name__,
            )
            return False
        return True

    def begin(self, listener: _Listener, ws: WSTransport) -> None:
        """The handshake is done: tell the session before any frame."""
        self._listener, self.ws = listener, ws
        self.is_paused = False
        self._opened_ns = self._pinged_ns = listener.read_ns
        self._awaits_pong = False
        self.opened_times += 1
        self._dialogue.opened(self.endpoint.connection)

    def lose(self, reason: str) -> None:
        """Give the socket up and tell the session; nothing if there is none."""
        ws, self.ws = self.ws, None
        if ws is None:
            return
        if self._listener is not None:
            self._listener.detach()
        if ws.is_close_frame_sent:
            ws.disconnect()  # lets the close frame out
        else:
            ws.disconnect(graceful=False)
        self._lost.set()
        self._dialogue.closed(self.endpoint.connection, reason)

    def pong(self) -> None:
        """The venue answered our ping."""
        self._awaits_pong = False

    def check(self, now_ns: int) -> None:
        """Look whether the connection still lives; ping it now and then."""
        ws, listener = self.ws, self._listener
        if ws is None or listener is None:
            return
        silence_ns = now_ns - listener.read_ns
        if not self.is_open:
            self.lose("socket closing")
        elif silence_ns > self.endpoint.silence_ns:
            self.lose(f"silent for {silence_ns // 1_000_000} ms")
        elif self.buffered > MAX_BUFFERED:
            self.lose("the venue does not read")
        elif self._awaits_pong and now_ns - self._pinged_ns > PONG_WITHIN_NS:
            self.lose("no answer to a ping")
        elif now_ns - self._pinged_ns >= PING_NS:
            self._pinged_ns = now_ns
            self._awaits_pong = True
            ws.send_ping()

    async def stop(self) -> None:
        """Say goodbye and close; the session hears `closed`."""
        ws = self.ws
        if ws is None:
            return
        ws.send_close(WSCloseCode.OK)
        self.lose("stopped")
        try:
            async with asyncio.timeout(CLOSE_S):
                await ws.wait_disconnected()
        except (OSError, TimeoutError, picows.WSError):
            ws.disconnect(graceful=False)
