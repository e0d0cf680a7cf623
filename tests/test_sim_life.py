"""Flow, recordings and expiries in one place, each on its own engine."""

import pytest

from crosswire.domain import BookReset, Side, TradePrinted
from crosswire.fixed import SCALE
from crosswire.sim.flow import OWNER, Flow, FlowCancel, FlowInstrument, FlowOrder
from crosswire.sim.life import Life, act
from crosswire.sim.matching import AnyOutcome, Expired, MatchingEngine, Order, Traded
from crosswire.sim.recording import HEAL_NS, Recording

SECOND = 1_000_000_000
NAMES = ("BTC/USD", "ETH/USD")
SIDES: tuple[Side, Side] = ("buy", "sell")


def instruments() -> list[FlowInstrument]:
    return [FlowInstrument(name, 100 * SCALE, SCALE // 100, 1000) for name in NAMES]


def run(life: Life, start_ns: int, seconds: int) -> list[tuple[str, list[AnyOutcome]]]:
    """Step a life exactly when it is due."""
    happened: list[tuple[str, list[AnyOutcome]]] = []
    now = start_ns
    while now <= start_ns + seconds * SECOND:
        happened += life.tick(now)
        due = life.next_due_ns()
        assert due is not None
        assert due > now
        now = due
    return happened


def test_a_flow_moves_every_market_and_owns_its_orders() -> None:
    engines = {name: MatchingEngine() for name in NAMES}
    life = Life(engines, flow=Flow(1, instruments()))
    happened = run(life, SECOND, 20)
    for name, engine in engines.items():
        trades = [
            one
            for where, made in happened
            for one in made
            if where == name and isinstance(one, Traded)
        ]
        assert len(trades) > 10
        assert len(engine.top("buy", 99)) > 5
        assert {order.owner for order in engine.orders.values()} == {OWNER}


def test_nothing_to_live_for() -> None:
    engine = MatchingEngine()
    life = Life({"BTC/USD": engine})
    assert life.next_due_ns() is None
    assert life.tick(5) == []
    engine.place(Order("q", "me", "buy", 1, 100, expire_ns=9), 0)
    assert life.next_due_ns() == 9
    assert life.tick(9) == [("BTC/USD", [Expired("q", "me", 0, 1)])]


def test_a_recorded_book_is_played_healed_and_traded_on() -> None:
    engine = MatchingEngine()
    whole = BookReset(0, "v:BTC/USD", ((99, 4),), ((101, 4),))
    life = Life({"BTC/USD": engine}, recordings={"BTC/USD": Recording([whole], SECOND)})
    assert life.next_due_ns() == SECOND
    assert life.tick(SECOND) == [("BTC/USD", []), ("BTC/USD", [])]
    engine.place(Order("t", "me", "buy", 4, 101), SECOND)
    assert engine.best_ask() is None
    assert life.next_due_ns() == SECOND + HEAL_NS
    life.tick(SECOND + HEAL_NS)
    assert engine.best_ask() == (101, 4)


def test_a_live_book_is_mirrored() -> None:
    engine = MatchingEngine()
    life = Life({"BTC/USD": engine})
    whole = BookReset(0, "v:BTC/USD", ((99, 4),), ())
    assert life.mirror("BTC/USD", whole, 1) == ("BTC/USD", [])
    engine.place(Order("q", "me", "buy", 2, 100), 1)
    trade = TradePrinted(0, "v:BTC/USD", "sell", 100, 1, "t")
    name, made = life.mirror("BTC/USD", trade, 2)
    assert name == "BTC/USD"
    assert isinstance(made[0], Traded)


def test_takers_at_the_market_never_empty_the_book() -> None:
    engine = MatchingEngine()
    it = FlowInstrument("BTC/USD", 100, 1, 1, quantity=1000, has_makers=False)
    life = Life({"BTC/USD": engine}, flow=Flow(1, [it]))
    whole = BookReset(0, "v:BTC/USD", ((99, 40),), ((101, 40),))
    life.tick(0)  # nobody is there to be taken
    life.mirror("BTC/USD", whole, 0)
    happened = run(life, 1, 30)
    assert sum(isinstance(one, Traded) for _, made in happened for one in made) > 10
    assert engine.best_bid() is not None
    assert engine.best_ask() is not None


def test_takers_at_the_market_take_whole_steps() -> None:
    engine = MatchingEngine()
    it = FlowInstrument("BTC/USD", 100, 1, 10, quantity=1000, has_makers=False)
    life = Life({"BTC/USD": engine}, flow=Flow(1, [it]))
    life.tick(0)
    life.mirror("BTC/USD", BookReset(0, "v:BTC/USD", ((99, 70),), ((101, 70),)), 0)
    traded = [one for _, made in run(life, 1, 30) for one in made if isinstance(one, Traded)]
    assert traded
    assert all(one.quantity % 10 == 0 for one in traded)


def test_strangers_never_leave_a_side_empty() -> None:
    """A one-sided book refuses every order: a bot that waits for the venue would stand still."""
    engines = {one.name: MatchingEngine(tick=one.tick) for one in instruments()}
    life = Life(engines, flow=Flow(1, instruments()))
    now_ns = SECOND
    life.tick(now_ns)
    while now_ns < 60 * SECOND:
        due_ns = life.next_due_ns()
        assert due_ns is not None
        now_ns = max(due_ns, now_ns + 1)
        life.tick(now_ns)
        for name, engine in engines.items():
            assert engine.best_bid(), (name, now_ns)
            assert engine.best_ask(), (name, now_ns)


def test_what_nobody_hears_of_makes_the_same_market() -> None:
    """The flow's own orders rest and leave by a short way: the book must not know."""
    short, long = MatchingEngine(), MatchingEngine()
    flow = Flow(4, instruments()[:1])
    ended = 0
    for second in range(1, 30):
        for action in flow.step(second * SECOND):
            heard = act(short, action, action.at_ns)
            if isinstance(action, FlowCancel):
                known = action.id in long.orders
                ended += known
                made = long.cancel(action.id, action.at_ns) if known else []
                assert not heard
            else:
                made = long.place(plain(action, long), action.at_ns)
            traded = [one for one in made if isinstance(one, Traded)]
            assert [one for one in heard if isinstance(one, Traded)] == traded
        for side in SIDES:
            assert short.top(side, 99) == long.top(side, 99)
            assert [[o.id for o in short.queue(side, p)] for p, _ in short.top(side, 99)] == [
                [o.id for o in long.queue(side, p)] for p, _ in long.top(side, 99)
            ]
        assert short.orders.keys() == long.orders.keys()
    assert ended > 100


def plain(action: FlowOrder, engine: MatchingEngine) -> Order:
    """The order that an action is, takers held to half of what stands there."""
    quantity = action.quantity
    if action.time_in_force == "ioc":
        there = engine.top("sell" if action.side == "buy" else "buy", 10)
        half = sum(amount for _, amount in there) // 2
        quantity = min(quantity, half - half % action.step)
    return Order(
        id=action.id,
        owner=OWNER,
        side=action.side,
        quantity=quantity,
        price=action.price,
        time_in_force=action.time_in_force,
    )


def test_an_order_that_would_trade_does_not_stand_quietly() -> None:
    engine = MatchingEngine()
    ask = Order(id="a", owner="x", side="sell", quantity=5, price=100)
    assert engine.stand_quietly(ask)
    assert not engine.stand_quietly(Order(id="b", owner="y", side="buy", quantity=5, price=100))
    assert engine.stand_quietly(Order(id="b", owner="y", side="buy", quantity=5, price=99))
    with pytest.raises(ValueError, match="order b is not new"):
        engine.stand_quietly(Order(id="b", owner="y", side="buy", quantity=5, price=98))
    engine.leave_quietly("a")
    engine.leave_quietly("a")
    assert engine.best_ask() is None
    assert list(engine.orders) == ["b"]
