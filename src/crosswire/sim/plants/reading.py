"""Bugs of what answers and reads are taken to mean."""

from crosswire.domain import (
    AnyEvent,
    Approved,
    CancelRejected,
    Closed,
    LoggedIn,
    OrderReported,
    OrdersRead,
    PlaceBatch,
    Rejected,
)
from crosswire.sim.plants.planting import Method, Program, of, plant, wrap, wrap_events


@plant(
    "refused_cancel_closes",
    "a cancel that is refused for an unknown order closes the order",
    shows_in="orphan_orders",
)
def _refused_cancel_closes(program: Program) -> None:
    def closing(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, CancelRejected) and event.is_unknown_order:
            ids = (event.account, event.client_order_id, event.venue_order_id)
            return [event, Closed(event.recv_ns, *ids, "canceled")]
        return [event]

    wrap_events(program.engine, closing)


@plant(
    "stale_snapshot",
    "what a read does not show is over, whatever the stream said since the read began",
    shows_in="orphan_orders",
)
def _stale_snapshot(program: Program) -> None:
    orders = of(program.engine, "orders")

    def closing(event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, OrdersRead) or event.scope != "open" or event.client_order_id:
            return [event]
        shown = {row.client_order_id for row in event.orders}
        over: list[AnyEvent] = [
            Closed(event.recv_ns, order.account, order.client_order_id, "", "canceled")
            for order in orders.all_open(event.account)
            if order.client_order_id not in shown
        ]
        return [event, *over]

    wrap_events(program.engine, closing)


@plant(
    "no_snapshot",
    "after a reconnect the program goes on with what it knew, and reads nothing anew",
    shows_in="not_converged",
)
def _no_snapshot(program: Program) -> None:
    logins: list[AnyEvent] = []

    def keep(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, LoggedIn):
            logins.append(event)
        return [] if logins and isinstance(event, OrdersRead | OrderReported) else [event]

    wrap_events(program.engine, keep)


@plant(
    "whole_batch",
    "the refusal of one order of a batch is taken for the verdict on all of them",
    shows_in="orphan_orders",
)
def _whole_batch(program: Program) -> None:
    batches: dict[int, tuple[str, ...]] = {}

    def noting(register: Method) -> Method:
        def registered(approved: Approved) -> object:
            if isinstance(approved.command, PlaceBatch):
                ids = tuple(place.client_order_id for place in approved.command.places)
                batches[approved.request_id] = ids
            return register(approved)

        return registered

    def spread(event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, Rejected):
            return [event]
        ids = batches.get(event.request_id, (event.client_order_id,))
        over: list[AnyEvent] = [
            Closed(event.recv_ns, event.account, one, "", "canceled")
            for one in ids
            if one != event.client_order_id
        ]
        return [event, *over]

    wrap(program.engine, "register", noting)
    wrap_events(program.engine, spread)
