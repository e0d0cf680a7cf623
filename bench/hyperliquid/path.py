"""Hyperliquid's live path without its sockets, stage by stage; see `bench.path`.

Not warm: between two ticks the simulator carries out an order in the same thread.
"""

from bench.figures import Row
from bench.hyperliquid.venue import ADDRESS, NO_LIMIT, SECRET, Venue
from bench.path import Path, stages
from bench.trading import Plan
from crosswire.venues.hyperliquid.session import pacing
from crosswire.venues.interface import Credentials

TICKS = 1000  # a round; each makes the simulator work a third of a millisecond
START_S = 3.0


def rows(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return a row for each stage."""
    kept, pacing.MOST_MESSAGES = pacing.MOST_MESSAGES, NO_LIMIT
    try:
        server = Venue(TICKS * plan.rounds)
        path = Path("hyperliquid", server, "BTC-PERP", Credentials(key=ADDRESS, secret=SECRET))
        path.wait(START_S)
        texts = [server.tick(number).text for number in range(TICKS * plan.rounds)]
        return stages(path, plan, texts, "Hyperliquid's live path"), []
    finally:
        pacing.MOST_MESSAGES = kept
