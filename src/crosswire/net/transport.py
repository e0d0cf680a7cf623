"""The choice of transport, made before a send and never revised after it."""

from collections.abc import Sequence

from crosswire.domain import Transport
from crosswire.venues.interface import Endpoint


def choose(*, ws_open: bool, ws_ready: bool, rest_ready: bool) -> Transport:
    """Return the transport for the next command.

    `ws_open`: the sockets stand and take bytes. `ws_ready`, `rest_ready`: the session says that
    an order would leave at once. A socket that is not open is never chosen: a frame for it
    would count as sent although nothing was handed over. Where neither is ready, the session
    holds the command back or refuses it, unsent.
    """
    if ws_open and (ws_ready or not rest_ready):
        return "ws"
    return "rest"


def carriers(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    """Return the endpoints that carry commands: the private ones, or all of a public feed's."""
    return [endpoint for endpoint in endpoints if endpoint.is_private] or endpoints
