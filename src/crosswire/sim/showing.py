"""The small worlds that bring planted bugs out, each within a few seeds.

The campaign's own worlds show most of them too, but not all at once, and not each of them soon.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from crosswire.sim.campaign import Wish
from crosswire.sim.network import NetworkFaults
from crosswire.sim.world import Scenario
from crosswire.sim.world.staging import DRILL
from crosswire.venues import NAMES, venue

S = 1_000_000_000
CALM = Scenario(duration_ns=8 * S)
SHAKY = Scenario(network=NetworkFaults(lost_after=0.3), duration_ns=14 * S)
BUSY = Scenario(network=NetworkFaults(lost_after=0.05), uses_batches=True, duration_ns=16 * S)
NIGH = "crosswire.sim.drill:Nigh"
HOARDER, RUSH = "crosswire.sim.drill:Hoarder", "crosswire.sim.drill:Rush"
# Where the usual strategy does not get near enough to what the bug breaks.
STRATEGIES = {
    "partial_read": RUSH,
    "first_page": RUSH,
    "freed_on_timeout": HOARDER,
    "freed_when_filled": HOARDER,
    "batch_again": NIGH,
}


def _losing(**looking: float) -> Scenario:
    """Answers are lost, and look-ups are what is left, such as they are."""
    network = NetworkFaults(lost_after=0.1)
    return Scenario(network=network, venue={"drop_ack": 0.3, **looking}, duration_ns=20 * S)


WORLDS: dict[str, Scenario] = {
    "failed_read": _losing(lookup_502=0.7),
    "blind_read": _losing(lookup_empty=0.7),
    "early_read": _losing(views_behind_s=4.0),
    "partial_read": BUSY,
    "first_page": BUSY,
    "own_clock": Scenario(
        venue={"place_late": 0.2, "late_s": 15.0}, offset_ns=30 * S, duration_ns=20 * S
    ),
    "freed_on_timeout": replace(SHAKY, duration_ns=12 * S),
    "freed_when_filled": Scenario(
        venue={"omit_silently": 0.6, "lookup_502": 0.6}, duration_ns=16 * S
    ),
    "breaker_holds_cancel": replace(SHAKY, duration_ns=20 * S),
    "breaker_holds_token": Scenario(
        network=NetworkFaults(lost_after=0.3, second_cut=0.2), duration_ns=20 * S
    ),
    "resend": CALM,
    "forget_fill": CALM,
    "book_twice": CALM,
    "mark_before_applied": CALM,
    "book_strangers": replace(CALM, strangers=(3 * S, 4 * S, 5 * S, 6 * S)),
    "sign_again": Scenario(network=NetworkFaults(lost_after=0.2), duration_ns=20 * S),
    "id_as_key": Scenario(network=NetworkFaults(lost_after=0.2), duration_ns=20 * S),
    "closed_is_filled": CALM,
    "refused_cancel_closes": replace(CALM, venue={"cancel_refused": 1.0}, duration_ns=12 * S),
    "stale_snapshot": Scenario(
        network=NetworkFaults(second_cut=0.4, latency_ns=20_000_000, spread=20),
        duration_ns=20 * S,
    ),
    "whole_batch": replace(
        CALM, venue={"rate_refused": 0.3}, uses_batches=True, duration_ns=12 * S
    ),
    "no_snapshot": Scenario(network=NetworkFaults(second_cut=0.1), duration_ns=20 * S),
    "refused_copy": Scenario(
        network=NetworkFaults(lost_after=0.3, no_connection=0.7), duration_ns=20 * S
    ),
    "watermark": Scenario(venue={"omit_silently": 0.2}, duration_ns=12 * S),
    "same_ids": replace(CALM, crashes=(5 * S,)),
    "kill_once": replace(CALM, is_killed=True),
    "assume_armed": replace(CALM, network=NetworkFaults(lost_before=0.4)),
    "arm_once": replace(CALM, duration_ns=32 * S),
    "halt_for_ever": replace(CALM, full_journals=(5 * S,)),
}

# The same where a venue replaces orders and takes identical bytes once, and bugs of just that.
REPLACING: dict[str, Scenario] = {
    "replaced_is_done": Scenario(network=NetworkFaults(lost_before=0.15), duration_ns=16 * S),
    "wrong_address": replace(CALM, duration_ns=20 * S),
    "first_page_of_fills": Scenario(
        network=NetworkFaults(second_cut=0.4, no_connection=0.8),
        strangers=tuple(6 * S + n * S // 50 for n in range(10)),
        trades=700,
        duration_ns=10 * S,
    ),
    "copy_refused": replace(SHAKY, resends=True),
    "batch_again": replace(CALM, uses_batches=True, duration_ns=16 * S),
    "sign_again": WORLDS["sign_again"],
    "id_as_key": WORLDS["id_as_key"],
    "freed_when_filled": Scenario(venue={"omit_frame": 0.6, "lookup_502": 0.6}, duration_ns=16 * S),
    "freed_on_timeout": Scenario(
        venue={"drop_ack": 0.7, "omit_frame": 0.7, "lookup_502": 0.5}, duration_ns=16 * S
    ),
    "resend": CALM,
    "forget_fill": CALM,
    "book_twice": CALM,
    "mark_before_applied": CALM,
    "closed_is_filled": CALM,
    "book_strangers": WORLDS["book_strangers"],
    "watermark": Scenario(venue={"omit_frame": 0.2}, duration_ns=12 * S),
    "failed_read": _losing(lookup_502=0.7),
    "blind_read": _losing(lookup_empty=0.7),
    "early_read": _losing(views_behind_s=4.0),
    "refused_cancel_closes": WORLDS["refused_cancel_closes"],
    "stale_snapshot": _losing(views_behind_s=2.5),
    "same_ids": replace(CALM, crashes=(30 * S,), duration_ns=32 * S),
    "kill_once": WORLDS["kill_once"],
    "halt_for_ever": WORLDS["halt_for_ever"],
    "breaker_holds_cancel": WORLDS["breaker_holds_cancel"],
}


def worlds(venue_name: str) -> Mapping[str, Scenario]:
    """Return the plants that a venue can show, each with its world."""
    return REPLACING if venue(venue_name).capabilities.replaces else WORLDS


def wish(plant: str, *, venue: str = NAMES[0], strategy: str = "") -> Wish:
    """Return what to run so that a plant shows; `KeyError` if the venue can show none such."""
    usual = STRATEGIES.get(plant, DRILL)
    found = worlds(venue)[plant]
    return Wish(venue=venue, strategy=strategy or usual, plant=plant, scenario=found)


def clean(wanted: Wish) -> Wish:
    """Return the same without the bug."""
    return replace(wanted, plant="")
