"""Orders as the stream and lists show them: whose, how far, and how they ended."""

import pytest

from crosswire.domain import (
    Accepted,
    Closed,
    Filled,
    OrderReported,
    OrdersRead,
    Unreadable,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import orders
from tests.hyperliquid_frames import CLOID, decoder, fill, frame, is_leg, only, read, update
from tests.hyperliquid_world import ACCOUNT, NOW_MS, NOW_NS, OWN_ID, listings

# The sheet's table, string by string.
STATUSES = {
    "open": "open triggered resting waitingForFill waitingForTrigger",
    "filled": "filled",
    "canceled": "canceled marginCanceled vaultWithdrawalCanceled openInterestCapCanceled "
    "selfTradeCanceled reduceOnlyCanceled siblingFilledCanceled delistedCanceled "
    "liquidatedCanceled outcomeSettledCanceled scheduledCancel internalCancel",
    "rejected": "rejected tickRejected minTradeNtlRejected perpMarginRejected "
    "reduceOnlyRejected badAloPxRejected iocCancelRejected badTriggerPxRejected "
    "marketOrderNoLiquidityRejected positionIncreaseAtOpenInterestCapRejected "
    "positionFlipAtOpenInterestCapRejected tooAggressiveAtOpenInterestCapRejected "
    "openInterestIncreaseRejected insufficientSpotBalanceRejected oracleRejected "
    "perpMaxPositionRejected tooManyOpenOrdersRejected",
}


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(status, meaning) for meaning, all_of in STATUSES.items() for status in all_of.split()],
)
def test_every_status_of_the_sheet_has_its_meaning(status: str, meaning: str) -> None:
    assert orders.meaning(status) == meaning
    [event] = read("orderUpdates", [update(status)]).events
    assert isinstance(event, Accepted if meaning == "open" else Closed)


def test_an_unheard_status_is_judged_by_its_ending() -> None:
    assert orders.meaning("brandNewRejected") == "rejected"
    assert orders.meaning("brandNewCanceled") == orders.meaning("brandNewCancel") == "canceled"
    assert orders.meaning("brandNew") == "unknown"
    event = only("orderUpdates", [update("brandNew")])
    assert event == VenueWarned(
        NOW_NS, "main", 'order 77 has the status "brandNew", which is not known here'
    )


def test_an_order_update_names_the_order_by_both_ids() -> None:
    accepted = only("orderUpdates", [update()])
    assert accepted == Accepted(NOW_NS, "main", OWN_ID, "77", source="stream", venue_ns=NOW_NS)
    external = only("orderUpdates", [update(cloid=None)])
    assert external.client_order_id == ""


def test_an_end_tells_what_was_filled() -> None:
    both = read("orderUpdates", [update(), update("filled", sz="0.0")]).events
    assert [type(event) for event in both] == [Accepted, Closed]
    assert both[1] == Closed(
        NOW_NS, "main", OWN_ID, "77", "filled", parse("0.2"), "", "stream", NOW_NS
    )
    part = only("orderUpdates", [update("canceled", sz="0.05")])
    assert (part.cause, part.filled, part.reason) == ("canceled", parse("0.15"), "")
    refused = only("orderUpdates", [update("iocCancelRejected")])
    assert (refused.cause, refused.filled) == ("rejected", 0)
    assert refused.reason == "iocCancelRejected"
    emptied = only("orderUpdates", [update("tickRejected", sz="0.0")])
    assert emptied.filled == 0
    rest = only("orderUpdates", [update("iocCancelRejected", sz="0.05")])
    assert (rest.cause, rest.filled) == ("canceled", parse("0.15"))
    untold = only("orderUpdates", [update("iocCancelRejected", sz="0.0")])
    assert (untold.cause, untold.filled) == ("canceled", None)


def test_a_shrunk_reduce_only_order_says_nothing_about_its_fills() -> None:
    """The planted mistake: asked less remaining is not what was filled once it was shrunk."""
    event = only("orderUpdates", [update("reduceOnlyCanceled", sz="0.05", reduceOnly=True)])
    assert (event.cause, event.filled) == ("canceled", None)
    row = wire.OrderUpdate(
        wire.Order("ETH", 7, "B", "1", "0.05", NOW_MS, "0.2", reduce_only=True), "open"
    )
    assert orders.report(row, "main", listings(), NOW_NS, "lookup").filled == 0


def test_a_row_without_sense_leaves_its_neighbours() -> None:
    events = read("orderUpdates", [update(), update("canceled", sz="x"), update("filled")]).events
    assert [type(event) for event in events] == [Accepted, Unreadable, Closed]
    assert isinstance(events[1], Unreadable)
    assert events[1].is_private
    filled = read("userFills", {"user": ACCOUNT, "fills": [fill(), fill(side="X"), fill()]}).events
    kinds = [type(event) for event in filled if not is_leg(event)]
    assert kinds == [Filled, Unreadable, Filled]


def test_an_order_of_a_list_is_reported_with_its_kind() -> None:
    row = wire.Order(
        "xyz:TSLA", 9, "A", "300.0", "1.5", NOW_MS, "2.0", CLOID,
        order_type="Stop Limit", tif=None,
    )  # fmt: skip
    report = orders.open_report(row, "main", listings(), NOW_NS, "lookup")
    assert report == OrderReported(
        NOW_NS, "main", OWN_ID, "9", "hyperliquid:xyz:TSLA-PERP", "sell", parse("2"),
        parse("0.5"), is_open=True, price=parse("300"), order_type="stop_loss_limit",
        opened_ns=NOW_NS, source="lookup",
    )  # fmt: skip
    ioc = orders.report(
        wire.OrderUpdate(wire.Order("ETH", 1, "B", None, "0.0", 0, "1", tif="Ioc"), "filled", 5),
        "main", listings(), NOW_NS, "lookup",
    )  # fmt: skip
    assert (ioc.time_in_force, ioc.cause, ioc.price) == ("ioc", "filled", None)
    assert (ioc.filled, ioc.closed_ns) == (parse("1"), 5_000_000)
    for broken in (
        wire.OrderUpdate(wire.Order("ETH", 1, "B"), "open"),
        wire.OrderUpdate(wire.Order("ETH", 1, "", "1", "1"), "open"),
        wire.OrderUpdate(wire.Order("ETH", 1, "B", "1", "1"), "brandNew"),
    ):
        with pytest.raises(ValueError, match=r"size|side|status"):
            orders.report(broken, "main", listings(), NOW_NS, "lookup")


def test_a_list_of_one_dex_is_never_the_whole_truth() -> None:
    order = {**update()["order"], "orderType": "Limit", "tif": "Alo"}
    listed = only("openOrders", {"user": ACCOUNT, "orders": [order]})
    assert isinstance(listed, OrdersRead)
    assert not listed.is_complete
    assert listed.orders[0].client_order_id == OWN_ID
    shortened = {"user": ACCOUNT, "orders": [{"coin": "BTC", "oid": 1, "limitPx": "1"}]}
    assert isinstance(decoder().frame(frame("openOrders", shortened), NOW_NS), Unreadable)


def test_a_history_shows_the_last_row_of_each_order() -> None:
    open_row = wire.OrderUpdate(wire.Order("ETH", 1, "B", "1", "1", 0, "1"), "open", 10)
    gone = wire.OrderUpdate(wire.Order("ETH", 1, "B", "1", "1", 0, "1"), "canceled", 10)
    older = wire.OrderUpdate(wire.Order("ETH", 2, "B", "1", "0", 0, "1"), "open", 4)
    newer = wire.OrderUpdate(wire.Order("ETH", 2, "B", "1", "0", 0, "1"), "filled", 9)
    for rows in ([open_row, gone, newer, older], [gone, open_row, older, newer]):
        found = orders.latest(rows)
        assert {row.order.oid: row.status for row in found} == {1: "canceled", 2: "filled"}
