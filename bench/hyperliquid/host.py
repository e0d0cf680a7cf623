"""Hosts the simulated Hyperliquid for the benchmarks, on real sockets, its limits lifted.

Usage: python -m bench.hyperliquid.host BLOCK_MS. Prints its port as JSON; 0: every action is a
block of its own.
"""

import asyncio
import json
import sys

from bench.hyperliquid.venue import NO_LIMIT
from crosswire.fixed import parse
from crosswire.net.clock import Clock
from crosswire.net.host import Host, Network
from crosswire.venues.hyperliquid.simulator import HyperliquidSimulator, SimAccount
from crosswire.venues.hyperliquid.simulator.budgets import Window
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret

MAKER = "maker"  # keeps a quote a side, so that there is a book
SECRETS = {"ws": "0x" + "43" * 32, "rest": "0x" + "44" * 32}


async def main(block_ms: int) -> None:
    """Host until stopped from outside."""
    clock = Clock()
    secrets = SECRETS | {MAKER: "0x" + "45" * 32}
    accounts = {
        name: SimAccount(
            address=address_of_secret(secret), balances={"USDC": "1000000"}, volume="9000000000"
        )
        for name, secret in secrets.items()
    }
    simulator = HyperliquidSimulator(
        1, start_ns=clock.now_ns(), accounts=accounts, block_ns=block_ms * 1_000_000
    )
    simulator.hub.messages = simulator.hub.openings = Window(NO_LIMIT)
    simulator.chain._callers.weight = Window(NO_LIMIT)
    now_ns = clock.now_ns()
    simulator.trade_elsewhere(MAKER, "BTC-PERP", "buy", parse("1"), parse("64990"), now_ns)
    simulator.trade_elsewhere(MAKER, "BTC-PERP", "sell", parse("1"), parse("65010"), now_ns)
    host = Host(simulator, clock, Network())
    print(json.dumps({"port": await host.open("127.0.0.1", 0)}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
