"""The runner on loopback, against a simulator that survives it in a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crosswire.app import control
from crosswire.app.client import Client
from crosswire.app.config import parse
from crosswire.app.errors import ConfigError, NotConnectedError, UserError
from crosswire.app.live import Trader
from crosswire.app.resident import stop_dead
from crosswire.app.simprocess import SimProcess, same_code
from crosswire.domain import Approved, Halted, LoggedIn, Place, PlaceBatch, RunEnded
from crosswire.journal import read
from crosswire.venues import NAMES, venue
from tests.loopback import VENUE, config, document, until

CHILD = [sys.executable, "-m", "crosswire.app", "run", "--json"]


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
    async def run() -> tuple[int, dict[str, Any]]:
        simulator = SimProcess(VENUE)
        await simulator.start()
        try:
            trader = Trader(config(tmp_path, simulator.address))
            client = Client(trader, "main")
            client.listen()
            await trader.start()
            await until(trader, lambda: fills(trader) >= 1)
            logins: list[object] = []
            trader.observers.append(lambda r: logins.append(r) if isinstance(r, LoggedIn) else None)
            for connection in trader.link("main")._connections.values():
                connection.lose("the test cut it")
            await until(trader, lambda: logins)
            order = await client.place("BTC/USD", "buy", "0.001", limit="50000")
            assert order.status == "OPEN"
            await order.cancel()
            assert (await order.done()).status == "CANCELED"
            await trader.stop()
            return fills(trader), await simulator.ledger()
        finally:
            await simulator.stop()

    booked, ledger = asyncio.run(run())
    assert len(ledger["fills"]) == booked


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_bot_forgets_no_order(tmp_path: Path, name: str) -> None:
    """kill -9 with a request in flight; the simulator lives on; a start on the same journal."""

    async def run() -> tuple[Trader, str, dict[str, Any]]:
        simulator = SimProcess(name)
        await simulator.start()
        try:
            in_flight = await kill_in_flight(tmp_path, simulator, name)
            trader = Trader(config(tmp_path, simulator.address, name, strategies={}))
            order = trader.engine.orders.get(in_flight)
            assert order is not None
            assert order.status == "UNKNOWN"
            assert trader.engine.orders.doubts() >= 1
            await trader.start()
            await until(trader, lambda: not trader.engine.orders.doubts())
            assert order.venue_order_id
            await trader.stop()
            return trader, in_flight, await simulator.ledger()
        finally:
            await simulator.stop()

    trader, in_flight, ledger = asyncio.run(run())
    approved = {place.client_order_id for place in approved_places(tmp_path / "journal")}
    placed = [order["client_order_id"] for order in ledger["orders"]]
    assert set(placed) <= approved
    assert placed.count(in_flight) == 1
    assert trader.journal.run == 2
    assert {order["status"] for order in ledger["orders"]} <= {"filled", "canceled"}
    assert trader.is_clean


@pytest.mark.parametrize("name", NAMES)
def test_a_dead_bot_is_stopped_as_if_it_lived(tmp_path: Path, name: str) -> None:
    """kill -9 with an order resting and a position held; then `stop --flatten`."""

    async def run() -> tuple[bool, dict[str, Any]]:
        simulator = SimProcess(name)
        await simulator.start()
        try:
            found = document(tmp_path, simulator.address, name, strategies={})
            found["accounts"]["main"]["bound"] = "5 s"
            found["accounts"]["main"]["hosts"]["read_lag"] = "1 s"
            (tmp_path / "bot.toml").write_text(toml(found))
            await asyncio.to_thread(trade_and_die, tmp_path, venue(name).stage.instrument)
            request = {"ask": "stop", "how": "flatten"}
            is_done = await stop_dead(parse(found, "test"), "test", request)
            return is_done, await simulator.ledger()
        finally:
            await simulator.stop()

    is_done, ledger = asyncio.run(run())
    assert is_done
    assert sorted(order["status"] for order in ledger["orders"]) == ["canceled", "filled", "filled"]
    held = {"buy": Decimal(0), "sell": Decimal(0)}
    for fill in ledger["fills"]:
        held[fill["side"]] += Decimal(fill["quantity"])
    assert held["buy"] == held["sell"] > 0


def trade_and_die(directory: Path, instrument: str) -> None:
    """Run the real program as a child, let it buy and quote, and kill it."""
    child = start_child(directory / "bot.toml")
    assert child.stdout is not None
    path = control.socket_path(directory / "journal")
    wish = {"ask": "place", "instrument": instrument, "side": "buy", "quantity": "0.001"}
    try:
        assert json.loads(child.stdout.readline())["running"]
        for more in ({}, {"limit": "50000"}):
            answer = control.ask(path, wish | more)
            assert answer is not None
            assert answer["ok"], answer
    finally:
        child.kill()
        child.communicate()


def approved_places(directory: Path) -> Iterator[Place]:
    for record in read(directory):
        command = record.command if isinstance(record, Approved) else None
        if isinstance(command, Place):
            yield command
        elif isinstance(command, PlaceBatch):
            yield from command.places


def start_child(file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*CHILD, str(file)], stdout=subprocess.PIPE, env=same_code())


async def kill_in_flight(directory: Path, simulator: SimProcess, name: str) -> str:
    """Run the real program as a child and kill it while an order of it has no answer yet.

    The simulator stands still meanwhile, so the answer cannot come.
    """
    file = directory / "bot.toml"
    file.write_text(toml(document(directory, simulator.address, name)))
    child = start_child(file)
    assert child.stdout is not None
    assert simulator.pid
    path = control.socket_path(directory / "journal")
    instrument = venue(name).stage.instrument
    wish = {"ask": "place", "instrument": instrument, "side": "buy", "quantity": "0.001"}
    wish["limit"] = "50000"  # far away: it rests until it is found again
    try:
        assert json.loads(await asyncio.to_thread(child.stdout.readline))["running"]
        await asyncio.to_thread(ask_until, path, bool)
        os.kill(simulator.pid, signal.SIGSTOP)
        placing = asyncio.create_task(asyncio.to_thread(control.ask, path, wish))
        waiting = await asyncio.to_thread(ask_until, path, has_pending)
        os.kill(child.pid, signal.SIGKILL)
        assert await placing is None
    finally:
        child.kill()
        child.communicate()
        os.kill(simulator.pid, signal.SIGCONT)
    assert child.returncode == -signal.SIGKILL
    return str(next(o["client_order_id"] for o in waiting if o["status"] == "PENDING_NEW"))


def has_pending(orders: list[dict[str, Any]]) -> bool:
    return any(order["status"] == "PENDING_NEW" for order in orders)


def ask_until(path: Path, is_so: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Ask a bot for its open orders until they are as wanted."""
    while True:
        answer = control.ask(path, {"ask": "orders", "open": True})
        assert answer is not None
        orders: list[dict[str, Any]] = answer["orders"]
        if is_so(orders):
            return orders


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
        try:
            trader = Trader(parse(wrong, "test"))
            with pytest.raises(NotConnectedError, match="Invalid") as caught:
                await trader.start()
            await trader.stop()
            assert "V3Jvbmc" not in str(caught.value)
        finally:
            await simulator.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("half", "wrong", "words"),
    [("secret", "0x" + "77" * 32, "is no API wallet of"), ("key", "0x" + "77" * 20, "no account")],
)
def test_an_account_and_a_signer_that_do_not_fit_are_one_line(
    tmp_path: Path, half: str, wrong: str, words: str
) -> None:
    async def run() -> None:
        name = "hyperliquid"
        simulator = SimProcess(name)
        await simulator.start()
        found = document(tmp_path, simulator.address, name, strategies={})
        found["accounts"]["main"][half] = wrong
        try:
            trader = Trader(parse(found, "test"))
            with pytest.raises(NotConnectedError, match=words) as caught:
                await trader.start()
            await trader.stop()
            assert "77" * 32 not in str(caught.value)
        finally:
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


@pytest.mark.parametrize(
    ("more", "mode", "lag_s", "bound_s"),
    [
        ({}, "testnet", 60, 5),
        ({"bound": "9 s"}, "testnet", 60, 9),
        ({"read_lag": "500 ms"}, "testnet", 0.5, 5),
        ({}, "sim", 1, 5),
        ({}, "paper", 1, 5),
    ],
)
def test_an_accounts_bound_and_lag_are_the_venues_unless_told(
    tmp_path: Path, more: dict[str, str], mode: str, lag_s: float, bound_s: float
) -> None:
    found = {**document(tmp_path, "x:1"), "mode": mode}
    account = found["accounts"]["main"]
    account |= {key: value for key, value in more.items() if key == "bound"}
    account["hosts"] |= {key: value for key, value in more.items() if key != "bound"}
    trader = Trader(parse(found, "test"))
    told = trader.engine.settings.accounts["main"]
    assert (told.read_lag_ns, told.bound_ns) == (lag_s * 1e9, bound_s * 1e9)
    assert 0 <= trader.bound_ns("main") - trader.now_ns() <= bound_s * 1e9
    asyncio.run(trader.stop())


def test_a_bound_the_venue_does_not_take_is_one_line(tmp_path: Path) -> None:
    found = document(tmp_path, "x:1")
    found["accounts"]["main"]["bound"] = "1 s"
    with pytest.raises(ConfigError, match=r"accounts.main.bound: \w+ takes 3 s to 50 s"):
        Trader(parse(found, "test"))


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
