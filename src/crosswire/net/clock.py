"""The one clock: UTC nanoseconds that never step back."""

import time

_monotonic_ns = time.monotonic_ns  # read twice per order: looked up once


class Clock:
    """Started from the wall clock, advanced by the monotonic one.

    A step of the wall clock (NTP, an operator, a virtual machine that slept) therefore never
    reaches a nonce or a deadline; `drift_ns` shows it.
    """

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return UTC nanoseconds, never less than before."""
        return _monotonic_ns() + self._offset_ns

    def drift_ns(self) -> int:
        """Return wall clock minus this clock: about 0 until somebody steps the wall clock."""
        return time.time_ns() - self.now_ns()


class VirtualClock(Clock):
    """A clock that stands still until told."""

    __slots__ = ("_now_ns", "wall_step_ns")

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        super().__init__()
        self._now_ns = now_ns
        self.wall_step_ns = 0  # what a wall clock would show on top

    def now_ns(self) -> int:
        """Return the set time."""
        return self._now_ns

    def drift_ns(self) -> int:
        """Return the step that the test has made."""
        return self.wall_step_ns

    def advance(self, duration_ns: int) -> int:
        """Let time pass; `ValueError` if it would run backwards."""
        if duration_ns < 0:
            raise ValueError("time does not run backwards")
        self._now_ns += duration_ns
        return self._now_ns
