"""Planted bugs do what they are named for, and leave the rest alone."""

from collections.abc import Sequence

import pytest

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    Cancel,
    Connected,
    Filled,
    Place,
    PlaceBatch,
    Sent,
    Transport,
)
from crosswire.orders.ids import ClientOrderIds
from crosswire.sim import plants

IDS = ClientOrderIds("bot", 1)


class Session:
    """Writes down what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[Approved] = []

    def send(self, approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
        self.sent.append(approved)
        return [Sent(now_ns, approved.command.account, approved.request_id, transport)]


class Engine:
    """Books fills as the real one does: turn applies events by way of note."""

    def __init__(self) -> None:
        self.booked: list[str] = []
        self.others = 0

    def turn(self, events: Sequence[AnyEvent], now_ns: int) -> list[Approved]:
        self.note(events)
        return [approved(Cancel("mm1", "c"), 1)]

    def note(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, Filled):
                if event.fill_key not in self.booked:
                    self.booked.append(event.fill_key)
            else:
                self.others += 1


def approved(command: AnyCommand, request_id: int) -> Approved:
    return Approved(command, request_id, 0)


def place() -> Place:
    return Place("mm1", "v:BTC/USD", IDS.next(), "buy", 5, 100)


def fill(key: str) -> Filled:
    return Filled(1, "mm1", "c", "o", "v:BTC/USD", "buy", 100, 5, key)


def test_the_list_of_plants_is_complete_and_speaks() -> None:
    assert {"resend", "forget_fill", "book_twice"} <= set(plants.names())
    for name in plants.names():
        plant = plants.find(name)
        assert plant.name == name
        assert plant.bug
        assert plant.shows_in
    with pytest.raises(ValueError, match='no plant "x": expected one of forget_fill, '):
        plants.find("x")


def test_resend_sends_an_intent_again_under_a_new_id_of_ours() -> None:
    session = Session()
    planted = plants.sow("resend", engine=Engine(), sessions=[session])
    assert planted.shows_in == "double_sends"
    for number in range(1, plants.FIRST + plants.EVERY + 1):
        events = session.send(approved(place(), number), "ws", 7)
        assert events == [Sent(7, "mm1", number, "ws")]
    copies = [one for one in session.sent if one.request_id > plants.SECOND_COPY]
    struck = [one.request_id - plants.SECOND_COPY for one in copies]
    assert struck == [plants.FIRST, plants.FIRST + plants.EVERY]
    for copy in copies:
        number = copy.request_id - plants.SECOND_COPY
        original = next(one for one in session.sent if one.request_id == number).command
        assert isinstance(original, Place)
        assert isinstance(copy.command, Place)
        assert copy.command.client_order_id != original.client_order_id
        assert IDS.is_ours(copy.command.client_order_id)
        assert (copy.command.quantity, copy.command.price) == (5, 100)


def test_resend_repeats_batches_and_nothing_but_places() -> None:
    session = Session()
    plants.sow("resend", engine=Engine(), sessions=[session])
    for number in range(1, 10):
        session.send(approved(Cancel("mm1", "c"), number), "ws", 0)
    assert len(session.sent) == 9
    for number in range(plants.FIRST):
        session.send(approved(PlaceBatch("mm1", (place(), place())), number), "rest", 0)
    again = session.sent[-1].command
    assert isinstance(again, PlaceBatch)
    assert len({one.client_order_id for one in again.places}) == 2
    assert len(session.sent) == 9 + plants.FIRST + 1


def test_forget_fill_loses_fills_for_good() -> None:
    engine = Engine()
    plants.sow("forget_fill", engine=engine, sessions=[])
    keys = [f"f{number}" for number in range(plants.FIRST + plants.EVERY)]
    connected = Connected(1, "mm1", "private")
    for _ in range(2):
        assert engine.turn([connected, *map(fill, keys)], 1)
        engine.note([fill(key) for key in keys])
    lost = [key for key in keys if key not in engine.booked]
    assert lost == [f"f{plants.FIRST - 1}", f"f{plants.FIRST + plants.EVERY - 1}"]
    assert engine.others == 2


def test_book_twice_books_under_a_key_that_never_was() -> None:
    engine = Engine()
    plants.sow("book_twice", engine=engine, sessions=[])
    keys = [f"f{number}" for number in range(plants.FIRST)]
    for _ in range(2):
        engine.turn([fill(key) for key in keys], 1)
        engine.note([fill(key) for key in keys])
    assert engine.booked == [*keys, f"f{plants.FIRST - 1}-again"]
