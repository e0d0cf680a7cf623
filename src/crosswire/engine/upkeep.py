"""What the engine does by the clock, and what it concludes besides: doubts, reads, dead-man, kills.

`doubt`, `reconcile` and `Watch` each know one thing; here they are asked in turn, and what
orders and reads have to tell is passed on to them.
"""

from collections import Counter
from collections.abc import Collection

from crosswire.asking import Asking
from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    BalancesRead,
    CashMoved,
    ClockMeasured,
    Disconnected,
    DoubtMoved,
    Filled,
    Halted,
    LoggedIn,
    PositionsRead,
    Resumed,
)
from crosswire.doubt import LATE, Doubts, Policy
from crosswire.engine.settings import Settings
from crosswire.engine.watch import Watch
from crosswire.orders import Late, Order, Orders, Owned
from crosswire.orders.orders import PATIENCE
from crosswire.positions import Positions
from crosswire.reconcile import Reconciler, Rhythm
from crosswire.risk import Risk

ODD = "a position that no fill of ours explains"


class Upkeep:
    """The care of all accounts of one engine."""

    def __init__(
        self,
        settings: Settings,
        orders: Orders,
        positions: Positions,
        risk: Risk,
        counts: Counter[str],
    ) -> None:
        accounts = settings.accounts
        self._orders = orders
        self._positions = positions
        self._risk = risk
        self._counts = counts
        self._lags_ns = {name: account.read_lag_ns for name, account in accounts.items()}
        asking = Asking()
        self.heard = asking.heard
        self._doubts = Doubts(
            orders,
            {
                name: Policy(each.read_lag_ns, each.bound_ns, each.resends, each.has_snapshot)
                for name, each in accounts.items()
            },
            asking,
            risk.is_shut,
        )
        self._reconciler = Reconciler(
            orders,
            {
                name: Rhythm(each.orders_every_ns, each.balances_every_ns, each.blind_every_ns)
                for name, each in accounts.items()
            },
            asking,
        )
        self._watch = Watch(settings, orders, risk, self._reconciler.is_following)

    # --- by the clock --------------------------------------------------------------------------

    def events(self, now_ns: int) -> list[AnyEvent]:
        """Return what is to be concluded now."""
        halted = self._risk.halted
        return [*self._watch.breaches(now_ns), *self._doubts.conclusions(now_ns, halted)]

    def commands(self, now_ns: int) -> list[AnyCommand]:
        """Return what is to be asked and cancelled now."""
        return [
            *self._watch.commands(now_ns),
            *self._doubts.due(now_ns, self._risk.halted),
            *self._reconciler.due(now_ns),
        ]

    def is_second(self, now_ns: int) -> bool:
        """Tell whether a new second has begun since the last call."""
        return self._watch.is_second(now_ns)

    # --- what is heard -------------------------------------------------------------------------

    def logged_in(self, event: LoggedIn) -> None:
        """The private stream delivers."""
        self._watch.in_control[event.session] = True
        self._reconciler.logged_in(event)

    def disconnected(self, event: Disconnected) -> None:
        """It does not."""
        self._watch.in_control[event.session] = False
        self._reconciler.logged_out(event)

    def measured(self, event: ClockMeasured) -> None:
        """Our clock and the venue's have moved apart: ours stood still, or was set.

        The dead-man's timer runs over there, so it fires that much earlier by our clock.
        """
        before_ns = self._orders.offsets_ns.get(event.account, event.offset_ns)
        self._orders.apply(event)
        armed_ns = self._risk.armed_ns.get(event.account, 0)
        if armed_ns and event.offset_ns > before_ns:
            self._risk.armed_ns[event.account] = armed_ns - (event.offset_ns - before_ns)

    def cash(self, event: CashMoved) -> None:
        """A row of the venue's ledger."""
        self._positions.move(event)
        self._reconciler.cash(event)

    def balances(self, event: BalancesRead) -> list[AnyEvent]:
        """A read of balances; returns what it put right."""
        # An old total must not undo a newer row: here the lag is doubted like nowhere else.
        lag_ns = PATIENCE * self._lags_ns.get(event.account, 0)
        lag_ns = 0 if event.source == "snapshot" else lag_ns
        wrong = self._positions.read(event, lag_ns)
        adrift_ns = self._positions.adrift_ns(event.account)
        if adrift_ns and not event.venue_ns:
            self._reconciler.hurry(event.account, adrift_ns + lag_ns + 1)
        return list(self._reconciler.balances(event, wrong))

    def positions(self, event: PositionsRead, perps: Collection[str]) -> list[AnyEvent]:
        """A read of positions; returns what it put right."""
        account = event.account
        wrong = self._positions.differing(event, perps, PATIENCE * self._lags_ns.get(account, 0))
        adopted = self._reconciler.positions(event, wrong)
        for name in adopted:
            self._positions.adopt(account, name, wrong[name].held, wrong[name].entry_price)
            self._risk.exposure.touch(account, name)
        # Of what we trade, a lost fill is found soon. What was there before us nobody has weighed.
        is_new = any(
            name not in adopted and not self._positions.get(account, name).booked_ns
            for name in wrong
        )
        found: list[AnyEvent] = [*adopted.values()]
        is_halted = ODD in self._risk.halted.get(account, {})
        if is_new and not is_halted:
            found.append(Halted(event.recv_ns, account, ODD, "fills that explain it, or adoption"))
        elif is_halted and not is_new:
            found.append(Resumed(event.recv_ns, account, ODD))
        return found

    def booked(self, fill: Filled) -> list[AnyEvent]:
        """A fill was booked; returns what that put right."""
        return list(self._reconciler.booked(fill))

    def news(self, now_ns: int) -> list[AnyEvent]:
        """Take what the orders have to tell: steps of doubts, late ones, adopted ones."""
        told, self._orders.news = self._orders.news, []
        found: list[AnyEvent] = []
        for each in told:
            if isinstance(each, DoubtMoved):
                self._count(each)
                found.append(each)
            elif isinstance(each, Owned):
                if each.order.strategy:
                    self._positions.own(each.fill, each.order.strategy)
            elif isinstance(each, Late):
                found.append(self._late(each.order, now_ns))
            else:
                self._counts["orders_adopted"] += 1
                found.append(self._reconciler.adopted(each, now_ns))
        return found

    def _count(self, step: DoubtMoved) -> None:
        if step.step == "opened":
            self._counts["doubts_opened"] += 1
        elif step.step == "settled":
            end = step.evidence.partition(":")[0]
            self._counts[f"doubts_settled_{end}"] += 1

    def _late(self, order: Order, now_ns: int) -> Halted:
        """It lives although we had proof that it could not: something we rely on is not so.

        `doubt` cancels it until it is over; then, and after a whole read, trading goes on.
        """
        self._counts["late_accepts"] += 1
        way_out = "its closure and a whole read of open orders"
        return Halted(now_ns, order.account, f"{LATE}{order.client_order_id}", way_out)
