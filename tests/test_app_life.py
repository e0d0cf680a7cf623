"""What `crosswire order explain` tells of an order, from its journal."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from crosswire.app.errors import UserError
from crosswire.app.life import Step, explain, moment
from crosswire.domain import (
    Absent,
    Accepted,
    AnyEvent,
    Approved,
    Cancel,
    CancelBatch,
    CancelRejected,
    Closed,
    Corrected,
    DoubtMoved,
    Filled,
    Halted,
    OrderReported,
    OrdersRead,
    Place,
    ReadFailed,
    Resumed,
    Sent,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.journal import Journal

S = 1_000_000_000
OWN, OTHER, THEIRS = "a" * 32, "b" * 32, "O-1"
IDS = ("main", OWN, "")
ONE = parse("1")


def steps(
    directory: Path, records: Sequence[AnyEvent | Approved], order_id: str = OWN
) -> list[Step]:
    with Journal.open(directory, capacity_bytes=1 << 20) as journal:
        for record in records:
            journal.append(record)
    return explain(directory, order_id)


def told(found: Sequence[Step]) -> list[str]:
    return [step["what"] for step in found]


def place(client_order_id: str = OWN) -> Place:
    return Place("main", "v:BTC/USD", client_order_id, "buy", ONE, parse("50000.5"), bound_ns=6 * S)


def shown(client_order_id: str, recv_ns: int, venue_order_id: str = "X") -> OrderReported:
    ids = ("main", client_order_id, venue_order_id, "v:BTC/USD")
    return OrderReported(recv_ns, *ids, "buy", ONE, 0, is_open=True, opened_ns=4 * S)


def read(recv_s: int, *orders: OrderReported, account: str = "main") -> OrdersRead:
    at_ns = recv_s * S
    return OrdersRead(at_ns, account, "open", orders, at_ns - S // 2, is_complete=True)


def absent() -> list[AnyEvent | Approved]:
    """An order that never arrived, and what else happened meanwhile."""
    both = CancelBatch("main", (Cancel("main", OTHER), Cancel("main", OWN)))
    return [
        read(0),
        Approved(place(), 7, S),
        Sent(S, "main", 7, "ws", (OWN,), bound_ns=6 * S),
        TimedOut(2 * S, "main", 7, "connection lost", (OWN,)),
        DoubtMoved(2 * S, *IDS, "opened", "place: connection lost"),
        read(3, shown(OTHER, 3 * S)),
        read(3, account="another"),
        ReadFailed(4 * S, "main", "closed_orders", "HTTP 502"),
        ReadFailed(4 * S, "main", "balances", "HTTP 502"),
        Approved(both, 8, 8 * S),
        CancelRejected(8 * S, *IDS, 8, "Unknown order", is_unknown_order=True, venue_ns=8 * S),
        DoubtMoved(8 * S, *IDS, "ruled out", "its cancel was refused, 2000 ms past its bound"),
        Absent(9 * S, *IDS, "neither open nor closed"),
        DoubtMoved(9 * S, *IDS, "settled", "absent: Absent"),
        read(10),
    ]


def test_each_step_of_a_doubt_is_told_with_what_it_rests_on(tmp_path: Path) -> None:
    found = steps(tmp_path, absent())
    assert told(found) == [
        "Place approved",
        "Sent",
        "TimedOut",
        "doubt: opened",
        "lacked by snapshot",
        "look-up failed",
        "Cancel approved",
        "CancelRejected",
        "doubt: ruled out",
        "Absent",
        "doubt: settled",
    ]
    evidence = dict(zip(told(found), [step["evidence"] for step in found], strict=True))
    assert evidence["Place approved"] == (
        "request 7: instrument v:BTC/USD, side buy, quantity 1, price 50000.5, void after 5.000 s"
    )
    assert evidence["Sent"] == (
        "by ws, request 7, void from 00:00:06.000000 on by the venue's clock"
    )
    assert evidence["TimedOut"] == "request 7, place: connection lost"
    assert evidence["lacked by snapshot"] == (
        "1 open orders, asked at 00:00:02.500000, the youngest from 00:00:04.000000 by the "
        "venue's clock"
    )
    assert evidence["look-up failed"] == "closed_orders: HTTP 502"
    assert evidence["Cancel approved"] == "request 8"
    assert evidence["CancelRejected"] == (
        "request 8, Unknown order, unknown order, venue's clock 00:00:08.000000"
    )
    assert evidence["Absent"] == "neither open nor closed"


def test_an_open_doubt_has_its_reads_too(tmp_path: Path) -> None:
    found = steps(tmp_path, absent()[:6])
    assert told(found)[-2:] == ["doubt: opened", "lacked by snapshot"]


def test_a_late_accept_shows_the_halt_and_its_end(tmp_path: Path) -> None:
    reason = f"late accept of {OWN}"
    late: list[AnyEvent | Approved] = [
        Accepted(20 * S, "main", OWN, THEIRS, source="stream"),
        Halted(20 * S, "main", reason, "its closure and a whole read of open orders"),
        Closed(21 * S, "main", OWN, THEIRS, "canceled", 0),
        Resumed(22 * S, "main", reason),
        Halted(23 * S, "main", "another reason", "something"),
    ]
    found = steps(tmp_path, [*absent(), *late])
    assert told(found)[-4:] == ["Accepted", "Halted", "Closed", "Resumed"]
    assert found[-3]["evidence"] == (
        f"account main: {reason}; it ends by its closure and a whole read of open orders"
    )


def test_what_is_told_again_is_one_step(tmp_path: Path) -> None:
    def fill(recv_ns: int, venue_ns: int) -> Filled:
        ids = ("main", OWN, THEIRS, "v:BTC/USD")
        return Filled(recv_ns, *ids, "buy", ONE, ONE, "F1", venue_ns=venue_ns)

    records: list[AnyEvent | Approved] = [
        Approved(place(), 7, S),
        Accepted(2 * S, "main", OWN, THEIRS, 7),
        fill(3 * S, 3 * S),
        fill(4 * S, 3 * S),
        fill(5 * S, 3 * S - 1),
        Corrected(5 * S, "main", "fill F1", "the stream did not tell", "a look-up", OWN),
    ]
    found = steps(tmp_path, records, THEIRS)
    assert told(found) == ["Place approved", "Accepted", "Filled", "Corrected"]
    assert (found[2]["times"], found[2]["until_ns"]) == (3, 5 * S)
    assert found[3]["evidence"] == "fill F1; the stream did not tell, as a look-up shows"


def test_an_order_shown_by_a_read_is_told_by_how_it_was_shown(tmp_path: Path) -> None:
    reading = read(3, shown(OTHER, S), shown(OWN, 3 * S, THEIRS))
    records: list[AnyEvent | Approved] = [Approved(place(), 7, S), reading]
    found = steps(tmp_path, records)
    assert told(found) == ["Place approved", "shown by snapshot"]
    assert found[1]["evidence"] == "open, side buy, quantity 1, opened 00:00:04.000000"


def test_an_unknown_order_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f'no order "{OTHER}" in the journal'):
        steps(tmp_path, absent()[:3], OTHER)


def test_a_moment_is_shown_to_the_microsecond() -> None:
    assert moment(86_400 * S * 3 + 3_661 * S + 1_999) == "01:01:01.000001"
