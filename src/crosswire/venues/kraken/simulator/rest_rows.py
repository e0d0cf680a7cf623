"""The rows of REST answers about orders, trades and money: all numbers are text."""

from crosswire.sim.ledger import CashRow
from crosswire.venues.kraken.simulator.accounts import Change, Fill, OrderRecord
from crosswire.venues.kraken.simulator.executions import describe, order_word, relative
from crosswire.venues.kraken.simulator.markets import Asset
from crosswire.venues.kraken.simulator.text import SECOND, fixed, over, unix

Row = dict[str, object]


def order_row(record: OrderRecord, *, has_trades: bool) -> Row:
    """The order object of OpenOrders, ClosedOrders and QueryOrders."""
    wish, market = record.wish, record.market
    row: Row = {"refid": record.parent or None, "userref": wish.userref or 0}
    if wish.cl_ord_id:
        row["cl_ord_id"] = wish.cl_ord_id
    row["status"] = record.status
    if not record.is_open:
        row["reason"] = record.reason or None
    row |= {
        "opentm": unix(record.opened_ns),
        "starttm": wish.start_ns // SECOND,
        "expiretm": wish.expire_ns // SECOND,
        "descr": _descr(record),
        "vol": market.quantity_text(record.quantity),
        "vol_exec": market.quantity_text(record.filled),
        "cost": market.cost_text(record.cost),
        "fee": market.cost_text(record.fee),
        "price": market.price_text(over(record.cost, record.filled)),
        "stopprice": market.price_text(record.trigger_price),
        "limitprice": market.price_text(record.price if record.is_triggered else 0),
        "misc": "amended" if record.is_amended else "",
        "oflags": _oflags(record),
    }
    if wish.trigger is not None:
        row["trigger"] = wish.trigger.reference
    if not record.is_open:
        row["closetm"] = unix(record.closed_ns)
    if has_trades and record.fills:
        row["trades"] = list(record.fills)
    return row


def _descr(record: OrderRecord) -> Row:
    wish, market = record.wish, record.market
    price, price2 = market.price_text(record.price) if record.price else "0", "0"
    if wish.trigger is not None:
        price = relative(wish.trigger.price, wish.trigger.unit, market)
        if wish.price is not None:
            price2 = relative(wish.price, wish.price_unit, market)
    return {
        "pair": market.alt_name,
        "type": wish.side,
        "ordertype": order_word(wish.order_type),
        "price": price,
        "price2": price2,
        "leverage": "5:1" if wish.margin else "none",
        "order": describe(record),
        "close": _close_words(record),
    }


def _close_words(record: OrderRecord) -> str:
    close = record.wish.close
    if close is None:
        return ""
    words = ["close position @", order_word(close.order_type).replace("-", " ")]
    if close.trigger is not None:
        words.append(relative(close.trigger.price, close.trigger.unit, record.market))
    if close.price is not None:
        arrow = ["-> limit"] if close.trigger is not None else []
        words += [*arrow, relative(close.price, close.price_unit, record.market)]
    return " ".join(words)


def _oflags(record: OrderRecord) -> str:
    flags = ["fcib" if record.wish.fee_asset == "base" else "fciq"]
    if record.wish.post_only:
        flags.append("post")
    if record.wish.cash:
        flags.append("viqc")
    return ",".join(flags)


def trade_row(fill: Fill) -> Row:
    """The trade object of TradesHistory and QueryTrades; its key is the exec_id."""
    market = fill.market
    return {
        "ordertxid": fill.order_id,
        "postxid": fill.exec_id if fill.is_margin else "TKH2SE-M7IF5-CFI7LT",
        "pair": market.rest_name,
        "time": unix(fill.at_ns),
        "type": fill.side,
        "ordertype": order_word(fill.order_type),
        "price": market.price_text(fill.price),
        "cost": market.cost_text(fill.cost),
        "fee": market.cost_text(fill.fee) if fill.fee_asset != market.base.name else "0",
        "vol": market.quantity_text(fill.quantity),
        "margin": market.cost_text(fill.cost // 5 if fill.is_margin else 0),
        "leverage": "5" if fill.is_margin else "0",
        "misc": "",
        "ledgers": list(fill.ledgers),
        "trade_id": fill.trade_id,
        "maker": fill.liquidity == "maker",
    }


def ledger_row(row: CashRow, asset: Asset) -> Row:
    """A row of Ledgers and QueryLedgers."""
    return {
        "refid": row.ref,
        "time": unix(row.at_ns),
        "type": row.kind,
        "subtype": "",
        "aclass": "currency",
        "asset": asset.rest_name,
        "amount": fixed(row.amount, asset.decimals),
        "fee": fixed(row.fee, asset.decimals),
        "balance": fixed(row.balance, asset.decimals),
    }


def amend_row(change: Change, record: OrderRecord) -> Row:
    """A row of OrderAmends."""
    market = record.market
    row: Row = {
        "amend_id": change.amend_id,
        "amend_type": change.kind,
        "order_qty": market.quantity_text(change.quantity),
    }
    if change.display:
        row["display_qty"] = market.quantity_text(change.display)
    row["remaining_qty"] = market.quantity_text(change.remaining)
    row["limit_price"] = market.price_text(change.price)
    if change.trigger_price:
        row["trigger_price"] = market.price_text(change.trigger_price)
    if change.reason:
        row["reason"] = change.reason
    return row | {"post_only": change.post_only, "timestamp": change.at_ns // 1_000_000}
