"""The live path: events -> journal -> turn -> journal -> send -> journal -> note.

All of it happens in one call, inside the callback that brought the events. An intent stands in
the journal before a byte of it is handed over; whatever the process dies between, the journal
tells which requests may have left.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    BookChanged,
    BookReset,
    CandleChanged,
    FeedProven,
    Halted,
    InstrumentListed,
    Kill,
    Refused,
    Resume,
    Resumed,
    TickerChanged,
    TradePrinted,
)
from crosswire.engine.engine import Engine

Record = AnyEvent | Approved
MARKET_DATA = frozenset(
    (BookReset, BookChanged, TradePrinted, TickerChanged, CandleChanged, FeedProven)
)
OPERATORS = (Kill, Resume)  # commands for ourselves: nothing goes to a venue
JOURNAL_FULL = "journal full"


class Log(Protocol):
    """Where records are kept: a journal, or one of its kind in memory."""

    @property
    def append(self) -> Callable[[Record], None]:
        """Write one record; it is there when this returns."""

    @property
    def is_full(self) -> bool:
        """Whether placing must stop."""


def _send_nothing(_approved: Approved) -> Sequence[AnyEvent]:
    return ()


def _tell_nobody(_records: Iterable[Record]) -> None:
    """Until somebody wants to hear."""


class LivePath:
    """One engine, its journal and its way out."""

    def __init__(
        self,
        engine: Engine,
        journal: Log,
        now_ns: Callable[[], int],
        *,
        accounts: Collection[str],
        keeps_market_data: bool = False,
    ) -> None:
        self.engine = engine
        self.send: Callable[[Approved], Sequence[AnyEvent]] = _send_nothing
        self.observers: Sequence[object] = ()  # where it is empty, nobody is told
        self.observe: Callable[[Iterable[Record]], None] = _tell_nobody
        self._journal = journal
        self._append = journal.append
        self._now_ns = now_ns
        self._accounts = accounts
        self._keeps_market_data = keeps_market_data

    def on_events(self, events: Sequence[AnyEvent]) -> None:
        """One socket read's events: apply, decide, send."""
        append = self._append
        keeps_all = self._keeps_market_data
        for event in events:
            kind = type(event)
            if keeps_all or kind not in MARKET_DATA:
                if kind is InstrumentListed and self._is_known(event):
                    continue
                append(event)
        if self._journal.is_full:
            self._hold_back()
        self._act(self.engine.turn(events, self._now_ns()))
        if self.observers:
            self.observe(events)

    def tick(self) -> None:
        """Time passed."""
        if not self._journal.is_full:
            self._go_on()
        self._act(self.engine.tick(self._now_ns()))

    def submit(self, command: AnyCommand) -> Approved | Refused:
        """Pass a command of an operator or an API user through the gate and send it."""
        outcome = self.engine.submit(command, self._now_ns())
        self._act((outcome,) if isinstance(outcome, Approved) else ())
        return outcome

    def record(self, events: Sequence[AnyEvent]) -> None:
        """Journal what did not come from a venue, and show it."""
        append = self._append
        for event in events:
            append(event)
        if self.observers:
            self.observe(events)

    def _act(self, approved: Sequence[Approved]) -> None:
        """Journal what the engine concluded, then send what it approved."""
        made = self.engine.made
        if made:
            self.record(made)
        for each in approved:
            self._send(each)

    def _send(self, approved: Approved) -> None:
        """The intent is in the journal before a byte is handed over; who looks on can wait."""
        self._append(approved)
        if isinstance(approved.command, OPERATORS):
            if self.observers:
                self.observe((approved,))
            return
        sent = self.send(approved)
        for event in sent:
            self._append(event)
        if self.observers:
            self.observe((approved, *sent))
        self.engine.note(sent)

    def _is_known(self, event: AnyEvent) -> bool:
        """Whether an instrument is listed again as it was: each feed tells of all of them."""
        assert isinstance(event, InstrumentListed)
        return self.engine.instruments.get(event.instrument.id) == event.instrument

    def _hold_back(self) -> None:
        """A full journal means no placing: nothing may be sent that is not written down."""
        now_ns = self._now_ns()
        halted = self.engine.risk.halted
        halts: list[AnyEvent] = [
            Halted(now_ns, name, JOURNAL_FULL, "the database catching up")
            for name in self._accounts
            if JOURNAL_FULL not in halted.get(name, {})
        ]
        self.engine.note(halts)
        self.record(halts)

    def _go_on(self) -> None:
        now_ns = self._now_ns()
        halted = self.engine.risk.halted
        ended: list[AnyEvent] = [
            Resumed(now_ns, name, JOURNAL_FULL)
            for name in self._accounts
            if JOURNAL_FULL in halted.get(name, {})
        ]
        self.engine.note(ended)
        self.record(ended)
