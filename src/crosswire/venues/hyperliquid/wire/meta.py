"""/info: what is traded, and its state."""

from msgspec import Struct

from crosswire.venues.hyperliquid.wire.words import Ignored, Milliseconds, Number


class PerpAsset(Struct, frozen=True, rename="camel"):
    """One perp; its position in `universe` makes its asset id, delisted ones included."""

    name: str
    sz_decimals: int
    max_leverage: int = 0
    margin_table_id: int | None = None
    only_isolated: bool = False
    is_delisted: bool = False
    margin_mode: str | None = None


class Meta(Struct, frozen=True, rename="camel"):
    """One dex's perps. `collateral_token` is the index of a token of spotMeta."""

    universe: list[PerpAsset]
    margin_tables: Ignored = None
    collateral_token: int = 0


class PerpContext(Struct, frozen=True, rename="camel"):
    """The state of one perp; prices are null where its book is empty."""

    funding: Number = "0"
    open_interest: Number = "0"
    prev_day_px: Number = "0"
    day_ntl_vlm: Number = "0"
    premium: Number | None = None
    oracle_px: Number | None = None
    mark_px: Number | None = None
    mid_px: Number | None = None
    impact_pxs: list[Number] | None = None
    day_base_vlm: Number | None = None


class SpotContext(Struct, frozen=True, rename="camel"):
    """The state of one spot pair."""

    coin: str = ""
    day_ntl_vlm: Number = "0"
    mark_px: Number | None = None
    mid_px: Number | None = None
    prev_day_px: Number = "0"
    circulating_supply: Number | None = None
    total_supply: Number | None = None
    day_base_vlm: Number | None = None


class SpotToken(Struct, frozen=True, rename="camel"):
    """One token; `index` is its number, the position says nothing."""

    name: str
    sz_decimals: int
    index: int
    wei_decimals: int = 0
    token_id: str = ""
    is_canonical: bool = False
    evm_contract: Ignored = None
    full_name: str | None = None
    deployer_trading_fee_share: Ignored = None


class SpotPair(Struct, frozen=True, rename="camel"):
    """One pair; `tokens` are the indexes of base and quote."""

    name: str
    tokens: list[int]
    index: int
    is_canonical: bool = False


class SpotMeta(Struct, frozen=True):
    """All spot pairs and tokens."""

    universe: list[SpotPair]
    tokens: list[SpotToken]


class PerpDex(Struct, frozen=True, rename="camel"):
    """One builder's dex; the venue's own is null in the list."""

    name: str
    full_name: str = ""
    deployer: str = ""
    oracle_updater: str | None = None
    fee_recipient: str | None = None
    asset_to_streaming_oi_cap: Ignored = None
    sub_deployers: Ignored = None


class ExchangeStatus(Struct, frozen=True, rename="camel"):
    """The venue's clock, and what is out of the ordinary."""

    time: Milliseconds
    special_statuses: Ignored = None


class Token(Struct, frozen=True, rename="camel"):
    """tokenDetails: one spot token, with its prices."""

    name: str
    sz_decimals: int
    wei_decimals: int
    total_supply: Number
    mid_px: Number | None = None
    mark_px: Number | None = None
