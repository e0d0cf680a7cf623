"""Hyperliquid: perps, spot and builders' dexs; orders by WebSocket post or REST. See NOTES.md."""

from importlib import import_module
from typing import Any, cast

from crosswire.venues.hyperliquid.login import read_login
from crosswire.venues.hyperliquid.session.feed import Feed
from crosswire.venues.hyperliquid.session.hosts import LIVE, TESTNET, local_hosts
from crosswire.venues.hyperliquid.session.trading import Trading
from crosswire.venues.hyperliquid.stage import STAGE
from crosswire.venues.interface import (
    Capabilities,
    FeedSettings,
    Session,
    SessionSettings,
    Simulator,
    Venue,
)


def _feed(settings: FeedSettings) -> Session:
    return Feed(settings)


def _session(settings: SessionSettings, first_nonce: int) -> Session:
    return Trading(settings, first_nonce)


def _simulator(*arguments: Any, **options: Any) -> Simulator:
    """Build the venue's other side, which a program that trades does not need to load."""
    module = import_module("crosswire.venues.hyperliquid.simulator")
    return cast("Simulator", module.simulator(*arguments, **options))


VENUE = Venue(
    name="hyperliquid",
    capabilities=Capabilities(
        amends_in_place=False,
        has_dead_man=False,
        has_dead_man_by_volume=True,  # scheduleCancel wants a million traded
        max_place_batch=40,  # what one unit of an IP's weight pays for
        max_cancel_batch=40,
        bound_ns=10_000_000_000,
        read_lag_ns=5_000_000_000,
        bounds_ns=(5_000_000_000, 60_000_000_000),
        replaces=True,
        has_snapshot=False,
        has_cancel_all=False,
        takes_copies=True,
        nonce_unit_ns=1_000_000,
        market_bps=500,
    ),
    live=LIVE,
    testnet=TESTNET,
    feed=_feed,
    session=_session,
    simulator=_simulator,
    local_hosts=local_hosts,
    stage=STAGE,
    read_login=read_login,
    idle_action={"type": "noop"},
    key_word="address",
)
