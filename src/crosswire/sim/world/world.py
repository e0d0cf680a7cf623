"""A world: our real program and a venue's simulator in virtual time, everything from a seed.

First the faults are on, and nothing unsafe may happen; then they are off, and what is in doubt
must be settled, and trading go on. What happened is judged by the venue's own ledger.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from crosswire.book import Book
from crosswire.domain import Approved, Filled, Kill
from crosswire.engine.path import Record
from crosswire.fixed import parse
from crosswire.net.delay import CallLater
from crosswire.net.switchboard import Switchboard
from crosswire.orders.orders import PATIENCE
from crosswire.sim import plants
from crosswire.sim.network import NetworkFaults, Weather
from crosswire.sim.world import staging
from crosswire.sim.world.process import (
    ACCOUNT,
    OFTEN,
    PLACING,
    CrashError,
    MemoryJournal,
    Process,
    Terms,
)
from crosswire.sim.world.records import Records
from crosswire.sim.world.scenario import Menu, Scenario, draw
from crosswire.sim.world.staging import DRILL
from crosswire.sim.world.timers import Later, Owner, Timers
from crosswire.sim.world.verdict import Result, conclude
from crosswire.sim.world.witness import Witness
from crosswire.strategies.interface import Strategy
from crosswire.venues import NAMES, venue

NS = 1_000_000_000
LONGEST_LAG_NS = 7 * NS  # by which look-ups of any world may trail
MARGIN_NS = 15 * NS  # for logins, snapshots and look-ups after the last bound and lag
REST_NS = 25 * NS  # until everything is cancelled at the end
WAKE_NS = 3 * NS
KILL_NS = 9 * NS  # until a kill must have emptied the book
DOWN_NS = 3 * NS  # a killed process is started again after this at most


class World:
    """One seed's run."""

    def __init__(
        self,
        seed: int,
        venue_name: str = NAMES[0],
        *,
        strategy: str = DRILL,
        scenario: Scenario | None = None,
        plant: str = "",
        until_ns: int = 0,
        read_lag_ns: int = 3 * NS,
        pairs: Sequence[str] = (),
        make_strategy: Callable[[str], Strategy] | None = None,
        rhythm: tuple[int, int] = OFTEN,
    ) -> None:
        """`until_ns` cuts the run at a moment after its start; 0 = run it to the end.

        `pairs`: what is traded; left out, the seed chooses among what the venue's worlds trade.
        `make_strategy` makes the one of each pair's instrument, instead of `strategy`.
        """
        self.seed, self.rng = seed, Random(seed)
        found = venue(venue_name)
        self.stage = found.stage
        self.pairs = tuple(pairs) or staging.pairs(seed, self.stage)
        self.start_ns = staging.start_ns(seed, self.stage)
        self.timers = Timers(self.start_ns)
        clock = self.timers.clock
        self.world_owner = Owner()
        self.network_later: CallLater = Later(self.timers, self.world_owner)
        self.simulator = staging.simulator(seed, found, self.start_ns, self.pairs)
        self.scenario = scenario or draw(seed, Menu(*self.simulator.fault_menu))
        self.switchboard = Switchboard(self.simulator, clock, self.network_later, soon_ns=0)
        limits = staging.limits(self.stage)
        most = limits.max_position_notional * 101 // 100
        self.witness = Witness(self.simulator.live_ledger, limit=most)
        self.weather = Weather(self.scenario.network, self.rng)
        self.journal = MemoryJournal()
        self.lost: list[Record] = []
        self.runs = 0
        self.crashes_in_flight = 0
        self.result = Result(seed)
        self.booked: list[Filled] = []
        self.records = self._begin_records()
        self.is_cut = until_ns > 0
        self.calm_ns = 0  # when the faults ended
        self._orphans_due_ns = 0
        self._faults_seen = 0
        self._fault_counts: dict[str, int] = {}
        self._plant, self._until_ns, self._read_lag_ns = plant, until_ns, read_lag_ns
        self.terms = Terms(
            found,
            [f"{venue_name}:{pair}" for pair in self.pairs],
            limits,
            make_strategy or (lambda name: staging.make(strategy, name, self.stage)),
            uses_batches=self.scenario.uses_batches,
            resends=self.scenario.resends,
            read_lag_ns=read_lag_ns,
            rhythm=rhythm,
        )
        self.process = self._start()

    # --- our process ---------------------------------------------------------------------------

    def _start(self) -> Process:
        self.runs += 1
        offset_ns = self.scenario.offset_ns + (self.runs - 1) * self.scenario.offset_step_ns
        self.booked = []
        process = Process(
            self.runs,
            self.terms,
            self.journal,
            self.timers,
            self.switchboard,
            self.weather,
            self.network_later,
            booked=self.booked,
            on_record=self._read,
            offset_ns=offset_ns,
        )
        process.login.on_arrival = self._arrived
        if self._plant:
            links = (process.feed, process.login)
            plants.sow(
                self._plant, engine=process.engine, sessions=[link.session for link in links]
            )
        return process

    def _crash(self) -> None:
        """`kill -9`; a new process takes the journal over a little later."""
        in_flight = self.process.under_way()
        self.crashes_in_flight += bool(in_flight)
        self.weather.mark("crash", in_flight)
        self.process.kill()
        count = self.scenario.lost_tail
        if count:
            self.weather.mark("lost_tail", in_flight)
        lost = self.journal.lose_tail(count)
        self.records.lose(lost)
        self.lost += lost
        self.network_later(self.rng.random() * DOWN_NS / NS, self._restart)

    def _restart(self) -> None:
        self.process = self._start()
        self.process.begin()

    def _stall(self, duration_ns: int) -> None:
        """Our process is stopped for a while; a suspended machine's clock stands still as well."""
        process = self.process
        process.owner.stalled_until_ns = self.timers.clock.now_ns() + duration_ns
        self.weather.mark("stall", process.under_way())
        if self.scenario.is_suspended:
            self.weather.mark("suspend")
            process.clock.offset_ns -= duration_ns

    def _begin_records(self) -> Records:
        return Records(self.timers.clock.now_ns, self.witness.call_absent, self._has_way_out)

    def _has_way_out(self) -> bool:
        """Whether our session could send something: before it knows its login it cannot."""
        session = self.process.login.session
        return any(session.is_ready(each) for each in self.terms.venue.capabilities.transports)

    def _read(self, record: Record) -> None:
        """A record was written."""
        self.records.read(record)
        if isinstance(record, Approved) and isinstance(record.command, PLACING):
            self.witness.mark(self.process.engine.risk.mark(self.terms.instrument))

    # --- the world around it -------------------------------------------------------------------

    def _kill(self) -> None:
        """The kill switch, while what is sent is lost: only repeating it empties the book."""
        self.weather.mark("kill")
        self.weather.faults = NetworkFaults(lost_before=1.0)
        try:
            self.process.path.submit(Kill(ACCOUNT, "the end of the world"))
        except CrashError:
            self._crash()
        self.live_until(self.timers.clock.now_ns() + NS)
        self.weather.faults = NetworkFaults()
        self.live_until(self.timers.clock.now_ns() + KILL_NS)
        rows = self.simulator.live_ledger.orders.values()
        left = [row for row in rows if row.status == "open" and row.client_order_id]
        self.result.open_while_killed = len(left)
        for row in left:
            self.witness.find(f"open although killed: {row.client_order_id}")

    def _arrived(self, subject: Sequence[str]) -> None:
        """A frame of ours reached the venue: what faults of the venue's struck whom?"""
        counts = self.simulator.fault_counts
        total = sum(counts.values())
        if total != self._faults_seen:
            for name, count in counts.items():
                if count != self._fault_counts.get(name, 0):
                    for client_order_id in subject:
                        self.weather.marks.setdefault(client_order_id, set()).add(name)
            self._fault_counts = dict(counts)
            self._faults_seen = total

    def _meddle(self) -> None:
        """Somebody trades in the same account by other means."""
        book = self.process.engine.books.get(self.terms.instrument)
        if book is None or not (book.best_bid and book.best_ask):
            return
        self.weather.mark("stranger")
        for _ in range(self.scenario.trades):
            self._trade_elsewhere(book)
        self.switchboard.flush()

    def _trade_elsewhere(self, book: Book) -> None:
        is_buy = self.rng.random() < 0.5
        away = self.rng.choice((-1, 0, 1)) * book.best_ask // 5_000
        price = book.instrument.floor_price((book.best_ask if is_buy else book.best_bid) + away)
        pair, step = self.pairs[0], book.instrument.quantity_step
        quantity = parse(self.stage.instruments[pair]) // 10 * self.rng.randint(1, 9)
        quantity = max(quantity // self.scenario.trades // step * step, step)
        now_ns = self.timers.clock.now_ns()
        self.simulator.trade_elsewhere(
            ACCOUNT, pair, "buy" if is_buy else "sell", quantity, price, now_ns
        )

    def _deposit(self) -> None:
        self.weather.mark("deposit")
        self.simulator.deposit(ACCOUNT, self.stage.cash, "10", self.timers.clock.now_ns())
        self.switchboard.flush()

    def _fill_journal(self, *, is_full: bool) -> None:
        if is_full:
            self.weather.mark("journal_full")
        self.journal.is_full = is_full

    def _arm_crash(self) -> None:
        """It dies with its next order; not yet, while it is down."""
        if self.process.owner.is_dead:
            self.network_later(1.0, self._arm_crash)
        elif not self.calm_ns:
            self.process.is_armed = True

    def _plan(self) -> None:
        """Set the moments of everything that comes by the clock."""
        scenario = self.scenario

        def at(moment_ns: int, act: Callable[[], object]) -> None:
            self.timers.at(self.start_ns + moment_ns, self.world_owner, act)

        for moment in scenario.crashes:
            at(moment, self._arm_crash)
        for moment, duration in scenario.stalls:
            at(moment, partial(self._stall, duration))
        for moment in scenario.strangers:
            at(moment, self._meddle)
        for moment in scenario.deposits:
            at(moment, self._deposit)
        for moment in scenario.full_journals:
            at(moment, partial(self._fill_journal, is_full=True))
            at(moment + 2 * NS, partial(self._fill_journal, is_full=False))

    # --- running -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Plan what goes wrong, and connect."""
        for reading in self.scenario.readings:
            self.weather.mark(reading)
        if self.scenario.offset_ns or self.scenario.offset_step_ns:
            self.weather.mark("clock_skew")
        self.simulator.set_faults({**self.scenario.venue, **self.scenario.readings})
        self._plan()
        self.process.begin()
        self.switchboard.flush()

    def forget(self, before_ns: int) -> None:
        """Forget what is long over, in a run that is not judged: all but our own process."""
        self.simulator.trim(before_ns)
        self.witness.forget()
        self.weather.marks.clear()
        self.journal.records.clear()
        self.booked.clear()
        self.records = self._begin_records()

    def run(self) -> Result:
        """Live through both phases and judge."""
        self.begin()
        self.live_until(self.start_ns + self.scenario.duration_ns)
        # Who sleeps beyond the end of the faults wakes up among them.
        self.live_until(self.process.owner.stalled_until_ns + WAKE_NS)
        if not self._until_ns:
            self._calm()
            bound_ns = self.terms.venue.capabilities.bound_ns
            self._until_settled(bound_ns + PATIENCE * self._read_lag_ns + MARGIN_NS)
            self._rest()
        return conclude(self)

    def live_until(self, end_ns: int) -> None:
        """Fire what falls due; a crash ends a step wherever it is."""
        timers, witness = self.timers, self.witness
        if self._until_ns:  # cut
            end_ns = min(end_ns, self.start_ns + self._until_ns)
        while (timer := timers.step(end_ns)) is not None:
            try:
                timer.callback()
            except CrashError:
                self._crash()
            witness.look()
            if timers.clock.now_ns() >= self._orphans_due_ns:
                self._look_for_orphans()
            if witness.limit_breaches and not self.result.failed_at_ns:
                self.result.failed_at_ns = timers.clock.now_ns() - self.start_ns

    def _look_for_orphans(self) -> None:
        """What we hold for done cannot be open there: the venue always knows first."""
        self._orphans_due_ns = self.timers.clock.now_ns() + NS // 20
        if self.process.owner.is_dead:
            return
        for client_order_id in self.witness.open_ids():
            order = self.process.engine.orders.get(client_order_id)
            if order is not None and order.stage == "DONE" and not order.is_late:
                self.witness.orphan(client_order_id)

    def _calm(self) -> None:
        """The faults are off; connections that were dead stay so until somebody notices."""
        self.calm_ns = self.timers.clock.now_ns()
        self.process.is_armed = False
        self.process.crash_in = 0
        network = self.scenario.network
        self.weather.faults = NetworkFaults(latency_ns=network.latency_ns, spread=network.spread)
        self.simulator.set_faults(self.scenario.readings)

    def _until_settled(self, most_ns: int) -> None:
        """Go on until nothing of the faults' time is in doubt and trading has resumed."""
        end_ns = self.timers.clock.now_ns() + most_ns
        while self.timers.clock.now_ns() < end_ns:
            self.live_until(self.timers.clock.now_ns() + NS)
            is_settled = not (self.old_doubts() or self._transports_down())
            if is_settled and self.has_resumed() and self._has_read():
                return

    def _has_read(self) -> bool:
        """Whether fills were looked up since: what the stream lost, only that can tell."""
        asked_ns = self.records.fills_asked_ns - self.process.clock.offset_ns
        return asked_ns >= self.calm_ns + LONGEST_LAG_NS

    def _transports_down(self) -> int:
        """How many transports do not place again by now."""
        routes = self.process.engine.risk.breakers.routes(ACCOUNT)
        session = self.process.login.session
        return sum(
            not (session.is_ready(transport) and routes.may_place(transport))
            for transport in self.terms.venue.capabilities.transports
        )

    def old_doubts(self) -> int:
        """How many orders of the faults' time are still in doubt."""
        calm_ns = self.calm_ns + self.process.clock.offset_ns
        orders = self.process.engine.orders.all_open(ACCOUNT)
        old = [order for order in orders if order.stamps.approved < calm_ns]
        return sum(
            order.doubts > 0 or any(r.made_ns < calm_ns for r in order.requests.values())
            for order in old
        )

    def has_resumed(self) -> bool:
        """Whether new orders have been taken and filled since the faults ended."""
        ledger, calm_ns = self.simulator.live_ledger, self.calm_ns
        for fill in reversed(ledger.fills):
            if fill.at_ns <= calm_ns:
                return False
            order = ledger.orders[fill.venue_order_id]
            if order.client_order_id and order.opened_ns > calm_ns:
                return True
        return False

    def _rest(self) -> None:
        """Stop quoting and wait until nothing is open: then both sides can be compared."""
        self.result.unresolved = self.old_doubts()
        self.result.transports_down = self._transports_down()
        self.result.trading_resumed = int(self.has_resumed())
        if self.scenario.is_killed:
            self._kill()
        self.process.engine.pause(is_paused=True)
        # What no stream tells of the money, the next read does, once nothing has moved for a while.
        read_ns = PATIENCE * self._read_lag_ns + self.terms.balances_every_ns + WAKE_NS
        end_ns = self.timers.clock.now_ns() + max(REST_NS, read_ns)
        while self.timers.clock.now_ns() < end_ns:
            self.live_until(self.timers.clock.now_ns() + NS // 2)
            if self._is_same():
                break
        self.live_until(self.timers.clock.now_ns() + NS // 2)

    def _is_same(self) -> bool:
        """Whether nothing is open and the money is what the venue says: then no more need come."""
        engine = self.process.engine
        if any(engine.orders.all_open(ACCOUNT)):
            return False
        true = self.simulator.live_ledger.balances[ACCOUNT]
        held = {asset: total for (_, asset), total in engine.positions.balances.items()}
        return all(held.get(asset, 0) == total for asset, total in true.items())
