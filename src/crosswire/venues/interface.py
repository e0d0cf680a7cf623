"""What a venue is: one client session and one simulator, both without I/O.

A `Session` is one login's dialogue with a venue (or, without credentials, its public feed). It is
given what arrived and the time, returns events, and leaves what is to be sent in `outbox`; `net`
empties the outbox after every call. A `Simulator` is the other end of the same wire.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from crosswire.domain import AnyEvent, Approved, Transport


class Endpoint(Struct, frozen=True):
    """A connection that a session wants open."""

    connection: str  # its name inside the session
    url: str
    is_private: bool
    silence_ns: int  # no frame of any kind for this long = dead


class Frame(Struct, frozen=True, gc=False):
    """A text frame to be written to a connection."""

    connection: str
    payload: bytes


class HttpRequest(Struct, frozen=True, gc=False):
    """An HTTP request to be made. `key` tells the session what the answer answers."""

    key: int
    method: str
    path: str  # with its query, without the host
    headers: Mapping[str, str]
    body: bytes = b""
    is_ordered: bool = False  # nonces: sent one after the other, in this order
    is_cheap: bool = False  # public, harmless and light: what a pool may be kept warm by


class Reconnect(Struct, frozen=True, gc=False):
    """Drop a connection and open it anew."""

    connection: str
    reason: str


Output = Frame | HttpRequest | Reconnect


class Session(Protocol):
    """One login's dialogue with a venue, without I/O.

    None of its methods raises on what the venue sends.
    """

    name: str  # the account's name, or the venue's for its public feed
    rest_url: str
    outbox: list[Output]

    def endpoints(self) -> Sequence[Endpoint]:
        """The connections this session wants open, always."""

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Begin: ask for what is needed before the first connection (may fill the outbox).

        The first request marked as cheap is also what warms the HTTP pool, and keeps it so.
        """

    def opened(self, connection: str, now_ns: int) -> list[AnyEvent]: ...

    def received(self, connection: str, payload: bytes, now_ns: int) -> list[AnyEvent]:
        """Decode one frame. The hot path: no waiting, no logging."""

    def closed(self, connection: str, reason: str, now_ns: int) -> list[AnyEvent]:
        """The connection is gone; what was in flight on it comes back as `TimedOut`."""

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]: ...

    def failed(
        self, request: HttpRequest, reason: str, now_ns: int, *, was_sent: bool
    ) -> list[AnyEvent]:
        """No answer. `was_sent` is False only if no byte can have left."""

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Time passed: heartbeats, tokens, timeouts, held-back requests."""

    def is_ready(self, transport: Transport) -> bool:
        """Whether an order handed over now would leave at once by this transport."""

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        """Put a command into the outbox, or hold it back within the venue's rate limits.

        Returns `Sent` for what is in the outbox now, or an unsent refusal.
        """

    def statistics(self) -> Mapping[str, int | str | bool]:
        """Counters and states for people and metrics."""


class PostOutcome(Protocol):
    """What became of a post: the JSON that the venue answered, or why there is none."""

    number: int
    payload: bytes
    error: str
    is_lost: bool  # nobody knows whether an action ran


class PostBox(Protocol):
    """Where the answers to posts are."""

    on_answer: Callable[[PostOutcome], None] | None

    def take(self, number: int) -> PostOutcome | None:
        """Return what became of a post, once; None while it is under way."""


@runtime_checkable
class PostingSession(Protocol):
    """A session of a venue that takes any action and any question its users make themselves."""

    posts: PostBox

    @property
    def has_ws(self) -> bool:
        """Whether a post would go by WebSocket now."""

    def post_action(self, action: Mapping[str, object], now_ns: int) -> int:
        """Sign and send an action; returns a number for `posts.take`.

        `ValueError` for what the venue would not understand, `TypeError` for a float.
        """

    def post_info(self, payload: Mapping[str, object], now_ns: int) -> int:
        """Ask a question; returns a number for `posts.take`."""


class SimFrame(Struct, frozen=True, gc=False):
    """A frame from the simulator to one of its connections."""

    connection: int
    payload: bytes


class SimAnswer(Struct, frozen=True, gc=False):
    """The simulator's answer to the HTTP request `key`; status 0 = cut without an answer."""

    key: int
    status: int
    body: bytes
    content_type: str = "application/json"


class SimDrop(Struct, frozen=True, gc=False):
    """The simulator cuts a connection."""

    connection: int
    code: int = 1006


SimOutput = SimFrame | SimAnswer | SimDrop


class Simulator(Protocol):
    """The venue's side of the wire, without I/O. Time is an argument, randomness is seeded."""

    outbox: list[SimOutput]

    def opened(self, connection: int, path: str, now_ns: int) -> None: ...

    def received(self, connection: int, payload: bytes, now_ns: int) -> None: ...

    def closed(self, connection: int, now_ns: int) -> None: ...

    def asked(self, key: int, request: HttpRequest, now_ns: int) -> None:
        """An HTTP request arrived; the answer goes to the outbox, now or in a later tick."""

    def tick(self, now_ns: int) -> None: ...

    def next_due_ns(self) -> int | None:
        """When `tick` has something to do next, None if never."""

    def ledger(self) -> Mapping[str, object]:
        """Everything it saw and did, as plain JSON values: see `crosswire.sim.ledger`."""


class Credentials(Struct, frozen=True):
    """A login. Its text never shows the secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "Credentials(key=***, secret=***)"

    __str__ = __repr__


class LoginError(ValueError):
    """A login that cannot be one: which half of it, and what was expected there.

    Its text never shows what was found.
    """

    def __init__(self, half: str, expected: str) -> None:
        super().__init__(f"{half}: expected {expected}")
        self.half = half  # "key" or "secret"
        self.expected = expected


class Hosts(Struct, frozen=True):
    """Where a venue lives: base URLs without a trailing slash."""

    rest: str
    ws: str
    ws_private: str


class FeedSettings(Struct, frozen=True):
    """What a public session is to stream."""

    hosts: Hosts
    instruments: tuple[str, ...] = ()  # names: BTC/USD
    depth: int = 10
    trades: bool = False
    ticker: bool = False


def _always(_transport: Transport) -> bool:
    """Where nothing watches over the transports."""
    return True


def unlimited() -> int:
    """Where nothing has to be kept of a nonce."""
    return 1 << 62


class SessionSettings(Struct, frozen=True):
    """How a login trades."""

    account: str
    hosts: Hosts
    credentials: Credentials
    instruments: tuple[str, ...] = ()
    tier: str = ""  # the venue's rate tier; "" = its lowest
    request_timeout_ns: int = 5_000_000_000
    max_held: int = 200  # requests held back for rate limits
    max_held_ns: int = 2_000_000_000
    may_place: Callable[[Transport], bool] = _always  # asked again for orders that were held back
    # In the venue's unit: only nonces below it; cancels may take the 10,000 above as well.
    nonce_ceiling: Callable[[], int] = unlimited


class Capabilities(Struct, frozen=True):
    """What the engine must know of a venue to choose its commands."""

    amends_in_place: bool
    has_dead_man: bool
    max_place_batch: int
    max_cancel_batch: int
    bound_ns: int  # default time after which the venue refuses an order request by itself
    read_lag_ns: int  # how far its look-ups may trail its stream
    bounds_ns: tuple[int, int]  # the least and the most a user may set it to
    transports: tuple[Transport, ...] = ("ws", "rest")
    replaces: bool = False  # one request cancels an order and opens another in its place
    has_snapshot: bool = True  # its stream tells of all open orders whenever it is asked
    has_cancel_all: bool = True  # one request cancels everything, whatever we know of it
    has_dead_man_by_volume: bool = False  # only for accounts that have traded enough
    takes_copies: bool = False  # identical bytes run once, by its documents; see `verify`
    nonce_unit_ns: int = 1  # what a nonce counts in
    # It has no market orders: an ioc so far beyond the middle is one. 0 = it has them.
    market_bps: int = 0


class Stage(Struct, frozen=True, kw_only=True):
    """What a simulated venue is played on: by the demo, by worlds, by whoever names nothing else.

    `login` makes the login that a simulator of ours knows for an account's name: secret to nobody.
    """

    instruments: Mapping[str, str]  # by name, with what a typical order of a world holds of each
    worlds: tuple[str, ...]  # which of them worlds trade, in turns
    most_notional: str  # of a world's position and orders, in the quote asset
    balances: Mapping[str, str]
    cash: str  # the wallet that deposits come into
    login: Callable[[str], Credentials]
    tier: str = ""
    ladder: Mapping[str, object] = {}  # how a demo's built-in ladder is set here
    faults: Mapping[str, float] = {}  # the usual ones of a demo, often enough to be seen
    drill: Mapping[str, int] = {}  # how a world's usual strategy is set here
    ids_apart: int = 3_000  # between two runs' ids in a world: they tag quantities, in lots
    funding_ns: int = 0  # how often positions pay each other, on the clock's full hours; 0 = never
    bounds_hold: bool = False  # nothing is ever taken past its bound: no accept comes late

    @property
    def instrument(self) -> str:
        """The first of them: what is traded where one is enough."""
        return next(iter(self.instruments))


def _as_it_is(login: Credentials) -> Credentials:
    """Where the session itself says what is wrong with a login."""
    return login


class Venue(Struct, frozen=True):
    """One entry of the list in `crosswire.venues`."""

    name: str
    capabilities: Capabilities
    live: Hosts
    testnet: Hosts | None
    feed: Callable[[FeedSettings], Session]
    session: Callable[[SessionSettings, int], Session]  # settings, first nonce (venue's unit)
    simulator: Callable[..., Simulator]
    local_hosts: Callable[[str], Hosts]  # base "host:port" of a hosted simulator
    stage: Stage
    # A login as the session wants it, from what a user wrote; raises `LoginError`.
    read_login: Callable[[Credentials], Credentials] = _as_it_is
    # An action that changes nothing but uses up a nonce, for sessions that take posts.
    idle_action: Mapping[str, object] | None = None
    key_word: str = "key"  # what the public half of a login is called there
