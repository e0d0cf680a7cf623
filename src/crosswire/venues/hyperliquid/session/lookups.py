"""Look-ups by REST: whole or failed, never half; within the weight that an IP has."""

from crosswire.domain import AnyEvent, LookUp
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.session.block_clock import BlockClock
from crosswire.venues.hyperliquid.session.catalogue import Catalogue
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import HttpRequest, Output


class LookUps:
    """All look-ups of one login."""

    def __init__(
        self,
        account: str,
        address: str,
        listings: Listings,
        outbox: list[Output],
        numbers: Numbers,
        weights: Weights,
        clock: BlockClock,
        catalogue: Catalogue,
    ) -> None:
        """`address` is the account's own (or the vault's), never an API wallet's."""
        self.counts = {"lookups": 0, "lookups_failed": 0}

    def ask(self, command: LookUp, now_ns: int) -> list[AnyEvent]:
        """Begin a look-up, at once or when there is weight for it."""
        return []

    def owns(self, key: int) -> bool:
        """Whether an HTTP request is part of a look-up."""
        return False

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read one page; ask for the next, or conclude."""
        return []

    def failed(self, request: HttpRequest, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: a failed look-up is not an empty one."""
        return []

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask what waited for weight; give up what is overdue."""
        return []
