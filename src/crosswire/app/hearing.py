"""What a client of the runner hears: events that are already journalled and applied.

It waits for them, counts them, keeps the latest, and calls back, all off the hot path.
"""

import asyncio
import inspect
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from crosswire import domain
from crosswire.app import views
from crosswire.app.errors import CrosswireError
from crosswire.app.live import Trader
from crosswire.app.placed import PlacedOrder
from crosswire.domain import AnyEvent

KEPT = 1_000  # executions, orders and trades held in memory; the rest is in the journal
_log = logging.getLogger("crosswire")
_Told = TypeVar("_Told")
Callback = Callable[[_Told], Awaitable[None] | None]


class Hearing:
    """One account's share of what happens."""

    def __init__(self, trader: Trader, account: str) -> None:
        self.trader = trader
        self.account = account
        self.venue = trader.config.accounts[account].venue
        self._orders: dict[str, PlacedOrder] = {}
        # Handles that listen to an order besides the one that is its own: see `PlacedOrder.amend`.
        self._others: dict[str, list[PlacedOrder]] = {}
        self._fills: deque[domain.Filled] = deque(maxlen=KEPT)
        self._trades: deque[domain.TradePrinted] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()
        self._waiting: list[tuple[Callable[[AnyEvent], bool], asyncio.Future[AnyEvent]]] = []
        self._on_execution: list[Callback[views.Execution]] = []
        self._on_status: list[Callback[views.Update]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self) -> None:
        """Begin to hear what the runner does."""
        self.trader.observers.append(self._observe)

    def leave(self) -> None:
        """Hear no more; callbacks under way end here."""
        self.trader.observers.remove(self._observe)
        for task in self._tasks:
            task.cancel()

    def on_execution(self, callback: Callback[views.Execution]) -> None:
        """Call a function (sync or async) with each fill of ours, off the hot path."""
        self._on_execution.append(callback)

    def on_status(self, callback: Callback[views.Update]) -> None:
        """Call a function (sync or async) with each change of an order, off the hot path."""
        self._on_status.append(callback)

    async def wait_for(
        self, is_it: Callable[[AnyEvent], bool], timeout_s: float, what: str
    ) -> AnyEvent:
        """Wait for an event that is told from now on; `CrosswireError` if it does not come."""
        future: asyncio.Future[AnyEvent] = asyncio.get_running_loop().create_future()
        waiting = (is_it, future)
        self._waiting.append(waiting)
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            raise CrosswireError(f"{what} did not come within {timeout_s:g} s") from None
        finally:
            self._waiting.remove(waiting)

    def _observe(self, record: AnyEvent | domain.Approved) -> None:
        """Hear of one journalled record, after the turn that made or took it."""
        if isinstance(record, domain.Approved):
            self._count_command(record.command)
            return
        for is_it, future in list(self._waiting):
            if is_it(record) and not future.done():
                future.set_result(record)
        if isinstance(record, domain.TradePrinted):
            self._trades.append(record)
        elif getattr(record, "account", "") == self.account:
            self._account_event(record)

    def _count_command(self, command: domain.AnyCommand) -> None:
        places = command.places if isinstance(command, domain.PlaceBatch) else (command,)
        for place in places:
            if isinstance(place, domain.Place) and place.account == self.account:
                self._counts["orders"] += 1

    def _account_event(self, event: AnyEvent) -> None:
        if isinstance(event, domain.Filled):
            self._fills.append(event)
            self._tell(self._on_execution, views.execution(event))
        if getattr(event, "source", "") == "stream":
            self._counts["stream"] += 1
        if isinstance(event, domain.Closed):
            self._counts[event.cause] += 1
        elif isinstance(event, domain.Rejected):
            self._counts["Rejected"] += 1
        for client_order_id in self._named(event):
            self._notice(client_order_id)

    def _named(self, event: AnyEvent) -> Sequence[str]:
        """Our ids of the orders that an event speaks of."""
        if isinstance(event, domain.Sent | domain.TimedOut):
            return event.client_order_ids
        if isinstance(event, domain.OrdersRead | domain.Disconnected | domain.RunStarted):
            return list(self._orders)
        ours = getattr(event, "client_order_id", "")
        theirs = getattr(event, "venue_order_id", "")
        if not ours and not theirs:
            return ()
        order = self.trader.engine.orders.find(self.account, ours, theirs)
        return (order.client_order_id,) if order is not None else ()

    def _notice(self, client_order_id: str) -> None:
        order = self._orders.get(client_order_id)
        if order is not None:
            order.notice()
        for other in tuple(self._others.get(client_order_id, ())):
            other.notice()
        if self._on_status:
            found = self.trader.engine.orders.get(client_order_id)
            if found is not None:
                self._tell(self._on_status, views.order_view(found))
        if len(self._orders) > 2 * KEPT:
            ended = [key for key, order in self._orders.items() if order.is_done]
            for key in ended[:KEPT]:
                del self._orders[key]
                self._others.pop(key, None)

    def _tell(self, callbacks: Sequence[Callback[_Told]], told: _Told) -> None:
        """Run each callback by itself: one that raises is logged, and nothing else."""
        loop = asyncio.get_running_loop()
        for callback in callbacks:
            if inspect.iscoroutinefunction(callback):
                task = loop.create_task(callback(told))
                self._tasks.add(task)
                task.add_done_callback(self._ended)
            else:
                loop.call_soon(callback, told)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a callback raised", exc_info=error)
