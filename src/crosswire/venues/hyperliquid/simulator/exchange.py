"""The venue's heart: orders enter the matching engines, and what comes of it is booked and told.

Nothing here knows of sockets. What clients are to hear is left in `told` (orderUpdates rows),
`filled`, `events` (rows of the `user` channel), `paid` (rows of money that no trade moved),
`prints` (public trades) and `touched` (coins whose book moved).
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from crosswire.domain import OrderType, Side, Trigger
from crosswire.sim.ledger import Ledger, OrderStatus
from crosswire.sim.matching import (
    AnyOutcome,
    Completed,
    Killed,
    MatchingEngine,
    Order,
    Traded,
    Triggered,
)
from crosswire.sim.switches import Chance
from crosswire.venues.hyperliquid.simulator import booking, rows
from crosswire.venues.hyperliquid.simulator.accounts import Account, Fill, OrderRecord, Version
from crosswire.venues.hyperliquid.simulator.actions import OrderWire
from crosswire.venues.hyperliquid.simulator.faults import Faults
from crosswire.venues.hyperliquid.simulator.markets import Market
from crosswire.venues.hyperliquid.simulator.text import bare_id, scaled, shown, stranger, trade_id

DUPLICATE_CLOID = "Order with this cloid is already open."  # not captured: ours
IMMEDIATE = frozenset({"Ioc", "FrontendMarket", "LiquidationMarket"})
FIRST_OID = 247_000_000_000  # above 32 bits, as today's are


class Print(Struct, frozen=True):
    """One public trade; `side` is the taker's."""

    market: Market
    side: Side
    price: int
    quantity: int
    tid: int
    hash: str
    buyer: str
    seller: str
    at_ns: int


class Wish(Struct, frozen=True, kw_only=True):
    """An order that has passed every check but the book's."""

    market: Market
    wire: OrderWire
    quantity: int
    builder_rate: int = 0
    parent: OrderRecord | None = None
    is_position_tpsl: bool = False
    twap_id: int | None = None
    is_liquidation: bool = False

    @property
    def side(self) -> Side:
        return "buy" if self.wire.b else "sell"


class Exchange:
    """All markets, all accounts."""

    def __init__(self, markets: Sequence[Market], ledger: Ledger, chance: Chance) -> None:
        self.markets = {market.asset: market for market in markets}
        self.coins = {market.coin: market for market in markets}
        self.names = {market.name: market for market in markets}
        self.engines = {
            market.name: MatchingEngine(tick=market.tick, last=market.start_price)
            for market in markets
        }
        for market in markets:
            self.engines[market.name].move_index(market.start_price, 0)
        self.accounts: dict[str, Account] = {}
        self.addresses: dict[str, Account] = {}
        self.ledger = ledger
        self.chance = chance
        self.faults = Faults()
        self.duplicate_cloid = DUPLICATE_CLOID
        self.told: list[tuple[str, rows.Row]] = []
        self.filled: list[tuple[str, Fill]] = []
        self.events: list[tuple[str, rows.Row]] = []
        self.paid: list[tuple[str, rows.Row]] = []
        self.prints: list[Print] = []
        self.touched: set[str] = set()
        self._records: dict[str, OrderRecord] = {}
        self._moved: list[tuple[Account, Market]] = []
        self._ended: list[OrderRecord] = []
        self._oid = FIRST_OID
        self._transactions = 0
        self._externals = 0

    def add(self, account: Account) -> None:
        self.accounts[account.name] = self.addresses[account.address] = account

    def next_hash(self) -> str:
        """Begin a transaction."""
        self._transactions += 1
        return self.hash

    @property
    def hash(self) -> str:
        """The hash of the transaction under way."""
        seed = f"{self.ledger.seed}/{self._transactions}".encode()
        return "0x" + blake2b(seed, digest_size=32).hexdigest()

    def engine(self, market: Market) -> MatchingEngine:
        return self.engines[market.name]

    def mark(self, market: Market) -> int:
        """The price that positions are valued by and triggers look at: the middle of the book."""
        engine = self.engine(market)
        bid, ask = engine.best_bid(), engine.best_ask()
        return (bid[0] + ask[0]) // 2 if bid and ask else engine.last

    # --- orders come ---------------------------------------------------------------------------

    def _record(self, account: Account, wish: Wish, now_ns: int) -> OrderRecord:
        self._oid += 1
        record = OrderRecord(
            oid=self._oid,
            account=account.name,
            market=wish.market,
            wire=wish.wire,
            side=wish.side,
            price=scaled(wish.wire.p),
            original=scaled(wish.wire.s) or wish.quantity,
            quantity=wish.quantity,
            opened_ns=now_ns,
            parent=wish.parent,
            builder_rate=wish.builder_rate,
            is_position_tpsl=wish.is_position_tpsl,
            twap_id=wish.twap_id,
            is_liquidation=wish.is_liquidation,
        )
        account.add(record)
        return record

    def reject(self, account: Account, wish: Wish, status: str, now_ns: int) -> None:
        """An order is refused by the chain: it has an oid and a row all the same."""
        record = self._record(account, wish, now_ns)
        self._set(record, status, now_ns)

    def create(self, account: Account, wish: Wish, now_ns: int) -> OrderRecord:
        """Let an order meet the book; its status says what came of it."""
        record = self._record(account, wish, now_ns)
        record.is_entering = True
        order = record.order = engine_order(record)
        outcomes = self.engine(wish.market).place(order, now_ns)
        ends = [one for one in outcomes if isinstance(one, Killed) and one.order_id == record.id]
        is_rejected = bool(ends) and ends[0].filled == 0 and not record.is_trigger
        account.open[record.oid] = self._records[record.id] = record
        if not is_rejected:
            self._open_in_ledger(account, record, now_ns)
        self.apply(wish.market, outcomes, now_ns)
        self._tell_entry(record, now_ns)
        if record.wire.r:
            self._moved.append((account, wish.market))
        return record

    def wait_for_fill(self, account: Account, wish: Wish, now_ns: int) -> OrderRecord:
        """A child of an order that rests: it sleeps until its parent is filled."""
        record = self._record(account, wish, now_ns)
        record.status = "waitingForFill"
        account.open[record.oid] = self._records[record.id] = record
        self._open_in_ledger(account, record, now_ns)
        record.note(now_ns)
        return record

    def _open_in_ledger(self, account: Account, record: OrderRecord, now_ns: int) -> None:
        self.ledger.open_order(
            record.id,
            now_ns,
            account=account.name,
            client_order_id=bare_id(record.wire.cloid),
            instrument=record.market.name,
            side=record.side,
            quantity=record.quantity,
            price=record.price,
        )

    def _tell_entry(self, record: OrderRecord, now_ns: int) -> None:
        """The first moment of an order is over: say what it came to."""
        record.is_entering = False
        final, record.status = record.status, "open"
        if final in {"open", "triggered"}:
            self._set(record, "open", now_ns)
            if final == "triggered":
                self._set(record, "triggered", now_ns)
            return
        if record.filled or final == "filled":
            self._set(record, "open", now_ns, remaining=record.quantity)
        self._set(record, final, now_ns)

    def activate(self, record: OrderRecord, now_ns: int) -> None:
        """A child's parent is filled: its trigger is watched from now on."""
        record.status = "open"
        record.order = engine_order(record)
        self.apply(record.market, self.engine(record.market).place(record.order, now_ns), now_ns)
        if record.status == "open":
            self._set(record, "open", now_ns)

    # --- orders go -----------------------------------------------------------------------------

    def cancel(self, record: OrderRecord, status: str, now_ns: int) -> None:
        """End an open order."""
        if record.status == "waitingForFill":
            self._end(record, status, now_ns)
        else:
            outcomes = self.engine(record.market).cancel(record.id, now_ns, status)
            self.apply(record.market, outcomes, now_ns)
        self.settle(now_ns)

    def _set(
        self, record: OrderRecord, status: str, now_ns: int, remaining: int | None = None
    ) -> None:
        """Give an order another status, and tell."""
        record.status, record.status_ns = status, now_ns
        record.note(now_ns)
        account = self.accounts[record.account]
        version = Version(now_ns, status, record.quantity, record.filled)
        account.history.append((record, version))
        if not record.is_liquidation:
            self.told.append((record.account, rows.update(record, status, now_ns, remaining)))

    def _end(self, record: OrderRecord, status: str, now_ns: int) -> None:
        """An order is over."""
        account = self.accounts[record.account]
        account.open.pop(record.oid, None)
        self._records.pop(record.id, None)
        if record.id in self.ledger.orders:
            words: OrderStatus = "filled" if status == "filled" else "canceled"
            self.ledger.close_order(record.id, now_ns, words, "" if words == "filled" else status)
        if record.is_entering:
            record.status = status
        else:
            self._set(record, status, now_ns)
        self._ended.append(record)

    # --- what the engines say ------------------------------------------------------------------

    def apply(self, market: Market, outcomes: Sequence[AnyOutcome], now_ns: int) -> None:
        """Book what happened in a market."""
        for outcome in outcomes:
            self.touched.add(market.coin)
            if isinstance(outcome, Traded):
                self._trade(market, outcome, now_ns)
                continue
            record = self._records.get(outcome.order_id)
            if record is None:
                continue
            if isinstance(outcome, Completed):
                self._end(record, "filled", now_ns)
            elif isinstance(outcome, Killed):
                self._end(record, self._why(record, outcome), now_ns)
            elif isinstance(outcome, Triggered):
                record.status = "triggered"
                if not record.is_entering:
                    self._set(record, "triggered", now_ns)

    def _why(self, record: OrderRecord, killed: Killed) -> str:
        """Return the status in which an order ended unfilled."""
        if killed.reason == "self_trade":
            return "selfTradeCanceled"
        if killed.reason == "post_only":
            return "badAloPxRejected"
        if killed.reason != "ioc":
            return killed.reason
        if killed.filled:
            told = self.faults.ioc_rest_is_rejected_is
            return "iocCancelRejected" if told else "canceled"
        return "marketOrderNoLiquidityRejected" if record.is_trigger else "iocCancelRejected"

    def _trade(self, market: Market, traded: Traded, now_ns: int) -> None:
        maker_id = traded.maker or self._external()
        taker_id = traded.taker or self._external()
        maker, taker = self._records.get(traded.maker), self._records.get(traded.taker)
        for record, other in ((maker, taker_id), (taker, maker_id)):
            if record is not None:
                self._book(record, traded, other, is_taker=record is taker, now_ns=now_ns)
        is_buy = traded.taker_side == "buy"
        buyer, seller = (taker_id, maker_id) if is_buy else (maker_id, taker_id)
        self.prints.append(
            Print(
                market,
                traded.taker_side,
                traded.price,
                traded.quantity,
                trade_id(buyer, seller),
                self.hash,
                self._address(buyer),
                self._address(seller),
                now_ns,
            )
        )

    def _external(self) -> str:
        self._externals += 1
        return f"external {self._externals}"

    def _address(self, order_id: str) -> str:
        record = self._records.get(order_id)
        return stranger(order_id) if record is None else self.accounts[record.account].address

    def _book(
        self, record: OrderRecord, traded: Traded, other: str, *, is_taker: bool, now_ns: int
    ) -> None:
        account = self.accounts[record.account]
        liquidation = self._liquidation(account, record) if record.is_liquidation else None
        deal = booking.Deal(
            record, traded.price, traded.quantity, is_taker, other, self.hash, now_ns, liquidation
        )
        self.filled.append((account.name, booking.book(self.ledger, account, deal)))
        self._moved.append((account, record.market))
        record.note(now_ns)
        if not record.is_entering and record.remaining and self.faults.partial_fill_is_told_is:
            self.told.append((account.name, rows.update(record, record.status, now_ns)))

    def _liquidation(self, account: Account, record: OrderRecord) -> rows.Row:
        price = shown(self.mark(record.market))
        return {"liquidatedUser": account.address, "markPx": price, "method": "market"}

    # --- what follows --------------------------------------------------------------------------

    def settle(self, now_ns: int) -> None:
        """Let what happened have its effects on other orders, until there are none."""
        while self._ended or self._moved:
            ended, self._ended = self._ended, []
            moved, self._moved = self._moved, []
            for record in ended:
                self._after_end(record, now_ns)
            for account, market in moved:
                self.trim_reduce_only(account, market, now_ns)

    def _after_end(self, record: OrderRecord, now_ns: int) -> None:
        """Children wake with their parent's fill and die with it; one child done ends the other."""
        for child in record.children:
            if child.status != "waitingForFill":
                continue
            if record.status == "filled":
                self.activate(child, now_ns)
            else:
                self._end(child, "canceled", now_ns)
        if record.parent is not None and record.status == "filled":
            for sibling in record.parent.children:
                if sibling.is_open:
                    self.cancel(sibling, "siblingFilledCanceled", now_ns)

    def trim_reduce_only(self, account: Account, market: Market, now_ns: int) -> None:
        """No more may be open to reduce a position than there is; the newest orders stay.

        A tpsl of the position is as large as that, whether it shrinks or grows.
        """
        size = account.size(market.coin)
        there = {"sell": max(size, 0), "buy": max(-size, 0)}
        waiting = dict(there)
        for record in reversed(list(account.open.values())):
            is_plain = record.market is market and record.wire.r
            if not is_plain or record.is_entering or record.status == "waitingForFill":
                continue
            left = waiting[record.side] if record.is_trigger else there[record.side]
            kept = left if record.is_position_tpsl else min(record.remaining, left)
            if not record.is_trigger:
                there[record.side] -= kept
            if kept == record.remaining:
                continue
            if kept == 0:
                self.cancel(record, "reduceOnlyCanceled", now_ns)
            else:
                self._resize(record, record.filled + kept, now_ns)

    def _resize(self, record: OrderRecord, quantity: int, now_ns: int) -> None:
        record.quantity = quantity
        record.note(now_ns)
        self.ledger.amend_order(record.id, quantity=quantity)
        self.engine(record.market).amend(record.id, now_ns, quantity=quantity)
        self.touched.add(record.market.coin)

    def trim(self, before_ns: int) -> None:
        """Forget what ended before a moment."""
        self.ledger.trim(before_ns)
        for account in self.accounts.values():
            account.trim(before_ns)


def engine_order(record: OrderRecord) -> Order:
    """Return the order for the matching engine."""
    tif: Literal["gtc", "ioc"] = "ioc" if record.wire.tif in IMMEDIATE else "gtc"
    terms, trigger = record.wire.t.trigger, None
    kind: OrderType = "limit"
    if terms:
        tif = "ioc" if terms.is_market else "gtc"
        trigger = Trigger(record.trigger_price, reference="index")
        kind = "take_profit_limit" if terms.tpsl == "tp" else "stop_loss_limit"
    return Order(
        id=record.id,
        owner=f"client {record.account}",
        side=record.side,
        quantity=record.quantity,
        price=record.price,
        order_type=kind,
        time_in_force=tif,
        post_only=record.wire.tif == "Alo",
        self_trade="cancel_oldest",
        trigger=trigger,
    )
