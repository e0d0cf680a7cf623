"""The runner on loopback, against a simulator that survives it in a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crosswire.app import control
from crosswire.app.config import Config, parse
from crosswire.app.errors import NotConnectedError, UserError
from crosswire.app.live import Trader
from crosswire.app.simprocess import SimProcess, same_code
from crosswire.app.wiring import local_login
from crosswire.domain import Approved, Halted, Place, RunEnded
from crosswire.journal import read
from crosswire.venues import NAMES, venue

VENUE = NAMES[0]
CHILD = [sys.executable, "-m", "crosswire", "run", "--json"]


def document(directory: Path, address: str, **more: Any) -> dict[str, Any]:
    hosts = venue(VENUE).local_hosts(address)
    login = local_login("main")
    return {
        "mode": "testnet",
        "bot": "test",
        "accounts": {
            "main": {
                "venue": VENUE,
                "key": login.key,
                "secret": login.secret,
                "tier": "pro",
                "hosts": {"rest": hosts.rest, "ws": hosts.ws, "ws_private": hosts.ws_private},
            }
        },
        "strategies": {
            "ladder": {
                "class": "market_making",
                "account": "main",
                "instrument": "BTC/USD",
                "quantity": "0.002",
                "edge_ticks": 1,
            }
        },
        "journal": {"directory": str(directory / "journal")},
        **more,
    }


def config(directory: Path, address: str, **more: Any) -> Config:
    return parse(document(directory, address, **more), "test")


async def until(trader: Trader, is_so: Any) -> None:
    """Let the bot run until something is so."""
    heard = asyncio.Event()
    observer: Any = lambda _record: heard.set()  # noqa: E731
    trader.observers.append(observer)
    while not is_so():
        heard.clear()
        await asyncio.wait_for(heard.wait(), 30)
    trader.observers.remove(observer)


def fills(trader: Trader) -> int:
    return trader.engine.counts["fills"]


def test_a_bot_trades_and_ends_with_everything_done(tmp_path: Path) -> None:
    async def run() -> tuple[Trader, dict[str, Any]]:
        simulator = SimProcess(VENUE)
        await simulator.start()
        try:
            trader = Trader(config(tmp_path, simulator.address))
            await trader.start()
            await until(trader, lambda: fills(trader) >= 1)
            await trader.stop()
            return trader, await simulator.ledger()
        finally:
            await simulator.stop()

    trader, ledger = asyncio.run(run())
    assert trader.is_clean
    assert {order["status"] for order in ledger["orders"]} <= {"filled", "canceled"}
    assert len(ledger["fills"]) == fills(trader)
    records = list(read(tmp_path / "journal"))
    assert isinstance(records[-1], RunEnded)
    assert records[-1].is_clean


def test_a_cut_connection_comes_back_and_trading_goes_on(tmp_path: Path) -> None:
    async def run() -> tuple[int, int, dict[str, Any]]:
        simulator = SimProcess(VENUE)
        await simulator.start()
        try:
            trader = Trader(config(tmp_path, simulator.address))
            await trader.start()
            await until(trader, lambda: fills(trader) >= 1)
            for link in trader._links.values():
                for connection in link._connections.values():
                    connection.lose("the test cut it")
            before = fills(trader)
            await until(trader, lambda: fills(trader) > before + 1)
            await trader.stop()
            return before, fills(trader), await simulator.ledger()
        finally:
            await simulator.stop()

    before, after, ledger = asyncio.run(run())
    assert after > before
    assert len(ledger["fills"]) == after


def test_a_killed_bot_forgets_no_order(tmp_path: Path) -> None:
    """kill -9 in the middle of trading; the simulator lives on; a start on the same journal."""

    async def run() -> tuple[Trader, set[str], dict[str, Any]]:
        simulator = SimProcess(VENUE)
        await simulator.start()
        try:
            kill_in_the_middle(tmp_path, simulator.address)
            again = config(tmp_path, simulator.address, strategies={})
            trader = Trader(again)
            before = {order.client_order_id for order in trader.engine.orders if order.is_open}
            doubts = trader.engine.orders.doubts()
            in_flight = [o for o in trader.engine.orders.all_open() if o.stage == "UNKNOWN"]
            assert doubts >= len(in_flight)
            await trader.start()
            await until(trader, lambda: not trader.engine.orders.doubts())
            await trader.stop()
            return trader, before, await simulator.ledger()
        finally:
            await simulator.stop()

    trader, before, ledger = asyncio.run(run())
    approved = {
        record.command.client_order_id
        for record in read(tmp_path / "journal")
        if isinstance(record, Approved) and isinstance(record.command, Place)
    }
    assert {order["client_order_id"] for order in ledger["orders"]} <= approved
    assert before
    assert trader.journal.run == 2
    assert {order["status"] for order in ledger["orders"]} <= {"filled", "canceled"}
    assert trader.is_clean


def kill_in_the_middle(directory: Path, address: str) -> None:
    """Start the real program as a child, let it trade, kill it without a word."""
    file = directory / "bot.toml"
    file.write_text(toml(document(directory, address)))
    child = subprocess.Popen([*CHILD, str(file)], stdout=subprocess.PIPE, env=same_code())
    try:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["running"]
        path = control.socket_path(directory / "journal")
        while True:
            answer = control.ask(path, {"ask": "orders", "open": True})
            assert answer is not None
            if answer["orders"]:
                break
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == -signal.SIGKILL


def toml(table: dict[str, Any], name: str = "") -> str:
    """Write a document as TOML: enough for a config."""
    lines = [f"[{name}]"] if name else []
    lines += [f"{k} = {json.dumps(v)}" for k, v in table.items() if not isinstance(v, dict)]
    text = "\n".join(lines) + "\n"
    for key, value in table.items():
        if isinstance(value, dict):
            text += toml(value, f"{name}.{key}" if name else key)
    return text


def test_a_second_process_is_refused_and_told_who_has_the_journal(tmp_path: Path) -> None:
    first = Trader(parse({**document(tmp_path, "x:1"), "mode": "sim"}, "test"))
    try:
        with pytest.raises(UserError, match=f"held by process {os.getpid()} since"):
            Trader(parse({**document(tmp_path, "x:1"), "mode": "sim"}, "test"))
    finally:
        first.journal.close()


def test_the_same_login_is_refused_a_second_time_in_another_journal(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()

    async def run() -> None:
        simulator = SimProcess(VENUE)
        await simulator.start()
        try:
            first = Trader(config(tmp_path, simulator.address))
            with pytest.raises(UserError, match=f"account main is held by process {os.getpid()}"):
                Trader(config(tmp_path / "b", simulator.address))
            await first.stop()
            second = Trader(config(tmp_path / "b", simulator.address))
            await second.stop()
        finally:
            await simulator.stop()

    asyncio.run(run())


@pytest.mark.parametrize("half", ["key", "secret"])
def test_a_wrong_login_is_one_line_with_the_venues_words(tmp_path: Path, half: str) -> None:
    async def run() -> None:
        simulator = SimProcess(VENUE)
        await simulator.start()
        wrong = document(tmp_path, simulator.address)
        wrong["accounts"]["main"][half] = "V3JvbmdXcm9uZw=="
        trader = Trader(parse(wrong, "test"))
        try:
            with pytest.raises(NotConnectedError, match="Invalid") as caught:
                await trader.start()
            assert "V3Jvbmc" not in str(caught.value)
        finally:
            await trader.stop()
            await simulator.stop()

    asyncio.run(run())


def test_an_instrument_the_venue_does_not_have_is_one_line(tmp_path: Path) -> None:
    async def run() -> None:
        wrong = document(tmp_path, "x:1")
        wrong["mode"] = "sim"
        wrong["strategies"]["ladder"]["instrument"] = "NOPE/USD"
        trader = Trader(parse(wrong, "test"))
        try:
            with pytest.raises(UserError, match='no instrument "NOPE/USD"'):
                await trader.start()
        finally:
            await trader.stop()

    asyncio.run(run())


def test_a_broken_invariant_cancels_everything_and_is_journalled(tmp_path: Path) -> None:
    async def run() -> Trader:
        trader = Trader(parse({**document(tmp_path, "x:1"), "mode": "sim"}, "test"))
        await trader.start()
        await until(trader, lambda: trader.engine.orders.open_count("main"))

        def broken(now_ns: int) -> None:
            raise ZeroDivisionError("two and two are five")

        vars(trader.engine)["tick"] = broken
        await asyncio.wait_for(trader.over.wait(), 30)
        await trader.stop()
        return trader

    trader = asyncio.run(run())
    assert isinstance(trader.failure, ZeroDivisionError)
    assert not trader.is_clean
    records = list(read(tmp_path / "journal"))
    halts = [record.reason for record in records if isinstance(record, Halted)]
    assert any("two and two are five" in reason for reason in halts)
    names = [type(r.command).__name__ for r in records if isinstance(r, Approved)]
    assert "CancelAll" in names
    with pytest.raises(Exception, match="the journal tells why"):
        trader.raise_failure()


def test_market_data_is_journalled_only_if_asked(tmp_path: Path) -> None:
    async def run(directory: Path, *, keeps: bool) -> set[str]:
        section = {"directory": str(directory), "market_data": keeps}
        more = {**document(tmp_path, "x:1", journal=section), "mode": "sim"}
        trader = Trader(parse(more, "test"))
        await trader.start()
        await until(trader, lambda: fills(trader))
        await trader.stop()
        return {type(record).__name__ for record in read(directory)}

    assert "BookChanged" not in asyncio.run(run(tmp_path / "a", keeps=False))
    assert "BookChanged" in asyncio.run(run(tmp_path / "b", keeps=True))
