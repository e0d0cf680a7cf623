"""When the venue is read, and what is said when it knows better."""

from typing import Any

import pytest
from msgspec.structs import replace

from crosswire.domain import (
    BalancesRead,
    CashMoved,
    Corrected,
    Disconnected,
    Filled,
    FillsRead,
    InstrumentListed,
    LoggedIn,
    LookUp,
    OrdersRead,
    PositionsRead,
    ReadFailed,
)
from crosswire.engine.upkeep import ODD
from crosswire.fixed import parse
from crosswire.orders import ClientOrderIds
from crosswire.positions import Position
from crosswire.reconcile import GIVE_UP_NS, MAX_AWAITED
from tests.doubt_rig import ONE, Rig
from tests.samples import ACCOUNT, BTC, S, instrument

EVERY = {"open_orders": 30, "balances": 60, "fills": 60}


class Reader(Rig):
    """A rig whose look-ups are answered at once, with nothing new."""

    def answer(self, what: str) -> None:
        if what == "balances":
            self.turn(BalancesRead(self.now_ns, ACCOUNT, (), "lookup", started_ns=self.now_ns))
        elif what == "fills":
            self.turn(FillsRead(self.now_ns, ACCOUNT, 1, self.now_ns, 0, self.venue_ns))
        elif what == "snapshot":
            self.turn(self.snapshot())
        else:
            source: Any = "lookup"
            scope = what.removesuffix("_orders")
            self.turn(OrdersRead(self.now_ns, ACCOUNT, scope, (), self.now_ns, True, source))

    def read(self, seconds: float) -> list[LookUp]:
        found: list[LookUp] = []
        for _ in range(int(seconds * 10)):
            self.later(0.1)
            for command in self.tick():
                if isinstance(command, LookUp):
                    found.append(command)
                    self.answer(command.what)
        return found

    def log_in(self) -> None:
        self.turn(LoggedIn(self.now_ns, ACCOUNT))


def cash(rig: Rig, ref: str = "f1", kind: str = "trade") -> CashMoved:
    return CashMoved(rig.now_ns, ACCOUNT, "BTC", ONE, 0, ONE, kind, ref, f"L-{ref}")


def fill(rig: Rig, key: str = "f1", source: Any = "stream") -> Filled:
    ids = (ACCOUNT, "", "X")
    quantity = parse("0.5")
    one = Filled(rig.now_ns, *ids, BTC, "buy", parse("100"), quantity, key, source=source)
    return replace(one, venue_ns=rig.venue_ns)


# --- when --------------------------------------------------------------------------------------


def test_nothing_is_read_before_the_first_login() -> None:
    assert Reader().read(120) == []


def test_money_and_fills_are_read_after_each_login() -> None:
    rig = Reader()
    rig.log_in()
    assert {"balances", "fills"} <= {look.what for look in rig.read(1)}
    rig.read(20)
    rig.log_in()
    assert {"balances", "fills"} <= {look.what for look in rig.read(1)}


@pytest.mark.parametrize("every", [EVERY, {"open_orders": 7, "balances": 11, "fills": 11}])
def test_the_venue_is_read_again_and_again(every: dict[str, int]) -> None:
    rig = Reader(orders_every_ns=every["open_orders"] * S, balances_every_ns=every["balances"] * S)
    rig.log_in()
    rig.read(5)
    start = len(rig.sent)
    rig.read(600)
    asked = [command.what for _, command in rig.sent[start:] if isinstance(command, LookUp)]
    for what, seconds in every.items():
        assert 600 / seconds * 0.9 <= asked.count(what) <= 600 / seconds + 1
    assert set(asked) == set(every)


def test_a_read_that_fails_is_asked_again_soon() -> None:
    rig = Rig()
    rig.turn(LoggedIn(rig.now_ns, ACCOUNT))
    rig.run(10)
    for what in ("balances", "fills"):
        assert len(rig.asked(what)) >= 3


def test_fills_are_asked_for_from_where_the_last_look_up_ended() -> None:
    rig = quiet()
    rig.read(600)
    looks = [c for _, c in rig.sent if isinstance(c, LookUp) and c.what == "fills"]
    assert 0 < rig.venue_ns - looks[-1].since_ns < 200 * S


def test_without_a_private_stream_look_ups_stand_in_for_it() -> None:
    rig = quiet()
    before = len(rig.sent)
    rig.turn(Disconnected(rig.now_ns, ACCOUNT, "private", "gone"))
    rig.read(200)
    asked = [command.what for _, command in rig.sent[before:] if isinstance(command, LookUp)]
    for what in ("open_orders", "fills"):
        assert 9 <= asked.count(what) <= 11
    assert asked.count("balances") <= 4
    rig.log_in()
    rig.read(5)
    before = len(rig.sent)
    rig.read(200)
    asked = [command.what for _, command in rig.sent[before:] if isinstance(command, LookUp)]
    assert asked.count("open_orders") <= 7
    assert asked.count("fills") <= 4


def test_a_connection_that_comes_and_goes_does_not_eat_the_budget() -> None:
    rig = Reader()
    for _ in range(60):
        rig.log_in()
        rig.read(1)
    assert len(rig.asked("fills")) <= 13
    assert len(rig.asked("balances")) <= 13


def test_each_account_is_read_by_itself() -> None:
    rig = Reader()
    rig.turn(LoggedIn(rig.now_ns, "somebody"))
    assert rig.read(60) == []


# --- cash without its fill ---------------------------------------------------------------------


def quiet() -> Reader:
    """Logged in, and nothing due for a while."""
    rig = Reader()
    rig.log_in()
    rig.read(5)
    return rig


def test_a_trades_cash_whose_fill_does_not_come_fetches_the_fills() -> None:
    rig = quiet()
    before = rig.asked("fills")
    rig.turn(cash(rig))
    assert rig.read(0.8) == [], "the fill may be on its way"
    rig.read(1)
    assert len(rig.asked("fills")) == len(before) + 1
    rig.read(20)
    assert 3 <= len(rig.asked("fills")) - len(before) <= 6, "until it is there, not all the time"
    rig.turn(fill(rig, source="lookup"))
    asked = len(rig.asked("fills"))
    rig.read(30)
    assert len(rig.asked("fills")) == asked
    (corrected,) = rig.heard(Corrected)
    assert "f1" in corrected.what
    assert "L-f1" in corrected.evidence
    assert corrected.cause


def test_a_trades_cash_with_its_fill_fetches_nothing() -> None:
    for is_cash_first in (True, False):
        rig = quiet()
        events = (cash(rig), fill(rig)) if is_cash_first else (fill(rig), cash(rig))
        rig.turn(*events)
        before = rig.asked("fills")
        rig.read(20)
        assert rig.asked("fills") == before
        assert not rig.heard(Corrected), "what the stream tells is no correction"


@pytest.mark.parametrize("kind", ["deposit", "withdrawal", "transfer", "rollover"])
def test_cash_that_is_no_trades_waits_for_no_fill(kind: str) -> None:
    rig = quiet()
    before = rig.asked("fills")
    rig.turn(cash(rig, "f9", kind=kind))
    rig.turn(cash(rig, ref=""), replace(cash(rig), account="another"))
    rig.read(20)
    assert rig.asked("fills") == before


def test_a_row_that_no_fill_belongs_to_is_given_up() -> None:
    rig = Reader(balances_every_ns=10_000 * S)
    rig.log_in()
    rig.read(5)
    rig.turn(cash(rig))
    rig.read(GIVE_UP_NS / S + 1)
    asked = len(rig.asked("fills"))
    rig.read(60)
    assert len(rig.asked("fills")) == asked


def test_rows_that_wait_are_bounded() -> None:
    rig = quiet()
    rig.turn(*(cash(rig, f"f{n}") for n in range(MAX_AWAITED + 500)))
    keys = [f"f{n}" for n in range(MAX_AWAITED)]
    rig.turn(*(fill(rig, key) for key in keys))
    before = rig.asked("fills")
    rig.read(20)
    assert rig.asked("fills") == before, "the periodic reads find the rest"


# --- what was wrong ----------------------------------------------------------------------------


def test_a_fill_that_only_a_look_up_told_is_a_correction() -> None:
    rig = Rig()
    late = fill(rig, source="lookup")
    rig.later(2)
    late = replace(late, recv_ns=rig.now_ns)
    rig.turn(late, late)
    (corrected,) = rig.heard(Corrected)
    assert "f1" in corrected.what
    assert "0.5" in corrected.what
    assert corrected.cause
    assert corrected.evidence
    assert rig.engine.counts["corrections"] == 1
    assert rig.engine.positions.quantity(ACCOUNT, BTC) == parse("0.5"), "booked once"


def balances(rig: Rig, usd: int, *, ago_s: float = 0, **rest: Any) -> BalancesRead:
    started_ns = rig.now_ns - int(ago_s * S)
    read = BalancesRead(rig.now_ns, ACCOUNT, (("USD", usd),), "lookup", started_ns=started_ns)
    return replace(read, **rest)


def moved(rig: Rig, balance: int) -> CashMoved:
    return CashMoved(rig.now_ns, ACCOUNT, "USD", -1, 0, balance, "deposit", "r", "L")


def test_a_balance_that_differs_is_put_right_with_cause_and_evidence() -> None:
    rig = Rig()
    rig.turn(balances(rig, 5 * ONE))
    assert not rig.heard(Corrected), "nothing was believed before"
    rig.later(100)
    rig.turn(balances(rig, 7 * ONE))
    (corrected,) = rig.heard(Corrected)
    assert "USD" in corrected.what
    assert "5 believed, 7 at the venue" in corrected.what
    assert corrected.cause
    assert corrected.evidence
    assert rig.engine.positions.balances[(ACCOUNT, "USD")] == 7 * ONE
    rig.later(100)
    rig.turn(balances(rig, 7 * ONE))
    assert len(rig.heard(Corrected)) == 1


def test_an_old_read_of_balances_does_not_undo_a_younger_row() -> None:
    rig = Rig(lag_s=10)
    rig.turn(balances(rig, 5 * ONE))
    rig.later(100)
    rig.turn(moved(rig, 4 * ONE))
    rig.later(9)
    rig.turn(balances(rig, 5 * ONE))
    assert rig.engine.positions.balances[(ACCOUNT, "USD")] == 4 * ONE, "it may trail by the lag"
    rig.later(100)
    rig.turn(balances(rig, 5 * ONE, ago_s=105))
    assert rig.engine.positions.balances[(ACCOUNT, "USD")] == 4 * ONE, "asked before"
    assert not rig.heard(Corrected)
    rig.turn(balances(rig, 5 * ONE))
    assert rig.engine.positions.balances[(ACCOUNT, "USD")] == 5 * ONE
    assert rig.heard(Corrected)


def test_the_streams_own_balances_have_no_lag() -> None:
    rig = Rig(lag_s=10)
    rig.turn(balances(rig, 5 * ONE))
    rig.later(100)
    rig.turn(moved(rig, 4 * ONE))
    rig.later(1)
    rig.turn(balances(rig, 3 * ONE, source="snapshot"))
    assert rig.engine.positions.balances[(ACCOUNT, "USD")] == 3 * ONE


def test_a_wrong_balance_is_read_again_soon() -> None:
    rig = quiet()
    rig.turn(balances(rig, 5 * ONE))
    rig.later(1)
    rig.turn(balances(rig, 7 * ONE))
    assert "fills" in {look.what for look in rig.read(8)}, "a lost fill may be behind it"


def test_an_adopted_order_is_a_correction_that_says_whose_it_is() -> None:
    ours = ClientOrderIds("b", 7).next()
    causes = []
    for name, adopts in ((ours, False), ("", True)):
        rig = Rig(adopts_external=adopts)
        rig.turn(rig.snapshot(rig.row(name, "O")))
        (corrected,) = rig.heard(Corrected)
        assert "O" in corrected.what
        assert corrected.evidence
        causes.append(corrected.cause)
    assert causes[0] != causes[1]


def test_a_failed_read_changes_nothing() -> None:
    rig = Rig()
    rig.open()
    rig.turn(balances(rig, 5 * ONE))
    before = rig.engine.digest()
    for what in ("open_orders", "closed_orders", "snapshot", "fills", "balances"):
        rig.turn(ReadFailed(rig.now_ns, ACCOUNT, what, "503"))
    assert rig.engine.digest() == before
    assert not rig.heard(Corrected)


# --- positions ---------------------------------------------------------------------------------

PERP = "kraken:BTC-PERP"


def perps(*, is_traded: bool) -> Reader:
    """A reader with a perp, of which one was bought, or nothing ever."""
    reader = Reader(lag_s=1)
    reader.turn(InstrumentListed(reader.now_ns, replace(instrument(), id=PERP, kind="perp")))
    reader.log_in()
    reader.read(10)
    if is_traded:
        reader.turn(replace(fill(reader), instrument=PERP, quantity=ONE))
    reader.later(30)
    return reader


def held(reader: Reader, quantity: int) -> PositionsRead:
    shown = ((PERP, quantity, parse("100")),) if quantity else ()
    return PositionsRead(reader.now_ns, ACCOUNT, shown, reader.now_ns)


def position(reader: Reader) -> Position:
    return reader.engine.positions.get(ACCOUNT, PERP)


def corrected(reader: Reader) -> list[Corrected]:
    return [event for event in reader.told if isinstance(event, Corrected)]


def test_what_was_held_before_our_time_stops_placing_until_it_is_taken_over() -> None:
    reader = perps(is_traded=False)
    reader.turn(held(reader, -ONE))
    assert position(reader).quantity == 0
    assert ODD in reader.engine.risk.halted[ACCOUNT]
    for _ in range(2):
        reader.read(6)
        reader.turn(held(reader, -ONE))
    assert position(reader).quantity == -ONE
    assert position(reader).average_price == parse("100")
    assert position(reader).is_adopted
    assert [event.evidence for event in corrected(reader)] == ["a lookup of positions"]
    assert not reader.engine.risk.halted.get(ACCOUNT)


def test_a_position_that_a_lost_fill_would_explain_waits_for_the_look_up() -> None:
    reader = perps(is_traded=True)
    reader.turn(held(reader, 2 * ONE))
    assert position(reader).quantity == ONE
    assert "fills" in {command.what for command in reader.read(6)}
    reader.turn(held(reader, 2 * ONE))
    assert position(reader).quantity == ONE  # that look-up may have trailed
    reader.read(6)
    reader.turn(held(reader, 2 * ONE))
    assert position(reader).quantity == 2 * ONE
    assert [event.cause for event in corrected(reader)] == [
        "no look-up shows fills that explain it"
    ]


def test_a_lost_fill_that_is_found_explains_it() -> None:
    reader = perps(is_traded=True)
    reader.turn(held(reader, 2 * ONE))
    reader.turn(replace(fill(reader, "f2", "lookup"), instrument=PERP, quantity=ONE))
    reader.read(30)
    reader.turn(held(reader, 2 * ONE))
    assert position(reader).quantity == 2 * ONE
    assert not position(reader).is_adopted


def test_a_read_of_positions_says_nothing_of_what_moved_since() -> None:
    reader = perps(is_traded=True)
    early = held(reader, 0)
    reader.later(1)
    reader.turn(replace(fill(reader, "f2"), instrument=PERP, quantity=ONE))
    reader.turn(early)
    reader.read(30)
    assert position(reader).quantity == 2 * ONE
    assert not corrected(reader)


def test_a_whole_read_without_a_position_says_that_it_is_flat() -> None:
    reader = perps(is_traded=True)
    for _ in range(3):
        reader.turn(held(reader, 0))
        reader.read(6)
    assert position(reader).quantity == 0
    partial = replace(held(reader, 0), is_complete=False)
    reader.turn(replace(fill(reader, "f2"), instrument=PERP, quantity=ONE))
    reader.later(30)
    for _ in range(3):
        reader.turn(partial)
        reader.read(6)
    assert position(reader).quantity == ONE


def test_money_that_moved_while_it_was_read_is_read_again() -> None:
    reader = Reader(lag_s=1)
    reader.log_in()
    reader.read(10)
    reader.turn(BalancesRead(reader.now_ns, ACCOUNT, (("USD", 5),), started_ns=reader.now_ns))
    row = replace(cash(reader), asset="USD", balance=None, kind="funding", ref="")
    reader.turn(row)
    reader.turn(BalancesRead(reader.now_ns, ACCOUNT, (("USD", 9),), "lookup", True, reader.now_ns))
    assert "balances" not in {command.what for command in reader.read(3)}, "it may trail still"
    assert "balances" in {command.what for command in reader.read(4)}


def test_a_look_up_that_was_quicker_than_the_stream_corrects_nothing() -> None:
    reader = Reader(lag_s=1)
    reader.log_in()
    reader.read(10)
    late = replace(fill(reader, "f1", "lookup"), venue_ns=reader.venue_ns - S // 10)
    reader.turn(late)
    assert not corrected(reader)
    reader.turn(replace(fill(reader, "f2", "lookup"), venue_ns=reader.venue_ns - 2 * S))
    assert [event.what.split(":")[0] for event in corrected(reader)] == ["fill f2"]
