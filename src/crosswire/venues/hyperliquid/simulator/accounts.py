"""An account of the venue: its orders, fills and positions. Its money lies in the ledger."""

from collections import deque

from msgspec import Struct, field

from crosswire.domain import Side
from crosswire.fixed import SCALE
from crosswire.sim.matching import Order
from crosswire.venues.hyperliquid.simulator.actions import OrderWire
from crosswire.venues.hyperliquid.simulator.markets import Market
from crosswire.venues.hyperliquid.simulator.text import scaled

KEPT = 2000  # order records and fills that a look-up still finds
OPEN = frozenset({"open", "triggered", "waitingForFill", "waitingForTrigger"})


class Version(Struct, frozen=True):
    """How an order was from a moment on."""

    at_ns: int
    status: str
    quantity: int
    filled: int


class OrderRecord(Struct, kw_only=True, eq=False):
    """One order, from its oid to its end and after."""

    oid: int
    account: str
    market: Market
    wire: OrderWire
    side: Side
    price: int
    original: int  # as asked for
    quantity: int  # as shrunk, fills included
    opened_ns: int
    status: str = "open"
    status_ns: int = 0
    filled: int = 0
    cost: int = 0  # of what is filled
    order: Order | None = None  # as the matching engine keeps it
    is_entering: bool = False  # its first moment: what happens is told at its end
    is_position_tpsl: bool = False
    parent: "OrderRecord | None" = None
    children: "list[OrderRecord]" = field(default_factory=list)
    builder_rate: int = 0  # of the notional, scaled
    twap_id: int | None = None  # the slow order of which it is a slice
    is_liquidation: bool = False
    versions: list[Version] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its name in the matching engine and in the ledger."""
        return str(self.oid)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_trigger(self) -> bool:
        return self.wire.tif == ""

    @property
    def trigger_price(self) -> int:
        """What the mark must reach to wake it; 0 for an order that does not sleep."""
        trigger = self.wire.t.trigger
        return scaled(trigger.trigger_px) if trigger else 0

    @property
    def wakes_above(self) -> bool:
        """Whether it wakes when the mark rises: a buy's stop, a sell's take-profit."""
        trigger = self.wire.t.trigger
        if not trigger:
            return False
        return (self.side == "buy") == (trigger.tpsl == "sl")

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled

    def note(self, at_ns: int) -> None:
        """Remember how it is now."""
        self.versions.append(Version(at_ns, self.status, self.quantity, self.filled))

    def as_of(self, at_ns: int) -> Version | None:
        """Return how it was at a moment; None before it was there."""
        return next((one for one in reversed(self.versions) if one.at_ns <= at_ns), None)


class Fill(Struct, frozen=True, kw_only=True):
    """One trade of a client."""

    market: Market
    side: Side
    oid: int
    cloid: str
    tid: int
    price: int
    quantity: int
    start_position: int
    direction: str
    closed_pnl: int
    fee: int
    fee_token: str
    builder_fee: int
    is_taker: bool
    hash: str
    at_ns: int
    twap_id: int | None = None
    liquidation: dict[str, object] | None = None


class Position(Struct):
    """A perp position: signed size, and what it cost (signed alike)."""

    size: int = 0
    cost: int = 0
    funding: int = 0  # paid since it was opened


class Leverage(Struct, frozen=True):
    """How much may be borrowed for a coin."""

    value: int
    is_cross: bool = True


class Agent(Struct):
    """An API wallet."""

    address: str
    master: str  # the account's address
    name: str = ""
    valid_until_ms: int = 0  # 0 = for ever
    refused_until_ns: int = 0  # a fault: as if it had expired


class Account:
    """One address: a user, or a sub-account of one."""

    def __init__(self, name: str, address: str, *, master: str = "", volume: int = 0) -> None:
        self.name = name
        self.address = address
        self.master = master  # the address that signs for it, if not its own
        self.volume = volume  # traded in its life, dollars, scaled
        self.requests_used = 0
        self.requests_bought = 0
        self.exhausted_until_ns = 0  # a fault: no budget until then
        self.last_grace_ns = 0  # when an action passed although the budget was spent
        self.records: dict[int, OrderRecord] = {}
        self._by_cloid: dict[str, list[OrderRecord]] = {}
        self.open: dict[int, OrderRecord] = {}
        self.history: deque[tuple[OrderRecord, Version]] = deque(maxlen=KEPT)
        self.fills: list[Fill] = []
        self.payments: list[dict[str, object]] = []  # rows of money that no trade moved
        self.positions: dict[str, Position] = {}  # by coin
        self.leverages: dict[str, Leverage] = {}
        self.isolated: dict[str, int] = {}  # margin put aside for a coin
        self.builders: dict[str, int] = {}  # tenths of a basis point that were approved
        self.schedule_ns = 0  # when everything is cancelled; 0 = never
        self.schedule_day = 0
        self.schedules_fired = 0  # on that day

    @property
    def owner(self) -> str:
        """Its name in the matching engine, where the order flow has one too."""
        return f"client {self.name}"

    def leverage(self, market: Market) -> Leverage:
        usual = Leverage(min(20, market.max_leverage), is_cross=not market.is_isolated)
        return self.leverages.get(market.coin, usual)

    def size(self, coin: str) -> int:
        """The signed size of its position."""
        held = self.positions.get(coin)
        return held.size if held else 0

    def find(self, oid: int | str) -> OrderRecord | None:
        """Return an order by its oid, or by its cloid: the open one, else the latest."""
        if isinstance(oid, int):
            return self.records.get(oid)
        found = self._by_cloid.get(oid, [])
        return next((one for one in reversed(found) if one.is_open), found[-1] if found else None)

    def add(self, record: OrderRecord) -> None:
        """Keep a new order."""
        self.records[record.oid] = record
        if record.wire.cloid:
            self._by_cloid.setdefault(record.wire.cloid, []).append(record)

    def trim(self, before_ns: int) -> None:
        """Forget what ended before a moment."""
        for oid, record in list(self.records.items()):
            if not record.is_open and record.status_ns < before_ns:
                del self.records[oid]
                if record.wire.cloid:
                    self._forget_cloid(record)
        self.fills = [fill for fill in self.fills if fill.at_ns >= before_ns]

    def _forget_cloid(self, record: OrderRecord) -> None:
        held = self._by_cloid[record.wire.cloid]
        held.remove(record)
        if not held:
            del self._by_cloid[record.wire.cloid]

    @property
    def request_cap(self) -> int:
        """How many actions it may send in its life."""
        return 10_000 + self.volume // SCALE + self.requests_bought
