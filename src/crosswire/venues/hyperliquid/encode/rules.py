"""What an order may say here at all: told in one line, before anything is signed.

Prices and quantities off the venue's grid are refused, never rounded: whoever rounds must know
which way. Minimum, margin and status are risk's and the venue's. Every check raises `ValueError`.
"""

import re
from collections.abc import Sequence

from crosswire import fixed
from crosswire.domain import Cancel, Instrument, Place

MAX_BATCH = 200  # entries of one action; above it the venue places nothing
MIN_SCHEDULE_NS = 5_000_000_000  # a scheduled cancel lies at least this far ahead
TRIGGERED = {
    "stop_loss": ("sl", True),
    "stop_loss_limit": ("sl", False),
    "take_profit": ("tp", True),
    "take_profit_limit": ("tp", False),
}
# Order type -> whether it may rest; those of `TRIGGERED` beside them.
_PLAIN = ("limit", "market")
_OWN_ID = re.compile("[0-9a-f]{32}").fullmatch
# What other venues offer and this one does not, and the value that asks for nothing.
_UNKNOWN_HERE: tuple[tuple[str, object, str], ...] = (
    ("margin", False, "margin is a perp's own"),
    ("display_quantity", None, "there are no icebergs"),
    ("cash_quantity", None, "quantities are in the base asset"),
    ("price_unit", "static", "prices are absolute"),
    ("start_ns", 0, "orders start at once"),
    ("expire_ns", 0, "orders have no expiry"),
    ("fee_asset", "", "the fee's asset cannot be chosen"),
    ("close", None, "a closing order is one of its own, grouped with its parent"),
    ("validate", False, "orders cannot be checked without placing them"),
)


def require(holds: object, message: str) -> None:
    """`ValueError` with the message unless the claim holds."""
    if not holds:
        raise ValueError(message)


def is_plain(place: Place) -> bool:
    """Whether an order says nothing beyond price, quantity, side, life and reduce-only."""
    return (
        place.order_type == "limit"
        and place.trigger is None
        and place.time_in_force in ("gtc", "ioc")
        and not (place.post_only and place.time_in_force == "ioc")
        and place.self_trade is None
        and place.cash_quantity is None
        and place.display_quantity is None
        and place.close is None
        and place.price_unit == "static"
        and not (place.margin or place.validate or place.fee_asset)
        and not (place.start_ns or place.expire_ns)
    )


def is_right(instrument: Instrument, place: Place) -> bool:
    """Whether `check_numbers` and `check_own_id` have nothing to say, in one call."""
    price, quantity = place.price, place.quantity
    return bool(
        price
        and place.trigger is None
        and instrument.is_on_grid(price)
        and quantity > 0
        and quantity % instrument.quantity_step == 0
        and not (place.reduce_only and instrument.kind == "spot")
        and _OWN_ID(place.client_order_id)
    )


def check_place(place: Place) -> None:
    """Check all of an order but its numbers."""
    kind = place.order_type
    require(kind in _PLAIN or kind in TRIGGERED, f"there are no {kind} orders here")
    for name, nothing, why in _UNKNOWN_HERE:
        require(getattr(place, name) == nothing, f"{name} is not known here: {why}")
    require(
        place.self_trade in (None, "cancel_oldest"),
        "of two orders of one account that meet, this venue cancels the resting one",
    )
    lasts = place.time_in_force
    require(lasts in ("gtc", "ioc"), f"there is no {lasts} here: gtc or ioc")
    require(not (place.post_only and lasts == "ioc"), "post-only and ioc exclude each other")
    if kind == "market":
        require(lasts == "ioc", "a market order is an ioc order with its worst price")
    triggered = kind in TRIGGERED
    require(triggered == (place.trigger is not None), f"a {kind} order and its trigger disagree")
    if place.trigger is not None:
        require(place.trigger.unit == "static", "a trigger is an absolute price")
        require(place.trigger.reference == "last", "triggers fire by the mark price")
        require(lasts == "gtc" and not place.post_only, "a triggered order is plain gtc")


def check_numbers(instrument: Instrument, place: Place) -> None:
    """Check prices and quantity against the instrument's grid."""
    if place.price is None:
        raise ValueError("an order here has a price; give the worst one you would take")
    check_price(instrument, place.price)
    if place.trigger is not None:
        check_price(instrument, place.trigger.price)
    check_quantity(instrument, place.quantity)
    if place.reduce_only and instrument.kind == "spot":
        raise ValueError("reduce-only is for perps, not spot")


def check_price(instrument: Instrument, price: int) -> None:
    """Check a price: enough decimals, and five significant digits unless it is whole."""
    if not instrument.is_on_grid(price):
        raise ValueError(
            f"{fixed.text(price)} is no price of {instrument.name}: at most "
            f"{instrument.price_decimals} decimals and {instrument.price_digits} digits"
        )


def check_quantity(instrument: Instrument, quantity: int) -> None:
    """Check a quantity: above zero, in whole steps."""
    if quantity <= 0 or quantity % instrument.quantity_step:
        raise ValueError(
            f"{fixed.text(quantity)} is no quantity of {instrument.name}: at most "
            f"{instrument.quantity_decimals} decimals"
        )


def check_own_id(client_order_id: str) -> None:
    """Check that an id of ours has the form the venue takes: 32 lower-case hex digits."""
    if not _OWN_ID(client_order_id):
        raise ValueError(f'"{client_order_id}" is not 32 hex digits')


def check_cancel(cancel: Cancel) -> None:
    """Check that a cancel names its order and its instrument, which the venue wants too."""
    require(cancel.instrument, "a cancel names its instrument here")
    if cancel.venue_order_id:
        is_number = cancel.venue_order_id.isascii() and cancel.venue_order_id.isdecimal()
        require(is_number, f'"{cancel.venue_order_id}" is not an order number')
    else:
        check_own_id(cancel.client_order_id)


def check_count(entries: Sequence[object]) -> None:
    """Check that an action has entries, and not too many."""
    require(entries, "an action without entries")
    require(len(entries) <= MAX_BATCH, f"{len(entries)} entries: at most {MAX_BATCH}")
