"""Virtual time: a clock that jumps from one timer to the next.

Timers belong to an owner. A stalled owner's timers wait until it goes on, in order; a dead one's
never fire.
"""

import heapq
from collections.abc import Callable

from crosswire.net.clock import Clock, VirtualClock

NS = 1_000_000_000


class Owner:
    """Whose timers they are: the venue and the network never stall, our process may."""

    __slots__ = ("is_dead", "stalled_until_ns")

    def __init__(self) -> None:
        self.is_dead = False
        self.stalled_until_ns = 0


class Timer:
    """What `call_later` returns."""

    __slots__ = ("callback", "is_cancelled", "owner")

    def __init__(self, owner: Owner, callback: Callable[[], object]) -> None:
        self.owner = owner
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        """Never fire."""
        self.is_cancelled = True


class Timers:
    """All timers of a world, in one heap; of those due at once the first set fires first."""

    def __init__(self, start_ns: int) -> None:
        self.clock = VirtualClock(start_ns)
        self.fired = 0
        self._heap: list[tuple[int, int, Timer]] = []
        self._count = 0

    def at(self, due_ns: int, owner: Owner, callback: Callable[[], object]) -> Timer:
        """Call at a moment, or at once if it has passed."""
        timer = Timer(owner, callback)
        self._push(max(due_ns, self.clock.now_ns()), timer)
        return timer

    def _push(self, due_ns: int, timer: Timer) -> None:
        self._count += 1
        heapq.heappush(self._heap, (due_ns, self._count, timer))

    def step(self, until_ns: int) -> Timer | None:
        """Advance to the next timer due by then and return it, unfired; None if there is none."""
        heap, clock = self._heap, self.clock
        while heap and heap[0][0] <= until_ns:
            due_ns, _, timer = heapq.heappop(heap)
            if timer.is_cancelled or timer.owner.is_dead:
                continue
            if timer.owner.stalled_until_ns > due_ns:
                self._push(timer.owner.stalled_until_ns, timer)
                continue
            clock.advance(due_ns - clock.now_ns())
            self.fired += 1
            return timer
        clock.advance(max(0, until_ns - clock.now_ns()))
        return None


class Later:
    """`call_later` for one owner."""

    __slots__ = ("_owner", "_timers")

    def __init__(self, timers: Timers, owner: Owner) -> None:
        self._timers = timers
        self._owner = owner

    def __call__(self, delay: float, callback: Callable[[], object], /) -> Timer:
        due_ns = self._timers.clock.now_ns() + round(delay * NS)
        return self._timers.at(due_ns, self._owner, callback)


class OwnClock(Clock):
    """Our process's clock: off by an offset that its start and its sleeps have given it."""

    __slots__ = ("_timers", "offset_ns")

    def __init__(self, timers: Timers, offset_ns: int) -> None:
        super().__init__()
        self._timers = timers
        self.offset_ns = offset_ns

    def now_ns(self) -> int:
        """Return the time as our process believes it."""
        return self._timers.clock.now_ns() + self.offset_ns
