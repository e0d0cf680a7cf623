"""What one book update costs inside ccxt.pro: text to book, checksum off as it comes.

Reads {"snapshot": .., "ticks": [..], "rounds": ..} and prints the batch means in ns. Runs in an
environment of its own and imports nothing of ours.
"""

import json
import sys
import time
from typing import Any

import ccxt.pro

MARKET = {
    "id": "XXBTZUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "wsId": "XBT/USD",
    "spot": True, "active": True, "precision": {"amount": 1e-8, "price": 0.1}, "limits": {},
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
    exchange, sink = ccxt.pro.kraken(), Sink()
    exchange.markets = {"BTC/USD": MARKET}
    exchange.handle_message(sink, json.loads(given["snapshot"]))
    means = []
    for number in range(given["rounds"] + 1):
        started = time.perf_counter_ns()
        for text in given["ticks"] * 4:
            exchange.handle_message(sink, json.loads(text))
        if number:
            means.append((time.perf_counter_ns() - started) / (4 * len(given["ticks"])))
    book = exchange.orderbooks["BTC/USD"]
    print(json.dumps({"means": means, "best_bid": book["bids"][0][0]}))


if __name__ == "__main__":
    main()
