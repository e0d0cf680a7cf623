"""One venue order, as far as we know it."""

from typing import Literal

from msgspec import Struct, field

from crosswire.domain import (
    OrderType,
    Place,
    RequestKind,
    Side,
    TimeInForce,
    Transport,
)
from crosswire.fixed import SCALE
from crosswire.orders.table import Stage

# How an order ended: by the venue's word, or by our conclusion that it never was.
End = Literal["", "filled", "canceled", "expired", "rejected", "absent"]
Status = Literal[
    "PENDING_NEW",
    "OPEN",
    "PARTIALLY_FILLED",
    "FILLED",
    "CANCELED",
    "REJECTED",
    "EXPIRED",
    "UNKNOWN",
]
_ENDED: dict[End, Status] = {
    "filled": "FILLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
    "rejected": "REJECTED",
    "absent": "REJECTED",
}


class Request(Struct):
    """One request about an order that has no settled outcome."""

    request_id: int
    kind: RequestKind
    made_ns: int
    copies: int = 0  # handed to a socket
    refused: int = 0  # copies definitely refused
    is_doubtful: bool = False
    quantity: int | None = None  # what an amend asks for
    price: int | None = None
    bound_ns: int = 0  # after it the venue refuses what an amend asks for
    venue_bound_ns: int = 0  # the same on the venue's clock, once it was sent


class Stamps(Struct):
    """When an order passed each stage of the way, ns; 0 = not yet."""

    received: int = 0
    decoded: int = 0
    decided: int = 0
    approved: int = 0
    encoded: int = 0
    written: int = 0
    acked: int = 0
    filled: int = 0


class Order(Struct):
    """One venue order. Only `Orders` writes it; everyone else reads."""

    client_order_id: str
    account: str
    instrument: str
    side: Side
    quantity: int
    price: int | None
    order_type: OrderType = "limit"
    time_in_force: TimeInForce = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    strategy: str = ""
    bound_ns: int = 0
    stage: Stage = "SENDING"
    venue_order_id: str = ""
    filled: int = 0
    cost: int = 0  # sum of price x quantity over the fills, scale 10^-20
    fees: dict[str, int] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    end: End = ""
    end_filled: int | None = None  # the venue's cumulative quantity at the end
    reported_filled: int = 0  # the highest cumulative quantity the venue has shown
    reason: str = ""
    is_proven: bool = False  # evidence of its existence was seen
    is_late: bool = False  # it lives although we had closed it
    venue_bound_ns: int = 0  # the latest bound of its copies, on the venue's clock
    known_ns: int = 0  # the latest moment at which the venue is known to have had it
    missed_ns: int = 0  # when a refusal or a blind look-up made it seem gone; the stream may tell
    doubted_ns: int = 0  # since when one of its outcomes is in doubt, 0 = none is
    # The proof of absence, piece by piece: when the venue, past the bound, showed no such open
    # order (and what its clock said then), when a second look and the closed orders lacked it.
    ruled_out_ns: int = 0
    ruled_venue_ns: int = 0
    open_lacked_ns: int = 0
    closed_lacked_ns: int = 0
    is_adopted: bool = False  # ours by its id, but no journal of ours knows it
    replaces: str = ""  # the order whose place it takes, by our id
    replaced_by: str = ""  # the order that is to take its place, unless that was refused
    transport: Transport | None = None
    changed_ns: int = 0
    canceled_ns: int = 0  # when we last asked for its cancel
    refused_ns: int = 0  # when the venue last refused an amend or a cancel of it
    reserved: int = 0
    stamps: Stamps = field(default_factory=Stamps)

    @property
    def remaining(self) -> int:
        """The quantity not yet filled."""
        return max(self.quantity - self.filled, 0)

    @property
    def average_price(self) -> int | None:
        """The mean price of the fills, None without one."""
        return self.cost // self.filled if self.filled else None

    @property
    def notional(self) -> int:
        """What the fills cost in the quote asset."""
        return self.cost // SCALE

    @property
    def is_open(self) -> bool:
        """Whether it may still fill, as far as we know."""
        return self.stage != "DONE" or self.is_late

    @property
    def ends_at_once(self) -> bool:
        """Whether the venue ends it by itself as soon as it has matched it."""
        return self.time_in_force in ("ioc", "fok") or self.order_type == "market"

    @property
    def is_leaving(self) -> bool:
        """Whether another order stands for it already: its end is on the way."""
        return bool(self.replaced_by) and (bool(self.requests) or self.missed_ns > 0)

    @property
    def is_ruled_out(self) -> bool:
        """Whether it can't rest at the venue; what it may have filled is another matter."""
        return self.ruled_out_ns > 0

    @property
    def doubts(self) -> int:
        """How many of its outcomes are in doubt."""
        doubtful = sum(request.is_doubtful for request in self.requests.values())
        return max(doubtful, int(self.stage == "UNKNOWN"))

    @property
    def status(self) -> Status:
        """The word a trader knows it by."""
        if self.stage == "UNKNOWN":
            return "UNKNOWN"
        if self.stage == "DONE" and not self.is_late:
            return _ENDED[self.end]
        if self.filled:
            return "PARTIALLY_FILLED"
        return "PENDING_NEW" if self.stage == "SENDING" else "OPEN"

    def in_flight(self, kind: RequestKind) -> Request | None:
        """Return its oldest unsettled request of a kind."""
        for request in self.requests.values():
            if request.kind == kind:
                return request
        return None

    def worst_remaining(self) -> int:
        """The most that can still fill or be booked: what risk reserves.

        It ends by booked fills, or by a closure whose cumulative quantity they equal; a closure
        that named no quantity keeps the whole rest reserved until a look-up tells.
        """
        if self.stage == "DONE" and not self.is_late:
            if self.end in ("rejected", "absent"):
                return 0
            known = self.end_filled
            return max((self.quantity if known is None else known) - self.filled, 0)
        most = self.quantity
        if self.reported_filled > most:
            most = self.reported_filled
        for request in self.requests.values():
            if request.quantity is not None and request.quantity > most:
                most = request.quantity
        return most - self.filled if most > self.filled else 0


def new_order(place: Place) -> Order:
    """Return the order that a place command starts."""
    return Order(
        place.client_order_id,
        place.account,
        place.instrument,
        place.side,
        place.quantity or place.reserve_quantity,
        place.price,
        place.order_type,
        place.time_in_force,
        place.post_only,
        place.reduce_only,
        place.strategy,
        place.bound_ns,
        replaces=place.replaces,
        stamps=Stamps(place.received_ns, place.decoded_ns, place.decided_ns),
    )
