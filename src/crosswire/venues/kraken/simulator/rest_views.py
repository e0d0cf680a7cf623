"""The private REST calls that read: orders, trades, ledger, balances.

They show orders and money as they were `views_behind_s` ago, where that fault is set; now and
then one read is less behind, so that the next one seems to go back in time.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from crosswire.sim.ledger import CashRow
from crosswire.venues.kraken.simulator.access import Tokens
from crosswire.venues.kraken.simulator.accounts import Account, Fill, OrderRecord, hold
from crosswire.venues.kraken.simulator.exchange import Exchange
from crosswire.venues.kraken.simulator.markets import (
    MAKER_FEES,
    TAKER_FEES,
    Asset,
    fee_percent,
    find,
    rest_key,
)
from crosswire.venues.kraken.simulator.positions import position_row, trade_balance
from crosswire.venues.kraken.simulator.rest_public import UNKNOWN_PAIR, percent
from crosswire.venues.kraken.simulator.rest_rows import amend_row, ledger_row, order_row, trade_row
from crosswire.venues.kraken.simulator.text import ONE, SECOND, fixed, scaled
from crosswire.venues.kraken.simulator.wishes import ARGUMENTS, UnfitError, is_true, same_id

T = TypeVar("T")
Fields = Mapping[str, object]
Call = Callable[[Account, Fields, int], object]
PAGE = 50
INVALID_ORDER = "EOrder:Invalid order"


class Views:
    """What a client may read of its own account."""

    def __init__(self, exchange: Exchange, tokens: Tokens) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._behind_ns = 0  # of the read that is being answered
        self.calls: dict[str, Call] = {
            "Balance": self._balance,
            "BalanceEx": self._balance_ex,
            "TradeBalance": self._trade_balance,
            "OpenOrders": self._open_orders,
            "ClosedOrders": self._closed_orders,
            "QueryOrders": self._query_orders,
            "OrderAmends": self._order_amends,
            "TradesHistory": self._trades_history,
            "QueryTrades": self._query_trades,
            "OpenPositions": self._open_positions,
            "Ledgers": self._ledgers,
            "QueryLedgers": self._query_ledgers,
            "TradeVolume": self._trade_volume,
            "GetWebSocketsToken": self._token,
        }

    def fix_lag(self) -> None:
        """Decide how far the read that follows is behind."""
        chance = self._exchange.chance
        self._behind_ns = chance.faults.views_behind_ns
        if self._behind_ns and chance.strikes("lookup_jumps"):
            self._behind_ns = chance.draws("lookup_jumps").randrange(self._behind_ns)

    def _token(self, account: Account, fields: Fields, now_ns: int) -> object:
        return {"token": self._tokens.issue(account.name, now_ns), "expires": 900}

    # --- money ---------------------------------------------------------------------------------

    def _asset(self, name: str) -> Asset:
        return self._exchange.assets.get(name) or Asset(name, name, name, 10, 5)

    def _balances(self, account: Account, now_ns: int) -> dict[str, int]:
        """The account's totals as REST shows them now."""
        found = dict(account.balances)
        for row in reversed(account.cash):
            if row.at_ns <= now_ns - self._behind_ns:
                break
            found[row.asset] -= row.amount - row.fee
        return found

    def _balance(self, account: Account, fields: Fields, now_ns: int) -> object:
        found = {}
        for name, held in self._balances(account, now_ns).items():
            asset = self._asset(name)
            found[asset.rest_name] = fixed(held, asset.decimals)
        return found

    def _balance_ex(self, account: Account, fields: Fields, now_ns: int) -> object:
        found = {}
        orders = self.orders(account, now_ns, is_open=True)
        orders = [record for record in orders if record.is_open]
        for name, total in self._balances(account, now_ns).items():
            asset = self._asset(name)
            held = sum(hold(record, name, account) for record in orders)
            found[asset.rest_name] = {
                "balance": fixed(total, asset.decimals),
                "hold_trade": fixed(held, asset.decimals),
            }
        return found

    def _trade_balance(self, account: Account, fields: Fields, now_ns: int) -> object:
        return trade_balance(account, self._exchange.prices())

    # --- orders --------------------------------------------------------------------------------

    def orders(self, account: Account, now_ns: int, *, is_open: bool = False) -> list[OrderRecord]:
        """The account's orders (or the open ones) as REST shows them now, oldest first."""
        if not self._behind_ns:
            return list((account.open if is_open else account.orders).values())
        return [
            seen
            for record in account.orders.values()
            if not (is_open and 0 < record.closed_ns <= now_ns - self._behind_ns)
            and (seen := _as_it_was(record, now_ns - self._behind_ns)) is not None
        ]

    def fills(self, account: Account, now_ns: int) -> list[Fill]:
        latest_ns = now_ns - self._behind_ns
        return [fill for fill in account.fills if fill.at_ns <= latest_ns]

    def _open_orders(self, account: Account, fields: Fields, now_ns: int) -> object:
        has_trades = is_true(fields.get("trades"))
        rows = {
            record.id: order_row(record, has_trades=has_trades)
            for record in reversed(self.orders(account, now_ns, is_open=True))
            if record.is_open and _matches(record, fields)
        }
        return {"open": rows}

    def _closed_orders(self, account: Account, fields: Fields, now_ns: int) -> object:
        by = str(fields.get("closetime") or "both")
        records = [
            record
            for record in reversed(self.orders(account, now_ns))
            if not record.is_open
            and _matches(record, fields)
            and _within(self._moments(record, by), self._span(account, fields))
        ]
        records.sort(key=lambda record: -record.closed_ns)  # newest first, ties too
        has_trades = is_true(fields.get("trades"))
        rows = {
            record.id: order_row(record, has_trades=has_trades) for record in _page(records, fields)
        }
        return {"closed": rows} | _count(records, fields)

    def _moments(self, record: OrderRecord, by: str) -> list[int]:
        if by == "open":
            return [record.opened_ns]
        return [record.closed_ns] if by == "close" else [record.opened_ns, record.closed_ns]

    def _span(self, account: Account, fields: Fields) -> tuple[int, int]:
        """(after, until) in nanoseconds, from unix seconds or an order's or trade's id."""
        return self._bound(account, fields, "start", 0), self._bound(account, fields, "end", 2**63)

    def _bound(self, account: Account, fields: Fields, name: str, default: int) -> int:
        text = str(fields.get(name) or "")
        record = account.orders.get(text)
        if record is not None:
            return record.opened_ns
        for fill in account.fills:
            if fill.exec_id == text:
                return fill.at_ns
        seconds = scaled(text) if text else None
        return default if seconds is None else seconds * SECOND // ONE

    def _query_orders(self, account: Account, fields: Fields, now_ns: int) -> object:
        ids = [part for part in str(fields.get("txid") or "").split(",") if part]
        if not 1 <= len(ids) <= PAGE:
            raise UnfitError(f"{ARGUMENTS}:txid")
        seen = {record.id: record for record in self.orders(account, now_ns)}
        if not any(order_id in account.orders for order_id in ids):
            raise UnfitError(INVALID_ORDER)
        has_trades = is_true(fields.get("trades"))
        return {
            order_id: order_row(seen[order_id], has_trades=has_trades)
            for order_id in ids
            if order_id in seen and _matches(seen[order_id], fields)
        }

    def _order_amends(self, account: Account, fields: Fields, now_ns: int) -> object:
        record = account.orders.get(str(fields.get("order_id") or ""))
        if record is None:
            raise UnfitError(INVALID_ORDER)
        rows = [amend_row(change, record) for change in record.changes]
        return {"count": len(rows), "amends": rows}

    # --- trades and ledger ---------------------------------------------------------------------

    def _trades_history(self, account: Account, fields: Fields, now_ns: int) -> object:
        after_ns, until_ns = self._span(account, fields)
        fills = [
            fill
            for fill in reversed(self.fills(account, now_ns))
            if after_ns < fill.at_ns <= until_ns
        ]
        rows = {fill.exec_id: trade_row(fill) for fill in _page(fills, fields)}
        return {"trades": rows} | _count(fills, fields)

    def _query_trades(self, account: Account, fields: Fields, now_ns: int) -> object:
        ids = str(fields.get("txid") or "").split(",")
        if not 1 <= len(ids) <= 20 or not ids[0]:
            raise UnfitError(f"{ARGUMENTS}:txid")
        fills = {fill.exec_id: fill for fill in self.fills(account, now_ns)}
        return {one: trade_row(fills[one]) for one in ids if one in fills}

    def _ledgers(self, account: Account, fields: Fields, now_ns: int) -> object:
        after_ns, until_ns = self._span(account, fields)
        until_ns = min(until_ns, now_ns - self._behind_ns)
        kind = str(fields.get("type") or "all")
        rows = [
            row
            for row in reversed(account.cash)
            if after_ns < row.at_ns <= until_ns and kind in {"all", row.kind}
        ]
        return {"ledger": self._ledger_rows(_page(rows, fields))} | _count(rows, fields)

    def _query_ledgers(self, account: Account, fields: Fields, now_ns: int) -> object:
        ids = set(str(fields.get("id") or "").split(","))
        return self._ledger_rows(row for row in account.cash if row.ledger_id in ids)

    def _ledger_rows(self, rows: Iterable[CashRow]) -> dict[str, object]:
        return {row.ledger_id: ledger_row(row, self._asset(row.asset)) for row in rows}

    def _open_positions(self, account: Account, fields: Fields, now_ns: int) -> object:
        markets, prices = self._exchange.markets, self._exchange.prices()
        return {
            position.id: position_row(position, markets[symbol], prices[symbol])
            for symbol, position in account.positions.items()
        }

    def _trade_volume(self, account: Account, fields: Fields, now_ns: int) -> object:
        found: dict[str, object] = {"currency": "ZUSD", "volume": fixed(account.volume, 4)}
        asked = [name for name in str(fields.get("pair") or "").split(",") if name]
        taker: dict[str, object] = {}
        maker: dict[str, object] = {}
        for name in asked:
            market = find(self._exchange.markets, name)
            if market is None:
                raise UnfitError(UNKNOWN_PAIR)
            key = rest_key(market, name)
            taker[key] = _fee_row(TAKER_FEES, account.volume)
            maker[key] = _fee_row(MAKER_FEES, account.volume)
        return found | ({"fees": taker, "fees_maker": maker} if asked else {})


def _as_it_was(record: OrderRecord, at_ns: int) -> OrderRecord | None:
    """The order as of a moment; None before it existed.

    Where its states were not kept yet (the fault was switched on later), the oldest known.
    """
    if record.opened_ns > at_ns:
        return None
    kept = [one for then_ns, one in record.versions if then_ns <= at_ns]
    if kept:
        return kept[-1]
    return record.versions[0][1] if record.versions else record


def _fee_row(schedule: tuple[tuple[int, str], ...], volume: int) -> dict[str, object]:
    later = [row for row in schedule if row[0] > volume // ONE]
    now = [row for row in schedule if row[0] <= volume // ONE]

    def text(value: str) -> str:
        return bytes(percent(value)).decode()

    return {
        "fee": text(fee_percent(schedule, volume // ONE)),
        "minfee": text(schedule[-1][1]),
        "maxfee": text(schedule[0][1]),
        "nextfee": text(later[0][1]) if later else None,
        "nextvolume": f"{later[0][0]}.0000" if later else None,
        "tiervolume": f"{now[-1][0]}.0000",
    }


def _matches(record: OrderRecord, fields: Fields) -> bool:
    """The filters REST knows; it ignores any other parameter without a word."""
    wanted, tag = fields.get("cl_ord_id"), fields.get("userref")
    if wanted and same_id(record.wish.cl_ord_id) != same_id(str(wanted)):
        return False
    return not tag or str(record.wish.userref) == str(tag)


def _within(moments: Iterable[int], span: tuple[int, int]) -> bool:
    return any(span[0] < at_ns <= span[1] for at_ns in moments)


def _page(rows: list[T], fields: Fields) -> list[T]:
    text = str(fields.get("ofs") or "0")
    first = int(text) if text.isascii() and text.isdecimal() else 0
    return rows[first : first + PAGE]


def _count(
    rows: list[OrderRecord] | list[Fill] | list[CashRow], fields: Fields
) -> dict[str, object]:
    return {} if is_true(fields.get("without_count")) else {"count": len(rows)}
