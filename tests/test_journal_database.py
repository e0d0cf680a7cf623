"""The database and the drain: everything once, whatever happens to the database meanwhile."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from crosswire.domain import VenueWarned
from crosswire.journal import JournalError, Record
from crosswire.journal import drain as drain_module
from crosswire.journal.database import PAGE_ROWS, Database, fills, orders
from crosswire.journal.drain import (
    BATCH_ROWS,
    IDLE_TICKS,
    PAUSE_S,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
    TICK_S,
    Drain,
)
from crosswire.journal.ring import MIN_CAPACITY, Entry, create
from crosswire.journal.rows import mention_rows
from tests.journal_records import database_files, fill_up, filled, held, life, note, take, texts

EVERYTHING = 1 << 62


class Pipe:
    """A ring, a database and the drain between them, stepped by hand."""

    def __init__(self, directory: Path) -> None:
        create(directory / "ring", capacity=1 << 20)
        self.ring = take(directory / "ring")
        self.database = Database(directory / "journal.db", busy_ms=1)
        self.warnings: list[str] = []
        self.drain = Drain(self.ring, self.database, self.warnings.append)

    def append(self, *words: object) -> None:
        for word in words:
            self.ring.append(note(word))

    def stored(self) -> list[str]:
        return texts(self.database.log(EVERYTHING))

    def command(self, sql: str) -> None:
        """Let the drain's own connection run something."""
        self.database._connection.exec_driver_sql(sql)
        self.database._connection.commit()


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    pipe = Pipe(tmp_path)
    yield pipe
    pipe.database.close()
    pipe.ring.close()


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_every_kind_of_record_comes_back_equal(pipe: Pipe) -> None:
    for record in life():
        pipe.ring.append(record)
    assert pipe.drain.step() == len(life())
    assert list(pipe.database.log(EVERYTHING)) == life()
    assert pipe.ring.lag_bytes == 0
    assert pipe.database.last_seq() == pipe.ring.cursor


def test_the_tables_can_be_read_by_people(pipe: Pipe) -> None:
    for record in life():
        pipe.ring.append(record)
    pipe.drain.step()
    path = pipe.database.path
    assert rows(path, "select kind, account, client_order_id, body from records limit 2") == [
        ("RunStarted", "", "", '{"type":"RunStarted","recv_ns":1,"run":1,"version":"0.1"}'),
        (
            "Approved Place",
            "mm",
            "c1",
            (
                '{"type":"Approved","command":{"type":"Place","account":"mm","instrument":'
                '"kraken:BTC/USD","client_order_id":"c1","side":"buy","quantity":10000000000,'
                '"price":650001000000000,"strategy":"ladder"},"request_id":1,"approved_ns":2}'
            ),
        ),
    ]
    assert rows(path, "select fill_key, price, quantity, fee, client_order_id from fills") == [
        ("f1", "65000.1", "1", "0.01", "")
    ]
    assert rows(path, "select client_order_id, quantity, price, strategy from orders") == [
        (name, "1", "65000.1", "ladder") for name in ("c1", "c2", "c3")
    ]
    assert rows(path, "select run, version, started_ns, ended_ns, is_clean from runs") == [
        (1, "0.1", 1, 13, 0)
    ]


def test_an_order_is_found_in_every_record_that_names_it(pipe: Pipe) -> None:
    for record in life():
        pipe.ring.append(record)
    pipe.drain.step()

    def found(order_id: str) -> list[str]:
        return [type(r).__name__ for r in pipe.database.steps({order_id}, EVERYTHING)]

    assert found("c2") == ["Approved", "Sent", "TimedOut", "OrdersRead", "Approved"]
    assert found("V1") == ["Accepted", "Filled", "Filled", "Closed"]
    assert found("c4") == ["Refused"]
    assert found("") == found("never") == []


def test_an_order_named_twice_by_a_record_is_one_mention() -> None:
    record = filled("f", "same", "same")
    assert mention_rows(3, record) == [{"order_id": "same", "seq": 3}]


def test_latest_is_the_last_ones_oldest_first(pipe: Pipe) -> None:
    for number in range(5):
        pipe.ring.append(filled(f"f{number}"))
    pipe.drain.step()
    latest = pipe.database.latest(fills, upto=EVERYTHING, limit=2)
    assert latest == [filled("f3"), filled("f4")]
    assert pipe.database.latest(orders, upto=EVERYTHING, limit=2) == []


def test_the_same_entries_again_add_nothing(pipe: Pipe) -> None:
    """A crash after the commit and before the cursor moved offers a batch again."""
    for record in life():
        pipe.ring.append(record)
    entries = list(pipe.ring.entries())
    for count in range(len(entries) + 1):
        pipe.database.write(entries[:count])
        pipe.database.write(entries)
    assert list(pipe.database.log(EVERYTHING)) == life()
    assert pipe.ring.cursor == 0
    assert pipe.drain.step() == len(life())
    assert list(pipe.database.log(EVERYTHING)) == life()


def test_a_fill_told_again_in_a_later_batch_is_one_row(pipe: Pipe) -> None:
    for record in (filled("f1"), filled("f2")):
        pipe.ring.append(record)
    pipe.drain.step()
    for record in (filled("f2"), filled("f3"), filled("f3")):
        pipe.ring.append(record)
    assert pipe.drain.step() == 3
    assert rows(pipe.database.path, "select fill_key from fills") == [("f1",), ("f2",), ("f3",)]


def test_a_run_told_twice_does_not_stop_the_drain(pipe: Pipe) -> None:
    for record in (life()[0], life()[0], note("after")):
        pipe.ring.append(record)
    assert pipe.drain.step() == 3
    assert pipe.stored() == ["after"]


def test_a_log_longer_than_a_page_and_a_batch(pipe: Pipe) -> None:
    count = BATCH_ROWS + PAGE_ROWS + 1
    pipe.append(*range(count))
    assert pipe.drain.step() == BATCH_ROWS
    assert pipe.drain._delay_s() == PAUSE_S
    assert pipe.drain.step() == PAGE_ROWS + 1
    assert pipe.drain._delay_s() == TICK_S
    assert pipe.stored() == [str(number) for number in range(count)]


def test_a_locked_database_is_waited_for(pipe: Pipe) -> None:
    pipe.append(1)
    with closing(sqlite3.connect(pipe.database.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert [pipe.drain.step(), pipe.drain.step()] == [0, 0]
        assert pipe.warnings == [
            (
                "journal: the database takes no records (database is locked); "
                "the ring keeps them (0 % full), trying again"
            )
        ]
        assert texts(held(pipe.ring)) == ["1"]
    pipe.append(2)
    assert pipe.drain.step() == 2
    assert pipe.stored() == ["1", "2"]
    assert pipe.warnings[1:] == ["journal: the database takes records again; nothing was lost"]


def test_a_read_only_database_is_waited_for(pipe: Pipe) -> None:
    pipe.append(1)
    pipe.command("PRAGMA query_only=1")
    assert pipe.drain.step() == 0
    assert "attempt to write a readonly database" in pipe.warnings[0]
    pipe.command("PRAGMA query_only=0")
    assert pipe.drain.step() == 1
    assert pipe.stored() == ["1"]


def test_a_full_disk_is_waited_for_and_a_batch_is_all_or_none(pipe: Pipe) -> None:
    pipe.append(0)
    pipe.drain.step()
    words = [f"{number} {'x' * 1000}" for number in range(200)]
    pipe.append(*words)
    pages = pipe.database._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    pipe.command(f"PRAGMA max_page_count={pages + 4}")
    assert pipe.drain.step() == 0
    assert pipe.warnings == [
        (
            "journal: the database takes no records (database or disk is full); "
            "the ring keeps them (20 % full), trying again"
        )
    ]
    assert pipe.stored() == ["0"]
    pipe.command("PRAGMA max_page_count=1000000")
    assert pipe.drain.step() == 200
    assert pipe.stored() == ["0", *words]


def test_while_the_database_is_dead_the_ring_keeps_all_until_it_is_full(tmp_path: Path) -> None:
    create(tmp_path / "ring", capacity=MIN_CAPACITY)
    ring = take(tmp_path / "ring")
    database = Database(tmp_path / "journal.db", busy_ms=1)
    drain = Drain(ring, database, str)
    with closing(sqlite3.connect(database.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        count = fill_up(ring)
        assert drain.step() == 0
        assert ring.lag_bytes > MIN_CAPACITY // 2
    while drain.step():
        pass
    assert texts(database.log(EVERYTHING)) == [str(number) for number in range(count)]
    assert ring.lag_bytes == 0
    database.close()


def test_a_deleted_database_is_made_again_with_all_it_had(pipe: Pipe) -> None:
    for record in life():
        pipe.ring.append(record)
    pipe.append(*range(PAGE_ROWS))
    pipe.drain.step()
    for path in database_files(pipe.database.path.parent):
        path.unlink()
    pipe.append("after")
    assert pipe.drain.step() == 1
    assert pipe.stored() == [*map(str, range(PAGE_ROWS)), "after"]
    assert rows(pipe.database.path, "select count(*) from fills") == [(1,)]
    assert pipe.warnings == []


def test_a_database_deleted_while_it_is_written_loses_nothing(pipe: Pipe) -> None:
    """The commit succeeds into a file that no longer has a name."""

    def unlink() -> None:
        for path in database_files(pipe.database.path.parent):
            path.unlink()

    pipe.append(1, 2)
    entries = list(pipe.ring.entries())
    with pytest.raises(JournalError, match="was removed"):
        pipe.database.write(entries, unlink)
    assert pipe.ring.cursor == 0
    assert pipe.drain.step() == 2
    assert pipe.stored() == ["1", "2"]
    with closing(Database(pipe.database.path, is_read_only=True)) as fresh:
        assert texts(fresh.log(EVERYTHING)) == ["1", "2"]


def test_a_failed_move_to_a_new_file_is_tried_again(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe.append(1)
    pipe.drain.step()
    for path in database_files(pipe.database.path.parent):
        path.unlink()
    pipe.append(2)

    def fail(self: Database, entries: list[Entry]) -> None:
        raise OSError("disk on fire")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "_write_slice", fail)
        assert pipe.drain.step() == 0
    assert pipe.drain.step() == 1
    assert pipe.stored() == ["1", "2"]
    assert "disk on fire" in pipe.warnings[0]


def test_a_record_of_another_version_stops_the_drain_and_says_so(pipe: Pipe) -> None:
    class Unknown(VenueWarned, frozen=True, gc=False):
        """What a later version may write."""

    unknown: Record = Unknown(1, "mm", "from the future")
    pipe.ring.append(unknown)
    assert pipe.drain.step() == 0
    assert "Unknown" in pipe.warnings[0]
    assert pipe.ring.lag_bytes > 0


def test_rests_longer_after_each_failure_up_to_a_bound(pipe: Pipe) -> None:
    delays = []
    pipe.append(1)
    pipe.command("PRAGMA query_only=1")
    for _ in range(10):
        pipe.drain.step()
        delays.append(pipe.drain._delay_s())
    assert delays[0] == RETRY_FIRST_S
    assert delays == sorted(delays)
    assert delays[-1] == RETRY_LONGEST_S
    assert len(pipe.warnings) == 1


def test_works_once_a_second_or_when_it_has_to(pipe: Pipe) -> None:
    assert [pipe.drain._is_due() for _ in range(IDLE_TICKS)] == [False] * (IDLE_TICKS - 1) + [True]
    pipe.drain.step()
    assert not pipe.drain._is_due()
    while pipe.ring.lag_bytes * 4 <= pipe.ring.capacity:
        pipe.append("x" * 10_000)
    assert pipe.drain._is_due()
    pipe.command("PRAGMA query_only=1")
    pipe.drain.step()
    pipe.ring.cursor = pipe.ring.position
    assert pipe.drain._is_due()  # to see whether the database is back


def test_its_thread_works_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_module, "TICK_S", 0.0)
    pipe = Pipe(tmp_path)
    pipe.append(1)
    pipe.drain.start()
    while pipe.ring.lag_bytes:
        os.sched_yield()
    assert pipe.stored() == ["1"]
    pipe.drain.close()
    pipe.database.close()
    pipe.ring.close()


def test_closing_the_drain_moves_all_and_says_what_it_could_not(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path)
    pipe.append(*range(2 * BATCH_ROWS + 1))
    pipe.drain.start()
    pipe.drain.close()
    assert pipe.stored() == [str(number) for number in range(2 * BATCH_ROWS + 1)]
    pipe.command("PRAGMA query_only=1")
    pipe.append("left")
    again = Drain(pipe.ring, pipe.database, pipe.warnings.append)
    again.start()
    again.close()
    assert pipe.warnings[-1] == (
        "journal: closed without the database; the ring keeps them (0 % full)"
    )
    assert texts(held(pipe.ring)) == ["left"]
    pipe.database.close()
    pipe.ring.close()


def test_a_database_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    for path, text in ((tmp_path / "none" / "x.db", "unable to open"), (tmp_path, "unable")):
        with pytest.raises(JournalError, match=text) as raised:
            Database(path)
        assert "\n" not in str(raised.value)
    other = tmp_path / "text.db"
    other.write_text("this is no database" * 100)
    with pytest.raises(JournalError, match="file is not a database"):
        Database(other)
    with pytest.raises(JournalError, match="unable to open"):
        Database(tmp_path / "missing.db", is_read_only=True)
    assert not (tmp_path / "missing.db").exists()


def test_a_read_only_one_cannot_write(pipe: Pipe) -> None:
    pipe.append(1)
    with closing(Database(pipe.database.path, is_read_only=True)) as reader:
        with pytest.raises(SQLAlchemyError):
            reader.write(list(pipe.ring.entries()))
        pipe.drain.step()
        assert texts(reader.log(EVERYTHING)) == ["1"]


def test_durable_waits_for_the_disk(tmp_path: Path) -> None:
    for is_durable, level in ((True, 2), (False, 1)):
        with closing(Database(tmp_path / "x.db", durable=is_durable)) as database:
            asked = database._connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            assert asked == level
