"""A line that carries things one way, in order, each taking its time."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from crosswire.net.clock import Clock

# How long something of this size and content is under way, in nanoseconds; None = lost.
Carriage = Callable[[bytes], int | None]


class Cancellable(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None: ...


class CallLater(Protocol):
    """`loop.call_later`, or a virtual twin."""

    def __call__(self, delay: float, callback: Callable[[], object], /) -> Cancellable: ...


def steady(latency_ns: int) -> Carriage:
    """Return a carriage that always takes the same time."""
    return lambda _payload: latency_ns


class Line:
    """Delivers by calling; never earlier than set, never out of order, as TCP does.

    What is due waits behind what was put before it.
    """

    def __init__(self, clock: Clock, call_later: CallLater) -> None:
        self._clock = clock
        self._call_later = call_later
        self._under_way: deque[tuple[int, Callable[[], object]]] = deque()
        self._timer: Cancellable | None = None

    def put(self, latency_ns: int, deliver: Callable[[], object]) -> None:
        """Call `deliver` when it is due, and after everything put before it."""
        self._under_way.append((self._clock.now_ns() + latency_ns, deliver))
        if self._timer is None:
            self._arm()

    def cut(self) -> None:
        """Lose what is under way."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        wait_ns = max(0, self._under_way[0][0] - self._clock.now_ns())
        self._timer = self._call_later(wait_ns / 1e9, self._arrive)

    def _arrive(self) -> None:
        """Deliver what is due now; a timer may fire early, so look."""
        self._timer = None
        now_ns = self._clock.now_ns()
        try:
            while self._under_way and self._under_way[0][0] <= now_ns:
                self._under_way.popleft()[1]()
        finally:
            if self._under_way and self._timer is None:
                self._arm()
