"""What the private stream proves of requests in flight, and what it does not."""

from pathlib import Path

import pytest

from crosswire.domain import Accepted, Amended, Closed, Filled, LoggedIn, OrdersRead, Sent, TimedOut
from crosswire.fixed import parse
from tests.kraken_dialogue import Rig, amend, cancel, of, only, own_id, place


def live() -> Rig:
    """Return a login with one order that the stream has shown."""
    rig = Rig().login()
    rig.send(place())
    rig.reply("add_order", 1, result={"order_id": "O1"})
    rig.execution(
        order_id="O1",
        cl_ord_id=own_id(1),
        exec_type="pending_new",
        order_status="pending_new",
        symbol="BTC/USD",
        side="buy",
        order_qty=0.001,
        order_type="limit",
        limit_price=26500.4,
    )
    return rig


def test_a_fill_settles_neither_a_cancel_nor_an_amend() -> None:
    rig = live()
    rig.send(amend())
    rig.send(cancel())
    fill = rig.execution(
        order_id="O1",
        exec_id="T1",
        exec_type="trade",
        order_status="partially_filled",
        last_qty=0.0005,
        last_price=26500.4,
        cum_qty=0.0005,
    )
    assert only(fill, Filled).quantity == parse("0.0005")
    rig.hear({"channel": "heartbeat"})
    kinds = {event.kind for event in of(rig.pass_time(5), TimedOut)}
    assert kinds == {"amend", "cancel"}


def test_another_amend_settles_only_what_asked_for_it() -> None:
    rig = live()
    rig.send(amend(price=parse("26501")))
    other = rig.execution(order_id="O1", exec_type="amended", order_qty=0.001, limit_price=26499.0)
    assert only(other, Amended).price == parse("26499")
    assert not rig.send(amend(price=parse("26502")))
    events = rig.execution(order_id="O1", exec_type="amended", order_qty=0.001, limit_price=26501.0)
    assert only(events, Sent).request_id == 3


def test_a_cancel_costs_by_the_age_of_its_order() -> None:
    rig = live()
    before = int(rig.session.statistics()["trading_points_left"])
    rig.send(cancel())
    rig.hear({"channel": "heartbeat"})
    rig.pass_time(0.0)
    assert before - int(rig.session.statistics()["trading_points_left"]) == 8


def test_a_fill_is_ours_though_the_stream_lost_the_orders_first_event() -> None:
    rig = Rig().login()
    rig.send(place())
    rig.reply("add_order", 1, result={"order_id": "O1"})
    fill = rig.execution(
        order_id="O1", exec_id="T1", exec_type="trade", last_qty=0.001, last_price=26500.4
    )
    assert only(fill, Filled).client_order_id == own_id(1)
    assert only(fill, Filled).side == "buy"


def test_the_recorded_life_of_an_order_is_followed(captures: Path) -> None:
    recording = captures / "kraken" / "captured" / "raw_v2" / "executions_amend_cancel.ndjson"
    if not recording.is_file():
        pytest.skip(f"no recording at {recording}")
    rig = Rig().login()
    rig.take(rig.session.closed("private", "gone", rig.now_ns))
    rig.take(rig.session.opened("private", rig.now_ns))
    rig.pass_time(0.1)
    rig.answer("GetWebSocketsToken", {"token": "another", "expires": 900})
    events = [
        event for line in recording.read_bytes().splitlines() if line for event in rig.hear(line)
    ]
    assert [type(event) for event in events] == [
        OrdersRead,
        LoggedIn,
        Accepted,
        Accepted,
        Amended,
        Amended,
        Closed,
    ]
    assert only(events, Closed).cause == "canceled"
    assert rig.session.statistics()["sequence_gaps"] == 0
