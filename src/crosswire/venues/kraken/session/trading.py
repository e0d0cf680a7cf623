"""One login's dialogue with Kraken, without I/O: orders by both transports, the private stream.

The session only routes. What is asked of the venue is made in `outgoing`, what its answers
mean is said in `settle`, the connection is kept by `login`, look-ups are led by `lookups`.
"""

from collections.abc import Mapping, Sequence

from crosswire.domain import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    AnyEvent,
    Approved,
    Cancel,
    CancelBatch,
    CancelRejected,
    ClockMeasured,
    Closed,
    Connected,
    Disconnected,
    LookUp,
    OrdersRead,
    Place,
    PlaceBatch,
    Rejected,
    Resend,
    Sent,
    TimedOut,
    Transport,
    TransportFailed,
    Unreadable,
    VenueWarned,
)
from crosswire.venues.clock import VenueClock
from crosswire.venues.held import Held, Waiting
from crosswire.venues.interface import Endpoint, HttpRequest, Output, SessionSettings
from crosswire.venues.kraken.decode import errors
from crosswire.venues.kraken.decode.messages import ChannelMessage, Pong, Reply
from crosswire.venues.kraken.decode.rest import answer
from crosswire.venues.kraken.decode.websocket import Decoder
from crosswire.venues.kraken.encode.frames import instrument_name
from crosswire.venues.kraken.session import rest_replies, settle
from crosswire.venues.kraken.session.asked_time import AskedTime
from crosswire.venues.kraken.session.dead_man import DeadMan
from crosswire.venues.kraken.session.direct import Direct
from crosswire.venues.kraken.session.inflight import InFlight, Request
from crosswire.venues.kraken.session.login import Login
from crosswire.venues.kraken.session.lookups import LookUps
from crosswire.venues.kraken.session.open_orders import OpenOrders, Statement
from crosswire.venues.kraken.session.outgoing import PRIVATE, Outgoing
from crosswire.venues.kraken.session.pacing import POINT, Pacing, add_cost
from crosswire.venues.kraken.session.untokened import Untokened
from crosswire.venues.kraken.signing import Signer
from crosswire.venues.kraken.wire import RestToken
from crosswire.venues.unsent import unsent

# For the socket's owner: longer than the ping interval, so that it is a second line of defence.
_SILENCE_NS = 30_000_000_000
_SECOND = 1_000_000_000
_NEVER_AGAIN = "this venue may take identical bytes as a second order: look the first one up"
_REFUSALS = (Rejected, AmendRejected, CancelRejected)


class Trading:
    """A session with credentials. Fulfils `venues.interface.Session`."""

    def __init__(self, settings: SessionSettings, first_nonce: int) -> None:
        """`ValueError` in one line if the credentials or the tier cannot be right."""
        self.name = settings.account
        self.rest_url = settings.hosts.rest
        self.outbox: list[Output] = []
        self.clock = VenueClock()
        self._url = settings.hosts.ws_private
        self._timeout_ns = settings.request_timeout_ns
        self._may_place = settings.may_place
        self._jumped_ns = -1  # when a jump of the clock was told
        self._orders = OpenOrders()
        self._pacing = Pacing(settings.tier, self._orders)
        self._inflight = InFlight()
        self._held = Held(settings.max_held, settings.max_held_ns)
        credentials = settings.credentials
        signer = Signer(credentials.key, credentials.secret, first_nonce)
        self._outgoing = Outgoing(self.outbox, signer, self.clock, self._inflight)
        self._send_directly = Direct(self._outgoing, self._orders, self._pacing).send
        self._lookups = LookUps(self.name, self._outgoing, self._pacing.rest, self._orders)
        self._decoder = Decoder(session=self.name, connection=PRIVATE, is_private=True)
        self._login = Login(self._decoder.private, self.outbox, self._outgoing, self.clock)
        self._untokened = Untokened(
            self._login, self._outgoing, self._inflight, settings.request_timeout_ns
        )
        self._dead_man = DeadMan(self.name)
        self._short: list[tuple[Request, int]] = []  # batch cancels that counted too few, when due
        self._last_ns = 0
        self._time = AskedTime(self._outgoing)
        self._counts = {"refusals": 0, "timeouts": 0, "late_answers": 0, "stray_answers": 0}

    def __repr__(self) -> str:
        return f"Trading({self.name})"

    # --- connections ---

    def endpoints(self) -> Sequence[Endpoint]:
        """One private connection."""
        return (Endpoint(PRIVATE, self._url, is_private=True, silence_ns=_SILENCE_NS),)

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Ask for a token, for the venue's time and for the names of its pairs."""
        self._login.start(now_ns)
        self._time.ask(now_ns)
        self._lookups.ask_names()
        return []

    def opened(self, connection: str, now_ns: int) -> list[AnyEvent]:
        """The connection stands; we are logged in when our orders have been read."""
        self._login.opened(now_ns)
        return [Connected(now_ns, self.name, connection)]

    def closed(self, connection: str, reason: str, now_ns: int) -> list[AnyEvent]:
        """What was in flight on the connection is in doubt now."""
        self._login.closed()
        events: list[AnyEvent] = [
            Disconnected(now_ns, self.name, connection, reason),
            TransportFailed(now_ns, self.name, "ws", reason),
            *self._login.give_look_up(f"connection lost: {reason}", now_ns),
        ]
        for request in self._inflight.on(connection):
            events += self._give_up(request, f"connection lost: {reason}", now_ns)
        return [*events, *self._noted(self._untokened.give_up(now_ns), now_ns)]

    def received(self, connection: str, payload: bytes, now_ns: int) -> list[AnyEvent]:
        """Decode one frame of the private connection."""
        self._login.heard(now_ns)
        message = self._decoder.frame(payload, now_ns)
        if isinstance(message, ChannelMessage):
            return self._channel(message, now_ns)
        if isinstance(message, Reply):
            return self._replied(message, now_ns)
        if isinstance(message, Pong):
            self._login.pong(message, now_ns)
            return self._jump(now_ns)
        return [message] if isinstance(message, Unreadable) else []

    def is_ready(self, transport: Transport) -> bool:
        """By REST always; by WebSocket while logged in with a good token."""
        return transport == "rest" or self._login.is_ready

    # --- commands ---

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Send a command, hold it back for the venue's limits, or refuse it unsent."""
        # The hot path: a plain order or amend that nothing stands in the way of.
        if transport == "ws" and self._login.state == "ready" and not self._held.queue:
            events = self._send_directly(approved, now_ns)
            if events is not None:
                return events
        command = approved.command
        if isinstance(command, LookUp):
            if command.what == "snapshot":
                return self._login.look(now_ns)
            return self._lookups.ask(command, now_ns)
        if isinstance(command, Resend):
            return unsent(approved, _NEVER_AGAIN, now_ns, is_transient=False)
        dropped = self._held.overtake(approved, now_ns)
        if not self.is_ready(transport):
            return [*dropped, *unsent(approved, "not logged in by WebSocket", now_ns)]
        if not self._may_go(approved, now_ns, is_held=False):
            return self._held.add(approved, transport, now_ns)
        return [*dropped, *self._go(approved, transport, now_ns)]

    def _may_go(self, approved: Approved, now_ns: int, *, is_held: bool) -> bool:
        """Whether the venue's limits leave room; a cancel may always go."""
        command = approved.command
        if isinstance(command, Place | PlaceBatch):
            for instrument, count in _counts(command).items():
                if not is_held and self._held.is_waiting(instrument):
                    return False
                if not self._pacing.may_add(instrument, count, now_ns):
                    return False
        elif isinstance(command, Amend):
            own_id = command.client_order_id
            if self._inflight.is_amending(own_id):
                return False
            return self._pacing.may_amend(command.instrument, own_id, now_ns)
        return True

    def _go(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        events = self._outgoing.send(approved, transport, now_ns)
        if events and isinstance(events[0], Sent):
            self._charge(approved, now_ns)
        return events

    def _charge(self, approved: Approved, now_ns: int) -> None:
        """Count what was sent against the limits, and new orders as open."""
        command = approved.command
        if isinstance(command, Place | PlaceBatch):
            for instrument, count in _counts(command).items():
                self._pacing.trading(instrument).add(add_cost(count), now_ns)
            for place in command.places if isinstance(command, PlaceBatch) else (command,):
                if not place.validate:
                    self._orders.sent(place.client_order_id, place.instrument, now_ns)
        elif isinstance(command, Amend):
            cost = self._pacing.amend_cost(command.client_order_id, now_ns)
            self._pacing.trading(command.instrument).add(cost, now_ns)
        elif isinstance(command, Cancel | CancelBatch):
            for cancel in command.cancels if isinstance(command, CancelBatch) else (command,):
                key = cancel.client_order_id or cancel.venue_order_id
                instrument = cancel.instrument or self._orders.instrument(key)
                if instrument and self._orders.press(key):
                    cost = self._pacing.cancel_cost(key, now_ns)
                    self._pacing.trading(instrument).add(cost, now_ns)

    def _release(self, now_ns: int) -> list[AnyEvent]:
        """Send what waited, as far as there is room now."""
        # What a jump of the clock means for what waits, whoever is told of it has to decide first.
        if not len(self._held) or self.clock.has_jumped or self._jumped_ns == now_ns:
            return []
        return self._held.release(lambda waiting: self._try(waiting, now_ns), now_ns)

    def _try(self, waiting: Waiting, now_ns: int) -> list[AnyEvent] | None:
        is_ready = self.is_ready(waiting.transport) and self._may_place(waiting.transport)
        if not is_ready or not self._may_go(waiting.approved, now_ns, is_held=True):
            return None
        return self._go(waiting.approved, waiting.transport, now_ns)

    # --- answers ---

    def _replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        if reply.method in {"subscribe", "unsubscribe"}:
            if reply.max_rate_count:
                self._pacing.set_most(reply.max_rate_count)
            events = self._login.answered(reply, now_ns)
            return [*self._jump(now_ns), *events, *self._release(now_ns)]
        request = self._inflight.find("ws", reply.req_id)
        if request is None or request.method != reply.method:
            self._counts["stray_answers"] += 1
            self.clock.see(reply.in_ns)
            text = f"an answer to nothing we asked: {reply.method} {reply.error}".strip()
            return [VenueWarned(now_ns, self.name, text)] if reply.error else []
        self.clock.measure(request.sent_ns, now_ns, venue_ns=reply.in_ns)
        if not reply.success and errors.is_token_refusal(reply.error) and not request.refusals:
            return self._noted(self._untokened.refused(request, reply.error, now_ns), now_ns)
        return [*self._jump(now_ns), *self._settled(request, reply, now_ns)]

    def _jump(self, now_ns: int) -> list[AnyEvent]:
        """Tell at once that a clock has jumped: from now on deadlines are written by the new one.

        Whoever decides on the next order must know that the dead-man may have fired meanwhile.
        """
        return self._news_of_clock(now_ns) if self.clock.has_jumped else []

    def _settled(self, request: Request, reply: Reply, now_ns: int) -> list[AnyEvent]:
        self._counts["late_answers"] += request.is_timed_out
        events, is_over = settle.settle(request, reply, now_ns)
        if is_over:
            self._inflight.remove(request)
            if request.method == "batch_cancel" and reply.success and request.pending:
                self._short.append((request, now_ns + _SECOND))
        if errors.is_rate_limit(reply.error) or any(
            errors.is_rate_limit(item.error) for item in reply.items
        ):
            for part in request.parts:
                instrument = getattr(part, "instrument", "")
                if instrument:
                    self._pacing.refused(instrument, now_ns)
        if request.method == "cancel_all_orders_after":
            self._dead_man.settled(events, settle.stamp(request, reply))
        self._give_back(request, events, now_ns)
        self._note(events, now_ns)
        self._remember(request, events)
        return [*events, *self._release(now_ns)]

    def _give_back(self, request: Request, events: Sequence[AnyEvent], now_ns: int) -> None:
        """A cancel of what the venue does not know was charged for the youth of no order."""
        for event in events:
            if isinstance(event, CancelRejected) and event.is_unknown_order:
                own_id = event.client_order_id or event.venue_order_id
                self._pacing.give_back(own_id, request.sent_ns, now_ns)

    def _remember(self, request: Request, events: Sequence[AnyEvent]) -> None:
        """Tell the decoder whose an accepted order is: the stream may have lost the event."""
        accepted = {
            event.client_order_id: event.venue_order_id
            for event in events
            if isinstance(event, Accepted)
        }
        for part in request.parts if accepted else ():
            venue_order_id = accepted.get(part.client_order_id)
            if isinstance(part, Place) and venue_order_id:
                self._decoder.private.memory.learn(
                    venue_order_id,
                    client_order_id=part.client_order_id,
                    symbol=instrument_name(part.instrument),
                    side=part.side,
                )

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read the answer to an HTTP request."""
        key = request.key
        if self._login.is_mint(key):
            got = answer(status, body, RestToken)
            if got.result is None or not got.result.token:
                if errors.is_rate_limit(got.reason):
                    self._pacing.rest.fill(now_ns)
                return self._login.not_minted(key, got.reason or "an empty token", now_ns)
            self._login.minted(key, got.result.token, got.result.expires, now_ns)
            return self._noted(self._untokened.resend(now_ns), now_ns)
        if self._time.is_asked(key):
            self._time.answered(key, status, body, now_ns)
            return self._jump(now_ns)
        order = self._inflight.find("rest", key)
        if order is None:
            events = self._noted(self._lookups.answered(key, status, body, now_ns), now_ns)
            return [*events, *self._dead_man.tell(now_ns)]
        reply = rest_replies.reply(order.method, status, body)
        if isinstance(reply, str):
            events = self._give_up(order, reply, now_ns)
            self._inflight.remove(order)
            return events
        return self._settled(order, reply, now_ns)

    def failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        """No answer: an order is in doubt, unless nothing of it can have left."""
        if self._time.is_asked(request.key):
            # Asked too often, and heard by nobody when it works: it says nothing of orders.
            self._time.failed(request.key)
            return []
        failed = TransportFailed(now_ns, self.name, "rest", reason)
        return [failed, *self._failed(request, reason, now_ns, was_sent=was_sent)]

    def _failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        if self._login.is_mint(request.key):
            return self._login.not_minted(request.key, reason, now_ns)
        order = self._inflight.find("rest", request.key)
        if order is None:
            return self._lookups.failed(request.key, reason, now_ns)
        self._inflight.remove(order)
        if was_sent:
            return self._give_up(order, reason, now_ns)
        events = settle.never_left(order, reason, now_ns)
        return self._noted(
            events or unsent(order.approved, f"never left: {reason}", now_ns), now_ns
        )

    # --- the private stream ---

    def _channel(self, message: ChannelMessage, now_ns: int) -> list[AnyEvent]:
        events = list(message.events)
        if message.channel in self._login.channels:
            is_snapshot = message.kind == "snapshot"
            self._note(events, now_ns)
            if self._dead_man.has_fired:
                events += self._dead_man.tell(now_ns)
            self._resync(message, now_ns)
            events += self._login.count(
                message.channel, message.sequence, now_ns, is_snapshot=is_snapshot
            )
            if is_snapshot:
                events += self._login.snapshot(message.channel, now_ns)
            events += self._release(now_ns)
        return events

    def _resync(self, message: ChannelMessage, now_ns: int) -> None:
        """Take over the venue's own rate counter, where it is shown."""
        if message.rate_count is None:
            return
        for event in message.events:
            key = getattr(event, "client_order_id", "") or getattr(event, "venue_order_id", "")
            instrument = getattr(event, "instrument", "") or self._orders.instrument(key)
            if instrument:
                self._pacing.trading(instrument).set(message.rate_count * POINT, now_ns)

    def _note(self, events: Sequence[AnyEvent], now_ns: int) -> None:
        """Keep the session's own picture: open orders, and requests that the stream settled."""
        for event in events:
            if isinstance(event, OrdersRead):
                self._orders.read(event)
                self._dead_man.read(event)
            elif isinstance(event, Statement):
                self._orders.apply(event, now_ns)
                self._prove(event)
                if isinstance(event, Closed):
                    self._dead_man.closed(event)
            elif isinstance(event, TimedOut):
                self._counts["timeouts"] += 1
            self._counts["refusals"] += isinstance(event, _REFUSALS)

    def _noted(self, events: list[AnyEvent], now_ns: int) -> list[AnyEvent]:
        self._note(events, now_ns)
        return events

    def _prove(self, event: Statement) -> None:
        """An order's events on the stream settle requests before their answers arrive."""
        own_id = event.client_order_id or self._orders.own_id(event.venue_order_id)
        for request in self._inflight.of_order(own_id):
            part = next(part for part in request.parts if part.client_order_id == own_id)
            is_amended = (
                isinstance(event, Amended)
                and isinstance(part, Amend)
                and part.quantity in {None, event.quantity}
                and part.price in {None, event.price}
            )
            if request.kind == "place" or is_amended or isinstance(event, Closed):
                request.pending.discard(own_id)
            if is_amended or isinstance(event, Closed):
                self._inflight.free_amend(request)

    # --- time ---

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Give up silent requests, keep the login, send what waited."""
        self._last_ns = now_ns
        events = self._inflight.expire(self._timeout_ns, now_ns)
        self._note(events, now_ns)
        self._login.tick(now_ns)
        self._time.tick(now_ns, is_told=self._login.is_ready)
        events += self._news_of_clock(now_ns)
        events += self._noted(self._untokened.tick(now_ns), now_ns)
        events += self._settle_short(now_ns)
        events += self._lookups.tick(now_ns)
        return [*events, *self._release(now_ns)]

    def _news_of_clock(self, now_ns: int) -> list[AnyEvent]:
        if self.clock.has_jumped:
            self._jumped_ns = now_ns
        offset_ns = self.clock.tell()
        return [] if offset_ns is None else [ClockMeasured(now_ns, self.name, offset_ns)]

    def _settle_short(self, now_ns: int) -> list[AnyEvent]:
        """Ask one by one for what a batch cancel's count left open and the stream did not tell.

        What we do not hold for open is not asked for: nobody answers that, so it is in doubt.
        """
        events: list[AnyEvent] = []
        for entry in [entry for entry in self._short if now_ns >= entry[1]]:
            self._short.remove(entry)
            request = entry[0]
            parts = [part for part in request.parts if isinstance(part, Cancel)]
            left = [part for part in parts if self._orders.is_open(part)]
            if left and self.is_ready(request.transport):
                self._outgoing.ask_each(request.approved, left, request.transport, now_ns)
                request.pending -= {part.client_order_id for part in left}
            events += request.give_up("a batch cancel that named nobody", now_ns)
        return events

    def _give_up(self, request: Request, reason: str, now_ns: int) -> list[AnyEvent]:
        events = request.give_up(reason, now_ns)
        self._inflight.free_amend(request)
        self._note(events, now_ns)
        return events

    def statistics(self) -> Mapping[str, int | str | bool]:
        """Counters and states, for people and metrics."""
        now_ns = self._last_ns
        return {
            **self._counts,
            **self._outgoing.counts,
            **self._login.statistics(),
            **self._lookups.counts,
            "in_flight": self._inflight.waiting(),
            "held_now": len(self._held),
            "held_back": self._held.held,
            "held_refused": self._held.refused,
            "trading_points_left": self._pacing.left(now_ns),
            "rest_points_left": self._pacing.rest.left(now_ns),
            "clock_offset_ms": self.clock.offset_ns // 1_000_000,
        }


def _counts(command: Place | PlaceBatch) -> dict[str, int]:
    """Return how many orders of each instrument a command places."""
    if isinstance(command, Place):
        return {command.instrument: 1}
    counts: dict[str, int] = {}
    for place in command.places:
        counts[place.instrument] = counts.get(place.instrument, 0) + 1
    return counts
