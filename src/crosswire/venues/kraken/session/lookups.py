"""Look-ups by REST: whole or failed, never half; within the venue's budget for them.

Pages come newest first and are counted from the oldest row, so that rows which appear or go in
front of them between two pages leave no hole. An unknown filter is ignored by the venue without
a word, so a look-up that was narrowed to one order is checked row by row.
"""

from typing import Literal

from msgspec import structs

from crosswire.domain import (
    AnyEvent,
    BalancesRead,
    Filled,
    FillsRead,
    LookUp,
    OrderReported,
    OrdersRead,
    ReadFailed,
)
from crosswire.venues.kraken.decode import errors
from crosswire.venues.kraken.decode.names import Names
from crosswire.venues.kraken.decode.rest import PAGE, FillsPage, OrdersPage, Rest, answer
from crosswire.venues.kraken.encode import bodies
from crosswire.venues.kraken.encode.bodies import Call
from crosswire.venues.kraken.session.open_orders import OpenOrders
from crosswire.venues.kraken.session.outgoing import Outgoing
from crosswire.venues.kraken.session.pacing import POINT, Counter
from crosswire.venues.kraken.wire import RestAssetPair

MAX_PAGES = 40  # 2,000 rows: more than any doubt needs, and half an hour of the lowest budget
MAX_BREAKS = 4  # pages that show less than those before them: asked again, so often
KEPT = 3 * POINT  # of the budget, for what is worth more: cancelling all, the dead-man, a token
MAX_WAITING = 32  # look-ups under way or held back for the budget
MAX_WAIT_NS = 30_000_000_000  # a look-up held back longer is of no use to who asked
_NAMES = "/0/public/AssetPairs"
_COSTS = {"open_orders": 1, "closed_orders": 1, "fills": 4, "balances": 1}
_SECOND = 1_000_000_000


class Job:
    """One look-up: what was asked, and the pages read so far."""

    __slots__ = (
        "breaks",
        "command",
        "fills",
        "is_stuck",
        "left",
        "offset",
        "orders",
        "pages",
        "since_ns",
        "started_ns",
        "top",
        "venue_ns",
        "waiting_ns",
    )

    def __init__(self, command: LookUp, now_ns: int) -> None:
        self.command = command
        start = bodies.start_seconds(command.since_ns)
        self.since_ns = start * _SECOND + 1 if start else 0  # what is asked for, on their clock
        self.started_ns = now_ns
        self.venue_ns = 0  # their clock was at least here then
        self.waiting_ns = now_ns
        self.offset = 0
        self.pages = 0
        # The rows read, counted from the oldest: those after `left`, up to `top`.
        self.left: int | None = None  # None = nothing is read
        self.top = 0
        self.breaks = 0
        self.is_stuck = False
        self.orders: dict[str, OrderReported] = {}
        self.fills: dict[str, Filled] = {}

    def take(self, rows: int, total: int | None) -> bool:
        """Note how far a page of so many rows reaches; returns whether it joins what was read.

        The venue adds rows in front, so a row keeps its number when counted from the old end.
        A page of an older view than the last, or a blind one, begins too low: a hole would stay.
        """
        self.pages += 1
        if total is None:
            self.left = 0 if rows < PAGE else None
            self.offset += rows
            return True
        first = total - self.offset
        last = max(0, first - rows)
        if self.left is None:
            self.left, self.top = last, first
            is_joined = True
        else:
            is_joined = first >= self.left and last <= self.top
            if is_joined:
                self.left, self.top = min(self.left, last), max(self.top, first)
        self.breaks += not is_joined
        self.is_stuck = self.breaks > MAX_BREAKS or (is_joined and not rows)
        self.offset = max(0, total - self.left)
        return is_joined


class LookUps:
    """All look-ups of one login."""

    def __init__(
        self, account: str, outgoing: Outgoing, budget: Counter, orders: OpenOrders
    ) -> None:
        self.names = Names()
        self.counts = {"lookups": 0, "lookups_failed": 0}
        self._account = account
        self._outgoing = outgoing
        self._budget = budget
        self._orders = orders
        self._rest = Rest(account, self.names)
        self._jobs: dict[int, Job] = {}
        self._waiting: list[Job] = []
        self._names_key = 0
        self._names_state: Literal["unknown", "asked", "known"] = "unknown"

    def ask_names(self) -> None:
        """Ask for the names of all pairs: answers of look-ups use old ones."""
        self._names_state = "asked"
        self._names_key = self._outgoing.get(_NAMES)

    def ask(self, command: LookUp, now_ns: int) -> list[AnyEvent]:
        """Begin a look-up, at once or when the budget has room."""
        if command.what not in _COSTS:
            expected = ", ".join((*_COSTS, "snapshot"))
            return self._fail(command, f"unknown look-up: expected one of {expected}", now_ns)
        if len(self._waiting) + len(self._jobs) >= MAX_WAITING:
            return self._fail(command, f"{MAX_WAITING} look-ups are under way already", now_ns)
        self.counts["lookups"] += 1
        self._waiting.append(Job(command, now_ns))
        return self._release(now_ns)

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask what waited for the budget."""
        if self._names_state == "unknown" and self._waiting:
            self.ask_names()
        return self._release(now_ns)

    def answered(self, key: int, status: int, body: bytes, now_ns: int) -> list[AnyEvent]:
        """Read one page; ask for the next, or conclude."""
        if key == self._names_key:
            return self._learn(status, body, now_ns)
        job = self._jobs.pop(key, None)
        if job is None:
            return []
        page = self._page(job, status, body, now_ns)
        if isinstance(page, ReadFailed):
            if errors.is_rate_limit(page.reason):
                self._budget.fill(now_ns)
            return self._fail(job.command, page.reason, now_ns)
        if isinstance(page, BalancesRead):
            return [structs.replace(page, started_ns=job.started_ns)]
        if isinstance(page, OrdersPage):
            if job.take(len(page.orders), page.total):
                job.orders |= {row.venue_order_id: row for row in page.orders}
        elif job.take(len(page.fills), page.total):
            job.fills |= {row.fill_key: row for row in page.fills}
        if job.left == 0 or job.command.what == "open_orders":  # those come without pages
            return self._conclude(job, now_ns)
        if job.is_stuck or job.pages >= MAX_PAGES:
            total = "an unknown number" if page.total is None else page.total
            read = len(job.orders) + len(job.fills)
            reason = f"incomplete: {read} of {total} rows in {job.pages} pages"
            return self._fail(job.command, reason, now_ns)
        job.waiting_ns = now_ns
        self._waiting.insert(0, job)
        return self._release(now_ns)

    def failed(self, key: int, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: a failed look-up is not an empty one."""
        if key == self._names_key:
            self._names_state = "unknown"
            return self._give_up_waiting(f"no names of pairs: {reason}", now_ns)
        job = self._jobs.pop(key, None)
        return self._fail(job.command, reason, now_ns) if job is not None else []

    def _learn(self, status: int, body: bytes, now_ns: int) -> list[AnyEvent]:
        rows = answer(status, body, dict[str, RestAssetPair])
        if rows.result is None:
            self._names_state = "unknown"
            return self._give_up_waiting(f"no names of pairs: {rows.reason}", now_ns)
        self.names.learn_pairs(rows.result)
        self._names_state = "known"
        return self._release(now_ns)

    def _give_up_waiting(self, reason: str, now_ns: int) -> list[AnyEvent]:
        waiting, self._waiting = self._waiting, []
        return [event for job in waiting for event in self._fail(job.command, reason, now_ns)]

    def _release(self, now_ns: int) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        patient: list[Job] = []
        for job in self._waiting:
            cost = _COSTS[job.command.what] * POINT
            has_room = self._names_state == "known" and self._budget.has_room(cost + KEPT, now_ns)
            if has_room and not patient:
                self._budget.add(cost, now_ns)
                if not job.pages:
                    job.started_ns, job.venue_ns = now_ns, self._outgoing.clock.seen_ns
                self._jobs[self._outgoing.post(_call(job), now_ns)] = job
            elif now_ns - job.waiting_ns >= MAX_WAIT_NS:
                events += self._fail(job.command, "held back for 30 s without budget", now_ns)
            else:
                patient.append(job)
        self._waiting = patient
        return events

    def _page(
        self, job: Job, status: int, body: bytes, now_ns: int
    ) -> OrdersPage | FillsPage | BalancesRead | ReadFailed:
        what = job.command.what
        if what == "open_orders":
            return self._rest.open_orders(status, body, now_ns)
        if what == "closed_orders":
            return self._rest.closed_orders(status, body, now_ns)
        if what == "fills":
            return self._rest.trades_history(status, body, now_ns)
        return self._rest.balances(status, body, now_ns)

    def _conclude(self, job: Job, now_ns: int) -> list[AnyEvent]:
        command = job.command
        if command.what == "fills":
            return self._fills_read(job, now_ns)
        own_id = command.client_order_id
        rows = [row for row in job.orders.values() if not own_id or row.client_order_id == own_id]
        read = OrdersRead(
            now_ns,
            self._account,
            "open" if command.what == "open_orders" else "closed",
            tuple(rows),
            job.started_ns,
            is_complete=True,
            source="lookup",
            client_order_id=own_id,
            venue_ns=job.venue_ns,
            since_ns=job.since_ns if command.what == "closed_orders" else 0,
        )
        return [read]

    def _fills_read(self, job: Job, now_ns: int) -> list[AnyEvent]:
        """Return the fills, and then that these were all."""
        fills: list[AnyEvent] = [self._owned(fill) for fill in job.fills.values()]
        read = FillsRead(
            now_ns,
            self._account,
            len(fills),
            job.started_ns,
            since_ns=job.since_ns,
            horizon_ns=max((fill.venue_ns for fill in job.fills.values()), default=0),
        )
        return [*fills, read]

    def _owned(self, fill: Filled) -> Filled:
        """Name our id of a fill's order, which the venue's history does not."""
        own_id = self._orders.own_id(fill.venue_order_id)
        return structs.replace(fill, client_order_id=own_id) if own_id else fill

    def _fail(self, command: LookUp, reason: str, now_ns: int) -> list[AnyEvent]:
        self.counts["lookups_failed"] += 1
        return [ReadFailed(now_ns, command.account, command.what, reason)]


def _call(job: Job) -> Call:
    command = job.command
    if command.what == "open_orders":
        return bodies.open_orders(command.client_order_id)
    if command.what == "closed_orders":
        return bodies.closed_orders(
            command.client_order_id, since_ns=command.since_ns, offset=job.offset
        )
    if command.what == "fills":
        return bodies.trades_history(since_ns=command.since_ns, offset=job.offset)
    return bodies.balance_ex()
