"""Faults as switches, whatever the venue: drawn from a seed, or set for the n-th opportunity.

A venue says which there are, as a struct of numbers that begins with `Switches`. Names ending in
`_s` or `_is` are settings; every other is the chance that an opportunity goes wrong, in 0..1.
Every occurrence is counted: a fault that never struck proved nothing.
"""

from collections.abc import Mapping
from random import Random
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import fields, replace

Kind = TypeVar("Kind", bound="Switches")


class Switches(Struct, frozen=True, kw_only=True):
    """What can go wrong; `schedule` names opportunities, from 1, at which a fault strikes."""

    schedule: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def names(kind: type[Switches]) -> tuple[str, ...]:
    """Return all switches and settings."""
    return tuple(item.name for item in fields(kind) if item.name != "schedule")


def chances(kind: type[Switches]) -> tuple[str, ...]:
    """Return the switches that are chances."""
    return tuple(name for name in names(kind) if not name.endswith(("_s", "_is")))


def from_mapping(calm: Kind, values: Mapping[str, float]) -> Kind:
    """Return `calm` with plain names and numbers set; `ValueError` names an unknown one.

    "cut@3" strikes at the third opportunity, whatever the number given with it.
    """
    known, drawn = names(type(calm)), chances(type(calm))
    rates: dict[str, float] = {}
    schedule: dict[str, tuple[int, ...]] = {}
    for key, value in values.items():
        name, at, nth = key.partition("@")
        if name not in known:
            raise ValueError(f'unknown fault "{name}": expected one of {", ".join(known)}')
        if at:
            if name not in drawn or not (nth.isdecimal() and int(nth)):
                raise ValueError(f"fault {key}: expected the number of an opportunity, from 1")
            schedule[name] = (*schedule.get(name, ()), int(nth))
            continue
        if value < 0 or (name in drawn and value > 1):
            raise ValueError(f"fault {name} = {value}: expected a number from 0 to 1")
        rates[name] = value
    return replace(calm, **rates, schedule=schedule)


class Chance:
    """Draws faults and counts them.

    Each kind has draws of its own, so that leaving one out leaves the others as they are.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rngs: dict[str, Random] = {}
        self._opportunities: dict[str, int] = {}
        self._switches = Switches()
        self.counts: dict[str, int] = {}

    def draw_by(self, switches: Switches) -> None:
        """Draw by these from now on; the counts go on."""
        self._switches = switches

    def strikes(self, name: str) -> bool:
        """Whether this opportunity goes wrong; counts it if so."""
        nth = self._opportunities.get(name, 0) + 1
        self._opportunities[name] = nth
        rate: float = getattr(self._switches, name)
        is_hit = nth in self._switches.schedule.get(name, ())
        if not is_hit and (rate <= 0.0 or self.draws(name).random() >= rate):
            return False
        self.counts[name] = self.counts.get(name, 0) + 1
        return True

    def draws(self, name: str) -> Random:
        """Return what one kind of fault draws from."""
        rng = self._rngs.get(name)
        if rng is None:
            rng = self._rngs[name] = Random(f"{self._seed}/{name}")
        return rng
