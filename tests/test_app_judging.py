"""A demo's verdict by venue: counts by account, and what several venues come to together."""

from typing import Any

from crosswire.app.judging import Part, Tally, together
from crosswire.domain import BookLost, Corrected, DoubtMoved, Halted, VenueWarned
from crosswire.doubt import LATE

A, B = Part("a", "demo-a", "X"), Part("b", "demo-b", "Y")


def test_counts_go_to_the_account_that_they_are_of() -> None:
    tally = Tally([A, B])
    for record in (
        DoubtMoved(1, "demo-a", "1", "", "opened"),
        DoubtMoved(2, "demo-a", "1", "", "settled", "filled: by the stream"),
        DoubtMoved(2, "demo-b", "2", "", "ruled out"),
        Corrected(3, "demo-b", "a position", "a fill was lost", "a look-up"),
        Halted(4, "demo-b", f"{LATE}2", "its closure"),
        Halted(5, "demo-b", "a loss", "an operator"),
        BookLost(6, "a:X", "checksum"),
        BookLost(7, "a:X", "closed"),
        BookLost(8, "elsewhere:X", "checksum"),
        VenueWarned(9, "demo-a", "slow"),
    ):
        tally.hear(record)
    assert tally.counts == {
        "demo-a": {"doubts": 1, "doubts_settled_filled": 1, "checksum_failures": 1},
        "demo-b": {"corrections": 1, "late_accepts": 1},
    }


def verdict(**more: Any) -> dict[str, Any]:
    return {
        "fills": 2,
        "is_clean": True,
        "findings": ["one"],
        "doubts_settled": {"filled": 1},
        "instrument": "X",
        **more,
    }


def test_together_counts_add_up_and_every_claim_must_hold() -> None:
    other = verdict(fills=3, is_clean=False, findings=[], doubts_settled={"filled": 1, "absent": 2})
    assert together({"a": verdict(), "b": other}) == {
        "fills": 5,
        "is_clean": False,
        "findings": ["a: one"],
        "doubts_settled": {"absent": 2, "filled": 2},
    }
