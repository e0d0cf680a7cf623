"""Look-ups under way: one of each kind and account, and never faster than doubling intervals.

A read costs budget that trading shares, and a queue of equal questions answers none of them
sooner. So whoever wants to know says since when an answer would be useful, and is told whether to
ask now.
"""

from collections.abc import Iterable

from msgspec import Struct

from crosswire.domain import AnyEvent, BalancesRead, FillsRead, OrdersRead, ReadFailed

SECOND_NS = 1_000_000_000
LEAST_WAIT_NS = SECOND_NS
MOST_WAIT_NS = 16 * SECOND_NS
LOST_NS = 60 * SECOND_NS  # an answer that has not come by then does not


class _Asked(Struct):
    """When a question was asked last, and how long to wait before it is asked again."""

    at_ns: int = 0
    wait_ns: int = LEAST_WAIT_NS
    is_out: bool = False
    answered_ns: int = 0  # when the last question was asked that got an answer
    empties: int = 0  # answers since the last failure that showed nothing


class Asking:
    """What was asked of each account, and when."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], _Asked] = {}

    def is_due(self, account: str, what: str, moments: Iterable[int], now_ns: int) -> bool:
        """Whether to ask now: for a new reason at once, for an old one after a while.

        `moments`: from when on an answer to each reason is useful.
        """
        ripe = max((at_ns for at_ns in moments if at_ns <= now_ns), default=0)
        if not ripe:
            return False
        asked = self._of(account, what)
        ago_ns = now_ns - asked.at_ns
        if asked.is_out and ago_ns < LOST_NS:
            return False
        is_new = ripe > asked.at_ns and ago_ns >= LEAST_WAIT_NS // 2
        if not is_new and ago_ns < asked.wait_ns:
            return False
        asked.wait_ns = LEAST_WAIT_NS if is_new else min(asked.wait_ns * 2, MOST_WAIT_NS)
        asked.at_ns, asked.is_out = now_ns, True
        return True

    def answered_ns(self, account: str, what: str) -> int:
        """Return when the last question was asked that was answered, 0 if none ever was."""
        return self._of(account, what).answered_ns

    def empties(self, account: str, what: str) -> int:
        """Return how many answers showed nothing: they may be true, blind, or look too near."""
        return self._of(account, what).empties

    def heard(self, event: AnyEvent) -> None:
        """An answer came, or the news that none will."""
        if isinstance(event, ReadFailed):
            asked = self._of(event.account, event.what)
            asked.is_out, asked.empties = False, 0
        elif isinstance(event, OrdersRead):
            if event.source == "snapshot":
                self._answer(event.account, "snapshot")
            else:
                self._answer(event.account, f"{event.scope}_orders")
                if event.is_complete and not event.orders:
                    self._of(event.account, f"{event.scope}_orders").empties += 1
        elif isinstance(event, FillsRead):
            self._answer(event.account, "fills")
        elif isinstance(event, BalancesRead) and event.source == "lookup":
            self._answer(event.account, "balances")

    def _answer(self, account: str, what: str) -> None:
        asked = self._of(account, what)
        asked.is_out, asked.answered_ns = False, asked.at_ns

    def _of(self, account: str, what: str) -> _Asked:
        found = self._asked.get((account, what))
        if found is None:
            found = self._asked[(account, what)] = _Asked()
        return found
