"""What both kinds of link share: here, the stamps of what was sent."""

from crosswire.domain import AnyEvent, Sent, VenueWarned
from crosswire.net.dialogue import stamped


def test_sent_says_when_its_bytes_were_ready_and_when_they_were_with_the_socket() -> None:
    sent = Sent(1, "alice", 7, "ws", ("a",), connection="main")
    warned = VenueWarned(1, "alice", "held back")
    events: list[AnyEvent] = [sent, warned]
    expected = Sent(30, "alice", 7, "ws", ("a",), encoded_ns=20, connection="main")
    assert stamped(events, 20, 30) == [expected, warned]
