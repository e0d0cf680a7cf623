"""One bot whose doubts a test steers: both clocks, and every word of the venue.

The venue's clock is ahead of ours by `skew_s`. No strategy quotes beside the test.
"""

from typing import Any

from msgspec.structs import replace

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    Cancel,
    CancelRejected,
    ClockMeasured,
    Closed,
    DoubtMoved,
    InstrumentListed,
    LookUp,
    OrderReported,
    OrdersRead,
    ReadFailed,
    Refused,
    Sent,
    Source,
    TimedOut,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.fixed import parse
from crosswire.orders import Order
from tests.samples import ACCOUNT, BTC, S, book_reset, instrument, place

ONE = parse("1")
STEP_NS = S // 10
START_NS = 1_000_000 * S


class Rig:
    """An engine, and what it said and sent."""

    def __init__(
        self, *, skew_s: int = 3_600, lag_s: int = 1, is_measured: bool = True, **ways: Any
    ) -> None:
        self.now_ns = START_NS
        self.skew_ns = skew_s * S
        self.lag_ns = lag_s * S
        account = Account("kraken", read_lag_ns=self.lag_ns, **ways)
        settings = Settings("b", 1, {ACCOUNT: account})
        self.engine = Engine(settings, lambda: self.now_ns)
        self.told: list[AnyEvent] = []
        self.sent: list[tuple[int, AnyCommand]] = []
        self.numbers: list[int] = []
        self.turn(InstrumentListed(self.now_ns, instrument()))
        if is_measured:
            self.turn(ClockMeasured(self.now_ns, ACCOUNT, self.skew_ns))

    # --- moving --------------------------------------------------------------------------------

    @property
    def venue_ns(self) -> int:
        return self.now_ns + self.skew_ns

    def later(self, seconds: float) -> None:
        self.now_ns += int(seconds * S)

    def turn(self, *events: AnyEvent) -> None:
        self._keep(self.engine.turn(events, self.now_ns))

    def tick(self) -> list[AnyCommand]:
        approved = self.engine.tick(self.now_ns)
        self._keep(approved)
        return [each.command for each in approved]

    def run(self, seconds: float, *, fails: bool = True) -> list[AnyCommand]:
        """Let the time pass, a tick each tenth of a second; look-ups fail, cancels are silent."""
        commands: list[AnyCommand] = []
        for _ in range(int(seconds * S) // STEP_NS):
            self.now_ns += STEP_NS
            some = self.tick()
            commands += some
            for command in some:
                if fails and isinstance(command, LookUp):
                    self.turn(ReadFailed(self.now_ns, ACCOUNT, command.what, "test"))
        return commands

    def step(self) -> None:
        """One tick whose look-ups fail."""
        self.run(0.1)

    def submit(self, command: AnyCommand) -> Approved | Refused:
        self.turn(book_reset(recv_ns=self.now_ns))
        outcome = self.engine.submit(command, self.now_ns)
        self._keep([outcome] if isinstance(outcome, Approved) else [])
        return outcome

    def place(self, name: str = "a", *, strategy: str = "s", **rest: Any) -> Order:
        """One order handed to a socket, refused by the venue itself five seconds later."""
        bound_ns = rest.pop("bound_ns", self.now_ns + 5 * S)
        outcome = self.submit(place(name, strategy=strategy, bound_ns=bound_ns, **rest))
        assert isinstance(outcome, Approved)
        return self.order(name)

    def lost(self, name: str = "a", **rest: Any) -> Order:
        """One order whose place request got no answer."""
        order = self.place(name, **rest)
        self.turn(TimedOut(self.now_ns, ACCOUNT, self.numbers[-1], "silence"))
        return order

    def open(self, name: str = "a", venue_order_id: str = "V", **rest: Any) -> Order:
        """One order that rests at the venue, for a while already."""
        order = self.place(name, **rest)
        shown = self.row(name, venue_order_id)
        self.turn(OrdersRead(self.now_ns, ACCOUNT, "open", (shown,), self.now_ns, False))
        assert order.stage == "LIVE"
        self.later(10)
        return order

    def _keep(self, approved: list[Approved]) -> None:
        self.told += self.engine.made
        for each in approved:
            bound_ns = getattr(each.command, "bound_ns", 0)
            self.numbers.append(each.request_id)
            self.sent.append((self.now_ns, each.command))
            bound_ns += self.skew_ns if bound_ns else 0
            note = Sent(self.now_ns, ACCOUNT, each.request_id, "ws", bound_ns=bound_ns)
            self.engine.note((note,))

    # --- looking -------------------------------------------------------------------------------

    def order(self, name: str = "a") -> Order:
        order = self.engine.orders.get(name)
        assert order is not None
        return order

    def asked(self, what: str) -> list[float]:
        """When a look-up was asked for, seconds after the start."""
        return [
            (at_ns - START_NS) / S
            for at_ns, command in self.sent
            if isinstance(command, LookUp) and command.what == what
        ]

    def pressed(self, name: str = "a") -> list[float]:
        """When an order's cancel was asked for, seconds after the start."""
        return [
            (at_ns - START_NS) / S
            for at_ns, command in self.sent
            if isinstance(command, Cancel) and command.client_order_id == name
        ]

    def heard(self, kind: type) -> list[Any]:
        """What the engine concluded, of one kind."""
        return [event for event in self.told if type(event) is kind]

    def steps(self) -> list[str]:
        return [moved.step for moved in self.heard(DoubtMoved)]

    @property
    def halts(self) -> list[str]:
        return list(self.engine.risk.halted.get(ACCOUNT, {}))

    # --- what the venue says -------------------------------------------------------------------

    def row(
        self, name: str = "a", venue_order_id: str = "V", *, filled: str = "0", **rest: Any
    ) -> OrderReported:
        quantity = parse(rest.pop("quantity", "1"))
        price = parse(rest.pop("price", "100"))
        rest.setdefault("is_open", True)
        ids = (ACCOUNT, name, venue_order_id)
        shown = {"price": price, **rest}
        return OrderReported(self.now_ns, *ids, BTC, "buy", quantity, parse(filled), **shown)

    def stranger(self, closed_s: float | None = None) -> OrderReported:
        """Somebody else's order: open, or closed so many seconds ago."""
        if closed_s is None:
            return self.row("", "X")
        closed_ns = self.venue_ns - int(closed_s * S)
        return self.row("", "Z", is_open=False, cause="canceled", closed_ns=closed_ns)

    def snapshot(self, *rows: OrderReported, started_s: float = 0) -> OrdersRead:
        """The stream's own picture, asked for so many seconds ago."""
        return self._read("open", "snapshot", rows, started_s)

    def open_read(self, *rows: OrderReported, started_s: float = 0) -> OrdersRead:
        """A look-up of open orders; without rows it is blind, or so it seems."""
        return self._read("open", "lookup", rows, started_s)

    def closed_read(self, *rows: OrderReported, started_s: float = 0) -> OrdersRead:
        """A look-up of closed orders that reaches back an hour."""
        read = self._read("closed", "lookup", rows, started_s)
        return replace(read, since_ns=read.venue_ns - 3_600 * S)

    def _read(
        self, scope: str, source: Source, rows: tuple[OrderReported, ...], started_s: float
    ) -> OrdersRead:
        started_ns = self.now_ns - int(started_s * S)
        venue_ns = started_ns + self.skew_ns
        return OrdersRead(
            self.now_ns, ACCOUNT, scope, rows, started_ns, True, source, venue_ns=venue_ns
        )

    def closed(self, cause: Any = "canceled", filled: str | None = "0", name: str = "a") -> Closed:
        total = None if filled is None else parse(filled)
        return Closed(self.now_ns, ACCOUNT, name, "V", cause, total)

    def refuse_cancel(self, name: str = "a", *, venue_ns: int = 0) -> None:
        """Refuse the last cancel asked for: the venue knows no such open order."""
        order = self.order(name)
        request = [each for each in order.requests.values() if each.kind == "cancel"][-1]
        ids = (ACCOUNT, name, "", request.request_id, "Unknown order")
        refusal = CancelRejected(self.now_ns, *ids, True, venue_ns=venue_ns or self.venue_ns)
        self.turn(refusal)

    def rule_out(self, name: str = "a") -> None:
        """Go past the bound, and let a snapshot lack the order."""
        self.later(max(0.0, (self.order(name).bound_ns - self.now_ns) / S) + 2)
        self.turn(self.snapshot())
        assert self.order(name).is_ruled_out
