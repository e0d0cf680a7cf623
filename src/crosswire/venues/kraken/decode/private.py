"""The private channels -> events: what became of our orders, and of our money.

Only `pending_new` and snapshot items name symbol and side; what follows names the order alone.
`OrderMemory` keeps what was said once. A frame may mix orders and kinds of events, so every
item is read by itself: one that makes no sense becomes `Unreadable`, its neighbours still count.
"""

from decimal import Decimal

import msgspec
from msgspec import Struct

from crosswire.domain import (
    Accepted,
    Amended,
    AnyEvent,
    BalancesRead,
    CashMoved,
    Closed,
    ClosedCause,
    Filled,
    Liquidity,
    OrderReported,
    OrdersRead,
    OrderType,
    Side,
    TimeInForce,
    Unreadable,
    VenueWarned,
)
from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode.market import instrument_id
from crosswire.venues.kraken.decode.text import FAULTS, money, money_or, money_or_none, time_ns

# Orders remembered; beyond it, the oldest that are over go first. A live order costs about
# 400 bytes; the venue allows at most 225 open orders a pair.
MAX_ORDERS = 20_000
ENDS: dict[str, ClosedCause] = {
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
}
SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
LIQUIDITY: dict[str | None, Liquidity] = {"m": "maker", "t": "taker"}
TIMES_IN_FORCE: dict[str, TimeInForce] = {"GTC": "gtc", "GTD": "gtd", "IOC": "ioc", "FOK": "fok"}
ORDER_TYPES: dict[str, OrderType] = {
    "limit": "limit",
    "market": "market",
    "iceberg": "iceberg",
    "stop-loss": "stop_loss",
    "stop-loss-limit": "stop_loss_limit",
    "take-profit": "take_profit",
    "take-profit-limit": "take_profit_limit",
    "trailing-stop": "trailing_stop",
    "trailing-stop-limit": "trailing_stop_limit",
    "settle-position": "settle_position",
}

_executions = msgspec.json.Decoder(wire.ExecutionsFrame)
_balances = msgspec.json.Decoder(wire.BalancesFrame)


class KnownOrder(Struct):
    """What the venue has said of one order so far."""

    client_order_id: str = ""
    symbol: str = ""
    side: str = ""
    quantity: int | None = None
    filled: int | None = None  # cumulative
    price: int | None = None
    order_type: str = "limit"
    time_in_force: str = "GTC"
    is_over: bool = False


class OrderMemory:
    """Orders by the venue's id, bounded."""

    def __init__(self, max_orders: int = MAX_ORDERS) -> None:
        self.orders: dict[str, KnownOrder] = {}
        self.max_orders = max_orders

    def learn(
        self, order_id: str, *, client_order_id: str = "", symbol: str = "", side: str = ""
    ) -> None:
        """Take in what an answer or a look-up tells; empty texts change nothing."""
        known = self._of(order_id)
        known.client_order_id = client_order_id or known.client_order_id
        known.symbol = symbol or known.symbol
        known.side = side or known.side

    def merge(self, item: wire.ExecutionItem) -> KnownOrder:
        """Add one event's fields to what is known of its order, and return that."""
        known = self._of(item.order_id)
        known.client_order_id = item.cl_ord_id or known.client_order_id
        known.symbol = item.symbol or known.symbol
        known.side = item.side or known.side
        if item.order_qty is not None:
            known.quantity = money(item.order_qty)
        known.order_type = item.order_type or known.order_type
        known.time_in_force = item.time_in_force or known.time_in_force
        if item.limit_price is not None and _is_static(item):
            known.price = money(item.limit_price)
        if item.cum_qty is not None:
            known.filled = max(money(item.cum_qty), known.filled or 0)
        return known

    def _of(self, order_id: str) -> KnownOrder:
        known = self.orders.get(order_id)
        if known is None:
            if len(self.orders) >= self.max_orders:
                self._shed()
            known = self.orders[order_id] = KnownOrder()
        return known

    def _shed(self) -> None:
        """Drop a tenth: the oldest orders that are over, then the oldest."""
        surplus = max(1, self.max_orders // 10)
        over = [order_id for order_id, known in self.orders.items() if known.is_over]
        for order_id in (over or list(self.orders))[:surplus]:
            del self.orders[order_id]


class Private:
    """Reads the private channels of one account."""

    def __init__(self, account: str, connection: str) -> None:
        self.account = account
        self.connection = connection
        self.memory = OrderMemory()
        # When the session asked for the snapshot that is to come; 0 = when it arrived.
        self.snapshot_started_ns = 0
        self.snapshot_venue_ns = 0
        # Whether the subscription asked for open orders, so that a snapshot has all of them.
        self.has_order_snapshot = True
        self.rate_count: int | None = None  # of the last frame, if it told of one order alone

    def executions(self, payload: bytes, recv_ns: int) -> list[AnyEvent]:
        """Return the events of an `executions` frame; raises one of `FAULTS` if it is none."""
        frame = _executions.decode(payload)
        events: list[AnyEvent] = []
        reported: list[OrderReported] = []
        is_snapshot = frame.type == "snapshot"
        is_whole = True
        count = frame.data[0].ratecount if len(frame.data) == 1 else None
        self.rate_count = None if count is None else int(count)
        # In a snapshot orders go first: its fills may name less of their order than they do.
        items = sorted(frame.data, key=_is_fill) if is_snapshot else frame.data
        for item in items:
            try:
                if is_snapshot and item.exec_type != "trade":
                    reported.append(self._report(item, recv_ns))
                else:
                    self._event(item, recv_ns, is_snapshot, events)
            except FAULTS as error:
                is_whole = False
                reason = f"execution of {item.order_id}: {error}"
                events.append(
                    Unreadable(recv_ns, self.account, self.connection, reason, is_private=True)
                )
        if is_snapshot and self.has_order_snapshot:
            started_ns = self.snapshot_started_ns or recv_ns
            # After its fills: whoever compares quantities must have booked them first.
            events.append(
                OrdersRead(
                    recv_ns,
                    self.account,
                    "open",
                    tuple(reported),
                    started_ns,
                    is_whole,
                    venue_ns=self.snapshot_venue_ns,
                )
            )
        return events

    def _event(
        self, item: wire.ExecutionItem, recv_ns: int, is_snapshot: bool, events: list[AnyEvent]
    ) -> None:
        kind = item.exec_type
        known = self.memory.merge(item)
        ids = (recv_ns, self.account, known.client_order_id, item.order_id)
        stamp = time_ns(item.timestamp)
        if kind in ("pending_new", "new"):
            events.append(Accepted(*ids, source="stream", venue_ns=stamp))
        elif kind in ("amended", "restated"):
            events.append(
                Amended(
                    *ids,
                    quantity=money_or_none(item.order_qty),
                    price=money_or_none(item.limit_price) if _is_static(item) else None,
                    source="stream",
                    venue_ns=stamp,
                )
            )
        elif kind == "trade":
            events.extend(self._fill(item, known, recv_ns, is_snapshot))
        elif kind not in ("filled", "canceled", "expired", "status", "iceberg_refill"):
            raise ValueError(f'unknown exec_type "{kind}"')
        if is_snapshot:
            return  # its fills say "filled" of themselves, not of their order
        cause = ENDS.get(kind) or ENDS.get(item.order_status)
        if cause is None:
            return
        known.is_over = True
        events.append(
            Closed(
                *ids,
                cause=cause,
                filled=_total(item, known, cause),
                reason=item.reason or item.cancel_reason or "",
                source="stream",
                venue_ns=stamp,
            )
        )

    def _fill(
        self, item: wire.ExecutionItem, known: KnownOrder, recv_ns: int, is_snapshot: bool
    ) -> list[AnyEvent]:
        if not item.exec_id or item.last_price is None or item.last_qty is None:
            raise ValueError("a fill without id, price or quantity")
        if not known.symbol or known.side not in SIDES:
            raise ValueError("a fill of an order whose symbol or side was never named")
        fees: dict[str, int] = {}
        for fee in item.fees or ():
            fees[fee.asset] = fees.get(fee.asset, 0) + money(fee.qty)
        asset, amount = next(iter(fees.items()), ("", 0))
        events: list[AnyEvent] = [
            Filled(
                recv_ns,
                self.account,
                known.client_order_id,
                item.order_id,
                instrument=instrument_id(known.symbol),
                side=SIDES[known.side],
                price=money(item.last_price),
                quantity=money(item.last_qty),
                fill_key=item.exec_id,
                fee=amount,
                fee_asset=asset,
                liquidity=LIQUIDITY.get(item.liquidity_ind, ""),
                source="snapshot" if is_snapshot else "stream",
                venue_ns=time_ns(item.timestamp),
            )
        ]
        if len(fees) > 1:
            text = f"fill {item.exec_id} has fees in several assets: {', '.join(fees)}"
            events.append(VenueWarned(recv_ns, self.account, text))
        return events

    def _report(self, item: wire.ExecutionItem, recv_ns: int) -> OrderReported:
        known = self.memory.merge(item)
        if not known.symbol or known.side not in SIDES:
            raise ValueError("an order whose symbol or side was never named")
        cause = ENDS.get(item.order_status)
        known.is_over = cause is not None
        return OrderReported(
            recv_ns,
            self.account,
            known.client_order_id,
            item.order_id,
            instrument_id(known.symbol),
            SIDES[known.side],
            quantity=known.quantity or 0,
            filled=known.filled or 0,
            is_open=cause is None,
            price=known.price if known.order_type != "market" else None,
            order_type=ORDER_TYPES.get(known.order_type, "limit"),
            time_in_force=TIMES_IN_FORCE.get(known.time_in_force.upper(), "gtc"),
            cause=cause,
            reason=item.reason or "",
            opened_ns=time_ns(item.timestamp),
        )

    def balances(self, payload: bytes, recv_ns: int) -> list[AnyEvent]:
        """Return `BalancesRead` for a snapshot, a `CashMoved` per row of an update."""
        frame = _balances.decode(payload)
        if frame.type == "snapshot":
            totals = tuple((item.asset, _spot(item)) for item in frame.data)
            return [BalancesRead(recv_ns, self.account, totals)]
        return [
            CashMoved(
                recv_ns,
                self.account,
                item.asset,
                amount=money_or(item.amount, 0),
                fee=money_or(item.fee, 0),
                balance=money(item.balance),
                kind=item.type,
                ref=item.ref_id,
                ledger_id=item.ledger_id,
                venue_ns=time_ns(item.timestamp),
            )
            for item in frame.data
        ]


def _is_fill(item: wire.ExecutionItem) -> bool:
    return item.exec_type == "trade"


def _is_static(item: wire.ExecutionItem) -> bool:
    """Whether `limit_price` is a price, not an offset."""
    return item.limit_price_type in (None, "static")


def _total(item: wire.ExecutionItem, known: KnownOrder, cause: ClosedCause) -> int | None:
    """The cumulative quantity at the end: what the event says, or what must follow."""
    if item.cum_qty is not None:
        return known.filled
    # A filled order whose fills so far add up to its total; otherwise the venue did not say.
    is_settled = cause == "filled" and known.filled == known.quantity
    return known.filled if is_settled else None


def _spot(item: wire.BalanceItem) -> int:
    """What can be traded: the spot wallets where wallets are listed, else the balance."""
    if not item.wallets:
        return money(item.balance)
    spot = [wallet.balance for wallet in item.wallets if wallet.type == "spot"]
    return money(sum(spot, Decimal(0)))
