"""What is traded here: the venue's coins and asset ids, our instruments, and their rules.

A coin (`BTC`, `@107`, `xyz:TSLA`) names an instrument in subscriptions, look-ups and events; an
asset id names it in actions. Ids differ between mainnet and testnet and shift with listings:
they are learnt from the venue's meta and never kept.
"""

from collections.abc import Iterable

from msgspec import Struct

from crosswire.domain import Instrument, InstrumentStatus, Kind
from crosswire.fixed import SCALE, SCALE_DIGITS
from crosswire.venues.hyperliquid import wire

VENUE = "hyperliquid"
PRICE_DIGITS = 5  # significant ones, of any price that is not whole
PERP_DECIMALS, SPOT_DECIMALS = 6, 8  # of a price, less those of a size
SPOT_ASSETS = 10_000
BUILDER_ASSETS, BUILDER_STEP = 100_000, 10_000
MIN_NOTIONAL = 10 * SCALE  # dollars, or units of the quote token
QUOTE = "USDC"  # where meta does not name its collateral


class Listing(Struct, frozen=True):
    """One instrument as the venue knows it."""

    instrument: Instrument
    coin: str
    asset: int
    dex: str = ""  # "" is the venue's own


class Listings:
    """All instruments the venue has named so far, by id, by coin and by asset id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Listing] = {}
        self.by_coin: dict[str, Listing] = {}
        self.by_asset: dict[int, Listing] = {}
        self.dexs: tuple[str, ...] = ("",)  # in the order in which their asset ids stand
        self.unknown: set[str] = set()  # coins seen that no meta named: time to read it again
        self._tokens: dict[int, wire.SpotToken] = {}
        self._collaterals: dict[str, int] = {}
        self._ids: dict[str, str] = {}

    def instrument_id(self, coin: str) -> str:
        """Return our id of a coin; for one that no meta has named yet, what it will be."""
        known = self._ids.get(coin)
        if known is None:
            self.unknown.add(coin)
            return f"{VENUE}:{_unlisted_name(coin)}"
        return known

    def token_name(self, index: int) -> str:
        """Return the name of a token, as far as spotMeta has told."""
        token = self._tokens.get(index)
        return token.name if token else QUOTE

    def collateral(self, dex: str) -> str | None:
        """Return what a dex's perps are paid in, None while its meta has not told.

        Dollars there are `USDC`, those of the spot wallet `spot:USDC`; any other token is called
        by its name in the spot wallet, so as collateral it gets another.
        """
        index = self._collaterals.get(dex)
        if index is None:
            return None
        name = self.token_name(index)
        return name if name == QUOTE else f"perps:{name}"

    def learn_dexs(self, rows: Iterable[wire.PerpDex | None]) -> tuple[str, ...]:
        """Take in perpDexs, in which the venue's own dex is null; returns all names in order."""
        self.dexs = tuple("" if row is None else row.name for row in rows)
        return self.dexs

    def learn_perps(self, meta: wire.Meta, dex: str = "") -> list[Instrument]:
        """Take in a dex's meta and return its instruments; `ValueError` for an unknown dex.

        Sizes finer than our numbers cannot be traded here: such rows are left out.
        """
        if dex not in self.dexs:
            raise ValueError(f'the dex "{dex}" is not in perpDexs')
        first = BUILDER_ASSETS + BUILDER_STEP * self.dexs.index(dex) if dex else 0
        self._collaterals[dex] = meta.collateral_token
        quote = self.token_name(meta.collateral_token)
        return [
            self._add(_perp(row, first + index, dex, quote))
            for index, row in enumerate(meta.universe)
            if 0 <= row.sz_decimals <= SCALE_DIGITS
        ]

    def learn_spot(self, meta: wire.SpotMeta) -> list[Instrument]:
        """Take in spotMeta and return its instruments; pairs of unknown tokens are left out.

        Both lists are sparse: `index` counts, the position says nothing.
        """
        self._tokens = {token.index: token for token in meta.tokens}
        found = []
        taken: dict[str, int] = {}
        for pair in sorted(meta.universe, key=lambda each: each.index):
            tokens = [self._tokens.get(index) for index in pair.tokens]
            if len(tokens) != 2 or tokens[0] is None or tokens[1] is None:
                continue
            if not 0 <= tokens[0].sz_decimals <= SCALE_DIGITS:
                continue
            name = f"{tokens[0].name}/{tokens[1].name}"
            # Names of tokens need not be unique: the first pair keeps the name.
            if taken.setdefault(name, pair.index) != pair.index:
                name = pair.name
            found.append(self._add(_spot(pair, tokens[0], tokens[1], name)))
        return found

    def _add(self, listing: Listing) -> Instrument:
        self.by_id[listing.instrument.id] = listing
        self.by_coin[listing.coin] = listing
        self.by_asset[listing.asset] = listing
        self._ids[listing.coin] = listing.instrument.id
        self.unknown.discard(listing.coin)
        return listing.instrument


def dex_of(coin: str) -> str:
    """Return the builder's dex of a coin or an instrument's name, "" = the venue's own."""
    return coin.partition(":")[0] if ":" in coin else ""


def spot_name(token: str) -> str:
    """Return what a token of the spot wallet is called in balances: dollars lie in two places."""
    return f"spot:{token}" if token == QUOTE else token


def _unlisted_name(coin: str) -> str:
    """Spot pairs by number and outcomes keep the venue's name, perps get theirs."""
    return coin if coin[:1] in "@#" or "/" in coin else f"{coin}-PERP"


def _perp(row: wire.PerpAsset, asset: int, dex: str, quote: str) -> Listing:
    name = f"{row.name}-PERP"
    found = _instrument(
        name,
        kind="perp",
        pair=(row.name, quote),
        decimals=(PERP_DECIMALS - row.sz_decimals, row.sz_decimals),
        status="off" if row.is_delisted else "online",
    )
    return Listing(found, row.name, asset, dex)


def _spot(pair: wire.SpotPair, of: wire.SpotToken, against: wire.SpotToken, name: str) -> Listing:
    found = _instrument(
        name,
        kind="spot",
        pair=(of.name, against.name),
        decimals=(SPOT_DECIMALS - of.sz_decimals, of.sz_decimals),
    )
    return Listing(found, pair.name, SPOT_ASSETS + pair.index)


def _instrument(
    name: str,
    *,
    kind: Kind,
    pair: tuple[str, str],
    decimals: tuple[int, int],
    status: InstrumentStatus = "online",
) -> Instrument:
    price_decimals, quantity_decimals = max(0, decimals[0]), decimals[1]
    step = 10 ** (SCALE_DIGITS - quantity_decimals)
    return Instrument(
        id=f"{VENUE}:{name}",
        venue=VENUE,
        name=name,
        kind=kind,
        base=pair[0],
        quote=pair[1],
        price_tick=10 ** (SCALE_DIGITS - price_decimals),
        quantity_step=step,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        min_quantity=step,
        min_notional=MIN_NOTIONAL,
        status=status,
        price_digits=PRICE_DIGITS,
    )
