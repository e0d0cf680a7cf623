"""Bugs of what is booked: fills lost, made up, or booked to the wrong side."""

from collections.abc import Callable

from msgspec import structs

from crosswire.domain import (
    AnyEvent,
    Closed,
    FeedProven,
    Filled,
)
from crosswire.orders import Order
from crosswire.sim.plants.planting import Count, Method, Program, of, plant, wrap, wrap_events


@plant(
    "forget_fill",
    "a fill's event is lost before it is booked",
    shows_in="lost_fills",
)
def _forget_fill(program: Program) -> None:
    count = Count()
    verdicts: dict[str, bool] = {}  # a fill that is told again is forgotten again

    def keep(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, Filled):
            if event.fill_key not in verdicts:
                verdicts[event.fill_key] = count.strikes()
            if verdicts[event.fill_key]:
                return []
        return [event]

    wrap_events(program.engine, keep)


@plant(
    "book_twice",
    "a fill is booked a second time, under a key of its own",
    shows_in="phantom_fills",
)
def _book_twice(program: Program) -> None:
    count = Count()
    seen: set[str] = set()

    def double(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, Filled) and event.fill_key not in seen:
            seen.add(event.fill_key)
            if count.strikes():
                key = f"{event.fill_key}-again"
                seen.add(key)
                return [event, structs.replace(event, fill_key=key)]
        return [event]

    wrap_events(program.engine, double)


@plant(
    "mark_before_applied",
    "a fill is marked as seen, and then applying it fails",
    shows_in="lost_fills",
)
def _mark_before_applied(program: Program) -> None:
    orders = of(program.engine, "orders")
    count = Count()
    marked: set[str] = set()

    def around(apply: Method) -> Method:
        def applied(event: AnyEvent) -> object:
            if isinstance(event, Filled):
                if event.fill_key not in marked and count.strikes():
                    marked.add(event.fill_key)
                if event.fill_key in marked:
                    return apply(FeedProven(event.recv_ns, ""))  # which does nothing
            return apply(event)

        return applied

    wrap(orders, "apply", around)


@plant(
    "book_strangers",
    "a fill of an order that is not ours is booked to a strategy",
    shows_in="misbooked_fills",
)
def _book_strangers(program: Program) -> None:
    slots = of(program.engine, "slots")

    def around(book: Method) -> Method:
        return lambda fill, strategy: book(fill, strategy or next(iter(slots)))

    wrap(of(program.engine, "positions"), "book", around)


@plant(
    "watermark",
    "a fill older than the newest one booked is taken for booked",
    shows_in="lost_fills",
)
def _watermark(program: Program) -> None:
    newest: dict[str, int] = {}

    def keep(event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, Filled):
            return [event]
        if event.venue_ns < newest.get(event.account, 0):
            return []
        newest[event.account] = event.venue_ns
        return [event]

    wrap_events(program.engine, keep)


@plant(
    "closed_is_filled",
    "the closure of an order is booked as if its rest had filled",
    shows_in="phantom_fills",
)
def _closed_is_filled(program: Program) -> None:
    orders = of(program.engine, "orders")

    def filling(event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, Closed):
            return [event]
        order = orders.find(event.account, event.client_order_id, event.venue_order_id)
        if order is None or not order.is_open or not order.remaining:
            return [event]
        rest = Filled(
            event.recv_ns,
            event.account,
            event.client_order_id,
            event.venue_order_id,
            order.instrument,
            order.side,
            order.price or 0,
            order.remaining,
            f"{order.client_order_id}-rest",
            venue_ns=event.venue_ns,
        )
        return [rest, event]

    wrap_events(program.engine, filling)


# --- what stays reserved -------------------------------------------------------------------------


@plant(
    "freed_on_timeout",
    "an order that is in doubt is no longer counted against the limits",
    shows_in="limit_breaches",
)
def _freed_on_timeout(program: Program) -> None:
    _free(program, lambda order: order.stage == "UNKNOWN")


@plant(
    "freed_when_filled",
    "an order that has ended is no longer counted, though not all of its fills are booked",
    shows_in="limit_breaches",
)
def _freed_when_filled(program: Program) -> None:
    _free(program, lambda order: order.stage == "DONE")


def _free(program: Program, is_free: Callable[[Order], bool]) -> None:
    """End reservations that have to last."""
    orders = of(program.engine, "orders")

    def around(settle: Method) -> Method:
        def settled(order: Order) -> None:
            settle(order)
            if order.reserved and is_free(order):
                standing = orders.standing(order.account, order.instrument)
                side = "buys" if order.side == "buy" else "sells"
                setattr(standing, side, getattr(standing, side) - order.reserved)
                order.reserved = 0

        return settled

    wrap(orders, "_settle", around)
