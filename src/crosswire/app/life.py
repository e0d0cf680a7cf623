"""An order's life as the journal tells it: each step, and the evidence for it.

While one of its outcomes is in doubt, reads that lack the order and look-ups that failed are
steps as well: what did not prove anything is part of how it was proven. What is told again in
the same words is one step, told so many times.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from crosswire import fixed, journal
from crosswire.app.errors import UserError
from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    CancelBatch,
    Corrected,
    DoubtMoved,
    Filled,
    Halted,
    OrderReported,
    OrdersRead,
    PlaceBatch,
    ReadFailed,
    Refused,
    Sent,
    TimedOut,
)

MONEY = frozenset(
    ("price", "quantity", "fee", "filled", "display_quantity", "cash_quantity", "trigger_price")
)
# What every step of the order repeats, or what only machines want to know.
SILENT = frozenset(
    (
        "recv_ns",
        "account",
        "client_order_id",
        "client_order_ids",
        "received_ns",
        "decoded_ns",
        "decided_ns",
        "encoded_ns",
        "is_open",
    )
)
# Said once, when the order begins.
BEGINNING = ("Place", "Accepted")
ONCE = ("instrument", "venue_order_id")
CLOCKS = {"venue_ns": "venue's clock", "opened_ns": "opened", "closed_ns": "closed"}
READS = ("open_orders", "closed_orders", "snapshot")
NEVER_NS = 2**63
Step = dict[str, Any]


def explain(directory: Path, order_id: str) -> list[Step]:
    """Return the steps, oldest first; `UserError` if the order is unknown.

    Each has at_ns, what and evidence; one that was told again has times and until_ns, too.
    """
    records = journal.explain(directory, order_id)
    if not records:
        raise UserError(f'no order "{order_id}" in the journal {directory}')
    own = _names(records, order_id)
    steps = [step for record in records for step in _steps(record, own)]
    if doubts := list(_doubts(records)):
        account = next(each.account for each in records if isinstance(each, DoubtMoved))
        is_over = doubts[-1][1] < NEVER_NS
        read = journal.reads(directory, order_id, account, is_over=is_over)
        steps = [*_in_vain(read, own, doubts), *steps]
    return list(_told_once(sorted(steps, key=lambda step: int(step["at_ns"]))))


def moment(at_ns: int) -> str:
    """A time of day, UTC, to the microsecond."""
    at = datetime.fromtimestamp(at_ns // 10**9, tz=UTC)
    return f"{at:%H:%M:%S}.{at_ns % 10**9 // 1000:06d}"


def _names(records: Iterable[AnyEvent | Approved], order_id: str) -> frozenset[str]:
    """Our id of the order and the venue's."""
    found = {order_id}
    for record in records:
        for part in (getattr(record, "command", record), *getattr(record, "orders", ())):
            names = {getattr(part, "client_order_id", ""), getattr(part, "venue_order_id", "")}
            found |= names if names & found else set()
    return frozenset(found - {""})


def _steps(record: AnyEvent | Approved, own: frozenset[str]) -> list[Step]:
    match record:
        case Approved():
            command = _own_part(record.command, own)
            facts = _facts(command, record.approved_ns)
            text = f"request {record.request_id}" + (f": {facts}" if facts else "")
            return [_step(record.approved_ns, f"{type(command).__name__} approved", text)]
        case OrdersRead():
            shown = [each for each in record.orders if _is_own(each, own)]
            return [_step(record.recv_ns, f"shown by {record.source}", _shown(s)) for s in shown]
        case DoubtMoved():
            return [_step(record.recv_ns, f"doubt: {record.step}", record.evidence)]
        case Filled():  # a look-up tells the time less exactly: the key says that it is the same
            step = _step(record.recv_ns, "Filled", _evidence(record))
            return [{**step, "key": record.fill_key}]
        case _:
            return [_step(record.recv_ns, type(record).__name__, _evidence(record))]


def _evidence(event: AnyEvent) -> str:
    match event:
        case Sent():
            text = f"by {event.transport}, request {event.request_id}"
            bound = f", void from {moment(event.bound_ns)} on by the venue's clock"
            return text + (bound if event.bound_ns else "")
        case TimedOut():
            return f"request {event.request_id}, {event.kind}: {event.reason}"
        case Refused():
            return f"{type(event.command).__name__} {event}"
        case Halted():
            return f"account {event.account}: {event.reason}; it ends by {event.exit}"
        case Corrected():
            return f"{event.what}; {event.cause}, as {event.evidence} shows"
        case _:
            return _facts(event, event.recv_ns)


def _own_part(command: AnyCommand, own: frozenset[str]) -> Struct:
    parts: tuple[Struct, ...] = ()
    if isinstance(command, PlaceBatch):
        parts = command.places
    elif isinstance(command, CancelBatch):
        parts = command.cancels
    return next((part for part in parts if _is_own(part, own)), command)


def _is_own(part: Struct, own: frozenset[str]) -> bool:
    return bool({getattr(part, "client_order_id", ""), getattr(part, "venue_order_id", "")} & own)


def _shown(order: OrderReported) -> str:
    return f"{'open' if order.is_open else 'over'}, {_facts(order, order.recv_ns)}"


# --- what proved nothing -----------------------------------------------------------------------


def _doubts(records: Iterable[AnyEvent | Approved]) -> Iterator[tuple[int, int]]:
    """Yield when each of its doubts was opened and settled; one that is open has no end yet."""
    opened_ns = 0
    for record in records:
        if isinstance(record, DoubtMoved) and record.step == "opened":
            opened_ns = record.recv_ns
        elif isinstance(record, DoubtMoved) and record.step == "settled" and opened_ns:
            yield opened_ns, record.recv_ns
            opened_ns = 0
    if opened_ns:
        yield opened_ns, NEVER_NS


def _in_vain(
    reads: Iterable[OrdersRead | ReadFailed],
    own: frozenset[str],
    doubts: Iterable[tuple[int, int]],
) -> Iterator[Step]:
    """Yield the reads of its doubts that lack the order, or failed."""
    spans = tuple(doubts)
    for read in reads:
        if not any(opened_ns <= read.recv_ns <= ended_ns for opened_ns, ended_ns in spans):
            continue
        if isinstance(read, ReadFailed):
            if read.what in READS:
                yield _step(read.recv_ns, "look-up failed", f"{read.what}: {read.reason}")
        elif not any(_is_own(each, own) for each in read.orders):
            yield _step(read.recv_ns, f"lacked by {read.source}", _lacked(read))


def _lacked(read: OrdersRead) -> str:
    text = f"{len(read.orders)} {read.scope} orders, asked at {moment(read.started_ns)}"
    if read.horizon_ns:
        text += f", the youngest from {moment(read.horizon_ns)} by the venue's clock"
    return text + ("" if read.is_complete else ", not whole")


# --- words -------------------------------------------------------------------------------------


def _step(at_ns: int, what: str, evidence: str) -> Step:
    return {"at_ns": at_ns, "what": what, "evidence": evidence}


def _told_once(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield each step once; one that is told again later says how often and until when."""
    known: dict[tuple[str, str], Step] = {}
    for step in steps:
        key = step.pop("key", "") or step["evidence"]
        first = known.setdefault((step["what"], key), step)
        if first is not step:
            first["times"] = first.get("times", 1) + 1
            first["until_ns"] = step["at_ns"]
    yield from known.values()


def _facts(part: Struct, at_ns: int) -> str:
    """The fields that say something, money as decimals, times as times of day."""
    defaults = {field.name: field.default for field in structs.fields(part)}
    silent = SILENT if type(part).__name__ in BEGINNING else SILENT.union(ONCE)
    if isinstance(part, Filled | OrderReported):
        silent = silent.union(("source",))  # a fill is a fill, whoever tells of it
    return ", ".join(
        _fact(name, value, at_ns)
        for name, value in structs.asdict(part).items()
        if name not in silent and value != defaults[name] and value not in ("", None, False)
    )


def _fact(name: str, value: object, at_ns: int) -> str:
    if name in MONEY and isinstance(value, int):
        return f"{name.replace('_', ' ')} {fixed.text(value)}"
    if name in CLOCKS and isinstance(value, int):
        return f"{CLOCKS[name]} {moment(value)}"
    if name == "bound_ns" and isinstance(value, int):
        return f"void after {(value - at_ns) / 1e9:.3f} s"
    if name in ("reason", "evidence"):
        return str(value)
    words = name.removeprefix("is_").replace("_", " ")
    if name == "request_id":
        words = "request"
    return words if value is True else f"{words} {value}"
