"""Crosswire as it runs: config, engine, risk, journal, sockets, everything switched on.

`block` and `spin` trade, waiting for the next frame asleep or busily; `count N` reads N book
updates and says how long they took. The venue's rate counters are modelled and asked as always;
only their tops are raised, for no venue takes thousands of orders a second.
"""

import asyncio
import json
import sys
import tempfile
import time
from typing import Any

from crosswire.app.config import parse
from crosswire.app.live import Trader
from crosswire.domain import AnyEvent, BookChanged, BookLost
from crosswire.net.loop import new_event_loop
from crosswire.venues.kraken.session import pacing

VENUE, INSTRUMENT = "kraken", "BTC/USD"
NO_LIMIT = 10**12


def login(port: int) -> dict[str, Any]:
    """Return Kraken's part of the bot's config."""
    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    return {
        "venue": VENUE, "key": "key", "secret": "c2VjcmV0", "tier": "pro",
        "hosts": {"rest": http, "ws": f"{ws}/v2", "ws_private": f"{ws}/auth/v2"},
    }  # fmt: skip


def document(
    account: dict[str, Any], instrument: str, directory: str, *, is_busy: bool, trades: bool
) -> dict[str, Any]:
    """Return the bot's config."""
    strategy = {
        "class": "bench.clients.top_bid:TopBid", "account": "bench", "instrument": instrument
    }  # fmt: skip
    return {
        "mode": "live",
        "bot": "bench",
        "accounts": {"bench": account},
        "strategies": {"top": strategy} if trades else {},
        "risk": {
            "max_order_notional": "10000", "max_position_notional": "1000000",
            "max_daily_loss": "1000000", "max_orders_per_second": NO_LIMIT,
        },
        "journal": {"directory": directory},
        "net": {"busy_poll": is_busy},
    }  # fmt: skip


class Counter(Trader):
    """Counts the book updates that went through the engine."""

    wanted = seen = lost = started_ns = 0

    def _on_events(self, events: list[AnyEvent]) -> None:
        super()._on_events(events)
        for event in events:
            if type(event) is BookChanged:
                self.seen += 1
                self.started_ns = self.started_ns or time.monotonic_ns()
        self.lost += sum(type(event) is BookLost for event in self.engine.made)
        if self.seen >= self.wanted > 0:
            taken_ns = time.monotonic_ns() - self.started_ns
            self.wanted = 0
            said = {"messages": self.seen, "ns": taken_ns, "lost": self.lost}
            print(json.dumps(said), flush=True)


async def main(account: dict[str, Any], instrument: str, how: str, wanted: int = 0) -> None:
    """Start and stay until stopped from outside."""
    with tempfile.TemporaryDirectory() as directory:
        trades = how != "count"
        text = document(account, instrument, directory, is_busy=how == "spin", trades=trades)
        config = parse(text, "bench")
        trader = Trader(config) if trades else Counter(config)
        if isinstance(trader, Counter):
            trader.wanted = wanted
        await trader.start()
        if not trades:
            await trader.watch(account["venue"], instrument)
        await trader.over.wait()
        trader.raise_failure()


if __name__ == "__main__":
    pacing.TIERS["pro"] = pacing.Tier(NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT)
    words = [*sys.argv[1:], "0"]
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(login(int(words[0])), INSTRUMENT, words[1], int(words[2])))
