"""Every planted bug is caught by a world, and the same world without it is clean."""

import pytest

from crosswire.sim import plants, showing
from crosswire.sim.campaign import run_seed
from crosswire.venues import NAMES

SEEDS = range(1, 7)


def test_every_plant_has_its_world() -> None:
    assert set(showing.WORLDS) | set(showing.REPLACING) == set(plants.names())
    assert showing.worlds(NAMES[0]) is showing.WORLDS
    assert set(showing.STRATEGIES) < set(plants.names())


@pytest.mark.parametrize(
    ("venue", "name"), [(venue, name) for venue in NAMES for name in showing.worlds(venue)]
)
def test_a_planted_bug_is_caught(venue: str, name: str) -> None:
    shown, wish = plants.find(name).shows_in, showing.wish(name, venue=venue)
    results = (run_seed(seed, wish)[1] for seed in SEEDS)
    caught = next((each.seed for each in results if shown in each.failures), None)
    assert caught is not None
    assert shown not in run_seed(caught, showing.clean(wish))[1].failures
