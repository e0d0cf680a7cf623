"""An account's orders, fills, positions and budgets: by /info and in the private channels."""

from msgspec import Raw, Struct

from crosswire.venues.hyperliquid.wire.words import Ignored, Milliseconds, Number


class Order(Struct, frozen=True, rename="camel"):
    """One order; of a trigger order orderUpdates and openOrders show no trigger field.

    `sz` is what remains, `orig_sz` what was asked. Captured rows of wallets lack more than the
    venue leaves out, so only what names the order is required.
    """

    coin: str
    oid: int
    side: str = ""
    limit_px: Number | None = None
    sz: Number | None = None
    timestamp: Milliseconds = 0
    orig_sz: Number | None = None
    cloid: str | None = None
    reduce_only: bool = False
    trigger_condition: str = ""
    is_trigger: bool = False
    trigger_px: Number = "0.0"
    children: Ignored = None
    is_position_tpsl: bool = False
    order_type: str = "Limit"
    tif: str | None = None


class OrderUpdate(Struct, frozen=True, rename="camel"):
    """One order's new status: a row of orderUpdates, historicalOrders, orderStatus."""

    order: Order
    status: str
    status_timestamp: Milliseconds = 0


class OrderStatus(Struct, frozen=True):
    """orderStatus: "order" with the order, or "unknownOid"."""

    status: str
    order: OrderUpdate | None = None


class OpenOrders(Struct, frozen=True):
    """The openOrders channel: the whole list each time."""

    user: str
    orders: list[Order]
    dex: str = ""


class Liquidation(Struct, frozen=True, rename="camel"):
    """Of a fill that liquidated somebody."""

    liquidated_user: str | None = None
    mark_px: Number | None = None
    method: str = ""


class Fill(Struct, frozen=True, rename="camel"):
    """One fill of ours. `fee` holds the builder's part; negative is a rebate."""

    coin: str
    px: Number
    sz: Number
    side: str
    time: Milliseconds
    oid: int
    crossed: bool = False
    fee: Number = "0"
    tid: int = 0
    hash: str = ""
    dir: str = ""
    start_position: Ignored = None
    closed_pnl: Number | None = None  # before the fee
    cloid: str | None = None
    fee_token: str | None = None  # missing in 2023
    twap_id: int | None = None
    builder_fee: Ignored = None
    liquidation: Liquidation | None = None


class UserFills(Struct, frozen=True, rename="camel"):
    """The userFills channel; only the first frame says `isSnapshot`."""

    user: str
    fills: list[Fill]
    is_snapshot: bool = False


class Funding(Struct, frozen=True, rename="camel"):
    """One payment of funding: below zero we paid."""

    coin: str
    usdc: Number
    time: Milliseconds = 0
    szi: Number = "0"
    funding_rate: Number = "0"
    n_samples: int | None = None


class LiquidationEvent(Struct, frozen=True):
    """A liquidation that we were part of; its names have underscores."""

    lid: int
    liquidator: str = ""
    liquidated_user: str = ""
    liquidated_ntl_pos: Number = "0"
    liquidated_account_value: Number = "0"


class VenueCancel(Struct, frozen=True):
    """An order that the venue cancelled."""

    coin: str
    oid: int


class TwapSliceFill(Struct, frozen=True, rename="camel"):
    """A fill of a slice of a twap."""

    fill: Fill
    twap_id: int = 0


class UserEvent(Struct, frozen=True, rename="camel"):
    """The `user` channel: exactly one of these."""

    fills: list[Fill] | None = None
    funding: Funding | None = None
    liquidation: LiquidationEvent | None = None
    non_user_cancel: list[VenueCancel] | None = None
    twap_history: Ignored = None
    twap_slice_fills: list[TwapSliceFill] | None = None


class UserFundings(Struct, frozen=True, rename="camel"):
    """The userFundings channel."""

    user: str
    fundings: list[Funding]
    is_snapshot: bool = False


class LedgerRow(Struct, frozen=True):
    """A row of userFunding or userNonFundingLedgerUpdates: its fields depend on its type."""

    time: Milliseconds
    hash: str
    delta: Raw


class LedgerDelta(Struct, frozen=True, rename="camel"):
    """What all deltas share; the rest differs by `type`."""

    type: str
    usdc: Number | None = None
    coin: str = ""
    token: str = ""
    amount: Number | None = None
    to_perp: bool | None = None
    fee: Number | None = None
    user: str = ""
    destination: str = ""


class LedgerUpdates(Struct, frozen=True, rename="camel"):
    """The userNonFundingLedgerUpdates channel."""

    user: str
    non_funding_ledger_updates: list[LedgerRow]
    is_snapshot: bool = False


class Leverage(Struct, frozen=True, rename="camel"):
    """cross or isolated; `raw_usd` only when isolated."""

    type: str
    value: int
    raw_usd: Number | None = None


class Position(Struct, frozen=True, rename="camel"):
    """One perp position; `szi` is signed."""

    coin: str
    szi: Number
    leverage: Leverage | None = None
    entry_px: Number | None = None
    position_value: Number = "0"
    unrealized_pnl: Number = "0"
    return_on_equity: Ignored = None
    liquidation_px: Number | None = None
    margin_used: Number = "0"
    max_leverage: int = 0
    cum_funding: Ignored = None


class AssetPosition(Struct, frozen=True):
    """A position in its wrapping."""

    position: Position
    type: str = "oneWay"


class MarginSummary(Struct, frozen=True, rename="camel"):
    """What an account is worth on one dex."""

    account_value: Number = "0"
    total_ntl_pos: Number = "0"
    total_raw_usd: Number = "0"
    total_margin_used: Number = "0"


class ClearinghouseState(Struct, frozen=True, rename="camel"):
    """An account's perps on one dex."""

    margin_summary: MarginSummary
    asset_positions: list[AssetPosition]
    cross_margin_summary: MarginSummary | None = None
    cross_maintenance_margin_used: Number = "0"
    withdrawable: Number = "0"
    time: Milliseconds = 0


class ClearinghouseUpdate(Struct, frozen=True, rename="camel"):
    """The clearinghouseState channel."""

    user: str
    clearinghouse_state: ClearinghouseState
    dex: str = ""


class SpotBalance(Struct, frozen=True, rename="camel"):
    """One token: `total` includes what orders hold."""

    coin: str
    total: Number
    token: int = 0
    hold: Number = "0"
    entry_ntl: Ignored = None


class SpotState(Struct, frozen=True, rename="camel"):
    """An account's tokens; for a unified account they are its collateral too."""

    balances: list[SpotBalance]
    portfolio_margin_enabled: bool | None = None


class SubAccount(Struct, frozen=True, rename="camel"):
    """One sub-account; a unified one lists its dexs instead of the one state."""

    name: str = ""
    sub_account_user: str = ""
    master: str = ""
    clearinghouse_state: ClearinghouseState | None = None
    dex_to_clearinghouse_state: list[tuple[str, ClearinghouseState]] | None = None
    spot_state: SpotState | None = None


class RateLimit(Struct, frozen=True, rename="camel"):
    """userRateLimit: the address budget."""

    cum_vlm: Number
    n_requests_used: int
    n_requests_cap: int
    n_requests_surplus: int = 0


class UserFees(Struct, frozen=True, rename="camel"):
    """userFees: what this account pays now, as fractions; the schedule is not read."""

    user_cross_rate: Number
    user_add_rate: Number
    user_spot_cross_rate: Number | None = None
    user_spot_add_rate: Number | None = None
    active_referral_discount: Number = "0"
    daily_user_vlm: Ignored = None
    fee_schedule: Ignored = None


class RoleData(Struct, frozen=True):
    """Whose agent (`user`) or sub-account (`master`) an address is."""

    user: str = ""
    master: str = ""


class UserRole(Struct, frozen=True):
    """missing, user, vault, agent or subAccount."""

    role: str
    data: RoleData | None = None


class Agent(Struct, frozen=True, rename="camel"):
    """One approved API wallet."""

    name: str
    address: str
    valid_until: Milliseconds | None = None


class ActiveAssetData(Struct, frozen=True, rename="camel"):
    """What one account could trade of one coin: buying, then selling."""

    user: str
    coin: str
    leverage: Leverage
    max_trade_szs: tuple[Number, Number]
    available_to_trade: tuple[Number, Number]
    mark_px: Number = "0"
