"""The live path without its sockets, stage by stage: where the time between frames goes.

The real sessions, engine, gate and encoder; the scripted venue answers every order at once. The
stages are timed apart, warm, one tick after the other: on sockets, with 300 µs between two ticks
and caches gone cold, the same code takes two to three times as long.
"""

import json
import statistics
import time

from bench.clients.top_bid import TopBid
from bench.figures import Row
from bench.inside import timed
from bench.server import Peer
from bench.ticks import SYMBOL, ring
from bench.trading import Plan
from bench.venue import Venue, rest
from crosswire.domain import Amend, AnyEvent, Approved
from crosswire.engine import Account, Engine, Settings
from crosswire.fixed import parse
from crosswire.risk import Limits
from crosswire.venues import venue
from crosswire.venues.interface import (
    Credentials,
    FeedSettings,
    Frame,
    HttpRequest,
    Session,
    SessionSettings,
)
from crosswire.venues.kraken.session import pacing

VENUE, ACCOUNT = "kraken", "bench"
GAP_NS = 300_000
STAGES = ("decode", "apply, decide, approve", "encode and pace")


class Ear(Peer):
    """A connection of the scripted venue that keeps what it would send."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.sequences = {}
        self.path = ""
        self.is_websocket = True

    def say(self, text: str | bytes) -> None:
        """Keep a frame."""
        self.said.append(text.encode() if isinstance(text, str) else text)


class Path:
    """One bot and its venue in one thread."""

    def __init__(self) -> None:
        known = venue(VENUE)
        self.now_ns = time.time_ns()
        self.venue = Venue()
        self.venue.listener.close()
        self.feed = known.feed(FeedSettings(hosts=known.live, instruments=(SYMBOL,)))
        login = Credentials(key="key", secret="c2VjcmV0")
        wanted = SessionSettings(
            account=ACCOUNT, hosts=known.live, credentials=login, instruments=(SYMBOL,), tier="pro"
        )
        self.trading = known.session(wanted, 1)
        money = parse("1000000")
        limits = Limits(
            max_order_notional=money, max_position_notional=money, max_orders_per_second=10**12
        )
        account = Account(VENUE, limits, bound_ns=known.capabilities.bound_ns)
        self.engine = Engine(Settings("bench", 1, {ACCOUNT: account}), lambda: self.now_ns)
        self.engine.add_strategy("top", ACCOUNT, TopBid(f"{VENUE}:{SYMBOL}"))
        self.lines = [(self.trading, Ear()), (self.feed, Ear())]
        for session, _ in self.lines:
            self.turn(session.start(self.now_ns))
            self.exchange()
            for endpoint in session.endpoints():
                self.turn(session.opened(endpoint.connection, self.now_ns))
                self.exchange()

    def turn(self, events: list[AnyEvent]) -> None:
        """Let the engine hear of events, and send what it wants to send."""
        for approved in self.engine.turn(events, self.now_ns) if events else []:
            self.engine.note(self.trading.send(approved, "ws", self.now_ns))

    def exchange(self) -> None:
        """Carry what the sessions say to the venue, and its answers back, until all rest."""
        while any(session.outbox or ear.said for session, ear in self.lines):
            for session, ear in self.lines:
                self._carry(session, ear)

    def _carry(self, session: Session, ear: Ear) -> None:
        outputs = list(session.outbox)
        session.outbox.clear()
        for output in outputs:
            if isinstance(output, Frame):
                self.venue.told(ear, json.loads(output.payload))
            elif isinstance(output, HttpRequest):
                self.turn(session.answered(output, 200, rest(output.path), self.now_ns))
        said, ear.said = ear.said, []
        connection = session.endpoints()[0].connection
        for payload in said:
            self.turn(session.received(connection, payload, self.now_ns))

    def tick(self, text: bytes) -> tuple[int, int, int]:
        """Run one update through; return what each stage took, in ns."""
        self.now_ns += GAP_NS
        clock, now_ns = time.perf_counter_ns, self.now_ns
        connection = self.feed.endpoints()[0].connection
        started = clock()
        events = self.feed.received(connection, text, now_ns)
        decoded = clock()
        approved = self.engine.turn(events, now_ns)
        turned = clock()
        sent = [event for each in approved for event in self.trading.send(each, "ws", now_ns)]
        encoded = clock()
        self.engine.note(sent)
        assert len(self.trading.outbox) == 1, "a tick was not answered by one order"
        self.exchange()
        return decoded - started, turned - decoded, encoded - turned


def rows(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return a row for each stage."""
    kept = pacing.TIERS["pro"]
    pacing.TIERS["pro"] = pacing.Tier(*[10**12] * 5)
    try:
        path = Path()
    finally:
        pacing.TIERS["pro"] = kept
    texts = [tick.text for tick in ring().ticks]
    path.tick(texts[0])
    times = []
    for _ in range(plan.rounds):
        plan.watch.wait()
        times += [path.tick(text) for text in [*texts[1:], texts[0]] * 4]
    times = times[len(times) // 4 :]
    found = []
    for name, taken in zip(STAGES, zip(*times, strict=True), strict=True):
        p99 = sorted(taken)[int(len(taken) * 0.99)]
        found.append(Row(f"live path, warm: {name}", statistics.median(taken), "ns", p99))
    found.insert(2, gate(path, plan))
    return found, []


def gate(path: Path, plan: Plan) -> Row:
    """Return what the risk gate costs for one amend; it is part of the stage above it."""
    risk, now_ns, approve = path.engine.risk, path.now_ns, path.engine.risk.approve
    order = next(iter(path.engine.orders.all_open()))
    amend = Amend(
        account=ACCOUNT, client_order_id=order.client_order_id, instrument=order.instrument,
        venue_order_id=order.venue_order_id, price=order.price, quantity=order.quantity,
    )  # fmt: skip

    def step(number: int) -> object:
        return approve(amend, number + 1, now_ns)

    assert isinstance(risk.approve(amend, 1, now_ns), Approved)
    return timed("live path, warm: of it, the gate", step, plan, 2_000)
