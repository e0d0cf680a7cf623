"""One run of our program in a world: the real engine, sessions and live path, and its death."""

from collections.abc import Callable, Sequence

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    Filled,
    Place,
    PlaceBatch,
    Resubscribe,
    RunStarted,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.engine.path import LivePath, Record
from crosswire.journal.replay import replay
from crosswire.net.delay import CallLater
from crosswire.net.dialogue import TICK_S
from crosswire.net.switchboard import Switchboard
from crosswire.risk import BreakerRules, Limits, Routes
from crosswire.sim.network import FaultyLink, Weather
from crosswire.sim.world.nonces import Nonces
from crosswire.sim.world.timers import Later, OwnClock, Owner, Timers
from crosswire.strategies.interface import Strategy
from crosswire.venues.interface import FeedSettings, Session, SessionSettings, Venue

ACCOUNT = "main"
BOT = "world"
STRATEGY = "drill"
PLACING = (Place, PlaceBatch)
BREAKERS = BreakerRules(cooldown_ns=5_000_000_000)  # shorter too: a world has seconds
DEAD_MAN_NS = 20_000_000_000  # shorter than a real one, so that a world re-arms it often
# How often orders, and balances and fills, are read: in worlds more often than in real life.
BLIND_EVERY_NS = 6_000_000_000
OFTEN = (15_000_000_000, 20_000_000_000)
AS_EVER = (30_000_000_000, 60_000_000_000)
GRACE_NS = 25_000_000_000  # so long ended orders are kept: a world shall see them forgotten


def _ignore(_record: Record) -> None:
    """Nobody watches."""


class CrashError(Exception):
    """Our process dies here: `kill -9`, between two steps."""


class MemoryJournal:
    """The records of all runs, as the real journal would keep them."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.is_full = False
        self.before: Callable[[Record], object] = _ignore
        self.after: Callable[[Record], object] = _ignore

    def append(self, record: Record) -> None:
        """Write a record; a crash may come before it or after it."""
        self.before(record)
        self.records.append(record)
        self.after(record)

    def lose_tail(self, count: int) -> list[Record]:
        """The last records never reached the disk."""
        lost = self.records[len(self.records) - count :] if count else []
        del self.records[len(self.records) - len(lost) :]
        return lost


class Terms:
    """What all runs of one world have in common."""

    def __init__(
        self,
        venue: Venue,
        instruments: Sequence[str],
        limits: Limits,
        make_strategy: Callable[[str], Strategy],
        *,
        uses_batches: bool,
        resends: bool,
        read_lag_ns: int,
        rhythm: tuple[int, int] = OFTEN,
    ) -> None:
        self.read_lag_ns = read_lag_ns
        self.orders_every_ns, self.balances_every_ns = rhythm
        self.venue = venue
        self.instruments = tuple(instruments)
        self.instrument = self.instruments[0]
        self.login = venue.stage.login(ACCOUNT)
        self.limits = limits
        self.make_strategy = make_strategy
        self.uses_batches = uses_batches
        self.resends = resends and venue.capabilities.takes_copies
        self.nonces = Nonces(venue.capabilities.nonce_unit_ns)

    def account(self) -> Account:
        """The engine's side of the account."""
        found = self.venue.capabilities
        return Account(
            venue=self.venue.name,
            limits=self.limits,
            amends_in_place=found.amends_in_place,
            replaces=found.replaces,
            has_snapshot=found.has_snapshot,
            has_cancel_all=found.has_cancel_all,
            max_place_batch=found.max_place_batch if self.uses_batches else 1,
            max_cancel_batch=found.max_cancel_batch if self.uses_batches else 1,
            bound_ns=found.bound_ns,
            dead_man_ns=DEAD_MAN_NS if found.has_dead_man else 0,
            read_lag_ns=self.read_lag_ns,
            resends=self.resends,
            orders_every_ns=self.orders_every_ns,
            blind_every_ns=min(self.orders_every_ns, BLIND_EVERY_NS),
            balances_every_ns=self.balances_every_ns,
            breakers=BREAKERS,
        )

    def sessions(self, run: int, routes: Routes, now_ns: int) -> tuple[Session, Session]:
        """The feed's and the login's, new for each run; `routes` is what its breakers leave."""
        hosts = self.venue.local_hosts("world")
        names = tuple(instrument.partition(":")[2] for instrument in self.instruments)
        settings = SessionSettings(
            account=ACCOUNT,
            hosts=hosts,
            credentials=self.login,
            instruments=names,
            tier=self.venue.stage.tier,
            may_place=routes.may_leave,
            nonce_ceiling=self.nonces.ceiling,
        )
        feed = self.venue.feed(FeedSettings(hosts=hosts, instruments=names))
        return feed, self.venue.session(settings, self.nonces.first(run, now_ns))


class Process:
    """One run, from its start until it is killed."""

    def __init__(
        self,
        run: int,
        terms: Terms,
        journal: MemoryJournal,
        timers: Timers,
        switchboard: Switchboard,
        weather: Weather,
        network_later: CallLater,
        *,
        booked: list[Filled],
        on_record: Callable[[Record], object],
        offset_ns: int,
    ) -> None:
        self.run = run
        self.owner = Owner()
        self.clock = OwnClock(timers, offset_ns)
        self.crash_in = 0  # so many steps until it dies; 0 = not armed
        self.is_armed = False  # dies at the next placing
        self.call_later = Later(timers, self.owner)
        self._journal = journal
        self._nonces = terms.nonces
        self._weather = weather
        self._on_record = on_record
        journal.before, journal.after = _ignore, on_record
        journal.append(RunStarted(self.clock.now_ns(), run))
        settings = Settings(
            BOT,
            run,
            {ACCOUNT: terms.account()},
            tags_quantities=True,
            terminal_grace_ns=GRACE_NS,
        )
        self.engine = Engine(settings, self.clock.now_ns)
        for number, instrument in enumerate(terms.instruments):
            name = f"{STRATEGY}{number or ''}"
            self.engine.add_strategy(name, ACCOUNT, terms.make_strategy(instrument))
        self.engine.ids.counter = (run - 1) * terms.venue.stage.ids_apart
        _record_bookings(self.engine, booked)
        replay(journal.records, self.engine)
        self.path = LivePath(self.engine, journal, self.clock.now_ns, accounts=(ACCOUNT,))
        self.path.send = self._send
        journal.before, journal.after = self._before, self._after
        routes = self.engine.risk.breakers.routes(ACCOUNT)
        self.feed, self.login = (
            FaultyLink(
                session,
                switchboard,
                weather,
                own_clock=self.clock,
                clock=timers.clock,
                call_later=self.call_later,
                network_later=network_later,
                on_events=self.path.on_events,
                on_write=self.step,
                under_way=self.under_way,
                routes=routes,
            )
            for session in terms.sessions(run, routes, self.clock.now_ns())
        )

    def begin(self) -> None:
        """Connect."""
        self.feed.begin()
        self.login.begin()
        self.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self.call_later(TICK_S, self._tick)
        self._nonces.keep(self.clock.now_ns())
        self.path.tick()

    def _send(self, approved: Approved) -> Sequence[AnyEvent]:
        self.step()
        sent = self._link_of(approved.command).send(approved)
        self.step()
        return sent

    def _link_of(self, command: AnyCommand) -> FaultyLink:
        return self.feed if isinstance(command, Resubscribe) else self.login

    # --- the end -------------------------------------------------------------------------------

    def _after(self, record: Record) -> None:
        self._on_record(record)
        self.step()

    def _before(self, record: Record) -> None:
        if self.is_armed and isinstance(record, Approved) and isinstance(record.command, PLACING):
            self.is_armed = False
            self.crash_in = 1 + self._weather.rng.randrange(10)
        self.step()

    def step(self) -> None:
        """One of the points between which a process may die."""
        if self.crash_in:
            self.crash_in -= 1
            if not self.crash_in:
                raise CrashError

    def kill(self) -> None:
        """The process is gone; what it wrote to its sockets is not."""
        self.owner.is_dead = True
        self.feed.vanish()
        self.login.vanish()

    def under_way(self) -> tuple[str, ...]:
        """Our ids of the orders with a request whose answer is not there yet."""
        return tuple(
            order.client_order_id
            for order in self.engine.orders.all_open(ACCOUNT)
            if order.requests
        )


def _record_bookings(engine: Engine, booked: list[Filled]) -> None:
    """Keep what is really booked, whatever was heard: that is what the program believes."""
    book = engine.positions.book

    def recorded(fill: Filled, strategy: str) -> object:
        booked.append(fill)
        return book(fill, strategy)

    vars(engine.positions)["book"] = recorded
