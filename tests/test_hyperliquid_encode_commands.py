"""Each command becomes the actions that do it, or is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import (
    Amend,
    AnyCommand,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    Kill,
    LookUp,
    PlaceBatch,
    Resend,
    Trigger,
)
from crosswire.fixed import SCALE, parse
from crosswire.venues.hyperliquid.encode.actions import Actions
from crosswire.venues.hyperliquid.encode.commands import actions_of, replacement
from tests.hyperliquid_world import NOW_MS, NOW_NS, OWN_ID, listings, place

ACTIONS = Actions(listings())
ETH = "hyperliquid:ETH-PERP"
NEW_ID = "0" * 31 + "9"
AMEND = Amend("main", ETH, OWN_ID, "77")


def made(command: AnyCommand, **more: Any) -> list[dict[str, Any]]:
    return [json.loads(each.text) for each in actions_of(command, ACTIONS, now_ns=NOW_NS, **more)]


def test_a_command_becomes_its_actions() -> None:
    assert [each["type"] for each in made(place())] == ["order"]
    batch = PlaceBatch("main", (place(), place(post_only=True), place()))
    assert [len(each["orders"]) for each in made(batch)] == [1, 2]
    one = Cancel("main", OWN_ID, "7", ETH)
    assert made(one) == [{"type": "cancel", "cancels": [{"a": 1, "o": 7}]}]
    assert made(CancelBatch("main", (one, one)))[0]["cancels"] == [{"a": 1, "o": 7}] * 2
    assert made(CancelAll("main"), open_orders=[one] * 201)[1]["cancels"] == [{"a": 1, "o": 7}]
    assert made(CancelAll("main")) == []
    armed = made(ArmDeadMan("main", 60 * 10**9))
    assert armed == [{"type": "scheduleCancel", "time": NOW_MS + 60_000}]
    assert made(ArmDeadMan("main", 0)) == [{"type": "scheduleCancel"}]


@pytest.mark.parametrize(
    "command", [LookUp("main", "fills"), Resend("main", OWN_ID, 1), Kill("", "why"), AMEND]
)
def test_what_is_no_action_is_refused(command: AnyCommand) -> None:
    with pytest.raises(ValueError, match="is no action of this venue"):
        made(command)


def test_an_amend_is_another_order_in_the_first_ones_place() -> None:
    old = place(strategy="mm", bound_ns=1)
    amend = Amend("main", ETH, OWN_ID, "77", price=parse("1105"), post_only=True, bound_ns=9)
    found = replacement(amend, old, NEW_ID, 0)
    assert (found.venue_order_id, found.client_order_id) == ("77", OWN_ID)
    new = found.place
    assert (new.client_order_id, new.price, new.quantity) == (NEW_ID, parse("1105"), old.quantity)
    assert (new.post_only, new.strategy, new.bound_ns) == (True, "mm", 9)
    kept = replacement(AMEND, place(post_only=True), NEW_ID, 0).place
    assert (kept.post_only, kept.price) == (True, old.price)
    sent = json.loads(ACTIONS.replace([found]).text)
    assert sent["modifies"][0]["oid"] == 77
    assert sent["modifies"][0]["order"]["c"] == "0x" + NEW_ID


@given(st.integers(1, 10**15), st.integers(0, 10**15))
def test_fills_and_rest_never_pass_the_total(total: int, filled: int) -> None:
    """The planted mistake: the whole new total sent again, on top of what was filled."""
    amend = Amend("main", ETH, OWN_ID, "77", quantity=total)
    if filled >= total:
        with pytest.raises(ValueError, match="nothing is left of"):
            replacement(amend, place(), NEW_ID, filled)
        return
    assert replacement(amend, place(), NEW_ID, filled).place.quantity + filled == total


def test_an_amend_of_a_trigger_moves_the_trigger() -> None:
    stop = place(order_type="stop_loss", trigger=Trigger(SCALE), reduce_only=True)
    moved = Amend("main", ETH, OWN_ID, "77", trigger_price=2 * SCALE)
    found = replacement(moved, stop, NEW_ID, 0)
    assert found.place.trigger == Trigger(2 * SCALE)
    assert found.place.price == stop.price
    with pytest.raises(ValueError, match="has no trigger"):
        replacement(moved, place(), NEW_ID, 0)


def test_an_amend_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="an id of its own"):
        replacement(AMEND, place(), OWN_ID, 0)
    with pytest.raises(ValueError, match="no icebergs"):
        replacement(Amend("main", ETH, OWN_ID, display_quantity=1), place(), NEW_ID, 0)
