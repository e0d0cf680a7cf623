"""The live path: what is written before what, and that a full journal stops placing."""

from collections.abc import Callable

from crosswire.domain import (
    AnyEvent,
    Approved,
    ArmDeadMan,
    BookChanged,
    FeedProven,
    Halted,
    InstrumentListed,
    Kill,
    Place,
    Refused,
    Resumed,
    Sent,
)
from crosswire.engine import Account, Engine, Settings
from crosswire.engine.path import JOURNAL_FULL, LivePath, Record
from tests.samples import ACCOUNT, BTC, S, book_reset, instrument, place


class Log:
    """A journal in memory."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.is_full = False

    @property
    def append(self) -> Callable[[Record], None]:
        return self.records.append

    def kinds(self) -> list[str]:
        return [type(record).__name__ for record in self.records]


class Rig:
    """A path whose sends are written down."""

    def __init__(self, *, keeps_market_data: bool = False) -> None:
        self.log = Log()
        self.seen_at_send: list[list[str]] = []
        settings = Settings("bot", 1, {ACCOUNT: Account("kraken")})
        self.engine = Engine(settings, lambda: S)
        self.path = LivePath(
            self.engine,
            self.log,
            lambda: S,
            accounts=(ACCOUNT,),
            keeps_market_data=keeps_market_data,
        )
        self.path.send = self._send
        self.path.on_events([InstrumentListed(S, instrument()), book_reset()])

    def _send(self, approved: Approved) -> list[AnyEvent]:
        self.seen_at_send.append(self.log.kinds())
        return [Sent(S, ACCOUNT, approved.request_id, "ws", ("a",))]


def test_an_intent_is_written_before_it_is_sent_and_what_came_of_it_after() -> None:
    rig = Rig()
    assert isinstance(rig.path.submit(place()), Approved)
    assert rig.seen_at_send == [["InstrumentListed", "Approved"]]
    assert rig.log.kinds() == ["InstrumentListed", "Approved", "Sent"]
    order = rig.engine.orders.get("a")
    assert order is not None
    assert [request.copies for request in order.requests.values()] == [1]


def test_market_data_is_written_only_if_asked_for() -> None:
    proven = FeedProven(S, "kraken")
    changed = BookChanged(S, BTC, (), ())
    for keeps, written in ((False, []), (True, ["FeedProven", "BookChanged"])):
        rig = Rig(keeps_market_data=keeps)
        before = len(rig.log.records)
        rig.path.on_events([proven, changed])
        assert rig.log.kinds()[before:] == written


def test_an_instrument_is_written_again_only_if_it_changed() -> None:
    rig = Rig()
    rig.path.on_events([InstrumentListed(2 * S, instrument())])
    assert rig.log.kinds() == ["InstrumentListed"]


def test_a_refusal_is_written_and_nothing_is_sent() -> None:
    rig = Rig()
    outcome = rig.path.submit(place(price="200"))
    assert isinstance(outcome, Refused)
    assert rig.log.kinds()[-1] == "Refused"
    assert rig.seen_at_send == []


def test_an_operator_s_switch_goes_to_no_venue() -> None:
    rig = Rig()
    rig.path.submit(Kill(ACCOUNT, "enough"))
    assert rig.seen_at_send == []
    assert isinstance(rig.path.submit(place()), Refused)


def test_a_full_journal_halts_placing_until_it_is_drained() -> None:
    rig = Rig()
    rig.log.is_full = True
    rig.path.on_events([FeedProven(S, "kraken")])
    halts = [record for record in rig.log.records if isinstance(record, Halted)]
    assert [halt.reason for halt in halts] == [JOURNAL_FULL]
    assert isinstance(rig.path.submit(place()), Refused)
    assert isinstance(rig.path.submit(ArmDeadMan(ACCOUNT, 0)), Approved)
    rig.path.on_events([FeedProven(S, "kraken")])
    assert sum(isinstance(record, Halted) for record in rig.log.records) == 1
    rig.path.tick()
    assert not any(isinstance(record, Resumed) for record in rig.log.records)
    rig.log.is_full = False
    rig.path.tick()
    assert isinstance(rig.log.records[-1], Resumed)
    assert isinstance(rig.path.submit(place("b")), Approved)


def test_an_observer_sees_all_of_it_in_order() -> None:
    rig = Rig()
    seen: list[object] = []
    rig.path.submit(place())
    rig.path.observers, rig.path.observe = [seen], seen.extend
    rig.path.submit(place("b"))
    assert [type(record) for record in seen] == [Approved, Sent]
    assert isinstance(seen[0], Approved)
    assert isinstance(seen[0].command, Place)
