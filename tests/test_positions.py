"""Fills add up, exactly, whatever their order."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire.domain import BalancesRead, CashMoved, Filled, PositionsRead, Side
from crosswire.fixed import SCALE, parse
from crosswire.positions import DUST, Positions
from tests.samples import ACCOUNT, BTC, S, filled


def booked(*fills: tuple[Side, str, str]) -> Positions:
    positions = Positions()
    for number, (side, quantity, price) in enumerate(fills):
        positions.book(filled(quantity, str(number), price=price, side=side), "s")
    return positions


def test_buying_and_selling_realises_the_difference() -> None:
    position = booked(("buy", "2", "100"), ("sell", "1", "110")).get(ACCOUNT, BTC)
    assert (position.quantity, position.realised) == (parse("1"), parse("10"))
    assert position.average_price == parse("100")
    assert position.unrealised(parse("105")) == parse("5")


def test_a_short_earns_when_the_price_falls() -> None:
    position = booked(("sell", "2", "100"), ("buy", "2", "90")).get(ACCOUNT, BTC)
    assert (position.quantity, position.realised, position.average_price) == (0, parse("20"), None)


def test_crossing_through_flat_opens_the_rest_at_the_new_price() -> None:
    position = booked(("buy", "1", "100"), ("sell", "3", "110")).get(ACCOUNT, BTC)
    assert (position.quantity, position.realised) == (-parse("2"), parse("10"))
    assert position.average_price == parse("110")


def test_what_was_never_filled_is_flat() -> None:
    positions = Positions()
    assert positions.get(ACCOUNT, BTC).quantity == positions.quantity(ACCOUNT, BTC) == 0
    assert not list(positions.items())


def test_fees_and_shares_are_kept_apart() -> None:
    positions = Positions()
    positions.book(filled("1", fee="0.25"), "one")
    positions.book(filled("2", "f2", fee="0.5"), "two")
    positions.book(replace(filled("4", "f3"), fee=0), "")
    assert positions.get(ACCOUNT, BTC).fees == {"USD": parse("0.75")}
    assert positions.share("one", BTC) == parse("1")
    assert positions.share("two", BTC) == parse("2")
    assert positions.quantity(ACCOUNT, BTC) == parse("7")


def test_balances_follow_reads_and_moves() -> None:
    positions = Positions()
    positions.read(BalancesRead(S, ACCOUNT, (("USD", 5), ("BTC", 7))))
    positions.move(CashMoved(S, ACCOUNT, "USD", -2, 0, 3, "trade", "f1", "L1"))
    assert positions.balances == {(ACCOUNT, "USD"): 3, (ACCOUNT, "BTC"): 7}
    positions.read(BalancesRead(S, ACCOUNT, (("USD", 9),), is_complete=False))
    assert positions.balances[(ACCOUNT, "BTC")] == 7
    positions.read(BalancesRead(S, ACCOUNT, (("USD", 9),)))
    assert positions.balances == {(ACCOUNT, "USD"): 9}
    # A row without a balance moves what is known, and makes nothing up.
    positions.move(CashMoved(S, ACCOUNT, "USD", -2, 1, None, "funding", "", "L2"))
    positions.move(CashMoved(S, ACCOUNT, "EUR", -2, 0, None, "funding", "", "L3"))
    assert positions.balances == {(ACCOUNT, "USD"): 6}


def test_a_dated_read_and_rows_join_by_the_venues_clock() -> None:
    positions = Positions()
    key = (ACCOUNT, "USD")

    def move(amount: int, venue_ns: int) -> None:
        positions.move(
            CashMoved(
                9 * S, ACCOUNT, "USD", amount, 0, None, "trade", "f", f"L{venue_ns}", venue_ns
            )
        )

    def read(total: int, venue_ns: int) -> None:
        shown = (("USD", total),)
        positions.read(BalancesRead(9 * S, ACCOUNT, shown, "lookup", True, 9 * S, venue_ns), S)

    read(100, 50)
    move(-5, 40)  # the read knew of it
    assert positions.balances[key] == 100
    move(-5, 60)
    assert positions.balances[key] == 95
    read(100, 55)  # older than the row
    assert positions.balances[key] == 95
    read(70, 60)  # though the row has only just come
    assert positions.balances[key] == 70


def test_a_read_that_was_quicker_than_its_rows_corrects_nothing() -> None:
    positions = Positions()

    def read(total: int, venue_ns: int) -> dict[str, tuple[int, int]]:
        shown = (("USD", total),)
        return positions.read(BalancesRead(S, ACCOUNT, shown, "lookup", True, S, venue_ns))

    def move(amount: int, venue_ns: int) -> None:
        ids = ("trade", "f", f"L{venue_ns}", venue_ns)
        positions.move(CashMoved(S, ACCOUNT, "USD", amount, 0, None, *ids))

    one = parse("1")
    assert read(9 * one, 50) == {}
    assert read(7 * one, 60) == {}
    move(-one, 55)
    move(-one, 58)
    assert read(4 * one, 70) == {}  # a row explains the last one; nothing ever explains this
    move(-one, 65)
    assert read(4 * one, 80) == {"USD": (7 * one, 4 * one)}
    assert read(4 * one, 90) == {}


def test_what_a_venue_cuts_off_corrects_nothing() -> None:
    positions = Positions()
    positions.read(BalancesRead(S, ACCOUNT, (("USD", 10**10),)))
    assert positions.read(BalancesRead(S, ACCOUNT, (("USD", 10**10 + DUST),))) == {}
    assert positions.balances == {(ACCOUNT, "USD"): 10**10 + DUST}
    assert positions.read(BalancesRead(S, ACCOUNT, (("USD", 0),)))


def test_a_dated_read_of_positions_speaks_of_what_was_filled_before_it() -> None:
    positions = Positions()
    fill = replace(filled("1", "f1"), recv_ns=9 * S, venue_ns=50)
    positions.book(fill, "")
    shown = ((BTC, parse("2"), parse("100")),)
    dated = PositionsRead(9 * S, ACCOUNT, shown, 9 * S, venue_ns=60)
    assert positions.differing(dated, [BTC], S)[BTC].held == parse("2")
    assert not positions.differing(replace(dated, venue_ns=40), [BTC], S)
    assert not positions.differing(replace(dated, venue_ns=0), [BTC], S)


FILLS = st.lists(
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 10**12), st.integers(1, 10**15)),
    max_size=12,
)


@given(FILLS)
def test_profit_is_what_cash_and_inventory_say(rows: list[tuple[Side, int, int]]) -> None:
    positions = Positions()
    fills = [
        Filled(S, ACCOUNT, "a", "V", BTC, side, price, quantity, str(number))
        for number, (side, quantity, price) in enumerate(rows)
    ]
    for fill in fills:
        positions.book(fill, "")
    position = positions.get(ACCOUNT, BTC)
    mark = 10**14
    cash = sum(f.price * f.quantity * (1 if f.side == "sell" else -1) for f in fills)
    held = sum(f.quantity * (1 if f.side == "buy" else -1) for f in fills)
    assert position.quantity == held
    exact = Fraction(cash + held * mark, SCALE)
    # Each fill rounds the realised profit down once, the mark once more.
    assert abs(position.realised + position.unrealised(mark) - exact) <= len(fills) + 1


@given(FILLS)
def test_taking_fills_back_leaves_nothing_held(rows: list[tuple[Side, int, int]]) -> None:
    positions = Positions()
    fills = [
        Filled(S, ACCOUNT, "a", "V", BTC, side, price, quantity, str(number), 3, "USD")
        for number, (side, quantity, price) in enumerate(rows)
    ]
    for fill in fills:
        positions.book(fill, "s")
    for fill in reversed(fills):
        positions.unbook(fill, "s")
    assert positions.quantity(ACCOUNT, BTC) == positions.share("s", BTC) == 0
    assert not any(positions.get(ACCOUNT, BTC).fees.values())
