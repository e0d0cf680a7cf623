"""What the tests of Hyperliquid's sessions share: commands, and both ends joined in memory."""

import json
from collections.abc import Mapping
from typing import Any, cast

from crosswire.domain import AnyCommand, AnyEvent, Cancel, Place, Side, Transport
from crosswire.fixed import parse
from crosswire.sim.switches import from_mapping
from crosswire.venues.hyperliquid import VENUE
from crosswire.venues.hyperliquid.session.trading import Trading
from crosswire.venues.hyperliquid.simulator import Faults, HyperliquidSimulator, SimAccount
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret
from crosswire.venues.interface import FeedSettings, SessionSettings
from tests.kraken_dialogue import NOW, SECOND, Joined, of, only, own_id

__all__ = ["NOW", "SECOND", "Joined", "of", "only", "own_id"]
ACCOUNT = "mm1"
BTC, PURR = "hyperliquid:BTC-PERP", "hyperliquid:PURR/USDC"
HOSTS = VENUE.local_hosts("127.0.0.1:1")
LOGIN = VENUE.stage.login(ACCOUNT)
FUNDS = {"USDC": "100000", "spot:USDC": "10000", "PURR": "1000"}


def place(number: int = 1, **changes: Any) -> Place:
    """Return a plain post-only order for BTC, far from the market."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "instrument": BTC,
        "client_order_id": own_id(number),
        "side": "buy",
        "quantity": parse("0.001"),
        "price": parse("60000"),
        "post_only": True,
    }
    return Place(**(fields | changes))


def cancel(number: int = 1, venue_order_id: str = "", instrument: str = BTC) -> Cancel:
    """Return a cancel by our id, or by the venue's."""
    return Cancel(ACCOUNT, own_id(number), venue_order_id, instrument)


def settings(**changes: Any) -> SessionSettings:
    """Return the settings of a login."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "hosts": HOSTS,
        "credentials": LOGIN,
        "instruments": ("BTC-PERP", "PURR/USDC"),
    }
    return SessionSettings(**(fields | changes))


class World(Joined):
    """A feed and a login joined to a simulator."""

    @property
    def session(self) -> Trading:
        """The login."""
        found = self.sessions[ACCOUNT]
        assert isinstance(found, Trading)
        return found

    @property
    def sim(self) -> HyperliquidSimulator:
        """The venue."""
        assert isinstance(self.simulator, HyperliquidSimulator)
        return self.simulator

    def do(
        self, command: AnyCommand, transport: Transport = "ws", seconds: float = 0.3
    ) -> list[AnyEvent]:
        """Send a command and let a block or two pass; returns all of the login's events since."""
        known = len(self.events)
        self.send(command, transport)
        self.pass_time(seconds)
        return self.events[known:]

    def wait(self, seconds: float) -> list[AnyEvent]:
        """Let time pass; returns what happened meanwhile."""
        known = len(self.events)
        self.pass_time(seconds)
        return self.events[known:]

    def hear(self, frame: object) -> list[AnyEvent]:
        """Let a frame arrive at the login."""
        payload = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        return self.session.received("private", payload, self.now_ns)

    def disturb(self, **faults: float) -> None:
        """Switch the venue's faults."""
        self.sim.set_faults(faults)

    def quote(self, bid: str = "64990", ask: str = "65010") -> None:
        """Let somebody else quote one BTC on each side."""
        for side, price in (("buy", bid), ("sell", ask)):
            self.sim.trade_elsewhere(
                "other", "BTC-PERP", cast("Side", side), parse("1"), parse(price), self.now_ns
            )
        self.pass_time(0.3)

    def orders(self) -> list[str]:
        """Return our ids of all orders that the venue ever took, by its own ledger."""
        orders = self.sim.ledger()["orders"]
        assert isinstance(orders, list)
        return [each["client_order_id"] for each in orders if each["account"] == ACCOUNT]


def simulated(faults: Mapping[str, float] | None = None) -> HyperliquidSimulator:
    """Return a venue of two accounts without order flow."""
    signer = address_of_secret(LOGIN.secret)
    return HyperliquidSimulator(
        1,
        start_ns=NOW,
        accounts={
            ACCOUNT: SimAccount(address=LOGIN.key, balances=FUNDS, agents={signer: "bot"}),
            "other": SimAccount(address="0x" + "77" * 20, balances={"USDC": "1000000"}),
        },
        faults=from_mapping(Faults(), faults or {}),
    )


def joined(
    faults: Mapping[str, float] | None = None, *, changes: Mapping[str, Any] | None = None
) -> World:
    """Return both sessions joined to a simulator without order flow, all started."""
    simulator = simulated(faults)
    feed = VENUE.feed(FeedSettings(HOSTS, ("BTC-PERP", "PURR/USDC")))
    world = World(simulator, [feed, VENUE.session(settings(**(changes or {})), 1)])
    world.start()
    world.pass_time(1)
    return world
