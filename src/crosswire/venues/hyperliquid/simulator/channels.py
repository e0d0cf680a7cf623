"""Subscriptions: what may be asked for, and how the venue repeats it."""

from collections.abc import Mapping

from msgspec import Struct

from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.rows import Row
from crosswire.venues.hyperliquid.simulator.tape import MINUTES
from crosswire.venues.hyperliquid.simulator.text import SECOND, address, encode

COIN = frozenset({"l2Book", "bbo", "trades", "candle", "activeAssetCtx", "activeAssetData"})
USER = frozenset(
    {
        "orderUpdates",
        "userFills",
        "userEvents",
        "userFundings",
        "userNonFundingLedgerUpdates",
        "openOrders",
        "clearinghouseState",
        "spotState",
        "activeAssetData",
        "notification",
    }
)
PLAIN = frozenset({"allMids"})
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "l2Book": ("nSigFigs", "mantissa", "fast"),
    "candle": ("interval",),
    "userFills": ("aggregateByTime",),
    "openOrders": ("dex",),
    "clearinghouseState": ("dex",),
    "allMids": ("dex",),
}
CHANNELS = {"userEvents": "user"}
SLOW_NS, FAST_NS = 5 * SECOND, SECOND // 2


class Subscription(Struct, frozen=True):
    """One thing that a connection wants to hear, in the venue's own spelling."""

    kind: str
    key: bytes  # the spelling as JSON: what makes two subscriptions one
    echo: Row
    coin: str = ""
    user: str = ""
    interval: str = ""
    dex: str = ""
    figures: int | None = None
    mantissa: int | None = None
    is_fast: bool = False
    is_aggregated: bool = False

    @property
    def channel(self) -> str:
        return CHANNELS.get(self.kind, self.kind)

    @property
    def period_ns(self) -> int:
        """How often at most a book is told."""
        return FAST_NS if self.is_fast else SLOW_NS


def parse(exchange: Exchange, asked: Mapping[str, object]) -> Subscription | None:
    """Return the subscription, None if it is not one."""
    kind = asked.get("type")
    if not isinstance(kind, str) or kind not in COIN | USER | PLAIN:
        return None
    known = {"type", *OPTIONS.get(kind, ())}
    known |= {"coin"} if kind in COIN else set()
    known |= {"user"} if kind in USER else set()
    if asked.keys() - known:
        return None
    coin, user = asked.get("coin", ""), asked.get("user", "")
    if kind in COIN and coin not in exchange.coins:
        return None
    if kind in USER:
        try:
            user = address(str(user))
        except ValueError:
            return None
    return _spelled(kind, str(coin), str(user), asked)


def _spelled(kind: str, coin: str, user: str, asked: Mapping[str, object]) -> Subscription | None:
    interval = asked.get("interval", "")
    if kind == "candle" and interval not in MINUTES:
        return None
    figures, mantissa = asked.get("nSigFigs"), asked.get("mantissa")
    if figures not in {None, 2, 3, 4, 5} or mantissa not in {None, 1, 2, 5}:
        return None
    is_fast, is_aggregated = asked.get("fast") is True, asked.get("aggregateByTime") is True
    dex = str(asked.get("dex") or "")
    echo: Row = {"type": kind}
    if kind == "candle":
        echo |= {"interval": interval}
    if kind in USER:
        echo |= {"user": user}
    if kind in COIN:
        echo |= {"coin": coin}
    if kind == "l2Book":
        echo |= {"nSigFigs": figures, "mantissa": mantissa}
    echo |= {"fast": True} if is_fast else {}
    echo |= {"aggregateByTime": True} if is_aggregated else {}
    echo |= {"dex": dex} if dex else {}
    return Subscription(
        kind=kind,
        key=encode(echo),
        echo=echo,
        coin=coin,
        user=user,
        interval=str(interval),
        dex=dex,
        figures=figures if isinstance(figures, int) else None,
        mantissa=mantissa if isinstance(mantissa, int) else None,
        is_fast=is_fast,
        is_aggregated=is_aggregated,
    )
