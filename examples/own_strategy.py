"""A strategy of your own: one buy below and one sell above the middle of the book.

Run it with: crosswire run own_strategy.toml
"""

from crosswire.strategies import Quote, Quotes, Targets, View


class Straddle:
    """Quotes `quantity` on both sides, `away` (in money) from the middle."""

    def __init__(self, instrument: str, quantity: str = "0.001", away: str = "5") -> None:
        self.instruments = (instrument,)
        self.quantity = quantity
        self.away = away

    def on_update(self, view: View) -> Targets:
        name = self.instruments[0]
        book = view.book(name)
        if not book.is_valid or not book.mid:
            return None
        tick = view.instrument(name).price_tick
        away = view.price(name, self.away)
        quantity = view.quantity(name, self.quantity)
        buy = Quote((book.mid - away) // tick * tick, quantity)
        sell = Quote((book.mid + away) // tick * tick, quantity)
        return Quotes(name, bids=(buy,), asks=(sell,), threshold=tick * 10)
