"""Whether an order may be placed: the venue's checks, texts and statuses.

What fails before the chain has no asset behind its text and no row in orderUpdates; what the
chain refuses has both. The order of the checks among themselves is not known.
"""

from msgspec import Struct

from crosswire.fixed import SCALE
from crosswire.venues.hyperliquid.simulator import margin
from crosswire.venues.hyperliquid.simulator.accounts import Account
from crosswire.venues.hyperliquid.simulator.actions import OrderWire
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.markets import (
    BAND,
    MAX_VALUE,
    MIN_VALUE,
    Market,
    value,
)
from crosswire.venues.hyperliquid.simulator.text import scaled, shown

NO_MATCH = "Order could not immediately match against any resting orders."
NO_MARGIN = "Insufficient margin to place order."
NO_BALANCE = "Insufficient spot balance"
INCREASES = "Reduce only order would increase position."
MIN_PERP = "Order must have minimum value of $10."
MIN_SPOT = "Order must have minimum value of 10 USDC."
BAD_TRIGGER = "Invalid TP/SL price."
BAD_PRICE = "Order has invalid price."
BAD_SIZE = "Order has invalid size."
NO_SIZE = "Order has zero size."
TOO_LARGE = "Order value too large. Max is $5000000."
TOO_FAR = f"Order price cannot be more than {BAND}% away from the reference price"
ORDERS_FREE, ORDERS_MOST = 1000, 5000


class Refusal(Struct, frozen=True):
    """Why not; `status` is what orderUpdates call it, "" for what never reached the chain."""

    text: str
    status: str = ""

    def named(self, asset: int) -> str:
        """The text of the answer: the chain adds the asset."""
        return f"{self.text} asset={asset}" if self.status else self.text


def precheck(exchange: Exchange, market: Market, wire: OrderWire) -> Refusal | None:
    """What is seen without looking at the account."""
    price, size = scaled(wire.p), scaled(wire.s)
    if not market.price_fits(price) or (wire.tif == "" and not _trigger_fits(market, wire)):
        return Refusal(BAD_PRICE)
    if size < 0 or not market.size_fits(size):
        return Refusal(BAD_SIZE)
    if size == 0 and not (wire.tif == "" and wire.r):
        return Refusal(NO_SIZE)
    reference = exchange.mark(market)
    if wire.tif and reference and abs(price - reference) * 100 > BAND * reference:
        return Refusal(TOO_FAR)
    if value(price, size) > MAX_VALUE:
        return Refusal(TOO_LARGE)
    return None


def _trigger_fits(market: Market, wire: OrderWire) -> bool:
    assert wire.t.trigger
    return market.price_fits(scaled(wire.t.trigger.trigger_px))


def check(
    exchange: Exchange, account: Account, market: Market, wire: OrderWire, quantity: int
) -> Refusal | None:
    """What the chain sees; `quantity` is what is left of a reduce-only order's."""
    price = scaled(wire.p)
    if exchange.faults.cloids_are_unique_is and wire.cloid:
        found = account.find(wire.cloid)
        if found is not None and found.is_open:
            return Refusal(exchange.duplicate_cloid, "rejected")
    if _is_full(account, wire):
        return Refusal("Too many open orders", "tooManyOpenOrdersRejected")
    if wire.r and not quantity:
        return Refusal(INCREASES, "reduceOnlyRejected")
    if value(price, quantity) < MIN_VALUE and not _closes_all(account, market, wire, quantity):
        text = MIN_SPOT if market.is_spot else MIN_PERP
        return Refusal(text, "minTradeNtlRejected")
    extra = margin.Extra(market, quantity, not wire.b)
    if market.is_spot and not margin.is_covered(exchange, account, extra, price):
        return Refusal(NO_BALANCE, "insufficientSpotBalanceRejected")
    is_exempt = market.is_spot or wire.r
    if not is_exempt and not margin.is_affordable(exchange, account, extra):
        return Refusal(NO_MARGIN, "perpMarginRejected")
    if wire.tif == "":
        return _check_trigger(exchange, market, wire)
    if wire.tif == "Alo" and exchange.engine(market).would_take("buy" if wire.b else "sell", price):
        return Refusal(crossing(exchange, market), "badAloPxRejected")
    return None


def _is_full(account: Account, wire: OrderWire) -> bool:
    """Whether there are too many open orders; the last thousands take no special ones."""
    there = len(account.open)
    most = min(ORDERS_FREE + account.volume // (5_000_000 * SCALE), ORDERS_MOST)
    is_special = wire.r or wire.tif == ""
    return there >= (ORDERS_FREE if is_special else most)


def _closes_all(account: Account, market: Market, wire: OrderWire, quantity: int) -> bool:
    """Whether a reduce-only order closes the whole position: then it may be small."""
    return wire.r and quantity == abs(account.size(market.coin))


def crossing(exchange: Exchange, market: Market) -> str:
    """The text for a post-only order that would have taken."""
    engine = exchange.engine(market)
    bid, ask = engine.best_bid(), engine.best_ask()
    best = "@".join("0" if one is None else bare(one[0]) for one in (bid, ask))
    return f"Post only order would have immediately matched, bbo was {best}."


def bare(price: int) -> str:
    return shown(price).removesuffix(".0")


def _check_trigger(exchange: Exchange, market: Market, wire: OrderWire) -> Refusal | None:
    """A trigger on the side where the mark stands already is no trigger."""
    assert wire.t.trigger
    price, mark = scaled(wire.t.trigger.trigger_px), exchange.mark(market)
    wakes_above = wire.b == (wire.t.trigger.tpsl == "sl")
    is_there = mark >= price if wakes_above else mark <= price
    return Refusal(BAD_TRIGGER, "badTriggerPxRejected") if is_there else None


def reducible(account: Account, market: Market, wire: OrderWire) -> int:
    """Return how much of an order is left if it may only reduce: 0 if it would increase."""
    size = account.size(market.coin)
    there = max(-size, 0) if wire.b else max(size, 0)
    return min(scaled(wire.s) or there, there)
