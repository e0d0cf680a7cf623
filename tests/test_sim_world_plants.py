"""Every planted bug is caught by a world, and the same world without it is clean."""

import pytest
from msgspec.structs import replace

from crosswire.sim import plants
from crosswire.sim.campaign import Wish, run_seed
from crosswire.sim.network import NetworkFaults
from crosswire.sim.world import Scenario

S = 1_000_000_000
CALM = Scenario(duration_ns=8 * S)
# A small world that brings each bug out, and a seed of it.
WORLDS: dict[str, tuple[Scenario, int]] = {
    "resend": (CALM, 1),
    "forget_fill": (CALM, 1),
    "book_twice": (CALM, 1),
    "mark_before_applied": (CALM, 1),
    "book_strangers": (replace(CALM, strangers=(3 * S, 4 * S, 5 * S, 6 * S)), 1),
    "sign_again": (Scenario(network=NetworkFaults(lost_after=0.2), duration_ns=20 * S), 1),
    "id_as_key": (Scenario(network=NetworkFaults(lost_after=0.2), duration_ns=20 * S), 1),
    "closed_is_filled": (CALM, 1),
    "refused_cancel_closes": (
        replace(CALM, venue={"cancel_refused": 1.0}, duration_ns=12 * S),
        1,
    ),
    "stale_snapshot": (
        Scenario(
            network=NetworkFaults(second_cut=0.4, latency_ns=20_000_000, spread=20),
            duration_ns=20 * S,
        ),
        1,
    ),
    "whole_batch": (
        replace(CALM, venue={"rate_refused": 0.3}, uses_batches=True, duration_ns=12 * S),
        1,
    ),
    "no_snapshot": (Scenario(network=NetworkFaults(second_cut=0.1), duration_ns=20 * S), 1),
    "refused_copy": (Scenario(network=NetworkFaults(lost_after=0.3), duration_ns=14 * S), 3),
    "watermark": (Scenario(venue={"omit_silently": 0.2}, duration_ns=12 * S), 1),
    "same_ids": (replace(CALM, crashes=(5 * S,)), 2),
    "kill_once": (replace(CALM, is_killed=True), 1),
    "assume_armed": (replace(CALM, network=NetworkFaults(lost_before=0.4)), 4),
    "arm_once": (replace(CALM, duration_ns=32 * S), 1),
    "halt_for_ever": (replace(CALM, full_journals=(5 * S,)), 1),
}
WAITING = {"freed_on_timeout", "freed_when_filled"}


def test_every_plant_has_its_world() -> None:
    assert set(WORLDS) | WAITING == set(plants.names())


@pytest.mark.parametrize("name", WORLDS)
def test_a_planted_bug_is_caught(name: str) -> None:
    scenario, seed = WORLDS[name]
    shown = plants.find(name).shows_in
    assert run_seed(seed, Wish(plant=name), scenario)[1].failures.get(shown, 0) > 0
    assert run_seed(seed, Wish(), scenario)[1].failures.get(shown, 0) == 0
