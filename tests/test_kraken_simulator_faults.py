"""Every fault of the simulated Kraken, shown once, and counted in its ledger."""

from random import Random
from typing import Any

import pytest

from crosswire.venues.interface import HttpRequest, SimAnswer
from crosswire.venues.kraken.simulator import SWITCHES, Faults, from_mapping
from crosswire.venues.kraken.simulator.faults import NAMES, Chance
from tests.kraken_rig import ME, Frame, Rig, answers, error_of, items, kinds, limit, sign

ORDER: Frame = {
    "pair": "XBTUSD",
    "type": "buy",
    "ordertype": "limit",
    "volume": "0.5",
    "price": "60000",
}


def rig_with(**switches: Any) -> Rig:
    """A simulator with some faults always on; `schedule={...}` for those that strike once."""
    return Rig(Faults(**switches))


def counts(rig: Rig) -> Frame:
    found = rig.sim.ledger()["faults"]
    assert isinstance(found, dict)
    return found


def opened(rig: Rig) -> list[str]:
    return list(rig.result("OpenOrders")["open"])


def outcomes(rig: Rig) -> list[str]:
    rows = rig.sim.ledger()["requests"]
    assert isinstance(rows, list)
    return [row["outcome"] for row in rows if row["method"] == "place"]


# --- the switches themselves -------------------------------------------------------------------


def test_without_switches_nothing_is_ever_drawn() -> None:
    chance = Chance(Faults(), Random(1))
    assert not any(chance.strikes(name) for name in SWITCHES for _ in range(50))
    assert chance.counts == {}


def test_each_kind_draws_for_itself() -> None:
    alone, beside = (
        Chance(Faults(cut=0.2), Random(1)),
        Chance(Faults(cut=0.2, post_only=0.5), Random(1)),
    )
    struck = []
    for _ in range(200):
        beside.strikes("post_only")
        struck.append(alone.strikes("cut"))
        assert beside.strikes("cut") == struck[-1]
    assert 10 < sum(struck) < 90
    assert beside.counts["post_only"] > 50


def test_a_schedule_names_the_opportunities_and_a_rate_draws_them() -> None:
    chance = Chance(Faults(schedule={"cut": (2, 4)}), Random(1))
    assert [chance.strikes("cut") for _ in range(5)] == [False, True, False, True, False]
    assert chance.counts == {"cut": 2}
    often = Chance(Faults(cut=0.5), Random(1))
    assert 400 < sum(often.strikes("cut") for _ in range(1000)) < 600


def test_an_opportunity_can_be_named_in_the_switch_itself() -> None:
    faults = from_mapping({"cut@2": 1, "cut@4": 1, "drop_ack@7": 1, "cut": 0.5})
    assert faults == Faults(cut=0.5, schedule={"cut": (2, 4), "drop_ack": (7,)})
    for wrong in ("cut@", "cut@x", "cut@0", "late_s@2", "oops@2"):
        with pytest.raises(ValueError, match="fault"):
            from_mapping({wrong: 1})


def test_plain_names_make_switches() -> None:
    faults = from_mapping({"drop_ack": 0.25, "late_s": 3, "views_behind_s": 1.5})
    assert (faults.drop_ack, faults.late_ns, faults.views_behind_ns) == (
        0.25,
        3_000_000_000,
        1_500_000_000,
    )
    assert set(SWITCHES) < set(NAMES)


# --- requests ----------------------------------------------------------------------------------


def test_a_dropped_ack_leaves_the_order_placed() -> None:
    rig = rig_with(drop_ack=1.0)
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit())
    assert answers(frames) == []
    assert kinds(frames) == ["pending_new", "new"]
    assert rig.post("AddOrder", ORDER) is None
    assert len(opened(rig)) == 2
    assert outcomes(rig) == ["accepted", "accepted"]
    assert counts(rig) == {"drop_ack": 2}


def test_a_cut_before_leaves_nothing() -> None:
    rig = rig_with(cut_before=1.0)
    socket = rig.login()
    assert rig.ask(socket, "add_order", limit(cl_ord_id="mine")) == []
    assert rig.drops() == [(socket, 1006)]
    assert rig.post("AddOrder", ORDER) == 0
    assert opened(rig) == []
    assert outcomes(rig) == ["dropped", "dropped"]
    rows = rig.sim.ledger()["requests"]
    assert isinstance(rows, list)
    assert [row["client_order_id"] for row in rows if row["method"] == "place"] == ["mine", ""]


def test_a_cut_after_leaves_the_order() -> None:
    rig = rig_with(cut_after=1.0)
    socket = rig.login()
    assert rig.ask(socket, "add_order", limit()) == []
    assert rig.drops() == [(socket, 1006)]
    assert rig.post("AddOrder", ORDER) == 0
    assert len(opened(rig)) == 2


def test_busy_says_nothing_about_what_happened() -> None:
    before, after = rig_with(busy_before=1.0), rig_with(busy_after=1.0)
    for rig, placed in ((before, 0), (after, 2)):
        socket = rig.login()
        frames = rig.ask(socket, "add_order", limit())
        assert error_of(frames) == "EService:Busy"
        assert rig.error("AddOrder", ORDER) == "EService:Busy"
        assert len(opened(rig)) == placed
    assert counts(before) == {"busy_before": 2}
    assert counts(after) == {"busy_after": 2}


def test_a_late_order_is_refused_past_its_deadline() -> None:
    rig = rig_with(place_late=1.0, late_s=3.0)
    socket = rig.login()
    assert rig.ask(socket, "add_order", limit(deadline="2026-09-21T14:13:22.500Z")) == []
    assert rig.ask(socket, "add_order", limit(deadline="2026-09-21T14:13:23.500Z")) == []
    rig.wait(2.9)
    assert answers(rig.frames(socket)) == []
    rig.wait(0.2)
    frames = rig.frames(socket)
    refused, accepted = answers(frames)
    assert refused["error"] == "EService:Deadline elapsed"
    assert accepted["success"] is True
    assert accepted["time_in"] == "2026-09-21T14:13:20.000000Z"
    assert accepted["time_out"] == "2026-09-21T14:13:23.000150Z"
    assert kinds(frames) == ["pending_new", "new"]


def test_a_late_rest_order() -> None:
    rig = rig_with(place_late=1.0, late_s=3.0)
    assert rig.post("AddOrder", ORDER | {"deadline": "2026-09-21T14:13:24Z"}) is None
    rig.wait(3.1)
    (answer,) = [out for out in rig.sim.outbox if isinstance(out, SimAnswer)]
    assert b'"txid"' in answer.body


def test_a_late_order_of_a_connection_that_is_gone() -> None:
    rig = rig_with(place_late=1.0)
    socket = rig.login()
    rig.ask(socket, "add_order", limit())
    rig.sim.closed(socket, rig.now)
    rig.wait(2.1)
    assert answers(rig.frames(socket)) == []
    assert len(opened(rig)) == 1


@pytest.mark.parametrize(("price", "rests"), [(59_000, True), (60_000, False)])
def test_the_deadline_may_guard_matching_only(price: float, rests: bool) -> None:
    """[?] Past its deadline a passive order rests; one that would trade is refused."""
    rig = rig_with(place_late=1.0, deadline_guards_matching_only_is=1.0)
    socket = rig.login("other-key")
    rig.tokens[ME] = rig.tokens["other-key"]
    ask = {"pair": "XBTUSD", "type": "sell", "ordertype": "limit", "volume": "1", "price": "60000"}
    rig.post("AddOrder", ask)
    rig.wait(3)
    order = limit(price=price, deadline="2026-09-21T14:13:24Z")
    rig.ask(socket, "add_order", order, "other-key")
    rig.wait(3)
    (answer,) = answers(rig.frames(socket))
    assert answer.get("success") is rests
    assert answer.get("error") == (None if rests else "EService:Deadline elapsed")
    rows = rig.sim.ledger()["orders"]
    assert isinstance(rows, list)
    mine = [row["is_past_bound"] for row in rows if row["account"] == "other"]
    assert mine == [True] * rests
    assert not rows[0]["is_past_bound"]


def test_events_may_come_before_the_answer() -> None:
    rig = rig_with(events_first=1.0)
    frames = rig.ask(rig.login(), "add_order", limit())
    assert ["method" in frame for frame in frames] == [False, False, True]
    usual = Rig()
    frames = usual.ask(usual.login(), "add_order", limit())
    assert ["method" in frame for frame in frames] == [True, False, False]


def test_a_cancel_refused_though_the_order_is_open() -> None:
    rig = rig_with(cancel_refused=1.0)
    socket = rig.login()
    order = rig.place(socket)
    frames = rig.ask(socket, "cancel_order", {"order_id": [order]})
    assert error_of(frames) == "EOrder:Unknown order"
    assert opened(rig) == [order]


def test_post_only_refused_instead_of_canceled() -> None:
    rig = rig_with(post_only_refused=1.0)
    rig.rest("sell", "1", "60000")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(price=60000, post_only=True))
    assert error_of(frames) == "EOrder:Post only order"
    assert kinds(frames) == []
    rig.place(socket, post_only=True, price=59000)


def test_the_old_shape_of_a_batch_cancel() -> None:
    rig = rig_with(batch_cancel_old=1.0)
    socket = rig.login()
    ids = [rig.place(socket), rig.place(socket)]
    (answer,) = answers(rig.ask(socket, "batch_cancel", {"orders": ids}))
    assert answer["orders_cancelled"] == 2
    assert "result" not in answer


def test_a_token_revoked_with_a_request() -> None:
    rig = Rig(Faults(schedule={"token_revoked": (2,)}))
    socket = rig.login()
    rig.place(socket)
    assert error_of(rig.ask(socket, "add_order", limit())) == "ESession:Invalid session"
    rig.tokens[ME] = rig.result("GetWebSocketsToken")["token"]
    rig.place(socket)
    assert len(opened(rig)) == 2


def test_an_id_may_be_spent_for_good() -> None:
    """[?] The venue was seen to take the id of a closed order again; it might not."""
    rig = rig_with(ids_are_spent_is=1.0)
    socket = rig.login()
    rig.place(socket)
    rig.place(socket, cl_ord_id="once")
    rig.ask(socket, "cancel_all", {})
    text = error_of(rig.ask(socket, "add_order", limit(cl_ord_id="once")))
    assert text == "EGeneral:Invalid arguments:cl_ord_id not unique"


# --- REST alone --------------------------------------------------------------------------------


def test_pages_in_front_of_the_venue() -> None:
    before, after = rig_with(rest_502=1.0), rig_with(rest_520=1.0)
    assert before.post("AddOrder", ORDER) == 502
    assert after.post("AddOrder", ORDER) == 520
    assert (len(opened(before)), len(opened(after))) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("lookup_429", 429),
        ("lookup_502", 502),
        ("lookup_520", 520),
        ("lookup_busy", {"error": ["EService:Busy"]}),
        ("lookup_empty", {"error": [], "result": {"open": {}}}),
    ],
)
def test_look_ups_that_tell_nothing(fault: str, answer: object) -> None:
    rig = Rig(Faults(schedule={fault: (1,)}))
    rig.result("AddOrder", ORDER)
    assert rig.post("OpenOrders") == answer
    assert len(opened(rig)) == 1
    assert counts(rig) == {fault: 1}
    again = Rig(Faults(lookup_empty=1.0))
    assert again.post("Balance")["result"] != {}  # only lists can be blind


def test_the_pages_are_html() -> None:
    rig = rig_with(lookup_520=1.0)
    rig.sim.asked(5, _signed(), rig.now)
    (answer,) = [out for out in rig.sim.outbox if isinstance(out, SimAnswer)]
    assert (answer.status, answer.content_type) == (520, "text/html")
    assert answer.body.startswith(b"<html>")


def _signed() -> HttpRequest:
    path, body = "/0/private/OpenOrders", b"nonce=99999"
    headers = {"API-Key": ME, "API-Sign": sign(path, "99999", body)}
    return HttpRequest(5, "POST", path, headers, body)


def test_rest_may_be_behind_the_stream() -> None:
    rig = rig_with(views_behind_s=5.0)
    rig.rest("sell", "0.2", "60000")
    socket = rig.login()
    order = rig.place(socket, price=60000, cl_ord_id="mine")
    assert opened(rig) == []
    assert rig.result("TradesHistory")["trades"] == {}
    assert rig.result("QueryOrders", {"txid": order}) == {}
    rig.wait(3)
    rig.ask(socket, "cancel_order", {"order_id": [order]})
    rig.wait(2.1)
    assert opened(rig) == [order]
    assert rig.result("OpenOrders")["open"][order]["vol_exec"] == "0.20000000"
    assert len(rig.result("TradesHistory")["trades"]) == 1
    assert rig.result("ClosedOrders", {"cl_ord_id": "mine"})["closed"] == {}
    rig.wait(3)
    assert opened(rig) == []
    closed = rig.result("ClosedOrders", {"cl_ord_id": "mine"})["closed"]
    assert closed[order]["status"] == "canceled"


def test_rest_falls_behind_in_the_middle_of_a_run() -> None:
    rig = Rig()
    socket = rig.login()
    before, after = rig.place(socket), rig.place(socket)
    rig.wait(10)
    rig.sim.chance.faults = Faults(views_behind_s=5.0)
    assert set(opened(rig)) == {before, after}
    rig.ask(socket, "cancel_order", {"order_id": [after]})
    assert opened(rig) == [before]  # its open state was not kept: the oldest known is shown
    rig.place(socket)
    assert opened(rig) == [before]


# --- frames ------------------------------------------------------------------------------------


def test_a_number_left_out() -> None:
    rig = Rig(Faults(schedule={"skip_sequence": (2,)}))
    frames = rig.ask(rig.login(), "add_order", limit())
    assert [frame["sequence"] for frame in frames if "sequence" in frame] == [2, 4]


def test_a_frame_left_out_with_its_number() -> None:
    rig = Rig(Faults(schedule={"omit_frame": (1,)}))
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit())
    assert [(f["sequence"], f["data"][0]["exec_type"]) for f in frames[1:]] == [(3, "new")]


def test_a_frame_left_out_in_silence() -> None:
    rig = Rig(Faults(schedule={"omit_silently": (1,)}))
    frames = rig.ask(rig.login(), "add_order", limit())
    assert [(f["sequence"], f["data"][0]["exec_type"]) for f in frames[1:]] == [(2, "new")]


def test_the_same_frame_twice() -> None:
    rig = Rig(Faults(schedule={"duplicate_frame": (1,)}))
    frames = rig.ask(rig.login(), "add_order", limit())
    assert [(f["sequence"], f["data"][0]["exec_type"]) for f in frames[1:]] == [
        (2, "pending_new"),
        (3, "pending_new"),
        (4, "new"),
    ]
    assert frames[1]["data"] == frames[2]["data"]


def test_several_items_in_one_frame() -> None:
    rig = rig_with(mixed_frame=1.0)
    rig.rest("sell", "1", "60000")
    socket = rig.login()
    frames = rig.ask(socket, "add_order", limit(price=60000))
    mixed = [frame for frame in frames if frame.get("channel") == "executions"]
    assert [item["exec_type"] for item in mixed[0]["data"]] == [
        "pending_new",
        "new",
        "trade",
        "filled",
    ]
    assert len(mixed) == 1


def test_a_wrong_checksum() -> None:
    rig = Rig(Faults(schedule={"wrong_checksum": (1,)}))
    wrong, right = rig.open(), rig.open()
    for socket in (wrong, right):
        rig.ask(socket, "subscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    rig.rest("buy", "1", "60000")
    (bad,), (good,) = items(rig.frames(wrong), "book"), items(rig.frames(right), "book")
    assert bad["checksum"] != good["checksum"]
    assert bad["bids"] == good["bids"]
    assert counts(rig) == {"wrong_checksum": 1}


# --- once a second -----------------------------------------------------------------------------


def test_a_half_open_connection_is_dead_both_ways() -> None:
    rig = Rig(Faults(schedule={"half_open": (1,)}))
    socket = rig.login()
    rig.wait(1.5)
    rig.frames(socket)
    assert rig.ask(socket, "add_order", limit()) == []
    rig.wait(5)
    assert rig.frames(socket) == []
    assert rig.drops() == []
    assert opened(rig) == []


def test_a_connection_cut_at_any_time() -> None:
    rig = Rig(Faults(schedule={"cut": (3,)}))
    socket = rig.login()
    rig.wait(2.5)
    assert rig.drops() == []
    rig.wait(1)
    assert rig.drops() == [(socket, 1006)]


@pytest.mark.parametrize("system", ["maintenance", "cancel_only", "post_only"])
def test_the_venues_status_changes_for_a_while(system: str) -> None:
    rig = Rig(Faults(schedule={system: (2,)}, status_s=3.0))
    socket = rig.open()
    rig.wait(20)
    said = [item["system"] for item in items(rig.frames(socket), "status")]
    assert said == ["online", system, "online"]
    assert counts(rig) == {system: 1}


def test_the_dead_man_fires_too_early() -> None:
    rig = Rig(Faults(schedule={"dead_man": (1,)}))
    socket = rig.login()
    rig.place(socket)
    rig.wait(3)
    assert kinds(rig.frames(socket)) == []  # not armed: nothing to fire
    rig.ask(socket, "cancel_all_orders_after", {"timeout": 60})
    rig.wait(1.1)
    assert kinds(rig.frames(socket)) == ["canceled"]


def test_money_from_elsewhere() -> None:
    rig = Rig(Faults(schedule={"deposit": (1,)}))
    rig.wait(1.5)
    assert rig.result("Balance")["ZUSD"] == "1000010.0000"
