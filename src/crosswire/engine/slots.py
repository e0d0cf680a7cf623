"""A strategy's slot in the engine: its view, its desk, and what it wanted last."""

from collections.abc import Mapping, Sequence

from crosswire.book import Book
from crosswire.domain import AnyCommand, Instrument, Place, Quotes, Targets, WantedOrder
from crosswire.engine.settings import Account
from crosswire.orders import ClientOrderIds, Orders
from crosswire.positions import Positions
from crosswire.quotes import Desk, requote
from crosswire.strategies.interface import Strategy
from crosswire.view import View

# After a refusal a strategy's new orders pause, or a refusal would answer a refusal for ever.
HOLD_NS = 500_000_000


class Slot:
    """One strategy on one account."""

    def __init__(
        self,
        name: str,
        account: str,
        strategy: Strategy,
        settings: Account,
        ids: ClientOrderIds,
        *,
        tags_quantities: bool,
        books: Mapping[str, Book],
        instruments: Mapping[str, Instrument],
        orders: Orders,
        positions: Positions,
    ) -> None:
        self.name = name
        self.account = account
        self.strategy = strategy
        self.view = View(account, name, books, instruments, orders, positions)
        self.desk = Desk(
            account,
            name,
            ids,
            amends_in_place=settings.amends_in_place,
            replaces=settings.replaces,
            bound_ns=settings.bound_ns,
            tags_quantities=tags_quantities,
        )
        self.is_dirty = True  # its orders changed since they were last compared
        self.is_paused = False
        self.is_ready = False  # all its instruments are listed
        self.hold_until_ns = 0
        self._bound_ns = settings.bound_ns
        self._ids = ids
        self._instruments = instruments
        self._orders = orders
        self._quotes: dict[str, Quotes] = {}

    def hold(self, now_ns: int) -> None:
        """Pause new orders for a moment."""
        self.hold_until_ns = now_ns + HOLD_NS
        self.is_dirty = True

    def withdraw(self) -> None:
        """Stop quoting: nothing is wanted any more."""
        self.is_paused = True
        self.is_dirty = True
        for name, quotes in self._quotes.items():
            self._quotes[name] = Quotes(name, (), (), quotes.threshold, quotes.post_only)

    def has_waiting(self) -> bool:
        """Whether one of its orders asks for attention by the clock, not by an event."""
        return any(
            order.doubts or order.canceled_ns or order.refused_ns or self.is_paused
            for name in self.strategy.instruments
            for order in self._orders.open_at(self.account, name)
            if order.strategy == self.name
        )

    def commands(self, targets: Targets) -> list[AnyCommand]:
        """Return what is to be sent for what the strategy wants now."""
        now_ns = self.desk.now_ns
        self.desk.may_place = now_ns >= self.hold_until_ns and not self.is_paused
        wanted: list[AnyCommand] = []
        if isinstance(targets, Quotes):
            if self._quotes.get(targets.instrument) is not targets:
                self._quotes[targets.instrument] = targets
                self.is_dirty = True
        elif targets is not None:
            wanted = self._many(targets)
        if self.is_dirty:
            self.is_dirty = now_ns < self.hold_until_ns
            for quotes in self._quotes.values():
                step = self._instruments[quotes.instrument].quantity_step
                orders = self._orders.open_at(self.account, quotes.instrument)
                wanted += requote(quotes, orders, self.desk, step)
        return wanted

    def _many(self, targets: WantedOrder | Sequence[Quotes | WantedOrder]) -> list[AnyCommand]:
        wanted: list[AnyCommand] = []
        for target in (targets,) if isinstance(targets, WantedOrder) else targets:
            if isinstance(target, Quotes):
                self._quotes[target.instrument] = target
                self.is_dirty = True
            elif self.desk.may_place:
                wanted.append(self._order(target))
        return wanted

    def _order(self, wanted: WantedOrder) -> Place:
        desk = self.desk
        client_order_id = self._ids.next()
        step = self._instruments[wanted.instrument].quantity_step
        return Place(
            self.account,
            wanted.instrument,
            client_order_id,
            wanted.side,
            wanted.quantity + desk.tag(step),
            wanted.price,
            wanted.order_type,
            wanted.time_in_force,
            wanted.post_only,
            wanted.reduce_only,
            trigger=wanted.trigger,
            bound_ns=desk.now_ns + self._bound_ns,
            strategy=self.name,
            received_ns=desk.received_ns,
            decoded_ns=desk.now_ns,
            decided_ns=desk.decided_ns,
        )
