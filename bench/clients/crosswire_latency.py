"""How long a placed order takes to be accepted, by post and by REST in turn, in ns.

Usage: crosswire_latency.py PORT COUNT. Two accounts of the same venue, everything switched on; one
places by WebSocket, one by REST. What is measured is `place`, from the call to its return.
"""

import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.hyperliquid.host import SECRETS
from crosswire.app.client import Client
from crosswire.app.config import parse
from crosswire.app.connect import opened
from crosswire.app.errors import Refused
from crosswire.net.loop import new_event_loop
from crosswire.venues.hyperliquid.session import pacing, weights
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret

INSTRUMENT, NO_LIMIT = "BTC-PERP", 10**12
READY_S = 15.0


def document(port: int, transport: str, directory: Path) -> dict[str, Any]:
    """Return the config of the account that places by this transport."""
    secret, ws = SECRETS[transport], f"ws://127.0.0.1:{port}/ws"
    account = {
        "venue": "hyperliquid", "address": address_of_secret(secret), "secret": secret,
        "hosts": {"rest": f"http://127.0.0.1:{port}", "ws": ws, "ws_private": ws},
    }  # fmt: skip
    return {
        "mode": "live",
        "bot": f"bench-{transport}",
        "accounts": {transport: account},
        "risk": {
            "max_order_notional": "100000", "max_position_notional": "1000000",
            "max_daily_loss": "1000000", "max_orders_per_second": NO_LIMIT,
        },
        "journal": {"directory": str(directory / transport)},
        "execution": {"enabled": transport == "ws", "fallback_to_rest": False},
    }  # fmt: skip


async def placed(client: Client, number: int) -> int:
    """Place an order, cancel it again; return how long placing took."""
    started = time.perf_counter_ns()
    order = await client.place(
        INSTRUMENT, "buy", "0.001", limit=str(60000 + number % 999), post_only=True
    )
    taken = time.perf_counter_ns() - started
    assert order.status == "OPEN", order.status
    await order.cancel()
    await order.done()
    return taken


async def ready(client: Client) -> None:
    """Wait until the account lets orders through."""
    async with asyncio.timeout(READY_S):
        while True:
            try:
                await placed(client, 0)
            except Refused:
                await asyncio.sleep(0.1)
            else:
                return


async def main(port: int, count: int) -> None:
    """Measure and print."""
    times: dict[str, list[int]] = {name: [] for name in SECRETS}
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clients = {}
        for name in SECRETS:
            config = parse(document(port, name, directory), "bench")
            clients[name] = await stack.enter_async_context(opened(config, leaves_orders=False))
            await ready(clients[name])
        for number in range(count):
            for name, client in clients.items():
                times[name].append(await placed(client, number))
    print(json.dumps({"times_ns": times}), flush=True)


if __name__ == "__main__":
    pacing.MOST_MESSAGES = weights.LIMIT = NO_LIMIT
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2])))
