"""The loop, busy polling, and the collector off the hot path."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from crosswire.net.loop import FULL_EVERY, BusyPoll, Collector
from tests.net_echo import run


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector as it was."""
    yield
    gc.unfreeze()
    gc.enable()


def test_busy_polling_keeps_the_loop_turning_until_stopped() -> None:
    async def story() -> None:
        loop, busy = asyncio.get_running_loop(), BusyPoll()
        busy.start()
        turns = 0
        for _ in range(50):
            await asyncio.sleep(0)
            turns += 1
        busy.stop()
        assert turns == 50
        calm = loop.create_future()
        loop.call_later(0.001, calm.set_result, None)
        await calm  # a loop that still spun would do so until the end of the test

    run(story())


def test_a_frozen_heap_is_not_scanned_and_the_schedule_replaces_the_automatic() -> None:
    async def story() -> None:
        collector = Collector()
        assert collector.freeze() > 1000
        assert not gc.isenabled()
        assert len(gc.get_objects()) < gc.get_freeze_count()
        collector.freeze()  # a second warm-up sets no second timer
        generations = [collector.sweep() for _ in range(FULL_EVERY)]
        assert generations.count(2) == 1
        assert generations[-1] == 2
        assert set(generations) == {1, 2}
        collector.thaw()
        assert gc.isenabled()
        assert gc.get_freeze_count() == 0
        collector.thaw()

    run(story())


def test_a_cycle_made_after_freezing_is_swept() -> None:
    async def story() -> None:
        collector = Collector()
        collector.freeze()
        swept: list[str] = []

        class Loop:
            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                swept.append("swept")

        Loop()
        assert swept == []
        collector.sweep()
        assert swept == ["swept"]
        collector.thaw()

    run(story())
