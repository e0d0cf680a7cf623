"""Replay: what the journal holds, told to an engine again, rebuilds the same state."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from crosswire.domain import AnyEvent, Approved
from crosswire.journal.records import Record


class Replayable(Protocol):
    """What replay needs of an engine."""

    def note(self, events: Sequence[AnyEvent]) -> object: ...

    def register(self, approved: Approved) -> object: ...


def replay(records: Iterable[Record], engine: Replayable) -> int:
    """Apply every record in order, deciding and sending nothing; returns how many there were."""
    count = 0
    for record in records:
        if isinstance(record, Approved):
            engine.register(record)
        else:
            engine.note((record,))
        count += 1
    return count
