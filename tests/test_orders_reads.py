"""What a read of orders says, about which orders, and about which it is silent."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from crosswire.domain import AnyEvent, OrdersRead
from crosswire.fixed import parse
from tests.doubt_rig import ONE, Rig
from tests.samples import ACCOUNT, filled

LAG_S = 10


def resting() -> Rig:
    """An order that was last heard of just now."""
    rig = Rig(lag_s=LAG_S)
    rig.open()
    rig.turn(rig.snapshot(rig.row()))
    return rig


def test_a_look_up_is_silent_about_what_changed_within_its_lag() -> None:
    rig = resting()
    order = rig.order()
    rig.later(LAG_S)
    rig.turn(rig.open_read(rig.stranger()))
    assert not order.doubts, "the order may be younger than what the read shows"
    rig.later(0.1)
    rig.turn(rig.open_read(rig.stranger()))
    assert order.doubts


def test_the_streams_own_picture_has_no_lag_but_an_age() -> None:
    rig = resting()
    order = rig.order()
    rig.later(0.1)
    rig.turn(rig.snapshot(started_s=0.1))
    assert not order.doubts
    rig.turn(rig.snapshot())
    assert order.doubts


def partial(read: OrdersRead) -> AnyEvent:
    return replace(read, is_complete=False)


def narrowed(read: OrdersRead) -> AnyEvent:
    return replace(read, client_order_id="b")


def blind(read: OrdersRead) -> AnyEvent:
    return replace(read, orders=())


def closed(read: OrdersRead) -> AnyEvent:
    return replace(read, scope="closed")


def elsewhere(read: OrdersRead) -> AnyEvent:
    return replace(read, account="another")


@pytest.mark.parametrize("spoil", [partial, narrowed, blind, closed, elsewhere])
def test_only_a_whole_sighted_read_of_open_orders_can_lack_one(
    spoil: Callable[[OrdersRead], AnyEvent],
) -> None:
    rig = resting()
    rig.later(100)
    read = rig.open_read(rig.stranger())
    rig.turn(spoil(read))
    assert rig.order().stage == "LIVE"
    rig.turn(read)
    assert rig.order().stage == "UNKNOWN"


def test_an_order_is_found_by_either_of_its_ids() -> None:
    for ids in (("a", ""), ("", "V")):
        rig = resting()
        rig.later(100)
        rig.turn(rig.open_read(rig.row(*ids)))
        assert rig.order().stage == "LIVE"


def test_what_a_read_shows_as_over_is_over_however_old_it_is() -> None:
    rig = resting()
    rig.turn(rig.closed_read(rig.row(is_open=False, cause="canceled"), started_s=LAG_S))
    assert (rig.order().status, rig.order().reserved) == ("CANCELED", 0)


@pytest.mark.parametrize(("filled_", "status"), [("1", "FILLED"), ("0.4", "CANCELED")])
def test_how_it_ended_is_told_by_its_quantity_where_no_cause_is(filled_: str, status: str) -> None:
    rig = resting()
    rig.turn(rig.closed_read(rig.row(is_open=False, filled=filled_)))
    assert (rig.order().status, rig.order().reserved) == (status, parse(filled_))


def test_an_old_picture_does_not_open_what_is_over() -> None:
    rig = resting()
    rig.turn(rig.closed(filled="0.4"), filled("0.4"))
    for read in (rig.open_read(rig.row()), rig.snapshot(rig.row(), started_s=1)):
        rig.turn(read)
    assert (rig.order().status, rig.order().reserved) == ("CANCELED", 0)
    assert not rig.halts


def test_a_quantity_that_was_shown_stays_reserved_until_it_is_booked() -> None:
    """An amend we know nothing of may have raised the order."""
    rig = resting()
    rig.later(100)
    rig.turn(rig.snapshot(rig.row(quantity="3", filled="2")))
    order = rig.order()
    assert (order.filled, order.reserved) == (0, 3 * ONE)
    rig.turn(rig.closed(filled="2"))
    assert order.reserved == 2 * ONE
    rig.turn(filled("2"))
    assert order.reserved == 0


def test_strangers_stay_shown_until_a_whole_sighted_read_lacks_them() -> None:
    rig = Rig()
    externals = rig.engine.orders.externals
    rig.turn(rig.snapshot(rig.stranger()))
    for spoil in (partial, narrowed, blind, closed, elsewhere):
        rig.turn(spoil(rig.open_read(rig.row("", "Y"))))
        assert (ACCOUNT, "X") in externals
    rig.turn(rig.open_read(rig.row("", "Y")))
    assert (ACCOUNT, "X") not in externals
    rig.turn(rig.closed_read(rig.row("", "Y", is_open=False)))
    assert not externals


def test_a_look_up_without_a_row_may_be_true_or_blind_and_ends_no_wait() -> None:
    rig = resting()
    rig.later(100)
    before = dict(rig.engine.orders.read_ns)
    rig.turn(rig.open_read())
    assert rig.engine.orders.read_ns == before
    rig.turn(rig.open_read(rig.row()))
    assert rig.engine.orders.read_ns != before
