"""What a strategy is: a class that says what it wants; the engine sees to the rest.

`on_update(view)` is called once per turn, after all events of one socket read were applied, if one
of its `instruments` was touched. It returns standing quotes, single orders, a list of those, or
None for "as before". Prices and quantities are integers at 10^-10; `View.price` and
`View.quantity` make them from text or numbers on the instrument's own grid.
"""

from crosswire.domain import Quote, Quotes, Targets, WantedOrder
from crosswire.strategies.interface import OnFill, OnOrder, OnTimer, Strategy
from crosswire.strategies.loading import BUILT_IN, load
from crosswire.view import View

__all__ = [
    "BUILT_IN",
    "OnFill",
    "OnOrder",
    "OnTimer",
    "Quote",
    "Quotes",
    "Strategy",
    "Targets",
    "View",
    "WantedOrder",
    "load",
]
