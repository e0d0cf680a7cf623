"""A bot as a process: signals, the local door, an ordered end."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from crosswire.app.config import Config
from crosswire.app.control import Door, socket_path
from crosswire.app.desk import Desk
from crosswire.app.errors import CrosswireError
from crosswire.app.live import Trader
from crosswire.doubt import NEW_RUN
from crosswire.net.loop import new_event_loop

T = TypeVar("T")
ALLOWED_S = 90.0  # the longest bound of the last run, and some look-ups
DEAD_STOP_S = 15.0  # what was in flight when it died has to be proven first
POLL_S = 0.05


def in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of our own: uvloop, where there is one."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def find_strategies(beside: Path) -> None:
    """Let "module:Class" find modules beside the config and in the current directory."""
    for directory in (str(Path.cwd()), str(beside.resolve().parent)):
        if directory not in sys.path:
            sys.path.insert(0, directory)


async def reside(
    config: Config,
    where: str,
    on_ready: Callable[[Trader], None],
    *,
    tags_quantities: bool = False,
) -> bool:
    """Run a bot until a signal, a request or a broken invariant ends it.

    Returns whether every order is proven done; raises if an invariant broke.
    """
    trader = Trader(config, where=where, tags_quantities=tags_quantities)
    desk = Desk(trader)
    door = Door(socket_path(config.journal.directory), desk.answer)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, trader.over.set)
    desk.open()
    try:
        await door.open()
        starting = loop.create_task(trader.start())
        over = loop.create_task(trader.over.wait())
        await asyncio.wait((starting, over), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            on_ready(trader)
        else:
            starting.cancel()
        await over
    finally:
        await trader.stop()
        desk.close()
        await door.close()
    trader.raise_failure()
    return trader.is_clean


async def ask_once(config: Config, where: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Open the account for one request, with its journal, and leave its orders as they are."""
    alone = config.model_copy(update={"strategies": {}})
    trader = Trader(alone, where=where, leaves_orders=True)
    desk = Desk(trader)
    desk.open()
    try:
        await trader.start()
        return await desk.answer(request)
    finally:
        await trader.stop()
        desk.close()


async def stop_dead(config: Config, where: str, request: Mapping[str, Any]) -> bool:
    """Do for a bot that died what its own end would have done: cancel, wait, disarm.

    Returns whether every order is proven done.
    """
    alone = config.model_copy(update={"strategies": {}})
    trader = Trader(alone, where=where, stop_s=DEAD_STOP_S)
    desk = Desk(trader)
    desk.open()
    try:
        await trader.start()
        if request.get("how") == "flatten":
            await _placing_allowed(trader)
        await desk.answer(request)
    finally:
        await trader.stop()
        desk.close()
    trader.raise_failure()
    return trader.is_clean


async def _placing_allowed(trader: Trader) -> None:
    """Wait until nothing that the last run sent can still take effect: only then may we place."""
    until = asyncio.get_running_loop().time() + ALLOWED_S
    while any(NEW_RUN in halts for halts in trader.engine.risk.halted.values()):
        if asyncio.get_running_loop().time() > until:
            raise CrosswireError("what the last run sent may still take effect; try again")
        await asyncio.sleep(POLL_S)
