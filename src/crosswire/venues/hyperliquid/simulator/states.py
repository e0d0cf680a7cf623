"""Answers about accounts: what they hold, what is open, what was, what they may do."""

from collections.abc import Sequence

from crosswire.fixed import SCALE, divide, multiply
from crosswire.venues.hyperliquid.simulator import margin, rows
from crosswire.venues.hyperliquid.simulator.accounts import Account, Fill, OrderRecord
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.markets import TIERS, USDC, Market, tier, wallet
from crosswire.venues.hyperliquid.simulator.rows import Row
from crosswire.venues.hyperliquid.simulator.text import ms, shown

FINEST = SCALE // 1_000_000  # states show six decimals


def _cut(value: int) -> str:
    return shown(value - value % FINEST)


def _summary(found: margin.Summary) -> Row:
    return {
        "accountValue": _cut(found.value),
        "totalNtlPos": _cut(found.notional),
        "totalRawUsd": _cut(found.raw),
        "totalMarginUsed": _cut(found.used),
    }


def clearinghouse(exchange: Exchange, account: Account | None, dex: str, now_ns: int) -> Row:
    """The perps of one dex; an address that nobody has is flat."""
    found = margin.Summary(0, 0, 0, 0)
    positions: list[Row] = []
    maintenance = left = 0
    if account is not None:
        found = margin.summary(exchange, account, dex)
        left = max(found.value - margin.open_margin(exchange, account), 0)
        for coin in account.positions:
            market = exchange.coins[coin]
            if market.dex == dex:
                positions.append(
                    {"type": "oneWay", "position": _position(exchange, account, market)}
                )
                worth = multiply(exchange.mark(market), abs(account.size(coin)))
                maintenance += worth // (2 * market.max_leverage)
    return {
        "marginSummary": _summary(found),
        "crossMarginSummary": _summary(found),
        "crossMaintenanceMarginUsed": _cut(maintenance),
        "withdrawable": _cut(left),
        "assetPositions": positions,
        "time": ms(now_ns),
    }


def _position(exchange: Exchange, account: Account, market: Market) -> Row:
    position, leverage = account.positions[market.coin], account.leverage(market)
    worth = multiply(exchange.mark(market), position.size)
    profit, used = worth - position.cost, margin.margin(account, market, abs(worth))
    price = margin.liquidation_price(exchange, account, market)
    row: Row = {"type": "cross" if leverage.is_cross else "isolated", "value": leverage.value}
    if not leverage.is_cross:
        used += account.isolated.get(market.coin, 0)
        row["rawUsd"] = _cut(used - worth)
    funding = _cut(position.funding)
    return {
        "coin": market.coin,
        "szi": shown(position.size),
        "leverage": row,
        "entryPx": _cut(divide(position.cost, position.size)),
        "positionValue": _cut(abs(worth)),
        "unrealizedPnl": _cut(profit),
        "returnOnEquity": _cut(divide(profit, used) if used else 0),
        "liquidationPx": None if price is None else _cut(price),
        "marginUsed": _cut(used),
        "maxLeverage": market.max_leverage,
        "cumFunding": {"allTime": funding, "sinceOpen": funding, "sinceChange": funding},
    }


def spot(exchange: Exchange, account: Account | None) -> Row:
    """The spot wallet."""
    if account is None:
        return {"balances": []}
    tokens = exchange.ledger.balances.get(account.name, {})
    found: list[Row] = []
    for index, token in enumerate(spot_tokens(exchange)):
        name = wallet(token)
        if tokens.get(name):
            row = {"coin": token, "token": token_index(index)}
            held = margin.held(account, name)
            row |= {"total": shown(tokens[name]), "hold": shown(held), "entryNtl": "0.0"}
            found.append(row)
    return {"balances": found}


def spot_tokens(exchange: Exchange) -> list[str]:
    """The tokens of the spot wallet, dollars first."""
    return [USDC, *(one.base for one in exchange.markets.values() if one.is_spot)]


def token_index(place: int) -> int:
    """Return a token's index: sparse, as at the venue."""
    return place if place < 2 else place * 50


# --- orders ------------------------------------------------------------------------------------


def open_records(account: Account, dex: str, at_ns: int | None) -> list[tuple[OrderRecord, int]]:
    """Return what is open (or was at a moment) of a dex, and what remains of each order."""
    found: list[tuple[OrderRecord, int]] = []
    source = account.open if at_ns is None else account.records
    for record in source.values():
        if record.market.dex != dex or record.status == "waitingForFill":
            continue
        if at_ns is None:
            found.append((record, record.remaining))
            continue
        then = record.as_of(at_ns)
        if then is not None and then.status in {"open", "triggered"}:
            found.append((record, then.quantity - then.filled))
    return found


def order_status(account: Account | None, oid: int | str, at_ns: int | None) -> Row:
    """One order by its oid or cloid. Its size is rewritten only when its status changes."""
    record = account.find(oid) if account is not None else None
    if record is None or not record.versions:
        return {"status": "unknownOid"}
    then = record.versions[-1] if at_ns is None else record.as_of(at_ns)
    if then is None:
        return {"status": "unknownOid"}
    changed = next(one for one in record.versions if one.status == then.status)
    return {"status": "order", "order": rows.historical(record, changed)}


def history(account: Account | None, at_ns: int | None) -> list[Row]:
    """The latest changes of orders, newest first."""
    if account is None:
        return []
    return [
        rows.historical(record, version)
        for record, version in reversed(account.history)
        if at_ns is None or version.at_ns <= at_ns
    ]


# --- fills -------------------------------------------------------------------------------------


def fill_rows(fills: Sequence[Fill], *, is_aggregated: bool) -> list[Row]:
    """Rows in the order given; aggregated, the partial fills of one crossing order are one."""
    if not is_aggregated:
        return [rows.fill(one) for one in fills]
    merged: dict[tuple[int, int, bool], list[Fill]] = {}
    for one in fills:
        merged.setdefault((ms(one.at_ns), one.oid, one.is_taker), []).append(one)
    return [_merged(parts) for parts in merged.values()]


def _merged(parts: list[Fill]) -> Row:
    row = rows.fill(parts[0])
    size = sum(one.quantity for one in parts)
    cost = sum(multiply(one.price, one.quantity) for one in parts)
    row |= {
        "px": _cut(divide(cost, size)),
        "sz": shown(size),
        "fee": shown(sum(one.fee for one in parts)),
        "closedPnl": shown(sum(one.closed_pnl for one in parts)),
    }
    return row


def payments(account: Account | None, *, is_funding: bool) -> list[Row]:
    """Rows of money that no trade moved: funding, or all else."""
    found: list[Row] = account.payments if account else []
    return [row for row in found if is_funding_row(row) == is_funding]


def is_funding_row(row: Row) -> bool:
    delta = row["delta"]
    return isinstance(delta, dict) and delta["type"] == "funding"


def as_fundings(found: Sequence[Row]) -> list[Row]:
    """Rows of funding as userFundings shows them: flat."""
    flat: list[Row] = []
    for row in found:
        delta = row["delta"]
        if isinstance(delta, dict):
            kept = {key: held for key, held in delta.items() if key != "type"}
            flat.append({"time": row["time"], **kept})
    return flat


# --- what it may do ----------------------------------------------------------------------------


def rate_limit(account: Account | None) -> Row:
    """The address's budget; one that nobody has is fresh."""
    volume, used = (account.volume, account.requests_used) if account else (0, 0)
    return {
        "cumVlm": _cut(volume),
        "nRequestsUsed": used,
        "nRequestsCap": account.request_cap if account else 10_000,
        "nRequestsSurplus": 0,
    }


def fees(account: Account | None) -> Row:
    """The schedule, and what applies to the account: of builder dexs it is not the whole."""
    row = tier(account.volume if account else 0)
    own = _schedule(row)
    schedule = _schedule(TIERS[-1])
    schedule["tiers"] = {
        "vip": [{"ntlCutoff": f"{row[0]}.0", **_schedule(row)} for row in reversed(TIERS[:-1])],
        "mm": [{"makerFractionCutoff": "0.005", "add": "-0.00001"}],
    }
    schedule["referralDiscount"] = "0.04"
    schedule["stakingDiscountTiers"] = [{"bpsOfMaxSupply": "0.0", "discount": "0.0"}]
    return {
        "dailyUserVlm": [],
        "feeSchedule": schedule,
        "userCrossRate": own["cross"],
        "userAddRate": own["add"],
        "userSpotCrossRate": own["spotCross"],
        "userSpotAddRate": own["spotAdd"],
        "activeReferralDiscount": "0.0",
        "trial": None,
        "feeTrialReward": "0.0",
        "nextTrialAvailableTimestamp": None,
        "stakingLink": None,
        "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
    }


def _schedule(row: tuple[int, ...]) -> Row:
    names = ("cross", "add", "spotCross", "spotAdd")
    return {
        name: shown(rate * SCALE // 1_000_000) for name, rate in zip(names, row[1:], strict=True)
    }


def asset_data(exchange: Exchange, account: Account | None, user: str, market: Market) -> Row:
    """What an account could trade of a coin."""
    sizes, leverage = (0, 0), {"type": "cross", "value": 20}
    if account is not None:
        sizes = margin.max_sizes(exchange, account, market)
        held = account.leverage(market)
        leverage = {"type": "cross" if held.is_cross else "isolated", "value": held.value}
    price = exchange.mark(market)
    return {
        "user": user,
        "coin": market.coin,
        "leverage": leverage,
        "maxTradeSzs": [shown(one) for one in sizes],
        "availableToTrade": [_cut(multiply(one, price)) for one in sizes],
        "markPx": shown(price),
    }
