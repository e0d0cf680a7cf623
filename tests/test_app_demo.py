"""The demo, short: what it prints, what its ledger says, and that a planted bug shows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crosswire.app.demo import DemoOptions, account_of, check
from crosswire.app.errors import UserError
from crosswire.app.simprocess import same_code
from crosswire.sim import checks
from crosswire.venues import NAMES, venue

SECONDS = "3"
VENUE = NAMES[0]
ALL = ",".join(NAMES)
Run = tuple[dict[str, Any], dict[str, Any], str]
ZEROS = ("double_sends", "lost_fills", "phantom_fills", "orphan_orders", "doubts_open")
TRUTHS = ("position_matches_venue", "cash_matches_venue", "all_orders_done", "still_quoting")


def demo(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crosswire.app", "demo", "--seconds", SECONDS, *arguments]
    environment = {**same_code(), "TMPDIR": str(directory), "COLUMNS": "160"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=90, env=environment, check=False
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One demo: its verdict, its ledger file, and everything it printed or left behind."""
    directory = tmp_path_factory.mktemp("demo")
    shown = demo(directory, "--json", "--venues", ALL, "--ledger", str(directory / "L.json"))
    assert shown.returncode == 0, shown.stderr
    said = shown.stdout + shown.stderr
    for file in directory.rglob("*"):
        if file.is_file():
            said += file.read_bytes().decode("latin-1")
    verdict = json.loads(shown.stdout.splitlines()[-1])
    return verdict, json.loads((directory / "L.json").read_text()), said


def test_the_last_line_is_the_verdict_by_venue_and_together(run: Run) -> None:
    verdict, _, _ = run
    assert list(verdict["venues"]) == list(NAMES)
    for each in (verdict, *verdict["venues"].values()):
        assert each["orders_sent"] > 8
        assert {name: each[name] for name in (*ZEROS, "checksum_failures")} == dict.fromkeys(
            (*ZEROS, "checksum_failures"), 0
        )
        assert {name: each[name] for name in TRUTHS} == dict.fromkeys(TRUTHS, True)
        assert (each["doubts"], each["doubts_settled"], each["fallbacks"]) == (0, {}, 0)
        assert {"fills", "amends"} <= each.keys()
        assert 0 < each["tick_to_trade_us"]["p50"] <= each["tick_to_trade_us"]["p99"]
    for name in ("orders_sent", "fills"):
        assert verdict[name] == sum(each[name] for each in verdict["venues"].values())


def test_every_count_is_recomputable_from_the_ledger_file(run: Run) -> None:
    verdict, document, _ = run
    for name, found in verdict["venues"].items():
        ledger = document["venues"][name]
        again = checks.judge(ledger, ledger["believed"])
        assert {field: found[field] for field in again} == again


def test_no_secret_reaches_any_output(run: Run) -> None:
    _, _, said = run
    for name in NAMES:
        login = venue(name).stage.login(account_of(name))
        assert account_of(name) in said
        assert login.secret.removeprefix("0x") not in said
    assert venue(VENUE).stage.login(account_of(VENUE)).key not in said


def test_a_planted_resend_shows_as_double_sends(tmp_path: Path) -> None:
    shown = demo(tmp_path, "--json", "--plant", "resend")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout.splitlines()[-1])["double_sends"] > 0


def test_with_faults_every_doubt_is_settled_and_both_go_on_quoting(tmp_path: Path) -> None:
    shown = demo(tmp_path, "--json", "--faults", "--venues", ALL, "--seconds", "10")
    assert shown.returncode == 0, shown.stderr
    for verdict in json.loads(shown.stdout.splitlines()[-1])["venues"].values():
        assert {name: verdict[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0)
        assert {name: verdict[name] for name in TRUTHS} == dict.fromkeys(TRUTHS, True)
        assert verdict["fallbacks"] > 0
        assert verdict["doubts"] > 0
        assert sum(verdict["doubts_settled"].values()) == verdict["doubts"]


def test_without_json_there_is_a_summary_for_people(tmp_path: Path) -> None:
    shown = demo(tmp_path, "--ledger", str(tmp_path / "L.json"))
    assert shown.returncode == 0, shown.stderr
    assert "counted from the venue's ledger" in shown.stdout
    assert "every order done at the end" in shown.stdout
    login = venue(VENUE).stage.login(account_of(VENUE))
    assert login.secret not in shown.stdout + shown.stderr
    assert not list(tmp_path.glob("crosswire-demo-*"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (DemoOptions(venues=("nowhere",)), "expected one of"),
        (DemoOptions(venues=(VENUE, VENUE)), "each venue once"),
        (DemoOptions(venues=NAMES, recording="book.json"), "it is of one venue"),
        (DemoOptions(strategy="none"), "expected one of market_making"),
        (DemoOptions(faults="cut"), "expected switches such as"),
        (DemoOptions(plant="none"), "--plant"),
        (DemoOptions(seconds=0), "a number above 0"),
    ],
)
def test_a_wrong_option_is_one_line_before_anything_starts(
    options: DemoOptions, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check(options)
