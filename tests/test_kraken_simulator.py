"""The simulated Kraken as a whole: connections, time, the plain way to build one."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswire.domain import BookChanged, BookReset, Instrument
from crosswire.venues.interface import Credentials, SimFrame
from crosswire.venues.kraken.simulator import Faults, SimAccount, default_markets, simulator
from crosswire.venues.kraken.simulator.schema import REQUESTS
from crosswire.venues.kraken.simulator.text import scaled
from tests.kraken_rig import ME, SECOND, SECRET, START, Rig, answers, items, limit, read

LOGIN = Credentials("k", SECRET)


def price(text: str) -> int:
    value = scaled(text)
    assert value is not None
    return value


def test_the_first_frame_of_a_connection_says_the_status() -> None:
    rig = Rig()
    (first,) = rig.frames(rig.open())
    assert (first["channel"], first["type"]) == ("status", "update")
    (data,) = first["data"]
    assert (data["system"], data["api_version"]) == ("online", "v2")
    assert data["connection_id"] > 2**53


def test_an_unknown_path_is_closed_with_1008() -> None:
    rig = Rig()
    rig.open("/v1")
    assert rig.drops() == [(1, 1008)]


def test_ping_is_answered_by_pong_and_may_not_carry_params() -> None:
    rig = Rig()
    socket = rig.open()
    rig.frames(socket)
    (pong,) = rig.send(socket, {"method": "ping", "req_id": 101})
    assert list(pong) == ["method", "req_id", "time_in", "time_out"]
    assert (pong["method"], pong["req_id"]) == ("pong", 101)
    assert pong["time_in"] == "2026-09-21T14:13:20.000000Z"
    (bare,) = rig.send(socket, {"method": "ping"})
    assert "req_id" not in bare
    (refused,) = rig.send(socket, {"method": "ping", "params": {}, "req_id": 0})
    assert refused["error"] == "Unsupported field: 'params' for the given msg type: ping"
    assert list(refused) == ["error", "method", "req_id", "success", "time_in", "time_out"]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"method": "dance"}, "Unsupported event"),
        ({"params": {}}, "Unsupported event"),
        ({"method": "subscribe", "params": [], "req_id": 1}, "Params field must be an object"),
        ({"method": "subscribe", "params": {}, "req_id": "1"}, "Req_id field must be an integer"),
        ([1, 2], "Malformed request"),
    ],
)
def test_what_makes_no_sense_is_refused(message: object, error: str) -> None:
    rig = Rig()
    socket = rig.open()
    rig.frames(socket)
    (refused,) = rig.send(socket, message)
    assert (refused["error"], refused["success"]) == (error, False)


@pytest.mark.parametrize("payload", [b"{", b"\xff\xfe", b"", b"[" * 100_000])
def test_no_bytes_break_it(payload: bytes) -> None:
    rig = Rig()
    socket = rig.open()
    rig.frames(socket)
    rig.sim.received(socket, payload, rig.now)
    (refused,) = rig.frames(socket)
    assert refused["error"] == "Malformed request"
    rig.sim.received(99, b"{}", rig.now)  # a connection nobody opened
    assert rig.frames(99) == []


def test_heartbeats_come_once_a_second_after_the_first_subscription() -> None:
    rig = Rig()
    socket = rig.open()
    rig.wait(3)
    assert [frame["channel"] for frame in rig.frames(socket)] == ["status"]
    rig.ask(socket, "subscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    rig.wait(5)
    assert rig.frames(socket) == [{"channel": "heartbeat"}] * 5


def test_heartbeats_do_not_pile_up_where_nobody_ticked() -> None:
    rig = Rig()
    socket = rig.open()
    rig.ask(socket, "subscribe", {"channel": "instrument"})
    rig.now += 30 * SECOND
    rig.sim.tick(rig.now)
    rig.sim.tick(rig.now)
    assert rig.frames(socket) == [{"channel": "heartbeat"}]


def test_an_idle_connection_is_dropped_after_a_minute() -> None:
    rig = Rig()
    idle, talking = rig.open(), rig.open()
    rig.wait(59)
    rig.send(talking, {"method": "ping"})
    rig.wait(1)
    assert rig.drops() == [(idle, 1006)]
    rig.wait(59)
    assert (talking, 1006) in rig.drops()


def test_too_many_messages_are_refused_without_the_envelope() -> None:
    rig = Rig(max_messages=2)
    socket = rig.open()
    for _ in range(2):
        assert rig.send(socket, {"method": "ping"})[-1]["method"] == "pong"
    assert rig.send(socket, {"method": "ping"}) == [{"Error": "Exceeded msg rate"}]
    rig.wait(1)
    assert rig.send(socket, {"method": "ping"})[-1]["method"] == "pong"


def test_a_closed_connection_takes_its_subscriptions_with_it() -> None:
    rig = Rig()
    socket = rig.login()
    rig.sim.closed(socket, rig.now)
    rig.rest("buy", "1", "60000")
    assert rig.frames(socket) == []
    assert rig.send(socket, {"method": "ping"}) == []


def test_a_change_of_the_status_is_told_to_everyone() -> None:
    rig = Rig()
    sockets = rig.open(), rig.open("/auth/v2")
    for socket in sockets:
        rig.frames(socket)
    rig.sim.set_system("cancel_only", rig.now)
    for socket in sockets:
        assert items(rig.frames(socket), "status")[0]["system"] == "cancel_only"
    assert rig.get("/0/public/SystemStatus")["result"]["status"] == "cancel_only"


def test_two_keys_of_one_account_share_its_money_and_orders() -> None:
    one = SimAccount(secret=SECRET, balances={"USD": "100000"}, name="both")
    rig = Rig(accounts={ME: one, "second": one})
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "60000"}
    (txid,) = rig.result("AddOrder", order, key="second")["txid"]
    assert list(rig.result("OpenOrders")["open"]) == [txid]


def test_the_plain_factory_gives_a_living_market() -> None:
    sim = simulator(7, START, LOGIN, {"USD": "100000"})
    sim.opened(1, "/v2", START)
    ask = {"channel": "trade", "symbol": ["BTC/USD", "ETH/BTC"]}
    sim.received(1, json.dumps({"method": "subscribe", "params": ask}).encode(), START)
    for step in range(60):
        sim.tick(START + step * SECOND)
    frames = [read(out.payload) for out in sim.outbox if isinstance(out, SimFrame)]
    traded = {item["symbol"] for item in items(frames, "trade")}
    assert traded == {"BTC/USD", "ETH/BTC"}
    assert sim.ledger()["starting_balances"] == {"main": {"USD": "100000"}}


def test_the_same_seed_gives_the_same_bytes() -> None:
    runs = []
    for _ in range(2):
        sim = simulator(7, START, LOGIN, {"USD": "100000"}, faults={"wrong_checksum": 0.1})
        sim.opened(1, "/v2", START)
        ask = {"channel": "book", "symbol": ["BTC/USD"]}
        sim.received(1, json.dumps({"method": "subscribe", "params": ask}).encode(), START)
        for step in range(40):
            sim.tick(START + step * SECOND)
        runs.append(list(sim.outbox))
    assert runs[0] == runs[1]


def test_without_a_flow_nothing_moves() -> None:
    sim = simulator(7, START, LOGIN, {"USD": "100000"}, flow="off")
    sim.tick(START + 10 * SECOND)
    assert sim.exchange.engines["BTC/USD"].best_bid() is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"faults": {"nonsense": 1.0}}, 'unknown fault "nonsense"'),
        ({"faults": {"drop_ack": 1.5}}, "fault drop_ack = 1.5: expected a number from 0 to 1"),
        ({"faults": {"late_s": -1.0}}, "fault late_s = -1.0"),
        ({"flow": "wild"}, 'unknown flow "wild": expected off, normal or efficient'),
        ({"balances": {"USD": "much"}}, 'balance of USD: "much" is not a number'),
        (
            {"recorded": [BookReset(0, "kraken:DOGE/USD", ((1, 1),), ((2, 1),))]},
            "recorded pair DOGE/USD is not listed: BTC/USD, ETH/USD, ETH/BTC, SOL/USD",
        ),
    ],
)
def test_wrong_settings_get_one_clear_line(options: dict[str, Any], text: str) -> None:
    plain: dict[str, Any] = {"balances": {"USD": "1"}, "flow": "off"}
    with pytest.raises(ValueError, match=r"\w") as caught:
        simulator(1, START, LOGIN, **(plain | options))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recorded_book_is_the_other_side_of_our_orders() -> None:
    books: list[BookReset | BookChanged] = [
        BookReset(
            0,
            "kraken:BTC/USD",
            bids=((price("29430"), price("1")),),
            asks=((price("29431"), price("2")),),
            depth=10,
            venue_ns=5 * SECOND,
        ),
        BookChanged(
            0,
            "kraken:BTC/USD",
            bids=(),
            asks=((price("29431"), 0), (price("29429"), price("1"))),
            venue_ns=7 * SECOND,
        ),
    ]
    sim = simulator(1, START, LOGIN, {"USD": "100000"}, flow="efficient", recorded=books)
    engine = sim.exchange.engines["BTC/USD"]

    def best_ask() -> int:
        best = engine.best_ask()
        assert best is not None
        return best[0]

    assert engine.last == price("29430.5")
    sim.tick(START)
    assert best_ask() == price("29431")
    assert sim.exchange.engines["ETH/USD"].best_ask() is not None
    due = sim.next_due_ns()
    assert due is not None
    sim.tick(START + 2 * SECOND)
    assert best_ask() == price("29429")
    sim.tick(START + 4 * SECOND)  # it plays in a loop
    assert best_ask() == price("29431")


def test_takers_come_to_a_recorded_book_and_makers_do_not() -> None:
    bids, asks = ((price("29430"), price("1")),), ((price("29431"), price("2")),)
    books = [BookReset(0, "kraken:BTC/USD", bids=bids, asks=asks, depth=10, venue_ns=SECOND)]
    sim = simulator(1, START, LOGIN, {"USD": "100000"}, recorded=books)
    engine = sim.exchange.engines["BTC/USD"]
    for step in range(100):
        sim.tick(START + step * SECOND // 5)
        assert len(engine.top("buy", 9)) == len(engine.top("sell", 9)) == 1
    assert engine.last in {price("29430"), price("29431")}


def test_a_recording_without_a_whole_book_keeps_the_listed_price() -> None:
    books = [BookReset(0, "BTC/USD", (), ())]
    sim = simulator(1, START, LOGIN, {"USD": "1"}, recorded=books)
    assert sim.exchange.engines["BTC/USD"].last == default_markets()[0].start_price


def test_a_deposit_is_told_and_counted() -> None:
    rig = Rig()
    socket = rig.login()
    rig.ask(socket, "subscribe", {"channel": "balances"})
    rig.sim.deposit("mine", "USD", "12.5", rig.now)
    rig.sim.deposit("mine", "USD", "-2.5", rig.now)
    first, second = items(rig.frames(socket), "balances")
    assert (first["type"], first["amount"], first["balance"]) == (
        "deposit",
        "12.5000",
        "1000012.5000",
    )
    assert (second["type"], second["amount"]) == ("withdrawal", "-2.5000")
    assert rig.result("Balance")["ZUSD"] == "1000010.0000"


def test_the_accounts_own_orders_stand_in_the_public_book() -> None:
    rig = Rig(Faults())
    public, private = rig.open(), rig.login()
    rig.ask(public, "subscribe", {"channel": "book", "symbol": ["BTC/USD"]})
    assert answers(rig.ask(private, "add_order", limit()))[0]["success"] is True
    (book,) = items(rig.frames(public), "book")
    assert book["bids"] == [{"price": "60000.0", "qty": "0.50000000"}]


def test_the_real_venues_pairs_and_books_can_be_taken_over() -> None:
    """Paper trading: the pairs are the real ones, `mirror` brings what their books do."""
    doge = Instrument(
        id="kraken:DOGE/BTC",
        venue="kraken",
        name="DOGE/BTC",
        kind="spot",
        base="DOGE",
        quote="BTC",
        price_tick=price("0.00000001"),
        quantity_step=price("0.00000001"),
        price_decimals=8,
        quantity_decimals=8,
        min_quantity=price("20"),
        min_notional=price("0.00002"),
        status="off",
    )
    sim = simulator(1, START, LOGIN, {"BTC": "1"}, flow="off", instruments=[doge])
    sim.mirror(BookReset(0, "kraken:ETH/USD", (), ()), START)  # not listed: left alone
    level = ((price("0.000002"), price("500")),)
    sim.mirror(BookReset(0, "kraken:DOGE/BTC", (), level, depth=10), START)
    assert list(sim.exchange.engines) == ["DOGE/BTC"]
    assert sim.exchange.engines["DOGE/BTC"].best_ask() == level[0]
    assert sim.exchange.markets["DOGE/BTC"].status == "online"
    sim.tick(START + 5 * SECOND)
    assert sim.exchange.assets["DOGE"].decimals == 10


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["BTC/USD", "buy", "limit", "market", "", "O", "static", "pct", "x"])
    | st.sampled_from(["1", "0", "-5%", "+1e3", "1e99", "0.00000000001", "2026-09-21T14:14:00Z"])
    | st.sampled_from([1, 0.5, 1e30, "trailing-stop", "stop-loss-limit", "iceberg", "gtd", "fok"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["price", "order_type", "reference", "side"]), inner)
    ),
    max_leaves=5,
)
NAMES = sorted({name for fields in REQUESTS.values() for name in fields} - {"token"})
METHODS = sorted({*REQUESTS, "subscribe", "unsubscribe", "ping"})
WORDS = st.sampled_from([*NAMES, "channel", "symbol", "depth", "interval", "snapshot"])
CHANNEL = st.sampled_from(["book", "level3", "ohlc", "trade", "executions", "x"])


@given(
    st.sampled_from(METHODS),
    st.dictionaries(WORDS, JUNK, max_size=6),
    st.dictionaries(WORDS, JUNK, max_size=3),
    CHANNEL,
)
@settings(max_examples=100)
def test_whatever_a_client_sends_is_answered_and_breaks_nothing(
    method: str, junk: dict[str, Any], spoilt: dict[str, Any], channel: str
) -> None:
    rig = Rig()
    rig.rest("sell", "1", "60000")
    socket, public = rig.login(), rig.open()
    for params in (junk, limit() | spoilt, {"channel": channel, "symbol": ["BTC/USD"]} | spoilt):
        for where in (socket, public):
            rig.frames(where)
            assert answers(rig.ask(where, method, params))
    rig.wait(2)
    rig.sim.ledger()


CALLS = (
    "AddOrder AddOrderBatch AmendOrder EditOrder CancelOrder CancelOrderBatch OpenOrders "
    "CancelAllOrdersAfter ClosedOrders QueryOrders TradesHistory QueryTrades Ledgers "
    "QueryLedgers OrderAmends TradeVolume"
)
FIELDS = (
    "pair type ordertype volume price price2 txid orders deadline cl_ord_id cl_ord_ids userref "
    "ofs start end timeout close oflags starttm expiretm order_id leverage displayvol id "
    "timeinforce"
)
CALL, FIELD = st.sampled_from(CALLS.split()), st.sampled_from(FIELDS.split())


@given(CALL, st.dictionaries(FIELD, JUNK, max_size=6))
@settings(max_examples=100)
def test_whatever_a_client_posts_is_answered(call: str, junk: dict[str, Any]) -> None:
    rig = Rig()
    good = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "60000"}
    for fields in (junk, good | junk):
        assert "error" in rig.post_json(call, fields)
        assert "error" in rig.post(call, fields)
    rig.wait(2)
    rig.sim.ledger()
