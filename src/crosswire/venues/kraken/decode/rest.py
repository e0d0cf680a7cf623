"""REST answers -> typed results and domain events: pure and total.

`answer` reads any call into its struct; `Rest` turns an account's look-ups into events. A look-up
that failed in any way (an error's text, an HTTP page, a row that makes no sense) is `ReadFailed`
and says nothing about orders: a failed look-up is never an empty one.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from crosswire.domain import (
    BalancesRead,
    BookReset,
    CashMoved,
    Filled,
    Instrument,
    OrderReported,
    ReadFailed,
)
from crosswire.fixed import SCALE_DIGITS
from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode import errors
from crosswire.venues.kraken.decode.market import STATUSES, VENUE, instrument_id
from crosswire.venues.kraken.decode.names import Names
from crosswire.venues.kraken.decode.private import ENDS, ORDER_TYPES, SIDES, TIMES_IN_FORCE
from crosswire.venues.kraken.decode.text import FAULTS, money, money_or, unix_ns

T = TypeVar("T")
# Rows a page of ClosedOrders, TradesHistory or Ledgers holds at most.
PAGE = 50
_envelope = msgspec.json.Decoder(wire.RestEnvelope)


class Answer(Struct, Generic[T], frozen=True):
    """What a REST call came to. `result` is None exactly where `verdict` is not ""."""

    result: T | None
    verdict: errors.Verdict  # "": it worked
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The errors in one line."""
        return "; ".join(self.errors)


class OrdersPage(Struct, frozen=True):
    """Orders of one look-up, or of one page of it."""

    orders: tuple[OrderReported, ...]
    total: int | None = None  # rows in all pages, where the venue counted them


class FillsPage(Struct, frozen=True):
    """One page of our fills, as the venue ordered them."""

    fills: tuple[Filled, ...]
    total: int | None = None


class CashPage(Struct, frozen=True):
    """One page of the ledger."""

    rows: tuple[CashMoved, ...]
    total: int | None = None


def answer(status: int, body: bytes, kind: type[T]) -> Answer[T]:
    """Read a call's answer as `kind`, one of the structs `wire.Rest...` (or a dict of them).

    A 5xx, an error page or an unreadable result is of unknown outcome; 429 is transient.
    """
    try:
        envelope = _envelope.decode(body)
    except FAULTS:
        verdict: errors.Verdict = "transient" if status == 429 else "unknown"
        return Answer(None, verdict, (f"HTTP {status} without a readable answer",))
    texts = tuple(text for text in envelope.error if not text.startswith("W"))
    warnings = tuple(text for text in envelope.error if text.startswith("W"))
    if texts:
        return Answer(None, errors.classify_all(texts), texts, warnings)
    if status >= 400:
        return Answer(None, "unknown", (f"HTTP {status}",), warnings)
    try:
        result = msgspec.json.decode(envelope.result or b"null", type=kind)
    except FAULTS as error:
        return Answer(None, "unknown", (f"unreadable result: {error}",), warnings)
    return Answer(result, "", (), warnings)


def instruments(rows: Mapping[str, wire.RestAssetPair], names: Names) -> tuple[Instrument, ...]:
    """Return the instruments of AssetPairs with the fees of the first tier; too fine ones go.

    `names` learns the pairs first. Rows without `wsname` (dark pool) are left out.
    """
    names.learn_pairs(rows)
    found: list[Instrument] = []
    for row in rows.values():
        try:
            instrument = _instrument(row, names)
        except FAULTS:
            continue  # numbers finer than ours: such a pair cannot be traded here
        if instrument is not None:
            found.append(instrument)
    return tuple(found)


def _instrument(row: wire.RestAssetPair, names: Names) -> Instrument | None:
    if not row.wsname or "/" not in row.wsname:
        return None
    if max(row.pair_decimals, row.lot_decimals) > SCALE_DIGITS:
        return None
    name = names.pair(row.wsname)
    base, quote = name.split("/", 1)
    tick = row.tick_size
    taker = row.fees[0][1] if row.fees else Decimal(0)
    return Instrument(
        id=instrument_id(name),
        venue=VENUE,
        name=name,
        kind="spot",
        base=base,
        quote=quote,
        price_tick=money(Decimal(1).scaleb(-row.pair_decimals) if tick is None else tick),
        quantity_step=money(Decimal(1).scaleb(-row.lot_decimals)),
        price_decimals=row.pair_decimals,
        quantity_decimals=row.lot_decimals,
        min_quantity=money_or(row.ordermin, 0),
        min_notional=money_or(row.costmin, 0),
        status=STATUSES.get(row.status, "off"),
        maker_fee=percent(row.fees_maker[0][1] if row.fees_maker else taker),
        taker_fee=percent(taker),
    )


def percent(number: Decimal) -> int:
    """Return a percentage as a fixed-point fraction: 0.26 -> 0.0026."""
    return money(number) // 100


def fees(volume: wire.RestTradeVolume, names: Names) -> dict[str, tuple[int, int]]:
    """Return instrument id -> (maker, taker) fractions of TradeVolume; unreadable rows go."""
    takers, makers = volume.fees or {}, volume.fees_maker or {}
    found = {}
    for pair, taker in takers.items():
        try:
            both = (percent(makers.get(pair, taker).fee), percent(taker.fee))
        except FAULTS:
            continue
        found[instrument_id(names.pair(pair))] = both
    return found


def books(rows: Mapping[str, wire.RestBook], names: Names, recv_ns: int) -> tuple[BookReset, ...]:
    """Return Depth's books, without a checksum: a picture for people, not for trading on."""
    found = []
    for pair, row in rows.items():
        try:
            bids = tuple([(money(price), money(quantity)) for price, quantity, _ in row.bids])
            asks = tuple([(money(price), money(quantity)) for price, quantity, _ in row.asks])
        except FAULTS:
            continue
        found.append(BookReset(recv_ns, instrument_id(names.pair(pair)), bids, asks))
    return tuple(found)


class Rest:
    """Reads one account's look-ups. Methods take an answer's status, body and our clock."""

    def __init__(self, account: str, names: Names) -> None:
        self.account = account
        self.names = names

    def open_orders(self, status: int, body: bytes, recv_ns: int) -> OrdersPage | ReadFailed:
        """Return OpenOrders: always all of them, there are no pages."""
        got = answer(status, body, wire.RestOpenOrders)
        if got.result is None:
            return self._failed(recv_ns, "open_orders", got.reason)
        return self._orders("open_orders", got.result.open, None, recv_ns)

    def closed_orders(self, status: int, body: bytes, recv_ns: int) -> OrdersPage | ReadFailed:
        """Return one page of ClosedOrders."""
        got = answer(status, body, wire.RestClosedOrders)
        if got.result is None:
            return self._failed(recv_ns, "closed_orders", got.reason)
        total = got.result.count
        return self._orders("closed_orders", got.result.closed, total, recv_ns)

    def query_orders(self, status: int, body: bytes, recv_ns: int) -> OrdersPage | ReadFailed:
        """Return QueryOrders: the orders asked for by id, open or not."""
        got = answer(status, body, dict[str, wire.RestOrder])
        if got.result is None:
            return self._failed(recv_ns, "orders", got.reason)
        return self._orders("orders", got.result, None, recv_ns)

    def trades_history(self, status: int, body: bytes, recv_ns: int) -> FillsPage | ReadFailed:
        """Return one page of TradesHistory."""
        got = answer(status, body, wire.RestTradesHistory)
        if got.result is None:
            return self._failed(recv_ns, "fills", got.reason)
        return self._fills(got.result.trades, got.result.count, recv_ns)

    def query_trades(self, status: int, body: bytes, recv_ns: int) -> FillsPage | ReadFailed:
        """Return QueryTrades."""
        got = answer(status, body, dict[str, wire.RestTrade])
        if got.result is None:
            return self._failed(recv_ns, "fills", got.reason)
        return self._fills(got.result, None, recv_ns)

    def balances(self, status: int, body: bytes, recv_ns: int) -> BalancesRead | ReadFailed:
        """Return Balance or BalanceEx: totals per asset in the venue's v2 names.

        Spellings of one asset are added up, so that nothing is overwritten.
        """
        got = answer(status, body, dict[str, Decimal | wire.RestBalance])
        if got.result is None:
            return self._failed(recv_ns, "balances", got.reason)
        totals: dict[str, int] = {}
        try:
            for spelling, row in got.result.items():
                asset = self.names.asset(spelling)
                number = row.balance if isinstance(row, wire.RestBalance) else row
                totals[asset] = totals.get(asset, 0) + money(number)
        except FAULTS as error:
            return self._failed(recv_ns, "balances", f"{spelling}: {error}")
        return BalancesRead(recv_ns, self.account, tuple(totals.items()), source="lookup")

    def ledgers(self, status: int, body: bytes, recv_ns: int) -> CashPage | ReadFailed:
        """Return one page of Ledgers."""
        got = answer(status, body, wire.RestLedgers)
        if got.result is None:
            return self._failed(recv_ns, "ledger", got.reason)
        rows = []
        try:
            for ledger_id, row in got.result.ledger.items():
                rows.append(self._cash(ledger_id, row, recv_ns))
            return CashPage(tuple(rows), _count(got.result.count))
        except FAULTS as error:
            return self._failed(recv_ns, "ledger", f"{ledger_id}: {error}")

    def _failed(self, recv_ns: int, what: str, reason: str) -> ReadFailed:
        return ReadFailed(recv_ns, self.account, what, reason)

    def _orders(
        self,
        what: str,
        rows: Mapping[str, wire.RestOrder],
        total: int | str | None,
        recv_ns: int,
    ) -> OrdersPage | ReadFailed:
        orders = []
        order_id = ""
        try:
            for order_id, row in rows.items():
                orders.append(self._order(order_id, row, recv_ns))
            return OrdersPage(tuple(orders), _count(total))
        except FAULTS as error:
            return self._failed(recv_ns, what, f"order {order_id}: {error}")

    def _order(self, order_id: str, row: wire.RestOrder, recv_ns: int) -> OrderReported:
        side = SIDES.get(row.descr.type)
        if side is None or not row.descr.pair:
            raise ValueError("its description names no pair and side")
        cause = ENDS.get("filled" if row.status == "closed" else row.status)
        if cause is None and row.status not in ("open", "pending"):
            raise ValueError(f'unknown status "{row.status}"')
        return OrderReported(
            recv_ns,
            self.account,
            row.cl_ord_id or "",
            order_id,
            instrument_id(self.names.pair(row.descr.pair)),
            side,
            quantity=money(row.vol),
            filled=money(row.vol_exec),
            is_open=cause is None,
            price=_limit_price(row.descr),
            order_type=ORDER_TYPES.get(row.descr.ordertype, "limit"),
            time_in_force=TIMES_IN_FORCE.get((row.timeinforce or "GTC").upper(), "gtc"),
            cause=cause,
            reason=row.reason or "",
            opened_ns=unix_ns(row.opentm),
            closed_ns=unix_ns(row.closetm),
            source="lookup",
        )

    def _fills(
        self, rows: Mapping[str, wire.RestTrade], total: int | str | None, recv_ns: int
    ) -> FillsPage | ReadFailed:
        fills = []
        key = ""
        try:
            for key, row in rows.items():
                fills.append(self._fill(key, row, recv_ns))
            return FillsPage(tuple(fills), _count(total))
        except FAULTS as error:
            return self._failed(recv_ns, "fills", f"fill {key}: {error}")

    def _fill(self, key: str, row: wire.RestTrade, recv_ns: int) -> Filled:
        side = SIDES.get(row.type)
        if side is None:
            raise ValueError(f'unknown side "{row.type}"')
        pair = self.names.pair(row.pair)
        return Filled(
            recv_ns,
            self.account,
            "",
            row.ordertxid,
            instrument=instrument_id(pair),
            side=side,
            price=money(row.price),
            quantity=money(row.vol),
            fill_key=key,
            fee=money(row.fee),
            fee_asset=pair.partition("/")[2],  # REST states fees in the quote asset
            liquidity="" if row.maker is None else "maker" if row.maker else "taker",
            source="lookup",
            venue_ns=unix_ns(row.time),
        )

    def _cash(self, ledger_id: str, row: wire.RestLedgerRow, recv_ns: int) -> CashMoved:
        return CashMoved(
            recv_ns,
            self.account,
            self.names.asset(row.asset),
            amount=money(row.amount),
            fee=money(row.fee),
            balance=money(row.balance),
            kind=row.type,
            ref=row.refid or "",
            ledger_id=ledger_id,
            venue_ns=unix_ns(row.time),
        )


def _count(total: int | str | None) -> int | None:
    return None if total is None else int(total)


def _limit_price(description: wire.RestDescription) -> int | None:
    """The limit price, where the type has one and it is not relative text (+1.0000%)."""
    kind = description.ordertype
    # With a trigger, `price` is the trigger and `price2` the limit.
    text = description.price2 if kind.endswith("-limit") else description.price
    if kind not in ("limit", "iceberg") and not kind.endswith("-limit"):
        return None
    if not text or not text[0].isdecimal():
        return None
    return money(Decimal(text)) or None
