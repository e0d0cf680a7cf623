"""What a world is judged by, once it is over: the venue's ledger against what we believe."""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from crosswire import fixed
from crosswire.domain import Filled
from crosswire.engine.path import Record
from crosswire.sim import checks
from crosswire.sim.ledger import Ledger, RequestRow
from crosswire.sim.world.process import ACCOUNT, STRATEGY

if TYPE_CHECKING:
    from crosswire.sim.world.world import World

NS = 1_000_000_000
OUTCOMES = (
    "executed",
    "never_arrived",
    "arrived_late",
    "refused_copy",
    "late_accept",
    "absent",
    "resent",
)
SAFETY = (
    "double_sends",
    "overfills",
    "lost_fills",
    "phantom_fills",
    "orphan_orders",
    "limit_breaches",
    "absent_but_there",
    "placed_while_closed",
    "placed_while_unarmed",
    "misbooked_fills",
    "open_while_killed",
    "cancels_held",
)
FUNDING = "funding"
PLACING = ("place", "edit")  # what the ledger calls a request that opens an order
LATE_WORDS = ("eadline", "already expired")  # in which venues refuse what comes past its bound
LIVENESS = ("unresolved", "not_converged", "transports_down")


class Result(Struct):
    """One world's counts. Everything in SAFETY and LIVENESS must be 0."""

    seed: int
    orders: int = 0
    fills: int = 0
    acks_lost: int = 0
    crashes: int = 0
    crashes_with_inflight: int = 0
    absent_then_resent: int = 0
    late_accepts: int = 0
    trading_resumed: int = 0
    double_sends: int = 0
    overfills: int = 0
    lost_fills: int = 0
    phantom_fills: int = 0
    orphan_orders: int = 0
    limit_breaches: int = 0
    absent_but_there: int = 0
    placed_while_closed: int = 0
    placed_while_unarmed: int = 0
    misbooked_fills: int = 0
    open_while_killed: int = 0
    cancels_held: int = 0
    unresolved: int = 0
    not_converged: int = 0
    transports_down: int = 0
    resends: bool = False  # doubts were resolved by identical bytes, not by look-ups alone
    copies: int = 0
    voids: int = 0
    replacements: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    log_hash: str = ""
    is_cut: bool = False
    failed_at_ns: int = 0
    seconds: float = 0.0  # of virtual time

    @property
    def failures(self) -> dict[str, int]:
        """What must be 0 and is not."""
        found = {name: getattr(self, name) for name in (*SAFETY, *LIVENESS)}
        if not self.trading_resumed and not self.is_cut:
            found["trading_stopped"] = 1
        return {name: count for name, count in found.items() if count}


def conclude(world: "World") -> Result:
    """Judge a world that has run."""
    result, ledger = world.result, world.simulator.live_ledger
    believed = _believed(world)
    document = _document(world)
    verdict = checks.judge(document, believed)
    result.log_hash = _hash(world.journal.records, document)
    for name in ("double_sends", "overfills", "lost_fills", "phantom_fills", "orphan_orders"):
        setattr(result, name, verdict[name])
    if world.is_cut:  # in the middle of a run our knowledge may trail the venue's
        result.lost_fills = result.orphan_orders = 0
    result.orphan_orders += len(world.witness.orphans)
    result.findings = [*world.witness.findings, *map(str, _lines(verdict))]
    result.orders = sum(bool(row.client_order_id) for row in ledger.orders.values())
    result.fills = sum(bool(row.client_order_id) for row in ledger.fills)
    result.crashes, result.crashes_with_inflight = world.runs - 1, world.crashes_in_flight
    result.limit_breaches = world.witness.limit_breaches
    result.absent_but_there = world.witness.absent_but_there
    result.placed_while_closed = world.records.placed_while_closed
    result.placed_while_unarmed = _unarmed(world, ledger)
    result.misbooked_fills = _misbooked(world, ledger)
    result.cancels_held = world.records.cancels_held
    result.acks_lost = len(world.records.timed_out)
    result.faults = {**world.weather.counts, **world.simulator.fault_counts}
    if paid := sum(row.kind == FUNDING for row in ledger.cash):
        result.faults[FUNDING] = paid
    result.resends = world.terms.resends
    result.copies, result.voids = world.records.copies, world.records.voids
    result.replacements = world.records.replaced
    result.late_accepts = world.records.late_accepts
    result.absent_then_resent = world.records.absent_then_resent
    result.outcomes = _outcomes(world, ledger)
    result.seconds = (world.timers.clock.now_ns() - world.start_ns) / NS
    result.is_cut = world.is_cut
    if not world.is_cut:
        claims = ("position_matches_venue", "cash_matches_venue")
        is_open = any(world.process.engine.orders.all_open(ACCOUNT))
        same = all(verdict[name] for name in claims) and not verdict["ghost_orders"]
        result.not_converged = int(not same or is_open)
        if is_open:
            rest = [o.client_order_id[:24] for o in world.process.engine.orders.all_open(ACCOUNT)]
            result.findings.append(f"still open to us: {', '.join(rest[:5])}")
    return result


def _lines(verdict: checks.Verdict) -> Iterable[object]:
    found = verdict["findings"]
    return found if isinstance(found, list) else ()


def _hash(records: Iterable[Record], document: dict[str, object]) -> str:
    """One text for everything that happened: the same seed, the same text."""
    digest = blake2b(digest_size=16)
    encode = msgspec.json.Encoder().encode
    for record in records:
        digest.update(encode(record))
    digest.update(encode(document))
    return digest.hexdigest()


def _document(world: "World") -> dict[str, object]:
    """The ledger's rows; strangers' open orders are not ours to know."""
    document = dict(world.simulator.ledger())
    rows = document["orders"]
    assert isinstance(rows, list)
    document["orders"] = [
        row if row["client_order_id"] or row["status"] != "open" else {**row, "status": "canceled"}
        for row in rows
    ]
    return document


def _believed(world: "World") -> dict[str, object]:
    engine = world.process.engine
    return {
        "account": ACCOUNT,
        "fills": [_row(fill) for fill in world.booked],
        "positions": {
            instrument: fixed.text(position.quantity)
            for _, instrument, position in engine.positions.items()
        },
        "balances": {
            asset: fixed.text(total) for (_, asset), total in engine.positions.balances.items()
        },
        "open_orders": [o.client_order_id for o in engine.orders.all_open(ACCOUNT) if o.is_open],
        "doubts_open": engine.orders.doubts(ACCOUNT),
    }


def _row(fill: Filled) -> dict[str, str]:
    return {
        "fill_key": fill.fill_key,
        "instrument": fill.instrument,
        "side": fill.side,
        "price": fixed.text(fill.price),
        "quantity": fixed.text(fill.quantity),
        "fee": fixed.text(fill.fee),
        "fee_asset": fill.fee_asset,
    }


def _misbooked(world: "World", ledger: Ledger) -> int:
    """How far the strategy's own share is from what its orders filled: nobody else's counts."""
    true = sum(
        fill.quantity if fill.side == "buy" else -fill.quantity
        for fill in ledger.fills
        if fill.client_order_id
    )
    # Whose an order was that the journal has lost, nobody can know.
    if world.is_cut or world.lost:
        return 0
    return int(world.process.engine.positions.share(STRATEGY, world.terms.instrument) != true)


def _unarmed(world: "World", ledger: Ledger) -> int:
    """Orders that the venue took while no dead-man switch can have stood behind them."""
    reach_ns = world.process.engine.settings.accounts[ACCOUNT].dead_man_ns
    if not reach_ns:
        return 0
    found, armed_ns = 0, 0
    for row in ledger.requests:
        if row.method == "arm_dead_man" and row.outcome == "accepted":
            armed_ns = row.at_ns
        elif row.method == "place" and row.outcome == "accepted" and row.client_order_id:
            order = ledger.orders.get(row.venue_order_id)
            # What the venue takes past its bound was sent long before.
            is_timely = order is None or not order.is_past_bound
            found += is_timely and row.at_ns - armed_ns > reach_ns
    return found


def _outcomes(world: "World", ledger: Ledger) -> dict[str, dict[str, int]]:
    """Fault kind x outcome, for every order whose answer was lost to a fault."""
    opened = {row.client_order_id: row.opened_ns for row in ledger.orders.values()}
    arrived = {
        row.client_order_id: row
        for row in ledger.requests
        if row.method in PLACING and row.outcome != "dropped"
    }
    table: dict[str, Counter[str]] = {}
    for client_order_id, kinds in world.weather.marks.items():
        outcome = _outcome(world, client_order_id, opened, arrived)
        for kind in kinds if outcome else ():
            table.setdefault(kind, Counter())[outcome] += 1
            if client_order_id in world.records.absent:
                table[kind]["absent"] += 1
            if client_order_id in world.records.resent:
                table[kind]["resent"] += 1
            if client_order_id in world.records.late:
                table[kind]["late_accept"] += 1
    return {kind: dict(counts) for kind, counts in table.items()}


def _outcome(
    world: "World",
    client_order_id: str,
    opened: Mapping[str, int],
    arrived: Mapping[str, RequestRow],
) -> str:
    sent_ns = world.records.placed.get(client_order_id)
    if sent_ns is None:
        return ""
    bound_ns = sent_ns + world.terms.venue.capabilities.bound_ns
    if client_order_id in opened:
        return "executed" if opened[client_order_id] <= bound_ns else "arrived_late"
    row = arrived.get(client_order_id)
    if row is None:
        return "never_arrived"
    is_late = row.at_ns > bound_ns or any(word in row.reason for word in LATE_WORDS)
    return "arrived_late" if is_late else "refused_copy"
