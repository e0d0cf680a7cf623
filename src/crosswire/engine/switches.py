"""The switches that keep an account from placing: kill, halts, the venue's mode, the dead-man."""

from collections.abc import Iterable

from crosswire.domain import (
    DeadManArmed,
    Halted,
    Kill,
    OrdersRead,
    Resume,
    Resumed,
    VenueStatusChanged,
)
from crosswire.doubt import NEW_RUN
from crosswire.risk import Risk

UNREADABLE = "unreadable private frame"


class Switches:
    """Turns what is said about placing into the gate's state."""

    def __init__(self, risk: Risk, accounts: Iterable[str]) -> None:
        self._risk = risk
        self._accounts = tuple(accounts)

    def kill(self, command: Kill) -> None:
        """Throw the kill switch."""
        self._risk.killed[command.account] = command.reason

    def resume(self, command: Resume) -> None:
        """An operator lifts the kill switch and every halt of an account, or of all."""
        account, risk = command.account, self._risk
        for name in list(risk.halted) if not account else [account]:
            risk.halted.pop(name, None)
            risk.losses.forgive(name)
        if account:
            risk.killed.pop(account, None)
        else:
            risk.killed.clear()

    def halted(self, event: Halted) -> None:
        """Placing stops for a reason."""
        self._risk.halted.setdefault(event.account, {})[event.reason] = event.exit

    def resumed(self, event: Resumed) -> None:
        """One reason is gone."""
        self._risk.halted.get(event.account, {}).pop(event.reason, None)

    def new_run(self) -> None:
        """What an earlier process sent may still take effect: nothing is placed until it can't."""
        self._risk.armed_ns.clear()
        exit_ = "the bounds of the last run's requests, and a whole read of open orders"
        for name in self._accounts:
            self._risk.halted.setdefault(name, {})[NEW_RUN] = exit_

    def is_readable_again(self, event: OrdersRead) -> bool:
        """Whether a read ends the halt that an unreadable frame brought."""
        is_clean = event.is_complete and event.scope == "open"
        return is_clean and UNREADABLE in self._risk.halted.get(event.account, {})

    def venue_status(self, event: VenueStatusChanged) -> None:
        """The venue takes other orders than before."""
        self._risk.venue_status[event.venue] = event.status

    def armed(self, event: DeadManArmed) -> None:
        """The dead-man switch stands until a moment, or not at all."""
        self._risk.armed_ns[event.account] = event.fires_ns
