"""The command line: what people and programs get back, and one line for each mistake."""

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from crosswire import __version__
from crosswire.app.cli import main, screen

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
