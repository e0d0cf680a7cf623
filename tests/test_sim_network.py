"""The faulty link: what it loses, delays and tells, and what it never does."""

from random import Random

import pytest
from msgspec.structs import replace

from crosswire.domain import Approved, Cancel, Place, Sent
from crosswire.net.switchboard import Switchboard
from crosswire.sim.network import NS, FaultyLink, NetworkFaults, Weather
from crosswire.sim.world.timers import Later, Owner, Timers
from crosswire.venues import NAMES, venue
from crosswire.venues.interface import HttpRequest, SessionSettings

START = 1_700_000_000 * NS


class Rig:
    """One login of a simulator through some weather."""

    def __init__(self, faults: NetworkFaults | None = None) -> None:
        self.timers = Timers(START)
        self.owner, world = Owner(), Owner()
        found = venue(NAMES[0])
        stage = found.stage
        login = stage.login("main")
        self.simulator = found.simulator(
            1, START, login, stage.balances, account="main", flow="off"
        )
        later = Later(self.timers, world)
        board = Switchboard(self.simulator, self.timers.clock, later, soon_ns=0)
        self.weather = Weather(faults or NetworkFaults(), Random(5))
        settings = SessionSettings("main", found.local_hosts("x"), login, (stage.instrument,))
        self.events: list[object] = []
        self.writes = 0
        self.link = FaultyLink(
            found.session(settings, 1),
            board,
            self.weather,
            own_clock=self.timers.clock,
            clock=self.timers.clock,
            call_later=Later(self.timers, self.owner),
            network_later=later,
            on_events=self.events.extend,
            on_write=self._written,
            under_way=tuple,
        )
        self.link.begin()

    def _written(self) -> None:
        self.writes += 1

    def run(self, seconds: float) -> None:
        until_ns = self.timers.clock.now_ns() + int(seconds * NS)
        while (timer := self.timers.step(until_ns)) is not None:
            timer.callback()

    def heard(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def place(self, number: int = 1) -> list[object]:
        now_ns = self.timers.clock.now_ns()
        command = Place(
            "main",
            f"{NAMES[0]}:BTC/USD",
            f"{number:032x}",
            "buy",
            10**7,
            1000 * 10**10,
            bound_ns=now_ns + 5 * NS,
        )
        return list(self.link.send(Approved(command, number, now_ns)))

    def places(self) -> int:
        """How many placing requests the venue has seen."""
        rows = self.simulator.ledger()["requests"]
        assert isinstance(rows, list)
        return sum(row["method"] == "place" for row in rows)


def test_in_calm_weather_an_order_arrives_and_is_answered() -> None:
    rig = Rig()
    rig.run(1)
    assert "LoggedIn" in rig.heard()
    sent = rig.place()
    assert [type(event) for event in sent] == [Sent]
    assert rig.writes == 2  # before and after the bytes: a crash may come at either
    rig.run(1)
    assert "Accepted" in rig.heard()
    assert rig.places() == 1
    assert rig.weather.counts == {}


@pytest.mark.parametrize(
    ("name", "places"), [("lost_before", 0), ("lost_after", 1), ("late_bytes", 1)]
)
def test_a_frame_that_is_lost_or_late(name: str, places: int) -> None:
    rig = Rig()
    rig.run(1)
    rig.weather.faults = replace(NetworkFaults(), **{name: 1.0})
    rig.place()
    rig.weather.faults = NetworkFaults()
    rig.run(20)
    assert rig.places() == places
    assert rig.weather.counts == {name: 1}
    assert rig.weather.marks == {f"{1:032x}": {name}}
    if name != "late_bytes":
        assert "TimedOut" in rig.heard()
        assert rig.heard().count("Connected") == 2


@pytest.mark.parametrize("name", ["second_cut", "second_deaf", "second_mute"])
def test_a_lost_connection_comes_back(name: str) -> None:
    rig = Rig()
    rig.run(1.5)
    rig.weather.faults = replace(NetworkFaults(), **{name: 1.0})
    rig.run(1)
    rig.weather.faults = NetworkFaults()
    rig.run(15)
    assert rig.heard().count("LoggedIn") == 2
    assert rig.weather.counts[name] >= 1


@pytest.mark.parametrize("name", ["http_refused", "http_lost", "http_answer_lost", "http_late"])
def test_a_request_that_goes_wrong_is_made_again(name: str) -> None:
    rig = Rig(replace(NetworkFaults(), **{name: 1.0}))
    rig.run(5)
    rig.weather.faults = NetworkFaults()
    rig.run(30)
    assert rig.weather.counts[name] >= 1
    assert "LoggedIn" in rig.heard()


def test_no_connection_is_tried_again() -> None:
    rig = Rig(NetworkFaults(no_connection=1.0))
    rig.run(3)
    assert "Connected" not in rig.heard()
    rig.weather.faults = NetworkFaults()
    rig.run(3)
    assert "LoggedIn" in rig.heard()


def test_what_a_dead_process_wrote_still_arrives_and_nobody_hears_of_it() -> None:
    rig = Rig()
    rig.run(1)
    rig.place()
    rig.owner.is_dead = True
    rig.link.vanish()
    heard = len(rig.events)
    rig.run(5)
    assert rig.places() == 1
    assert len(rig.events) == heard


def test_a_cancel_names_its_order_as_the_subject() -> None:
    rig = Rig()
    rig.run(1)
    rig.place()
    rig.run(1)
    rig.weather.faults = NetworkFaults(lost_after=1.0)
    cancel = Cancel("main", f"{1:032x}", "", f"{NAMES[0]}:BTC/USD")
    rig.link.send(Approved(cancel, 2, rig.timers.clock.now_ns()))
    assert rig.weather.marks == {f"{1:032x}": {"lost_after"}}


def test_an_ordered_request_that_waited_too_long_never_leaves() -> None:
    rig = Rig()
    rig.run(1)
    rig.weather.faults = NetworkFaults(http_lost=1.0)
    for number in range(8):
        request = HttpRequest(90_000 + number, "POST", "/x", {}, is_ordered=True)
        rig.link.ask(request)
    rig.run(20)
    # One a second leaves; after five seconds the rest is told to have stayed.
    assert 5 <= rig.weather.counts["http_lost"] <= 6
