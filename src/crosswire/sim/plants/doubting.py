"""Bugs of what is taken for proof that an order never was."""

from collections.abc import Iterator
from typing import Any

from msgspec import structs

from crosswire.domain import (
    Absent,
    AnyEvent,
    OrderReported,
    OrdersRead,
    ReadFailed,
)
from crosswire.sim.plants.planting import (
    Method,
    Program,
    conclude,
    of,
    plant,
    wrap,
    wrap_events,
)


def _doubtful(program: Program, account: str) -> Iterator[Any]:
    """The orders whose place nobody has answered, and that nothing has shown."""
    for order in list(of(of(program.engine, "orders"), "all_open")(account)):
        if order.stage == "UNKNOWN" and not order.is_proven:
            yield order


def _absent(program: Program, event: OrdersRead | ReadFailed, evidence: str) -> list[Absent]:
    """Call absent what is in doubt and not shown."""
    rows = event.orders if isinstance(event, OrdersRead) else ()
    shown = {row.client_order_id for row in rows}
    return [
        Absent(event.recv_ns, order.account, order.client_order_id, "", evidence)
        for order in _doubtful(program, event.account)
        if order.client_order_id not in shown
    ]


@plant(
    "failed_read",
    "a look-up that failed is taken for one that found nothing",
    shows_in="absent_but_there",
)
def _failed_read(program: Program) -> None:
    def calling(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, ReadFailed) and event.what == "closed_orders":
            return [*_absent(program, event, "a look-up")]
        return []

    conclude(program.engine, calling)


@plant(
    "blind_read",
    "a look-up that shows nothing at all is taken for proof, whether it can see or not",
    shows_in="absent_but_there",
)
def _blind_read(program: Program) -> None:
    def calling(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, OrdersRead) and event.source == "lookup" and not event.orders:
            return [*_absent(program, event, "an empty look-up")]
        return []

    conclude(program.engine, calling)


@plant(
    "early_read",
    "a look-up proves an absence at once, however far it trails and whatever is under way",
    shows_in="absent_but_there",
)
def _early_read(program: Program) -> None:
    def calling(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, OrdersRead) and event.scope == "closed" and event.is_complete:
            return [*_absent(program, event, "a look-up")]
        return []

    conclude(program.engine, calling)


@plant(
    "partial_read",
    "what a look-up of closed orders has read when it breaks off is taken for all of them",
    shows_in="absent_but_there",
)
def _partial_read(program: Program) -> None:
    orders = of(program.engine, "orders")

    def calling(event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, OrdersRead) or event.scope != "closed":
            return []
        shown = {row.client_order_id for row in event.orders}
        return [
            Absent(event.recv_ns, order.account, order.client_order_id, "", "a part of a look-up")
            for order in list(of(orders, "all_open")(event.account))
            if order.stage == "UNKNOWN" and order.client_order_id not in shown
        ]

    _read_one_page(program)
    conclude(program.engine, calling)


@plant(
    "first_page",
    "the first page of a look-up is taken for all of it",
    shows_in="unresolved",
)
def _first_page(program: Program) -> None:
    _read_one_page(program)


def _read_one_page(program: Program) -> None:
    def around(read: Method) -> Method:
        def cut(*arguments: Any) -> Any:
            page = read(*arguments)
            total = getattr(page, "total", None)
            if total is None:
                return page
            rows = page.orders if hasattr(page, "orders") else page.fills
            return structs.replace(page, total=min(total, len(rows)))

        return cut

    for session in program.sessions:
        look_ups = getattr(session, "_lookups", None)
        if look_ups is not None:
            wrap(look_ups, "_page", around)


@plant(
    "own_clock",
    "bounds are written and held against our own clock, as if it were the venue's",
    shows_in="absent_but_there",
)
def _own_clock(program: Program) -> None:
    for session in program.sessions:
        clock = getattr(session, "clock", None)
        if clock is not None:
            vars(clock)["measure"] = lambda *_, **__: None
    wrap_events(program.engine, _restamped)


def _restamped(event: AnyEvent) -> list[AnyEvent]:
    """What the venue stamped, as if our clock had."""
    venue_ns = getattr(event, "venue_ns", 0)
    if not venue_ns:
        return [event]
    moved_ns = event.recv_ns - venue_ns
    if isinstance(event, OrdersRead):
        rows = tuple(_moved(row, moved_ns) for row in event.orders)
        return [structs.replace(event, venue_ns=event.recv_ns, orders=rows)]
    return [structs.replace(event, venue_ns=event.recv_ns)]


def _moved(row: OrderReported, by_ns: int) -> OrderReported:
    opened_ns = row.opened_ns and row.opened_ns + by_ns
    return structs.replace(
        row, opened_ns=opened_ns, closed_ns=row.closed_ns and row.closed_ns + by_ns
    )
