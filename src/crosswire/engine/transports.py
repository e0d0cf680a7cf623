"""What the engine hears of transports: their breakers, and how orders fared by each.

It listens beside the appliers of the events, after them, so that orders know already what an
event did to them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from crosswire.domain import (
    Accepted,
    AnyEvent,
    BreakerClosed,
    BreakerOpened,
    Closed,
    Filled,
    Rejected,
    RunStarted,
    Sent,
    TimedOut,
    Transport,
)
from crosswire.orders import Orders
from crosswire.risk import Breakers

NAMES: Mapping[Transport, str] = {"ws": "websocket", "rest": "rest"}
COUNTS = (
    *(f"{name}_{what}" for name in NAMES.values() for what in ("orders", "successes", "failures")),
    "rest_fallback_orders",
    "fallbacks",
)
Make = Callable[[BreakerOpened | BreakerClosed], None]


class Tally:
    """Orders by transport: how many were sent, taken by the venue, refused or left open.

    An order counts once, by what is known first: one whose request timed out, or whose answer a
    crash took, has failed, whatever becomes of it later.
    """

    def __init__(self, orders: Orders, breakers: Breakers) -> None:
        self._orders = orders
        self._breakers = breakers
        self._counts: dict[str, Counter[str]] = {}
        self._pending: dict[str, Sent] = {}  # by client_order_id: how it was sent
        self._hear: dict[type, Callable[[Any], None]] = {
            Sent: self._sent,
            Accepted: self._moved,
            Rejected: self._moved,
            Filled: self._moved,
            Closed: self._moved,
            TimedOut: self._timed_out,
            RunStarted: self._run_started,
        }
        self.kinds = tuple(self._hear)

    def hear(self, event: AnyEvent) -> None:
        """Count what an event says."""
        hear = self._hear.get(type(event))
        if hear is not None:
            hear(event)

    def statistics(self, account: str) -> Mapping[str, int]:
        """Return every count of an account."""
        counts = self._counts.get(account, Counter())
        return {name: counts[name] for name in COUNTS}

    def _count(self, account: str, name: str) -> None:
        self._counts.setdefault(account, Counter())[name] += 1

    def _sent(self, event: Sent) -> None:
        is_fallback = event.transport == "rest" and self._breakers.routes(event.account).uses_ws
        if is_fallback:
            self._count(event.account, "fallbacks")
        for client_order_id in event.client_order_ids:
            order = self._orders.get(client_order_id)
            request = order.requests.get(event.request_id) if order is not None else None
            if request is None or request.kind != "place":
                continue
            self._pending[client_order_id] = event
            self._count(event.account, f"{NAMES[event.transport]}_orders")
            if is_fallback:
                self._count(event.account, "rest_fallback_orders")

    def _moved(self, event: Accepted | Rejected | Filled | Closed) -> None:
        if not self._pending:
            return
        order = self._orders.find(event.account, event.client_order_id, event.venue_order_id)
        if order is not None and (order.is_proven or order.stage == "DONE"):
            self._settle(order.client_order_id, is_success=order.is_proven)

    def _timed_out(self, event: TimedOut) -> None:
        named = event.client_order_ids
        for client_order_id, sent in list(self._pending.items()):
            if sent.request_id == event.request_id and (not named or client_order_id in named):
                self._settle(client_order_id, is_success=False)

    def _run_started(self, _event: RunStarted) -> None:
        for client_order_id in list(self._pending):
            self._settle(client_order_id, is_success=False)

    def _settle(self, client_order_id: str, *, is_success: bool) -> None:
        sent = self._pending.pop(client_order_id, None)
        if sent is not None:
            what = "successes" if is_success else "failures"
            self._count(sent.account, f"{NAMES[sent.transport]}_{what}")


def listen(
    appliers: MutableMapping[type, Callable[[Any], None]],
    breakers: Breakers,
    tally: Tally,
    make: Make,
) -> None:
    """Let the breakers and the tally hear, after its applier, every event that concerns them.

    `make` takes what the breakers conclude: it is journalled, and heard like any event.
    """
    for kind in dict.fromkeys((*breakers.kinds, *tally.kinds)):
        appliers[kind] = _joined(appliers.get(kind), breakers, tally, make)


def _joined(
    first: Callable[[Any], None] | None, breakers: Breakers, tally: Tally, make: Make
) -> Callable[[Any], None]:
    def apply(event: Any) -> None:
        if first is not None:
            first(event)
        tally.hear(event)
        verdict = breakers.hear(event)
        if verdict is not None:
            make(verdict)

    return apply
