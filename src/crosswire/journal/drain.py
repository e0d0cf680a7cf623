"""The drain: a thread that moves the log from the ring into the database, off the hot path.

The cursor moves only after the commit, so a crash between the two offers the same records again,
and the database knows them. While the database fails, the ring keeps everything.

The trading thread cannot run Python while this one does (up to a millisecond of waiting at a
time). So it works once a second, in small slices with pauses; more often only when it has to.
"""

import threading
from collections.abc import Callable
from itertools import islice

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from crosswire.journal.database import Database, reason
from crosswire.journal.records import JournalError
from crosswire.journal.ring import Ring

BATCH_ROWS = 2_000  # a transaction; beyond this a commit's cost per row no longer falls
TICK_S = 0.05
IDLE_TICKS = 20  # a transaction a second: readers see the ring too, so rarely is enough
PAUSE_S = 0.0002
RETRY_FIRST_S = 0.1
RETRY_LONGEST_S = 5.0

_FAILURES = (SQLAlchemyError, OSError, JournalError, msgspec.MsgspecError)


class Drain:
    """Moves records until closed. `on_warning` is called from its thread."""

    def __init__(
        self,
        ring: Ring,
        database: Database,
        on_warning: Callable[[str], object],
        beside: Callable[[], object] = bool,
    ) -> None:
        """`beside` is called in between: what else is to be kept on the disk."""
        self._ring = ring
        self._database = database
        self._warn = on_warning
        self._beside = beside
        self._stopping = threading.Event()
        self._failures = 0  # in a row
        self._is_lagging = False
        self._ticks = 0  # since the last step
        self._thread = threading.Thread(target=self._run, name="journal drain", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Move what is left, or say that it stays in the ring; returns when the thread ended."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._delay_s()):
            self._beside()
            if self._is_due():
                self.step()
        while self.step():
            pass
        if self._failures:
            self._warn(f"journal: closed without the database; {self._waiting()}")

    def _is_due(self) -> bool:
        """Whether to work now: a retry, a full batch before, a quarter of the ring, or a second."""
        self._ticks += 1
        is_filling = self._ring.lag_bytes * 4 > self._ring.capacity
        return bool(self._failures) or self._is_lagging or is_filling or self._ticks >= IDLE_TICKS

    def _delay_s(self) -> float:
        """Return how long to rest before looking again."""
        if self._failures:
            return min(RETRY_LONGEST_S, RETRY_FIRST_S * 2.0 ** (self._failures - 1))
        return PAUSE_S if self._is_lagging else TICK_S

    def step(self) -> int:
        """Move one batch; returns the number of records moved, 0 if none or if it failed."""
        self._ticks = 0
        try:
            batch = list(islice(self._ring.entries(), BATCH_ROWS))
            if batch:
                self._database.write(batch, self._pause)
        except _FAILURES as error:
            self._failed(error)
            return 0
        if batch:
            self._ring.cursor = batch[-1].seq
        if self._failures and batch:
            self._failures = 0
            self._warn("journal: the database takes records again; nothing was lost")
        self._is_lagging = len(batch) == BATCH_ROWS
        return len(batch)

    def _pause(self) -> None:
        """Let the trading thread run, unless the ring is getting full or the end has come."""
        if self._ring.lag_bytes * 2 < self._ring.capacity:
            self._stopping.wait(PAUSE_S)

    def _failed(self, error: Exception) -> None:
        """Say so once for each outage."""
        self._failures += 1
        if self._failures == 1:
            self._warn(
                f"journal: the database takes no records ({reason(error)}); {self._waiting()}, "
                "trying again"
            )

    def _waiting(self) -> str:
        percent = 100 * self._ring.lag_bytes // self._ring.capacity
        return f"the ring keeps them ({percent} % full)"
