"""When a start is over: logged in, dead-man switches armed, and every instrument listed."""

import asyncio
from collections.abc import Iterable

from crosswire.app.errors import NotConnectedError, UserError
from crosswire.domain import (
    AnyEvent,
    Approved,
    DeadManArmed,
    InstrumentListed,
    LoggedIn,
    VenueWarned,
)
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
        while self._unknown or self._unarmed or self._unlisted:
            if self._mistake:
                raise UserError(self._mistake)
            if self._unknown & self._warnings.keys():
                until = min(until, loop.time() + GRACE_S)
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), until - loop.time())
            except TimeoutError:
                raise NotConnectedError(self._complaint(timeout_s)) from None

    def _complaint(self, timeout_s: float) -> str:
        for name in sorted(self._unknown):
            reason = self._warnings.get(name) or f"the venue did not answer within {timeout_s:g} s"
            return f"no login on account {name}: {reason}"
        if self._unarmed:
            return f"the dead-man switch of account {min(self._unarmed)} was not armed"
        return f"{min(self._unlisted)} was not listed within {timeout_s:g} s"
