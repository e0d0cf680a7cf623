"""What goes wrong in one world, drawn from its seed: every world has a mix of its own."""

from collections.abc import Mapping
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from crosswire.sim.network import NetworkFaults

NS = 1_000_000_000
MINUTE_NS = 60 * NS

# The most that each kind may be; a world draws below it. `calm` ones are readings of the venue
# that nobody knows [?], and stay as drawn when the faults end.
NETWORK: dict[str, float] = {
    "lost_before": 0.03,
    "lost_after": 0.06,
    "late_bytes": 0.03,
    "http_refused": 0.1,
    "http_lost": 0.1,
    "http_answer_lost": 0.15,
    "http_late": 0.1,
    "second_cut": 0.03,
    "second_deaf": 0.02,
    "second_mute": 0.02,
    "no_connection": 0.5,
}


class Scenario(Struct, frozen=True, kw_only=True):
    """All that happens to one world."""

    network: NetworkFaults = NetworkFaults()
    venue: Mapping[str, float] = {}
    readings: Mapping[str, float] = {}  # unknowns of the venue, on to the end
    crashes: tuple[int, ...] = ()  # when, from the start
    lost_tail: int = 0  # records that a crash takes with it
    stalls: tuple[tuple[int, int], ...] = ()  # when, how long
    is_suspended: bool = False  # a stall stops our clock as well
    offset_ns: int = 0  # of our clock, at the start
    offset_step_ns: int = 0  # more with every restart
    strangers: tuple[int, ...] = ()  # when somebody else trades in the account
    trades: int = 1  # so many of theirs at once
    deposits: tuple[int, ...] = ()
    full_journals: tuple[int, ...] = ()  # when the database falls behind, for two seconds
    is_killed: bool = False  # ends with the kill switch, thrown into bad weather
    duration_ns: int = 36 * NS
    uses_batches: bool = False  # no fault: another way for orders to go
    resends: bool = False  # doubts are resolved by identical bytes, where the venue takes them

    def kinds(self) -> tuple[str, ...]:
        """Names of what goes wrong, to be left out one by one."""
        calm = NetworkFaults()
        network = [name for name in NETWORK if getattr(self.network, name) != getattr(calm, name)]
        others = [name for name in PROCESS if getattr(self, name) != getattr(Scenario(), name)]
        return (*network, *self.venue, *self.readings, *others)

    def without(self, kind: str) -> "Scenario":
        """The same world with one kind of fault less."""
        if kind in NETWORK:
            return replace(self, network=replace(self.network, **{kind: 0.0}))
        if kind in self.venue:
            return replace(self, venue={k: v for k, v in self.venue.items() if k != kind})
        if kind in self.readings:
            return replace(self, readings={k: v for k, v in self.readings.items() if k != kind})
        return replace(self, **{kind: getattr(Scenario(), kind)})


PROCESS = (
    "crashes",
    "lost_tail",
    "stalls",
    "is_suspended",
    "offset_ns",
    "offset_step_ns",
    "strangers",
    "deposits",
    "full_journals",
    "is_killed",
)


class Menu(Struct, frozen=True):
    """What a venue's simulator offers: its faults with the most of each, and its unknowns."""

    faults: Mapping[str, float]
    readings: Mapping[str, float]


def draw(seed: int, menu: Menu) -> Scenario:
    """Return the scenario of a seed."""
    rng = Random(seed * 2 + 1)
    duration_ns = 36 * NS
    return Scenario(
        network=NetworkFaults(
            latency_ns=rng.choice((500_000, 2_000_000, 10_000_000)),
            spread=rng.choice((4, 20, 60)),
            **_some(rng, NETWORK, 0.6),
        ),
        venue=_some(rng, menu.faults, 0.5),
        readings={name: top for name, top in menu.readings.items() if rng.random() < 0.5},
        crashes=_moments(rng, duration_ns, rng.choice((0, 1, 1, 2))),
        stalls=_stalls(rng, duration_ns),
        is_suspended=rng.random() < 0.3,
        offset_ns=rng.choice((0, 0, rng.randint(-3 * NS, 3 * NS), rng.randint(-NS, NS))),
        offset_step_ns=rng.choice((0, rng.randint(-NS, NS))),
        strangers=_moments(rng, duration_ns, rng.choice((0, 0, 1, 3))),
        deposits=_moments(rng, duration_ns, rng.choice((0, 1))),
        full_journals=_moments(rng, duration_ns, rng.choice((0, 0, 1))),
        is_killed=rng.random() < 0.3,
        duration_ns=duration_ns,
        uses_batches=rng.random() < 0.4,
        lost_tail=rng.choice((0, 0, 0, 2, 6)),
        resends=seed % 2 == 1,
    )


def _some(rng: Random, tops: Mapping[str, float], odds: float) -> dict[str, float]:
    """Some of the kinds, each at a rate below its top."""
    return {
        name: round(top * (0.2 + 0.8 * rng.random()), 4)
        for name, top in tops.items()
        if rng.random() < odds
    }


def _moments(rng: Random, duration_ns: int, count: int) -> tuple[int, ...]:
    return tuple(sorted(rng.randrange(3 * NS, duration_ns - NS) for _ in range(count)))


def _stalls(rng: Random, duration_ns: int) -> tuple[tuple[int, int], ...]:
    """Short ones often; now and then the process sleeps for a minute and a half."""
    kind = rng.random()
    if kind < 0.5:
        return ()
    long_ns = 90 * NS if kind > 0.93 else rng.randrange(NS // 5, 12 * NS)
    return tuple((at_ns, long_ns) for at_ns in _moments(rng, duration_ns, 1))
