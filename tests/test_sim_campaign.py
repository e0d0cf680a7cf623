"""Campaigns: sums, what fails them, and the shortest story of a failing seed."""

import json

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from crosswire.app.cli import app
from crosswire.app.errors import UserError
from crosswire.sim.campaign import COUNTS, ENOUGH_SEEDS, Tally, Wish, kinds_of, run_seed, shrink
from crosswire.sim.world import Result, Scenario
from crosswire.sim.world.scenario import NETWORK
from crosswire.sim.world.verdict import OUTCOMES

GOOD = Result(
    1,
    orders=10,
    fills=2,
    trading_resumed=1,
    faults={"cut": 2},
    outcomes={"cut": dict.fromkeys(OUTCOMES, 1)},
)


def test_results_add_up() -> None:
    tally = Tally(("cut",))
    tally.add(GOOD)
    tally.add(replace(GOOD, seed=2))
    report = tally.report()
    assert list(report)[: len(COUNTS) + 1] == ["seeds", *COUNTS]
    assert (report["seeds"], report["orders"], report["trading_resumed"]) == (2, 20, 2)
    assert report["faults"] == {"cut": {"struck": 4, **dict.fromkeys(OUTCOMES, 2)}}
    assert (report["silent"], report["failing"]) == ([], [])
    assert tally.has_passed


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("double_sends", "double_sends"),
        ("absent_but_there", "absent_but_there"),
        ("unresolved", "unresolved"),
        ("placed_while_unarmed", "placed_while_unarmed"),
    ],
)
def test_one_count_above_zero_fails_it(field: str, name: str) -> None:
    tally = Tally(())
    tally.add(replace(GOOD, **{field: 1}))
    assert not tally.has_passed
    assert [each.failures for each in tally.failing] == [{name: 1}]


def test_trading_that_stops_fails_it() -> None:
    tally = Tally(())
    tally.add(replace(GOOD, trading_resumed=0))
    assert not tally.has_passed
    assert replace(GOOD, trading_resumed=0, is_cut=True).failures == {}


def test_a_kind_that_never_struck_fails_a_long_campaign() -> None:
    tally = Tally(("cut", "mute"))
    for seed in range(ENOUGH_SEEDS):
        assert tally.has_passed
        tally.add(replace(GOOD, seed=seed))
    assert tally.silent == ["mute"]
    assert not tally.has_passed
    quiet = Tally(())
    quiet.add(replace(GOOD, outcomes={}))
    assert quiet.silent == list(OUTCOMES)


def test_both_ways_out_of_a_doubt_have_to_be_tried() -> None:
    tally = Tally((), takes_copies=True, replaces=True)
    looked = replace(GOOD, acks_lost=2)
    copied = replace(GOOD, seed=2, resends=True, acks_lost=3, copies=2, voids=1, replacements=5)
    tally.add(looked)
    assert tally.silent == [
        "acks_lost with identical bytes",
        "copies with identical bytes",
        "voids with identical bytes",
        "replacements",
    ]
    tally.add(copied)
    assert tally.silent == []
    ways = tally.report()["ways"]
    assert isinstance(ways, dict)
    assert ways["look_ups_only"]["acks_lost"] == 2
    assert ways["identical_bytes"]["copies"] == 2
    assert "ways" not in Tally(()).report()
    other = Tally((), takes_copies=True)
    other.add(copied)
    assert other.silent == ["acks lost with look-ups only"]


def test_the_kinds_are_those_of_the_network_the_process_and_the_venue() -> None:
    kinds = kinds_of(Wish())
    assert set(NETWORK) < set(kinds)
    assert {"crash", "stall", "lost_tail", "clock_skew", "drop_ack"} < set(kinds)
    assert "ids_are_spent_is" in kinds, "a reading that no world has drawn has proven nothing"
    assert "late_s" not in kinds, "a setting strikes nobody"


def test_a_planted_bug_is_caught_and_its_story_is_short() -> None:
    wish = Wish(plant="resend")
    calm = Scenario(duration_ns=10_000_000_000)
    _, result = run_seed(1, wish, calm)
    assert result.failures["double_sends"] > 0
    story = shrink(1, wish)
    assert story is not None
    assert story.failures["double_sends"] > 0
    assert story.kinds == ()
    assert 0 < story.until_ns < 20_000_000_000
    assert any("sent twice" in line for line in story.lines)
    assert run_seed(1, Wish(), calm)[1].failures == {}


def test_the_command_counts_as_the_ledger_does_and_tells_the_story() -> None:
    arguments = ["campaign", "--seed", "1", "--plant", "resend", "--json"]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 1
    report = json.loads(outcome.stdout.splitlines()[-1])
    assert report["seeds"] == 1
    assert report["double_sends"] > 0
    assert report["story"]["seed"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("--venue", "nowhere"),
        ("--plant", "nothing"),
        ("--strategy", "name"),
        ("--strategy", "no.such:Strategy"),
    ],
)
def test_a_wrong_wish_is_one_line(wrong: tuple[str, str]) -> None:
    outcome = CliRunner().invoke(app, ["campaign", "--seeds", "1", *wrong])
    assert isinstance(outcome.exception, UserError)
    assert "\n" not in str(outcome.exception)
