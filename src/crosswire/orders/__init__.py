"""The life of an order: the table, and Orders, which keeps every order of every account."""

from crosswire.orders.change import NOTHING, Change
from crosswire.orders.fills import BookedFills
from crosswire.orders.ids import ClientOrderIds, ParsedId, bot_number, parse
from crosswire.orders.index import Standing
from crosswire.orders.moves import Late, Owned
from crosswire.orders.order import End, Order, Request, Stamps, Status, new_order
from crosswire.orders.orders import Orders
from crosswire.orders.table import STAGES, TABLE, Stage

__all__ = [
    "NOTHING",
    "STAGES",
    "TABLE",
    "BookedFills",
    "Change",
    "ClientOrderIds",
    "End",
    "Late",
    "Order",
    "Orders",
    "Owned",
    "ParsedId",
    "Request",
    "Stage",
    "Stamps",
    "Standing",
    "Status",
    "bot_number",
    "new_order",
    "parse",
]
