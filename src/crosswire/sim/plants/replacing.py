"""Bugs where one request cancels an order and opens another, and where copies are taken once."""

from msgspec import structs

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    Closed,
    Place,
    PlaceBatch,
    Rejected,
    Resend,
    Seen,
)
from crosswire.sim.plants.planting import Method, Program, of, plant, wrap, wrap_events
from crosswire.sim.plants.sending import fall_back, renamed


@plant(
    "replaced_is_done",
    "an order is held for done as soon as the request that replaces it was sent",
    shows_in="orphan_orders",
)
def _replaced_is_done(program: Program) -> None:
    engine = program.engine

    def around(register: Method) -> Method:
        def registered(approved: Approved) -> None:
            register(approved)
            command = approved.command
            places = command.places if isinstance(command, PlaceBatch) else (command,)
            over: list[AnyEvent] = [
                Closed(
                    approved.approved_ns,
                    place.account,
                    place.replaces,
                    place.replaces_venue_id,
                    "canceled",
                )
                for place in places
                if isinstance(place, Place) and place.replaces
            ]
            of(engine, "note")(over)
            of(engine, "made").extend(over)

        return registered

    wrap(engine, "register", around)


@plant(
    "copy_refused",
    "what is said of an identical copy (refused, or known already) is taken for the order's end",
    shows_in="orphan_orders",
)
def _copy_refused(program: Program) -> None:
    copied: set[int] = set()

    def noting(register: Method) -> Method:
        def registered(approved: Approved) -> None:
            if isinstance(approved.command, Resend):
                copied.add(approved.command.place_request_id)
            register(approved)

        return registered

    def final(event: AnyEvent) -> list[AnyEvent]:
        if getattr(event, "request_id", 0) not in copied:
            return [event]
        if isinstance(event, Seen):
            ids = (event.account, event.client_order_id, event.venue_order_id)
            return [Rejected(event.recv_ns, *ids, event.request_id, event.reason, is_final=True)]
        if isinstance(event, Rejected):
            return [structs.replace(event, is_final=True)]
        return [event]

    wrap(program.engine, "register", noting)
    wrap_events(program.engine, final)


@plant(
    "batch_again",
    "a batch of which one order was refused is sent again, whole",
    shows_in="double_sends",
)
def _batch_again(program: Program) -> None:
    def whole(command: AnyCommand) -> AnyCommand | None:
        return renamed(command) if isinstance(command, PlaceBatch) else None

    for session in program.sessions:
        fall_back(session, whole, Rejected)
