"""Virtual time for what is given `call_later` and a clock."""

from collections.abc import Callable

from crosswire.net.clock import VirtualClock


class Timer:
    """What `call_later` returns."""

    def __init__(self, due_ns: int, callback: Callable[[], object]) -> None:
        self.due_ns = due_ns
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Timers:
    """A clock and its timers.

    Of timers due at the same moment the latest set fires first, to catch who relies on order.
    """

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self._timers: list[Timer] = []

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        timer = Timer(self.clock.now_ns() + round(delay * 1e9), callback)
        self._timers.insert(0, timer)
        return timer

    @property
    def waiting(self) -> int:
        return sum(not timer.is_cancelled for timer in self._timers)

    def run_for(self, duration_ns: int) -> None:
        """Let time pass, firing what falls due."""
        end_ns = self.clock.now_ns() + duration_ns
        while True:
            self._timers = [timer for timer in self._timers if not timer.is_cancelled]
            due = [timer for timer in self._timers if timer.due_ns <= end_ns]
            if not due:
                break
            first = min(due, key=lambda timer: timer.due_ns)
            self._timers.remove(first)
            self.clock.advance(max(0, first.due_ns - self.clock.now_ns()))
            first.callback()
        self.clock.advance(end_ns - self.clock.now_ns())
