"""In-doubt requests: what to do next about each, and what counts as proof.

`Orders` keeps the evidence, as reads and refusals bring it; here it is decided, by `now_ns` alone,
what to ask for and what may be concluded. Nothing is ever sent a second time, unless the venue
takes identical bytes once (`resends`), which has to have been shown on the account. There a place
that is still wanted is sent once more, as it was; of one that is not, what it was sent under is
used up (`Void`), so that no copy of it can run.

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

Where the stream has no snapshot of open orders, look-ups of them stand in for it, as much later
as they may trail.
"""

from collections.abc import Callable, Iterator, Mapping
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
    Void,
)
from crosswire.orders import Order, Orders
from crosswire.orders.moves import BOUND_MARGIN_NS
from crosswire.orders.orders import PATIENCE

MARGIN_NS = 1_500_000_000  # after a bound on the venue's clock, until we ask whether it holds
CALM_NS = SECOND_NS  # what the stream may still tell by itself, before a look-up is spent on it
SNAPSHOT_NS = 2 * SECOND_NS  # one snapshot speaks of all orders, a cancel of one, and costs more
WINDOW_NS = 60 * SECOND_NS  # look-ups of closed orders reach back this far behind the last word
MOST_DOUBLINGS = 16  # of that, on a quiet account: six weeks
FRESH_NS = SECOND_NS  # so long a strategy still wants what it sent
LAST_COPY_NS = SECOND_NS  # before its bound, a copy may no longer arrive in time
MOST_VOIDS = 5
LATE = "late accept of "
NEW_RUN = "a new run"


class Policy(Struct, frozen=True):
    """How doubts of one account are resolved."""

    read_lag_ns: int = 0
    bound_ns: int = 0  # what an order request is given by default
    resends: bool = False  # identical bytes are taken once, and that was shown on the account
    has_snapshot: bool = True  # the stream tells of all open orders when asked


class Want(NamedTuple):
    """A question, useful from a moment on."""

    what: str
    from_ns: int
    since_ns: int = 0  # on the venue's clock


class _Pressed(Struct):
    """How often something was asked for, and when it is next."""

    times: int = 0
    next_ns: int = 0


def _is_never_shut(_account: str, _now_ns: int) -> bool:
    return False


class Doubts:
    """All doubts of one bot."""

    def __init__(
        self,
        orders: Orders,
        policies: Mapping[str, Policy],
        asking: Asking,
        is_shut: Callable[[str, int], bool] = _is_never_shut,
    ) -> None:
        """`is_shut` tells whether a switch keeps an account from placing now."""
        self._is_shut = is_shut
        self._orders = orders
        self._policies = policies
        self._asking = asking
        self._pressed: dict[str, _Pressed] = {}
        self._copied: dict[int, _Pressed] = {}  # by the number of the place request

    # --- what to ask ---------------------------------------------------------------------------

    def due(self, now_ns: int, halted: Mapping[str, Mapping[str, str]]) -> list[AnyCommand]:
        """Return the cancels, look-ups and identical copies that are due."""
        commands: list[AnyCommand] = []
        orders = self._orders
        if not (orders.unsettled or orders.strange_ns or any(halted.values())):
            self._pressed.clear()
            self._copied.clear()
            return commands
        wants: dict[tuple[str, str], list[Want]] = {}
        for order in orders.unsettled.values():
            if order.doubted_ns or order.is_late or order.is_adopted:
                commands += self._presses(order, now_ns)
                commands += self._copies(order, now_ns)
            has_snapshot = self._policies[order.account].has_snapshot
            for want in self._wants(order) if has_snapshot else self._trailing_wants(order):
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
        for number in [number for number in self._copied if number not in orders.unanswered]:
            del self._copied[number]
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
        at_ns = _missed_ns(order)
        if at_ns:
            lag_ns = self._policies[account].read_lag_ns
            since_ns = self._closed_since_ns(order, offset_ns)
            yield Want("snapshot", at_ns + CALM_NS)
            yield Want("closed_orders", at_ns + CALM_NS + lag_ns, since_ns)
        for request in order.requests.values():
            if request.kind == "amend" and request.is_doubtful:
                past_ns = orders.amend_bound_ns(order, request) - offset_ns + MARGIN_NS
                yield Want("snapshot", max(past_ns, order.doubted_ns))
        yield from self._owed_wants(order)

    def _owed_wants(self, order: Order) -> Iterator[Want]:
        """What tells how much an order that is over filled, and what brings the missing fills."""
        account = order.account
        if order.stage == "DONE" and order.end_filled is None and order.reserved:
            since_ns = self._closed_since_ns(order, self._orders.offsets_ns.get(account, 0))
            yield Want("closed_orders", order.changed_ns + CALM_NS, since_ns)
            lag_ns = PATIENCE * self._policies[account].read_lag_ns
            since_ns = self._orders.fills_since_ns(account)
            yield Want("fills", order.known_ns + lag_ns + CALM_NS, since_ns)
        elif order.filled < max(order.reported_filled, order.end_filled or 0):
            since_ns = self._orders.fills_since_ns(account)
            yield Want("fills", order.changed_ns + CALM_NS, since_ns)

    def _trailing_wants(self, order: Order) -> Iterator[Want]:
        """The same where the stream has no snapshot, only look-ups that trail it."""
        orders, account = self._orders, order.account
        lag_ns = self._policies[account].read_lag_ns
        since_ns = self._closed_since_ns(order, orders.offsets_ns.get(account, 0))
        if order.stage == "UNKNOWN":
            if order.is_proven:
                yield Want("open_orders", order.doubted_ns + lag_ns + 1)
                yield Want("closed_orders", order.doubted_ns + CALM_NS, since_ns)
                return
            ruled_ns = order.ruled_out_ns
            if not ruled_ns:
                yield Want("open_orders", order.doubted_ns + CALM_NS)
                yield Want("open_orders", self._past_ns(order) + PATIENCE * lag_ns)
                yield Want("closed_orders", order.doubted_ns + CALM_NS, since_ns)
                return
            if not order.open_lacked_ns:
                yield Want("open_orders", ruled_ns + 2 * lag_ns + 1)
            if not order.closed_lacked_ns:
                yield Want("closed_orders", ruled_ns + lag_ns + 1, since_ns)
                # From here on even an answer that cannot show its age is enough.
                yield Want("closed_orders", ruled_ns + PATIENCE * lag_ns + 1, since_ns)
            return
        at_ns = _missed_ns(order)
        if at_ns:
            yield Want("open_orders", at_ns + CALM_NS + lag_ns)
            yield Want("closed_orders", at_ns + CALM_NS, since_ns)
        yield from self._owed_wants(order)

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
        policy = self._policies[account]
        what = "snapshot" if policy.has_snapshot else "open_orders"
        lag_ns = 0 if policy.has_snapshot else policy.read_lag_ns
        strange_ns = self._orders.strange_ns.get(account, 0)
        if strange_ns and self._orders.read_ns.get(account, 0) <= strange_ns + lag_ns:
            yield Want(what, strange_ns + lag_ns)
        for reason in halts:
            if reason.startswith(LATE):
                order = self._orders.get(reason.removeprefix(LATE))
                if order is None or not order.is_open:
                    yield Want(what, order.changed_ns + lag_ns + 1 if order else 1)
            elif reason == NEW_RUN:
                bound_ns = 0 if self._orders.was_clean else policy.bound_ns + lag_ns
                yield Want(what, self._orders.run_started_ns + bound_ns + MARGIN_NS)

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
        is_quote = is_quote and not self._policies[order.account].resends  # `Void` is surer
        return order.doubted_ns + CALM_NS if is_quote else self._past_ns(order) + SNAPSHOT_NS

    def _past_ns(self, order: Order) -> int:
        """When, as far as our clock can tell, the venue's has passed an order's bound."""
        offset_ns = self._orders.offsets_ns.get(order.account, 0)
        return self._orders.venue_bound_ns(order) - offset_ns + MARGIN_NS

    def _copies(self, order: Order, now_ns: int) -> Iterator[AnyCommand]:
        """The identical bytes once more, where that is proven safe; or an end to all copies."""
        if not self._policies[order.account].resends or order.is_proven:
            return
        for request in order.requests.values():
            if request.kind != "place" or not request.is_doubtful:
                continue
            copied = self._copied.setdefault(request.request_id, _Pressed())
            if now_ns < copied.next_ns or copied.times > MOST_VOIDS:
                continue
            copied.times += 1
            copied.next_ns = now_ns + (SECOND_NS << copied.times)
            ids = (order.account, order.client_order_id, request.request_id)
            is_first = copied.times == 1
            yield (Resend if is_first and self._is_wanted(order, now_ns) else Void)(*ids)

    def _is_wanted(self, order: Order, now_ns: int) -> bool:
        """Whether an order may still be sent: in time, not cancelled, not out of date."""
        if order.canceled_ns or now_ns > order.bound_ns - LAST_COPY_NS:
            return False
        is_fresh = not order.strategy or now_ns - order.stamps.approved < FRESH_NS
        return is_fresh and not self._is_shut(order.account, now_ns)

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


def _missed_ns(order: Order) -> int:
    """When an order that should be over, or be shown, was found to be neither; 0 if it was not."""
    if not order.missed_ns and order.stage == "LIVE" and order.ends_at_once:
        return order.known_ns + CALM_NS  # its end should have come by now
    return order.missed_ns


def _is_moving(order: Order) -> bool:
    if not order.is_proven:
        return not order.ruled_out_ns
    return any(r.kind == "amend" and r.is_doubtful for r in order.requests.values())
