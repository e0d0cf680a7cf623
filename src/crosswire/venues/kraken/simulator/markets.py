"""The pairs and assets that this Kraken lists, and how each of its interfaces names them."""

from msgspec import Raw, Struct

from crosswire.venues.kraken.simulator.text import ONE, fixed, scaled, short, short_number

TAKER_FEES = (
    (0, "0.40"),
    (10_000, "0.35"),
    (50_000, "0.24"),
    (100_000, "0.22"),
    (250_000, "0.20"),
    (500_000, "0.18"),
    (1_000_000, "0.16"),
    (2_500_000, "0.14"),
    (5_000_000, "0.12"),
    (10_000_000, "0.10"),
)
MAKER_FEES = (
    (0, "0.25"),
    (10_000, "0.20"),
    (50_000, "0.14"),
    (100_000, "0.12"),
    (250_000, "0.10"),
    (500_000, "0.08"),
    (1_000_000, "0.06"),
    (2_500_000, "0.04"),
    (5_000_000, "0.02"),
    (10_000_000, "0.00"),
)


class Asset(Struct, frozen=True):
    """A currency: its v2 name, its two REST names, its decimals."""

    name: str
    rest_name: str
    alt_name: str
    decimals: int
    display_decimals: int
    margin_rate: str = "0.020000"


class Market(Struct):
    """One pair with its rules; `status`, `tick` and `step` may change while it runs."""

    symbol: str
    base: Asset
    quote: Asset
    price_decimals: int
    quantity_decimals: int
    cost_decimals: int
    tick: int
    min_quantity: int
    min_cost: int
    start_price: int
    flow_quantity: int = 0  # of the order flow's typical quote; 0 = left to the flow
    step: int = 0  # what quantities are multiples of; 0 = their last decimal
    is_marginable: bool = True
    status: str = "online"
    margin_initial: str = "0.2"
    long_limit: int = 250
    short_limit: int = 200

    def __post_init__(self) -> None:
        self.step = self.step or 10 ** (10 - self.quantity_decimals)

    @property
    def alt_name(self) -> str:
        """XBTUSD."""
        return self.base.alt_name + self.quote.alt_name

    @property
    def rest_name(self) -> str:
        """XXBTZUSD; SOLUSD where a side has no four-letter name."""
        is_old = len(self.base.rest_name) == 4 and len(self.quote.rest_name) == 4
        return self.base.rest_name + self.quote.rest_name if is_old else self.alt_name

    @property
    def v1_name(self) -> str:
        """XBT/USD."""
        return f"{self.base.alt_name}/{self.quote.alt_name}"

    def price_text(self, price: int) -> str:
        return fixed(price, self.price_decimals)

    def quantity_text(self, quantity: int) -> str:
        return fixed(quantity, self.quantity_decimals)

    def cost_text(self, cost: int) -> str:
        return fixed(cost, self.cost_decimals)


def _amount(text: str) -> int:
    value = scaled(text)
    assert value is not None
    return value


BTC = Asset("BTC", "XXBT", "XBT", 10, 5, "0.010000")
ETH = Asset("ETH", "XETH", "ETH", 10, 5)
SOL = Asset("SOL", "SOL", "SOL", 10, 5)
USD = Asset("USD", "ZUSD", "USD", 4, 2, "0.025000")
ASSETS = (BTC, ETH, SOL, USD)


def default_markets() -> tuple[Market, ...]:
    """The four pairs listed unless told otherwise, at plausible prices."""
    rows = (
        (BTC, USD, 1, 5, "0.1", "0.00005", "0.5", "65000", "0.03"),
        (ETH, USD, 2, 5, "0.01", "0.001", "0.5", "3500", "0.6"),
        (ETH, BTC, 5, 8, "0.00001", "0.001", "0.00002", "0.05385", "0.6"),
        (SOL, USD, 2, 5, "0.01", "0.02", "0.5", "150", "13"),
    )
    return tuple(
        Market(
            symbol=f"{base.name}/{quote.name}",
            base=base,
            quote=quote,
            price_decimals=price_decimals,
            quantity_decimals=8,
            cost_decimals=cost_decimals,
            tick=_amount(tick),
            min_quantity=_amount(least),
            min_cost=_amount(least_cost),
            start_price=_amount(start),
            flow_quantity=_amount(typical),
        )
        for (
            base,
            quote,
            price_decimals,
            cost_decimals,
            tick,
            least,
            least_cost,
            start,
            typical,
        ) in rows
    )


def find(markets: dict[str, Market], name: object) -> Market | None:
    """Return a market by any of the names REST takes: BTC/USD, XBTUSD, XXBTZUSD, XBT/USD."""
    for market in markets.values():
        if name in (market.symbol, market.alt_name, market.rest_name, market.v1_name):  # any JSON
            return market
    return None


def rest_key(market: Market, asked: object) -> str:
    """Return the key of a REST answer: it follows what was asked."""
    return market.symbol if asked == market.symbol else market.rest_name


def fee_percent(schedule: tuple[tuple[int, str], ...], volume: int) -> str:
    """Return the percentage for a 30-day volume in whole US dollars."""
    found = schedule[0][1]
    for least, percent in schedule:
        if volume >= least:
            found = percent
    return found


def fee_rate(schedule: tuple[tuple[int, str], ...], volume: int) -> int:
    """Return the fraction of the cost, scaled, for a 30-day volume in US dollars, scaled."""
    return _amount(fee_percent(schedule, volume // ONE)) // 100


def asset_row(asset: Asset) -> dict[str, object]:
    """A row of REST `Assets`."""
    return {
        "aclass": "currency",
        "altname": asset.alt_name,
        "decimals": asset.decimals,
        "display_decimals": asset.display_decimals,
        "collateral_value": 1,
        "status": "enabled",
        "margin_rate": short(_amount(asset.margin_rate)),
    }


def pair_row(market: Market, *, is_modern: bool) -> dict[str, object]:
    """A row of REST `AssetPairs`; `is_modern` is `assetVersion=1`."""
    base, quote = market.base, market.quote
    leverage = [2, 3, 4, 5] if market.is_marginable else []
    return {
        "altname": market.alt_name,
        "wsname": market.v1_name,
        "aclass_base": "currency",
        "base": base.name if is_modern else base.rest_name,
        "aclass_quote": "currency",
        "quote": quote.name if is_modern else quote.rest_name,
        "lot": "unit",
        "cost_decimals": market.cost_decimals,
        "pair_decimals": market.price_decimals,
        "lot_decimals": market.quantity_decimals,
        "lot_multiplier": 1,
        "leverage_buy": leverage,
        "leverage_sell": leverage,
        "fees": _fee_rows(TAKER_FEES),
        "fees_maker": _fee_rows(MAKER_FEES),
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": _plain(market.min_quantity),
        "costmin": _plain(market.min_cost),
        "tick_size": _plain(market.tick),
        "status": market.status,
        "long_position_limit": market.long_limit,
        "short_position_limit": market.short_limit,
    }


def _fee_rows(schedule: tuple[tuple[int, str], ...]) -> list[list[object]]:
    return [[volume, Raw(percent.encode())] for volume, percent in schedule]


def _plain(value: int) -> str:
    return fixed(value, 10).rstrip("0").removesuffix(".")


def asset_item(asset: Asset) -> dict[str, object]:
    """An asset on the `instrument` channel."""
    return {
        "id": asset.name,
        "status": "enabled",
        "precision": asset.decimals,
        "precision_display": asset.display_decimals,
        "borrowable": True,
        "collateral_value": Raw(b"1.00"),
        "margin_rate": Raw(asset.margin_rate.encode()),
    }


def pair_item(market: Market) -> dict[str, object]:
    """A pair on the `instrument` channel, which prints small numbers with exponents."""
    item: dict[str, object] = {
        "symbol": market.symbol,
        "base": market.base.name,
        "quote": market.quote.name,
        "status": market.status,
        "qty_precision": market.quantity_decimals,
        "qty_increment": short_number(market.step),
        "price_precision": market.price_decimals,
        "cost_precision": market.cost_decimals,
        "marginable": market.is_marginable,
        "has_index": True,
        "cost_min": short_number(market.min_cost),
    }
    if market.is_marginable:
        item["margin_initial"] = Raw(market.margin_initial.encode())
        item["position_limit_long"] = market.long_limit
        item["position_limit_short"] = market.short_limit
    return item | {
        "tick_size": short_number(market.tick),
        "price_increment": short_number(market.tick),
        "qty_min": short_number(market.min_quantity),
    }
