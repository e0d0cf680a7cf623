"""Doubts about orders that were seen: where they are, what amends did, which fills are missing."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from crosswire.domain import (
    Absent,
    Accepted,
    Amend,
    Amended,
    Approved,
    Cancel,
    CancelAccepted,
    FillsRead,
    LookUp,
    OrderReported,
    PlaceBatch,
    Rejected,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.orders import Order
from tests.doubt_rig import ONE, Rig
from tests.samples import ACCOUNT, BTC, S, filled, place

TWO = parse("2")


def missing() -> tuple[Rig, Order]:
    """An order that rested, and that a snapshot lacks."""
    rig = Rig()
    order = rig.open()
    rig.turn(rig.snapshot())
    assert order.status == "UNKNOWN"
    return rig, order


def unanswered_cancel() -> tuple[Rig, Order]:
    rig = Rig()
    order = rig.open()
    rig.submit(Cancel(ACCOUNT, "a", "V", BTC))
    rig.later(1)
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[-1], "silence", kind="cancel"))
    assert order.status == "UNKNOWN"
    return rig, order


# --- out of sight ------------------------------------------------------------------------------


@pytest.mark.parametrize("lose", [missing, unanswered_cancel])
def test_a_lost_order_is_looked_for_by_the_stream_and_then_in_history(
    lose: Callable[[], tuple[Rig, Order]],
) -> None:
    rig, order = lose()
    start_s = (rig.now_ns - 1_000_000 * S) / S
    rig.run(4)
    assert rig.asked("snapshot")[0] <= start_s + 0.1, "at once: it costs next to nothing"
    assert start_s + 1 <= rig.asked("closed_orders")[0] <= start_s + 2
    over = rig.row(is_open=False, filled="0.4", cause="canceled")
    rig.turn(rig.closed_read(over))
    assert (order.status, order.reserved) == ("CANCELED", parse("0.4"))
    assert rig.steps() == ["opened", "settled"]
    assert rig.engine.counts["doubts_settled_canceled"] == 1
    rig.turn(filled("0.4"))
    assert order.reserved == 0
    assert rig.run(60) == []


def test_an_order_that_is_shown_again_is_as_it_was() -> None:
    for lose in (missing, unanswered_cancel):
        rig, order = lose()
        rig.later(2)
        rig.turn(rig.snapshot(rig.row(filled="0.4")))
        assert (order.stage, order.requests) == ("LIVE", {})
        assert order.reserved == ONE, "its fill is still to come"


def test_a_look_up_that_may_show_the_past_does_not_settle_what_changed_since() -> None:
    rig, order = unanswered_cancel()
    rig.turn(rig.open_read(rig.row()))
    assert order.stage == "UNKNOWN", "the cancel may have been executed since"
    rig.turn(rig.snapshot(rig.row(), started_s=1.5))
    assert order.stage == "UNKNOWN", "the picture is older than the cancel"
    rig.later(0.1)
    rig.turn(rig.snapshot(rig.row()))
    assert not order.doubts


def test_an_order_that_was_seen_is_never_absent_whatever_lacks_it() -> None:
    rig, order = missing()
    for _ in range(30):
        rig.run(10)
        rig.turn(rig.snapshot(), rig.open_read(rig.stranger()), rig.closed_read(rig.stranger(0)))
    assert not rig.heard(Absent)
    assert (order.status, order.reserved) == ("UNKNOWN", ONE)
    assert rig.pressed(), "and it is canceled, should it be there after all"


def test_history_is_asked_as_far_back_as_the_venue_was_last_heard() -> None:
    """A fill that a look-up brings is as old as the fill, not as the look-up."""
    rig = Rig()
    order = rig.open()
    fill_ns = rig.venue_ns
    rig.later(600)  # the stream told neither of the fill nor of the end, and we were away
    fill = replace(filled("0.4"), recv_ns=rig.now_ns, venue_ns=fill_ns, source="lookup")
    rig.turn(fill)
    rig.later(1)
    rig.turn(rig.snapshot())
    assert order.status == "UNKNOWN"
    rig.run(60)
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "closed_orders"]
    assert min(look.since_ns for look in looks) < fill_ns


# --- amends ------------------------------------------------------------------------------------


def amended(rig: Rig) -> tuple[Order, int]:
    """A resting order whose amend, to more and dearer, got no answer; and when its bound is."""
    order = rig.open()
    bound_ns = rig.now_ns + 5 * S
    amend = Amend(ACCOUNT, BTC, "a", "V", TWO, parse("101"), bound_ns=bound_ns, strategy="s")
    assert isinstance(rig.submit(amend), Approved)
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[-1], "silence", kind="amend"))
    assert (order.stage, order.doubts, order.reserved) == ("LIVE", 1, TWO)
    return order, bound_ns


@pytest.mark.parametrize("is_executed", [True, False])
def test_past_its_bound_a_snapshot_tells_what_came_of_an_amend(is_executed: bool) -> None:
    rig = Rig()
    order, bound_ns = amended(rig)
    shown = rig.row(quantity="2", price="101") if is_executed else rig.row()
    read = rig.snapshot(shown)
    for venue_ns in (0, bound_ns + rig.skew_ns, bound_ns + rig.skew_ns + S):
        rig.turn(replace(read, venue_ns=venue_ns))
        assert order.doubts == 1, "it may still arrive"
        assert order.reserved == TWO
    row = replace(shown, source="lookup")
    late_ns = bound_ns + rig.skew_ns + S + 1
    rig.turn(replace(read, venue_ns=late_ns, source="lookup", orders=(row,)))
    assert order.doubts == 1, "a look-up may trail"
    rig.turn(replace(read, venue_ns=late_ns))
    assert (order.doubts, order.quantity) == (0, TWO if is_executed else ONE)
    assert order.price == parse("101" if is_executed else "100")
    assert order.reserved == order.quantity
    assert rig.steps() == ["opened", "settled"]


def test_an_amend_is_asked_after_past_its_bound_and_else_the_order_is_canceled() -> None:
    rig = Rig()
    start_s = 10.0
    order, _ = amended(rig)
    rig.run(30)
    assert all(at > start_s + 6 for at in rig.asked("snapshot"))
    assert start_s + 6 < rig.asked("snapshot")[0] < start_s + 7
    assert rig.pressed()
    assert rig.pressed()[0] > rig.asked("snapshot")[0], "a picture is kinder"
    rig.turn(rig.closed(filled="1.5"))
    assert (order.status, order.doubts, order.reserved) == ("CANCELED", 0, parse("1.5"))


def test_the_stream_settles_an_amend_and_an_older_read_does_not_undo_it() -> None:
    rig = Rig(lag_s=10)
    order, _ = amended(rig)
    rig.turn(Amended(rig.now_ns, ACCOUNT, "a", "V", TWO, parse("101")))
    assert (order.doubts, order.quantity) == (0, TWO)
    rig.later(9)
    for read in (rig.open_read(rig.row()), rig.snapshot(rig.row(), started_s=9.5)):
        rig.turn(read)
        assert (order.quantity, order.price) == (TWO, parse("101"))
    rig.later(11)
    rig.turn(rig.open_read(rig.row()))
    assert order.quantity == ONE, "the venue says so, and nothing of ours is younger"


# --- fills -------------------------------------------------------------------------------------


def fills_read(rig: Rig, count: int = 1, *, since_ns: int = 0, horizon_ns: int = -1) -> FillsRead:
    horizon_ns = rig.venue_ns if horizon_ns < 0 else horizon_ns
    return FillsRead(rig.now_ns, ACCOUNT, count, rig.now_ns, since_ns, horizon_ns)


def test_a_quantity_ahead_of_our_fills_fetches_them_and_never_invents_any() -> None:
    rig = Rig()
    order = rig.open()
    rig.turn(rig.closed("filled", "1"))
    assert (order.filled, order.reserved) == (0, ONE)
    rig.run(30)
    assert len(rig.asked("fills")) >= 4, "asked until they are there"
    rig.turn(replace(filled("0.4"), source="lookup"), fills_read(rig))
    assert (order.filled, order.reserved) == (parse("0.4"), parse("0.6"))
    before = len(rig.asked("fills"))
    rig.run(30)
    assert len(rig.asked("fills")) > before
    rig.turn(filled("0.6", "f2"))
    assert order.reserved == 0
    assert rig.run(60) == []


def test_an_open_orders_quantity_ahead_of_our_fills_fetches_them_too() -> None:
    rig = Rig()
    order = rig.open()
    rig.turn(rig.snapshot(rig.row(filled="0.4")))
    assert (order.status, order.reserved) == ("OPEN", ONE)
    assert "fills" in [c.what for c in rig.run(3) if isinstance(c, LookUp)]
    assert not rig.asked("snapshot")


def test_a_closure_without_a_quantity_is_looked_up() -> None:
    rig = Rig()
    order = rig.open()
    rig.turn(rig.closed(filled=None))
    assert order.reserved == ONE
    rig.run(3)
    assert rig.asked("closed_orders")
    assert not rig.asked("fills")
    rig.turn(rig.closed_read(rig.row(is_open=False, filled="0", cause="canceled")))
    assert order.reserved == 0
    assert rig.run(60) == []


def test_a_blind_look_up_of_fills_does_not_move_where_the_next_begins() -> None:
    """Blind for minutes, it would else begin after the fill that is missing."""
    rig = Rig()
    rig.open()
    lost_ns = rig.venue_ns
    rig.turn(rig.snapshot(rig.row(filled="0.4")))
    for _ in range(60):
        rig.run(5)
        rig.turn(fills_read(rig, 0, horizon_ns=0))
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "fills"]
    assert looks[-1].since_ns < lost_ns


# --- batches -----------------------------------------------------------------------------------


def test_each_of_a_batch_has_its_own_verdict_and_its_own_doubt() -> None:
    rig = Rig(max_place_batch=5)
    places = tuple(place(x, strategy="s", bound_ns=rig.now_ns + 5 * S) for x in "abcd")
    assert isinstance(rig.submit(PlaceBatch(ACCOUNT, places, rig.now_ns + 5 * S)), Approved)
    number = rig.numbers[-1]
    rig.turn(Accepted(rig.now_ns, ACCOUNT, "b", "W", number))
    rig.turn(Rejected(rig.now_ns, ACCOUNT, "c", "", number, "no"))
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, number, "unreadable", ("d",)))
    stages = [rig.order(name).stage for name in "abcd"]
    assert stages == ["SENDING", "LIVE", "DONE", "UNKNOWN"], "the doubt names one"
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, number, "silence"))
    stages = [rig.order(name).stage for name in "abcd"]
    assert stages == ["UNKNOWN", "LIVE", "DONE", "UNKNOWN"]
    rig.run(9)
    assert rig.pressed("a")
    assert rig.pressed("d")
    assert not rig.pressed("b")
    assert not rig.pressed("c")
    shown = rig.row("b", "W"), rig.row("a", "V")
    rig.turn(rig.snapshot(*shown))
    rig.later(2)
    rig.turn(rig.closed_read(rig.stranger(0)), rig.snapshot(*shown))
    rig.tick()
    assert [each.client_order_id for each in rig.heard(Absent)] == ["d"]
    ends = {name: rig.order(name).status for name in "abcd"}
    assert ends == {"a": "OPEN", "b": "OPEN", "c": "REJECTED", "d": "REJECTED"}


def test_an_accepted_cancel_whose_closure_is_lost_is_found_in_history() -> None:
    rig = Rig()
    order = rig.open()
    rig.submit(Cancel(ACCOUNT, "a", "V", BTC))
    rig.turn(CancelAccepted(rig.now_ns, ACCOUNT, "a", "V", rig.numbers[-1]))
    assert (order.stage, order.reserved) == ("LIVE", ONE)
    rig.later(5)
    rig.turn(rig.snapshot())
    assert order.status == "UNKNOWN"
    over: OrderReported = rig.row(is_open=False, filled="0", cause="canceled")
    rig.turn(rig.closed_read(over))
    assert (order.status, order.reserved) == ("CANCELED", 0)


# --- seemingly gone ----------------------------------------------------------------------------


def refused_cancel(rig: Rig, order: Order) -> None:
    """A cancel that the venue refuses: it knows no such open order, or so it says."""
    rig.submit(Cancel(ACCOUNT, "a", "V", BTC))
    rig.refuse_cancel()


def blind_look_up(rig: Rig, order: Order) -> None:
    rig.turn(rig.open_read())


@pytest.mark.parametrize("lose", [refused_cancel, blind_look_up])
def test_an_order_that_seems_gone_is_asked_after_and_stays_what_it_was(
    lose: Callable[[Rig, Order], None],
) -> None:
    """Neither a refusal nor an empty look-up proves anything; the stream's picture does."""
    rig = Rig()
    order = rig.open()
    lose(rig, order)
    assert (order.stage, order.reserved) == ("LIVE", ONE)
    rig.run(4)
    assert rig.asked("snapshot")
    assert rig.asked("closed_orders"), "where the stream tells nothing"
    rig.turn(rig.snapshot(rig.row()))
    assert not order.doubts
    assert rig.run(60) == [], "asked and answered"
    rig.turn(rig.snapshot())
    assert order.doubts


@pytest.mark.parametrize("ways", [{"time_in_force": "ioc"}, {"order_type": "market"}])
def test_an_order_that_should_have_ended_at_once_and_has_not_is_asked_after(
    ways: dict[str, str],
) -> None:
    """Its end was lost on the way: nothing of it can rest."""
    rig = Rig()
    order = rig.place(**ways)
    rig.turn(Accepted(rig.now_ns, ACCOUNT, "a", "V"))
    assert rig.run(0.9) == [], "its end is on its way"
    rig.run(4)
    assert rig.asked("snapshot")
    rig.turn(rig.snapshot())
    assert order.doubts
    rig.run(3)
    assert rig.asked("closed_orders")
    rig.turn(rig.closed_read(rig.row(is_open=False, filled="0", cause="canceled")))
    assert (order.status, order.reserved) == ("CANCELED", 0)
    assert rig.run(60) == []
