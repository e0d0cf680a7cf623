"""The ring: a memory-mapped file that takes a record in well under a microsecond.

An append is a copy into the page cache, so it survives `kill -9` of this process, but not a
power loss; with `durable` each append is also synced to the disk before it returns.

Positions are offsets in one endless log; the file holds its last `capacity` bytes. A record is
a head (its end position, length, check, run) and a body, padded to 8 bytes. Its end position is
its sequence number: never reused, and larger than all before. A record begins anywhere in the
ring and may run over its end into a spill area as long as the largest record, so that it is
always one piece; the log then goes on behind it at the start of the ring.

The check is Adler-32: what it must tell apart is a whole body from one with blocks that are still
zero or from another lap, and CRC-32 costs 80 ns more. It starts from the position and the run, so
it covers the head too.

The body is written before the head, and a head counts only if it names the very position where
it stands and its check fits. A record torn by a kill is therefore not there: what can be lost is
the one record whose `append` had not returned, and nothing was sent on its account. After a
power loss without `durable` the log ends at the first record that did not reach the disk (what
the kernel had not yet written back: about the last 30 seconds).

The cursor says up to where the database has the log. It is one aligned word, stored whole; only
what lies before it may be overwritten.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from crosswire.journal.records import (
    JournalDamaged,
    JournalError,
    JournalFull,
    Record,
    encode_json,
    encode_msgpack,
)

DEFAULT_CAPACITY = 16 << 20  # about 60,000 records: minutes of a database outage
MIN_CAPACITY = 1 << 16
SPILL_SHARE = 4  # the largest record is a quarter of the ring
RESERVE_SHARE = 8  # placing stops when less than an eighth is free: the rest is for what it caused
RESYNC_BYTES = 1 << 16  # how far behind the end of the log a scan looks for stranded records

_MAGIC = b"crossw01"
_PREFIX = struct.Struct("=8sQQ")  # magic, capacity, cursor
_PREFIX_BYTES = 4096
_CURSOR_WORD = 2
_HEAD = struct.Struct("=QIII")  # end position, body length, check, run
_HEAD_BYTES = 24
_MASK = 0xFFFFFFFF
_BLOCK = bytes(1 << 20)

_encode = encode_msgpack
_check_of = zlib.adler32
_pack_head_into = _HEAD.pack_into


class Entry(Struct, frozen=True, gc=False):
    """One record of the log, still encoded; `seq` is the position of its end."""

    run: int
    seq: int
    body: bytes


def _salt(run: int) -> int:
    """Return what folds the run into a check."""
    return (run * 0x9E3779B1) & _MASK


def _file_bytes(capacity: int) -> int:
    return _PREFIX_BYTES + capacity + capacity // SPILL_SHARE


def _parse_prefix(path: Path, prefix: bytes, file_bytes: int) -> tuple[int, int]:
    """Return capacity and cursor; `JournalDamaged` if this is no whole ring."""
    if len(prefix) < _PREFIX_BYTES or not prefix.startswith(_MAGIC):
        raise JournalDamaged(f"{path} is not a crosswire ring")
    _, capacity, cursor = _PREFIX.unpack_from(prefix)
    if capacity < MIN_CAPACITY or file_bytes != _file_bytes(capacity) or cursor % 8:
        raise JournalDamaged(f"{path} is damaged: {file_bytes} bytes for capacity {capacity}")
    return capacity, cursor


def _entry_at(area: memoryview, capacity: int, position: int) -> Entry | None:
    """Return the record that begins at a position, None if there is no whole one."""
    slot = position % capacity
    seq, length, check, run = _HEAD.unpack_from(area, slot)
    size = (length + _HEAD_BYTES + 7) & ~7
    if seq != position + size or size > capacity // SPILL_SHARE:
        return None
    body = bytes(area[slot + _HEAD_BYTES : slot + _HEAD_BYTES + length])
    if _check_of(body, (seq ^ _salt(run)) & _MASK) != check:
        return None
    return Entry(run=run, seq=seq, body=body)


def _walk(area: memoryview, capacity: int, position: int) -> Iterator[Entry]:
    """Yield the log from a position to its end: the first head or check that does not fit."""
    while entry := _entry_at(area, capacity, position):
        yield entry
        position = entry.seq


def _reaches(area: memoryview, capacity: int, *, start: int, end: int) -> bool:
    """Whether the ring still has the log from one position to another."""
    return start == end or any(e.seq == end for e in _walk(area, capacity, start))


def read_tail(path: Path, last_seq: Callable[[], int]) -> tuple[int, list[Entry]]:
    """Return where the database's part ends and the records behind, while another may write.

    The cursor is read after the bytes were copied: what lies behind it cannot have been
    overwritten before, and what lies before it is committed. `last_seq` is asked after that.
    A database that lost its end in a power loss is made up for as far as the ring reaches.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            capacity, _ = _parse_prefix(path, file.read(_PREFIX_BYTES), size)
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
                area = memoryview(mapped[_PREFIX_BYTES:])
                _, _, cursor = _PREFIX.unpack_from(mapped)
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from None
    start = min(cursor, last_seq())
    if not _reaches(area, capacity, start=start, end=cursor):
        raise _not_one_log(path, start, cursor)
    return start, list(_walk(area, capacity, start))


def _not_one_log(path: Path, last_seq: int, cursor: int) -> JournalDamaged:
    return JournalDamaged(
        f"{path} was drained up to {cursor}, but the database beside it ends at {last_seq}: put "
        "the right files back, or move the directory away to begin anew"
    )


def create(path: Path, *, capacity: int, position: int = 0) -> None:
    """Make an empty ring whose log begins at `position`, with all of its disk space taken.

    It appears under its name only when whole. `JournalError` in one line if the disk is full.
    """
    if capacity < MIN_CAPACITY or capacity % 4096:
        raise JournalError(f"a ring of {capacity} bytes: must be a multiple of 4096, >= 65536")
    position = (position + 7) & ~7
    fresh = path.with_suffix(".new")
    try:
        _write_blank(fresh, _PREFIX.pack(_MAGIC, capacity, position), _file_bytes(capacity))
        fresh.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        megabytes = _file_bytes(capacity) / 1e6
        raise JournalError(
            f"cannot set {megabytes:.1f} MB aside in {path.parent}: {error.strerror}"
        ) from None


def _write_blank(path: Path, prefix: bytes, size: int) -> None:
    """Write zeros, so that every block exists: a hole would show as SIGBUS on a full disk."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        for start in range(0, size, len(_BLOCK)):
            file.write(_BLOCK[: size - start])
        file.seek(0)
        file.write(prefix)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Put a small file in another's place, whole or not at all; `OSError` if the disk refuses."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames inside a directory survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Ring:
    """The ring, taken over for appending: one process at a time, one thread appends.

    A second thread may read `entries` and move the `cursor`.
    """

    __slots__ = (
        "_area",
        "_end_slot",
        "_fast_bound",
        "_map",
        "_placing_room",
        "_run",
        "_salt",
        "_slot",
        "_words",
        "capacity",
        "durable",
        "last_run",
        "path",
        "position",
        "stranded_at",
    )

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path = path
        try:
            with path.open("r+b") as file:
                size = os.fstat(file.fileno()).st_size
                self.capacity, _ = _parse_prefix(path, file.read(_PREFIX_BYTES), size)
                self._map = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise JournalError(f"cannot open {path}: {error.strerror}") from None
        view = memoryview(self._map)
        self._words = view[:_PREFIX_BYTES].cast("Q")
        self._area = view[_PREFIX_BYTES:]
        view.release()
        self.last_run = 0  # of the records found
        self._run = self._salt = 0
        self.durable = durable
        self._placing_room = self.capacity - self.capacity // RESERVE_SHARE
        self._end_slot = _PREFIX_BYTES + self.capacity
        self.position = self.cursor  # where the log ends
        for entry in self.entries():
            self.position = entry.seq
            self.last_run = entry.run
        self._slot = _PREFIX_BYTES + self.position % self.capacity
        self._fast_bound = self.position
        self.stranded_at = self._find_stranded()  # None if no record was lost behind damage

    def begin(self, run: int) -> None:
        """Make it ready for appending in the name of a run. Before this nothing is changed."""
        self._run = run
        self._salt = _salt(run)
        self._wipe()

    def agree(self, last_seq: int) -> None:
        """Set the cursor to what the database has; `JournalDamaged` if they are not one log.

        It has more than the cursor says if a run was killed after a commit, and less after a
        power loss: then it gets again what the ring still holds.
        """
        if last_seq > self.position:
            raise JournalDamaged(
                f"{self.path} ends at {self.position}, but the database beside it has the log to "
                f"{last_seq}: put the right ring back, or, if a power loss took its end, move it "
                "away to go on from the database alone"
            )
        if not _reaches(self._area, self.capacity, start=last_seq, end=self.position):
            raise _not_one_log(self.path, last_seq, self.cursor)
        self.cursor = last_seq

    def append(self, record: Record) -> None:
        """Add a record: it is there once this returns.

        `JournalFull`: there is no room. `JournalError`: larger than a quarter of the ring.
        """
        try:
            body = _encode(record)
        except OverflowError:  # a number beyond 64 bits
            body = encode_json(record)
        length = len(body)
        size = (length + 31) & ~7  # head and body, to a multiple of 8
        end = self.position + size
        if end > self._fast_bound:
            self._make_room(end, size)
        slot = self._slot
        mapped = self._map
        mapped[slot + 24 : slot + 24 + length] = body
        check = _check_of(body, (end ^ self._salt) & 0xFFFFFFFF)
        _pack_head_into(mapped, slot, end, length, check, self._run)
        if self.durable:
            page = slot & -mmap.ALLOCATIONGRANULARITY
            mapped.flush(page, slot + size - page)
        self.position = end
        slot += size
        self._slot = slot if slot < self._end_slot else slot - self.capacity

    def _make_room(self, end: int, size: int) -> None:
        """Look at the cursor, once for every quarter of the ring, or raise."""
        largest = self.capacity // SPILL_SHARE
        if size > largest:
            raise JournalError(f"a record of {size} bytes; the ring takes {largest} at most")
        bound = self.cursor + self.capacity
        if end > bound:
            raise JournalFull(f"{self.path} is full: {self.lag_bytes} bytes wait for the database")
        self._fast_bound = min(bound, self.position + largest)

    @property
    def cursor(self) -> int:
        """Up to where the database has the log; what lies before may be overwritten."""
        position: int = self._words[_CURSOR_WORD]
        return position

    @cursor.setter
    def cursor(self, position: int) -> None:
        self._words[_CURSOR_WORD] = position

    @property
    def lag_bytes(self) -> int:
        """How much of the log the database does not have."""
        return self.position - self.cursor

    @property
    def is_full(self) -> bool:
        """Whether only the reserve is left, which is for what was sent already."""
        return self.position - self._words[_CURSOR_WORD] > self._placing_room

    def entries(self) -> Iterator[Entry]:
        """Yield the log from the cursor to its end, as it is when it is reached."""
        return _walk(self._area, self.capacity, self.cursor)

    def sync(self) -> None:
        """Put all of it on the disk."""
        self._map.flush()

    def close(self) -> None:
        """Sync and let go. What is undrained stays for the next run."""
        self.sync()
        self._words.release()
        self._area.release()
        self._map.close()

    def _find_stranded(self) -> int | None:
        """Return the position of a readable record behind a damaged one.

        A leftover of an earlier lap cannot be taken for one: it names an earlier position.
        """
        last = min(self.position + RESYNC_BYTES, self.cursor + self.capacity - _HEAD_BYTES)
        for position in range(self.position + 8, last, 8):
            if _entry_at(self._area, self.capacity, position):
                return position
        return None

    def _wipe(self) -> None:
        """Zero what is free, so that no leftover can ever pass for the successor of a new record.

        It also touches every page: none is left to be faulted in while trading. The spill area
        needs no wiping, for no record begins there.
        """
        free = self.capacity - self.lag_bytes
        start = self.position % self.capacity
        self._zero(start, min(start + free, self.capacity))
        self._zero(0, start + free - self.capacity)

    def _zero(self, start: int, end: int) -> None:
        for begin in range(start, end, len(_BLOCK)):
            size = min(end - begin, len(_BLOCK))
            self._area[begin : begin + size] = _BLOCK[:size]
