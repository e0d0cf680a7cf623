"""The loss breaker: realised loss of the day, and drawdown from the best equity so far.

Amounts are in the quote asset, kept apart for each quote asset an account trades in. A fee paid
in the base asset counts at the last mid.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from crosswire.domain import Instrument
from crosswire.fixed import SCALE, text
from crosswire.positions import Position, Positions

DAY_NS = 86_400 * 10**9


class Result(NamedTuple):
    """Profit so far: closed with fees taken off, and with open positions at their marks."""

    realised: int
    equity: int


class Losses:
    """Watches what accounts have lost."""

    def __init__(
        self,
        positions: Positions,
        instruments: Mapping[str, Instrument],
        mark: Callable[[str], int],
    ) -> None:
        self._positions = positions
        self._instruments = instruments
        self._mark = mark
        self._days: dict[tuple[str, str], tuple[int, int]] = {}  # day, realised at its start
        self._peaks: dict[tuple[str, str], int] = {}

    def results(self, account: str) -> dict[str, Result]:
        """Return the results of an account by quote asset."""
        found: dict[str, Result] = {}
        for owner, name, position in self._positions.items():
            instrument = self._instruments.get(name)
            if owner != account or instrument is None:
                continue
            realised = position.realised - self._fees(position, instrument)
            mark = self._mark(name)
            unrealised = position.unrealised(mark) if mark else 0
            before = found.get(instrument.quote, Result(0, 0))
            found[instrument.quote] = Result(
                before.realised + realised, before.equity + realised + unrealised
            )
        return found

    def _fees(self, position: Position, instrument: Instrument) -> int:
        paid = position.fees.get(instrument.quote, 0)
        in_base = position.fees.get(instrument.base, 0)
        return paid + in_base * self._mark(instrument.id) // SCALE

    def breach(
        self, account: str, now_ns: int, *, max_daily_loss: int, max_drawdown: int
    ) -> str | None:
        """Return what limit is broken, with both numbers, or None. 0 = no limit."""
        for quote, result in self.results(account).items():
            key = (account, quote)
            day, start = self._days.get(key, (-1, 0))
            if day != now_ns // DAY_NS:
                start = result.realised if day >= 0 else 0
                self._days[key] = (now_ns // DAY_NS, start)
            peak = self._peaks[key] = max(self._peaks.get(key, 0), result.equity)
            lost = start - result.realised
            if max_daily_loss and lost >= max_daily_loss:
                return f"daily loss {text(lost)} {quote}, limit {text(max_daily_loss)}"
            fall = peak - result.equity
            if max_drawdown and fall >= max_drawdown:
                return f"drawdown {text(fall)} {quote}, limit {text(max_drawdown)}"
        return None

    def forgive(self, account: str) -> None:
        """Start counting anew, after a cooldown or an operator's reset."""
        for quote, result in self.results(account).items():
            key = (account, quote)
            self._peaks[key] = result.equity
            day, _ = self._days.get(key, (-1, 0))
            self._days[key] = (day, result.realised)
