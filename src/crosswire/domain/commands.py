"""The commands, in the imperative: what we ask of a venue, or an operator of us.

`Approved` is the only thing a session sends; `risk.approve` alone makes one (a test bans its
construction elsewhere).
"""

from msgspec import Struct

from crosswire.domain.nouns import (
    ConditionalClose,
    OrderType,
    PriceUnit,
    SelfTrade,
    Side,
    TimeInForce,
    Transport,
    Trigger,
)


class Command(Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """Base of all commands; `account` says in whose name."""

    account: str


class Place(Command, frozen=True, gc=False):
    """Send one new order."""

    instrument: str
    client_order_id: str
    side: Side
    quantity: int
    price: int | None = None  # limit price; an offset where `price_unit` says so
    order_type: OrderType = "limit"
    time_in_force: TimeInForce = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    margin: bool = False
    display_quantity: int | None = None
    cash_quantity: int | None = None  # amount in the quote asset instead of `quantity` (0)
    reserve_quantity: int = 0  # the most a cash order may fill, by the book it was approved on
    trigger: Trigger | None = None
    price_unit: PriceUnit = "static"
    start_ns: int = 0
    expire_ns: int = 0
    bound_ns: int = 0  # our clock; after it the venue refuses the request by itself
    self_trade: SelfTrade | None = None
    fee_asset: str = ""  # "base", "quote" or the venue's default
    close: ConditionalClose | None = None
    validate: bool = False  # ask the venue to check it only
    strategy: str = ""
    received_ns: int = 0  # stage stamps of the tick that caused it; 0 for an operator's order
    decoded_ns: int = 0
    decided_ns: int = 0
    # The order whose place it takes, where the venue replaces instead of amending: one request
    # cancels that one and opens this one.
    replaces: str = ""
    replaces_venue_id: str = ""


class PlaceBatch(Command, frozen=True, gc=False):
    """Send several new orders of one instrument in one request: one request, n verdicts."""

    places: tuple[Place, ...]
    bound_ns: int = 0


class Amend(Command, frozen=True, gc=False):
    """Change a live order in place; what is None stays.

    `quantity` is the new total, fills included.
    """

    instrument: str
    client_order_id: str
    venue_order_id: str = ""
    quantity: int | None = None
    price: int | None = None
    display_quantity: int | None = None
    trigger_price: int | None = None
    post_only: bool = False
    bound_ns: int = 0
    strategy: str = ""
    received_ns: int = 0
    decoded_ns: int = 0
    decided_ns: int = 0


class Cancel(Command, frozen=True, gc=False):
    """Cancel one order; by the venue's id where known, else by ours."""

    client_order_id: str
    venue_order_id: str = ""
    instrument: str = ""


class CancelBatch(Command, frozen=True, gc=False):
    """Cancel several orders in as few requests as the venue allows."""

    cancels: tuple[Cancel, ...]


class CancelAll(Command, frozen=True, gc=False):
    """Cancel every open order of the account, ours or not."""


class ArmDeadMan(Command, frozen=True, gc=False):
    """Ask the venue to cancel everything unless asked again in time; 0 disarms."""

    timeout_ns: int


# The harmless questions by which a transport shows that it works, where look-ups do not tell.
ECHOES: dict[Transport, str] = {"ws": "echo_ws", "rest": "echo_rest"}


class LookUp(Command, frozen=True, gc=False):
    """Read the account's truth from the venue: open orders, closed orders, fills, balances.

    `client_order_id` narrows where the venue can; `since_ns`, on the venue's clock, bounds history.
    A snapshot is what the private stream says of all open orders when it is asked anew. An echo
    by either transport is any harmless question; what comes back is `TransportProven`.
    """

    what: str  # "open_orders" | "closed_orders" | "fills" | "balances" | "snapshot" | ECHOES
    client_order_id: str = ""
    since_ns: int = 0


class Resend(Command, frozen=True, gc=False):
    """Send the identical bytes of a doubtful place again, where the venue takes them once.

    Only `doubt` asks for it, only where the venue's rule is shown to hold on the account.
    """

    client_order_id: str
    place_request_id: int


class Void(Command, frozen=True, gc=False):
    """Use up what a doubtful place was sent under, so that no copy of it can run any more.

    Only `doubt` asks for it, for an order that is no longer wanted, where `Resend` would be safe.
    """

    client_order_id: str
    place_request_id: int


class Resubscribe(Command, frozen=True, gc=False):
    """Drop one instrument's book and ask for it again; `account` is the venue's feed."""

    instrument: str
    reason: str


class Kill(Command, frozen=True, gc=False):
    """Throw the kill switch: no new orders, cancel everything. `account` "" means all."""

    reason: str


class Resume(Command, frozen=True, gc=False):
    """Lift the kill switch or a halt that waits for an operator."""


AnyCommand = (
    Place
    | PlaceBatch
    | Amend
    | Cancel
    | CancelBatch
    | CancelAll
    | ArmDeadMan
    | LookUp
    | Resend
    | Void
    | Resubscribe
    | Kill
    | Resume
)


class Approved(Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """A command that has passed risk, with the number of its request."""

    command: AnyCommand
    request_id: int
    approved_ns: int


class Refused(Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """A command that risk held back: the rule's name and both numbers."""

    command: AnyCommand
    rule: str
    limit: str
    actual: str
    recv_ns: int = 0

    def __str__(self) -> str:
        return f"refused by {self.rule}: {self.actual} against a limit of {self.limit}"
