"""What every link does, without any wire."""

import pytest

from crosswire.domain import AnyEvent, VenueWarned
from crosswire.net.clock import VirtualClock
from crosswire.net.dialogue import Dialogue
from crosswire.venues.interface import Frame, HttpRequest, Output, Reconnect
from tests.net_echo import EchoSession, ask, order


class Wire:
    """Writes down what it is given, and when the events were handed on relative to that."""

    def __init__(self, session: EchoSession) -> None:
        self.given: list[Output] = []
        self._session = session

    def write(self, frame: Frame) -> None:
        assert not self._session.outbox
        self.given.append(frame)

    def ask(self, request: HttpRequest) -> None:
        self.given.append(request)

    def reconnect(self, order: Reconnect) -> None:
        self.given.append(order)


class Desk:
    """A dialogue and both its ends."""

    def __init__(self) -> None:
        self.session = EchoSession(0)
        self.wire = Wire(self.session)
        self.fatal: list[BaseException] = []
        self.clock = VirtualClock(1)
        self.dialogue = Dialogue(
            self.session, self.wire, self.clock, self.session.on_events, self.fatal.append
        )


def test_events_of_one_read_are_handed_on_together_with_its_last_frame() -> None:
    desk = Desk()
    desk.dialogue.received("main", b"a", 1, 0)
    desk.dialogue.received("main", b"b", 1, 0)
    assert desk.session.batches == []
    desk.dialogue.received("main", b"quiet", 1, 1)
    desk.dialogue.received("main", b"c", 2, 1)
    desk.dialogue.received("main", b"quiet", 3, 1)
    assert [len(batch) for batch in desk.session.batches] == [2, 1]
    assert desk.session.texts() == ["a", "b", "c"]


def test_a_list_that_the_session_keeps_is_never_written_to() -> None:
    desk = Desk()
    nothing: list[AnyEvent] = []
    one: list[AnyEvent] = [VenueWarned(1, "main", "kept")]
    for kept in (nothing, one):
        desk.session.says = kept
        desk.dialogue.received("main", b"", 1, 0)
        desk.dialogue.received("main", b"", 1, 0)
        desk.dialogue.received("main", b"", 1, 1)
    assert nothing == []
    assert len(one) == 1


def test_what_waits_is_handed_on_when_the_read_ends_or_the_connection_does() -> None:
    desk = Desk()
    desk.dialogue.end_read()
    assert desk.session.batches == []
    desk.dialogue.received("main", b"a", 1, 0)
    desk.dialogue.end_read()
    desk.dialogue.received("main", b"b", 1, 0)
    desk.dialogue.closed("main", "gone")
    assert [len(batch) for batch in desk.session.batches] == [1, 1]


def test_every_call_empties_the_outbox_in_order() -> None:
    desk = Desk()
    outputs: list[Output] = [Frame("main", b"1"), ask(1, "/x"), Reconnect("main", "why")]
    calls = (
        desk.dialogue.start,
        desk.dialogue.tick,
        lambda: desk.dialogue.opened("main"),
        lambda: desk.dialogue.closed("main", "gone"),
        lambda: desk.dialogue.received("main", b"a", 1, 1),
        lambda: desk.dialogue.answered(ask(1, "/x"), 200, b""),
        lambda: desk.dialogue.failed(ask(1, "/x"), "why", was_sent=True),
    )
    for call in calls:
        desk.session.outbox += outputs
        desk.wire.given.clear()
        call()
        assert desk.wire.given == outputs
        assert desk.session.outbox == []


def test_send_returns_its_events_and_hands_none_on() -> None:
    desk = Desk()
    (sent,) = desk.dialogue.send(order(3), "ws")
    assert sent.recv_ns == 1
    assert desk.wire.given == [Frame("main", b"order 3")]
    assert desk.session.batches == []


@pytest.mark.parametrize("where", ["the session", "on_events", "off the hot path"])
def test_a_broken_invariant_is_told_and_raised(where: str) -> None:
    desk = Desk()
    if where == "the session":
        desk.session.breaks_on = b"bad"
    else:
        desk.dialogue = Dialogue(desk.session, desk.wire, desk.clock, broken, desk.fatal.append)
    desk.session.at_tick = [VenueWarned(1, "main", "ticked")]
    if where == "off the hot path":
        with pytest.raises(AssertionError):
            desk.dialogue.tick()
    else:
        with pytest.raises(AssertionError):
            desk.dialogue.received("main", b"bad", 1, 1)
    assert len(desk.fatal) == 1
    assert isinstance(desk.fatal[0], AssertionError)


def broken(events: list[AnyEvent]) -> None:
    """Break."""
    raise AssertionError("an invariant of ours")
