"""What a world is played with: its beginning, its simulator, its limits and its strategy."""

from collections.abc import Sequence
from typing import cast

from crosswire import strategies
from crosswire.fixed import parse
from crosswire.risk import Limits
from crosswire.sim.world.process import ACCOUNT
from crosswire.sim.world.witness import Venue as Led
from crosswire.strategies.interface import Strategy
from crosswire.venues.interface import Stage, Venue

NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
FUNDED_NS = 20 * NS  # a world that sees positions pay begins so long before
DRILLS = "crosswire.sim.drill:"
DRILL = f"{DRILLS}Drill"


def start_ns(seed: int, stage: Stage) -> int:
    """When a world begins: where positions pay by the hour, every other one sees it happen."""
    if not stage.funding_ns or seed % 8 < 4:
        return START_NS
    return START_NS - START_NS % stage.funding_ns + stage.funding_ns - FUNDED_NS


def pairs(seed: int, stage: Stage) -> tuple[str, ...]:
    """What a seed trades."""
    return (stage.worlds[seed // 2 % len(stage.worlds)],)


def simulator(seed: int, venue: Venue, now_ns: int, traded: Sequence[str]) -> Led:
    """Make the venue's side."""
    stage = venue.stage
    login = stage.login(ACCOUNT)
    made = venue.simulator(seed, now_ns, login, stage.balances, account=ACCOUNT, pairs=traded)
    return cast("Led", made)


def limits(stage: Stage) -> Limits:
    """What the account may hold and order."""
    most = parse(stage.most_notional)
    return Limits(max_order_notional=most, max_position_notional=most, max_open_orders=50)


def make(name: str, instrument: str, stage: Stage) -> Strategy:
    """Make a strategy; ours trade what is usual at the venue."""
    parameters: dict[str, object] = {"instrument": instrument}
    if name.startswith(DRILLS):
        parameters["quantity"] = stage.instruments[instrument.partition(":")[2]]
    if name == DRILL:
        parameters |= stage.drill
    return strategies.load(name, parameters)
