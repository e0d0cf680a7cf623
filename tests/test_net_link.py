"""A link: the choice of transport, an order that leaves within the call, a clean end."""

import asyncio
import socket
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import structlog

from crosswire.domain import AnyEvent, Approved, Rejected, Sent, VenueWarned
from crosswire.net.clock import Clock, VirtualClock
from crosswire.net.host import hosted
from crosswire.net.http import HttpPool
from crosswire.net.link import Link
from crosswire.net.transport import ALL_OPEN, Routes
from crosswire.risk import BreakerRules
from crosswire.risk import Routes as Rules
from crosswire.venues.interface import Frame
from tests.net_echo import (
    EchoSession,
    EchoSimulator,
    ask,
    frame,
    free_port,
    order,
    raw_server,
    read_frame,
    run,
    shake_hands,
)
from tests.samples import place


async def for_ever(seconds: float) -> None:
    """A delay that never ends."""
    await asyncio.Event().wait()


@asynccontextmanager
async def linked(
    session: EchoSession,
    clock: Clock | None = None,
    *,
    pool: HttpPool | None = None,
    routes: Routes = ALL_OPEN,
) -> AsyncIterator[Link]:
    """Start a link that does not come back; stop it at the end."""
    link = Link(
        session,
        clock or Clock(),
        session.on_events,
        rng=Random(1),
        pool=pool,
        routes=routes,
        sleep=for_ever,
    )
    await link.start()
    try:
        yield link
    finally:
        await link.stop()


def transport(link: Link, number: int) -> str:
    """Send an order; return the transport it took."""
    (sent,) = link.send(order(number))
    assert isinstance(sent, Sent)
    return sent.transport


async def mute(reader: Reader, writer: Writer) -> None:
    """Accept, greet, and read nothing more."""
    await shake_hands(reader, writer)
    writer.write(frame(b"hello"))
    await asyncio.Event().wait()


def test_an_order_is_on_the_socket_when_send_returns() -> None:
    """The peer's socket is read with a blocking call: the loop gets no turn in between."""

    async def story() -> None:
        peers: list[socket.socket] = []

        async def greet(reader: Reader, writer: Writer) -> None:
            await shake_hands(reader, writer)
            await writer.drain()
            raw = writer.get_extra_info("socket")
            peers.append(socket.socket(fileno=socket.dup(raw.fileno())))
            writer.write(frame(b"hello"))
            await asyncio.Event().wait()

        async with raw_server(greet) as port:
            session = EchoSession(port)
            async with linked(session) as link:
                await session.until(session.texts)
                assert transport(link, 7) == "ws"
                peer = peers[0]
                peer.setblocking(True)
                peer.settimeout(10)
                head = peer.recv(2)
                mask, masked = peer.recv(4), peer.recv(head[1] & 0x7F)
                payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))
                assert payload == b"order 7"
                peer.close()

    run(story())


def test_an_order_decided_in_a_callback_leaves_before_the_next_frame_is_decoded() -> None:
    async def story() -> None:
        heard: list[bytes] = []

        async def quote(reader: Reader, writer: Writer) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"tick 1"))
            heard.append((await read_frame(reader))[1])
            writer.write(frame(b"tick 2"))
            heard.append((await read_frame(reader))[1])
            await reader.read()

        async with raw_server(quote) as port:
            session = EchoSession(port)
            sent: list[object] = []

            def on_events(events: list[AnyEvent]) -> None:
                for event in events:
                    assert isinstance(event, VenueWarned)
                    sent.extend(link.send(order(int(event.text[-1]))))
                session.changed()

            link = Link(session, Clock(), on_events, rng=Random(1), sleep=for_ever)
            await link.start()
            await session.until(lambda: len(sent) == 2)
            await link.stop()
        assert heard == [b"order 1", b"order 2"]

    run(story())


@pytest.mark.parametrize("ending", ["venue closes", "venue breaks the protocol", "socket dies"])
def test_with_the_socket_gone_nothing_counts_as_sent_by_it(ending: str) -> None:
    """From the moment anything below knows, REST carries the order at once."""
    endings = {
        "venue closes": frame(b"\x03\xe9", opcode=8),
        "venue breaks the protocol": frame(b"", opcode=3),
        "socket dies": b"",
    }

    async def story() -> None:
        leave, heard = asyncio.Event(), list[bytes]()

        async def end(reader: Reader, writer: Writer) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"hello"))
            await leave.wait()
            writer.write(endings[ending])
            if ending == "socket dies":
                writer.transport.abort()
            while True:
                opcode, payload = await read_frame(reader)
                if opcode == 1:
                    heard.append(payload)

        async with raw_server(end) as port:
            session = EchoSession(port)
            async with linked(session) as link:
                await session.until(session.texts)
                leave.set()
                by_ws = await until_rest(link)
                assert link.statistics()["connections_open"] == 0
                link.tick()  # finds it at the latest
                assert session.count("closed") == 1
        if ending != "socket dies":  # there, what was handed over may be lost: it is in doubt
            assert heard == [b"order %d" % number for number in range(by_ws)]

    run(story())


async def until_rest(link: Link) -> int:
    """Send orders until one takes REST; return how many went by WS.

    The session never stops to say that it is ready: only the socket shows that it is not.
    """
    number = 0
    while transport(link, number) == "ws":
        number += 1
        await asyncio.sleep(0)
    return number


def test_a_socket_that_is_closing_carries_nothing_from_that_moment_on() -> None:
    """A failed write closes the transport at once, but says so only in the loop's next turn."""

    async def story() -> None:
        async with raw_server(mute) as port:
            session = EchoSession(port)
            async with linked(session) as link:
                await session.until(session.texts)
                ws = link._connections["main"].ws
                assert ws is not None
                ws.underlying_transport.abort()
                assert transport(link, 1) == "rest"
                assert session.count("closed") == 0

    run(story())


def test_a_frame_for_a_closing_socket_is_not_written_and_not_kept() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            session = EchoSession(port)
            async with linked(session) as link:
                await session.until(session.texts)
                link.write(Frame("main", b"drop 1001"))
                await session.until(lambda: session.count("closed"))
                link.write(Frame("main", b"order 1"))
                assert link.statistics()["bytes_buffered"] == 0
            assert ("closed", "main", "closed by the venue: 1001") in session.calls

    run(story())


def test_a_peer_that_does_not_read_loses_the_orders_then_the_connection() -> None:
    async def story() -> None:
        async with raw_server(mute) as port:
            session = EchoSession(port)
            async with linked(session) as link:
                await session.until(session.texts)
                big = Frame("main", b"x" * 900_000)
                while not link.statistics()["bytes_buffered"]:
                    link.write(big)
                assert transport(link, 1) == "rest"  # what is buffered already counts as sent
                assert link.statistics()["connections_open"] == 1
                link.write(big)
                link.write(big)
                link.tick()
                assert ("closed", "main", "the venue does not read") in session.calls

    run(story())


def test_orders_fall_back_while_the_session_is_not_ready() -> None:
    async def story() -> None:
        simulator = EchoSimulator()
        async with hosted(simulator) as port:
            session = EchoSession(port)
            async with linked(session) as link:
                await session.until(session.texts)
                session.ready = {"rest"}
                assert transport(link, 1) == "rest"
                await session.until(lambda: session.outcomes)
                session.ready = set()
                assert transport(link, 2) == "ws"  # the session holds or refuses it
        assert session.outcomes == [(1, 200, b"/order")]

    run(story())


def test_an_open_breaker_sends_orders_by_the_other_transport_and_cancels_as_ever() -> None:
    """The flags are read at each send: a breaker opens and closes while the link stands."""

    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            session = EchoSession(port)
            routes = Rules("alice", BreakerRules())
            breaker = routes.breakers["ws"]
            async with linked(session, routes=routes) as link:
                await session.until(session.texts)
                assert by(link, 1) == "ws"
                assert link.statistics()["transport_mode"] == "websocket"
                breaker.until_ns = 1
                routes.refresh()
                assert by(link, 2) == "rest"
                assert transport(link, 3) == "ws"
                assert link.statistics()["transport_mode"] == "hybrid"
                routes.breakers["rest"].until_ns = 1
                routes.refresh()
                (refused,) = link.send(Approved(place("b"), 4, 0))
                assert isinstance(refused, Rejected)
                assert refused.is_unsent
                assert transport(link, 5) == "ws"
                assert link.statistics()["transport_mode"] == "none"
                breaker.until_ns = 0
                routes.refresh()
                assert by(link, 6) == "ws"

    run(story())


def by(link: Link, number: int) -> str:
    """Place an order; return the transport it took."""
    (sent,) = link.send(Approved(place(str(number)), number, 0))
    assert isinstance(sent, Sent)
    return sent.transport


def test_the_sessions_requests_from_its_start_are_made_and_answered() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            session = EchoSession(port)
            session.at_start = [ask(1, "/token"), ask(2, "/cut", method="POST")]
            async with linked(session):
                await session.until(lambda: len(session.outcomes) == 2)
            assert session.calls[0] == ("start",)
            outcomes = {outcome[0]: outcome[1:] for outcome in session.outcomes}
            assert outcomes[1] == (200, b"/token")
            assert outcomes[2][1] is True  # cut: it may have arrived

    run(story())


def test_the_pool_is_warmed_by_the_sessions_first_cheap_request() -> None:
    async def story() -> None:
        simulator = EchoSimulator()
        with structlog.testing.capture_logs() as logs:
            async with hosted(simulator) as port:
                session = EchoSession(port)
                session.at_start = [
                    ask(1, "/nonce", is_ordered=True),
                    ask(2, "/time", method="POST", is_cheap=True),
                    ask(3, "/names", is_cheap=True),
                ]
                async with linked(session):
                    await session.answers(3)
        asked = [str(each[2]) for each in simulator.seen if each[0] == "asked"]
        assert sorted(asked) == ["/names", "/nonce", "/time", "/time", "/time"]
        assert [each["event"][:27] for each in logs] == ["[INIT] alice HTTP pool: 2 w"]

    run(story())


def test_it_ticks_the_session_by_itself() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            session = EchoSession(port)
            session.at_tick = [VenueWarned(1, "main", "ticked")]
            async with linked(session):
                await session.until(lambda: "ticked" in session.texts())

    run(story())


def test_links_of_one_venue_share_a_pool_and_leave_it_open() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            pool = HttpPool("venue", f"http://127.0.0.1:{port}")
            for session in (EchoSession(port), EchoSession(port)):
                session.at_start = [ask(1, "/x")]
                async with linked(session, pool=pool):
                    await session.answers(1)
            await pool.close()

    run(story())


def test_stop_says_goodbye_and_tells_the_session() -> None:
    async def story() -> None:
        said: list[tuple[int, bytes]] = []

        async def listen(reader: Reader, writer: Writer) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"hello"))
            said.append(await read_frame(reader))
            writer.write(frame(said[0][1], opcode=8))

        async with raw_server(listen) as port:
            session = EchoSession(port)
            async with linked(session):
                await session.until(session.texts)
            assert session.calls[-1] == ("closed", "main", "stopped")
        assert said == [(8, b"\x03\xe8")]

    run(story())


def test_a_link_that_never_connected_stops_too() -> None:
    async def story() -> None:
        port = free_port()
        session = EchoSession(port)
        async with linked(session, VirtualClock()) as link:
            assert transport(link, 1) == "rest"
            await session.until(lambda: session.outcomes)
        assert session.outcomes[0][2] is False  # refused: no byte has left

    run(story())
