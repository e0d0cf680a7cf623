"""The demo, short: what it prints, what its ledger says, and that a planted bug shows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crosswire.app.demo import account_of
from crosswire.app.simprocess import same_code
from crosswire.sim import checks
from crosswire.venues import NAMES, venue

SECONDS = "3"
VENUE = NAMES[0]
ACCOUNT = account_of(VENUE)


def demo(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crosswire.app", "demo", "--seconds", SECONDS, *arguments]
    environment = {**same_code(), "TMPDIR": str(directory), "COLUMNS": "160"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=90, env=environment, check=False
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any], str]:
    """One demo: its verdict, its ledger file, and everything it printed or left behind."""
    directory = tmp_path_factory.mktemp("demo")
    shown = demo(directory, "--json", "--ledger", str(directory / "L.json"))
    assert shown.returncode == 0, shown.stderr
    said = shown.stdout + shown.stderr
    for file in directory.rglob("*"):
        if file.is_file():
            said += file.read_bytes().decode("latin-1")
    verdict = json.loads(shown.stdout.splitlines()[-1])
    return verdict, json.loads((directory / "L.json").read_text()), said


def test_the_last_line_is_the_verdict(run: tuple[dict[str, Any], dict[str, Any], str]) -> None:
    verdict, _, _ = run
    assert verdict["orders_sent"] > 8
    zeros = ["double_sends", "lost_fills", "phantom_fills", "doubts_open", "checksum_failures"]
    assert {name: verdict[name] for name in zeros} == dict.fromkeys(zeros, 0)
    assert verdict["position_matches_venue"] is True
    assert verdict["cash_matches_venue"] is True
    assert verdict["all_orders_done"] is True
    assert verdict["still_quoting"] is True
    assert (verdict["doubts"], verdict["doubts_settled"], verdict["fallbacks"]) == (0, {}, 0)
    assert {"fills", "amends"} <= verdict.keys()
    assert 0 < verdict["tick_to_trade_us"]["p50"] <= verdict["tick_to_trade_us"]["p99"]


def test_every_count_is_recomputable_from_the_ledger_file(
    run: tuple[dict[str, Any], dict[str, Any], str],
) -> None:
    verdict, document, _ = run
    again = checks.judge(document, document["believed"])
    assert {name: verdict[name] for name in again} == again


def test_no_secret_reaches_any_output(run: tuple[dict[str, Any], dict[str, Any], str]) -> None:
    _, _, said = run
    login = venue(VENUE).stage.login(ACCOUNT)
    assert ACCOUNT in said
    assert login.secret not in said
    assert login.key not in said


def test_a_planted_resend_shows_as_double_sends(tmp_path: Path) -> None:
    shown = demo(tmp_path, "--json", "--plant", "resend")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout.splitlines()[-1])["double_sends"] > 0


def test_with_faults_every_doubt_is_settled_and_it_goes_on_quoting(tmp_path: Path) -> None:
    shown = demo(tmp_path, "--json", "--faults", "--seconds", "8")
    assert shown.returncode == 0, shown.stderr
    verdict = json.loads(shown.stdout.splitlines()[-1])
    zeros = ["double_sends", "lost_fills", "phantom_fills", "orphan_orders", "doubts_open"]
    assert {name: verdict[name] for name in zeros} == dict.fromkeys(zeros, 0)
    truths = ["position_matches_venue", "cash_matches_venue", "all_orders_done", "still_quoting"]
    assert {name: verdict[name] for name in truths} == dict.fromkeys(truths, True)
    assert verdict["fallbacks"] > 0
    assert verdict["doubts"] > 0
    assert sum(verdict["doubts_settled"].values()) == verdict["doubts"]


def test_without_json_there_is_a_summary_for_people(tmp_path: Path) -> None:
    shown = demo(tmp_path, "--ledger", str(tmp_path / "L.json"))
    assert shown.returncode == 0, shown.stderr
    assert "counted from the venue's ledger" in shown.stdout
    assert "every order done at the end" in shown.stdout
    login = venue(VENUE).stage.login(ACCOUNT)
    assert login.secret not in shown.stdout + shown.stderr
    assert not list(tmp_path.glob("crosswire-demo-*"))
