"""The moving ceiling of nonces that are the clock: durable, never lowered, never far ahead."""

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.journal import Journal, JournalDamaged, JournalError
from crosswire.journal.ceiling import AHEAD_NS, EVERY_S, FAR_NS, FILE, RETRY_S, ROOM_NS, Ceiling

S = 10**9
NOW = 1_700_000_000 * S
KILLS = 15


class Rig:
    """A ceiling whose clocks are set by hand; `now_ns` may jump, `run_s` only goes on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now_ns = NOW
        self.run_s = 0.0
        self.warnings: list[str] = []
        self.ceiling = self.restarted()

    def restarted(self) -> Ceiling:
        self.ceiling = Ceiling(
            self.directory, lambda: self.now_ns, self.warnings.append, lambda: self.run_s
        )
        return self.ceiling

    def passes(self, seconds: float) -> int:
        """Let time pass on both clocks, in the steps in which the drain looks."""
        for _ in range(int(seconds)):
            self.now_ns += S
            self.run_s += 1
            self.ceiling.keep()
        return self.ceiling.ceiling_ns

    @property
    def on_disk_ns(self) -> int:
        return int(json.loads((self.directory / FILE).read_bytes())["ceiling_ns"])


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_nothing_is_kept_until_it_is_asked_for(rig: Rig) -> None:
    rig.passes(100)
    assert rig.ceiling.ceiling_ns == 0
    assert not (rig.directory / FILE).exists()


def test_the_ceiling_runs_ahead_of_the_clock_and_is_on_the_disk_first(rig: Rig) -> None:
    assert rig.ceiling.claim() == NOW == rig.ceiling.claim()
    for _ in range(300):
        ceiling_ns = rig.passes(1)
        assert ceiling_ns == rig.on_disk_ns
        ahead_ns = ceiling_ns - rig.now_ns
        assert AHEAD_NS - (EVERY_S + 1) * S <= ahead_ns <= AHEAD_NS


def test_it_is_written_once_in_a_while_only(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    rig.ceiling.claim()
    monkeypatch.setattr(
        "crosswire.journal.ceiling.replace_durably", lambda path, _: written.append(path)
    )
    rig.passes(300)
    assert len(written) == 300 // EVERY_S


@pytest.mark.parametrize("jump_s", [-(10**8), -86_400, -60, 0, 1, 60, 86_400])
def test_a_restart_with_whatever_clock_starts_above_all_that_was_used(
    rig: Rig, jump_s: int
) -> None:
    rig.ceiling.claim()
    last_ns = rig.passes(45)
    rig.now_ns += jump_s * S
    first_ns = rig.restarted().claim()
    assert first_ns == max(last_ns, rig.now_ns)
    assert rig.ceiling.ceiling_ns - first_ns >= ROOM_NS


def test_restarts_in_a_row_creep_ahead_no_faster_than_they_need(rig: Rig) -> None:
    firsts = []
    for _ in range(100):
        firsts.append(rig.restarted().claim())
        rig.now_ns += S
    assert firsts == sorted(set(firsts))
    assert rig.ceiling.ceiling_ns - rig.now_ns <= AHEAD_NS + 100 * ROOM_NS
    rig.passes(2 * 100 * ROOM_NS // S)  # and the clock catches up
    assert rig.ceiling.ceiling_ns - rig.now_ns <= AHEAD_NS


def test_a_clock_set_back_in_the_run_lowers_nothing_and_leaves_room(rig: Rig) -> None:
    rig.ceiling.claim()
    used_ns = rig.passes(30) - AHEAD_NS
    rig.now_ns -= 7_200 * S
    before_ns = rig.ceiling.ceiling_ns
    for _ in range(60):
        used_ns += 60 * S // 10  # a hundred a second, at a nonce a millisecond
        assert rig.passes(60) > used_ns
        assert rig.ceiling.ceiling_ns >= before_ns
    assert rig.ceiling.ceiling_ns - before_ns < 3_600 * S // 5, "no further than needed"


def test_a_start_far_ahead_of_its_clock_says_so(rig: Rig) -> None:
    rig.ceiling.claim()
    rig.now_ns -= 2 * FAR_NS
    rig.restarted().claim()
    (warning,) = rig.warnings
    assert warning.startswith("journal: the last run's nonces are 48 h ahead of this clock; ")


def test_a_failing_disk_leaves_the_ceiling_and_is_told_once(rig: Rig) -> None:
    rig.ceiling.claim()
    before_ns = rig.passes(10)
    obstacle = rig.directory / "nonces.new"
    obstacle.mkdir()
    assert rig.passes(600) == before_ns == rig.on_disk_ns
    assert len(rig.warnings) == 1
    assert "Is a directory" in rig.warnings[0]
    obstacle.rmdir()
    after_ns = rig.passes(RETRY_S)
    assert after_ns - rig.now_ns > AHEAD_NS - RETRY_S * S
    assert rig.warnings[1:] == ["journal: the nonces' ceiling moves again"]


def test_a_claim_that_cannot_be_written_is_one_line(rig: Rig) -> None:
    (rig.directory / "nonces.new").mkdir()
    with pytest.raises(JournalError, match=r"cannot write .*nonces\.json: Is a directory"):
        rig.ceiling.claim()
    assert rig.ceiling.ceiling_ns == 0, "so no nonce is below it"


def test_a_damaged_claim_is_not_guessed_around(rig: Rig) -> None:
    (rig.directory / FILE).write_text("{")
    with pytest.raises(JournalDamaged, match=r"cannot read .*nonces\.json"):
        rig.ceiling.claim()


@given(st.lists(st.tuples(st.integers(-200, 200), st.integers(0, 200)), min_size=1, max_size=12))
def test_no_two_runs_share_a_nonce(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, int]]
) -> None:
    rig = Rig(tmp_path_factory.mktemp("nonces"))
    used_ns = -1
    for jump_s, lasts_s in runs:
        rig.now_ns += jump_s * S
        first_ns = rig.restarted().claim()
        assert first_ns > used_ns
        used_ns = rig.passes(lasts_s) - 1  # the worst: up to its ceiling


def test_the_drains_thread_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosswire.journal.ceiling.EVERY_S", 0.0)
    monkeypatch.setattr("crosswire.journal.drain.TICK_S", 0.001)
    steps = iter(range(10**9))
    with Journal.open(tmp_path, now_ns=lambda: NOW + next(steps)) as journal:
        first_ns = journal.clock_nonces.claim()
        while journal.clock_nonces.ceiling_ns < first_ns + AHEAD_NS + 20:
            os.sched_yield()


def _spend_until_killed(directory: Path, now_ns: int, pipe: int) -> NoReturn:
    """Go up to the ceiling again and again, telling the parent of each nonce before."""
    try:
        with Journal.open(directory, now_ns=partial(int, now_ns)) as journal:
            nonces = journal.clock_nonces
            at_s = iter(range(10**9))
            nonces._clock_s = lambda: next(at_s) * EVERY_S
            nonces.claim()
            while True:
                os.write(pipe, b"%d\n" % (nonces.ceiling_ns - 1))
                os.sched_yield()
    finally:
        os._exit(1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kill_9_at_any_moment_and_a_clock_set_back_reuse_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosswire.journal.drain.TICK_S", 0.0005)
    highest = -1
    for kill in range(KILLS):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _spend_until_killed(tmp_path, NOW - kill * S, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read(20 * (1 + 53 * kill % 300))
            os.kill(child, signal.SIGKILL)
            told += pipe.read()
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        spent = [int(line) for line in told[: told.rindex(b"\n")].split(b"\n")]
        assert min(spent) > highest
        highest = max(spent)
    with Journal.open(tmp_path, now_ns=partial(int, NOW - FAR_NS)) as journal:
        assert journal.clock_nonces.claim() > highest
