"""The venue's heart: orders enter the matching engines, and what comes of it is booked and told.

Nothing here knows of sockets. What clients are to hear is left in `told` (executions items),
`paid` (balance rows), `prints` (public trades) and `touched` (pairs whose book moved).
"""

import heapq
from collections.abc import Sequence
from copy import copy
from random import Random
from typing import cast

from msgspec import Struct

from crosswire.domain import Side
from crosswire.sim.ledger import CashRow, Ledger, OrderStatus
from crosswire.sim.matching import (
    AnyOutcome,
    Completed,
    Expired,
    Killed,
    MatchingEngine,
    Order,
    Refilled,
    Traded,
    Trailed,
    Triggered,
)
from crosswire.venues.kraken.simulator import executions
from crosswire.venues.kraken.simulator.accounts import (
    Account,
    Change,
    Entry,
    Fill,
    OrderRecord,
    in_usd,
    trade_fee,
)
from crosswire.venues.kraken.simulator.faults import Chance
from crosswire.venues.kraken.simulator.markets import Asset, Market
from crosswire.venues.kraken.simulator.positions import book_margin_fill, settle
from crosswire.venues.kraken.simulator.text import make_id, rounded, times
from crosswire.venues.kraken.simulator.wishes import Wish, same_id

# Why an order ended without its owner's cancel. Only the texts for cancels by the owner and for
# post-only orders are captured; the others are ours.
REASONS = {
    "canceled": "User requested",
    "amended": "User requested",
    "post_only": "Post only order",
    "ioc": "Immediate or cancel",
    "fok": "Fill or kill",
    "no_liquidity": "Insufficient liquidity",
    "self_trade": "Self trade prevention",
}
REPLACED = "Order replaced"
DEAD_MAN = "Cancel all orders after timeout"


class Print(Struct, frozen=True):
    """One public trade; `side` is the taker's."""

    market: Market
    side: str
    price: int
    quantity: int
    order_type: str
    trade_id: int
    at_ns: int


class Exchange:
    """All pairs, all accounts."""

    def __init__(
        self, markets: Sequence[Market], ledger: Ledger, chance: Chance, rng: Random
    ) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.assets: dict[str, Asset] = {}
        for market in markets:
            self.assets |= {market.base.name: market.base, market.quote.name: market.quote}
        self.engines = {
            market.symbol: MatchingEngine(tick=market.tick, last=market.start_price)
            for market in markets
        }
        for market in markets:
            self.engines[market.symbol].move_index(market.start_price, 0)
        self.accounts: dict[str, Account] = {}
        self.records: dict[str, OrderRecord] = {}
        self.system = "online"
        self.now_ns = 0  # set by whoever calls in
        self.ledger = ledger
        self.chance = chance
        self.rng = rng
        self.told: list[tuple[str, executions.Item]] = []
        self.paid: list[CashRow] = []
        self.prints: list[Print] = []
        self.touched: set[str] = set()
        self._starts: list[tuple[int, str]] = []
        self._closings: list[tuple[OrderRecord, Fill]] = []
        self._trade_ids = dict.fromkeys(self.markets, 1000000)

    # --- the life of an order ------------------------------------------------------------------

    def create(
        self,
        account: Account,
        market: Market,
        wish: Wish,
        now_ns: int,
        parent: str = "",
        *,
        is_past_bound: bool = False,
    ) -> OrderRecord:
        """Take an order that has passed every check."""
        quantity = self._cash_quantity(wish, market) if wish.cash else wish.quantity
        price = wish.price if wish.price is not None and wish.price_unit == "static" else 0
        record = OrderRecord(
            id=make_id(self.rng, "O"),
            account=account.name,
            market=market,
            wish=wish,
            quantity=quantity,
            original_quantity=quantity,
            price=price,
            display=wish.display,
            opened_ns=now_ns,
            changed_ns=now_ns,
            parent=parent,
        )
        account.orders[record.id] = account.open[record.id] = record
        account.spent_ids.add(same_id(wish.cl_ord_id))
        self.records[record.id] = record
        self.ledger.open_order(
            record.id,
            now_ns,
            account=account.name,
            client_order_id=wish.cl_ord_id,
            instrument=market.symbol,
            side=wish.side,
            quantity=quantity,
            price=price or None,
            is_past_bound=is_past_bound,
        )
        self.note_change(record, "original", "", now_ns)
        if wish.start_ns > now_ns:
            heapq.heappush(self._starts, (wish.start_ns, record.id))
            self.tell(record, executions.pending_new(record, now_ns))
        else:
            self._activate(record, now_ns)
        return record

    def _cash_quantity(self, wish: Wish, market: Market) -> int:
        """How much a market buy of this much money gets now, its fee left out of it."""
        left, quantity = wish.cash, 0
        unit: int = 10 ** (10 - market.quantity_decimals)
        for price, there in self.engines[market.symbol].sweep("buy", 10**18 * wish.cash):
            part = min(there, left * 10**10 // price)
            quantity += part
            left -= times(price, part)
            if part < there:
                break
        return max(quantity // unit * unit, unit)

    def _activate(self, record: OrderRecord, now_ns: int) -> None:
        """The order reaches the engine: `pending_new` (if not told yet), `new`, and outcomes."""
        account, wish = self.accounts[record.account], record.wish
        engine = self.engines[record.market.symbol]
        is_started = record.opened_ns == now_ns
        record.status = "open"
        if wish.order_type == "settle_position":
            self._tell_birth(record, now_ns, is_started=is_started, is_new=True)
            self._settle_position(account, record, now_ns)
            return
        is_doomed = (
            wish.post_only
            and wish.trigger is None
            and record.price > 0
            and engine.would_take(wish.side, record.price)
        )
        record.order = self._order(account, record)
        outcomes = engine.place(record.order, now_ns)
        record.trigger_price = record.order.trigger_price
        record.peak, record.last_price = record.order.peak, engine.last
        self._tell_birth(record, now_ns, is_started=is_started, is_new=not is_doomed)
        self.apply(record.market, outcomes, now_ns)

    def _order(self, account: Account, record: OrderRecord) -> Order:
        wish = record.wish
        position = account.positions.get(record.market.symbol)
        if wish.reduce_only and position is not None:
            record.quantity = min(record.quantity, abs(position.quantity))
        return Order(
            id=record.id,
            owner=account.owner,
            side=wish.side,
            quantity=record.quantity,
            price=wish.price,
            order_type=wish.order_type,
            display=record.display,
            time_in_force=wish.time_in_force,
            post_only=wish.post_only,
            expire_ns=wish.expire_ns,
            self_trade=wish.self_trade,
            trigger=wish.trigger,
            price_unit=wish.price_unit,
        )

    def _tell_birth(
        self, record: OrderRecord, now_ns: int, *, is_started: bool, is_new: bool
    ) -> None:
        if is_started:
            self.tell(record, executions.pending_new(record, now_ns))
        if is_new:
            self.tell(record, executions.new(record, now_ns))

    def _settle_position(self, account: Account, record: OrderRecord, now_ns: int) -> None:
        """Turn a margin position into spot balances at what it cost."""
        quantity = settle(self, account, record, now_ns)
        record.filled = record.quantity = quantity
        self.close(record, "closed", "", now_ns)

    def close(self, record: OrderRecord, status: str, reason: str, now_ns: int) -> None:
        """The order is over: told, and free of its hold."""
        record.status, record.reason, record.closed_ns = status, reason, now_ns
        account = self.accounts[record.account]
        account.open.pop(record.id, None)
        word = "filled" if status == "closed" else status
        self.ledger.close_order(record.id, now_ns, cast("OrderStatus", word), reason)
        self.tell(record, executions.ended(record, word, now_ns))

    def cancel(self, record: OrderRecord, reason: str, now_ns: int) -> None:
        """End an open order."""
        engine = self.engines[record.market.symbol]
        if record.id in engine.orders:
            self.apply(record.market, engine.cancel(record.id, now_ns, reason), now_ns)
        else:
            self.close(record, "canceled", reason, now_ns)

    def note_change(self, record: OrderRecord, kind: str, reason: str, now_ns: int) -> str:
        """Keep a row of the amend history; returns its id."""
        amend_id = make_id(self.rng, "T")
        record.changes.append(
            Change(
                amend_id=amend_id,
                kind=kind,
                quantity=record.quantity,
                display=record.display,
                remaining=record.remaining,
                price=record.price,
                trigger_price=record.trigger_price,
                reason=reason,
                post_only=record.wish.post_only,
                at_ns=now_ns,
            )
        )
        return amend_id

    def tell(self, record: OrderRecord, item: executions.Item) -> None:
        """Something about an order that its owner's `executions` subscribers hear."""
        self.told.append((record.account, item))
        behind_ns = self.chance.faults.views_behind_ns
        if behind_ns:
            seen = copy(record)
            seen.fills, seen.versions = list(record.fills), []
            versions = record.versions
            versions.append((self.now_ns, seen))
            while len(versions) > 1 and versions[1][0] < self.now_ns - behind_ns:
                del versions[0]  # no read can be so far behind

    # --- what the engines say ------------------------------------------------------------------

    def apply(self, market: Market, outcomes: Sequence[AnyOutcome], now_ns: int) -> None:
        """Book and tell what a call of a matching engine made happen."""
        self.touched.add(market.symbol)
        for outcome in outcomes:
            if isinstance(outcome, Traded):
                self._trade(market, outcome, now_ns)
                continue
            record = self.records.get(getattr(outcome, "order_id", ""))
            if record is not None:
                self._hear(record, outcome, now_ns)
        while self._closings:
            self._make_closing_order(*self._closings.pop(0), now_ns)
        engine = self.engines[market.symbol]
        if engine.index != engine.last:  # one venue's index is its own last price
            self.apply(market, engine.move_index(engine.last, now_ns), now_ns)

    def _hear(self, record: OrderRecord, outcome: AnyOutcome, now_ns: int) -> None:
        match outcome:
            case Completed():
                self.close(record, "closed", "", now_ns)
            case Killed(reason=reason):
                self.close(record, "canceled", REASONS.get(reason, reason), now_ns)
            case Expired():
                self.close(record, "expired", "", now_ns)
            case Refilled(shown=shown):
                self.tell(record, executions.iceberg_refill(record, shown, now_ns))
            case Trailed(peak=peak, trigger_price=trigger_price):
                record.peak, record.trigger_price = peak, trigger_price
                self.tell(record, executions.status(record, now_ns))
            case Triggered(price=price):
                record.is_triggered, record.last_price = True, price
                if record.order is not None and record.order.price is not None:
                    record.price = record.order.price
                self.tell(record, executions.status(record, now_ns))
            case _:
                pass

    def _trade(self, market: Market, traded: Traded, now_ns: int) -> None:
        self._trade_ids[market.symbol] += 1
        trade_id = self._trade_ids[market.symbol]
        taker = self.records.get(traded.taker)
        is_market = taker is not None and taker.order is not None and taker.order.price is None
        self.prints.append(
            Print(
                market=market,
                side=traded.taker_side,
                price=traded.price,
                quantity=traded.quantity,
                order_type="market" if is_market else "limit",
                trade_id=trade_id,
                at_ns=now_ns,
            )
        )
        maker = self.records.get(traded.maker)
        for record, liquidity in ((maker, "maker"), (taker, "taker")):
            if record is not None:
                self._fill(record, traded, liquidity, trade_id, now_ns)

    def _fill(
        self, record: OrderRecord, traded: Traded, liquidity: str, trade_id: int, now_ns: int
    ) -> None:
        account, market, wish = self.accounts[record.account], record.market, record.wish
        price, quantity = traded.price, traded.quantity
        cost = rounded(times(price, quantity), market.cost_decimals)
        fee, fee_asset = trade_fee(cost, quantity, market, account.rate(liquidity), wish)
        prices = self.prices()
        exec_id = make_id(self.rng, "T")
        ledgers = (make_id(self.rng, "L"), make_id(self.rng, "L"))
        fill = Fill(
            exec_id=exec_id,
            trade_id=trade_id,
            order_id=record.id,
            account=account.name,
            market=market,
            side=wish.side,
            order_type=wish.order_type,
            price=price,
            quantity=quantity,
            cost=cost,
            fee=fee,
            fee_asset=fee_asset.name,
            fee_usd=rounded(in_usd(fee, fee_asset, prices), 4),
            liquidity=liquidity,
            at_ns=now_ns,
            cl_ord_id=wish.cl_ord_id,
            userref=wish.userref,
            ledgers=ledgers,
            is_margin=wish.margin or wish.reduce_only,
        )
        record.filled += quantity
        record.cost += cost
        record.fee += fee
        record.fee_usd += fill.fee_usd
        record.fills.append(exec_id)
        account.fills.append(fill)
        account.volume += in_usd(cost, market.quote, prices)
        self.ledger.note_fill(
            exec_id,
            record.id,
            now_ns,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=fee_asset.name,
            liquidity="maker" if liquidity == "maker" else "taker",
        )
        self.tell(record, executions.trade(record, fill))
        self._pay(account, fill, fee_asset, now_ns)
        if wish.close is not None:
            self._closings.append((record, fill))

    def _pay(self, account: Account, fill: Fill, fee_asset: Asset, now_ns: int) -> None:
        """Move the money of a fill: both legs, or a margin position's result."""
        market = fill.market
        if fill.is_margin:
            book_margin_fill(self, account, fill, now_ns)
            return
        sign = 1 if fill.side == "buy" else -1
        legs = (
            (market.base, sign * fill.quantity),
            (market.quote, -sign * rounded(fill.cost, market.quote.decimals)),
        )
        for ledger_id, (asset, amount) in zip(fill.ledgers, legs, strict=True):
            fee = fill.fee if asset is fee_asset else 0
            why = Entry(ledger_id, fill.exec_id, "trade")
            self.move(account, asset, why, now_ns, amount=amount, fee=fee)

    def move(
        self, account: Account, asset: Asset, why: Entry, now_ns: int, *, amount: int, fee: int
    ) -> None:
        """Move money and tell."""
        row = self.ledger.move_cash(
            account.name,
            asset.name,
            now_ns,
            ledger_id=why.ledger_id,
            ref=why.ref,
            kind=why.kind,
            amount=amount,
            fee=fee,
        )
        account.cash.append(row)
        self.paid.append(row)

    def pay(
        self, account: Account, asset: Asset, amount: int, kind: str, now_ns: int, ref: str = ""
    ) -> None:
        """Money comes (or goes, if negative) by other ways than trading."""
        why = Entry(make_id(self.rng, "L"), ref or make_id(self.rng, "F"), kind)
        self.move(account, asset, why, now_ns, amount=amount, fee=0)

    def _make_closing_order(self, record: OrderRecord, fill: Fill, now_ns: int) -> None:
        close = record.wish.close
        assert close is not None
        side: Side = "sell" if record.wish.side == "buy" else "buy"
        wish = Wish(
            symbol=record.market.symbol,
            order_type=close.order_type,
            side=side,
            quantity=fill.quantity,
            price=close.price,
            price_unit=close.price_unit,
            trigger=close.trigger,
            margin=record.wish.margin,
            userref=record.wish.userref,
        )
        account = self.accounts[record.account]
        self.create(account, record.market, wish, now_ns, parent=record.id)

    def prices(self) -> dict[str, int]:
        """The last price of every pair."""
        return {symbol: engine.last for symbol, engine in self.engines.items()}

    # --- time ----------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Orders start and expire, dead-man timers fire."""
        while self._starts and self._starts[0][0] <= now_ns:
            record = self.records.get(heapq.heappop(self._starts)[1])
            if record is not None and record.status == "pending":
                self._activate(record, now_ns)
        for symbol, engine in self.engines.items():
            due_ns = engine.next_expiry_ns()
            if due_ns is not None and due_ns <= now_ns:
                self.apply(self.markets[symbol], engine.expire(now_ns), now_ns)
        for account in self.accounts.values():
            if account.dead_man_ns and account.dead_man_ns <= now_ns:
                self.fire_dead_man(account, now_ns)

    def fire_dead_man(self, account: Account, now_ns: int) -> None:
        """Cancel everything of an account whose timer has run out."""
        account.dead_man_ns = 0
        for record in list(account.open.values()):
            self.cancel(record, DEAD_MAN, now_ns)

    def next_due_ns(self) -> list[int]:
        """When something happens by itself."""
        due = [account.dead_man_ns for account in self.accounts.values() if account.dead_man_ns]
        due += [
            at_ns for at_ns in map(MatchingEngine.next_expiry_ns, self.engines.values()) if at_ns
        ]
        return due + ([self._starts[0][0]] if self._starts else [])
