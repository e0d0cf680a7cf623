"""What waits for room: in order, bounded in number and in age."""

from crosswire.domain import (
    Amend,
    AnyEvent,
    Approved,
    Cancel,
    CancelAll,
    CancelBatch,
    Place,
    PlaceBatch,
    Rejected,
    Sent,
)
from crosswire.venues.held import Held, Waiting


def place(own_id: str, instrument: str = "x:A", replaces: str = "") -> Place:
    return Place("main", instrument, own_id, "buy", 1, replaces=replaces)


def approved(command: Place | PlaceBatch | Amend, number: int = 1) -> Approved:
    return Approved(command, number, 0)


def ids(events: list[AnyEvent]) -> list[str]:
    return [event.client_order_id for event in events if isinstance(event, Rejected)]


def test_the_oldest_leaves_first_and_what_may_not_leave_stays() -> None:
    held = Held(5, 100)
    for own_id in ("1", "2", "3"):
        assert held.add(approved(place(own_id)), "ws", 0) == []
    seen: list[str] = []

    def send(waiting: Waiting) -> list[AnyEvent] | None:
        command = waiting.approved.command
        assert isinstance(command, Place)
        seen.append(command.client_order_id)
        return None if command.client_order_id == "2" else [Sent(1, "main", 1, "ws")]

    assert len(held.release(send, 1)) == 2
    assert seen == ["1", "2", "3"]
    assert len(held) == 1
    assert held.is_waiting("x:A")
    assert not held.is_waiting("x:B")


def test_too_many_and_too_old_are_refused() -> None:
    held = Held(1, 100)
    held.add(approved(place("1")), "ws", 0)
    assert ids(held.add(approved(place("2")), "ws", 0)) == ["2"]
    assert ids(held.release(lambda _: None, 100)) == ["1"]
    assert held.refused == 2
    held.add(approved(place("3")), "ws", 100)
    assert ids(held.clear("over", 101)) == ["3"]
    assert len(held) == 0


def test_a_cancel_drops_what_waits_for_its_order_or_would_replace_it() -> None:
    held = Held(5, 100)
    held.add(approved(PlaceBatch("main", (place("1"), place("2")))), "ws", 0)
    held.add(approved(place("3", replaces="7")), "ws", 0)
    held.add(approved(place("4")), "ws", 0)
    assert ids(held.drop("2", 1)) == ["1", "2"]
    assert ids(held.drop("7", 1)) == ["3"]
    assert ids(held.drop("9", 1)) == []
    assert len(held) == 1


def test_a_newer_amend_takes_the_place_of_an_older_one() -> None:
    held = Held(5, 100)
    held.add(approved(Amend("main", "x:A", "1", price=5), 1), "ws", 0)
    (refused,) = held.add(approved(Amend("main", "x:A", "1", price=6), 2), "ws", 50)
    assert getattr(refused, "request_id", 0) == 1
    assert [waiting.since_ns for waiting in held.queue] == [0]


def test_cancels_overtake_and_one_of_everything_clears_all() -> None:
    held = Held(5, 100)
    for own_id in ("1", "2", "3"):
        held.add(approved(place(own_id)), "ws", 0)
    cancels = CancelBatch("main", (Cancel("main", "1"), Cancel("main", "9")))
    assert ids(held.overtake(Approved(cancels, 7, 1), 1)) == ["1"]
    assert ids(held.overtake(Approved(place("4"), 8, 1), 1)) == []
    assert ids(held.overtake(Approved(CancelAll("main"), 9, 1), 1)) == ["2", "3"]
    assert held.overtake(Approved(CancelAll("main"), 9, 1), 1) == []
