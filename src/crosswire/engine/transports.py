"""What the engine hears of transports: their breakers, and how orders fared by each.

It listens beside the appliers of the events, after them, so that orders know already what an
event did to them.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from crosswire.domain import (
    Accepted,
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
from crosswire.risk.breakers import Verdict

NAMES: Mapping[Transport, str] = {"ws": "websocket", "rest": "rest"}
# Names of the counters by transport, made once.
ORDERS, SUCCESSES, FAILURES = (
    {transport: f"{name}_{what}" for transport, name in NAMES.items()}
    for what in ("orders", "successes", "failures")
)
COUNTS = (
    *ORDERS.values(),
    *SUCCESSES.values(),
    *FAILURES.values(),
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
        self._counts: dict[str, dict[str, int]] = {}
        self._pending: dict[str, Sent] = {}  # by client_order_id: how it was sent
        self.hearing: dict[type, Callable[[Any], None]] = {
            Sent: self._sent,
            Accepted: self._moved,
            Rejected: self._moved,
            Filled: self._moved,
            Closed: self._moved,
            TimedOut: self._timed_out,
            RunStarted: self._run_started,
        }

    def statistics(self, account: str) -> Mapping[str, int]:
        """Return every count of an account."""
        return {**dict.fromkeys(COUNTS, 0), **self._counts.get(account, {})}

    def _sent(self, event: Sent) -> None:
        counts = self._counts.get(event.account)
        if counts is None:
            counts = self._counts[event.account] = dict.fromkeys(COUNTS, 0)
        is_fallback = event.transport == "rest" and self._breakers.routes(event.account).uses_ws
        if is_fallback:
            counts["fallbacks"] += 1
        for client_order_id in event.client_order_ids:
            order = self._orders.get(client_order_id)
            request = order.requests.get(event.request_id) if order is not None else None
            if request is not None and request.kind == "place":
                self._pending[client_order_id] = event
                counts[ORDERS[event.transport]] += 1
                if is_fallback:
                    counts["rest_fallback_orders"] += 1

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
            names = SUCCESSES if is_success else FAILURES
            self._counts[sent.account][names[sent.transport]] += 1


def listen(
    appliers: MutableMapping[type, Callable[[Any], None]],
    breakers: Breakers,
    tally: Tally,
    make: Make,
) -> None:
    """Let the breakers and the tally hear, after its applier, every event that concerns them.

    `make` takes what the breakers conclude: it is journalled, and heard like any event.
    """
    for kind in dict.fromkeys((*breakers.hearing, *tally.hearing)):
        appliers[kind] = _joined(
            appliers.get(kind, _nothing),
            tally.hearing.get(kind, _nothing),
            breakers.hearing.get(kind, _nothing),
            make,
        )


def _nothing(_event: Any) -> None:
    """Where nobody else listens."""


def _joined(
    first: Callable[[Any], None],
    count: Callable[[Any], None],
    judge: Callable[[Any], Verdict],
    make: Make,
) -> Callable[[Any], None]:
    def apply(event: Any) -> None:
        first(event)
        count(event)
        verdict = judge(event)
        if verdict is not None:
            make(verdict)

    return apply
