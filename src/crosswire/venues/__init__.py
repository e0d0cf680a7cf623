"""The venues crosswire knows. A new venue is one folder and one line here."""

from importlib import import_module
from typing import TYPE_CHECKING

from crosswire.venues.interface import Venue

if TYPE_CHECKING:
    from crosswire.venues.hyperliquid.signing import Signer as Signer
    from crosswire.venues.hyperliquid.signing import sign_action as sign_action

NAMES = ("kraken", "hyperliquid")


def venue(name: str) -> Venue:
    """Return a venue by its name; `ValueError` lists the known ones."""
    if name not in NAMES:
        raise ValueError(f'unknown venue "{name}": expected one of {", ".join(NAMES)}')
    found = import_module(f"crosswire.venues.{name}").VENUE
    assert isinstance(found, Venue)
    return found


# What venues offer to whoever uses the package: loaded when it is first used.
_OFFERED = {"Signer": "hyperliquid.signing", "sign_action": "hyperliquid.signing"}


def __getattr__(name: str) -> object:
    if name not in _OFFERED:
        raise AttributeError(f"module crosswire.venues has no attribute {name}")
    return getattr(import_module(f"crosswire.venues.{_OFFERED[name]}"), name)
