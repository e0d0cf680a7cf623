"""Signed actions on their way, by any transport, and for a while after they were given up.

A `Request` is one signed action: its body is kept, because only the same bytes can be sent again
without being another order. A `Copy` is one time that it was handed over. Its `pending` orders
are those whose outcome is not proven yet, by an answer or by the private stream; of a
replacement both orders are.
"""

from collections.abc import Iterator
from typing import TypeVar

from msgspec import Struct

from crosswire.domain import AnyEvent, Approved, Cancel, Place, RequestKind, TimedOut, Transport

REST_TIMEOUT_NS = 30_000_000_000  # the HTTP lane gives up first; this is for one that never says so
KEPT_NS = 120_000_000_000  # the longest bound, and its slowest look-up
ANXIOUS_NS = 1_000_000_000  # an answer that takes so long is waited for with more attention
CALM_NS = 30_000_000_000  # and so long after it was given up

Part = Place | Cancel
Key = TypeVar("Key", str, int)


class Request(Struct, eq=False, gc=False):
    """One signed action."""

    approved: Approved
    method: str  # the action's type
    kind: RequestKind
    parts: tuple[Part, ...]  # its entries
    pending: set[str]  # by our id, or the venue's where there is none of ours
    body: bytes
    nonce: int
    until_ns: int  # what it expires after, on the venue's clock; 0 = never
    sent_ns: int
    voids: "Request | None" = None  # whose nonce it uses up
    copies: int = 0
    answers: int = 0
    is_doubtful: bool = False  # somebody was told so

    @property
    def request_id(self) -> int:
        """The engine's number of the request."""
        return self.approved.request_id

    def doubt(self, reason: str, now_ns: int) -> list[AnyEvent]:
        """Say of the orders that are not proven that they are in doubt."""
        if self.voids is not None or (self.parts and not self.pending):
            return []
        self.is_doubtful = True
        return [
            TimedOut(
                now_ns,
                self.approved.command.account,
                self.request_id,
                reason,
                client_order_ids=tuple([one for one in own_ids(self.parts) if one in self.pending]),
                kind=self.kind,
            )
        ]

    def __repr__(self) -> str:
        return f"Request({self.method} {self.request_id})"


class Copy(Struct, eq=False, gc=False):
    """One time that a request was handed over."""

    request: Request
    number: int  # what the answer echoes: a post's id, or the key of the HTTP request
    transport: Transport
    sent_ns: int
    lower_ns: int  # the chain had come so far when it left
    is_timed_out: bool = False

    def give_up(self, reason: str, now_ns: int) -> list[AnyEvent]:
        """It is in doubt from now on: say so once."""
        if self.is_timed_out:
            return []
        self.is_timed_out = True
        return self.request.doubt(reason, now_ns)


def keys_of(part: Part) -> tuple[str, ...]:
    """Return what the orders of an entry are known by."""
    if isinstance(part, Place):
        old = part.replaces or part.replaces_venue_id
        return (part.client_order_id, old) if old else (part.client_order_id,)
    return (part.client_order_id or part.venue_order_id,)


def own_ids(parts: tuple[Part, ...]) -> Iterator[str]:
    """Yield our ids of all orders that a request is about."""
    for part in parts:
        if part.client_order_id:
            yield part.client_order_id
        if isinstance(part, Place) and part.replaces:
            yield part.replaces


class InFlight:
    """All copies by the number that their answer echoes, all requests by their orders."""

    def __init__(self) -> None:
        self.posts: dict[int, Copy] = {}
        self.calls: dict[int, Copy] = {}
        self.by_order: dict[str, list[Request]] = {}
        self.places: dict[int, list[Request]] = {}  # by the engine's number
        self._swept_ns = 0

    def add(self, request: Request) -> None:
        """Register a request that is about to be sent: nothing of it is proven yet."""
        for key in request.pending:
            self.by_order.setdefault(key, []).append(request)
        if request.kind == "place":
            self.places.setdefault(request.approved.request_id, []).append(request)

    def place_of(self, request_id: int, client_order_id: str) -> Request | None:
        """Return the action that an order was placed by, while it is kept."""
        for request in self.places.get(request_id, ()):
            if any(part.client_order_id == client_order_id for part in request.parts):
                return request
        return None

    def of_order(self, key: str) -> tuple[Request, ...]:
        """Return the requests about an order."""
        return tuple(self.by_order.get(key, ()))

    def take(self, transport: Transport, number: int) -> Copy | None:
        """Return the copy that an answer belongs to, late ones included; it is answered now."""
        copy = (self.posts if transport == "ws" else self.calls).pop(number, None)
        if copy is not None:
            copy.request.answers += 1
        return copy

    def forget(self, request: Request) -> None:
        """A request is settled; late answers to its copies are read all the same."""
        for part in request.parts:
            for key in keys_of(part):
                _drop(self.by_order, key, request)
        _drop(self.places, request.request_id, request)

    def lose_posts(self) -> list[Copy]:
        """Return what went out on a connection that is gone: no answer can come any more."""
        lost, self.posts = list(self.posts.values()), {}
        return lost

    def expire(self, timeout_ns: int, now_ns: int) -> list[AnyEvent]:
        """Give up what had no answer in time; forget what is older than any late answer.

        `timeout_ns` is for the WebSocket: how long an HTTP request may take its lane decides.
        """
        events: list[AnyEvent] = []
        for copies, limit_ns in ((self.posts, timeout_ns), (self.calls, REST_TIMEOUT_NS)):
            for number, copy in list(copies.items()):
                age_ns = now_ns - copy.sent_ns
                if age_ns >= limit_ns and not copy.is_timed_out:
                    events += copy.give_up(f"no answer within {limit_ns / 1e9:g} s", now_ns)
                if age_ns >= limit_ns + KEPT_NS:
                    del copies[number]
        if now_ns - self._swept_ns < ANXIOUS_NS:
            return events
        self._swept_ns = now_ns
        old = {id(r): r for rs in self.by_order.values() for r in rs if _is_old(r, now_ns)}
        for request in old.values():
            self.forget(request)
        return events

    def is_anxious(self, now_ns: int) -> bool:
        """Whether an answer is late, or was given up a moment ago."""
        cancels = (copy.request for copy in self.posts.values() if copy.request.kind == "cancel")
        places = (request for requests in self.places.values() for request in requests)
        return any(
            request.pending
            and (request.is_doubtful or now_ns - request.sent_ns >= ANXIOUS_NS)
            and now_ns - request.sent_ns < CALM_NS
            for request in (*places, *cancels)
        )

    def unheard(self) -> int:
        """Return how many posts of this connection were given up."""
        return sum(copy.is_timed_out for copy in self.posts.values())

    def waiting(self) -> int:
        """Return how many copies have neither an answer nor been given up."""
        every = (*self.posts.values(), *self.calls.values())
        return sum(not copy.is_timed_out for copy in every)


def _is_old(request: Request, now_ns: int) -> bool:
    return now_ns - request.sent_ns >= KEPT_NS


def _drop(lists: dict[Key, list[Request]], key: Key, request: Request) -> None:
    found = lists.get(key, [])
    if request in found:
        found.remove(request)
    if not found:
        lists.pop(key, None)
