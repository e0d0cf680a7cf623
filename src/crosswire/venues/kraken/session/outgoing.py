"""Approved commands -> what goes out, by either transport, and its entry among the requests.

All parts of a command are encoded before the first of them goes out: what the venue cannot do
comes back as an unsent refusal, and nothing has left.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from crosswire.domain import (
    Amend,
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    Place,
    PlaceBatch,
    Sent,
    Transport,
)
from crosswire.venues.clock import VenueClock
from crosswire.venues.interface import Frame, HttpRequest, Output
from crosswire.venues.kraken.encode import bodies, rules
from crosswire.venues.kraken.encode.bodies import Call
from crosswire.venues.kraken.encode.frames import Frames
from crosswire.venues.kraken.session.inflight import InFlight, Part, Request, request_for
from crosswire.venues.kraken.signing import Signer
from crosswire.venues.unsent import unsent

PRIVATE = "private"
BOUND_NS = 5_000_000_000  # the deadline of an order that brought no bound of its own
MIN_LEAD_NS: dict[Transport, int] = {"ws": 500_000_000, "rest": 2_000_000_000}
MAX_LEAD_NS = 59_000_000_000  # the venue takes 60 s; one of them for the two clocks
# Numbers of the further frames of a split command, far above the engine's own.
_FIRST_EXTRA = 2_000_000_000

_Item = TypeVar("_Item")
Chunk = tuple[str, Sequence[Part]]  # the WebSocket's method, and the orders it is about


class Outgoing:
    """Fills the outbox of one login."""

    def __init__(
        self, outbox: list[Output], signer: Signer, clock: VenueClock, inflight: InFlight
    ) -> None:
        self.frames = Frames()
        self.outbox = outbox
        self.clock = clock
        self.inflight = inflight
        self.counts = {"frames": 0, "http_requests": 0, "add_order_ws": 0, "amend_order_ws": 0}
        self._signer = signer
        self._extra = _FIRST_EXTRA
        self._key = 0

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Send a command; returns `Sent`, or unsent refusals of all it asked for."""
        try:
            requests = [
                self._request(approved, chunk, transport, now_ns, is_first=not position)
                for position, chunk in enumerate(chunks(approved))
            ]
            payloads = [self._encode(request, now_ns) for request in requests]
        except ValueError as error:
            return unsent(
                approved, str(error), now_ns, is_transient=isinstance(error, TooLateError)
            )
        for request, payload in zip(requests, payloads, strict=True):
            self.inflight.add(request)
            self._hand_over(request, payload, now_ns)
        return [
            Sent(
                now_ns,
                approved.command.account,
                approved.request_id,
                transport,
                client_order_ids=tuple(
                    part.client_order_id for request in requests for part in request.parts
                ),
                encoded_ns=now_ns,
                connection=PRIVATE if transport == "ws" else "",
                bound_ns=max(request.until_ns for request in requests),
            )
        ]

    def ask_each(
        self, approved: Approved, cancels: Sequence[Cancel], transport: Transport, now_ns: int
    ) -> None:
        """Cancel orders whose fate a batch's count left open: each of them gets a verdict."""
        groups = [[cancel] for cancel in cancels]
        if transport == "ws":
            by_venue = [cancel for cancel in cancels if cancel.venue_order_id]
            by_own = [cancel for cancel in cancels if not cancel.venue_order_id]
            groups = [group for group in (by_venue, by_own) if group]
        for group in groups:
            chunk: Chunk = ("cancel_order", group)
            request = self._request(approved, chunk, transport, now_ns, is_first=False)
            self.inflight.add(request)
            self._hand_over(request, self._encode(request, now_ns), now_ns)

    def resend(self, request: Request, now_ns: int) -> None:
        """Send a frame again that was refused for its token; `ValueError` if it is too late."""
        payload = self._encode(request, now_ns)
        request.sent_ns = now_ns
        self._hand_over(request, payload, now_ns)

    def frame(self, payload: bytes) -> None:
        """Write a frame to the private connection."""
        self.counts["frames"] += 1
        self.outbox.append(Frame(PRIVATE, payload))

    def post(self, call: Call, now_ns: int, key: int = 0) -> int:
        """Ask by REST, signed; returns the key of the request."""
        key = key or self.next_key()
        nonce = self._signer.nonce(now_ns)
        body = call.body(nonce)
        headers = self._signer.headers(call.path, nonce, body, call.content)
        self.counts["http_requests"] += 1
        self.outbox.append(HttpRequest(key, "POST", call.path, headers, body, is_ordered=True))
        return key

    def get(self, path: str) -> int:
        """Ask something public by REST; returns the key of the request."""
        key = self.next_key()
        self.counts["http_requests"] += 1
        self.outbox.append(HttpRequest(key, "GET", path, {}, is_cheap=True))
        return key

    def next_key(self) -> int:
        """Return a number no HTTP request had."""
        self._key += 1
        return self._key

    def _request(
        self, approved: Approved, chunk: Chunk, transport: Transport, now_ns: int, *, is_first: bool
    ) -> Request:
        method, parts = chunk
        if transport == "rest":
            number = self.next_key()
        elif is_first:
            number = approved.request_id
        else:
            self._extra += 1
            number = self._extra
        return request_for(
            approved,
            parts,
            number=number,
            method=method,
            transport=transport,
            connection=PRIVATE if transport == "ws" else "",
            sent_ns=now_ns,
            seen_ns=self.clock.seen_ns if transport == "rest" else 0,
        )

    def _hand_over(self, request: Request, payload: bytes | Call, now_ns: int) -> None:
        if isinstance(payload, Call):
            self.post(payload, now_ns, request.number)
        else:
            self.frame(payload)
        counter = _COUNTERS[request.transport][request.method]
        self.counts[counter] = self.counts.get(counter, 0) + 1

    def _encode(self, request: Request, now_ns: int) -> bytes | Call:
        """Return the bytes or the call of a request; `ValueError` if the venue has no such."""
        method, parts, number = request.method, request.parts, request.number
        until_ns = self._until_ns(request, now_ns)
        # Sent again, it keeps the deadline that was announced, whatever the clock shows by now.
        until_ns = request.until_ns = min(until_ns, request.until_ns or until_ns)
        venue_ns = self.clock.venue_ns(now_ns)
        if request.transport == "ws":
            return _FRAMES[method](self.frames, request.approved, parts, number, venue_ns, until_ns)
        return _CALLS[method](request.approved, parts, venue_ns, until_ns)

    def _until_ns(self, request: Request, now_ns: int) -> int:
        """Return the venue's time after which it is to refuse the request, 0 for cancels."""
        bounds = [part.bound_ns for part in request.parts if isinstance(part, Place | Amend)]
        if not bounds:
            return 0
        command = request.approved.command
        bound_ns = command.bound_ns if isinstance(command, PlaceBatch) else 0
        bound_ns = bound_ns or min(bounds) or request.approved.approved_ns + BOUND_NS
        return self.deadline_ns(bound_ns, request.transport, now_ns)

    def deadline_ns(self, bound_ns: int, transport: Transport, now_ns: int) -> int:
        """Return a bound on the venue's clock, within what the venue takes as a deadline."""
        least = MIN_LEAD_NS[transport]
        if bound_ns - now_ns < least:
            lead = max(0, bound_ns - now_ns) // 1_000_000
            raise TooLateError(
                f"too late: {lead} ms to its bound, the venue wants {least // 1000000}"
            )
        return self.clock.venue_ns(min(bound_ns, now_ns + MAX_LEAD_NS))


class TooLateError(ValueError):
    """The bound is nearer than the shortest deadline the venue takes."""


def chunks(approved: Approved) -> Iterator[Chunk]:
    """Yield the requests that a command needs: one instrument each, within the batch limits."""
    command = approved.command
    if isinstance(command, Place):
        yield "add_order", (command,)
    elif isinstance(command, PlaceBatch):
        for instrument in dict.fromkeys(place.instrument for place in command.places):
            places = [place for place in command.places if place.instrument == instrument]
            for part in _split(places, rules.MAX_PLACES):
                yield ("batch_add" if len(part) > 1 else "add_order"), part
    elif isinstance(command, Amend):
        yield "amend_order", (command,)
    elif isinstance(command, Cancel):
        yield "cancel_order", (command,)
    elif isinstance(command, CancelBatch):
        for cancels in _split(command.cancels, rules.MAX_CANCELS):
            yield ("batch_cancel" if len(cancels) > 1 else "cancel_order"), cancels
    elif isinstance(command, CancelAll):
        yield "cancel_all", ()
    else:
        assert isinstance(command, ArmDeadMan), f"{type(command).__name__} is not sent"
        yield "cancel_all_orders_after", ()


def _split(items: Sequence[_Item], most: int) -> Iterator[Sequence[_Item]]:
    for first in range(0, len(items), most):
        yield items[first : first + most]


def _places(parts: Sequence[Part]) -> list[Place]:
    return [part for part in parts if isinstance(part, Place)]


def _cancels(parts: Sequence[Part]) -> list[Cancel]:
    return [part for part in parts if isinstance(part, Cancel)]


def _amend(parts: Sequence[Part]) -> Amend:
    (amend,) = parts
    assert isinstance(amend, Amend)
    return amend


def _timeout_ns(approved: Approved) -> int:
    assert isinstance(approved.command, ArmDeadMan)
    return approved.command.timeout_ns


# Arguments: the encoder, the command, its parts, the number, the venue's time and the deadline.
_Framing = Callable[[Frames, Approved, Sequence[Part], int, int, int], bytes]
_FRAMES: dict[str, _Framing] = {
    "add_order": lambda frames, _, parts, number, now_ns, until_ns: frames.add_order(
        _places(parts)[0], number, now_ns=now_ns, deadline_ns=until_ns
    ),
    "batch_add": lambda frames, _, parts, number, now_ns, until_ns: frames.batch_add(
        _places(parts), number, now_ns=now_ns, deadline_ns=until_ns
    ),
    "amend_order": lambda frames, _, parts, number, __, until_ns: frames.amend_order(
        _amend(parts), number, deadline_ns=until_ns
    ),
    "cancel_order": lambda frames, _, parts, number, *__: frames.cancel_order(
        _cancels(parts), number
    ),
    "batch_cancel": lambda frames, _, parts, number, *__: frames.batch_cancel(
        _cancels(parts), number
    ),
    "cancel_all": lambda frames, _, __, number, *___: frames.cancel_all(number),
    "cancel_all_orders_after": lambda frames, approved, _, number, *__: (
        frames.cancel_all_orders_after(_timeout_ns(approved), number)
    ),
}
_Calling = Callable[[Approved, Sequence[Part], int, int], Call]
_CALLS: dict[str, _Calling] = {
    "add_order": lambda _, parts, now_ns, until_ns: bodies.add_order(
        _places(parts)[0], now_ns=now_ns, deadline_ns=until_ns
    ),
    "batch_add": lambda _, parts, now_ns, until_ns: bodies.add_order_batch(
        _places(parts), now_ns=now_ns, deadline_ns=until_ns
    ),
    "amend_order": lambda _, parts, __, until_ns: bodies.amend_order(
        _amend(parts), deadline_ns=until_ns
    ),
    "cancel_order": lambda _, parts, *__: bodies.cancel_order(_cancels(parts)[0]),
    "batch_cancel": lambda _, parts, *__: bodies.cancel_order_batch(_cancels(parts)),
    "cancel_all": lambda *_: bodies.cancel_all(),
    "cancel_all_orders_after": lambda approved, *_: bodies.cancel_all_orders_after(
        _timeout_ns(approved)
    ),
}
# Names of the counters of requests, made once.
_COUNTERS = {
    transport: {method: f"{method}_{transport}" for method in _FRAMES}
    for transport in ("ws", "rest")
}
