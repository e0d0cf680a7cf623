"""What a hosted simulator is asked for on the command line."""

import pytest

from crosswire.app.cli import _with_usual_faults
from crosswire.app.errors import UserError
from crosswire.app.hosting import USUAL, SimWish, build, parse_faults
from crosswire.venues import NAMES, venue


@pytest.mark.parametrize(
    ("given", "full"),
    [
        (["demo", "--faults"], ["demo", "--faults", USUAL]),
        (["demo", "--faults", "--json"], ["demo", "--faults", USUAL, "--json"]),
        (["demo", "--faults", "cut=0.1", "--json"], ["demo", "--faults", "cut=0.1", "--json"]),
        (["demo"], ["demo"]),
        ([], []),
    ],
)
def test_faults_without_a_value_are_the_usual_ones(given: list[str], full: list[str]) -> None:
    assert _with_usual_faults(given) == full


@pytest.mark.parametrize("name", NAMES)
def test_switches_add_to_the_usual_ones_and_override_them(name: str) -> None:
    usual = dict(venue(name).stage.faults)
    assert parse_faults("usual", name) == usual
    assert parse_faults("usual,drop_ack=0.5", name) == usual | {"drop_ack": 0.5}
    assert parse_faults("", name) == {}
    assert parse_faults("cut@3,cut@7", name) == {"cut@3": 1, "cut@7": 1}
    with pytest.raises(UserError, match="expected switches such as"):
        parse_faults("drop_ack", name)


def test_a_switch_may_be_one_venues_alone() -> None:
    first = NAMES[0]
    assert parse_faults(f"{first}:cut@3,drop_ack=0.1", first) == {"cut@3": 1, "drop_ack": 0.1}
    others: tuple[str, ...] = NAMES[1:]
    for other in others:
        assert parse_faults(f"{first}:cut@3,drop_ack=0.1", other) == {"drop_ack": 0.1}
        assert parse_faults(f"{first}:usual", other) == {}
    with pytest.raises(UserError, match="expected a venue of"):
        parse_faults("nowhere:cut@3", first)


@pytest.mark.parametrize("name", NAMES)
def test_every_venue_has_what_its_simulator_needs(name: str) -> None:
    made = build(SimWish(venue=name, faults=venue(name).stage.faults))
    ledger = made.ledger()
    assert ledger["faults"] == {}, "nothing has gone wrong yet"
    assert ledger["starting_balances"] == {"main": dict(venue(name).stage.balances)}
    login = venue(name).stage.login("main")
    assert venue(name).read_login(login) == login
