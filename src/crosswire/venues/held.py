"""Commands that wait: for room under the venue's rate limit, or for an amend's answer.

Bounded in number and in age; whatever leaves the queue unsent is refused with the reason.
"""

from collections.abc import Callable

from msgspec import Struct

from crosswire.domain import (
    Amend,
    AnyEvent,
    Approved,
    Cancel,
    CancelAll,
    CancelBatch,
    Place,
    PlaceBatch,
    Transport,
)
from crosswire.venues.unsent import unsent


class Waiting(Struct, frozen=True):
    """One command that waits."""

    approved: Approved
    transport: Transport
    since_ns: int


class Held:
    """`queue` is what waits for one login; the oldest goes first."""

    def __init__(self, most: int, most_ns: int) -> None:
        self._most = most
        self._most_ns = most_ns
        self.queue: list[Waiting] = []
        self.held = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self.queue)

    def is_waiting(self, instrument: str) -> bool:
        """Whether an order of this instrument waits: a later one must not overtake it."""
        return any(instrument in _instruments(waiting.approved) for waiting in self.queue)

    def add(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Hold a command back; returns the refusals that follow from it.

        A newer amend replaces a waiting one of the same order, whose place it takes.
        """
        found = self._amend_of(approved)
        if found is not None:
            replaced = self.queue[found]
            self.queue[found] = Waiting(approved, transport, replaced.since_ns)
            return unsent(replaced.approved, "replaced by a newer amend", now_ns)
        if len(self.queue) >= self._most:
            self.refused += 1
            return unsent(approved, f"{self._most} requests are held back already", now_ns)
        self.held += 1
        self.queue.append(Waiting(approved, transport, now_ns))
        return []

    def release(
        self, send: Callable[[Waiting], list[AnyEvent] | None], now_ns: int
    ) -> list[AnyEvent]:
        """Offer every waiting command to `send`, which returns None to keep it waiting."""
        events: list[AnyEvent] = []
        queue, self.queue = self.queue, []
        for waiting in queue:
            if now_ns - waiting.since_ns >= self._most_ns:
                self.refused += 1
                reason = f"held back for {self._most_ns / 1e9:g} s without room to send it"
                events += unsent(waiting.approved, reason, now_ns)
                continue
            outcome = send(waiting)
            if outcome is None:
                self.queue.append(waiting)
            else:
                events += outcome
        return events

    def drop(self, client_order_id: str, now_ns: int) -> list[AnyEvent]:
        """An order is being cancelled: what waits for it alone must not be sent any more."""
        events: list[AnyEvent] = []
        for waiting in [each for each in self.queue if _is_of(each.approved, client_order_id)]:
            self.queue.remove(waiting)
            events += unsent(waiting.approved, "cancelled before it was sent", now_ns)
        return events

    def overtake(self, approved: Approved, now_ns: int) -> list[AnyEvent]:
        """A cancel overtakes what waits for the same order, and keeps it from being sent."""
        command = approved.command
        if not self.queue:
            return []
        if isinstance(command, CancelAll):
            return self.clear("everything is being cancelled", now_ns)
        cancels = command.cancels if isinstance(command, CancelBatch) else (command,)
        return [
            event
            for cancel in cancels
            if isinstance(cancel, Cancel)
            for event in self.drop(cancel.client_order_id, now_ns)
        ]

    def clear(self, reason: str, now_ns: int) -> list[AnyEvent]:
        """Refuse all that waits."""
        queue, self.queue = self.queue, []
        self.refused += len(queue)
        return [event for each in queue for event in unsent(each.approved, reason, now_ns)]

    def _amend_of(self, approved: Approved) -> int | None:
        command = approved.command
        if not isinstance(command, Amend):
            return None
        for position, waiting in enumerate(self.queue):
            other = waiting.approved.command
            if isinstance(other, Amend) and other.client_order_id == command.client_order_id:
                return position
        return None


def _instruments(approved: Approved) -> set[str]:
    command = approved.command
    if isinstance(command, PlaceBatch):
        return {place.instrument for place in command.places}
    return {command.instrument} if isinstance(command, Place | Amend) else set()


def _is_of(approved: Approved, client_order_id: str) -> bool:
    """Whether a waiting command is about an order, or would replace it.

    A batch is refused with any of its orders.
    """
    command = approved.command
    parts = command.places if isinstance(command, PlaceBatch) else (command,)
    for part in parts:
        if isinstance(part, Place) and client_order_id == part.replaces:
            return True
        if isinstance(part, Place | Amend) and part.client_order_id == client_order_id:
            return True
    return False
