"""Actions, field for field and in canonical order: what is signed is their msgpack.

msgspec writes a struct's fields in the order in which they stand here, `type` first, and leaves
out the optional ones that were not given: that is the form the venue hashes. Never sort them.
Unknown fields are refused: to leave one out unasked would be to sign something else.
"""

from msgspec import UNSET, Raw, Struct, UnsetType, field

# Which order is meant: the venue's number, or our id with 0x.
OrderKey = int | str


class LimitKind(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a limit order lasts: Alo, Ioc, Gtc (and FrontendMarket, of the venue's page)."""

    tif: str


class TriggerKind(Struct, frozen=True, forbid_unknown_fields=True):
    """A stop ("sl") or take-profit ("tp"); with `is_market` the price is the worst one taken."""

    is_market: bool = field(name="isMarket")
    trigger_price: str = field(name="triggerPx")
    tpsl: str


class OrderKind(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Exactly one of both."""

    limit: LimitKind | UnsetType = UNSET
    trigger: TriggerKind | UnsetType = UNSET


class OrderWire(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One order: asset, is it a buy, price, size, reduce only, kind, our id."""

    a: int
    b: bool
    p: str
    s: str
    r: bool
    t: OrderKind
    c: str | UnsetType = UNSET


class Builder(Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets an extra fee, in tenths of a basis point."""

    b: str
    f: int


class Priority(Struct, frozen=True, forbid_unknown_fields=True):
    """The grouping that pays for priority, in 10^-8 of the notional."""

    p: int


class Action(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of all actions."""


class OrderAction(Action, frozen=True, tag="order"):
    """New orders: one result each. `grouping` is na, normalTpsl, positionTpsl or a priority."""

    orders: list[OrderWire]
    grouping: str | Priority
    builder: Builder | UnsetType = UNSET


class CancelWire(Struct, frozen=True, forbid_unknown_fields=True):
    """Asset and the venue's number of the order."""

    a: int
    o: int


class CancelAction(Action, frozen=True, tag="cancel"):
    """Cancels by the venue's number; `f` (fast) may be true or absent, never false."""

    cancels: list[CancelWire]
    f: bool | UnsetType = UNSET


class CloidCancelWire(Struct, frozen=True, forbid_unknown_fields=True):
    """Asset and our id of the order."""

    asset: int
    cloid: str


class CloidCancelAction(Action, frozen=True, tag="cancelByCloid"):
    """Cancels by our id."""

    cancels: list[CloidCancelWire]
    f: bool | UnsetType = UNSET


class ModifyAction(Action, frozen=True, tag="modify"):
    """One order for another. Its answer never tells the new number: we do not send it."""

    oid: OrderKey
    order: OrderWire
    a: bool | UnsetType = UNSET


class ModifyWire(Struct, frozen=True, forbid_unknown_fields=True):
    """The order to go and the one to come."""

    oid: OrderKey
    order: OrderWire


class BatchModifyAction(Action, frozen=True, tag="batchModify"):
    """Orders for others; `a` (always place) may be true or absent, never false."""

    modifies: list[ModifyWire]
    a: bool | UnsetType = UNSET


class ScheduleCancelAction(Action, frozen=True, tag="scheduleCancel"):
    """Cancel everything at a time (ms); without one, never."""

    time: int | UnsetType = UNSET


class UpdateLeverageAction(Action, frozen=True, tag="updateLeverage"):
    """The leverage of one perp."""

    asset: int
    is_cross: bool = field(name="isCross")
    leverage: int


class UpdateIsolatedMarginAction(Action, frozen=True, tag="updateIsolatedMargin"):
    """Margin moved into (or out of) an isolated position, in millionths of a dollar."""

    asset: int
    is_buy: bool = field(name="isBuy")
    ntli: int


class NoopAction(Action, frozen=True, tag="noop"):
    """Nothing, but its nonce is used up."""


class TwapWire(Struct, frozen=True, forbid_unknown_fields=True):
    """asset, is it a buy, size, reduce only, minutes, randomised."""

    a: int
    b: bool
    s: str
    r: bool
    m: int
    t: bool


class TwapOrderAction(Action, frozen=True, tag="twapOrder"):
    """An order that the venue slices over time."""

    twap: TwapWire
    details: dict[str, str] | UnsetType = UNSET


class TwapCancelAction(Action, frozen=True, tag="twapCancel"):
    """Asset and number of the twap to end."""

    a: int
    t: int


class ReserveRequestWeightAction(Action, frozen=True, tag="reserveRequestWeight"):
    """Buys address budget."""

    weight: int
    destination: str | UnsetType = UNSET


AnyAction = (
    OrderAction
    | CancelAction
    | CloidCancelAction
    | ModifyAction
    | BatchModifyAction
    | ScheduleCancelAction
    | UpdateLeverageAction
    | UpdateIsolatedMarginAction
    | NoopAction
    | TwapOrderAction
    | TwapCancelAction
    | ReserveRequestWeightAction
)


class SignatureWire(Struct, frozen=True, forbid_unknown_fields=True):
    """r and s as hex, of up to 64 digits; v is 27 or 28."""

    r: str
    s: str
    v: int


class Signed(Struct, frozen=True):
    """An /exchange request, or the payload of a post: what a server reads."""

    action: Raw
    nonce: int
    signature: SignatureWire
    vault_address: str | None = field(default=None, name="vaultAddress")
    expires_after: int | None = field(default=None, name="expiresAfter")
