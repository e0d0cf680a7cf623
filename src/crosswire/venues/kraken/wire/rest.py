"""The results of REST calls (what stands under `result` in a `RestEnvelope`)."""

from msgspec import Struct, field

from crosswire.venues.kraken.wire.words import Ignored, Number

# Rows of Depth: price, volume, time; levels come as arrays.
DepthRow = tuple[Number, Number, Ignored]


class RestDescription(Struct, frozen=True):
    """An order in words; empty in some answers."""

    pair: str = ""
    type: str = ""
    ordertype: str = ""
    price: str = ""  # may be relative text: +1.0000%
    price2: str = ""
    leverage: Ignored = None
    order: str = ""
    close: Ignored = None


class RestAddOrder(Struct, frozen=True):
    """AddOrder; with `validate` there is no `txid`."""

    descr: RestDescription = RestDescription()
    txid: list[str] = []


class RestBatchItem(Struct, frozen=True):
    """One order of AddOrderBatch: a `txid` or an `error`."""

    txid: str = ""
    error: str = ""
    descr: Ignored = None
    close: Ignored = None


class RestAddOrderBatch(Struct, frozen=True):
    """AddOrderBatch: verdicts in the order of the request."""

    orders: list[RestBatchItem]


class RestAmendOrder(Struct, frozen=True):
    """AmendOrder."""

    amend_id: str = ""


class RestEditOrder(Struct, frozen=True):
    """EditOrder: a new order replaces the old."""

    txid: str = ""
    originaltxid: str = ""
    status: str = ""
    orders_cancelled: int = 0


class RestCancel(Struct, frozen=True):
    """CancelOrder, CancelOrderBatch, CancelAll: how many were cancelled."""

    count: int = 0
    pending: bool = False


class RestCancelAfter(Struct, frozen=True):
    """CancelAllOrdersAfter; disarmed: `trigger_time` "0" or missing."""

    current_time: str = field(default="", name="currentTime")
    trigger_time: str | int = field(default="", name="triggerTime")


class RestOrder(Struct, frozen=True):
    """An order as OpenOrders, ClosedOrders and QueryOrders show it, keyed by its id."""

    status: str  # pending open closed canceled expired; closed = filled
    vol: Number
    vol_exec: Number
    descr: RestDescription = RestDescription()
    cl_ord_id: str | None = None
    userref: Ignored = None
    refid: Ignored = None
    opentm: Number | None = None
    closetm: Number | None = None
    reason: str | None = None
    cost: Ignored = None
    fee: Ignored = None
    price: Ignored = None
    oflags: str | None = None
    misc: Ignored = None
    trades: list[str] = []
    timeinforce: str | None = None


class RestOpenOrders(Struct, frozen=True):
    """OpenOrders."""

    open: dict[str, RestOrder]


class RestClosedOrders(Struct, frozen=True):
    """ClosedOrders: one page of at most 50; `count` is missing with `without_count`."""

    closed: dict[str, RestOrder]
    count: int | str | None = None


class RestAmend(Struct, frozen=True):
    """One step of an order's life under amends."""

    amend_id: str
    amend_type: str
    order_qty: Number | None = None
    remaining_qty: Number | None = None
    display_qty: Number | None = None
    limit_price: Number | None = None
    trigger_price: Ignored = None
    reason: str | None = None
    post_only: Ignored = None
    timestamp: Ignored = None


class RestOrderAmends(Struct, frozen=True):
    """OrderAmends."""

    amends: list[RestAmend] = []
    count: int = 0


class RestTrade(Struct, frozen=True):
    """A fill of ours; its key in the answer equals `exec_id` on the WebSocket."""

    ordertxid: str
    pair: str
    time: Number
    type: str
    price: Number
    fee: Number
    vol: Number
    ordertype: str = ""
    cost: Ignored = None
    maker: bool | None = None
    postxid: Ignored = None
    trade_id: Ignored = None
    margin: Ignored = None
    leverage: Ignored = None
    misc: Ignored = None
    ledgers: Ignored = None


class RestTradesHistory(Struct, frozen=True):
    """TradesHistory: one page of at most 50."""

    trades: dict[str, RestTrade]
    count: int | str | None = None


class RestBalance(Struct, frozen=True):
    """A row of BalanceEx."""

    balance: Number
    hold_trade: Number | None = None
    credit: Number | None = None
    credit_used: Number | None = None


class RestFeeTier(Struct, frozen=True):
    """A pair's fee now, in percent."""

    fee: Number
    minfee: Ignored = None
    maxfee: Ignored = None
    nextfee: Ignored = None
    nextvolume: Ignored = None
    tiervolume: Ignored = None


class RestTradeVolume(Struct, frozen=True):
    """TradeVolume: what the account pays, per pair."""

    currency: str
    volume: Number
    fees: dict[str, RestFeeTier] | None = None
    fees_maker: dict[str, RestFeeTier] | None = None


class RestLedgerRow(Struct, frozen=True):
    """A row of Ledgers, keyed by its id."""

    refid: str | None
    time: Number
    type: str
    asset: str
    amount: Number
    fee: Number
    balance: Number
    subtype: Ignored = None
    aclass: Ignored = None


class RestLedgers(Struct, frozen=True):
    """Ledgers: one page of at most 50."""

    ledger: dict[str, RestLedgerRow]
    count: int | str | None = None


class RestAssetPair(Struct, frozen=True):
    """A row of AssetPairs; `fees` are rows of [volume, percent]."""

    altname: str
    base: str
    quote: str
    pair_decimals: int
    lot_decimals: int
    wsname: str | None = None  # missing in rows of the dark pool
    ordermin: Number | None = None
    costmin: Number | None = None
    tick_size: Number | None = None
    cost_decimals: int | None = None
    fees: list[tuple[Number, Number]] = []
    fees_maker: list[tuple[Number, Number]] = []
    status: str = "online"
    lot_multiplier: Ignored = None
    aclass_base: Ignored = None
    aclass_quote: Ignored = None
    leverage_buy: Ignored = None
    leverage_sell: Ignored = None
    fee_volume_currency: Ignored = None


class RestAsset(Struct, frozen=True):
    """A row of Assets."""

    altname: str
    decimals: int
    display_decimals: int = 0
    aclass: Ignored = None
    status: str = "enabled"
    collateral_value: Ignored = None
    margin_rate: Ignored = None


class RestStatus(Struct, frozen=True):
    """SystemStatus."""

    status: str
    timestamp: str = ""


class RestTime(Struct, frozen=True):
    """Time, in seconds."""

    unixtime: int
    rfc1123: str = ""


class RestTicker(Struct, frozen=True):
    """A row of Ticker: [price, ...], [price, ...], [last, quantity], [today, 24 h]."""

    a: list[Number]
    b: list[Number]
    c: list[Number]
    v: list[Number]


class RestBook(Struct, frozen=True):
    """A row of Depth."""

    bids: list[DepthRow]
    asks: list[DepthRow]


class RestToken(Struct, frozen=True):
    """GetWebSocketsToken."""

    token: str
    expires: int

    def __repr__(self) -> str:
        return f"RestToken(token=***, expires={self.expires})"
