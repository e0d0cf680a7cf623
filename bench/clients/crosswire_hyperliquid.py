"""Crosswire on Hyperliquid as it runs; see `crosswire_bot`. Only the budgets are raised."""

import asyncio
import sys
from typing import Any

from bench.clients.crosswire_bot import NO_LIMIT, main
from bench.hyperliquid.venue import ADDRESS, SECRET
from crosswire.net.loop import new_event_loop
from crosswire.venues.hyperliquid.session import pacing

INSTRUMENT = "BTC-PERP"


def login(port: int) -> dict[str, Any]:
    """Return Hyperliquid's part of the bot's config."""
    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
    return {
        "venue": "hyperliquid", "address": ADDRESS, "secret": SECRET,
        "hosts": {"rest": http, "ws": ws, "ws_private": ws},
    }  # fmt: skip


if __name__ == "__main__":
    pacing.MOST_MESSAGES = NO_LIMIT
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(login(int(sys.argv[1])), INSTRUMENT, sys.argv[2]))
