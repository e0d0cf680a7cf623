"""The benchmarks' Hyperliquid: the simulated venue behind bare sockets, with books of its own.

Every order is carried out by the simulator, signature and all, between two ticks; its limits are
lifted, and every action is a block. What it would say of its own markets is not passed on: the
books come from here, tops for those who ask for `bbo`, whole ones for those who do not.
"""

import json
import time
from typing import Any

from bench import server
from bench.hyperliquid import ticks
from bench.server import Peer, Tick
from crosswire.venues.hyperliquid.simulator import HyperliquidSimulator, SimAccount
from crosswire.venues.hyperliquid.simulator.budgets import Window
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret
from crosswire.venues.interface import HttpRequest, SimAnswer, SimFrame

SECRET = "0x" + "42" * 32
ADDRESS = address_of_secret(SECRET)
BOOK_S = {False: 4.0, True: 0.4}  # between two whole books, by `fast`
NO_LIMIT = 10**12
MARKET_DATA = frozenset({"l2Book", "bbo", "trades", "activeAssetCtx"})


class Venue(server.Server):
    """The simulated venue on sockets."""

    def __init__(self, total: int) -> None:
        """`total` ticks will be asked for."""
        super().__init__()
        held = SimAccount(address=ADDRESS, balances={"USDC": "1000000"}, volume="9000000000")
        self.sim = HyperliquidSimulator(
            1, start_ns=time.time_ns(), accounts={"bench": held}, block_ns=0
        )
        self.sim.hub.messages = Window(NO_LIMIT)
        self.sim.chain._callers.weight = Window(NO_LIMIT)
        self.first_ms = time.time_ns() // 1_000_000
        self.tops = ticks.tops(total, self.first_ms)
        self.books = ticks.books(total, first_ms=self.first_ms, step_ms=1)
        self.told_ms = self.first_ms
        self.heard: set[str] = set()  # kinds of market data that are wanted
        self.is_fast = False
        self.next_book = 0.0
        self.keys = 0
        self.numbers: dict[int, Peer] = {}  # of connections, for the simulator

    # --- what a server says --------------------------------------------------------------------

    def welcomed(self, peer: Peer) -> None:
        """A WebSocket stands: the simulator knows it by a number."""
        number = max(self.numbers, default=0) + 1
        self.numbers[number] = peer
        self.sim.opened(number, peer.path, time.time_ns())
        self.carry()

    def told(self, peer: Peer, request: dict[str, Any]) -> None:
        """Answer a message: books are asked of us, all else of the simulator."""
        kind = request.get("subscription", {}).get("type")
        if kind:
            self.changed = time.monotonic()
        if kind in MARKET_DATA:
            self.subscribed(peer, request, kind)
            return
        self.note(peer, request.get("request", {}).get("payload"))
        number = next(number for number, one in self.numbers.items() if one is peer)
        self.sim.received(number, json.dumps(request).encode(), time.time_ns())
        self.carry()

    def rested(self, peer: Peer, body: bytes) -> bytes:
        """Return the answer to a REST call."""
        self.note(peer, json.loads(body))
        self.keys += 1
        request = HttpRequest(self.keys, "POST", peer.path, {}, body)
        self.sim.asked(self.keys, request, time.time_ns())
        return self.carry()

    def left(self, peer: Peer) -> None:
        """A connection is gone."""
        super().left(peer)
        self.numbers = {number: one for number, one in self.numbers.items() if one is not peer}

    def tick(self, number: int) -> Tick:
        """Return a top of the book, or the whole of it for who listens to no tops."""
        self.told_ms = self.first_ms + number
        return (self.tops if "bbo" in self.heard else self.books)[number]

    def beat(self) -> None:
        """Send the whole book that is due to those who take tops."""
        if self.heard >= {"bbo", "l2Book"} and time.monotonic() > self.next_book:
            assert self.book is not None
            self.next_book = time.monotonic() + BOOK_S[self.is_fast]
            self.book.say(ticks.snapshot(self.told_ms))

    # --- orders --------------------------------------------------------------------------------

    def note(self, peer: Peer, payload: object) -> None:
        """Remember where orders come from, and at what price the last one is."""
        action = payload.get("action") if isinstance(payload, dict) else None
        if not isinstance(action, dict):
            return
        orders = action.get("orders") or [one["order"] for one in action.get("modifies", ())]
        if orders:
            self.orders = peer
            self.prices += [float(order["p"]) for order in orders]

    def subscribed(self, peer: Peer, request: dict[str, Any], kind: str) -> None:
        """Acknowledge, and send what comes first."""
        data = {"method": request["method"], "subscription": request["subscription"]}
        peer.say(json.dumps({"channel": "subscriptionResponse", "data": data}))
        self.heard.add(kind)
        self.is_fast |= request["subscription"].get("fast", False)
        if kind in {"l2Book", "bbo"}:
            self.book = peer
        if kind == "l2Book":
            peer.say(ticks.snapshot(self.told_ms))

    def carry(self) -> bytes:
        """Pass on what the simulator says; return its answer to an HTTP request, if it is one."""
        found = b""
        outbox = list(self.sim.outbox)
        self.sim.outbox.clear()
        for output in outbox:
            if isinstance(output, SimAnswer):
                found = output.body
            elif isinstance(output, SimFrame) and output.connection in self.numbers:
                self.numbers[output.connection].say(output.payload)
        return found

    def refused(self) -> int:
        """Return how many orders the simulator did not take: those wrongly signed, say."""
        rows: Any = self.sim.ledger()["requests"]
        asked = [row for row in rows if row["method"] in {"place", "edit"}]
        return sum(row["outcome"] != "accepted" for row in asked)


def main() -> None:
    """Serve one client and print what was measured."""
    words = server.words().parse_args()
    venue = Venue(words.count + words.warm)
    watch = server.open_to_clients(venue)
    interval_ns = words.interval_us * 1000
    result = venue.run(watch, count=words.count, warm=words.warm, interval_ns=interval_ns)
    result["wrong"] += venue.refused()
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
