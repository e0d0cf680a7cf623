"""The choice of transport."""

import itertools

import pytest

from crosswire.net.transport import carriers, choose
from crosswire.venues.interface import Endpoint


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
def test_the_whole_table(*, ws_open: bool, ws_ready: bool, rest_ready: bool, chosen: str) -> None:
    assert choose(ws_open=ws_open, ws_ready=ws_ready, rest_ready=rest_ready) == chosen


def test_a_socket_that_is_not_open_is_never_chosen() -> None:
    for ws_ready, rest_ready in itertools.product((False, True), repeat=2):
        assert choose(ws_open=False, ws_ready=ws_ready, rest_ready=rest_ready) == "rest"


def test_private_endpoints_carry_commands_and_a_feed_uses_what_it_has() -> None:
    public = Endpoint("public", "ws://a/v2", False, 1)
    private = Endpoint("private", "ws://b/v2", True, 1)
    assert carriers([public, private]) == [private]
    assert carriers([public]) == [public]
