"""In-doubt requests: what to do next about each, and what counts as proof.

`Orders` keeps the evidence, as reads and refusals bring it; here it is decided, by `now_ns` alone,
what to ask for and what may be concluded. Nothing is ever sent a second time, unless the venue
takes identical bytes once (`resends`), which has to have been shown on the account.

A place that was never answered: a snapshot at once; a quote is cancelled a moment later, so that
it does not rest unwatched. Past its bound, cancel it: the refusal, stamped by the venue, rules
out that it rests, and so does a snapshot that lacks it. From then on its rung may be quoted
again, but what it may have filled stays reserved. When the read lag is over, closed orders that
lack it, in a read that shows something younger than the ruling, and a second look at the open
ones, prove that it never was.

An order that was seen and then lost sight of: a snapshot, then the closed orders. An amend
without an answer: a snapshot past its bound, else a cancel, whose closure settles it. Fills that
are missing: the fills, until they are there. A question without a useful answer is asked again,
at doubling intervals.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from crosswire.asking import LEAST_WAIT_NS, MOST_WAIT_NS, SECOND_NS, Asking
from crosswire.domain import (
    Absent,
    AnyCommand,
    AnyEvent,
    Cancel,
    LookUp,
    Resend,
    Resumed,
)
from crosswire.orders import Order, Orders
from crosswire.orders.moves import BOUND_MARGIN_NS

MARGIN_NS = 1_500_000_000  # after a bound on the venue's clock, until we ask whether it holds
CALM_NS = SECOND_NS  # what the stream may still tell by itself, before a look-up is spent on it
SNAPSHOT_NS = 2 * SECOND_NS  # one snapshot speaks of all orders, a cancel of one, and costs more
WINDOW_NS = 60 * SECOND_NS  # look-ups of closed orders reach back this far behind the last word
MOST_DOUBLINGS = 16  # of that, on a quiet account: six weeks
LATE = "late accept of "
NEW_RUN = "a new run"


class Policy(Struct, frozen=True):
    """How doubts of one account are resolved."""

    read_lag_ns: int = 0
    bound_ns: int = 0  # what an order request is given by default
    resends: bool = False  # identical bytes are taken once, and that was shown on the account


class Want(NamedTuple):
    """A question, useful from a moment on."""

    what: str
    from_ns: int
    since_ns: int = 0  # on the venue's clock


class _Pressed(Struct):
    """How often an order's cancel was asked for, and when it is next."""

    times: int = 0
    next_ns: int = 0


class Doubts:
    """All doubts of one bot."""

    def __init__(self, orders: Orders, policies: Mapping[str, Policy], asking: Asking) -> None:
        self._orders = orders
        self._policies = policies
        self._asking = asking
        self._pressed: dict[str, _Pressed] = {}
        self._resent: set[int] = set()

    # --- what to ask ---------------------------------------------------------------------------

    def due(self, now_ns: int, halted: Mapping[str, Mapping[str, str]]) -> list[AnyCommand]:
        """Return the cancels, look-ups and identical copies that are due."""
        commands: list[AnyCommand] = []
        orders = self._orders
        if not (orders.unsettled or orders.strange_ns or any(halted.values())):
            self._pressed.clear()
            return commands
        wants: dict[tuple[str, str], list[Want]] = {}
        for order in orders.unsettled.values():
            if order.doubted_ns or order.is_late or order.is_adopted:
                commands += self._presses(order, now_ns)
                commands += self._copies(order, now_ns)
            for want in self._wants(order):
                wants.setdefault((order.account, want.what), []).append(want)
        for account in self._policies:
            for want in self._account_wants(account, halted.get(account, {})):
                wants.setdefault((account, want.what), []).append(want)
        for (account, what), those in wants.items():
            if self._asking.is_due(account, what, [want.from_ns for want in those], now_ns):
                since_ns = min(want.since_ns for want in those if want.from_ns <= now_ns)
                commands.append(LookUp(account, what, since_ns=max(0, since_ns)))
        for key in [key for key in self._pressed if key not in orders.unsettled]:
            del self._pressed[key]
        return commands

    def _wants(self, order: Order) -> Iterator[Want]:
        orders, account = self._orders, order.account
        offset_ns = orders.offsets_ns.get(account, 0)
        if order.stage == "UNKNOWN":
            since_ns = self._closed_since_ns(order, offset_ns)
            if order.is_proven:
                yield Want("snapshot", order.doubted_ns)
                yield Want("closed_orders", order.doubted_ns + CALM_NS, since_ns)
                return
            past_ns = self._past_ns(order)
            ruled_ns, lag_ns = order.ruled_out_ns, self._policies[account].read_lag_ns
            if not ruled_ns:
                yield Want("snapshot", order.doubted_ns)
                yield Want("snapshot", past_ns)
                yield Want("closed_orders", order.doubted_ns + CALM_NS, since_ns)
                return
            if not order.open_lacked_ns:
                yield Want("snapshot", ruled_ns + lag_ns + 1)
                yield Want("open_orders", ruled_ns + 2 * lag_ns + 1)
            if not order.closed_lacked_ns:
                yield Want("closed_orders", ruled_ns + lag_ns + 1, since_ns)
            return
        at_ns = order.missed_ns
        if not at_ns and order.stage == "LIVE" and order.ends_at_once:
            at_ns = order.known_ns + CALM_NS  # its end should have come by now
        if at_ns:
            lag_ns = self._policies[account].read_lag_ns
            since_ns = self._closed_since_ns(order, offset_ns)
            yield Want("snapshot", at_ns + CALM_NS)
            yield Want("closed_orders", at_ns + CALM_NS + lag_ns, since_ns)
        for request in order.requests.values():
            if request.kind == "amend" and request.is_doubtful:
                past_ns = orders.amend_bound_ns(order, request) - offset_ns + MARGIN_NS
                yield Want("snapshot", max(past_ns, order.doubted_ns))
        if order.stage == "DONE" and order.end_filled is None and order.reserved:
            since_ns = self._closed_since_ns(order, offset_ns)
            yield Want("closed_orders", order.changed_ns + CALM_NS, since_ns)
        elif order.filled < max(order.reported_filled, order.end_filled or 0):
            since_ns = orders.fills_since_ns(account)
            yield Want("fills", order.changed_ns + CALM_NS, since_ns)

    def _closed_since_ns(self, order: Order, offset_ns: int) -> int:
        """How far back closed orders are looked at: to where it began, or was seen last.

        And far enough to show an order that is known to have ended: or a true answer would look
        like a blind one. Where none is known, each empty answer makes the next look-up reach
        twice as far, until it shows something.
        """
        empties = self._asking.empties(order.account, "closed_orders")
        further_ns = WINDOW_NS << min(empties, MOST_DOUBLINGS) if empties else 0
        if order.is_proven:
            return order.known_ns + offset_ns - WINDOW_NS - further_ns
        sent_ns = self._orders.sent_venue_ns(order)
        known_ns = min(sent_ns, self._orders.closed_ns.get(order.account, sent_ns))
        return known_ns - SECOND_NS - further_ns

    def _account_wants(self, account: str, halts: Mapping[str, str]) -> Iterator[Want]:
        """What an order of ours that we lost needs, and what the exits of our halts wait for."""
        strange_ns = self._orders.strange_ns.get(account, 0)
        if strange_ns and self._orders.read_ns.get(account, 0) <= strange_ns:
            yield Want("snapshot", strange_ns)
        for reason in halts:
            if reason.startswith(LATE):
                order = self._orders.get(reason.removeprefix(LATE))
                if order is None or not order.is_open:
                    yield Want("snapshot", order.changed_ns + 1 if order else 0)
            elif reason == NEW_RUN:
                bound_ns = self._policies[account].bound_ns
                yield Want("snapshot", self._orders.run_started_ns + bound_ns + MARGIN_NS)

    def _presses(self, order: Order, now_ns: int) -> Iterator[AnyCommand]:
        """Cancels of what nobody knows the fate of, of what should not be, of what is not ours."""
        if order.ruled_out_ns or not order.is_open:
            return
        pressed = self._pressed.get(order.client_order_id)
        if pressed is None:
            first_ns = self._first_press_ns(order)
            pressed = self._pressed[order.client_order_id] = _Pressed(next_ns=first_ns)
        if now_ns < pressed.next_ns:
            return
        past_ns = 0 if order.is_proven else self._past_ns(order)
        if now_ns < past_ns:  # a refusal proves nothing yet: the order may arrive after it
            pressed.next_ns = past_ns + SNAPSHOT_NS
        else:
            pressed.next_ns = now_ns + min(2 * LEAST_WAIT_NS << pressed.times, MOST_WAIT_NS)
            pressed.times += 1
        ids = (order.client_order_id, order.venue_order_id)
        yield Cancel(order.account, *ids, order.instrument)

    def _first_press_ns(self, order: Order) -> int:
        """When to ask for a cancel first: a snapshot is kinder, and quicker, where it is enough."""
        if order.is_late or (order.is_adopted and not order.doubted_ns):
            return 0
        if order.is_proven:
            amends = [r for r in order.requests.values() if r.kind == "amend" and r.is_doubtful]
            offset_ns = self._orders.offsets_ns.get(order.account, 0)
            bounds = [self._orders.amend_bound_ns(order, r) - offset_ns for r in amends]
            return max([order.doubted_ns, *bounds]) + MARGIN_NS + CALM_NS
        is_quote = order.strategy and not order.ends_at_once
        return order.doubted_ns + CALM_NS if is_quote else self._past_ns(order) + SNAPSHOT_NS

    def _past_ns(self, order: Order) -> int:
        """When, as far as our clock can tell, the venue's has passed an order's bound."""
        offset_ns = self._orders.offsets_ns.get(order.account, 0)
        return self._orders.venue_bound_ns(order) - offset_ns + MARGIN_NS

    def _copies(self, order: Order, now_ns: int) -> Iterator[AnyCommand]:
        """The identical bytes once more, where that is proven safe, before their bound."""
        if not self._policies[order.account].resends or order.is_proven or order.canceled_ns:
            return
        for request in order.requests.values():
            is_fresh = request.request_id not in self._resent and now_ns < order.bound_ns
            if request.kind == "place" and request.is_doubtful and is_fresh:
                self._resent.add(request.request_id)
                yield Resend(order.account, order.client_order_id, request.request_id)

    # --- what to conclude ----------------------------------------------------------------------

    def conclusions(self, now_ns: int, halted: Mapping[str, Mapping[str, str]]) -> list[AnyEvent]:
        """Return the absences that are proven, and the ends of halts that were ours to call."""
        found: list[AnyEvent] = []
        for order in self._orders.unsettled.values():
            is_placed = order.stage == "UNKNOWN" and not order.is_proven
            if is_placed and order.ruled_out_ns and order.open_lacked_ns and order.closed_lacked_ns:
                ids = (order.account, order.client_order_id, order.venue_order_id)
                waited_ms = (now_ns - order.ruled_out_ns) // 1_000_000
                evidence = (
                    f"ruled out {waited_ms} ms ago; since then neither among the open orders "
                    f"nor among the closed ones"
                )
                found.append(Absent(now_ns, *ids, evidence))
        for account, halts in halted.items():
            over = [reason for reason in halts if self._is_over(account, reason)]
            found += [Resumed(now_ns, account, reason) for reason in over]
        return found

    def _is_over(self, account: str, reason: str) -> bool:
        orders = self._orders
        read_ns = orders.read_ns.get(account, 0)
        if reason.startswith(LATE):
            order = orders.get(reason.removeprefix(LATE))
            if order is None:
                return True
            return not order.is_open and not order.reserved and read_ns > order.changed_ns
        if reason == NEW_RUN:
            return self._has_passed(account) and not self.is_moving(account)
        return False

    def _has_passed(self, account: str) -> bool:
        """Whether the open orders were read since the last run's requests can still arrive.

        Some of them the journal may have lost; so their bound counts from this run's start.
        """
        orders = self._orders
        if orders.was_clean:
            return orders.read_ns.get(account, 0) > orders.run_started_ns
        offset_ns = orders.offsets_ns.get(account, 0)
        bound_ns = orders.run_started_ns + offset_ns + self._policies[account].bound_ns
        return orders.read_venue_ns.get(account, 0) > bound_ns + BOUND_MARGIN_NS

    def is_moving(self, account: str) -> bool:
        """Whether something that left earlier may still take effect: a place, or an amend.

        An order that was seen, and lacks in a whole read since, is over, however it ended.
        """
        return any(
            order.account == account and order.doubted_ns and _is_moving(order)
            for order in self._orders.unsettled.values()
        )


def _is_moving(order: Order) -> bool:
    if not order.is_proven:
        return not order.ruled_out_ns
    return any(r.kind == "amend" and r.is_doubtful for r in order.requests.values())
