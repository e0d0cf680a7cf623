"""The ring: nothing appended is lost, nothing torn is believed, nothing undrained overwritten."""

import os
import resource
from collections import deque
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crosswire.journal import JournalDamaged, JournalError, JournalFull
from crosswire.journal.records import decode
from crosswire.journal.ring import MIN_CAPACITY, RESERVE_SHARE, SPILL_SHARE, Ring, create, read_tail
from tests.journal_records import all_drained, fill_up, held, life, note, take, texts

PREFIX = 4096
HEAD = 24


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "ring", capacity=MIN_CAPACITY)
    return tmp_path / "ring"


def test_gives_back_every_kind_of_record_in_order(path: Path) -> None:
    ring = take(path)
    for record in life():
        ring.append(record)
    assert held(ring) == life()
    ring.close()
    assert held(take(path)) == life()


def test_an_append_is_in_the_file_without_a_sync_or_a_close(path: Path) -> None:
    ring = take(path)
    ring.append(note("here"))
    cursor, entries = read_tail(path, all_drained)
    assert cursor == 0
    assert [decode(entry.body) for entry in entries] == [note("here")]


def test_sequence_numbers_are_the_ends_of_the_records_and_carry_the_run(path: Path) -> None:
    ring = take(path)
    ring.begin(7)
    ring.append(note("a"))
    ring.begin(8)
    ring.append(note("b" * 100))
    first, second = ring.entries()
    assert (first.run, second.run) == (7, 8)
    assert 0 < first.seq < second.seq == ring.position
    assert take(path).last_run == 8


def test_durable_appends_are_the_same_records(path: Path) -> None:
    ring = take(path, durable=True)
    for number in range(2_000):  # more than a lap: pages at the end and in the spill area too
        ring.append(note(number))
        ring.cursor = ring.position if number < 1_990 else ring.cursor
    assert texts(held(ring)) == [str(number) for number in range(1_990, 2_000)]


def test_opening_alone_changes_nothing(path: Path) -> None:
    ring = take(path)
    ring.append(note(1))
    ring.cursor = ring.position
    ring.close()
    before = path.read_bytes()
    Ring(path).close()
    assert path.read_bytes() == before


def test_what_the_database_lost_it_gets_again_as_far_as_the_ring_reaches(path: Path) -> None:
    """After a power loss the database may end before the cursor does."""
    ring = take(path)
    for number in range(5):
        ring.append(note(number))
    seqs = [entry.seq for entry in ring.entries()]
    for drained in range(5):
        ring.cursor = seqs[drained]
        for lost in range(drained + 1):
            again = Ring(path)
            again.agree(seqs[lost])
            expected = [str(number) for number in range(lost + 1, 5)]
            assert texts(held(again)) == expected
            again.cursor = seqs[drained]
            start, tail = read_tail(path, partial(int, seqs[lost]))
            assert start == seqs[lost]
            assert texts(decode(entry.body) for entry in tail) == expected


def test_parts_that_are_not_of_one_log_are_refused(path: Path) -> None:
    ring = take(path)
    ring.append(note(1))
    for last_seq in (ring.position + 8, ring.position - 8, 8):
        with pytest.raises(JournalDamaged):
            ring.agree(last_seq)
    while ring.position < 2 * MIN_CAPACITY:
        ring.append(note("x" * 1000))
        ring.cursor = ring.position
    with pytest.raises(JournalDamaged, match="beside it ends at 0"):
        ring.agree(0)  # the first lap is overwritten
    with pytest.raises(JournalDamaged, match="beside it ends at 0"):
        read_tail(path, int)


def _last_record(path: Path) -> tuple[bytes, int, int]:
    """Return the file with two records, and where the second begins and ends."""
    ring = take(path)
    ring.append(note("first"))
    start = ring.position
    ring.append(note("the last record"))
    end = ring.position
    ring.close()
    return path.read_bytes(), PREFIX + start, PREFIX + end


def test_a_record_torn_at_any_byte_is_not_there(path: Path) -> None:
    """Whole up to some byte, from either end, and zeros beyond: as a kill or a disk leaves it."""
    whole, start, end = _last_record(path)
    length = int.from_bytes(whole[start + 8 : start + 12], "little")
    used = start + HEAD + length
    for cut in range(start, used):
        forward = whole[:cut] + bytes(end - cut) + whole[end:]
        backward = whole[:start] + bytes(cut - start) + whole[cut:]
        for torn in (forward, backward):
            path.write_bytes(torn)
            missing = torn[start:used] != whole[start : start + used - start]
            expected = ["first"] if missing else ["first", "the last record"]
            assert (
                texts(decode(entry.body) for entry in read_tail(path, all_drained)[1]) == expected
            )


@given(offset=st.integers(0, 100), mask=st.integers(1, 255))
def test_a_flipped_bit_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, offset: int, mask: int
) -> None:
    path = tmp_path_factory.mktemp("flip") / "ring"
    create(path, capacity=MIN_CAPACITY)
    whole, start, _ = _last_record(path)
    length = int.from_bytes(whole[start + 8 : start + 12], "little")
    damaged = bytearray(whole)
    fields = 20 + length  # the head has four bytes to spare, which say nothing
    place = start + (offset % fields if offset % fields < 20 else offset % fields + HEAD - 20)
    damaged[place] ^= mask
    path.write_bytes(damaged)
    assert texts(decode(entry.body) for entry in read_tail(path, all_drained)[1]) == ["first"]


def test_goes_on_behind_a_torn_record_and_no_leftover_follows_the_new_one(path: Path) -> None:
    """The record torn by a power loss may be followed by a whole one of the same run."""
    ring = take(path)
    for text in ("one", "two", "three", "four"):
        ring.append(note(text))
    second = next(ring.entries()).seq
    ring.close()
    damaged = bytearray(path.read_bytes())
    damaged[PREFIX + second] ^= 1
    path.write_bytes(damaged)
    ring = take(path)
    assert texts(held(ring)) == ["one"]
    assert ring.stranded_at is not None
    ring.append(note("new"))  # as long as "two": "three" stands right behind it in the old file
    assert texts(held(ring)) == ["one", "new"]


def test_a_clean_end_is_not_called_damage(path: Path) -> None:
    ring = take(path)
    assert ring.stranded_at is None
    for number in range(3_000):
        ring.append(note(number))
        ring.cursor = ring.position
    ring.append(note("last"))
    ring.close()
    assert take(path).stranded_at is None


def test_full_stops_placing_first_and_overwrites_nothing(path: Path) -> None:
    ring = take(path)
    count = 0
    while not ring.is_full:
        ring.append(note(count))
        count += 1
    assert ring.lag_bytes > MIN_CAPACITY - MIN_CAPACITY // RESERVE_SHARE
    count = fill_up(ring, count)
    with pytest.raises(JournalFull, match=r"^.*/ring is full: \d+ bytes wait for the database$"):
        ring.append(note(count))
    assert texts(held(ring)) == [str(number) for number in range(count)]
    assert ring.lag_bytes <= MIN_CAPACITY
    first = next(ring.entries())
    ring.cursor = first.seq
    ring.append(note(1))  # the place of the first
    ring.cursor = ring.position
    assert not ring.is_full


def test_the_place_behind_a_full_ring_is_not_wiped(path: Path) -> None:
    ring = take(path)
    fill_up(ring)
    before = held(ring)
    ring.close()
    assert held(take(path)) == before


def test_refuses_a_record_larger_than_a_quarter(path: Path) -> None:
    ring = take(path)
    largest = MIN_CAPACITY // SPILL_SHARE
    ring.append(note("x" * (largest - 100)))
    with pytest.raises(JournalError, match="at most"):
        ring.append(note("x" * largest))
    assert len(held(ring)) == 1


def test_begins_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    create(path, capacity=MIN_CAPACITY, position=1_000_001)
    ring = take(path)
    assert ring.position == 1_000_008
    ring.append(note("x"))
    assert texts(held(ring)) == ["x"]


def test_takes_its_disk_space_when_it_is_made(path: Path) -> None:
    status = path.stat()
    assert status.st_blocks * 512 >= status.st_size > MIN_CAPACITY


def test_a_full_disk_shows_at_once_in_one_line(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIN_CAPACITY, hard))
    try:
        with pytest.raises(JournalError, match=r"cannot set 0\.1 MB aside in .*: File too large"):
            create(tmp_path / "ring", capacity=MIN_CAPACITY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_works_where_fallocate_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    create(tmp_path / "ring", capacity=MIN_CAPACITY)
    assert (tmp_path / "ring").stat().st_blocks * 512 >= MIN_CAPACITY


@pytest.mark.parametrize("capacity", [0, MIN_CAPACITY // 2, MIN_CAPACITY + 1])
def test_refuses_an_odd_capacity(tmp_path: Path, capacity: int) -> None:
    with pytest.raises(JournalError, match="multiple of 4096"):
        create(tmp_path / "ring", capacity=capacity)


def test_refuses_what_is_no_ring(path: Path) -> None:
    whole = path.read_bytes()
    for content in (b"", b"text", b"x" * len(whole), whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(JournalDamaged):
            Ring(path)
        with pytest.raises(JournalDamaged):
            read_tail(path, all_drained)
    path.unlink()
    with pytest.raises(JournalError, match="No such file"):
        Ring(path)
    with pytest.raises(JournalError, match="No such file"):
        read_tail(path, all_drained)


class RingAgainstQueue(RuleBasedStateMachine):
    """Appending, draining and taking over, many laps long, against a plain queue."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: deque[str] = deque()
        self.count = 0
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "ring"
        create(self.path, capacity=MIN_CAPACITY)
        self.ring = take(self.path)

    @rule(length=st.integers(0, MIN_CAPACITY // SPILL_SHARE - 200), times=st.integers(1, 5))
    def append(self, length: int, times: int) -> None:
        for _ in range(times):
            text = f"{self.count}:".ljust(length, "x")
            room = self.ring.capacity - self.ring.lag_bytes
            try:
                self.ring.append(note(text))
            except JournalFull:
                assert room < len(text) + 100
                return
            self.queue.append(text)
            self.count += 1

    @precondition(lambda self: self.queue)
    @rule(share=st.integers(1, 100))
    def drain(self, share: int) -> None:
        for entry in list(self.ring.entries())[: max(1, len(self.queue) * share // 100)]:
            assert texts([decode(entry.body)]) == [self.queue.popleft()]
            self.ring.cursor = entry.seq

    @rule()
    def take_over(self) -> None:
        self.ring.close()
        self.ring = take(self.path)
        assert self.ring.stranded_at is None

    @invariant()
    def holds_what_the_queue_holds(self) -> None:
        assert texts(held(self.ring)) == list(self.queue)
        assert texts(decode(e.body) for e in read_tail(self.path, all_drained)[1]) == list(
            self.queue
        )

    def teardown(self) -> None:
        self.ring.close()
        self.folder.cleanup()


TestRingAgainstQueue = RingAgainstQueue.TestCase
TestRingAgainstQueue.settings = settings(max_examples=30, stateful_step_count=40)
