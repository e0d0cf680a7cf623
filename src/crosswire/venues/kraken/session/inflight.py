"""Requests that await an answer, by any transport, and for a while after they were given up.

A request is one frame or one HTTP call: a batch that was split is several of them with one
`request_id`. Its `pending` orders are those whose outcome is not proven yet, by an answer or
by the private stream. A request that timed out stays known, so that a late answer is read.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from crosswire.domain import (
    Amend,
    AnyEvent,
    Approved,
    Cancel,
    CancelAll,
    CancelBatch,
    Place,
    PlaceBatch,
    RequestKind,
    TimedOut,
    Transport,
)

# By REST the HTTP lane gives up first; this is for a lane that never says so.
REST_TIMEOUT_NS = 30_000_000_000
KEPT_NS = 60_000_000_000  # the longest deadline the venue allows, and its slowest look-up

Part = Place | Amend | Cancel


class Request(Struct, eq=False, gc=False):
    """One request on its way."""

    approved: Approved
    parts: tuple[Part, ...]
    pending: set[str]
    number: int  # what the answer echoes: req_id, or the key of the HTTP request
    method: str
    transport: Transport
    connection: str
    sent_ns: int
    until_ns: int = 0  # the deadline it carries, on the venue's clock
    answers: int = 0  # of the n that cancel_order gives
    error: str = ""  # of one of them
    refusals: int = 0  # for a token that was not accepted
    is_timed_out: bool = False
    is_amending: bool = False  # the next amend of the same order has to wait
    seen_ns: int = 0  # REST: the venue's clock was at least here when it left us

    @property
    def request_id(self) -> int:
        """The engine's number of the request."""
        return self.approved.request_id

    @property
    def kind(self) -> RequestKind:
        """What it asks for, in the domain's word."""
        return kind_of(self.approved)

    def give_up(self, reason: str, now_ns: int) -> list[AnyEvent]:
        """It is in doubt from now on: say so once, for the orders that are not proven."""
        is_silent = self.is_timed_out or (self.parts and not self.pending)
        self.is_timed_out = True
        if is_silent:
            return []
        return [
            TimedOut(
                recv_ns=now_ns,
                account=self.approved.command.account,
                request_id=self.request_id,
                reason=reason,
                client_order_ids=tuple(
                    part.client_order_id
                    for part in self.parts
                    if part.client_order_id in self.pending
                ),
                kind=self.kind,
            )
        ]

    def __repr__(self) -> str:
        return f"Request({self.method} {self.number})"


def request_for(
    approved: Approved,
    parts: Sequence[Part],
    *,
    number: int,
    method: str,
    transport: Transport,
    connection: str,
    sent_ns: int,
    seen_ns: int = 0,
) -> Request:
    """Return a request none of whose orders is proven yet."""
    pending = {part.client_order_id for part in parts}
    return Request(
        approved,
        tuple(parts),
        pending,
        number,
        method,
        transport,
        connection,
        sent_ns,
        seen_ns=seen_ns,
    )


def kind_of(approved: Approved) -> RequestKind:
    """Return what a command asks for, in the domain's word."""
    command = approved.command
    if isinstance(command, Place | PlaceBatch):
        return "place"
    if isinstance(command, Amend):
        return "amend"
    return "cancel" if isinstance(command, Cancel | CancelBatch | CancelAll) else "other"


class InFlight:
    """All requests by the number that their answer echoes."""

    def __init__(self) -> None:
        self.requests: dict[int, Request] = {}  # by number, negative for REST
        self.by_order: dict[str, list[Request]] = {}

    def add(self, request: Request) -> None:
        """Register a request that is being sent."""
        is_websocket = request.transport == "ws"
        self.requests[request.number if is_websocket else -request.number] = request
        for part in request.parts:
            found = self.by_order.get(part.client_order_id)
            if found is None:
                self.by_order[part.client_order_id] = [request]
            else:
                found.append(request)
            if isinstance(part, Amend):
                request.is_amending = True

    def find(self, transport: Transport, number: int) -> Request | None:
        """Return the request an answer belongs to, late ones included."""
        return self.requests.get(number if transport == "ws" else -number)

    def remove(self, request: Request) -> None:
        """Forget a request: answered in full, or too old."""
        is_websocket = request.transport == "ws"
        self.requests.pop(request.number if is_websocket else -request.number, None)
        self.free_amend(request)
        for part in request.parts:
            found = self.by_order.get(part.client_order_id, [])
            if request in found:
                found.remove(request)
            if not found:
                self.by_order.pop(part.client_order_id, None)

    def is_amending(self, client_order_id: str) -> bool:
        """Whether an amend of this order awaits its answer."""
        return any(request.is_amending for request in self.by_order.get(client_order_id, ()))

    def free_amend(self, request: Request) -> None:
        """The next amend of the same order may go."""
        request.is_amending = False

    def of_order(self, client_order_id: str) -> Sequence[Request]:
        """Return the requests in flight for an order."""
        return tuple(self.by_order.get(client_order_id, ()))

    def on(self, connection: str) -> list[Request]:
        """Return the requests that went out on a connection."""
        return [request for request in self if request.connection == connection]

    def expire(self, timeout_ns: int, now_ns: int) -> list[AnyEvent]:
        """Give up what had no answer in time; forget what is older than any late answer.

        `timeout_ns` is for the WebSocket: how long an HTTP request may take its lane decides.
        """
        events: list[AnyEvent] = []
        for request in list(self):
            age_ns = now_ns - request.sent_ns
            limit_ns = timeout_ns if request.transport == "ws" else REST_TIMEOUT_NS
            if age_ns >= limit_ns and not request.is_timed_out:
                events += request.give_up(f"no answer within {limit_ns / 1e9:g} s", now_ns)
                self.free_amend(request)
            if age_ns >= limit_ns + KEPT_NS:
                self.remove(request)
        return events

    def waiting(self) -> int:
        """Return how many requests have neither an answer nor been given up."""
        return sum(not request.is_timed_out for request in self)

    def __iter__(self) -> Iterator[Request]:
        return iter(self.requests.values())
