"""Both rate counters, the queue of what is held back, and the venue's clock."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import (
    Amended,
    AmendRejected,
    CancelAll,
    CancelBatch,
    ClockMeasured,
    PlaceBatch,
    Rejected,
    Sent,
    Transport,
)
from crosswire.fixed import parse
from crosswire.venues.clock import VenueClock
from crosswire.venues.kraken.session.open_orders import OpenOrders
from crosswire.venues.kraken.session.pacing import POINT, TIERS, Counter, Pacing, add_cost
from tests.kraken_dialogue import ACCOUNT, BTC, SECOND, Rig, amend, cancel, of, only, own_id, place

ID = own_id(1)


def pacing(tier: str = "starter") -> tuple[Pacing, OpenOrders]:
    """Return a model with one order, made at second 0."""
    orders = OpenOrders()
    orders.sent(ID, BTC, 0)
    return Pacing(tier, orders), orders


def test_the_documented_example_costs_eight_points() -> None:
    model, orders = pacing()
    cost = add_cost(1) + model.amend_cost(ID, 7 * SECOND)
    orders.apply(Amended(7 * SECOND, ACCOUNT, ID, ""), 7 * SECOND)
    assert cost + model.cancel_cost(ID, 43 * SECOND) == (1 + 1 + 2 + 4) * POINT


def test_a_cancel_that_found_no_order_is_given_back() -> None:
    model, orders = pacing()
    assert orders.press(ID)
    assert not orders.press(ID), "it can be cancelled once, however often that is asked"
    model.trading(BTC).add(model.cancel_cost(ID, SECOND), SECOND)
    model.give_back(ID, SECOND, SECOND)
    assert model.trading(BTC).value(SECOND) == 0
    model.give_back(ID, SECOND, SECOND)
    assert model.trading(BTC).value(SECOND) == 0, "no credit beyond what was charged"


@pytest.mark.parametrize(
    ("age", "amended", "cancelled"),
    [(0, 4, 8), (5, 3, 6), (10, 2, 5), (15, 1, 4), (45, 1, 2), (90, 1, 1), (300, 1, 0)],
)
def test_costs_by_age(age: int, amended: int, cancelled: int) -> None:
    model, _ = pacing()
    assert model.amend_cost(ID, age * SECOND) == amended * POINT
    assert model.cancel_cost(ID, age * SECOND) == cancelled * POINT
    assert model.amend_cost("unknown", age * SECOND) == POINT
    assert (add_cost(1), add_cost(15)) == (POINT, 15 * POINT // 2)


@given(steps=st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_looking_often_decays_as_looking_once(steps: list[int]) -> None:
    often, once = Counter(60, 2_340), Counter(60, 2_340)
    for counter in (often, once):
        counter.add(1_000 * POINT, 0)
    now_ns = 0
    for step in steps:
        now_ns += step
        often.value(now_ns)
    assert 0 <= often.value(now_ns) - once.value(now_ns) <= len(steps)


def test_a_counter_has_a_top_and_a_bottom() -> None:
    counter = Counter(60, 1_000)
    counter.add(59 * POINT, 0)
    assert counter.has_room(POINT, 0)
    assert not counter.has_room(2 * POINT, 0)
    assert counter.has_room(2 * POINT, SECOND)
    counter.add(10 * POINT, SECOND)
    assert counter.left(SECOND) == 0
    assert counter.value(1_000 * SECOND) == 0
    counter.set(7 * POINT, 0)
    assert counter.value(1_000 * SECOND) == 7 * POINT


@given(
    before=st.integers(0, 70 * POINT),
    cost=st.sampled_from([POINT, 2 * POINT, 4 * POINT]),
    kept=st.sampled_from([0, 8 * POINT, 16 * POINT, 80 * POINT]),
    age_ns=st.integers(0, 20 * SECOND),
    steps=st.sampled_from([-1, 0, 1]),
)
def test_a_request_is_taken_where_it_leaves_what_is_kept(
    before: int, cost: int, kept: int, age_ns: int, steps: int
) -> None:
    edge = 60 * POINT - min(kept, 15 * POINT) - cost + steps
    for value, now_ns in ((before, age_ns), (edge, 0)):
        counter, plain = Counter(60, 1_000), Counter(60, 1_000)
        counter.set(value, 0)
        plain.set(value, 0)
        is_free = 60 * POINT - plain.value(now_ns) - cost >= min(kept, 15 * POINT)
        assert counter.take(cost, kept, now_ns) is is_free
        assert counter.value(now_ns) == plain.value(now_ns) + cost * is_free


def test_room_is_kept_to_cancel_what_is_open() -> None:
    model, orders = pacing()
    # 60 points: a young order keeps 8, the new one among them, and many a quarter of the counter.
    eth = "kraken:ETH/USD"
    model.trading(eth).set(51 * POINT, SECOND)
    assert model.may_add(eth, 1, SECOND)
    assert not model.may_add(eth, 2, SECOND)
    model.trading(eth).set(52 * POINT, SECOND)
    assert not model.may_add(eth, 1, SECOND)
    model.trading(BTC).set(44 * POINT, SECOND)
    assert model.may_add(BTC, 1, SECOND)
    model.trading(BTC).set(45 * POINT, SECOND)
    assert not model.may_add(BTC, 1, SECOND)
    for number in range(2, 30):
        orders.sent(own_id(number), BTC, SECOND)
    model.trading(BTC).set(44 * POINT, SECOND)
    assert model.may_add(BTC, 1, SECOND)
    model.trading(BTC).set(45 * POINT, SECOND)
    assert not model.may_add(BTC, 1, SECOND)
    assert model.left(SECOND) == 8, "the fullest one"


@pytest.mark.parametrize(("age", "cost"), [(1, 4), (100, 1)])
def test_an_amend_keeps_room_to_cancel_what_it_makes_young_again(age: int, cost: int) -> None:
    model, _ = pacing()
    now_ns = age * SECOND
    model.trading(BTC).set((52 - cost) * POINT, now_ns)
    assert model.may_amend(BTC, ID, now_ns)
    model.trading(BTC).set((52 - cost) * POINT + 1, now_ns)
    assert not model.may_amend(BTC, ID, now_ns)


@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_room_is_kept_by_either_transport(transport: Transport) -> None:
    rig = Rig().login()
    counter = rig.session._pacing.trading(BTC)
    rig.send(place(1), transport)
    counter.set(counter.most - 8 * POINT, rig.now_ns)
    assert not rig.send(place(2), transport), "held back"
    assert not rig.send(amend(1), transport), "held back"
    assert of(rig.send(cancel(1), transport), Sent)


def test_the_venues_own_limits_are_taken_over() -> None:
    model, orders = pacing("pro")
    model.trading(BTC)
    model.set_most(60)
    assert (model.trading(BTC).left(0), model.trading("x").left(0)) == (60, 60)
    model.refused(BTC, 0)
    assert model.trading(BTC).left(0) == 0
    for number in range(TIERS["pro"].open_orders):
        orders.sent(own_id(number), "kraken:ETH/USD", 0)
    assert not model.may_add("kraken:ETH/USD", 1, 1_000 * SECOND)


def full(**changes: Any) -> Rig:
    """Return a login whose counter for BTC/USD is full."""
    rig = Rig(**changes).login()
    rig.session._pacing.refused(BTC, rig.now_ns)
    return rig


def test_an_order_without_room_waits_and_goes_when_there_is_some() -> None:
    rig = full()
    assert not rig.send(place(1))
    assert not rig.send(place(2))
    other = rig.send(place(3, instrument="kraken:ETH/USD"))
    assert of(other, Sent)
    counter = rig.session._pacing.trading(BTC)
    counter.set(counter.most - 8 * POINT, rig.now_ns)
    first = rig.pass_time(0.4)
    assert [event.request_id for event in of(first, Sent)] == [1]
    assert rig.session.statistics()["held_back"] == 2


def test_cancels_never_wait() -> None:
    rig = full()
    for command in (cancel(), CancelBatch(ACCOUNT, (cancel(2), cancel(3))), CancelAll(ACCOUNT)):
        assert of(rig.send(command), Sent)


def test_the_queue_has_a_bound_and_an_age_limit() -> None:
    rig = full(max_held=2)
    rig.send(place(1))
    rig.send(PlaceBatch(ACCOUNT, (place(2), place(3))))
    refused = only(rig.send(place(4)), Rejected)
    assert (refused.reason, refused.is_unsent) == ("2 requests are held back already", True)
    rig.session._pacing.trading(BTC).add(100 * POINT, rig.now_ns)
    old = of(rig.pass_time(2), Rejected)
    assert [event.client_order_id for event in old] == [own_id(1), own_id(2), own_id(3)]
    assert all(event.is_unsent and "without room" in event.reason for event in old)
    assert rig.session.statistics()["held_refused"] == 3


def test_a_cancel_takes_back_what_was_not_sent() -> None:
    rig = full()
    rig.send(place(1))
    rig.send(PlaceBatch(ACCOUNT, (place(2), place(3))))
    rig.send(place(4))
    assert only(rig.send(cancel(1)), Rejected).client_order_id == own_id(1)
    batch = rig.send(CancelBatch(ACCOUNT, (cancel(2), cancel(9))))
    assert [event.client_order_id for event in of(batch, Rejected)] == [own_id(2), own_id(3)]
    everything = rig.send(CancelAll(ACCOUNT))
    assert only(everything, Rejected).reason == "everything is being cancelled"
    assert not rig.sent("add_order")


def test_an_amend_waits_for_room_and_the_newest_takes_its_place() -> None:
    rig = full()
    rig.session._orders.sent(ID, BTC, rig.now_ns)
    assert not rig.send(amend(price=parse("1")))
    assert only(rig.send(amend(price=parse("2"))), AmendRejected).request_id == 1
    rig.session._pacing.trading(BTC).set(0, rig.now_ns)
    assert only(rig.pass_time(0.1), Sent).request_id == 2


def test_a_rate_limit_refusal_fills_the_counter() -> None:
    rig = Rig().login()
    rig.send(place(1))
    rig.refuse("add_order", 1, "EOrder:Rate limit exceeded")
    assert not rig.send(place(2))
    batch = Rig().login()
    batch.send(PlaceBatch(ACCOUNT, (place(1), place(2))))
    items = [{"order_id": "O1"}, {"error": "EOrder:Rate limit exceeded"}]
    batch.reply("batch_add", 1, result=items)
    assert batch.session.statistics()["trading_points_left"] == 0


def test_the_counter_on_the_stream_and_in_the_answer_is_believed() -> None:
    rig = Rig().login()
    rig.send(place())
    rig.reply("subscribe", 2, result={"channel": "executions", "maxratecount": 60})
    item = {"order_id": "O1", "cl_ord_id": ID, "exec_type": "new", "order_status": "new"}
    frame = {"channel": "executions", "type": "update", "data": [item], "sequence": 2}
    rig.hear({**frame, "ratecounter": 42})
    assert rig.session._pacing.trading(BTC).left(rig.now_ns) == 18
    rig.hear({**frame, "sequence": 3, "data": [{**item, "ratecount": 7}]})
    assert rig.session._pacing.trading(BTC).left(rig.now_ns) == 53, "it may ride on the item"
    both = [{**item, "ratecount": 9}, {**item, "order_id": "O2", "ratecount": 9}]
    rig.hear({**frame, "sequence": 4, "data": both})
    assert rig.session._pacing.trading(BTC).left(rig.now_ns) == 53, "whose, is not clear"


@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_what_is_held_does_not_leave_by_a_transport_that_broke_meanwhile(
    transport: Transport,
) -> None:
    shut: set[Transport] = set()
    rig = full(may_place=lambda each: each not in shut)
    rig.send(place(1), transport)
    rig.session._pacing.trading(BTC).set(0, rig.now_ns)
    shut.add(transport)
    assert not of(rig.pass_time(1), Sent)
    assert of(rig.send(cancel(2), transport), Sent), "a cancel is not asked"
    shut.clear()
    assert only(rig.pass_time(0.1), Sent).transport == transport


def test_what_is_held_waits_until_a_jump_of_the_clock_has_been_told() -> None:
    """Whoever is told of it may find that no dead-man switch stands behind the order any more."""
    rig = full()
    rig.send(place(1))
    rig.session._pacing.trading(BTC).set(0, rig.now_ns)
    rig.session.clock.error_ns = 0
    rig.session.clock._told_ns = rig.session.clock.offset_ns - 60 * SECOND
    first = rig.session.tick(rig.now_ns)
    assert of(first, ClockMeasured)
    assert not of(first, Sent)
    assert of(rig.pass_time(0.1), Sent)


def test_what_is_held_waits_while_the_login_is_lost() -> None:
    rig = full()
    rig.send(place(1))
    rig.take(rig.session.closed("private", "gone", rig.now_ns))
    assert not rig.pass_time(1)
    assert only(rig.pass_time(1.1), Rejected).is_unsent


@given(
    offset=st.integers(-(10**12), 10**12),
    there=st.integers(0, 10**9),
    back=st.integers(0, 10**9),
)
def test_the_clock_is_right_within_its_own_error(offset: int, there: int, back: int) -> None:
    clock = VenueClock()
    sent_ns = 10**18
    clock.measure(sent_ns, sent_ns + there + back, venue_ns=sent_ns + there + offset)
    assert clock.error_ns is not None
    assert abs(clock.offset_ns - offset) <= clock.error_ns + 1
    assert clock.venue_ns(sent_ns) == sent_ns + clock.offset_ns


def test_the_best_measurement_of_the_last_minute_counts() -> None:
    clock = VenueClock()
    clock.measure(0, 100, venue_ns=0)
    clock.measure(10, 5, venue_ns=7)
    assert clock.error_ns is None
    clock.measure(0, 100, venue_ns=1_050)
    clock.measure(200, 500, venue_ns=1_450)
    assert clock.offset_ns == 1_000
    later = 61 * SECOND
    clock.measure(later, later + 300, venue_ns=later + 2_150)
    assert clock.offset_ns == 2_000


def test_an_amend_waits_beside_other_orders_without_replacing_them() -> None:
    rig = full()
    rig.session._orders.sent(ID, BTC, rig.now_ns)
    rig.send(PlaceBatch(ACCOUNT, (place(2), place(3))))
    rig.send(amend(4))
    assert not rig.send(amend(1))
    rig.session._pacing.trading(BTC).set(0, rig.now_ns)
    assert [event.request_id for event in of(rig.pass_time(0.1), Sent)] == [1, 2, 3]


def test_what_never_arrived_silences_us_no_longer_than_a_full_counter() -> None:
    counter = Counter(60, 1_000)
    for _ in range(50):
        counter.add(8 * POINT, 0)
    assert not counter.has_room(POINT, 15 * SECOND)
    assert counter.has_room(POINT, 16 * SECOND)
