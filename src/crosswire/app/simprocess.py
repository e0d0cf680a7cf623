"""A simulator in a process of its own, on real sockets: its work never counts as ours."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

import crosswire
from crosswire.app.errors import CrosswireError, UserError
from crosswire.net.host import LEDGER_PATH

START_S = 20.0
STOP_S = 5.0


def same_code() -> dict[str, str]:
    """The environment in which a child runs the very code that runs here."""
    here = str(Path(crosswire.__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (here, known)))}


class SimProcess:
    """`crosswire sim` as a child. Its port is known once `start` returns."""

    def __init__(self, venue: str, options: Sequence[str] = ()) -> None:
        self.venue = venue
        self.port = 0
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, 0 if it does not run."""
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        """Start it and wait until it listens; `CrosswireError` with its own words if it fails."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "crosswire.app",
            "sim",
            self.venue,
            "--port",
            "0",
            "--json",
            "--tied",
            *self._options,
            stdin=asyncio.subprocess.PIPE,  # its end ends the child, however we end
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=same_code(),
            start_new_session=True,  # a Ctrl-C is for us: we still need it to cancel
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_S)
        except TimeoutError:
            line = b""
        said = _read(line)
        if "port" not in said:
            reason = said.get("error") or await self._last_words()
            await self.stop()
            kind = UserError if said.get("code") == UserError.exit_code else CrosswireError
            raise kind(f"the simulator did not start: {reason}")
        self.port = int(said["port"])

    async def ledger(self) -> dict[str, Any]:
        """Fetch what it saw and did so far."""
        url = f"http://{self.address}{LEDGER_PATH}"
        try:
            async with aiohttp.ClientSession() as client, client.get(url) as response:
                return dict(json.loads(await response.read()))
        except (aiohttp.ClientError, OSError) as error:
            raise CrosswireError(f"the simulator's ledger cannot be read: {error}") from None

    async def stop(self) -> None:
        """End it, in order if it lets us."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.communicate(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.communicate()

    async def _last_words(self) -> str:
        """The end of its stderr, if it has ended."""
        assert self._process is not None
        try:
            _, words = await asyncio.wait_for(self._process.communicate(), STOP_S)
        except TimeoutError:
            return f"it does not listen after {START_S:g} s"
        lines = words.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(line or b"{}")
    except json.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
