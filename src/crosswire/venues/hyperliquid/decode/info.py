"""Answers of /info -> typed results and domain events: pure and total, by REST or as posts.

`answer` and `posted` read any question's answer into its struct; `Lookups` turns an account's into
events. A look-up that failed in any way is `ReadFailed` and says nothing about orders: a failed
look-up is never an empty one.
"""

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from crosswire.domain import BalancesRead, Filled, OrderReported, ReadFailed
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import errors, fills, orders
from crosswire.venues.hyperliquid.decode.text import FAULTS, money, noisy, time_ns
from crosswire.venues.hyperliquid.listings import Listings, spot_name

T = TypeVar("T")
MAX_FILLS = 2_000  # rows of one page of userFills and userFillsByTime
MAX_HISTORY = 2_000  # rows of historicalOrders; what came before cannot be read any more
_payload = msgspec.json.Decoder(wire.InfoPayload)
# What reads the answer to which question.
SHAPES: dict[str, Any] = {
    "activeAssetData": wire.ActiveAssetData,
    "allMids": dict[str, str],
    "candleSnapshot": list[wire.Candle],
    "clearinghouseState": wire.ClearinghouseState,
    "exchangeStatus": wire.ExchangeStatus,
    "extraAgents": list[wire.Agent],
    "frontendOpenOrders": list[wire.Order],
    "historicalOrders": list[wire.OrderUpdate],
    "l2Book": wire.Book | None,
    "maxBuilderFee": int,
    "meta": wire.Meta,
    "metaAndAssetCtxs": tuple[wire.Meta, list[wire.PerpContext]],
    "openOrders": list[wire.Order],
    "orderStatus": wire.OrderStatus,
    "perpDexs": list[wire.PerpDex | None],
    "spotClearinghouseState": wire.SpotState,
    "spotMeta": wire.SpotMeta,
    "spotMetaAndAssetCtxs": tuple[wire.SpotMeta, list[wire.SpotContext]],
    "subAccounts": list[wire.SubAccount] | None,
    "subAccounts2": list[wire.SubAccount] | None,
    "tokenDetails": wire.Token,
    "userFees": wire.UserFees,
    "userFills": list[wire.Fill],
    "userFillsByTime": list[wire.Fill],
    "userFunding": list[wire.LedgerRow],
    "userNonFundingLedgerUpdates": list[wire.LedgerRow],
    "userRateLimit": wire.RateLimit,
    "userRole": wire.UserRole,
}


class Answer(Struct, Generic[T], frozen=True):
    """What a question came to; `result` is None exactly where there is an `error`."""

    result: T | None
    error: str = ""
    is_transient: bool = False  # a limit: waiting cures it


class OrdersPage(Struct, frozen=True):
    """Orders of one look-up. `is_cut` if the venue may have more than it showed."""

    orders: tuple[OrderReported, ...]
    is_cut: bool = False


class FillsPage(Struct, frozen=True):
    """One page of our fills, as the venue ordered them; ask on from the last one's time."""

    fills: tuple[Filled, ...]
    is_cut: bool = False


class OrderUnknown(Struct, frozen=True):
    """orderStatus does not know the order: not yet proof that it never arrived."""


class Position(Struct, frozen=True):
    """One perp position; below zero it is short."""

    instrument: str
    quantity: int
    entry_price: int
    margin: int


class Perps(Struct, frozen=True):
    """An account's perps on one dex, in the dex's collateral.

    `cash` is what the account would be worth without the profit of its open positions.
    """

    positions: tuple[Position, ...]
    account_value: int
    withdrawable: int
    venue_ns: int
    cash: int


def answer(status: int, body: bytes, kind: type[T]) -> Answer[T]:
    """Read a REST answer as `kind`. An HTTP error says nothing about what was asked."""
    if status != 200:
        text = f"HTTP {status}"
        return Answer(None, text, errors.classify_transport(str(status)) == "transient")
    return _decoded(body, kind)


def posted(payload: bytes, kind: type[T]) -> Answer[T]:
    """Read the payload of a post's answer as `kind`: it is wrapped once more than by REST."""
    try:
        inner = bytes(_payload.decode(payload).data)
    except FAULTS as error:
        return Answer(None, f"unreadable: {error}")
    return _decoded(inner, kind)


def _decoded(body: bytes, kind: type[T]) -> Answer[T]:
    try:
        result = msgspec.json.decode(body, type=kind)
    except FAULTS as error:
        return Answer(None, f"unreadable: {error}")
    return Answer(None, "null") if result is None else Answer(result)


def _spot_totals(rows: list[wire.SpotBalance]) -> list[tuple[str, int]]:
    """Return the totals by name: of tokens that share one, the lowest index keeps it."""
    totals: dict[str, int] = {}
    for row in sorted(rows, key=lambda each: each.token):
        name = spot_name(row.coin)
        if name in totals:
            name = f"{name}#{row.token}"
        if name in totals:
            raise ValueError(f"the token {name} twice")
        totals[name] = money(row.total)
    return list(totals.items())


def fee_rates(fees: wire.UserFees) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (maker, taker) fractions of perps, then of spot; `ValueError` for no numbers."""
    perp = noisy(fees.user_add_rate), noisy(fees.user_cross_rate)
    if fees.user_spot_add_rate is None or fees.user_spot_cross_rate is None:
        return perp, perp
    return perp, (noisy(fees.user_spot_add_rate), noisy(fees.user_spot_cross_rate))


class Lookups:
    """Reads one account's look-ups. Methods take an answer and our clock."""

    def __init__(self, account: str, listings: Listings) -> None:
        self.account = account
        self.listings = listings

    def open_orders(self, got: Answer[list[wire.Order]], recv_ns: int) -> OrdersPage | ReadFailed:
        """Return frontendOpenOrders of one dex: all of that dex, none of another."""
        if got.result is None:
            return self._failed("open_orders", got.error, recv_ns)
        rows = [wire.OrderUpdate(row, "open") for row in got.result]
        return self._orders("open_orders", rows, recv_ns)

    def history(self, got: Answer[list[wire.OrderUpdate]], recv_ns: int) -> OrdersPage | ReadFailed:
        """Return historicalOrders: one row per order, its last; open ones among them go.

        Of an open order the history shows the size of its beginning.
        """
        if got.result is None:
            return self._failed("closed_orders", got.error, recv_ns)
        rows = [row for row in orders.latest(got.result) if orders.meaning(row.status) != "open"]
        return self._orders("closed_orders", rows, recv_ns, len(got.result) >= MAX_HISTORY)

    def order_status(
        self, got: Answer[wire.OrderStatus], recv_ns: int
    ) -> OrderReported | OrderUnknown | ReadFailed:
        """Return what the venue knows of one order."""
        if got.result is None:
            return self._failed("order", got.error, recv_ns)
        row = got.result.order
        if got.result.status == "unknownOid":
            return OrderUnknown()
        if got.result.status != "order" or row is None:
            return self._failed("order", f'status "{got.result.status}"', recv_ns)
        page = self._orders("order", [row], recv_ns)
        return page if isinstance(page, ReadFailed) else page.orders[0]

    def fills(self, got: Answer[list[wire.Fill]], recv_ns: int) -> FillsPage | ReadFailed:
        """Return one page of userFills or userFillsByTime."""
        if got.result is None:
            return self._failed("fills", got.error, recv_ns)
        rows = got.result
        try:
            found = [
                fills.fill(row, self.account, self.listings, recv_ns, "lookup") for row in rows
            ]
        except FAULTS as error:
            return self._failed("fills", str(error), recv_ns)
        return FillsPage(tuple(found), len(rows) >= MAX_FILLS)

    def balances(self, got: Answer[wire.SpotState], recv_ns: int) -> BalancesRead | ReadFailed:
        """Return spotClearinghouseState: the totals of each token, dollars as `spot:USDC`.

        Of a portfolio-margin account they are its collateral too: that is not read here.
        """
        if got.result is None:
            return self._failed("balances", got.error, recv_ns)
        if got.result.portfolio_margin_enabled:
            return self._failed("balances", "a portfolio-margin account", recv_ns)
        try:
            totals = _spot_totals(got.result.balances)
        except FAULTS as error:
            return self._failed("balances", str(error), recv_ns)
        return BalancesRead(recv_ns, self.account, tuple(totals), source="lookup")

    def perps(self, got: Answer[wire.ClearinghouseState], recv_ns: int) -> Perps | ReadFailed:
        """Return clearinghouseState of one dex."""
        if got.result is None:
            return self._failed("positions", got.error, recv_ns)
        state = got.result
        try:
            held = [self._position(each.position) for each in state.asset_positions]
            value = noisy(state.margin_summary.account_value)
            profit = sum(noisy(each.position.unrealized_pnl) for each in state.asset_positions)
            left, stamp = noisy(state.withdrawable), time_ns(state.time)
            return Perps(tuple(held), value, left, stamp, value - profit)
        except FAULTS as error:
            return self._failed("positions", str(error), recv_ns)

    def _position(self, row: wire.Position) -> Position:
        return Position(
            self.listings.instrument_id(row.coin),
            money(row.szi),
            noisy(row.entry_px),
            noisy(row.margin_used),
        )

    def _orders(
        self, what: str, rows: list[wire.OrderUpdate], recv_ns: int, is_cut: bool = False
    ) -> OrdersPage | ReadFailed:
        found = []
        for row in rows:
            try:
                found.append(orders.report(row, self.account, self.listings, recv_ns, "lookup"))
            except FAULTS as error:
                return self._failed(what, f"order {row.order.oid}: {error}", recv_ns)
        return OrdersPage(tuple(found), is_cut)

    def _failed(self, what: str, reason: str, recv_ns: int) -> ReadFailed:
        return ReadFailed(recv_ns, self.account, what, reason)
