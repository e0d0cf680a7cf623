"""The engine: one turn a read, strategies decide once, and a replay rebuilds the same state."""

import pytest
from msgspec.structs import replace

from crosswire.domain import (
    Accepted,
    Amend,
    Amended,
    Approved,
    BalancesRead,
    BookChanged,
    BookLost,
    BookReset,
    Cancel,
    CancelBatch,
    CashMoved,
    Closed,
    Connected,
    FeedProven,
    Filled,
    Halted,
    InstrumentListed,
    OrdersRead,
    Place,
    PlaceBatch,
    Refused,
    Rejected,
    Resubscribe,
    Resumed,
    Reversed,
    RunStarted,
    Unreadable,
)
from crosswire.engine import Engine
from crosswire.fixed import parse
from crosswire.risk import Limits
from crosswire.strategies import Quote, Quotes, WantedOrder
from tests.bots import Bot, Quoter
from tests.samples import ACCOUNT, BTC, S, book_reset, filled, instrument, place

ONE = parse("1")


def test_a_read_with_many_frames_lets_a_strategy_decide_once() -> None:
    bot = Bot()
    change = BookChanged(bot.now_ns, BTC, ((parse("100.1"), ONE),), ())
    approved = bot.turn(book_reset(recv_ns=bot.now_ns), change, change)
    assert bot.quoter.calls == 1
    (command,) = (a.command for a in approved)
    assert isinstance(command, Place)
    assert command.price == parse("100.0"), "decided on the last frame"
    assert (command.received_ns, command.decoded_ns) == (bot.now_ns, bot.now_ns)


def test_events_that_touch_no_strategy_decide_nothing() -> None:
    bot = Bot()
    calls = bot.quoter.calls
    assert bot.turn(Connected(S, "kraken", "public"), FeedProven(S, "kraken")) == []
    assert bot.quoter.calls == calls


def test_a_place_carries_our_id_its_bound_and_its_stamps() -> None:
    bot = Bot()
    (approved,) = bot.book()
    command = approved.command
    assert isinstance(command, Place)
    assert bot.engine.ids.is_ours(command.client_order_id)
    assert command.bound_ns == bot.now_ns + 5 * S
    assert command.decided_ns == bot.now_ns
    order = bot.engine.orders.get(command.client_order_id)
    assert order is not None
    assert order.stamps.approved == order.stamps.written == bot.now_ns


def test_quotes_follow_the_book_by_amends() -> None:
    bot = Bot()
    order = bot.quoted()
    (approved,) = bot.book("100.4", "100.6")
    assert isinstance(approved.command, Amend)
    bot.turn(Amended(S, ACCOUNT, order.client_order_id, "V", request_id=approved.request_id))
    assert bot.book("100.4", "100.6") == []


def test_a_fill_moves_the_position_and_is_told_once() -> None:
    bot = Bot()
    order = bot.quoted()
    fill = filled("0.25", client_order_id=order.client_order_id)
    bot.turn(fill)
    bot.turn(fill)
    assert bot.quoter.fills == [fill]
    assert bot.engine.positions.quantity(ACCOUNT, BTC) == parse("0.25")
    assert bot.engine.positions.share("s", BTC) == parse("0.25")
    assert bot.engine.counts["fills"] == 1
    bot.turn(Reversed(S, ACCOUNT, order.client_order_id, "V", fill.fill_key))
    assert bot.engine.positions.quantity(ACCOUNT, BTC) == 0


def test_a_fill_whose_order_is_known_later_becomes_its_strategys() -> None:
    """The venue's history names its own id, which the lost answer would have told."""
    bot = Bot()
    (approved,) = bot.book()
    assert isinstance(approved.command, Place)
    bot.turn(filled("0.25", client_order_id=""))
    assert bot.engine.positions.share("s", BTC) == 0
    bot.turn(Accepted(bot.now_ns, ACCOUNT, approved.command.client_order_id, "V"))
    assert bot.engine.positions.share("s", BTC) == parse("0.25")
    assert bot.engine.positions.quantity(ACCOUNT, BTC) == parse("0.25"), "booked once"


def test_an_external_fill_is_booked_to_the_account_never_to_a_strategy() -> None:
    bot = Bot()
    bot.turn(Filled(S, ACCOUNT, "", "X", BTC, "sell", parse("100"), ONE, "k"))
    assert bot.engine.positions.quantity(ACCOUNT, BTC) == -ONE
    assert bot.engine.positions.share("s", BTC) == 0
    assert bot.quoter.fills == []


def test_a_bad_checksum_loses_that_book_and_asks_for_it_again() -> None:
    bot = Bot()
    bot.book()
    wrong = BookChanged(bot.now_ns, BTC, ((parse("100.1"), ONE),), (), checksum=1)
    approved = bot.turn(wrong)
    assert [a.command for a in approved] == [Resubscribe("kraken", BTC, "checksum")]
    assert bot.engine.made == [BookLost(bot.now_ns, BTC, "checksum")]
    assert not bot.engine.books[BTC].is_valid
    assert bot.turn(wrong) == [], "asked once"
    assert bot.engine.counts["checksum_failures"] == 1
    reset = BookReset(bot.now_ns, BTC, ((parse("99"), ONE),), (), 10, checksum=1)
    assert len(bot.turn(reset)) == 1


def test_refusals_are_events_and_a_strategy_pauses_after_one() -> None:
    bot = Bot(Limits(max_order_notional=ONE))
    assert bot.book() == []
    (refused,) = bot.engine.made
    assert isinstance(refused, Refused)
    assert (refused.rule, bot.engine.counts["orders_refused"]) == ("order notional", 1)
    bot.book("100.1", "100.3")
    assert bot.engine.made == [], "not asked again at once"
    bot.now_ns += S
    bot.book("100.2", "100.4")
    assert len(bot.engine.made) == 1


def test_a_venues_refusal_pauses_placing_too() -> None:
    bot = Bot()
    (approved,) = bot.book()
    command = approved.command
    assert isinstance(command, Place)
    ids = (ACCOUNT, command.client_order_id, "")
    assert bot.turn(Rejected(bot.now_ns, *ids, approved.request_id, "no funds")) == []
    assert bot.tick() == []
    bot.now_ns += S
    assert [type(a.command) for a in bot.tick()] == [Place]


def test_a_late_accept_is_canceled_and_halts_the_account_until_it_is_over() -> None:
    bot = Bot()
    (approved,) = bot.book()
    command = approved.command
    assert isinstance(command, Place)
    name = command.client_order_id
    bot.turn(Rejected(bot.now_ns, ACCOUNT, name, "", approved.request_id, "no"))
    bot.turn(Accepted(bot.now_ns, ACCOUNT, name, "V"))
    (halted,) = [e for e in bot.engine.made if isinstance(e, Halted)]
    assert name in halted.reason
    assert bot.engine.counts["late_accepts"] == 1
    bot.now_ns += S
    assert Cancel(ACCOUNT, name, "V", BTC) in [a.command for a in bot.tick()]
    bot.book("100.1", "100.3")
    assert all(not isinstance(a.command, Place) for a in bot.tick())
    bot.turn(Closed(bot.now_ns, ACCOUNT, name, "V", "canceled", 0))
    bot.now_ns += S
    assert all(not isinstance(a.command, Place) for a in bot.tick()), "not before a whole read"
    bot.turn(OrdersRead(bot.now_ns, ACCOUNT, "open", (), bot.now_ns, True))
    bot.tick()
    assert Resumed(bot.now_ns, ACCOUNT, halted.reason) in bot.engine.made
    bot.now_ns += S
    assert Place in [type(a.command) for a in bot.tick()]


def test_single_orders_and_lists_of_targets() -> None:
    bot = Bot()
    bot.quoter.says = True
    bot.quoter.wants = WantedOrder(
        instrument=BTC, side="sell", quantity=ONE, price=parse("101"), time_in_force="ioc"
    )
    (approved,) = bot.book()
    assert isinstance(approved.command, Place)
    assert (approved.command.time_in_force, approved.command.strategy) == ("ioc", "s")
    bot.quoter.wants = [Quotes(BTC, (Quote(parse("99"), ONE),), ()), bot.quoter.wants]
    sides = [a.command.side for a in bot.book() if isinstance(a.command, Place)]
    assert sorted(sides) == ["buy", "sell"]


def ladder(*prices: str) -> Quotes:
    return Quotes(BTC, tuple(Quote(parse(price), ONE) for price in prices), ())


def test_what_a_turn_wants_goes_in_batches_where_the_venue_has_them() -> None:
    bot = Bot(max_batch=2)
    bot.quoter.says = True
    bot.quoter.wants = ladder("99", "98", "97")
    approved = bot.book()
    assert [type(a.command) for a in approved] == [PlaceBatch, Place]
    batch = approved[0].command
    assert isinstance(batch, PlaceBatch)
    assert batch.bound_ns == batch.places[0].bound_ns
    for number, order in enumerate(list(bot.engine.orders)):
        bot.turn(Accepted(bot.now_ns, ACCOUNT, order.client_order_id, f"V{number}"))
    bot.quoter.wants = ladder()
    assert [type(a.command) for a in bot.book()] == [CancelBatch, Cancel]
    assert bot.book("100.1", "100.3") == [], "not asked again at once"


def test_of_a_refused_batch_what_may_pass_alone_passes() -> None:
    bot = Bot(Limits(max_position_notional=parse("250")), max_batch=15)
    bot.quoter.says = True
    bot.quoter.wants = ladder("99", "98", "97")
    assert [type(a.command) for a in bot.book()] == [Place, Place]
    assert [e.rule for e in bot.engine.made if isinstance(e, Refused)] == ["position"]
    whole = PlaceBatch(ACCOUNT, (place("x"), place("y")))
    assert isinstance(bot.engine.submit(whole, bot.now_ns), Refused)
    assert len(bot.engine.made) == 1


def test_an_operators_order_gets_an_id_and_a_bound() -> None:
    bot = Bot()
    bot.quoter.says = True
    bot.book()
    approved = bot.engine.submit(place(""), bot.now_ns)
    assert isinstance(approved, Approved)
    assert isinstance(approved.command, Place)
    assert bot.engine.ids.is_ours(approved.command.client_order_id)
    assert approved.command.bound_ns == bot.now_ns + 5 * S
    cash = place("", quantity="0", price=None, order_type="market", cash_quantity=parse("50"))
    approved = bot.engine.submit(cash, bot.now_ns)
    assert isinstance(approved, Approved)
    reserved = bot.engine.orders.reserved(ACCOUNT, BTC)[0] - ONE
    floor = parse("100.1") * 98 // 100
    assert reserved == parse("50") * ONE // floor // 100 * 100
    twin = Engine(bot.settings, lambda: 0)
    twin.register(approved)
    assert twin.orders.reserved(ACCOUNT, BTC)[0] == reserved, "a replay knows no book"
    unknown = replace(cash, instrument="kraken:NONE/USD")
    assert isinstance(bot.engine.submit(unknown, bot.now_ns), Refused)


def test_a_changed_instrument_keeps_its_book() -> None:
    bot = Bot()
    bot.book()
    bot.turn(InstrumentListed(S, instrument()))
    assert bot.engine.books[BTC].is_valid


def test_a_strategy_needs_a_known_account() -> None:
    with pytest.raises(ValueError, match='no account "nobody": expected one of mm'):
        Bot().engine.add_strategy("t", "nobody", Quoter())


def test_replaying_the_journal_rebuilds_the_same_state() -> None:
    bot = Bot()
    order = bot.quoted()
    bot.turn(BalancesRead(S, ACCOUNT, (("USD", 5 * ONE),)))
    bot.book("100.4", "100.6")
    bot.turn(filled("0.25", client_order_id=order.client_order_id))
    bot.turn(CashMoved(S, ACCOUNT, "USD", -ONE, 0, 4 * ONE, "trade", "f1", "L1"))
    bot.turn(Unreadable(S, ACCOUNT, "private", "junk", is_private=True))
    twin = Engine(bot.settings, lambda: 0)
    for record in bot.journal:
        if isinstance(record, Approved):
            twin.register(record)
        else:
            twin.note((record,))
    twin.forget_queued()
    assert twin.digest() == bot.engine.digest()
    twin.note((RunStarted(bot.now_ns, 2),))
    assert twin.digest() != bot.engine.digest(), "what was in flight is in doubt now"
    assert twin.orders.doubts() == 1
