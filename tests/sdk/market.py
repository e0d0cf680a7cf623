"""The simulator that the SDKs meet: one account with several keys, a lively market."""

import base64
import hashlib

from crosswire.venues.kraken.simulator import KrakenSimulator, SimAccount, default_markets
from crosswire.venues.kraken.simulator.simulator import flow_for

ACCOUNT = "main"
# Each key has a nonce and a REST counter of its own, so that the cases need not wait.
LOGINS = [
    (f"key-{number}", base64.b64encode(hashlib.sha512(b"%d" % number).digest()).decode())
    for number in range(12)
]
BALANCES = {"USD": "100000", "BTC": "2", "ETH": "20", "SOL": "100"}


def simulator(now_ns: int) -> KrakenSimulator:
    """Return a fresh one."""
    accounts = {
        key: SimAccount(name=ACCOUNT, secret=secret, balances=BALANCES) for key, secret in LOGINS
    }
    markets = default_markets()
    flow = flow_for(markets, 7, "efficient", [])
    return KrakenSimulator(7, start_ns=now_ns, accounts=accounts, flow=flow)
