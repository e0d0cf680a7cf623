"""When a start is over: logged in, switches armed, instruments listed, open orders read.

After a run that ended in order the read is all that a new run waits for; after a crash it also
waits for the bounds of what was under way, and that is told as a halt instead.
"""

import asyncio
from collections.abc import Iterable

from crosswire.app.errors import NotConnectedError, UserError
from crosswire.domain import (
    AnyEvent,
    Approved,
    DeadManArmed,
    InstrumentListed,
    LoggedIn,
    OrdersRead,
    Resumed,
    VenueWarned,
)
from crosswire.doubt import NEW_RUN
from crosswire.engine import Engine

GRACE_S = 3.0  # after the venue has said what is wrong, how long it may still come right


class Readiness:
    """Hears what the runner does, and knows what is still missing."""

    def __init__(self, engine: Engine, instruments: Iterable[str]) -> None:
        """`instruments` by id: those that strategies quote."""
        accounts = engine.settings.accounts
        self._unknown = set(accounts)
        self._unarmed = {name for name, account in accounts.items() if account.dead_man_ns}
        self._unlisted = set(instruments) - engine.instruments.keys()
        self._halted = engine.risk.halted
        self._unread = set(accounts) if engine.orders.was_clean else set()
        self._warnings: dict[str, str] = {}
        self._mistake = ""
        self._changed = asyncio.Event()

    def hear(self, record: AnyEvent | Approved) -> None:
        """Take note of a login, an armed switch, or what the venue has against us."""
        if isinstance(record, LoggedIn):
            self._unknown.discard(record.session)
        elif isinstance(record, DeadManArmed):
            self._unarmed.discard(record.account)
        elif isinstance(record, InstrumentListed):
            self._unlisted.discard(record.instrument.id)
        elif isinstance(record, OrdersRead | Resumed):
            pass
        elif isinstance(record, VenueWarned):
            self._warnings[record.session] = record.text
            for name in self._unlisted:
                venue, _, bare = name.partition(":")
                if venue == record.session and f'"{bare}"' in record.text:
                    self._mistake = record.text
        else:
            return
        self._changed.set()

    async def wait(self, timeout_s: float) -> None:
        """Return once nothing is missing; `NotConnectedError` says what is, and why.

        `UserError` for an instrument that the venue does not have.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while self._unknown or self._unarmed or self._unlisted or self._waiting():
            if self._mistake:
                raise UserError(self._mistake)
            if self._unknown & self._warnings.keys():
                until = min(until, loop.time() + GRACE_S)
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), until - loop.time())
            except TimeoutError:
                raise NotConnectedError(self._complaint(timeout_s)) from None

    def _waiting(self) -> list[str]:
        """The accounts whose open orders have yet to be read."""
        return sorted(name for name in self._unread if NEW_RUN in self._halted.get(name, ()))

    def _complaint(self, timeout_s: float) -> str:
        for name in sorted(self._unknown):
            reason = self._warnings.get(name) or f"the venue did not answer within {timeout_s:g} s"
            return f"no login on account {name}: {reason}"
        if self._unarmed:
            return f"the dead-man switch of account {min(self._unarmed)} was not armed"
        if waiting := self._waiting():
            return f"the open orders of account {waiting[0]} could not be read"
        return f"{min(self._unlisted)} was not listed within {timeout_s:g} s"
