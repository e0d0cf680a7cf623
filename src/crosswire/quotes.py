"""Wanted quotes - live orders = the fewest commands.

An order near enough to a wanted rung stays, with its place in the queue. What is left over of the
live orders is moved to what is left over of the rungs (amended, where the venue amends in place;
replaced by a new order in one request, where it does that), then the rest is canceled or placed.
An order with a request in flight is left alone and occupies its rung; one that is being replaced
leaves it to its successor. An UNKNOWN order, which `doubt` sees to, occupies its rung until it can
no longer be open; then the rung is quoted again while risk keeps the exposure reserved.
"""

from collections.abc import Iterable, Sequence

from crosswire.domain import Amend, AnyCommand, Cancel, Place, Quote, Quotes, Side
from crosswire.orders import ClientOrderIds, Order

# How long a cancel may stay unanswered before it is asked for again: cancels are harmless.
RECANCEL_NS = 2_000_000_000
# How long an order is left alone after a refusal: it may be over, and the word of that on its way.
REFUSED_NS = 500_000_000
AT_ONCE = ("ioc", "fok")


class Desk:
    """In whose name commands are made, and the clock readings of the turn they are made in.

    `tags_quantities` adds a few lots to each new order, so that every intent has a quantity of
    its own and a simulator's ledger shows doubles whatever ids they carry.
    """

    def __init__(
        self,
        account: str,
        strategy: str,
        ids: ClientOrderIds,
        *,
        amends_in_place: bool,
        bound_ns: int,
        replaces: bool = False,
        tags_quantities: bool = False,
    ) -> None:
        self.account = account
        self.strategy = strategy
        self.moves = amends_in_place or replaces
        self.move = self.amend if amends_in_place else self.replace
        self.may_place = True
        self._amends = amends_in_place
        self.now_ns = self.received_ns = self.decided_ns = 0
        self._ids = ids
        self._bound_ns = bound_ns
        self._tags_quantities = tags_quantities

    @property
    def may_move(self) -> bool:
        """Whether an order may be moved to a rung now: by an amend always, by a new one if any."""
        return self._amends or (self.moves and self.may_place)

    def place(
        self,
        side: Side,
        quote: Quote,
        wanted: Quotes,
        quantity_step: int,
        replaced: Order | None = None,
    ) -> Place:
        """Make the order for a rung, in another one's place if that is given."""
        client_order_id = self._ids.next()
        return Place(
            self.account,
            wanted.instrument,
            client_order_id,
            side,
            quote.quantity + self.tag(quantity_step),
            quote.price,
            post_only=wanted.post_only,
            bound_ns=self.now_ns + self._bound_ns,
            strategy=self.strategy,
            received_ns=self.received_ns,
            decoded_ns=self.now_ns,
            decided_ns=self.decided_ns,
            replaces="" if replaced is None else replaced.client_order_id,
            replaces_venue_id="" if replaced is None else replaced.venue_order_id,
        )

    def tag(self, quantity_step: int) -> int:
        """What is added to a new order's quantity, so that its intent is told from others."""
        return self._ids.counter * quantity_step if self._tags_quantities else 0

    def replace(self, order: Order, quote: Quote, wanted: Quotes, quantity_step: int) -> Place:
        """Make the move of an order to a rung, by a new one of the rung's quantity."""
        return self.place(order.side, quote, wanted, quantity_step, order)

    def amend(self, order: Order, quote: Quote, wanted: Quotes, _quantity_step: int) -> Amend:
        """Make the move of an order to a rung in place."""
        return Amend(
            order.account,
            order.instrument,
            order.client_order_id,
            order.venue_order_id,
            None if _is_enough(order, quote) else order.filled + quote.quantity,
            quote.price,
            post_only=wanted.post_only,
            bound_ns=self.now_ns + self._bound_ns,
            strategy=self.strategy,
            received_ns=self.received_ns,
            decoded_ns=self.now_ns,
            decided_ns=self.decided_ns,
        )


def cancel(order: Order) -> Cancel:
    """Make the cancel of an order."""
    return Cancel(order.account, order.client_order_id, order.venue_order_id, order.instrument)


def requote(
    wanted: Quotes, live: Iterable[Order], desk: Desk, quantity_step: int
) -> list[AnyCommand]:
    """Return the commands that turn one strategy's live orders into its wanted quotes.

    Of `live` only the orders of the desk's strategy count.
    """
    commands: list[AnyCommand] = []
    bids: list[Order] = []
    asks: list[Order] = []
    for order in live:
        if order.time_in_force in AT_ONCE and order.stage != "UNKNOWN":
            continue  # a taker of the same strategy: the venue ends it by itself
        # Of what is ruled out or done nothing rests; what may still be booked is risk's to keep.
        is_there = not (order.ruled_out_ns or order.stage == "DONE" or order.is_leaving)
        if is_there and order.strategy == desk.strategy:
            (bids if order.side == "buy" else asks).append(order)
    if bids or wanted.bids:
        _requote_side("buy", wanted.bids, bids, wanted, desk, quantity_step, commands)
    if asks or wanted.asks:
        _requote_side("sell", wanted.asks, asks, wanted, desk, quantity_step, commands)
    return commands


def _requote_side(
    side: Side,
    rungs: Sequence[Quote],
    orders: list[Order],
    wanted: Quotes,
    desk: Desk,
    quantity_step: int,
    commands: list[AnyCommand],
) -> None:
    if len(orders) == 1 and len(rungs) == 1 and desk.may_move:
        # The same rules for one order and one rung: what a fast quoter has on each side.
        order, rung = orders[0], rungs[0]
        was_asked = order.canceled_ns or order.refused_ns  # seldom: else a call less
        is_idle = order.stage == "LIVE" and not order.requests
        if is_idle and not (was_asked and is_settling(order, desk.now_ns)):
            off = abs((order.price or 0) - rung.price)
            if off > wanted.threshold or not _is_enough(order, rung):
                commands.append(desk.move(order, rung, wanted, quantity_step))
            return
    idle, free = _match(rungs, orders, wanted.threshold, desk.now_ns)
    if idle and free and desk.may_move:
        moved = min(len(idle), len(free))
        commands += [desk.move(idle[n], free[n], wanted, quantity_step) for n in range(moved)]
        idle, free = idle[moved:], free[moved:]
    if idle:
        commands += map(cancel, idle)
    # Without moves, a rung is quoted again when the cancel has made room for it.
    if free and desk.may_place and (desk.moves or not idle):
        commands += [desk.place(side, rung, wanted, quantity_step) for rung in free]


def _match(
    rungs: Sequence[Quote],
    orders: Sequence[Order],
    threshold: int,
    now_ns: int,
) -> tuple[list[Order], list[Quote]]:
    """Return the orders that serve no rung, and the rungs that no order serves, best first."""
    if not orders:
        return [], list(rungs)
    free = {rung.price: rung for rung in rungs}
    idle: list[Order] = []
    bare: list[Quote] = []
    busy: list[Order] = []
    astray: list[Order] = []
    for order in orders:
        if order.requests or order.stage == "UNKNOWN" or is_settling(order, now_ns):
            busy.append(order)
        elif order.price not in free:
            astray.append(order)
        elif not _is_enough(order, rung := free.pop(order.price)):
            idle.append(order)
            bare.append(rung)
    for order in busy:
        served = _serve(order, free, threshold)
        if served is None and free:
            free.popitem()  # it may rest somewhere, so there is one rung less to fill
    for order in astray:
        served = _serve(order, free, threshold)
        if served is None or not _is_enough(order, served):
            idle.append(order)
            bare += () if served is None else (served,)
    bare += free.values()
    if len(idle) > 1 or (idle and len(bare) > 1):
        # Pairing best with best moves each order the least.
        is_buy = idle[0].side == "buy"
        bare.sort(key=lambda quote: quote.price, reverse=is_buy)
        idle.sort(key=lambda order: order.price or 0, reverse=is_buy)
    return idle, bare


def _serve(order: Order, free: dict[int, Quote], threshold: int) -> Quote | None:
    """Take from the free rungs the one that the order already serves, or is on its way to."""
    if not free:
        return None
    price = order.price or 0
    if order.requests:
        amend = order.in_flight("amend")
        if amend is not None and amend.price is not None:
            price = amend.price
    best = min(free, key=lambda rung: abs(price - rung))
    return free.pop(best) if abs(price - best) <= threshold else None


def _is_enough(order: Order, rung: Quote) -> bool:
    remaining = order.quantity - order.filled
    return remaining * 2 >= rung.quantity and remaining <= rung.quantity * 2


def is_settling(order: Order, now_ns: int) -> bool:
    """Whether its last cancel or refusal is so fresh that the next word is the venue's."""
    if not (order.canceled_ns or order.refused_ns):
        return False
    # Refusals of an UNKNOWN order's cancel are expected, and each costs what trading could use.
    is_refused = order.refused_ns >= order.canceled_ns and order.stage != "UNKNOWN"
    wait_ns = REFUSED_NS if is_refused else RECANCEL_NS
    return now_ns - max(order.refused_ns, order.canceled_ns) <= wait_ns
