"""What is traded: asked for at the start, when a coin turns up that no meta named, and hourly."""

from collections.abc import Sequence

from crosswire.domain import AnyEvent
from crosswire.venues.hyperliquid.listings import VENUE, Listings
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import HttpRequest, Output


class Catalogue:
    """The venue's lists as one session needs them."""

    def __init__(
        self,
        listings: Listings,
        outbox: list[Output],
        numbers: Numbers,
        weights: Weights,
        wanted: Sequence[str],
        *,
        session: str = VENUE,
        address: str = "",
    ) -> None:
        """`session` names its warnings; `address` is whose fees apply, "" = a newcomer's."""
        self.is_ready = False
        self.dexs: tuple[str, ...] = ("",)

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Ask for everything."""
        return []

    def owns(self, key: int) -> bool:
        """Whether an HTTP request is one of its questions."""
        return False

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read one answer; returns what is listed by it."""
        return []

    def failed(self, request: HttpRequest, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: it is asked again, later and later."""
        return []

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask what is due."""
        return []
