"""Approved commands -> signed actions -> frames or HTTP requests, and their entry in flight.

All actions of a command are signed before the first of them goes out: what the venue cannot do
comes back as an unsent refusal, and nothing has left. A body is signed once; every copy of it,
by whichever transport, is the same bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import structs

from crosswire.domain import (
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    Place,
    PlaceBatch,
    RequestKind,
    Resend,
    Sent,
    Transport,
    VenueWarned,
    Void,
)
from crosswire.venues.hyperliquid.encode import envelope, rules
from crosswire.venues.hyperliquid.encode.actions import Action, Actions, Replacement, noop
from crosswire.venues.hyperliquid.session.block_clock import BlockClock
from crosswire.venues.hyperliquid.session.catalogue import HEADERS
from crosswire.venues.hyperliquid.session.inflight import Copy, InFlight, Part, Request, keys_of
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.open_orders import OpenOrders
from crosswire.venues.hyperliquid.session.pacing import Pacing
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.hyperliquid.signing import USER_SIGNED as USER_SIGNED_TYPES
from crosswire.venues.hyperliquid.signing import Nonces, Signed, Signer, sign_action, user_nonce
from crosswire.venues.interface import Frame, HttpRequest, Output
from crosswire.venues.unsent import unsent

PRIVATE = "private"
BOUND_NS = 10_000_000_000  # of an order that brought no bound of its own
MIN_LEAD_NS = 500_000_000  # nearer to its bound an order would come too late, and cost five
MAX_LEAD_NS = 60_000_000_000
_MS = 1_000_000
_ENTRIES_PER_WEIGHT = 40

T = TypeVar("T")
Draft = tuple[Action, tuple[Part, ...]]


class Outgoing:
    """Fills the outbox of one login."""

    def __init__(
        self,
        outbox: list[Output],
        signer: Signer,
        first_nonce: int,
        nonce_ceiling: Callable[[], int],
        actions: Actions,
        *,
        clock: BlockClock,
        numbers: Numbers,
        weights: Weights,
        orders: OpenOrders,
    ) -> None:
        self.outbox = outbox
        self.signer = signer
        self.actions = actions
        self.clock = clock
        self.numbers = numbers
        self.pacing = Pacing()
        self.orders = orders
        self.inflight = InFlight()
        self.counts = {"frames": 0, "http_requests": 0, "copies_resent": 0, "nonces_voided": 0}
        self.post_id = 0  # of the last post; no number comes twice in a session
        self._weights = weights
        self._nonces = Nonces(first_nonce)
        self._ceiling = nonce_ceiling

    def nonce(self, now_ns: int, *, is_cancel: bool = False) -> int:
        """Return the next nonce; `TransientError` at the durable ceiling, last for cancels."""
        self._nonces.ceiling = self._ceiling()
        try:
            return self._nonces.spare(now_ns) if is_cancel else self._nonces.next(now_ns)
        except ValueError as error:
            raise TransientError(str(error)) from None

    # --- commands ------------------------------------------------------------------------------

    def send(
        self, approved: Approved, transport: Transport, now_ns: int, *, is_bracket: bool = False
    ) -> list[AnyEvent]:
        """Send a command; returns `Sent`, or unsent refusals of all it asked for."""
        try:
            drafts = self._bracket(approved) if is_bracket else self._drafts(approved, now_ns)
            until_ns = self._until_ns(approved, now_ns)
            kind = kind_of(approved)
            requests = [
                self._request(approved, kind, action, parts, until_ns, now_ns)
                for action, parts in drafts
            ]
        except ValueError as error:
            is_transient = isinstance(error, TransientError)
            return unsent(approved, str(error), now_ns, is_transient=is_transient)
        ids: list[str] = []
        for request, (action, parts) in zip(requests, drafts, strict=True):
            self.inflight.add(request)
            self.pacing.spend(action.weight)
            for part in parts:
                if isinstance(part, Place):
                    self.orders.sent(part, now_ns)
            self._hand_over(request, transport, now_ns)
            ids += [part.client_order_id for part in parts if part.client_order_id]
        return [self._sent(approved, approved.request_id, transport, tuple(ids), until_ns, now_ns)]

    def resend(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Send the identical bytes of a place once more, while the venue may still run them."""
        command = approved.command
        assert isinstance(command, Resend)
        request = self.inflight.place_of(command.place_request_id, command.client_order_id)
        if request is None:
            return unsent(approved, "its bytes are not kept any more", now_ns)
        if self.clock.venue_ns(now_ns) >= request.until_ns - MIN_LEAD_NS:
            return unsent(approved, "too late for another copy", now_ns)
        self.counts["copies_resent"] += 1
        self._hand_over(request, transport, now_ns)
        ids = tuple([part.client_order_id for part in request.parts])
        return [
            self._sent(approved, command.place_request_id, transport, ids, request.until_ns, now_ns)
        ]

    def void(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Use up a place's nonce, so that no copy of it can run any more."""
        command = approved.command
        assert isinstance(command, Void)
        place = self.inflight.place_of(command.place_request_id, command.client_order_id)
        if place is None:
            text = f"no nonce to use up for request {command.place_request_id}"
            return [VenueWarned(now_ns, command.account, text)]
        action = noop()
        body = envelope.signed(action, self.signer, place.nonce)
        void = Request(
            approved, action.kind, "other", (), set(), body, place.nonce, 0, now_ns, place
        )
        self.counts["nonces_voided"] += 1
        self.pacing.spend(1)
        self._hand_over(void, transport, now_ns)
        return []

    def cancel_known(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Cancel everything that is known to be open."""
        if not self.orders.orders:
            account = approved.command.account
            return [VenueWarned(now_ns, account, "nothing is known to be open: nothing cancelled")]
        return self.send(approved, transport, now_ns)

    # --- users' own actions --------------------------------------------------------------------

    def sign(self, action: Mapping[str, Any], now_ns: int) -> bytes:
        """Return the body of any action, signed under a nonce of ours; `ValueError` if it is none.

        The nonce of a user-signed action is filled in where its mapping leaves it out.
        """
        nonce = self.nonce(now_ns)
        kind = str(action.get("type"))
        signer = self.signer
        if kind in USER_SIGNED_TYPES:
            if user_nonce(action) < 0:
                fields = dict(USER_SIGNED_TYPES[kind][1])
                action = {**action, "time" if "time" in fields else "nonce": nonce}
            nonce = user_nonce(action)
            signer = signer.acting_for("") if signer.vault else signer
        signed: Signed = sign_action(action, signer, nonce)
        return signed.body()

    # --- the wire ------------------------------------------------------------------------------

    def frame(self, payload: bytes, now_ns: int) -> None:
        """Write a frame to the private connection."""
        self.counts["frames"] += 1
        self.pacing.message(now_ns)
        self.outbox.append(Frame(PRIVATE, payload))

    def post(self, body: bytes, now_ns: int, *, is_action: bool) -> int:
        """Post a body; returns the number that its answer echoes."""
        self.post_id += 1
        make = envelope.post_action if is_action else envelope.post_info
        self.frame(make(self.post_id, body), now_ns)
        return self.post_id

    def call(self, path: str, body: bytes, weight: int, now_ns: int) -> int:
        """Ask by REST; returns the key of the request."""
        key = self.numbers.next()
        self._weights.spend(weight, now_ns)
        self.counts["http_requests"] += 1
        self.outbox.append(HttpRequest(key, "POST", path, HEADERS, body))
        return key

    def _hand_over(self, request: Request, transport: Transport, now_ns: int) -> None:
        lower_ns = self.clock.lower_ns
        request.copies += 1
        if transport == "ws":
            number = self.post(request.body, now_ns, is_action=True)
            self.inflight.posts[number] = Copy(request, number, "ws", now_ns, lower_ns)
        else:
            weight = 1 + len(request.parts) // _ENTRIES_PER_WEIGHT
            number = self.call("/exchange", request.body, weight, now_ns)
            self.inflight.calls[number] = Copy(request, number, "rest", now_ns, lower_ns)

    def _request(
        self,
        approved: Approved,
        kind: RequestKind,
        action: Action,
        parts: tuple[Part, ...],
        until_ns: int,
        now_ns: int,
    ) -> Request:
        nonce = self.nonce(now_ns, is_cancel=kind == "cancel")
        body = envelope.signed(action, self.signer, nonce, until_ns // _MS)
        pending = {key for part in parts for key in keys_of(part)}
        return Request(approved, action.kind, kind, parts, pending, body, nonce, until_ns, now_ns)

    @staticmethod
    def _sent(
        approved: Approved,
        request_id: int,
        transport: Transport,
        ids: tuple[str, ...],
        until_ns: int,
        now_ns: int,
    ) -> Sent:
        account = approved.command.account
        connection = PRIVATE if transport == "ws" else ""
        return Sent(now_ns, account, request_id, transport, ids, now_ns, connection, until_ns)

    # --- what to sign --------------------------------------------------------------------------

    def _drafts(self, approved: Approved, now_ns: int) -> list[Draft]:
        """Return the actions of a command with the orders of each."""
        command = approved.command
        if isinstance(command, Place):
            return list(self._places((command,)))
        if isinstance(command, PlaceBatch):
            return list(self._places(command.places))
        if isinstance(command, Cancel):
            return list(self._cancels((command,)))
        if isinstance(command, CancelBatch):
            return list(self._cancels(command.cancels))
        if isinstance(command, CancelAll):
            return list(self._cancels(tuple(self.orders.cancels())))
        if isinstance(command, ArmDeadMan):
            venue_ns = self.clock.venue_ns(now_ns)
            return [(self.actions.schedule_cancel(command.timeout_ns, venue_ns), ())]
        raise ValueError(f"{type(command).__name__} is no action of this venue")

    def _places(self, places: Sequence[Place]) -> Iterator[Draft]:
        """Yield new orders: post-only ones apart, and those that replace apart."""
        for replaces in (True, False):
            for post_only in (True, False):
                group = [
                    place
                    for place in places
                    if bool(place.replaces) == replaces and place.post_only == post_only
                ]
                for part in _split(group):
                    yield (self.replacing(part) if replaces else self._placing(part)), part

    def _bracket(self, approved: Approved) -> list[Draft]:
        """Return an order with what waits for it to fill, or what waits for a position's end."""
        command = approved.command
        places = command.places if isinstance(command, PlaceBatch) else ()
        rules.require(places, "a bracket is a batch of new orders")
        if places[0].trigger is None:
            return [(self.actions.bracket(places[0], places[1:]), places)]
        return [(self.actions.position_bracket(places), places)]

    def _placing(self, places: tuple[Place, ...]) -> Action:
        if len(places) == 1:
            return self.actions.order(places[0])
        return self.actions.orders(places)

    def replacing(self, places: tuple[Place, ...]) -> Action:
        """Return the batchModify of some orders, all of them post-only or none."""
        if len(places) == 1:
            return self.actions.move(places[0])
        pairs = [Replacement(one, one.replaces_venue_id, one.replaces) for one in places]
        return self.actions.replace(pairs, always_place=not places[0].post_only)

    def _cancels(self, cancels: Sequence[Cancel]) -> Iterator[Draft]:
        """Yield cancels: those by number apart from those by our id."""
        whole = [
            one if one.instrument else structs.replace(one, instrument=self.orders.instrument(one))
            for one in cancels
        ]
        for is_by_number in (True, False):
            group = [one for one in whole if bool(one.venue_order_id) == is_by_number]
            for part in _split(group):
                (action,) = self.actions.cancels(part)
                yield action, part

    def _until_ns(self, approved: Approved, now_ns: int) -> int:
        """Return the venue's time after which it is to refuse the request, 0 for cancels."""
        command = approved.command
        if isinstance(command, Place):
            bound_ns = command.bound_ns
        elif isinstance(command, PlaceBatch):
            bounds = [place.bound_ns for place in command.places if place.bound_ns]
            bound_ns = command.bound_ns or min(bounds, default=0)
        else:
            return 0
        bound_ns = bound_ns or approved.approved_ns + BOUND_NS
        if bound_ns - now_ns < MIN_LEAD_NS:
            lead_ms = max(0, bound_ns - now_ns) // _MS
            raise TransientError(
                f"too late: {lead_ms} ms to its bound, {MIN_LEAD_NS // _MS} wanted"
            )
        bound_ns = min(bound_ns, now_ns + MAX_LEAD_NS)
        return self.clock.venue_ns(bound_ns) // _MS * _MS


class TransientError(ValueError):
    """A reason not to send that passes."""


def kind_of(approved: Approved) -> RequestKind:
    """Return what a command asks for, in the domain's word."""
    command = approved.command
    if isinstance(command, Place | PlaceBatch):
        return "place"
    return "cancel" if isinstance(command, Cancel | CancelBatch | CancelAll) else "other"


def _split(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for first in range(0, len(items), rules.MAX_BATCH):
        yield tuple(items[first : first + rules.MAX_BATCH])
