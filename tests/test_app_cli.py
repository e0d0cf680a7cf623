"""The command line: what people and programs get back, and one line for each mistake."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from crosswire import __version__
from crosswire.app import control
from crosswire.app.cli import main, screen
from crosswire.app.simprocess import same_code

SECRET = "VG9wU2VjcmV0VmFsdWUrLzEyMzQ1Njc4OTA="


class Shown(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Shown]


@pytest.fixture
def crosswire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Run a command in the test's own directory and process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(screen, "out", Console(width=200))
    monkeypatch.setattr(screen, "err", Console(stderr=True, width=200))

    def run(*arguments: str) -> Shown:
        monkeypatch.setattr(sys, "argv", ["crosswire", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Shown(int(ended.value.code or 0), out, err)

    return run


def complaint(shown: Shown) -> str:
    """Return the one line that a mistake gives."""
    assert "Traceback" not in shown.stderr + shown.stdout
    lines = [line for line in shown.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, shown.stderr
    return lines[0]


def test_the_version_is_shown(tmp_path: Path, crosswire: Run) -> None:
    shown = crosswire("--version")
    assert (shown.returncode, shown.stdout.strip()) == (0, f"crosswire {__version__}")


def test_init_writes_a_config_and_does_not_replace_one(tmp_path: Path, crosswire: Run) -> None:
    assert crosswire("init").returncode == 0
    assert (tmp_path / "bot.toml").read_text().startswith("# A bot")
    again = crosswire("init")
    assert again.returncode == 2
    assert "exists already; --force replaces it" in complaint(again)
    assert crosswire("init", "--force", "--json").returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "arguments", "expected"),
    [
        ("", "", ("run", "none.toml"), "none.toml: no such file; `crosswire init` writes one"),
        ('mode = "paper"', 'mode = "papr"', ("run",), "mode: expected one of sim, paper, testnet"),
        ('mode = "paper"', 'mode = "live"', ("run",), "needs --live as well"),
        ("", "", ("run", "--live"), 'the file says mode = "paper"'),
        ('"market_making"', '"market_makin"', ("run",), 'strategies.ladder: no strategy "market_'),
        ("levels = 3", "levls = 3", ("run",), "levls"),
        ('mode = "paper"', 'mode = "testnet"', ("balances",), "has no public testnet"),
        ("", "", ("sim", "nowhere"), 'unknown venue "nowhere": expected one of kraken'),
        ("", "", ("sim", "kraken", "--faults", "x=y"), '--faults "x=y": expected'),
        ("", "", ("sim", "kraken", "--balances", "x"), '--balances "x": expected'),
        ("", "", ("demo", "--plant", "oops"), '--plant "oops": expected one of'),
        ("", "", ("demo", "--venues", "oops"), '--venues "oops": expected one of'),
        ("", "", ("demo", "--recording", "oops"), "--recording oops: no such file"),
        ("", "", ("order", "cancel"), "order cancel: give an id, or --all"),
        ("", "", ("book", "oops", "BTC/USD"), "expected a venue's name: kraken"),
        ("", "", ("book", "kraken", "BTC/USD", "--mode", "x"), "expected paper or sim"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path, crosswire: Run, old: str, new: str, arguments: tuple[str, ...], expected: str
) -> None:
    crosswire("init")
    config = tmp_path / "bot.toml"
    config.write_text(config.read_text().replace(old, new, 1))
    shown = crosswire(*arguments)
    assert expected in complaint(shown)
    assert shown.returncode == 2


def test_a_bot_that_does_not_run_is_said_to_be_so(tmp_path: Path, crosswire: Run) -> None:
    crosswire("init")
    for arguments in (("status",), ("stop",), ("pause",), ("kill",), ("order", "list")):
        shown = crosswire(*arguments)
        assert "no bot is running for bot.toml" in complaint(shown)
        assert shown.returncode == 1


def test_with_json_a_mistake_is_an_object_too(tmp_path: Path, crosswire: Run) -> None:
    shown = crosswire("run", "none.toml", "--json")
    assert shown.returncode == 2
    assert json.loads(shown.stdout)["code"] == 2


def test_a_missing_secret_is_named_by_its_key_and_a_given_one_is_not_shown(
    tmp_path: Path, crosswire: Run
) -> None:
    config = tmp_path / "bot.toml"
    crosswire("init")
    hosts = 'rest = "http://127.0.0.1:1"\nws = "ws://127.0.0.1:1"\nws_private = "ws://127.0.0.1:1"'
    text = config.read_text().replace('mode = "paper"', 'mode = "testnet"')
    login = f'key = "{SECRET}"\nsecret_env = "NOT_SET_ANYWHERE"\n[accounts.main.hosts]\n{hosts}\n'
    config.write_text(text.replace("# key_env", f"{login}# key_env", 1))
    shown = crosswire("balances")
    assert "environment variable NOT_SET_ANYWHERE is not set" in complaint(shown)
    assert shown.returncode == 2
    assert SECRET not in shown.stdout + shown.stderr


def test_a_taken_port_is_named(tmp_path: Path, crosswire: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = crosswire("sim", "kraken", "--port", str(port))
    assert f"port {port} is taken" in complaint(shown)
    assert shown.returncode == 2


def test_verify_speaks_only_with_a_venue_and_asks_before_real_money(
    tmp_path: Path, crosswire: Run
) -> None:
    crosswire("init")
    assert 'expected mode = "testnet" or "live"' in complaint(crosswire("verify", "kraken"))
    config = tmp_path / "bot.toml"
    config.write_text(config.read_text().replace('mode = "paper"', 'mode = "live"'))
    assert "needs --live as well" in complaint(crosswire("verify", "kraken"))
    shown = crosswire("verify", "kraken", "--live", "--json")
    assert "the consent is --yes" in complaint(shown)
    assert shown.returncode == 2


def test_a_running_bot_is_asked_and_stopped_by_its_door(tmp_path: Path, crosswire: Run) -> None:
    crosswire("init")
    config = tmp_path / "bot.toml"
    config.write_text(config.read_text().replace('mode = "paper"', 'mode = "sim"'))
    command = [sys.executable, "-m", "crosswire.app", "run", "--json"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, env=same_code())
    try:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["running"]
        assert json.loads(crosswire("status", "--json").stdout)["bot"] == "ladder"
        assert "held by process" in complaint(crosswire("run"))
        assert crosswire("pause").returncode == 0
        status = json.loads(crosswire("status", "--json").stdout)
        assert status["strategies"] == {"ladder": "paused"}
        assert status["accounts"]["main"]["halts"] == {}
        assert status["accounts"]["main"]["doubts"] == []
        placed = crosswire(
            "order", "place", "BTC/USD", "buy", "0.001", "--limit", "50000", "--json"
        )
        assert placed.returncode == 0, placed
        order = json.loads(placed.stdout)["order"]
        assert order["status"] == "OPEN"
        order_id = order["client_order_id"]
        amended = crosswire("order", "amend", order_id, "--limit", "49000", "--json")
        assert json.loads(amended.stdout)["order"]["price"] == "49000"
        assert order_id in crosswire("order", "list").stdout
        assert crosswire("order", "cancel", order["venue_order_id"]).returncode == 0
        life = json.loads(crosswire("order", "explain", order_id, "--json").stdout)
        assert [step["what"] for step in life["steps"]][:3] == [
            "Place approved",
            "Sent",
            "Accepted",
        ]
        assert "Place approved" in crosswire("order", "explain", order_id).stdout
        assert "Insufficient" not in crosswire("balances").stdout
        assert json.loads(crosswire("balances", "--json").stdout)["balances"]["BTC"]
        assert crosswire("positions").returncode == crosswire("fills").returncode == 0
        wrong = crosswire("order", "place", "BTC/USD", "buy", "x")
        assert '"x" is not a number' in complaint(wrong)
        assert wrong.returncode == 2
        assert 'no order "nobody"' in complaint(crosswire("order", "cancel", "nobody"))
        assert "no instrument" in complaint(crosswire("order", "place", "NO/USD", "buy", "1"))
        refused = crosswire("order", "place", "BTC/USD", "buy", "1", "--limit", "50000")
        assert "order notional" in complaint(refused)
        assert refused.returncode == 1
        assert crosswire("resume").returncode == 0
        assert crosswire("kill", "--reason", "a test").returncode == 0
        assert "a test" in crosswire("status").stdout
        assert crosswire("stop").returncode == 0
        assert child.wait(30) == 0
        assert not (tmp_path / "journal" / "control.sock").exists()
    finally:
        child.kill()
        child.communicate()


def test_status_shows_what_halts_an_account_and_what_is_in_doubt(
    crosswire: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt = {"client_order_id": "a" * 32, "side": "buy", "status": "UNKNOWN", "in_doubt_s": 3.2}
    account = {"halts": {"late accept of b": "its closure"}, "doubts": [doubt]}
    answer = {"ok": True, "bot": "b", "mode": "live", "accounts": {"main": account}}
    monkeypatch.setattr(control, "ask", lambda *_: dict(answer))
    crosswire("init")
    shown = crosswire("status").stdout
    for words in ("late accept of b", "its closure", "a" * 32, "UNKNOWN", "3.2"):
        assert words in shown
    assert "main: halts" in shown
    assert "main: in doubt" in shown


def test_a_fault_the_simulator_does_not_know_is_a_users_mistake(crosswire: Run) -> None:
    shown = crosswire("demo", "--faults", "bogus=1")
    assert shown.returncode == 2
    assert 'unknown fault "bogus": expected one of drop_ack' in complaint(shown)
