"""Margin, in its smallest honest form.

A margin fill moves no base asset: it opens, adds to, reduces or turns the pair's one net
position, and what a reduction wins or loses is booked in the quote asset at once. Left out:
rollover fees, margin calls and liquidation, several positions per pair, collateral in other
assets than the pair's quote. An order's margin is checked once, when it is placed.
"""

from typing import TYPE_CHECKING

from crosswire.venues.kraken.simulator.accounts import Account, Entry, Fill, OrderRecord, Position
from crosswire.venues.kraken.simulator.markets import Market
from crosswire.venues.kraken.simulator.text import ONE, fixed, make_id, over, rounded, times, unix

if TYPE_CHECKING:
    from crosswire.venues.kraken.simulator.exchange import Exchange


def book_margin_fill(exchange: "Exchange", account: Account, fill: Fill, now_ns: int) -> None:
    """Change the pair's position by a fill; pay its fee and what it won."""
    market = fill.market
    position = account.positions.get(market.symbol)
    if position is None:
        position = Position(id=fill.exec_id, order_id=fill.order_id, opened_ns=now_ns)
        account.positions[market.symbol] = position
    won = _change(position, fill)
    position.fee += fill.fee
    if position.quantity == 0:
        del account.positions[market.symbol]
    why = Entry(fill.ledgers[0], fill.exec_id, "margin")
    amount = rounded(won, market.quote.decimals)
    exchange.move(account, market.quote, why, now_ns, amount=amount, fee=fill.fee)


def _change(position: Position, fill: Fill) -> int:
    """Apply a fill to a position; return what closing part of it won."""
    signed = fill.quantity if fill.side == "buy" else -fill.quantity
    if position.quantity * signed >= 0:
        position.quantity += signed
        position.cost += fill.cost if signed > 0 else -fill.cost
        return 0
    closing = min(abs(signed), abs(position.quantity))
    part = times(position.cost, over(closing, abs(position.quantity)))
    proceeds = times(fill.price, closing)
    won = proceeds - part if position.quantity > 0 else -part - proceeds
    position.cost -= part
    position.quantity += closing if signed > 0 else -closing
    left = abs(signed) - closing
    if left:
        position.quantity = left if signed > 0 else -left
        position.cost = times(fill.price, position.quantity)
    return won


def settle(exchange: "Exchange", account: Account, record: OrderRecord, now_ns: int) -> int:
    """Turn (part of) a position into spot balances at what it cost; return the quantity."""
    market = record.market
    position = account.positions.get(market.symbol)
    if position is None:
        return 0
    quantity = min(record.quantity, abs(position.quantity))
    part = times(position.cost, over(quantity, abs(position.quantity)))
    sign = 1 if position.quantity > 0 else -1
    ref = make_id(exchange.rng, "T")
    legs = ((market.base, sign * quantity), (market.quote, -part))
    for asset, amount in legs:
        why = Entry(make_id(exchange.rng, "L"), ref, "settled")
        whole = rounded(amount, asset.decimals)
        exchange.move(account, asset, why, now_ns, amount=whole, fee=0)
    position.quantity -= sign * quantity
    position.cost -= part
    if position.quantity == 0:
        del account.positions[market.symbol]
    return quantity


def position_row(position: Position, market: Market, last: int) -> dict[str, object]:
    """A row of OpenPositions."""
    worth = times(last, position.quantity)
    return {
        "ordertxid": position.order_id,
        "posstatus": "open",
        "pair": market.rest_name,
        "time": unix(position.opened_ns),
        "type": "buy" if position.quantity > 0 else "sell",
        "ordertype": "limit",
        "cost": market.cost_text(abs(position.cost)),
        "fee": market.cost_text(position.fee),
        "vol": market.quantity_text(abs(position.quantity)),
        "vol_closed": market.quantity_text(0),
        "margin": market.cost_text(abs(position.cost) // 5),
        "value": market.cost_text(abs(worth)),
        "net": f"{worth - position.cost:+d}"[:1] + fixed(abs(worth - position.cost), 4),
        "terms": "0.0100% per 4 hours",
        "misc": "",
        "oflags": "",
    }


def trade_balance(account: Account, prices: dict[str, int]) -> dict[str, object]:
    """The answer of TradeBalance, in US dollars."""
    worth = sum(
        times(held, ONE if asset == "USD" else prices.get(f"{asset}/USD", 0))
        for asset, held in account.balances.items()
    )
    bound = cost = won = 0
    for symbol, position in account.positions.items():
        bound += abs(position.cost) // 5
        cost += abs(position.cost)
        won += times(prices[symbol], position.quantity) - position.cost
    return {
        "eb": fixed(worth, 4),
        "tb": fixed(worth, 4),
        "m": fixed(bound, 4),
        "n": fixed(won, 4),
        "c": fixed(cost, 4),
        "v": fixed(cost + won, 4),
        "e": fixed(worth + won, 4),
        "mf": fixed(worth + won - bound, 4),
    }
