"""The public channels: status, instrument, book, trade, ticker, ohlc, level3."""

from msgspec import Struct

from crosswire.venues.kraken.wire.words import Ignored, Number


class StatusItem(Struct, frozen=True):
    """The engine's state. `connection_id` exceeds 2^53 and is missing in maintenance."""

    system: str
    api_version: Ignored = None
    connection_id: int | None = None
    version: Ignored = None
    upcoming_maintenance: Ignored = None
    emergency: Ignored = None


class StatusFrame(Struct, frozen=True):
    """Pushed on connect before anything else, and on every change."""

    data: list[StatusItem]


class BookLevel(Struct, frozen=True):
    """One price level; quantity 0 in an update removes it."""

    price: Number
    qty: Number


class BookItem(Struct, frozen=True):
    """One symbol's levels: bids high to low in a snapshot, in any order in an update."""

    symbol: str
    bids: list[BookLevel]
    asks: list[BookLevel]
    checksum: int | None = None
    timestamp: str | None = None  # missing in the snapshots of 2024


class BookFrame(Struct, frozen=True):
    """A `book` frame: one symbol each."""

    type: str
    data: list[BookItem]


class Level3Order(Struct, frozen=True):
    """One order of the level 3 book; `event` add, modify or delete in updates."""

    order_id: str
    limit_price: Number
    order_qty: Number
    timestamp: str
    event: str | None = None


class Level3Item(Struct, frozen=True):
    """One symbol's orders in queue order."""

    symbol: str
    bids: list[Level3Order]
    asks: list[Level3Order]
    checksum: int | None = None
    timestamp: str | None = None


class Level3Frame(Struct, frozen=True):
    """A `level3` frame. Read for its shape only: no strategy needs single orders yet."""

    type: str
    data: list[Level3Item]


class TradeItem(Struct, frozen=True):
    """A public trade; `side` is the taker's, `trade_id` a sequence per symbol."""

    symbol: str
    side: str
    price: Number
    qty: Number
    trade_id: int
    timestamp: str
    ord_type: Ignored = None


class TradeFrame(Struct, frozen=True):
    """A `trade` frame: several trades each."""

    type: str
    data: list[TradeItem]


class TickerItem(Struct, frozen=True):
    """The venue's summary of a symbol; `trades` and `timestamp` came in 2026."""

    symbol: str
    bid: Number
    bid_qty: Number
    ask: Number
    ask_qty: Number
    last: Number
    volume: Number
    vwap: Ignored = None
    low: Ignored = None
    high: Ignored = None
    change: Ignored = None
    change_pct: Ignored = None
    trades: Ignored = None
    timestamp: str | None = None


class TickerFrame(Struct, frozen=True):
    """A `ticker` frame."""

    type: str
    data: list[TickerItem]


class CandleItem(Struct, frozen=True):
    """A bar so far; a new `interval_begin` closes the one before."""

    symbol: str
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    interval: int  # minutes
    interval_begin: str
    trades: int = 0
    vwap: Ignored = None
    timestamp: Ignored = None  # deprecated


class CandleFrame(Struct, frozen=True):
    """An `ohlc` frame."""

    type: str
    data: list[CandleItem]
    timestamp: Ignored = None


class AssetItem(Struct, frozen=True):
    """An asset of the `instrument` channel."""

    id: str
    status: str = "enabled"
    precision: int = 0
    precision_display: int = 0
    borrowable: Ignored = None
    collateral_value: Ignored = None
    margin_rate: Ignored = None


class PairItem(Struct, frozen=True):
    """A pair of the `instrument` channel; its numbers may carry exponents (1e-08)."""

    symbol: str
    base: str
    quote: str
    status: str
    qty_precision: int
    qty_increment: Number
    price_precision: int
    qty_min: Number
    price_increment: Number | None = None
    tick_size: Number | None = None  # deprecated twin of `price_increment`
    cost_precision: Ignored = None
    cost_min: Number | None = None
    marginable: Ignored = None
    has_index: Ignored = None
    margin_initial: Ignored = None
    position_limit_long: Ignored = None
    position_limit_short: Ignored = None


class InstrumentData(Struct, frozen=True):
    """The body of an `instrument` frame: an object, where other channels send an array."""

    assets: list[AssetItem] = []
    pairs: list[PairItem] = []


class InstrumentFrame(Struct, frozen=True):
    """An `instrument` frame; updates carry changed entries only."""

    type: str
    data: InstrumentData
