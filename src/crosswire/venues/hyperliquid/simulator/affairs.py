"""Actions that trade nothing: leverage, the dead-man switch, transfers, approvals.

What is guessed: the texts for a dead-man time that is too near, for money that is not there, and
for a destination that is none.
"""

from typing import TypeGuard

from msgspec import UNSET

from crosswire.fixed import SCALE, text
from crosswire.venues.hyperliquid.simulator import rows
from crosswire.venues.hyperliquid.simulator.accounts import Account, Leverage
from crosswire.venues.hyperliquid.simulator.actions import (
    ApproveAgent,
    ApproveBuilderFee,
    L1Action,
    Noop,
    ReserveRequestWeight,
    ScheduleCancel,
    SendAsset,
    SpotSend,
    UpdateIsolatedMargin,
    UpdateLeverage,
    UsdClassTransfer,
    UsdSend,
    UserAction,
    UserSigned,
    Withdraw,
)
from crosswire.venues.hyperliquid.simulator.booking import MONEY_STEP
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.gate import DAY_MS, Gate
from crosswire.venues.hyperliquid.simulator.lists import FUNDING
from crosswire.venues.hyperliquid.simulator.margin import open_margin, summary
from crosswire.venues.hyperliquid.simulator.markets import USDC, wallet
from crosswire.venues.hyperliquid.simulator.text import MS, SECOND, address, ms, scaled, shown

GATE_VOLUME = 1_000_000 * SCALE
FIRES_A_DAY = 10
LEAST_AHEAD_NS = 5 * SECOND
PRICE_OF_WEIGHT = SCALE // 2000  # dollars for one more request
MICRO = SCALE // 1_000_000
Affair = (
    ScheduleCancel
    | UpdateLeverage
    | UpdateIsolatedMargin
    | Noop
    | ReserveRequestWeight
    | UsdSend
    | SpotSend
    | Withdraw
    | UsdClassTransfer
    | SendAsset
    | ApproveAgent
    | ApproveBuilderFee
)


def is_affair(action: L1Action | UserAction) -> TypeGuard[Affair]:
    return isinstance(action, Affair)


class Affairs:
    """Carries them out; each returns why not, or ""."""

    def __init__(self, exchange: Exchange, gate: Gate) -> None:
        self._exchange = exchange
        self._gate = gate

    def run(self, account: Account, action: Affair, now_ns: int) -> str:
        """Carry out an action; return why it is refused, or ""."""
        if isinstance(action, ScheduleCancel):
            return self._schedule(account, action, now_ns)
        if isinstance(action, UpdateLeverage):
            return self._leverage(account, action)
        if isinstance(action, UpdateIsolatedMargin):
            return self._isolate(account, action)
        if isinstance(action, ReserveRequestWeight):
            return self._reserve(account, action, now_ns)
        if isinstance(action, ApproveAgent):
            return self._gate.approve(account, action, now_ns)
        if isinstance(action, ApproveBuilderFee):
            return self._approve_builder(account, action)
        if isinstance(action, UserSigned):
            return self._transfer(account, action, now_ns)
        return ""

    # --- the dead-man switch -------------------------------------------------------------------

    def _schedule(self, account: Account, action: ScheduleCancel, now_ns: int) -> str:
        if self._exchange.faults.schedule_spares_vaults_is and account.master:
            account = self._exchange.addresses[account.master]
        if action.time is UNSET:
            account.schedule_ns = 0
            return ""
        if self._exchange.faults.schedule_gate_is and account.volume < GATE_VOLUME:
            traded = text(account.volume - account.volume % (SCALE // 100), 2)
            return (
                "Cannot set scheduled cancel time until enough volume traded. "
                f"Required: $1000000. Traded: ${traded}."
            )
        at_ns = action.time * MS
        if at_ns < now_ns + LEAST_AHEAD_NS:
            return "Scheduled cancel time must be at least 5 seconds in the future."
        if self._fires_left(account, now_ns) <= 0:
            return "Too many scheduled cancels today."
        account.schedule_ns = at_ns
        return ""

    def _fires_left(self, account: Account, now_ns: int) -> int:
        day = ms(now_ns) // DAY_MS
        if day != account.schedule_day:
            account.schedule_day, account.schedules_fired = day, 0
        return FIRES_A_DAY - account.schedules_fired

    def fire(self, account: Account, now_ns: int) -> None:
        """The time has come: everything open is cancelled."""
        account.schedule_ns = 0
        self._fires_left(account, now_ns)
        account.schedules_fired += 1
        for record in list(account.open.values()):
            if record.is_open:
                self._exchange.cancel(record, "scheduledCancel", now_ns)

    # --- leverage ------------------------------------------------------------------------------

    def _leverage(self, account: Account, action: UpdateLeverage) -> str:
        market = self._exchange.markets.get(action.asset)
        most = market.max_leverage if market and not market.is_spot else 0
        is_fitting = market is not None and (not action.is_cross or not market.is_isolated)
        if market is None or not is_fitting or not 1 <= action.leverage <= most:
            return "Invalid leverage value"
        held = account.leverage(market)
        if account.size(market.coin) and held.is_cross != action.is_cross:
            return "Cannot switch leverage type with open position."
        account.leverages[market.coin] = Leverage(action.leverage, is_cross=action.is_cross)
        return ""

    def _isolate(self, account: Account, action: UpdateIsolatedMargin) -> str:
        market = self._exchange.markets.get(action.asset)
        if market is None or account.leverage(market).is_cross or not account.size(market.coin):
            return "Cannot update isolated margin: no isolated position."
        amount = action.ntli * MICRO
        if not -account.isolated.get(market.coin, 0) <= amount <= self._free(account):
            return "Insufficient margin."
        account.isolated[market.coin] = account.isolated.get(market.coin, 0) + amount
        return ""

    def _reserve(self, account: Account, action: ReserveRequestWeight, now_ns: int) -> str:
        cost = action.weight * PRICE_OF_WEIGHT
        if cost > self._free(account):
            return "Insufficient balance."
        self._exchange.next_hash()
        delta: rows.Row = {"type": "reserveRequestWeight", "usdc": shown(cost)}
        self._move(account, USDC, -cost, delta, now_ns)
        account.requests_bought += action.weight
        return ""

    # --- money ---------------------------------------------------------------------------------

    def _free(self, account: Account) -> int:
        return summary(self._exchange, account).value - open_margin(self._exchange, account)

    def _approve_builder(self, account: Account, action: ApproveBuilderFee) -> str:
        try:
            rate = scaled(action.max_fee_rate.removesuffix("%"))
            builder = address(action.builder)
        except ValueError:
            return "Invalid builder fee."
        account.builders[builder] = rate * 1000 // SCALE  # tenths of a basis point
        return ""

    def _transfer(self, account: Account, action: UserSigned, now_ns: int) -> str:
        try:
            source, target, amount, receiver = self._route(account, action)
        except ValueError:
            return "Invalid transfer."
        there = self._exchange.ledger.balance(account.name, source)
        free = min(there, self._free(account)) if source == USDC else there
        if not 0 < amount <= free:
            return "Insufficient balance for withdrawal."
        self._pay_over(account, receiver, (source, target), amount, action, now_ns)
        return ""

    def _pay_over(
        self,
        account: Account,
        receiver: Account | None,
        wallets: tuple[str, str],
        amount: int,
        action: UserSigned,
        now_ns: int,
    ) -> None:
        """Move money from one wallet to another; both owners have a row of it."""
        exchange = self._exchange
        exchange.next_hash()
        delta: rows.Row = {"type": _kind(action), "usdc": shown(amount)}
        if isinstance(action, UsdClassTransfer):
            delta["toPerp"] = action.to_perp
        elif isinstance(action, UsdSend | SpotSend | SendAsset):
            delta |= {"user": account.address, "destination": action.destination.lower()}
        if isinstance(action, SpotSend):
            delta |= {"token": wallets[0].removeprefix("spot:"), "amount": shown(amount)}
        self._move(account, wallets[0], -amount, delta, now_ns)
        if receiver is not None:
            self._move(receiver, wallets[1], amount, delta, now_ns)

    def _route(self, account: Account, action: UserSigned) -> tuple[str, str, int, Account | None]:
        """Return (from wallet, to wallet, amount, receiver); `ValueError` if there is no way."""
        if isinstance(action, UsdClassTransfer):
            amount = scaled(action.amount.partition(" ")[0])
            spot = wallet(USDC)
            return (
                (spot, USDC, amount, account) if action.to_perp else (USDC, spot, amount, account)
            )
        assert isinstance(action, UsdSend | SpotSend | Withdraw | SendAsset)
        receiver = self._exchange.addresses.get(address(action.destination))
        amount = scaled(action.amount)
        if isinstance(action, SendAsset):
            token = action.token.partition(":")[0]
            ways = [wallet(token) if dex == "spot" else USDC for dex in _dexs(action)]
            return ways[0], ways[1], amount, receiver
        if isinstance(action, SpotSend):
            token = wallet(action.token.partition(":")[0])
            return token, token, amount, receiver
        return USDC, USDC, amount, None if isinstance(action, Withdraw) else receiver

    def pay(self, account: Account, asset: str, amount: int, now_ns: int) -> None:
        """Money comes from outside, or goes there."""
        self._exchange.next_hash()
        delta: rows.Row = {
            "type": "deposit" if amount >= 0 else "withdraw",
            "usdc": shown(abs(amount)),
        }
        self._move(account, asset, amount, delta, now_ns)

    def _move(
        self, account: Account, asset: str, amount: int, delta: rows.Row, now_ns: int
    ) -> None:
        """Change a balance by other ways than trading, and tell."""
        exchange, kind = self._exchange, str(delta["type"])
        key = f"{kind}:{exchange.hash}:{ms(now_ns)}"
        row: rows.Row = {"time": ms(now_ns), "hash": exchange.hash, "delta": delta}
        if kind == "funding":
            key = f"funding:{delta['coin']}:{ms(now_ns)}"
            exchange.events.append((account.name, {"funding": _payment(delta, now_ns)}))
        exchange.ledger.move_cash(
            account.name,
            asset,
            now_ns,
            ledger_id=key if asset == USDC else f"{key}:{asset}",
            ref=exchange.hash,
            kind=kind,
            amount=amount,
        )
        if not account.payments or account.payments[-1] != row:  # both wallets may be its own
            account.payments.append(row)
            exchange.paid.append((account.name, row))

    def pay_funding(self, now_ns: int) -> None:
        """An hour is over: longs pay shorts the rate on their value at the oracle's price."""
        rate = FUNDING
        for account in self._exchange.accounts.values():
            for coin, position in list(account.positions.items()):
                market = self._exchange.coins[coin]
                worth = self._exchange.mark(market) * position.size // SCALE
                amount = -(worth * rate // SCALE)
                amount -= amount % MONEY_STEP
                position.funding -= amount
                self._exchange.next_hash()
                delta: rows.Row = {
                    "type": "funding",
                    "coin": coin,
                    "usdc": shown(amount),
                    "szi": shown(position.size),
                    "fundingRate": shown(rate),
                    "nSamples": None,
                }
                self._move(account, USDC, amount, delta, now_ns)


def _payment(delta: rows.Row, now_ns: int) -> rows.Row:
    """Funding as userEvents and userFundings show it."""
    row: rows.Row = {"time": ms(now_ns)}
    return row | {key: held for key, held in delta.items() if key != "type"}


def _dexs(action: SendAsset) -> tuple[str, str]:
    return action.source_dex, action.destination_dex


def _kind(action: UserSigned) -> str:
    """Return the ledger's word."""
    if isinstance(action, Withdraw):
        return "withdraw"
    if isinstance(action, UsdClassTransfer):
        return "accountClassTransfer"
    return "spotTransfer" if isinstance(action, SpotSend) else "internalTransfer"
