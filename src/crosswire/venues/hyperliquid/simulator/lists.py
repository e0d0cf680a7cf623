"""Answers about what is listed, and how it trades."""

from collections.abc import Mapping

from crosswire.fixed import SCALE
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.markets import DEX_SPAN, SPOT, USDC, Market
from crosswire.venues.hyperliquid.simulator.rows import Row
from crosswire.venues.hyperliquid.simulator.states import spot_tokens, token_index
from crosswire.venues.hyperliquid.simulator.tape import Tape
from crosswire.venues.hyperliquid.simulator.text import shown, stranger

Tapes = Mapping[str, Tape]
FUNDING = SCALE * 125 // 10_000_000  # an hour: 0.0000125


def dexs(exchange: Exchange) -> list[str]:
    """The builder dexs, in the order of their asset ids."""
    found = {one.asset // DEX_SPAN: one.dex for one in exchange.markets.values() if one.dex}
    return [found[index] for index in sorted(found)]


def perps(exchange: Exchange, dex: str) -> list[Market]:
    """The perps of a dex, in the order of their asset ids."""
    found = [one for one in exchange.markets.values() if not one.is_spot and one.dex == dex]
    return sorted(found, key=lambda one: one.asset)


def spots(exchange: Exchange) -> list[Market]:
    found = [one for one in exchange.markets.values() if one.is_spot]
    return sorted(found, key=lambda one: one.asset)


def meta(exchange: Exchange, dex: str) -> Row:
    """The perps of a dex."""
    found = perps(exchange, dex)
    universe: list[Row] = []
    for one in found:
        row: Row = {
            "szDecimals": one.size_decimals,
            "name": one.coin,
            "maxLeverage": one.max_leverage,
            "marginTableId": one.max_leverage,
        }
        row |= {"isDelisted": True} if one.is_delisted else {}
        if one.is_isolated:
            row |= {"onlyIsolated": True, "marginMode": "strictIsolated"}
        universe.append(row)
    tables = [
        [most, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": most}]}]
        for most in sorted({one.max_leverage for one in found})
    ]
    return {"universe": universe, "marginTables": tables, "collateralToken": 0}


def perp_context(exchange: Exchange, market: Market, tape: Tape) -> Row:
    """How a perp trades now."""
    row = spot_context(exchange, market, tape)
    price = row["markPx"]
    del row["coin"], row["circulatingSupply"], row["totalSupply"]
    middle = row["midPx"]
    return row | {
        "funding": shown(FUNDING),
        "openInterest": shown(tape.volume),
        "premium": "0.0" if middle else None,
        "oraclePx": price,
        "impactPxs": [middle, middle] if middle else None,
    }


def spot_context(exchange: Exchange, market: Market, tape: Tape) -> Row:
    """How a spot pair trades now."""
    engine = exchange.engine(market)
    price = exchange.mark(market)
    has_middle = engine.best_bid() is not None and engine.best_ask() is not None
    return {
        "coin": market.coin,
        "dayNtlVlm": shown(tape.notional),
        "markPx": shown(price),
        "midPx": shown(price) if has_middle else None,
        "prevDayPx": shown(market.start_price),
        "circulatingSupply": "1000000000.0",
        "totalSupply": "1000000000.0",
        "dayBaseVlm": shown(tape.volume),
    }


def contexts(exchange: Exchange, tapes: Tapes, dex: str) -> list[object]:
    found = [perp_context(exchange, one, tapes[one.coin]) for one in perps(exchange, dex)]
    return [meta(exchange, dex), found]


def spot_contexts(exchange: Exchange, tapes: Tapes) -> list[object]:
    found = [spot_context(exchange, one, tapes[one.coin]) for one in spots(exchange)]
    return [spot_meta(exchange), found]


def spot_meta(exchange: Exchange) -> Row:
    """The spot pairs and their tokens: neither list is without gaps in its indexes."""
    listed = spots(exchange)
    decimals = {USDC: 8} | {one.base: one.size_decimals for one in listed}
    names = spot_tokens(exchange)
    places = {name: token_index(place) for place, name in enumerate(names)}
    tokens = [
        {
            "name": name,
            "szDecimals": decimals[name],
            "weiDecimals": 8,
            "index": places[name],
            "tokenId": stranger(f"token {name}")[:34],
            "isCanonical": True,
            "evmContract": None,
            "fullName": None,
            "deployerTradingFeeShare": "0.0",
        }
        for name in names
    ]
    universe = [
        {
            "tokens": [places[one.base], 0],
            "name": one.coin,
            "index": one.asset - SPOT,
            "isCanonical": one.asset == SPOT,
        }
        for one in listed
    ]
    return {"universe": universe, "tokens": tokens}


def perp_dexs(exchange: Exchange) -> list[Row | None]:
    """The dexs; the first one has no name and no row."""
    found: list[Row | None] = [None]
    for name in dexs(exchange):
        caps = [[one.coin, "25000000.0"] for one in perps(exchange, name)]
        found.append(
            {
                "name": name,
                "fullName": name.upper(),
                "deployer": stranger(f"deployer {name}"),
                "oracleUpdater": None,
                "feeRecipient": stranger(f"deployer {name}"),
                "assetToStreamingOiCap": caps,
                "subDeployers": [],
                "deployerFeeScale": "1.0",
                "lastDeployerFeeScaleChangeTime": "1970-01-01T00:00:00",
                "assetToFundingMultiplier": [],
            }
        )
    return found


def mids(exchange: Exchange, dex: str) -> dict[str, str]:
    """The middle of every book: of the first dex and spot, or of a builder dex."""
    found = exchange.markets.values()
    return {
        one.coin: shown(exchange.mark(one))
        for one in found
        if one.dex == dex and not one.is_delisted
    }
