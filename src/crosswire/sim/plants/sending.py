"""Bugs of what is sent: the same intent twice, under one id or two."""

from collections.abc import Callable
from functools import partial
from typing import Any
from zlib import crc32

from msgspec import structs

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    Place,
    PlaceBatch,
    Rejected,
    TimedOut,
    Transport,
)
from crosswire.sim.plants.planting import (
    SECOND_COPY,
    Count,
    Method,
    Program,
    of,
    plant,
    wrap,
    wrap_events,
)


@plant(
    "resend",
    "after a place was sent, the same intent is sent again under a new client_order_id",
    shows_in="double_sends",
)
def _resend(program: Program) -> None:
    count = Count()

    def twice(send: Method) -> Method:
        def send_twice(approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
            events: list[AnyEvent] = send(approved, transport, now_ns)
            again = renamed(approved.command)
            if again is not None and count.strikes():
                # The second copy's own events stay untold, as in a fallback that forgot to tell.
                request_id = approved.request_id + SECOND_COPY
                send(
                    structs.replace(approved, command=again, request_id=request_id),
                    transport,
                    now_ns,
                )
            return events

        return send_twice

    for session in program.sessions:
        wrap(session, "send", twice)


def renamed(command: AnyCommand) -> AnyCommand | None:
    """The same intent under new ids; None for what places nothing."""
    if isinstance(command, Place):
        return structs.replace(command, client_order_id=_other_id(command.client_order_id))
    if isinstance(command, PlaceBatch):
        places = tuple(
            structs.replace(place, client_order_id=_other_id(place.client_order_id))
            for place in command.places
        )
        return structs.replace(command, places=places)
    return None


def _other_id(client_order_id: str) -> str:
    """An id as the program itself would make it, far ahead in its counter."""
    counter = int(client_order_id[14:24], 16) ^ (1 << 39)
    body = f"{client_order_id[:14]}{counter:010x}"
    return f"{body}{crc32(body.encode()):08x}"


@plant(
    "sign_again",
    "a place without an answer is signed anew, under a new id, and sent by the other transport",
    shows_in="double_sends",
)
def _sign_again(program: Program) -> None:
    for session in program.sessions:
        fall_back(session, renamed)


@plant(
    "id_as_key",
    "a place without an answer is sent again under its id, which the venue is trusted to take once",
    shows_in="double_sends",
)
def _id_as_key(program: Program) -> None:
    for session in program.sessions:
        fall_back(session, lambda command: command)


@plant(
    "refused_copy",
    "the refusal of a second copy of a place is taken for the refusal of the order",
    shows_in="orphan_orders",
)
def _refused_copy(program: Program) -> None:
    def as_first(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, Rejected) and event.request_id >= SECOND_COPY:
            return [structs.replace(event, request_id=event.request_id - SECOND_COPY)]
        return [event]

    for session in program.sessions:
        fall_back(session, lambda command: command)
    wrap_events(program.engine, as_first)


def fall_back(
    session: object,
    remade: Callable[[AnyCommand], AnyCommand | None],
    upon: type[AnyEvent] = TimedOut,
) -> None:
    """Send every place without an answer again by REST, as many a client's fallback does."""
    places: dict[int, Approved] = {}
    wrap(session, "send", partial(_remembering, places))
    for method in ("received", "closed", "tick", "answered", "failed"):
        wrap(session, method, partial(_falling_back, session, places, remade, upon))


def _remembering(places: dict[int, Approved], send: Method) -> Method:
    def remember(approved: Approved, transport: Transport, now_ns: int) -> object:
        if isinstance(approved.command, Place | PlaceBatch):
            places[approved.request_id] = approved
        return send(approved, transport, now_ns)

    return remember


def _falling_back(
    session: object,
    places: dict[int, Approved],
    remade: Callable[[AnyCommand], AnyCommand | None],
    upon: type[AnyEvent],
    hear: Method,
) -> Method:
    """Silence taken for "it never arrived"."""

    def heard(*arguments: Any, **named: Any) -> list[AnyEvent]:
        events: list[AnyEvent] = hear(*arguments, **named)
        for event in events:
            approved = places.get(getattr(event, "request_id", 0))
            if approved is not None and isinstance(event, upon):
                del places[approved.request_id]
                command = remade(approved.command)
                if command is None:
                    continue
                number = approved.request_id + SECOND_COPY
                again = structs.replace(approved, command=command, request_id=number)
                of(session, "send")(again, "rest", event.recv_ns)
        return events

    return heard


@plant(
    "same_ids",
    "a new run makes the ids of the first run again",
    shows_in="double_sends",
)
def _same_ids(program: Program) -> None:
    ids = of(program.engine, "ids")
    prefix = f"{ids.bot:08x}{1:06x}"
    vars(ids).update(run=1, counter=0, _prefix=prefix, _check=crc32(prefix.encode()))
