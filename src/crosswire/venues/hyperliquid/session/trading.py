"""One login's dialogue with Hyperliquid, without I/O: orders by post or REST, the private stream.

The session only routes. What is asked of the venue is made in `outgoing`, what its answers mean
is said in `settle`, the connection is kept by `login`, look-ups are led by `lookups`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from crosswire.domain import (
    ECHOES,
    Amend,
    AnyEvent,
    Approved,
    CancelAll,
    ClockMeasured,
    Connected,
    Disconnected,
    LoggedIn,
    LookUp,
    Place,
    PlaceBatch,
    Resend,
    Transport,
    TransportFailed,
    Unreadable,
    VenueWarned,
    Void,
)
from crosswire.venues.held import Held, Waiting
from crosswire.venues.hyperliquid import canonical
from crosswire.venues.hyperliquid.decode import errors, exchange
from crosswire.venues.hyperliquid.decode.exchange import Outcome
from crosswire.venues.hyperliquid.decode.messages import (
    ChannelMessage,
    Complaint,
    Reply,
    Subscribed,
)
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from crosswire.venues.hyperliquid.encode.actions import Actions
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.session import settle
from crosswire.venues.hyperliquid.session.block_clock import BlockClock
from crosswire.venues.hyperliquid.session.budget import Budget
from crosswire.venues.hyperliquid.session.catalogue import Catalogue
from crosswire.venues.hyperliquid.session.direct import Direct
from crosswire.venues.hyperliquid.session.hosts import is_mainnet
from crosswire.venues.hyperliquid.session.inflight import Copy, Request
from crosswire.venues.hyperliquid.session.login import ABOUT_CHANNELS, Login
from crosswire.venues.hyperliquid.session.lookups import LookUps
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.open_orders import OpenOrders
from crosswire.venues.hyperliquid.session.outgoing import PRIVATE, Outgoing
from crosswire.venues.hyperliquid.session.pacing import KEPT_WEIGHT
from crosswire.venues.hyperliquid.session.picture import Picture
from crosswire.venues.hyperliquid.session.posts import Posts
from crosswire.venues.hyperliquid.session.roles import Roles
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.hyperliquid.signing import Signer
from crosswire.venues.interface import Endpoint, HttpRequest, Output, SessionSettings
from crosswire.venues.unsent import unsent

# The venue closes a connection to which it had nothing to say for a minute; beats come oftener.
_SILENCE_NS = 30_000_000_000
_MINUTE_NS = 60_000_000_000
_UNHEARD = 50  # of the hundred that may be in flight
_NEWEST_NS = 2_000_000_000  # a complaint without a number may be about what left so lately
_ECHOED = re.compile(r'"id":\s*(\d{1,18})')
_NO_AMEND = "this venue replaces orders: place one that replaces it"


class Trading:
    """A session with credentials. Fulfils `venues.interface.Session`."""

    def __init__(self, settings: SessionSettings, first_nonce: int) -> None:
        """`ValueError` in one line if the credentials cannot be right."""
        self.name = settings.account
        self.rest_url = settings.hosts.rest
        self.outbox: list[Output] = []
        self._url = settings.hosts.ws_private
        self._timeout_ns = settings.request_timeout_ns
        self._may_place = settings.may_place
        self._address = canonical.address(settings.credentials.key)
        signer = Signer(settings.credentials.secret, is_mainnet=is_mainnet(settings.hosts))
        name, address = self.name, self._address
        listings = Listings()
        numbers, weights = Numbers(), Weights()
        self.clock = BlockClock(name)
        self._weights = weights
        self._actions = Actions(listings)
        self._orders = OpenOrders(name)
        self._held = Held(settings.max_held, settings.max_held_ns)
        self._outgoing = Outgoing(
            self.outbox,
            signer,
            first_nonce,
            settings.nonce_ceiling,
            self._actions,
            clock=self.clock,
            numbers=numbers,
            weights=weights,
            orders=self._orders,
        )
        self._pacing, self._inflight = self._outgoing.pacing, self._outgoing.inflight
        self._send_directly = Direct(self._outgoing).send
        shared = (listings, self.outbox, numbers, weights)
        wanted = settings.instruments
        post = self._question
        self._catalogue = Catalogue(*shared, wanted, session=name, address=address, post=post)
        self._lookups = LookUps(name, address, *shared, self.clock, self._catalogue, post)
        self._roles = Roles(name, address, signer.address, self._outgoing, weights, self._question)
        self._decoder = Decoder(
            listings, session=name, connection=PRIVATE, account=name, address=address
        )
        self._login = Login(
            name,
            address,
            self._outgoing,
            self.clock,
            listings,
            settings.instruments,
            self._inflight.is_anxious,
        )
        self.posts = Posts(self._outgoing)
        self._budget = Budget(address, self._outgoing, weights, self._question)
        self._picture = Picture(self._orders, self._inflight, self._decoder.instruments)
        self._first_id = 0  # the last post of earlier connections
        self._warned_ns: dict[str, int] = {}
        self._jumped_ns = -1
        self._last_ns = 0
        self._counts = {"late_answers": 0, "stray_answers": 0}

    def __repr__(self) -> str:
        return f"Trading({self.name})"

    # --- connections ---

    def endpoints(self) -> Sequence[Endpoint]:
        """One private connection."""
        return (Endpoint(PRIVATE, self._url, is_private=True, silence_ns=_SILENCE_NS),)

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Ask who we are, what is traded, and what is left of the address's budget."""
        self._catalogue.warm(now_ns)
        self._budget.tick(now_ns)
        return [*self._roles.tick(now_ns), *self._catalogue.start(now_ns)]

    def opened(self, connection: str, now_ns: int) -> list[AnyEvent]:
        """The connection stands; we are logged in when our channels are confirmed."""
        self._decoder.opened()
        self._first_id = self._outgoing.post_id
        self._login.opened(now_ns)
        return [Connected(now_ns, self.name, connection)]

    def closed(self, connection: str, reason: str, now_ns: int) -> list[AnyEvent]:
        """What was in flight on the connection is in doubt now."""
        self._login.closed()
        self._first_id = self._outgoing.post_id
        self.posts.closed(f"connection lost: {reason}")
        events: list[AnyEvent] = [
            Disconnected(now_ns, self.name, connection, reason),
            TransportFailed(now_ns, self.name, "ws", reason),
        ]
        for copy in self._inflight.lose_posts():
            events += copy.give_up(f"connection lost: {reason}", now_ns)
        events = self._picture.noted(events)
        return [*events, *self._picture.looked_up(self._lookups.closed(now_ns))]

    def received(self, connection: str, payload: bytes, now_ns: int) -> list[AnyEvent]:
        """Decode one frame of the private connection."""
        message = self._decoder.frame(payload, now_ns)
        if isinstance(message, Reply):
            return self._replied(message, now_ns)
        if isinstance(message, ChannelMessage):
            return self._channel(message, now_ns)
        if isinstance(message, Subscribed):
            self._login.subscribed(message)
            return self._ready(now_ns)
        if isinstance(message, Complaint):
            return self._complained(message, now_ns)
        return [message] if isinstance(message, Unreadable) else []

    @property
    def has_ws(self) -> bool:
        """Whether a post would go by WebSocket now."""
        return self._login.state != "closed"

    def is_ready(self, transport: Transport) -> bool:
        """Whether the login is known to be right, and, by WebSocket, its stream to deliver."""
        if transport == "ws":
            return self._login.state == "ready"
        return self._roles.is_right and self._catalogue.is_ready

    def _ready(self, now_ns: int) -> list[AnyEvent]:
        """Say so once all that is needed is there: channels, lists, and a login that fits."""
        if self._login.state != "asking" or not self._login.has_stream:
            return []
        if not self.is_ready("rest"):
            return []
        self._login.state = "ready"
        return [LoggedIn(now_ns, self.name), *self._release(now_ns)]

    # --- commands ---

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Send a command, hold it back for the venue's limits, or refuse it unsent."""
        # The hot path: one order that nothing stands in the way of.
        if transport == "ws" and self._login.state == "ready" and not self._held.queue:
            events = self._send_directly(approved, now_ns)
            if events is not None:
                return events
        command = approved.command
        if isinstance(command, LookUp):
            if command.what in ECHOES.values():
                return self._login.echo(command.what, now_ns)
            return self._picture.looked_up(self._lookups.ask(command, now_ns))
        if isinstance(command, Amend):
            return unsent(approved, _NO_AMEND, now_ns, is_transient=False)
        dropped = self._held.overtake(approved, now_ns)
        if not self._may_leave(approved, transport):
            return [*dropped, *unsent(approved, f"not ready to trade by {transport}", now_ns)]
        if isinstance(command, Resend):
            return self._outgoing.resend(approved, transport, now_ns)
        if isinstance(command, Void):
            return self._outgoing.void(approved, transport, now_ns)
        if isinstance(command, CancelAll):
            return [*dropped, *self._outgoing.cancel_known(approved, transport, now_ns)]
        if not self._may_go(approved, transport, now_ns, is_held=False):
            return self._held.add(approved, transport, now_ns)
        return [*dropped, *self._outgoing.send(approved, transport, now_ns)]

    def send_bracket(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Send a `PlaceBatch` as one group: an order, then the triggers that wait for it to fill.

        Triggers alone are sized with the position. Nothing is held back: without room, or if it
        is no bracket, all of it is refused unsent.
        """
        is_free = self.is_ready(transport) and not self._held.queue
        if not is_free or not self._may_go(approved, transport, now_ns, is_held=False):
            return unsent(approved, f"not ready to trade by {transport}", now_ns)
        return self._outgoing.send(approved, transport, now_ns, is_bracket=True)

    def _may_leave(self, approved: Approved, transport: Transport) -> bool:
        """Whether a command has a way out; a cancel needs no stream."""
        if self.is_ready(transport):
            return True
        is_placing = isinstance(approved.command, Place | PlaceBatch | Resend)
        return not is_placing and self.has_ws and self.is_ready("rest")

    def _may_go(
        self, approved: Approved, transport: Transport, now_ns: int, *, is_held: bool
    ) -> bool:
        """Whether the venue's limits leave room; a cancel may always go."""
        command = approved.command
        if not isinstance(command, Place | PlaceBatch):
            return True
        places = command.places if isinstance(command, PlaceBatch) else (command,)
        if not is_held and any(self._held.is_waiting(each.instrument) for each in places):
            return False
        if transport == "rest" and not self._weights.may(KEPT_WEIGHT + 1, now_ns):
            return False
        is_open, posts = len(self._orders.orders), len(self._inflight.posts)
        return self._pacing.may_place(len(places), is_open, posts, now_ns)

    def _release(self, now_ns: int) -> list[AnyEvent]:
        """Send what waited, as far as there is room now."""
        # What a jump of the clock means for what waits, whoever is told of it has to decide first.
        if not len(self._held) or self._jumped_ns == now_ns:
            return []
        return self._held.release(lambda waiting: self._try(waiting, now_ns), now_ns)

    def _try(self, waiting: Waiting, now_ns: int) -> list[AnyEvent] | None:
        transport = waiting.transport
        if not (self.is_ready(transport) and self._may_place(transport)):
            return None
        if not self._may_go(waiting.approved, transport, now_ns, is_held=True):
            return None
        return self._outgoing.send(waiting.approved, transport, now_ns)

    # --- users' own posts ---

    def post_action(self, action: Mapping[str, Any], now_ns: int) -> int:
        """Sign and send any action of the venue; returns a number for `posts.take`.

        `ValueError` for what the venue would not understand, `TypeError` for a float.
        """
        return self.posts.action(action, now_ns, by_ws=self.has_ws)

    def post_info(self, payload: Mapping[str, Any], now_ns: int) -> int:
        """Ask any question of the venue; returns a number for `posts.take`."""
        return self.posts.info(payload, now_ns, by_ws=self.has_ws)

    def _question(self, body: bytes, now_ns: int) -> int:
        """Post a question, which costs no weight; 0 where there is no connection."""
        return self._outgoing.post(body, now_ns, is_action=False) if self.has_ws else 0

    # --- answers ---

    def _replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        """Match a post's answer by its number, before it is read."""
        number = reply.request_id
        if number <= self._first_id:
            return self._late(number, now_ns)
        copy = self._inflight.take("ws", number)
        if copy is not None:
            is_error = reply.kind == "error"
            outcome = (
                exchange.transport_error(reply.error) if is_error else exchange.read(reply.payload)
            )
            return self._settled(copy, outcome, now_ns)
        if number in self._login.beats:
            return self._measured(self._login.replied(reply, now_ns), now_ns)
        if self._lookups.owns_post(number):
            return self._picture.looked_up(self._lookups.replied(reply, now_ns))
        if number in self.posts.posts:
            self.posts.replied(reply)
        elif self._catalogue.owns(-number):
            return self._listed(self._catalogue.replied(reply, now_ns), now_ns)
        elif self._roles.owns(-number):
            return self._judged(self._roles.replied(reply, now_ns), now_ns)
        elif self._budget.owns(-number):
            self._budget.replied(reply)
        else:
            self._counts["stray_answers"] += 1
        return []

    def _late(self, number: int, now_ns: int) -> list[AnyEvent]:
        """An answer of an older connection: what it answers was given up with that one."""
        self._counts["late_answers"] += 1
        return self._warn(
            "late", f"late answers of an old connection are dropped: {number}", now_ns
        )

    def _settled(self, copy: Copy, outcome: Outcome, now_ns: int) -> list[AnyEvent]:
        request = copy.request
        if errors.is_spent_budget(outcome.error):
            self._pacing.refused(now_ns)
        if errors.is_expired(outcome.error):
            self._login.hurry()
        events = settle.settle(copy, outcome, now_ns)
        self._over(request.voids or request)
        warned: list[AnyEvent] = []
        if errors.is_wrong_signer(outcome.error):
            warned = self._warn("signer", outcome.error, now_ns)
        return [*self._picture.noted(events), *warned, *self._release(now_ns)]

    def _over(self, request: Request) -> None:
        if not request.pending:
            self._inflight.forget(request)

    def _complained(self, complaint: Complaint, now_ns: int) -> list[AnyEvent]:
        """The error channel: about the post that it names, or echoes, or else the newest ones."""
        echoed = _ECHOED.search(complaint.text) if complaint.is_our_words else None
        number = complaint.request_id or (int(echoed[1]) if echoed else 0)
        if complaint.is_benign:
            return [*self._login.complained(complaint, now_ns), *self._ready(now_ns)]
        if self._login.beats.pop(number, None) is not None:
            return []
        if self.posts.complained(number, complaint.text):
            return []
        if self._lookups.owns_post(number):
            text = complaint.text[:200]
            return self._picture.looked_up(self._lookups.complained(number, text, now_ns))
        copy = self._inflight.take("ws", number) if number > self._first_id else None
        if copy is not None:
            verdict: errors.Verdict = "transient" if complaint.is_limit else "refused"
            outcome = Outcome(error=complaint.text[:200], verdict=verdict)
            return self._settled(copy, outcome, now_ns)
        events = self._login.complained(complaint, now_ns)
        if not number and not complaint.text.startswith(ABOUT_CHANNELS):
            events += self._doubt_newest(complaint.text[:200], now_ns)
        return events

    def _doubt_newest(self, reason: str, now_ns: int) -> list[AnyEvent]:
        """A complaint that names nobody: whatever left a moment ago may be what it is about."""
        events: list[AnyEvent] = []
        for copy in self._inflight.posts.values():
            if now_ns - copy.sent_ns <= _NEWEST_NS:
                events += copy.give_up(reason, now_ns)
        return self._picture.noted(events)

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read the answer to an HTTP request."""
        key = request.key
        if status == 429:
            self._weights.refused(now_ns)
        copy = self._inflight.take("rest", key)
        if copy is not None:
            return self._settled(copy, exchange.read_http(status, body), now_ns)
        if self._lookups.owns(key):
            return self._picture.looked_up(self._lookups.answered(request, status, body, now_ns))
        if self._catalogue.owns(key):
            return self._listed(self._catalogue.answered(request, status, body, now_ns), now_ns)
        if self._roles.owns(key):
            return self._judged(self._roles.answered(key, status, body, now_ns), now_ns)
        if key in self._login.calls:
            return self._measured(self._login.answered(key, status, body, now_ns), now_ns)
        if key in self.posts.calls:
            self.posts.answered(key, status, body)
        elif self._budget.owns(key):
            self._budget.answered(status, body)
        return []

    def _listed(self, events: list[AnyEvent], now_ns: int) -> list[AnyEvent]:
        self._actions.relist()
        return [*events, *self._ready(now_ns)]

    def _judged(self, events: list[AnyEvent], now_ns: int) -> list[AnyEvent]:
        """It is known who signs for whom: actions for another account name it."""
        if self._roles.vault != self._outgoing.signer.vault:
            self._outgoing.signer = self._outgoing.signer.acting_for(self._roles.vault)
        return [*events, *self._ready(now_ns)]

    def failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        """No answer: an order is in doubt, unless nothing of it can have left."""
        key = request.key
        if self._login.calls.pop(key, None) is not None:
            return []  # asked too often, and heard by nobody when it works
        failed = TransportFailed(now_ns, self.name, "rest", reason)
        events: list[AnyEvent] = []
        copy = self._inflight.take("rest", key)
        if copy is not None:
            if was_sent:
                copy.request.answers -= 1
                events = copy.give_up(reason, now_ns)
            else:
                events = settle.never_left(copy, reason, now_ns)
                self._over(copy.request)
            events = self._picture.noted(events)
        elif self._lookups.owns(key):
            events = self._lookups.failed(request, reason, now_ns)
        elif self._catalogue.owns(key):
            events = self._catalogue.failed(request, reason, now_ns)
        elif self._roles.owns(key):
            events = self._roles.failed(key, reason, now_ns)
        elif key in self.posts.calls:
            self.posts.failed(key, reason, was_sent=was_sent)
        return [failed, *events]

    # --- the private stream ---

    def _channel(self, message: ChannelMessage, now_ns: int) -> list[AnyEvent]:
        events = self._picture.streamed(message.events)
        for event in events:
            self.clock.see(getattr(event, "venue_ns", 0))
        return [*events, *self._release(now_ns)]

    # --- time ---

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Give up silent requests, keep the login, send what waited."""
        self._last_ns = now_ns
        events = self._picture.noted(self._inflight.expire(self._timeout_ns, now_ns))
        self.posts.expire(self._timeout_ns * 2, now_ns)
        events += self._roles.tick(now_ns)
        events += self._catalogue.tick(now_ns)
        events += self._picture.looked_up(self._lookups.tick(now_ns))
        if self._inflight.unheard() >= _UNHEARD:
            self._login.reconnect("too many posts were never answered")
        self._login.tick(now_ns)
        self._budget.tick(now_ns)
        return [*events, *self._ready(now_ns), *self._release(now_ns)]

    def _measured(self, news: list[AnyEvent], now_ns: int) -> list[AnyEvent]:
        """The clock was measured; what waits does not leave in the same moment as a jump."""
        if any(isinstance(event, ClockMeasured) for event in news):
            self._jumped_ns = now_ns
        return news

    def _warn(self, kind: str, text: str, now_ns: int) -> list[AnyEvent]:
        """Say something to people, once a minute."""
        if now_ns - self._warned_ns.get(kind, -_MINUTE_NS) < _MINUTE_NS:
            return []
        self._warned_ns[kind] = now_ns
        return [VenueWarned(now_ns, self.name, text)]

    def statistics(self) -> Mapping[str, int | str | bool]:
        """Counters and states, for people and metrics."""
        return {
            **self._counts,
            **self._picture.counts,
            **self._outgoing.counts,
            **self._login.statistics(),
            **self._lookups.counts,
            "login_fits": self._roles.is_right,
            "in_flight": self._inflight.waiting(),
            "held_now": len(self._held),
            "held_back": self._held.held,
            "held_refused": self._held.refused,
            "requests_left": self._pacing.left,
            "budget_refusals": self._pacing.refusals,
            "weight_left": self._weights.left(self._last_ns),
            "clock_offset_ms": self.clock.offset_ns // 1_000_000,
        }
