"""What should not be: late accepts, orphans of a lost journal, what an earlier run left behind."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from crosswire.domain import (
    Absent,
    Accepted,
    Amend,
    Approved,
    Cancel,
    Corrected,
    Filled,
    Halted,
    Kill,
    LookUp,
    Place,
    Refused,
    Rejected,
    Resend,
    Resumed,
    RunEnded,
    RunStarted,
    TimedOut,
    Void,
)
from crosswire.doubt import MOST_VOIDS
from crosswire.fixed import parse
from crosswire.orders import ClientOrderIds, Order
from tests.doubt_rig import ONE, Rig
from tests.samples import ACCOUNT, BTC, S, filled, place

HALF = parse("0.5")


def absent(rig: Rig) -> Order:
    """An order that was proven never to have been."""
    order = rig.lost()
    rig.rule_out()
    rig.later(2)
    rig.turn(rig.closed_read(rig.stranger(0)), rig.snapshot())
    rig.tick()
    assert order.end == "absent"
    return order


def refused(rig: Rig) -> Order:
    order = rig.place()
    rig.turn(Rejected(rig.now_ns, ACCOUNT, "a", "", rig.numbers[-1], "no"))
    assert order.end == "rejected"
    return order


def may_place(rig: Rig) -> bool:
    name = f"x{len(rig.numbers)}"
    return isinstance(rig.submit(place(name, bound_ns=rig.now_ns + 5 * S)), Approved)


# --- late accepts ------------------------------------------------------------------------------


@pytest.mark.parametrize("close", [absent, refused])
def test_a_late_accept_is_booked_canceled_and_halts_until_it_is_over(
    close: Callable[[Rig], Order],
) -> None:
    rig = Rig()
    order = close(rig)
    rig.later(5)
    rig.turn(replace(filled("0.5"), recv_ns=rig.now_ns))
    assert rig.engine.positions.quantity(ACCOUNT, BTC) == HALF
    assert (order.is_late, order.reserved) == (True, HALF)
    (halted,) = rig.heard(Halted)
    assert "a" in halted.reason
    assert halted.exit
    assert not may_place(rig)
    rig.run(30)
    assert len(rig.pressed()) >= 4, "again and again: a cancel may be lost"
    assert rig.pressed()[-1] - rig.pressed()[-2] <= 16
    rig.turn(rig.snapshot())
    assert rig.halts, "not over because one picture lacks it"
    rig.later(5)
    rig.turn(rig.closed(filled="0.75"))
    rig.later(1)
    rig.turn(rig.snapshot())
    rig.tick()
    assert rig.halts, "a fill of it is still missing"
    rig.turn(replace(filled("0.25", "f2"), recv_ns=rig.now_ns))
    rig.later(1)
    for read in (rig.open_read(), replace(rig.snapshot(), is_complete=False)):
        rig.turn(read)
        rig.tick()
        assert rig.halts, "no whole read since"
    rig.turn(rig.snapshot(started_s=1.5))
    rig.tick()
    assert rig.halts, "begun before its end"
    assert "snapshot" in [c.what for c in rig.run(2) if isinstance(c, LookUp)], "asked for"
    rig.turn(rig.snapshot())
    rig.tick()
    assert rig.heard(Resumed)[-1].reason == halted.reason
    assert not rig.halts
    assert may_place(rig)
    assert rig.engine.counts["late_accepts"] == 1


@pytest.mark.parametrize("close", [absent, refused])
def test_an_order_that_a_read_shows_although_it_can_not_be_is_a_late_accept(
    close: Callable[[Rig], Order],
) -> None:
    rig = Rig()
    order = close(rig)
    rig.turn(rig.open_read(rig.row()))
    assert (order.is_late, order.reserved) == (True, ONE)
    assert rig.heard(Halted)
    rig.run(1)
    assert rig.pressed()


def test_a_late_accept_that_fills_whole_is_over_without_another_word() -> None:
    """The word of its end may be lost; a halt has an exit all the same."""
    rig = Rig()
    order = absent(rig)
    rig.turn(replace(filled("1"), recv_ns=rig.now_ns))
    assert rig.heard(Halted)
    assert not order.is_open
    assert order.status == "FILLED"
    rig.later(1)
    rig.turn(rig.snapshot())
    rig.tick()
    assert not rig.halts
    assert rig.run(60) == []


def test_a_late_accept_whose_closure_is_lost_is_found_in_history() -> None:
    rig = Rig()
    order = refused(rig)
    rig.turn(Accepted(rig.now_ns, ACCOUNT, "a", "V"))
    rig.run(4)
    assert rig.asked("closed_orders")
    rig.turn(rig.closed_read(rig.row(is_open=False, filled="0", cause="canceled")))
    assert not order.is_open
    rig.later(1)
    rig.turn(rig.snapshot())
    rig.tick()
    assert not rig.halts


def test_a_late_accept_that_is_over_already_halts_until_a_whole_read() -> None:
    rig = Rig()
    absent(rig)
    rig.turn(rig.closed_read(rig.row(is_open=False, filled="0", cause="canceled")))
    assert rig.engine.counts["late_accepts"] == 1
    assert not rig.heard(Corrected)
    assert rig.halts
    rig.later(1)
    rig.turn(rig.snapshot())
    rig.tick()
    assert not rig.halts


def test_an_order_called_absent_is_known_again_long_after_it_was_done_with() -> None:
    rig = Rig()
    order = absent(rig)
    rig.run(1_000)
    assert rig.engine.orders.get("a") is order, "it must be known for what it is"
    rig.turn(rig.closed_read(rig.row(is_open=False, filled="0", cause="canceled")))
    assert rig.heard(Halted)


def test_a_halt_ends_with_the_memory_of_its_order() -> None:
    rig = Rig()
    refused(rig)
    rig.turn(Accepted(rig.now_ns, ACCOUNT, "a", "V"), rig.closed())
    assert rig.halts
    rig.run(400)
    assert rig.engine.orders.get("a") is None
    assert not rig.halts


# --- orphans and strangers ---------------------------------------------------------------------


def test_an_open_order_of_ours_that_no_journal_knows_is_taken_in_and_canceled() -> None:
    rig = Rig()
    name = ClientOrderIds("b", 7).next()
    rig.turn(rig.snapshot(rig.row(name, "O", filled="0.25")))
    order = rig.order(name)
    (corrected,) = rig.heard(Corrected)
    assert (corrected.client_order_id, bool(corrected.cause)) == (name, True)
    assert corrected.evidence
    assert (order.strategy, order.reserved) == ("", ONE), "as if none of it were booked"
    rig.run(5)
    assert rig.pressed(name)
    assert rig.asked("fills")
    rig.turn(replace(rig.closed(filled="0.25", name=name), venue_order_id="O"))
    pressed = rig.pressed(name)
    rig.run(20)
    assert rig.pressed(name) == pressed, "over, and its fill is owed"
    fill = Filled(rig.now_ns, ACCOUNT, name, "O", BTC, "buy", ONE, parse("0.25"), "k")
    rig.turn(fill)
    assert (order.status, order.reserved) == ("CANCELED", 0)
    assert rig.engine.counts["orders_adopted"] == 1
    assert rig.run(60) == []


def test_an_orphans_fills_that_came_before_it_are_not_waited_for() -> None:
    rig = Rig()
    name = ClientOrderIds("b", 7).next()
    fill = Filled(rig.now_ns, ACCOUNT, name, "O", BTC, "buy", ONE, parse("0.25"), "k")
    rig.turn(fill)
    rig.later(1)
    rig.turn(rig.snapshot(rig.row(name, "O", filled="0.25")))
    order = rig.order(name)
    assert (order.filled, order.reserved) == (parse("0.25"), parse("0.75"))
    rig.run(5)
    rig.turn(replace(rig.closed(filled="0.25", name=name), venue_order_id="O"))
    assert order.reserved == 0
    assert not rig.asked("fills")
    assert rig.engine.positions.quantity(ACCOUNT, BTC) == parse("0.25"), "booked once"


@pytest.mark.parametrize("name", ["", "f" * 32, ClientOrderIds("another", 1).next()])
def test_an_order_of_somebody_else_is_shown_and_left_alone(name: str) -> None:
    rig = Rig()
    rig.turn(rig.snapshot(rig.row(name, "X")))
    assert list(rig.engine.orders.externals) == [(ACCOUNT, "X")]
    assert rig.run(60) == []
    assert not rig.heard(Corrected)
    rig.later(1)
    rig.turn(rig.snapshot())
    assert not rig.engine.orders.externals, "gone when a whole read lacks it"


def test_where_strangers_are_adopted_they_are_managed_but_nobodys() -> None:
    rig = Rig(adopts_external=True)
    rig.turn(rig.snapshot(rig.row("", "X")))
    order = rig.order("X")
    assert (order.strategy, order.reserved) == ("external", ONE)
    assert not rig.engine.orders.externals
    assert rig.run(10) == [], "not canceled"
    assert isinstance(rig.submit(Cancel(ACCOUNT, "X", "X", BTC)), Approved)
    rig.turn(Filled(rig.now_ns, ACCOUNT, "", "X", BTC, "buy", ONE, ONE, "k"))
    assert order.status == "FILLED"
    assert rig.engine.positions.quantity(ACCOUNT, BTC) == ONE
    assert rig.engine.positions.share("s", BTC) == 0


def test_what_a_stranger_filled_before_our_time_is_not_asked_for_for_ever() -> None:
    rig = Rig(adopts_external=True)
    rig.turn(RunStarted(rig.now_ns, 1))
    hour_ago_ns = rig.venue_ns - 3_600 * S
    rig.turn(rig.snapshot(rig.row("", "X", filled="0.25", opened_ns=hour_ago_ns)))
    rig.run(60)
    assert not rig.asked("fills")
    assert rig.order("X").reserved == parse("0.75")


# --- an earlier run ----------------------------------------------------------------------------


def test_a_new_run_places_nothing_until_the_last_ones_requests_can_not_arrive() -> None:
    rig = Rig()
    rig.open("b", "W")
    order = rig.place("a")
    rig.later(1)
    rig.turn(RunStarted(rig.now_ns, 2))
    assert (order.status, rig.order("b").status) == ("UNKNOWN", "OPEN")
    assert not may_place(rig)
    rig.later(1)
    shown = rig.row("b", "W")
    rig.turn(rig.snapshot(shown))
    rig.tick()
    assert not may_place(rig), "its bound has not passed"
    rig.run(6)
    rig.turn(rig.snapshot(shown))
    rig.tick()
    assert order.is_ruled_out
    assert may_place(rig), "the proof of its absence may take longer"
    assert rig.heard(Resumed)


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_new_run_waits_for_what_the_journal_may_have_lost(is_clean: bool) -> None:
    """Its last records may be gone: an order nobody knows of may still arrive."""
    rig = Rig()
    rig.turn(RunStarted(rig.now_ns, 2), RunEnded(rig.now_ns, 2, is_clean))
    rig.turn(RunStarted(rig.now_ns, 3))
    rig.later(1)
    rig.turn(rig.snapshot())
    rig.tick()
    assert may_place(rig) == is_clean
    rig.run(7)
    assert rig.asked("snapshot") or is_clean
    rig.turn(rig.snapshot())
    rig.tick()
    assert may_place(rig)


def test_an_order_of_ours_that_the_stream_names_and_nobody_knows_is_asked_about() -> None:
    rig = Rig()
    name = ClientOrderIds("b", 1).next()
    rig.turn(Accepted(rig.now_ns, ACCOUNT, name, "W", source="stream"))
    rig.run(1)
    assert rig.asked("snapshot")
    before = len(rig.asked("snapshot"))
    rig.turn(rig.snapshot(rig.row(name, "W")))
    assert rig.order(name).is_adopted
    rig.run(1)
    assert rig.pressed(name)
    assert len(rig.asked("snapshot")) == before


def test_a_new_run_places_nothing_before_a_whole_read() -> None:
    rig = Rig()
    rig.turn(RunStarted(rig.now_ns, 2))
    rig.later(60)
    for read in (
        rig.open_read(),
        replace(rig.snapshot(), is_complete=False),
        replace(rig.snapshot(), client_order_id="x"),
        rig.snapshot(started_s=61),
        rig.closed_read(rig.stranger(0)),
    ):
        rig.turn(read)
        rig.tick()
        assert not may_place(rig)
    rig.turn(rig.snapshot())
    rig.tick()
    assert may_place(rig)


def test_a_new_run_waits_for_an_amend_that_may_still_arrive() -> None:
    rig = Rig()
    order = rig.open()
    bound_ns = rig.now_ns + 5 * S
    rig.submit(Amend(ACCOUNT, BTC, "a", "V", 2 * ONE, parse("100"), bound_ns=bound_ns))
    rig.turn(RunStarted(rig.now_ns, 2))
    rig.later(1)
    rig.turn(rig.snapshot(rig.row()))
    rig.tick()
    assert not may_place(rig)
    rig.later(6)
    rig.turn(rig.snapshot(rig.row()))
    rig.tick()
    assert order.doubts == 0
    assert may_place(rig)


def test_a_new_run_does_not_wait_for_what_a_whole_read_lacks() -> None:
    """It was seen, and is over; how it ended is another question."""
    rig = Rig()
    order = rig.open()
    rig.submit(Cancel(ACCOUNT, "a", "V", BTC))
    rig.turn(RunStarted(rig.now_ns, 2))
    rig.later(1)
    rig.turn(rig.snapshot())
    rig.tick()
    assert order.doubts
    assert may_place(rig)


def test_cancels_go_on_while_a_new_run_waits() -> None:
    rig = Rig()
    rig.open()
    rig.turn(RunStarted(rig.now_ns, 2))
    assert isinstance(rig.submit(Cancel(ACCOUNT, "a", "V", BTC)), Approved)


# --- identical bytes ---------------------------------------------------------------------------


def resent(rig: Rig) -> list[Resend]:
    return [command for _, command in rig.sent if isinstance(command, Resend)]


def test_nothing_is_sent_twice_unless_that_was_shown_to_be_safe() -> None:
    rig = Rig()
    rig.lost()
    rig.run(100)
    assert not resent(rig)
    assert sum(isinstance(command, Place) for _, command in rig.sent) == 1


def test_identical_bytes_go_once_more_before_their_bound() -> None:
    rig = Rig(resends=True)
    rig.lost()
    number = rig.numbers[0]
    rig.run(20)
    assert resent(rig) == [Resend(ACCOUNT, "a", number)]


def test_identical_bytes_stay_here_past_their_bound() -> None:
    rig = Rig(resends=True)
    order = rig.place()
    rig.later(5)
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[0], "silence"))
    rig.run(20)
    assert order.stage == "UNKNOWN"
    assert not resent(rig)


def test_what_is_not_wanted_any_more_or_was_seen_is_not_sent_again() -> None:
    rig = Rig(resends=True)
    rig.place()
    rig.submit(Cancel(ACCOUNT, "a", "", BTC))
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[0], "silence"))
    rig.run(20)
    rig.open("b", "W")
    rig.turn(rig.snapshot())
    rig.run(20)
    assert not resent(rig)


def voided(rig: Rig) -> list[Void]:
    return [command for _, command in rig.sent if isinstance(command, Void)]


def test_what_is_not_wanted_any_more_is_made_impossible() -> None:
    rig = Rig(resends=True)
    order = rig.place()
    rig.later(3)  # a quote three seconds old is out of date
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[0], "silence"))
    rig.step()
    assert voided(rig) == [Void(ACCOUNT, "a", rig.numbers[0])]
    assert not resent(rig)
    assert order.stage == "UNKNOWN"
    final = Rejected(rig.now_ns, ACCOUNT, "a", "", rig.numbers[0], "used up", is_final=True)
    rig.turn(final)
    assert order.end == "rejected"
    rig.run(20)
    assert len(voided(rig)) == 1


def test_an_api_users_order_is_wanted_as_long_as_it_may_arrive() -> None:
    rig = Rig(resends=True)
    rig.place(strategy="")
    rig.later(3)
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[0], "silence"))
    rig.step()
    assert resent(rig)
    rig.run(4)
    assert voided(rig)  # nor did the copy get an answer


def test_while_it_is_killed_no_copy_goes_out() -> None:
    rig = Rig(resends=True)
    rig.place()
    rig.submit(Kill(ACCOUNT, "test"))
    rig.turn(TimedOut(rig.now_ns, ACCOUNT, rig.numbers[0], "silence"))
    rig.step()
    assert not resent(rig)
    assert voided(rig)


def test_a_nonce_is_not_used_up_for_ever() -> None:
    rig = Rig(resends=True)
    rig.lost()
    rig.run(300)
    assert len(voided(rig)) == MOST_VOIDS
    assert not [c for _, c in Rig().sent if isinstance(c, Void)]


def test_refusals_name_the_halt() -> None:
    rig = Rig()
    rig.turn(RunStarted(rig.now_ns, 2))
    outcome = rig.submit(place("x", bound_ns=rig.now_ns + 5 * S))
    assert isinstance(outcome, Refused)
    assert "run" in f"{outcome}"
    assert not rig.heard(Absent)
