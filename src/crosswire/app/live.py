"""The runner: one loop, one writer, from the socket's callback to the order on the wire.

    events -> journal -> Engine.turn -> journal -> Link.send -> journal -> Engine.note

All of that happens in one call, inside the callback that brought the events; observers (the API,
the screen, the statistics) hear of it afterwards, in a callback of their own. This is the only
place where every exception is caught: an exception out of our own code is a broken invariant, so
everything is cancelled, the journal is told why, and the program ends.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from crosswire import __version__, strategies
from crosswire.app.accounts import engine_account, remarks
from crosswire.app.alarms import alarm
from crosswire.app.config import Config
from crosswire.app.errors import ConfigError, CrosswireError, NotConnectedError, UserError
from crosswire.app.posting import Posting
from crosswire.app.readiness import Readiness
from crosswire.app.wiring import AnyLink, Wiring
from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    Filled,
    Halted,
    Kill,
    PlaceBatch,
    Refused,
    RunEnded,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.engine.path import LivePath, Record
from crosswire.journal import Journal, JournalError, fills, read, replay
from crosswire.net.clock import Clock
from crosswire.net.loop import Collector
from crosswire.risk import Limits
from crosswire.venues import venue
from crosswire.venues.interface import Capabilities, Session

TICK_S = 0.05
STOP_S = 5.0  # how long an ordered end waits for all orders to be done
DISARM_S = 1.0
READY_S = 30.0
RECANCEL_NS = 1_000_000_000
SAMPLES = 100_000  # tick-to-trade and loop lag: about 3 MB, a day of quiet trading
# What the engine counts, of all accounts together, shown also where nothing was counted yet.
COUNTED = ("fills", "doubts_opened", "corrections", "late_accepts", "orders_adopted")
SETTLED = "doubts_settled_"
_log = logging.getLogger("crosswire")


class Trader:
    """One bot, running: its engine, its journal and its links."""

    def __init__(
        self,
        config: Config,
        *,
        where: str = "config",
        tags_quantities: bool = False,
        leaves_orders: bool = False,
        stop_s: float = STOP_S,
    ) -> None:
        self.config = config
        self.where = where
        self.observers: list[Callable[[Record], None]] = [alarm]
        self.tick_to_trade_ns: deque[int] = deque(maxlen=SAMPLES)
        self.ticks_of = {name: deque[int](maxlen=SAMPLES) for name in config.accounts}
        self.lag_ns: deque[int] = deque(maxlen=SAMPLES)
        self.is_clean = False
        self.failure: BaseException | None = None
        self.over = asyncio.Event()  # set when something asks for the end
        self._tags_quantities = tags_quantities
        self._leaves_orders = leaves_orders
        self._stop_s = stop_s
        self._clock = Clock()
        self.now_ns = self._clock.now_ns
        self._links: dict[str, AnyLink] = {}
        self._feeds: dict[tuple[str, str], AnyLink] = {}
        self._postings: dict[str, Posting] = {}
        self._told: deque[Record] = deque()
        self._is_telling = False
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._last_tick_ns = 0
        self._collector = Collector()
        self._is_started = False
        self._swept_ns: dict[str, int] = {}
        with ExitStack() as undo:
            self.journal = self._open_journal()
            undo.callback(self.journal.close)
            self._wiring = Wiring(
                config, where, self._clock, self._on_events, self._break, self.journal.run
            )
            self._held = self._wiring.hold()
            undo.callback(self._held.close)
            self.engine = self._build_engine()
            self._path = self._build_path()
            undo.pop_all()

    # --- building ------------------------------------------------------------------------------

    def _open_journal(self) -> Journal:
        section = self.config.journal
        try:
            return Journal.open(
                section.directory,
                now_ns=self._clock.now_ns,
                durable=section.durable,
                on_warning=_log.warning,
                version=__version__,
            )
        except JournalError as error:
            raise UserError(str(error)) from None

    def _build_engine(self) -> Engine:
        """Replay the journal: what was in flight when it ended is UNKNOWN from here on.

        Not in sim and paper mode: the venue of the run before ended with it, orders and all.
        """
        config = self.config
        shares: dict[str, dict[str, int]] = {}
        for name, strategy in config.strategies.items():
            shares.setdefault(strategy.account, {})[name] = strategy.share_notional
        accounts = {
            name: self._account(name, config.risk.limits(shares.get(name, {})))
            for name in config.accounts
        }
        settings = Settings(
            config.bot,
            self.journal.run,
            accounts,
            self._tags_quantities,
            config.execution.terminal_grace,
        )
        engine = Engine(settings, self._clock.now_ns)
        for name, strategy in config.strategies.items():
            instrument = self._wiring.instrument_id(strategy.account, strategy.instrument)
            parameters = {"instrument": instrument, **strategy.parameters()}
            try:
                made = strategies.load(strategy.class_name, parameters)
            except ValueError as error:
                raise ConfigError([f"{self.where}: strategies.{name}: {error}"]) from None
            engine.add_strategy(name, strategy.account, made)
        if config.mode in ("testnet", "live"):
            replay(read(config.journal.directory), engine)
        return engine

    def _build_path(self) -> LivePath:
        path = LivePath(
            self.engine,
            self.journal,
            self._clock.now_ns,
            accounts=tuple(self.config.accounts),
            keeps_market_data=self.config.journal.market_data,
        )
        path.send = self._send
        path.observers, path.observe = self.observers, self._observe
        return path

    def _account(self, name: str, limits: Limits) -> Account:
        return engine_account(
            self.config,
            self.where,
            name,
            self.capabilities(name),
            limits,
            has_shown_copies=self._wiring.has_shown_copies(name),
            leaves_orders=self._leaves_orders,
        )

    def remarks(self) -> list[str]:
        """Return what whoever starts this bot should know of its accounts, a line each."""
        lines: list[str] = []
        for name, account in self.engine.settings.accounts.items():
            lines += remarks(self.config, name, self.capabilities(name), account)
        return lines

    # --- starting and ending -------------------------------------------------------------------

    async def start(self) -> None:
        """Connect; returns once every account is logged in, or raises in one line."""
        await self.prepare()
        self._is_started = True
        quoted = (
            self._wiring.instrument_id(strategy.account, strategy.instrument)
            for strategy in self.config.strategies.values()
        )
        readiness = Readiness(self.engine, quoted)
        self.observers.append(readiness.hear)
        for strategy in self.config.strategies.values():
            await self.watch(self.config.accounts[strategy.account].venue, strategy.instrument)
        for link in self._links.values():
            await link.start()
        self._due_s = asyncio.get_running_loop().time() + TICK_S
        self._timer = asyncio.get_running_loop().call_at(self._due_s, self._tick_again)
        try:
            await readiness.wait(READY_S)
        finally:
            self.observers.remove(readiness.hear)
        self._collector.freeze()
        for line in self.remarks():
            _log.info(line)

    async def prepare(self) -> None:
        """Make the accounts' links, so that they can be looked at before anything is said."""
        if self.config.mode == "paper":
            await self._list_instruments()
        self._link_accounts()

    def _link_accounts(self) -> None:
        """Make the accounts' links and sessions, if that is not done already."""
        for name in self.config.accounts:
            if name not in self._links:
                routes = self.engine.risk.breakers.routes(name)
                self._links[name] = self._wiring.account_link(name, self.journal, routes)

    def link(self, account: str) -> AnyLink:
        """Return an account's link."""
        return self._links[account]

    def sessions(self) -> list[Session]:
        """Return the sessions of all accounts."""
        return [link.session for link in self._links.values()]

    async def _list_instruments(self) -> None:
        """Ask the real venues what they list: the paper accounts trade by these rules."""
        venues = {account.venue for account in self.config.accounts.values()}
        for name in venues:
            await self.watch(name, "")
        until = asyncio.get_running_loop().time() + READY_S
        while waiting := [name for name in venues if not self._wiring.is_listed(name)]:
            if asyncio.get_running_loop().time() > until:
                raise NotConnectedError(f"{waiting[0]} did not list its instruments")
            await asyncio.sleep(TICK_S)

    async def watch(self, venue_name: str, instrument: str) -> None:
        """Stream an instrument's book and trades, if that is not done already."""
        key = (venue_name, instrument)
        if key not in self._feeds:
            self._feeds[key] = link = self._wiring.feed_link(venue_name, instrument)
            await link.start()

    async def forget(self, venue_name: str, instrument: str) -> None:
        """Stop streaming an instrument."""
        link = self._feeds.pop((venue_name, instrument), None)
        if link is not None:
            await link.stop()

    async def stop(self) -> None:
        """End in order: stop quoting, cancel, wait until all is done, disarm, close."""
        if self._is_started and self.failure is None:
            self.is_clean = await self._wind_down()
        if self._timer is not None:
            self._timer.cancel()
        self._collector.thaw()
        for link in (*self._links.values(), *self._feeds.values()):
            await link.stop()
        self._links.clear()
        self._feeds.clear()
        self.journal.append(RunEnded(self.now_ns(), self.journal.run, self.is_clean))
        self._tell()
        await asyncio.to_thread(self.journal.close)
        self._held.close()

    def end_after(self, seconds: float) -> None:
        """Ask for the end in a while."""
        asyncio.get_running_loop().call_later(seconds, self.over.set)

    async def _wind_down(self) -> bool:
        """Cancel and wait; True if nothing is left open, in doubt, or without its fills."""
        orders = self.engine.orders
        if self._leaves_orders:
            return not orders.doubts()
        self.engine.pause(is_paused=True)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._stop_s
        while (any(orders.all_open()) or orders.unsettled) and self.failure is None:
            if loop.time() > until:
                break
            self._cancel_rest()
            if until - loop.time() < self._stop_s / 2:
                self._cancel_all()
            await asyncio.sleep(TICK_S)
        left = sum(1 for _ in orders.all_open())
        if left:
            _log.warning("%d orders are not proven done: the dead-man switch stays armed", left)
        else:
            await self._disarm()
            if orders.unsettled:
                _log.warning("fills of %d orders are still missing", len(orders.unsettled))
        return not left and not orders.unsettled and self.failure is None

    def _cancel_rest(self) -> None:
        """Cancel what no strategy of this run will cancel by itself."""
        now_ns = self.now_ns()
        quoting = set(self.config.strategies)
        for order in list(self.engine.orders.all_open()):
            is_asked = order.canceled_ns and now_ns - order.canceled_ns < RECANCEL_NS
            if order.is_open and order.strategy not in quoting and not is_asked:
                ids = (order.client_order_id, order.venue_order_id)
                self.submit(Cancel(order.account, *ids, order.instrument))

    def _cancel_all(self) -> None:
        """Cancel by account what single cancels did not end; others' orders there forbid it."""
        now_ns = self.now_ns()
        crowded = {account for account, _ in self.engine.orders.externals}
        for name in self._links:
            is_fresh = now_ns - self._swept_ns.get(name, 0) < RECANCEL_NS
            if self.engine.orders.open_count(name) and name not in crowded and not is_fresh:
                self._swept_ns[name] = now_ns
                self.submit(CancelAll(name))

    async def _disarm(self) -> None:
        """Lift the dead-man switches, now that nothing is left for them to cancel."""
        armed = [name for name, ns in self.engine.risk.armed_ns.items() if ns]
        for name in armed:
            self.submit(ArmDeadMan(name, 0))
        until = asyncio.get_running_loop().time() + DISARM_S
        while any(self.engine.risk.armed_ns.get(name) for name in armed):
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(TICK_S)

    # --- the live path -------------------------------------------------------------------------

    def _on_events(self, events: list[AnyEvent]) -> None:
        """One socket read's events: apply, decide, send. Runs inside the socket's callback."""
        self._path.on_events(events)

    def _send(self, approved: Approved) -> Sequence[AnyEvent]:
        """Hand a journalled command to its link; measure the first that answers a tick."""
        command = approved.command
        link = self._links.get(command.account) or self._feed_of(command)
        sent = link.send(approved)
        tick = command.places[0] if isinstance(command, PlaceBatch) else command
        received_ns = getattr(tick, "received_ns", 0)
        if received_ns > self._last_tick_ns:
            self._last_tick_ns = received_ns
            took_ns = self._clock.now_ns() - received_ns
            self.tick_to_trade_ns.append(took_ns)
            self.ticks_of[command.account].append(took_ns)
        return sent

    def _feed_of(self, command: AnyCommand) -> AnyLink:
        """Return the feed that a command is for: only Resubscribe is for one."""
        name = getattr(command, "instrument", "").partition(":")[2]
        return self._feeds[(command.account, name)]

    def submit(self, command: AnyCommand) -> Approved | Refused:
        """Pass a command of an operator or an API user through the gate and send it."""
        return self._path.submit(command)

    # --- time ----------------------------------------------------------------------------------

    def _tick_again(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        self.lag_ns.append(int((now_s - self._due_s) * 1e9))
        self._due_s = now_s + TICK_S
        self._timer = loop.call_at(self._due_s, self._tick_again)
        self._guarded(self._path.tick)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        """An invariant is broken: cancel everything, write down why, end."""
        if self.failure is not None:
            return
        self.failure = error
        _log.critical("a broken invariant: cancelling everything and ending", exc_info=error)
        self.over.set()
        self._guarded(partial(self._journal_failure, error))
        for name in self._links:
            self._guarded(partial(self._cancel_account, name))

    def _journal_failure(self, error: BaseException) -> None:
        reason = f"broken invariant: {type(error).__name__}: {error}"[:500]
        for name in self.config.accounts:
            self.journal.append(Halted(self.now_ns(), name, reason, "a new start"))

    def _cancel_account(self, account: str) -> None:
        self.submit(Kill(account, "broken invariant"))
        self.submit(CancelAll(account))

    # --- observers -----------------------------------------------------------------------------

    def _observe(self, records: Iterable[Record]) -> None:
        self._told.extend(records)
        if not self._is_telling:
            self._is_telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        """Tell the observers what happened, in order, outside the turn in which it did."""
        self._is_telling = False
        while self._told:
            record = self._told.popleft()
            for observer in list(self.observers):
                observer(record)

    # --- questions -----------------------------------------------------------------------------

    def next_id(self) -> str:
        """Return a client_order_id never used before."""
        return self.engine.ids.next()

    def posting(self, account: str) -> Posting:
        """Return an account's posts; `UserError` if its venue takes none."""
        if account not in self._postings:
            venue_name = self.config.accounts[account].venue
            self._postings[account] = Posting(self._links[account], venue_name, self.now_ns)
        return self._postings[account]

    def capabilities(self, account: str) -> Capabilities:
        """Return what the account's venue can do."""
        return venue(self.config.accounts[account].venue).capabilities

    def bound_ns(self, account: str) -> int:
        """Return until when a venue may act on an order request made now."""
        return self.now_ns() + self.engine.settings.accounts[account].bound_ns

    def journalled_fills(self, account: str, limit: int) -> list[Filled]:
        """Read the last fills of an account from the journal, oldest first; off the loop."""
        found = fills(self.config.journal.directory, limit)
        return [fill for fill in found if fill.account == account]

    def statistics(self, account: str) -> Mapping[str, int | str | bool]:
        """Return the states of an account's session and link, and the engine's counters."""
        link = self._links.get(account)
        session = {**link.session.statistics(), **link.statistics()} if link else {}
        halts = self.engine.risk.halted.get(account, {})
        return {
            "version": __version__,
            "mode": self.config.mode,
            "run": self.journal.run,
            "halted": "; ".join(halts),
            "killed": self.engine.risk.killed.get(account, self.engine.risk.killed.get("", "")),
            "circuit_breaker_active": bool(halts) or account in self.engine.risk.breakers.blocked,
            **dict.fromkeys(COUNTED, 0),
            **self.engine.counts,
            "doubts_settled": self._settled(),
            **self.engine.risk.breakers.statistics(account),
            **self.engine.tally.statistics(account),
            **session,
        }

    def _settled(self) -> int:
        counts = self.engine.counts
        return sum(counts[name] for name in counts if name.startswith(SETTLED))

    def raise_failure(self) -> None:
        """Raise what ended the run, if it was not a wish."""
        if self.failure is not None:
            name = type(self.failure).__name__
            raise CrosswireError(
                f"stopped by a broken invariant ({name}: {self.failure}); "
                f"all orders were cancelled; the journal tells why"
            )
