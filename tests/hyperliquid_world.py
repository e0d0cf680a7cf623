"""A small Hyperliquid to test with: a few perps, a sparse spot list, one builder's dex."""

import json
from pathlib import Path
from typing import Any

import msgspec

from crosswire.domain import Place
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.listings import Listings

VECTORS = Path(__file__).parent / "vectors" / "hyperliquid"
KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
ACCOUNT = "0x14791697260e4c9a71f18484c9f997b308e59325"
VAULT = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
OWN_ID = "1234567890abcdef1234567890abcdef"
NOW_NS = 1_700_000_000_000_000_000
NOW_MS = 1_700_000_000_000

META = {
    "universe": [
        {"szDecimals": 5, "name": "BTC", "maxLeverage": 40, "marginTableId": 56},
        {"szDecimals": 4, "name": "ETH", "maxLeverage": 25, "marginTableId": 55},
        {"szDecimals": 1, "name": "MATIC", "maxLeverage": 20, "isDelisted": True},
        {"szDecimals": 0, "name": "kPEPE", "maxLeverage": 10, "onlyIsolated": True},
    ],
    "marginTables": [],
    "collateralToken": 0,
}
SPOT_META = {
    "universe": [
        {"tokens": [1, 0], "name": "PURR/USDC", "index": 0, "isCanonical": True},
        {"tokens": [150, 0], "name": "@107", "index": 107, "isCanonical": False},
        {"tokens": [151, 0], "name": "@200", "index": 200, "isCanonical": False},
        {"tokens": [999, 0], "name": "@201", "index": 201, "isCanonical": False},
    ],
    "tokens": [
        {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "tokenId": "0x6d1e"},
        {"name": "PURR", "szDecimals": 0, "weiDecimals": 5, "index": 1, "tokenId": "0xc1fb"},
        {"name": "HYPE", "szDecimals": 2, "weiDecimals": 8, "index": 150, "tokenId": "0x0d01"},
        {"name": "HYPE", "szDecimals": 2, "weiDecimals": 8, "index": 151, "tokenId": "0x0d02"},
    ],
}
DEXS = [None, {"name": "xyz", "fullName": "XYZ", "deployer": "0x88"}, {"name": "abc"}]
XYZ_META = {"universe": [{"szDecimals": 3, "name": "xyz:TSLA", "maxLeverage": 10}]}


def listings() -> Listings:
    """Return the instruments above, learnt in the order a session learns them."""
    known = Listings()
    known.learn_spot(msgspec.convert(SPOT_META, wire.SpotMeta))
    known.learn_dexs(msgspec.convert(DEXS, list[wire.PerpDex | None]))
    known.learn_perps(msgspec.convert(META, wire.Meta))
    known.learn_perps(msgspec.convert(XYZ_META, wire.Meta), "xyz")
    return known


def vectors(name: str) -> Any:
    """Return a file of vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text())


def place(name: str = "ETH-PERP", **changes: Any) -> Place:
    """Return a plain order: a buy of 0.2 ETH at 1100."""
    plain: dict[str, Any] = {
        "account": "main",
        "instrument": f"hyperliquid:{name}",
        "client_order_id": OWN_ID,
        "side": "buy",
        "quantity": parse("0.2"),
        "price": parse("1100"),
    }
    return Place(**{**plain, **changes})
