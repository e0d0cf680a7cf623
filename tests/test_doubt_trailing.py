"""Doubts where the stream has no snapshot of open orders: look-ups that trail it stand in."""

from typing import Any

from msgspec.structs import replace

from crosswire.domain import (
    Absent,
    Cancel,
    CancelAccepted,
    CancelAll,
    Kill,
    LookUp,
    Missing,
    OrdersRead,
    Resumed,
    RunStarted,
)
from tests.doubt_rig import Rig
from tests.samples import ACCOUNT, BTC, S

LAG_S = 2


def rig_of(**ways: Any) -> Rig:
    return Rig(lag_s=LAG_S, has_snapshot=False, has_cancel_all=False, **ways)


def asked(rig: Rig, seconds: float) -> list[str]:
    return [c.what for c in rig.run(seconds) if isinstance(c, LookUp)]


def empty(rig: Rig, *, is_sure: bool = True, ago_s: float = 0.0) -> OrdersRead:
    """An open-orders look-up that shows nothing."""
    at_ns, venue_ns = rig.now_ns - int(ago_s * S), rig.venue_ns - int(ago_s * S)
    return OrdersRead(
        rig.now_ns, ACCOUNT, "open", (), at_ns, True, "lookup", venue_ns=venue_ns, is_sure=is_sure
    )


def test_no_snapshot_is_ever_asked_for() -> None:
    rig = rig_of()
    rig.lost()
    rig.open("b", "W")
    rig.turn(Missing(rig.now_ns, ACCOUNT, "b", "W", "look-up"))
    rig.open("c", "X")
    rig.turn(CancelAccepted(rig.now_ns, ACCOUNT, "c", "X", 99))
    found = asked(rig, 60)
    assert "snapshot" not in found
    assert {"open_orders", "closed_orders"} <= set(found)


def test_a_look_up_rules_out_only_what_its_lag_leaves_behind_the_bound() -> None:
    rig = rig_of()
    order = rig.lost()
    rig.later(5 + 4 * LAG_S)  # the bound, and the lag taken four times
    rig.turn(empty(rig))
    assert not order.ruled_out_ns
    rig.later(2)
    rig.turn(empty(rig))
    assert order.ruled_out_ns


def test_a_look_up_that_shows_nothing_may_be_blind_unless_something_else_saw() -> None:
    rig = rig_of()
    order = rig.lost()
    rig.later(60)
    rig.turn(empty(rig, is_sure=False))
    assert not order.ruled_out_ns
    rig.turn(empty(rig, is_sure=True))
    assert order.ruled_out_ns


def test_absence_is_proven_by_look_ups_alone() -> None:
    rig = rig_of()
    order = rig.lost()
    rig.later(30)
    rig.turn(empty(rig))
    rig.later(2 * LAG_S + 1)
    assert "open_orders" in asked(rig, 2)
    rig.turn(rig.closed_read(rig.stranger(0)), empty(rig))
    rig.tick()
    assert order.end == "absent"
    assert any(isinstance(event, Absent) for event in rig.told)


def test_an_account_that_never_traded_is_a_witness_where_no_order_ever_ended() -> None:
    rig = rig_of()
    order = rig.lost()
    rig.later(30)
    rig.turn(empty(rig))
    rig.later(4 * LAG_S + 1)
    nothing = replace(rig.closed_read(rig.stranger(0)), orders=())
    rig.turn(nothing, empty(rig))
    rig.tick()
    assert order.stage == "UNKNOWN"
    rig.turn(replace(nothing, is_sure=True))
    rig.tick()
    assert order.end == "absent"


def test_a_new_run_waits_until_a_look_up_has_passed_the_last_runs_bound() -> None:
    rig = rig_of()
    rig.turn(RunStarted(rig.now_ns, 1))
    rig.later(1)
    rig.turn(RunStarted(rig.now_ns, 2))  # the first did not end in order
    assert rig.engine.risk.halted.get(ACCOUNT)
    assert "open_orders" in asked(rig, 20)
    rig.turn(empty(rig, ago_s=20 - 5 - LAG_S))
    rig.tick()
    assert rig.engine.risk.halted.get(ACCOUNT)
    rig.later(2)
    rig.turn(empty(rig))
    rig.tick()
    assert any(isinstance(event, Resumed) for event in rig.told)


def test_a_kill_names_every_order_where_nothing_cancels_all() -> None:
    rig = rig_of()
    rig.open("b", "W")
    rig.lost("a")
    rig.submit(Kill(ACCOUNT, "test"))
    commands = rig.run(1)
    assert CancelAll(ACCOUNT) in commands
    assert {c.client_order_id for c in commands if isinstance(c, Cancel)} == {"a", "b"}
    assert all(c.instrument == BTC for c in commands if isinstance(c, Cancel))


def test_closed_orders_are_asked_for_when_their_age_no_longer_matters() -> None:
    rig = rig_of()
    order = rig.lost()
    rig.later(30)
    rig.turn(empty(rig))
    ruled_ns = order.ruled_out_ns
    assert ruled_ns
    nothing = replace(rig.closed_read(rig.stranger(0)), orders=())
    at_ns: list[int] = []
    while rig.now_ns < ruled_ns + (4 * LAG_S + 2) * S:
        for command in rig.run(0.1, fails=False):
            if isinstance(command, LookUp):
                at_ns.append(rig.now_ns)
                rig.turn(replace(nothing, recv_ns=rig.now_ns, started_ns=rig.now_ns))
    assert any(0 < at - ruled_ns - 4 * LAG_S * S <= S // 2 for at in at_ns)
