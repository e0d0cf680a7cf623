"""Look-ups: what they show, and that a failed one is never an empty one."""

import json
from typing import Any

import msgspec
import pytest

from crosswire.domain import BalancesRead, OrderReported, ReadFailed
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.info import (
    Answer,
    FillsPage,
    Lookups,
    OrdersPage,
    OrderUnknown,
    Perps,
    Position,
)
from tests.hyperliquid_world import NOW_MS, NOW_NS, OWN_ID, listings, vectors

ROW = {
    "coin": "ETH",
    "side": "B",
    "limitPx": "1100.0",
    "sz": "0.15",
    "oid": 77,
    "timestamp": NOW_MS,
    "origSz": "0.2",
    "orderType": "Limit",
    "tif": "Alo",
    "cloid": "0x" + OWN_ID,
}
FILL = {"coin": "ETH", "px": "1.5", "sz": "2", "side": "B", "time": NOW_MS, "oid": 7, "tid": 8}


def lookups() -> Lookups:
    return Lookups("main", listings())


def answered(question: str, value: Any) -> Answer[Any]:
    return info.answer(200, json.dumps(value).encode(), info.SHAPES[question])


def history_row(status: str, stamp: int, **changes: Any) -> dict[str, Any]:
    return {"order": {**ROW, **changes}, "status": status, "statusTimestamp": stamp}


def test_open_orders_show_what_remains() -> None:
    page = lookups().open_orders(answered("frontendOpenOrders", [ROW]), NOW_NS)
    assert isinstance(page, OrdersPage)
    [order] = page.orders
    assert (order.client_order_id, order.venue_order_id) == (OWN_ID, "77")
    assert (order.quantity, order.filled) == (parse("0.2"), parse("0.05"))
    assert (order.is_open, order.source, page.is_cut) == (True, "lookup", False)


def test_a_history_shows_ends_only_and_says_when_it_is_cut() -> None:
    rows = [
        history_row("open", 5),
        history_row("canceled", 9),
        history_row("open", 3, oid=78),
        history_row("perpMarginRejected", 3, oid=79),
    ]
    page = lookups().history(answered("historicalOrders", rows), NOW_NS)
    assert isinstance(page, OrdersPage)
    ended = [(order.venue_order_id, order.cause, order.filled) for order in page.orders]
    assert ended == [("77", "canceled", parse("0.05")), ("79", "rejected", 0)]
    assert page.orders[1].reason == "perpMarginRejected"
    assert not page.is_cut
    full = [history_row("canceled", 9, oid=number) for number in range(info.MAX_HISTORY)]
    whole = lookups().history(answered("historicalOrders", full), NOW_NS)
    assert isinstance(whole, OrdersPage)
    assert whole.is_cut


def test_one_order_is_found_unknown_or_not_told() -> None:
    found = {"status": "order", "order": history_row("open", 5)}
    order = lookups().order_status(answered("orderStatus", found), NOW_NS)
    assert isinstance(order, OrderReported)
    unknown = answered("orderStatus", {"status": "unknownOid"})
    assert lookups().order_status(unknown, NOW_NS) == OrderUnknown()
    odd = lookups().order_status(answered("orderStatus", {"status": "odd"}), NOW_NS)
    assert odd == ReadFailed(NOW_NS, "main", "order", 'status "odd"')
    broken = {"status": "order", "order": history_row("brandNew", 5)}
    assert isinstance(lookups().order_status(answered("orderStatus", broken), NOW_NS), ReadFailed)


def test_a_full_page_of_fills_is_not_the_last() -> None:
    """The planted mistake: the first page taken for all."""
    page = lookups().fills(answered("userFillsByTime", [FILL]), NOW_NS)
    assert isinstance(page, FillsPage)
    assert (len(page.fills), page.is_cut, page.fills[0].source) == (1, False, "lookup")
    full = lookups().fills(answered("userFillsByTime", [FILL] * info.MAX_FILLS), NOW_NS)
    assert isinstance(full, FillsPage)
    assert full.is_cut


def test_one_row_without_sense_fails_the_whole_look_up() -> None:
    """The planted mistake: leaving a row out would make its order seem gone."""
    rows = [ROW, {**ROW, "sz": "x"}]
    failed = lookups().open_orders(answered("frontendOpenOrders", rows), NOW_NS)
    assert isinstance(failed, ReadFailed)
    assert "order 77" in failed.reason
    fills = lookups().fills(answered("userFills", [FILL, {**FILL, "side": "?"}]), NOW_NS)
    assert isinstance(fills, ReadFailed)


def test_balances_and_perps() -> None:
    state = {"balances": [{"coin": "USDC", "token": 0, "total": "2.77363", "hold": "0.0"}]}
    read = lookups().balances(answered("spotClearinghouseState", state), NOW_NS)
    assert read == BalancesRead(NOW_NS, "main", (("spot:USDC", parse("2.77363")),), source="lookup")
    held = {"coin": "ETH", "szi": "-2.5", "entryPx": "37.829", "marginUsed": "7.5"}
    held["unrealizedPnl"] = "-0.25"
    perps = {
        "marginSummary": {"accountValue": "83.3"},
        "assetPositions": [{"type": "oneWay", "position": held}],
        "withdrawable": "75.78",
        "time": NOW_MS,
    }
    found = lookups().perps(answered("clearinghouseState", perps), NOW_NS)
    short = Position("hyperliquid:ETH-PERP", parse("-2.5"), parse("37.829"), parse("7.5"))
    assert found == Perps((short,), parse("83.3"), parse("75.78"), NOW_NS, parse("83.55"))
    broken = {**state, "balances": [{"coin": "USDC", "total": "x"}]}
    assert isinstance(
        lookups().balances(answered("spotClearinghouseState", broken), NOW_NS), ReadFailed
    )
    odd = {**perps, "assetPositions": [{"position": {**held, "szi": "x"}}]}
    assert isinstance(lookups().perps(answered("clearinghouseState", odd), NOW_NS), ReadFailed)


@pytest.mark.parametrize(
    "got",
    [
        info.answer(429, b"null", object),
        info.answer(500, b"null", object),
        info.answer(502, b"<html>", object),
        info.answer(200, b"null", object),
        info.answer(200, b"<html>", object),
        info.posted(b"{}", object),
        info.posted(b'{"type":"userFills","data":null}', object),
    ],
)
def test_a_failed_look_up_is_never_an_empty_one(got: Answer[Any]) -> None:
    assert got.result is None
    assert got.error
    reading = lookups()
    reads: Any = [
        reading.open_orders, reading.history, reading.order_status, reading.fills,
        reading.balances, reading.perps,
    ]  # fmt: skip
    for read in reads:
        assert isinstance(read(got, NOW_NS), ReadFailed)


def test_a_limit_may_be_waited_for() -> None:
    assert info.answer(429, b"null", object).is_transient
    assert not info.answer(500, b"null", object).is_transient
    for case in vectors("observed_responses")["http_errors"]:
        body = case["body"].encode()
        assert info.answer(case["http_status"], body, object).result is None


def test_fees_are_fractions_of_makers_and_takers() -> None:
    fees = wire.UserFees("0.00045", "0.00015", "0.0007", "0.0004")
    assert info.fee_rates(fees) == (
        (parse("0.00015"), parse("0.00045")),
        (parse("0.0004"), parse("0.0007")),
    )
    old = msgspec.structs.replace(fees, user_spot_add_rate=None)
    assert info.fee_rates(old)[1] == (parse("0.00015"), parse("0.00045"))


def test_roles_and_the_clock_are_read() -> None:
    agent = answered("userRole", {"role": "agent", "data": {"user": "0x1"}})
    assert agent.result == wire.UserRole("agent", wire.RoleData("0x1"))
    assert answered("userRole", {"role": "missing"}).result == wire.UserRole("missing")
    status = answered("exchangeStatus", {"time": NOW_MS, "specialStatuses": None})
    assert status.result == wire.ExchangeStatus(NOW_MS)
