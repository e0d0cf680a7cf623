"""The dialogue with Kraken without I/O: a public `Feed`, and `Trading` for one login."""

from crosswire.venues.kraken.session.feed import Feed
from crosswire.venues.kraken.session.trading import Trading

__all__ = ["Feed", "Trading"]
