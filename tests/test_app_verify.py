"""`verify`: the dialogue with a hosted simulator, its transcript, and what counts as different."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from crosswire.app import verified, verify
from crosswire.app.config import Config, credentials, parse
from crosswire.app.hosting import SimWish, build
from crosswire.net.host import hosted
from crosswire.venues import NAMES, venue

VENUE = NAMES[0]
COPYING = "hyperliquid"  # takes identical bytes once, and replaces orders


def config(directory: Path, port: int, name: str = VENUE) -> Config:
    hosts = venue(name).local_hosts(f"127.0.0.1:{port}")
    login = venue(name).stage.login("main")
    place = {"rest": hosts.rest, "ws": hosts.ws, "ws_private": hosts.ws_private}
    account = {"venue": name, "key": login.key, "secret": login.secret, "hosts": place}
    return parse(
        {
            "mode": "testnet",
            "bot": "verify",
            "accounts": {"main": account},
            "journal": {"directory": directory},
        },
        "test",
    )


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> verify.Run:
    async def run() -> verify.Run:
        async with hosted(build(SimWish(venue=VENUE))) as port:
            found = config(tmp_path_factory.mktemp("verify"), port)
            return await verify.converse(found, "test", "main", "BTC/USD")

    return asyncio.run(run())


def test_every_step_is_gone_through(real: verify.Run) -> None:
    steps = [(step["step"], step["ok"]) for step in real.steps]
    names = (
        "place",
        "amend",
        "look up",
        "picture",
        "cancel",
        "look up again",
        "picture again",
        "closed orders",
        "cancel again",
    )
    assert steps == [(name, True) for name in names], real.steps
    assert real.is_done
    told = {step["step"]: step["detail"] for step in real.steps}
    assert told["picture"] == "shown, with our id"
    assert told["closed orders"].startswith("shown, with our id after 0.")
    assert "Unknown order" in told["cancel again"]


def test_the_transcript_holds_every_word_but_no_key(real: verify.Run, tmp_path: Path) -> None:
    file = tmp_path / "transcript.jsonl"
    verify.write_transcript(file, real)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert {row["way"] for row in rows} == {"in", "out"}
    assert any("add_order" in row["text"] for row in rows if row["way"] == "out")
    said = file.read_text()
    login = venue(VENUE).stage.login("main")
    assert login.secret not in said
    assert login.key not in said
    tokens = [json.loads(row["text"]) for row in rows if "token" in row["text"]]
    assert tokens
    assert {str(found) for token in tokens for found in _values(token, "token")} == {"***"}


def _values(value: object, name: str) -> list[object]:
    if isinstance(value, dict):
        own = [item for key, item in value.items() if key == name]
        return own + [found for item in value.values() for found in _values(item, name)]
    return []


def test_a_message_keeps_its_digits_and_loses_its_secrets() -> None:
    shown = verify.hide('{"token": "abc", "price": 0.10000000, "a": {"secret":"x"}}')
    assert shown == '{"token": "***", "price": 0.10000000, "a": {"secret":"***"}}'
    assert verify.hide("nonce=17&pair=XBTUSD&otp=9") == "nonce=***&pair=XBTUSD&otp=***"


def run_of(*texts: str) -> verify.Run:
    return verify.Run([], [verify.Row(0, "in", "private", text) for text in texts])


def test_the_same_dialogue_twice_has_no_difference(real: verify.Run) -> None:
    assert verify.differences(real, real) == []


def test_another_field_type_or_message_is_a_difference() -> None:
    ours = run_of('{"method":"add","result":{"id":"A","n":1}}', '{"method":"pong"}')
    theirs = run_of('{"method":"add","result":{"id":7,"extra":null}}', '{"channel":"news"}')
    assert verify.differences(theirs, ours) == [
        "add .result.extra: null at the venue, absent in the simulator",
        "add .result.id: number at the venue, text in the simulator",
        "add .result.n: absent at the venue, number in the simulator",
        "news: said by the venue alone",
        "pong: said by the simulator alone",
    ]


async def speak(directory: Path, faults: dict[str, float] | None = None) -> verify.Run:
    """Go through the dialogue with a venue that takes copies once."""
    async with hosted(build(SimWish(venue=COPYING, faults=faults or {}))) as port:
        found = config(directory, port, COPYING)
        run = await verify.converse(found, "test", "main", venue(COPYING).stage.instrument)
        if run.has_shown_copies:
            verify.record(found, "test", "main", run)
        return run


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> tuple[verify.Run, Path]:
    directory = tmp_path_factory.mktemp("copies")
    return asyncio.run(speak(directory)), directory


def test_copies_are_tried_where_the_venue_says_that_they_run_once(
    copied: tuple[verify.Run, Path],
) -> None:
    run, directory = copied
    names = [
        "place",
        "amend",
        "look up",
        "cancel",
        "look up again",
        "closed orders",
        "cancel again",
        "copy at once",
        "copy later",
        "one order",
        "nothing, twice",
        "cancel it",
    ]
    assert [(step["step"], step["ok"]) for step in run.steps] == [(name, True) for name in names]
    told = {step["step"]: step["detail"] for step in run.steps}
    assert "nonce" in told["copy at once"]
    assert told["copy at once"] == told["copy later"] == told["nothing, twice"]
    assert run.has_shown_copies
    found = config(directory, 1, COPYING)
    section = found.accounts["main"]
    assert section.hosts is not None
    login = credentials(section, "main")
    assert verified.read(directory, "main", login, section.hosts.hosts()) is None, "another port"
    assert any("no dead-man switch" in line for line in run.remarks)
    assert any("never resent" in line for line in run.remarks)


def test_no_signature_and_no_key_is_in_its_transcript(
    copied: tuple[verify.Run, Path], tmp_path: Path
) -> None:
    run, _ = copied
    verify.write_transcript(tmp_path / "T", run)
    said = (tmp_path / "T").read_text()
    assert '"signature' in said.replace("\\", "")
    assert re.search(r'"[rs]": *"0x[0-9a-f]{64}', said.replace("\\", "")) is None
    assert venue(COPYING).stage.login("main").secret[2:] not in said


def test_a_venue_whose_copies_run_twice_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosswire.app.copies.ANSWER_S", 0.5)
    monkeypatch.setattr("crosswire.app.copies.LATER_S", 0.0)
    monkeypatch.setattr("crosswire.venues.hyperliquid.simulator.gate.Nonces.refusal", _take_any)
    run = asyncio.run(speak(tmp_path))
    assert not run.has_shown_copies
    assert not list(tmp_path.glob("verified-*"))


def _take_any(*_: object, **__: object) -> str:
    """The bug that must not be there: no nonce is ever used up."""
    return ""
