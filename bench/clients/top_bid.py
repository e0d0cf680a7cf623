"""The least market maker: one post-only order that stands at the best bid."""

from crosswire.fixed import parse
from crosswire.strategies import Quote, Quotes, View


class TopBid:
    """Follows the best bid on every update."""

    def __init__(self, instrument: str, quantity: str = "0.01") -> None:
        self.instruments = (instrument,)
        self._instrument = instrument
        self._quantity = parse(quantity)

    def on_update(self, view: View) -> Quotes | None:
        """Return the one quote, or nothing while the book cannot be believed."""
        book = view.book(self._instrument)
        if not book.is_valid:
            return None
        return Quotes(self._instrument, (Quote(book.best_bid, self._quantity),), ())
