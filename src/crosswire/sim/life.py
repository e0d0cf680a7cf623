"""What goes on in a simulator's markets besides its clients: order flow and recorded books.

A simulator asks `next_due_ns`, calls `tick`, and turns the outcomes into its own messages just
as it does for its clients' orders.
"""

from collections.abc import Mapping

from crosswire.sim.flow import OWNER, Flow, FlowAction, FlowCancel
from crosswire.sim.matching import AnyOutcome, MatchingEngine, Order
from crosswire.sim.recording import Mirror, RecordedEvent, Recording

Happened = tuple[str, list[AnyOutcome]]  # the instrument's name, what came of it


class Life:
    """Moves the engines of one simulator."""

    def __init__(
        self,
        engines: Mapping[str, MatchingEngine],
        *,
        flow: Flow | None = None,
        recordings: Mapping[str, Recording] | None = None,
    ) -> None:
        """`engines` and `recordings` by the instrument's name, as the flow knows it."""
        self._engines = engines
        self._flow = flow
        self._recordings = dict(recordings or {})
        self._mirrors: dict[str, Mirror] = {}

    def tick(self, now_ns: int) -> list[Happened]:
        """Do what is due: expiries, recorded events, healing, the flow's orders."""
        happened: list[Happened] = []
        for name, engine in self._engines.items():
            if made := engine.expire(now_ns):
                happened.append((name, made))
        for name, recording in self._recordings.items():
            happened += [self.mirror(name, event, now_ns) for event in recording.due(now_ns)]
        for name, mirror in self._mirrors.items():
            if (due_ns := mirror.next_due_ns()) is not None and due_ns <= now_ns:
                happened.append((name, mirror.tick(now_ns)))
        if self._flow is not None:
            for action in self._flow.step(now_ns):
                name = action.instrument
                happened.append((name, act(self._engines[name], action, now_ns)))
        return happened

    def next_due_ns(self) -> int | None:
        """When `tick` has something to do next; None if never."""
        due = [engine.next_expiry_ns() for engine in self._engines.values()]
        due += [recording.next_due_ns() for recording in self._recordings.values()]
        due += [mirror.next_due_ns() for mirror in self._mirrors.values()]
        if self._flow is not None:
            due.append(self._flow.next_due_ns())
        return min((one for one in due if one is not None), default=None)

    def mirror(self, name: str, event: RecordedEvent, now_ns: int) -> Happened:
        """Apply an event of a real book, recorded or live."""
        mirror = self._mirrors.get(name)
        if mirror is None:
            mirror = self._mirrors[name] = Mirror(self._engines[name])
        return name, mirror.apply(event, now_ns)


def act(engine: MatchingEngine, action: FlowAction, now_ns: int) -> list[AnyOutcome]:
    """Let one action of a flow happen in its instrument's engine.

    Nobody hears of its own orders: nothing comes of those that only come to rest, or leave.
    """
    if isinstance(action, FlowCancel):
        engine.leave_quietly(action.id)
        return []
    quantity = action.quantity
    if action.time_in_force == "ioc":
        # Strangers who take never empty a book that others are watching: makers come slowly.
        there = engine.top("sell" if action.side == "buy" else "buy", 10)
        half = sum(amount for _, amount in there) // 2
        quantity = min(quantity, half - half % action.step)
    if not quantity:
        return []
    order = Order(
        id=action.id,
        owner=OWNER,
        side=action.side,
        quantity=quantity,
        price=action.price,
        order_type="market" if action.price is None else "limit",
        time_in_force=action.time_in_force,
    )
    if action.time_in_force == "gtc" and order.price is not None and engine.stand_quietly(order):
        return []
    return engine.place(order, now_ns)
