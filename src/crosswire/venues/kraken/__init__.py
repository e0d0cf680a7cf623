"""Kraken spot: WebSocket API v2 first, REST as the fallback. See NOTES.md."""

import base64
import hashlib
from importlib import import_module
from typing import Any, cast

from crosswire.venues.interface import (
    Capabilities,
    Credentials,
    FeedSettings,
    Hosts,
    Session,
    SessionSettings,
    Simulator,
    Stage,
    Venue,
)
from crosswire.venues.kraken.session.feed import Feed
from crosswire.venues.kraken.session.trading import Trading


def _feed(settings: FeedSettings) -> Session:
    return Feed(settings)


def _session(settings: SessionSettings, first_nonce: int) -> Session:
    return Trading(settings, first_nonce)


def _simulator(*arguments: Any, **options: Any) -> Simulator:
    """Build the venue's other side, which a program that trades does not need to load."""
    module = import_module("crosswire.venues.kraken.simulator")
    return cast("Simulator", module.simulator(*arguments, **options))


def _local_hosts(place: str) -> Hosts:
    """Return the hosts of a simulator at "host:port", laid out as the venue's SDKs expect."""
    return Hosts(rest=f"http://{place}", ws=f"ws://{place}/v2", ws_private=f"ws://{place}/auth/v2")


def _login(account: str) -> Credentials:
    digest = hashlib.sha512(account.encode()).digest()
    return Credentials(key=f"local-{account}", secret=base64.b64encode(digest).decode())


# The moments that are named make sure of the worst, whatever the seed: an order executed whose
# answer is lost and the connection with it, one that never arrives, a token no longer taken.
USUAL_FAULTS = {
    "drop_ack": 0.05,
    "drop_ack@8": 1,
    "cut_after@16": 1,
    "cut_before@26": 1,
    "cut_before@27": 1,
    "cut_before@28": 1,
    "token_revoked@13": 1,
    "token_revoked@36": 1,
    "cut_after@44": 1,
    "busy_after": 0.02,
    "events_first": 0.2,
    "omit_frame": 0.01,
    "duplicate_frame": 0.1,
    "mixed_frame": 0.1,
    "wrong_checksum": 0.02,
    "lookup_429": 0.05,
    "lookup_502": 0.05,
    "lookup_empty": 0.05,
    "views_behind_s": 0.7,  # within the lag of 1 s that the demo declares
}

STAGE = Stage(
    instruments={"BTC/USD": "0.001", "ETH/USD": "0.02", "ETH/BTC": "0.02", "SOL/USD": "0.4"},
    worlds=("BTC/USD",),
    most_notional="1000",
    balances={"USD": "1000000", "BTC": "20"},
    cash="USD",
    login=_login,
    tier="pro",
    # Close enough to be filled, and few enough moves for the rate counters of a real account.
    ladder={
        "quantity": "0.004",
        "levels": 3,
        "edge_ticks": 10,
        "spacing_ticks": 15,
        "refresh_ticks": 150,
        "skew_ticks": 8,
        "max_position": "0.5",
    },
    faults=USUAL_FAULTS,
)

VENUE = Venue(
    name="kraken",
    capabilities=Capabilities(
        amends_in_place=True,
        has_dead_man=True,
        max_place_batch=15,
        max_cancel_batch=50,
        bound_ns=5_000_000_000,
        read_lag_ns=60_000_000_000,
        bounds_ns=(3_000_000_000, 50_000_000_000),  # REST refuses below 2 s, all above 60 s
    ),
    live=Hosts(
        rest="https://api.kraken.com",
        ws="wss://ws.kraken.com/v2",
        ws_private="wss://ws-auth.kraken.com/v2",
    ),
    testnet=None,
    feed=_feed,
    session=_session,
    simulator=_simulator,
    local_hosts=_local_hosts,
    stage=STAGE,
)
