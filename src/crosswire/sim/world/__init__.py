"""A seeded world: the real program against a venue's simulator, in virtual time."""

from crosswire.sim.world.scenario import Scenario
from crosswire.sim.world.verdict import Result
from crosswire.sim.world.world import World

__all__ = ["Result", "Scenario", "World"]
