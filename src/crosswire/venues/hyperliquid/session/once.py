"""What is to be told once: fills come by two channels, and again with every connection."""

from collections.abc import Iterable

from crosswire.domain import AnyEvent, CashMoved, Filled

KEPT = 20_000


class Once:
    """The keys of fills and the ids of ledger rows that were told."""

    def __init__(self) -> None:
        self._fills: dict[str, None] = {}
        self._rows: dict[str, None] = {}

    def fresh(self, events: Iterable[AnyEvent]) -> list[AnyEvent]:
        """Return the events without what was told before, in order."""
        found: list[AnyEvent] = []
        new: set[str] = set()
        for event in events:
            if isinstance(event, Filled):
                if not _add(self._fills, event.fill_key):
                    continue
                new.add(event.fill_key)
            elif isinstance(event, CashMoved):
                if event.kind == "trade" and event.ref not in new:
                    continue
                if not _add(self._rows, event.ledger_id):
                    continue
            found.append(event)
        return found

    def saw(self, events: Iterable[AnyEvent]) -> None:
        """Note fills that a look-up showed: the balances read with it know of them."""
        for event in events:
            if isinstance(event, Filled):
                _add(self._fills, event.fill_key)


def _add(known: dict[str, None], key: str) -> bool:
    """Note a key; return whether it is new."""
    if key in known:
        return False
    known[key] = None
    if len(known) > KEPT:
        del known[next(iter(known))]
    return True
