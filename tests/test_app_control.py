"""The local door: one line in, one line out, for its owner only."""

import asyncio
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crosswire.app import control
from crosswire.app.errors import CrosswireError, UserError


async def answer(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request["ask"] == "fail":
        raise CrosswireError("it failed")
    if request["ask"] == "misuse":
        raise UserError("wrong use")
    return {"echo": request["ask"]}


async def exchange(path: Path, *requests: Mapping[str, Any]) -> list[dict[str, Any] | None]:
    door = control.Door(path, answer)
    await door.open()
    try:
        return [await asyncio.to_thread(control.ask, path, request) for request in requests]
    finally:
        await door.close()


def test_each_request_gets_its_answer_and_errors_keep_their_exit_code(tmp_path: Path) -> None:
    path = control.socket_path(tmp_path)
    answers = asyncio.run(exchange(path, {"ask": "status"}, {"ask": "fail"}, {"ask": "misuse"}))
    assert answers == [
        {"ok": True, "echo": "status"},
        {"ok": False, "error": "it failed", "code": 1},
        {"ok": False, "error": "wrong use", "code": 2},
    ]


def test_only_the_owner_may_open_the_door(tmp_path: Path) -> None:
    path = control.socket_path(tmp_path)

    async def mode() -> int:
        door = control.Door(path, answer)
        await door.open()
        try:
            return stat.S_IMODE(path.stat().st_mode)
        finally:
            await door.close()

    assert asyncio.run(mode()) == 0o600


def test_a_door_replaces_the_socket_of_a_dead_bot_and_removes_its_own(tmp_path: Path) -> None:
    path = control.socket_path(tmp_path)
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(path))
    left.close()
    assert asyncio.run(exchange(path, {"ask": "status"})) == [{"ok": True, "echo": "status"}]
    assert not path.exists()


def test_nobody_listening_is_none(tmp_path: Path) -> None:
    path = control.socket_path(tmp_path)
    assert control.ask(path, {"ask": "status"}) is None
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(path))
    left.close()
    assert control.ask(path, {"ask": "status"}) is None


@pytest.mark.parametrize("line", [b"not json\n", b"[1]\n"])
def test_nonsense_gets_one_line_back(tmp_path: Path, line: bytes) -> None:
    path = control.socket_path(tmp_path)

    async def send() -> bytes:
        door = control.Door(path, answer)
        await door.open()
        try:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line)
            got = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return got
        finally:
            await door.close()

    assert b'"ok": false' in asyncio.run(send())


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too long a path"):
        control.socket_path(tmp_path / ("x" * 120))
