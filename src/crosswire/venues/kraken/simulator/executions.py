"""The items of the `executions` channel, one function per kind of event.

Only `pending_new` and snapshot items are complete; every other one names the order and what
changed, and nothing else (field sets and their order follow captured frames).
"""

from crosswire.venues.kraken.simulator.accounts import Fill, OrderRecord
from crosswire.venues.kraken.simulator.markets import Market
from crosswire.venues.kraken.simulator.text import fixed, number, over, stamp
from crosswire.venues.kraken.simulator.wishes import UNIT_WORDS

Item = dict[str, object]
USD_DECIMALS = 4
ORDER_WORDS = {
    "stop_loss": "stop-loss",
    "stop_loss_limit": "stop-loss-limit",
    "take_profit": "take-profit",
    "take_profit_limit": "take-profit-limit",
    "trailing_stop": "trailing-stop",
    "trailing_stop_limit": "trailing-stop-limit",
    "settle_position": "settle-position",
}
# Sent even to those who asked for `order_status` false.
TRANSITIONS = frozenset({"new", "trade", "filled", "canceled", "expired"})


def order_word(order_type: str) -> str:
    """Return the venue's spelling of an order type."""
    return ORDER_WORDS.get(order_type, order_type)


def identity(record: OrderRecord) -> Item:
    """The client's own name for the order; the reference is 0 where neither was given."""
    if record.wish.cl_ord_id:
        return {"cl_ord_id": record.wish.cl_ord_id}
    return {"order_userref": record.wish.userref or 0}


def totals(record: OrderRecord) -> Item:
    market = record.market
    return {
        "cum_qty": number(record.filled, market.quantity_decimals),
        "cum_cost": number(record.cost, market.cost_decimals),
        "fee_usd_equiv": number(record.fee_usd, USD_DECIMALS),
        "avg_price": number(over(record.cost, record.filled), market.price_decimals),
    }


def status_word(record: OrderRecord) -> str:
    """`new` or `partially_filled` while it is open, else its end."""
    if record.status == "pending":
        return "pending_new"
    if record.status == "open":
        return "partially_filled" if record.filled else "new"
    return "filled" if record.status == "closed" else record.status


def triggers(record: OrderRecord, now_ns: int) -> Item:
    """The `triggers` object of a stop, take-profit or trailing order."""
    trigger, market = record.wish.trigger, record.market
    assert trigger is not None
    found: Item = {
        "reference": trigger.reference,
        "price": number(trigger.price, market.price_decimals),
        "price_type": UNIT_WORDS[trigger.unit],
        "actual_price": number(record.trigger_price, market.price_decimals),
    }
    if record.peak:
        found["peak_price"] = number(record.peak, market.price_decimals)
    found["last_price"] = number(record.last_price, market.price_decimals)
    found["status"] = "triggered" if record.is_triggered else "untriggered"
    found["timestamp"] = stamp(now_ns)
    return found


def _what(record: OrderRecord) -> Item:
    """What was asked for: the middle of a complete item."""
    wish, market = record.wish, record.market
    item: Item = {
        "side": wish.side,
        "order_type": order_word(wish.order_type),
        **identity(record),
        "limit_price_type": UNIT_WORDS[wish.price_unit],
        "limit_price": number(record.price, market.price_decimals),
        "stop_price": number(record.trigger_price, market.price_decimals),
    }
    if wish.cash:
        item["cash_order_qty"] = number(wish.cash, market.quote.decimals)
    if record.display:
        item["display_qty"] = number(record.display, market.quantity_decimals)
    for name in ("post_only", "reduce_only", "margin"):
        if getattr(wish, name):
            item[name] = True
    if wish.expire_ns:
        item["expire_time"] = stamp(wish.expire_ns)
    if wish.start_ns:
        item["effective_time"] = stamp(wish.start_ns)
    if wish.sender_sub_id:
        item["sender_sub_id"] = wish.sender_sub_id
    if record.parent:
        item["ord_ref_id"] = record.parent
    if wish.close is not None:
        item["contingent"] = _contingent(record, market)
    return item


def _contingent(record: OrderRecord, market: Market) -> Item:
    close = record.wish.close
    assert close is not None
    found: Item = {"order_type": order_word(close.order_type)}
    if close.trigger is not None:
        found["trigger_price"] = number(close.trigger.price, market.price_decimals)
        found["trigger_price_type"] = UNIT_WORDS[close.trigger.unit]
    if close.price is not None:
        found["limit_price"] = number(close.price, market.price_decimals)
        found["limit_price_type"] = UNIT_WORDS[close.price_unit]
    return found


def pending_new(record: OrderRecord, now_ns: int) -> Item:
    """A new order, complete."""
    wish, market = record.wish, record.market
    item: Item = {
        "order_id": record.id,
        "symbol": market.symbol,
        "order_qty": number(record.quantity, market.quantity_decimals),
        "cum_cost": number(0, market.cost_decimals),
        "time_in_force": wish.time_in_force.upper(),
        "exec_type": "pending_new",
        **_what(record),
        "order_status": "pending_new",
        "fee_usd_equiv": number(0, USD_DECIMALS),
        "fee_ccy_pref": "fcib" if wish.fee_asset == "base" else "fciq",
    }
    if wish.trigger is not None:
        item["triggers"] = triggers(record, now_ns)
    return item | {"timestamp": stamp(now_ns)}


def new(record: OrderRecord, now_ns: int) -> Item:
    return {
        "timestamp": stamp(now_ns),
        "order_status": "new",
        "exec_type": "new",
        **identity(record),
        "order_id": record.id,
    }


def amended(
    record: OrderRecord, now_ns: int, *, quantity: int, price: int, exec_type: str, reason: str
) -> Item:
    """One changed field at a time: an amend of price and quantity is told in two events."""
    market = record.market
    item: Item = {
        "timestamp": stamp(now_ns),
        "exec_type": exec_type,
        "order_status": status_word(record),
        "cum_qty": number(record.filled, market.quantity_decimals),
        "reason": reason,
        "amended": True,
        "order_qty": number(quantity, market.quantity_decimals),
        "limit_price": number(price, market.price_decimals),
        "limit_price_type": UNIT_WORDS[record.wish.price_unit],
    }
    if record.display:
        item["display_qty"] = number(record.display, market.quantity_decimals)
    if record.wish.trigger is not None:
        item["triggers"] = triggers(record, now_ns)
    return item | {**identity(record), "order_id": record.id}


def ended(record: OrderRecord, exec_type: str, now_ns: int) -> Item:
    """`filled`, `canceled` or `expired`; the reason where there is one."""
    item: Item = {
        "timestamp": stamp(now_ns),
        "order_status": exec_type,
        "exec_type": exec_type,
        **totals(record),
        **identity(record),
    }
    if record.reason:
        item["cancel_reason"] = record.reason
        item["reason"] = record.reason
    return item | {"order_id": record.id}


def status(record: OrderRecord, now_ns: int) -> Item:
    """A trigger moved or fired."""
    return {
        "timestamp": stamp(now_ns),
        "order_status": status_word(record),
        "exec_type": "status",
        "triggers": triggers(record, now_ns),
        **identity(record),
        "order_id": record.id,
    }


def iceberg_refill(record: OrderRecord, shown: int, now_ns: int) -> Item:
    market = record.market
    return {
        "timestamp": stamp(now_ns),
        "order_status": status_word(record),
        "exec_type": "iceberg_refill",
        "cum_qty": number(record.filled, market.quantity_decimals),
        "display_qty": number(record.display, market.quantity_decimals),
        "display_qty_remain": number(shown, market.quantity_decimals),
        **identity(record),
        "order_id": record.id,
    }


def _fill(fill: Fill) -> Item:
    market = fill.market
    mine = {"cl_ord_id": fill.cl_ord_id} if fill.cl_ord_id else {}
    reference = {} if fill.cl_ord_id else {"order_userref": fill.userref or 0}
    item: Item = {
        "order_id": fill.order_id,
        **mine,
        **reference,
        "exec_id": fill.exec_id,
        "exec_type": "trade",
        "trade_id": fill.trade_id,
        "symbol": market.symbol,
        "side": fill.side,
        "last_qty": number(fill.quantity, market.quantity_decimals),
        "last_price": number(fill.price, market.price_decimals),
        "liquidity_ind": fill.liquidity[0],
        "cost": number(fill.cost, market.cost_decimals),
        "order_type": order_word(fill.order_type),
        "timestamp": stamp(fill.at_ns),
    }
    if fill.is_margin:
        item["margin_borrow"] = True
    return item


def _fees(fill: Fill) -> Item:
    market = fill.market
    asset = market.base if fill.fee_asset == market.base.name else market.quote
    fee = number(fill.fee, asset.decimals)
    return {
        "fee_usd_equiv": number(fill.fee_usd, USD_DECIMALS),
        "fees": [{"asset": asset.name, "qty": fee}],
    }


def trade(record: OrderRecord, fill: Fill) -> Item:
    """A fill. It says `partially_filled` even where it completes the order."""
    market = record.market
    return {
        **_fill(fill),
        "order_status": "partially_filled",
        "cum_qty": number(record.filled, market.quantity_decimals),
        "cum_cost": number(record.cost, market.cost_decimals),
        "avg_price": number(over(record.cost, record.filled), market.price_decimals),
        **_fees(fill),
    }


def snapshot_trade(fill: Fill) -> Item:
    """A fill in a snapshot: without cumulative fields, and `filled` whatever became of it."""
    return {**_fill(fill), "order_status": "filled", **_fees(fill)}


def snapshot_order(record: OrderRecord) -> Item:
    """An open order, complete."""
    market = record.market
    item: Item = {
        "order_id": record.id,
        "symbol": market.symbol,
        "order_qty": number(record.quantity, market.quantity_decimals),
        **totals(record),
        "time_in_force": record.wish.time_in_force.upper(),
        "exec_type": "pending_new" if record.status == "pending" else "new",
        **_what(record),
        "order_status": status_word(record),
        "fee_ccy_pref": "fcib" if record.wish.fee_asset == "base" else "fciq",
    }
    if record.is_amended:
        item["amended"] = True
    if record.wish.trigger is not None:
        item["triggers"] = triggers(record, record.opened_ns)
    return item | {"timestamp": stamp(record.opened_ns)}


def describe(record: OrderRecord) -> str:
    """REST's sentence: `buy 1.25000000 XBTUSD @ limit 30010.0`."""
    wish, market = record.wish, record.market
    quantity = fixed(record.quantity, market.quantity_decimals)
    head = f"{wish.side} {quantity} {market.alt_name} @ "
    words = {
        "market": "market",
        "limit": f"limit {market.price_text(record.price)}",
        "iceberg": f"iceberg {market.price_text(record.price)}",
        "settle_position": "settle position",
    }
    if wish.order_type in words:
        return head + words[wish.order_type]
    assert wish.trigger is not None
    name = wish.order_type.removesuffix("_limit").replace("_", " ")
    at = relative(wish.trigger.price, wish.trigger.unit, market)
    if not wish.order_type.endswith("_limit"):
        return f"{head}{name} {at}"
    limit = relative(wish.price or 0, wish.price_unit, market)
    return f"{head}{name} {at} -> limit {limit}"


def relative(price: int, unit: str, market: Market) -> str:
    """`29000.5`, or an offset: `+1.0000%`, `-150.0`."""
    if unit == "static":
        return market.price_text(price)
    text = f"{fixed(price, 4)}%" if unit == "percent" else market.price_text(price)
    return text if text.startswith("-") else f"+{text}"
