"""Whims of the simulated Kraken: moments' refusals, late frames, reads that go back in time."""

from decimal import Decimal

import pytest

from crosswire.venues.kraken.simulator import Faults
from tests.kraken_rig import Rig, answers, error_of, kinds, limit
from tests.test_kraken_simulator_faults import ORDER, counts, opened, outcomes, rig_with

# --- whims, and what overtakes -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("rate_refused", "EOrder:Rate limit exceeded"),
        ("throttled", "EService:Throttled: 1790000000"),
        ("unavailable", "EService:Unavailable"),
    ],
)
def test_a_refusal_for_the_moment(fault: str, text: str) -> None:
    rig = Rig(Faults(schedule={fault: (1, 3)}))
    socket = rig.login()
    assert error_of(rig.ask(socket, "add_order", limit())) == text
    order = rig.place(socket)
    amend = {"order_id": order, "limit_price": 59000}
    assert error_of(rig.ask(socket, "amend_order", amend)) == text
    assert outcomes(rig) == ["refused", "accepted"]
    assert counts(rig) == {fault: 2}


def test_a_whim_takes_one_leg_of_a_batch() -> None:
    rig = Rig(Faults(schedule={"rate_refused": (2,)}))
    socket = rig.login()
    legs = [{k: v for k, v in limit().items() if k != "symbol"} for _ in range(3)]
    batch = {"symbol": "BTC/USD", "orders": legs}
    (answer,) = answers(rig.ask(socket, "batch_add", batch))
    assert [leg.get("error") for leg in answer["result"]] == [
        None,
        "EOrder:Rate limit exceeded",
        None,
    ]
    assert outcomes(rig) == ["accepted", "refused", "accepted"]


def test_cancels_are_never_limited_but_may_find_nobody() -> None:
    rig = rig_with()
    socket = rig.login()
    order = rig.place(socket)
    rig.sim.set_faults({"rate_refused": 1, "throttled": 1})
    (answer,) = answers(rig.ask(socket, "cancel_order", {"order_id": [order]}))
    assert answer["success"] is True
    rig.sim.set_faults({})
    order = rig.place(socket)
    rig.sim.set_faults({"unavailable": 1})
    frames = rig.ask(socket, "cancel_order", {"order_id": [order]})
    assert error_of(frames) == "EService:Unavailable"
    assert opened(rig) == [order]


def test_what_is_held_up_is_overtaken() -> None:
    rig = Rig(Faults(schedule={"held_up": (1,)}, held_up_s=0.2))
    socket = rig.login()
    assert rig.ask(socket, "add_order", limit(cl_ord_id="mine")) == []
    frames = rig.ask(socket, "cancel_order", {"cl_ord_id": ["mine"]})
    assert error_of(frames) == "EOrder:Unknown order"
    rig.wait(0.3)
    assert kinds(rig.frames(socket)) == ["pending_new", "new"]
    assert len(opened(rig)) == 1
    by_rest = Rig(Faults(schedule={"held_up": (1,)}))
    assert by_rest.post("AddOrder", ORDER) is None
    assert opened(by_rest) == []
    by_rest.wait(0.3)
    assert len(opened(by_rest)) == 1


def test_a_frame_may_arrive_behind_its_connections_end() -> None:
    rig = rig_with()
    socket = rig.login()
    rig.sim.closed(socket, rig.now)
    rig.wait(14)
    assert rig.ask(socket, "add_order", limit(cl_ord_id="mine")) == []
    assert len(opened(rig)) == 1
    assert outcomes(rig) == ["accepted"]
    rig.wait(2)
    assert rig.ask(socket, "add_order", limit()) == []
    assert outcomes(rig) == ["accepted"]  # nothing is under way for so long


@pytest.mark.parametrize("is_read", [True, False])
def test_a_frame_on_a_connection_that_the_venue_cut(is_read: bool) -> None:
    rig = Rig(Faults(read_after_cut=float(is_read), schedule={"cut": (1,)}))
    socket = rig.login()
    rig.wait(1.1)
    assert rig.drops() == [(socket, 1006)]
    assert rig.ask(socket, "add_order", limit()) == []
    assert len(opened(rig)) == is_read
    assert counts(rig) == {"cut": 1} | ({"read_after_cut": 1} if is_read else {})


def test_a_half_open_connection_reads_nothing_after_its_end_either() -> None:
    rig = Rig(Faults(schedule={"half_open": (1,)}))
    socket = rig.login()
    rig.wait(1.1)
    rig.sim.closed(socket, rig.now)
    assert rig.ask(socket, "add_order", limit()) == []
    assert opened(rig) == []


# --- how far look-ups are behind ---------------------------------------------------------------


def test_look_ups_may_go_back_in_time() -> None:
    rig = Rig(Faults(views_behind_s=5.0, lookup_jumps=0.5))
    socket = rig.login()
    order = rig.place(socket)
    rig.wait(3)
    seen = [opened(rig) for _ in range(15)]
    assert seen.count([order]) > 2
    assert [] in seen[seen.index([order]) :]
    assert counts(rig)["lookup_jumps"] > 3
    rig.wait(20)
    assert all(opened(rig) == [order] for _ in range(15))


def test_without_a_lag_nothing_jumps() -> None:
    rig = rig_with(lookup_jumps=1.0)
    socket = rig.login()
    assert opened(rig) == []
    order = rig.place(socket)
    assert opened(rig) == [order]
    assert counts(rig) == {}


def test_the_lag_may_be_above_what_was_declared() -> None:
    """[?] Readings stay when the faults end, and the larger lag counts."""
    rig = rig_with(views_behind_s=2.0, views_lag_s=6.0)
    socket = rig.login()
    order = rig.place(socket)
    rig.wait(5)
    assert opened(rig) == []
    rig.wait(1.1)
    assert opened(rig) == [order]
    assert Faults(views_behind_s=7.0, views_lag_s=6.0).views_behind_ns == 7_000_000_000


def test_money_is_as_far_behind_as_orders() -> None:
    rig = rig_with(views_behind_s=5.0)
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    rig.place(socket, price=60000)
    rig.wait(1)
    assert rig.result("Balance")["XXBT"] == "10.0000000000"
    assert rig.result("BalanceEx")["ZUSD"] == {"balance": "1000000.0000", "hold_trade": "0.0000"}
    assert rig.result("Ledgers")["ledger"] == {}
    rig.wait(4.1)
    assert rig.result("Balance")["XXBT"] == "10.2000000000"
    assert Decimal(rig.result("BalanceEx")["ZUSD"]["hold_trade"]) > 18_000
    assert len(rig.result("Ledgers")["ledger"]) == 2


# --- the order of the checks -------------------------------------------------------------------


@pytest.mark.parametrize("is_last", [True, False])
def test_a_late_order_may_be_refused_for_its_money_first(is_last: bool) -> None:
    """[?] Which check comes first nobody has told."""
    rig = rig_with(place_late=1.0, late_s=3.0, deadline_checked_last_is=float(is_last))
    socket = rig.login()
    late = "2026-09-21T14:13:22.500Z"
    rig.ask(socket, "add_order", limit(quantity=1000, deadline=late))
    rig.ask(socket, "add_order", limit(deadline=late))
    rig.wait(3.1)
    first, second = answers(rig.frames(socket))
    assert first["error"] == ("EOrder:Insufficient funds" if is_last else second["error"])
    assert second["error"] == "EService:Deadline elapsed"
