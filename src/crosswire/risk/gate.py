"""The gate that every command passes, rule by rule, in the order a loss would come about.

kill switch, halt, breakers, requests in flight, venue's mode, dead-man, book; the instrument's own
rules; price collar; order notional, open orders, orders per second; position and total exposure
with the reservation; open positions; the strategy's share. The loss breaker acts by halting the
account (`Losses`).

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
from crosswire.orders import Orders, Standing
from crosswire.positions import Position, Positions
from crosswire.risk.breakers import BreakerRules, Breakers
from crosswire.risk.exposure import Exposure
from crosswire.risk.losses import Losses

SECOND_NS = 1_000_000_000
BPS = 10_000
# Why a command is held back: the rule's name, its limit, what was asked.
Reason = tuple[str, object, object]


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
    bound_ns: int = 0  # so long may an order be under way: the switch must outlast it
    breakers: BreakerRules = BreakerRules()
    max_inflight: int = 100  # requests without an answer


class Lane:
    """What the gate asks about one account at one instrument, looked up once."""

    __slots__ = ("account", "book", "limits", "position", "recent", "rules", "shares", "standing")

    def __init__(
        self,
        account: str,
        rules: AccountRules,
        book: Book,
        standing: Standing,
        position: Position,
        recent: deque[int],
    ) -> None:
        self.account = account
        self.rules = rules
        self.limits = rules.limits
        self.shares = {name: most for name, most in rules.limits.share_notional if most}
        self.book = book
        self.standing = standing
        self.position = position
        self.recent = recent  # when the last orders of the account were approved


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
        self._books = books
        self._orders = orders
        self._positions = positions
        self._marks: dict[str, int] = {}
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._recent = {
            name: deque[int](maxlen=rules.limits.max_orders_per_second or 1)
            for name, rules in accounts.items()
        }
        self.exposure = Exposure(orders, positions, instruments, self.mark)
        self.losses = Losses(positions, instruments, self.mark)
        self.killed: dict[str, str] = {}  # account ("" = all) -> reason
        self.halted: dict[str, dict[str, str]] = {}  # account -> reason -> exit
        self.venue_status: dict[str, str] = {}
        self.armed_ns: dict[str, int] = {}
        self.breakers = Breakers({name: rules.breakers for name, rules in accounts.items()})
        self._blocked = self.breakers.blocked
        self._unanswered = orders.unanswered
        # Below this nobody can be at a limit; a part of each is kept free for cancels.
        self._least_inflight = min((_places(r) for r in accounts.values()), default=0)

    def mark(self, instrument: str) -> int:
        """Return the last mid seen at an instrument, 0 if none ever was."""
        book = self._books.get(instrument)
        mid = book.mid if book is not None and book.is_valid else 0
        if mid:
            self._marks[instrument] = mid
        return mid or self._marks.get(instrument, 0)

    def approve(self, command: AnyCommand, request_id: int, now_ns: int) -> Approved | Refused:
        """Return the command as sendable, or the rule that holds it back with both numbers."""
        reason: Reason | None = None
        if type(command) is Place:
            reason = self._place(command, now_ns, 0, 0)
            if reason is None:
                self._recent[command.account].append(now_ns)
        elif type(command) is Amend:
            reason = self._amend(command, now_ns)
        elif isinstance(command, PlaceBatch):
            reason = self._batch(command, now_ns)
        if reason is None:
            return Approved(command, request_id, now_ns)
        rule, limit, actual = reason
        return Refused(command, rule, str(limit), str(actual), now_ns)

    def _lane(self, account: str, instrument: str) -> Lane | None:
        book = self._books.get(instrument)
        if book is None:
            return None
        lane = self._lanes[(account, instrument)] = Lane(
            account,
            self._accounts[account],
            book,
            self._orders.standing(account, instrument),
            self._positions.position(account, instrument),
            self._recent[account],
        )
        return lane

    def _batch(self, command: PlaceBatch, now_ns: int) -> Reason | None:
        """A batch passes whole or not at all: each order with those before it added."""
        buy = sell = 0
        for place in command.places:
            reason = self._place(place, now_ns, buy, sell)
            if reason is not None:
                return reason
            if place.side == "buy":
                buy += place.quantity
            else:
                sell += place.quantity
        self._recent[command.account].extend([now_ns] * len(command.places))
        return None

    def _place(self, command: Place, now_ns: int, buy: int, sell: int) -> Reason | None:
        account, name = command.account, command.instrument
        lane = self._lanes.get((account, name)) or self._lane(account, name)
        if lane is None:
            return "instrument", "a listed one", name
        closed = self._closed(lane, command.post_only, now_ns)
        if closed is not None:
            return closed
        if command.replaces and not self._may_replace(command):
            return "order", "an open order of the same side", command.replaces
        mid, limits = lane.book.mid, lane.limits
        quantity = command.quantity or command.reserve_quantity
        price = command.price if command.price and command.price_unit == "static" else mid
        if command.side == "buy":
            buy += quantity
        else:
            sell += quantity
        notional = price * quantity // SCALE
        reason = _off_rules(lane.book.instrument, command, quantity, notional)
        if reason is not None:
            return reason
        is_reducing = _is_reducing(lane, command.side, buy, sell)
        if command.trigger is None:
            bps = limits.reduce_collar_bps if is_reducing else limits.collar_bps
            reason = _outside_collar(command.side, price, mid, bps)
        reason = reason or self._order_limits(lane, notional, now_ns)
        if reason is not None or is_reducing:
            return reason
        reason = self._exposure_limits(lane, mid, buy, sell)
        if reason is None and lane.shares:
            reason = self._share_limit(command, lane, mid)
        return reason

    def _may_replace(self, command: Place) -> bool:
        """Whether the order to be replaced is known to be open, and not on its way out."""
        old = self._orders.get(command.replaces)
        if old is None or old.stage != "LIVE" or old.in_flight("cancel") is not None:
            return False
        theirs = (command.account, command.instrument, command.side)
        return (old.account, old.instrument, old.side) == theirs

    def _amend(self, command: Amend, now_ns: int) -> Reason | None:
        order = self._orders.get(command.client_order_id)
        if order is None or not order.is_open:
            return "order", "an open order", command.client_order_id
        account, name = order.account, order.instrument
        lane = self._lanes.get((account, name)) or self._lane(account, name)
        if lane is None:
            return "instrument", "a listed one", name
        closed = self._closed(lane, command.post_only, now_ns)
        if closed is not None:
            return closed
        instrument, limits, mid = lane.book.instrument, lane.limits, lane.book.mid
        quantity = command.quantity if command.quantity is not None else order.quantity
        price = command.price if command.price is not None else (order.price or mid)
        # Written out: most instruments' step is fixed, and a call would cost each order.
        is_off = price <= 0 or price % instrument.price_tick
        if is_off or (instrument.price_digits and not instrument.is_on_grid(price)):
            return _off_grid(instrument, price)
        if quantity <= 0 or quantity % instrument.quantity_step:
            return "quantity step", text(instrument.quantity_step), text(quantity)
        reason = _outside_collar(order.side, price, mid, limits.collar_bps)
        if reason is not None:
            return reason
        notional = price * quantity // SCALE
        if limits.max_order_notional and notional > limits.max_order_notional:
            return "order notional", text(limits.max_order_notional), text(notional)
        more = quantity - order.filled - order.reserved
        if more <= 0:
            return None
        buy, sell = (more, 0) if order.side == "buy" else (0, more)
        return self._exposure_limits(lane, mid, buy, sell)

    def is_shut(self, account: str, now_ns: int) -> bool:
        """Whether a switch keeps what was approved a while ago from leaving now."""
        rules = self._accounts[account]
        is_armed = self.armed_ns.get(account, 0) > now_ns + rules.bound_ns
        return self._switched_off(account) is not None or (rules.needs_dead_man and not is_armed)

    def _closed(self, lane: Lane, is_post_only: bool, now_ns: int) -> Reason | None:
        """The switches: what keeps any order of this account and instrument from going out."""
        account, book = lane.account, lane.book
        if self.killed or self.halted or self._blocked:
            switch = self._switched_off(account)
            if switch is not None:
                return switch
        if len(self._unanswered) >= self._least_inflight:
            count = self._orders.in_flight(account)
            if count >= _places(lane.rules):
                return "in flight", _places(lane.rules), count + 1
        status = self.venue_status.get(lane.rules.venue, "online")
        for mode in (status, book.instrument.status):
            is_open = mode in {"online", "limit_only"} or (mode == "post_only" and is_post_only)
            if not is_open:
                return "venue mode", "online", mode
        rules = lane.rules
        if rules.needs_dead_man and self.armed_ns.get(account, 0) <= now_ns + rules.bound_ns:
            return "dead-man", "armed for longer than the order's bound", "not armed"
        if not book.is_valid:
            return "book", "a valid book", "none"
        if not (book.best_bid and book.best_ask):
            best = f"bid {text(book.best_bid)}, ask {text(book.best_ask)}"
            return "book", "two sides", best
        if now_ns - book.proven_ns > lane.limits.max_book_age_ns:
            age_ms = (now_ns - book.proven_ns) // 1_000_000
            return "book age", f"{lane.limits.max_book_age_ns // 1_000_000} ms", f"{age_ms} ms"
        if book.best_bid >= book.best_ask:
            return "book", "not crossed", "crossed"
        return None

    def _switched_off(self, account: str) -> Reason | None:
        if account in self.killed or "" in self.killed:
            return "kill switch", "off", self.killed.get(account) or self.killed.get("")
        if halts := self.halted.get(account):
            reason, way_out = next(iter(halts.items()))
            return "account halted", f"ends by: {way_out}", reason
        if account in self._blocked:
            return "breaker", "a transport that answers", self._blocked[account]
        return None

    def _order_limits(self, lane: Lane, notional: int, now_ns: int) -> Reason | None:
        limits = lane.limits
        if limits.max_order_notional and notional > limits.max_order_notional:
            return "order notional", text(limits.max_order_notional), text(notional)
        if limits.max_open_orders:
            count = self._orders.open_count(lane.account)
            if count >= limits.max_open_orders:
                return "open orders", limits.max_open_orders, count + 1
        recent = lane.recent
        is_full = limits.max_orders_per_second and len(recent) == limits.max_orders_per_second
        if is_full and now_ns - recent[0] < SECOND_NS:
            return "orders per second", limits.max_orders_per_second, len(recent) + 1
        return None

    def _exposure_limits(self, lane: Lane, mid: int, buy: int, sell: int) -> Reason | None:
        limits, held, standing = lane.limits, lane.position.quantity, lane.standing
        long, short = held + standing.buys, standing.sells - held
        stands = long if long > short else short
        long, short = long + buy, short + sell
        worst = (long if long > short else short) * mid // SCALE
        if limits.max_position_notional and worst > limits.max_position_notional:
            return "position", text(limits.max_position_notional), text(worst)
        if not (limits.max_total_notional or limits.max_open_positions):
            return None
        account, instrument = lane.account, lane.book.instrument
        if limits.max_total_notional:
            others = self.exposure.total(account, instrument.quote, without=instrument.id)
            if worst + others > limits.max_total_notional:
                return "total exposure", text(limits.max_total_notional), text(worst + others)
        if limits.max_open_positions and not stands * mid // SCALE:  # nothing stands here yet
            count = self.exposure.open_instruments(account) + 1
            if count > limits.max_open_positions:
                return "open positions", limits.max_open_positions, count
        return None

    def _share_limit(self, command: Place, lane: Lane, mid: int) -> Reason | None:
        share = lane.shares.get(command.strategy)
        if not share:
            return None
        signed = self._positions.share(command.strategy, command.instrument)
        signed += command.quantity if command.side == "buy" else -command.quantity
        for order in lane.standing.orders.values():
            if order.strategy == command.strategy and order.side == command.side:
                signed += order.reserved if order.side == "buy" else -order.reserved
        worst = abs(signed) * mid // SCALE
        return ("strategy share", text(share), text(worst)) if worst > share else None


def _places(rules: AccountRules) -> int:
    """How many requests may await an answer before placing stops: a tenth is for cancels."""
    return rules.max_inflight - rules.max_inflight // 10


def _is_reducing(lane: Lane, side: Side, buy: int, sell: int) -> bool:
    """Whether the order can only bring the position nearer to nothing, whatever else fills."""
    held = lane.position.quantity
    if side == "buy":
        return held < 0 and lane.standing.buys + buy <= -held
    return held > 0 and lane.standing.sells + sell <= held


def _off_rules(
    instrument: Instrument, command: Place, quantity: int, notional: int
) -> Reason | None:
    """The instrument's own rules, by the numbers that would be sent."""
    price = command.price
    if price is not None and command.price_unit == "static":
        # Written out: most instruments' step is fixed, and a call would cost each order.
        is_off = price <= 0 or price % instrument.price_tick
        if is_off or (instrument.price_digits and not instrument.is_on_grid(price)):
            return _off_grid(instrument, price)
    elif instrument.status == "limit_only":
        return "venue mode", "a limit order", command.order_type
    if command.quantity % instrument.quantity_step:
        return "quantity step", text(instrument.quantity_step), text(command.quantity)
    if quantity <= 0 or quantity < instrument.min_quantity:
        return "minimum quantity", text(instrument.min_quantity), text(quantity)
    if notional < instrument.min_notional:
        return "minimum notional", text(instrument.min_notional), text(notional)
    return None


def _off_grid(instrument: Instrument, price: int) -> Reason:
    """Say which step is not kept, and the valid prices on both sides."""
    if price <= 0:
        return "price tick", text(instrument.price_tick), text(price)
    below, above = instrument.floor_price(price), instrument.ceil_price(price)
    nearest = f"{text(below)} or {text(above)}" if below else text(above)
    step = text(instrument.tick_at(price))
    return "price tick", f"{step}, so the nearest are {nearest}", text(price)


def _outside_collar(side: Side, price: int, mid: int, bps: int) -> Reason | None:
    away = price - mid if side == "buy" else mid - price
    if away > 0 and bps and away * BPS > mid * bps:
        return "price collar", f"{bps} bps", f"{away * BPS // mid} bps"
    return None
