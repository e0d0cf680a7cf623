"""Replay: the journal alone rebuilds what the engine knew, wherever the journal was cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswire.domain import (
    Accepted,
    AnyEvent,
    Approved,
    BalancesRead,
    Cancel,
    CancelAccepted,
    CashMoved,
    Closed,
    Filled,
    Halted,
    InstrumentListed,
    Kill,
    LoggedIn,
    OrdersRead,
    Place,
    Rejected,
    RunEnded,
    Sent,
    TimedOut,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.fixed import parse
from crosswire.journal import Journal, read, replay
from crosswire.journal.drain import Drain
from crosswire.journal.ring import Ring
from crosswire.risk import Limits
from tests.samples import ACCOUNT, BTC, S, book_reset, instrument, place

ONE = parse("1")
PREFIX = 4096


def fresh(run: int) -> Engine:
    settings = Settings("bot", run, {ACCOUNT: Account("kraken", Limits())})
    return Engine(settings, lambda: 10 * S)


class Bot:
    """The live path as the runner walks it, with an operator for a strategy."""

    def __init__(self, directory: Path) -> None:
        self.journal = Journal.open(directory, now_ns=lambda: S, capacity_bytes=1 << 18)
        self.engine = fresh(self.journal.run)
        self.replayed = replay(self.journal.read(), self.engine)
        self.digests = {self.replayed: self.engine.digest()}  # by records journalled
        self.count = self.replayed

    def keep(self, *records: AnyEvent | Approved) -> None:
        for record in records:
            self.journal.append(record)
        self.count += len(records)

    def hear(self, *events: AnyEvent) -> None:
        self.keep(*events)
        assert self.engine.turn(events, 10 * S) == []
        self.keep(*self.engine.made)
        self.digests[self.count] = self.engine.digest()

    def ask(self, command: Place | Cancel | Kill) -> tuple[int, str]:
        """Submit and send a command; return the number of its request and the order's id."""
        approved = self.engine.submit(command, 10 * S)
        self.keep(*self.engine.made)
        assert isinstance(approved, Approved)
        self.keep(approved)
        name = getattr(approved.command, "client_order_id", "")
        sent = Sent(10 * S, ACCOUNT, approved.request_id, "ws", (name,))
        self.keep(sent)
        self.engine.note((sent,))
        self.digests[self.count] = self.engine.digest()
        return approved.request_id, name

    def live(self) -> None:
        """A day's work: every way an order can go, and one left in doubt."""
        self.hear(InstrumentListed(S, instrument()), LoggedIn(S, ACCOUNT))
        self.hear(OrdersRead(2 * S, ACCOUNT, "open", (), 2 * S, True))
        self.keep(*self.engine.tick(2 * S), *self.engine.made)
        assert not self.engine.risk.halted[ACCOUNT]
        self.digests[self.count] = self.engine.digest()
        self.engine.turn((book_reset(recv_ns=10 * S),), 10 * S)  # market data is not journalled
        self.hear(BalancesRead(S, ACCOUNT, (("USD", 10**22), ("BTC", ONE))))
        request, first = self.ask(place("", price="99.9"))
        ids = (ACCOUNT, first, "V1")
        self.hear(Accepted(S, *ids, request))
        self.hear(Filled(S, *ids, BTC, "buy", parse("99.9"), ONE // 4, "f1", ONE, "USD"))
        self.hear(Filled(S, *ids, BTC, "buy", parse("99.9"), ONE // 4, "f1", ONE, "USD"))
        self.hear(CashMoved(S, ACCOUNT, "USD", -ONE, 0, 10**22, "trade", "f1", "L1"))
        request, _ = self.ask(Cancel(ACCOUNT, first, "V1", BTC))
        self.hear(CancelAccepted(S, *ids, request), Closed(S, *ids, "canceled", ONE // 4))
        request, second = self.ask(place("", "sell", price="100.3"))
        self.hear(Rejected(S, ACCOUNT, second, "", request, "no"))
        request, third = self.ask(place("", price="99.8", quantity="0.5"))
        self.hear(TimedOut(S, ACCOUNT, request, "silence", (third,)))
        request, fourth = self.ask(place("", price="99.7"))
        self.hear(Accepted(S, ACCOUNT, fourth, "V4", request))
        self.hear(Halted(S, ACCOUNT, "unreadable private frame", "a clean reconciliation"))


@pytest.fixture
def undrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep everything in the ring, where it can be cut."""

    def nothing(drain: Drain) -> None:
        """Take the place of a drain's start and close."""

    monkeypatch.setattr(Drain, "start", nothing)
    monkeypatch.setattr(Drain, "close", nothing)


def rebuilt(directory: Path) -> tuple[int, str]:
    engine = fresh(1)
    return replay(read(directory), engine), engine.digest()


def test_a_replay_ends_where_the_live_engine_did(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    bot.live()
    assert rebuilt(tmp_path) == (bot.count, bot.engine.digest())
    bot.journal.close()
    assert rebuilt(tmp_path) == (bot.count, bot.engine.digest())
    assert len(set(bot.digests.values())) > 12  # the comparison can tell the steps apart


def _cuts(directory: Path) -> Iterator[tuple[int, list[int]]]:
    """Yield, for each number of whole records, the offsets in the file that leave just those."""
    ring = Ring(directory / "ring")
    ends = [0, *(entry.seq for entry in ring.entries())]
    for number, (end, after) in enumerate(zip(ends, [*ends[1:], ends[-1]], strict=True)):
        inside = {end, end + 1, end + 8, end + 20, (end + after) // 2}
        yield number, [PREFIX + cut for cut in sorted(inside)]


@pytest.mark.usefixtures("undrained")
def test_a_journal_cut_anywhere_rebuilds_what_was_known_there(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    bot.live()
    bot.journal.close()
    ring = tmp_path / "ring"
    whole = ring.read_bytes()
    everything = list(read(tmp_path))
    compared = 0
    for number, cuts in _cuts(tmp_path):
        expected = fresh(1)
        replay(everything[:number], expected)
        for cut in cuts:
            ring.write_bytes(whole[:cut] + bytes(len(whole) - cut))
            assert rebuilt(tmp_path) == (number, expected.digest())
        if number in bot.digests:
            assert expected.digest() == bot.digests[number]
            compared += 1
    assert compared == len(bot.digests)


def test_a_restart_begins_with_what_the_last_run_knew(tmp_path: Path) -> None:
    first = Bot(tmp_path)
    first.live()
    first.journal.close()
    second = Bot(tmp_path)
    assert second.replayed == first.count + 1  # and its own RunStarted
    assert list(second.engine.positions.items()) == list(first.engine.positions.items())
    assert {order.client_order_id for order in second.engine.orders.all_open()} == {
        order.client_order_id for order in first.engine.orders.all_open()
    }
    second.ask(Kill(ACCOUNT, "enough"))
    second.keep(RunEnded(S, second.journal.run, is_clean=False))
    second.journal.close()
    third = fresh(3)
    assert replay(read(tmp_path), third) == second.count
    assert third.digest() == second.engine.digest() != first.engine.digest()


def test_market_data_may_be_journalled_too(tmp_path: Path) -> None:
    with Journal.open(tmp_path, capacity_bytes=1 << 18) as journal:
        journal.append(InstrumentListed(S, instrument()))
        journal.append(book_reset())
    engine = fresh(1)
    assert replay(read(tmp_path), engine) == 3
    assert engine.books[BTC].best_bid == parse("100.0")
