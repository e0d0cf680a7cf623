"""What a hosted simulator is asked for on the command line."""

import pytest

from crosswire.app.cli import _with_usual_faults
from crosswire.app.errors import UserError
from crosswire.app.hosting import USUAL, USUAL_FAULTS, parse_faults
from crosswire.venues import NAMES, venue
from crosswire.venues.interface import Credentials


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


def test_switches_add_to_the_usual_ones_and_override_them() -> None:
    assert parse_faults("usual") == USUAL_FAULTS
    assert parse_faults("usual,drop_ack=0.5") == USUAL_FAULTS | {"drop_ack": 0.5}
    assert parse_faults("") == {}
    assert parse_faults("cut@3,cut@7") == {"cut@3": 1, "cut@7": 1}
    with pytest.raises(UserError, match="expected switches such as"):
        parse_faults("drop_ack")


@pytest.mark.parametrize("name", NAMES)
def test_every_venue_knows_the_usual_faults(name: str) -> None:
    login = Credentials("k", "c2VjcmV0")
    made = venue(name).simulator(1, 0, login, {}, faults=USUAL_FAULTS)
    assert made.ledger()["faults"] == {}, "nothing has gone wrong yet"
