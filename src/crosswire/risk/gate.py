"""The gate that every command passes, rule by rule, in the order a loss would come about.

kill switch, halt, venue's mode, dead-man, book; the instrument's own rules; price collar; order
notional, open orders, orders per second; position and total exposure with the reservation; open
positions; the strategy's share. The loss breaker acts by halting the account (`Losses`).

Nothing here ever holds back a cancel, a look-up or the dead-man. An order that can only reduce
a position passes under a wide collar and skips the exposure limits. The collar guards the side
that hurts: a buy far above the mid, a sell far below it; a far passive order is harmless.
"""

from collections import deque
from collections.abc import Mapping

from msgspec import Struct

from crosswire.book import Book
from crosswire.domain import (
    Amend,
    AnyCommand,
    Approved,
    Instrument,
    Place,
    PlaceBatch,
    Refused,
    Side,
)
from crosswire.fixed import SCALE, text
from crosswire.orders import Orders
from crosswire.positions import Positions
from crosswire.risk.exposure import Exposure
from crosswire.risk.losses import Losses

SECOND_NS = 1_000_000_000
BPS = 10_000


class Limits(Struct, frozen=True):
    """The limits of one account. Amounts are in the quote asset, 10^-10; 0 = no limit."""

    max_order_notional: int = 0
    max_position_notional: int = 0
    max_total_notional: int = 0
    max_open_positions: int = 0
    max_open_orders: int = 200
    max_orders_per_second: int = 50
    max_daily_loss: int = 0
    max_drawdown: int = 0
    loss_cooldown_ns: int = 0  # 0 = an operator has to resume
    max_book_age_ns: int = 5 * SECOND_NS
    collar_bps: int = 200
    reduce_collar_bps: int = 1_000
    share_notional: tuple[tuple[str, int], ...] = ()  # by strategy


class AccountRules(Struct, frozen=True):
    """What the gate must know of an account besides its limits."""

    venue: str
    limits: Limits = Limits()
    needs_dead_man: bool = False


class Risk:
    """The gate, with the switches and halts it asks first."""

    def __init__(
        self,
        accounts: Mapping[str, AccountRules],
        instruments: Mapping[str, Instrument],
        books: Mapping[str, Book],
        orders: Orders,
        positions: Positions,
    ) -> None:
        self._accounts = accounts
        self._instruments = instruments
        self._books = books
        self._orders = orders
        self._positions = positions
        self._marks: dict[str, int] = {}
        self.exposure = Exposure(orders, positions, instruments, self.mark)
        self.losses = Losses(positions, instruments, self.mark)
        self.killed: dict[str, str] = {}  # account ("" = all) -> reason
        self.halted: dict[str, dict[str, str]] = {}  # account -> reason -> exit
        self.venue_status: dict[str, str] = {}
        self.armed_ns: dict[str, int] = {}
        self._recent = {
            name: deque[int](maxlen=rules.limits.max_orders_per_second or 1)
            for name, rules in accounts.items()
        }
        self._shares = {name: dict(rules.limits.share_notional) for name, rules in accounts.items()}

    def mark(self, instrument: str) -> int:
        """Return the last mid seen at an instrument, 0 if none ever was."""
        book = self._books.get(instrument)
        mid = book.mid if book is not None and book.is_valid else None
        if mid:
            self._marks[instrument] = mid
        return mid or self._marks.get(instrument, 0)

    def approve(self, command: AnyCommand, request_id: int, now_ns: int) -> Approved | Refused:
        """Return the command as sendable, or the rule that holds it back with both numbers."""
        refused: Refused | None = None
        if isinstance(command, Place):
            refused = self._place(command, now_ns)
            if refused is None:
                self._recent[command.account].append(now_ns)
        elif isinstance(command, Amend):
            refused = self._amend(command, now_ns)
        elif isinstance(command, PlaceBatch):
            refused = self._batch(command, now_ns)
            if refused is None:
                self._recent[command.account].extend([now_ns] * len(command.places))
        return Approved(command, request_id, now_ns) if refused is None else refused

    def _batch(self, command: PlaceBatch, now_ns: int) -> Refused | None:
        """A batch passes whole or not at all: each order with those before it added."""
        buy = sell = 0
        for place in command.places:
            refused = self._place(place, now_ns, buy=buy, sell=sell)
            if refused is not None:
                return Refused(command, refused.rule, refused.limit, refused.actual, now_ns)
            if place.side == "buy":
                buy += place.quantity
            else:
                sell += place.quantity
        return None

    def _place(self, command: Place, now_ns: int, *, buy: int = 0, sell: int = 0) -> Refused | None:
        def no(rule: str, limit: object, actual: object) -> Refused:
            return Refused(command, rule, str(limit), str(actual), now_ns)

        rules = self._accounts[command.account]
        instrument = self._instruments.get(command.instrument)
        if instrument is None:
            return no("instrument", "a listed one", command.instrument)
        if closed := self._closed(command.account, rules, instrument, command.post_only, now_ns):
            return no(*closed)
        mid = self._books[command.instrument].mid or 0
        if command.side == "buy":
            buy += command.quantity
        else:
            sell += command.quantity
        price = command.price if command.price and command.price_unit == "static" else mid
        quantity = command.quantity
        if command.cash_quantity:
            quantity = command.cash_quantity * SCALE // price
        if wrong := _off_rules(instrument, command, price, quantity):
            return no(*wrong)
        held = self._positions.quantity(command.account, command.instrument)
        buys, sells = self._orders.reserved(command.account, command.instrument)
        if command.side == "buy":
            is_reducing = held < 0 and buys + buy <= -held
        else:
            is_reducing = held > 0 and sells + sell <= held
        limits = rules.limits
        if command.trigger is None and (
            far := _outside_collar(command.side, price, mid, limits, is_reducing)
        ):
            return no(*far)
        if over := self._order_limits(command.account, limits, price * quantity // SCALE, now_ns):
            return no(*over)
        if is_reducing:
            return None
        over = self._exposure_limits(command.account, limits, instrument, mid, buy, sell)
        over = over or self._share_limit(command, limits, mid)
        return no(*over) if over else None

    def _amend(self, command: Amend, now_ns: int) -> Refused | None:
        def no(rule: str, limit: object, actual: object) -> Refused:
            return Refused(command, rule, str(limit), str(actual), now_ns)

        order = self._orders.get(command.client_order_id)
        if order is None or not order.is_open:
            return no("order", "an open order", command.client_order_id)
        rules = self._accounts[order.account]
        instrument = self._instruments[order.instrument]
        if closed := self._closed(order.account, rules, instrument, command.post_only, now_ns):
            return no(*closed)
        mid = self._books[order.instrument].mid or 0
        quantity = command.quantity if command.quantity is not None else order.quantity
        price = command.price if command.price is not None else (order.price or mid)
        if price % instrument.price_tick:
            return no("price tick", text(instrument.price_tick), text(price))
        if quantity % instrument.quantity_step:
            return no("quantity step", text(instrument.quantity_step), text(quantity))
        limits = rules.limits
        if far := _outside_collar(order.side, price, mid, limits, is_reducing=False):
            return no(*far)
        if limits.max_order_notional and price * quantity // SCALE > limits.max_order_notional:
            limit = text(limits.max_order_notional)
            return no("order notional", limit, text(price * quantity // SCALE))
        more = max(quantity - order.filled - order.reserved, 0)
        if not more:
            return None
        buy, sell = (more, 0) if order.side == "buy" else (0, more)
        over = self._exposure_limits(order.account, limits, instrument, mid, buy, sell)
        return no(*over) if over else None

    def _closed(
        self,
        account: str,
        rules: AccountRules,
        instrument: Instrument,
        is_post_only: bool,
        now_ns: int,
    ) -> tuple[str, object, object] | None:
        """The switches: what keeps any order of this account and instrument from going out."""
        if self.killed and (account in self.killed or "" in self.killed):
            return "kill switch", "off", self.killed.get(account) or self.killed.get("")
        if halts := self.halted.get(account):
            reason, way_out = next(iter(halts.items()))
            return "account halted", f"ends by: {way_out}", reason
        status = self.venue_status.get(rules.venue, "online")
        for mode in (status, instrument.status):
            if mode not in ("online", "limit_only") and not (mode == "post_only" and is_post_only):
                return "venue mode", "online", mode
        if rules.needs_dead_man and self.armed_ns.get(account, 0) <= now_ns:
            return "dead-man", "armed", "not armed"
        book = self._books.get(instrument.id)
        if book is None or not book.is_valid:
            return "book", "a valid book", "none"
        age_ns = now_ns - book.proven_ns
        if age_ns > rules.limits.max_book_age_ns:
            return "book age", f"{rules.limits.max_book_age_ns} ns", f"{age_ns} ns"
        if book.is_crossed:
            return "book", "not crossed", "crossed"
        return None

    def _order_limits(
        self, account: str, limits: Limits, notional: int, now_ns: int
    ) -> tuple[str, object, object] | None:
        if limits.max_order_notional and notional > limits.max_order_notional:
            return "order notional", text(limits.max_order_notional), text(notional)
        count = self._orders.open_count(account)
        if limits.max_open_orders and count >= limits.max_open_orders:
            return "open orders", limits.max_open_orders, count + 1
        recent = self._recent[account]
        is_full = limits.max_orders_per_second and len(recent) == recent.maxlen
        if is_full and now_ns - recent[0] < SECOND_NS:
            return "orders per second", limits.max_orders_per_second, len(recent) + 1
        return None

    def _exposure_limits(
        self, account: str, limits: Limits, instrument: Instrument, mid: int, buy: int, sell: int
    ) -> tuple[str, object, object] | None:
        exposure = self.exposure
        worst = exposure.worst(account, instrument.id, buy=buy, sell=sell) * mid // SCALE
        if limits.max_position_notional and worst > limits.max_position_notional:
            return "position", text(limits.max_position_notional), text(worst)
        if limits.max_total_notional:
            total = worst + exposure.total(account, instrument.quote, without=instrument.id)
            if total > limits.max_total_notional:
                return "total exposure", text(limits.max_total_notional), text(total)
        if limits.max_open_positions and not exposure.is_open(account, instrument.id):
            count = exposure.open_instruments(account) + 1
            if count > limits.max_open_positions:
                return "open positions", limits.max_open_positions, count
        return None

    def _share_limit(
        self, command: Place, limits: Limits, mid: int
    ) -> tuple[str, object, object] | None:
        share = self._shares[command.account].get(command.strategy)
        if not share:
            return None
        signed = self._positions.share(command.strategy, command.instrument)
        signed += command.quantity if command.side == "buy" else -command.quantity
        for order in self._orders.open_at(command.account, command.instrument):
            if order.strategy == command.strategy and order.side == command.side:
                signed += order.reserved if order.side == "buy" else -order.reserved
        worst = abs(signed) * mid // SCALE
        return ("strategy share", text(share), text(worst)) if worst > share else None


def _off_rules(
    instrument: Instrument, command: Place, price: int, quantity: int
) -> tuple[str, object, object] | None:
    """The instrument's own rules, by the numbers that would be sent."""
    if command.price is not None and command.price_unit == "static":
        if command.price <= 0 or command.price % instrument.price_tick:
            return "price tick", text(instrument.price_tick), text(command.price)
    elif instrument.status == "limit_only":
        return "venue mode", "a limit order", command.order_type
    if command.quantity % instrument.quantity_step:
        return "quantity step", text(instrument.quantity_step), text(command.quantity)
    if quantity <= 0 or quantity < instrument.min_quantity:
        return "minimum quantity", text(instrument.min_quantity), text(quantity)
    if price * quantity < instrument.min_notional * SCALE:
        return "minimum notional", text(instrument.min_notional), text(price * quantity // SCALE)
    return None


def _outside_collar(
    side: Side, price: int, mid: int, limits: Limits, is_reducing: bool
) -> tuple[str, object, object] | None:
    bps = limits.reduce_collar_bps if is_reducing else limits.collar_bps
    away = price - mid if side == "buy" else mid - price
    if bps and away * BPS > mid * bps:
        return "price collar", f"{bps} bps", f"{away * BPS // mid} bps"
    return None
