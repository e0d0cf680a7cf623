"""What decoding yields beside the domain's events: facts only a session needs."""

from msgspec import Struct

from crosswire.domain import AnyEvent, Unreadable


class Reply(Struct, frozen=True, tag=True):
    """The answer to a post, by our number: `kind` is info, action or error.

    `payload` is the JSON to be read by `exchange` or `info`; of an error, `error` is the text.
    """

    request_id: int
    kind: str
    payload: bytes = b""
    error: str = ""


class Complaint(Struct, frozen=True, tag=True):
    """The error channel: about a post if it names one, else about what it echoes, or nothing."""

    text: str
    request_id: int = 0
    is_benign: bool = False  # we have what we asked for already
    is_limit: bool = False  # waiting cures it
    is_our_words: bool = False  # it could not be parsed: it never ran


class Subscribed(Struct, frozen=True, tag=True):
    """A subscription began, or ended."""

    is_on: bool
    channel: str
    coin: str = ""
    user: str = ""
    interval: str = ""


class Pong(Struct, frozen=True, tag=True):
    """The answer to a ping."""


class Greeting(Struct, frozen=True, tag=True):
    """Plain text that some stacks send first; it means nothing."""

    text: str


class Context(Struct, frozen=True, tag=True):
    """The state of one instrument; prices are None where there is none."""

    instrument: str
    mark: int | None
    mid: int | None
    oracle: int | None
    funding: int  # of the hour, as a fraction
    open_interest: int
    day_notional: int
    day_volume: int = 0  # in the base


class Mids(Struct, frozen=True, tag=True):
    """Mids by instrument id."""

    mids: tuple[tuple[str, int], ...]


class ChannelMessage(Struct, frozen=True, tag=True):
    """A channel's frame as events, and what has no place among them."""

    channel: str
    events: tuple[AnyEvent, ...] = ()
    coin: str = ""
    fact: Context | Mids | None = None
    is_snapshot: bool = False


Message = Reply | Complaint | Subscribed | Pong | Greeting | ChannelMessage | Unreadable
