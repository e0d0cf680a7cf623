"""What the demo's program believes, and how the ledgers of its venues judge it, one by one."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from crosswire import fixed
from crosswire.app.errors import CrosswireError
from crosswire.app.live import SETTLED, Trader
from crosswire.app.stages import spread
from crosswire.app.views import bare
from crosswire.domain import AnyEvent, Approved, BookLost, Corrected, DoubtMoved, Filled, Halted
from crosswire.doubt import LATE
from crosswire.sim import checks

LAST_NS = 5_000_000_000  # of the trading time: quoting has to go on to its end
ORDERED = ("place", "amend")
Ledger = Mapping[str, Any]
Verdict = dict[str, Any]


class Part(Struct):
    """One venue of a demo: whose account it is there, what is traded, what was booked."""

    venue: str
    account: str
    instrument: str
    booked: list[Filled] = []

    @property
    def instrument_id(self) -> str:
        """The instrument's key inside."""
        return f"{self.venue}:{self.instrument}"


class Tally:
    """Counts by account what the engine counts of all together. It is an observer."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._accounts = {part.venue: part.account for part in parts}
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in self._accounts.values()}

    def hear(self, record: AnyEvent | Approved) -> None:
        """Take note of a doubt's steps, of corrections, late accepts and damaged books."""
        if isinstance(record, BookLost):
            account = self._accounts.get(record.instrument.partition(":")[0], "")
            if record.reason == "checksum" and account:
                self.counts[account]["checksum_failures"] += 1
        elif isinstance(record, DoubtMoved | Corrected | Halted):
            counts = self.counts[record.account]
            if isinstance(record, Corrected):
                counts["corrections"] += 1
            elif isinstance(record, Halted):
                counts["late_accepts"] += record.reason.startswith(LATE)
            elif record.step == "opened":
                counts["doubts"] += 1
            elif record.step == "settled":
                counts[SETTLED + record.evidence.partition(":")[0]] += 1


def record_bookings(trader: Trader, parts: Iterable[Part]) -> None:
    """Keep what is really booked, whatever was heard: that is what the program believes."""
    booked = {part.account: part.booked for part in parts}
    positions = trader.engine.positions
    book: Callable[[Filled, str], object] = positions.book

    def recorded(fill: Filled, strategy: str) -> object:
        booked[fill.account].append(fill)
        return book(fill, strategy)

    vars(positions)["book"] = recorded


def believed(trader: Trader, part: Part) -> dict[str, Any]:
    """What the program believes of one account, in the words of `sim.checks`."""
    engine, account = trader.engine, part.account
    return {
        "account": account,
        "fills": [_fill_row(fill) for fill in part.booked],
        "positions": {
            bare(instrument): fixed.text(position.quantity)
            for owner, instrument, position in engine.positions.items()
            if owner == account
        },
        "balances": {
            asset: fixed.text(total)
            for (owner, asset), total in engine.positions.balances.items()
            if owner == account
        },
        "open_orders": [
            order.client_order_id for order in engine.orders.all_open(account) if order.is_open
        ],
        "doubts_open": engine.orders.doubts(account),
    }


def _fill_row(fill: Filled) -> dict[str, str]:
    return {
        "fill_key": fill.fill_key,
        "venue_order_id": fill.venue_order_id,
        "client_order_id": fill.client_order_id,
        "account": fill.account,
        "instrument": bare(fill.instrument),
        "side": fill.side,
        "price": fixed.text(fill.price),
        "quantity": fixed.text(fill.quantity),
        "fee": fixed.text(fill.fee),
        "fee_asset": fill.fee_asset,
    }


def judge(
    trader: Trader, part: Part, counts: Counter[str], ledger: Ledger, ended_ns: int
) -> Verdict:
    """Return one venue's verdict: its ledger's, and what no ledger can know."""
    try:
        found = checks.judge(ledger, believed(trader, part))
    except ValueError as error:
        raise CrosswireError(str(error)) from None
    told = trader.statistics(part.account)
    orders = trader.engine.orders
    rest = [order for order in orders.unsettled.values() if order.account == part.account]
    is_done = not (rest or orders.open_count(part.account)) and trader.failure is None
    return {
        **found,
        "checksum_failures": counts["checksum_failures"],
        "doubts": counts["doubts"],
        "doubts_settled": {
            name.removeprefix(SETTLED): count
            for name, count in sorted(counts.items())
            if name.startswith(SETTLED)
        },
        "fallbacks": told["fallbacks"],
        "rest_orders": told["rest_orders"],
        "breaker_openings": told["breaker_openings"],
        "corrections": counts["corrections"],
        "late_accepts": counts["late_accepts"],
        "resends": trader.engine.settings.accounts[part.account].resends,
        "instrument": part.instrument,
        "tick_to_trade_us": spread(trader.ticks_of[part.account]),
        "all_orders_done": is_done,
        "still_quoting": _is_quoting(ledger, ended_ns),
    }


def _is_quoting(ledger: Ledger, ended_ns: int) -> bool:
    """Whether the venue still took orders or amends in the last seconds of the trading time."""
    return any(
        row["outcome"] == "accepted"
        and row["method"] in ORDERED
        and ended_ns - LAST_NS <= row["at_ns"] <= ended_ns
        for row in ledger["requests"]
    )


def together(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return all venues' counts added up, and what is true of every one of them."""
    whole: Verdict = {}
    rows = list(verdicts.values())
    for name, first in rows[0].items() if rows else ():
        values = [row[name] for row in rows]
        if isinstance(first, bool):
            whole[name] = all(values)
        elif isinstance(first, int):
            whole[name] = sum(values)
        elif name == "doubts_settled":
            whole[name] = dict(sorted(sum((Counter(each) for each in values), Counter()).items()))
        elif name == "findings":
            whole[name] = [
                f"{venue}: {line}" for venue, row in verdicts.items() for line in row[name]
            ]
    return whole
