"""What our own journal says as it is written: for counts, and for what must never be written."""

from collections.abc import Callable, Iterable

from crosswire.domain import (
    Absent,
    Accepted,
    Approved,
    CancelRejected,
    Filled,
    FillsRead,
    Halted,
    Kill,
    OrdersRead,
    Place,
    PlaceBatch,
    Resend,
    Resume,
    Resumed,
    RunStarted,
    TimedOut,
    Void,
)
from crosswire.engine.path import Record


class Records:
    """Reads along."""

    def __init__(
        self,
        now_ns: Callable[[], int],
        call_absent: Callable[[str], object],
        has_way_out: Callable[[], bool] = lambda: True,
    ) -> None:
        """`has_way_out`: whether a cancel could leave now, if nobody held it."""
        self.placed: dict[str, int] = {}  # client_order_id -> when, by the true clock
        self.timed_out: set[tuple[int, int]] = set()  # run, request
        self.absent: dict[str, tuple[str, int]] = {}  # -> side, price
        self.resent: set[str] = set()
        self.late: set[str] = set()
        self.late_accepts = 0
        self.copies = 0  # identical bytes sent again
        self.voids = 0  # tries to use up what a doubtful request was sent under
        self.replaced = 0  # orders that were to take another's place
        self.cancels_held = 0  # by ourselves: nothing may ever hold one
        self.fills_asked_ns = 0  # when the last whole look-up of fills began, by our clock
        self.absent_then_resent = 0
        self.placed_while_closed = 0
        self._run = 0
        self._places: set[int] = set()  # requests that replace
        self._halts: set[str] = set()
        self._unhalted: set[str] = set()  # late accepts that no halt has followed yet
        self._is_killed = False
        self._sides: dict[str, str] = {}
        self._waiting: dict[str, list[str]] = {"buy": [], "sell": []}
        self._now_ns = now_ns
        self._call_absent = call_absent
        self._has_way_out = has_way_out

    def read(self, record: Record) -> None:
        """Take one record in."""
        if isinstance(record, Approved):
            self._approved(record)
        elif isinstance(record, TimedOut):
            self.timed_out.add((self._run, record.request_id))
        elif isinstance(record, Absent):
            self._gone(record.client_order_id)
        elif isinstance(record, Accepted | Filled):
            self._there(record.client_order_id)
        elif isinstance(record, OrdersRead):
            for row in record.orders:
                self._there(row.client_order_id)
        elif isinstance(record, Halted):
            self._halts.add(record.reason)
            if record.reason.startswith("late accept"):
                self.late_accepts += 1
                self._unhalted = {one for one in self._unhalted if one not in record.reason}
        elif isinstance(record, Resumed):
            self._halts.discard(record.reason)
        else:
            self._other(record)

    def lose(self, lost: Iterable[Record]) -> None:
        """A crash took the last records with it: nobody knows of the halts among them."""
        for record in lost:
            if isinstance(record, Halted):
                self._halts.discard(record.reason)

    def _other(self, record: Record) -> None:
        if isinstance(record, RunStarted):
            self._run = record.run
        elif isinstance(record, CancelRejected):
            # What was to replace an order and never left has cancelled nothing, nor was it to.
            is_held = record.is_unsent and record.request_id not in self._places
            self.cancels_held += is_held and self._has_way_out()
        elif isinstance(record, FillsRead):
            self.fills_asked_ns = record.started_ns

    def _approved(self, approved: Approved) -> None:
        command = approved.command
        if isinstance(command, Place | PlaceBatch):
            places = command.places if isinstance(command, PlaceBatch) else (command,)
            for place in places:
                self._place(place)
            if any(place.replaces for place in places):
                self._places.add(approved.request_id)
            if self._halts or self._is_killed or self._unhalted:
                self.placed_while_closed += len(places)
        elif isinstance(command, Resend):
            self.copies += 1
        elif isinstance(command, Void):
            self.voids += 1
        elif isinstance(command, Kill):
            self._is_killed = True
        elif isinstance(command, Resume):
            self._is_killed = False
            self._halts.clear()

    def _place(self, place: Place) -> None:
        self.placed[place.client_order_id] = self._now_ns()
        self._sides[place.client_order_id] = place.side
        self.replaced += bool(place.replaces)
        waiting = self._waiting[place.side]
        if waiting:
            self.resent.add(waiting.pop(0))
            self.absent_then_resent += 1

    def _there(self, client_order_id: str) -> None:
        """The venue shows what we have called absent: placing must halt before anything else."""
        if client_order_id in self.absent and client_order_id not in self.late:
            self.late.add(client_order_id)
            self._unhalted.add(client_order_id)

    def _gone(self, client_order_id: str) -> None:
        self._call_absent(client_order_id)
        if client_order_id not in self.absent:
            side = self._sides.get(client_order_id, "buy")
            self.absent[client_order_id] = (side, 0)
            self._waiting[side].append(client_order_id)
