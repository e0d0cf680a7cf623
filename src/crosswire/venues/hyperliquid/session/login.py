"""The private connection: its channels, and the proof that it is alive.

There is no login frame: a channel names the account, and anybody may ask. A connection can die
without a word, or answer pings while nothing else moves; so every few seconds a book is asked for
by post. Its answer shows that posts are answered, and how far the chain has come.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from crosswire.domain import ECHOES, AnyEvent, Transport, TransportProven, VenueWarned
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.messages import Complaint, Reply, Subscribed
from crosswire.venues.hyperliquid.decode.text import time_ns
from crosswire.venues.hyperliquid.encode import envelope, subscriptions
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.session.block_clock import BlockClock
from crosswire.venues.hyperliquid.session.outgoing import PRIVATE, Outgoing
from crosswire.venues.interface import Reconnect

NEEDED = ("orderUpdates", "userFills")  # without these we are blind
CHANNELS = (*NEEDED, "userEvents", "userFundings", "userNonFundingLedgerUpdates")
# How complaints begin that are about a channel, and not about a post.
ABOUT_CHANNELS = ("Cannot subscribe", "Cannot track", "Invalid subscription")
PING_NS = 15_000_000_000
BEAT_NS = 5_000_000_000
QUICK_BEAT_NS = 500_000_000  # while somebody waits for the venue's clock
AHEAD_NS = 1_000_000_000  # no stamp is so far in the future: one of the clocks has jumped
OVERDUE_NS = 5_000_000_000  # of a beat, or of a subscription's confirmation
MOST_MISSED = 2

# Asked as long as nothing is known to be listed: it tells no block's time, only that it answers.
_STATUS = questions.question("exchangeStatus")

State = Literal["closed", "asking", "ready"]


class Login:
    """One login's private connection."""

    def __init__(
        self,
        session: str,
        address: str,
        outgoing: Outgoing,
        clock: BlockClock,
        listings: Listings,
        wanted: tuple[str, ...],
        is_anxious: Callable[[int], bool],
    ) -> None:
        self.state: State = "closed"
        self.reconnects = 0
        self.beats: dict[int, int] = {}  # post -> when; of this connection
        self.calls: dict[int, int] = {}  # the same by REST, while there is no connection
        self._session = session
        self._address = address
        self._outgoing = outgoing
        self._clock = clock
        self._listings = listings
        self._wanted = wanted
        self._is_anxious = is_anxious
        self._confirmed: set[str] = set()
        self._asked_ns = 0
        self._pinged_ns = 0
        self._beat_ns = 0
        self._echoes: set[str] = set()  # asked for, and not heard yet

    @property
    def has_stream(self) -> bool:
        """Whether what is needed of the private stream is confirmed."""
        return self.state != "closed" and self._confirmed.issuperset(NEEDED)

    def opened(self, now_ns: int) -> None:
        """The connection stands: ask for everything."""
        self.state = "asking"
        self._confirmed.clear()
        self.beats.clear()
        self._subscribe(now_ns)
        self._ping(now_ns)
        self._beat(now_ns)

    def closed(self) -> None:
        """The connection is gone."""
        self.state = "closed"
        self._confirmed.clear()
        self.beats.clear()

    def subscribed(self, answer: Subscribed) -> None:
        """A channel was confirmed."""
        if answer.is_on:
            self._confirmed.add(answer.channel)

    def complained(self, complaint: Complaint, now_ns: int) -> list[AnyEvent]:
        """The error channel said something of no request."""
        for channel in CHANNELS:
            if f'"{channel}"' in complaint.text and complaint.text.startswith("Already subscribed"):
                self._confirmed.add(channel)
        if complaint.is_benign:
            return []
        return [VenueWarned(now_ns, self._session, f"the venue complains: {complaint.text[:200]}")]

    def replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        """A beat was answered."""
        sent_ns = self.beats.pop(reply.request_id)
        if reply.kind != "info":
            return []
        news = self._read(info.posted(reply.payload, wire.Book), sent_ns, now_ns)
        return [*self._echoed("ws", now_ns), *news]

    def answered(self, key: int, status: int, body: bytes, now_ns: int) -> list[AnyEvent]:
        """The same by REST."""
        sent_ns = self.calls.pop(key)
        news = self._read(info.answer(status, body, wire.Book), sent_ns, now_ns)
        return [*(self._echoed("rest", now_ns) if status == 200 else ()), *news]

    def echo(self, what: str, now_ns: int) -> list[AnyEvent]:
        """Ask something harmless by the transport that is named, and tell of its answer."""
        self._echoes.add(what)
        if what == ECHOES["rest"]:
            self._call(now_ns)
        elif self.state != "closed":
            self._beat(now_ns)
        return []

    def _echoed(self, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """An answer came by a transport: tell whoever wanted to know."""
        if ECHOES[transport] not in self._echoes:
            return []
        self._echoes.remove(ECHOES[transport])
        return [TransportProven(now_ns, self._session, transport)]

    def tick(self, now_ns: int) -> None:
        """Ask again, ping, beat, and give up a dead connection."""
        if self.state == "closed":
            if now_ns - self._beat_ns >= BEAT_NS:
                self._call(now_ns)
            return
        overdue = sum(now_ns - sent_ns >= OVERDUE_NS for sent_ns in self.beats.values())
        if overdue >= MOST_MISSED:
            self.reconnect("posts are not answered any more")
            return
        if len(self._confirmed) < len(CHANNELS) and now_ns - self._asked_ns >= OVERDUE_NS:
            self._subscribe(now_ns)
        if now_ns - self._pinged_ns >= PING_NS:
            self._ping(now_ns)
        is_wrong = self._clock.lower_ns > self._clock.venue_ns(now_ns) + AHEAD_NS
        is_wrong = is_wrong or not self._clock.is_measured
        every_ns = QUICK_BEAT_NS if is_wrong or self._is_anxious(now_ns) else BEAT_NS
        if now_ns - self._beat_ns >= every_ns:
            self._beat(now_ns)

    def statistics(self) -> Mapping[str, int | str | bool]:
        """States and counters for people."""
        return {
            "websocket_connected": self.state != "closed",
            "websocket_authenticated": self.state == "ready",
            "login": self.state,
            "reconnects_asked": self.reconnects,
        }

    def _read(self, got: info.Answer[wire.Book], sent_ns: int, now_ns: int) -> list[AnyEvent]:
        """Learn the chain's time; a book that has not moved since may be stale, and tells none."""
        if got.result is None:
            return []
        venue_ns = time_ns(got.result.time)
        if venue_ns > self._clock.lower_ns:
            self._clock.measure(sent_ns, now_ns, venue_ns=venue_ns)
        return self._clock.news(now_ns)

    def reconnect(self, reason: str) -> None:
        """Give the connection up, and ask for another."""
        self.reconnects += 1
        self.closed()
        self._outgoing.outbox.append(Reconnect(PRIVATE, reason))

    def hurry(self) -> None:
        """The venue's clock may not be where we think: ask at the next tick."""
        self._beat_ns = 0

    def _subscribe(self, now_ns: int) -> None:
        self._asked_ns = now_ns
        for channel in CHANNELS:
            if channel not in self._confirmed:
                wanted = subscriptions.of_user(channel, self._address)
                self._outgoing.frame(envelope.subscribe(wanted), now_ns)

    def _ping(self, now_ns: int) -> None:
        self._pinged_ns = now_ns
        self._outgoing.frame(envelope.PING, now_ns)

    def _beat(self, now_ns: int) -> None:
        question = self._question() or _STATUS
        self._beat_ns = now_ns
        self.beats[self._outgoing.post(question.body, now_ns, is_action=False)] = now_ns

    def _call(self, now_ns: int) -> None:
        question = self._question()
        if question is not None:
            self._beat_ns = now_ns
            key = self._outgoing.call("/info", question.body, question.weight, now_ns)
            self.calls[key] = now_ns
            if len(self.calls) > MOST_MISSED:
                del self.calls[next(iter(self.calls))]

    def _question(self) -> questions.Question | None:
        """Return the question for the book of something that is traded."""
        listed = self._listings.by_coin
        for listing in listed.values():
            if listing.instrument.name in self._wanted or not self._wanted:
                return questions.l2_book(listing.coin)
        return None
