"""What a run is judged by: the simulator's ledger against what the program believes.

Every number of the verdict can be recomputed from the two documents. Doubles are counted by
intent, not by id: the program gives every intended order a quantity of its own, so two accepted
orders of one (account, instrument, side, original quantity) are one intent sent twice.

`believed` is what the program writes beside the ledger:
{"fills": [rows as in the ledger], "positions": {instrument: text}, "balances": {asset: text},
"open_orders": [client order ids], "doubts_open": n, "account": name}. A position is what the
booked fills add up to; flat positions and empty balances may be left out. Without "account", the
ledger's accounts that sent anything or have fills are judged together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct, ValidationError, convert

from crosswire.fixed import parse, text

MAX_FINDINGS = 50  # lines of detail; the counts go on

Verdict = dict[str, object]


class _Fill(Struct):
    fill_key: str
    instrument: str
    side: str
    price: str
    quantity: str
    fee: str = "0"
    fee_asset: str = ""
    client_order_id: str = ""
    venue_order_id: str = ""
    account: str = ""


class _Order(Struct):
    venue_order_id: str
    client_order_id: str
    account: str
    instrument: str
    side: str
    quantity: str
    original_quantity: str
    filled: str
    status: str


class _Request(Struct):
    account: str
    method: str
    client_order_id: str
    venue_order_id: str
    quantity: str | None
    outcome: str


class _Cash(Struct):
    account: str
    asset: str
    amount: str
    fee: str
    balance: str
    ledger_id: str


class _Ledger(Struct):
    venue: str
    requests: list[_Request]
    orders: list[_Order]
    fills: list[_Fill]
    starting_balances: dict[str, dict[str, str]]
    balances: dict[str, dict[str, str]]
    cash: list[_Cash]


class _Believed(Struct):
    fills: list[_Fill]
    positions: dict[str, str]
    balances: dict[str, str]
    open_orders: list[str]
    doubts_open: int
    account: str = ""


class _Intent(NamedTuple):
    account: str
    instrument: str
    side: str
    quantity: int


class _Findings:
    """Lines that say where a count comes from."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        if len(self.lines) < MAX_FINDINGS:
            self.lines.append(line)


def judge(ledger: Mapping[str, object], believed: Mapping[str, object]) -> Verdict:
    """Return the verdict on a run; `ValueError` if a document does not have its form.

    Counts: orders_sent orders_accepted fills amends cancels double_sends overfills lost_fills
    phantom_fills orphan_orders ghost_orders doubts_open. Claims: position_matches_venue
    cash_matches_venue ledger_is_consistent, and is_clean: no count or claim speaks against the
    run (open doubts aside). `findings` are lines that name the offenders.
    """
    try:
        venue, mind = convert(ledger, _Ledger), convert(believed, _Believed)
    except ValidationError as error:
        raise ValueError(f"not a ledger, or not what a program believes: {error}") from None
    findings = _Findings()
    seen = _of_account(venue, mind.account)
    verdict: Verdict = {
        "orders_sent": sum(row.method in {"place", "edit"} for row in seen.requests),
        "orders_accepted": len(seen.orders),
        "fills": len(seen.fills),
        "amends": _count_accepted(seen.requests, "amend", "edit"),
        "cancels": _count_accepted(seen.requests, "cancel", "cancel_all"),
        "double_sends": _double_sends(seen, findings),
        "overfills": _overfills(seen, findings),
        **_compare_fills(seen, mind, findings),
        **_compare_open(seen, mind, findings),
        "doubts_open": mind.doubts_open,
        "position_matches_venue": _positions_match(seen, mind, findings),
        "cash_matches_venue": _cash_matches(seen, mind, findings),
        "ledger_is_consistent": _is_consistent(seen, findings),
    }
    verdict["is_clean"] = _is_clean(verdict)
    verdict["findings"] = findings.lines
    return verdict


MUST_BE_ZERO = (
    "double_sends",
    "overfills",
    "lost_fills",
    "phantom_fills",
    "orphan_orders",
    "ghost_orders",
)
MUST_HOLD = ("position_matches_venue", "cash_matches_venue", "ledger_is_consistent")


def _is_clean(verdict: Verdict) -> bool:
    return not any(verdict[name] for name in MUST_BE_ZERO) and all(
        verdict[name] for name in MUST_HOLD
    )


def _of_account(ledger: _Ledger, account: str) -> _Ledger:
    """The ledger's rows of the accounts that are judged."""
    if account:
        accounts = {account}
    else:
        rows: list[_Request | _Order | _Fill] = [*ledger.requests, *ledger.orders, *ledger.fills]
        accounts = {row.account for row in rows} or set(ledger.balances)
    starting, balances = ledger.starting_balances, ledger.balances
    return _Ledger(
        ledger.venue,
        [row for row in ledger.requests if row.account in accounts],
        [row for row in ledger.orders if row.account in accounts],
        [row for row in ledger.fills if row.account in accounts],
        {name: held for name, held in starting.items() if name in accounts},
        {name: held for name, held in balances.items() if name in accounts},
        [row for row in ledger.cash if row.account in accounts],
    )


def _count_accepted(requests: Iterable[_Request], *methods: str) -> int:
    return sum(row.method in methods and row.outcome == "accepted" for row in requests)


# --- by intent ---------------------------------------------------------------------------------


def _intents(ledger: _Ledger) -> dict[_Intent, list[_Order]]:
    """Orders by what was meant. One without any id of ours was meant by somebody else."""
    intents: dict[_Intent, list[_Order]] = defaultdict(list)
    for order in ledger.orders:
        quantity = parse(order.original_quantity)
        intents[_Intent(order.account, order.instrument, order.side, quantity)].append(order)
    return {
        intent: orders
        for intent, orders in intents.items()
        if any(order.client_order_id for order in orders)
    }


def _double_sends(ledger: _Ledger, findings: _Findings) -> int:
    doubles = 0
    for intent, orders in _intents(ledger).items():
        if len(orders) > 1:
            doubles += len(orders) - 1
            ids = ", ".join(order.venue_order_id for order in orders)
            findings.add(f"sent twice: {intent.side} {text(intent.quantity)}: {ids}")
    return doubles


def _overfills(ledger: _Ledger, findings: _Findings) -> int:
    """Intents of which more was filled than was ever wanted, amends included."""
    amended: dict[str, int] = defaultdict(int)
    for row in ledger.requests:
        if row.method in {"amend", "edit"} and row.outcome == "accepted" and row.quantity:
            for order_id in {row.venue_order_id, row.client_order_id} - {""}:
                amended[order_id] = max(amended[order_id], parse(row.quantity))
    overfills = 0
    for intent, orders in _intents(ledger).items():
        wanted = max(_wanted(order, amended) for order in orders)
        filled = sum(parse(order.filled) for order in orders)
        if filled > wanted:
            overfills += 1
            findings.add(f"overfilled: {intent.side} {text(filled)} of {text(wanted)} wanted")
    return overfills


def _wanted(order: _Order, amended: Mapping[str, int]) -> int:
    """The most that one order was ever meant to fill."""
    return max(
        parse(order.original_quantity),
        parse(order.quantity),
        amended.get(order.venue_order_id, 0),
        amended.get(order.client_order_id, 0) if order.client_order_id else 0,
    )


# --- the program's belief ----------------------------------------------------------------------


def _name(instrument: str, venue: str) -> str:
    """The venue's own name of an instrument, whichever was written."""
    return instrument.removeprefix(f"{venue}:")


def _terms(fill: _Fill, venue: str) -> tuple[object, ...]:
    """What two records of one fill must agree on."""
    return (
        _name(fill.instrument, venue),
        fill.side,
        parse(fill.price),
        parse(fill.quantity),
        parse(fill.fee),
        fill.fee_asset if parse(fill.fee) else "",
    )


def _compare_fills(ledger: _Ledger, mind: _Believed, findings: _Findings) -> dict[str, int]:
    true = {fill.fill_key: fill for fill in ledger.fills}
    booked = Counter(fill.fill_key for fill in mind.fills)
    lost = [key for key in true if key not in booked]
    for key in lost:
        findings.add(f"lost fill: {key} is not booked")
    phantoms = 0
    for fill in mind.fills:
        known = true.get(fill.fill_key)
        if known is None:
            findings.add(f"phantom fill: {fill.fill_key} never happened")
        elif _terms(known, ledger.venue) != _terms(fill, ledger.venue):
            findings.add(f"phantom fill: {fill.fill_key} is booked with other terms")
        else:
            continue
        phantoms += 1
    for key, times in booked.items():
        if times > 1:
            phantoms += times - 1
            findings.add(f"phantom fill: {key} is booked {times} times")
    return {"lost_fills": len(lost), "phantom_fills": phantoms}


def _compare_open(ledger: _Ledger, mind: _Believed, findings: _Findings) -> dict[str, int]:
    is_open = [order for order in ledger.orders if order.status == "open"]
    known = set(mind.open_orders)
    orphans = [order for order in is_open if order.client_order_id not in known]
    for order in orphans:
        findings.add(f"orphan: {order.venue_order_id} is open and unknown to the program")
    ghosts = known - {order.client_order_id for order in is_open}
    for client_order_id in sorted(ghosts):
        findings.add(f"ghost: {client_order_id} is believed open")
    return {"orphan_orders": len(orphans), "ghost_orders": len(ghosts)}


def _positions_match(ledger: _Ledger, mind: _Believed, findings: _Findings) -> bool:
    true: dict[str, int] = defaultdict(int)
    for fill in ledger.fills:
        quantity = parse(fill.quantity)
        true[fill.instrument] += quantity if fill.side == "buy" else -quantity
    believed = {_name(key, ledger.venue): parse(value) for key, value in mind.positions.items()}
    return _same(true, believed, "position", findings)


def _cash_matches(ledger: _Ledger, mind: _Believed, findings: _Findings) -> bool:
    true: dict[str, int] = defaultdict(int)
    for held in ledger.balances.values():
        for asset, amount in held.items():
            true[asset] += parse(amount)
    believed = {asset: parse(amount) for asset, amount in mind.balances.items()}
    return _same(true, believed, "balance", findings)


def _same(
    true: Mapping[str, int], believed: Mapping[str, int], what: str, findings: _Findings
) -> bool:
    differing = [key for key in {**true, **believed} if true.get(key, 0) != believed.get(key, 0)]
    for key in differing:
        venue, program = text(true.get(key, 0)), text(believed.get(key, 0))
        findings.add(f"{what} of {key}: {venue} at the venue, {program} believed")
    return not differing


# --- the ledger against itself -----------------------------------------------------------------


def _is_consistent(ledger: _Ledger, findings: _Findings) -> bool:
    """Fills add up to the orders' totals, cash rows lead from the first balance to the last."""
    filled: dict[str, int] = defaultdict(int)
    for fill in ledger.fills:
        filled[fill.venue_order_id] += parse(fill.quantity)
    wrong = [o for o in ledger.orders if parse(o.filled) != filled.pop(o.venue_order_id, 0)]
    for order in wrong:
        findings.add(f"ledger: the fills of {order.venue_order_id} do not add up to its total")
    for order_id in filled:
        findings.add(f"ledger: fills of an unknown order {order_id}")
    repeated = len(ledger.fills) - len({fill.fill_key for fill in ledger.fills})
    if repeated:
        findings.add(f"ledger: {repeated} fill keys are repeated")
    is_sound = not (wrong or filled or repeated)
    return _cash_adds_up(ledger, findings) and is_sound


def _cash_adds_up(ledger: _Ledger, findings: _Findings) -> bool:
    held = {
        (account, asset): parse(amount)
        for account, assets in ledger.starting_balances.items()
        for asset, amount in assets.items()
    }
    is_sound = True
    for row in ledger.cash:
        key = (row.account, row.asset)
        held[key] = held.get(key, 0) + parse(row.amount) - parse(row.fee)
        if held[key] != parse(row.balance):
            is_sound = False
            findings.add(f"ledger: cash row {row.ledger_id} leaves a wrong balance")
    final = {
        (account, asset): parse(amount)
        for account, assets in ledger.balances.items()
        for asset, amount in assets.items()
    }
    for account, asset in {**held, **final}:
        if held.get((account, asset), 0) != final.get((account, asset), 0):
            is_sound = False
            findings.add(f"ledger: cash rows do not lead to {account}'s balance of {asset}")
    return is_sound
