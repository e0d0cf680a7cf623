"""One connection: what a read brings is handed on once; it comes back; it notices the dead."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from crosswire.net import websocket
from crosswire.net.clock import Clock, VirtualClock
from crosswire.net.host import hosted
from crosswire.net.link import Link
from crosswire.net.websocket import LASTED_NS, PING_NS, PONG_WITHIN_NS, backoff_ns
from crosswire.venues.interface import Frame, Reconnect
from tests.net_echo import (
    EchoSession,
    EchoSimulator,
    frame,
    free_port,
    order,
    raw_server,
    read_frame,
    run,
    shake_hands,
)

SECOND = 1_000_000_000
PING, PONG, CLOSE = 9, 10, 8


class Naps:
    """Virtual delays: noted, over at once, until there have been enough of them."""

    def __init__(self, enough: int = 20) -> None:
        self.taken: list[float] = []
        self.enough = asyncio.Event()
        self._limit = enough

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) >= self._limit:
            self.enough.set()
            await asyncio.Event().wait()


@asynccontextmanager
async def linked(
    session: EchoSession,
    clock: Clock | None = None,
    *,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    fatal: list[BaseException] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Link]:
    """Start a link; stop it at the end."""
    link = Link(
        session,
        clock or Clock(),
        session.on_events,
        rng=Random(1),
        on_fatal=(fatal if fatal is not None else []).append,
        sleep=sleep or Naps().sleep,
        ssl_context=tls,
    )
    await link.start()
    try:
        yield link
    finally:
        await link.stop()


# --- reconnecting ------------------------------------------------------------------------------


def test_the_backoff_doubles_to_a_minute_and_jitters_down() -> None:
    rng = Random(3)
    for failures, whole in enumerate((1, 2, 4, 8, 16, 32, 60, 60, 60), start=1):
        drawn = [backoff_ns(failures, rng) for _ in range(200)]
        assert whole * SECOND / 2 < min(drawn) < max(drawn) <= whole * SECOND
        assert len(set(drawn)) > 100
    assert backoff_ns(10_000, rng) <= 60 * SECOND


def test_it_comes_back_with_growing_delays_and_forgets_them_after_one_that_lasted() -> None:
    async def story() -> None:
        simulator, clock, naps = EchoSimulator(), VirtualClock(), Naps()
        async with hosted(simulator, clock=clock) as port:
            session = EchoSession(port)
            async with linked(session, clock, sleep=naps.sleep) as link:
                await hellos(session, 1)
                for times in (1, 2, 3, 4):
                    if times == 4:
                        clock.advance(LASTED_NS)
                    link.write(Frame("main", b"drop 1006"))
                    await hellos(session, times + 1)
        assert len(naps.taken) == 4
        for nap, whole in zip(naps.taken, (1, 2, 4, 1), strict=True):
            assert whole / 2 < nap <= whole
        kinds = [call[0] for call in session.calls if call[0] in {"opened", "closed"}]
        assert kinds == ["opened", "closed"] * 5

    run(story())


async def hellos(session: EchoSession, count: int) -> None:
    """Wait for the simulator's greeting on so many connections."""
    await session.until(lambda: session.texts().count("hello") >= count)


def test_a_refused_connection_is_tried_again_and_the_session_never_hears_closed() -> None:
    async def story() -> None:
        port = free_port()
        naps, session = Naps(enough=4), EchoSession(port)
        async with linked(session, sleep=naps.sleep):
            await naps.enough.wait()
        assert all(early < late for early, late in pairwise(naps.taken))
        assert session.count("opened") == session.count("closed") == 0

    run(story())


def test_a_handshake_that_is_refused_counts_as_a_failed_attempt() -> None:
    async def story() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")

        async with raw_server(refuse) as port:
            naps, session = Naps(enough=2), EchoSession(port)
            async with linked(session, sleep=naps.sleep):
                await naps.enough.wait()
            assert session.count("opened") == 0

    run(story())


def test_the_session_may_ask_for_a_reconnect_from_within_a_call() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            session = EchoSession(port)
            async with linked(session):
                await hellos(session, 1)
                session.outbox.append(Reconnect("main", "a gap"))
                await hellos(session, 2)
            assert ("closed", "main", "a gap") in session.calls

    run(story())


# --- reading -----------------------------------------------------------------------------------


def test_many_frames_in_one_read_are_handed_on_once_and_in_order() -> None:
    async def story() -> None:
        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            await read_frame(reader)
            writer.write(b"".join(frame(b"%d" % each) for each in range(50)))
            await reader.read()

        async with raw_server(flood) as port:
            session = EchoSession(port)
            session.at_open = [Frame("main", b"ready")]
            async with linked(session):
                await session.until(lambda: "49" in session.texts())
            assert session.texts() == [str(each) for each in range(50)]
            assert len(session.batches) == 1
            stamps = {each.recv_ns for each in session.batches[0]}
            assert len(stamps) == 1  # of one read

    run(story())


@pytest.mark.parametrize("last", [PING, PONG])
def test_a_control_frame_at_the_end_of_a_read_strands_nothing(last: int) -> None:
    async def story() -> None:
        replies: list[tuple[int, bytes]] = []

        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            await read_frame(reader)
            writer.write(frame(b"one") + frame(b"quiet") + frame(b"beat", opcode=last))
            replies.append(await read_frame(reader))
            await reader.read()

        async with raw_server(say) as port:
            session = EchoSession(port)
            session.at_open = [Frame("main", b"ready")]
            async with linked(session) as link:
                assert link._ticker is not None
                link._ticker.cancel()  # a tick would hand on what was left behind
                await session.until(lambda: session.batches)
                assert session.count("closed") == 0
            assert session.texts() == ["one"]
        if last == PING:
            assert replies == [(PONG, b"beat")]

    run(story())


def test_a_message_in_pieces_is_joined_and_binary_is_read_too() -> None:
    async def story() -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"on", fin=False))
            writer.write(frame(b"", opcode=PING))
            writer.write(frame(b"e pi", opcode=0, fin=False))
            writer.write(frame(b"ece", opcode=0))
            writer.write(frame(b"binary", opcode=2))
            await reader.read()

        async with raw_server(say) as port:
            session = EchoSession(port)
            async with linked(session):
                await session.until(lambda: len(session.texts()) == 2)
            assert session.texts() == ["one piece", "binary"]

    run(story())


def test_a_message_without_end_drops_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_MESSAGE", 100)

    async def story() -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"x" * 60, fin=False) + frame(b"x" * 60, opcode=0, fin=False))
            await reader.read()

        async with raw_server(say) as port:
            session = EchoSession(port)
            async with linked(session, sleep=Naps(enough=1).sleep):
                await session.until(lambda: session.count("closed"))
            assert "larger" in str(session.calls[-1][2])
            assert session.texts() == []

    run(story())


def test_the_venues_close_frame_is_answered_and_its_reason_told() -> None:
    async def story() -> None:
        replies: list[tuple[int, bytes]] = []

        async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"last") + frame(b"\x0f\xa0not allowed", opcode=CLOSE))
            replies.append(await read_frame(reader))

        async with raw_server(leave) as port:
            session = EchoSession(port)
            async with linked(session, sleep=Naps(enough=1).sleep):
                await session.until(lambda: session.count("closed"))
            assert session.texts() == ["last"]
            assert ("closed", "main", "closed by the venue: 4000 not allowed") in session.calls
        assert replies[0][0] == CLOSE

    run(story())


# --- the dead and the deaf ---------------------------------------------------------------------


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, say one word, and never anything again; read everything."""
    await shake_hands(reader, writer)
    writer.write(frame(b"word"))
    await reader.read()


def test_a_silent_connection_is_dropped_at_its_limit_and_not_before() -> None:
    async def story() -> None:
        async with raw_server(mute) as port:
            clock = VirtualClock()
            session = EchoSession(port, silence_ns=5 * SECOND)
            async with linked(session, clock, sleep=Naps(enough=1).sleep) as link:
                await session.until(lambda: session.batches)
                clock.advance(5 * SECOND)
                link.tick()
                assert session.count("closed") == 0
                clock.advance(1_000_000)
                link.tick()
                assert session.count("closed") == 1
                assert ("closed", "main", "silent for 5001 ms") in session.calls

    run(story())


def test_a_half_open_connection_is_found_by_its_missing_pong() -> None:
    async def story() -> None:
        async with raw_server(mute) as port:
            clock = VirtualClock()
            session = EchoSession(port, silence_ns=3600 * SECOND)
            async with linked(session, clock, sleep=Naps(enough=1).sleep) as link:
                await session.until(lambda: session.batches)
                clock.advance(PING_NS)
                link.tick()
                clock.advance(PONG_WITHIN_NS)
                link.tick()
                assert session.count("closed") == 0
                clock.advance(1)
                link.tick()
                assert ("closed", "main", "no answer to a ping") in session.calls

    run(story())


def test_an_answered_ping_keeps_the_connection() -> None:
    async def story() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"word"))
            opcode, payload = await read_frame(reader)
            assert opcode == PING
            writer.write(frame(payload, opcode=PONG) + frame(b"after"))
            await reader.read()

        async with raw_server(answer) as port:
            clock = VirtualClock()
            session = EchoSession(port, silence_ns=3600 * SECOND)
            async with linked(session, clock, sleep=Naps(enough=1).sleep) as link:
                await session.until(lambda: session.batches)
                clock.advance(PING_NS)
                link.tick()
                await session.until(lambda: "after" in session.texts())
                clock.advance(PONG_WITHIN_NS + 1)
                link.tick()
                assert session.count("closed") == 0

    run(story())


def test_an_old_socket_is_deaf_once_its_connection_was_given_up() -> None:
    """The first frame makes the session reconnect; the rest of that read must not reach it."""

    async def story() -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await shake_hands(reader, writer)
            writer.write(frame(b"one") + frame(b"\x03\xe8", opcode=CLOSE) + frame(b"ghost"))
            await reader.read()

        async with raw_server(say) as port:
            session = EchoSession(port)
            async with linked(session, sleep=Naps(enough=1).sleep):
                await session.until(lambda: session.count("closed"))
            assert session.texts() == ["one"]
            assert session.count("closed") == 1

    run(story())


# --- broken invariants, and TLS ----------------------------------------------------------------


def test_an_exception_of_ours_is_told_once_and_the_connection_lives_on() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            session, fatal = EchoSession(port), list[BaseException]()
            session.breaks_on = b"ack 1"
            async with linked(session, fatal=fatal) as link:
                await hellos(session, 1)
                link.send(order(1))
                await session.until(lambda: fatal)
                link.send(order(2))
                await session.until(lambda: "ack 2" in session.texts())
                assert session.count("closed") == 0
            assert [str(each) for each in fatal] == ["an invariant of ours"]

    run(story())


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run([openssl, *made.split(" "), *names, *files], check=True, capture_output=True)
    return paths


def test_wss_checks_the_certificate(certificate: tuple[Path, Path]) -> None:
    async def story() -> None:
        theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        theirs.load_cert_chain(*certificate)
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        async with raw_server(mute, tls=theirs) as port:
            session = EchoSession(port, scheme="wss")
            async with linked(session, tls=trusting) as link:
                await session.until(lambda: session.texts() == ["word"])
                assert link.statistics()["connections_open"] == 1
            stranger, naps = EchoSession(port, scheme="wss"), Naps(enough=1)
            async with linked(stranger, sleep=naps.sleep):
                await naps.enough.wait()
            assert stranger.count("opened") == 0

    run(story())
