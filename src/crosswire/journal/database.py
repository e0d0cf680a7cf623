"""The database behind the ring: SQLAlchemy Core, SQLite for now.

`records` is the log itself, in order of `seq`. The other tables are made from it in the same
transaction, so that a person's question needs no walk through all of it: `mentions` finds every
step of an order, `fills` and `orders` list them, `runs` says who wrote when.

There is one writer, the holder of the journal's lock, and it writes in order. So what is new is
what lies above the largest `seq`: a batch that is offered again after a crash adds nothing.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    create_engine,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from crosswire.domain import RunEnded
from crosswire.journal.records import JournalError, Record, decode, decode_json
from crosswire.journal.ring import Entry
from crosswire.journal.rows import fill_row, mention_rows, order_rows, record_row, run_row

PAGE_ROWS = 1_000  # read in pages: no reader holds a snapshot, and the log file, for long
SLICE_ROWS = 32  # converted between two pauses: 0.3 ms for which the trading thread may wait
BUSY_MS = 2_000  # how long a lock of another program is waited for

_meta = MetaData()
_seq = BigInteger().with_variant(Integer, "sqlite")  # there the row's own key

runs = Table(
    "runs",
    _meta,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", _seq, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("ended_ns", BigInteger),
    Column("is_clean", Boolean),
)
records = Table(
    "records",
    _meta,
    Column("seq", _seq, primary_key=True, autoincrement=False),
    Column("run", BigInteger, nullable=False),
    Column("recv_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("client_order_id", Text, nullable=False),
    Column("venue_order_id", Text, nullable=False),
    Column("body", Text, nullable=False),
)
mentions = Table(
    "mentions",
    _meta,
    Column("order_id", Text, primary_key=True),
    Column("seq", _seq, primary_key=True, autoincrement=False),
)
fills = Table(
    "fills",
    _meta,
    Column("account", Text, primary_key=True),
    Column("fill_key", Text, primary_key=True),
    Column("seq", _seq, nullable=False),
    Column("recv_ns", BigInteger, nullable=False),
    Column("venue_ns", BigInteger, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("price", Text, nullable=False),  # plain decimals: amounts outgrow 64 bits
    Column("quantity", Text, nullable=False),
    Column("fee", Text, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("liquidity", Text, nullable=False),
    Column("client_order_id", Text, nullable=False),
    Column("venue_order_id", Text, nullable=False),
    Index("fills_by_seq", "seq"),
)
orders = Table(
    "orders",
    _meta,
    Column("client_order_id", Text, primary_key=True),
    Column("seq", _seq, nullable=False),
    Column("account", Text, nullable=False),
    Column("approved_ns", BigInteger, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("order_type", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("price", Text),
    Column("strategy", Text, nullable=False),
    Index("orders_by_seq", "seq"),
)


def reason(error: Exception) -> str:
    """Return what a database error says, without the statement and its parameters."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return str(error.orig).splitlines()[0]
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _nothing() -> None:
    """Pause for no time at all."""


class Database:
    """One connection to a journal's database. A missing one is made, unless `is_read_only`."""

    def __init__(
        self,
        path: Path,
        *,
        durable: bool = False,
        is_read_only: bool = False,
        busy_ms: int = BUSY_MS,
    ) -> None:
        self.path = path
        self._durable = durable
        self._busy_ms = busy_ms
        self._is_read_only = is_read_only
        engine = create_engine("sqlite://", creator=self._connect_sqlite, poolclass=NullPool)
        try:
            self._connection: Connection = engine.connect()
            self._inode = path.stat().st_ino
            if not is_read_only:
                _meta.create_all(self._connection)
                self._connection.commit()
        except (SQLAlchemyError, OSError) as error:
            raise JournalError(f"cannot open {path}: {reason(error)}") from None

    def _connect_sqlite(self) -> sqlite3.Connection:
        mode = "ro" if self._is_read_only else "rwc"
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode={mode}",
            uri=True,
            timeout=self._busy_ms / 1000,
            check_same_thread=False,  # opened here, used by the drain's thread
        )
        if not self._is_read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
        return connection

    def close(self) -> None:
        self._connection.close()

    def last_seq(self) -> int:
        """Return the end of the log as far as it is here, 0 if nothing is."""
        return self._largest(records.c.seq)

    def last_run(self) -> int:
        return self._largest(runs.c.run)

    def _largest(self, column: Column[int]) -> int:
        with self._connection.begin():
            return self._connection.execute(select(func.max(column))).scalar() or 0

    def write(self, entries: Sequence[Entry], pause: Callable[[], object] = _nothing) -> None:
        """Add what is new among the entries, in one transaction: all of it or none.

        `SQLAlchemyError` or `OSError` if it cannot be done now; calling again is always safe.
        """
        if self.is_gone():
            self._move_to_new_file()
        with self._connection.begin():
            last = self._connection.execute(select(func.max(records.c.seq))).scalar() or 0
            fresh = [entry for entry in entries if entry.seq > last]
            for start in range(0, len(fresh), SLICE_ROWS):
                self._write_slice(fresh[start : start + SLICE_ROWS])
                pause()
        if self.is_gone():
            raise JournalError(f"{self.path} was removed while it was written")

    def _write_slice(self, entries: Sequence[Entry]) -> None:
        decoded = [(entry, decode(entry.body)) for entry in entries]
        self._insert(records, [record_row(entry, record) for entry, record in decoded])
        self._insert(mentions, [r for e, record in decoded for r in mention_rows(e.seq, record)])
        self._insert_new(runs, [r for e, record in decoded if (r := run_row(e, record))])
        self._insert_new(orders, [r for e, record in decoded for r in order_rows(e.seq, record)])
        self._insert_new(fills, [r for e, record in decoded if (r := fill_row(e.seq, record))])
        for _, record in decoded:
            if isinstance(record, RunEnded):
                self._connection.execute(
                    update(runs)
                    .where(runs.c.run == record.run)
                    .values(ended_ns=record.recv_ns, is_clean=record.is_clean)
                )

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)

    def _insert_new(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert the rows whose key is not there yet: a venue tells of a fill more than once."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key]
        unique = {tuple(row[key] for key in keys): row for row in reversed(rows)}
        wanted = table.c[keys[-1]].in_([key[-1] for key in unique])
        for key in self._connection.execute(select(*table.primary_key).where(wanted)):
            unique.pop(tuple(key), None)
        self._insert(table, list(reversed(unique.values())))

    def is_gone(self) -> bool:
        """Whether the file was deleted or replaced: SQLite goes on writing to the one it has."""
        try:
            return self.path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _move_to_new_file(self) -> None:
        """Make the file anew from the deleted one, which lives as long as this connection."""
        fresh = Database(self.path, durable=self._durable, busy_ms=self._busy_ms)
        try:
            pages = self._pages(after=fresh.last_seq(), upto=self.last_seq())
            with fresh._connection.begin():
                for page in pages:
                    fresh._write_slice(page)
        except BaseException:
            fresh.close()
            raise
        self._connection.close()
        self._connection, self._inode = fresh._connection, fresh._inode

    def log(self, upto: int) -> Iterator[Record]:
        """Yield the log in order, to the position `upto`."""
        for page in self._pages(after=-1, upto=upto):
            for entry in page:
                yield decode(entry.body)

    def steps(self, order_ids: Collection[str], upto: int) -> list[Record]:
        """Return every record that speaks of one of the orders, in order."""
        spoken = select(mentions.c.seq).where(mentions.c.order_id.in_(order_ids))
        wanted = records.c.seq.in_(spoken) & (records.c.seq <= upto)
        return self._select(select(records.c.body).where(wanted).order_by(records.c.seq))

    def during(
        self, order_id: str, kinds: Collection[str], account: str, *, upto: int, is_over: bool
    ) -> list[Record]:
        """Return an account's records of some kinds since an order was first named.

        They end where it was last named, if it `is_over`, else at the end of the log.
        """
        named = select(func.min(mentions.c.seq), func.max(mentions.c.seq))
        with self._connection.begin():
            row = self._connection.execute(named.where(mentions.c.order_id == order_id)).one()
        first, last = row if row[0] is not None else (upto, upto)
        span = records.c.seq.between(first, min(last, upto) if is_over else upto)
        wanted = span & records.c.kind.in_(kinds) & (records.c.account == account)
        return self._select(select(records.c.body).where(wanted).order_by(records.c.seq))

    def latest(self, table: Table, *, upto: int, limit: int) -> list[Record]:
        """Return the last records that made a row in `fills` or `orders`, oldest first."""
        query = select(records.c.body).join(table, table.c.seq == records.c.seq)
        newest = query.where(table.c.seq <= upto).order_by(table.c.seq.desc()).limit(limit)
        return self._select(newest)[::-1]

    def _select(self, query: Select[Any]) -> list[Record]:
        with self._connection.begin():
            bodies: Sequence[str] = self._connection.execute(query).scalars().all()
        return [decode_json(body) for body in bodies]

    def _pages(self, after: int, upto: int) -> Iterator[list[Entry]]:
        """Yield the log in order, a page at a time."""
        query = select(records.c.run, records.c.seq, records.c.body).order_by(records.c.seq)
        while True:
            wanted = query.where(records.c.seq > after, records.c.seq <= upto).limit(PAGE_ROWS)
            with self._connection.begin():
                rows = self._connection.execute(wanted).all()
            if not rows:
                return
            yield [Entry(row.run, row.seq, row.body.encode()) for row in rows]
            after = rows[-1].seq
