"""How one statement moves one order.

Rules that stand on sequences which break programs without them:

* A fill is booked once per fill key, in every stage, and marked as seen after it was applied.
* A refusal speaks for one copy of a request; an order is rejected when every copy is refused.
* A cancel's refusal never closes an order.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from crosswire.domain import (
    Absent,
    Accepted,
    Amended,
    AmendRejected,
    AnyEvent,
    CancelAccepted,
    CancelRejected,
    ClockMeasured,
    Closed,
    DoubtMoved,
    Filled,
    Missing,
    Rejected,
    Reversed,
    Sent,
    TimedOut,
)
from crosswire.orders.change import NOTHING, Change
from crosswire.orders.fills import BookedFills
from crosswire.orders.order import Order, Request
from crosswire.orders.requests import Requests
from crosswire.orders.table import TABLE

# After the bound, how far the venue's clock must be past it before a refused cancel or a
# complete read rules out that the order is open: covers the skew of the two clocks.
BOUND_MARGIN_NS = 1_000_000_000
MAX_SKEW_NS = 60_000_000_000


class Late(NamedTuple):
    """An order lives, or lived, although we had proof that it could not."""

    order: Order


class Owned(NamedTuple):
    """A fill that was booked to the account alone belongs to an order of ours after all."""

    order: Order
    fill: Filled


class Moves(Requests):
    """All orders, moved by commands and by statements about one of them."""

    def __init__(self, read_lag_ns: Mapping[str, int] | None = None) -> None:
        """`read_lag_ns`: how far each account's look-ups may trail its stream."""
        super().__init__()
        self.offsets_ns: dict[str, int] = {}  # how far each account's venue is ahead of our clock
        self.measured_ns: dict[str, int] = {}  # when that was last found to have changed
        self._outdated: set[str] = set()  # accounts whose clock nobody has measured in this run
        # Steps of doubts; orders that came late, or were adopted: until somebody takes them.
        self.news: list[DoubtMoved | Order | Late | Owned] = []
        self.unsettled: dict[str, Order] = {}  # in doubt, or with fills that are still missing
        self.closed_ns: dict[str, int] = {}  # when, by the venue's clock, it last ended an order
        self._read_lag_ns = read_lag_ns or {}
        self._fills: dict[str, BookedFills] = {}
        self._began_ns = 0  # when the journal's first run started
        self._cause: AnyEvent | None = None
        self._apply: dict[type, Callable[[Any], Change]] = {
            Sent: self._sent,
            Accepted: self._accepted,
            Rejected: self._rejected,
            Amended: self._amended,
            AmendRejected: self._request_refused,
            CancelRejected: self._request_refused,
            CancelAccepted: self._cancel_accepted,
            Filled: self._filled,
            Closed: self._closed,
            TimedOut: self._timed_out,
            Missing: self._missing,
            Absent: self._absent,
            Reversed: self._reverse,
            ClockMeasured: self._measured,
        }

    def fills(self, account: str) -> BookedFills:
        """Return which fills of an account are booked."""
        found = self._fills.get(account)
        if found is None:
            found = self._fills[account] = BookedFills()
            self._begin(account)
        return found

    def _begin(self, account: str) -> None:
        """Tell the fills of an account when the journal's first run began, on the venue's clock."""
        if self._began_ns:
            self.fills(account).begin(self._began_ns + self.offsets_ns.get(account, 0))

    def venue_bound_ns(self, order: Order) -> int:
        """Return an order's bound on the venue's clock, 0 if it has none.

        Where no `Sent` told it (a crash came between), the bound on ours stands in, with the
        last difference measured, or room for the worst.
        """
        if order.venue_bound_ns or not order.bound_ns:
            return order.venue_bound_ns
        return order.bound_ns + self.offsets_ns.get(order.account, MAX_SKEW_NS)

    def amend_bound_ns(self, order: Order, request: Request) -> int:
        """Return the bound of an amend on the venue's clock, 0 if it has none."""
        if request.venue_bound_ns or not request.bound_ns:
            return request.venue_bound_ns
        return request.bound_ns + self.offsets_ns.get(order.account, MAX_SKEW_NS)

    def read_lag_ns(self, account: str) -> int:
        """Return how far look-ups of an account may trail its stream."""
        return self._read_lag_ns.get(account, 0)

    def fill(self, account: str, fill_key: str) -> Filled | None:
        """Return a booked fill by its key."""
        return self.fills(account).kept.get(fill_key)

    # --- events --------------------------------------------------------------------------------

    def apply(self, event: AnyEvent) -> Change:
        """Move an order by one event; events that are not about orders do nothing."""
        self._cause = event
        apply = self._apply.get(type(event))
        return apply(event) if apply else NOTHING

    def _settle(self, order: Order) -> None:
        super()._settle(order)
        if order.doubted_ns and not order.doubts:
            order.doubted_ns = 0
            self._tell(order, "settled", self._how(order))
        is_short = order.filled < max(order.reported_filled, order.end_filled or 0)
        is_astray = order.is_late or (order.is_adopted and order.is_open)
        is_owed = is_short or (order.stage == "DONE" and order.reserved > 0)
        is_missed = order.stage == "LIVE" and (order.missed_ns > 0 or order.ends_at_once)
        if order.doubted_ns or is_astray or is_owed or is_missed:
            self.unsettled[order.client_order_id] = order
        elif order.client_order_id in self.unsettled:
            del self.unsettled[order.client_order_id]

    def _doubt(self, order: Order, now_ns: int, reason: str) -> None:
        """One of an order's outcomes is in doubt from now on."""
        order.reason = reason
        if not order.doubted_ns and order.doubts:
            order.doubted_ns = now_ns
            self._tell(order, "opened", reason)

    def _how(self, order: Order) -> str:
        end = order.end or "open"
        source = getattr(self._cause, "source", "")
        return f"{end}: {type(self._cause).__name__}" + (f" by {source}" if source else "")

    def _tell(self, order: Order, step: str, evidence: str) -> None:
        now_ns = self._cause.recv_ns if self._cause is not None else order.changed_ns
        ids = (order.account, order.client_order_id, order.venue_order_id)
        self.news.append(DoubtMoved(now_ns, *ids, step, evidence))

    def _measured(self, event: ClockMeasured) -> Change:
        is_first = event.account not in self.offsets_ns
        self.offsets_ns[event.account] = event.offset_ns
        self.measured_ns[event.account] = event.recv_ns
        self._outdated.discard(event.account)
        if is_first:
            self._begin(event.account)
        return NOTHING

    def _step(self, order: Order, event: AnyEvent) -> None:
        before = order.stage
        order.stage = TABLE[before][type(event)]
        order.changed_ns = max(order.changed_ns, event.recv_ns)

    def _prove(self, order: Order, event: AnyEvent, venue_order_id: str) -> None:
        """Note evidence that the order exists, and say so if we had closed it as never there."""
        order.is_proven = True
        order.ruled_out_ns = 0
        order.known_ns = max(order.known_ns, self._told_ns(event))
        if venue_order_id and not order.venue_order_id:
            order.venue_order_id = venue_order_id
            self._by_venue_id[(order.account, venue_order_id)] = order
            self._own(order)
        for request in [r for r in order.requests.values() if r.kind == "place"]:
            self._drop(order, request)
        if not order.stamps.acked:
            order.stamps.acked = event.recv_ns
        if order.end in ("rejected", "absent") and not order.is_late:
            order.is_late = True
            self.news.append(Late(order))

    def _told_ns(self, event: AnyEvent) -> int:
        """When, on our clock, that was so which an event tells: a look-up tells of the past."""
        account = getattr(event, "account", "")
        venue_ns, offset_ns = getattr(event, "venue_ns", 0), self.offsets_ns.get(account)
        if venue_ns and offset_ns is not None:
            return min(event.recv_ns, venue_ns - offset_ns)
        is_look_up = getattr(event, "source", "") == "lookup"
        return event.recv_ns - (self.read_lag_ns(account) if is_look_up else 0)

    def _own(self, order: Order) -> None:
        """A look-up may have told of fills before anything told whose order it was."""
        for fill in self.fills(order.account).take_unowned(order.venue_order_id):
            self._add(order, fill)
            self.news.append(Owned(order, fill))

    def _add(self, order: Order, fill: Filled) -> None:
        order.filled += fill.quantity
        order.cost += fill.quantity * fill.price
        if fill.fee:
            order.fees[fill.fee_asset] = order.fees.get(fill.fee_asset, 0) + fill.fee

    def _accepted(self, event: Accepted) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return NOTHING
        self._prove(order, event, event.venue_order_id)
        self._step(order, event)
        self._complete(order)
        self._settle(order)
        return Change(order, "changed")

    def _rejected(self, event: Rejected) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        request = order.requests.get(event.request_id) if order else None
        if order is None or request is None or request.kind != "place":
            return NOTHING
        request.refused += not event.is_unsent
        if event.is_final:
            request.refused = request.copies
        if request.refused < request.copies:
            return Change(order, "changed")
        self._drop(order, request)
        if event.is_unsent or event.is_final:
            self._keep_replaced(order, event.request_id)
        self._reject(order, event)
        return Change(order, "changed")

    def _reject(self, order: Order, event: Rejected | Closed) -> None:
        self._step(order, event)
        if order.stage == "DONE" and not order.end:
            self._drop_all(order)  # a cancel of it has nothing left to be in doubt about
            order.end, order.reason = "rejected", event.reason
        self._settle(order)

    def _amended(self, event: Amended) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return NOTHING
        self._prove(order, event, event.venue_order_id)
        # The stream names no request; it settles the amends that asked for what it shows.
        for request in [r for r in order.requests.values() if r.kind == "amend"]:
            is_answer = request.request_id == event.request_id
            if is_answer and event.source == "answer":
                order.quantity = request.quantity or order.quantity
                order.price = request.price if request.price is not None else order.price
            asked = (request.quantity in (None, event.quantity)) and (
                request.price in (None, event.price)
            )
            if is_answer or (event.source != "answer" and asked):
                self._drop(order, request)
        if event.quantity is not None:
            order.quantity = event.quantity
        if event.price is not None:
            order.price = event.price
        if order.stage != "DONE":
            order.stage = TABLE[order.stage][Accepted]
        order.changed_ns = max(order.changed_ns, event.recv_ns)
        self._complete(order)
        self._settle(order)
        return Change(order, "changed")

    def _request_refused(self, event: AmendRejected | CancelRejected) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        request = order.requests.get(event.request_id) if order else None
        if order is None or request is None or request.kind == "place":
            return NOTHING
        if not event.is_unsent:
            request.refused += 1
            order.refused_ns = event.recv_ns
        if request.refused >= request.copies:
            self._drop(order, request)
            if order.in_flight("cancel") is None:
                order.replaced_by = ""
        if isinstance(event, CancelRejected) and event.is_unknown_order:
            evidence = f"its cancel was refused: {event.reason}"
            self._rule_out(order, event.venue_ns, event.recv_ns, evidence)
            # Since the first: a cancel that is pressed again and again must not put the look off.
            order.missed_ns = order.missed_ns or event.recv_ns
        order.changed_ns = max(order.changed_ns, event.recv_ns)
        self._complete(order)
        self._settle(order)
        return Change(order, "changed")

    def _cancel_accepted(self, event: CancelAccepted) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        request = order.requests.get(event.request_id) if order else None
        if order is None or request is None:
            return NOTHING
        # It was open until now; `Closed` tells how much it filled, unless that is lost.
        self._prove(order, event, event.venue_order_id)
        self._drop(order, request)
        order.missed_ns = event.recv_ns
        order.changed_ns = max(order.changed_ns, event.recv_ns)
        self._settle(order)
        return Change(order, "changed")

    def _rule_out(self, order: Order, venue_ns: int, now_ns: int, evidence: str) -> None:
        """Past the bound, by the venue's own clock, an order it does not show can't be open."""
        bound_ns = self.venue_bound_ns(order)
        is_past = bound_ns and venue_ns > bound_ns + BOUND_MARGIN_NS
        if is_past and order.stage == "UNKNOWN" and not order.is_proven and not order.ruled_out_ns:
            order.ruled_out_ns, order.ruled_venue_ns = now_ns, venue_ns
            past_ms = (venue_ns - bound_ns) // 1_000_000
            self._tell(order, "ruled out", f"{evidence}, {past_ms} ms past its bound")

    def _filled(self, event: Filled) -> Change:
        fills = self.fills(event.account)
        if not fills.is_new(event):
            return self._filled_again(event)
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is not None:
            self._prove(order, event, event.venue_order_id)
            self._add(order, event)
            self._step(order, event)
            self._complete(order)
            if not order.stamps.filled:
                order.stamps.filled = event.recv_ns
            self._settle(order)
            fills.mark(event)
        else:
            fills.mark_unowned(event)
        return Change(order, "changed", booked=event)

    def _filled_again(self, event: Filled) -> Change:
        """A fill that is booked already may still say whose it was."""
        order = self._by_id.get(event.client_order_id)
        if order is None or not self.fills(event.account).is_unowned(event):
            return NOTHING
        self._prove(order, event, event.venue_order_id)
        self._step(order, event)
        self._complete(order)
        self._settle(order)
        return Change(order, "changed")

    def _complete(self, order: Order) -> None:
        """End an order whose known total is filled, unless an amend may still raise it."""
        is_full = order.quantity > 0 and order.filled >= order.quantity
        is_live = order.stage == "LIVE" or order.is_late
        if is_full and is_live and order.in_flight("amend") is None:
            order.stage, order.is_late = "DONE", False
            order.end, order.end_filled = "filled", order.filled
            self._drop_all(order)

    def _closed(self, event: Closed) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return NOTHING
        if event.cause == "rejected" and not (order.is_proven or order.filled):
            if order.stage != "DONE":  # else the answer told it already
                self._reject(order, event)
            return Change(order, "changed")
        self._prove(order, event, event.venue_order_id)
        self._step(order, event)
        self._drop_all(order)
        if event.venue_ns > self.closed_ns.get(event.account, 0):
            self.closed_ns[event.account] = event.venue_ns
        order.is_late = False
        order.end = "canceled" if event.cause == "rejected" else event.cause
        order.reason = event.reason or order.reason
        filled = event.filled
        # What only reduces the venue may have shrunk: there `filled` may be less than was asked.
        if filled is None and event.cause == "filled" and not order.reduce_only:
            filled = order.quantity
        if filled is not None:
            order.end_filled = max(filled, order.end_filled or 0)
            order.reported_filled = max(order.reported_filled, filled)
        self._settle(order)
        return Change(order, "changed")

    def _timed_out(self, event: TimedOut) -> Change:
        last: Order | None = None
        named = event.client_order_ids
        for order in self._by_request.get(event.request_id, ()):
            # Whoever names the new order speaks of the one it replaces as well.
            if named and not {order.client_order_id, order.replaced_by} & {*named}:
                continue
            request = order.requests[event.request_id]
            if order.stage == "DONE" and not order.is_late:
                self._drop(order, request)  # whatever became of it, the order is over
                self._settle(order)
                continue
            request.is_doubtful = True
            if request.kind != "amend":
                self._step(order, event)
            self._doubt(order, event.recv_ns, f"{request.kind}: {event.reason}")
            self._settle(order)
            last = order
        return Change(last, "changed") if last else NOTHING

    def _missing(self, event: Missing) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None or order.stage == "DONE":
            return NOTHING
        self._step(order, event)
        self._doubt(order, event.recv_ns, f"missing from the {event.evidence} of open orders")
        evidence = f"missing from the {event.evidence}"
        self._rule_out(order, event.venue_ns, event.recv_ns, evidence)
        self._settle(order)
        return Change(order, "changed")

    def _absent(self, event: Absent) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None or order.is_proven:
            return NOTHING
        self._step(order, event)
        if order.stage == "DONE" and not order.end:
            self._drop_all(order)
            order.end, order.reason = "absent", event.evidence
        self._settle(order)
        return Change(order, "changed")

    def _reverse(self, event: Reversed) -> Change:
        """A tombstone: it undoes the fill, or keeps it from ever being booked."""
        fill = self.fills(event.account).reverse(event.fill_key)
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if fill is None:
            return NOTHING
        if order is None:
            return Change(None, "changed", unbooked=fill)
        order.filled -= fill.quantity
        order.cost -= fill.quantity * fill.price
        if order.end_filled is not None:
            order.end_filled -= fill.quantity
        self._step(order, event)
        self._settle(order)
        return Change(order, "changed", unbooked=fill)
