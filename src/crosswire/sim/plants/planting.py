"""What plants are made of: their list, and the ways to reach into a running program."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from crosswire.domain import AnyEvent, Approved

FIRST = 3  # a plant strikes the third time it could ...
EVERY = 10  # ... and then every tenth: the run must stay recognisable
SECOND_COPY = 1_000_000_000  # added to a request's number: no answer is taken for the first's

Method = Callable[..., Any]
Change = Callable[[AnyEvent], list[AnyEvent]]


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


def plant(
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
    found = find(name)
    found.sow(Program(engine, sessions))
    return found


# --- reaching in -------------------------------------------------------------------------------


def of(owner: object, name: str) -> Any:
    """A part of the program by its name: plants reach where nobody else may."""
    return getattr(owner, name)


def wrap(target: object, method: str, around: Callable[[Method], Method]) -> None:
    """Put a function around a method of one object."""
    setattr(target, method, around(getattr(target, method)))


def wrap_events(engine: object, change: Change) -> None:
    """Let every event that reaches an engine go through `change`."""

    def changed(events: Iterable[AnyEvent]) -> list[AnyEvent]:
        return [new for old in events for new in change(old)]

    def around_turn(turn: Method) -> Method:
        return lambda events, now_ns: turn(changed(events), now_ns)

    def around_note(note: Method) -> Method:
        return lambda events: note(changed(events))

    wrap(engine, "turn", around_turn)
    wrap(engine, "note", around_note)


def conclude(engine: object, conclusions: Change) -> None:
    """Let an engine conclude what it should not from what it hears, and journal that."""

    def around(turn: Method) -> Method:
        def turned(events: Sequence[AnyEvent], now_ns: int) -> list[Approved]:
            approved: list[Approved] = turn(events, now_ns)
            found = [new for event in events for new in conclusions(event)]
            of(engine, "note")(found)
            of(engine, "made").extend(found)
            return approved

        return turned

    wrap(engine, "turn", around)


def choosing(is_kept: Callable[[Approved], bool], decide: Method) -> Method:
    """Let of what an engine approves only some be sent."""
    return lambda *arguments: [each for each in decide(*arguments) if is_kept(each)]


class Count:
    """Tells which occasions are struck."""

    def __init__(self) -> None:
        self._seen = 0

    def strikes(self) -> bool:
        """Whether this occasion is one of them."""
        self._seen += 1
        return self._seen >= FIRST and (self._seen - FIRST) % EVERY == 0
