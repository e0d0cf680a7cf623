"""What the program itself concludes, as events: with them alone a journal is replayed.

They are made by the engine and its parts, never by a venue.
"""

from crosswire.domain.commands import Refused
from crosswire.domain.events import (
    Accepted,
    Amended,
    AmendRejected,
    BalancesRead,
    BookChanged,
    BookLost,
    BookReset,
    CancelAccepted,
    CancelRejected,
    CandleChanged,
    CashMoved,
    ClockMeasured,
    Closed,
    Connected,
    DeadManArmed,
    Disconnected,
    Event,
    FeedProven,
    Filled,
    FillsRead,
    InstrumentListed,
    LoggedIn,
    Missing,
    OrderEvent,
    OrderReported,
    OrdersRead,
    PositionsRead,
    ReadFailed,
    Rejected,
    Reversed,
    Seen,
    Sent,
    TickerChanged,
    TimedOut,
    TradePrinted,
    TransportFailed,
    TransportProven,
    Unreadable,
    VenueStatusChanged,
    VenueWarned,
)
from crosswire.domain.nouns import Transport


class Absent(OrderEvent, frozen=True, gc=False):
    """Proof that the order never existed and never can. Made by `doubt` alone."""

    evidence: str = ""


class DoubtMoved(OrderEvent, frozen=True, gc=False):
    """One step on the way out of a doubt, with what it rests on."""

    step: str  # "opened", "ruled out", "open orders lack it", "closed orders lack it", "settled"
    evidence: str = ""


class Corrected(Event, frozen=True, gc=False):
    """Reconciliation found that we were wrong, and put it right: what, why, and how we know."""

    account: str
    what: str
    cause: str
    evidence: str
    client_order_id: str = ""


class BreakerOpened(Event, frozen=True, gc=False):
    """Too many faults in a row: nothing is placed by this transport until a probe succeeds."""

    account: str
    transport: Transport
    until_ns: int
    reason: str = ""


class BreakerClosed(Event, frozen=True, gc=False):
    """A transport answered again."""

    account: str
    transport: Transport
    reason: str = ""


class RunStarted(Event, frozen=True, gc=False):
    """A process took the journal over: what was in flight before is UNKNOWN now."""

    run: int
    version: str = ""


class RunEnded(Event, frozen=True, gc=False):
    """A process gave the journal back in order; `is_clean` if nothing was left open."""

    run: int
    is_clean: bool


class Halted(Event, frozen=True, gc=False):
    """Placing on an account stopped; `exit` says what ends it. Cancels go on."""

    account: str
    reason: str
    exit: str


class Resumed(Event, frozen=True, gc=False):
    """A halt ended."""

    account: str
    reason: str


AnyEvent = (
    Connected
    | Disconnected
    | LoggedIn
    | TransportFailed
    | TransportProven
    | ClockMeasured
    | FeedProven
    | VenueStatusChanged
    | Unreadable
    | VenueWarned
    | InstrumentListed
    | BookReset
    | BookChanged
    | BookLost
    | TradePrinted
    | TickerChanged
    | CandleChanged
    | Sent
    | Accepted
    | Rejected
    | Seen
    | Amended
    | AmendRejected
    | CancelAccepted
    | CancelRejected
    | Filled
    | Closed
    | TimedOut
    | Missing
    | Absent
    | DoubtMoved
    | Reversed
    | OrderReported
    | OrdersRead
    | FillsRead
    | ReadFailed
    | BalancesRead
    | PositionsRead
    | CashMoved
    | DeadManArmed
    | BreakerOpened
    | BreakerClosed
    | Corrected
    | RunStarted
    | RunEnded
    | Halted
    | Resumed
    | Refused
)
