"""Orders against an external book: what they take, where they queue, when they are taken."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import Level, Side
from crosswire.sim.matching import EXTERNAL, Completed, Killed, MatchingEngine, Order, Traded

SECOND = 1_000_000_000


def engine_with(bids: list[Level], asks: list[Level]) -> MatchingEngine:
    engine = MatchingEngine()
    engine.set_external(bids, asks, 0)
    return engine


def filled(outcomes: list[object]) -> list[tuple[str, str, int, int]]:
    return [(o.maker, o.taker, o.price, o.quantity) for o in outcomes if isinstance(o, Traded)]


def test_a_marketable_order_takes_external_quantity_which_stays_taken() -> None:
    engine = engine_with([(99, 5)], [(101, 5), (102, 5)])
    made = engine.place(Order("t", "ann", "buy", 7, 102), 0)
    assert filled([*made]) == [(EXTERNAL, "t", 101, 5), (EXTERNAL, "t", 102, 2)]
    assert made[-1] == Completed("t", "ann", 7)
    assert engine.top("sell", 5) == [(102, 3)]
    # The recording repeats what it saw: our order's mark on it stays.
    engine.change_external([], [(101, 5), (102, 5)], 1)
    assert engine.top("sell", 5) == [(102, 3)]
    # New quantity is new; a level that shrank below what we took starts afresh.
    engine.change_external([], [(101, 8)], 2)
    assert engine.top("sell", 5) == [(101, 3), (102, 3)]
    engine.change_external([], [(101, 0), (102, 1)], 3)
    engine.change_external([], [(101, 4)], 4)
    assert engine.top("sell", 5) == [(101, 4)]


def test_all_or_nothing_counts_external_quantity() -> None:
    engine = engine_with([], [(101, 5)])
    fok = Order("f", "ann", "buy", 6, 101, time_in_force="fok")
    assert engine.place(fok, 0) == [Killed("f", "ann", "fok", 0, 6)]
    assert engine.sweep("buy", 9) == [(101, 5)]


def test_a_resting_order_queues_behind_what_was_there() -> None:
    engine = engine_with([(99, 5)], [(101, 5)])
    engine.place(Order("q", "ann", "buy", 2, 99), 0)
    engine.change_external([(99, 9)], [], 0)  # joins behind us
    assert engine.orders["q"].ahead == 5
    engine.place(Order("p", "bob", "buy", 2, 99), 0)
    assert engine.orders["p"].ahead == 9
    assert engine.best_bid() == (99, 13)
    made = engine.place(Order("t", "sam", "sell", 10, 99), 0)
    assert filled([*made]) == [
        (EXTERNAL, "t", 99, 5),
        ("q", "t", 99, 2),
        (EXTERNAL, "t", 99, 3),
    ]
    assert engine.orders["p"].ahead == 1
    made = engine.place(Order("u", "sam", "sell", 3, 99), 0)
    assert filled([*made]) == [(EXTERNAL, "u", 99, 1), ("p", "u", 99, 2)]
    assert engine.best_bid() is None


def test_reductions_at_the_best_price_come_from_the_front_and_deeper_from_the_back() -> None:
    engine = engine_with([(99, 10), (98, 10)], [])
    engine.place(Order("best", "ann", "buy", 1, 99), 0)
    engine.place(Order("deep", "ann", "buy", 1, 98), 0)
    engine.change_external([(99, 14), (98, 14)], [], 0)
    engine.change_external([(99, 11), (98, 11)], [], 0)
    assert engine.orders["best"].ahead == 7
    assert engine.orders["deep"].ahead == 10
    engine.change_external([(98, 4)], [], 0)
    assert engine.orders["deep"].ahead == 4
    assert engine.change_external([(99, 0)], [], 0) == []
    assert engine.orders["best"].ahead == 0
    assert engine.orders["best"].filled == 0


def test_an_external_level_that_reaches_us_takes_us_at_our_price() -> None:
    engine = engine_with([(98, 5)], [(103, 5)])
    engine.place(Order("q", "ann", "buy", 4, 101), 0)
    engine.place(Order("p", "ann", "buy", 4, 100), 0)
    made = engine.change_external([], [(100, 6)], 0)
    assert filled([*made]) == [("q", EXTERNAL, 101, 4), ("p", EXTERNAL, 100, 2)]
    assert engine.top("sell", 5) == [(103, 5)]
    assert engine.top("buy", 5) == [(100, 2), (98, 5)]
    # The same level again is the same incoming order; its growth is a new one.
    assert engine.change_external([], [(100, 6)], 0) == []
    made = engine.change_external([], [(100, 9)], 0)
    assert filled([*made]) == [("p", EXTERNAL, 100, 2)]
    assert engine.top("sell", 1) == [(100, 1)]
    made = engine.set_external([(104, 3)], [(105, 1)], 0)
    assert made == []


def test_bids_that_reach_our_offers_take_them() -> None:
    engine = engine_with([(98, 5)], [(103, 5)])
    engine.place(Order("q", "ann", "sell", 4, 101, display=3), 0)
    made = engine.set_external([(102, 9)], [(103, 5)], 0)
    assert filled([*made]) == [("q", EXTERNAL, 101, 3), ("q", EXTERNAL, 101, 1)]
    assert made[0] == Traded("q", "ann", 3, EXTERNAL, EXTERNAL, 0, "buy", 101, 3)
    assert engine.top("buy", 2) == [(102, 5)]
    assert engine.last == 101


def test_a_trade_print_passes_those_ahead_then_fills_us() -> None:
    engine = engine_with([(99, 5)], [])
    engine.place(Order("q", "ann", "buy", 4, 99), 0)
    engine.change_external([(99, 8)], [], 0)
    assert engine.external_trade("sell", 99, 3, 0) == []
    assert engine.orders["q"].ahead == 2
    assert engine.best_bid() == (99, 9)
    made = engine.external_trade("sell", 99, 5, 0)
    assert filled([*made]) == [("q", EXTERNAL, 99, 3)]
    # What is left of the print takes those behind us, once we are gone.
    made = engine.external_trade("sell", 99, 2, 0)
    assert filled([*made]) == [("q", EXTERNAL, 99, 1)]
    assert engine.best_bid() == (99, 2)
    assert engine.last == 99


def test_a_trade_print_through_our_price_fills_us_first() -> None:
    engine = engine_with([(99, 5)], [])
    engine.place(Order("q", "ann", "buy", 4, 99), 0)
    engine.place(Order("p", "ann", "buy", 4, 97), 0)
    made = engine.external_trade("sell", 98, 6, 0)
    assert filled([*made]) == [("q", EXTERNAL, 99, 4)]
    assert engine.external_trade("buy", 96, 9, 0) == []
    engine.place(Order("o", "ann", "buy", 4, 96), 0)
    made = engine.external_trade("sell", 95, 6, 0)
    assert filled([*made]) == [("p", EXTERNAL, 97, 4), ("o", EXTERNAL, 96, 2)]
    engine.external_trade("buy", 96, 1, 0)
    assert engine.last == 96


def test_a_print_after_its_book_update_does_not_move_us_twice() -> None:
    engine = engine_with([(99, 5)], [])
    engine.place(Order("q", "ann", "buy", 4, 99), 0)
    engine.change_external([(99, 2)], [], SECOND)
    assert engine.orders["q"].ahead == 2
    engine.external_trade("sell", 99, 3, SECOND + 1)
    assert engine.orders["q"].ahead == 2
    # Another print, or a late one, is another trade.
    engine.external_trade("sell", 99, 1, SECOND + 2)
    assert engine.orders["q"].ahead == 1
    engine.change_external([(99, 0)], [], 3 * SECOND)
    made = engine.external_trade("sell", 99, 1, 5 * SECOND)
    assert filled([*made]) == [("q", EXTERNAL, 99, 1)]


def test_an_old_reduction_explains_no_new_print() -> None:
    engine = engine_with([(99, 9)], [])
    engine.place(Order("q", "ann", "buy", 4, 99), 0)
    engine.change_external([(99, 6)], [], SECOND)
    engine.change_external([(99, 5)], [], 4 * SECOND)
    engine.external_trade("sell", 99, 3, 4 * SECOND)
    assert engine.orders["q"].ahead == 3


def test_a_level_out_of_range_keeps_what_stood_ahead() -> None:
    engine = engine_with([(99, 5), (98, 7)], [])
    engine.place(Order("q", "ann", "buy", 4, 98), 0)
    engine.forget_external("buy", [98, 97])
    assert engine.top("buy", 5) == [(99, 5), (98, 4)]
    assert engine.orders["q"].ahead == 7
    engine.change_external([(98, 6)], [], 0)
    assert engine.orders["q"].ahead == 6
    engine.forget_external("buy", [98])
    made = engine.place(Order("t", "sam", "sell", 9, 98), 0)
    assert filled([*made]) == [(EXTERNAL, "t", 99, 5), ("q", "t", 98, 4)]


def test_a_refilled_iceberg_queues_behind_external_quantity_again() -> None:
    engine = engine_with([(99, 5)], [])
    engine.place(Order("q", "ann", "buy", 4, 99, display=2), 0)
    engine.change_external([(99, 9)], [], 0)
    engine.place(Order("t", "sam", "sell", 7, 99), 0)
    assert engine.orders["q"].ahead == 4
    assert engine.best_bid() == (99, 6)


# --- any run of commands -----------------------------------------------------------------------

prices = st.integers(95, 105)
levels = st.lists(st.tuples(prices, st.integers(0, 9)), max_size=4)
Command = tuple[Literal["place", "book", "print"], Side, int, int, list[Level], list[Level]]
commands: st.SearchStrategy[list[Command]] = st.lists(
    st.tuples(
        st.sampled_from(("place", "place", "book", "print")),
        st.sampled_from(("buy", "sell")),
        prices,
        st.integers(1, 9),
        levels,
        levels,
    ),
    max_size=50,
)


@given(commands)
def test_any_run_keeps_the_books_honest(run: list[Command]) -> None:
    engine = MatchingEngine()
    view = engine.view(3)
    placed: dict[str, Order] = {}
    traded: dict[str, int] = {}
    for number, (what, side, price, quantity, bids, asks) in enumerate(run):
        if what == "place":
            order = Order(f"o{number}", "ann", side, quantity, price, display=quantity % 3)
            placed[order.id] = order
            made = engine.place(order, number)
        elif what == "book":
            low = [(p - 6, q) for p, q in bids]  # an external book does not cross itself
            made = engine.change_external(low, [(p + 5, q) for p, q in asks], number)
        else:
            made = engine.external_trade(side, price, quantity, number)
        for maker, taker, _, amount in filled([*made]):
            assert maker or taker
            for one in {maker, taker} - {EXTERNAL}:
                traded[one] = traded.get(one, 0) + amount
        bid, ask = engine.best_bid(), engine.best_ask()
        assert bid is None or ask is None or bid[0] < ask[0]
        assert all(amount > 0 for _, amount in engine.top("buy", 99) + engine.top("sell", 99))
        view.changes()
        assert view.snapshot() == (engine.top("buy", 3), engine.top("sell", 3))
    for order in placed.values():
        assert traded.get(order.id, 0) == order.filled <= order.quantity
        if order.stage == "resting":
            assert 0 < order.shown <= order.open_quantity
            assert order.ahead >= 0
