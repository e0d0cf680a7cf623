"""What an engine is told at its start."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from crosswire.risk import AccountRules, BreakerRules, Limits


class Account(Struct, frozen=True):
    """One login: its venue's ways, and its limits."""

    venue: str
    limits: Limits = Limits()
    amends_in_place: bool = True
    replaces: bool = False  # one request cancels an order and opens another in its place
    has_snapshot: bool = True  # the stream tells of all open orders when asked
    has_cancel_all: bool = True  # one request cancels everything, whatever we know of it
    max_place_batch: int = 1
    max_cancel_batch: int = 1
    bound_ns: int = 5_000_000_000  # after it the venue refuses an order request by itself
    dead_man_ns: int = 0  # 0 = the venue has none, or the user does not want it
    read_lag_ns: int = 0  # how far the venue's look-ups may trail its stream
    resends: bool = False  # it takes identical bytes once, and `verify` has shown that here
    orders_every_ns: int = 30_000_000_000  # how often open orders are read
    balances_every_ns: int = 60_000_000_000  # how often balances and fills are
    blind_every_ns: int = 20_000_000_000  # the same for orders and fills without a private stream
    adopts_external: bool = False  # strangers' open orders are managed, not only shown
    breakers: BreakerRules = BreakerRules()  # by which transports it places
    max_inflight: int = 100  # requests without an answer

    def rules(self) -> AccountRules:
        """Return what the gate must know of it."""
        return AccountRules(
            self.venue,
            self.limits,
            needs_dead_man=self.dead_man_ns > 0,
            bound_ns=self.bound_ns,
            breakers=replace(self.breakers, has_snapshot=self.has_snapshot),
            max_inflight=self.max_inflight,
        )


class Settings(Struct, frozen=True):
    """One run of one bot."""

    bot: str
    run: int
    accounts: Mapping[str, Account]
    tags_quantities: bool = False
    terminal_grace_ns: int = 300_000_000_000
