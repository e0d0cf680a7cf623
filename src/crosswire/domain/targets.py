"""What a strategy may want: standing quotes and single orders."""

from collections.abc import Sequence

from msgspec import Struct

from crosswire.domain.nouns import OrderType, Side, TimeInForce, Trigger


class Quote(Struct, frozen=True, gc=False):
    """One rung of a ladder: a price and a quantity that should rest."""

    price: int
    quantity: int


class Quotes(Struct, frozen=True):
    """The standing quotes wanted at one instrument, best first on each side; () = none.

    An order is moved only if its price is off by more than `threshold`, or if less than half of
    the quantity is left.
    """

    instrument: str
    bids: tuple[Quote, ...]
    asks: tuple[Quote, ...]
    threshold: int = 0
    post_only: bool = True


class WantedOrder(Struct, frozen=True, kw_only=True):
    """One order to send now."""

    instrument: str
    side: Side
    quantity: int
    price: int | None = None
    order_type: OrderType = "limit"
    time_in_force: TimeInForce = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    trigger: Trigger | None = None


Targets = Quotes | WantedOrder | Sequence[Quotes | WantedOrder] | None
