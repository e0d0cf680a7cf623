"""Actions as the venue's own types: JSON in any spelling comes in, one spelling comes out.

The order of the fields is the order in which they are hashed. A number loses its trailing zeros,
a cloid and an address their capital letters, a flag that says false is left out: a client that
hashed its own spelling is refused as an unknown signer. What fits no type is an HTTP 422.
"""

from typing import Annotated, Literal, TypeGuard

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert, field

from crosswire.venues.hyperliquid.simulator import text

U32 = Annotated[int, Meta(ge=0, le=(1 << 32) - 1)]
U64 = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]  # msgspec bounds no wider ones


VENUES_OWN = "LiquidationMarket"  # a time in force that nobody may ask for


class Part(Struct, forbid_unknown_fields=True):
    """A piece of an action."""


class Limit(Part):
    """A limit order's time in force."""

    tif: Literal["Alo", "Ioc", "Gtc", "FrontendMarket", "LiquidationMarket"]


class TriggerTerms(Part):
    """What wakes an order, and whether it is a market order then."""

    is_market: bool = field(name="isMarket")
    trigger_px: str = field(name="triggerPx")
    tpsl: Literal["tp", "sl"]

    def __post_init__(self) -> None:
        self.trigger_px = text.canonical(self.trigger_px)


class Terms(Part):
    """Exactly one of the two."""

    limit: Limit | UnsetType = UNSET
    trigger: TriggerTerms | UnsetType = UNSET

    def __post_init__(self) -> None:
        if (self.limit is UNSET) == (self.trigger is UNSET):
            raise ValueError("expected limit or trigger")


class OrderWire(Part):
    """One order as it is asked for."""

    a: U32
    b: bool
    p: str
    s: str
    r: bool
    t: Terms
    c: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.p, self.s = text.canonical(self.p), text.canonical(self.s)
        if self.c is not UNSET:
            self.c = text.cloid(self.c)

    @property
    def tif(self) -> str:
        """The time in force; "" for a trigger."""
        return "" if self.t.limit is UNSET else self.t.limit.tif

    @property
    def cloid(self) -> str:
        return "" if self.c is UNSET else self.c


class Builder(Part):
    """Who sent the client, and for how much (tenths of a basis point)."""

    b: str
    f: U32

    def __post_init__(self) -> None:
        self.b = text.address(self.b)


class Priority(Part):
    """A grouping that is a fee for priority."""

    p: U64


class CancelWire(Part):
    a: U32
    o: U64

    @property
    def named(self) -> tuple[int, int | str]:
        """The asset and the order's id."""
        return self.a, self.o


class CloidWire(Part):
    asset: U32
    cloid: str

    def __post_init__(self) -> None:
        self.cloid = text.cloid(self.cloid)

    @property
    def named(self) -> tuple[int, int | str]:
        """The asset and the order's id."""
        return self.asset, self.cloid


class ModifyWire(Part):
    oid: int | str
    order: OrderWire

    def __post_init__(self) -> None:
        self.oid = text.cloid(self.oid) if isinstance(self.oid, str) else self.oid


class TwapWire(Part):
    """A slow order: `m` minutes, `t` at random moments."""

    a: U32
    b: bool
    s: str
    r: bool
    m: U32
    t: bool

    def __post_init__(self) -> None:
        self.s = text.canonical(self.s)


class Action(Part, tag_field="type"):
    """Any of them; the tag is what the venue calls it."""


class PlaceOrders(Action, tag="order"):
    orders: list[OrderWire]
    grouping: Literal["na", "normalTpsl", "positionTpsl"] | Priority
    builder: Builder | UnsetType = UNSET


class Cancel(Action, tag="cancel"):
    cancels: list[CancelWire]
    f: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.f = self.f or UNSET


class CancelByCloid(Action, tag="cancelByCloid"):
    cancels: list[CloidWire]
    f: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.f = self.f or UNSET


class Modify(Action, tag="modify"):
    oid: int | str
    order: OrderWire
    a: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.oid = text.cloid(self.oid) if isinstance(self.oid, str) else self.oid
        self.a = self.a or UNSET


class BatchModify(Action, tag="batchModify"):
    modifies: list[ModifyWire]
    a: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.a = self.a or UNSET


class ScheduleCancel(Action, tag="scheduleCancel"):
    time: U64 | UnsetType = UNSET


class UpdateLeverage(Action, tag="updateLeverage"):
    asset: U32
    is_cross: bool = field(name="isCross")
    leverage: U32


class UpdateIsolatedMargin(Action, tag="updateIsolatedMargin"):
    asset: U32
    is_buy: bool = field(name="isBuy")
    ntli: int  # millionths of a dollar


class Noop(Action, tag="noop"):
    """Burns its nonce."""


class TwapOrder(Action, tag="twapOrder"):
    twap: TwapWire


class TwapCancel(Action, tag="twapCancel"):
    a: U32
    t: U64


class ReserveRequestWeight(Action, tag="reserveRequestWeight"):
    weight: U32


class UserSigned(Action):
    """An action that is signed field by field, by the account itself."""

    chain_id: str = field(name="signatureChainId")
    chain: Literal["Mainnet", "Testnet"] = field(name="hyperliquidChain")


class UsdSend(UserSigned, tag="usdSend", kw_only=True):
    destination: str
    amount: str
    time: U64


class SpotSend(UserSigned, tag="spotSend", kw_only=True):
    destination: str
    token: str
    amount: str
    time: U64


class Withdraw(UserSigned, tag="withdraw3", kw_only=True):
    destination: str
    amount: str
    time: U64


class UsdClassTransfer(UserSigned, tag="usdClassTransfer", kw_only=True):
    amount: str
    to_perp: bool = field(name="toPerp")
    nonce: U64


class SendAsset(UserSigned, tag="sendAsset", kw_only=True):
    destination: str
    source_dex: str = field(name="sourceDex")
    destination_dex: str = field(name="destinationDex")
    token: str
    amount: str
    from_sub_account: str = field(name="fromSubAccount")
    nonce: U64


class ApproveAgent(UserSigned, tag="approveAgent", kw_only=True):
    """An API wallet; without a name the key is left out and "" is signed."""

    agent_address: str = field(name="agentAddress")
    agent_name: str = field(name="agentName", default="")
    nonce: U64


class ApproveBuilderFee(UserSigned, tag="approveBuilderFee", kw_only=True):
    max_fee_rate: str = field(name="maxFeeRate")
    builder: str
    nonce: U64


L1Action = (
    PlaceOrders
    | Cancel
    | CancelByCloid
    | Modify
    | BatchModify
    | ScheduleCancel
    | UpdateLeverage
    | UpdateIsolatedMargin
    | Noop
    | TwapOrder
    | TwapCancel
    | ReserveRequestWeight
)
Trade = PlaceOrders | Cancel | CancelByCloid | Modify | BatchModify
UserAction = (
    UsdSend | SpotSend | Withdraw | UsdClassTransfer | SendAsset | ApproveAgent | ApproveBuilderFee
)


class Signature(Part):
    """r and s in hex, with or without their leading zeros."""

    r: str
    s: str
    v: U32


class Signed(Part):
    """The body of an exchange request."""

    action: L1Action | UserAction
    nonce: U64
    signature: Signature
    vault_address: str | None = field(name="vaultAddress", default=None)
    expires_after: U64 | None = field(name="expiresAfter", default=None)

    def __post_init__(self) -> None:
        if self.vault_address is not None:
            self.vault_address = text.address(self.vault_address)


def parse(body: object) -> Signed | None:
    """Return the request, None if it fits no known type."""
    try:
        signed = convert(body, Signed)
    except ValidationError:
        return None
    is_venues_own = any(wire.tif == VENUES_OWN for wire in orders_of(signed.action))
    return None if is_venues_own else signed


def orders_of(action: L1Action | UserAction) -> list[OrderWire]:
    """Return the orders that an action would place."""
    if isinstance(action, PlaceOrders):
        return action.orders
    if isinstance(action, BatchModify):
        return [one.order for one in action.modifies]
    return [action.order] if isinstance(action, Modify) else []


def weight(action: L1Action | UserAction) -> int:
    """Return how many entries it has: what it costs the address's budget."""
    if isinstance(action, PlaceOrders):
        return len(action.orders)
    if isinstance(action, Cancel | CancelByCloid):
        return len(action.cancels)
    if isinstance(action, BatchModify):
        return len(action.modifies)
    return 1


def is_trade(action: L1Action | UserAction) -> TypeGuard[Trade]:
    """Whether it places, modifies or cancels."""
    return isinstance(action, Trade)
