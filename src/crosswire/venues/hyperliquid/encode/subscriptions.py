"""What can be subscribed: the objects that `envelope.subscribe` carries."""

import msgspec

from crosswire.venues.hyperliquid import canonical, wire

_encode = msgspec.json.Encoder().encode


def of_coin(kind: str, coin: str) -> bytes:
    """Return bbo, trades or activeAssetCtx of a coin."""
    return _encode({"type": kind, "coin": coin})


def l2_book(coin: str, *, is_fast: bool = False) -> bytes:
    """Return the book of a coin: 20 levels every 5 s, or with `is_fast` 5 levels twice a second."""
    fast = {"fast": True} if is_fast else {}
    return _encode({"type": "l2Book", "coin": coin, **fast})


def candle(coin: str, interval: str) -> bytes:
    """Return the candles of a coin; `ValueError` for an interval the venue does not have."""
    if interval not in wire.INTERVALS_S:
        raise ValueError(f'no candles of "{interval}": one of {", ".join(wire.INTERVALS_S)}')
    return _encode({"type": "candle", "coin": coin, "interval": interval})


def all_mids(dex: str = "") -> bytes:
    """Return the mids of all coins of a dex."""
    return _encode({"type": "allMids", **({"dex": dex} if dex else {})})


def of_user(kind: str, user: str) -> bytes:
    """Return orderUpdates, userFills, userEvents or another channel of one account."""
    return _encode({"type": kind, "user": canonical.address(user)})
