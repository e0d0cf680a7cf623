"""Reading a journal: the database, then the ring's undrained tail; each record once, in order.

Needs no lock: it works beside the process that writes, and on what a killed one left. Each
function raises `JournalError` in one line if the journal cannot be read.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from crosswire.domain import Approved, Filled, OrdersRead, ReadFailed
from crosswire.journal import database as tables
from crosswire.journal.database import Database, reason
from crosswire.journal.records import JournalError, Record, decode
from crosswire.journal.ring import read_tail
from crosswire.journal.rows import order_ids, order_rows

DATABASE_FILE = "journal.db"
RING_FILE = "ring"


class _Journal:
    """A moment of a journal: the database up to the ring's cursor, and the tail behind it."""

    def __init__(self, directory: Path) -> None:
        path = directory / RING_FILE
        if not path.exists():
            raise JournalError(f"there is no journal in {directory}")
        self.database = Database(directory / DATABASE_FILE, is_read_only=True)
        try:
            self.cursor, entries = read_tail(path, self.database.last_seq)
            self.tail = [decode(entry.body) for entry in entries]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.database.close()


@contextmanager
def _opened(directory: str | Path) -> Iterator[_Journal]:
    try:
        with closing(_Journal(Path(directory))) as journal:
            yield journal
    except (SQLAlchemyError, msgspec.MsgspecError) as error:
        raise JournalError(f"cannot read the journal in {directory}: {reason(error)}") from None


def read(directory: str | Path) -> Iterator[Record]:
    """Yield every record of a journal, of all its runs."""
    with _opened(directory) as journal:
        yield from journal.database.log(journal.cursor)
        yield from journal.tail


def explain(directory: str | Path, order_id: str) -> list[Record]:
    """Return every step of one order's life; the id may be ours or the venue's."""
    with _opened(directory) as journal:
        ids = {order_id}
        return _steps(journal, ids | _other_names(_steps(journal, ids), order_id))


def reads(
    directory: str | Path, order_id: str, account: str, *, is_over: bool
) -> list[OrdersRead | ReadFailed]:
    """Return the account's reads, and failed ones, while an order lived: what it was sought in.

    Until it was last named if it `is_over`, else until now.
    """
    kinds = (OrdersRead.__name__, ReadFailed.__name__)
    with _opened(directory) as journal:
        upto = journal.cursor
        found = journal.database.during(order_id, kinds, account, upto=upto, is_over=is_over)
        found += journal.tail
    return [r for r in found if isinstance(r, OrdersRead | ReadFailed) and r.account == account]


def _steps(journal: _Journal, ids: set[str]) -> list[Record]:
    spoken = journal.database.steps(ids, journal.cursor)
    return spoken + [record for record in journal.tail if not ids.isdisjoint(order_ids(record))]


def _other_names(steps: list[Record], order_id: str) -> set[str]:
    """Return the names under which the same order goes, from what names it twice."""
    found = set()
    for step in steps:
        for part in (getattr(step, "command", step), *getattr(step, "orders", ())):
            names = {getattr(part, "client_order_id", ""), getattr(part, "venue_order_id", "")}
            if order_id in names:
                found |= names
    return found - {""}


def fills(directory: str | Path, limit: int = 1_000) -> list[Filled]:
    """Return the last fills, oldest first, each fill key once."""
    found: dict[tuple[str, str], Filled] = {}
    for record in _latest(directory, tables.fills, limit):
        if isinstance(record, Filled):
            found.setdefault((record.account, record.fill_key), record)
    return list(found.values())[-limit:]


def placed(directory: str | Path, limit: int = 1_000) -> list[Approved]:
    """Return the last approved commands that asked for new orders, oldest first."""
    latest = _latest(directory, tables.orders, limit)
    asked = [r for r in latest if isinstance(r, Approved) and order_rows(0, r)]
    kept = {(record.approved_ns, record.request_id): record for record in asked}
    return list(kept.values())[-limit:]


def _latest(directory: str | Path, table: Table, limit: int) -> list[Record]:
    with _opened(directory) as journal:
        return journal.database.latest(table, upto=journal.cursor, limit=limit) + journal.tail
