"""What the tests of Hyperliquid's sessions share: commands, and both ends joined in memory."""

from collections.abc import Mapping
from typing import Any

from crosswire.domain import Cancel, Place
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import VENUE
from crosswire.venues.hyperliquid.session.trading import Trading
from crosswire.venues.hyperliquid.simulator import HyperliquidSimulator
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

    def orders(self) -> list[str]:
        """Return our ids of all orders that the venue ever took, by its own ledger."""
        orders = self.sim.ledger()["orders"]
        assert isinstance(orders, list)
        return [each["client_order_id"] for each in orders if each["account"] == ACCOUNT]


def joined(
    faults: Mapping[str, float] | None = None, *, changes: Mapping[str, Any] | None = None
) -> World:
    """Return both sessions joined to a simulator without order flow, all started."""
    simulator = VENUE.simulator(1, NOW, LOGIN, FUNDS, faults, flow="off", account=ACCOUNT)
    feed = VENUE.feed(FeedSettings(HOSTS, ("BTC-PERP", "PURR/USDC")))
    world = World(simulator, [feed, VENUE.session(settings(**(changes or {})), 1)])
    world.start()
    world.pass_time(1)
    return world
