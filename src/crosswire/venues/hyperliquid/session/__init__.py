"""The dialogue with Hyperliquid without I/O: a public `Feed`, and `Trading` for one login."""

from crosswire.venues.hyperliquid.session.feed import Feed
from crosswire.venues.hyperliquid.session.trading import Trading

__all__ = ["Feed", "Trading"]
