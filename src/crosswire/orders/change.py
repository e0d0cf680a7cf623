"""What one event did to the orders."""

from typing import Literal, NamedTuple

from crosswire.domain import Filled
from crosswire.orders.order import Order


class Change(NamedTuple):
    """What an event did: to which order (None = not one of ours), and what follows from it."""

    order: Order | None
    kind: Literal["changed", "nothing"]
    booked: Filled | None = None  # a fill booked for the first time
    unbooked: Filled | None = None  # a booked fill that was taken back


NOTHING = Change(None, "nothing")
