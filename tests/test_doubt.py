"""A lost place: what is asked, what proves it absent, and all that does not."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from msgspec.structs import replace

from crosswire.domain import (
    Absent,
    Accepted,
    AnyCommand,
    AnyEvent,
    Cancel,
    DoubtMoved,
    LookUp,
    OrdersRead,
    ReadFailed,
)
from crosswire.fixed import parse
from crosswire.orders.orders import PATIENCE
from tests.doubt_rig import ONE, Rig
from tests.samples import ACCOUNT, BTC, S, filled

WAY = ["opened", "ruled out", "open orders lack it", "closed orders lack it", "settled"]
SKEWS = (-30, 0, 30, 3_600)


def lost_and_ruled_out(lag_s: int = 1) -> Rig:
    rig = Rig(lag_s=lag_s)
    rig.lost()
    rig.rule_out()
    return rig


def test_the_whole_way_of_a_lost_place() -> None:
    rig = Rig()
    order = rig.lost()
    assert (order.status, order.reserved) == ("UNKNOWN", ONE)
    asked = rig.run(3)
    assert LookUp(ACCOUNT, "snapshot") in asked
    assert Cancel(ACCOUNT, "a", "", BTC) in asked, "it must not rest unwatched"
    rig.run(5)
    rig.refuse_cancel()
    assert order.is_ruled_out
    assert order.reserved == ONE, "it may have filled"
    rig.later(2)
    rig.turn(rig.closed_read(rig.stranger(0)))
    rig.turn(rig.snapshot())
    assert not rig.heard(Absent)
    rig.tick()
    (absent,) = rig.heard(Absent)
    assert absent.evidence
    assert (order.status, order.reserved, order.end) == ("REJECTED", 0, "absent")
    assert sorted(rig.steps()) == sorted(WAY)
    assert all(moved.evidence for moved in rig.heard(DoubtMoved))
    counts = rig.engine.counts
    assert (counts["doubts_opened"], counts["doubts_settled_absent"]) == (1, 1)
    assert rig.run(60) == [], "nothing is asked when nothing is in doubt"


@pytest.mark.parametrize("skew_s", SKEWS)
def test_the_bound_has_passed_when_the_venues_clock_says_so(skew_s: int) -> None:
    """Our own clock proves nothing, fast or slow."""
    rig = Rig(skew_s=skew_s, is_measured=False)
    order = rig.lost()
    bound_ns = order.bound_ns + rig.skew_ns
    rig.later(1_000)
    for venue_ns in (bound_ns - 1, bound_ns, bound_ns + S):
        rig.submit(Cancel(ACCOUNT, "a", "", BTC))
        rig.refuse_cancel(venue_ns=venue_ns)
        rig.turn(replace(rig.snapshot(), venue_ns=venue_ns))
        assert not order.is_ruled_out
    rig.turn(replace(rig.snapshot(), venue_ns=bound_ns + S + 1))
    assert order.is_ruled_out


def test_a_clock_that_is_off_changes_neither_what_is_asked_nor_when() -> None:
    logs: list[list[tuple[int, AnyCommand]]] = []
    for skew_s in SKEWS:
        rig = Rig(skew_s=skew_s)
        rig.lost()
        rig.run(9)
        rig.turn(rig.snapshot())
        rig.run(3)
        rig.turn(rig.closed_read(rig.stranger(0)), rig.snapshot())
        rig.tick()
        assert rig.heard(Absent)
        log = [(at_ns, without_since(command)) for at_ns, command in rig.sent]
        logs.append(log)
    assert logs[1:] == logs[:-1]


def without_since(command: AnyCommand) -> AnyCommand:
    """Only what the venue is asked to go back to is told by its own clock."""
    return replace(command, since_ns=0) if isinstance(command, LookUp) else command


def test_an_early_refusal_of_its_cancel_proves_nothing() -> None:
    """The place may still be on its way: the venue promises no order among requests."""
    rig = Rig()
    order = rig.lost()
    rig.run(3)
    rig.refuse_cancel()
    rig.turn(rig.snapshot())
    assert not order.is_ruled_out
    rig.run(4)
    rig.turn(Accepted(rig.now_ns, ACCOUNT, "a", "V"))
    assert order.status == "OPEN"
    assert rig.steps() == ["opened", "settled"]


def test_an_order_without_a_known_bound_is_never_ruled_out() -> None:
    rig = Rig()
    order = rig.lost(bound_ns=0, strategy="")
    order.bound_ns = order.venue_bound_ns = 0
    rig.run(100)
    rig.turn(rig.snapshot())
    assert not order.is_ruled_out


def test_a_look_up_rules_out_when_what_it_trails_is_past_the_bound() -> None:
    rig = Rig(lag_s=10)
    order = rig.lost()
    rig.later(5 + 10 * PATIENCE)  # the bound is at five seconds, and the read may be far behind
    rig.turn(rig.open_read(rig.stranger()))
    assert not order.is_ruled_out
    rig.later(1.5)
    rig.turn(rig.open_read())
    assert not order.is_ruled_out, "it may be blind"
    rig.turn(replace(rig.open_read(rig.stranger()), is_complete=False))
    assert not order.is_ruled_out
    rig.turn(replace(rig.open_read(rig.stranger()), client_order_id="b"))
    assert not order.is_ruled_out, "it was asked about another one"
    rig.turn(rig.open_read(rig.stranger()))
    assert order.is_ruled_out


# --- the second half of the proof --------------------------------------------------------------


def partial(read: OrdersRead) -> AnyEvent:
    return replace(read, is_complete=False)


def narrowed(read: OrdersRead) -> AnyEvent:
    return replace(read, client_order_id="b")


def failed(read: OrdersRead) -> AnyEvent:
    return ReadFailed(read.recv_ns, ACCOUNT, "closed_orders", "503")


def blind(read: OrdersRead) -> AnyEvent:
    return replace(read, orders=())


def early(read: OrdersRead) -> AnyEvent:
    return replace(read, started_ns=read.started_ns - 2 * S)


def old(read: OrdersRead) -> AnyEvent:
    row = read.orders[0]
    return replace(read, orders=(replace(row, closed_ns=row.closed_ns - 3 * S),))


def narrow(read: OrdersRead) -> AnyEvent:
    return replace(read, since_ns=read.venue_ns - 8 * S)


def leapt(read: OrdersRead) -> AnyEvent:
    """Our clock was set forward: by the venue's, the lag has not passed."""
    return replace(read, venue_ns=read.venue_ns - 2 * S)


SPOILS = [partial, narrowed, failed, blind, early, old, narrow, leapt]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_closed_read_that_can_not_know_proves_nothing(
    spoil: Callable[[OrdersRead], AnyEvent],
) -> None:
    rig = lost_and_ruled_out()
    rig.later(2.5)
    good = rig.closed_read(rig.stranger(0))
    rig.turn(rig.snapshot(), spoil(good))
    rig.run(2)
    assert not rig.heard(Absent)
    assert rig.order().reserved == ONE
    rig.turn(good)
    rig.tick()
    assert len(rig.heard(Absent)) == 1


def test_a_closed_read_must_be_younger_than_the_lag() -> None:
    rig = lost_and_ruled_out(lag_s=10)
    order = rig.order()
    rig.later(9.9)
    rig.turn(rig.snapshot(), rig.closed_read(rig.stranger(0)))
    assert not order.closed_lacked_ns
    rig.later(0.1)
    rig.turn(rig.closed_read(rig.stranger(0)))
    assert order.closed_lacked_ns


def test_closed_orders_before_the_ruling_prove_nothing() -> None:
    """It may have rested then, and ended since."""
    rig = Rig()
    rig.lost()
    rig.later(20)
    rig.turn(rig.closed_read(rig.stranger(0)))
    rig.turn(rig.snapshot())
    rig.later(2)
    rig.turn(rig.snapshot())
    rig.tick()
    assert rig.order().open_lacked_ns
    assert not rig.heard(Absent)


def test_where_nothing_else_ends_any_sighted_read_counts_some_lags_later() -> None:
    rig = lost_and_ruled_out()
    rig.later(PATIENCE - 0.1)
    hour_ago = rig.stranger(3_000)
    rig.turn(rig.snapshot(), rig.closed_read(hour_ago))
    rig.later(0.1)
    rig.turn(rig.closed_read())
    rig.tick()
    assert not rig.heard(Absent), "a blind one never counts"
    rig.turn(rig.closed_read(hour_ago))
    rig.tick()
    assert rig.heard(Absent), "it need not prove its age any more, only that it sees"


def test_an_order_that_is_among_the_closed_ones_was() -> None:
    rig = lost_and_ruled_out()
    rig.later(2)
    own = rig.row(is_open=False, filled="0.4", cause="expired")
    rig.turn(rig.snapshot(), rig.closed_read(rig.stranger(0), own))
    rig.tick()
    order = rig.order()
    assert not rig.heard(Absent)
    assert (order.status, order.reserved) == ("EXPIRED", parse("0.4"))
    rig.turn(filled("0.4"))
    assert order.reserved == 0


def second_looks(rig: Rig) -> dict[str, tuple[OrdersRead, bool]]:
    """Reads of open orders five seconds after the ruling, and whether they are a second look."""
    x = rig.stranger()
    return {
        "partial": (replace(rig.open_read(x), is_complete=False), False),
        "narrowed": (replace(rig.open_read(x), client_order_id="b"), False),
        "blind": (rig.open_read(), False),
        "within the lag": (rig.open_read(x, started_s=4.5), False),
        "begun before": (rig.snapshot(started_s=6), False),
        "too soon": (rig.snapshot(started_s=4.5), False),
        "past the lag": (rig.open_read(x), True),
        "snapshot": (rig.snapshot(started_s=3.5), True),
    }


@pytest.mark.parametrize("which", second_looks(Rig()))
def test_open_orders_are_looked_at_a_second_time(which: str) -> None:
    """Closed orders may trail: an order that filled in between is in neither list."""
    rig = lost_and_ruled_out()
    rig.later(5)
    rig.turn(rig.closed_read(rig.stranger(0)))
    rig.tick()
    assert not rig.heard(Absent), "one look is not two"
    read, is_second = second_looks(rig)[which]
    rig.turn(read)
    rig.tick()
    assert bool(rig.heard(Absent)) == is_second


def test_an_order_that_is_seen_at_the_second_look_lives() -> None:
    rig = lost_and_ruled_out()
    rig.later(5)
    rig.turn(rig.closed_read(rig.stranger(0)), rig.snapshot(rig.row()))
    rig.run(10)
    assert not rig.heard(Absent)
    assert (rig.order().status, rig.order().is_ruled_out) == ("OPEN", False)


@pytest.mark.parametrize("kind", ["accepted", "filled", "closed", "shown"])
def test_any_evidence_that_it_exists_ends_the_way_to_absence(kind: str) -> None:
    rig = lost_and_ruled_out()
    rig.later(2)
    evidence: dict[str, AnyEvent] = {
        "accepted": Accepted(rig.now_ns, ACCOUNT, "a", "V"),
        "filled": filled("0.5"),
        "closed": rig.closed(),
        "shown": rig.open_read(rig.row(), started_s=10),
    }
    rig.turn(rig.snapshot(), evidence[kind])
    rig.turn(rig.closed_read(rig.stranger(0)))
    rig.run(30)
    rig.turn(rig.snapshot(), rig.closed_read(rig.stranger(0)))
    rig.run(10)
    assert not rig.heard(Absent)


# --- what is asked, and how often --------------------------------------------------------------


def test_what_is_lost_is_canceled_at_once_and_again_past_its_bound() -> None:
    rig = Rig()
    rig.lost()
    rig.run(20)
    early = [at for at in rig.pressed() if at <= 5]
    late = [at for at in rig.pressed() if at > 5]
    assert len(early) == 1, "a refusal proves nothing yet, and costs what trading could use"
    assert early[0] <= 2
    assert 6 < late[0] <= 9, "once the refusal can prove something, and no snapshot has"
    assert any(6 < at <= 7 for at in rig.asked("snapshot")), "first: one picture speaks of all"
    gaps = [after - before for before, after in pairwise(late)]
    assert gaps
    assert min(gaps) >= 2
    assert gaps == sorted(gaps), "each costs, so less and less often"


@pytest.mark.parametrize("time_in_force", ["ioc", "fok"])
def test_what_ends_by_itself_is_canceled_only_for_the_proof(time_in_force: str) -> None:
    rig = Rig()
    rig.lost(time_in_force=time_in_force)
    rig.run(10)
    assert min(rig.pressed()) > 6


def test_what_is_ruled_out_is_not_canceled_any_more() -> None:
    rig = lost_and_ruled_out()
    before = rig.pressed()
    rig.run(60)
    assert rig.pressed() == before


def test_the_lag_is_waited_for_before_history_is_asked() -> None:
    rig = lost_and_ruled_out(lag_s=30)
    ruled_s = 7.0
    rig.run(100)
    for what, lags in (("closed_orders", 1), ("snapshot", 1), ("open_orders", 2)):
        asked = [at for at in rig.asked(what) if at > ruled_s]
        assert ruled_s + lags * 30 <= min(asked) <= ruled_s + lags * 30 + 2, what
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "closed_orders"]
    sent_ns = rig.order().stamps.approved + rig.skew_ns
    assert all(look.since_ns <= sent_ns - S for look in looks), "wide enough to show it"


def test_a_question_without_an_answer_is_asked_at_doubling_intervals() -> None:
    rig = Rig(lag_s=600)
    rig.open()
    rig.turn(rig.snapshot())
    rig.run(120)
    asked = rig.asked("snapshot")
    gaps = [round(after - before) for before, after in pairwise(asked)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert max(gaps) == 16, "never given up"
    rig.place("b")
    rig.turn(rig.snapshot(rig.row("b", "W")))
    rig.later(5)
    asked = rig.asked("snapshot")
    rig.turn(rig.snapshot())
    rig.run(1)
    assert len(rig.asked("snapshot")) > len(asked), "for a new reason at once"


def test_many_doubts_of_an_account_share_their_look_ups() -> None:
    rig = Rig()
    for name in "abcde":
        rig.lost(name)
    rig.run(4)
    for what in ("snapshot", "closed_orders"):
        assert len(rig.asked(what)) <= 3


def test_a_shared_look_up_reaches_back_to_the_oldest_of_the_doubts() -> None:
    rig = Rig()
    rig.lost("a")
    rig.later(60)
    rig.lost("b")
    rig.run(4)
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "closed_orders"]
    assert looks[-1].since_ns < rig.order("a").stamps.approved + rig.skew_ns


def test_an_order_that_rests_asks_for_nothing() -> None:
    rig = Rig()
    rig.open()
    assert rig.run(120) == []


def quiet_venue(rig: Rig, command: LookUp, closed_ns: int) -> AnyEvent:
    """An account at which one order ended, long ago, and nothing since."""
    if command.what != "closed_orders":
        return rig.snapshot()
    rows = (replace(rig.stranger(0), closed_ns=closed_ns),) if command.since_ns <= closed_ns else ()
    return replace(rig.closed_read(*rows), since_ns=command.since_ns)


def test_on_a_quiet_account_history_is_looked_at_until_it_shows_something() -> None:
    """Else the answer would look blind for ever, and the reservation never end."""
    rig = lost_and_ruled_out()
    closed_ns = rig.venue_ns - 36_000 * S
    for _ in range(3_000):
        for command in rig.run(0.1, fails=False):
            if isinstance(command, LookUp):
                rig.turn(quiet_venue(rig, command, closed_ns))
    assert rig.heard(Absent)
    assert len(rig.asked("closed_orders")) < 20


def test_a_look_up_that_fails_is_not_made_to_reach_further() -> None:
    """It may have failed because there was too much to show."""
    rig = lost_and_ruled_out()
    rig.later(2)
    for _ in range(4):
        rig.turn(rig.closed_read())
    rig.run(1)
    rig.run(60)
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "closed_orders"]
    assert looks[-1].since_ns > looks[0].since_ns
    assert rig.venue_ns - looks[-1].since_ns < 120 * S


def test_history_is_looked_at_as_far_back_as_an_end_is_known() -> None:
    """What ended then is the witness that the look-up sees."""
    rig = Rig()
    rig.open("b", "W")
    rig.turn(rig.closed(name="b"))
    ended = replace(rig.closed(name="b"), venue_ns=rig.venue_ns)
    rig.turn(ended, replace(ended, venue_ns=rig.venue_ns - 3_600 * S))
    rig.later(600)
    rig.lost()
    rig.rule_out()
    rig.run(2)
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "closed_orders"]
    assert ended.venue_ns - 60 * S < looks[-1].since_ns <= ended.venue_ns
