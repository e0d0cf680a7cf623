"""A link without sockets: latency, order, and the same face."""

import pytest

from crosswire.domain import Sent
from crosswire.net.clock import Clock
from crosswire.net.link import LocalLink
from crosswire.net.switchboard import Switchboard
from crosswire.venues.interface import Frame, Reconnect
from tests.net_echo import EchoSession, EchoSimulator, ask, order, run
from tests.net_time import Timers

MS = 1_000_000


class Local:
    """A session and a simulator in virtual time."""

    def __init__(self, latency_ns: int = 3 * MS) -> None:
        self.timers = Timers()
        self.simulator = EchoSimulator()
        self.session = EchoSession(0)
        self.link = LocalLink(
            self.session,
            self.simulator,
            self.timers.clock,
            self.session.on_events,
            latency_ns=latency_ns,
            call_later=self.timers.call_later,
        )

    def saw(self, kind: str) -> list[tuple[object, ...]]:
        return [each for each in self.simulator.seen if each[0] == kind]


def test_each_way_takes_the_latency_and_order_is_kept() -> None:
    local = Local(3 * MS)
    local.link.begin()
    assert local.simulator.seen == [("opened", 1, "/v2")]
    local.timers.run_for(3 * MS)
    assert local.session.texts() == ["hello"]
    for number in range(20):
        (sent,) = local.link.send(order(number))
        assert isinstance(sent, Sent)
        assert sent.transport == "ws"
    local.timers.run_for(3 * MS - 1)
    assert local.saw("received") == []
    local.timers.run_for(2)
    assert [each[2] for each in local.saw("received")] == [b"order %d" % n for n in range(20)]
    local.timers.run_for(3 * MS - 10)
    assert local.session.texts() == ["hello"]
    local.timers.run_for(20)
    assert local.session.texts()[1:] == [f"ack {n}" for n in range(20)]


def test_http_takes_the_latency_too_and_a_cut_counts_as_sent() -> None:
    local = Local(3 * MS)
    local.session.at_start = [ask(1, "/x"), ask(2, "/cut"), ask(3, "/later")]
    local.link.begin()
    local.timers.run_for(6 * MS - 10)
    assert local.session.outcomes == []
    local.timers.run_for(20)
    assert local.session.outcomes == [(1, 200, b"/x"), (2, "cut without an answer", True)]
    local.timers.run_for(1 * MS)
    assert local.session.outcomes[2] == (3, 200, b"late")


@pytest.mark.parametrize("cause", ["venue", "session"])
def test_a_drop_loses_what_is_under_way_and_it_comes_back(cause: str) -> None:
    local = Local(3 * MS)
    local.link.begin()
    local.timers.run_for(3 * MS)
    if cause == "venue":
        local.link.write(Frame("main", b"drop 1006"))
        local.timers.run_for(5 * MS)
    else:
        local.session.outbox.append(Reconnect("main", "a gap"))
        local.link.tick()
    local.link.send(order(1))  # towards a connection that is going, or gone
    local.timers.run_for(1 * MS)
    assert local.session.count("closed") == 1
    assert local.link.statistics()["connections_open"] == 0
    (sent,) = local.link.send(order(2))
    assert isinstance(sent, Sent)
    assert sent.transport == "rest"
    local.timers.run_for(1_100 * MS)
    assert local.session.texts() == ["hello", "hello"]
    assert b"order 1" not in [each[2] for each in local.saw("received")]
    assert [each[2] for each in local.saw("asked")] == ["/order"]
    assert len(local.saw("opened")) == 2


def test_links_that_share_a_switchboard_meet_in_one_simulator() -> None:
    timers, simulator = Timers(), EchoSimulator()
    board = Switchboard(simulator, timers.clock, timers.call_later)
    sessions = [EchoSession(0), EchoSession(0)]
    for latency_ns, session in zip((0, 5 * MS), sessions, strict=True):
        LocalLink(
            session,
            board,
            timers.clock,
            session.on_events,
            latency_ns=latency_ns,
            call_later=timers.call_later,
        ).begin()
    timers.run_for(1 * MS)
    assert [session.texts() for session in sessions] == [["hello"], []]
    timers.run_for(5 * MS)
    assert [session.texts() for session in sessions] == [["hello"], ["hello"]]
    assert [each[1] for each in simulator.seen] == [1, 2]


def test_stopping_ends_everything_and_leaves_no_timer() -> None:
    local = Local()
    local.session.at_start = [ask(1, "/never")]
    local.link.begin()
    local.timers.run_for(100 * MS)
    local.link.end()
    assert local.session.outcomes == [(1, "stopped", True)]
    assert local.session.calls[-2] == ("closed", "main", "stopped")
    local.timers.run_for(100_000 * MS)
    assert len(local.saw("opened")) == 1
    assert local.timers.waiting == 0


def test_in_a_running_loop_it_uses_that() -> None:
    async def story() -> None:
        session, simulator = EchoSession(0), EchoSimulator()
        link = LocalLink(session, simulator, Clock(), session.on_events, latency_ns=MS)
        await link.start()
        await session.until(session.texts)
        link.send(order(1))
        await session.until(lambda: "ack 1" in session.texts())
        await link.stop()
        assert session.count("closed") == 1

    run(story())
