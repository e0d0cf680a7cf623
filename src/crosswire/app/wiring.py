"""What a mode means: which hosts, which sockets, which simulator.

sim      one simulator a venue in this process, books and orders both
paper    the venue's real books; they are mirrored into a simulator that takes the orders
testnet  the venue's own test site, or the hosts of the config
live     the venue itself, or the hosts of the config
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from random import Random
from typing import Protocol, cast

from crosswire.app import verified
from crosswire.app.config import Config, credentials
from crosswire.app.errors import ConfigError, UserError
from crosswire.app.holding import hold
from crosswire.domain import (
    AnyEvent,
    BookChanged,
    BookReset,
    Instrument,
    InstrumentListed,
    TradePrinted,
)
from crosswire.journal import Journal, JournalError
from crosswire.net.clock import Clock
from crosswire.net.link import Link, LocalLink
from crosswire.net.switchboard import Switchboard
from crosswire.net.transport import ALL_OPEN, Routes
from crosswire.sim.recording import RecordedEvent
from crosswire.venues import venue
from crosswire.venues.interface import (
    Credentials,
    FeedSettings,
    Hosts,
    Session,
    SessionSettings,
    Simulator,
    Venue,
    unlimited,
)

AnyLink = Link | LocalLink
OnEvents = Callable[[list[AnyEvent]], None]
DEPTH = 10  # levels a side: what a checksum covers, and the least bandwidth
EMBEDDED = "simulator.local"  # no such host is ever looked up
CANCELS_NONCES = 10_000  # kept below the durable ceiling: a failing disk stops no cancel
MIRRORED = (BookReset, BookChanged, TradePrinted)


class PaperSimulator(Simulator, Protocol):
    """A simulator that trades on a real book."""

    def mirror(self, event: RecordedEvent, now_ns: int) -> None:
        """Take over what the real book did."""


class Wiring:
    """Makes the links of one bot."""

    def __init__(
        self,
        config: Config,
        where: str,
        clock: Clock,
        on_events: OnEvents,
        on_fatal: Callable[[BaseException], None],
        run: int,
    ) -> None:
        self._config = config
        self._where = where
        self._clock = clock
        self._on_events = on_events
        self._on_fatal = on_fatal
        self._rng = Random(clock.now_ns())
        self._run = run
        self._boards: dict[str, Switchboard] = {}
        self._listed: dict[str, dict[str, Instrument]] = {}  # in paper mode: venue -> by id
        self._latency_ns = config.simulator.latency_ms * 1_000_000

    def instrument_id(self, account: str, instrument: str) -> str:
        """The key of an instrument inside, from a user's name for it."""
        return f"{self._config.accounts[account].venue}:{instrument}"

    def feed_link(self, venue_name: str, instrument: str) -> AnyLink:
        """Return the link of one instrument's public feed; "" = of the list of instruments."""
        mode = self._config.mode
        settings = FeedSettings(
            hosts=self._hosts(venue_name) if mode != "sim" else _embedded(venue_name),
            instruments=(instrument,) if instrument else (),
            depth=DEPTH,
            trades=True,
        )
        session = venue(venue_name).feed(settings)
        if mode == "sim":
            return self._local(session, venue_name, "")
        on_events = self._mirrored(venue_name) if mode == "paper" else self._on_events
        return Link(
            session,
            self._clock,
            on_events,
            rng=self._rng,
            on_fatal=self._on_fatal,
            busy_poll=self._config.net.busy_poll,
        )

    def account_link(self, name: str, journal: Journal, routes: Routes) -> AnyLink:
        """Return the link of an account's login; `routes` is what its breakers leave open.

        Its nonces are of the journal's run.
        """
        account = self._config.accounts[name]
        first_nonce, ceiling = _nonces(journal, venue(account.venue).capabilities.nonce_unit_ns)
        is_local = self._config.mode in ("sim", "paper")
        login = self._login(name)
        settings = SessionSettings(
            account=name,
            hosts=_embedded(account.venue) if is_local else self._hosts(account.venue, name),
            credentials=login,
            instruments=self._instruments(name),
            tier=account.tier,
            request_timeout_ns=self._config.execution.timeout,
            may_place=routes.may_leave,
            nonce_ceiling=ceiling,
        )
        session = venue(account.venue).session(settings, first_nonce)
        if is_local:
            return self._local(session, account.venue, name, routes)
        return Link(
            session,
            self._clock,
            self._on_events,
            rng=self._rng,
            on_fatal=self._on_fatal,
            busy_poll=self._config.net.busy_poll,
            routes=routes,
            request_s=self._config.execution.request_timeout / 1e9,
        )

    def hold(self) -> ExitStack:
        """Hold every login that is not a simulator's, until the result is closed."""
        signers: dict[tuple[str, str], str] = {}
        with ExitStack() as held:
            if self._config.mode in ("testnet", "live"):
                for name, account in self._config.accounts.items():
                    hosts = self._hosts(account.venue, name)
                    login = self._login(name)
                    other = signers.setdefault((hosts.rest, login.secret), name)
                    if other != name:
                        line = f"accounts.{name}.secret: is that of accounts.{other}"
                        raise ConfigError([f"{self._where}: {line}; expected one of its own"])
                    for half in (login.key, login.secret):
                        held.callback(os.close, hold(name, half, hosts, self._clock.now_ns()))
            return held.pop_all()

    def has_shown_copies(self, name: str) -> bool:
        """Whether `verify` has seen on an account that identical bytes run once."""
        config = self._config
        account = config.accounts[name]
        if not (account.resends and config.mode in ("testnet", "live")):
            return False
        directory, hosts = config.journal.directory, self._hosts(account.venue, name)
        return verified.read(directory, name, self._login(name), hosts) is not None

    def _login(self, name: str) -> Credentials:
        if self._config.mode in ("sim", "paper"):
            return venue(self._config.accounts[name].venue).stage.login(name)
        return credentials(self._config.accounts[name], name, self._where)

    def _instruments(self, account: str) -> tuple[str, ...]:
        quoted = (s.instrument for s in self._config.strategies.values() if s.account == account)
        return tuple(dict.fromkeys(quoted))

    def _hosts(self, venue_name: str, account: str = "") -> Hosts:
        """Where the venue is: an account's own hosts first, then the mode's."""
        accounts = self._config.accounts
        for name, section in accounts.items():
            if section.hosts and section.venue == venue_name and account in ("", name):
                return section.hosts.hosts()
        found = venue(venue_name)
        if self._config.mode != "testnet":
            return found.live
        if found.testnet is None:
            line = f'mode: {venue_name} has no public testnet: expected "paper", or hosts'
            raise ConfigError([f"{self._where}: {line} of a simulator in [accounts.NAME.hosts]"])
        return found.testnet

    def _local(
        self, session: Session, venue_name: str, account: str, routes: Routes = ALL_OPEN
    ) -> LocalLink:
        return LocalLink(
            session,
            self._board(venue_name, account),
            self._clock,
            self._on_events,
            latency_ns=self._latency_ns,
            rng=self._rng,
            on_fatal=self._on_fatal,
            routes=routes,
        )

    def _board(self, venue_name: str, account: str = "") -> Switchboard:
        """The account's simulator in this process, made when it is first needed.

        A simulator knows one login. In paper mode each account has a simulator of its own, all
        showing the same real book; in sim mode accounts of one venue would need one market.
        """
        names = [name for name, a in self._config.accounts.items() if a.venue == venue_name]
        name = account or names[0]
        if len(names) > 1 and self._config.mode == "sim":
            raise ConfigError(
                [f'{self._where}: accounts: one account a venue in mode "sim"; got {names}']
            )
        if name not in self._boards:
            self._boards[name] = Switchboard(
                self._simulator(venue_name, name), self._clock, _call_later
            )
        return self._boards[name]

    def _simulator(self, venue_name: str, account: str) -> Simulator:
        section = self._config.simulator
        flow = section.flow or "normal"
        found = venue(venue_name)
        try:
            return found.simulator(
                section.seed + (self._run - 1 << 32),  # a new run's venue repeats no id
                self._clock.now_ns(),
                found.stage.login(account),
                self._balances(found),
                flow="off" if self._config.mode == "paper" else flow,
                account=account,
                instruments=tuple(self._listed.get(venue_name, {}).values()),
            )
        except ValueError as error:
            raise ConfigError([f"{self._where}: simulator: {error}"]) from None

    def _balances(self, found: Venue) -> Mapping[str, str]:
        """What a simulated account begins with; of several venues each takes what has its cash."""
        given = self._config.simulator.balances
        venues = {account.venue for account in self._config.accounts.values()}
        is_meant = len(venues) == 1 or found.stage.cash in given
        return given if given and is_meant else found.stage.balances

    def _mirrored(self, venue_name: str) -> OnEvents:
        """Show the real book to the simulators first, then to the engine."""
        listed = self._listed.setdefault(venue_name, {})

        def on_events(events: list[AnyEvent]) -> None:
            now_ns = self._clock.now_ns()
            boards = self._boards_of(venue_name)
            for event in events:
                if isinstance(event, MIRRORED):
                    for board in boards:
                        cast("PaperSimulator", board.simulator).mirror(event, now_ns)
                elif isinstance(event, InstrumentListed):
                    listed[event.instrument.id] = event.instrument
            self._on_events(events)
            for board in boards:
                board.flush()

        return on_events

    def _boards_of(self, venue_name: str) -> list[Switchboard]:
        accounts = self._config.accounts
        return [b for name, b in self._boards.items() if accounts[name].venue == venue_name]

    def is_listed(self, venue_name: str) -> bool:
        """Whether the real venue has told its instruments: a paper account needs them first."""
        return bool(self._listed.get(venue_name))


def _nonces(journal: Journal, unit_ns: int) -> tuple[int, Callable[[], int]]:
    """Return the run's first nonce and what tells its ceiling, in a venue's unit.

    Of nonces in nanoseconds the next run's are above by themselves; coarser ones have a ceiling.
    What is told keeps some below the durable one free for cancels.
    """
    if unit_ns == 1:
        return journal.first_nonce, unlimited
    clock = journal.clock_nonces
    try:
        first_ns = clock.claim()
    except JournalError as error:
        raise UserError(str(error)) from None
    return -(-first_ns // unit_ns), lambda: clock.ceiling_ns // unit_ns - CANCELS_NONCES


def _embedded(venue_name: str) -> Hosts:
    return venue(venue_name).local_hosts(EMBEDDED)


def _call_later(delay: float, callback: Callable[[], object], /) -> asyncio.TimerHandle:
    """Use the running loop, looked up when it runs."""
    return asyncio.get_running_loop().call_later(delay, callback)
