"""A bot on loopback sockets, as its config says, and how tests wait for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crosswire.app.config import Config, parse
from crosswire.app.live import Trader
from crosswire.venues import NAMES, venue

VENUE = NAMES[0]


def document(directory: Path, address: str, name: str = VENUE, **more: Any) -> dict[str, Any]:
    stage, hosts = venue(name).stage, venue(name).local_hosts(address)
    login = stage.login("main")
    return {
        "mode": "testnet",
        "bot": "test",
        "accounts": {
            "main": {
                "venue": name,
                "key": login.key,
                "secret": login.secret,
                "tier": stage.tier,
                "hosts": {"rest": hosts.rest, "ws": hosts.ws, "ws_private": hosts.ws_private},
            }
        },
        "strategies": {
            "ladder": {
                "class": "market_making",
                "account": "main",
                "instrument": stage.instrument,
                "quantity": "0.002",
                "edge_ticks": 1,
            }
        },
        "journal": {"directory": str(directory / "journal")},
        **more,
    }


def config(directory: Path, address: str, name: str = VENUE, **more: Any) -> Config:
    return parse(document(directory, address, name, **more), "test")


async def until(trader: Trader, is_so: Callable[[], object]) -> None:
    """Let the bot run until something is so."""
    heard = asyncio.Event()

    def observer(_record: object) -> None:
        heard.set()

    trader.observers.append(observer)
    async with asyncio.timeout(60):
        while not is_so():
            heard.clear()
            await heard.wait()
    trader.observers.remove(observer)
