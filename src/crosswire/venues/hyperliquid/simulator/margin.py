"""What an account is worth, what its positions and orders tie up, and what is left."""

from msgspec import Struct

from crosswire.fixed import divide, multiply
from crosswire.venues.hyperliquid.simulator.accounts import Account, OrderRecord
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.markets import USDC, Market, wallet


class Summary(Struct, frozen=True):
    """An account's perps in dollars, scaled.

    Every dex draws on the same collateral here; it is shown with the venue's own dex alone, so
    that the dexs add up to what there is.
    """

    value: int
    notional: int
    used: int
    raw: int


def margin(account: Account, market: Market, notional: int) -> int:
    """Return the margin that a notional ties up."""
    return notional // account.leverage(market).value


def summary(exchange: Exchange, account: Account, dex: str | None = None) -> Summary:
    """Add up the positions (of one dex, if named) at the mark."""
    cash = 0 if dex else exchange.ledger.balance(account.name, USDC)
    total = used = net = unrealised = 0
    for coin, position in account.positions.items():
        market = exchange.coins[coin]
        if dex is not None and market.dex != dex:
            continue
        worth = multiply(exchange.mark(market), position.size)
        unrealised += worth - position.cost
        net += worth
        total += abs(worth)
        used += margin(account, market, abs(worth)) + account.isolated.get(coin, 0)
    value = cash + unrealised
    return Summary(value, total, used, value - net)


def open_margin(exchange: Exchange, account: Account, extra: "Extra | None" = None) -> int:
    """Return what the positions and open orders tie up at worst, `extra` being one more order."""
    held: dict[str, list[int]] = {}
    for record in account.open.values():
        if not record.market.is_spot and not record.wire.r:
            side = held.setdefault(record.market.coin, [0, 0])
            side[record.side == "sell"] += record.remaining
    if extra is not None:
        side = held.setdefault(extra.market.coin, [0, 0])
        side[extra.is_sell] += extra.quantity
    total = 0
    for coin in held.keys() | account.positions.keys():
        market, size = exchange.coins[coin], account.size(coin)
        bought, sold = held.get(coin, (0, 0))
        worst = max(abs(size), abs(size + bought), abs(size - sold))
        total += margin(account, market, multiply(exchange.mark(market), worst))
    return total + sum(account.isolated.values())


class Extra(Struct, frozen=True):
    """An order that is about to be placed."""

    market: Market
    quantity: int
    is_sell: bool


def is_affordable(exchange: Exchange, account: Account, extra: Extra) -> bool:
    """Whether there is margin for an order; one that ties up nothing more always passes."""
    needed = open_margin(exchange, account, extra)
    if needed <= open_margin(exchange, account):
        return True
    return needed <= summary(exchange, account).value


def hold(record: OrderRecord, token: str) -> int:
    """Return what an open spot order holds of a wallet."""
    market = record.market
    if not market.is_spot:
        return 0
    if record.side == "sell":
        return record.remaining if token == wallet(market.base) else 0
    if token != wallet(USDC):
        return 0
    return multiply(record.price, record.remaining)


def held(account: Account, token: str) -> int:
    """Return what all open orders hold of a spot wallet."""
    return sum(hold(record, token) for record in account.open.values())


def is_covered(exchange: Exchange, account: Account, extra: Extra, price: int) -> bool:
    """Whether the spot wallet holds what an order would pay."""
    token = wallet(extra.market.base) if extra.is_sell else wallet(USDC)
    needed = extra.quantity if extra.is_sell else multiply(price, extra.quantity)
    return needed <= exchange.ledger.balance(account.name, token) - held(account, token)


def max_sizes(exchange: Exchange, account: Account, market: Market) -> tuple[int, int]:
    """Return how much may be bought and sold more, for activeAssetData."""
    price = exchange.mark(market)
    if not price:
        return 0, 0
    free = max(summary(exchange, account).value - open_margin(exchange, account), 0)
    more = divide(free * account.leverage(market).value, price)
    more -= more % market.step
    size = account.size(market.coin)
    return more + max(-2 * size, 0), more + max(2 * size, 0)


def liquidation_price(exchange: Exchange, account: Account, market: Market) -> int | None:
    """Return the mark at which the account's value meets its maintenance margin, None if none."""
    size = account.size(market.coin)
    price = exchange.mark(market)
    maintenance = 2 * market.max_leverage
    left = summary(exchange, account).value - multiply(price, abs(size)) // maintenance
    sign = 1 if size > 0 else -1
    room = divide(left, abs(size)) * maintenance // (maintenance - sign)
    found = price - sign * room
    return found - found % market.tick if found > 0 else None
