"""Orders and look-ups by REST: the three classes of errors, paging, the budget, the names."""

import json
from typing import Any

import pytest

from crosswire.domain import (
    Accepted,
    Amended,
    AmendRejected,
    ArmDeadMan,
    BalancesRead,
    CancelAccepted,
    CancelAll,
    CancelBatch,
    CancelRejected,
    DeadManArmed,
    Filled,
    LookUp,
    OrdersRead,
    PlaceBatch,
    ReadFailed,
    Rejected,
    Sent,
    TimedOut,
    TransportFailed,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.kraken.session import lookups, rest_replies
from tests.kraken_dialogue import (
    ACCOUNT,
    NOW,
    SECOND,
    Rig,
    amend,
    cancel,
    in_doubt,
    of,
    only,
    own_id,
    place,
)

PAIRS = {
    "XXBTZUSD": {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "base": "XXBT",
        "quote": "ZUSD",
        "pair_decimals": 1,
        "lot_decimals": 8,
    }
}
PAGE = b"<html><head><title>520: Web server is returning an unknown error</title></head></html>"


def named() -> Rig:
    """Return a login that knows the names of pairs."""
    rig = Rig().login()
    rig.answer("AssetPairs", PAIRS)
    return rig


def row(own: str = "", **changes: Any) -> dict[str, Any]:
    """Return an order as look-ups show it."""
    fields = {
        "status": "open",
        "cl_ord_id": own,
        "opentm": 1616666559.8974,
        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "30010.0"},
        "vol": "1.25000000",
        "vol_exec": "0.37500000",
    }
    return fields | changes


def trade(**changes: Any) -> dict[str, Any]:
    """Return a fill as look-ups show it."""
    fields = {
        "ordertxid": "O1",
        "pair": "XXBTZUSD",
        "time": 1616667796.8802,
        "type": "buy",
        "ordertype": "limit",
        "price": "30010.0",
        "cost": "600.2",
        "fee": "1.5",
        "vol": "0.02",
        "maker": True,
    }
    return fields | changes


def test_an_order_by_rest_is_signed_ordered_and_answered() -> None:
    rig = Rig().login()
    sent = only(rig.send(place(), "rest"), Sent)
    assert (sent.transport, sent.connection) == ("rest", "")
    call = next(call for call in rig.calls if "AddOrder" in call.path)
    assert (call.method, call.is_ordered) == ("POST", True)
    assert call.headers["API-Key"]
    assert b"pair=BTC%2FUSD" in call.body
    result = {"descr": {"order": "buy"}, "txid": ["OUF4EM-FRGI2-MQMWZD"]}
    accepted = only(rig.answer("AddOrder", result), Accepted)
    assert (accepted.venue_order_id, accepted.request_id) == ("OUF4EM-FRGI2-MQMWZD", 1)


def test_nonces_leave_in_order() -> None:
    rig = Rig().login()
    for number in range(5):
        rig.send(place(number), "rest")
    nonces = [
        int(call.body.split(b"&")[0].removeprefix(b"nonce="))
        for call in rig.calls
        if "AddOrder" in call.path
    ]
    assert nonces == sorted(set(nonces))


@pytest.mark.parametrize(
    ("error", "is_transient"),
    [("EOrder:Insufficient funds", False), ("EAPI:Invalid nonce", True)],
)
def test_a_definite_refusal_by_rest(error: str, is_transient: bool) -> None:
    rig = Rig().login()
    rig.send(place(), "rest")
    refused = only(rig.answer("AddOrder", error=[error]), Rejected)
    assert (refused.reason, refused.is_transient) == (error, is_transient)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (520, PAGE),
        (502, b""),
        (500, b'{"error":["EGeneral:Internal error"]}'),
        (200, PAGE),
        (200, b'{"error":["EService:Busy"]}'),
        (200, b'{"error":["EOrder:Insufficient funds","EService:Unavailable"]}'),
        (200, b'{"error":[]}'),
        (200, b'{"error":[],"result":{"txid":7}}'),
        (503, b'{"error":[],"result":{"txid":["O1"]}}'),
    ],
)
def test_what_proves_nothing_is_a_doubt(status: int, body: bytes) -> None:
    rig = Rig().login()
    rig.send(place(), "rest")
    events = rig.answer_raw("AddOrder", status, body)
    assert in_doubt(events) == [own_id(1)]
    assert not of(events, Rejected)


def test_a_warning_is_no_error() -> None:
    rig = Rig().login()
    rig.send(place(), "rest")
    body = b'{"error":["WOrder:Odd"],"result":{"txid":["O1"]}}'
    assert only(rig.answer_raw("AddOrder", 200, body), Accepted).venue_order_id == "O1"


def test_no_answer_is_a_doubt_and_no_byte_sent_is_a_refusal() -> None:
    rig = Rig().login()
    rig.send(place(), "rest")
    failed = rig.session.failed(rig.call("AddOrder"), "timeout", rig.now_ns, was_sent=True)
    assert in_doubt(failed) == [own_id(1)]
    rig.send(place(2), "rest")
    unsent = rig.session.failed(rig.call("AddOrder"), "refused", rig.now_ns, was_sent=False)
    refused = only(unsent, Rejected)
    assert (refused.reason, refused.is_transient) == ("never left: refused", True)
    # It was announced as sent, so the refusal must count against that copy.
    assert not refused.is_unsent
    rig.send(CancelAll(ACCOUNT), "rest")
    unsent = rig.session.failed(rig.call("CancelAll"), "refused", rig.now_ns, was_sent=False)
    assert only(unsent, CancelRejected).is_unsent
    rig.send(ArmDeadMan(ACCOUNT, SECOND), "rest")
    unsent = rig.session.failed(rig.call("CancelAllOr"), "refused", rig.now_ns, was_sent=False)
    assert "not armed" in only(unsent, VenueWarned).text


def test_how_long_a_request_by_rest_may_take_its_lane_decides() -> None:
    rig = Rig(request_timeout_ns=SECOND).login()
    rig.send(place(1))
    rig.send(place(2), "rest")
    rig.hear({"channel": "heartbeat"})
    assert in_doubt(rig.pass_time(2)) == [own_id(1)]
    failed = rig.session.failed(rig.call("AddOrder"), "timeout", rig.now_ns, was_sent=True)
    assert in_doubt(failed) == [own_id(2)]


def test_a_late_answer_by_rest_is_read_after_the_doubt() -> None:
    rig = Rig().login()
    rig.send(place(), "rest")
    assert not in_doubt(rig.pass_time(29))
    assert in_doubt(rig.pass_time(1)) == [own_id(1)]  # a lane that never says so
    assert only(rig.answer("AddOrder", {"txid": ["O1"]}), Accepted).venue_order_id == "O1"


def test_the_other_requests_by_rest() -> None:
    rig = Rig().login()
    rig.send(amend(), "rest")
    assert only(rig.answer("AmendOrder", {"amend_id": "T1"}), Amended).price == parse("26501")
    rig.send(amend(), "rest")
    refused = rig.answer("AmendOrder", error=["EOrder:Unknown order"])
    assert only(refused, AmendRejected).request_id == 2
    rig.send(cancel(), "rest")
    assert len(of(rig.answer("CancelOrder", {"count": 1}), CancelAccepted)) == 1
    rig.send(cancel(), "rest")
    assert only(rig.answer("CancelOrder", {"count": 0}), CancelRejected).reason
    rig.send(PlaceBatch(ACCOUNT, (place(1), place(2))), "rest")
    orders = [{"txid": "O1", "descr": {"order": ""}}, {"error": "EOrder:Insufficient funds"}]
    events = rig.answer("AddOrderBatch", {"orders": orders})
    assert [type(event) for event in events] == [Accepted, Rejected]
    rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2))), "rest")
    assert len(of(rig.answer("CancelOrderBatch", {"count": 2}), CancelAccepted)) == 2
    rig.send(CancelBatch(ACCOUNT, (cancel(1), cancel(2))), "rest")
    rig.answer("CancelOrderBatch", {"count": 1})
    rig.pass_time(1.5)
    assert len([call for call in rig.calls if call.path.endswith("/CancelOrder")]) == 1
    rig.send(CancelAll(ACCOUNT), "rest")
    assert len(of(rig.answer("CancelAll", {"count": 4}), CancelAccepted)) == 1
    rig.send(ArmDeadMan(ACCOUNT, 0), "rest")
    times = {"currentTime": "2023-03-24T17:41:56Z", "triggerTime": "0"}
    assert only(rig.answer("CancelAllOrdersAfter", times), DeadManArmed).fires_ns == 0


def test_the_least_certain_error_speaks() -> None:
    assert rest_replies.worst(["EOrder:X", "EAPI:Invalid nonce"]) == "EAPI:Invalid nonce"
    assert rest_replies.worst(["EAPI:Invalid nonce", "EService:Busy"]) == "EService:Busy"


def test_look_ups_wait_for_the_names_of_pairs() -> None:
    rig = Rig().login()
    assert not rig.send(LookUp(ACCOUNT, "open_orders"))
    assert not [call for call in rig.calls if "OpenOrders" in call.path]
    rig.answer("AssetPairs", PAIRS)
    read = only(rig.answer("OpenOrders", {"open": {"O1": row(own_id(1))}}), OrdersRead)
    (order,) = read.orders
    assert (order.instrument, order.client_order_id) == ("kraken:BTC/USD", own_id(1))
    assert (read.scope, read.is_complete, read.source) == ("open", True, "lookup")
    assert read.started_ns == NOW


def test_without_names_a_look_up_fails_and_they_are_asked_for_again() -> None:
    rig = Rig().login()
    rig.send(LookUp(ACCOUNT, "balances"))
    failed = only(rig.answer("AssetPairs", error=["EService:Busy"]), ReadFailed)
    assert "no names of pairs" in failed.reason
    rig.send(LookUp(ACCOUNT, "balances"))
    rig.pass_time(0.1)
    call = rig.call("AssetPairs")
    failed = only(rig.session.failed(call, "timeout", rig.now_ns, was_sent=True), ReadFailed)
    assert failed.what == "balances"
    rig.send(LookUp(ACCOUNT, "balances"))
    rig.pass_time(0.1)
    rig.answer("AssetPairs", PAIRS)
    balances = only(rig.answer("BalanceEx", {"XXBT": {"balance": "1.5"}}), BalancesRead)
    assert balances.balances == (("BTC", parse("1.5")),)


def test_closed_orders_are_read_to_the_end() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "closed_orders", since_ns=NOW - 60 * SECOND))
    pages = [
        {f"O{number}": row(own_id(number), status="canceled") for number in range(start, stop)}
        for start, stop in ((0, 50), (50, 100), (100, 120))
    ]
    for page, offset in zip(pages, (0, 50, 100), strict=True):
        call = next(call for call in rig.calls if "ClosedOrders" in call.path)
        # The venue leaves out the start itself.
        assert f"ofs={offset}&start={NOW // SECOND - 61}".encode() in call.body
        events = rig.answer("ClosedOrders", {"closed": page, "count": 120})
    read = only(events, OrdersRead)
    assert (len(read.orders), read.scope, read.is_complete) == (120, "closed", True)


def test_pages_that_end_too_early_are_a_failed_read() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    rig.answer("ClosedOrders", {"closed": {"O1": row(status="closed")}, "count": 80})
    failed = only(rig.answer("ClosedOrders", {"closed": {}, "count": 80}), ReadFailed)
    assert failed.reason == "incomplete: 1 of 80 rows in 2 pages"
    assert not of(rig.events, OrdersRead)[1:]


def test_without_a_count_a_short_page_is_the_last() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    page = {f"O{number}": row(status="expired") for number in range(50)}
    assert not rig.answer("ClosedOrders", {"closed": page})
    assert len(only(rig.answer("ClosedOrders", {"closed": {}}), OrdersRead).orders) == 50


def test_too_many_pages_are_a_failed_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MAX_PAGES", 2)
    rig = named()
    rig.send(LookUp(ACCOUNT, "closed_orders"))
    events = []
    for start in (0, 50):
        page = {f"O{start + number}": row(status="expired") for number in range(50)}
        events = rig.answer("ClosedOrders", {"closed": page, "count": 999})
    assert "100 of 999" in only(events, ReadFailed).reason


def test_a_filter_that_the_venue_ignored_is_applied_by_us() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "open_orders", client_order_id=own_id(2)))
    rows = {"O1": row(own_id(1)), "O2": row(own_id(2)), "O3": row("")}
    read = only(rig.answer("OpenOrders", {"open": rows}), OrdersRead)
    assert [order.venue_order_id for order in read.orders] == ["O2"]
    assert read.client_order_id == own_id(2)


def test_a_narrowed_read_ends_no_other_order() -> None:
    rig = named()
    rig.send(place())
    rig.now_ns += 100 * SECOND
    rig.send(LookUp(ACCOUNT, "open_orders", client_order_id=own_id(2)))
    rig.answer("OpenOrders", {"open": {}})
    assert rig.session._orders.count() == 1
    rig.send(LookUp(ACCOUNT, "open_orders"))
    rig.answer("OpenOrders", {"open": {"O9": row("", opentm=0)}})
    assert rig.session._orders.count() == 1
    assert rig.session._orders.instrument("O9") == "kraken:BTC/USD"


def test_fills_carry_our_id_where_it_is_known() -> None:
    rig = named()
    rig.send(place())
    rig.reply("add_order", 1, result={"order_id": "O1"})
    rig.send(LookUp(ACCOUNT, "fills", since_ns=NOW))
    trades = {"T1": trade(), "T2": trade(ordertxid="O7")}
    fills = of(rig.answer("TradesHistory", {"trades": trades, "count": 2}), Filled)
    assert [(fill.fill_key, fill.client_order_id) for fill in fills] == [
        ("T1", own_id(1)),
        ("T2", ""),
    ]
    assert {fill.source for fill in fills} == {"lookup"}


@pytest.mark.parametrize("what", ["open_orders", "closed_orders", "fills", "balances"])
def test_a_failed_look_up_says_nothing(what: str) -> None:
    names = {"fills": "TradesHistory", "balances": "BalanceEx"}
    name = names.get(what, what.title().replace("_", ""))
    for status, body in ((520, PAGE), (200, b'{"error":["EAPI:Rate limit exceeded"]}')):
        rig = named()
        rig.send(LookUp(ACCOUNT, what))
        assert only(rig.answer_raw(name, status, body), ReadFailed).what == what
    rig = named()
    rig.send(LookUp(ACCOUNT, what))
    failed = rig.session.failed(rig.call(name), "timeout", rig.now_ns, was_sent=True)
    assert only(failed, ReadFailed).reason == "timeout"


def test_the_venues_word_that_its_rest_counter_is_full_is_believed() -> None:
    """A run before this one may have filled it: what is left is for tokens and cancels."""
    rig = named()
    rig.send(LookUp(ACCOUNT, "balances"))
    rig.answer_raw("BalanceEx", 200, b'{"error":["EAPI:Rate limit exceeded"]}')
    rig.send(LookUp(ACCOUNT, "balances"))
    rig.pass_time(3.9)
    assert not [call for call in rig.calls if "BalanceEx" in call.path]
    rig.pass_time(0.2)
    assert [call for call in rig.calls if "BalanceEx" in call.path]


def test_look_ups_keep_within_their_budget() -> None:
    rig = named()
    for _ in range(6):
        rig.send(LookUp(ACCOUNT, "fills"))
    asked = [call for call in rig.calls if "TradesHistory" in call.path]
    assert len(asked) == 4, "three of 20 points are kept for what is worth more"
    rig.pass_time(2.9)
    assert len([call for call in rig.calls if "TradesHistory" in call.path]) == 4
    rig.pass_time(0.2)
    assert len([call for call in rig.calls if "TradesHistory" in call.path]) == 5


def test_the_queue_of_look_ups_has_a_bound_and_an_age_limit() -> None:
    rig = Rig().login()
    for _ in range(lookups.MAX_WAITING):
        rig.send(LookUp(ACCOUNT, "balances"))
    failed = only(rig.send(LookUp(ACCOUNT, "balances")), ReadFailed)
    assert "under way already" in failed.reason
    rig.hear({"channel": "heartbeat"})
    assert len(of(rig.pass_time(30), ReadFailed)) == lookups.MAX_WAITING


def test_an_unknown_look_up_names_the_known_ones() -> None:
    failed = only(named().send(LookUp(ACCOUNT, "weather")), ReadFailed)
    assert "expected one of open_orders, closed_orders, fills, balances" in failed.reason


def test_an_answer_nobody_waits_for_is_nothing() -> None:
    rig = named()
    rig.send(LookUp(ACCOUNT, "balances"))
    call = next(call for call in rig.calls if "BalanceEx" in call.path)
    rig.answer("BalanceEx", {})
    body = json.dumps({"error": [], "result": {}}).encode()
    assert not rig.session.answered(call, 200, body, rig.now_ns)
    late = rig.session.failed(call, "late", rig.now_ns, was_sent=True)
    assert [type(event) for event in late] == [TransportFailed]
    assert not of(rig.events, TimedOut)
