"""Bugs to plant on purpose, so that the checks can be seen to fail.

A plant wraps methods of a running program's own objects: nothing in the production code knows of
it. Each names the field of the verdict (`sim.checks`) that must show it. They are deterministic:
they strike by count, never by chance.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from zlib import crc32

from msgspec import Struct, structs

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    CancelRejected,
    Closed,
    Filled,
    LoggedIn,
    OrderReported,
    OrdersRead,
    Place,
    PlaceBatch,
    Rejected,
    Resumed,
    TimedOut,
    Transport,
)
from crosswire.orders.orders import NOTHING

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


@_plant(
    "mark_before_applied",
    "a fill is marked as seen, and then applying it fails",
    shows_in="lost_fills",
)
def _mark_before_applied(program: Program) -> None:
    orders = _of(program.engine, "orders")
    count = _Count()
    marked: set[str] = set()

    def around(apply: Method) -> Method:
        def applied(event: AnyEvent) -> object:
            if isinstance(event, Filled):
                if event.fill_key not in marked and count.strikes():
                    marked.add(event.fill_key)
                if event.fill_key in marked:
                    return NOTHING
            return apply(event)

        return applied

    _wrap(orders, "apply", around)


@_plant(
    "book_strangers",
    "a fill of an order that is not ours is booked to a strategy",
    shows_in="misbooked_fills",
)
def _book_strangers(program: Program) -> None:
    slots = _of(program.engine, "slots")

    def around(book: Method) -> Method:
        return lambda fill, strategy: book(fill, strategy or next(iter(slots)))

    _wrap(_of(program.engine, "positions"), "book", around)


# --- what answers and reads mean -----------------------------------------------------------------


@_plant(
    "sign_again",
    "a place without an answer is signed again and sent by the other transport",
    shows_in="double_sends",
)
def _sign_again(program: Program) -> None:
    for session in program.sessions:
        places: dict[int, Approved] = {}
        _wrap(session, "send", partial(_remembering, places))
        for method in ("received", "closed", "tick", "answered", "failed"):
            _wrap(session, method, partial(_falling_back, session, places))


def _remembering(places: dict[int, Approved], send: Method) -> Method:
    def remember(approved: Approved, transport: Transport, now_ns: int) -> object:
        if isinstance(approved.command, Place):
            places[approved.request_id] = approved
        return send(approved, transport, now_ns)

    return remember


def _falling_back(session: object, places: dict[int, Approved], hear: Method) -> Method:
    """Silence taken for "it never arrived": the fallback of many a client."""

    def heard(*arguments: Any, **named: Any) -> list[AnyEvent]:
        events: list[AnyEvent] = hear(*arguments, **named)
        for event in events:
            if isinstance(event, TimedOut) and event.kind == "place":
                approved = places.pop(event.request_id, None)
                if approved is not None:
                    again = structs.replace(approved, request_id=event.request_id + SECOND_COPY)
                    _of(session, "send")(again, "rest", event.recv_ns)
        return events

    return heard


@_plant(
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

    _wrap_events(program.engine, closing)


@_plant(
    "stale_snapshot",
    "what a read does not show is over, whatever the stream said since the read began",
    shows_in="orphan_orders",
)
def _stale_snapshot(program: Program) -> None:
    orders = _of(program.engine, "orders")

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

    _wrap_events(program.engine, closing)


@_plant(
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

    _wrap_events(program.engine, keep)


@_plant(
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

    _wrap(program.engine, "register", noting)
    _wrap_events(program.engine, spread)


# --- ids, switches, halts ------------------------------------------------------------------------


@_plant(
    "same_ids",
    "a new run makes the ids of the first run again",
    shows_in="double_sends",
)
def _same_ids(program: Program) -> None:
    ids = _of(program.engine, "ids")
    prefix = f"{ids.bot:08x}{1:06x}"
    vars(ids).update(run=1, counter=0, _prefix=prefix, _check=crc32(prefix.encode()))


@_plant(
    "kill_once",
    "a kill cancels everything once, and never asks again",
    shows_in="open_while_killed",
)
def _kill_once(program: Program) -> None:
    killed: set[str] = set()

    def is_first(approved: Approved) -> bool:
        command = approved.command
        is_killed = bool(_of(_of(program.engine, "risk"), "killed"))
        if not is_killed or not isinstance(command, CancelAll | Cancel | CancelBatch):
            return True
        is_new = command.account not in killed
        killed.add(command.account)
        return is_new

    for method in ("tick", "turn"):
        _wrap(program.engine, method, partial(_choosing, is_first))


@_plant(
    "assume_armed",
    "the dead-man switch is taken for armed when it was asked for",
    shows_in="placed_while_unarmed",
)
def _assume_armed(program: Program) -> None:
    armed_ns = _of(_of(program.engine, "risk"), "armed_ns")

    def around(register: Method) -> Method:
        def registered(approved: Approved) -> object:
            command = approved.command
            if isinstance(command, ArmDeadMan):
                armed_ns[command.account] = approved.approved_ns + command.timeout_ns
            return register(approved)

        return registered

    _wrap(program.engine, "register", around)


@_plant(
    "arm_once",
    "the dead-man switch is armed once and never again",
    shows_in="trading_stopped",
)
def _arm_once(program: Program) -> None:
    armed: set[str] = set()

    def is_first(approved: Approved) -> bool:
        command = approved.command
        if not isinstance(command, ArmDeadMan):
            return True
        is_new = command.account not in armed
        if _of(_of(program.engine, "risk"), "armed_ns").get(command.account):
            armed.add(command.account)
        return is_new

    _wrap(program.engine, "tick", partial(_choosing, is_first))


def _choosing(is_kept: Callable[[Approved], bool], tick: Method) -> Method:
    """Let of what a tick approves only some be sent."""
    return lambda *arguments: [each for each in tick(*arguments) if is_kept(each)]


@_plant(
    "halt_for_ever",
    "a halt has no exit",
    shows_in="trading_stopped",
)
def _halt_for_ever(program: Program) -> None:
    _wrap_events(program.engine, lambda event: [] if isinstance(event, Resumed) else [event])


def _of(owner: object, name: str) -> Any:
    """A part of the program by its name: plants reach where nobody else may."""
    return getattr(owner, name)
