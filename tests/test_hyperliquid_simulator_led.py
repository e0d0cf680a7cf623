"""What worlds and operators do with it: trade by other means, pay in, mirror, list, forget."""

import pytest

from crosswire.domain import BookReset, Instrument
from crosswire.fixed import SCALE, parse
from crosswire.venues.hyperliquid.simulator import default_markets, simulator
from crosswire.venues.hyperliquid.simulator.markets import Market, fee_rate, listed
from crosswire.venues.interface import Credentials
from tests.hyperliquid_stage import AGENT_KEY, CLOID, KEY, OTHER_KEY, OWN, Stage, order, place, sign

START_NS = 1_760_000_000_000_000_000
LOGIN = Credentials(OWN, KEY)


def instrument(name: str, kind: str = "perp", decimals: int = 5) -> Instrument:
    return Instrument(
        id=f"hyperliquid:{name}",
        venue="hyperliquid",
        name=name,
        kind="spot" if kind == "spot" else "perp",
        base=name.rpartition(":")[2].partition("-")[0].partition("/")[0],
        quote="USDC",
        price_tick=SCALE,
        quantity_step=10 ** (10 - decimals),
        price_decimals=1,
        quantity_decimals=decimals,
        min_quantity=0,
        min_notional=10 * SCALE,
    )


def book(name: str, bid: str, ask: str) -> BookReset:
    bids, asks = (((parse(price), parse("1")),) for price in (bid, ask))
    return BookReset(START_NS, f"hyperliquid:{name}", bids, asks, 20)


def test_real_instruments_are_listed_with_ids_of_their_own() -> None:
    names = ("ETH-PERP", "PURR/USDC", "HYPE/USDC", "xyz:TSLA-PERP", "abc:X-PERP", "xyz:AAPL-PERP")
    made = listed([instrument(one, "spot" if "/" in one else "perp") for one in names])
    assert [(one.name, one.coin, one.asset) for one in made] == [
        ("ETH-PERP", "ETH", 0),
        ("PURR/USDC", "PURR/USDC", 10000),
        ("HYPE/USDC", "@1", 10001),
        ("xyz:TSLA-PERP", "xyz:TSLA", 110000),
        ("abc:X-PERP", "abc:X", 120000),
        ("xyz:AAPL-PERP", "xyz:AAPL", 110001),
    ]


def test_a_mirrored_book_takes_our_orders() -> None:
    sim = simulator(
        1, START_NS, LOGIN, {"USDC": "1000"}, flow="off", instruments=[instrument("ETH-PERP")]
    )
    sim.mirror(book("ETH-PERP", "3000", "3001"), START_NS)
    sim.mirror(book("SOL-PERP", "1", "2"), START_NS)  # not listed: left alone
    body = sign(place(order("3001", "0.1")), 1_760_000_000_001)
    sim.asked(1, Stage.request("/exchange", body), START_NS)
    sim.tick(START_NS + 100_000_000)
    (fill,) = sim.live_ledger.fills
    assert (fill.instrument, fill.price) == ("ETH-PERP", parse("3001"))


def test_a_recorded_book_plays() -> None:
    recorded = [book("BTC-PERP", "50000", "50001")]
    sim = simulator(1, START_NS, LOGIN, {}, flow="off", recorded=recorded, pairs=["BTC-PERP"])
    sim.tick(START_NS)
    assert sim.exchange.mark(sim.exchange.coins["BTC"]) == parse("50000.5")
    sim.tick(START_NS + 2_000_000_000)
    assert not sim.exchange.engine(sim.exchange.coins["ETH"]).best_bid()


def test_another_signer_is_an_api_wallet() -> None:
    sim = simulator(1, START_NS, Credentials(OWN, AGENT_KEY), {}, flow="off")
    assert [agent.master for agent in sim.gate.agents.values()] == [OWN]


def test_somebody_trades_in_the_account_by_other_means() -> None:
    stage = Stage()
    stage.open()
    stage.subscribe("orderUpdates", user=OWN)
    stage.frames()
    oid = stage.sim.trade_elsewhere(
        "main", "BTC-PERP", "buy", parse("0.1"), parse("60000"), stage.now_ns
    )
    ((row,),) = stage.frames("orderUpdates")
    assert str(row["order"]["oid"]) == oid
    assert "cloid" not in row["order"]
    assert stage.sim.live_ledger.orders[oid].client_order_id == ""


def test_what_ended_long_ago_is_forgotten() -> None:
    stage = Stage()
    stage.quote()
    stage.act(place(order("65010", "0.5", tif="Ioc", cloid=CLOID)))
    stage.act(place(order("60000", "0.01")))
    assert stage.sim.exchange.accounts["main"].find(CLOID) is not None
    stage.wait(10)
    stage.sim.trim(stage.now_ns)
    account = stage.sim.exchange.accounts["main"]
    assert account.fills == []
    assert [record.price for record in account.records.values()] == [parse("60000")]
    assert account.find(CLOID) is None
    assert len(stage.info("openOrders", user=OWN)) == 1
    assert stage.info("clearinghouseState", user=OWN)["assetPositions"]


def market(name: str) -> Market:
    return next(one for one in default_markets() if one.name == name)


@pytest.mark.parametrize(
    ("name", "price", "fits"),
    [
        ("BTC-PERP", "123456", True),
        ("BTC-PERP", "12345.6", False),
        ("BTC-PERP", "1234.5", True),
        ("BTC-PERP", "0.05", False),  # one decimal: six less five
        ("DOGE-PERP", "0.123456", False),
        ("DOGE-PERP", "0.12345", True),
        ("PURR/USDC", "0.00012345", True),
        ("BTC-PERP", "0", False),
        ("BTC-PERP", "-1", False),
    ],
)
def test_prices_have_five_digits_or_are_whole(name: str, price: str, fits: bool) -> None:
    assert market(name).price_fits(parse(price)) == fits


def test_fees_fall_with_volume_and_double_at_a_builder_dex() -> None:
    perp, dex = market("BTC-PERP"), market("xyz:TSLA-PERP")
    assert fee_rate(perp, 0, is_taker=True) == parse("0.00045")
    assert fee_rate(perp, parse("5000000"), is_taker=True) == parse("0.0004")
    assert fee_rate(perp, parse("500000000"), is_taker=False) == 0
    assert fee_rate(dex, 0, is_taker=False) == parse("0.0003")
    assert fee_rate(market("PURR/USDC"), 0, is_taker=False) == parse("0.0004")


def test_every_entry_of_a_refused_request_has_its_row() -> None:
    stage = Stage()
    late = stage.now_ms - 1
    wire = order("60000", "0.01")
    modify = {"oid": 1, "order": wire}
    for action in (
        place(wire, wire),
        {"type": "cancel", "cancels": [{"a": 0, "o": 1}, {"a": 0, "o": 2}]},
        {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": "0x" + "1" * 32}]},
        {"type": "batchModify", "modifies": [modify, modify]},
        {"type": "modify", **modify},
        {"type": "scheduleCancel"},
        {"type": "noop"},
    ):
        stage.act(action, expires=late)
    rows = stage.sim.live_ledger.requests
    assert {row.outcome for row in rows} == {"refused"}
    assert [(row.n, row.method) for row in rows] == [
        (1, "place"), (1, "place"), (2, "cancel"), (2, "cancel"), (3, "cancel"), (4, "edit"),
        (4, "edit"), (5, "edit"), (6, "arm_dead_man"), (7, "other"),
    ]  # fmt: skip


def test_a_slow_order_is_checked_when_it_comes() -> None:
    stage = Stage()

    def status(**more: object) -> object:
        asked = {"a": 0, "b": True, "s": "1", "r": False, "m": 5, "t": False} | more
        answer = stage.act({"type": "twapOrder", "twap": asked})
        return answer["response"]["data"]["status"]

    assert status(s="0") == status(a=77) == {"error": "Order has invalid size."}
    assert status(r=True) == {"error": "Reduce-only TWAP order would increase position."}
    assert status() == {"running": {"twapId": 77_738_309}}


def test_who_is_worth_too_little_is_liquidated() -> None:
    """Orders go first, told by both channels; then the position, told by its fills alone."""
    stage = Stage()
    stage.open()
    stage.quote()
    stage.act({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 40})
    stage.rest("65010", "40", "sell")
    entry = stage.statuses(place(order("65010", "40", tif="Ioc")))[0]
    assert entry["filled"]["totalSz"] == "40.0"
    oid = stage.statuses(place(order("70000", "1", "sell")))[0]["resting"]["oid"]
    for kind in ("orderUpdates", "userFills", "userEvents"):
        stage.subscribe(kind, user=OWN)
    stage.frames()
    stage.rest("60000", "50")
    best = min(stage.sim.exchange.accounts["other"].open)
    stage.act({"type": "cancel", "cancels": [{"a": 0, "o": best}]}, OTHER_KEY)
    frames = stage.frames()
    events = [frame["data"] for frame in frames if frame["channel"] == "user"]
    assert events[0]["fills"][0]["liquidation"]["liquidatedUser"] == OWN
    named = {key: row[key] for row in events[1:] for key in row}
    assert named["nonUserCancel"] == [{"coin": "BTC", "oid": oid}]
    assert named["liquidation"]["liquidated_user"] == OWN
    told = [row for frame in frames if frame["channel"] == "orderUpdates" for row in frame["data"]]
    assert [(row["status"], row["order"]["oid"]) for row in told] == [("marginCanceled", oid)]
    assert stage.info("clearinghouseState", user=OWN)["assetPositions"] == []
