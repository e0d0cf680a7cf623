"""The venues crosswire knows. A new venue is one folder and one line here."""

from importlib import import_module

from crosswire.venues.interface import Venue

NAMES = ("kraken", "hyperliquid")


def venue(name: str) -> Venue:
    """Return a venue by its name; `ValueError` lists the known ones."""
    if name not in NAMES:
        raise ValueError(f'unknown venue "{name}": expected one of {", ".join(NAMES)}')
    found = import_module(f"crosswire.venues.{name}").VENUE
    assert isinstance(found, Venue)
    return found
