"""A running bot's local door: a unix socket in the journal's directory, JSON lines, owner only.

A request is one line `{"ask": name, ...}`; the answer is one line `{"ok": true, ...}` or
`{"ok": false, "error": text, "code": 1|2}`. Nothing that asks can see a secret.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from crosswire.app.errors import CrosswireError, UserError

SOCKET_NAME = "control.sock"
MAX_PATH = 100  # the kernel's limit for a unix socket's path is 108 on Linux, 104 elsewhere
MAX_LINE = 1_000_000  # an answer of every open order stays far below
Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


def socket_path(directory: Path) -> Path:
    """Where a bot with this journal directory listens; `UserError` if the path is too long."""
    path = directory.resolve() / SOCKET_NAME
    if len(str(path)) > MAX_PATH:
        raise UserError(f"journal.directory: {directory} is too long a path for a local socket")
    return path


class Door:
    """Listens at the socket and passes each request to `answer`."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self.path = path
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Start listening. The journal's lock is held, so an old socket is a dead one."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path, limit=MAX_LINE)
        self.path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self._one(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # it left, or wrote a line without an end
            pass
        finally:
            writer.close()

    async def _one(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise UserError("a request is a JSON object with the key ask")
            return {"ok": True, **await self._answer(request)}
        except json.JSONDecodeError:
            return {"ok": False, "error": "a request is one line of JSON", "code": 2}
        except CrosswireError as error:
            return {"ok": False, "error": str(error), "code": error.exit_code}


def ask(path: Path, request: Mapping[str, Any], timeout_s: float = 30.0) -> dict[str, Any] | None:
    """Put one request to a running bot and return its answer; None if nobody listens."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(timeout_s)
    try:
        line.connect(str(path))
        line.sendall(json.dumps(dict(request)).encode() + b"\n")
        with line.makefile("rb") as answers:
            text = answers.readline()
    except (FileNotFoundError, ConnectionError):
        return None
    except TimeoutError:
        raise CrosswireError(f"the bot did not answer within {timeout_s:g} s") from None
    finally:
        line.close()
    return dict(json.loads(text)) if text else None
