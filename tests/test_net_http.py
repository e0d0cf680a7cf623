"""HTTP: what can have left, what cannot, and in which order."""

import asyncio
import socket
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import structlog
from aiohttp import ClientTimeout

from crosswire.net import http
from crosswire.net.clock import Clock, VirtualClock
from crosswire.net.host import hosted
from crosswire.net.http import Answer, Failure, HttpLane, HttpPool
from crosswire.venues.interface import HttpRequest
from tests.net_echo import EchoSimulator, Gathered, ask, free_port, raw_server, run

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def pooled(
    port: int,
    *,
    scheme: str = "http",
    request_s: float = http.REQUEST_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[HttpPool]:
    """Open a pool; close it at the end."""
    base = f"{scheme}://127.0.0.1:{port}"
    pool = HttpPool("venue", base, request_s=request_s, sleep=sleep)
    pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def forget(seconds: float) -> None:
    """Sleep for ever."""
    await asyncio.Event().wait()


class Outcomes(Gathered):
    """What a lane came to, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, Answer | Failure]] = []

    def __call__(self, request: HttpRequest, outcome: Answer | Failure) -> None:
        self.told.append((request.key, outcome))
        self.changed()


# --- sent or not -------------------------------------------------------------------------------


def test_no_byte_has_left_where_nobody_listens() -> None:
    async def story() -> None:
        port = free_port()
        async with pooled(port) as pool:
            outcome = await pool.fetch(ask(1, "/x", method="POST"))
        assert isinstance(outcome, Failure)
        assert not outcome.was_sent

    run(story())


def test_no_byte_has_left_where_tls_fails() -> None:
    async def story() -> None:
        heard: list[bytes] = []

        async def plain(reader: Reader, writer: Writer) -> None:
            heard.append(await reader.read(100))
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        async with raw_server(plain) as port, pooled(port, scheme="https") as pool:
            outcome = await pool.fetch(ask(1, "/x", method="POST"))
        assert isinstance(outcome, Failure)
        assert not outcome.was_sent
        assert b"POST" not in heard[0]

    run(story())


def test_no_byte_has_left_while_it_waited_for_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "LIMIT", 1)

    async def story() -> None:
        simulator = EchoSimulator()
        async with hosted(simulator) as port, pooled(port, request_s=0.05) as pool:
            assert pool._client is not None
            taken = pool._client.get(
                f"http://127.0.0.1:{port}/never",
                timeout=ClientTimeout(total=None),
                trace_request_ctx=SimpleNamespace(),
            )
            holder = asyncio.ensure_future(taken)
            await simulator.until(lambda: simulator.seen)
            outcome = await pool.fetch(ask(1, "/x", method="POST"))
            holder.cancel()
            await asyncio.gather(holder, return_exceptions=True)
        assert isinstance(outcome, Failure)
        assert not outcome.was_sent

    run(story())


@pytest.mark.parametrize(
    "ending",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"nonsense\r\n\r\n",
    ],
    ids=["closed at once", "closed in the head", "closed in the body", "not HTTP"],
)
def test_a_request_that_reached_a_connection_counts_as_sent(ending: bytes) -> None:
    async def story() -> None:
        async def end(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"body")
            writer.write(ending)

        async with raw_server(end) as port, pooled(port) as pool:
            outcome = await pool.fetch(ask(1, "/x", method="POST"))
        assert isinstance(outcome, Failure)
        assert outcome.was_sent

    run(story())


def test_a_timeout_counts_as_sent() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port, pooled(port, request_s=0.05) as pool:
            outcome = await pool.fetch(ask(1, "/never", method="POST"))
        assert outcome == Failure("TimeoutError", was_sent=True)

    run(story())


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_request_is_never_made_twice_behind_our_back(method: str) -> None:
    """A kept connection that breaks makes aiohttp try idempotent methods again."""

    async def story() -> None:
        requests: list[bytes] = []

        async def one_answer(reader: Reader, writer: Writer) -> None:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)
            requests.append(await reader.readuntil(b"\r\n\r\n"))

        async with raw_server(one_answer) as port, pooled(port) as pool:
            assert await pool.fetch(ask(1, "/first")) == Answer(200, b"ok")
            outcome = await pool.fetch(ask(2, "/second", method=method))
            assert isinstance(outcome, Failure)
            assert outcome.was_sent
        assert len(requests) == 2

    run(story())


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def story() -> None:
        async def away(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 307 Away\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")
            await reader.read()

        async with raw_server(away) as port, pooled(port) as pool:
            assert await pool.fetch(ask(1, "/x")) == Answer(307, b"")

    run(story())


def test_a_page_is_just_bytes_and_paths_go_out_as_they_are() -> None:
    async def story() -> None:
        simulator = EchoSimulator()
        async with hosted(simulator) as port, pooled(port) as pool:
            page = await pool.fetch(ask(1, "/page"))
            assert page == Answer(502, b"<html>bad</html>")
            odd = "/0/x?a=%2F%20b&c=d+e&pair=BTC/USD"
            assert await pool.fetch(ask(2, odd)) == Answer(200, odd.encode())

    run(story())


def test_an_endless_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1000)

    async def story() -> None:
        async def flood(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 2000)
            await reader.read()

        async with raw_server(flood) as port, pooled(port) as pool:
            outcome = await pool.fetch(ask(1, "/x"))
        assert isinstance(outcome, Failure)
        assert "larger" in outcome.reason
        assert outcome.was_sent

    run(story())


# --- the pool ----------------------------------------------------------------------------------


def test_it_is_warmed_in_parallel_says_so_and_is_touched_again() -> None:
    async def story() -> None:
        both, clients, naps = asyncio.Barrier(http.KEPT), list[Writer](), list[float]()

        async def together(reader: Reader, writer: Writer) -> None:
            clients.append(writer)
            while True:
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /time ")
                await both.wait()  # answers only when both have asked
                writer.write(OK)

        touched = asyncio.Event()

        async def nap(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 3:
                touched.set()
                await forget(seconds)

        with structlog.testing.capture_logs() as logs:
            async with raw_server(together) as port, pooled(port, sleep=nap) as pool:
                await pool.warm(ask(0, "/time"))
                await pool.warm(ask(0, "/other"))  # of a second link: the pool is warm already
                await touched.wait()
                assert len(clients) == http.KEPT  # the same ones, touched twice
        (line,) = (each["event"] for each in logs)
        pool, _, bounds = line.partition(" warm, ")
        assert pool == "[INIT] venue HTTP pool: 2"
        assert bounds == "limit 8, idle 60 s, keepalive 30 s, connect 10 s, request 10 s"
        assert all(each < http.IDLE_S for each in naps)

    run(story())


def test_a_pool_that_cannot_be_warmed_says_so() -> None:
    async def story() -> None:
        with structlog.testing.capture_logs() as logs:
            async with pooled(free_port(), sleep=forget) as pool:
                await pool.warm(ask(0, "/time"))
        assert logs[0]["event"].startswith("[INIT] venue HTTP pool: 0 warm, limit 8")
        assert await pool.fetch(ask(1, "/x")) == Failure("the pool is closed", was_sent=False)

    run(story())


def test_opening_twice_changes_nothing() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port, pooled(port) as pool:
            client = pool._client
            pool.open()
            assert pool._client is client
            assert await pool.fetch(ask(1, "/x")) == Answer(200, b"/x")

    run(story())


def test_its_sockets_have_keepalive_switched_on() -> None:
    made = http.keepalive_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)))
    with made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == http.KEEPALIVE_S


# --- the lane ----------------------------------------------------------------------------------


def test_ordered_requests_go_one_after_the_other_and_others_pass_them() -> None:
    async def story() -> None:
        simulator, outcomes = EchoSimulator(), Outcomes()
        simulator.wait_ns = 20_000_000
        async with hosted(simulator) as port, pooled(port) as pool:
            lane = HttpLane(pool, Clock(), outcomes)
            lane.ask(ask(1, "/later1", method="POST", is_ordered=True))
            lane.ask(ask(2, "/second", method="POST", is_ordered=True))
            lane.ask(ask(3, "/third", method="POST", is_ordered=True))
            lane.ask(ask(4, "/free"))
            assert lane.waiting >= 3
            await outcomes.until(lambda: len(outcomes.told) == 4)
            lane.ask(ask(5, "/again", method="POST", is_ordered=True))
            await outcomes.until(lambda: len(outcomes.told) == 5)
            await lane.close()
        assert [key for key, _ in outcomes.told if key != 4] == [1, 2, 3, 5]
        assert outcomes.told[0][0] == 4
        arrived = [each[2] for each in simulator.seen if each[0] == "asked" and each[2] != "/free"]
        assert arrived == ["/later1", "/second", "/third", "/again"]

    run(story())


def test_an_ordered_request_that_waited_too_long_never_leaves() -> None:
    async def story() -> None:
        simulator, outcomes, clock = EchoSimulator(), Outcomes(), VirtualClock()
        simulator.wait_ns = 20_000_000
        async with hosted(simulator) as port, pooled(port) as pool:
            lane = HttpLane(pool, clock, outcomes)
            lane.ask(ask(1, "/later", method="POST", is_ordered=True))
            lane.ask(ask(2, "/stale", method="POST", is_ordered=True))
            await simulator.until(lambda: simulator.seen)
            clock.advance(http.MAX_WAIT_NS + 1)
            await outcomes.until(lambda: len(outcomes.told) == 2)
            await lane.close()
        assert outcomes.told[1] == (2, Failure("waited too long", was_sent=False))
        assert "/stale" not in [each[2] for each in simulator.seen]

    run(story())


def test_an_ordered_request_without_an_answer_does_not_hold_up_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "ORDER_S", 0.001)

    async def story() -> None:
        simulator, outcomes = EchoSimulator(), Outcomes()
        simulator.wait_ns = 10**13
        async with hosted(simulator) as port, pooled(port) as pool:
            lane = HttpLane(pool, Clock(), outcomes)
            lane.ask(ask(1, "/later", method="POST", is_ordered=True))
            lane.ask(ask(2, "/cancel", method="POST", is_ordered=True))
            await outcomes.until(lambda: outcomes.told)
            assert [key for key, _ in outcomes.told] == [2]
            monkeypatch.setattr(http, "STOP_S", 0.001)
            await lane.close()
        assert outcomes.told[1] == (1, Failure("stopped", was_sent=True))

    run(story())


def test_the_lane_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_WAITING", 2)

    async def story() -> None:
        outcomes = Outcomes()
        async with hosted(EchoSimulator()) as port, pooled(port) as pool:
            lane = HttpLane(pool, Clock(), outcomes)
            for key in (1, 2, 3):
                lane.ask(ask(key, "/x"))
            assert outcomes.told == []  # never from within the call
            await outcomes.until(lambda: len(outcomes.told) == 3)
            await lane.close()
        assert outcomes.told[0] == (3, Failure("2 requests wait already", was_sent=False))

    run(story())


def test_closing_tells_every_outcome_and_lets_nothing_new_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "STOP_S", 0.01)

    async def story() -> None:
        simulator, outcomes = EchoSimulator(), Outcomes()
        async with hosted(simulator) as port, pooled(port) as pool:
            lane = HttpLane(pool, Clock(), outcomes)
            lane.ask(ask(1, "/never", method="POST", is_ordered=True))
            lane.ask(ask(2, "/behind", method="POST", is_ordered=True))
            lane.ask(ask(3, "/never"))
            await simulator.until(lambda: len(simulator.seen) == 2)
            await lane.close()
            lane.ask(ask(4, "/late"))
            await outcomes.until(lambda: len(outcomes.told) == 4)
        told = dict(outcomes.told)
        assert told[1] == told[3] == Failure("stopped", was_sent=True)
        assert told[2] == Failure("stopped", was_sent=False)
        assert told[4] == Failure("stopping", was_sent=False)
        assert "/behind" not in [each[2] for each in simulator.seen]

    run(story())
