"""Faults as switches: names are checked, draws are seeded and counted, schedules strike."""

import pytest

from crosswire.sim.switches import Chance, Switches, chances, from_mapping, names


class Few(Switches, frozen=True, kw_only=True):
    """Two chances, a setting and a reading."""

    cut: float = 0.0
    drop: float = 0.0
    late_s: float = 2.0
    ids_are_spent_is: float = 0.0


def test_settings_and_readings_are_no_chances() -> None:
    assert names(Few) == ("cut", "drop", "late_s", "ids_are_spent_is")
    assert chances(Few) == ("cut", "drop")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cutt": 1.0}, 'unknown fault "cutt": expected one of cut, drop'),
        ({"cut": 1.5}, "fault cut = 1.5: expected a number from 0 to 1"),
        ({"late_s": -1.0}, "fault late_s = -1.0"),
        ({"cut@0": 1.0}, "fault cut@0: expected the number of an opportunity"),
        ({"late_s@1": 1.0}, "fault late_s@1"),
        ({"schedule": 1.0}, "unknown fault"),
    ],
)
def test_a_mistake_is_named(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_mapping(Few(), values)


def test_a_scheduled_fault_strikes_at_its_opportunities_alone() -> None:
    chance = Chance(1)
    chance.draw_by(from_mapping(Few(), {"cut@2": 1.0, "cut@4": 1.0}))
    assert [chance.strikes("cut") for _ in range(5)] == [False, True, False, True, False]
    assert chance.counts == {"cut": 2}


def test_draws_of_one_kind_do_not_depend_on_another() -> None:
    def drawn(other: float) -> list[bool]:
        chance = Chance(7)
        chance.draw_by(Few(cut=0.5, drop=other))
        made = []
        for _ in range(50):
            chance.strikes("drop")
            made.append(chance.strikes("cut"))
        return made

    assert drawn(0.0) == drawn(1.0)
    assert True in drawn(0.0)
    assert False in drawn(0.0)


def test_other_switches_apply_from_now_on_and_the_counts_go_on() -> None:
    chance = Chance(1)
    chance.draw_by(Few(cut=1.0))
    assert chance.strikes("cut")
    chance.draw_by(Few())
    assert not chance.strikes("cut")
    assert chance.counts == {"cut": 1}
