"""Both ends of the wire in one test: the sessions against the simulator, without sockets."""

from crosswire.domain import (
    Accepted,
    Amended,
    ArmDeadMan,
    BalancesRead,
    BookLost,
    BookReset,
    CancelAccepted,
    CancelAll,
    CancelBatch,
    Closed,
    DeadManArmed,
    Filled,
    InstrumentListed,
    LoggedIn,
    LookUp,
    OrdersRead,
    PlaceBatch,
    ReadFailed,
    Rejected,
    Resubscribe,
    TimedOut,
    Unreadable,
)
from crosswire.fixed import parse
from tests.kraken_dialogue import ACCOUNT, BTC, SECOND, amend, cancel, joined, of, only, own_id, place


def test_login_lists_the_instrument_and_reads_the_account() -> None:
    world = joined()
    listed = of(world.events, InstrumentListed)
    assert {event.instrument.id for event in listed} == {BTC}
    assert listed[-1].instrument.taker_fee > 0
    assert of(world.events, BookReset)[0].instrument == BTC
    assert only(world.events, OrdersRead).is_complete
    assert dict(only(world.events, BalancesRead).balances)["USD"] == parse("1000000")
    assert only(world.events, LoggedIn).session == ACCOUNT
    assert not of(world.events, Unreadable)


def test_an_order_is_placed_amended_and_cancelled() -> None:
    world = joined()
    placed = world.send(place())
    assert {event.client_order_id for event in of(placed, Accepted)} == {own_id(1)}
    amended = world.send(amend(quantity=parse("0.002")))
    assert {event.price for event in of(amended, Amended)} == {parse("26501")}
    cancelled = world.send(cancel(venue_order_id=of(placed, Accepted)[0].venue_order_id))
    assert only(cancelled, CancelAccepted).client_order_id == own_id(1)
    assert only(cancelled, Closed).cause == "canceled"
    assert not of(world.events, TimedOut) + of(world.events, Rejected)


def test_two_of_our_orders_fill_each_other_with_fees_and_cash() -> None:
    world = joined()
    world.send(place(1))
    events = world.send(
        place(2, side="sell", post_only=False, self_trade="cancel_oldest", price=parse("26500"))
    )
    assert of(events, Closed)[0].client_order_id == own_id(1)
    assert not of(events, Filled)
    world.simulator.tick(world.now_ns)


def test_a_batch_gives_a_verdict_for_each_order() -> None:
    world = joined()
    prices = [parse(str(26000 + step)) for step in range(17)]
    batch = tuple(place(number, price=price) for number, price in enumerate(prices, 1))
    events = world.send(PlaceBatch(ACCOUNT, batch))
    assert {event.client_order_id for event in of(events, Accepted)} == {
        own_id(number) for number in range(1, 18)
    }
    cancels = tuple(cancel(number) for number in range(1, 18))
    closed = world.send(CancelBatch(ACCOUNT, cancels))
    assert len(of(closed, Closed)) == 17
    assert len(of(closed, CancelAccepted)) == 17


def test_the_dead_man_switch_fires_and_everything_closes() -> None:
    world = joined()
    world.send(place())
    armed = only(world.send(ArmDeadMan(ACCOUNT, 10 * SECOND)), DeadManArmed)
    assert armed.fires_ns == world.now_ns + 10 * SECOND
    world.pass_time(12)
    assert only(world.events, Closed).client_order_id == own_id(1)
    assert only(world.send(ArmDeadMan(ACCOUNT, 0)), DeadManArmed).fires_ns == 0


def test_cancel_all_by_both_transports() -> None:
    world = joined()
    for transport, number in (("ws", 1), ("rest", 2)):
        world.send(place(number))
        events = world.send(CancelAll(ACCOUNT), "ws" if transport == "ws" else "rest")
        assert only(events, CancelAccepted).client_order_id == ""
        assert only(events, Closed).client_order_id == own_id(number)


def test_orders_by_rest() -> None:
    world = joined()
    placed = world.send(place(), "rest")
    assert of(placed, Accepted)[0].client_order_id == own_id(1)
    assert of(world.send(amend(), "rest"), Amended)
    assert of(world.send(cancel(), "rest"), CancelAccepted)
    batch = tuple(place(number, price=parse(f"2600{number}")) for number in (2, 3))
    world.send(PlaceBatch(ACCOUNT, batch), "rest")
    cancelled = world.send(CancelBatch(ACCOUNT, (cancel(2), cancel(3))), "rest")
    assert len(of(cancelled, CancelAccepted)) == 2
    assert len(of(cancelled, Closed)) == 2
    assert not of(world.events, TimedOut) + of(world.events, Rejected)


def test_look_ups_find_what_happened() -> None:
    world = joined()
    world.send(place(1))
    world.send(place(2))
    world.send(cancel(1))
    opened = only(world.send(LookUp(ACCOUNT, "open_orders")), OrdersRead)
    assert [order.client_order_id for order in opened.orders] == [own_id(2)]
    narrowed = LookUp(ACCOUNT, "closed_orders", client_order_id=own_id(1))
    closed = only(world.send(narrowed), OrdersRead)
    assert [(order.client_order_id, order.cause) for order in closed.orders] == [
        (own_id(1), "canceled")
    ]
    balances = only(world.send(LookUp(ACCOUNT, "balances")), BalancesRead)
    assert dict(balances.balances)["BTC"] == parse("10")
    assert not of(world.send(LookUp(ACCOUNT, "fills")), ReadFailed)


def test_a_dropped_connection_is_opened_with_a_new_token() -> None:
    world = joined()
    world.send(place())
    world.drop(ACCOUNT)
    assert len(of(world.events, LoggedIn)) == 2
    read = of(world.events, OrdersRead)[-1]
    assert [order.client_order_id for order in read.orders] == [own_id(1)]
    assert world.sessions[ACCOUNT].statistics()["token_mints"] == 3
    assert of(world.send(cancel()), Closed)


def test_one_book_is_asked_for_again() -> None:
    world = joined()
    before = len(of(world.events, BookReset))
    feed = world.sessions["kraken"]
    world.send(Resubscribe("kraken", BTC, "checksum"))
    assert len(of(world.events, BookReset)) == before + 1
    assert feed.statistics()["books_live"] == 1
    world.drop("kraken")
    assert only(world.events, BookLost).instrument == BTC
    assert feed.statistics()["books_live"] == 1
