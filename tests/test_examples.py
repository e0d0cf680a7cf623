"""The examples run as they stand."""

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from crosswire import strategies
from crosswire.app import config
from crosswire.app.live import Trader

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_quickstart_runs(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(load("quickstart").main())
    shown = capsys.readouterr().out
    assert "best bid" in shown
    assert "OPEN" in shown
    assert shown.rstrip().splitlines()[-1].startswith("CANCELED 0")


def test_the_example_of_perps_runs(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(load("hyperliquid").main())
    shown = capsys.readouterr().out
    assert "OPEN under another id: True" in shown
    assert shown.rstrip().splitlines()[-1] == "CANCELED"


def test_a_strategy_of_ones_own_takes_thirty_lines_at_most_and_trades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len((EXAMPLES / "own_strategy.py").read_text().splitlines()) <= 30
    monkeypatch.syspath_prepend(EXAMPLES)
    bot = config.load(EXAMPLES / "own_strategy.toml")
    journal = bot.journal.model_copy(update={"directory": tmp_path})
    bot = bot.model_copy(update={"journal": journal})

    async def run() -> list[str]:
        trader = Trader(bot)
        heard = asyncio.Event()
        trader.observers.append(lambda _record: heard.set())
        await trader.start()
        async with asyncio.timeout(30):
            while trader.engine.orders.open_count("main") < 2:
                heard.clear()
                await heard.wait()
        sides = [str(order.side) for order in trader.engine.orders.all_open("main")]
        await trader.stop()
        assert trader.is_clean
        return sides

    assert sorted(asyncio.run(run())) == ["buy", "sell"]


def test_the_example_is_a_strategy_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    made = strategies.load("own_strategy:Straddle", {"instrument": "v:BTC/USD"})
    assert made.instruments == ("v:BTC/USD",)
