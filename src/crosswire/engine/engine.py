"""The engine: events in, approved commands out; no I/O, and no clock but the one it is given.

`turn` applies every event of one socket read, then lets the strategies that were touched decide,
once. What the engine itself concludes (a lost book, a halt, a refusal) is an event too: it stands
in `made`, and the journal keeps it, so that `note` and `register` rebuild the same state.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from crosswire.book import Book
from crosswire.domain import (
    Absent,
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    AnyCommand,
    AnyEvent,
    Approved,
    BalancesRead,
    BookChanged,
    BookLost,
    BookReset,
    CancelAccepted,
    CancelRejected,
    CashMoved,
    ClockMeasured,
    Closed,
    Corrected,
    DeadManArmed,
    Disconnected,
    FeedProven,
    Filled,
    FillsRead,
    Halted,
    Instrument,
    InstrumentListed,
    Kill,
    LoggedIn,
    LookUp,
    Missing,
    OrderReported,
    OrdersRead,
    Place,
    PlaceBatch,
    PositionsRead,
    ReadFailed,
    Refused,
    Rejected,
    Resubscribe,
    Resume,
    Resumed,
    Reversed,
    RunEnded,
    RunStarted,
    Sent,
    Targets,
    TimedOut,
    Unreadable,
    VenueStatusChanged,
)
from crosswire.engine.batches import batched
from crosswire.engine.digest import digest
from crosswire.engine.settings import Settings
from crosswire.engine.slots import Slot
from crosswire.engine.switches import UNREADABLE, Switches
from crosswire.engine.transports import Tally, listen
from crosswire.engine.upkeep import Upkeep
from crosswire.fixed import SCALE
from crosswire.orders import ClientOrderIds, Order, Orders
from crosswire.positions import Positions
from crosswire.risk import BPS, Risk
from crosswire.strategies.interface import Strategy

ORDER_EVENTS: tuple[type, ...] = (
    Sent,
    Accepted,
    Rejected,
    Amended,
    AmendRejected,
    CancelAccepted,
    CancelRejected,
    Filled,
    Closed,
    TimedOut,
    Missing,
    Absent,
    Reversed,
    OrderReported,
)


class Engine:
    """One bot: its books, orders, positions, risk and strategies."""

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        self.settings = settings
        self.books: dict[str, Book] = {}
        self.instruments: dict[str, Instrument] = {}
        self.ids = ClientOrderIds(settings.bot, settings.run)
        lags = {name: account.read_lag_ns for name, account in settings.accounts.items()}
        adopting = {name for name, each in settings.accounts.items() if each.adopts_external}
        self.orders = Orders(lags, self.ids.is_ours, adopting)
        self.positions = Positions()
        rules = {name: account.rules() for name, account in settings.accounts.items()}
        self.risk = Risk(rules, self.instruments, self.books, self.orders, self.positions)
        for name in rules:
            routes = self.risk.breakers.routes(name)
            routes.is_shut = partial(lambda each: self.risk.is_shut(each, clock()), name)
        self.slots: dict[str, Slot] = {}
        self.made: list[AnyEvent] = []
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._by_instrument: dict[str, list[Slot]] = {}
        self._touched: dict[Slot, None] = {}
        self._queued: list[AnyCommand] = []
        self._request_id = 0
        upkeep = Upkeep(settings, self.orders, self.positions, self.risk, self.counts)
        switches = Switches(self.risk, settings.accounts)
        self._upkeep, self._switches = upkeep, switches
        self._appliers: dict[type, Callable[[Any], None]] = {
            InstrumentListed: self._listed,
            BookReset: self._book_reset,
            BookChanged: self._book_changed,
            BookLost: self._book_lost,
            FeedProven: self._feed_proven,
            LoggedIn: upkeep.logged_in,
            Disconnected: upkeep.disconnected,
            CashMoved: upkeep.cash,
            ClockMeasured: upkeep.measured,
            BalancesRead: self._balances,
            PositionsRead: self._positions_read,
            OrdersRead: self._orders_read,
            FillsRead: self._fills_read,
            ReadFailed: upkeep.heard,
            Unreadable: self._unreadable,
            Halted: switches.halted,
            Resumed: switches.resumed,
            VenueStatusChanged: switches.venue_status,
            DeadManArmed: switches.armed,
            RunStarted: self._run_started,
            RunEnded: self._run_ended,
        }
        self._appliers.update(dict.fromkeys(ORDER_EVENTS, self._order_event))
        self.tally = Tally(self.orders, self.risk.breakers)
        listen(self._appliers, self.risk.breakers, self.tally, self._make)

    def add_strategy(self, name: str, account: str, strategy: Strategy) -> None:
        """Give a strategy an account to trade on; `ValueError` if the account is unknown."""
        if account not in self.settings.accounts:
            known = ", ".join(self.settings.accounts)
            raise ValueError(f'strategy {name}: no account "{account}": expected one of {known}')
        slot = Slot(
            name,
            account,
            strategy,
            self.settings.accounts[account],
            self.ids,
            tags_quantities=self.settings.tags_quantities,
            books=self.books,
            instruments=self.instruments,
            orders=self.orders,
            positions=self.positions,
        )
        self.slots[name] = slot
        for instrument in strategy.instruments:
            self._by_instrument.setdefault(instrument, []).append(slot)

    # --- what the runner calls -----------------------------------------------------------------

    def turn(self, events: Sequence[AnyEvent], now_ns: int) -> list[Approved]:
        """Apply events, let the strategies decide, return what is to be sent."""
        self.made = []
        appliers = self._appliers
        for event in events:
            apply = appliers.get(type(event))
            if apply is not None:
                apply(event)
        if not self._touched and not self._queued:
            return []
        return self._decide(events[-1].recv_ns if events else now_ns, now_ns)

    def note(self, events: Iterable[AnyEvent]) -> None:
        """Apply events without deciding: what a send gave back, or a replayed journal."""
        for event in events:
            apply = self._appliers.get(type(event))
            if apply is not None:
                apply(event)

    def register(self, approved: Approved) -> None:
        """Note the intent of an approved command, live or from a journal."""
        command = approved.command
        if approved.request_id > self._request_id:
            self._request_id = approved.request_id
        if type(command) is Amend:
            self.orders.register(approved)
            if command.quantity is not None:
                self.risk.exposure.touch(command.account, command.instrument)
        elif type(command) is Place:
            self.orders.register(approved)
            self.risk.exposure.touch(command.account, command.instrument)
        elif isinstance(command, PlaceBatch):
            self.orders.register(approved)
            for place in command.places:
                self.risk.exposure.touch(place.account, place.instrument)
        elif isinstance(command, Kill):
            self._switches.kill(command)
        elif isinstance(command, Resume):
            self._switches.resume(command)
        else:
            self.orders.register(approved)
            self.risk.breakers.register(approved)

    def submit(self, command: AnyCommand, now_ns: int) -> Approved | Refused:
        """Pass one command of an operator or an API user through the gate."""
        self.made = []
        if isinstance(command, Place) and not command.client_order_id:
            bound_ns = command.bound_ns or now_ns + self._bound_ns(command.account)
            command = replace(command, client_order_id=self.ids.next(), bound_ns=bound_ns)
        return self._approve(command, now_ns)

    def tick(self, now_ns: int) -> list[Approved]:
        """Time passed: doubts, reads, dead-man switches, a kill's cancels, timers, forgetting."""
        self.made = []
        for event in self._upkeep.events(now_ns):
            self._make(event)
        self._queued += self._upkeep.commands(now_ns)
        self._queued += self.risk.breakers.probes(now_ns)
        if self._upkeep.is_second(now_ns):
            self._call_timers(now_ns)
            self.orders.forget(now_ns - self.settings.terminal_grace_ns)
        for slot in self.slots.values():
            slot.is_dirty = slot.is_dirty or slot.has_waiting()
            if slot.is_dirty:
                self._touched[slot] = None
        return self._decide(now_ns, now_ns)

    def pause(self, is_paused: bool, strategy: str = "") -> None:
        """Withdraw the quotes of one strategy or of all, or let them quote again."""
        for slot in self.slots.values():
            if strategy in ("", slot.name):
                if is_paused:
                    slot.withdraw()
                else:
                    slot.is_paused = False
                self._touched[slot] = None

    def forget_queued(self) -> None:
        """Drop what a replay would have sent: it was sent, or not, in the run before."""
        self._queued.clear()
        self._touched.clear()
        self.made = []

    def digest(self) -> str:
        """Return a hash of open orders, positions, balances, halts: equal states, equal text."""
        return digest(self.orders, self.positions, self.risk)

    # --- deciding ------------------------------------------------------------------------------

    def _decide(self, received_ns: int, now_ns: int) -> list[Approved]:
        commands, self._queued = self._queued, []
        touched, self._touched = self._touched, {}
        for slot in touched:
            slot.view.now_ns = now_ns
            targets = None
            if slot.is_ready and not slot.is_paused:
                targets = slot.strategy.on_update(slot.view)
            if targets is not None or slot.is_dirty:
                commands += self._wanted(slot, targets, received_ns, now_ns)
        if not commands:
            return []
        if len(commands) > 1:
            commands = batched(commands, self.settings.accounts)
        approved: list[Approved] = []
        for command in commands:
            result = self._pass(command)
            if type(result) is Approved:
                approved.append(result)
            elif isinstance(command, PlaceBatch):
                # Refused as a whole: some of them may still pass alone.
                alone = [self._approve(place, now_ns) for place in command.places]
                approved += [each for each in alone if isinstance(each, Approved)]
            elif isinstance(result, Refused):
                self._refuse(result, now_ns)
        return approved

    def _wanted(
        self, slot: Slot, targets: Targets, received_ns: int, now_ns: int
    ) -> list[AnyCommand]:
        desk = slot.desk
        desk.received_ns, desk.now_ns = received_ns, now_ns
        desk.decided_ns = self._clock()
        return slot.commands(targets)

    def _approve(self, command: AnyCommand, now_ns: int) -> Approved | Refused:
        result = self._pass(command)
        if isinstance(result, Refused):
            self._refuse(result, now_ns)
        return result

    def _pass(self, command: AnyCommand) -> Approved | Refused:
        """Ask the gate; what passes is registered before anyone else may ask."""
        self._request_id += 1
        if type(command) is Place and command.cash_quantity:
            command = replace(command, reserve_quantity=self._most(command))
        result = self.risk.approve(command, self._request_id, self._clock())
        if type(result) is Approved:
            self.register(result)
        return result

    def _refuse(self, refused: Refused, now_ns: int) -> None:
        self.made.append(refused)
        self.counts["orders_refused"] += 1
        slot = self.slots.get(getattr(refused.command, "strategy", ""))
        if slot is not None:
            slot.hold(now_ns)

    def _most(self, command: Place) -> int:
        """The most a cash order may fill: as if the price fell by the whole collar."""
        instrument = self.instruments.get(command.instrument)
        limits = self.settings.accounts[command.account].limits
        floor = self.risk.mark(command.instrument) * (BPS - limits.collar_bps) // BPS
        if instrument is None or floor <= 0:
            return 0
        quantity = (command.cash_quantity or 0) * SCALE // floor
        return quantity // instrument.quantity_step * instrument.quantity_step

    def _call_timers(self, now_ns: int) -> None:
        for slot in self.slots.values():
            on_timer = getattr(slot.strategy, "on_timer", None)
            if on_timer is not None and not slot.is_paused:
                slot.view.now_ns = now_ns
                self._queued += self._wanted(slot, on_timer(slot.view), now_ns, now_ns)

    def _bound_ns(self, account: str) -> int:
        return self.settings.accounts[account].bound_ns

    # --- applying ------------------------------------------------------------------------------

    def _make(self, event: AnyEvent) -> None:
        self.made.append(event)
        self.note((event,))

    def _touch(self, instrument: str) -> None:
        for slot in self._by_instrument.get(instrument, ()):
            self._touched[slot] = None

    def _listed(self, event: InstrumentListed) -> None:
        instrument = event.instrument
        self.instruments[instrument.id] = instrument
        book = self.books.get(instrument.id)
        if book is None:
            self.books[instrument.id] = Book(instrument)
        else:
            book.instrument = instrument
        for slot in self._by_instrument.get(instrument.id, ()):
            slot.is_ready = all(name in self.books for name in slot.strategy.instruments)

    def _book_reset(self, event: BookReset) -> None:
        book = self.books.get(event.instrument)
        if book is not None:
            if book.reset(event):
                self._touch(event.instrument)
            else:
                self._lose(event, "checksum of a snapshot")

    def _book_changed(self, event: BookChanged) -> None:
        book = self.books.get(event.instrument)
        if book is not None:
            was_valid = book.is_valid
            if book.change(event):
                for slot in self._by_instrument.get(event.instrument, ()):
                    self._touched[slot] = None
            elif was_valid:
                self._lose(event, "checksum")

    def _lose(self, event: BookReset | BookChanged, reason: str) -> None:
        self.counts["checksum_failures"] += 1
        self._make(BookLost(event.recv_ns, event.instrument, reason))
        venue = self.instruments[event.instrument].venue
        self._queued.append(Resubscribe(venue, event.instrument, reason))

    def _book_lost(self, event: BookLost) -> None:
        book = self.books.get(event.instrument)
        if book is not None:
            book.lose()

    def _feed_proven(self, event: FeedProven) -> None:
        for book in self.books.values():
            if book.instrument.venue == event.session:
                book.proven_ns = event.recv_ns

    def _order_event(self, event: Any) -> None:
        change = self.orders.apply(event)
        if self.orders.news:
            self._hear(event.recv_ns)
        if change.kind == "nothing":
            return
        order = change.order
        if change.booked is not None:
            self._book(change.booked, order)
        if change.unbooked is not None:
            self.positions.unbook(change.unbooked, order.strategy if order else "")
            self.risk.exposure.touch(event.account, change.unbooked.instrument)
        if order is None:
            return
        self._order_changed(order, event)

    def _hear(self, now_ns: int) -> None:
        """Journal what the orders concluded by themselves."""
        for event in self._upkeep.news(now_ns):
            self._make(event)

    def _book(self, fill: Filled, order: Order | None) -> None:
        """Book a fill to its strategy; without an order of ours, to the account alone."""
        strategy = order.strategy if order else ""
        self.counts["fills"] += 1
        self.positions.book(fill, strategy)
        self.risk.exposure.touch(fill.account, fill.instrument)
        self._tell(self._upkeep.booked(fill))
        slot = self.slots.get(strategy)
        on_fill = getattr(slot.strategy, "on_fill", None) if slot else None
        if slot is not None and on_fill is not None:
            now_ns = fill.recv_ns
            self._queued += self._wanted(slot, on_fill(slot.view, fill), now_ns, now_ns)

    def _order_changed(self, order: Order, event: Any) -> None:
        self.risk.exposure.touch(order.account, order.instrument)
        slot = self.slots.get(order.strategy)
        if slot is None:
            return
        slot.is_dirty = True
        self._touched[slot] = None
        rests = order.time_in_force in ("gtc", "gtd")
        is_unasked = rests and order.end == "canceled" and not order.canceled_ns
        # An amend that never left was replaced by a newer one, or held back: nobody refused it.
        is_refused = isinstance(event, Rejected) or (
            isinstance(event, AmendRejected) and not event.is_unsent
        )
        if is_refused or (isinstance(event, Closed) and is_unasked):
            slot.hold(event.recv_ns)
        on_order = getattr(slot.strategy, "on_order", None)
        if on_order is not None:
            targets = on_order(slot.view, order)
            self._queued += self._wanted(slot, targets, event.recv_ns, event.recv_ns)

    def _fills_read(self, event: FillsRead) -> None:
        self.orders.apply(event)
        self._upkeep.heard(event)

    def _balances(self, event: BalancesRead) -> None:
        self._upkeep.heard(event)
        self._tell(self._upkeep.balances(event))

    def _positions_read(self, event: PositionsRead) -> None:
        perps = [each.id for each in self.instruments.values() if each.kind == "perp"]
        venue = self.settings.accounts[event.account].venue
        self._tell(self._upkeep.positions(event, [n for n in perps if n.startswith(f"{venue}:")]))

    def _tell(self, events: list[AnyEvent]) -> None:
        """Journal what was put right."""
        for event in events:
            self.counts["corrections"] += isinstance(event, Corrected)
            self._make(event)

    def _orders_read(self, event: OrdersRead) -> None:
        self._upkeep.heard(event)
        self.orders.apply(event)
        for slot in self.slots.values():
            if slot.account == event.account:
                slot.is_dirty = True
                self._touched[slot] = None
        for instrument in self.orders.instruments(event.account):
            self.risk.exposure.touch(event.account, instrument)
        if self.orders.news:
            self._hear(event.recv_ns)
        if self._switches.is_readable_again(event):
            self._make(Resumed(event.recv_ns, event.account, UNREADABLE))

    def _unreadable(self, event: Unreadable) -> None:
        self.counts["unreadable"] += 1
        if event.is_private:
            self._make(
                Halted(event.recv_ns, event.session, UNREADABLE, "a complete read of orders")
            )
            self._queued.append(LookUp(event.session, "open_orders"))

    def _run_ended(self, event: RunEnded) -> None:
        self.orders.apply(event)

    def _run_started(self, event: RunStarted) -> None:
        self.orders.apply(event)
        self._switches.new_run()
        self.forget_queued()
