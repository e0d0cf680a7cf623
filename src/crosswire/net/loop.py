"""The event loop, how it waits, and when the garbage collector may run."""

import asyncio
import gc
import sys

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    from uvloop import new_event_loop

__all__ = ["BusyPoll", "Collector", "new_event_loop"]

COLLECT_S = 1.0
FULL_EVERY = 600  # full collections are rare: every ten minutes


class BusyPoll:
    """A callback that reschedules itself, so that the selector never sleeps.

    Waking a sleeping core costs 11-20 us; this burns one core instead.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Spin from the loop's next turn on."""
        self._loop = asyncio.get_running_loop()
        self._spin()

    def stop(self) -> None:
        """Let the loop sleep again."""
        self._loop = None

    def _spin(self) -> None:
        if self._loop is not None:
            self._loop.call_soon(self._spin)


class Collector:
    """Takes the garbage collector off the hot path, once warmed up.

    What lives by then is frozen: it is never scanned again (a pass over a large heap takes
    30-50 ms). After that the young generations are swept every second, all of it every ten
    minutes, both between callbacks.
    """

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._sweeps = 0

    def freeze(self) -> int:
        """Freeze the heap, turn automatic collection off, start the schedule.

        Returns the number of frozen objects.
        """
        gc.collect()
        gc.freeze()
        gc.disable()
        if self._timer is None:
            self._schedule()
        return gc.get_freeze_count()

    def sweep(self) -> int:
        """Collect now; return the generation that was collected."""
        self._sweeps += 1
        generation = 2 if self._sweeps % FULL_EVERY == 0 else 1
        gc.collect(generation)
        return generation

    def thaw(self) -> None:
        """Put everything back as Python has it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gc.unfreeze()
        gc.enable()

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(COLLECT_S, self._again)

    def _again(self) -> None:
        self._schedule()
        self.sweep()
