"""Fills become positions, fees, profit and loss, exact and per account.

A position is what our fills add up to at one instrument, whatever was held before. The cost is
kept as the exact product of price and quantity (scale 10^-20), so nothing is lost by averaging.
"""

from collections.abc import Collection, Iterator

from msgspec import Struct, field

from crosswire.domain import BalancesRead, CashMoved, Filled, PositionsRead
from crosswire.fixed import SCALE

DUST = 2 * SCALE // 1_000_000  # a venue may cut its numbers; what that comes to corrects nothing


class Position(Struct):
    """One account's position at one instrument."""

    quantity: int = 0  # negative = short
    cost: int = 0  # of the open quantity, signed like it, scale 10^-20
    realised: int = 0  # profit in the quote asset, before fees
    fees: dict[str, int] = field(default_factory=dict)
    bought: int = 0
    sold: int = 0
    booked_ns: int = 0  # when the last fill was booked
    filled_ns: int = 0  # when the youngest fill happened, on the venue's clock
    is_adopted: bool = False  # taken over from the venue: its profit is not known from fills

    @property
    def average_price(self) -> int | None:
        """The mean entry price of the open quantity, None when flat."""
        return self.cost // self.quantity if self.quantity else None

    def unrealised(self, mark: int) -> int:
        """The profit of the open quantity at a mark price, in the quote asset."""
        return (self.quantity * mark - self.cost) // SCALE

    def add(self, signed: int, price: int) -> None:
        """Book a signed quantity at a price."""
        if signed > 0:
            self.bought += signed
        else:
            self.sold -= signed
        is_reducing = self.quantity and (signed > 0) != (self.quantity > 0)
        if not is_reducing:
            self.quantity += signed
            self.cost += signed * price
            return
        closing = min(abs(signed), abs(self.quantity))
        closing = closing if signed > 0 else -closing
        released = self.cost * -closing // self.quantity
        self.realised += (-closing * price - released) // SCALE
        self.cost -= released
        self.quantity += closing
        if rest := signed - closing:
            self.quantity += rest
            self.cost += rest * price


class Difference(Struct, frozen=True):
    """What we believe to hold of an instrument, and what the venue says."""

    believed: int
    held: int
    entry_price: int


class _Differing(Struct):
    """A dated read that differs: rows it knew of may still come, and explain it."""

    believed: int
    total: int
    told: int = 0


class Positions:
    """All positions and balances, by account; the strategies' own shares beside them."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, str], Position] = {}
        self._shares: dict[tuple[str, str], int] = {}
        self.balances: dict[tuple[str, str], int] = {}
        self._moved_ns: dict[tuple[str, str], int] = {}
        # On the venue's clock: the youngest row that moved a balance, and how new a read is.
        self._row_ns: dict[tuple[str, str], int] = {}
        self._read_ns: dict[tuple[str, str], int] = {}
        # Balances that rows without one have moved since they were read, and when.
        self._adrift: dict[tuple[str, str], int] = {}
        self._differing: dict[tuple[str, str], _Differing] = {}

    def get(self, account: str, instrument: str) -> Position:
        """Return a position; a fresh flat one if nothing was ever filled."""
        found = self._positions.get((account, instrument))
        return found if found is not None else Position()

    def position(self, account: str, instrument: str) -> Position:
        """Return a position to keep hold of; the object stays the same."""
        return self._positions.setdefault((account, instrument), Position())

    def quantity(self, account: str, instrument: str) -> int:
        """Return the signed quantity of a position."""
        found = self._positions.get((account, instrument))
        return found.quantity if found is not None else 0

    def share(self, strategy: str, instrument: str) -> int:
        """Return the signed quantity that one strategy's fills add up to."""
        return self._shares.get((strategy, instrument), 0)

    def items(self) -> Iterator[tuple[str, str, Position]]:
        """Yield (account, instrument, position) of everything that was ever filled."""
        for (account, instrument), position in self._positions.items():
            if position.bought or position.sold:
                yield account, instrument, position

    def book(self, fill: Filled, strategy: str) -> Position:
        """Book a fill. The caller sees to it that each is booked once."""
        return self._book(fill, strategy, 1)

    def own(self, fill: Filled, strategy: str) -> None:
        """A fill booked to the account alone turned out to be a strategy's."""
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        key = (strategy, fill.instrument)
        self._shares[key] = self._shares.get(key, 0) + signed

    def unbook(self, fill: Filled, strategy: str) -> Position:
        """Take back a fill that the venue reversed: the opposite trade at the same price."""
        return self._book(fill, strategy, -1)

    def _book(self, fill: Filled, strategy: str, factor: int) -> Position:
        signed = factor * (fill.quantity if fill.side == "buy" else -fill.quantity)
        position = self.position(fill.account, fill.instrument)
        position.add(signed, fill.price)
        position.booked_ns = fill.recv_ns
        position.filled_ns = max(position.filled_ns, fill.venue_ns)
        if fill.fee:
            paid = position.fees.get(fill.fee_asset, 0)
            position.fees[fill.fee_asset] = paid + factor * fill.fee
        if strategy:
            key = (strategy, fill.instrument)
            self._shares[key] = self._shares.get(key, 0) + signed
        return position

    def read(self, event: BalancesRead, lag_ns: int = 0) -> dict[str, tuple[int, int]]:
        """Take over the venue's totals; a complete read drops assets it does not show.

        A read speaks only about assets that have not moved since: since its own date, or where it
        names none since it began, less the lag of look-ups. Returns what it put right: asset ->
        (believed, read). A dated read may be quicker than the rows that explain it, so what it puts
        right is told with the next one.
        """
        listed = dict(event.balances)
        shown = listed
        since_ns = (event.started_ns or event.recv_ns) - lag_ns
        if event.is_complete:
            gone = [key[1] for key in self.balances if key[0] == event.account]
            shown = {**dict.fromkeys(gone, 0), **listed}
        wrong: dict[str, tuple[int, int]] = {}
        for asset, total in shown.items():
            key = (event.account, asset)
            if self._is_older(key, event.venue_ns, since_ns):
                continue
            self._adrift.pop(key, None)
            self._read_ns[key] = max(self._read_ns.get(key, 0), event.venue_ns)
            believed = self.balances.get(key)
            if event.venue_ns:
                self._told_late(key, wrong)
            if believed is not None and abs(believed - total) > DUST:
                if event.venue_ns:
                    self._differing[key] = _Differing(believed, total)
                else:
                    wrong[asset] = (believed, total)
            if total or asset in listed:
                self.balances[key] = total
            else:
                self.balances.pop(key, None)
        return wrong

    def _told_late(self, key: tuple[str, str], wrong: dict[str, tuple[int, int]]) -> None:
        """Say what the last dated read put right, as far as no row has explained it since."""
        last = self._differing.pop(key, None)
        if last is not None and abs(last.total - last.believed - last.told) > DUST:
            wrong[key[1]] = (last.believed, last.total)

    def adrift_ns(self, account: str) -> int:
        """Return when a balance last moved that no read has seen since; 0 if there is none."""
        moved = (at_ns for (owner, _), at_ns in self._adrift.items() if owner == account)
        return max(moved, default=0)

    def _is_older(self, key: tuple[str, str], venue_ns: int, since_ns: int) -> bool:
        """Whether a balance has moved since a read."""
        if venue_ns and key in self._row_ns:
            return self._row_ns[key] > venue_ns
        return self._moved_ns.get(key, 0) > since_ns

    def differing(
        self, event: PositionsRead, perps: Collection[str], lag_ns: int = 0
    ) -> dict[str, "Difference"]:
        """Return where the venue holds something else than our fills add up to.

        A read speaks only about what has not moved since, as with balances.
        `perps`: the instruments that a complete read speaks of though it does not name them.
        """
        since_ns = event.started_ns - lag_ns
        shown = {name: (quantity, entry) for name, quantity, entry in event.positions}
        if event.is_complete:
            shown = {**dict.fromkeys(perps, (0, 0)), **shown}
        found: dict[str, Difference] = {}
        for name, (quantity, entry) in shown.items():
            position = self.get(event.account, name)
            is_dated = event.venue_ns and position.filled_ns
            is_older = (
                position.filled_ns > event.venue_ns if is_dated else position.booked_ns > since_ns
            )
            if position.quantity != quantity and not is_older:
                found[name] = Difference(position.quantity, quantity, entry)
        return found

    def adopt(self, account: str, instrument: str, quantity: int, entry_price: int) -> None:
        """Take over what the venue holds, which no fill of ours explains."""
        position = self.position(account, instrument)
        position.quantity, position.cost = quantity, quantity * entry_price
        position.is_adopted = True

    def move(self, event: CashMoved) -> None:
        """Take over the balance that a row of the venue's ledger leaves.

        One that names no balance moves a known one by its amount, unless a read knew of it.
        """
        key = (event.account, event.asset)
        if event.balance is not None:
            self.balances[key] = event.balance
        elif 0 < event.venue_ns <= self._read_ns.get(key, 0):
            if key in self._differing:
                self._differing[key].told += event.amount - event.fee
            return
        elif key in self.balances:
            self.balances[key] += event.amount - event.fee
            self._adrift[key] = event.recv_ns
        self._moved_ns[key] = event.recv_ns
        self._row_ns[key] = max(self._row_ns.get(key, 0), event.venue_ns)
