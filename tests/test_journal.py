"""The journal as a whole: held by one, readable by all, whole after `kill -9`."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from crosswire.domain import Approved, Place, PlaceBatch, RunEnded, RunStarted, VenueWarned
from crosswire.journal import (
    Journal,
    JournalDamaged,
    JournalError,
    JournalHeld,
    Record,
    explain,
    fills,
    placed,
    read,
)
from crosswire.journal.claim import NONCES_PER_RUN
from crosswire.journal.database import Database
from crosswire.journal.drain import Drain
from crosswire.journal.ring import MIN_CAPACITY, Ring, create
from tests.journal_records import database_files, filled, held, life, note, place, texts

NOW = 1_700_000_000 * 10**9
KILLS = 25


def clock() -> int:
    return NOW


requires_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")


@contextmanager
def opened(directory: Path) -> Iterator[Journal]:
    with Journal.open(directory, now_ns=clock, capacity_bytes=1 << 20) as journal:
        yield journal


def _do_nothing(drain: Drain) -> None:
    """Take the place of a drain's start and close."""


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the drain from running, so that everything stays in the ring."""
    monkeypatch.setattr(Drain, "start", _do_nothing)
    monkeypatch.setattr(Drain, "close", _do_nothing)


def test_what_is_appended_is_read_after_the_run_and_while_it_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "journal") as journal:
        for record in life():
            journal.append(record)
        expected = [RunStarted(NOW, 1), *life()]
        assert list(journal.read()) == expected
    assert list(read(journal.directory)) == expected
    assert journal.directory.stat().st_mode & 0o077 == 0


def test_closing_drains_everything_and_twice_does_no_harm(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(RunEnded(NOW, journal.run, is_clean=True))
        assert not journal.is_full
    journal.close()
    with closing(Database(tmp_path / "journal.db", is_read_only=True)) as database:
        assert len(list(database.log(1 << 62))) == 2
    ring = Ring(tmp_path / "ring")
    assert ring.lag_bytes == 0


@pytest.mark.usefixtures("still")
def test_lag_and_fullness_are_the_rings(tmp_path: Path) -> None:
    with Journal.open(tmp_path, capacity_bytes=MIN_CAPACITY) as journal:
        before = journal.lag_bytes
        journal.append(note("x" * 1000))
        assert journal.lag_bytes - before > 1000
        while not journal.is_full:
            journal.append(note("x" * 1000))


@pytest.mark.usefixtures("still")
def test_the_ring_alone_and_half_drained_read_alike(tmp_path: Path) -> None:
    """Whatever part the database has, committed and not yet passed by the cursor included."""
    with opened(tmp_path) as journal:
        for record in life():
            journal.append(record)
    expected = list(read(tmp_path))
    assert expected == [RunStarted(NOW, 1), *life()]
    ring = Ring(tmp_path / "ring")
    with closing(Database(tmp_path / "journal.db")) as database:
        for entry in list(ring.entries()):
            database.write([entry])
            assert list(read(tmp_path)) == expected
            ring.cursor = entry.seq
            assert list(read(tmp_path)) == expected
            assert explain(tmp_path, "c1") == explain(tmp_path, "V1")
            assert len(explain(tmp_path, "c1")) == 6
            assert fills(tmp_path) == [filled("f1", "")]
            assert [type(approved.command) for approved in placed(tmp_path)] == [Place, PlaceBatch]


def test_the_last_fills_and_orders(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for number in range(9):
            journal.append(Approved(place(f"c{number}"), number, number))
            journal.append(filled(f"f{number}", f"c{number}"))
    assert [fill.fill_key for fill in fills(tmp_path, limit=2)] == ["f7", "f8"]
    assert [approved.request_id for approved in placed(tmp_path, limit=3)] == [6, 7, 8]
    assert explain(tmp_path, "never") == []


def test_runs_and_nonces_only_ever_grow(tmp_path: Path) -> None:
    seen = []
    for now in (NOW, NOW + 1, NOW - 10**18):  # the clock stood still, then was set back
        with Journal.open(tmp_path, now_ns=partial(int, now)) as journal:
            seen.append((journal.run, journal.first_nonce, journal.nonce_ceiling))
    assert [run for run, _, _ in seen] == [1, 2, 3]
    assert seen[0][1] == NOW
    for (_, first, ceiling), (_, after, _) in pairwise(seen):
        assert ceiling == first + NONCES_PER_RUN == after
    (tmp_path / "run.json").unlink()
    with opened(tmp_path) as journal:
        assert journal.run == 4
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(JournalDamaged, match=r"run\.json"):
        Journal.open(tmp_path)


@requires_proc
def test_the_run_is_on_the_disk_before_the_journal_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    with opened(tmp_path):
        assert synced[-2:] == [str(tmp_path / "run.new"), str(tmp_path)]
        assert json.loads((tmp_path / "run.json").read_bytes())["run"] == 1


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with opened(tmp_path):
        code = (
            "import sys; from crosswire.journal import Journal, JournalHeld\n"
            "try: Journal.open(sys.argv[1])\n"
            "except JournalHeld as held: print(held)"
        )
        told = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        expected = (
            f"the journal in {tmp_path} is held by process {os.getpid()} "
            "since 2023-11-14 22:13:20 UTC"
        )
        assert told.stdout.strip() == expected
        with pytest.raises(JournalHeld) as raised:
            Journal.open(tmp_path)
        assert str(raised.value) == expected
        (tmp_path / "lock").write_text("")
        with pytest.raises(JournalHeld, match="another process"):
            Journal.open(tmp_path)
    with opened(tmp_path):
        pass


def test_a_failed_opening_lets_go_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / "ring").write_text("nonsense")
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            Journal.open(tmp_path)
    (tmp_path / "ring").unlink()
    with opened(tmp_path):
        pass


def _write_until_killed(directory: Path, pipe: int) -> NoReturn:
    """Append numbers, telling the parent of each after it was appended."""
    try:
        journal = Journal.open(directory, capacity_bytes=MIN_CAPACITY)
        first = len(texts(journal.read()))
        for number in range(first, first + 1_000_000):
            while journal.is_full:
                os.sched_yield()
            journal.append(note(number))
            os.write(pipe, b"%d\n" % number)
    finally:
        os._exit(1)


def _kill_a_writer(directory: Path, after_bytes: int) -> int:
    """Return the last number that a killed writer had told of."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _write_until_killed(directory, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read(after_bytes)
        os.kill(child, signal.SIGKILL)
        told += pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    return int(told[: told.rindex(b"\n")].split(b"\n")[-1])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kill_9_at_any_moment_loses_nothing_that_was_appended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drain runs meanwhile, and the ring laps: kills hit appends, commits and cursor moves."""
    monkeypatch.setattr("crosswire.journal.drain.TICK_S", 0.001)
    monkeypatch.setattr("crosswire.journal.drain.IDLE_TICKS", 1)
    count = 0
    for kill in range(KILLS):
        last = _kill_a_writer(tmp_path, 6 * (1 + 37 * kill % 900))
        found = texts(read(tmp_path))
        assert found == [str(number) for number in range(len(found))]
        assert count < last + 1 <= len(found) <= last + 2
        count = len(found)
    with opened(tmp_path) as journal:
        assert journal.run == KILLS + 1
    assert texts(read(tmp_path)) == [str(number) for number in range(count)]
    runs = [record.run for record in read(tmp_path) if isinstance(record, RunStarted)]
    assert runs == list(range(1, KILLS + 2))


def test_a_lost_database_is_made_again_from_the_ring_or_not_guessed_around(tmp_path: Path) -> None:
    with Journal.open(tmp_path, capacity_bytes=MIN_CAPACITY) as journal:
        journal.append(note(1))
    for path in database_files(tmp_path):
        path.unlink()
    with pytest.raises(JournalError, match="unable to open"):
        list(read(tmp_path))
    with Journal.open(tmp_path, capacity_bytes=MIN_CAPACITY) as journal:
        assert texts(journal.read()) == ["1"]
        for _ in range(200):
            while journal.is_full:
                os.sched_yield()
            journal.append(note("x" * 1000))
    for path in database_files(tmp_path):
        path.unlink()
    for _ in range(2):  # the refusal changes nothing
        with pytest.raises(JournalDamaged, match="put the right files back"):
            Journal.open(tmp_path)
        with pytest.raises(JournalDamaged, match="beside it ends at 0"):
            list(read(tmp_path))


def test_a_lost_ring_goes_on_above_the_database_and_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(note(1))
    (tmp_path / "ring").unlink()
    with pytest.raises(JournalError, match="no journal in"):
        list(read(tmp_path))
    warnings: list[str] = []
    with Journal.open(tmp_path, now_ns=clock, on_warning=warnings.append) as journal:
        journal.append(note(2))
    assert texts(read(tmp_path)) == ["1", "2"]
    assert warnings == [f"journal: {tmp_path / 'ring'} was missing; what it alone held is lost"]


def test_a_ring_behind_its_database_is_refused(tmp_path: Path) -> None:
    """Its new records would count as known already, and be lost in silence."""
    with opened(tmp_path):
        pass
    create(tmp_path / "ring", capacity=MIN_CAPACITY)
    with pytest.raises(JournalDamaged, match="put the right ring back"):
        Journal.open(tmp_path)


@pytest.mark.usefixtures("still")
def test_records_behind_a_damaged_one_are_missed_aloud(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(note(1))
        journal.append(note(2))
    ring = tmp_path / "ring"
    damaged = bytearray(ring.read_bytes())
    damaged[4096] ^= 1
    ring.write_bytes(damaged)
    warnings: list[str] = []
    with Journal.open(tmp_path, on_warning=warnings.append):
        pass
    assert warnings[0] == "journal: damage at 0 ends the log; records behind it are lost"


@pytest.mark.usefixtures("still")
def test_another_capacity_waits_until_the_ring_is_drained(tmp_path: Path) -> None:
    with Journal.open(tmp_path, capacity_bytes=MIN_CAPACITY) as journal:
        journal.append(note(1))
    warnings: list[str] = []
    with Journal.open(tmp_path, capacity_bytes=1 << 20, on_warning=warnings.append) as journal:
        journal.append(note(2))
    assert warnings == ["journal: the ring stays at 65536 bytes until it is drained"]
    assert texts(read(tmp_path)) == ["1", "2"]
    ring = Ring(tmp_path / "ring")
    with closing(Database(tmp_path / "journal.db")) as database:
        database.write(list(ring.entries()))
    with Journal.open(tmp_path, capacity_bytes=1 << 20, on_warning=warnings.append) as journal:
        journal.append(note(3))
    assert len(warnings) == 1
    assert (tmp_path / "ring").stat().st_size > 1 << 20
    assert texts(read(tmp_path)) == ["1", "2", "3"]


@pytest.mark.usefixtures("still")
def test_a_restart_takes_the_undrained_tail_over(tmp_path: Path) -> None:
    for word in "abc":
        with opened(tmp_path) as journal:
            journal.append(note(word))
    assert [r for r in held(Ring(tmp_path / "ring")) if not isinstance(r, RunStarted)] == [
        note(word) for word in "abc"
    ]
    assert texts(read(tmp_path)) == ["a", "b", "c"]


def test_unusable_places_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "lock").mkdir()
    for place_, text in (("file", "cannot make"), ("locked", "cannot open")):
        with pytest.raises(JournalError, match=text) as raised:
            Journal.open(tmp_path / place_)
        assert "\n" not in str(raised.value)


def test_a_full_disk_at_the_start_is_one_line(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit, text in ((0, "cannot write .*lock"), (1 << 16, "cannot set .* aside|disk|full")):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(JournalError, match=text) as raised:
                Journal.open(tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "\n" not in str(raised.value)
    with opened(tmp_path):
        pass


def test_a_run_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "run.new").mkdir()
    with pytest.raises(JournalError, match=r"cannot write .*run\.json: Is a directory"):
        Journal.open(tmp_path)


@pytest.mark.parametrize("ask", [lambda d: list(read(d)), lambda d: explain(d, "x"), fills])
def test_a_database_that_fails_while_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: object
) -> None:
    with opened(tmp_path):
        pass

    def fail(self: Database) -> int:
        raise OperationalError("select", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Database, "last_seq", fail)
    assert callable(ask)
    with pytest.raises(JournalError, match=r"cannot read the journal in .*: disk I/O error"):
        ask(tmp_path)


@pytest.mark.usefixtures("still")
def test_a_record_of_another_version_is_one_line(tmp_path: Path) -> None:
    class Unknown(VenueWarned, frozen=True, gc=False):
        """What a later version may write."""

    with opened(tmp_path) as journal:
        unknown: Record = Unknown(1, "mm", "from the future")
        journal.append(unknown)
    with pytest.raises(JournalError, match=r"cannot read the journal in .*'Unknown'"):
        list(read(tmp_path))
