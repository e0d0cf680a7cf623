"""Bugs to plant on purpose, so that the checks can be seen to fail.

A plant wraps methods of a running program's own objects: nothing in the production code knows of
it. Each names the field of the verdict (`sim.checks`) that must show it. They are deterministic:
they strike by count, never by chance.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zlib import crc32

from msgspec import Struct, structs

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    Filled,
    Place,
    PlaceBatch,
    Transport,
)

FIRST = 3  # a plant strikes the third time it could ...
EVERY = 10  # ... and then every tenth: the run must stay recognisable
SECOND_COPY = 1_000_000_000  # added to a request's number: no answer is taken for the first's

Method = Callable[..., Any]


class Program(Struct, frozen=True):
    """The objects a plant may break: an `Engine`, and the sessions that send for it."""

    engine: object
    sessions: Sequence[object]


class Plant(Struct, frozen=True):
    """One bug. `shows_in` is the verdict's field that must not stay clean."""

    name: str
    bug: str
    shows_in: str
    sow: Callable[[Program], None]


_plants: dict[str, Plant] = {}


def _plant(
    name: str, bug: str, *, shows_in: str
) -> Callable[[Callable[[Program], None]], Callable[[Program], None]]:
    """Enter a function into the list of plants."""

    def enter(sow: Callable[[Program], None]) -> Callable[[Program], None]:
        _plants[name] = Plant(name, bug, shows_in, sow)
        return sow

    return enter


def names() -> tuple[str, ...]:
    """All plants by name."""
    return tuple(_plants)


def find(name: str) -> Plant:
    """Return a plant; `ValueError` naming all of them if there is none of that name."""
    if name not in _plants:
        raise ValueError(f'no plant "{name}": expected one of {", ".join(_plants)}')
    return _plants[name]


def sow(name: str, *, engine: object, sessions: Sequence[object]) -> Plant:
    """Plant a bug into a program. Do it before the program starts."""
    plant = find(name)
    plant.sow(Program(engine, sessions))
    return plant


def _wrap(target: object, method: str, around: Callable[[Method], Method]) -> None:
    """Put a function around a method of one object."""
    setattr(target, method, around(getattr(target, method)))


class _Count:
    """Tells which occasions are struck."""

    def __init__(self) -> None:
        self._seen = 0

    def strikes(self) -> bool:
        self._seen += 1
        return self._seen >= FIRST and (self._seen - FIRST) % EVERY == 0


# --- sending -----------------------------------------------------------------------------------


@_plant(
    "resend",
    "after a place was sent, the same intent is sent again under a new client_order_id",
    shows_in="double_sends",
)
def _resend(program: Program) -> None:
    count = _Count()

    def twice(send: Method) -> Method:
        def send_twice(approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
            events: list[AnyEvent] = send(approved, transport, now_ns)
            again = _renamed(approved.command)
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
        _wrap(session, "send", twice)


def _renamed(command: AnyCommand) -> AnyCommand | None:
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


# --- booking -----------------------------------------------------------------------------------


@_plant(
    "forget_fill",
    "a fill's event is lost before it is booked",
    shows_in="lost_fills",
)
def _forget_fill(program: Program) -> None:
    count = _Count()
    verdicts: dict[str, bool] = {}  # a fill that is told again is forgotten again

    def keep(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, Filled):
            if event.fill_key not in verdicts:
                verdicts[event.fill_key] = count.strikes()
            if verdicts[event.fill_key]:
                return []
        return [event]

    _wrap_events(program.engine, keep)


@_plant(
    "book_twice",
    "a fill is booked a second time, under a key of its own",
    shows_in="phantom_fills",
)
def _book_twice(program: Program) -> None:
    count = _Count()
    seen: set[str] = set()

    def double(event: AnyEvent) -> list[AnyEvent]:
        if isinstance(event, Filled) and event.fill_key not in seen:
            seen.add(event.fill_key)
            if count.strikes():
                key = f"{event.fill_key}-again"
                seen.add(key)
                return [event, structs.replace(event, fill_key=key)]
        return [event]

    _wrap_events(program.engine, double)


def _wrap_events(engine: object, change: Callable[[AnyEvent], list[AnyEvent]]) -> None:
    """Let every event that reaches an engine go through `change`."""

    def changed(events: Iterable[AnyEvent]) -> list[AnyEvent]:
        return [new for old in events for new in change(old)]

    def around_turn(turn: Method) -> Method:
        return lambda events, now_ns: turn(changed(events), now_ns)

    def around_note(note: Method) -> Method:
        return lambda events: note(changed(events))

    _wrap(engine, "turn", around_turn)
    _wrap(engine, "note", around_note)
