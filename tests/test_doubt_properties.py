"""Whatever the order and however often: one doubt ends in one way, and never against evidence."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire.domain import (
    Absent,
    Accepted,
    Cancel,
    CancelRejected,
    LookUp,
    Place,
    Resend,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.risk import BreakerRules
from tests.doubt_rig import ONE, Rig
from tests.samples import ACCOUNT, BTC, S, filled

Act = Callable[[Rig], None]


def refuse(rig: Rig, venue_ns: int) -> None:
    rig.submit(Cancel(ACCOUNT, "a", "", BTC))
    ids = (ACCOUNT, "a", "", rig.numbers[-1], "Unknown order")
    rig.turn(CancelRejected(rig.now_ns, *ids, True, venue_ns=venue_ns))


def over(rig: Rig) -> None:
    row = rig.row(is_open=False, filled="0.75", cause="canceled")
    rig.turn(rig.closed_read(rig.stranger(0), row))


NOISE: dict[str, Act] = {
    "timed out": lambda rig: rig.turn(TimedOut(rig.now_ns, ACCOUNT, 1, "silence")),
    "refused early": lambda rig: refuse(rig, rig.order().bound_ns + rig.skew_ns),
    "refused": lambda rig: refuse(rig, rig.venue_ns),
    "snapshot lacks it": lambda rig: rig.turn(rig.snapshot()),
    "old snapshot lacks it": lambda rig: rig.turn(rig.snapshot(started_s=5)),
    "look-up lacks it": lambda rig: rig.turn(rig.open_read(rig.stranger())),
    "blind look-up": lambda rig: rig.turn(rig.open_read(), rig.closed_read()),
    "closed orders lack it": lambda rig: rig.turn(rig.closed_read(rig.stranger(0))),
    "old closed orders lack it": lambda rig: rig.turn(rig.closed_read(rig.stranger(9))),
    "failed": lambda rig: rig.turn(replace(rig.snapshot(), is_complete=False)),
    "tick": Rig.step,
    "wait": lambda rig: rig.later(2),
}
EVIDENCE: dict[str, Act] = {
    "answered": lambda rig: rig.turn(Accepted(rig.now_ns, ACCOUNT, "a", "V", 1)),
    "new": lambda rig: rig.turn(Accepted(rig.now_ns, ACCOUNT, "a", "V", source="stream")),
    "first fill": lambda rig: rig.turn(replace(filled("0.25"), recv_ns=rig.now_ns)),
    "second fill": lambda rig: rig.turn(replace(filled("0.5", "f2"), recv_ns=rig.now_ns)),
    "ended": lambda rig: rig.turn(rig.closed(filled="0.75")),
}
SHOWN: dict[str, Act] = {
    "shown open": lambda rig: rig.turn(rig.snapshot(rig.row(filled="0.25"))),
    "shown by a look-up": lambda rig: rig.turn(rig.open_read(rig.row())),
    "shown over": over,
}
ACTS = {**NOISE, **EVIDENCE, **SHOWN}

some_noise = st.lists(st.sampled_from(list(NOISE)), max_size=30)
some_repetitions = st.lists(st.sampled_from([*EVIDENCE, *SHOWN]), max_size=6)
existing = st.builds(lambda noise, again: [*EVIDENCE, *noise, *again], some_noise, some_repetitions)


def settle(rig: Rig) -> None:
    """Give time, and whole true reads, until nothing can be left to ask."""
    for _ in range(4):
        rig.later(5)
        rig.turn(rig.snapshot(), rig.closed_read(rig.stranger(0)))
        rig.tick()


@given(existing.flatmap(st.permutations))
@settings(max_examples=300)
def test_an_order_that_was_ends_as_it_ended(names: list[str]) -> None:
    rig = Rig(breakers=BreakerRules(max_failures=10**6))  # their probes are questions as well
    order = rig.place()
    has_evidence = False
    for name in names:
        absences = len(rig.heard(Absent))
        ACTS[name](rig)
        has_evidence = has_evidence or name not in NOISE
        if has_evidence:
            assert len(rig.heard(Absent)) == absences, f"absent against evidence, after {name}"
        assert order.reserved == order.worst_remaining()
        assert order.filled + order.reserved <= ONE
    settle(rig)
    assert (order.status, order.filled, order.reserved) == ("CANCELED", parse("0.75"), 0)
    assert rig.engine.positions.quantity(ACCOUNT, BTC) == parse("0.75")
    assert (order.doubts, dict(rig.engine.orders.unsettled), rig.halts) == (0, {}, [])
    asked = [each for each in rig.run(40) if isinstance(each, LookUp | Cancel)]
    assert asked == []
    assert rig.engine.counts["late_accepts"] == len(rig.heard(Absent)) <= 1


@given(some_noise)
@settings(max_examples=300)
def test_an_order_that_never_was_is_absent_once(names: list[str]) -> None:
    rig = Rig(breakers=BreakerRules(max_failures=10**6))  # their probes are questions as well
    order = rig.lost()
    for name in names:
        NOISE[name](rig)
        if rig.now_ns <= order.bound_ns:
            assert not order.is_ruled_out, "it may still arrive"
        if not rig.heard(Absent):
            assert order.reserved == ONE
    settle(rig)
    assert (order.end, order.status, order.reserved) == ("absent", "REJECTED", 0)
    (absent,) = rig.heard(Absent)
    assert absent.recv_ns > order.bound_ns + 2 * S
    assert rig.run(40) == []
    sends = [each for _, each in rig.sent if isinstance(each, Place | Resend)]
    assert len(sends) == 1, "never sent again"
