"""Records as rows: what each table of the database says about one."""

import re
from collections.abc import Iterator
from typing import Any

from crosswire import fixed
from crosswire.domain import Approved, Filled, Halted, Place, PlaceBatch, Resumed, RunStarted
from crosswire.journal.records import Record, encode_json
from crosswire.journal.ring import Entry

_PARTS = ("places", "cancels", "orders")
_ID = re.compile(r"\b[0-9a-f]{32}\b")  # an order that is the reason of a halt


def order_ids(thing: object) -> Iterator[str]:
    """Yield every order id, ours and the venue's, that a record speaks of; "" among them."""
    if command := getattr(thing, "command", None):
        yield from order_ids(command)
        return
    yield getattr(thing, "client_order_id", "")
    yield getattr(thing, "venue_order_id", "")
    yield from getattr(thing, "client_order_ids", ())
    if isinstance(thing, Halted | Resumed):
        yield from _ID.findall(thing.reason)
    for name in _PARTS:
        for part in getattr(thing, name, ()):
            yield from order_ids(part)


def mention_rows(seq: int, record: Record) -> list[dict[str, Any]]:
    ids = dict.fromkeys(order_ids(record))
    ids.pop("", None)
    return [{"order_id": order_id, "seq": seq} for order_id in ids]


def record_row(entry: Entry, record: Record) -> dict[str, Any]:
    kind, subject = type(record).__name__, getattr(record, "command", record)
    if subject is not record:
        kind = f"{kind} {type(subject).__name__}"
    return {
        "seq": entry.seq,
        "run": entry.run,
        "recv_ns": record.approved_ns if isinstance(record, Approved) else record.recv_ns,
        "kind": kind,
        "account": getattr(subject, "account", "") or getattr(subject, "session", ""),
        "client_order_id": getattr(subject, "client_order_id", ""),
        "venue_order_id": getattr(subject, "venue_order_id", ""),
        "body": encode_json(record).decode(),
    }


def run_row(entry: Entry, record: Record) -> dict[str, Any] | None:
    if not isinstance(record, RunStarted):
        return None
    return {
        "run": record.run,
        "seq": entry.seq,
        "started_ns": record.recv_ns,
        "version": record.version,
    }


def order_rows(seq: int, record: Record) -> list[dict[str, Any]]:
    """Return one row for each order that an approved command asks for."""
    if not isinstance(record, Approved):
        return []
    command = record.command
    places = command.places if isinstance(command, PlaceBatch) else (command,)
    return [
        {
            "client_order_id": place.client_order_id,
            "seq": seq,
            "account": place.account,
            "approved_ns": record.approved_ns,
            "instrument": place.instrument,
            "side": place.side,
            "order_type": place.order_type,
            "quantity": fixed.text(place.quantity),
            "price": None if place.price is None else fixed.text(place.price),
            "strategy": place.strategy,
        }
        for place in places
        if isinstance(place, Place)
    ]


def fill_row(seq: int, record: Record) -> dict[str, Any] | None:
    if not isinstance(record, Filled):
        return None
    return {
        "account": record.account,
        "fill_key": record.fill_key,
        "seq": seq,
        "recv_ns": record.recv_ns,
        "venue_ns": record.venue_ns,
        "instrument": record.instrument,
        "side": record.side,
        "price": fixed.text(record.price),
        "quantity": fixed.text(record.quantity),
        "fee": fixed.text(record.fee),
        "fee_asset": record.fee_asset,
        "liquidity": record.liquidity,
        "client_order_id": record.client_order_id,
        "venue_order_id": record.venue_order_id,
    }
