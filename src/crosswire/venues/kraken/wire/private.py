"""The private channels: executions and balances."""

from msgspec import Struct

from crosswire.venues.kraken.wire.words import Ignored, Number


class Fee(Struct, frozen=True):
    """What a fill cost, in which asset."""

    asset: str
    qty: Number


class ExecutionItem(Struct, frozen=True):
    """One event of one order. Only `pending_new` and snapshot items are complete."""

    order_id: str
    exec_type: str
    order_status: str = ""
    cl_ord_id: str | None = None
    order_userref: Ignored = None
    exec_id: str | None = None
    trade_id: Ignored = None  # a number per symbol, no key: `exec_id` is
    ord_ref_id: Ignored = None
    symbol: str | None = None
    side: str | None = None
    order_type: str | None = None
    time_in_force: str | None = None  # upper case here, lower case in requests
    order_qty: Number | None = None
    cash_order_qty: Ignored = None
    display_qty: Ignored = None
    display_qty_remain: Ignored = None
    limit_price: Number | None = None
    limit_price_type: str | None = None
    cum_qty: Number | None = None
    cum_cost: Ignored = None
    avg_price: Ignored = None
    last_qty: Number | None = None
    last_price: Number | None = None
    cost: Ignored = None
    liquidity_ind: str | None = None  # m or t
    fees: list[Fee] | None = None
    fee_usd_equiv: Ignored = None
    reason: str | None = None
    cancel_reason: str | None = None  # deprecated twin of `reason`
    timestamp: str | None = None
    post_only: Ignored = None
    reduce_only: Ignored = None
    triggers: Ignored = None
    contingent: Ignored = None
    amended: Ignored = None
    liquidated: Ignored = None
    position_status: Ignored = None
    ratecount: Number | None = None  # where the rate counter rides is not captured


class ExecutionsFrame(Struct, frozen=True):
    """An `executions` frame; one array may mix orders and kinds of events."""

    type: str
    data: list[ExecutionItem]
    sequence: int = 0


class Wallet(Struct, frozen=True):
    """A part of an asset's balance: `spot` or `earn`."""

    type: str
    balance: Number
    id: str = ""


class BalanceItem(Struct, frozen=True):
    """An asset's balance: a snapshot's row, or (with `ledger_id`) an update's ledger row."""

    asset: str
    balance: Number
    asset_class: Ignored = None
    wallets: list[Wallet] = []
    ledger_id: str = ""
    ref_id: str = ""
    timestamp: str | None = None
    type: str = ""
    subtype: Ignored = None
    category: Ignored = None
    wallet_type: str = ""
    wallet_id: Ignored = None
    amount: Number | None = None
    fee: Number | None = None


class BalancesFrame(Struct, frozen=True):
    """A `balances` frame."""

    type: str
    data: list[BalanceItem]
    sequence: int = 0
