"""What the venue's own ledger says at every instant: never our word for it.

After each step of the venue the rows that are new or open are looked at: what could be held at
worst, what was placed while placing was forbidden, what was called absent and is there.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Protocol

from crosswire.domain import Side
from crosswire.fixed import SCALE, text
from crosswire.sim.ledger import Ledger, OrderRow
from crosswire.venues.interface import Simulator

MAX_FINDINGS = 20


class Venue(Simulator, Protocol):
    """A simulator that a world can look into and lead."""

    @property
    def live_ledger(self) -> Ledger: ...

    @property
    def fault_counts(self) -> Mapping[str, int]: ...

    @property
    def fault_menu(self) -> tuple[Mapping[str, float], Mapping[str, float]]: ...

    def set_faults(self, faults: Mapping[str, float]) -> None: ...

    def deposit(self, account: str, asset: str, amount: str, now_ns: int) -> None: ...

    def trim(self, before_ns: int) -> None: ...

    def trade_elsewhere(
        self, account: str, symbol: str, side: Side, quantity: int, price: int, now_ns: int
    ) -> str: ...


class Witness:
    """Watches one account's rows of a ledger."""

    def __init__(self, ledger: Ledger, *, limit: int) -> None:
        """`limit`: the most that may be held at worst, in the quote asset."""
        self.findings: list[str] = []
        self.limit_breaches = 0
        self.worst = 0
        self.absent: set[str] = set()
        self.absent_but_there = 0
        self.orphans: set[str] = set()
        self.lowest_mark = 0
        self._ledger = ledger
        self._limit = limit
        self._orders_seen = 0
        self._fills_seen = 0
        self._requests_seen = 0
        self._open: dict[str, OrderRow] = {}
        self._position = 0
        self._elsewhere = 0  # what strangers in the account have added, in magnitude
        self._is_breached = False

    def mark(self, price: int) -> None:
        """The price at which the program weighs its orders; the lowest is the kindest to it."""
        if price and (not self.lowest_mark or price < self.lowest_mark):
            self.lowest_mark = price

    def look(self) -> None:
        """Look at what is new; cheap when nothing is."""
        ledger = self._ledger
        counts = (len(ledger.orders), len(ledger.fills), len(ledger.requests))
        if counts == (self._orders_seen, self._fills_seen, self._requests_seen):
            return
        new = counts[0] - self._orders_seen
        for row in list(islice(reversed(ledger.orders.values()), new)):
            self._open[row.venue_order_id] = row
            if row.client_order_id in self.absent and not row.is_past_bound:
                self.absent_but_there += 1
                self.find(f"absent, and yet there: {row.client_order_id}")
        for fill in ledger.fills[self._fills_seen :]:
            self._position += fill.quantity if fill.side == "buy" else -fill.quantity
            if not fill.client_order_id:
                self._elsewhere += fill.quantity
        self._orders_seen, self._fills_seen, self._requests_seen = counts
        for key in [key for key, row in self._open.items() if row.status != "open"]:
            del self._open[key]
        self._weigh(self._open.values())

    def _weigh(self, rows: Iterable[OrderRow]) -> None:
        buys = sells = 0
        for row in rows:
            if row.client_order_id:
                rest = row.quantity - row.filled
                if row.side == "buy":
                    buys += rest
                else:
                    sells += rest
        held = max(self._position + buys, sells - self._position, abs(self._position))
        worst = (held - self._elsewhere) * self.lowest_mark // SCALE
        self.worst = max(self.worst, worst)
        is_breached = worst > self._limit
        if is_breached and not self._is_breached:
            self.limit_breaches += 1
            self.find(f"limit breached: {text(worst)} against {text(self._limit)}")
        self._is_breached = is_breached

    def forget(self) -> None:
        """The ledger was trimmed: begin anew, with what is open now."""
        ledger = self._ledger
        self._orders_seen, self._fills_seen = len(ledger.orders), len(ledger.fills)
        self._requests_seen = len(ledger.requests)
        self._open = {key: row for key, row in ledger.orders.items() if row.status == "open"}
        self.absent.clear()
        self.orphans.clear()

    def open_ids(self) -> list[str]:
        """Our ids of what is open at the venue now, in time and by right.

        What it took past its bound nobody can know of before it is told: that is a late accept.
        """
        rows = self._open.values()  # one may have ended since: nothing new arrived with that
        return [
            row.client_order_id
            for row in rows
            if row.client_order_id and row.status == "open" and not row.is_past_bound
        ]

    def orphan(self, client_order_id: str) -> None:
        """The program holds an order for done that is open."""
        if client_order_id not in self.orphans:
            self.orphans.add(client_order_id)
            self.find(f"held for done, but open: {client_order_id}")

    def call_absent(self, client_order_id: str) -> None:
        """The program says that an order is not there and never can be.

        What the venue takes past its bound it may take at any time: that is a late accept, to be
        booked, cancelled and halted on, and no wrong conclusion.
        """
        if client_order_id in self.absent:
            return
        self.absent.add(client_order_id)
        rows = self._ledger.orders.values()
        if any(row.client_order_id == client_order_id and not row.is_past_bound for row in rows):
            self.absent_but_there += 1
            self.find(f"called absent, but there: {client_order_id}")

    def find(self, line: str) -> None:
        """Keep a line for people."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(line)
