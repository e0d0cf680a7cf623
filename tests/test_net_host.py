"""A simulator on real sockets, spoken to with clients that are not ours."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from crosswire.net.clock import Clock
from crosswire.net.delay import Carriage, steady
from crosswire.net.host import LEDGER_PATH, Host, Network, hosted, write_ledger
from tests.net_echo import EchoSimulator, run

ROOT = Path(__file__).parent.parent
TEXT, CLOSED = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSED


def test_frames_requests_and_paths_reach_the_simulator() -> None:
    async def story() -> None:
        simulator = EchoSimulator()
        async with hosted(simulator) as port, aiohttp.ClientSession() as client:
            base = f"http://127.0.0.1:{port}"
            async with client.ws_connect(f"{base}/v2") as ws:
                assert await ws.receive_str() == "hello"
                await ws.send_str("order 1")
                message = await ws.receive()
                assert message.type is TEXT
                assert message.data == "ack 1"
                await ws.send_bytes(b"order 2")
                assert await ws.receive_str() == "ack 2"
                await ws.ping(b"beat")  # answered by the host, unseen by the simulator
                odd = URL(f"{base}/0/x?a=1%2F2", encoded=True)
                async with client.post(odd, data=b"body", headers={"X-KEY": "k"}) as response:
                    assert await response.text() == "/0/x?a=1%2F2"
                    assert response.content_type == "application/json"
            await simulator.until(lambda: ("closed", 1) in simulator.seen)
        assert simulator.seen == [
            ("opened", 1, "/v2"),
            ("received", 1, b"order 1"),
            ("received", 1, b"order 2"),
            ("asked", "POST", "/0/x?a=1%2F2", b"body", "k"),
            ("closed", 1),
        ]

    run(story())


def test_a_protocol_ping_is_answered() -> None:
    async def story() -> None:
        async with (
            hosted(EchoSimulator()) as port,
            aiohttp.ClientSession() as client,
            client.ws_connect(f"http://127.0.0.1:{port}/", autoping=False) as ws,
        ):
            assert await ws.receive_str() == "hello"
            await ws.ping(b"beat")
            message = await ws.receive()
            assert message.type is aiohttp.WSMsgType.PONG
            assert message.data == b"beat"

    run(story())


@pytest.mark.parametrize("code", [1006, 1001, 4000])
def test_the_simulator_cuts_a_connection(code: int) -> None:
    async def story() -> None:
        simulator = EchoSimulator()
        async with (
            hosted(simulator) as port,
            aiohttp.ClientSession() as client,
            client.ws_connect(f"http://127.0.0.1:{port}/") as ws,
        ):
            assert await ws.receive_str() == "hello"
            await ws.send_str("order 1")
            await ws.send_str(f"drop {code}")
            assert await ws.receive_str() == "ack 1"  # what was said before still arrives
            while not ws.closed:
                await ws.receive()
            assert ws.close_code == code
        assert ("closed", 1) not in simulator.seen

    run(story())


def test_answers_come_when_the_simulator_gives_them_or_not_at_all() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port, aiohttp.ClientSession() as client:
            base = f"http://127.0.0.1:{port}"
            async with client.get(f"{base}/later") as response:
                assert await response.text() == "late"
            async with client.get(f"{base}/page") as response:
                assert response.status == 502
                assert response.content_type == "text/html"
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await client.post(f"{base}/cut")

    run(story())


def test_ticks_bring_what_is_due() -> None:
    async def story() -> None:
        async with (
            hosted(EchoSimulator()) as port,
            aiohttp.ClientSession() as client,
            client.ws_connect(f"http://127.0.0.1:{port}/") as ws,
        ):
            await ws.send_str("later word")
            assert await ws.receive_str() == "hello"
            assert await ws.receive_str() == "word"

    run(story())


def lose(*words: bytes) -> Carriage:
    """Return a carriage that loses these and delays the rest a little."""
    return lambda payload: None if payload in words else 1_000_000


def test_the_network_between_delays_in_order_and_loses() -> None:
    async def story() -> None:
        simulator = EchoSimulator()
        network = Network(up=lose(b"order 2", b"gone"), down=lose(b"ack 3", b"/lost"))
        async with hosted(simulator, network=network) as port, aiohttp.ClientSession() as client:
            base = f"http://127.0.0.1:{port}"
            async with client.ws_connect(f"{base}/") as ws:
                for number in range(1, 6):
                    await ws.send_str(f"order {number}")
                texts = [await ws.receive_str() for _ in range(4)]
                assert texts == ["hello", "ack 1", "ack 4", "ack 5"]
            async with client.post(f"{base}/kept", data=b"kept") as response:
                assert await response.text() == "/kept"
            for path, body in (("/x", b"gone"), ("/lost", b"here")):
                with pytest.raises(aiohttp.ServerDisconnectedError):
                    await client.post(base + path, data=body)
        asked = [each[2] for each in simulator.seen if each[0] == "asked"]
        assert asked == ["/kept", "/lost"]
        assert steady(0)(b"") == 0

    run(story())


def test_the_ledger_is_shown_to_this_machine() -> None:
    async def story() -> None:
        async with (
            hosted(EchoSimulator()) as port,
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{port}{LEDGER_PATH}") as response,
        ):
            assert await response.json() == {"seen": 0}

    run(story())


def test_nobody_else_is_shown_the_ledger() -> None:
    async def story() -> None:
        host = Host(EchoSimulator(), Clock(), Network())
        here = make_mocked_request("GET", LEDGER_PATH)
        statuses = [
            (await host.serve(here.clone(remote=remote))).status
            for remote in ("127.0.0.1", "::1", "10.1.2.3")
        ]
        assert statuses == [200, 200, 403]

    run(story())


def test_a_request_that_is_too_large_never_reaches_the_simulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crosswire.net.host.MAX_REQUEST", 100)

    async def story() -> None:
        simulator = EchoSimulator()
        async with (
            hosted(simulator) as port,
            aiohttp.ClientSession() as client,
            client.post(f"http://127.0.0.1:{port}/x", data=b"x" * 101) as response,
        ):
            assert response.status == 413
        assert simulator.seen == []

    run(story())


def test_a_client_that_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosswire.net.host.MAX_QUEUED", 10)

    async def story() -> None:
        simulator = EchoSimulator()
        async with (
            hosted(simulator) as port,
            aiohttp.ClientSession() as client,
            client.ws_connect(f"http://127.0.0.1:{port}/") as ws,
        ):
            for number in range(30):
                await ws.send_str(f"order {number}")
            # All arrive in one read, so the writer has no turn between the answers.
            while (await ws.receive()).type is TEXT:
                pass
            assert ws.close_code == 1006

    run(story())


def test_a_taken_port_is_an_os_error() -> None:
    async def story() -> None:
        async with hosted(EchoSimulator()) as port:
            with pytest.raises(OSError, match="in use"):
                async with hosted(EchoSimulator(), port):
                    pass

    run(story())


PROGRAM = """
import asyncio, sys
from pathlib import Path
from crosswire.net.host import serve
from tests.net_echo import EchoSimulator

def ready(port):
    print(port, flush=True)

asyncio.run(serve(EchoSimulator(), 0, ledger=Path(sys.argv[1]), on_ready=ready))
"""


def test_in_a_process_of_its_own_it_writes_the_ledger_when_told_to_end(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.json"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(ledger)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())

        async def talk() -> None:
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"http://127.0.0.1:{port}/x") as response,
            ):
                assert response.status == 200

        run(talk())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert json.loads(ledger.read_text()) == {"seen": 1}


def test_a_ledger_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text("old")
    write_ledger(EchoSimulator(), path)
    assert json.loads(path.read_text()) == {"seen": 0}
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.json"]
