"""`verify`: the dialogue with a hosted simulator, its transcript, and what counts as different."""

import asyncio
import json
from pathlib import Path

import pytest

from crosswire.app import verify
from crosswire.app.config import Config, parse
from crosswire.app.hosting import SimWish, build
from crosswire.net.host import hosted
from crosswire.venues import NAMES, venue

VENUE = NAMES[0]


def config(directory: Path, port: int) -> Config:
    hosts = venue(VENUE).local_hosts(f"127.0.0.1:{port}")
    login = venue(VENUE).stage.login("main")
    place = {"rest": hosts.rest, "ws": hosts.ws, "ws_private": hosts.ws_private}
    account = {"venue": VENUE, "key": login.key, "secret": login.secret, "hosts": place}
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
