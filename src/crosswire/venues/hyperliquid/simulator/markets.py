"""What is listed, by the venue's rules: perps, spot pairs, one builder dex; fees by volume.

The usual list has what trips clients up: a delisted row in the middle, a perp that takes whole
numbers only, one that is isolated only, and a spot pair whose index is not its place.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from crosswire.domain import Instrument
from crosswire.fixed import SCALE, SCALE_DIGITS, multiply, parse

SPOT = 10_000
BUILDER = 100_000
DEX_SPAN = 10_000
SIGNIFICANT = 5
USDC = "USDC"
BAND = 95  # per cent from the reference price
MAX_VALUE = 5_000_000 * SCALE
MIN_VALUE = 10 * SCALE


class Market(Struct, frozen=True, kw_only=True):
    """One thing that is traded."""

    name: str  # what the ledger calls it: BTC-PERP, PURR/USDC, xyz:TSLA-PERP
    coin: str  # what the venue calls it: BTC, PURR/USDC or @107, xyz:TSLA
    asset: int  # what actions call it
    kind: Literal["perp", "spot"]
    base: str
    size_decimals: int
    start_price: int
    max_leverage: int = 1
    dex: str = ""
    is_delisted: bool = False
    is_isolated: bool = False
    flow_quantity: int = 0

    @property
    def is_spot(self) -> bool:
        return self.kind == "spot"

    @property
    def step(self) -> int:
        step: int = 10 ** (SCALE_DIGITS - self.size_decimals)
        return step

    @property
    def price_decimals(self) -> int:
        return (8 if self.is_spot else 6) - self.size_decimals

    @property
    def tick(self) -> int:
        """The price step near the first price: what the order flow quotes on."""
        finest: int = 10 ** (SCALE_DIGITS - self.price_decimals)
        five: int = 10 ** (len(str(self.start_price)) - SIGNIFICANT)
        return min(max(finest, five), SCALE)

    def price_fits(self, price: int) -> bool:
        """Whole numbers always; else five significant digits and the market's decimals."""
        if price <= 0:
            return False
        if price % SCALE == 0:
            return True
        digits = len(str(price).rstrip("0"))
        finest: int = 10 ** (SCALE_DIGITS - self.price_decimals)
        return digits <= SIGNIFICANT and price % finest == 0

    def size_fits(self, size: int) -> bool:
        return size % self.step == 0


def wallet(token: str) -> str:
    """Return the ledger's name for a token of the spot wallet: dollars lie in two places."""
    return f"spot:{token}" if token == USDC else token


def default_markets() -> tuple[Market, ...]:
    """Return the usual list."""
    perps = (
        _perp(0, "BTC", 5, "65000", 40),
        _perp(1, "ETH", 4, "3200", 25),
        _perp(2, "MATIC", 1, "0.5", 20, is_delisted=True),
        _perp(3, "SOL", 2, "150", 20),
        _perp(4, "DOGE", 0, "0.2", 10),
        _perp(5, "VINE", 0, "0.05", 3, is_isolated=True),
    )
    spot = (_spot("PURR/USDC", "PURR", 0, 0, "0.2"), _spot("@107", "HYPE", 107, 2, "25"))
    builder = Market(
        name="xyz:TSLA-PERP",
        coin="xyz:TSLA",
        asset=BUILDER + DEX_SPAN,
        kind="perp",
        base="TSLA",
        size_decimals=3,
        start_price=parse("400"),
        max_leverage=10,
        dex="xyz",
    )
    return (*perps, *spot, builder)


def _perp(
    index: int,
    coin: str,
    size_decimals: int,
    price: str,
    max_leverage: int,
    *,
    is_delisted: bool = False,
    is_isolated: bool = False,
) -> Market:
    return Market(
        name=f"{coin}-PERP",
        coin=coin,
        asset=index,
        kind="perp",
        base=coin,
        size_decimals=size_decimals,
        start_price=parse(price),
        max_leverage=max_leverage,
        is_delisted=is_delisted,
        is_isolated=is_isolated,
    )


def _spot(coin: str, base: str, index: int, size_decimals: int, price: str) -> Market:
    return Market(
        name=f"{base}/{USDC}",
        coin=coin,
        asset=SPOT + index,
        kind="spot",
        base=base,
        size_decimals=size_decimals,
        start_price=parse(price),
    )


def listed(instruments: Sequence[Instrument]) -> tuple[Market, ...]:
    """Return markets for the instruments of a real venue, numbered in the order given."""
    made: list[Market] = []
    counts: dict[str, int] = {}
    dexs: list[str] = []
    for one in instruments:
        dex = one.name.partition(":")[0] if ":" in one.name else ""
        kind: Literal["perp", "spot"] = "spot" if one.kind == "spot" else "perp"
        if dex and dex not in dexs:
            dexs.append(dex)
        place = counts[dex + kind] = counts.get(dex + kind, -1) + 1
        first = SPOT if kind == "spot" else 0
        first = BUILDER + DEX_SPAN * (dexs.index(dex) + 1) if dex else first
        coin = one.name.removesuffix("-PERP")
        made.append(
            Market(
                name=one.name,
                coin=f"@{place}" if kind == "spot" and place else coin,
                asset=first + place,
                kind=kind,
                base=one.base,
                size_decimals=one.quantity_decimals,
                start_price=one.price_tick,
                max_leverage=1 if kind == "spot" else 10,
                dex=dex,
            )
        )
    return tuple(made)


# Volume of 14 days in dollars, then perp taker and maker, spot taker and maker, in millionths.
TIERS = (
    (7_000_000_000, 240, 0, 250, 0),
    (2_000_000_000, 260, 0, 300, 0),
    (500_000_000, 280, 0, 350, 0),
    (100_000_000, 300, 40, 400, 100),
    (25_000_000, 350, 80, 500, 200),
    (5_000_000, 400, 120, 600, 300),
    (0, 450, 150, 700, 400),
)
MILLIONTH = SCALE // 1_000_000


def tier(volume: int) -> tuple[int, ...]:
    """Return the row of `TIERS` that a volume, scaled, has earned."""
    return next(one for one in TIERS if volume >= one[0] * SCALE)


def fee_rate(market: Market, volume: int, *, is_taker: bool) -> int:
    """Return the fee as a fraction, scaled; a builder dex costs twice."""
    row = tier(volume)
    rate = row[(3 if market.is_spot else 1) + (not is_taker)] * MILLIONTH
    return 2 * rate if market.dex else rate


def value(price: int, quantity: int) -> int:
    return multiply(price, quantity)
