"""Hosts the simulator for the SDKs, with switches that no client has.

Usage: python -m tests.sdk.host kraken|hyperliquid. A second port takes the switches:
`/skip/SECONDS` moves the venue's clock, `/strike/FAULT` makes a fault strike at its next
opportunity, `/drop` cuts every socket, `/busy/on` lets time race so that the book never rests,
`/revoke` ends every token, `/listened` tells what the sockets are subscribed to.
"""

import asyncio
import json
import sys
from collections.abc import Callable

from aiohttp import web
from msgspec.structs import replace

from crosswire.net.clock import Clock
from crosswire.net.host import Host, Network
from crosswire.venues.interface import Simulator
from tests.sdk import hyperliquid_market, market

Market = tuple[Callable[[int], Simulator], list[tuple[str, str]]]
MARKETS: dict[str, Market] = {
    "kraken": (market.simulator, market.LOGINS),
    "hyperliquid": (hyperliquid_market.simulator, hyperliquid_market.LOGINS),
}
STEP_NS = 500_000_000
LIFE_S = 30  # lived before the first guest comes: there are books, trades and candles
CELL_S = 0.25  # the order flow's own step
RACE_S = 0.002  # between two of them while it is busy


class MovableClock(Clock):
    """A clock that can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ns = 0

    def now_ns(self) -> int:
        """Return the time plus what was skipped."""
        return super().now_ns() + self.ahead_ns


class Switches:
    """The second port."""

    def __init__(self, venue: Host, clock: MovableClock) -> None:
        self.venue = venue
        self.clock = clock
        self.race: asyncio.Task[None] | None = None

    async def serve(self, request: web.BaseRequest) -> web.Response:
        """Throw one switch."""
        what, _, value = request.path.strip("/").partition("/")
        answer = {
            "skip": self.skip, "strike": self.strike, "drop": self.drop, "busy": self.busy,
            "revoke": self.revoke, "listened": self.listened,
        }[what](value)  # fmt: skip
        self.venue.switchboard.flush()
        return web.Response(text=json.dumps(answer), content_type="application/json")

    def skip(self, seconds: str) -> object:
        """Put the clock forward, in steps short enough that no connection idles to death."""
        left_ns = int(float(seconds) * 1e9)
        while left_ns > 0:
            step_ns = min(left_ns, STEP_NS)
            self.clock.ahead_ns += step_ns
            left_ns -= step_ns
            self.venue.switchboard.tick()
        return seconds

    def strike(self, fault: str) -> object:
        """Make a fault strike once, at its next opportunity."""
        chance = self.venue.switchboard.simulator.chance  # type: ignore[attr-defined]
        due = chance._opportunities.get(fault, 0) + 1
        chance.faults = replace(chance.faults, schedule={fault: (due,)})
        return due

    def drop(self, _: str) -> object:
        """Cut every socket."""
        hub = self.venue.switchboard.simulator.hub  # type: ignore[attr-defined]
        found = list(hub.connections.values())
        for connection in found:
            hub.drop(connection)
        return len(found)

    def revoke(self, _: str) -> object:
        """End every token of the account."""
        self.venue.switchboard.simulator.tokens.revoke(market.ACCOUNT)  # type: ignore[attr-defined]
        return market.ACCOUNT

    def listened(self, _: str) -> object:
        """Return the kinds of everything subscribed to, on all sockets."""
        hub = self.venue.switchboard.simulator.hub  # type: ignore[attr-defined]
        held = hub.connections.values()
        return sorted(one.kind for guest in held for one in guest.subscriptions.values())

    def busy(self, how: str) -> object:
        """Let time race, or stop racing."""
        if self.race is not None:
            self.race.cancel()
            self.race = None
        if how == "on":
            self.race = asyncio.get_running_loop().create_task(self._race())
        return how

    async def _race(self) -> None:
        while True:
            self.skip(str(CELL_S))
            await asyncio.sleep(RACE_S)


async def main(name: str) -> None:
    """Host until the standard input ends."""
    clock = MovableClock()
    simulator, logins = MARKETS[name]
    venue = Host(simulator(clock.now_ns()), clock, Network())
    port = await venue.open("127.0.0.1", 0)
    switches = Switches(venue, clock)
    runner = web.ServerRunner(web.Server(switches.serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    switches.skip(str(LIFE_S))
    place = {
        "host": f"127.0.0.1:{port}",
        "control": f"127.0.0.1:{runner.addresses[0][1]}",
        "logins": logins,
    }
    print(json.dumps(place), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()
    await venue.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
