"""What the four look-ups say: over every dex, of the account's own address, each page joined."""

import json
from typing import Any

import pytest

from crosswire.domain import (
    BalancesRead,
    Filled,
    FillsRead,
    LookUp,
    OrdersRead,
    PositionsRead,
    Side,
)
from crosswire.fixed import parse
from tests.hyperliquid_joined import KINDS, Reader, of, ready, reason
from tests.hyperliquid_stage import AGENT, CLOID, MS, OWN, Stage, order, place

XYZ = 110_000


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


def test_one_dex_gone_blind_beside_another_that_sees_is_noticed() -> None:
    reader = ready(wanted=("BTC-PERP", "xyz:TSLA-PERP"))
    reader.stage.act(place(order("60000", "0.01")))
    reader.stage.act(place(order("300", "1", asset=XYZ)))
    reader.bend = lambda q, s, b: (200, b"[]") if q.get("dex") == "" else (s, b)
    # Just placed, it may have come after the lists; the engine knows of the lag.
    reader.clock.see(reader.now_ns)
    assert len(of(OrdersRead, reader.ask("open_orders"))) == 1
    reader.wait(11)
    reader.clock.see(reader.now_ns)
    assert "by the history and in no list" in reason(reader.ask("open_orders"))
    reader.bend = lambda q, s, b: (
        (200, b"[]") if q.get("dex") == "" or q["type"] == "historicalOrders" else (s, b)
    )
    assert "history is empty" in reason(reader.ask("open_orders"))
    reader.bend = None
    [read] = reader.ask("open_orders")
    assert isinstance(read, OrdersRead)
    assert len(read.orders) == 2


def test_a_history_of_open_orders_alone_sees_all_the_same() -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")))
    [read] = of(OrdersRead, reader.ask("closed_orders"))
    assert (read.orders, read.is_sure, read.is_complete) == ((), True, True)


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
        assert reason([*reader.ask("open_orders"), *reader.wait(5)])


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
    positions, dated, balances = ready(stage=stage, wanted=()).ask("balances")
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
    # Of the perps the venue says when it was so; of the spot wallet it does not.
    assert isinstance(dated, BalancesRead)
    assert dated.balances == (("USDC", held["USDC"]),)
    assert not dated.is_complete
    assert dated.venue_ns == positions.venue_ns
    assert 0 < dated.venue_ns <= stage.now_ns
    assert balances.venue_ns == 0


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
    positions, _, _ = reader.ask("balances")
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
    *_, balances = reader.ask("balances")
    assert isinstance(balances, BalancesRead)
    assert balances.balances[1:] == (
        ("spot:USDC", parse("5")), ("HYPE", parse("1")), ("HYPE#151", parse("2")),
    )  # fmt: skip


def test_a_history_without_a_row_is_sure_where_the_account_never_traded() -> None:
    reader = ready()
    volume = "0.0"

    def bend(question: dict[str, Any], status: int, body: bytes) -> tuple[int, bytes]:
        if question["type"] != "userRateLimit":
            return status, body
        return 200, json.dumps({**json.loads(body), "cumVlm": volume}).encode()

    reader.bend = bend
    [read] = reader.ask("closed_orders")
    assert isinstance(read, OrdersRead)
    assert (read.orders, read.is_sure) == ((), True)
    volume = "0.1"
    [blind] = reader.ask("closed_orders")
    assert isinstance(blind, OrdersRead)
    assert (blind.orders, blind.is_sure) == ((), False)
