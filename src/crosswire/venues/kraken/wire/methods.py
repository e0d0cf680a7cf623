"""Answers to requests on a WebSocket."""

from msgspec import Raw, Struct, field

from crosswire.venues.kraken.wire.words import Ignored


class MethodResult(Struct, frozen=True):
    """The result of any method, all of their fields together; absent ones stay as they are."""

    order_id: str = ""
    cl_ord_id: str = ""
    order_userref: Ignored = None
    amend_id: str = ""
    original_order_id: str = ""
    count: int | None = None
    current_time: str = field(default="", name="currentTime")
    trigger_time: str | int = field(default="", name="triggerTime")
    error: str = ""  # of one item of a batch
    channel: str = ""
    symbol: str = ""
    depth: int = 0
    interval: int = 0
    snapshot: bool | None = None
    snap_orders: bool | None = None
    snap_trades: bool | None = None
    event_trigger: Ignored = None
    maxratecount: int | None = None
    warnings: list[str] = []


class MethodAnswer(Struct, frozen=True):
    """The envelope of an answer. `result` is an object, an array (batch_add) or missing."""

    method: str
    req_id: int | None = None
    success: bool | None = None  # a pong has none
    error: str | None = None
    symbol: str | None = None  # some refusals of subscriptions name it here
    status: Ignored = None
    result: Raw = Raw(b"")
    orders_cancelled: int | None = None  # batch_cancel's answer of 2024
    time_in: str | None = None
    time_out: str | None = None


class BatchAnswer(Struct, frozen=True):
    """One item of batch_add's answer, in the order of the request."""

    order_id: str = ""
    cl_ord_id: str = ""
    error: str = ""
