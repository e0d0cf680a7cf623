"""Bugs to plant on purpose, so that the checks can be seen to fail.

A plant wraps methods of a running program's own objects: nothing in the production code knows of
it. Each names the field of the verdict (`sim.checks`) that must show it. They are deterministic:
they strike by count, never by chance.
"""

from crosswire.sim.plants import (
    booking,
    doubting,
    guarding,
    looking,
    reading,
    replacing,
    sending,
)
from crosswire.sim.plants.planting import (
    EVERY,
    FIRST,
    SECOND_COPY,
    Plant,
    Program,
    find,
    names,
    sow,
)

# Importing them has entered their plants into the list.
THEMES = (sending, booking, reading, doubting, guarding, replacing, looking)

__all__ = [
    "EVERY",
    "FIRST",
    "SECOND_COPY",
    "THEMES",
    "Plant",
    "Program",
    "find",
    "names",
    "sow",
]
