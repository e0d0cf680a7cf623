"""What is said of a command that did not leave us."""

import pytest

from crosswire.domain import (
    Amend,
    AmendRejected,
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    CancelRejected,
    LookUp,
    Place,
    PlaceBatch,
    Rejected,
    Resend,
    VenueWarned,
)
from crosswire.venues.unsent import unsent

PLACE = Place("main", "x:A", "1", "buy", 1, replaces="9")
CANCEL = Cancel("main", "2", "77")


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        (PLACE, [(Rejected, "1")]),
        (PlaceBatch("main", (PLACE, PLACE)), [(Rejected, "1"), (Rejected, "1")]),
        (Amend("main", "x:A", "3", "78"), [(AmendRejected, "3")]),
        (CANCEL, [(CancelRejected, "2")]),
        (CancelBatch("main", (CANCEL,)), [(CancelRejected, "2")]),
        (CancelAll("main"), [(CancelRejected, "")]),
        (Resend("main", "4", 5), [(Rejected, "4")]),
        (ArmDeadMan("main", 7), [(VenueWarned, None)]),
        (LookUp("main", "fills"), []),
    ],
)
def test_every_order_of_a_command_hears_of_it(
    command: AnyCommand, kinds: list[tuple[type[AnyEvent], str | None]]
) -> None:
    events = unsent(Approved(command, 6, 1), "no way", 8)
    assert [(type(one), getattr(one, "client_order_id", None)) for one in events] == kinds
    for event in events:
        assert "no way" in str(event)
        if not isinstance(event, VenueWarned):
            assert getattr(event, "is_unsent", False)
            assert getattr(event, "request_id", 0) == 6


def test_a_refusal_that_will_last_says_so() -> None:
    for is_transient in (True, False):
        (event,) = unsent(Approved(PLACE, 6, 1), "no way", 8, is_transient=is_transient)
        assert isinstance(event, Rejected)
        assert event.is_transient is is_transient
