"""Orders as the matching engine keeps them, and what it answers with.

Prices and quantities are integers at 10^-10. An order id of "" (and the owner "") stands for the
external book: real or recorded liquidity that is nobody's order here.
"""

from typing import Literal

from msgspec import Struct

from crosswire.domain import OrderType, PriceUnit, SelfTrade, Side, TimeInForce, Trigger

EXTERNAL = ""
Stage = Literal["new", "waiting", "resting", "done"]
KillReason = Literal[
    "canceled",  # asked for by its owner (or by whatever text the caller's `cancel` gives)
    "ioc",  # what an immediate order could not get
    "fok",  # all or nothing, and all was not there
    "no_liquidity",  # a market order met an empty book
    "post_only",  # would have taken
    "self_trade",  # would have met an order of its own owner
    "amended",  # amended to no more than it had already filled
]


class Order(Struct):
    """One order. The caller fills the first part; the engine alone writes the second."""

    id: str
    owner: str
    side: Side
    quantity: int  # the total, fills included
    price: int | None = None  # None = market; an offset from the trigger where `price_unit` says
    order_type: OrderType = "limit"
    display: int = 0  # iceberg: at most this much is shown at a time; 0 = all of it
    time_in_force: TimeInForce = "gtc"
    post_only: bool = False
    expire_ns: int = 0  # 0 = never
    self_trade: SelfTrade | None = None  # None = may trade with its own owner
    trigger: Trigger | None = None  # required for stop_loss*, take_profit*, trailing_stop*
    price_unit: PriceUnit = "static"

    stage: Stage = "new"
    filled: int = 0
    shown: int = 0  # what stands in the book now
    ahead: int = 0  # external quantity in front of it at its price
    trigger_price: int = 0  # the resolved price at which it wakes; moves while trailing
    peak: int = 0  # trailing: the best price seen since

    @property
    def open_quantity(self) -> int:
        return self.quantity - self.filled


class Outcome(Struct, frozen=True, gc=False):
    """Base of all outcomes; `filled` is always the order's total at that moment."""


class Rested(Outcome, frozen=True, gc=False):
    """The order (or what is left of it) stands in the book. Sent once per entry into it."""

    order_id: str
    owner: str
    price: int
    quantity: int  # what is left of it
    filled: int


class Waiting(Outcome, frozen=True, gc=False):
    """The order waits for its trigger, outside the book."""

    order_id: str
    owner: str
    trigger_price: int


class Trailed(Outcome, frozen=True, gc=False):
    """A trailing order's trigger price followed a new peak."""

    order_id: str
    owner: str
    peak: int
    trigger_price: int


class Triggered(Outcome, frozen=True, gc=False):
    """The order woke up; what follows is about an ordinary limit or market order."""

    order_id: str
    owner: str
    price: int  # the reference price that woke it


class Traded(Outcome, frozen=True, gc=False):
    """A trade at the maker's price. Either party may be external (id and owner ""), not both."""

    maker: str
    maker_owner: str
    maker_filled: int
    taker: str
    taker_owner: str
    taker_filled: int
    taker_side: Side
    price: int
    quantity: int


class Completed(Outcome, frozen=True, gc=False):
    """All of the order's quantity is filled; follows its last `Traded`."""

    order_id: str
    owner: str
    filled: int


class Refilled(Outcome, frozen=True, gc=False):
    """An iceberg shows its next part, at the end of the queue."""

    order_id: str
    owner: str
    shown: int
    filled: int


class Killed(Outcome, frozen=True, gc=False):
    """The order is over with `remaining` not filled."""

    order_id: str
    owner: str
    reason: str  # a KillReason, or the text given to `cancel`
    filled: int
    remaining: int  # what can no longer fill


class Expired(Outcome, frozen=True, gc=False):
    """A GTD order's time came."""

    order_id: str
    owner: str
    filled: int
    remaining: int


class Amended(Outcome, frozen=True, gc=False):
    """The order was changed in place; what it then traded follows."""

    order_id: str
    owner: str
    kept_place: bool


class AmendRefused(Outcome, frozen=True, gc=False):
    """The order is as it was: the change would have made a post-only amend take."""

    order_id: str
    owner: str
    reason: str


AnyOutcome = (
    Rested
    | Waiting
    | Trailed
    | Triggered
    | Traded
    | Completed
    | Refilled
    | Killed
    | Expired
    | Amended
    | AmendRefused
)
