"""Made-up records for the tests of the journal."""

from collections.abc import Iterable
from pathlib import Path

from crosswire.domain import (
    Absent,
    Accepted,
    AnyEvent,
    Approved,
    BalancesRead,
    Cancel,
    CancelAll,
    CancelBatch,
    Closed,
    Filled,
    OrderReported,
    OrdersRead,
    Place,
    PlaceBatch,
    Refused,
    RunEnded,
    RunStarted,
    Sent,
    TimedOut,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.journal import JournalFull, Record
from crosswire.journal.records import decode
from crosswire.journal.ring import Ring

ONE = parse("1")
PRICE = parse("65000.1")
BTC = "kraken:BTC/USD"


def note(text: object) -> VenueWarned:
    """The smallest record that carries what a test wants to find again."""
    return VenueWarned(1, "mm", str(text))


def texts(records: Iterable[object]) -> list[str]:
    return [record.text for record in records if isinstance(record, VenueWarned)]


def take(path: Path, *, durable: bool = False) -> Ring:
    """Open a ring for appending."""
    ring = Ring(path, durable=durable)
    ring.begin(1)
    return ring


def fill_up(ring: Ring, first: int = 0) -> int:
    """Append numbers until the ring is full; return the first that found no room."""
    try:
        while True:
            ring.append(note(first))
            first += 1
    except JournalFull:
        return first


def all_drained() -> int:
    """Answer for a database that has at least what the cursor says."""
    return 1 << 62


def held(ring: Ring) -> list[Record]:
    """Return what a ring has not given to the database."""
    return [decode(entry.body) for entry in ring.entries()]


def place(client_order_id: str = "c1") -> Place:
    return Place("mm", BTC, client_order_id, "buy", ONE, PRICE, strategy="ladder")


def filled(fill_key: str = "f1", client_order_id: str = "c1", venue_order_id: str = "V1") -> Filled:
    return Filled(
        5, "mm", client_order_id, venue_order_id, BTC, "buy", PRICE, ONE, fill_key, fee=ONE // 100
    )


def life() -> list[AnyEvent | Approved]:
    """A few orders' lives, with every shape in which a record names an order."""
    report = OrderReported(6, "mm", "c2", "V2", BTC, "buy", ONE, 0, is_open=True)
    return [
        RunStarted(1, 1, "0.1"),
        Approved(place("c1"), 1, 2),
        Sent(3, "mm", 1, "ws", ("c1",)),
        Accepted(4, "mm", "c1", "V1", 1),
        filled("f1", ""),
        filled("f1"),
        Closed(6, "mm", "c1", "V1", "filled", ONE),
        Approved(PlaceBatch("mm", (place("c2"), place("c3"))), 2, 5),
        Sent(5, "mm", 2, "rest", ("c2", "c3")),
        TimedOut(6, "mm", 2, "silence", ("c2", "c3")),
        OrdersRead(7, "mm", "open", (report,), 6, is_complete=True),
        Absent(8, "mm", "c3", "", "complete read"),
        Refused(place("c4"), "position", "1", "2", 9),
        Approved(CancelBatch("mm", (Cancel("mm", "c2", "V2"),)), 3, 10),
        Approved(CancelAll("mm"), 4, 11),
        BalancesRead(12, "mm", (("SHIB", 10**25), ("USD", -5))),
        RunEnded(13, 1, is_clean=False),
    ]


def database_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("journal.db*"))
