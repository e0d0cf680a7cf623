"""One socket as the venue sees it, and what is subscribed on it."""

from collections.abc import Iterable

from msgspec import Struct, field

from crosswire.venues.kraken.simulator.text import SECOND

IDLE_NS = 60 * SECOND  # no frame either way for this long: dropped
HEARTBEAT_NS = SECOND
BOOK_DEPTHS = (10, 25, 100, 500, 1000)
L3_DEPTHS = (10, 100, 1000)
PUBLIC_CHANNELS = frozenset({"book", "trade", "ticker", "ohlc", "instrument"})
PRIVATE_CHANNELS = frozenset({"executions", "balances"})


class Subscription(Struct):
    """One channel (of one symbol) on one connection."""

    channel: str
    symbol: str = ""
    depth: int = 0  # book, level3
    interval: int = 0  # ohlc
    event_trigger: str = ""  # ticker
    account: str = ""  # private channels
    sequence: int = 0  # private channels: of the last frame
    order_status: bool = True
    ratecounter: bool = False

    @property
    def key(self) -> tuple[str, str, int]:
        """What may stand once per connection: a book's depth does not make it another one."""
        return self.channel, self.symbol, self.interval


class Connection(Struct):
    """One open socket."""

    number: int
    is_private: bool
    is_level3: bool
    opened_ns: int
    last_ns: int  # of the last frame either way
    heartbeat_ns: int = 0  # when the next is due; 0 = no subscription yet
    is_half_open: bool = False
    gone_ns: int = 0  # when it ended; 0 = it stands
    is_cut: bool = False  # ended by the venue
    window_ns: int = 0  # the second in which `messages` arrived
    messages: int = 0
    subscriptions: dict[tuple[str, str, int], Subscription] = field(default_factory=dict)

    def count_message(self, limit: int, now_ns: int) -> bool:
        """Count an incoming frame; False if this second has had too many."""
        if now_ns - self.window_ns >= SECOND:
            self.window_ns, self.messages = now_ns, 0
        self.messages += 1
        return self.messages <= limit

    def of(self, channel: str) -> Iterable[Subscription]:
        return [held for held in self.subscriptions.values() if held.channel == channel]

    def due_ns(self) -> int:
        """When a heartbeat or the end of patience is due."""
        idle_ns = self.last_ns + IDLE_NS
        return min(self.heartbeat_ns, idle_ns) if self.heartbeat_ns else idle_ns
