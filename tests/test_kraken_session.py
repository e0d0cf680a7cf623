"""Both ends of the wire in one test: the sessions against the simulator, without sockets."""

import json

import pytest
from msgspec import structs

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
    CashMoved,
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
    Sent,
    TimedOut,
    Transport,
    Unreadable,
)
from crosswire.fixed import parse
from crosswire.venues.interface import SimAnswer
from crosswire.venues.kraken.simulator import KrakenSimulator
from tests.kraken_dialogue import (
    ACCOUNT,
    BTC,
    KEY,
    SECOND,
    SECRET,
    Joined,
    amend,
    cancel,
    in_doubt,
    joined,
    of,
    only,
    own_id,
    place,
)


def orders_of(world: Joined) -> list[str]:
    """Return our ids of all orders the simulator ever took, by its own ledger."""
    orders = world.simulator.ledger()["orders"]
    assert isinstance(orders, list)
    return [order["client_order_id"] for order in orders if order["account"] == ACCOUNT]


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


def test_our_own_order_is_cancelled_rather_than_traded_with() -> None:
    world = joined()
    world.send(place(1))
    seller = place(2, side="sell", post_only=False, price=parse("26500"))
    events = world.send(structs.replace(seller, self_trade="cancel_oldest"))
    assert only(events, Closed).client_order_id == own_id(1)
    assert not of(events, Filled)


def test_fills_come_with_fee_and_cash_and_are_found_again_by_a_look_up() -> None:
    world = joined(flow="normal")
    world.pass_time(5)
    book = of(world.events, BookReset)[0]
    world.send(place(1, order_type="market", price=None, post_only=False))
    world.pass_time(1)
    fills = [fill for fill in of(world.events, Filled) if fill.client_order_id == own_id(1)]
    assert book.instrument == fills[0].instrument
    assert sum(fill.quantity for fill in fills) == parse("0.001")
    assert all(fill.fee > 0 and fill.fee_asset == "USD" for fill in fills)
    moves = of(world.events, CashMoved)
    assert {move.ref for move in moves} == {fill.fill_key for fill in fills}
    done = [event for event in of(world.events, Closed) if event.client_order_id == own_id(1)]
    assert [(event.cause, event.filled) for event in done] == [("filled", parse("0.001"))]
    read = of(world.send(LookUp(ACCOUNT, "fills")), Filled)
    assert {fill.fill_key for fill in read} == {fill.fill_key for fill in fills}
    assert {fill.client_order_id for fill in read} == {own_id(1)}
    assert {fill.source for fill in read} == {"lookup"}


def test_a_revoked_token_is_cured_and_the_refused_order_is_sent_once_more() -> None:
    world = joined()
    assert isinstance(world.simulator, KrakenSimulator)
    world.simulator.revoke_tokens(ACCOUNT)
    events = world.send(place())
    assert len(of(events, Sent)) == 1
    assert {event.client_order_id for event in of(events, Accepted)} == {own_id(1)}
    assert not of(world.events, Rejected) + of(world.events, TimedOut)
    assert orders_of(world) == [own_id(1)]
    assert world.sessions[ACCOUNT].is_ready("ws")


def test_a_token_that_is_revoked_every_time_ends_in_one_refusal() -> None:
    world = joined(faults={"token_revoked": 1.0})
    events = world.send(place())
    assert only(events, Rejected).is_transient
    assert orders_of(world) == []


def test_a_lost_answer_is_made_good_by_the_stream() -> None:
    world = joined(faults={"drop_ack": 1.0})
    events = world.send(place())
    assert of(events, Accepted)[0].source == "stream"
    world.pass_time(10)
    assert not in_doubt(world.events)
    assert orders_of(world) == [own_id(1)]


def test_events_before_answers_end_alike() -> None:
    world = joined(faults={"events_first": 1.0})
    events = world.send(place())
    assert {event.source for event in of(events, Accepted)} == {"stream", "answer"}
    world.send(amend())
    closed = world.send(cancel())
    assert only(closed, Closed).client_order_id == own_id(1)
    world.pass_time(10)
    assert not in_doubt(world.events)


def test_a_cut_after_the_order_leaves_a_doubt_that_the_snapshot_ends() -> None:
    world = joined(faults={"cut_after": 1.0})
    events = world.send(place())
    assert in_doubt(events) == [own_id(1)]
    world.drop(ACCOUNT)
    read = of(world.events, OrdersRead)[-1]
    assert [order.client_order_id for order in read.orders] == [own_id(1)]
    assert orders_of(world) == [own_id(1)]


@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_busy_is_a_doubt_whatever_was_done(transport: Transport) -> None:
    events = joined(faults={"busy_before": 1.0}).send(place(), transport)
    assert in_doubt(events) == [own_id(1)]
    assert not of(events, Rejected)
    world = joined(faults={"busy_after": 1.0})
    events = world.send(place(), transport)
    # By REST the stream was first, so nothing is in doubt when the answer arrives.
    assert in_doubt(events) == ([own_id(1)] if transport == "ws" else [])
    assert of(events, Accepted)
    assert not of(events, Rejected)


def test_an_error_page_is_a_doubt_unless_the_stream_knows_better() -> None:
    world = joined(faults={"rest_520": 1.0})
    events = world.send(place(), "rest")
    assert of(events, Accepted)[0].source == "stream"
    assert not of(events, Rejected) + of(events, TimedOut)
    page = joined(faults={"rest_502": 1.0}).send(place(), "rest")
    assert in_doubt(page) == [own_id(1)]


def test_a_gap_asks_for_the_channel_with_its_snapshot() -> None:
    world = joined(faults={"skip_sequence": 0.5})
    reads = len(of(world.events, OrdersRead))
    for number in range(1, 6):
        world.send(place(number))
    assert len(of(world.events, OrdersRead)) > reads
    statistics = world.sessions[ACCOUNT].statistics()
    assert int(statistics["sequence_gaps"]) > 0
    assert len(of(world.events, OrdersRead)[-1].orders) > 0


@pytest.mark.parametrize("fault", ["lookup_429", "lookup_502", "lookup_520", "lookup_busy"])
def test_a_failed_look_up_is_never_an_empty_one(fault: str) -> None:
    world = joined(faults={fault: 1.0})
    for what in ("open_orders", "closed_orders", "fills", "balances"):
        assert only(world.send(LookUp(ACCOUNT, what)), ReadFailed).what == what
    assert not [read for read in of(world.events, OrdersRead) if read.source == "lookup"]


def test_no_event_of_a_busy_session_holds_a_secret() -> None:
    world = joined(flow="normal", faults={"token_revoked": 0.3, "busy_after": 0.2, "cut": 0.05})
    tokens: set[str] = set()

    def listen(output: object) -> bool:
        if isinstance(output, SimAnswer) and b'"token"' in output.body:
            tokens.add(json.loads(output.body)["result"]["token"])
        return False

    world.is_cut = listen
    for number in range(1, 30):
        world.send(place(number), "rest" if number % 3 else "ws")
        world.pass_time(0.5)
    text = repr(world.events) + repr(list(world.sessions.values()))
    assert tokens
    for secret in (SECRET, KEY, *tokens):
        assert secret not in text


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
    world.pass_time(1)
    statistics = world.sessions[ACCOUNT].statistics()
    assert (statistics["token_mints"], statistics["token"]) == (3, "fresh")
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
