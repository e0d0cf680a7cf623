"""Books, trades and candles: the same by /info and in the channels."""

from msgspec import Raw, Struct, field

from crosswire.venues.hyperliquid.wire.meta import PerpContext
from crosswire.venues.hyperliquid.wire.words import Ignored, Milliseconds, Number


class Envelope(Struct, frozen=True):
    """Every frame: what it is about, and the rest, read by what it is about."""

    channel: str
    data: Raw = Raw(b"")


class Level(Struct, frozen=True):
    """One price level of `n` orders."""

    px: Number
    sz: Number
    n: int = 0


class Book(Struct, frozen=True):
    """l2Book: bids then asks, best first. Always the whole of what is shown."""

    coin: str
    levels: tuple[list[Level], list[Level]]
    time: Milliseconds
    fast: bool = False
    spread: Ignored = None  # only of a book with grouped prices


class Bbo(Struct, frozen=True):
    """The best bid and ask; null for an empty side."""

    coin: str
    time: Milliseconds
    bbo: tuple[Level | None, Level | None]


class Trade(Struct, frozen=True):
    """A public trade; `side` is the taker's: B buys, A sells."""

    coin: str
    side: str
    px: Number
    sz: Number
    time: Milliseconds
    hash: str = ""
    tid: int = 0
    users: Ignored = None


class Mids(Struct, frozen=True):
    """The mids of all coins of a dex."""

    mids: dict[str, Number]
    dex: str = ""


class Candle(Struct, frozen=True):
    """A bar so far, of one coin and interval; times in ms."""

    start: Milliseconds = field(name="t")
    coin: str = field(name="s")
    interval: str = field(name="i")
    open: Number = field(name="o")
    close: Number = field(name="c")
    high: Number = field(name="h")
    low: Number = field(name="l")
    volume: Number = field(name="v")
    trades: int = field(default=0, name="n")
    end: Milliseconds = field(default=0, name="T")


class AssetContext(Struct, frozen=True):
    """activeAssetCtx and activeSpotAssetCtx: the state of one coin."""

    coin: str
    ctx: PerpContext


class Subscription(Struct, frozen=True, rename="camel"):
    """What was subscribed, in the venue's own spelling: nulls added, users in lower case."""

    type: str
    coin: str = ""
    user: str = ""
    interval: str = ""
    dex: str | None = None
    n_sig_figs: int | None = None
    mantissa: int | None = None
    fast: bool | None = None
    aggregate_by_time: bool | None = None


class Subscribed(Struct, frozen=True):
    """The answer to subscribe and unsubscribe."""

    method: str
    subscription: Subscription


class PostResponse(Struct, frozen=True):
    """What a post came to: info, action, or error with a text."""

    type: str
    payload: Raw


class Post(Struct, frozen=True):
    """The answer to a post, by our number."""

    id: int
    response: PostResponse


class InfoPayload(Struct, frozen=True):
    """A post's answer to a question: wrapped once more than by REST."""

    type: str
    data: Raw


class Notification(Struct, frozen=True):
    """A text for people."""

    notification: str
