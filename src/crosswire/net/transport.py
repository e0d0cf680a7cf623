"""The choice of transport, made before a send and never revised after it.

What places obeys the breakers and the config; what cancels, arms or asks takes whatever stands.
"""

from collections.abc import Sequence
from typing import Protocol

from crosswire.domain import (
    Amend,
    AmendRejected,
    AnyCommand,
    AnyEvent,
    Approved,
    Place,
    PlaceBatch,
    Rejected,
    Transport,
)
from crosswire.venues.interface import Endpoint, Session

PLACING = (Place, PlaceBatch, Amend)
NO_WAY = "no transport may carry it"


class Routes(Protocol):
    """An account's rules and the state of its breakers, as flags read at each send."""

    @property
    def uses_ws(self) -> bool:
        """Whether commands may go by WebSocket at all."""

    @property
    def ws_places(self) -> bool:
        """Whether orders may go by WebSocket now."""

    @property
    def rest_places(self) -> bool:
        """Whether orders may go by REST now."""

    def may_place(self, transport: Transport, /) -> bool:
        """The same, for whichever transport."""

    def may_leave(self, transport: Transport, /) -> bool:
        """Whether an order that was held back since it was approved may go now."""


class _AllOpen:
    """No rules: what a feed goes by, or a link of its own."""

    uses_ws = ws_places = rest_places = True

    def may_place(self, _transport: Transport, /) -> bool:
        return True

    may_leave = may_place


ALL_OPEN: Routes = _AllOpen()


def choose(
    command: AnyCommand, session: Session, routes: Routes, *, ws_open: bool
) -> Transport | None:
    """Return the transport for a command; None where it must not leave by any.

    `ws_open`: the sockets stand and take bytes. A socket that is not open is never chosen: a
    frame for it would count as sent although nothing was handed over. Where a transport may be
    used but is not ready, the session holds the command back or refuses it, unsent.
    """
    ws_ready = ws_open and session.is_ready("ws")
    if not isinstance(command, PLACING):
        uses_ws = ws_ready or (ws_open and not session.is_ready("rest"))
        return "ws" if uses_ws and routes.uses_ws else "rest"
    if ws_ready and routes.ws_places:
        return "ws"
    if routes.rest_places and session.is_ready("rest"):
        return "rest"
    if ws_open and routes.ws_places:
        return "ws"
    return "rest" if routes.rest_places else None


def refused(approved: Approved, now_ns: int) -> list[AnyEvent]:
    """Return the refusals of what places and found no way out."""
    command = approved.command
    if isinstance(command, Amend):
        ids = (command.account, command.client_order_id, command.venue_order_id)
        number = approved.request_id
        return [AmendRejected(now_ns, *ids, number, NO_WAY, is_transient=True, is_unsent=True)]
    places: Sequence[Place] = ()
    if isinstance(command, PlaceBatch):
        places = command.places
    elif isinstance(command, Place):
        places = (command,)
    return [
        Rejected(
            now_ns,
            place.account,
            place.client_order_id,
            "",
            approved.request_id,
            NO_WAY,
            is_transient=True,
            is_unsent=True,
        )
        for place in places
    ]


def mode(session: Session, routes: Routes, *, ws_open: bool) -> str:
    """Say where an order would go now: "websocket", "hybrid", "rest" or "none".

    Hybrid is data by WebSocket and orders by REST, for as long as orders by WebSocket have to wait.
    """
    if ws_open and routes.ws_places and session.is_ready("ws"):
        return "websocket"
    if routes.rest_places and session.is_ready("rest"):
        return "hybrid" if routes.uses_ws else "rest"
    return "none"


def carriers(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    """Return the endpoints that carry commands: the private ones, or all of a public feed's."""
    return [endpoint for endpoint in endpoints if endpoint.is_private] or endpoints
