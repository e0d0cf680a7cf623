"""What is said of a command that did not leave us: every order in it is refused, unsent."""

from crosswire.domain import (
    Amend,
    AmendRejected,
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    CancelRejected,
    Place,
    PlaceBatch,
    Rejected,
    Resend,
    VenueWarned,
)


def unsent(
    approved: Approved, reason: str, now_ns: int, *, is_transient: bool = True
) -> list[AnyEvent]:
    """Return the refusals of a command that did not leave us.

    An order that was to be replaced hears nothing: what replaces it never was.
    """
    command, number = approved.command, approved.request_id
    if isinstance(command, CancelAll):
        command = Cancel(command.account, "")
        is_transient = True
    if isinstance(command, ArmDeadMan):
        return [VenueWarned(now_ns, command.account, f"dead-man switch not armed: {reason}")]
    if isinstance(command, Resend):
        own_id = command.client_order_id
        return [Rejected(now_ns, command.account, own_id, "", number, reason, is_unsent=True)]
    parts: tuple[object, ...] = (command,)
    if isinstance(command, PlaceBatch):
        parts = command.places
    elif isinstance(command, CancelBatch):
        parts = command.cancels
    events: list[AnyEvent] = []
    for part in parts:
        if isinstance(part, Place):
            kind: type[Rejected | AmendRejected | CancelRejected] = Rejected
            ids = (part.account, part.client_order_id, "")
        elif isinstance(part, Amend | Cancel):
            kind = AmendRejected if isinstance(part, Amend) else CancelRejected
            ids = (part.account, part.client_order_id, part.venue_order_id)
        else:
            continue
        said = kind(now_ns, *ids, number, reason, is_transient=is_transient, is_unsent=True)
        events.append(said)
    return events
