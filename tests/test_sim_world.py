"""Worlds: everything from the seed, safe under every mix of faults, and judged by the ledger."""

import pytest
from msgspec import structs

from crosswire.domain import (
    Absent,
    Accepted,
    Approved,
    CancelRejected,
    Filled,
    FillsRead,
    Halted,
    Kill,
    Place,
    Resend,
    Resumed,
    TimedOut,
    Void,
)
from crosswire.fixed import SCALE
from crosswire.sim.ledger import Ledger
from crosswire.sim.world import Scenario, World
from crosswire.sim.world.nonces import Nonces
from crosswire.sim.world.records import Records
from crosswire.sim.world.scenario import Menu, draw
from crosswire.sim.world.timers import NS, Later, OwnClock, Owner, Timers
from crosswire.sim.world.witness import Witness
from tests.samples import approved, place

SHORT = Scenario(duration_ns=8 * NS)


def test_a_seed_is_a_world() -> None:
    first, again = World(3).run(), World(3).run()
    assert first.log_hash == again.log_hash
    assert first == again
    assert World(4, scenario=SHORT).run().log_hash != World(5, scenario=SHORT).run().log_hash


def test_without_faults_everything_is_right_and_much_happens() -> None:
    result = World(1, scenario=Scenario()).run()
    assert result.failures == {}
    assert result.orders >= 100
    assert result.fills >= 10
    assert result.acks_lost == 0
    assert result.faults == {}


@pytest.mark.parametrize("seed", range(100, 106))
def test_faults_do_no_harm(seed: int) -> None:
    result = World(seed).run()
    assert result.failures == {}
    assert result.faults


def test_a_crash_between_any_two_steps_repeats_nothing() -> None:
    scenario = Scenario(crashes=(4 * NS, 6 * NS), duration_ns=14 * NS)
    result = World(7, scenario=scenario).run()
    assert result.crashes == 2
    assert result.crashes_with_inflight > 0
    assert (result.double_sends, result.lost_fills, result.phantom_fills) == (0, 0, 0)


def test_strangers_may_trade_in_crowds() -> None:
    world = World(1, scenario=Scenario(strangers=(4 * NS,), trades=30, duration_ns=8 * NS))
    assert world.run().failures == {}
    rows = world.simulator.live_ledger.orders.values()
    assert sum(not row.client_order_id for row in rows) == 30


def test_what_was_to_replace_and_never_left_held_no_cancel() -> None:
    records = Records(lambda: 5, lambda _id: None)
    records.read(approved(structs.replace(place("b"), replaces="a"), 2))
    assert records.replaced == 1
    records.read(CancelRejected(1, "mm", "a", "", 2, "no way", is_unsent=True))
    assert records.cancels_held == 0
    records.read(Approved(Resend("mm", "b", 2), 3, 1))
    records.read(Approved(Void("mm", "b", 2), 4, 1))
    assert (records.copies, records.voids) == (1, 1)


def test_a_run_can_be_cut_at_a_moment() -> None:
    whole = World(2)
    whole.run()
    cut = World(2, until_ns=5 * NS)
    result = cut.run()
    assert result.seconds == 5.0
    written = cut.journal.records
    assert whole.journal.records[: len(written)] == written


def test_a_scenario_loses_one_kind_at_a_time() -> None:
    menu = Menu({"a": 0.5, "b": 0.5, "c": 0.5}, {"r": 1.0})
    scenario = draw(5, menu)
    kinds = scenario.kinds()
    assert kinds
    for kind in kinds:
        less = scenario.without(kind)
        assert set(less.kinds()) == set(kinds) - {kind}
    assert draw(5, menu) == scenario
    assert draw(6, menu) != scenario


# --- time --------------------------------------------------------------------------------------


def test_timers_fire_in_order_and_wait_for_a_stalled_owner() -> None:
    timers, ours, other = Timers(0), Owner(), Owner()
    heard: list[str] = []

    def run(until_ns: int) -> None:
        while (timer := timers.step(until_ns)) is not None:
            timer.callback()

    Later(timers, ours)(2.0, lambda: heard.append("second"))
    Later(timers, ours)(1.0, lambda: heard.append("first"))
    Later(timers, other)(1.5, lambda: heard.append("other"))
    Later(timers, other)(1.6, lambda: heard.append("never")).cancel()
    ours.stalled_until_ns = 5 * NS
    run(3 * NS)
    assert heard == ["other"]
    assert timers.clock.now_ns() == 3 * NS
    run(9 * NS)
    assert heard == ["other", "first", "second"]
    Later(timers, ours)(1.0, lambda: heard.append("dead"))
    ours.is_dead = True
    run(20 * NS)
    assert heard == ["other", "first", "second"]


def test_our_own_clock_is_off() -> None:
    timers = Timers(10 * NS)
    clock = OwnClock(timers, -3 * NS)
    assert clock.now_ns() == 7 * NS
    clock.offset_ns += NS
    assert clock.now_ns() == 8 * NS


def test_no_run_uses_a_nonce_that_another_may_have_used() -> None:
    counts = Nonces(1)
    assert counts.first(2, 5 * NS) - counts.first(1, 9 * NS) == 1_000_000
    assert counts.first(2, 5 * NS) < counts.ceiling()
    clock = Nonces(1_000_000)
    first = clock.first(1, 1_000 * NS)
    assert first == 1_000_000
    ended = clock.ceiling()
    assert ended > first + 10_000
    clock.keep(1_040 * NS)
    moved = clock.ceiling()
    assert moved >= ended + 3_000
    again = clock.first(2, 900 * NS)  # our clock has stepped back
    assert again >= moved
    assert clock.ceiling() > again + 9_000


def test_a_seed_says_what_is_traded_and_how_doubts_are_resolved() -> None:
    menu = Menu({}, {})
    assert [draw(seed, menu).resends for seed in range(4)] == [False, True, False, True]
    world = World(0, scenario=SHORT)
    assert world.pairs[0] in world.stage.worlds
    assert not world.terms.resends or world.terms.venue.capabilities.takes_copies


# --- what is seen ------------------------------------------------------------------------------


def _witness(limit: str = "150") -> tuple[Ledger, Witness]:
    ledger = Ledger("v", 1, {"main": {}})
    witness = Witness(ledger, limit=int(limit) * SCALE)
    witness.mark(100 * SCALE)
    return ledger, witness


def _open(ledger: Ledger, name: str, client_order_id: str = "c") -> None:
    ledger.open_order(
        name,
        1,
        account="main",
        client_order_id=client_order_id,
        instrument="BTC/USD",
        side="buy",
        quantity=SCALE,
        price=100 * SCALE,
    )


def test_a_breached_limit_is_seen_the_moment_it_is() -> None:
    ledger, witness = _witness()
    _open(ledger, "A")
    witness.look()
    assert witness.limit_breaches == 0
    _open(ledger, "B")
    witness.look()
    assert witness.limit_breaches == 1
    ledger.close_order("B", 2, "canceled")
    _open(ledger, "X", "")  # a stranger's
    witness.look()
    assert witness.limit_breaches == 1


def test_what_was_called_absent_must_never_be_there() -> None:
    ledger, witness = _witness("100000")
    witness.call_absent("late")
    _open(ledger, "A", "late")
    witness.look()
    assert witness.absent_but_there == 1
    _open(ledger, "B", "early")
    witness.call_absent("early")
    assert witness.absent_but_there == 2


def test_records_tell_what_must_not_be_written() -> None:
    called: list[str] = []
    records = Records(lambda: 5, called.append)
    records.read(approved(place("a")))
    records.read(TimedOut(1, "mm", 1, "silence", ("a",)))
    assert records.timed_out == {(0, 1)}
    records.read(Absent(1, "mm", "a", "", "proof"))
    assert called == ["a"]
    records.read(approved(place("b"), 2))
    assert records.absent_then_resent == 1
    assert records.resent == {"a"}
    records.read(Filled(1, "mm", "a", "V", "i", "buy", 1, 1, "k"))
    assert records.late == {"a"}
    assert records.placed_while_closed == 0
    records.read(Halted(1, "mm", "late accept of a", "crosswire resume"))
    records.read(approved(place("c"), 3))
    assert (records.late_accepts, records.placed_while_closed) == (1, 1)


def test_a_cancel_held_by_ourselves_and_a_late_accept_without_a_halt_are_seen() -> None:
    records = Records(lambda: 5, lambda _id: None)
    records.read(CancelRejected(1, "mm", "a", "", 1, "held", is_unsent=True))
    records.read(CancelRejected(1, "mm", "a", "", 1, "EOrder:Unknown order"))
    assert records.cancels_held == 1
    nowhere = Records(lambda: 5, lambda _id: None, lambda: False)
    nowhere.read(CancelRejected(1, "mm", "a", "", 1, "no login yet", is_unsent=True))
    assert nowhere.cancels_held == 0
    records.read(approved(place("a")))
    records.read(Absent(1, "mm", "a", "", "proof"))
    records.read(Accepted(2, "mm", "a", "V"))
    records.read(approved(place("b"), 2))
    assert records.placed_while_closed == 1
    records.read(Halted(3, "mm", "late accept of a", "its closure"))
    records.read(Resumed(4, "mm", "late accept of a"))
    records.read(approved(place("c"), 3))
    assert records.placed_while_closed == 1
    records.read(FillsRead(5, "mm", 0, 4))
    assert records.fills_asked_ns == 4


def test_what_the_venue_takes_past_its_bound_is_no_wrong_absence() -> None:
    ledger, witness = _witness("100000")
    witness.call_absent("late")
    _open(ledger, "A", "late")
    ledger.orders["A"].is_past_bound = True
    witness.look()
    assert witness.absent_but_there == 0


def test_a_kill_closes_too() -> None:
    records = Records(lambda: 5, lambda _id: None)
    kill = Kill("mm", "enough")
    records.read(Approved(kill, 1, 1))
    records.read(approved(place("c"), 2))
    assert records.placed_while_closed == 1
    assert isinstance(place("c"), Place)
