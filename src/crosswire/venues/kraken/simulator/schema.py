"""What each WebSocket request may hold, and the texts that refuse anything else.

These refusals come before the engine sees a request: they carry no `EOrder:` prefix. Only the
number and array texts are captured; those for other kinds follow their pattern.
"""

from collections.abc import Mapping
from decimal import Decimal

Params = Mapping[str, object]

NUMBER = "must be a number_float"
KINDS: dict[str, tuple[type, ...]] = {
    NUMBER: (int, Decimal),
    "must be an integer": (int,),
    "must be a string": (str,),
    "must be a boolean": (bool,),
    "must be an array": (list,),
    "must be an object": (dict,),
}
INTEGER, TEXT, BOOLEAN, ARRAY, OBJECT = list(KINDS)[1:]

ORDER: dict[str, str] = {
    "order_type": TEXT,
    "side": TEXT,
    "order_qty": NUMBER,
    "limit_price": NUMBER,
    "limit_price_type": TEXT,
    "triggers": OBJECT,
    "time_in_force": TEXT,
    "expire_time": TEXT,
    "effective_time": TEXT,
    "post_only": BOOLEAN,
    "reduce_only": BOOLEAN,
    "margin": BOOLEAN,
    "display_qty": NUMBER,
    "cash_order_qty": NUMBER,
    "fee_preference": TEXT,
    "stp_type": TEXT,
    "cl_ord_id": TEXT,
    "order_userref": INTEGER,
    "conditional": OBJECT,
    "no_mpp": BOOLEAN,
    "sender_sub_id": TEXT,
}
TOKEN = {"token": TEXT}
REQUESTS: dict[str, dict[str, str]] = {
    "add_order": ORDER | TOKEN | {"symbol": TEXT, "deadline": TEXT, "validate": BOOLEAN},
    "amend_order": TOKEN
    | {
        "order_id": TEXT,
        "cl_ord_id": TEXT,
        "order_qty": NUMBER,
        "limit_price": NUMBER,
        "limit_price_type": TEXT,
        "display_qty": NUMBER,
        "trigger_price": NUMBER,
        "trigger_price_type": TEXT,
        "post_only": BOOLEAN,
        "deadline": TEXT,
        "symbol": TEXT,
    },
    "edit_order": TOKEN
    | {
        "order_id": TEXT,
        "symbol": TEXT,
        "order_qty": NUMBER,
        "limit_price": NUMBER,
        "display_qty": NUMBER,
        "fee_preference": TEXT,
        "no_mpp": BOOLEAN,
        "post_only": BOOLEAN,
        "reduce_only": BOOLEAN,
        "triggers": OBJECT,
        "order_userref": INTEGER,
        "deadline": TEXT,
        "validate": BOOLEAN,
    },
    "cancel_order": TOKEN | {"order_id": ARRAY, "cl_ord_id": ARRAY, "order_userref": ARRAY},
    "batch_add": TOKEN | {"symbol": TEXT, "orders": ARRAY, "deadline": TEXT, "validate": BOOLEAN},
    "batch_cancel": TOKEN | {"orders": ARRAY, "cl_ord_id": ARRAY},
    "cancel_all": TOKEN,
    "cancel_all_orders_after": TOKEN | {"timeout": INTEGER},
}
TRIGGERS = {"reference": TEXT, "price": NUMBER, "price_type": TEXT}
CONDITIONAL = {
    "order_type": TEXT,
    "trigger_price": NUMBER,
    "trigger_price_type": TEXT,
    "limit_price": NUMBER,
    "limit_price_type": TEXT,
}
NESTED = {"triggers": TRIGGERS, "conditional": CONDITIONAL}


def refusal(method: str, params: Params) -> str:
    """Return the text that refuses the params of a trading request, "" if they are sound."""
    text = _check(method, REQUESTS[method], params)
    orders = params.get("orders")
    if text or method != "batch_add" or not isinstance(orders, list):
        return text
    for order in orders:
        if not isinstance(order, dict):
            return "Orders field must be an array"
        text = text or _check(method, ORDER, order)
    return text


def _check(method: str, known: Mapping[str, str], params: Params) -> str:
    for name, value in params.items():
        kind = known.get(name)
        if kind is None:
            words = method.replace("_", " ")
            return f"Unsupported field: '{name}' for the given msg type: {words}"
        if not is_kind(value, kind):
            return f"{name.capitalize()} field {kind}"
        if isinstance(value, dict):
            text = _check(method, NESTED[name], value)
            if text:
                return text
    return ""


def is_kind(value: object, kind: str) -> bool:
    """Whether a decoded JSON value is of this kind; a boolean is no number."""
    if isinstance(value, bool):
        return kind == BOOLEAN
    return isinstance(value, KINDS[kind])
