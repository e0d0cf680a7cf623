"""The gate: every rule refuses with its name and both numbers, and nothing holds back a cancel."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from crosswire.book import Book
from crosswire.domain import (
    Amend,
    Approved,
    ArmDeadMan,
    BreakerOpened,
    Cancel,
    CancelAll,
    CancelBatch,
    Filled,
    LookUp,
    Place,
    PlaceBatch,
    Refused,
    Side,
    TimedOut,
    Transport,
)
from crosswire.fixed import parse
from crosswire.orders import Orders
from crosswire.positions import Positions
from crosswire.risk import AccountRules, Limits, Risk
from tests.samples import (
    ACCOUNT,
    BTC,
    S,
    accepted,
    book_reset,
    closed,
    filled,
    instrument,
    place,
    sent,
)

ETH = "kraken:ETH/USD"
NOW = 2 * S


class Desk:
    """A gate with one account, two instruments around 100 and 10."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        needs_dead_man: bool = False,
        bound_ns: int = 0,
        max_inflight: int = 100,
    ) -> None:
        self.orders = Orders()
        self.positions = Positions()
        self.instruments = {BTC: instrument(), ETH: instrument(ETH)}
        self.books = {name: Book(listed) for name, listed in self.instruments.items()}
        self.books[BTC].reset(book_reset())
        self.books[ETH].reset(book_reset("9.9", "10.1", instrument_id=ETH))
        rules = AccountRules(
            "kraken", limits or Limits(), needs_dead_man, bound_ns, max_inflight=max_inflight
        )
        self.risk = Risk(
            {ACCOUNT: rules}, self.instruments, self.books, self.orders, self.positions
        )
        self.number = 0

    def ask(self, command: Place | Amend | PlaceBatch, now_ns: int = NOW) -> Approved | Refused:
        return self.risk.approve(command, 1, now_ns)

    def rule(self, command: Place | Amend | PlaceBatch, now_ns: int = NOW) -> str:
        """The rule that refuses, "" if approved."""
        result = self.ask(command, now_ns)
        return result.rule if isinstance(result, Refused) else ""

    def live(self, side: Side, quantity: str, price: str = "100", **rest: Any) -> str:
        self.number += 1
        name = f"live{self.number}"
        command = place(name, side, quantity, price, **rest)
        self.orders.register(Approved(command, self.number, S))
        self.risk.exposure.touch(ACCOUNT, command.instrument)
        return name

    def hold(self, side: Side, quantity: str, instrument_id: str = BTC) -> None:
        fill = replace(filled(quantity, side=side), instrument=instrument_id)
        self.positions.book(fill, "s")
        self.risk.exposure.touch(ACCOUNT, instrument_id)


def kill(desk: Desk) -> None:
    desk.risk.killed[""] = "operator"


def break_all(desk: Desk) -> None:
    transports: tuple[Transport, ...] = ("ws", "rest")
    for transport in transports:
        desk.risk.breakers.hear(BreakerOpened(NOW, ACCOUNT, transport, NOW + S, "cut"))


def kill_one(desk: Desk) -> None:
    desk.risk.killed[ACCOUNT] = "operator"


def halt(desk: Desk) -> None:
    desk.risk.halted[ACCOUNT] = {"unreadable": "a clean read"}


def cancel_only(desk: Desk) -> None:
    desk.risk.venue_status["kraken"] = "cancel_only"


def reduce_only(desk: Desk) -> None:
    desk.books[BTC].instrument = replace(instrument(), status="reduce_only")


def lose_book(desk: Desk) -> None:
    desk.books[BTC].lose()


def cross_book(desk: Desk) -> None:
    desk.books[BTC].reset(book_reset("101.0", "100.0"))


def age_book(desk: Desk) -> None:
    desk.books[BTC].proven_ns = NOW - 6 * S


@pytest.mark.parametrize(
    ("closing", "rule"),
    [
        (kill, "kill switch"),
        (kill_one, "kill switch"),
        (break_all, "breaker"),
        (halt, "account halted"),
        (cancel_only, "venue mode"),
        (reduce_only, "venue mode"),
        (lose_book, "book"),
        (cross_book, "book"),
        (age_book, "book age"),
    ],
)
def test_each_switch_closes_placing_and_amending_but_no_cancel(
    closing: Callable[[Desk], None], rule: str
) -> None:
    desk = Desk()
    name = desk.live("buy", "1")
    assert desk.rule(place()) == ""
    closing(desk)
    assert desk.rule(place()) == rule
    assert desk.rule(PlaceBatch(ACCOUNT, (place(), place("b")))) == rule
    assert desk.rule(Amend(ACCOUNT, BTC, name, price=parse("99"))) == rule
    cancel = Cancel(ACCOUNT, name)
    for command in (
        cancel,
        CancelBatch(ACCOUNT, (cancel,)),
        CancelAll(ACCOUNT),
        ArmDeadMan(ACCOUNT, 60 * S),
        LookUp(ACCOUNT, "open_orders"),
    ):
        assert isinstance(desk.risk.approve(command, 2, NOW), Approved)


def test_the_dead_man_switch_must_be_armed_where_it_is_needed() -> None:
    desk = Desk(needs_dead_man=True)
    assert desk.rule(place()) == "dead-man"
    desk.risk.armed_ns[ACCOUNT] = NOW + S
    assert desk.rule(place()) == ""
    assert desk.rule(place(), NOW + 2 * S) == "dead-man"


def test_the_dead_man_switch_must_outlast_what_is_placed_under_it() -> None:
    desk = Desk(needs_dead_man=True, bound_ns=5 * S)
    desk.risk.armed_ns[ACCOUNT] = NOW + 6 * S
    assert desk.rule(place()) == ""
    assert desk.rule(place(), NOW + S) == "dead-man"


def test_requests_in_flight_are_limited_and_a_tenth_is_kept_for_cancels() -> None:
    desk = Desk(max_inflight=10)
    for _ in range(8):
        desk.live("buy", "0.01")
    amend = Amend(ACCOUNT, BTC, "live1", quantity=parse("0.01"), price=parse("99"))
    assert desk.rule(place()) == desk.rule(amend) == ""
    desk.live("buy", "0.01")
    assert desk.rule(amend) == "in flight"
    assert desk.rule(PlaceBatch(ACCOUNT, (place("x"), place("y")))) == "in flight"
    refused = desk.ask(place())
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.limit, refused.actual) == ("in flight", "9", "10")
    for number in range(1, 10):
        cancel = Cancel(ACCOUNT, f"live{number}")
        found = desk.risk.approve(cancel, 100 + number, NOW)
        assert isinstance(found, Approved)
        desk.orders.register(found)
    for command in (CancelAll(ACCOUNT), ArmDeadMan(ACCOUNT, 1), LookUp(ACCOUNT, "fills")):
        assert isinstance(desk.risk.approve(command, 200, NOW), Approved)
    for number in range(1, 6):
        name = f"live{number}"
        desk.orders.apply(replace(closed("canceled"), client_order_id=name, venue_order_id=name))
    assert desk.orders.in_flight(ACCOUNT) == 8, "four orders, each with a place and a cancel"
    assert desk.rule(place()) == ""


def test_a_request_given_up_is_a_doubt_and_no_longer_in_flight() -> None:
    desk = Desk(max_inflight=1)
    name = desk.live("buy", "0.01")
    assert desk.rule(place()) == "in flight"
    desk.orders.apply(TimedOut(S, ACCOUNT, 1, "silence", (name,)))
    assert desk.orders.unanswered
    assert desk.rule(place()) == ""


def test_another_accounts_requests_count_for_it_alone() -> None:
    desk = Desk(max_inflight=1)
    other = replace(place("theirs"), account="other")
    desk.orders.register(Approved(other, 77, S))
    assert desk.rule(place()) == ""
    assert (desk.orders.in_flight("other"), desk.orders.in_flight(ACCOUNT)) == (1, 0)


def test_post_only_mode_takes_post_only_orders() -> None:
    desk = Desk()
    desk.risk.venue_status["kraken"] = "post_only"
    assert desk.rule(place()) == "venue mode"
    assert desk.rule(place(post_only=True)) == ""


def test_limit_only_takes_no_market_orders() -> None:
    desk = Desk()
    desk.books[BTC].instrument = replace(instrument(), status="limit_only")
    assert desk.rule(place()) == ""
    assert desk.rule(place(price=None, order_type="market")) == "venue mode"


def cash(reserve: str) -> Place:
    """A market order for 50 USD that may fill no more than this."""
    most, amount = parse(reserve), parse("50")
    return place(
        quantity="0", price=None, order_type="market", cash_quantity=amount, reserve_quantity=most
    )


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (place(price="100.05"), "price tick"),
        (place(price="0"), "price tick"),
        (place(price="-100"), "price tick"),
        (place(quantity="0.000000001"), "quantity step"),
        (place(quantity="0.00004"), "minimum quantity"),
        (place(quantity="0"), "minimum quantity"),
        (place(quantity="-1"), "minimum quantity"),
        (place(quantity="0.00005"), "minimum notional"),
        (replace(place(), instrument="kraken:NONE/USD"), "instrument"),
        (place(price="102.2"), "price collar"),
        (place(side="sell", price="98.0"), "price collar"),
        (place(price="0.1", quantity="10"), ""),
        (place(price=None, order_type="market"), ""),
        (cash("0.5"), ""),
        (cash("0"), "minimum quantity"),
        (cash("0.00001"), "minimum quantity"),
    ],
)
def test_the_instruments_rules_and_the_collar(command: Place, rule: str) -> None:
    assert Desk().rule(command) == rule


def test_a_refusal_names_the_rule_and_both_numbers() -> None:
    desk = Desk(Limits(max_order_notional=parse("50")))
    result = desk.ask(place())
    assert isinstance(result, Refused)
    assert str(result) == "refused by order notional: 100 against a limit of 50"


def test_orders_per_second_counts_what_was_approved() -> None:
    desk = Desk(Limits(max_orders_per_second=2))
    assert [desk.rule(place(), NOW + n) for n in range(3)] == ["", "", "orders per second"]
    assert desk.rule(place(), NOW + S) == ""
    batch = PlaceBatch(ACCOUNT, (place(), place("b")))
    assert desk.rule(batch, NOW + 3 * S) == ""
    assert desk.rule(place(), NOW + 3 * S) == "orders per second"


def test_open_orders_are_counted_until_they_end() -> None:
    desk = Desk(Limits(max_open_orders=1))
    name = desk.live("buy", "1")
    assert desk.rule(place()) == "open orders"
    desk.orders.apply(closed("canceled", "0", name))
    assert desk.rule(place()) == ""


def test_the_position_limit_counts_everything_that_may_still_fill() -> None:
    desk = Desk(Limits(max_position_notional=parse("400")))
    desk.hold("buy", "1")
    name = desk.live("buy", "1")
    assert desk.rule(place()) == ""
    assert desk.rule(place(quantity="2")) == "position"
    desk.orders.register(Approved(Amend(ACCOUNT, BTC, name, quantity=parse("2")), 9, S))
    assert desk.rule(place()) == "position", "the amend's worst case counts"
    assert desk.rule(place(side="sell", quantity="3")) == "", "selling counts from the other side"


def test_an_amend_is_weighed_by_what_it_adds() -> None:
    desk = Desk(Limits(max_position_notional=parse("300"), max_order_notional=parse("250")))
    name = desk.live("buy", "2")

    def amend(**change: Any) -> str:
        return desk.rule(Amend(ACCOUNT, BTC, name, **change))

    assert amend(price=parse("99.9")) == ""
    assert amend(quantity=parse("3")) == "order notional"
    assert amend(quantity=parse("2.4")) == ""
    desk.hold("buy", "0.8")
    assert amend(quantity=parse("2.4")) == "position"
    assert amend(quantity=parse("1")) == "", "less is always allowed"
    assert amend(price=parse("110")) == "price collar"
    assert amend(price=parse("99.95")) == "price tick"
    assert amend(quantity=parse("1.000000001")) == "quantity step"
    assert desk.rule(Amend(ACCOUNT, BTC, "nobody", price=parse("99"))) == "order"


def test_a_replacement_takes_the_place_of_an_open_order_and_is_reserved_beside_it() -> None:
    desk = Desk(Limits(max_position_notional=parse("350"), max_order_notional=parse("250")))
    old = desk.live("buy", "1")
    assert desk.rule(place("new", replaces=old)) == "order"  # nobody has seen it yet
    desk.orders.apply(accepted(old))
    assert desk.rule(place("new", replaces=old, quantity="2")) == ""
    assert desk.rule(place("new", replaces=old, side="sell")) == "order"
    assert desk.rule(place("new", replaces="none")) == "order"
    desk.hold("buy", "1")
    assert desk.rule(place("new", replaces=old, quantity="2")) == "position"
    desk.orders.register(Approved(place("new", replaces=old), 9, NOW))
    assert desk.rule(place("newer", replaces=old)) == "order"  # it is on its way out


def test_total_exposure_adds_the_instruments_of_one_quote_asset() -> None:
    desk = Desk(Limits(max_total_notional=parse("250")))
    desk.hold("sell", "10", ETH)
    assert desk.rule(place()) == ""
    assert desk.rule(place(quantity="1.6")) == "total exposure"
    desk.hold("buy", "10", ETH)
    assert desk.rule(place(quantity="1.6")) == ""


def test_open_positions_are_counted_by_instrument() -> None:
    desk = Desk(Limits(max_open_positions=1))
    desk.hold("buy", "1", ETH)
    assert desk.rule(place()) == "open positions"
    desk.hold("sell", "1", ETH)
    assert desk.rule(place()) == ""
    desk.live("buy", "1")
    assert desk.rule(place()) == "", "more at an instrument that is open already"


def test_what_only_reduces_passes_the_exposure_limits_under_a_wide_collar() -> None:
    desk = Desk(Limits(max_position_notional=parse("50")))
    desk.hold("buy", "2")
    assert desk.rule(place(quantity="0.1")) == "position"
    assert desk.rule(place(side="sell", quantity="2", price="95")) == ""
    assert desk.rule(place(side="sell", quantity="2", price="85")) == "price collar"
    desk.live("sell", "1.5")
    assert desk.rule(place(side="sell", quantity="1", price="100")) == "position", "it would turn"


def test_a_cash_order_is_weighed_by_the_most_it_may_fill() -> None:
    desk = Desk(Limits(max_position_notional=parse("40")))
    assert desk.rule(cash("0.3")) == ""
    assert desk.rule(cash("0.5")) == "position"


def test_a_batch_is_weighed_as_a_whole() -> None:
    desk = Desk(Limits(max_position_notional=parse("250")))
    three = tuple(place(name) for name in "abc")
    assert desk.rule(PlaceBatch(ACCOUNT, three[:2])) == ""
    assert desk.rule(PlaceBatch(ACCOUNT, three)) == "position"
    mixed = (*three[:2], place("d", "sell"))
    assert desk.rule(PlaceBatch(ACCOUNT, mixed)) == ""


def test_a_strategys_share() -> None:
    desk = Desk(Limits(share_notional=(("s", parse("250")),)))
    desk.hold("buy", "1")
    assert desk.rule(place(strategy="s")) == ""
    desk.live("buy", "1", strategy="s")
    assert desk.rule(place(strategy="s")) == "strategy share"
    assert desk.rule(place(strategy="other")) == ""
    assert desk.rule(place(side="sell", strategy="s")) == ""


def test_marks_outlive_a_book() -> None:
    desk = Desk()
    assert desk.risk.mark(BTC) == parse("100.1")
    desk.books[BTC].lose()
    assert desk.risk.mark(BTC) == parse("100.1")
    assert desk.risk.mark("kraken:NONE/USD") == 0


def test_daily_loss_and_drawdown() -> None:
    desk = Desk()
    losses = desk.risk.losses

    def breach(loss: str = "0", drawdown: str = "0", now_ns: int = NOW) -> str | None:
        return losses.breach(
            ACCOUNT, now_ns, max_daily_loss=parse(loss), max_drawdown=parse(drawdown)
        )

    desk.positions.book(filled("1", price="110", fee="2"), "")
    assert breach("5", "5") == "drawdown 11.9 USD, limit 5", "the mid is 100.1"
    assert breach("5") is None, "nothing is realised but the fee"
    sale = Filled(S, ACCOUNT, "a", "V", BTC, "sell", parse("105"), parse("1"), "g")
    desk.positions.book(sale, "")
    assert breach("6") == "daily loss 7 USD, limit 6"
    assert breach("8") is None
    losses.forgive(ACCOUNT)
    assert breach("6", "5") is None
    desk.positions.book(replace(filled("1", "h", fee="6"), price=parse("100.1")), "")
    assert breach("6") == "daily loss 6 USD, limit 6"
    assert breach("6", now_ns=NOW + 86_400 * S) is None, "a new day"


def test_a_fee_in_the_traded_asset_counts_at_the_mid() -> None:
    desk = Desk()
    desk.positions.book(replace(filled("1", fee="0.01"), fee_asset="BTC"), "")
    assert desk.risk.losses.results(ACCOUNT)["USD"].realised == -parse("1.001")


def test_sent_has_no_part_in_the_reservation() -> None:
    desk = Desk(Limits(max_position_notional=parse("150")))
    name = desk.live("buy", "1")
    assert desk.rule(place()) == "position"
    desk.orders.apply(sent(1, name))
    assert desk.rule(place()) == "position"


def digits_desk(bid: str, ask: str) -> Desk:
    """A gate whose instrument takes five significant digits, and any whole price."""
    desk = Desk()
    fine = replace(instrument(), price_tick=parse("0.000001"), price_digits=5, min_notional=0)
    desk.books[BTC] = Book(fine)
    desk.books[BTC].reset(book_reset(bid, ask))
    return desk


@pytest.mark.parametrize(
    ("price", "limit"),
    [
        ("0.99999", ""),
        ("1.0001", ""),
        ("1.00005", "0.0001, so the nearest are 1 or 1.0001"),
        ("0.999995", "0.00001, so the nearest are 0.99999 or 1"),
        ("0.0000005", "0.000001, so the nearest are 0.000001"),
        ("0.9", ""),
    ],
)
def test_a_price_off_a_growing_step_is_told_its_neighbours(price: str, limit: str) -> None:
    desk = digits_desk("0.99998", "1.0001")
    found = desk.ask(place(price=price))
    assert (found.limit if isinstance(found, Refused) else "") == limit
    name = desk.live("buy", "1", "0.9999")
    amended = desk.ask(Amend(ACCOUNT, BTC, name, price=parse(price)))
    assert (amended.limit if isinstance(amended, Refused) else "") == limit


def test_whole_prices_are_always_valid() -> None:
    desk = digits_desk("123455", "123457")
    assert desk.rule(place(price="123456", quantity="0.001")) == ""
    assert desk.rule(place(price="123456.5", quantity="0.001")) == "price tick"
