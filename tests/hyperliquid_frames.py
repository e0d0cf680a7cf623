"""Frames of Hyperliquid's channels, made up, and how they are read."""

import json
from typing import Any

from crosswire.domain import CashMoved
from crosswire.venues.hyperliquid.decode.messages import ChannelMessage
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from tests.hyperliquid_world import NOW_MS, NOW_NS, OWN_ID, listings

CLOID = "0x" + OWN_ID


def decoder(account: str = "main") -> Decoder:
    return Decoder(listings(), session=account or "hyperliquid", connection="c", account=account)


def frame(channel: str, data: Any) -> bytes:
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


def read(channel: str, data: Any) -> ChannelMessage:
    message = decoder().frame(frame(channel, data), NOW_NS)
    assert isinstance(message, ChannelMessage), message
    return message


def only(channel: str, data: Any) -> Any:
    """Return the one event of a frame, beside what fills do to the cash."""
    [event] = [event for event in read(channel, data).events if not is_leg(event)]
    return event


def is_leg(event: object) -> bool:
    """Whether an event is what a fill did to the account's cash."""
    return isinstance(event, CashMoved) and event.kind == "trade"


def update(status: str = "open", **changes: Any) -> dict[str, Any]:
    order = {
        "coin": "ETH",
        "side": "B",
        "limitPx": "1100.0",
        "sz": "0.2",
        "oid": 77,
        "timestamp": NOW_MS - 5,
        "origSz": "0.2",
        "cloid": CLOID,
        **changes,
    }
    return {"order": order, "status": status, "statusTimestamp": NOW_MS}


def fill(**changes: Any) -> dict[str, Any]:
    row = {
        "coin": "ETH",
        "px": "2067.2",
        "sz": "0.01",
        "side": "A",
        "time": NOW_MS,
        "startPosition": "0.01",
        "dir": "Close Long",
        "closedPnl": "-0.13",
        "hash": "0x5b19",
        "oid": 315449302232,
        "crossed": True,
        "fee": "0.00893",
        "tid": 343484124188045,
        "cloid": CLOID,
        "feeToken": "USDC",
        "twapId": None,
    }
    return {**row, **changes}
