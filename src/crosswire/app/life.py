"""An order's life as the journal tells it: each step, and the evidence for it."""

from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from crosswire import fixed, journal
from crosswire.app.errors import UserError
from crosswire.domain import AnyCommand, AnyEvent, Approved, OrdersRead, PlaceBatch, Refused, Sent

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
    )
)


def explain(directory: Path, order_id: str) -> list[dict[str, Any]]:
    """Return the steps, oldest first: at_ns, what, evidence; `UserError` if it is unknown."""
    records = journal.explain(directory, order_id)
    if not records:
        raise UserError(f'no order "{order_id}" in the journal {directory}')
    steps: list[dict[str, Any]] = []
    for record in records:
        steps += _steps(record, order_id)
    return steps


def _steps(record: AnyEvent | Approved, order_id: str) -> list[dict[str, Any]]:
    if isinstance(record, Approved):
        command = _own_part(record.command, order_id)
        text = f"request {record.request_id}: {_facts(command)}"
        return [_step(record.approved_ns, f"{type(command).__name__} approved", text)]
    if isinstance(record, OrdersRead):
        return [
            _step(record.recv_ns, f"shown by {record.source}", _facts(shown))
            for shown in record.orders
            if order_id in (shown.client_order_id, shown.venue_order_id)
        ]
    if isinstance(record, Refused):
        text = f"{type(record.command).__name__} {record}"
        return [_step(record.recv_ns, "Refused", text)]
    text = _facts(record)
    if isinstance(record, Sent):
        text = f"by {record.transport}, request {record.request_id}"
    return [_step(record.recv_ns, type(record).__name__, text)]


def _own_part(command: AnyCommand, order_id: str) -> Struct:
    if isinstance(command, PlaceBatch):
        for place in command.places:
            if place.client_order_id == order_id:
                return place
    return command


def _step(at_ns: int, what: str, evidence: str) -> dict[str, Any]:
    return {"at_ns": at_ns, "what": what, "evidence": evidence}


def _facts(part: Struct) -> str:
    """The fields that say something, money as decimals."""
    defaults = {field.name: field.default for field in structs.fields(part)}
    facts = []
    for name, value in structs.asdict(part).items():
        if name in SILENT or value == defaults[name] or value in ("", None):
            continue
        is_money = name in MONEY and isinstance(value, int)
        facts.append(f"{name} {fixed.text(value) if is_money else value}")
    return ", ".join(facts)
