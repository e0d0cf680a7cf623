"""What an order costs inside hyperliquid-python-sdk: built, signed, encoded, not sent.

Reads {"rounds": .., "batch": .., "key": ..}, prints the batch means and single calls in ns and
which library signed. Runs in an environment of its own and imports nothing of ours.
"""

import json
import sys
import time

import eth_account
from eth_keys.backends import get_backend
from hyperliquid.exchange import Exchange
from hyperliquid.utils.types import Cloid

META = {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}], "marginTables": []}
SPOT_META = {
    "universe": [{"tokens": [1, 0], "name": "PURR/USDC", "index": 0, "isCanonical": True}],
    "tokens": [
        {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0},
        {"name": "PURR", "szDecimals": 0, "weiDecimals": 5, "index": 1},
    ],
}


def main() -> None:
    """Measure and print."""
    given = json.load(sys.stdin)
    wallet = eth_account.Account.from_key(given["key"])
    exchange = Exchange(wallet, "http://localhost", META, spot_meta=SPOT_META)
    exchange.post = lambda _, payload: json.dumps(payload).encode()
    kind, cloid = {"limit": {"tif": "Alo"}}, Cloid.from_int(1)
    clock, batch = time.perf_counter_ns, given["batch"]
    means, singles = [], []
    for turn in range(given["rounds"] + 1):
        taken = []
        for number in range(batch):
            started = clock()
            body = exchange.order("BTC", True, 0.01, 65000.0 + number % 50, kind, cloid=cloid)
            taken.append(clock() - started)
        if turn:
            means.append(sum(taken) / batch)
            singles += taken
    p99 = sorted(singles)[int(len(singles) * 0.99)]
    library = type(get_backend()).__name__
    print(json.dumps({"means": means, "p99": p99, "library": library, "body": body.decode()}))


if __name__ == "__main__":
    main()
