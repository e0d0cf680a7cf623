"""Builds the C programs, where there is a compiler, and offers the server's stopwatch."""

import ctypes
import shutil
import socket
import subprocess
import time
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from bench import wire

HERE = Path(__file__).parent
OUT = HERE / "out"
ROOM = 1 << 16


class Stopwatch(Protocol):
    """What the server measures with."""

    def now_ns(self) -> int: ...

    def wait_until(self, at_ns: int) -> None: ...

    def tick(self, out: int, data: bytes, into: int, limit_ns: int) -> tuple[int, int, bytes]:
        """Send, poll for a whole frame; return both times and what came, empty on a time-out."""

    def flood(self, out: int, data: bytes, repeats: int) -> None: ...


def compiler() -> str | None:
    """Return the C compiler, if there is one."""
    return shutil.which("gcc") or shutil.which("cc")


def built(source: str, target: str, *options: str) -> Path | None:
    """Return the built program, building it if it is older than its sources; None without gcc."""
    binary, code, gcc = OUT / target, HERE / source, compiler()
    if gcc is None:
        return None
    newest = max(file.stat().st_mtime for file in (code, HERE / "sockets.h"))
    if not binary.exists() or binary.stat().st_mtime < newest:
        OUT.mkdir(exist_ok=True)
        command = [gcc, "-O2", "-march=native", *options, "-o", str(binary), str(code), "-ldl"]
        subprocess.run(command, check=True)
    return binary


def floor() -> Path | None:
    """Return the floor program."""
    return built("floor.c", "floor")


def signing_floor() -> tuple[str, ...]:
    """Return the floor program that signs and its library; `RuntimeError` where one lacks."""
    program = built("hyperliquid_floor.c", "hyperliquid_floor", "-rdynamic")
    if program is None:
        raise RuntimeError("no C compiler")
    if library := signing_library():
        return str(program), library
    raise RuntimeError("no shared libsecp256k1")


def signing_library() -> str | None:
    """Return the libsecp256k1 that signs for crosswire, or else the system's."""
    found = find_spec("coincurve")
    folders = (found.submodule_search_locations or []) if found else []
    inside = [str(file) for each in folders for file in Path(each).glob("_libsecp256k1*.so")]
    return inside[0] if inside else find_library("secp256k1")


def stopwatch() -> Stopwatch:
    """Return the stopwatch in C, or the one in Python where there is no compiler."""
    library = built("spin.c", "spin.so", "-shared", "-fPIC")
    return InC(library) if library else InPython()


class InC:
    """The stopwatch of `spin.c`."""

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        self.library.now_ns.restype = ctypes.c_int64
        self.library.wait_until.argtypes = [ctypes.c_int64]
        number, pointer = ctypes.c_int64, ctypes.POINTER(ctypes.c_int64)
        self.library.tick.restype = number
        self.library.tick.argtypes = [
            ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p,
            ctypes.c_size_t, number, pointer, pointer,
        ]  # fmt: skip
        self.library.flood.argtypes = [
            ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int,
        ]  # fmt: skip
        self.buffer = ctypes.create_string_buffer(ROOM)
        self.sent, self.got = ctypes.c_int64(), ctypes.c_int64()

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return int(self.library.now_ns())

    def wait_until(self, at_ns: int) -> None:
        """Spin until then."""
        self.library.wait_until(at_ns)

    def tick(self, out: int, data: bytes, into: int, limit_ns: int) -> tuple[int, int, bytes]:
        """Send, then poll; `ConnectionError` if the client is gone."""
        size = self.library.tick(
            out, data, len(data), into, self.buffer, ROOM, limit_ns, self.sent, self.got
        )
        if size < 0:
            raise ConnectionError("the client is gone")
        return self.sent.value, self.got.value, self.buffer.raw[:size]

    def flood(self, out: int, data: bytes, repeats: int) -> None:
        """Send it again and again."""
        self.library.flood(out, data, len(data), repeats)


class InPython:
    """The same without a compiler: a few microseconds slower for every client alike."""

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return time.monotonic_ns()

    def wait_until(self, at_ns: int) -> None:
        """Spin until then."""
        while time.monotonic_ns() < at_ns:
            pass

    def tick(self, out: int, data: bytes, into: int, limit_ns: int) -> tuple[int, int, bytes]:
        """Send, then poll; `ConnectionError` if the client is gone."""
        target, source = socket.socket(fileno=out), socket.socket(fileno=into)
        try:
            sent = time.monotonic_ns()
            if data:
                target.send(data)
            have = b""
            while time.monotonic_ns() - sent < limit_ns:
                try:
                    have += source.recv(ROOM)
                except BlockingIOError:
                    continue
                if wire.take(bytearray(have)) or wire.is_request(have):
                    return sent, time.monotonic_ns(), have
            return sent, time.monotonic_ns(), have
        finally:
            target.detach()
            source.detach()

    def flood(self, out: int, data: bytes, repeats: int) -> None:
        """Send it again and again."""
        target = socket.socket(fileno=out)
        try:
            for _ in range(repeats):
                target.setblocking(True)
                target.sendall(data)
        finally:
            target.detach()
