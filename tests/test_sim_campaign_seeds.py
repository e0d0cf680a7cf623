"""The campaign itself: so many seeded worlds of faults, and nothing speaks against the program.

`CROSSWIRE_SEEDS` says how many of each venue (80); `crosswire campaign` runs more, and judges
their sum too.
"""

import os

import pytest

from crosswire.sim.campaign import Tally, Wish, run_seed
from crosswire.venues import NAMES

SEEDS = int(os.environ.get("CROSSWIRE_SEEDS", "80"))
TOGETHER = 20  # seeds of one test: enough of them for every core to have its share


@pytest.mark.parametrize("venue", NAMES)
@pytest.mark.parametrize("first", range(0, SEEDS, TOGETHER))
def test_worlds_are_safe_and_converge(venue: str, first: int) -> None:
    tally = Tally(())
    for seed in range(first, min(first + TOGETHER, SEEDS)):
        tally.add(run_seed(seed, Wish(venue=venue))[1])
    found = {each.seed: (each.failures, each.findings) for each in tally.failing}
    assert not found, f"again: crosswire campaign --venue {venue} --seed {min(found)}"
    report = tally.report()
    assert report["trading_resumed"] == tally.seeds
    assert all(report[name] for name in ("orders", "fills", "acks_lost"))
