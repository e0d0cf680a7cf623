"""The nouns: what is traded, by whom, and the words for its properties.

Prices and quantities are integers of one scale, 10^-10 (see `crosswire.fixed`). Times are
nanoseconds since the epoch, UTC.
"""

from typing import Literal

from msgspec import Struct

from crosswire.fixed import SCALE

Side = Literal["buy", "sell"]
Kind = Literal["spot", "perp", "outcome"]
OrderType = Literal[
    "limit",
    "market",
    "iceberg",
    "stop_loss",
    "stop_loss_limit",
    "take_profit",
    "take_profit_limit",
    "trailing_stop",
    "trailing_stop_limit",
    "settle_position",
]
TimeInForce = Literal["gtc", "gtd", "ioc", "fok"]
SelfTrade = Literal["cancel_newest", "cancel_oldest", "cancel_both"]
PriceUnit = Literal["static", "percent", "quote"]
Transport = Literal["ws", "rest"]
Liquidity = Literal["maker", "taker", ""]
RequestKind = Literal["place", "amend", "cancel", "other"]
# Where a statement about an order came from, weakest last.
Source = Literal["stream", "answer", "snapshot", "lookup"]
InstrumentStatus = Literal["online", "post_only", "limit_only", "reduce_only", "cancel_only", "off"]
VenueStatus = Literal["online", "post_only", "cancel_only", "maintenance"]
# `rejected`: the venue gave it a number, and refused it all the same; nothing of it filled.
ClosedCause = Literal["filled", "canceled", "expired", "rejected"]
# A price level: (price, quantity); in a change, quantity 0 removes the level.
Level = tuple[int, int]


class Noun(Struct, frozen=True, gc=False, omit_defaults=True):
    """A value that is part of events and commands."""


class Instrument(Noun, frozen=True, gc=False):
    """One thing that can be traded at one venue, with the rules an order must keep."""

    id: str  # "<venue>:<name>", the key everywhere inside
    venue: str
    name: str  # what the user writes: BTC/USD, BTC-PERP, <slug>:YES
    kind: Kind
    base: str
    quote: str
    price_tick: int
    quantity_step: int
    price_decimals: int
    quantity_decimals: int
    min_quantity: int
    min_notional: int
    status: InstrumentStatus = "online"
    maker_fee: int = 0  # fraction of the notional, same scale
    taker_fee: int = 0
    price_digits: int = 0  # significant digits of a price, unless it is whole; 0 = no limit

    def tick_at(self, price: int) -> int:
        """Return the step between the prices that are valid around `price`.

        Where digits are limited it grows with the price, up to a whole number.
        """
        tick = self.price_tick
        if not self.price_digits:
            return tick
        surplus = len(str(price)) - self.price_digits
        coarse = 10**surplus if surplus > 0 else 1
        if coarse > SCALE:
            coarse = SCALE
        return coarse if coarse > tick else tick

    def is_on_grid(self, price: int) -> bool:
        """Whether an order may have this price."""
        if price % self.price_tick or price <= 0:
            return False
        # A whole price is always valid: spelling its digits to find that out would cost each order.
        return not (self.price_digits and price % SCALE and price % self.tick_at(price))

    def floor_price(self, price: int) -> int:
        """Return the highest valid price that is not above `price`; 0 if there is none."""
        tick = self.tick_at(price) if self.price_digits else self.price_tick
        return price // tick * tick

    def ceil_price(self, price: int) -> int:
        """Return the lowest valid price that is not below `price`.

        Rounded past a power of ten it is that power, which every coarser grid has too.
        """
        tick = self.tick_at(price) if self.price_digits else self.price_tick
        return -(-price // tick) * tick


class Trigger(Noun, frozen=True, gc=False):
    """When a stop, take-profit or trailing order wakes up.

    `price` is a price (`static`), a signed offset in percent, or one in the quote asset.
    """

    price: int
    unit: PriceUnit = "static"
    reference: Literal["last", "index"] = "last"


class ConditionalClose(Noun, frozen=True, gc=False):
    """The closing order that the venue makes for each fill of an order."""

    order_type: OrderType
    trigger: Trigger | None = None
    price: int | None = None
    price_unit: PriceUnit = "static"
