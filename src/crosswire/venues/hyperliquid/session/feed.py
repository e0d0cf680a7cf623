"""The public feed: lists first, then books with their tops, trades and contexts of the wanted.

A book is a whole one every few seconds, with the best of each side laid over it block by block.
Quiet markets exist, so silence of `bbo` says nothing: the whole book's rhythm proves its channel,
a ping the connection.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Literal

from crosswire.domain import (
    AnyEvent,
    Approved,
    BookLost,
    Connected,
    Disconnected,
    FeedProven,
    InstrumentListed,
    Resubscribe,
    TickerChanged,
    TradePrinted,
    Transport,
    Unreadable,
    VenueWarned,
)
from crosswire.venues.hyperliquid.decode.messages import (
    ChannelMessage,
    Complaint,
    Context,
    Pong,
    Reply,
)
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from crosswire.venues.hyperliquid.encode import envelope, subscriptions
from crosswire.venues.hyperliquid.listings import VENUE, Listings
from crosswire.venues.hyperliquid.session.catalogue import NOBODY, Catalogue
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.pulse import Pulse
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import (
    Endpoint,
    FeedSettings,
    Frame,
    HttpRequest,
    Output,
    Reconnect,
)
from crosswire.venues.unsent import unsent

PUBLIC = "public"
MAX_DEPTH, FAST_DEPTH = 20, 5  # levels of a whole book, and of one twice a second
SILENCE_NS = {False: 15_000_000_000, True: 3_000_000_000}  # by `fast`: then a book is lost
FRESH_NS = {False: 6_500_000_000, True: 1_500_000_000}  # so long a book's last frame proves it
PROVE_NS = 500_000_000  # between two proofs
LONGEST_NS = 60_000_000_000  # between two resubscriptions of a book that stays silent
MAX_MESSAGES = 1_500  # a minute, of the 2,000 that an IP may send
# For the socket's owner, behind our own watch.
_SILENCE_NS = 30_000_000_000
_MINUTE_NS = 60_000_000_000

State = Literal["asked", "live", "refused"]


class _Watch:
    """One instrument's subscription."""

    __slots__ = ("coin", "heard_ns", "instrument", "last", "state", "wait_ns", "whole_ns")

    def __init__(self, coin: str, instrument: str, now_ns: int, wait_ns: int) -> None:
        self.coin = coin
        self.instrument = instrument
        self.state: State = "asked"
        self.whole_ns = now_ns  # when it was asked for, or told whole last
        self.heard_ns = now_ns  # when anything of its book came
        self.wait_ns = wait_ns
        self.last = 0  # price of the last public trade


class Feed:
    """The venue's public feed as a session. Fulfils `venues.interface.Session`."""

    def __init__(self, settings: FeedSettings) -> None:
        """`ValueError` for a depth the venue does not have."""
        if not 1 <= settings.depth <= MAX_DEPTH:
            raise ValueError(f"book depth {settings.depth}: expected 1 to {MAX_DEPTH}")
        self.name = VENUE
        self.rest_url = settings.hosts.rest
        self.outbox: list[Output] = []
        self.listings = Listings()
        self._settings = settings
        self._is_fast = settings.depth <= FAST_DEPTH
        self._silence_ns, self._fresh_ns = SILENCE_NS[self._is_fast], FRESH_NS[self._is_fast]
        self._weights = Weights()
        self._messages = Weights(MAX_MESSAGES)
        wanted = settings.instruments
        self.catalogue = Catalogue(
            self.listings,
            self.outbox,
            Numbers(),
            self._weights,
            wanted,
            address=NOBODY,
            post=self._post,
        )
        self._decoder = Decoder(self.listings, session=self.name, connection=PUBLIC)
        self._read = self._decoder.frame
        self._pulse = Pulse()
        self._is_open = False
        self._posts = 0  # questions posted, ever: their numbers
        self._watches: dict[str, _Watch] = {}  # by coin
        self._candles: dict[tuple[str, str], None] = {}  # coin and interval
        self._queue: deque[bytes] = deque()
        self._prove_ns = 0
        self._warned_ns: dict[str, int] = {}
        self._last_ns = 0
        self._counts = {"frames": 0, "resubscribed": 0, "reconnects_asked": 0, "unreadable": 0}

    def endpoints(self) -> Sequence[Endpoint]:
        """One public connection."""
        url = self._settings.hosts.ws
        return (Endpoint(PUBLIC, url, is_private=False, silence_ns=_SILENCE_NS),)

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Ask what is traded."""
        return self.catalogue.start(now_ns)

    def opened(self, connection: str, now_ns: int) -> list[AnyEvent]:
        """The connection stands: subscribe what is listed by now."""
        self._is_open = True
        self._pulse.opened(now_ns)
        self._decoder.opened()
        self._queue.clear()
        self._watches.clear()
        self._watch(now_ns)
        for coin, interval in self._candles:
            self._say(envelope.subscribe(subscriptions.candle(coin, interval)), now_ns)
        return [Connected(now_ns, self.name, connection)]

    def received(self, connection: str, payload: bytes, now_ns: int) -> list[AnyEvent]:
        """Decode one frame."""
        self._pulse.heard_ns = now_ns
        message = self._read(payload, now_ns)
        if type(message) is ChannelMessage:
            watch = self._watches.get(message.coin)
            if watch is None:
                events = list(message.events)
            elif message.channel == "bbo":
                watch.heard_ns = now_ns
                # Without its whole book a top is no book.
                events = list(message.events) if watch.state == "live" else []
            elif message.channel == "l2Book":
                watch.heard_ns = watch.whole_ns = now_ns
                watch.state = "live"
                watch.wait_ns = self._silence_ns
                events = list(message.events)
            else:
                events = self._told(watch, message, now_ns)
        else:
            events = self._other(message, now_ns)
        if now_ns >= self._prove_ns:
            self._prove(events, now_ns)
        return events

    def closed(self, connection: str, reason: str, now_ns: int) -> list[AnyEvent]:
        """No book can be trusted any more."""
        self._is_open = False
        events: list[AnyEvent] = [Disconnected(now_ns, self.name, connection, reason)]
        text = f"connection lost: {reason}"
        events += [BookLost(now_ns, watch.instrument, text) for watch in self._watches.values()]
        self._watches.clear()
        self._queue.clear()
        return events

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read a list, and subscribe what it has brought."""
        events = self.catalogue.answered(request, status, body, now_ns)
        return self._listed(events, now_ns)

    def failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        """A list that did not come is asked for again."""
        return self._listed(self.catalogue.failed(request, reason, now_ns), now_ns)

    def is_ready(self, transport: Transport) -> bool:
        """Whether a resubscription would leave at once."""
        return transport == "ws" and self._is_open

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Ask for one book anew; a public feed takes no other command."""
        command = approved.command
        if isinstance(command, Resubscribe):
            listing = self.listings.by_id.get(command.instrument)
            watch = self._watches.get(listing.coin) if listing else None
            if watch is not None and watch.state == "live":
                self._resubscribe(watch, now_ns)
            return []
        return unsent(approved, "a public feed takes no orders", now_ns, is_transient=False)

    def candles(self, name: str, interval: str, now_ns: int) -> None:
        """Stream an instrument's bars too; `ValueError` for what is not listed."""
        listing = self.listings.by_id.get(f"{VENUE}:{name}")
        if listing is None:
            raise ValueError(f'{VENUE} has no instrument "{name}"')
        wanted = subscriptions.candle(listing.coin, interval)
        if (listing.coin, interval) not in self._candles:
            self._candles[listing.coin, interval] = None
            if self._is_open:
                self._say(envelope.subscribe(wanted), now_ns)

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask for lists, ping, ask for silent books again, give up a dead connection."""
        self._last_ns = now_ns
        events = self._listed(self.catalogue.tick(now_ns), now_ns)
        if not self._is_open:
            return events
        death = self._pulse.death(now_ns)
        if death:
            self._is_open = False
            self._counts["reconnects_asked"] += 1
            self.outbox.append(Reconnect(PUBLIC, death))
            return events
        for watch in self._watches.values():
            events += self._mind(watch, now_ns)
        if self._pulse.is_ping_due(now_ns):
            self._frame(envelope.PING, now_ns)
        while self._queue and self._messages.may(1, now_ns):
            self._frame(self._queue.popleft(), now_ns)
        return events

    def statistics(self) -> Mapping[str, int | str | bool]:
        """Counters and states, for people and metrics."""
        states = [watch.state for watch in self._watches.values()]
        return {
            **self._counts,
            "websocket_connected": self._is_open,
            "books": len(states),
            "books_live": states.count("live"),
            "pings": self._pulse.pings,
            "pongs": self._pulse.pongs,
            "frames_waiting": len(self._queue),
            "weight_left": self._weights.left(self._last_ns),
            "rate_limited": self._weights.refusals,
        }

    # --- what arrived ---

    def _told(self, watch: _Watch, message: ChannelMessage, now_ns: int) -> list[AnyEvent]:
        """Return a coin's trades, bars, or its context as a ticker."""
        events = list(message.events)
        if isinstance(message.fact, Context):
            return [self._ticker(watch, message.fact, now_ns)]
        if events and isinstance(events[-1], TradePrinted):
            watch.last = events[-1].price
        return events

    def _ticker(self, watch: _Watch, context: Context, now_ns: int) -> TickerChanged:
        """The venue's context names no top and no last trade: ours, or else the mark."""
        bid, ask = self._decoder.books.best(watch.coin)
        last = watch.last or context.mark or context.mid or 0
        volume = context.day_volume
        return TickerChanged(now_ns, watch.instrument, *bid, *ask, last=last, volume=volume)

    def _other(self, message: object, now_ns: int) -> list[AnyEvent]:
        if isinstance(message, Pong):
            self._pulse.pong(now_ns)
        elif isinstance(message, Reply):
            return self._listed(self.catalogue.replied(message, now_ns), now_ns)
        elif isinstance(message, Complaint):
            return self._complained(message, now_ns)
        elif isinstance(message, Unreadable):
            self._counts["unreadable"] += 1
            return [message]
        return []

    def _complained(self, complaint: Complaint, now_ns: int) -> list[AnyEvent]:
        """Say what the venue refuses; what it no longer knows is looked for in its lists."""
        if complaint.is_benign:
            return []
        text = complaint.text
        if self.catalogue.owns(-complaint.request_id):
            lost = Reply(complaint.request_id, "error", error=text[:200])
            return self.catalogue.replied(lost, now_ns)
        if text.startswith("Invalid subscription"):
            for watch in self._watches.values():
                if f'"{watch.coin}"' in text and watch.state != "live":
                    watch.state = "refused"
                    watch.wait_ns = LONGEST_NS
                    self.catalogue.refresh(now_ns)
        key = text[:30]
        if now_ns - self._warned_ns.get(key, -_MINUTE_NS) < _MINUTE_NS:
            return []
        self._warned_ns[key] = now_ns
        return [VenueWarned(now_ns, self.name, text)]

    def _prove(self, events: list[AnyEvent], now_ns: int) -> None:
        """Say that the books live, if each of them that stands has been heard of late.

        One whose rhythm fails takes the word from all: the others go on by their own frames.
        """
        horizon_ns = now_ns - self._fresh_ns
        self._prove_ns = now_ns + PROVE_NS
        live = [watch for watch in self._watches.values() if watch.state == "live"]
        if live and all(watch.heard_ns >= horizon_ns for watch in live):
            events.append(FeedProven(now_ns, self.name))

    def _listed(self, events: list[AnyEvent], now_ns: int) -> list[AnyEvent]:
        if any(isinstance(event, InstrumentListed) for event in events):
            self._watch(now_ns)
        return events

    # --- what is asked ---

    def _post(self, body: bytes, now_ns: int) -> int:
        """Post a question; returns its number, 0 where there is no connection."""
        if not self._is_open:
            return 0
        self._posts += 1
        self._frame(envelope.post_info(self._posts, body), now_ns)
        return self._posts

    def _watch(self, now_ns: int) -> None:
        """Subscribe the wanted instruments that are listed and not subscribed yet."""
        if not self._is_open or not self.catalogue.is_ready:
            return
        for name in self._settings.instruments:
            listing = self.listings.by_id.get(f"{VENUE}:{name}")
            if listing is None or listing.coin in self._watches:
                continue
            if listing.instrument.status == "online":
                coin = listing.coin
                watch = _Watch(coin, listing.instrument.id, now_ns, self._silence_ns)
                self._watches[coin] = watch
                for wanted in self._channels(coin):
                    self._say(envelope.subscribe(wanted), now_ns)

    def _channels(self, coin: str) -> list[bytes]:
        settings = self._settings
        wanted = self._book_channels(coin)
        if settings.trades:
            wanted.append(subscriptions.of_coin("trades", coin))
        if settings.ticker:
            wanted.append(subscriptions.of_coin("activeAssetCtx", coin))
        return wanted

    def _book_channels(self, coin: str) -> list[bytes]:
        book = subscriptions.l2_book(coin, is_fast=self._is_fast)
        return [book, subscriptions.of_coin("bbo", coin)]

    def _mind(self, watch: _Watch, now_ns: int) -> list[AnyEvent]:
        """Ask for a silent book again, later and later while it stays silent."""
        if now_ns - watch.whole_ns < watch.wait_ns:
            return []
        was_live = watch.state == "live"
        self._resubscribe(watch, now_ns)
        watch.wait_ns = self._silence_ns if was_live else min(2 * watch.wait_ns, LONGEST_NS)
        if not was_live:
            return []
        text = f"no whole book for {self._silence_ns // 1_000_000_000} s"
        return [BookLost(now_ns, watch.instrument, text)]

    def _resubscribe(self, watch: _Watch, now_ns: int) -> None:
        """Leave a book and ask for it again: the venue reads in order, and a frame is whole."""
        self._counts["resubscribed"] += 1
        watch.state = "asked"
        watch.whole_ns = now_ns
        self._decoder.books.forget(watch.coin)
        for wanted in self._book_channels(watch.coin):
            self._say(envelope.subscribe(wanted, is_on=False), now_ns)
            self._say(envelope.subscribe(wanted), now_ns)

    def _say(self, payload: bytes, now_ns: int) -> None:
        """Send a message when the venue's limit of messages allows it, in order."""
        if self._queue or not self._messages.may(1, now_ns):
            self._queue.append(payload)
        else:
            self._frame(payload, now_ns)

    def _frame(self, payload: bytes, now_ns: int) -> None:
        self._messages.spend(1, now_ns)
        self._counts["frames"] += 1
        self.outbox.append(Frame(PUBLIC, payload))
