"""The choice of transport."""

import itertools

import pytest
from msgspec import Struct

from crosswire.domain import (
    Amend,
    AmendRejected,
    AnyCommand,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    LookUp,
    PlaceBatch,
    Rejected,
    Transport,
)
from crosswire.net.transport import ALL_OPEN, carriers, choose, mode, refused
from crosswire.venues.interface import Endpoint
from tests.net_echo import EchoSession
from tests.samples import ACCOUNT, BTC, place

CANCEL = Cancel(ACCOUNT, "a")
HARMLESS: list[AnyCommand] = [
    CANCEL,
    CancelBatch(ACCOUNT, (CANCEL,)),
    CancelAll(ACCOUNT),
    ArmDeadMan(ACCOUNT, 1),
    LookUp(ACCOUNT, "balances"),
]
PLACING: list[AnyCommand] = [place(), PlaceBatch(ACCOUNT, (place(),)), Amend(ACCOUNT, BTC, "a")]


class Flags(Struct):
    """Routes as a test wants them."""

    uses_ws: bool = True
    ws_places: bool = True
    rest_places: bool = True

    def may_place(self, transport: Transport, /) -> bool:
        return self.ws_places if transport == "ws" else self.rest_places

    may_leave = may_place


def session(*ready: Transport) -> EchoSession:
    made = EchoSession(0)
    made.ready = set(ready)
    return made


def ready(*, ws: bool, rest: bool) -> EchoSession:
    states: dict[Transport, bool] = {"ws": ws, "rest": rest}
    return session(*(name for name, is_ready in states.items() if is_ready))


@pytest.mark.parametrize("command", [*PLACING, *HARMLESS])
@pytest.mark.parametrize(
    ("ws_open", "ws_ready", "rest_ready", "chosen"),
    [
        (True, True, True, "ws"),
        (True, True, False, "ws"),
        (True, False, True, "rest"),
        (True, False, False, "ws"),  # the session holds it back or refuses it
        (False, True, True, "rest"),
        (False, True, False, "rest"),
        (False, False, True, "rest"),
        (False, False, False, "rest"),
    ],
)
def test_with_every_breaker_closed(
    command: AnyCommand, *, ws_open: bool, ws_ready: bool, rest_ready: bool, chosen: str
) -> None:
    found = ready(ws=ws_ready, rest=rest_ready)
    assert choose(command, found, ALL_OPEN, ws_open=ws_open) == chosen


@pytest.mark.parametrize("command", PLACING)
def test_placing_never_goes_by_what_may_not_place(command: AnyCommand) -> None:
    for ws_places, rest_places, ws_open, ws, rest in itertools.product((False, True), repeat=5):
        flags = Flags(ws_places=ws_places, rest_places=rest_places)
        chosen = choose(command, ready(ws=ws, rest=rest), flags, ws_open=ws_open)
        assert chosen != "ws" or (ws_places and ws_open)
        assert chosen != "rest" or rest_places
        is_possible = rest_places or (ws_places and ws_open)
        assert (chosen is not None) == is_possible, "the other one is taken at once"
        if ws_open and ws and ws_places:
            assert chosen == "ws"


@pytest.mark.parametrize("command", HARMLESS)
def test_a_breaker_never_changes_the_way_of_what_does_not_place(command: AnyCommand) -> None:
    for ws_open, ws, rest in itertools.product((False, True), repeat=3):
        found = ready(ws=ws, rest=rest)
        free = choose(command, found, ALL_OPEN, ws_open=ws_open)
        shut = choose(command, found, Flags(ws_places=False, rest_places=False), ws_open=ws_open)
        assert shut == free is not None


def test_without_websocket_orders_nothing_goes_by_it() -> None:
    flags = Flags(uses_ws=False, ws_places=False)
    for command in [*PLACING, *HARMLESS]:
        assert choose(command, session("ws", "rest"), flags, ws_open=True) == "rest"


def test_what_found_no_way_is_refused_unsent_order_by_order() -> None:
    (one,) = refused(Approved(place("a"), 7, 1), 9)
    assert isinstance(one, Rejected)
    assert (one.client_order_id, one.request_id, one.is_unsent, one.recv_ns) == ("a", 7, True, 9)
    both = refused(Approved(PlaceBatch(ACCOUNT, (place("a"), place("b"))), 7, 1), 9)
    assert [each.client_order_id for each in both if isinstance(each, Rejected)] == ["a", "b"]
    (amend,) = refused(Approved(Amend(ACCOUNT, BTC, "a", "V"), 7, 1), 9)
    assert isinstance(amend, AmendRejected)
    assert (amend.venue_order_id, amend.is_unsent) == ("V", True)


@pytest.mark.parametrize(
    ("flags", "found", "ws_open", "expected"),
    [
        (Flags(), session("ws", "rest"), True, "websocket"),
        (Flags(), session("rest"), True, "hybrid"),
        (Flags(), session("ws", "rest"), False, "hybrid"),
        (Flags(ws_places=False), session("ws", "rest"), True, "hybrid"),
        (Flags(uses_ws=False, ws_places=False), session("ws", "rest"), True, "rest"),
        (Flags(rest_places=False), session("rest"), True, "none"),
        (Flags(rest_places=False), session("ws", "rest"), True, "websocket"),
        (Flags(), session(), True, "none"),
    ],
)
def test_where_an_order_would_go_is_said(
    flags: Flags, found: EchoSession, *, ws_open: bool, expected: str
) -> None:
    assert mode(found, flags, ws_open=ws_open) == expected


def test_private_endpoints_carry_commands_and_a_feed_uses_what_it_has() -> None:
    public = Endpoint("public", "ws://a/v2", False, 1)
    private = Endpoint("private", "ws://b/v2", True, 1)
    assert carriers([public, private]) == [private]
    assert carriers([public]) == [public]
