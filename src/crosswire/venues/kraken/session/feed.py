"""The public feed: instruments first, then books, trades and tickers of the wanted ones."""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

from msgspec import structs

from crosswire.domain import (
    AnyEvent,
    Approved,
    BookLost,
    BookReset,
    Connected,
    Disconnected,
    FeedProven,
    InstrumentListed,
    Resubscribe,
    Transport,
    Unreadable,
    VenueWarned,
)
from crosswire.venues.clock import VenueClock
from crosswire.venues.interface import (
    Endpoint,
    FeedSettings,
    Frame,
    HttpRequest,
    Output,
    Reconnect,
)
from crosswire.venues.kraken.decode.market import VENUE, instrument_id
from crosswire.venues.kraken.decode.messages import ChannelMessage, Heartbeat, Pong, Reply
from crosswire.venues.kraken.decode.names import Names
from crosswire.venues.kraken.decode.rest import answer, instruments
from crosswire.venues.kraken.decode.websocket import Decoder
from crosswire.venues.kraken.encode.frames import instrument_name, ping, subscribe
from crosswire.venues.kraken.wire import RestAssetPair
from crosswire.venues.unsent import unsent

PUBLIC = "public"
DEPTHS = (10, 25, 100, 500, 1000)
SILENCE_NS = 5_000_000_000  # with a subscription, the venue beats about once a second
PING_NS = 30_000_000_000
PATIENCE_NS = 5_000_000_000  # for a snapshot, then the book is asked for again
# For the socket's owner, before anything is subscribed: longer than ours.
_SILENCE_NS = 15_000_000_000
_CHUNK = 50  # names in one request: the venue limits the rate of messages
_REMEMBERED = 1_000  # requests whose answers are still read

State = Literal["asked", "live", "leaving", "refused"]


class _Asked:
    """A request for a channel that was sent."""

    __slots__ = ("channel", "is_on", "names", "sent_ns")

    def __init__(self, channel: str, names: Sequence[str], sent_ns: int, *, is_on: bool) -> None:
        self.channel = channel
        self.names = tuple(names)
        self.sent_ns = sent_ns
        self.is_on = is_on


class Feed:
    """The venue's public feed as a session. Fulfils `venues.interface.Session`."""

    def __init__(self, settings: FeedSettings) -> None:
        """`ValueError` for a depth the venue does not have."""
        if settings.depth not in DEPTHS:
            known = ", ".join(map(str, DEPTHS))
            raise ValueError(f"book depth {settings.depth}: expected one of {known}")
        self.name = VENUE
        self.rest_url = settings.hosts.rest
        self.outbox: list[Output] = []
        self.clock = VenueClock()
        self._settings = settings
        self._decoder = Decoder(session=self.name, connection=PUBLIC, depth=settings.depth)
        self._book_update = self._decoder.book_update
        self._is_open = False
        self._is_listed = False
        self._books: dict[str, tuple[State, int]] = {}  # name -> state, since when
        self._leaving: set[str] = set()  # ids of books whose old updates are not wanted any more
        self._asked: dict[int, _Asked] = {}
        self._fees: dict[str, tuple[int, int]] = {}
        self._listed: dict[str, InstrumentListed] = {}
        self._number = 0
        self._heard_ns = 0
        self._pinged_ns = 0
        self._counts = {"frames": 0, "resubscribed": 0, "reconnects_asked": 0, "unreadable": 0}

    def endpoints(self) -> Sequence[Endpoint]:
        """One public connection."""
        url = self._settings.hosts.ws
        return (Endpoint(PUBLIC, url, is_private=False, silence_ns=_SILENCE_NS),)

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Ask for the fees of the wanted instruments: the stream does not tell them."""
        names = quote(",".join(self._settings.instruments), safe="")
        if names:
            path = f"/0/public/AssetPairs?pair={names}"
            self.outbox.append(HttpRequest(1, "GET", path, {}, is_cheap=True))
        return []

    def opened(self, connection: str, now_ns: int) -> list[AnyEvent]:
        """The connection stands: ask for the instruments."""
        self._is_open = True
        self._is_listed = False
        self._heard_ns = self._pinged_ns = now_ns
        self._ask("instrument", (), now_ns)
        return [Connected(now_ns, self.name, connection)]

    def received(self, connection: str, payload: bytes, now_ns: int) -> list[AnyEvent]:
        """Decode one frame; a plain book update takes the short way."""
        self._heard_ns = now_ns
        change = self._book_update(payload, now_ns)
        if change is not None:
            return [] if change.instrument in self._leaving else [change]
        message = self._decoder.frame(payload, now_ns)
        if isinstance(message, ChannelMessage):
            return self._channel(message, now_ns)
        if isinstance(message, Heartbeat):
            return [FeedProven(now_ns, self.name)]
        if isinstance(message, Reply):
            return self._replied(message, now_ns)
        if isinstance(message, Pong):
            asked = self._asked.pop(message.req_id, None)
            if asked is not None:
                self.clock.measure(asked.sent_ns, now_ns, venue_ns=message.in_ns)
            return []
        assert isinstance(message, Unreadable)
        self._counts["unreadable"] += 1
        return [message]

    def closed(self, connection: str, reason: str, now_ns: int) -> list[AnyEvent]:
        """No book can be trusted any more."""
        self._is_open = False
        events: list[AnyEvent] = [Disconnected(now_ns, self.name, connection, reason)]
        text = f"connection lost: {reason}"
        events += [BookLost(now_ns, instrument_id(name), text) for name in self._books]
        self._books.clear()
        self._leaving.clear()
        self._asked.clear()
        return events

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read the fees: instruments known by then are listed anew with them."""
        got = answer(status, body, dict[str, RestAssetPair])
        if got.result is None:
            return self._warn(f"no fees: {got.reason}", now_ns)
        for instrument in instruments(got.result, Names()):
            self._fees[instrument.name] = (instrument.maker_fee, instrument.taker_fee)
        return [self._with_fees(event, now_ns) for event in self._listed.values()]

    def failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        """Fees only inform: their absence is said, and no more."""
        return self._warn(f"no fees: {reason}", now_ns)

    def is_ready(self, transport: Transport) -> bool:
        """Whether a resubscription would leave at once."""
        return transport == "ws" and self._is_open

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Ask for one book anew; a public feed takes no other command."""
        command = approved.command
        if not isinstance(command, Resubscribe):
            return unsent(approved, "a public feed takes no orders", now_ns, is_transient=False)
        name = instrument_name(command.instrument)
        state, _ = self._books.get(name, ("refused", 0))
        if state == "live":
            self._leave(name, now_ns)
        return []

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ping, ask for overdue snapshots again, give up a silent connection."""
        if not self._is_open:
            return []
        if self._is_listed and now_ns - self._heard_ns >= SILENCE_NS:
            self._is_open = False
            self._counts["reconnects_asked"] += 1
            self.outbox.append(Reconnect(PUBLIC, "silent for 5 s"))
            return []
        for name, (state, since_ns) in list(self._books.items()):
            if state in {"asked", "leaving"} and now_ns - since_ns >= PATIENCE_NS:
                self._leave(name, now_ns)
        if now_ns - self._pinged_ns >= PING_NS:
            self._pinged_ns = now_ns
            self._frame(ping(self._next("ping", (), now_ns, is_on=True)))
        return []

    def statistics(self) -> Mapping[str, int | str | bool]:
        """Counters and states, for people and metrics."""
        states = [state for state, _ in self._books.values()]
        return {
            **self._counts,
            "websocket_connected": self._is_open,
            "books": len(states),
            "books_live": states.count("live"),
            "clock_offset_ms": self.clock.offset_ns // 1_000_000,
        }

    # --- what arrived ---

    def _channel(self, message: ChannelMessage, now_ns: int) -> list[AnyEvent]:
        events = list(message.events)
        if message.channel == "instrument":
            return self._instruments(message, now_ns)
        if message.channel == "book":
            for event in events:
                if isinstance(event, BookReset):
                    self._leaving.discard(event.instrument)
                    self._books[instrument_name(event.instrument)] = ("live", now_ns)
            if self._leaving:
                return [
                    event
                    for event in events
                    if getattr(event, "instrument", "") not in self._leaving
                ]
        return events

    def _instruments(self, message: ChannelMessage, now_ns: int) -> list[AnyEvent]:
        """List the wanted instruments (all, if none is named); with the snapshot, subscribe."""
        wanted = set(self._settings.instruments)
        events: list[AnyEvent] = []
        known = set()
        for event in message.events:
            if isinstance(event, InstrumentListed):
                known.add(event.instrument.name)
                if not wanted or event.instrument.name in wanted:
                    self._listed[event.instrument.name] = event
                    events.append(self._with_fees(event, now_ns))
            elif any(name in getattr(event, "text", "") for name in wanted):
                events.append(event)
        if message.kind != "snapshot":
            return events
        self._is_listed = True
        names = [name for name in self._settings.instruments if name in known]
        for name in self._settings.instruments:
            if name not in known:
                events += self._warn(f'{self.name} has no instrument "{name}"', now_ns)
        for first in range(0, len(names), _CHUNK):
            self._subscribe(names[first : first + _CHUNK], now_ns)
        return events

    def _subscribe(self, names: Sequence[str], now_ns: int) -> None:
        self._ask("book", names, now_ns)
        for name in names:
            self._books[name] = ("asked", now_ns)
        if self._settings.trades:
            self._ask("trade", names, now_ns)
        if self._settings.ticker:
            self._ask("ticker", names, now_ns)

    def _replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        asked = self._asked.get(reply.req_id)
        if asked is None or not reply.method:
            return self._warn(reply.error, now_ns) if reply.error else []
        self.clock.measure(asked.sent_ns, now_ns, venue_ns=reply.in_ns)
        name = reply.symbol or (asked.names[0] if len(asked.names) == 1 else "")
        if asked.channel == "book" and not asked.is_on:
            # Gone, or never there: either way it can be asked for now.
            if reply.success or reply.error.startswith("Subscription Not Found"):
                self._ask("book", [name], now_ns)
                self._books[name] = ("asked", now_ns)
                return []
        elif reply.success:
            return []
        elif reply.error.startswith("Already subscribed"):
            # A book without its snapshot is of no use: leave, and ask again.
            if asked.channel == "book" and self._books.get(name, ("refused", 0))[0] == "asked":
                self._leave(name, now_ns)
            return []
        if asked.channel == "book" and name:
            self._books[name] = ("refused", now_ns)
        return self._warn(f"{asked.channel} {name} refused: {reply.error}", now_ns)

    def _with_fees(self, event: InstrumentListed, now_ns: int) -> InstrumentListed:
        maker_fee, taker_fee = self._fees.get(event.instrument.name, (0, 0))
        instrument = structs.replace(event.instrument, maker_fee=maker_fee, taker_fee=taker_fee)
        return InstrumentListed(now_ns, instrument)

    def _warn(self, text: str, now_ns: int) -> list[AnyEvent]:
        return [VenueWarned(now_ns, self.name, text)]

    # --- what is asked ---

    def _leave(self, name: str, now_ns: int) -> None:
        """Unsubscribe one book; it is asked for again when the venue has let go of it."""
        self._counts["resubscribed"] += 1
        self._books[name] = ("leaving", now_ns)
        self._leaving.add(instrument_id(name))
        self._ask("book", [name], now_ns, is_on=False)

    def _ask(self, channel: str, names: Sequence[str], now_ns: int, *, is_on: bool = True) -> None:
        number = self._next(channel, names, now_ns, is_on=is_on)
        depth = self._settings.depth if channel == "book" else 0
        snapshot = channel != "trade"
        frame = subscribe(channel, names, number, depth=depth, snapshot=snapshot, is_on=is_on)
        self._frame(frame)

    def _next(self, channel: str, names: Sequence[str], now_ns: int, *, is_on: bool) -> int:
        self._number += 1
        self._asked[self._number] = _Asked(channel, names, now_ns, is_on=is_on)
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        return self._number

    def _frame(self, payload: bytes) -> None:
        self._counts["frames"] += 1
        self.outbox.append(Frame(PUBLIC, payload))
