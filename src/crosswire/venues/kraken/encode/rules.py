"""What a request may say at all: told here, in one line, before anything is sent.

The instrument's own rules (tick, minimum, status) are risk's; these are the rules of the
venue's request format. Every check raises `ValueError`.
"""

import re
from collections.abc import Sequence

from crosswire.domain import Amend, Cancel, ConditionalClose, Place

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
MAX_PLACES = 15  # orders in one batch, all of one instrument
MAX_CANCELS = 50  # orders in one batch cancel
_ICEBERG_PARTS = 15  # an iceberg shows at least this part of its quantity
_MAX_TIMEOUT_NS = 86_400 * 1_000_000_000
_MONTH_NS = 31 * 86_400 * 1_000_000_000
_AT_ONCE = ("ioc", "fok")
_bytes_of = bytes.fromhex
_OWN_ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[!-!#-\[\]-~]{1,18}", re.ASCII)


def require(holds: object, complaint: str) -> None:
    """Raise `ValueError` with the complaint unless it holds."""
    if not holds:
        raise ValueError(complaint)


def check_own_id(client_order_id: str) -> None:
    """A UUID with or without dashes, or at most 18 characters of ASCII."""
    if is_ours(client_order_id):
        return  # no need for the pattern
    require(
        _OWN_ID.fullmatch(client_order_id),
        f'client_order_id "{client_order_id}" is neither a UUID nor 1 to 18 plain characters',
    )


def is_ours(client_order_id: str) -> bool:
    """Whether an id is 32 hex digits, as ours always are: the quickest of all such checks."""
    try:
        return len(client_order_id) == 32 and len(_bytes_of(client_order_id)) == 16
    except ValueError:
        return False


def check_venue_id(venue_order_id: str) -> None:
    """Letters, digits and dashes, so that nothing else can be spliced into a request."""
    require(is_venue_id(venue_order_id), f'"{venue_order_id}" is not an order id')


def is_venue_id(text: str) -> bool:
    """Whether a text is letters, digits and dashes."""
    return text.isascii() and text.replace("-", "").isalnum()


def check_cancel(cancel: Cancel) -> None:
    """One of the two ids, well formed."""
    if cancel.venue_order_id:
        check_venue_id(cancel.venue_order_id)
    else:
        check_own_id(cancel.client_order_id)


def check_amend(amend: Amend) -> None:
    """One of the two ids, and something to change."""
    if amend.venue_order_id:
        check_venue_id(amend.venue_order_id)
    else:
        check_own_id(amend.client_order_id)
    is_empty = True
    for name in ("quantity", "price", "display_quantity", "trigger_price"):
        value = getattr(amend, name)
        if value is not None:
            is_empty = False
            require(value > 0, f"the amend's {name} must be above zero")
    require(not is_empty, "the amend changes nothing")


def is_plain(place: Place) -> bool:
    """Whether this is a limit order, to rest or not, to which no other rule applies.

    Spelled out because it is on the hot path.
    """
    return (
        place.order_type == "limit"
        and (
            place.time_in_force == "gtc"
            or (place.time_in_force in _AT_ONCE and not place.post_only)
        )
        and place.price is not None
        and place.price > 0 < place.quantity
        and is_ours(place.client_order_id)
        and place.price_unit == "static"
        and place.trigger is None
        and place.close is None
        and place.self_trade is None
        and place.display_quantity is None
        and place.cash_quantity is None
        and not place.reduce_only
        and not place.margin
        and not place.start_ns
        and not place.expire_ns
        and not place.fee_asset
        and not place.validate
    )


def check_edit(amend: Amend) -> None:
    """The venue's id, and nothing of a triggered order."""
    check_amend(amend)
    require(amend.venue_order_id, "an edit names the order by the venue's id only")
    require(amend.trigger_price is None, "an edit cannot move a trigger's price alone")


def check_place(place: Place, now_ns: int) -> None:
    """Everything an order's fields promise each other, on either transport."""
    if place.close is None:
        check_own_id(place.client_order_id)
    _check_quantity(place)
    _check_prices(place)
    _check_time(place, now_ns)
    if place.post_only:
        require(place.order_type in PRICED, f"post-only does not go with {place.order_type}")
    require(place.fee_asset in {"", "base", "quote"}, 'fee_asset is "base", "quote" or ""')


def _check_quantity(place: Place) -> None:
    if place.cash_quantity is not None:
        is_allowed = place.order_type == "market" and place.side == "buy" and not place.margin
        require(is_allowed, "a cash quantity is for buying at market without margin")
        require(place.cash_quantity > 0, "the cash quantity must be above zero")
        require(place.quantity == 0, "an order has a quantity or a cash quantity, not both")
    else:
        is_whole_position = place.order_type == "settle_position" and place.quantity == 0
        require(place.quantity > 0 or is_whole_position, "the quantity must be above zero")
    if place.order_type == "iceberg":
        require(place.display_quantity, "an iceberg needs its display quantity")
    if place.display_quantity is not None:
        require(place.order_type == "iceberg", "a display quantity is for icebergs")
        is_enough = place.quantity <= place.display_quantity * _ICEBERG_PARTS
        require(is_enough, f"an iceberg shows at least 1/{_ICEBERG_PARTS} of its quantity")
        require(place.display_quantity <= place.quantity, "an iceberg shows no more than it has")


def _check_prices(place: Place) -> None:
    kind = place.order_type
    require((place.price is not None) == (kind in PRICED), _complaint("limit price", kind, PRICED))
    has_trigger = place.trigger is not None
    require(has_trigger == (kind in TRIGGERED), _complaint("trigger", kind, TRIGGERED))
    if kind != "trailing_stop_limit":
        require(place.price_unit == "static", f"{kind} takes its price as a price, not an offset")
        require(place.price is None or place.price > 0, "the price must be above zero")
    if place.trigger is not None and (
        kind.startswith("trailing") or place.trigger.unit == "static"
    ):
        require(place.trigger.price > 0, f"the trigger of this {kind} must be above zero")
        is_offset = place.trigger.unit != "static" or not kind.startswith("trailing")
        require(is_offset, f"{kind} trails by percent or by an amount of the quote asset")


def _complaint(what: str, kind: str, kinds: frozenset[str]) -> str:
    return f"{kind} needs a {what}" if kind in kinds else f"{kind} takes no {what}"


def _check_time(place: Place, now_ns: int) -> None:
    rule = place.time_in_force
    if rule == "gtd":
        is_near = now_ns < place.expire_ns <= now_ns + _MONTH_NS
        require(is_near, "a good-till-date order expires in the future, within a month")
    else:
        require(not place.expire_ns, "an expiry goes with good-till-date only")
    if rule == "fok":
        require(place.order_type == "limit", "fill-or-kill is for limit orders only")
    if rule in {"ioc", "fok"}:
        require(not place.post_only, f"post-only contradicts {rule}")
    if place.order_type == "market":
        require(rule in {"gtc", "ioc"}, f"a market order cannot be {rule}")
    require(not place.start_ns or place.start_ns > now_ns, "the scheduled start has passed")


def check_tag(place: Place, tag: int) -> None:
    """An order that carries no id of ours: allowed with a tag, or where nothing is placed."""
    require(
        tag or place.validate,
        "a conditional close excludes the client_order_id, so a lost answer could not be resolved",
    )
    require(-(2**31) <= tag < 2**31, "a tag has 32 bits")


def check_close(close: ConditionalClose) -> None:
    """The closing order's type with the prices that it needs."""
    kind = close.order_type
    require(kind in PRICED | TRIGGERED and kind != "iceberg", f"an order cannot close by {kind}")
    has_trigger = close.trigger is not None
    require(has_trigger == (kind in TRIGGERED), _complaint("trigger", kind, TRIGGERED))
    require((close.price is not None) == (kind in PRICED), _complaint("limit price", kind, PRICED))


def check_batch(places: Sequence[Place]) -> None:
    """2 to 15 orders of one instrument, each recognisable."""
    require(2 <= len(places) <= MAX_PLACES, f"a batch has 2 to {MAX_PLACES} orders")
    is_one = len({place.instrument for place in places}) == 1
    require(is_one, "the orders of a batch are of one instrument")
    require(len({place.validate for place in places}) == 1, "a batch is checked or placed, whole")
    has_close = any(place.close is not None for place in places)
    require(not has_close, "a conditional close cannot be placed in a batch")


def check_cancels(cancels: Sequence[Cancel]) -> None:
    """2 to 50 well-formed ids."""
    require(2 <= len(cancels) <= MAX_CANCELS, f"a batch cancels 2 to {MAX_CANCELS} orders")
    for cancel in cancels:
        check_cancel(cancel)


def timeout_seconds(timeout_ns: int) -> int:
    """Return the dead-man timer in whole seconds, rounded up; below a day."""
    require(0 <= timeout_ns < _MAX_TIMEOUT_NS, "the dead-man timer is shorter than a day")
    return -(-timeout_ns // 1_000_000_000)
