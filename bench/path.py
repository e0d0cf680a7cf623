"""The live path without its sockets, stage by stage: where the time between frames goes.

The real sessions, engine, gate and encoder; the scripted venue answers every order at once. The
stages are timed apart, warm, one tick after the other: on sockets, with 300 µs between two ticks
and caches gone cold, the same code takes two to three times as long.
"""

import json
import statistics
import time
from collections.abc import Sequence

from bench.clients.top_bid import TopBid
from bench.figures import Row
from bench.inside import timed
from bench.server import Peer, Server
from bench.ticks import SYMBOL, ring
from bench.trading import Plan
from bench.venue import Venue
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

ACCOUNT = "bench"
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

    def __init__(self, name: str, server: Server, symbol: str, login: Credentials) -> None:
        """`name` is the venue's; `server` speaks for it."""
        known = venue(name)
        can = known.capabilities
        self.now_ns = time.time_ns()
        self.server = server
        self.server.listener.close()
        self.feed = known.feed(
            FeedSettings(hosts=known.testnet or known.live, instruments=(symbol,))
        )
        wanted = SessionSettings(
            account=ACCOUNT, hosts=known.testnet or known.live, credentials=login,
            instruments=(symbol,), tier="pro",
        )  # fmt: skip
        self.trading = known.session(wanted, 1)
        money = parse("1000000")
        limits = Limits(
            max_order_notional=money, max_position_notional=money, max_orders_per_second=10**12
        )
        account = Account(
            name, limits, bound_ns=can.bound_ns, amends_in_place=can.amends_in_place,
            replaces=can.replaces, has_snapshot=can.has_snapshot, has_cancel_all=can.has_cancel_all,
        )  # fmt: skip
        self.engine = Engine(Settings("bench", 1, {ACCOUNT: account}), lambda: self.now_ns)
        self.engine.add_strategy("top", ACCOUNT, TopBid(f"{name}:{symbol}"))
        self.lines = [(self.trading, Ear()), (self.feed, Ear())]
        for session, ear in self.lines:
            self.turn(session.start(self.now_ns))
            self.exchange()
            for endpoint in session.endpoints():
                self.server.welcomed(ear)
                self.turn(session.opened(endpoint.connection, self.now_ns))
                self.exchange()

    def wait(self, seconds: float) -> None:
        """Let time pass, for what a session does by the clock before it is ready."""
        for _ in range(int(seconds * 100)):
            self.now_ns += 10_000_000
            for session, _ in self.lines:
                self.turn(session.tick(self.now_ns))
            self.send(self.engine.tick(self.now_ns))
            self.exchange()

    def turn(self, events: list[AnyEvent]) -> None:
        """Let the engine hear of events, and send what it wants to send."""
        self.send(self.engine.turn(events, self.now_ns) if events else [])

    def send(self, approved: Sequence[Approved]) -> None:
        """Send what was approved."""
        for each in approved:
            self.engine.note(self.trading.send(each, "ws", self.now_ns))

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
                self.server.told(ear, json.loads(output.payload))
            elif isinstance(output, HttpRequest):
                ear.path = output.path
                body = self.server.rested(ear, output.body)
                self.turn(session.answered(output, 200, body, self.now_ns))
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
    """Return a row for each stage, and one for the gate."""
    kept = pacing.TIERS["pro"]
    pacing.TIERS["pro"] = pacing.Tier(*[10**12] * 5)
    login = Credentials(key="key", secret="c2VjcmV0")
    try:
        path = Path("kraken", Venue(), SYMBOL, login)
    finally:
        pacing.TIERS["pro"] = kept
    texts = [tick.text for tick in ring().ticks]
    found = stages(path, plan, [*texts, *texts * 4 * plan.rounds], "live path, warm")
    found.insert(2, gate(path, plan))
    return found, []


def stages(path: Path, plan: Plan, texts: Sequence[bytes], name: str) -> list[Row]:
    """Return a row for each stage of the answers to these ticks; the first quarter warms up."""
    times = []
    part = len(texts) // plan.rounds + 1
    for first in range(0, len(texts), part):
        plan.watch.wait()
        times += [path.tick(text) for text in texts[first : first + part]]
    times = times[len(times) // 4 :]
    found = []
    for stage, taken in zip(STAGES, zip(*times, strict=True), strict=True):
        p99 = sorted(taken)[int(len(taken) * 0.99)]
        found.append(Row(f"{name}: {stage}", statistics.median(taken), "ns", p99))
    return found


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
