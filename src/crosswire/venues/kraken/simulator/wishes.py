"""What a client asks for, read from either transport into one shape."""

import re
from collections.abc import Mapping
from typing import Literal, cast, get_args

from msgspec import Struct

from crosswire.domain import OrderType, PriceUnit, SelfTrade, Side, TimeInForce, Trigger
from crosswire.venues.kraken.simulator.text import ONE, SECOND, moment, scaled

ARGUMENTS = "EGeneral:Invalid arguments"
FeeAsset = Literal["base", "quote"]
TRIGGERED = frozenset(
    {
        "stop_loss",
        "stop_loss_limit",
        "take_profit",
        "take_profit_limit",
        "trailing_stop",
        "trailing_stop_limit",
    }
)
PRICED = frozenset(
    {"limit", "iceberg", "stop_loss_limit", "take_profit_limit", "trailing_stop_limit"}
)
UNITS: dict[str, PriceUnit] = {"static": "static", "pct": "percent", "quote": "quote"}
UNIT_WORDS = {unit: word for word, unit in UNITS.items()}
CLIENT_ID = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[!-~]{1,18}"
)
Fields = Mapping[str, object]


class Conditional(Struct, frozen=True):
    """The closing order to be made for each fill."""

    order_type: OrderType
    trigger: Trigger | None
    price: int | None
    price_unit: PriceUnit = "static"


class Wish(Struct, kw_only=True):
    """One new order as asked for. Amounts are scaled integers, times nanoseconds."""

    symbol: str
    order_type: OrderType
    side: Side
    quantity: int
    price: int | None = None
    price_unit: PriceUnit = "static"
    cash: int = 0  # a market buy's amount in the quote asset, instead of `quantity`
    display: int = 0
    trigger: Trigger | None = None
    time_in_force: TimeInForce = "gtc"
    start_ns: int = 0
    expire_ns: int = 0
    deadline_ns: int = 0
    post_only: bool = False
    reduce_only: bool = False
    margin: bool = False
    fee_asset: FeeAsset = "quote"
    self_trade: SelfTrade = "cancel_newest"
    cl_ord_id: str = ""
    userref: int | None = None
    sender_sub_id: str = ""
    close: Conditional | None = None
    validate: bool = False


class UnfitError(ValueError):
    """A request that cannot be read; its text is the venue's refusal."""


def word(fields: Fields, name: str, choices: object, default: str = "") -> str:
    """Return one of the allowed words; `UnfitError` names the argument."""
    value = fields.get(name, default)
    text = value.lower().replace("-", "_") if isinstance(value, str) else ""
    if text not in get_args(choices):
        raise UnfitError(f"{ARGUMENTS}:{name}")
    return text


def amount(fields: Fields, name: str) -> int | None:
    """Return a scaled number, None if not given; `UnfitError` if it is no number at all."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    found = scaled(value)
    if found is None:
        raise UnfitError(f"{ARGUMENTS}:{name}")
    return found


def when(fields: Fields, name: str) -> int:
    """Return an RFC 3339 time in nanoseconds, 0 if not given."""
    if not fields.get(name):
        return 0
    found = moment(fields[name])
    if found is None:
        raise UnfitError(f"{ARGUMENTS}:{name}")
    return found


def unit(fields: Fields, name: str, default: PriceUnit = "static") -> PriceUnit:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in UNITS:
        raise UnfitError(f"{ARGUMENTS}:{name}")
    return UNITS[value]


def client_id(value: object) -> str:
    """Return a cl_ord_id in one of its three forms; `UnfitError` otherwise."""
    if value is None:
        return ""
    if not isinstance(value, str) or not CLIENT_ID.fullmatch(value):
        raise UnfitError(f"{ARGUMENTS}:cl_ord_id")
    return value


def same_id(text: str) -> str:
    """Return the form under which ids are compared: 128 bits have two spellings."""
    return text.replace("-", "").lower() if len(text) in {32, 36} else text


def from_ws(params: Fields, order: Fields) -> Wish:
    """Read an order from WebSocket params; in a batch `order` is one item of it."""
    order_type = cast("OrderType", word(order, "order_type", OrderType))
    price_unit = "static" if order_type != "trailing_stop_limit" else "quote"
    preference = word(order, "fee_preference", FeeAsset, "quote")
    reference = order.get("order_userref")
    return Wish(
        symbol=str(params.get("symbol", "")),
        order_type=order_type,
        side=cast("Side", word(order, "side", Side)),
        quantity=amount(order, "order_qty") or 0,
        price=amount(order, "limit_price") if order_type in PRICED else None,
        price_unit=unit(order, "limit_price_type", cast("PriceUnit", price_unit)),
        cash=amount(order, "cash_order_qty") or 0,
        display=amount(order, "display_qty") or 0,
        trigger=_trigger(order.get("triggers"), "price", "price_type"),
        time_in_force=cast("TimeInForce", word(order, "time_in_force", TimeInForce, "gtc")),
        start_ns=when(order, "effective_time"),
        expire_ns=when(order, "expire_time"),
        deadline_ns=when(params, "deadline"),
        post_only=order.get("post_only") is True,
        reduce_only=order.get("reduce_only") is True,
        margin=order.get("margin") is True,
        fee_asset=cast("FeeAsset", preference),
        self_trade=cast("SelfTrade", word(order, "stp_type", SelfTrade, "cancel_newest")),
        cl_ord_id=client_id(order.get("cl_ord_id")),
        userref=reference if isinstance(reference, int) else None,
        sender_sub_id=str(order.get("sender_sub_id", "")),
        close=_conditional(order.get("conditional")),
        validate=params.get("validate") is True,
    )


def _trigger(fields: object, price: str, price_type: str) -> Trigger | None:
    if not isinstance(fields, dict):
        return None
    at = amount(fields, price)
    if at is None:
        raise UnfitError(f"{ARGUMENTS}:{price}")
    reference = word(fields, "reference", Literal["last", "index"], "last")
    kind = cast("Literal['last', 'index']", reference)
    return Trigger(price=at, unit=unit(fields, price_type), reference=kind)


def _conditional(fields: object) -> Conditional | None:
    if not isinstance(fields, dict):
        return None
    order_type = cast("OrderType", word(fields, "order_type", OrderType))
    trigger = None
    if order_type in TRIGGERED:
        trigger = _trigger(fields, "trigger_price", "trigger_price_type")
    price_unit = unit(fields, "limit_price_type")
    return Conditional(order_type, trigger, amount(fields, "limit_price"), price_unit)


def from_rest(params: Fields, order: Fields, now_ns: int) -> Wish:
    """Read an order from REST fields; in a batch `order` is one item of it."""
    order_type = cast("OrderType", word(order, "ordertype", OrderType))
    side = cast("Side", word(order, "type", Side))
    flags = {flag.strip() for flag in str(order.get("oflags") or "").split(",")}
    price, trigger, price_unit = _rest_prices(order_type, side, order, ("price", "price2"))
    volume = amount(order, "volume") or 0
    is_cash = "viqc" in flags
    reference = amount(order, "userref")
    return Wish(
        symbol=str(params.get("pair", "")),
        order_type=order_type,
        side=side,
        quantity=0 if is_cash else volume,
        price=price,
        price_unit=price_unit,
        cash=volume if is_cash else 0,
        display=amount(order, "displayvol") or 0,
        trigger=trigger,
        time_in_force=cast("TimeInForce", word(order, "timeinforce", TimeInForce, "gtc")),
        start_ns=_rest_time(order, "starttm", now_ns),
        expire_ns=_rest_time(order, "expiretm", now_ns),
        deadline_ns=when(params, "deadline"),
        post_only="post" in flags,
        reduce_only=is_true(order.get("reduce_only")),
        margin=str(order.get("leverage") or "none") not in {"none", "0", "1"},
        fee_asset="base" if "fcib" in flags else "quote",
        self_trade=cast("SelfTrade", word(order, "stptype", SelfTrade, "cancel_newest")),
        cl_ord_id=client_id(order.get("cl_ord_id") or None),
        userref=None if reference is None else reference // ONE,
        close=_rest_close(order, side),
        validate=is_true(params.get("validate")),
    )


def is_true(value: object) -> bool:
    """Read a REST boolean: Python's spelling of it arrives too."""
    return value is True or str(value).lower() in {"true", "1"}


def _rest_time(fields: Fields, name: str, now_ns: int) -> int:
    """Read `0`, unix seconds, or `+seconds` from now."""
    text = str(fields.get(name) or "0").replace(" ", "+")  # a plus left bare in a form
    seconds = scaled(text.removeprefix("+"))
    if seconds is None or seconds < 0:
        raise UnfitError(f"{ARGUMENTS}:{name}")
    at_ns = seconds * SECOND // ONE
    return now_ns + at_ns if text.startswith("+") else at_ns


def _rest_prices(
    order_type: OrderType, side: Side, fields: Fields, names: tuple[str, str]
) -> tuple[int | None, Trigger | None, PriceUnit]:
    """Return (limit price, trigger, unit of the limit price) from `price` and `price2`."""
    first, second = names
    if order_type not in TRIGGERED:
        return (amount(fields, first) if order_type in PRICED else None), None, "static"
    at, at_unit = _relative(fields, first, side)
    reference = word(fields, "trigger", Literal["last", "index"], "last")
    kind = cast("Literal['last', 'index']", reference)
    trigger = Trigger(price=at, unit=at_unit, reference=kind)
    if order_type not in PRICED:
        return None, trigger, "static"
    limit, limit_unit = _relative(fields, second, side)
    return limit, trigger, limit_unit


def _relative(fields: Fields, name: str, side: Side) -> tuple[int, PriceUnit]:
    """Read `29000.5`, `+150` or `-2%` (offsets), `#1` (the direction follows the side)."""
    text = str(fields.get(name) or "").replace(" ", "+")
    is_offset = text[:1] in {"+", "-", "#"}
    bare = text.removeprefix("+").removeprefix("#").removesuffix("%")
    value = scaled(bare)
    if value is None or not bare:
        raise UnfitError(f"{ARGUMENTS}:{name}")
    if text[:1] == "#" and side == "sell":
        value = -value
    if text.endswith("%"):
        return value, "percent"
    return value, "quote" if is_offset else "static"


def _rest_close(fields: Fields, side: Side) -> Conditional | None:
    nested = fields.get("close")
    if isinstance(nested, dict):
        fields = {f"close[{name}]": value for name, value in nested.items()}
    if not fields.get("close[ordertype]"):
        return None
    order_type = cast("OrderType", word({"close": fields["close[ordertype]"]}, "close", OrderType))
    names = ("close[price]", "close[price2]")
    other: Side = "sell" if side == "buy" else "buy"
    price, trigger, price_unit = _rest_prices(order_type, other, fields, names)
    return Conditional(order_type, trigger, price, price_unit)
