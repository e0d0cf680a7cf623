"""Every order of every account, moved by events alone.

Rules that stand on sequences which break programs without them:

* A fill is booked once per fill key, in every stage, and marked as seen after it was applied.
* A refusal speaks for one copy of a request; an order is rejected when every copy is refused.
* A cancel's refusal never closes an order.
* A read speaks only about orders unchanged since it began, and only if it is complete.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from crosswire.domain import (
    Absent,
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    AnyCommand,
    AnyEvent,
    Approved,
    Cancel,
    CancelAccepted,
    CancelBatch,
    CancelRejected,
    Closed,
    Filled,
    Missing,
    OrderReported,
    OrdersRead,
    Place,
    PlaceBatch,
    Rejected,
    Reversed,
    RunStarted,
    Sent,
    TimedOut,
)
from crosswire.orders.index import Index
from crosswire.orders.order import Order, Request, new_order
from crosswire.orders.table import TABLE

# After the bound, how far the venue's clock must be past it before a refused cancel or a
# complete read rules out that the order is open: covers the skew of the two clocks.
BOUND_MARGIN_NS = 1_000_000_000
MAX_SKEW_NS = 60_000_000_000


class Change(NamedTuple):
    """What an event did: to which order (None = not one of ours), and what follows from it."""

    order: Order | None
    kind: Literal["changed", "late", "nothing"]
    booked: Filled | None = None  # a fill booked for the first time
    unbooked: Filled | None = None  # a booked fill that was taken back


NOTHING = Change(None, "nothing")


class Orders(Index):
    """The index, moved by commands and events."""

    def __init__(self) -> None:
        super().__init__()
        self._fills: dict[str, dict[str, Filled]] = {}
        self._reversed: dict[str, set[str]] = {}
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
            OrderReported: self._reported,
            OrdersRead: self._orders_read,
            RunStarted: self._run_started,
        }

    def fill(self, account: str, fill_key: str) -> Filled | None:
        """Return a booked fill by its key."""
        return self._fills.get(account, {}).get(fill_key)

    # --- commands ------------------------------------------------------------------------------

    def register(self, approved: Approved) -> None:
        """Note the intent of a command before its bytes are handed over."""
        self._register(approved.command, approved)

    def _register(self, command: AnyCommand, approved: Approved) -> None:
        if type(command) is Place:
            self._enter(new_order(command), approved)
        elif type(command) is Amend:
            amended = self._by_id.get(command.client_order_id)
            if amended is not None:
                request = self._request(amended, "amend", approved)
                request.quantity, request.price = command.quantity, command.price
                if command.quantity is not None:
                    self._settle(amended)
        elif isinstance(command, Cancel):
            canceled = self._by_id.get(command.client_order_id)
            if canceled is not None:
                canceled.canceled_ns = approved.approved_ns
                self._request(canceled, "cancel", approved)
        elif isinstance(command, PlaceBatch):
            for place in command.places:
                self._register(place, approved)
        elif isinstance(command, CancelBatch):
            for cancel in command.cancels:
                self._register(cancel, approved)

    def _request(
        self, order: Order, kind: Literal["amend", "cancel"], approved: Approved
    ) -> Request:
        number = approved.request_id
        request = order.requests[number] = Request(number, kind, approved.approved_ns)
        order.changed_ns = approved.approved_ns
        others = self._by_request.get(number)
        self._by_request[number] = (*others, order) if others else (order,)
        return request

    # --- events --------------------------------------------------------------------------------

    def apply(self, event: AnyEvent) -> Change:
        """Move an order by one event; events that are not about orders do nothing."""
        apply = self._apply.get(type(event))
        return apply(event) if apply else NOTHING

    def _step(self, order: Order, event: AnyEvent) -> None:
        before = order.stage
        order.stage = TABLE[before][type(event)]
        order.changed_ns = max(order.changed_ns, event.recv_ns)

    def _prove(self, order: Order, event: AnyEvent, venue_order_id: str) -> bool:
        """Note evidence that the order exists; True if that comes after we closed it so."""
        order.is_proven = True
        order.ruled_out_ns = 0
        if venue_order_id and not order.venue_order_id:
            order.venue_order_id = venue_order_id
            self._by_venue_id[(order.account, venue_order_id)] = order
        for request in [r for r in order.requests.values() if r.kind == "place"]:
            self._drop(order, request)
        if not order.stamps.acked:
            order.stamps.acked = event.recv_ns
        is_late = order.end in ("rejected", "absent") and not order.is_late
        order.is_late = order.is_late or is_late
        return is_late

    def _sent(self, event: Sent) -> Change:
        for order in self._by_request.get(event.request_id, ()):
            request = order.requests[event.request_id]
            request.copies += 1
            if request.kind == "place":
                order.transport = event.transport
                order.venue_bound_ns = max(order.venue_bound_ns, event.bound_ns)
                order.stamps.encoded = event.encoded_ns
                order.stamps.written = event.recv_ns
        return NOTHING

    def _accepted(self, event: Accepted) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return NOTHING
        is_late = self._prove(order, event, event.venue_order_id)
        self._step(order, event)
        self._settle(order)
        return Change(order, "late" if is_late else "changed")

    def _rejected(self, event: Rejected) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        request = order.requests.get(event.request_id) if order else None
        if order is None or request is None or request.kind != "place":
            return NOTHING
        request.refused += not event.is_unsent
        if request.refused < request.copies:
            return Change(order, "changed")
        self._drop(order, request)
        self._step(order, event)
        if order.stage == "DONE" and not order.end:
            order.end, order.reason = "rejected", event.reason
        self._settle(order)
        return Change(order, "changed")

    def _amended(self, event: Amended) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return NOTHING
        is_late = self._prove(order, event, event.venue_order_id)
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
        return Change(order, "late" if is_late else "changed")

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
        if isinstance(event, CancelRejected) and event.is_unknown_order:
            self._rule_out(order, event.venue_ns, event.recv_ns)
        order.changed_ns = max(order.changed_ns, event.recv_ns)
        self._complete(order)
        self._settle(order)
        return Change(order, "changed")

    def _cancel_accepted(self, event: CancelAccepted) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        request = order.requests.get(event.request_id) if order else None
        if order is None or request is None:
            return NOTHING
        # Success proves that the order was open until now; how much it filled, `Closed` tells.
        is_late = self._prove(order, event, event.venue_order_id)
        self._drop(order, request)
        order.changed_ns = max(order.changed_ns, event.recv_ns)
        self._settle(order)
        return Change(order, "late" if is_late else "changed")

    def _rule_out(self, order: Order, venue_ns: int, now_ns: int) -> None:
        """Past the bound, by the venue's own clock, an order it does not show can't be open.

        Where no `Sent` told the bound on the venue's clock (a crash came between), the bound on
        ours stands in, with room for the worst difference of the two.
        """
        if order.venue_bound_ns:
            past_ns = order.venue_bound_ns + BOUND_MARGIN_NS
        else:
            past_ns = order.bound_ns + MAX_SKEW_NS
        is_past = order.bound_ns and venue_ns > past_ns
        if is_past and order.stage == "UNKNOWN" and not order.is_proven and not order.ruled_out_ns:
            order.ruled_out_ns = now_ns

    def _filled(self, event: Filled) -> Change:
        fills = self._fills.setdefault(event.account, {})
        if event.fill_key in fills or event.fill_key in self._reversed.get(event.account, ()):
            return NOTHING
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        is_late = False
        if order is not None:
            is_late = self._prove(order, event, event.venue_order_id)
            order.filled += event.quantity
            order.cost += event.quantity * event.price
            if event.fee:
                order.fees[event.fee_asset] = order.fees.get(event.fee_asset, 0) + event.fee
            self._step(order, event)
            self._complete(order)
            if not order.stamps.filled:
                order.stamps.filled = event.recv_ns
            self._settle(order)
        fills[event.fill_key] = event
        return Change(order, "late" if is_late else "changed", booked=event)

    def _complete(self, order: Order) -> None:
        """End an order whose known total is filled, unless an amend may still raise it."""
        is_full = order.quantity > 0 and order.filled >= order.quantity
        if is_full and order.stage == "LIVE" and order.in_flight("amend") is None:
            order.stage = "DONE"
            order.end, order.end_filled = "filled", order.filled
            self._drop_all(order)

    def _closed(self, event: Closed) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            return NOTHING
        self._prove(order, event, event.venue_order_id)
        self._step(order, event)
        self._drop_all(order)
        order.is_late = False
        order.end = event.cause
        order.reason = event.reason or order.reason
        filled = event.filled
        if filled is None and event.cause == "filled":
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
            if named and order.client_order_id not in named:
                continue
            request = order.requests[event.request_id]
            request.is_doubtful = True
            if request.kind != "amend":
                self._step(order, event)
            order.reason = event.reason
            self._settle(order)
            last = order
        return Change(last, "changed") if last else NOTHING

    def _missing(self, event: Missing) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None or order.stage == "DONE":
            return NOTHING
        self._step(order, event)
        self._rule_out(order, event.venue_ns, event.recv_ns)
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
        self._reversed.setdefault(event.account, set()).add(event.fill_key)
        fill = self._fills.get(event.account, {}).pop(event.fill_key, None)
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

    def _reported(self, event: OrderReported) -> Change:
        order = self.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None:
            key = (event.account, event.venue_order_id)
            if event.is_open:
                self.externals[key] = event
            else:
                self.externals.pop(key, None)
            return NOTHING
        order.reported_filled = max(order.reported_filled, event.filled)
        ids = (event.account, event.client_order_id, event.venue_order_id)
        if event.is_open:
            # An older read must not undo a newer amend: only an order at rest takes its values.
            if order.stage != "DONE" and order.in_flight("amend") is None:
                order.quantity = event.quantity or order.quantity
                order.price = event.price if event.price is not None else order.price
            if order.stage == "DONE" and order.end not in ("rejected", "absent"):
                return NOTHING
            # A cancel in doubt can only close it, which the stream would show.
            for request in [r for r in order.requests.values() if r.is_doubtful]:
                if request.kind == "cancel":
                    self._drop(order, request)
            return self._accepted(Accepted(event.recv_ns, *ids, source=event.source))
        cause = event.cause or ("filled" if event.filled >= event.quantity else "canceled")
        return self._closed(
            Closed(event.recv_ns, *ids, cause, event.filled, event.reason, event.source)
        )

    def _orders_read(self, event: OrdersRead) -> Change:
        for reported in event.orders:
            self._reported(reported)
        if event.is_complete and event.scope == "open" and not event.client_order_id:
            shown = {reported.venue_order_id for reported in event.orders}
            shown |= {reported.client_order_id for reported in event.orders}
            for order in list(self.all_open(event.account)):
                is_older = order.changed_ns < event.started_ns
                if is_older and not shown & {order.venue_order_id, order.client_order_id}:
                    ids = (order.account, order.client_order_id, order.venue_order_id)
                    missing = Missing(event.recv_ns, *ids, event.source, event.venue_ns)
                    self._missing(missing)
        return NOTHING

    def _run_started(self, event: RunStarted) -> Change:
        """A new process knows nothing of answers the old one may have missed."""
        for order in list(self.all_open()):
            for request in list(order.requests.values()):
                self._timed_out(TimedOut(event.recv_ns, order.account, request.request_id, "crash"))
        return NOTHING
