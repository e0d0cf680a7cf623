"""What the simulated Hyperliquid is played on."""

import hashlib

from crosswire.venues.interface import Credentials, Stage


def login(account: str) -> Credentials:
    """Return an address and the key of its API wallet: trading never needs the account's own."""
    address = hashlib.sha256(f"account {account}".encode()).hexdigest()[:40]
    secret = hashlib.sha256(f"wallet of {account}".encode()).hexdigest()
    return Credentials(key=f"0x{address}", secret=f"0x{secret}")


# The moments that are named make sure of the worst, whatever the seed: an action executed whose
# answer is lost and the connection with it, one that never arrives.
USUAL_FAULTS = {
    "drop_ack": 0.05,
    "drop_ack@8": 1,
    "cut_after@16": 1,
    "cut_before@26": 1,
    "cut_before@27": 1,
    "cut_before@28": 1,
    "cut_after@44": 1,
    "post_429@20": 1,
    "post_502_after@35": 1,
    "error_without_id@50": 1,
    "events_first": 0.2,
    "modify_open_first": 0.2,
    "omit_frame": 0.01,
    "duplicate_frame": 0.1,
    "lookup_429": 0.05,
    "lookup_502": 0.05,
    "lookup_empty": 0.05,
    "views_behind_s": 0.7,  # within the lag of 1 s that the demo declares
}

# Worlds tag quantities in lots, so what they trade is cheap by the lot; the demo shows the best
# known first.
STAGE = Stage(
    instruments={
        "BTC-PERP": "0.01",
        "ETH-PERP": "0.2",
        "DOGE-PERP": "2000",
        "PURR/USDC": "2000",
        "xyz:TSLA-PERP": "1",
    },
    worlds=("DOGE-PERP", "PURR/USDC", "DOGE-PERP", "xyz:TSLA-PERP"),
    most_notional="6000",
    balances={"USDC": "1000000", "spot:USDC": "1000000", "PURR": "1000000", "HYPE": "1000"},
    cash="USDC",
    login=login,
    drill={"near_ticks": 12, "redraw_every": 8, "far_every": 20, "miss_every": 7, "takers": 2},
    # Close enough to be filled; the largest tag of a short demo is small beside a rung.
    ladder={
        "quantity": "0.02",
        "levels": 3,
        "edge_ticks": 2,
        "spacing_ticks": 3,
        "refresh_ticks": 15,
        "skew_ticks": 4,
        "max_position": "1",
    },
    faults=USUAL_FAULTS,
    ids_apart=600,
    funding_ns=3_600_000_000_000,
    bounds_hold=True,
)
