"""Look-ups: whole or failed, over every dex, of the account's own address, within the weight."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswire.domain import (
    AnyEvent,
    BalancesRead,
    Filled,
    FillsRead,
    LookUp,
    OrdersRead,
    PositionsRead,
    ReadFailed,
    Side,
)
from crosswire.fixed import parse
from crosswire.venues.interface import HttpRequest
from tests.hyperliquid_joined import SECOND, Reader, asked, of
from tests.hyperliquid_stage import AGENT, CLOID, MS, OTHER_KEY, OWN, Stage, order, place

KINDS = ("open_orders", "closed_orders", "fills", "balances")
ASKED = {
    "open_orders": "frontendOpenOrders",
    "closed_orders": "historicalOrders",
    "fills": "userFillsByTime",
    "balances": "clearinghouseState",
}
XYZ = 110_000


def ready(**options: Any) -> Reader:
    reader = Reader(wanted=options.pop("wanted", ("BTC-PERP",)), **options)
    reader.start()
    assert reader.catalogue.is_ready
    return reader


def reason(events: list[AnyEvent]) -> str:
    [failed] = events
    assert isinstance(failed, ReadFailed)
    return failed.reason


def trade(stage: Stage, count: int) -> None:
    """Let the account trade a little, so many times, one ms after the other."""
    price = parse("65000")
    for number in range(count):
        stage.now_ms += 1
        size = parse(f"0.{number % 9 + 1}")
        side: Side = "sell" if number % 3 == 2 else "buy"
        other: Side = "sell" if side == "buy" else "buy"
        stage.sim.trade_elsewhere("other", "BTC-PERP", other, size, price, stage.now_ns)
        stage.sim.trade_elsewhere("main", "BTC-PERP", side, size, price, stage.now_ns)


# --- open orders -----------------------------------------------------------------------------


def test_open_orders_of_every_dex_are_one_read() -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01", cloid=CLOID)))
    reader.stage.act(place(order("300", "1", asset=XYZ)))
    reader.stage.act(place(order("0.1", "500", asset=10_000)))
    reader.clock.see(reader.now_ns - 7)
    [read] = reader.ask("open_orders")
    assert isinstance(read, OrdersRead)
    assert [row.instrument for row in read.orders] == [
        "hyperliquid:PURR/USDC", "hyperliquid:BTC-PERP", "hyperliquid:xyz:TSLA-PERP",
    ]  # fmt: skip
    assert read.orders[1].client_order_id == CLOID[2:]
    assert (read.scope, read.source, read.is_complete) == ("open", "lookup", True)
    assert (read.started_ns, read.venue_ns) == (reader.now_ns, reader.now_ns - 7)
    assert [one["dex"] for one in reader.asked[-2:]] == ["", "xyz"]


def test_none_open_is_an_answer_of_its_own() -> None:
    [read] = ready().ask("open_orders")
    assert isinstance(read, OrdersRead)
    assert (read.orders, read.is_complete) == ((), True)


def blind(reader: Reader, *kinds: str) -> None:
    """Let some questions be answered with nothing."""
    reader.bend = lambda q, status, body: (200, b"[]") if q["type"] in kinds else (status, body)


def is_sure(reader: Reader) -> bool:
    [read] = reader.ask("open_orders")
    assert isinstance(read, OrdersRead)
    return read.is_sure and not read.orders


def test_an_empty_list_is_sure_where_the_history_shows_orders_and_none_open() -> None:
    reader = ready()
    assert is_sure(reader)  # the account has not asked for anything yet
    reader.stage.act(place(order("60000", "0.01", cloid=CLOID)))
    blind(reader, "frontendOpenOrders")
    assert not is_sure(reader)  # the history shows one that is open
    blind(reader, "frontendOpenOrders", "historicalOrders")
    reader.lookups.has_traded = True
    assert not any(is_sure(reader) for _ in range(9))
    reader.bend = None
    gone = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
    assert reader.stage.act(gone)["status"] == "ok"
    assert is_sure(reader)
    blind(reader, "historicalOrders")
    assert not is_sure(reader)


def test_an_account_that_never_traded_is_believed_the_third_time() -> None:
    reader = ready()
    reader.stage.act({"type": "noop"})
    assert [is_sure(reader) for _ in range(4)] == [False, False, True, True]


def test_one_dex_that_fails_fails_the_whole() -> None:
    for status, body in ((500, b"null"), (502, b"<html>"), (200, b"null"), (200, b"{}")):
        reader = ready()
        reader.stage.act(place(order("60000", "0.01")))
        answer = status, body
        reader.bend = lambda q, s, b, a=answer: a if q.get("dex") == "xyz" else (s, b)
        assert reason(reader.ask("open_orders"))


def test_a_dex_that_answers_for_another_is_not_believed() -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")))

    def ignore_dex(question: dict[str, Any], status: int, body: bytes) -> tuple[int, bytes]:
        if question["type"] != "frontendOpenOrders":
            return status, body
        return 200, json.dumps(reader.stage.info("frontendOpenOrders", user=OWN)).encode()

    reader.bend = ignore_dex
    assert "twice" in reason(reader.ask("open_orders"))
    rows = [{"coin": "BTC", "side": "B", "limitPx": "1.0", "sz": "1.0", "oid": 1}]
    foreign = json.dumps(rows).encode()
    reader.bend = lambda q, s, b: (200, foreign) if q.get("dex") == "xyz" else (s, b)
    assert 'BTC in the answer of the dex "xyz"' in reason(reader.ask("open_orders"))


def test_a_pair_by_number_that_no_list_names_is_looked_for_first() -> None:
    reader = ready()
    rows = [{"coin": "@300", "side": "B", "limitPx": "1.0", "sz": "1.0", "oid": 1}]

    def bend(question: dict[str, Any], status: int, body: bytes) -> tuple[int, bytes]:
        is_first = question["type"] == "frontendOpenOrders" and not question["dex"]
        return (200, json.dumps(rows).encode()) if is_first else (status, body)

    reader.bend = bend
    assert reason(reader.ask("open_orders")) == "@300 is in no list yet"
    reader.wait(1)
    assert reader.asked[-1]["type"] == "spotMeta"
    [read] = reader.ask("open_orders")
    assert isinstance(read, OrdersRead)
    assert read.orders[0].instrument == "hyperliquid:@300"


def test_the_wallet_that_signs_is_never_asked_about() -> None:
    reader = ready()
    for kind in KINDS:
        reader.ask(kind)
    users = {one["user"] for one in reader.asked if "user" in one}
    assert users == {OWN}
    # Asked about its own address, the venue says truthfully that it has nothing.
    reader.stage.act(place(order("60000", "0.01")))
    [wrong] = ready(stage=reader.stage, address=AGENT).ask("open_orders")
    assert isinstance(wrong, OrdersRead)
    assert wrong.orders == ()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        Reader(address="0x12")


# --- closed orders ---------------------------------------------------------------------------


def test_closed_orders_leave_out_what_is_open_and_what_is_older() -> None:
    reader = ready()
    stage = reader.stage
    old = stage.statuses(place(order("60000", "0.01")))[0]["resting"]["oid"]
    stage.act({"type": "cancel", "cancels": [{"a": 0, "o": old}]})
    stage.wait(10)
    since_ns = stage.now_ns
    young = stage.statuses(place(order("60000", "0.02")))[0]["resting"]["oid"]
    stage.act({"type": "cancel", "cancels": [{"a": 0, "o": young}]})
    stage.act(place(order("60000", "0.03")))
    [read] = reader.ask("closed_orders", since_ns)
    assert isinstance(read, OrdersRead)
    assert [(row.venue_order_id, row.cause) for row in read.orders] == [(str(young), "canceled")]
    assert (read.scope, read.is_complete, read.since_ns) == ("closed", True, since_ns)
    [whole] = reader.ask("closed_orders")
    assert isinstance(whole, OrdersRead)
    assert {row.venue_order_id for row in whole.orders} == {str(old), str(young)}
    assert reader.clock.lower_ns == stage.now_ns


@pytest.mark.parametrize(("first_ms", "is_complete"), [(0, False), (4_999, True), (5_000, False)])
def test_a_history_that_is_cut_must_reach_back_far_enough(first_ms: int, is_complete: bool) -> None:
    reader = ready()
    row = {"coin": "BTC", "side": "B", "limitPx": "1.0", "sz": "0.0", "origSz": "1.0"}
    rows = [
        {"order": row | {"oid": oid}, "status": "canceled", "statusTimestamp": 6_000}
        for oid in range(1_999)
    ]
    rows.append({"order": row | {"oid": 5_000}, "status": "filled", "statusTimestamp": first_ms})
    if not first_ms:
        rows[-1]["statusTimestamp"] = 7_000
    body = json.dumps(rows).encode()
    reader.bend = lambda q, s, b: (200, body) if q["type"] == "historicalOrders" else (s, b)
    left = reader.weights.left(reader.now_ns)
    [read] = reader.ask("closed_orders", 5_000 * MS)
    assert isinstance(read, OrdersRead)
    assert read.is_complete == is_complete
    assert left - reader.weights.left(reader.now_ns) == 20 + 100  # 2,000 rows cost 100


# --- fills -----------------------------------------------------------------------------------


def test_fills_are_read_over_all_pages_and_each_once() -> None:
    stage = Stage()
    trade(stage, 3)
    since_ns = stage.now_ns
    trade(stage, 4_500)
    reader = ready(stage=stage)
    events = reader.ask("fills", since_ns)
    fills = of(Filled, events)
    read = events[-1]
    assert isinstance(read, FillsRead)
    assert len(fills) == len({fill.fill_key for fill in fills}) == read.count == 4_501
    assert {fill.source for fill in fills} == {"lookup"}
    assert read.horizon_ns == stage.now_ns == reader.clock.lower_ns
    assert (read.since_ns, read.started_ns) == (since_ns, stage.now_ns)
    pages = [one for one in reader.asked if one["type"] == "userFillsByTime"]
    assert [one["aggregateByTime"] for one in pages] == [False] * 3
    assert pages[1]["startTime"] > pages[0]["startTime"]


def test_a_page_that_goes_blind_or_backwards_is_no_end() -> None:
    stage = Stage()
    trade(stage, 2_100)
    laters: list[Any] = [[], None]
    for later in laters:
        reader = ready(stage=stage)
        pages = 0

        def bend(
            question: dict[str, Any], status: int, body: bytes, later: Any = later
        ) -> tuple[int, bytes]:
            nonlocal pages
            pages += question["type"] == "userFillsByTime"
            return (200, json.dumps(later).encode()) if pages == 2 else (status, body)

        reader.bend = bend
        assert reason(reader.ask("fills"))


def fill_row(time: int, number: int) -> dict[str, Any]:
    row = {"coin": "BTC", "px": "1.0", "sz": "1.0", "side": "B", "oid": 1, "fee": "0.0"}
    return row | {"time": time, "tid": number}


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([9, 8], "out of order"),
        ([4, 8], "out of order"),
        ([5] * 2_000, "within one ms"),
    ],
)
def test_fills_that_make_no_sense_are_not_believed(times: list[int], why: str) -> None:
    reader = ready()
    body = json.dumps([fill_row(time, at) for at, time in enumerate(times)]).encode()
    reader.bend = lambda q, s, b: (200, body) if q["type"] == "userFillsByTime" else (s, b)
    assert why in reason(reader.ask("fills", 5 * MS))


def test_what_is_out_of_reach_is_said_by_where_the_read_begins() -> None:
    reader = ready()
    rows = [fill_row(1_000 + number, number) for number in range(10_000)]

    def bend(question: dict[str, Any], status: int, body: bytes) -> tuple[int, bytes]:
        if question["type"] != "userFillsByTime":
            return status, body
        page = [row for row in rows if row["time"] >= question["startTime"]][:2_000]
        return 200, json.dumps(page).encode()

    reader.bend = bend
    command = LookUp("main", "fills", since_ns=5 * MS)
    events = reader.run(reader.lookups.ask(command, reader.now_ns))
    events += reader.wait(70)  # six pages cost more than what an IP has in a minute
    read = events[-1]
    assert isinstance(read, FillsRead)
    assert (read.count, read.since_ns) == (10_000, 1_000 * MS)


# --- money -----------------------------------------------------------------------------------


def test_positions_and_balances_are_the_ledgers_own() -> None:
    stage = Stage()
    trade(stage, 2)
    stage.rest("400", "3", asset=XYZ)
    stage.act(place(order("400", "3", "sell", "Ioc", asset=XYZ)))
    stage.sim.deposit("other", "PURR", "1000", stage.now_ns)
    stage.rest("0.2", "100", "sell", asset=10_000)
    stage.act(place(order("0.2", "100", tif="Ioc", asset=10_000)))
    stage.sim.trade_elsewhere(
        "other", "BTC-PERP", "buy", parse("1"), parse("61000"), stage.now_ns
    )  # the mark moves: profit is not cash
    positions, balances = ready(stage=stage, wanted=()).ask("balances")
    assert isinstance(positions, PositionsRead)
    assert isinstance(balances, BalancesRead)
    assert positions.positions == (
        ("hyperliquid:BTC-PERP", parse("0.3"), parse("65000")),
        ("hyperliquid:xyz:TSLA-PERP", parse("-3"), parse("400")),
    )
    held = stage.sim.live_ledger.balances["main"]
    assert dict(balances.balances) == held
    assert held.keys() == {"USDC", "spot:USDC", "PURR"}
    assert (balances.source, balances.is_complete) == ("lookup", True)
    assert balances.started_ns == positions.started_ns == stage.now_ns


def test_a_portfolio_margin_account_is_not_read() -> None:
    reader = ready()
    state = {"balances": [], "portfolioMarginEnabled": True}
    body = json.dumps(state).encode()
    reader.bend = lambda q, s, b: (200, body) if q["type"] == "spotClearinghouseState" else (s, b)
    assert reason(reader.ask("balances")) == "a portfolio-margin account"


def test_money_on_a_dex_whose_collateral_nobody_told_waits_for_its_meta() -> None:
    reader = ready()
    reader.stage.rest("400", "3", asset=XYZ)
    reader.stage.act(place(order("400", "3", "sell", "Ioc", asset=XYZ)))
    assert "collateral" in reason(reader.ask("balances"))
    reader.wait(1)
    assert reader.asked[-1] == {"type": "meta", "dex": "xyz"}
    positions, _ = reader.ask("balances")
    assert isinstance(positions, PositionsRead)
    assert positions.positions[0][0] == "hyperliquid:xyz:TSLA-PERP"


def test_tokens_that_share_a_name_keep_apart() -> None:
    reader = ready()
    rows = [
        {"coin": "HYPE", "token": 151, "total": "2.0"},
        {"coin": "HYPE", "token": 150, "total": "1.0"},
        {"coin": "USDC", "token": 0, "total": "5.0"},
    ]
    body = json.dumps({"balances": rows}).encode()
    reader.bend = lambda q, s, b: (200, body) if q["type"] == "spotClearinghouseState" else (s, b)
    _, balances = reader.ask("balances")
    assert isinstance(balances, BalancesRead)
    assert balances.balances[1:] == (
        ("spot:USDC", parse("5")), ("HYPE", parse("1")), ("HYPE#151", parse("2")),
    )  # fmt: skip


# --- failing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("fault", ["lookup_429", "lookup_500", "lookup_502", "rest_500"])
def test_a_failed_look_up_is_never_an_empty_one(what: str, fault: str) -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")))
    reader.stage.sim.set_faults({fault: 1.0})
    assert reason(reader.ask(what))
    assert reader.lookups.counts["lookups_failed"] == 1
    if fault == "lookup_429":
        assert reader.weights.left(reader.now_ns) == 0
    reader.stage.sim.set_faults({})
    reader.wait(61)
    assert not of(ReadFailed, reader.ask(what))


def test_views_behind_show_what_was_and_say_when_they_were_asked() -> None:
    reader = ready(faults={"views_behind_s": 2.0})
    reader.stage.act(place(order("60000", "0.01")))
    [early] = reader.ask("open_orders")
    reader.stage.wait(3)
    [late] = reader.ask("open_orders")
    assert isinstance(early, OrdersRead)
    assert isinstance(late, OrdersRead)
    assert (len(early.orders), len(late.orders)) == (0, 1)
    assert early.horizon_ns == 0  # a blind read proves nothing: it has no age


def test_an_overdue_answer_fails_and_its_late_words_are_nobodys() -> None:
    reader = ready()
    reader.is_deaf = True
    assert reader.ask("open_orders") == []
    requests = [one for one in reader.outbox if isinstance(one, HttpRequest)]
    assert reader.wait(14) == []
    assert reason(reader.wait(1)) == "no answer within 15 s"
    reader.outbox.clear()
    for request in requests:
        assert reader.lookups.owns(request.key)
        assert reader.give(request, 200, b"[]") == []
        assert not reader.lookups.owns(request.key)
    assert reader.lookups.counts["lookups_late"] == 2
    reader.is_deaf = False
    assert of(OrdersRead, reader.ask("open_orders"))


def test_a_broken_connection_fails_the_whole_once() -> None:
    reader = ready()
    reader.is_deaf = True
    reader.ask("open_orders")
    first, second = [one for one in reader.outbox if isinstance(one, HttpRequest)]
    assert reason(reader.lookups.failed(first, "reset", reader.now_ns)) == "reset"
    assert reader.lookups.failed(second, "reset", reader.now_ns) == []
    assert reader.lookups.answered(second, 200, b"[]", reader.now_ns) == []


def test_one_of_each_kind_is_under_way_and_the_next_waits() -> None:
    reader = ready()
    reader.is_deaf = True
    for _ in range(2):
        for what in KINDS:
            assert reader.ask(what) == []
    assert len(reader.outbox) == 2 + 1 + 1 + 3
    reader.is_deaf = False
    events = reader.run([])
    assert len(of(OrdersRead, events)) == 4
    assert len(of(BalancesRead, events)) == len(of(FillsRead, events)) == 2


def test_what_nobody_knows_and_what_is_too_much_is_refused() -> None:
    reader = ready()
    assert "expected one of open_orders" in reason(reader.ask("snapshot"))
    reader.is_deaf = True
    for _ in range(32):
        assert reader.ask("fills") == []
    assert "32 look-ups" in reason(reader.ask("fills"))


def test_a_look_up_waits_for_weight_and_not_for_ever() -> None:
    reader = ready()
    reader.weights.refused(reader.now_ns)
    assert reader.ask("open_orders") == []
    assert reason(reader.wait(30)) == "held back for 30 s without weight"
    reader.wait(25)
    assert reader.ask("open_orders") == []
    assert of(OrdersRead, reader.wait(10))


def test_a_look_up_waits_for_the_list_of_dexs() -> None:
    reader = Reader(wanted=("BTC-PERP",))
    reader.is_deaf = True
    reader.start()
    assert reader.ask("open_orders") == []
    assert "frontendOpenOrders" not in [one["type"] for one in asked(reader.outbox)]
    reader.is_deaf = False
    reader.run([])
    assert of(OrdersRead, reader.wait(1))
    slow = Reader(wanted=("BTC-PERP",), faults={"rest_500": 1.0})
    slow.start()
    slow.ask("open_orders")
    [failed] = of(ReadFailed, slow.wait(31))
    assert failed.reason == "held back for 30 s without lists"


def test_the_weight_of_orders_is_left_to_them() -> None:
    reader = ready()
    for _ in range(60):
        reader.ask("closed_orders")
    assert reader.weights.left(reader.now_ns) >= 100


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["coin", "oid", "order", "balances"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_nothing_that_is_answered_raises_or_passes_for_empty(what: str, body: bytes) -> None:
    reader = ready()
    reader.bend = lambda q, s, b: (200, body) if q["type"] == ASKED[what] else (s, b)
    events = reader.ask(what)
    if body.strip() != b"[]":
        assert reason(events)


def test_orders_of_another_account_are_not_ours() -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")), OTHER_KEY)
    reader.stage.wait(1)
    [read] = reader.ask("open_orders")
    assert isinstance(read, OrdersRead)
    assert read.orders == ()
    assert read.started_ns % SECOND == reader.now_ns % SECOND
