"""Between a simulator and who is connected to it."""

import pytest

from crosswire.net import switchboard as module
from crosswire.net.switchboard import Plug, Switchboard
from crosswire.venues.interface import SimAnswer, SimFrame
from tests.net_echo import EchoSimulator, ask
from tests.net_time import Timers


class Board:
    """A switchboard in virtual time, and what came out of it."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.simulator = EchoSimulator()
        self.switchboard = Switchboard(self.simulator, self.timers.clock, self.timers.call_later)
        self.frames: list[tuple[str, bytes]] = []
        self.drops: list[tuple[str, int]] = []
        self.answers: list[SimAnswer] = []

    def plug(self, name: str) -> int:
        return self.switchboard.open(
            f"/{name}",
            Plug(
                lambda payload: self.frames.append((name, payload)),
                lambda code: self.drops.append((name, code)),
            ),
        )


def test_frames_go_to_their_own_connection() -> None:
    board = Board()
    one, two = board.plug("one"), board.plug("two")
    assert board.frames == [("one", b"hello"), ("two", b"hello")]
    board.switchboard.received(two, b"order 2")
    board.switchboard.received(one, b"order 1")
    assert board.frames[2:] == [("two", b"ack 2"), ("one", b"ack 1")]
    assert board.simulator.seen[:2] == [("opened", one, "/one"), ("opened", two, "/two")]


def test_a_dropped_connection_is_dead_both_ways_and_not_closed_again() -> None:
    board = Board()
    one = board.plug("one")
    board.switchboard.received(one, b"drop 1001")
    board.switchboard.received(one, b"order 1")
    board.simulator.outbox.append(SimFrame(one, b"ghost"))
    board.switchboard.close(one)
    board.switchboard.flush()
    assert board.drops == [("one", 1001)]
    assert board.frames == [("one", b"hello")]
    assert ("closed", one) not in board.simulator.seen


def test_a_client_that_left_is_told_once() -> None:
    board = Board()
    one = board.plug("one")
    board.switchboard.close(one)
    board.switchboard.close(one)
    assert board.simulator.seen.count(("closed", one)) == 1


def test_answers_find_their_question_now_or_later() -> None:
    board = Board()
    board.switchboard.ask(ask(9, "/later"), board.answers.append)
    board.switchboard.ask(ask(9, "/now"), board.answers.append)
    assert [each.body for each in board.answers] == [b"/now"]
    board.timers.run_for(board.simulator.wait_ns)
    assert [each.body for each in board.answers] == [b"/now", b"late"]
    board.simulator.outbox.append(SimAnswer(1, 200, b"twice"))
    board.switchboard.flush()
    assert len(board.answers) == 2


def test_it_ticks_when_due_and_only_then() -> None:
    board = Board()
    one = board.plug("one")
    assert board.timers.waiting == 0
    board.switchboard.received(one, b"later a")
    board.switchboard.received(one, b"order 1")  # does not set a second timer
    assert board.timers.waiting == 1
    board.timers.run_for(board.simulator.wait_ns // 2)
    assert ("one", b"a") not in board.frames
    board.simulator.due_ns = board.timers.clock.now_ns() + 5_000_000  # it changed its mind
    board.switchboard.flush()
    board.timers.run_for(4_999_000)
    assert ("one", b"a") not in board.frames
    board.timers.run_for(1_000)
    assert ("one", b"a") in board.frames
    assert board.timers.waiting == 0


def test_too_many_open_questions_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ASKED", 1)
    board = Board()
    board.switchboard.ask(ask(1, "/never"), board.answers.append)
    board.switchboard.ask(ask(2, "/x"), board.answers.append)
    assert [each.status for each in board.answers] == [503]


def test_stopping_cuts_everybody() -> None:
    board = Board()
    one = board.plug("one")
    board.switchboard.ask(ask(1, "/never"), board.answers.append)
    board.switchboard.received(one, b"later a")
    board.switchboard.stop()
    assert board.timers.waiting == 0
    assert board.drops == [("one", 1006)]
    assert [each.status for each in board.answers] == [0]
