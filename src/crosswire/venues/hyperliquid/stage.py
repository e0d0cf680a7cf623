"""What the simulated Hyperliquid is played on."""

import hashlib

from crosswire.venues.interface import Credentials, Stage


def login(account: str) -> Credentials:
    """Return an address and the key of its API wallet: trading never needs the account's own."""
    address = hashlib.sha256(f"account {account}".encode()).hexdigest()[:40]
    secret = hashlib.sha256(f"wallet of {account}".encode()).hexdigest()
    return Credentials(key=f"0x{address}", secret=f"0x{secret}")


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
    drill={"near_ticks": 12, "redraw_every": 8, "far_every": 60, "miss_every": 7},
    ids_apart=300,
    funding_ns=3_600_000_000_000,
    bounds_hold=True,
)
