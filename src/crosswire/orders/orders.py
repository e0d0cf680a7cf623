"""Every order of every account: what reads of an account say, and what a new run must doubt.

* A read speaks only about what the venue said of an order before it began, less the lag of
  look-ups. The private stream's own snapshot has no lag.
* Only a complete read can lack something. A look-up that shows nothing at all may be blind.
* What a read shows as over, is over; what it shows as open, was.
"""

from collections.abc import Callable, Collection, Mapping

from crosswire.domain import (
    Accepted,
    Closed,
    FillsRead,
    Missing,
    OrderReported,
    OrdersRead,
    RunEnded,
    RunStarted,
    TimedOut,
)
from crosswire.orders.change import NOTHING, Change
from crosswire.orders.moves import BOUND_MARGIN_NS, Moves
from crosswire.orders.order import Order

# Where a look-up can't prove its age, its lag is taken to be this many times what was declared.
PATIENCE = 4
# What a look-up of fills may still have missed, on top of its lag.
COVER_MARGIN_NS = 10_000_000_000


def _is_never_ours(_client_order_id: str) -> bool:
    return False


class Orders(Moves):
    """All orders, moved by commands, statements and reads."""

    def __init__(
        self,
        read_lag_ns: Mapping[str, int] | None = None,
        is_ours: Callable[[str], bool] = _is_never_ours,
        adopting: Collection[str] = (),
    ) -> None:
        """`is_ours` knows this bot's ids; `adopting` accounts manage strangers' orders as well."""
        super().__init__(read_lag_ns)
        self.run_started_ns = 0
        self.was_clean = True  # the run before this one left nothing open, or there was none
        self.strange_ns: dict[str, int] = {}  # when the stream last named an order of ours we lost
        self.read_venue_ns: dict[str, int] = {}  # the same on the venue's clock
        self.read_ns: dict[str, int] = {}  # when the last whole read of open orders began
        self._ended_clean = True
        self._is_ours = is_ours
        self._adopting = adopting
        self._apply[OrderReported] = self._reported
        self._apply[OrdersRead] = self._orders_read
        self._apply[FillsRead] = self._fills_read
        self._apply[RunStarted] = self._run_started
        self._apply[RunEnded] = self._run_ended

    def forget(self, before_ns: int) -> int:
        """Drop ended orders unchanged since `before_ns`, and keys of fills that all are booked."""
        for account, fills in self._fills.items():
            if fills.covered_ns:
                lag_ns = PATIENCE * self.read_lag_ns(account)
                before_venue_ns = before_ns + self.offsets_ns.get(account, 0)
                fills.forget(min(before_venue_ns, fills.covered_ns - lag_ns))
        return super().forget(before_ns)

    # --- one row -------------------------------------------------------------------------------

    def _reported(self, event: OrderReported) -> Change:
        return self._report(event, event.recv_ns, 0)

    def _report(self, event: OrderReported, started_ns: int, venue_ns: int) -> Change:
        """Take in how the venue showed an order in a read begun then, by either clock."""
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return self._report_unknown(event)
        order.reported_filled = max(order.reported_filled, event.filled)
        ids = (event.account, event.client_order_id, event.venue_order_id)
        if not event.is_open:
            cause = event.cause or ("filled" if event.filled >= event.quantity else "canceled")
            # What only reduces may have been shrunk: then a row tells nothing of its fills.
            is_untold = order.reduce_only and not event.filled
            return self._closed(
                Closed(
                    event.recv_ns,
                    *ids,
                    cause,
                    None if is_untold else event.filled,
                    event.reason,
                    event.source,
                    event.closed_ns,
                )
            )
        is_at_rest = order.changed_ns < started_ns
        if order.missed_ns <= started_ns:
            order.missed_ns = 0  # it is there, and only seemed gone
        self._settle_amends(order, event, venue_ns)
        if order.stage == "DONE" and order.end not in ("rejected", "absent"):
            self._settle(order)
            return NOTHING
        if order.stage == "UNKNOWN" and order.is_proven and not is_at_rest:
            self._settle(order)
            return NOTHING  # it may have ended since: that is what the doubt is about
        # An older read must not undo a newer amend: only an order at rest takes its values.
        if is_at_rest and order.in_flight("amend") is None:
            order.quantity = event.quantity or order.quantity
            order.price = event.price if event.price is not None else order.price
        # A cancel in doubt can only close it, which the stream would show.
        for request in [r for r in order.requests.values() if r.is_doubtful]:
            if request.kind == "cancel":
                self._drop(order, request)
        return self._accepted(Accepted(event.recv_ns, *ids, source=event.source))

    def _settle_amends(self, order: Order, event: OrderReported, venue_ns: int) -> None:
        """Past the bound of a doubtful amend, the stream's own picture tells what came of it."""
        for request in [r for r in order.requests.values() if r.kind == "amend" and r.is_doubtful]:
            bound_ns = self.amend_bound_ns(order, request)
            if event.source == "snapshot" and 0 < bound_ns < venue_ns - BOUND_MARGIN_NS:
                self._drop(order, request)
                order.quantity = event.quantity or order.quantity
                order.price = event.price if event.price is not None else order.price

    def _report_unknown(self, event: OrderReported) -> Change:
        """An order that we do not know: a stranger's, or ours by its id and lost to the journal."""
        key = (event.account, event.venue_order_id)
        is_ours = self._is_ours(event.client_order_id)
        if not event.is_open:
            self.externals.pop(key, None)
        elif is_ours or event.account in self._adopting:
            self.externals.pop(key, None)
            self._adopt(event, is_ours=is_ours)
        else:
            self.externals[key] = event
        return NOTHING

    def _adopt(self, event: OrderReported, *, is_ours: bool) -> None:
        client_order_id = event.client_order_id or event.venue_order_id
        order = Order(
            client_order_id,
            event.account,
            event.instrument,
            event.side,
            event.quantity,
            event.price,
            event.order_type,
            event.time_in_force,
            strategy="" if is_ours else "external",
            stage="LIVE",
            venue_order_id=event.venue_order_id,
            reported_filled=event.filled,
            is_proven=True,
            is_adopted=is_ours,
            known_ns=event.recv_ns,
            changed_ns=event.recv_ns,
        )
        order.stamps.approved = event.opened_ns or event.recv_ns
        self._by_id[client_order_id] = order
        self._by_venue_id[(event.account, event.venue_order_id)] = order
        self.news.append(order)
        self._own(order)
        if 0 < event.opened_ns < self.fills(event.account).watermark_ns:
            # Fills from before our time are nobody's to book: only their sum is known.
            before = max(0, event.filled - order.filled)
            order.filled += before
            order.cost += before * (event.price or 0)
        self._settle(order)

    # --- whole reads ---------------------------------------------------------------------------

    def _orders_read(self, event: OrdersRead) -> Change:
        lag_ns = 0 if event.source == "snapshot" else self.read_lag_ns(event.account)
        for reported in event.orders:
            self._report(reported, event.started_ns - lag_ns, event.venue_ns)
        if event.is_complete and not event.client_order_id:
            shown = {reported.venue_order_id for reported in event.orders}
            shown |= {reported.client_order_id for reported in event.orders}
            if event.scope == "open":
                self._open_read(event, shown - {""}, lag_ns)
            else:
                self._closed_read(event, shown - {""}, lag_ns)
        return NOTHING

    def _open_read(self, event: OrdersRead, shown: set[str], lag_ns: int) -> None:
        if event.source != "snapshot" and not (event.orders or event.is_sure):
            self._miss(event, lag_ns)
            return  # true or blind, nobody can tell
        self.read_ns[event.account] = event.started_ns
        self.read_venue_ns[event.account] = event.venue_ns - lag_ns
        for key in [key for key in self.externals if key[0] == event.account]:
            if key[1] not in shown:
                del self.externals[key]
        for order in list(self.all_open(event.account)):
            if shown & {order.venue_order_id, order.client_order_id}:
                continue
            # A look-up shows the venue as it was; that moment has to be past the bound.
            venue_ns = max(0, event.venue_ns - PATIENCE * lag_ns)
            # What we asked of it since says nothing of where it is; what the venue said does.
            if order.known_ns < event.started_ns - lag_ns:
                ids = (order.account, order.client_order_id, order.venue_order_id)
                self._missing(Missing(event.recv_ns, *ids, event.source, venue_ns))
            elif order.stage == "UNKNOWN":
                evidence = f"missing from the {event.source}"
                self._rule_out(order, venue_ns, event.recv_ns, evidence)
            # The later the second look, the more of what was late it would show.
            waited_ns = _waited_ns(order, event) - lag_ns
            is_later = order.ruled_out_ns and waited_ns > self.read_lag_ns(event.account)
            if is_later and not order.open_lacked_ns:
                order.open_lacked_ns = event.recv_ns
                self._tell(order, "open orders lack it", f"the {event.source}, whole")

    def _miss(self, event: OrdersRead, lag_ns: int) -> None:
        """Nothing was shown although something should be: the stream is to be asked."""
        for order in list(self.all_open(event.account)):
            if order.stage == "LIVE" and order.known_ns < event.started_ns - lag_ns:
                order.missed_ns = event.recv_ns
                self._settle(order)

    def _closed_read(self, event: OrdersRead, shown: set[str], lag_ns: int) -> None:
        """What was never open past its bound, and never ended, never was."""
        for order in list(self.unsettled.values()):
            if order.account != event.account or not order.ruled_out_ns or order.closed_lacked_ns:
                continue
            waited_ns = _waited_ns(order, event)
            is_fresh = event.horizon_ns > order.ruled_venue_ns
            has_seen = event.horizon_ns > 0 or event.is_sure
            is_patient = has_seen and waited_ns >= PATIENCE * lag_ns
            is_wide = event.since_ns <= self.sent_venue_ns(order)
            is_lacked = not shown & {order.venue_order_id, order.client_order_id}
            if is_lacked and is_wide and waited_ns >= lag_ns and (is_fresh or is_patient):
                order.closed_lacked_ns = event.recv_ns
                self._tell(order, "closed orders lack it", _lacking(order, event, waited_ns))

    def sent_venue_ns(self, order: Order) -> int:
        """Return the earliest time, on the venue's clock, at which an order can have begun."""
        on_the_way_ns = max(0, order.bound_ns - order.stamps.approved)
        bound_ns = self.venue_bound_ns(order)
        if bound_ns:
            return bound_ns - on_the_way_ns - BOUND_MARGIN_NS
        return order.stamps.approved + self.offsets_ns.get(order.account, 0) - BOUND_MARGIN_NS

    def _fills_read(self, event: FillsRead) -> Change:
        """A whole look-up of fills reaches on from where the last one ended, or proves nothing.

        One that shows nothing may be blind, and what it did not show is still to be asked for.
        """
        fills = self.fills(event.account)
        # When it began, on the venue's clock, is only known if the two stayed together since.
        is_dated = event.started_ns > self.measured_ns.get(event.account, 0)
        is_dated = is_dated and event.account not in self._outdated
        is_next = event.since_ns <= self.fills_since_ns(event.account)
        if event.horizon_ns and is_dated and is_next:
            started_ns = event.started_ns + self.offsets_ns.get(event.account, 0)
            fills.covered_ns = max(fills.covered_ns, started_ns)
            self._end_untold(event)
        return NOTHING

    def _end_untold(self, event: FillsRead) -> None:
        """An order whose end named no quantity filled what is booked once all fills are known."""
        shown_ns = event.started_ns - PATIENCE * self.read_lag_ns(event.account)
        for order in list(self.unsettled.values()):
            is_untold = order.stage == "DONE" and order.end_filled is None and order.reserved > 0
            if is_untold and order.account == event.account and order.known_ns < shown_ns:
                order.end_filled = order.filled
                self._settle(order)

    def fills_since_ns(self, account: str) -> int:
        """Return from when on, by the venue's clock, fills may not be booked yet."""
        fills = self.fills(account)
        if not fills.covered_ns:
            return fills.watermark_ns
        lag_ns = PATIENCE * self.read_lag_ns(account) + COVER_MARGIN_NS
        return max(fills.covered_ns - lag_ns, fills.watermark_ns)

    def _accepted(self, event: Accepted) -> Change:
        change = super()._accepted(event)
        if change.order is None and self._is_ours(event.client_order_id):
            self.strange_ns[event.account] = event.recv_ns  # a read has to tell what it is
        return change

    # --- a new run -----------------------------------------------------------------------------

    def _run_ended(self, event: RunEnded) -> Change:
        self._ended_clean = event.is_clean
        return NOTHING

    def _run_started(self, event: RunStarted) -> Change:
        """A new process knows nothing of answers the old one may have missed."""
        self.was_clean, self._ended_clean = self._ended_clean, False
        self.run_started_ns = event.recv_ns
        self._outdated = set(self.offsets_ns)  # our clock is another one now
        if not self._began_ns:
            self._began_ns = event.recv_ns
            for account in self._fills:
                self._begin(account)
        for order in list(self.all_open()):
            for request in list(order.requests.values()):
                self._timed_out(TimedOut(event.recv_ns, order.account, request.request_id, "crash"))
        return NOTHING


def _lacking(order: Order, read: OrdersRead, waited_ns: int) -> str:
    when = f"read {waited_ns // 1_000_000} ms after it was ruled out"
    if not read.orders:
        return f"no closed orders in a look-up that sees, {when}"
    youngest_ms = (read.horizon_ns - order.ruled_venue_ns) // 1_000_000
    return (
        f"{len(read.orders)} closed orders, {when}, the youngest ended {youngest_ms} ms after that"
    )


def _waited_ns(order: Order, read: OrdersRead) -> int:
    """How long after an order was ruled out a read began: by both clocks, the shorter."""
    waited_ns = read.started_ns - order.ruled_out_ns
    if read.venue_ns and order.ruled_venue_ns:
        return min(waited_ns, read.venue_ns - order.ruled_venue_ns)
    return waited_ns
