"""The one form of an action that is hashed, whatever spelling it came in.

The venue parses the JSON into its own types, packs those again and recovers the signer from
that: keys in any order, `1670.10` and a cloid in capitals are read, but their hash is that of the
canonical form. So an action given as a mapping goes through here before it is signed. (The
simulator has a form of its own, so that the two cannot share one mistake.)
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.encode.digits import wire_text

_CLOID = re.compile(r"(?:0x)?([0-9a-fA-F]{32})").fullmatch
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}").fullmatch
_json = msgspec.json.Decoder(wire.AnyAction)
# The types of actions that are known here, by the venue's word.
KNOWN = frozenset(str(each.__struct_config__.tag) for each in get_args(wire.AnyAction))
pack = msgspec.msgpack.Encoder().encode


def read(payload: bytes) -> wire.AnyAction:
    """Return the canonical action of JSON; `msgspec.MsgspecError` or `ValueError` if none."""
    return canonical(_json.decode(payload))


def from_mapping(action: Mapping[str, Any]) -> wire.AnyAction:
    """Return the canonical action of a plain mapping, as `read` does."""
    return canonical(msgspec.convert(dict(action), wire.AnyAction))


def canonical(action: wire.AnyAction) -> wire.AnyAction:
    """Return the same action in its canonical spelling: numbers, ids, addresses.

    An explicit false stays: the venue takes it for a different hash, and so do we.
    """
    match action:
        case wire.OrderAction():
            builder = action.builder
            if not isinstance(builder, msgspec.UnsetType):
                builder = wire.Builder(address(builder.b), builder.f)
            orders = [_order(each) for each in action.orders]
            return wire.OrderAction(orders, action.grouping, builder)
        case wire.CloidCancelAction():
            named = [wire.CloidCancelWire(each.asset, cloid(each.cloid)) for each in action.cancels]
            return wire.CloidCancelAction(named, action.f)
        case wire.ModifyAction():
            return wire.ModifyAction(_key(action.oid), _order(action.order), action.a)
        case wire.BatchModifyAction():
            changed = [wire.ModifyWire(_key(it.oid), _order(it.order)) for it in action.modifies]
            return wire.BatchModifyAction(changed, action.a)
        case wire.TwapOrderAction():
            twap = msgspec.structs.replace(action.twap, s=wire_text(action.twap.s))
            return wire.TwapOrderAction(twap, action.details)
    return action


def cloid(text: str) -> str:
    """Return a client order id in the venue's spelling; `ValueError` if it is none."""
    match = _CLOID(text)
    if match is None:
        raise ValueError(f'"{text}" is not a cloid: 0x and 32 hex digits')
    return "0x" + match[1].lower()


def address(text: str) -> str:
    """Return an address in lower case; `ValueError` if it is none."""
    if _ADDRESS(text) is None:
        raise ValueError(f'"{text}" is not an address: 0x and 40 hex digits')
    return text.lower()


def _key(key: wire.OrderKey) -> wire.OrderKey:
    return cloid(key) if isinstance(key, str) else key


def _order(order: wire.OrderWire) -> wire.OrderWire:
    kind = order.t
    if isinstance(kind.limit, msgspec.UnsetType) == isinstance(kind.trigger, msgspec.UnsetType):
        raise ValueError("an order is either a limit or a trigger order")
    if not isinstance(kind.trigger, msgspec.UnsetType):
        price = wire_text(kind.trigger.trigger_price)
        trigger = msgspec.structs.replace(kind.trigger, trigger_price=price)
        kind = wire.OrderKind(trigger=trigger)
    own = order.c if isinstance(order.c, msgspec.UnsetType) else cloid(order.c)
    return wire.OrderWire(
        order.a, order.b, wire_text(order.p), wire_text(order.s), order.r, kind, own
    )
