"""Commands -> actions: which of the venue's actions does what a command asks.

The venue has no amend in place, and no cancel-all: an amend is another order in the first one's
place, and all orders are cancelled by naming them. Both need what the account has open, which
whoever calls knows.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from crosswire import fixed
from crosswire.domain import (
    Amend,
    AnyCommand,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    Place,
    PlaceBatch,
)
from crosswire.venues.hyperliquid.encode import rules
from crosswire.venues.hyperliquid.encode.actions import Action, Actions, Replacement


def actions_of(
    command: AnyCommand, actions: Actions, *, now_ns: int, open_orders: Sequence[Cancel] = ()
) -> list[Action]:
    """Return the actions that do what a command asks, to be sent one by one.

    `now_ns` is the venue's clock; `open_orders` are the cancels of all that is open, for a
    `CancelAll`. `ValueError` for what the venue cannot do, and for a command that is no action.
    """
    match command:
        case Place():
            return [actions.order(command)]
        case PlaceBatch():
            return actions.batches(command.places)
        case Cancel():
            return actions.cancels([command])
        case CancelBatch():
            return actions.cancels(command.cancels)
        case CancelAll():
            return actions.cancels(open_orders)
        case ArmDeadMan():
            return [actions.schedule_cancel(command.timeout_ns, now_ns)]
    raise ValueError(f"{type(command).__name__} is no action of this venue")


def replacement(amend: Amend, order: Place, client_order_id: str, filled: int) -> Replacement:
    """Return what an amend of an order comes to: a new order, under an id of its own.

    Its quantity is what the wanted total leaves after `filled`, so that fills and rest together
    never pass the total; a fill that the order gets meanwhile is what the reservation is for.
    `ValueError` if nothing is left, or for what a new order cannot say here.
    """
    rules.require(amend.display_quantity is None, "there are no icebergs")
    rules.require(client_order_id != order.client_order_id, "a new order needs an id of its own")
    total = order.quantity if amend.quantity is None else amend.quantity
    rules.require(
        total > filled,
        f"{fixed.text(filled)} is filled already: nothing is left of {fixed.text(total)}",
    )
    trigger = order.trigger
    if amend.trigger_price is not None:
        if trigger is None:
            raise ValueError("the order has no trigger")
        trigger = replace(trigger, price=amend.trigger_price)
    place = replace(
        order,
        client_order_id=client_order_id,
        quantity=total - filled,
        price=order.price if amend.price is None else amend.price,
        post_only=order.post_only or amend.post_only,
        trigger=trigger,
        bound_ns=amend.bound_ns,
        strategy=amend.strategy or order.strategy,
    )
    return Replacement(place, amend.venue_order_id, order.client_order_id)
