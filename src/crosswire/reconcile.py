"""What the venue says against what we believe: when to ask, and what was wrong.

The stream is believed; look-ups are there for what it may have lost. Orders are read every half a
minute, balances and fills every minute, all of them after each login. Nothing is ever made up: a
fill is booked only with its key, a balance is the venue's own total, and each time that we were
wrong is told as `Corrected`, with its cause and how it came out.

Cash rows are joined to fills: a trade's row whose fill is not booked a moment later means that
the fill was lost, and the fills are looked up at once. A position that the venue shows otherwise
is looked into the same way; only what no look-up of fills explains is taken over, and said.
"""

from collections.abc import Mapping

from msgspec import Struct

from crosswire.asking import Asking
from crosswire.domain import (
    AnyCommand,
    BalancesRead,
    CashMoved,
    Corrected,
    Disconnected,
    Filled,
    LoggedIn,
    LookUp,
    PositionsRead,
)
from crosswire.fixed import text
from crosswire.orders import Order, Orders
from crosswire.orders.orders import PATIENCE
from crosswire.positions import Difference

SECOND_NS = 1_000_000_000
OVERDUE_NS = SECOND_NS  # a fill may trail its cash row by this
PERIODIC = ("open_orders", "balances", "fills")
CALM_NS = 5 * SECOND_NS  # between two reads that are not due to the rhythm
MAX_AWAITED = 1_000  # cash rows that wait for their fills: beyond it the periodic reads find them
GIVE_UP_NS = 600 * SECOND_NS  # a row whose fill no look-up shows is not a fill's


class Rhythm(Struct, frozen=True):
    """How often an account is read."""

    orders_every_ns: int = 30 * SECOND_NS
    balances_every_ns: int = 60 * SECOND_NS  # fills as well
    blind_every_ns: int = 20 * SECOND_NS  # orders and fills, while the private stream is lost


class _Reads(Struct):
    """When the money and the fills of one account are due besides their rhythm."""

    due_ns: int = 0
    lost_ns: int = 0  # since when the private stream is lost; 0 = it delivers
    is_ready: bool = False  # it was logged in once


class Reconciler:
    """All accounts of one bot."""

    def __init__(self, orders: Orders, rhythms: Mapping[str, Rhythm], asking: Asking) -> None:
        self._orders = orders
        self._asking = asking
        self._rhythms = rhythms
        self._reads = {name: _Reads() for name in rhythms}
        self._awaited: dict[tuple[str, str], CashMoved] = {}
        # Positions that fills do not explain yet: how far apart, since when.
        self._odd: dict[tuple[str, str], tuple[int, int]] = {}

    # --- when to ask ---------------------------------------------------------------------------

    def logged_in(self, event: LoggedIn) -> None:
        """A new connection has shown the open orders; money and fills are asked for now."""
        reads = self._reads.get(event.session)
        if reads is not None:
            reads.is_ready, reads.lost_ns = True, 0
            reads.due_ns = event.recv_ns

    def logged_out(self, event: Disconnected) -> None:
        """The private stream is lost: orders go by REST, and look-ups stand in for it."""
        reads = self._reads.get(event.session)
        if reads is not None and not reads.lost_ns:
            reads.lost_ns = event.recv_ns

    def is_following(self, account: str, now_ns: int) -> bool:
        """Whether look-ups stand in for the lost stream, and keep coming."""
        reads = self._reads[account]
        stale_ns = now_ns - 2 * self._rhythms[account].blind_every_ns
        heard = (self._asking.answered_ns(account, what) for what in ("open_orders", "fills"))
        return bool(reads.lost_ns) and min(heard) > stale_ns

    def due(self, now_ns: int) -> list[AnyCommand]:
        """Return the look-ups that are due."""
        commands: list[AnyCommand] = []
        for name, reads in self._reads.items():
            if not reads.is_ready:
                continue
            for what in PERIODIC:
                moments = [self._next_ns(name, what, reads)]
                if what == "fills":
                    moments += self._ripe(name, now_ns)
                if self._asking.is_due(name, what, moments, now_ns):
                    since_ns = self._orders.fills_since_ns(name) if what == "fills" else 0
                    commands.append(LookUp(name, what, since_ns=max(0, since_ns)))
        return commands

    def _next_ns(self, account: str, what: str, reads: _Reads) -> int:
        """When a kind of read is due next: after the last answer, or a login since."""
        rhythm = self._rhythms[account]
        is_orders = what == "open_orders"
        every_ns = rhythm.orders_every_ns if is_orders else rhythm.balances_every_ns
        last_ns = self._asking.answered_ns(account, what)
        if reads.lost_ns and what != "balances":
            every_ns = min(every_ns, rhythm.blind_every_ns)
        # A login shows open orders by itself. One that comes and goes must not eat the budget.
        if reads.due_ns > last_ns and not is_orders:
            return max(reads.due_ns, last_ns + CALM_NS)
        return last_ns + every_ns

    def _ripe(self, account: str, now_ns: int) -> list[int]:
        """Since when fills are missing whose cash has moved."""
        if not self._awaited:
            return []
        old = [key for key, row in self._awaited.items() if now_ns - row.recv_ns > GIVE_UP_NS]
        for key in old:
            del self._awaited[key]
        rows = [row for (owner, _), row in self._awaited.items() if owner == account]
        return [row.recv_ns + OVERDUE_NS for row in rows]

    # --- what was wrong ------------------------------------------------------------------------

    def cash(self, event: CashMoved) -> None:
        """A row of the venue's ledger: one of a trade is waited for until its fill is booked."""
        is_trade = event.kind == "trade" and event.ref
        if not is_trade or len(self._awaited) >= MAX_AWAITED:
            return
        if self._orders.fill(event.account, event.ref) is None:
            self._awaited[(event.account, event.ref)] = event

    def booked(self, fill: Filled) -> list[Corrected]:
        """A fill was booked: nothing to say, unless a look-up had to tell of it."""
        awaited = self._awaited.pop((fill.account, fill.fill_key), None)
        if fill.source != "lookup":
            return []
        if awaited is None:
            self.hurry(fill.account, fill.recv_ns + 1)  # nor did it tell what that moved
        offset_ns = self._orders.offsets_ns.get(fill.account, 0)
        if awaited is None and fill.recv_ns + offset_ns - fill.venue_ns < OVERDUE_NS:
            return []  # the look-up was quicker than the stream
        what = f"fill {fill.fill_key}: {fill.side} {text(fill.quantity)} at {text(fill.price)}"
        evidence = "a look-up of fills"
        if awaited is not None:
            evidence += f", and cash row {awaited.ledger_id}"
        order_id = fill.client_order_id
        cause = "the stream did not tell of it"
        return [Corrected(fill.recv_ns, fill.account, what, cause, evidence, order_id)]

    def adopted(self, order: Order, now_ns: int) -> Corrected:
        """An open order was taken into the table that no record of ours knows."""
        what = f"order {order.venue_order_id}: {order.side} {text(order.quantity)}, open"
        cause = "a stranger's, to be managed"
        if order.is_adopted:
            cause = "ours by its id, but the journal has lost it: it is cancelled"
        ids = order.client_order_id
        return Corrected(now_ns, order.account, what, cause, "a read of open orders", ids)

    def balances(
        self, event: BalancesRead, wrong: Mapping[str, tuple[int, int]]
    ) -> list[Corrected]:
        """A read of balances differs from what the rows of the stream had added up to."""
        found: list[Corrected] = []
        for asset, (believed, total) in wrong.items():
            what = f"balance of {asset}: {text(believed)} believed, {text(total)} at the venue"
            cause = "the stream lost rows of the ledger"
            evidence = f"a {event.source} of balances"
            found.append(Corrected(event.recv_ns, event.account, what, cause, evidence))
        if found:
            self.hurry(event.account, event.recv_ns + 1)  # a lost fill may be behind it
        return found

    def hurry(self, account: str, at_ns: int) -> None:
        """Money and fills are to be read then, whatever the rhythm."""
        if account in self._reads:
            self._reads[account].due_ns = at_ns

    def positions(
        self, event: PositionsRead, wrong: Mapping[str, Difference]
    ) -> dict[str, Corrected]:
        """Return which differing positions are to be taken over now, each with its correction.

        A lost fill is the likelier cause, so a look-up that has caught up must have had its say.
        """
        account, found = event.account, {}
        for key in [key for key in self._odd if key[0] == account and key[1] not in wrong]:
            del self._odd[key]
        lag_ns = PATIENCE * self._orders.read_lag_ns(account)
        for name, each in wrong.items():
            apart = each.held - each.believed
            known, since_ns = self._odd.get((account, name), (0, 0))
            if known != apart:
                since_ns = event.recv_ns
                self._odd[(account, name)] = (apart, since_ns)
            asked_ns = self._asking.answered_ns(account, "fills")
            if asked_ns <= since_ns + lag_ns:
                self.hurry(account, since_ns + 1 + (lag_ns if asked_ns > since_ns else 0))
                continue
            del self._odd[(account, name)]
            what = f"position in {name}: {text(each.believed)} believed, {text(each.held)} held"
            cause = "no look-up shows fills that explain it"
            evidence = f"a {event.source} of positions"
            found[name] = Corrected(event.recv_ns, account, what, cause, evidence)
        return found
