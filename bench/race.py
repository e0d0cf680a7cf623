"""One client against the server, each in its own process and on a core of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent


class Client(NamedTuple):
    """A program to be compared: how to start it; the port is put where "{port}" stands."""

    name: str
    command: tuple[str, ...]


class Heat(NamedTuple):
    """What one run of one client gave."""

    client: str
    times_ns: list[int]
    missed: int
    wrong: int
    resident_kb: int  # of the client's process when it was ready and idle
    said: dict[str, Any]  # the last JSON line the client printed, if it prints any


class FailedError(Exception):
    """A client or the server did not do its part; the text says why."""


def cores() -> tuple[int | None, int | None]:
    """Return the core for the clients and the one for the server; None where there is one only."""
    if not hasattr(os, "sched_getaffinity") or not shutil.which("taskset"):
        return None, None
    free = sorted(os.sched_getaffinity(0))
    return (free[0], free[-1]) if len(free) > 1 else (None, None)


def _start(command: list[str], core: int | None, **kinds: Any) -> subprocess.Popen[str]:
    pinned = ["taskset", "-c", str(core), *command] if core is not None else command
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.Popen(
        pinned, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, **kinds
    )


@contextmanager
def _served(venue: str, words: list[str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", venue, *words]
    server = _start(command, cores()[1], stderr=subprocess.PIPE)
    try:
        yield server, int(_line(server)["port"])
    finally:
        server.kill()
        server.communicate()


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the next line that is a JSON object; programs may log other lines between."""
    assert process.stdout is not None
    line = next((line for line in process.stdout if line.startswith("{")), "")
    if not line:
        raise FailedError(_last_words(process) or "ended without a word")
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def _last_words(process: subprocess.Popen[str]) -> str:
    process.kill()
    errors = process.communicate()[1] or ""
    return (errors.strip().splitlines() or [""])[-1]


def _resident_kb(pid: int) -> int:
    """Return what a process holds in memory; 0 where the system does not tell so simply."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    lines = status.read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def run(client: Client, *words: str, answers: bool = False, venue: str = "bench.venue") -> Heat:
    """Start both, wait for the result. `answers`: the result is the client's, not the server's.

    `FailedError` with the last line of whoever failed.
    """
    with _served(venue, list(words)) as (server, port):
        command = [word.replace("{port}", str(port)) for word in client.command]
        process = _start(command, cores()[0], stderr=subprocess.PIPE)
        try:
            try:
                _line(server)  # ready
            except FailedError as failure:
                raise FailedError(_last_words(process) or str(failure)) from None
            resident_kb = _resident_kb(process.pid)
            said = _line(process) if answers else {}
            found = {} if answers else _line(server)
        finally:
            process.kill()
            process.communicate()
    return Heat(
        client=client.name,
        times_ns=found.get("times_ns", []),
        missed=found.get("missed", 0),
        wrong=found.get("wrong", 0),
        resident_kb=resident_kb,
        said=said,
    )
