"""Who holds a journal, and which run this is: a lock file and a small state file.

The lock is the kernel's (flock), so it ends with the process that held it, however it ended.
"""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from crosswire.journal.records import JournalDamaged, JournalError, JournalHeld
from crosswire.journal.ring import replace_durably

NONCES_PER_RUN = 10**9  # at one a nanosecond: a restart a second later is already beyond them


class Holder(msgspec.Struct, frozen=True):
    """What the lock file says."""

    pid: int
    since_ns: int

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since_ns // 10**9, tz=UTC)
        return f"process {self.pid} since {since:%Y-%m-%d %H:%M:%S} UTC"


class Run(msgspec.Struct, frozen=True):
    """A run's number and the nonces that are its own: `first_nonce` <= n < `nonce_ceiling`."""

    run: int = 0
    first_nonce: int = 0
    nonce_ceiling: int = 0


def lock(directory: Path, now_ns: int) -> int:
    """Hold the directory until the returned descriptor is closed; `JournalHeld` names who has it.

    The descriptor is not inherited by programs started from here; a fork would share the lock.
    """
    path = directory / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"cannot open {path}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalHeld(f"the journal in {directory} is held by {holder(directory)}") from None
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, msgspec.json.encode(Holder(os.getpid(), now_ns)))
    except OSError as error:
        os.close(descriptor)
        raise JournalError(f"cannot write {path}: {error.strerror}") from None
    return descriptor


def holder(directory: Path) -> Holder | str:
    """Return who locked a directory last."""
    try:
        return msgspec.json.decode((directory / "lock").read_bytes(), type=Holder)
    except (OSError, msgspec.MsgspecError):
        return "another process"


def begin_run(directory: Path, *, above: int, now_ns: int) -> Run:
    """Return a new run, larger than the last and than `above`; it is on the disk by then.

    Nonces go on where the last run's ended even if the clock was set back since.
    """
    path = directory / "run.json"
    last = _read_run(path)
    first = max(now_ns, last.nonce_ceiling)
    run = Run(max(last.run, above) + 1, first, first + NONCES_PER_RUN)
    try:
        replace_durably(path, msgspec.json.encode(run))
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from None
    return run


def _read_run(path: Path) -> Run:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except FileNotFoundError:
        return Run()
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalDamaged(f"cannot read {path}: {error}") from None
