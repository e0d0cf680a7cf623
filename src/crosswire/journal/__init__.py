"""The journal: every event and command, in order, kept before anything acts on it.

A directory holds the ring (appended to on the hot path), the database (which drains it), the
number of the run, how far its nonces may go, and the lock. Opening one begins a new run:
`RunStarted` is its first record.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from crosswire.domain import AnyEvent, Approved, RunStarted
from crosswire.journal import ring as rings
from crosswire.journal.ceiling import Ceiling
from crosswire.journal.claim import Run, begin_run, lock
from crosswire.journal.database import Database
from crosswire.journal.drain import Drain
from crosswire.journal.reading import (
    DATABASE_FILE,
    RING_FILE,
    explain,
    fills,
    placed,
    read,
    reads,
)
from crosswire.journal.records import (
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalHeld,
    Record,
)
from crosswire.journal.replay import replay
from crosswire.journal.ring import DEFAULT_CAPACITY, Ring

__all__ = [
    "DEFAULT_CAPACITY",
    "Journal",
    "JournalDamaged",
    "JournalError",
    "JournalFull",
    "JournalHeld",
    "Record",
    "explain",
    "fills",
    "placed",
    "read",
    "reads",
    "replay",
]


def _ignore(text: str) -> None:
    """Take a warning nobody asked for."""


class Journal:
    """A journal held for writing. One thread appends and closes."""

    append: Callable[[AnyEvent | Approved], None]  # the ring's own: see `Ring.append`

    def __init__(
        self,
        directory: Path,
        held: ExitStack,
        ring: Ring,
        database: Database,
        run: Run,
        ceiling: Ceiling,
    ) -> None:
        self.directory = directory
        self.run = run.run  # for ids: larger than in every run before
        self.first_nonce = run.first_nonce
        self.nonce_ceiling = run.nonce_ceiling  # exclusive: above it lies the next run
        self.clock_nonces = ceiling  # for venues whose nonce is the clock
        self.append = ring.append
        self._held = held
        self._ring = ring
        self._database = database

    @classmethod
    def open(
        cls,
        directory: str | Path,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        capacity_bytes: int = DEFAULT_CAPACITY,
        durable: bool = False,
        on_warning: Callable[[str], object] = _ignore,
        version: str = "",
    ) -> Self:
        """Make a journal or take one over, and begin a run.

        Raises `JournalHeld` if a process has it, `JournalDamaged` if its parts contradict each
        other, `JournalError` if disk or database refuse; each says so in one line. Warnings are
        one line each and come from the drain's thread too.
        """
        directory = Path(directory)
        held = ExitStack()
        try:
            _make_directory(directory)
            held.callback(os.close, lock(directory, now_ns()))
            database = Database(directory / DATABASE_FILE, durable=durable)
            held.callback(database.close)
            ring = _open_ring(directory, database, capacity_bytes, durable, on_warning)
            held.callback(ring.close)
            above = max(database.last_run(), ring.last_run)
            run = begin_run(directory, above=above, now_ns=now_ns())
            ring.begin(run.run)
            ring.append(RunStarted(now_ns(), run.run, version))
            ceiling = Ceiling(directory, now_ns, on_warning)
            drain = Drain(ring, database, on_warning, ceiling.keep)
            drain.start()
            held.callback(drain.close)
            return cls(directory, held, ring, database, run, ceiling)
        except BaseException:
            held.close()
            raise

    @property
    def is_full(self) -> bool:
        """Whether placing must stop: only the reserve is left, for answers, fills and cancels."""
        return self._ring.is_full

    @property
    def lag_bytes(self) -> int:
        """How much the database does not have yet."""
        return self._ring.lag_bytes

    def read(self) -> Iterator[Record]:
        """Yield every record so far, of all runs: what a start replays."""
        return read(self.directory)

    def close(self) -> None:
        """Drain what is left, sync, and give the directory back. More than once does no harm."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"cannot make {directory}: {error.strerror}") from None


def _open_ring(
    directory: Path,
    database: Database,
    capacity: int,
    durable: bool,
    on_warning: Callable[[str], object],
) -> Ring:
    """Open or make the ring, and see that it and the database are parts of one log."""
    path = directory / RING_FILE
    last = database.last_seq()
    if not path.exists():
        if last:
            on_warning(f"journal: {path} was missing; what it alone held is lost")
        rings.create(path, capacity=capacity, position=last)
    ring = Ring(path, durable=durable)
    try:
        return _check_ring(ring, last, capacity, on_warning)
    except BaseException:
        ring.close()
        raise


def _check_ring(ring: Ring, last: int, capacity: int, on_warning: Callable[[str], object]) -> Ring:
    ring.agree(last)
    if ring.stranded_at is not None:
        on_warning(f"journal: damage at {ring.position} ends the log; records behind it are lost")
    if ring.capacity == capacity:
        return ring
    if ring.lag_bytes:
        on_warning(f"journal: the ring stays at {ring.capacity} bytes until it is drained")
        return ring
    durable = ring.durable
    ring.close()
    rings.create(ring.path, capacity=capacity, position=last)
    return Ring(ring.path, durable=durable)
