"""The events, in the past tense: all that can enter `Engine.turn`.

Every event carries `recv_ns`, our clock's reading when its bytes arrived (or, for what the
engine itself concludes, the time of the turn). Nothing here ever holds a secret.
"""

from msgspec import Struct

from crosswire.domain.nouns import (
    ClosedCause,
    Instrument,
    Level,
    Liquidity,
    OrderType,
    RequestKind,
    Side,
    Source,
    TimeInForce,
    Transport,
    VenueStatus,
)


class Event(Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """Base of all events."""

    recv_ns: int


# --- connections -------------------------------------------------------------------------------


class Connected(Event, frozen=True, gc=False):
    """A connection stands; a private one still has to log in."""

    session: str  # the account's name, or the venue's for its public feed
    connection: str


class Disconnected(Event, frozen=True, gc=False):
    """A connection is gone; requests sent on it and not answered are in doubt."""

    session: str
    connection: str
    reason: str


class LoggedIn(Event, frozen=True, gc=False):
    """The private stream of an account delivers: orders may be sent by WS."""

    session: str


class TransportFailed(Event, frozen=True, gc=False):
    """A connection dropped, or a request found no way or no answer: the transport's own fault."""

    account: str
    transport: Transport
    reason: str


class TransportProven(Event, frozen=True, gc=False):
    """The venue answered something harmless by this transport: it works."""

    account: str
    transport: Transport


class ClockMeasured(Event, frozen=True, gc=False):
    """The venue's clock is `offset_ns` ahead of ours: told when it has moved noticeably."""

    account: str
    offset_ns: int


class FeedProven(Event, frozen=True, gc=False):
    """Proof that the books of a session's connection are alive though nothing moved."""

    session: str


class VenueStatusChanged(Event, frozen=True, gc=False):
    """The venue said what it accepts now."""

    venue: str
    status: VenueStatus
    detail: str = ""


class Unreadable(Event, frozen=True, gc=False):
    """Bytes that made no sense; on a private connection this halts placing."""

    session: str
    connection: str
    reason: str
    excerpt: str = ""  # the first characters, never of a frame that may hold a secret
    is_private: bool = False


class VenueWarned(Event, frozen=True, gc=False):
    """The venue said something a person should read; nothing changed."""

    session: str
    text: str


# --- market data -------------------------------------------------------------------------------


class InstrumentListed(Event, frozen=True, gc=False):
    """An instrument exists, or its rules changed."""

    instrument: Instrument


class BookReset(Event, frozen=True, gc=False):
    """A whole book: replaces whatever was known. Bids high to low, asks low to high."""

    instrument: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    depth: int = 0  # levels kept a side; 0 = all
    checksum: int | None = None
    venue_ns: int = 0


class BookChanged(Event, frozen=True, gc=False):
    """Absolute quantities of some levels, to be applied in sequence."""

    instrument: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    checksum: int | None = None
    venue_ns: int = 0


class BookLost(Event, frozen=True, gc=False):
    """A book can no longer be trusted until its next `BookReset`."""

    instrument: str
    reason: str


class TradePrinted(Event, frozen=True, gc=False):
    """A public trade; `side` is the taker's."""

    instrument: str
    side: Side
    price: int
    quantity: int
    trade_id: str
    venue_ns: int = 0
    is_snapshot: bool = False


class TickerChanged(Event, frozen=True, gc=False):
    """The venue's own summary of an instrument."""

    instrument: str
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    last: int
    volume: int = 0
    venue_ns: int = 0


class CandleChanged(Event, frozen=True, gc=False):
    """One bar so far; a new `start_ns` closes the one before."""

    instrument: str
    start_ns: int
    interval_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    trades: int = 0


# --- orders ------------------------------------------------------------------------------------
# `client_order_id` is "" where the venue named only its own id; `venue_order_id` is "" where
# it named only ours. `request_id` is 0 where the statement does not answer a request.


class OrderEvent(Event, frozen=True, gc=False):
    """Base of what is said about one order."""

    account: str
    client_order_id: str
    venue_order_id: str


class Sent(Event, frozen=True, gc=False):
    """A copy of a request was handed to a socket: from here on it is in doubt until answered."""

    account: str
    request_id: int
    transport: Transport
    client_order_ids: tuple[str, ...] = ()
    encoded_ns: int = 0
    connection: str = ""
    bound_ns: int = 0  # on the venue's clock; after it the venue refuses the request by itself


class Accepted(OrderEvent, frozen=True, gc=False):
    """The venue has the order. It may rest, have filled, or wait for its trigger."""

    request_id: int = 0
    source: Source = "answer"
    venue_ns: int = 0


class Rejected(OrderEvent, frozen=True, gc=False):
    """One copy of a place request was definitely refused, or never left us (`is_unsent`)."""

    request_id: int
    reason: str
    is_transient: bool = False  # the cause may pass: a limit, a mode, a token
    is_unsent: bool = False
    venue_ns: int = 0
    is_final: bool = False  # no copy of the request can run any more, whatever was sent


class Seen(OrderEvent, frozen=True, gc=False):
    """A request arrived, outcome unread (a duplicate's answer). It settles nothing."""

    request_id: int
    reason: str


class Amended(OrderEvent, frozen=True, gc=False):
    """The order now has this price and total quantity (None = not said)."""

    quantity: int | None = None
    price: int | None = None
    request_id: int = 0
    source: Source = "stream"
    venue_ns: int = 0


class AmendRejected(OrderEvent, frozen=True, gc=False):
    """An amend was refused; the order is as it was."""

    request_id: int
    reason: str
    is_transient: bool = False
    is_unsent: bool = False
    venue_ns: int = 0


class CancelAccepted(OrderEvent, frozen=True, gc=False):
    """The venue took the cancel; the closure itself comes as `Closed`, with its quantity."""

    request_id: int
    venue_ns: int = 0


class CancelRejected(OrderEvent, frozen=True, gc=False):
    """A cancel was refused: that never closes an order."""

    request_id: int
    reason: str
    is_unknown_order: bool = False  # the venue says it has no such open order
    is_transient: bool = False
    is_unsent: bool = False
    venue_ns: int = 0


class Filled(OrderEvent, frozen=True, gc=False):
    """One fill of ours. `fill_key` is unique per account for ever."""

    instrument: str
    side: Side
    price: int
    quantity: int
    fill_key: str
    fee: int = 0  # paid in `fee_asset`; negative = rebate
    fee_asset: str = ""
    liquidity: Liquidity = ""
    source: Source = "stream"
    venue_ns: int = 0


class Closed(OrderEvent, frozen=True, gc=False):
    """The order is over. `filled` is the venue's cumulative quantity, None if it did not say."""

    cause: ClosedCause
    filled: int | None = None
    reason: str = ""
    source: Source = "stream"
    venue_ns: int = 0


class TimedOut(Event, frozen=True, gc=False):
    """A request got no answer, or one that leaves its outcome open: it is in doubt."""

    account: str
    request_id: int
    reason: str
    client_order_ids: tuple[str, ...] = ()
    kind: RequestKind = "place"


class Missing(OrderEvent, frozen=True, gc=False):
    """A complete read does not show the order. That is not yet proof of anything."""

    evidence: str = ""
    venue_ns: int = 0  # the venue's clock when the read began


class Reversed(OrderEvent, frozen=True, gc=False):
    """A fill was taken back by the venue; may come before the fill."""

    fill_key: str
    reason: str = ""


class OrderReported(Event, frozen=True, gc=False):
    """How the venue shows one order in a snapshot or a look-up."""

    account: str
    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    quantity: int
    filled: int
    is_open: bool
    price: int | None = None
    order_type: OrderType = "limit"
    time_in_force: TimeInForce = "gtc"
    cause: ClosedCause | None = None  # of the end, where it is over
    reason: str = ""
    opened_ns: int = 0  # on the venue's clock, as the next
    closed_ns: int = 0
    source: Source = "snapshot"


class OrdersRead(Event, frozen=True, gc=False):
    """One read of an account's orders, whole or not. A failed read is `ReadFailed` instead."""

    account: str
    scope: str  # "open" | "closed"
    orders: tuple[OrderReported, ...]
    started_ns: int
    is_complete: bool
    source: Source = "snapshot"
    client_order_id: str = ""  # set where the read was narrowed to one order
    venue_ns: int = 0  # the venue's clock was at least here when the read began; 0 = unknown
    since_ns: int = 0  # what ended before this, on the venue's clock, is left out; 0 = nothing is
    is_sure: bool = False  # something else than it proves that a look-up showing nothing saw

    @property
    def horizon_ns(self) -> int:
        """The latest moment, on the venue's clock, that the read shows something of.

        A read that trails the venue shows nothing younger than what it knows, and one that went
        blind shows nothing at all: so a read proves its own age.
        """
        return max((max(each.opened_ns, each.closed_ns) for each in self.orders), default=0)


class FillsRead(Event, frozen=True, gc=False):
    """A look-up of fills ended whole; its fills came just before it."""

    account: str
    count: int
    started_ns: int
    since_ns: int = 0  # the venue's clock; older fills are left out
    horizon_ns: int = 0  # when the youngest fill it showed happened, on the venue's clock


class ReadFailed(Event, frozen=True, gc=False):
    """A look-up failed. It says nothing about what it asked for."""

    account: str
    what: str
    reason: str


# --- money -------------------------------------------------------------------------------------


class BalancesRead(Event, frozen=True, gc=False):
    """The account's totals per asset; amounts held by open orders are not subtracted."""

    account: str
    balances: tuple[tuple[str, int], ...]
    source: Source = "snapshot"
    is_complete: bool = True
    started_ns: int = 0  # when we asked; 0 = it is as new as its arrival
    venue_ns: int = 0  # as of when, on the venue's clock; 0 = it may trail as look-ups do


class PositionsRead(Event, frozen=True, gc=False):
    """What an account holds of each perp by the venue's own word: (instrument, signed, entry).

    A complete read that leaves an instrument out says that it is flat there.
    """

    account: str
    positions: tuple[tuple[str, int, int], ...]
    started_ns: int
    source: Source = "lookup"
    is_complete: bool = True
    venue_ns: int = 0  # as of when, on the venue's clock; 0 = it may trail as look-ups do


class CashMoved(Event, frozen=True, gc=False):
    """One row of the venue's ledger: a trade's leg, a deposit, a fee, a transfer."""

    account: str
    asset: str
    amount: int
    fee: int
    balance: int | None  # what is there after it; None where the venue does not say
    kind: str
    ref: str  # what it belongs to, such as a fill's key
    ledger_id: str
    venue_ns: int = 0


# --- control -----------------------------------------------------------------------------------


class DeadManArmed(Event, frozen=True, gc=False):
    """The venue will cancel everything at `fires_ns` (our clock); 0 = disarmed."""

    account: str
    fires_ns: int
