"""Wanted quotes - live orders = the fewest commands."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire.domain import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    AnyCommand,
    Approved,
    Cancel,
    CancelRejected,
    Place,
    Rejected,
    Side,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.orders import ClientOrderIds, Orders
from crosswire.quotes import Desk, requote
from crosswire.strategies import Quote, Quotes
from tests.samples import ACCOUNT, BTC, S, closed, filled, sent

STEP = parse("0.00000001")
TICK = parse("0.1")
HOUR = 3_600 * S


class Book:
    """Orders at one instrument, and the commands that wanted quotes call for."""

    def __init__(
        self,
        *,
        amends_in_place: bool = True,
        replaces: bool = False,
        tags_quantities: bool = False,
    ) -> None:
        self.orders = Orders()
        self.number = 0
        self.now_ns = 100 * S
        self.desk = Desk(
            ACCOUNT,
            "s",
            ClientOrderIds("b", 1),
            amends_in_place=amends_in_place,
            replaces=replaces,
            bound_ns=5 * S,
            tags_quantities=tags_quantities,
        )

    def want(self, bids: str = "", asks: str = "", *, ticks: int = 0) -> list[AnyCommand]:
        self.desk.now_ns = self.now_ns
        wanted = Quotes(BTC, rungs(bids), rungs(asks), threshold=ticks * TICK)
        return requote(wanted, self.orders.open_at(ACCOUNT, BTC), self.desk, STEP)

    def send(self, commands: list[AnyCommand], *, answer: bool = True) -> None:
        """Register commands as sent, and answer the places."""
        for command in commands:
            self.number += 1
            self.orders.register(Approved(command, self.number, self.now_ns))
            # The venue's clock is an hour ahead.
            note = sent(self.number, recv_ns=self.now_ns)
            self.orders.apply(replace(note, bound_ns=self.now_ns + HOUR + 5 * S))
            if answer and isinstance(command, Place):
                ids = (ACCOUNT, command.client_order_id, f"V{self.number}")
                self.orders.apply(Accepted(self.now_ns, *ids, self.number))
            elif answer and isinstance(command, Cancel):
                self.orders.apply(closed("canceled", "0", command.client_order_id))

    def prices(self, side: Side) -> list[str]:
        found = [o.price or 0 for o in self.orders.open_at(ACCOUNT, BTC) if o.side == side]
        return [str(price / parse("1")) for price in sorted(found)]


def rungs(prices: str) -> tuple[Quote, ...]:
    return tuple(Quote(parse(price), parse("1")) for price in prices.split())


def kinds(commands: list[AnyCommand]) -> str:
    return "".join(type(command).__name__[0] for command in commands)  # P, A(mend), C


def test_what_is_wanted_and_missing_is_placed() -> None:
    book = Book()
    commands = book.want("99 98", "101")
    assert kinds(commands) == "PPP"
    first = commands[0]
    assert isinstance(first, Place)
    assert (first.side, first.price, first.quantity) == ("buy", parse("99"), parse("1"))
    assert (first.bound_ns, first.post_only, first.strategy) == (105 * S, True, "s")
    book.send(commands)
    assert book.want("99 98", "101") == []


def test_an_order_near_enough_keeps_its_place() -> None:
    book = Book()
    book.send(book.want("99 98", "101"))
    assert book.want("99.1 98.1", "101.1", ticks=1) == []
    assert kinds(book.want("99.2 98.2", "101", ticks=1)) == "AA"


def test_a_ladder_that_moves_by_one_rung_moves_one_order() -> None:
    book = Book()
    book.send(book.want("99 98 97"))
    commands = book.want("100 99 98")
    assert kinds(commands) == "A"
    assert isinstance(commands[0], Amend)
    assert (commands[0].price, commands[0].quantity) == (parse("100"), None)


def test_without_amends_a_rung_is_quoted_again_when_the_cancel_made_room() -> None:
    book = Book(amends_in_place=False)
    book.send(book.want("99"))
    commands = book.want("100")
    assert kinds(commands) == "C"
    book.send(commands)
    assert kinds(book.want("100")) == "P"


def test_what_is_not_wanted_is_canceled() -> None:
    book = Book()
    book.send(book.want("99 98", "101"))
    assert kinds(book.want("99")) == "CC"
    assert kinds(book.want()) == "CCC"


def test_a_request_in_flight_occupies_its_rung_and_is_left_alone() -> None:
    book = Book()
    book.send(book.want("99"), answer=False)
    assert book.want("99") == []
    assert book.want("95") == [], "one request in flight per order"
    book = Book()
    book.send(book.want("99"))
    book.send(book.want("100"))
    assert book.want("100") == [], "it is on its way there"


def test_a_rung_that_lost_more_than_half_is_filled_up() -> None:
    book = Book()
    book.send(book.want("99"))
    name = next(iter(book.orders)).client_order_id
    book.orders.apply(filled("0.5", "f1", name))
    assert book.want("99") == []
    book.orders.apply(filled("0.1", "f2", name))
    commands = book.want("99")
    assert kinds(commands) == "A"
    assert isinstance(commands[0], Amend)
    assert commands[0].quantity == parse("1.6"), "the new total has the fills in it"


def test_an_unknown_order_occupies_its_rung_until_it_is_ruled_out() -> None:
    book = Book()
    book.send(book.want("99 98"), answer=False)
    first = next(iter(book.orders))
    book.orders.apply(TimedOut(book.now_ns, ACCOUNT, 1, "silence"))
    assert first.stage == "UNKNOWN"
    book.now_ns = first.bound_ns + 20 * S
    assert book.want("99 98") == [], "its bound on our clock frees nothing"
    assert book.want("95 94") == [], "wanted or not: doubt sees to it, and quotes none beside it"
    cancel = Cancel(ACCOUNT, first.client_order_id, "", BTC)
    book.send([cancel], answer=False)
    ids = (ACCOUNT, first.client_order_id, "")
    gone = CancelRejected(
        book.now_ns, *ids, book.number, "unknown", True, venue_ns=book.now_ns + HOUR
    )
    book.orders.apply(gone)
    commands = book.want("99 98")
    assert kinds(commands) == "P"
    assert book.orders.reserved(ACCOUNT, BTC)[0] == parse("2"), "it stays reserved as filled"


def test_a_doubtful_amend_is_left_to_doubt_and_occupies_its_rung() -> None:
    book = Book()
    book.send(book.want("99"))
    book.send(book.want("100"))
    book.orders.apply(TimedOut(book.now_ns, ACCOUNT, book.number, "silence"))
    for prices in ("100", "99", "95"):
        assert book.want(prices) == [], "neither moved again nor quoted beside"
    assert book.want("100 98") != []


def test_a_refused_amend_is_tried_again() -> None:
    book = Book()
    book.send(book.want("99"))
    book.send(book.want("100"))
    name = next(iter(book.orders)).client_order_id
    book.orders.apply(AmendRejected(S, ACCOUNT, name, "V1", book.number, "no"))
    assert kinds(book.want("100")) == "A"


def test_nothing_is_placed_while_placing_is_held() -> None:
    book = Book()
    book.send(book.want("99"))
    book.desk.may_place = False
    assert kinds(book.want("100 98")) == "A"
    assert kinds(book.want()) == "C"


def test_each_intent_has_a_quantity_of_its_own_where_asked() -> None:
    book = Book(tags_quantities=True)
    places = [c for c in book.want("99 98 97", "101 102") if isinstance(c, Place)]
    assert len({place.quantity for place in places}) == 5
    book.send(list[AnyCommand](places))
    assert book.want("99 98 97", "101 102") == []


PRICES = st.lists(st.integers(900, 1100), unique=True, max_size=6)


@given(st.lists(st.tuples(PRICES, PRICES), min_size=1, max_size=5), st.booleans())
def test_answered_commands_always_lead_to_the_wanted_quotes(
    steps: list[tuple[list[int], list[int]]], amends_in_place: bool
) -> None:
    book = Book(amends_in_place=amends_in_place)
    for bids, asks in steps:
        for _ in range(3):
            wanted = [" ".join(f"{p / 10}" for p in side) for side in (bids, asks)]
            commands = book.want(*wanted)
            for command in commands:
                book.number += 1
                book.orders.register(Approved(command, book.number, S))
                book.orders.apply(sent(book.number))
                settle(book, command)
        assert book.prices("buy") == [str(p / 10) for p in sorted(bids)]
        assert book.prices("sell") == [str(p / 10) for p in sorted(asks)]
        assert book.want(*wanted) == []


def settle(book: Book, command: AnyCommand) -> None:
    if isinstance(command, Place):
        ids = (ACCOUNT, command.client_order_id, f"V{book.number}")
        book.orders.apply(Accepted(S, *ids, book.number))
    elif isinstance(command, Amend):
        ids = (ACCOUNT, command.client_order_id, command.venue_order_id)
        done = Amended(S, *ids, command.quantity, command.price, book.number, "answer")
        book.orders.apply(done)
    elif isinstance(command, Cancel):
        book.orders.apply(closed("canceled", "0", command.client_order_id))


def test_an_order_whose_amend_was_refused_waits_for_the_word_of_its_end() -> None:
    """It may have been filled: amending it again at once would only be refused again."""
    book = Book()
    book.send(book.want("99"))
    book.send(book.want("100"))
    name = next(iter(book.orders)).client_order_id
    refused = AmendRejected(book.now_ns, ACCOUNT, name, "V1", book.number, "Unknown order")
    book.orders.apply(refused)
    assert book.want("100") == []
    assert book.want() == []
    book.now_ns += S
    assert kinds(book.want("100")) == "A"


def test_a_refused_cancel_is_asked_again_after_a_moment() -> None:
    book = Book()
    book.send(book.want("99"))
    book.send(book.want(), answer=False)
    name = next(iter(book.orders)).client_order_id
    no = CancelRejected(book.now_ns, ACCOUNT, name, "V1", book.number, "Rate limit exceeded")
    book.orders.apply(no)
    assert book.want() == []
    book.now_ns += S
    assert kinds(book.want()) == "C"


def test_a_taker_of_the_same_strategy_is_no_quote() -> None:
    book = Book()
    book.send(book.want("100"))
    taker = Place(
        ACCOUNT,
        BTC,
        "taker",
        "buy",
        parse("1"),
        parse("101"),
        time_in_force="ioc",
        bound_ns=book.now_ns + 5 * S,
        strategy="s",
    )
    book.send([taker])
    book.now_ns += 10 * S
    assert book.want("100") == []


# --- where an order is moved by a new one ------------------------------------------------------


def replacing() -> tuple[Book, Place]:
    """A bid at 99, and the new one of 100 that is on its way to its place."""
    book = Book(amends_in_place=False, replaces=True)
    book.send(book.want("99"))
    (command,) = book.want("100")
    assert isinstance(command, Place)
    assert book.orders.get(command.replaces) is not None
    assert (command.replaces_venue_id, command.price) == ("V1", parse("100"))
    assert command.client_order_id != command.replaces
    book.send([command], answer=False)
    return book, command


def test_a_new_order_stands_for_the_one_it_replaces() -> None:
    book, command = replacing()
    assert book.want("100") == []
    ids = (ACCOUNT, command.client_order_id, "W")
    book.orders.apply(Accepted(book.now_ns, *ids, 2))
    assert book.want("100") == []
    book.orders.apply(closed("canceled", "0", command.replaces))
    assert book.want("100") == []
    assert book.prices("buy") == ["100.0"]


def test_a_refused_replacement_is_tried_anew_a_moment_later() -> None:
    book, command = replacing()
    old, new = (ACCOUNT, command.replaces, "V1"), (ACCOUNT, command.client_order_id, "")
    book.orders.apply(Rejected(book.now_ns, *new, 2, "would match"))
    book.orders.apply(CancelRejected(book.now_ns, *old, 2, "would match"))
    assert book.want("100") == []
    book.now_ns += 3 * S
    assert kinds(book.want("100")) == "P"


def test_after_a_refusal_nothing_is_replaced_but_what_is_off_its_rung_goes() -> None:
    book = Book(amends_in_place=False, replaces=True)
    book.send(book.want("99 98"))
    book.desk.may_place = False
    assert kinds(book.want("100 98")) == "C"
    assert book.want("99 98") == []


def test_a_replacement_fills_the_rung_whatever_the_old_one_had_left() -> None:
    book = Book(amends_in_place=False, replaces=True, tags_quantities=True)
    book.send(book.want("99"))
    order = next(iter(book.orders.open_at(ACCOUNT, BTC)))
    book.orders.apply(filled("0.4", "f", order.client_order_id))
    (command,) = book.want("100")
    assert isinstance(command, Place)
    assert command.quantity == parse("1") + 2 * STEP
