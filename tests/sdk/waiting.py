"""Cases that wait: none of them for ever, and no socket left open.

Imported in foreign environments: nothing but the standard library.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

WAIT_S = 20.0


async def limited(run: Callable[[], Awaitable[object]]) -> object:
    """Run a case that must come to an end in time."""
    async with asyncio.timeout(WAIT_S):
        return await run()


async def closing(exchange: Any, run: Callable[[], Awaitable[object]]) -> object:
    """Run it and close the exchange's sockets whatever happens."""
    try:
        return await run()
    finally:
        await exchange.close()


async def refusal(kind: type[Exception], run: Callable[[], Awaitable[object]], text: str) -> object:
    """Return the text of the refusal, an error of this kind, which must hold this text."""
    try:
        saw = await limited(run)
    except kind as error:
        saw, is_right = f"{type(error).__name__}: {error}", text in str(error)
    else:
        is_right = False
    assert is_right, saw
    return saw
