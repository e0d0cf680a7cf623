"""Pairs as the real venue lists them, for a simulator that takes the orders of paper trading."""

from crosswire.domain import Instrument
from crosswire.venues.kraken.simulator.markets import ASSETS, Asset, Market

KNOWN = {asset.name: asset for asset in ASSETS}
DECIMALS = 10  # of an asset whose own decimals nobody told us


def market_of(instrument: Instrument) -> Market:
    """Return the pair with the real venue's rules; its first price comes with its book."""
    return Market(
        symbol=instrument.name,
        base=_asset(instrument.base),
        quote=_asset(instrument.quote),
        price_decimals=instrument.price_decimals,
        quantity_decimals=instrument.quantity_decimals,
        cost_decimals=DECIMALS,
        tick=instrument.price_tick,
        min_quantity=instrument.min_quantity,
        min_cost=instrument.min_notional,
        start_price=instrument.price_tick,
        status="online" if instrument.status == "off" else instrument.status,
    )


def _asset(name: str) -> Asset:
    return KNOWN.get(name) or Asset(name, name, name, DECIMALS, 5)
