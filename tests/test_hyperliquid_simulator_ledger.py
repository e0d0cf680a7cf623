"""The books balance, whatever two accounts do: with each other, or in a lively market."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crosswire.fixed import multiply, text
from crosswire.venues.hyperliquid.simulator import simulator
from crosswire.venues.hyperliquid.simulator.booking import MONEY_STEP
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.interface import Credentials
from tests.hyperliquid_stage import (
    KEY,
    OTHER_KEY,
    OWN,
    START_MS,
    Json,
    Stage,
    order,
    place,
    sign,
    trigger,
)

KEYS = {"main": KEY, "other": OTHER_KEY}
Act = tuple[str, Json]
names = st.sampled_from(sorted(KEYS))
sides = st.sampled_from(["buy", "sell"])
prices = st.integers(64_990, 65_010).map(str)
amounts = st.integers(1, 30).map(lambda tenths: f"{tenths // 10}.{tenths % 10}")
tifs = st.sampled_from(["Gtc", "Ioc", "Alo"])


@st.composite
def orders(draw: st.DrawFn) -> Json:
    price, size, side = draw(prices), draw(amounts), draw(sides)
    if draw(st.integers(0, 4)) == 0:
        return trigger(price, size, side, draw(st.sampled_from(["tp", "sl"])))
    return order(price, size, side, draw(tifs), r=draw(st.integers(0, 2)) == 0)


@st.composite
def acts(draw: st.DrawFn) -> Act:
    name = draw(names)
    kind = draw(st.sampled_from(["place", "place", "place", "group", "cancel", "modify"]))
    if kind == "place":
        return name, place(*draw(st.lists(orders(), min_size=1, max_size=3)))
    if kind == "group":
        side = draw(sides)
        other, size = ("sell" if side == "buy" else "buy"), draw(amounts)
        take, stop = trigger("65100", size, other, "tp"), trigger("64900", size, other, "sl")
        return name, place(order(draw(prices), size, side), take, stop, grouping="normalTpsl")
    return name, {"type": kind, "place": draw(st.integers(0, 5)), "order": draw(orders())}


def carry_out(stage: Stage, act: Act) -> None:
    """Do one thing; a cancel or a modify names one of the open orders by its place."""
    name, action = act
    if action["type"] != "order":
        oids = sorted(stage.sim.exchange.accounts[name].open)
        if not oids:
            return
        oid = oids[action["place"] % len(oids)]
        if action["type"] == "cancel":
            action = {"type": "cancel", "cancels": [{"a": 0, "o": oid}]}
        else:
            modify = {"oid": oid, "order": action["order"]}
            action = {"type": "batchModify", "modifies": [modify]}
    stage.act(action, KEYS[name])


def positioned() -> Stage:
    """Both hold a position, so that there is something to reduce."""
    stage = Stage()
    stage.act(place(order("65000", "4", "sell")), OTHER_KEY)
    stage.act(place(order("65000", "3")))
    return stage


def check(exchange: Exchange) -> None:
    ledger = exchange.ledger
    check_balances(ledger.plain())
    filled: dict[str, int] = defaultdict(int)
    positions: dict[tuple[str, str], int] = defaultdict(int)
    for fill in ledger.fills:
        filled[fill.venue_order_id] += fill.quantity
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        positions[fill.account, fill.instrument] += signed
    assert len({(fill.account, fill.fill_key) for fill in ledger.fills}) == len(ledger.fills)
    for row in ledger.orders.values():
        assert row.filled == filled[row.venue_order_id] <= row.quantity
        assert (row.status == "filled") <= (row.filled == row.quantity)
    for account in exchange.accounts.values():
        ours = {name: size for (owner, name), size in positions.items() if owner == account.name}
        held = {exchange.coins[coin].name: one.size for coin, one in account.positions.items()}
        assert held == {name: one for name, one in ours.items() if one and "PERP" in name}
        open_rows = {row.venue_order_id for row in ledger.orders.values() if row.status == "open"}
        mine = {key for key in open_rows if ledger.orders[key].account == account.name}
        assert mine == {str(oid) for oid in account.open}
        check_reduce_only(exchange, account.name)


def check_balances(plain: dict[str, Any]) -> None:
    """Every balance is what it was and what its rows moved."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for account, held in plain["starting_balances"].items():
        for asset, amount in held.items():
            sums[account, asset] += Decimal(amount)
    for row in plain["cash"]:
        sums[row["account"], row["asset"]] += Decimal(row["amount"]) - Decimal(row["fee"])
    for account, held in plain["balances"].items():
        assert {asset: Decimal(amount) for asset, amount in held.items()} == {
            asset: amount for (owner, asset), amount in sums.items() if owner == account
        }


def check_reduce_only(exchange: Exchange, name: str) -> None:
    """No more may rest to reduce a position than there is."""
    account = exchange.accounts[name]
    size = account.size("BTC")
    resting = [one for one in account.open.values() if one.wire.r and not one.is_trigger]
    assert sum(one.remaining for one in resting) <= abs(size)
    assert all(one.side == ("sell" if size > 0 else "buy") for one in resting)


@given(st.lists(acts(), max_size=25))
@settings(max_examples=60, deadline=None)
def test_the_books_of_two_accounts_balance(done: list[Act]) -> None:
    stage = positioned()
    for act in done:
        carry_out(stage, act)
    exchange = stage.sim.exchange
    check(exchange)
    # What one wins the other loses: closed profits and open ones, fees and millionths aside.
    mark = exchange.mark(exchange.coins["BTC"])
    closed = sum(row.amount for row in exchange.ledger.cash)
    sizes = [account.positions.get("BTC") for account in exchange.accounts.values()]
    open_ = sum(multiply(mark, one.size) - one.cost for one in sizes if one)
    assert sum(one.size for one in sizes if one) == 0
    assert abs(closed + open_) <= (MONEY_STEP + 4) * len(exchange.ledger.fills) + 4


def test_a_lively_market_keeps_its_books() -> None:
    start_ns = START_MS * 1_000_000
    names = ("BTC-PERP", "PURR/USDC")
    balances = {"USDC": "100000", "spot:USDC": "10000", "PURR": "50000"}
    sim = simulator(3, start_ns, Credentials(OWN, KEY), balances, pairs=names)
    for second in range(1, 41):
        now_ns = start_ns + second * 1_000_000_000
        while (due_ns := sim.next_due_ns()) is not None and due_ns < now_ns:
            sim.tick(max(due_ns, start_ns))
        sim.tick(now_ns)
        tif, side = ("Ioc", "Gtc")[second % 2], ("buy", "sell")[second // 2 % 2]
        for asset, name, size in ((0, "BTC-PERP", "0.05"), (10_000, "PURR/USDC", "2000")):
            mark = sim.exchange.mark(sim.exchange.names[name])
            market = sim.exchange.names[name]
            price = mark - mark % market.tick + (market.tick * 20 if side == "buy" else 0)
            wire = order(text(price), size, side, tif, asset=asset)
            body = sign(place(wire), now_ns // 1_000_000 + asset)
            request = Stage.request("/exchange", body)
            sim.asked(second * 20_000 + asset, request, now_ns)
    check(sim.exchange)
    assert {fill.instrument for fill in sim.live_ledger.fills} == set(names)
    assert {fill.liquidity for fill in sim.live_ledger.fills} == {"maker", "taker"}


def test_the_same_seed_gives_the_same_run() -> None:
    def run(seed: int) -> object:
        start_ns = START_MS * 1_000_000
        sim = simulator(seed, start_ns, Credentials(OWN, KEY), {"USDC": "1000"}, pairs=["BTC-PERP"])
        sim.opened(1, "/ws", start_ns)
        asked = b'{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}'
        sim.received(1, asked, start_ns)
        while (due_ns := sim.next_due_ns()) is not None and due_ns < start_ns + 5_000_000_000:
            sim.tick(max(due_ns, start_ns))
        return [str(one) for one in sim.outbox]

    assert run(1) == run(1)
    assert run(1) != run(2)
