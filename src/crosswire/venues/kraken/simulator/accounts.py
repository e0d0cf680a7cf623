"""An account: its orders, fills, balances and what of them is held.

Money moves only through the ledger's `move_cash`, which writes a row each time: balances are the
starting balances plus the sum of the rows, always. As at the venue, a trade's leg is rounded to
the asset's decimals (four for the dollar), so it may differ from price times quantity by half
a unit of the last one; the row is what counts.
"""

from msgspec import Struct, field

from crosswire.sim.ledger import CashRow, Ledger
from crosswire.sim.matching import Order
from crosswire.venues.kraken.simulator.limits import TradingCounter
from crosswire.venues.kraken.simulator.markets import (
    MAKER_FEES,
    TAKER_FEES,
    Asset,
    Market,
    fee_rate,
)
from crosswire.venues.kraken.simulator.text import rounded, times
from crosswire.venues.kraken.simulator.wishes import Wish, same_id


class Change(Struct, frozen=True):
    """One row of an order's amend history."""

    amend_id: str
    kind: str  # original, user, restated
    quantity: int
    display: int
    remaining: int
    price: int
    trigger_price: int
    reason: str
    post_only: bool
    at_ns: int


class OrderRecord(Struct, kw_only=True):
    """One order of a client, from acceptance to its end and after."""

    id: str
    account: str
    market: Market
    wish: Wish
    quantity: int
    original_quantity: int
    price: int
    display: int
    opened_ns: int
    changed_ns: int  # creation or last amend: the age that the counters look at
    order: Order | None = None  # as the matching engine keeps it
    status: str = "pending"  # pending, open, closed, canceled, expired: REST's words
    filled: int = 0
    cost: int = 0
    fee: int = 0
    fee_usd: int = 0
    closed_ns: int = 0
    reason: str = ""
    parent: str = ""  # the order whose fill made it (conditional close)
    is_activated: bool = False  # `new` has been told
    is_triggered: bool = False
    is_amended: bool = False
    trigger_price: int = 0
    peak: int = 0
    last_price: int = 0
    fills: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    versions: list[tuple[int, "OrderRecord"]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in {"pending", "open"}

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled


class Fill(Struct, frozen=True, kw_only=True):
    """One trade of a client."""

    exec_id: str
    trade_id: int
    order_id: str
    account: str
    market: Market
    side: str
    order_type: str
    price: int
    quantity: int
    cost: int
    fee: int
    fee_asset: str
    fee_usd: int
    liquidity: str  # "maker" or "taker"
    at_ns: int
    cl_ord_id: str
    userref: int | None
    ledgers: tuple[str, ...]
    is_margin: bool = False


class Entry(Struct, frozen=True):
    """Why money moves: the ids and the kind of a ledger row."""

    ledger_id: str
    ref: str
    kind: str


class Position(Struct, kw_only=True):
    """A margin position of one pair: signed quantity and what it cost."""

    id: str
    order_id: str
    opened_ns: int
    quantity: int = 0
    cost: int = 0
    fee: int = 0


class Account:
    """One client of the venue; its balances live in the ledger."""

    def __init__(self, name: str, tier: str, ledger: Ledger, volume: int = 0) -> None:
        self.name = name
        self.tier = tier
        self.balances = ledger.balances.setdefault(name, {})
        self.volume = volume  # 30 days, US dollars, scaled
        self.counter = TradingCounter(tier)
        self.orders: dict[str, OrderRecord] = {}  # all, in order of creation
        self.open: dict[str, OrderRecord] = {}
        self.spent_ids: set[str] = set()  # the client's, as they are compared
        self.fills: list[Fill] = []
        self.cash: list[CashRow] = []
        self.positions: dict[str, Position] = {}  # by pair
        self.dead_man_ns = 0  # when the timer fires; 0 = disarmed

    def trim(self, before_ns: int) -> list[str]:
        """Forget what ended before a moment; return the ids of the orders."""
        gone = [record for record in self.orders.values() if 0 < record.closed_ns < before_ns]
        for record in gone:
            del self.orders[record.id]
            self.spent_ids.discard(same_id(record.wish.cl_ord_id))
        self.fills = [fill for fill in self.fills if fill.at_ns >= before_ns]
        self.cash = [row for row in self.cash if row.at_ns >= before_ns]
        return [record.id for record in gone]

    @property
    def owner(self) -> str:
        """Its name in the matching engine, where the order flow has one too."""
        return f"client {self.name}"

    def held(self, asset: str) -> int:
        """What open orders hold of an asset."""
        return sum(hold(record, asset, self) for record in self.open.values())

    def available(self, asset: str) -> int:
        return self.balances.get(asset, 0) - self.held(asset)

    def rate(self, liquidity: str) -> int:
        schedule = MAKER_FEES if liquidity == "maker" else TAKER_FEES
        return fee_rate(schedule, self.volume)

    def find(self, order_id: str = "", cl_ord_id: str = "") -> OrderRecord | None:
        """Return an order by the venue's id, or an open one by the client's."""
        if order_id:
            return self.orders.get(order_id)
        for record in self.open.values():
            if cl_ord_id and record.wish.cl_ord_id == cl_ord_id:
                return record
        return None


def hold(record: OrderRecord, asset: str, account: Account) -> int:
    """What one open order holds of an asset; margin orders hold nothing of the spot wallet."""
    wish, market = record.wish, record.market
    if wish.margin or wish.order_type == "settle_position":
        return 0
    if wish.side == "sell":
        return record.remaining if asset == market.base.name else 0
    if asset != market.quote.name:
        return 0
    price = record.price if record.price and wish.price_unit == "static" else 0
    price = price or record.trigger_price
    return spend(price, record.remaining, account)


def spend(price: int, quantity: int, account: Account) -> int:
    """What a buy may cost at most, its taker fee included."""
    cost = times(price, quantity)
    return cost + times(cost, account.rate("taker"))


def trade_fee(cost: int, quantity: int, market: Market, rate: int, wish: Wish) -> tuple[int, Asset]:
    """Return (fee, its asset), rounded to the asset's decimals."""
    if wish.fee_asset == "base" and not wish.margin:
        return rounded(times(quantity, rate), market.base.decimals), market.base
    return rounded(times(cost, rate), market.quote.decimals), market.quote


def in_usd(amount: int, asset: Asset, prices: dict[str, int]) -> int:
    """Value an amount in US dollars by the last prices; 0 where there is none."""
    if asset.name == "USD":
        return amount
    return times(amount, prices.get(f"{asset.name}/USD", 0))
