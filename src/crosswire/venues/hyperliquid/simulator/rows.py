"""The venue's JSON rows of orders and fills."""

from crosswire.venues.hyperliquid.simulator.accounts import Fill, OrderRecord, Version
from crosswire.venues.hyperliquid.simulator.text import ms, shown

Row = dict[str, object]


def side(name: str) -> str:
    return "B" if name == "buy" else "A"


def brief(record: OrderRecord, remaining: int | None = None) -> Row:
    """An order as orderUpdates and openOrders show it."""
    row: Row = {
        "coin": record.market.coin,
        "side": side(record.side),
        "limitPx": shown(record.price),
        "sz": shown(record.remaining if remaining is None else remaining),
        "oid": record.oid,
        "timestamp": ms(record.opened_ns),
        "origSz": shown(record.original),
    }
    if record.wire.cloid:
        row["cloid"] = record.wire.cloid
    if record.wire.r:
        row["reduceOnly"] = True
    return row


def update(record: OrderRecord, status: str, now_ns: int, remaining: int | None = None) -> Row:
    """One row of an orderUpdates frame."""
    at_ms = ms(now_ns)
    return {"order": brief(record, remaining), "status": status, "statusTimestamp": at_ms}


def whole(record: OrderRecord, remaining: int | None = None) -> Row:
    """An order as frontendOpenOrders, orderStatus and historicalOrders show it."""
    row = brief(record, remaining)
    children = [whole(child) for child in record.children if child.is_open]
    row |= {
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": children,
        "isPositionTpsl": record.is_position_tpsl,
        "reduceOnly": record.wire.r,
        "orderType": order_type(record),
        "tif": record.wire.tif or None,
        "cloid": record.wire.cloid or None,
    }
    if record.is_trigger:
        price = shown(record.trigger_price)
        direction = "above" if record.wakes_above else "below"
        row |= {
            "triggerCondition": f"Price {direction} {price}",
            "isTrigger": True,
            "triggerPx": price,
        }
    return row


def order_type(record: OrderRecord) -> str:
    """Return the words of the front end."""
    trigger = record.wire.t.trigger
    if not trigger:
        return "Market" if record.wire.tif == "FrontendMarket" else "Limit"
    kind = "Take Profit" if trigger.tpsl == "tp" else "Stop"
    return f"{kind} {'Market' if trigger.is_market else 'Limit'}"


def historical(record: OrderRecord, version: Version) -> Row:
    """One row of historicalOrders. The size is what it was when the order came to be."""
    remaining = record.quantity if version.status in {"open", "triggered"} else 0
    if version.status not in {"open", "triggered", "filled"}:
        remaining = version.quantity - version.filled
    return {
        "order": whole(record, remaining),
        "status": version.status,
        "statusTimestamp": ms(version.at_ns),
    }


def fill(one: Fill) -> Row:
    """A fill as userFills shows it, by either transport."""
    row: Row = {
        "coin": one.market.coin,
        "px": shown(one.price),
        "sz": shown(one.quantity),
        "side": side(one.side),
        "time": ms(one.at_ns),
        "startPosition": shown(one.start_position),
        "dir": one.direction,
        "closedPnl": shown(one.closed_pnl),
        "hash": one.hash,
        "oid": one.oid,
        "crossed": one.is_taker,
        "fee": shown(one.fee),
        "tid": one.tid,
        "feeToken": one.fee_token,
        "twapId": one.twap_id,
    }
    if one.cloid:
        row["cloid"] = one.cloid
    if one.builder_fee:
        row["builderFee"] = shown(one.builder_fee)
    if one.liquidation is not None:
        row["liquidation"] = one.liquidation
    return row
