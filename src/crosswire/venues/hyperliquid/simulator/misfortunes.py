"""What befalls the venue, its accounts and its connections by the clock, drawn once a second."""

from collections.abc import Callable

from crosswire.venues.hyperliquid.simulator.affairs import Affairs
from crosswire.venues.hyperliquid.simulator.desk import Desk
from crosswire.venues.hyperliquid.simulator.faults import MONEY
from crosswire.venues.hyperliquid.simulator.gate import Gate
from crosswire.venues.hyperliquid.simulator.hub import Hub
from crosswire.venues.hyperliquid.simulator.markets import USDC
from crosswire.venues.hyperliquid.simulator.text import SECOND

RESTARTED = 1001


class Misfortunes:
    """Strikes once a second."""

    def __init__(
        self, hub: Hub, gate: Gate, desk: Desk, affairs: Affairs, lose: Callable[[int], None]
    ) -> None:
        """`lose` forgets what is under way."""
        self._hub = hub
        self._gate = gate
        self._desk = desk
        self._affairs = affairs
        self._lose = lose
        self._down_until_ns = 0

    def is_down(self, now_ns: int) -> bool:
        """Whether nothing passes: it restarts."""
        return now_ns < self._down_until_ns

    def strike(self, now_ns: int) -> None:
        """A second has passed: draw what goes wrong."""
        exchange = self._hub.exchange
        chance, faults = exchange.chance, exchange.faults
        for held in list(self._hub.connections.values()):
            if chance.strikes("half_open"):
                held.is_half_open = True
            if chance.strikes("cut"):
                self._hub.cut(held, now_ns)
        if chance.strikes("stale_book"):
            self._hub.stale_until_ns = now_ns + int(faults.stale_s * SECOND)
        if chance.strikes("post_only"):
            self._desk.post_only_until_ns = now_ns + int(faults.post_only_s * SECOND)
        self._strike_accounts(now_ns)
        if chance.strikes("restart"):
            self.restart(now_ns)

    def _strike_accounts(self, now_ns: int) -> None:
        exchange = self._hub.exchange
        chance, faults = exchange.chance, exchange.faults
        for agent in self._gate.agents.values():
            if chance.strikes("agent_expired"):
                agent.refused_until_ns = now_ns + int(faults.agent_s * SECOND)
        for account in exchange.accounts.values():
            if chance.strikes("budget_exhausted"):
                account.exhausted_until_ns = now_ns + int(faults.budget_s * SECOND)
                account.last_grace_ns = now_ns
            for kind, amount in MONEY.items():
                if chance.strikes(kind):
                    self._affairs.pay(account, USDC, amount, now_ns)

    def restart(self, now_ns: int) -> None:
        """All connections go, and what was under way; orders and money stay."""
        self._down_until_ns = now_ns + int(self._hub.exchange.faults.restart_s * SECOND)
        for held in list(self._hub.connections.values()):
            self._hub.drop(held, RESTARTED)
        self._lose(now_ns)
