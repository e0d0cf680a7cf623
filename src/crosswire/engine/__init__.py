"""turn(events) -> approved commands: the only writer of books, orders, positions and risk."""

from crosswire.engine.engine import Engine
from crosswire.engine.settings import Account, Settings

__all__ = ["Account", "Engine", "Settings"]
