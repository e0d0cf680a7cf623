"""Nonces that follow the clock: how far this run may go, on the disk before anyone goes there.

A venue that takes the clock as its nonce wants each one above those before. The next run, with
whatever clock, starts at the last ceiling, so nothing that was ever sent is below its first. The
ceiling moves ahead of the clock in steps, by the drain's thread; where the disk refuses it stays,
and who asks for a nonce at it gets none.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from crosswire.journal.records import JournalDamaged, JournalError
from crosswire.journal.ring import replace_durably

AHEAD_NS = 120 * 10**9
EVERY_S = 30.0
RETRY_S = 5.0
# What a run needs at least above its first nonce, and between two steps, if the clock is behind:
# at a nonce a millisecond ten thousand, as many for cancels, and a hundred a second. More would
# be too far ahead: no venue takes nonces from any future.
ROOM_NS = 20 * 10**9
STEP_NS = 3 * 10**9
FAR_NS = 24 * 3_600 * 10**9
FILE = "nonces.json"


class Claimed(msgspec.Struct, frozen=True):
    """All nonces below are, or may be, used up."""

    ceiling_ns: int


class Ceiling:
    """One run's claim. `claim` is called by the writer, `keep` by one other thread."""

    def __init__(
        self,
        directory: Path,
        now_ns: Callable[[], int],
        on_warning: Callable[[str], object],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ceiling_ns = 0  # exclusive; nothing is claimed yet
        self._path = directory / FILE
        self._now_ns = now_ns
        self._warn = on_warning
        self._clock_s = clock_s
        self._first_ns = 0
        self._base_ns = 0  # no nonce in use is far above this
        self._due_s = 0.0
        self._has_failed = False

    def claim(self) -> int:
        """Return this run's first nonce, in ns; the ceiling above it is on the disk by then.

        `JournalError` in one line if the disk refuses. Asked again it tells the same.
        """
        if not self.ceiling_ns:
            now_ns, last_ns = self._now_ns(), _read(self._path).ceiling_ns
            self._first_ns = max(now_ns, last_ns)
            if last_ns - now_ns > FAR_NS:
                hours = (last_ns - now_ns) // (3_600 * 10**9)
                self._warn(
                    f"journal: the last run's nonces are {hours} h ahead of this clock; the venue "
                    "may take none until the clock is there"
                )
            self._base_ns = max(now_ns, self._first_ns + ROOM_NS - AHEAD_NS)
            try:
                self._raise()
            except OSError as error:
                raise JournalError(f"cannot write {self._path}: {error.strerror}") from None
        return self._first_ns

    def keep(self) -> None:
        """Move the ceiling ahead if it is time. Called often; a failure changes nothing."""
        if not self.ceiling_ns or self._clock_s() < self._due_s:
            return
        self._base_ns = max(self._now_ns(), self._base_ns + STEP_NS)
        try:
            self._raise()
        except OSError as error:
            self._failed(error)
            return
        if self._has_failed:
            self._has_failed = False
            self._warn("journal: the nonces' ceiling moves again")

    def _raise(self) -> None:
        ceiling_ns = max(self.ceiling_ns, self._base_ns + AHEAD_NS)
        replace_durably(self._path, msgspec.json.encode(Claimed(ceiling_ns)))
        self.ceiling_ns = ceiling_ns
        self._due_s = self._clock_s() + EVERY_S

    def _failed(self, error: OSError) -> None:
        """Say so once for each outage."""
        self._due_s = self._clock_s() + RETRY_S
        if not self._has_failed:
            self._has_failed = True
            self._warn(
                f"journal: cannot write {self._path} ({error.strerror}); the nonces end where "
                "their ceiling is, and placing with them, trying again"
            )


def _read(path: Path) -> Claimed:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Claimed)
    except FileNotFoundError:
        return Claimed(0)
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalDamaged(f"cannot read {path}: {error}") from None
