"""Commands of one turn, put together where the venue takes several in one request."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from crosswire.domain import AnyCommand, Cancel, CancelBatch, Place, PlaceBatch
from crosswire.engine.settings import Account

T = TypeVar("T")


def batched(commands: Sequence[AnyCommand], accounts: Mapping[str, Account]) -> list[AnyCommand]:
    """Return the same wishes in fewer requests: cancels first, because they make room.

    Places go together where they are of one account and instrument, and of one kind: those that
    replace, and post-only ones, apart from others. What is alone stays so.
    """
    cancels: dict[str, list[Cancel]] = {}
    places: dict[tuple[str, str, bool, bool], list[Place]] = {}
    others: list[AnyCommand] = []
    for command in commands:
        if isinstance(command, Cancel):
            cancels.setdefault(command.account, []).append(command)
        elif isinstance(command, Place):
            kind = (bool(command.replaces), command.post_only)
            key = (command.account, command.instrument, *kind)
            places.setdefault(key, []).append(command)
        else:
            others.append(command)
    result: list[AnyCommand] = []
    for account, some in cancels.items():
        groups = _groups(some, accounts[account].max_cancel_batch)
        result += [x[0] if len(x) == 1 else CancelBatch(account, tuple(x)) for x in groups]
    result += others
    for (account, *_), wanted in places.items():
        lots = _groups(wanted, accounts[account].max_place_batch)
        result += [x[0] if len(x) == 1 else _batch(account, x) for x in lots]
    return result


def _batch(account: str, places: list[Place]) -> PlaceBatch:
    return PlaceBatch(account, tuple(places), min(place.bound_ns for place in places))


def _groups(items: list[T], most: int) -> list[list[T]]:
    most = max(most, 1)
    return [items[start : start + most] for start in range(0, len(items), most)]
