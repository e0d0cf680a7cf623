"""What one whole book costs inside ccxt.pro: text to book, as it comes.

Reads {"ticks": [..], "rounds": ..} and prints the batch means in ns. Runs in an environment of
its own and imports nothing of ours.
"""

import json
import sys
import time
from typing import Any

import ccxt.pro

MARKET = {
    "id": "0", "symbol": "BTC/USDC:USDC", "base": "BTC", "quote": "USDC", "baseName": "BTC",
    "swap": True, "active": True, "precision": {"amount": 1e-5, "price": 1.0}, "limits": {},
}  # fmt: skip


class Sink:
    """Stands in for ccxt's socket: takes the book and lets it go."""

    subscriptions: dict[str, Any] = {}
    url = ""

    def resolve(self, result: object, message_hash: str) -> object:
        """Return what would be handed to the waiting user."""
        return result


def main() -> None:
    """Measure and print."""
    given = json.load(sys.stdin)
    exchange, sink = ccxt.pro.hyperliquid(), Sink()
    exchange.set_markets([{**MARKET, "type": "swap", "spot": False}])
    means, singles = [], []
    clock = time.perf_counter_ns
    for turn in range(given["rounds"] + 1):
        taken = []
        for text in given["ticks"] * 4:
            started = clock()
            exchange.handle_message(sink, json.loads(text))
            taken.append(clock() - started)
        if turn:
            means.append(sum(taken) / len(taken))
            singles += taken
    best = exchange.orderbooks["BTC/USDC:USDC"]["bids"][0][0]
    p99 = sorted(singles)[int(len(singles) * 0.99)]
    print(json.dumps({"means": means, "p99": p99, "best_bid": best}))


if __name__ == "__main__":
    main()
