"""Crosswire: one program that executes orders on several venues and knows what became of them.

    import crosswire as cw

    async with cw.connect(VENUE, mode="paper") as venue:
        order = await venue.place("BTC/USD", "buy", "0.01", limit="65000", post_only=True)
        async for update in order:
            print(update.status, update.filled, update.average_price)

What is named here is the public API; each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from crosswire.app.client import Client as Client
    from crosswire.app.connect import connect as connect
    from crosswire.app.errors import ConfigError as ConfigError
    from crosswire.app.errors import CrosswireError as CrosswireError
    from crosswire.app.errors import NotConnectedError as NotConnectedError
    from crosswire.app.errors import OutcomeUnknown as OutcomeUnknown
    from crosswire.app.errors import Refused as Refused
    from crosswire.app.errors import Rejected as Rejected
    from crosswire.app.errors import UserError as UserError
    from crosswire.app.placed import PlacedOrder as PlacedOrder
    from crosswire.app.placed import Wish as Wish
    from crosswire.app.views import BookView as BookView
    from crosswire.app.views import Execution as Execution
    from crosswire.app.views import PositionView as PositionView
    from crosswire.app.views import Trade as Trade
    from crosswire.app.views import Update as Update
    from crosswire.venues import Signer as Signer
    from crosswire.venues import sign_action as sign_action

_HOMES = {
    "connect": "app.connect",
    "Client": "app.client",
    "Wish": "app.placed",
    "ConfigError": "app.errors",
    "CrosswireError": "app.errors",
    "NotConnectedError": "app.errors",
    "OutcomeUnknown": "app.errors",
    "Refused": "app.errors",
    "Rejected": "app.errors",
    "UserError": "app.errors",
    "PlacedOrder": "app.placed",
    "BookView": "app.views",
    "Execution": "app.views",
    "PositionView": "app.views",
    "Trade": "app.views",
    "Update": "app.views",
    "Signer": "venues",
    "sign_action": "venues",
}


def __getattr__(name: str) -> object:
    """Load a public name on its first use, so that `import crosswire` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module crosswire has no attribute {name}")
    found = getattr(import_module(f"crosswire.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*_HOMES, "__version__"]
