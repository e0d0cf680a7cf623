"""A real book as the other side of ours: recorded and played back, or mirrored live.

`Recording` says when which event is due, in virtual or scaled time. `Mirror` applies such events
to a matching engine as external levels. Both take decoded events; the bytes are a venue's.
"""

from collections.abc import Sequence

from crosswire.domain import BookChanged, BookReset, Side, TradePrinted
from crosswire.sim.matching import AnyOutcome, MatchingEngine

RecordedEvent = BookReset | BookChanged | TradePrinted
HEAL_NS = 1_000_000_000
LOOP_GAP_NS = 1_000_000_000  # between the last event and the first of the next round


class Recording:
    """Events with times, played from `start_ns` on."""

    def __init__(
        self,
        events: Sequence[RecordedEvent],
        start_ns: int,
        *,
        speed: int = 1,
        has_loop: bool = False,
    ) -> None:
        """The events' own times are `venue_ns`, or `recv_ns` where that is 0.

        A missing or earlier time counts as the next known one. `speed` 2 plays twice as fast.
        With a loop it starts again after its end: the first event should be a `BookReset`.
        `ValueError` for an empty recording or a speed below 1.
        """
        if not events:
            raise ValueError("the recording holds no book")
        if speed < 1:
            raise ValueError(f"speed {speed} is below 1")
        self.events = tuple(events)
        self.has_loop = has_loop
        self._offsets = [offset // speed for offset in _offsets(events)]
        self._start_ns = start_ns
        self._next = 0
        self.rounds = 0  # played to the end so far

    @property
    def length_ns(self) -> int:
        """How long one round takes."""
        return self._offsets[-1]

    @property
    def is_over(self) -> bool:
        return self._next == len(self.events)

    def due(self, now_ns: int) -> list[RecordedEvent]:
        """Return the events whose time has come, in order."""
        due: list[RecordedEvent] = []
        while (due_ns := self.next_due_ns()) is not None and due_ns <= now_ns:
            due.append(self.events[self._next])
            self._next += 1
            if self.is_over:
                self.rounds += 1
                if self.has_loop:
                    self._start_ns = due_ns + LOOP_GAP_NS
                    self._next = 0
        return due

    def next_due_ns(self) -> int | None:
        """When the next event is due; None after the end."""
        return None if self.is_over else self._start_ns + self._offsets[self._next]


def _offsets(events: Sequence[RecordedEvent]) -> list[int]:
    """Times since the first event, never going back."""
    times = [event.venue_ns or event.recv_ns for event in events]
    known = [time for time in times if time]
    first = latest = known[0] if known else 0
    offsets = []
    for time in times:
        latest = max(latest, time)
        offsets.append(latest - first)
    return offsets


class Mirror:
    """Keeps an engine's external levels equal to a real book of which N levels are known."""

    def __init__(self, engine: MatchingEngine, *, heal_ns: int = HEAL_NS) -> None:
        """`heal_ns`: how long what was taken from the real book stays taken; 0 = until it moves.

        The real book never learns of our trades: its next takers find what ours "took".
        """
        self._engine = engine
        self._depth = 0
        self._known: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}
        self._heal_ns = heal_ns
        self._healed_ns = 0

    def apply(self, event: RecordedEvent, now_ns: int) -> list[AnyOutcome]:
        """Apply one event; returns what became of our orders."""
        if isinstance(event, TradePrinted):
            if event.is_snapshot:
                return []
            return self._engine.external_trade(event.side, event.price, event.quantity, now_ns)
        if isinstance(event, BookReset):
            self._depth = event.depth
            self._known = {"buy": dict(event.bids), "sell": dict(event.asks)}
            return self._engine.set_external(event.bids, event.asks, now_ns)
        for side, levels in (("buy", event.bids), ("sell", event.asks)):
            known = self._known["buy" if side == "buy" else "sell"]
            for price, quantity in levels:
                if quantity:
                    known[price] = quantity
                else:
                    known.pop(price, None)
        made = self._engine.change_external(event.bids, event.asks, now_ns)
        return made + self._truncate("buy") + self._truncate("sell")

    def tick(self, now_ns: int) -> list[AnyOutcome]:
        """Time passed: the real book shows again what we took."""
        if not self._heal_ns or now_ns < self._healed_ns + self._heal_ns:
            return []
        self._healed_ns = now_ns
        return self._engine.heal_external(now_ns)

    def next_due_ns(self) -> int | None:
        """When `tick` has something to do next; None if never."""
        return self._healed_ns + self._heal_ns if self._heal_ns else None

    def _truncate(self, side: Side) -> list[AnyOutcome]:
        """Levels pushed out of the known depth get no delete: they are unknown from here on."""
        known = self._known[side]
        if not self._depth or len(known) <= self._depth:
            return []
        ordered = sorted(known, reverse=side == "buy")
        gone = ordered[self._depth :]
        for price in gone:
            del known[price]
        return self._engine.forget_external(side, gone)
