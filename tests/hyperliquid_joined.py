"""Parts of Hyperliquid's client joined to the simulated venue, without I/O and without a clock."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from crosswire.domain import AnyEvent, LookUp, ReadFailed
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.session.block_clock import BlockClock
from crosswire.venues.hyperliquid.session.catalogue import Catalogue
from crosswire.venues.hyperliquid.session.feed import PUBLIC, Feed
from crosswire.venues.hyperliquid.session.lookups import LookUps
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import (
    FeedSettings,
    Frame,
    Hosts,
    HttpRequest,
    Output,
    Reconnect,
    SimAnswer,
    SimDrop,
    SimFrame,
)
from tests.hyperliquid_stage import OWN, Stage

SECOND = 1_000_000_000
KINDS = ("open_orders", "closed_orders", "fills", "balances")
HOSTS = Hosts(rest="http://venue", ws="ws://venue/ws", ws_private="ws://venue/ws")
E = TypeVar("E")


def of(kind: type[E], events: list[AnyEvent]) -> list[E]:
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def asked(outputs: list[Output]) -> list[dict[str, Any]]:
    """Return what the HTTP requests among some outputs say."""
    return [json.loads(one.body) for one in outputs if isinstance(one, HttpRequest)]


class Reader:
    """A catalogue and look-ups, as a login has them, and a venue that answers at once."""

    def __init__(
        self,
        *,
        wanted: tuple[str, ...] = (),
        address: str = OWN,
        faults: Mapping[str, float] | None = None,
        stage: Stage | None = None,
        fees_of: str = "",
        limit: int = 1_200,
    ) -> None:
        self.stage = stage or Stage(faults=faults)
        self.outbox: list[Output] = []
        self.listings = Listings()
        self.weights = Weights(limit)
        self.clock = BlockClock("main")
        numbers = Numbers()
        self.catalogue = Catalogue(
            self.listings, self.outbox, numbers, self.weights, wanted, session="main",
            address=fees_of,
        )  # fmt: skip
        self.lookups = LookUps(
            "main", address, self.listings, self.outbox, numbers, self.weights, self.clock,
            self.catalogue,
        )  # fmt: skip
        self.asked: list[dict[str, Any]] = []
        self.events: list[AnyEvent] = []
        self.is_deaf = False  # nobody answers
        # Changes an answer on its way: (question, status, body) -> (status, body).
        self.bend: Callable[[dict[str, Any], int, bytes], tuple[int, bytes]] | None = None

    @property
    def now_ns(self) -> int:
        return self.stage.now_ns

    def start(self) -> list[AnyEvent]:
        """Begin, and let the venue answer."""
        return self.run(self.catalogue.start(self.now_ns))

    def ask(self, what: str, since_ns: int = 0) -> list[AnyEvent]:
        """Ask for a look-up, and let the venue answer."""
        command = LookUp("main", what, since_ns=since_ns)
        return self.run(self.lookups.ask(command, self.now_ns))

    def wait(self, seconds: float, step: float = 1.0) -> list[AnyEvent]:
        """Let time pass, ticking each second."""
        events: list[AnyEvent] = []
        for _ in range(int(seconds / step)):
            self.stage.wait(step)
            events += self.run(self.catalogue.tick(self.now_ns))
            events += self.run(self.lookups.tick(self.now_ns))
        return events

    def run(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Carry requests and answers until nothing is left to carry."""
        events = list(events)
        while self.outbox and not self.is_deaf:
            request = self.outbox.pop(0)
            assert isinstance(request, HttpRequest)
            events += self.answer(request)
        return events

    def answer(self, request: HttpRequest) -> list[AnyEvent]:
        """Let the venue answer one request."""
        question = json.loads(request.body)
        self.asked.append(question)
        stage = self.stage
        stage.sim.asked(request.key, request, stage.now_ns)
        answer = stage.answer(request.key)
        assert answer is not None
        status, body = answer.status, answer.body
        if self.bend is not None:
            status, body = self.bend(question, status, body)
        return self.give(request, status, body)

    def give(self, request: HttpRequest, status: int, body: bytes) -> list[AnyEvent]:
        """Hand an answer to whoever asked."""
        assert self.catalogue.owns(request.key) != self.lookups.owns(request.key)
        owner = self.catalogue if self.catalogue.owns(request.key) else self.lookups
        return owner.answered(request, status, body, self.now_ns)


def ready(**options: Any) -> Reader:
    """Return one that has read the lists; of one perp, unless others are wanted."""
    reader = Reader(wanted=options.pop("wanted", ("BTC-PERP",)), **options)
    reader.start()
    assert reader.catalogue.is_ready
    return reader


def reason(events: list[AnyEvent]) -> str:
    """Return why the only thing that happened is a failed read."""
    [failed] = events
    assert isinstance(failed, ReadFailed)
    return failed.reason


class Watching:
    """A feed and a venue, joined: every frame and request is carried at once."""

    def __init__(
        self,
        *names: str,
        faults: Mapping[str, float] | None = None,
        depth: int = 10,
        trades: bool = False,
        ticker: bool = False,
        block_ns: int = 0,
    ) -> None:
        self.stage = Stage(faults=faults, block_ns=block_ns)
        self.feed = Feed(FeedSettings(HOSTS, names, depth, trades, ticker))
        self.connection = 0
        self.events: list[AnyEvent] = []
        self.sent: list[dict[str, Any]] = []
        self.is_deaf = False  # what the feed sends is lost
        self.reconnects: list[str] = []

    def start(self) -> list[AnyEvent]:
        """Start and open the connection."""
        events = self.carry(self.feed.start(self.stage.now_ns))
        return events + self.open()

    def open(self) -> list[AnyEvent]:
        self.connection += 1
        self.stage.open(self.connection)
        return self.carry(self.feed.opened(PUBLIC, self.stage.now_ns))

    def wait(self, seconds: float, step: float = 0.5) -> list[AnyEvent]:
        """Let time pass: the venue speaks when it wants to, the feed ticks at every step."""
        events: list[AnyEvent] = []
        for _ in range(round(seconds / step)):
            self.stage.wait(step)
            events += self.carry([])
            events += self.carry(self.feed.tick(self.stage.now_ns))
        return events

    def carry(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Carry everything both ways until nothing is left to carry."""
        events = list(events)
        while self.feed.outbox or self.stage.sim.outbox:
            outputs = self.feed.outbox.copy()
            self.feed.outbox.clear()
            for output in outputs:
                events += self._out(output)
            arrived = self.stage.sim.outbox.copy()
            self.stage.sim.outbox.clear()
            for one in arrived:
                if isinstance(one, SimFrame) and one.connection == self.connection:
                    events += self.feed.received(PUBLIC, one.payload, self.stage.now_ns)
                elif isinstance(one, SimDrop) and one.connection == self.connection:
                    events += self.feed.closed(PUBLIC, f"code {one.code}", self.stage.now_ns)
                    events += self.open()
        self.events += events
        return events

    def _out(self, output: Output) -> list[AnyEvent]:
        now_ns = self.stage.now_ns
        if isinstance(output, Frame):
            self.sent.append(json.loads(output.payload))
            if not self.is_deaf:
                self.stage.sim.received(self.connection, output.payload, now_ns)
        elif isinstance(output, HttpRequest):
            self.stage.sim.asked(output.key, output, now_ns)
            answer = self.stage.answer(output.key)
            assert isinstance(answer, SimAnswer)
            return self.feed.answered(output, answer.status, answer.body, now_ns)
        elif isinstance(output, Reconnect):
            self.reconnects.append(output.reason)
            self.stage.sim.closed(self.connection, now_ns)
            return [*self.feed.closed(PUBLIC, output.reason, now_ns), *self.open()]
        return []
