"""What a new order must keep to, and the venue's text for each breach."""

from crosswire.sim.matching import MatchingEngine
from crosswire.venues.kraken.simulator.accounts import Account, OrderRecord, spend
from crosswire.venues.kraken.simulator.limits import OPEN_ORDERS
from crosswire.venues.kraken.simulator.markets import Market
from crosswire.venues.kraken.simulator.text import ONE, SECOND, decimals_of, scaled, times
from crosswire.venues.kraken.simulator.wishes import (
    ARGUMENTS,
    PRICED,
    TRIGGERED,
    Wish,
    same_id,
)

ELAPSED = "EService:Deadline elapsed"
UNAVAILABLE = "EService:Unavailable"
FUNDS = "EOrder:Insufficient funds"
MARGIN = "EOrder:Insufficient margin"
POST_ONLY = "EOrder:Post only order"
NOT_UNIQUE = f"{ARGUMENTS}:cl_ord_id not unique"
MONTH_NS = 31 * 86_400 * SECOND
MAX_DEADLINE_NS = 60 * SECOND
MIN_REST_DEADLINE_NS = 2 * SECOND
POST_ONLY_TYPES = PRICED
ICEBERG_PARTS = 15


def deadline(wish_ns: int, arrived_ns: int, now_ns: int, *, is_rest: bool) -> str:
    """Refuse a deadline that is past, or that was too near (REST) or too far on arrival."""
    if not wish_ns:
        return ""
    if wish_ns <= now_ns:
        return ELAPSED
    least_ns = MIN_REST_DEADLINE_NS if is_rest else 0
    if not least_ns <= wish_ns - arrived_ns <= MAX_DEADLINE_NS:
        return f"{ARGUMENTS}:deadline"
    return ""


def market_open(system: str, market: Market, *, is_post_only: bool, is_market: bool) -> str:
    """Refuse what the venue's or the pair's state does not take now."""
    if "maintenance" in {system, market.status} or market.status == "delisted":
        return UNAVAILABLE
    if "cancel_only" in {system, market.status}:
        return "EService:Market in cancel_only mode"
    if "post_only" in {system, market.status} and not is_post_only:
        return "EService:Market in post_only mode"
    if market.status == "limit_only" and is_market:
        return "EService:Market in limit_only mode"
    return ""


def price(value: int | None, market: Market) -> str:
    """Refuse a static price off the grid."""
    if value is None or value <= 0 or decimals_of(value) > market.price_decimals:
        return "EOrder:Invalid price"
    return "EOrder:Tick size check failed" if value % market.tick else ""


def quantity(value: int, market: Market, filled: int = 0) -> str:
    """Refuse a quantity below the minimum or off the step, both whole and without its fills."""
    if value % market.step and (value - filled) % market.step:
        return f"{ARGUMENTS}:volume"
    return "EOrder:Order minimum not met" if value < market.min_quantity else ""


def form(wish: Wish, market: Market, now_ns: int) -> str:
    """Refuse an order that contradicts itself or the pair's rules, whoever sends it."""
    return (
        _amounts(wish, market)
        or _prices(wish, market)
        or _life(wish, now_ns)
        or _extras(wish, market)
    )


def _amounts(wish: Wish, market: Market) -> str:
    if wish.cash:
        is_fit = wish.order_type == "market" and wish.side == "buy" and not wish.margin
        if not is_fit or wish.quantity:
            return f"{ARGUMENTS}:cash_order_qty"
        return "EOrder:Cost minimum not met" if wish.cash < market.min_cost else ""
    return quantity(wish.quantity, market)


def _prices(wish: Wish, market: Market) -> str:
    if (wish.order_type in TRIGGERED) != (wish.trigger is not None):
        return f"{ARGUMENTS}:triggers"
    if wish.trigger is not None and wish.trigger.unit == "static":
        text = price(wish.trigger.price, market)
        if text or wish.order_type.startswith("trailing"):
            return text or f"{ARGUMENTS}:price_type"
    if wish.order_type not in PRICED:
        return ""
    if wish.price_unit != "static":
        is_fit = wish.order_type in TRIGGERED and wish.price is not None
        return "" if is_fit else "EOrder:Invalid price"
    text = price(wish.price, market)
    if not text and times(wish.price or 0, wish.quantity) < market.min_cost:
        text = "EOrder:Cost minimum not met"
    return text


def offsets(wish: Wish, engine: MatchingEngine) -> str:
    """Refuse an offset that would leave no price at all."""
    pairs = [(wish.price, wish.price_unit)]
    if wish.trigger is not None:
        pairs.append((wish.trigger.price, wish.trigger.unit))
    for value, unit in pairs:
        most = 100 * ONE if unit == "percent" else engine.last
        if value is not None and unit != "static" and abs(value) >= most:
            return "EOrder:Invalid price"
    return ""


def _life(wish: Wish, now_ns: int) -> str:
    force = wish.time_in_force
    if (force == "gtd") != bool(wish.expire_ns):
        return f"{ARGUMENTS}:expire_time"
    if wish.expire_ns and not now_ns < wish.expire_ns <= now_ns + MONTH_NS:
        return f"{ARGUMENTS}:expire_time"
    if force == "fok" and wish.order_type != "limit":
        return f"{ARGUMENTS}:time_in_force"
    if force == "ioc" and wish.post_only:
        return f"{ARGUMENTS}:post_only"
    return f"{ARGUMENTS}:effective_time" if wish.start_ns > now_ns + MONTH_NS else ""


def _extras(wish: Wish, market: Market) -> str:
    if wish.post_only and wish.order_type not in POST_ONLY_TYPES:
        return f"{ARGUMENTS}:post_only"
    if (wish.order_type == "iceberg") != bool(wish.display):
        return f"{ARGUMENTS}:display_qty"
    if wish.display and wish.display * ICEBERG_PARTS < wish.quantity:
        return f"{ARGUMENTS}:display_qty"
    if wish.cl_ord_id and wish.userref is not None:
        return f"{ARGUMENTS}:cl_ord_id"
    if wish.userref is not None and not -(2**31) <= wish.userref < 2**31:
        return f"{ARGUMENTS}:userref"
    if wish.close is not None and wish.cl_ord_id:
        return f"{ARGUMENTS}:conditional"
    if wish.margin and not market.is_marginable:
        return "EOrder:Margin allowance exceeded"
    return ""


def standing(wish: Wish, market: Market, account: Account, engine: MatchingEngine) -> str:
    """Refuse what the account's own state does not allow: ids, limits, position, money."""
    wanted = same_id(wish.cl_ord_id)
    mine = [record for record in account.open.values() if record.market is market]
    if wanted and any(same_id(other.wish.cl_ord_id) == wanted for other in account.open.values()):
        return NOT_UNIQUE
    if len(mine) >= OPEN_ORDERS[account.tier]:
        return "EOrder:Orders limit exceeded"
    return _position(wish, market, account) or money(wish, market, account, engine)


def _position(wish: Wish, market: Market, account: Account) -> str:
    position = account.positions.get(market.symbol)
    if wish.order_type == "settle_position":
        if position is None:
            return "EOrder:Unknown position"
        is_closing = (position.quantity > 0) == (wish.side == "sell")
        return "" if is_closing else "EOrder:Cannot open opposing position"
    if not wish.reduce_only:
        return ""
    if position is None:
        return "EOrder:Reduce only:No position exists"
    is_reducing = (position.quantity > 0) == (wish.side == "sell")
    return "" if is_reducing else "EOrder:Reduce only:Non-PC"


def money(wish: Wish, market: Market, account: Account, engine: MatchingEngine) -> str:
    """Refuse what the account cannot pay for."""
    if wish.order_type == "settle_position":
        return ""
    worth = expected_cost(wish, account, engine)
    if wish.margin or wish.reduce_only:
        if wish.reduce_only:
            return ""
        needed = times(worth, scaled(market.margin_initial) or ONE)
        return MARGIN if needed > free_margin(market, account) else ""
    if wish.side == "sell":
        return FUNDS if wish.quantity > account.available(market.base.name) else ""
    return FUNDS if worth > account.available(market.quote.name) else ""


def expected_cost(wish: Wish, account: Account, engine: MatchingEngine) -> int:
    """What a buy may cost at most, fee included."""
    if wish.cash:
        return wish.cash
    if wish.price is not None and wish.price_unit == "static":
        return spend(wish.price, wish.quantity, account)
    if wish.trigger is not None:
        at = wish.trigger.price if wish.trigger.unit == "static" else engine.last
        return spend(at, wish.quantity, account)
    cost = sum(times(at, there) for at, there in engine.sweep(wish.side, wish.quantity))
    return cost + times(cost, account.rate("taker"))


def free_margin(market: Market, account: Account) -> int:
    """The quote balance not yet bound by spot orders and by positions' margin."""
    initial = scaled(market.margin_initial) or ONE
    used = sum(times(abs(position.cost), initial) for position in account.positions.values())
    return account.available(market.quote.name) - used


def amend_price(record: OrderRecord, value: int | None, market: Market) -> str:
    """Refuse a new limit price off the grid (an offset has none)."""
    if value is None or record.wish.price_unit != "static":
        return ""
    return price(value, market)
