"""Orders as the venue shows them: in orderUpdates, in lists of open ones, in its history.

A row tells the status, what remains (`sz`) and what was asked (`origSz`). Of a reduce-only order
the venue may have shrunk what remains, so for those the difference says nothing about fills.
"""

from typing import Literal

from crosswire.domain import (
    Accepted,
    AnyEvent,
    Closed,
    ClosedCause,
    OrderReported,
    OrderType,
    Source,
    TimeInForce,
    VenueWarned,
)
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.text import money, own_id, side_of, time_ns
from crosswire.venues.hyperliquid.listings import Listings

Meaning = Literal["open", "filled", "canceled", "rejected", "unknown"]
_OPEN = frozenset({"open", "triggered", "resting", "waitingForFill", "waitingForTrigger"})
DEAD_MAN = "scheduledCancel"
_ORDER_TYPES: dict[str, OrderType] = {
    "Limit": "limit",
    "Market": "market",
    "Stop Market": "stop_loss",
    "Stop Limit": "stop_loss_limit",
    "Take Profit Market": "take_profit",
    "Take Profit Limit": "take_profit_limit",
}
_CAUSES: dict[str, ClosedCause] = {
    "filled": "filled",
    "canceled": "canceled",
    "rejected": "rejected",
}
_IOC_REFUSED = "iocCancelRejected"
_IOC = frozenset({"Ioc", "FrontendMarket", "LiquidationMarket"})


def meaning(status: str) -> Meaning:
    """Return what a status means; unknown ones by their ending, which the venue keeps to."""
    if status in _OPEN:
        return "open"
    if status == "filled":
        return "filled"
    if status == "rejected" or status.endswith("Rejected"):
        return "rejected"
    if status == "canceled" or status.endswith(("Canceled", "Cancel")):
        return "canceled"
    return "unknown"


def update(row: wire.OrderUpdate, account: str, recv_ns: int) -> AnyEvent:
    """Return what a new status says: the venue has it, or it is over.

    A refusal by the chain closes the order too: the venue gave it a number, and its nonce is used
    up. `ValueError` for numbers that make no sense.
    """
    order = row.order
    number = str(order.oid)
    stamp = time_ns(row.status_timestamp)
    own = own_id(order.cloid)
    found = meaning(row.status)
    if found == "open":
        return Accepted(recv_ns, account, own, number, source="stream", venue_ns=stamp)
    if found == "unknown":
        text = f'order {number} has the status "{row.status}", which is not known here'
        return VenueWarned(recv_ns, account, text)
    return Closed(
        recv_ns,
        account,
        own,
        number,
        *_end(order, row.status),
        "" if row.status in ("filled", "canceled") else row.status,
        "stream",
        stamp,
    )


def _end(order: wire.Order, status: str) -> tuple[ClosedCause, int | None]:
    """Return how an order ended, and with how much filled, None where the row cannot tell.

    Of what was refused nothing was; but what is left of an IOC that filled in part may end with
    the word for a refusal, too.
    """
    found = meaning(status)
    if found != "rejected":
        return _CAUSES[found], _filled(order)
    if status != _IOC_REFUSED or None in (order.sz, order.orig_sz) or order.sz == order.orig_sz:
        return "rejected", 0
    return "canceled", _filled(order) if money(order.sz or "0") else None


def _filled(order: wire.Order) -> int | None:
    """Return the cumulative quantity, None where the row cannot tell."""
    if order.reduce_only or order.sz is None or order.orig_sz is None:
        return None
    return max(0, money(order.orig_sz) - money(order.sz))


def report(
    row: wire.OrderUpdate, account: str, listings: Listings, recv_ns: int, source: Source
) -> OrderReported:
    """Return how the venue shows one order, with its status.

    `filled` is at least what it says: of an order still open orderStatus shows the size of its
    beginning, and of a reduce-only one nothing can be told. `ValueError` for a row without side
    or sizes, or with a status of no known ending.
    """
    order, found = row.order, meaning(row.status)
    if found == "unknown":
        raise ValueError(f'unknown status "{row.status}"')
    if order.orig_sz is None and order.sz is None:
        raise ValueError("an order without a size")
    quantity = money(order.orig_sz or order.sz or "")
    is_open = found == "open"
    cause, filled = (None, _filled(order)) if is_open else _end(order, row.status)
    return OrderReported(
        recv_ns,
        account,
        own_id(order.cloid),
        str(order.oid),
        listings.instrument_id(order.coin),
        side_of(order.side),
        quantity,
        filled or 0,
        is_open,
        price=None if order.limit_px is None else money(order.limit_px),
        order_type=_ORDER_TYPES.get(order.order_type, "limit"),
        time_in_force=_time_in_force(order),
        cause=cause,
        reason="" if row.status in ("open", "filled", "canceled") else row.status,
        opened_ns=time_ns(order.timestamp),
        closed_ns=0 if is_open else time_ns(row.status_timestamp),
        source=source,
    )


def open_report(
    order: wire.Order, account: str, listings: Listings, recv_ns: int, source: Source
) -> OrderReported:
    """Return how a list of open orders shows one of them."""
    return report(wire.OrderUpdate(order, "open"), account, listings, recv_ns, source)


def latest(rows: list[wire.OrderUpdate]) -> list[wire.OrderUpdate]:
    """Return one row per order of a history, which has one for each status: the last.

    Of rows of one moment the one that ends the order is later.
    """
    found: dict[int, wire.OrderUpdate] = {}
    for row in rows:
        known = found.get(row.order.oid)
        if known is None or _age(row) > _age(known):
            found[row.order.oid] = row
    return list(found.values())


def _age(row: wire.OrderUpdate) -> tuple[int, bool]:
    return row.status_timestamp, meaning(row.status) != "open"


def _time_in_force(order: wire.Order) -> TimeInForce:
    return "ioc" if order.tif in _IOC else "gtc"
