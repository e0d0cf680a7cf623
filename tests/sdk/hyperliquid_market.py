"""The simulated Hyperliquid that the SDKs meet: four accounts, a lively market."""

import hashlib

from crosswire.venues.hyperliquid.simulator import (
    HyperliquidSimulator,
    SimAccount,
    default_markets,
    flow_for,
)
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret

NAMES = ("main", "sub", "other", "ccxt")
SECRETS = [f"0x{hashlib.sha256(name.encode()).hexdigest()}" for name in NAMES]
# Each account's address and private key, in the order of the names.
LOGINS = [(address_of_secret(secret), secret) for secret in SECRETS]
VOLUME = "2000000"  # enough for the dead-man switch


def simulator(now_ns: int) -> HyperliquidSimulator:
    """Return a fresh one; `sub` is the sub-account of `main`, `other` has done nothing yet."""
    addresses = {name: login[0] for name, login in zip(NAMES, LOGINS, strict=True)}
    rich = {"USDC": "100000", "spot:USDC": "10000", "PURR": "1000", "HYPE": "100"}
    accounts = {
        "main": SimAccount(address=addresses["main"], balances=rich, volume=VOLUME),
        "sub": SimAccount(
            address=addresses["sub"], balances={"USDC": "50000"}, master=addresses["main"]
        ),
        "other": SimAccount(address=addresses["other"], balances={"USDC": "1000"}),
        "ccxt": SimAccount(address=addresses["ccxt"], balances=rich, volume=VOLUME),
    }
    markets = default_markets()
    flow = flow_for(markets, 7, "efficient")
    return HyperliquidSimulator(
        7, start_ns=now_ns, instruments=markets, accounts=accounts, flow=flow
    )
