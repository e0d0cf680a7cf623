"""What decoding yields beside the domain's events: facts only a session needs."""

from msgspec import Struct

from crosswire.domain import AnyEvent, Unreadable


class BatchVerdict(Struct, frozen=True, tag=True, omit_defaults=True):
    """One order of a batch: ids where it was accepted, else the error's text."""

    order_id: str = ""
    cl_ord_id: str = ""
    error: str = ""


class Reply(Struct, frozen=True, tag=True, omit_defaults=True):
    """The venue's answer to one request on a WebSocket (cancel_order: one of n answers).

    `method` is "" for the frame that only says we sent too fast. `req_id` is 0 where the
    venue named none. Fields that the method does not have keep their defaults.
    """

    method: str
    req_id: int
    success: bool
    error: str = ""  # classify it with `errors.classify`
    order_id: str = ""
    cl_ord_id: str = ""
    amend_id: str = ""
    original_order_id: str = ""  # edit_order: the one replaced
    count: int | None = None  # batch_cancel (both shapes) and cancel_all
    items: tuple[BatchVerdict, ...] = ()  # batch_add, in the order of the request
    current_ns: int = 0  # cancel_all_orders_after: the venue's clock
    trigger_ns: int = 0  # and when it fires; 0 = disarmed
    channel: str = ""  # subscribe, unsubscribe
    symbol: str = ""
    depth: int = 0
    interval: int = 0
    max_rate_count: int = 0
    warnings: tuple[str, ...] = ()
    in_ns: int = 0  # the venue's clock when it read the request
    out_ns: int = 0  # and when it answered


class Pong(Struct, frozen=True, tag=True, omit_defaults=True):
    """The answer to a ping."""

    req_id: int
    in_ns: int = 0
    out_ns: int = 0


class Heartbeat(Struct, frozen=True, tag=True, omit_defaults=True):
    """The venue is alive: about once a second while anything is subscribed."""


class ChannelMessage(Struct, frozen=True, tag=True, omit_defaults=True):
    """A channel's frame as events. `sequence` counts private frames, from 1; 0 = none."""

    channel: str
    kind: str  # "snapshot" | "update"
    events: tuple[AnyEvent, ...]
    sequence: int = 0
    rate_count: int | None = None  # the trading counter, where the venue sent it
    connection_id: int | None = None  # of `status`


Message = Reply | Pong | Heartbeat | ChannelMessage | Unreadable
