"""What the Python API hands out: plain values with `Decimal` at the edge, and their JSON."""

from decimal import Decimal

from msgspec import Struct, structs

from crosswire import fixed
from crosswire.book import Book
from crosswire.domain import Filled, Liquidity, Side, TradePrinted
from crosswire.orders import Order, Status
from crosswire.positions import Position

Level = tuple[Decimal, Decimal]
decimal = fixed.to_decimal


def bare(instrument: str) -> str:
    """The instrument's name as a user writes it: without the venue in front."""
    return instrument.partition(":")[2] or instrument


class BookView(Struct, frozen=True):
    """An instrument's book at one moment: levels (price, quantity), best first."""

    instrument: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    age_ns: int  # since the last proof that its feed is alive
    is_valid: bool

    @property
    def best_bid(self) -> Decimal | None:
        """The highest bid's price, None if there is none."""
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest ask's price, None if there is none."""
        return self.asks[0][0] if self.asks else None

    @property
    def mid(self) -> Decimal | None:
        """The middle of the best prices, None if a side is empty."""
        return (self.bids[0][0] + self.asks[0][0]) / 2 if self.bids and self.asks else None


class Update(Struct, frozen=True):
    """An order at one moment of its life."""

    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    status: Status
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    average_price: Decimal | None
    reason: str
    doubts: int
    at_ns: int
    doubted_ns: int = 0  # since when one of its outcomes is in doubt
    is_ruled_out: bool = False  # in doubt, but it can't rest at the venue any more
    replaced_by: str = ""  # our id of the order that takes, or took, its place


class Execution(Struct, frozen=True):
    """One fill of ours."""

    fill_key: str
    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    at_ns: int


class Trade(Struct, frozen=True):
    """One public trade; `side` is the taker's."""

    instrument: str
    side: Side
    price: Decimal
    quantity: Decimal
    at_ns: int


class PositionView(Struct, frozen=True):
    """What our fills add up to at one instrument; negative = short."""

    instrument: str
    quantity: Decimal
    average_price: Decimal | None
    realised: Decimal
    unrealised: Decimal | None
    fees: dict[str, Decimal]


def book_view(book: Book, now_ns: int, depth: int) -> BookView:
    """Copy the best `depth` levels of a live book."""
    return BookView(
        book.instrument.name,
        tuple((decimal(price), decimal(quantity)) for price, quantity in book.bids(depth)),
        tuple((decimal(price), decimal(quantity)) for price, quantity in book.asks(depth)),
        book.age_ns(now_ns),
        book.is_valid,
    )


def order_view(order: Order) -> Update:
    """Copy an order as it stands."""
    average = order.average_price
    return Update(
        order.client_order_id,
        order.venue_order_id,
        bare(order.instrument),
        order.side,
        order.status,
        decimal(order.quantity),
        decimal(order.filled),
        None if order.price is None else decimal(order.price),
        None if average is None else decimal(average),
        order.reason,
        order.doubts,
        order.changed_ns,
        order.doubted_ns,
        order.is_ruled_out,
        order.replaced_by,
    )


def execution(fill: Filled) -> Execution:
    """A fill with decimals."""
    return Execution(
        fill.fill_key,
        fill.client_order_id,
        fill.venue_order_id,
        bare(fill.instrument),
        fill.side,
        decimal(fill.price),
        decimal(fill.quantity),
        decimal(fill.fee),
        fill.fee_asset,
        fill.liquidity,
        fill.venue_ns or fill.recv_ns,
    )


def trade(printed: TradePrinted) -> Trade:
    """A public trade with decimals."""
    return Trade(
        bare(printed.instrument),
        printed.side,
        decimal(printed.price),
        decimal(printed.quantity),
        printed.venue_ns or printed.recv_ns,
    )


def position_view(instrument: str, position: Position, mark: int) -> PositionView:
    """A position with decimals; `mark` 0 = no price is known."""
    average = position.average_price
    return PositionView(
        bare(instrument),
        decimal(position.quantity),
        None if average is None else decimal(average),
        decimal(position.realised),
        decimal(position.unrealised(mark)) if mark else None,
        {asset: decimal(fee) for asset, fee in position.fees.items()},
    )


def as_json(view: Struct) -> dict[str, object]:
    """A view as JSON values: decimals as text, so that no digit is lost."""
    return {name: _plain(value) for name, value in structs.asdict(view).items()}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
