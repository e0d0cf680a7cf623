"""Many worlds: what they add up to, and the shortest story of one that failed."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from crosswire.domain import Approved
from crosswire.engine.path import Record
from crosswire.sim.world import Result, Scenario, World
from crosswire.sim.world.scenario import NETWORK
from crosswire.sim.world.staging import DRILL
from crosswire.sim.world.verdict import FUNDING, LIVENESS, OUTCOMES, SAFETY
from crosswire.venues import NAMES, venue

NS = 1_000_000_000
# The fields of the report that people know, in their order.
COUNTS = (
    "orders",
    "fills",
    "acks_lost",
    "crashes_with_inflight",
    "absent_then_resent",
    "late_accepts",
    "trading_resumed",
    "double_sends",
    "lost_fills",
    "phantom_fills",
    "orphan_orders",
    "limit_breaches",
    "unresolved",
    "not_converged",
)
# What befalls our own process and its account, as worlds mark it.
PROCESS = (
    "crash",
    "lost_tail",
    "stall",
    "suspend",
    "clock_skew",
    "journal_full",
    "stranger",
    "deposit",
    "kill",
)
ENOUGH_SEEDS = 200  # from here on a kind of fault that never struck fails the campaign
LATE = "late_accept"
MAX_LINES = 60
MAX_TEXT = 170
HALVINGS = 7
_ID = re.compile(r"\b[0-9a-f]{32}\b")


class Wish(Struct, frozen=True, kw_only=True):
    """What a campaign is run on."""

    venue: str = NAMES[0]
    strategy: str = DRILL
    plant: str = ""
    scenario: Scenario | None = None  # for every seed; None = each draws its own


class Failing(Struct, frozen=True):
    """A seed that failed, and by what."""

    seed: int
    failures: dict[str, int]
    findings: tuple[str, ...]


class Tally:
    """Adds up the results of worlds."""

    def __init__(
        self,
        kinds: Iterable[str],
        outcomes: Iterable[str] = OUTCOMES,
        *,
        takes_copies: bool = False,
        replaces: bool = False,
    ) -> None:
        """`kinds` of fault and `outcomes` have to come up.

        So have, where there are such, both ways out of a doubt, and replacements.
        """
        self.kinds = tuple(kinds)
        self.outcomes = tuple(outcomes)
        self.takes_copies = takes_copies
        self.replaces = replaces
        self.seeds = 0
        self.failing: list[Failing] = []
        self._counts: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()
        self._outcomes: dict[str, Counter[str]] = {}
        self._ways = {False: Counter[str](), True: Counter[str]()}  # by whether copies are sent

    def add(self, result: Result) -> None:
        """Take one world's result in."""
        self.seeds += 1
        for name in dict.fromkeys((*COUNTS, *SAFETY, *LIVENESS)):
            self._counts[name] += getattr(result, name)
        self._struck.update(result.faults)
        self._ways[result.resends].update(
            seeds=1,
            acks_lost=result.acks_lost,
            copies=result.copies,
            voids=result.voids,
            replacements=result.replacements,
        )
        for kind, outcomes in result.outcomes.items():
            self._outcomes.setdefault(kind, Counter()).update(outcomes)
        if result.failures:
            found = tuple(result.findings[:5])
            self.failing.append(Failing(result.seed, result.failures, found))

    @property
    def silent(self) -> list[str]:
        """Kinds of fault and outcomes that never came up: they proved nothing."""
        kinds = [kind for kind in self.kinds if not self._struck[kind]]
        seen = Counter[str]()
        for outcomes in self._outcomes.values():
            seen.update(outcomes)
        missed = [outcome for outcome in self.outcomes if not seen[outcome]]
        return [*kinds, *missed, *self._missed_ways()]

    def _missed_ways(self) -> list[str]:
        """What of resolving doubts, and of replacing, was not tried."""
        looked, copied = self._ways[False], self._ways[True]
        missed: list[str] = []
        if self.takes_copies:
            missed += [] if looked["acks_lost"] else ["acks lost with look-ups only"]
            wanted = ("acks_lost", "copies", "voids")
            missed += [f"{name} with identical bytes" for name in wanted if not copied[name]]
        if self.replaces and not looked["replacements"] + copied["replacements"]:
            missed.append("replacements")
        return missed

    @property
    def has_passed(self) -> bool:
        """Whether nothing speaks against the program, or against the campaign itself."""
        return not self.failing and not (self.seeds >= ENOUGH_SEEDS and self.silent)

    def report(self) -> dict[str, object]:
        """The counts, each kind of fault with what came of it, and who failed."""
        counts = {name: self._counts[name] for name in COUNTS}
        checked = (*SAFETY, *LIVENESS)
        others = {name: self._counts[name] for name in checked if name not in COUNTS}
        kinds = dict.fromkeys((*self.kinds, *self._struck))
        ways: dict[str, object] = {}
        if self.takes_copies:
            ways["ways"] = {
                "look_ups_only": dict(self._ways[False]),
                "identical_bytes": dict(self._ways[True]),
            }
        faults = {kind: {"struck": self._struck[kind], **self._row(kind)} for kind in kinds}
        return {
            "seeds": self.seeds,
            **counts,
            **others,
            **ways,
            "faults": faults,
            "silent": self.silent,
            "failing": [msgspec.to_builtins(each) for each in self.failing],
        }

    def _row(self, kind: str) -> dict[str, int]:
        outcomes = self._outcomes.get(kind, Counter[str]())
        return {outcome: outcomes[outcome] for outcome in OUTCOMES}


def tally_for(wish: Wish) -> Tally:
    """Return the tally of a campaign on a venue, with what must come up in it at least once."""
    found = venue(wish.venue)
    outcomes = [name for name in OUTCOMES if name != LATE or not found.stage.bounds_hold]
    return Tally(
        kinds_of(wish),
        outcomes,
        takes_copies=found.capabilities.takes_copies,
        replaces=found.capabilities.replaces,
    )


def kinds_of(wish: Wish) -> tuple[str, ...]:
    """Every kind of fault that a campaign on a venue must show at least once."""
    world = World(0, wish.venue, strategy=wish.strategy)
    faults, readings = world.simulator.fault_menu
    switches = [name for name in faults if not name.endswith(("_s", "_is"))]
    paid = (FUNDING,) if world.stage.funding_ns else ()
    return tuple(dict.fromkeys((*NETWORK, *switches, *readings, *PROCESS, *paid)))


def run_seed(
    seed: int, wish: Wish, scenario: Scenario | None = None, until_ns: int = 0
) -> tuple[World, Result]:
    """Run one world."""
    world = World(
        seed,
        wish.venue,
        strategy=wish.strategy,
        scenario=scenario or wish.scenario,
        plant=wish.plant,
        until_ns=until_ns,
    )
    return world, world.run()


# --- the shortest story ------------------------------------------------------------------------


class Story(Struct, frozen=True):
    """A failing seed with as few faults and as little time as still show it."""

    seed: int
    failures: Mapping[str, int]
    kinds: tuple[str, ...]
    until_ns: int
    lines: tuple[str, ...]


def shrink(seed: int, wish: Wish) -> Story | None:
    """Leave out what is not needed for a seed to fail; None if it does not fail."""
    world, result = run_seed(seed, wish)
    if not result.failures:
        return None
    wanted = frozenset(result.failures)
    scenario, until_ns = world.scenario, 0
    if wanted & set(SAFETY):
        wanted &= set(SAFETY)
        until_ns = _cut(seed, wish, scenario, wanted)
    scenario = _bare(seed, wish, scenario, until_ns, wanted)
    if until_ns:
        until_ns = _cut(seed, wish, scenario, wanted)
    world, result = run_seed(seed, wish, scenario, until_ns)
    failures = {name: count for name, count in result.failures.items() if name in wanted}
    lines = tell(world, result)
    return Story(seed, failures, scenario.kinds(), until_ns, tuple(lines))


def _fails(
    seed: int, wish: Wish, scenario: Scenario, until_ns: int, wanted: frozenset[str]
) -> bool:
    return bool(wanted & set(run_seed(seed, wish, scenario, until_ns)[1].failures))


def _bare(
    seed: int, wish: Wish, scenario: Scenario, until_ns: int, wanted: frozenset[str]
) -> Scenario:
    """Leave out kinds of fault, many at once and then one by one, while it still fails."""
    kinds = list(scenario.kinds())
    size = len(kinds)
    while size and kinds:
        for first in range(0, len(kinds), size):
            less = scenario
            for kind in kinds[first : first + size]:
                less = less.without(kind)
            if _fails(seed, wish, less, until_ns, wanted):
                scenario = less
        kinds = [kind for kind in kinds if kind in scenario.kinds()]
        size = size // 4 if size > 4 else size - 1 if size == 1 else 1
    return scenario


def _cut(seed: int, wish: Wish, scenario: Scenario, wanted: frozenset[str]) -> int:
    """The earliest moment, about, at which the run shows it; 0 = only at its end."""
    low, high = 0, scenario.duration_ns
    if not _fails(seed, wish, scenario, high, wanted):
        return 0
    for _ in range(HALVINGS):
        middle = (low + high) // 2
        if _fails(seed, wish, scenario, middle, wanted):
            high = middle
        else:
            low = middle
    return high


def tell(world: World, result: Result) -> list[str]:
    """The lines of the log about what the findings name; without any, the last ones."""
    ledger = world.simulator.live_ledger
    named = set(_ID.findall(" ".join(result.findings)))
    for row in ledger.orders.values():
        if any(row.venue_order_id in line for line in result.findings):
            named.add(row.client_order_id)
    rows: list[tuple[int, str]] = []
    for record in world.journal.records:
        text = f"{type(record).__name__} {_plain(record)}"
        if not named or any(name in text for name in named):
            rows.append((_when(record) - world.start_ns, f"us     {text}"))
    for request in ledger.requests:
        if request.client_order_id in named:
            line = f"{request.method} {request.client_order_id} {request.outcome} {request.reason}"
            rows.append((request.at_ns - world.start_ns, f"venue  {line}"))
    rows.sort(key=lambda row: row[0])
    lines = [f"{at_ns / NS:10.4f} {line}"[:MAX_TEXT] for at_ns, line in rows]
    if len(lines) > MAX_LINES:
        half = MAX_LINES // 2
        lines[half:-half] = [f"... {len(lines) - 2 * half} lines more ..."]
    return [*result.findings, *lines]


def _when(record: Record) -> int:
    return record.approved_ns if isinstance(record, Approved) else record.recv_ns


def _plain(record: Record) -> str:
    found = msgspec.to_builtins(record.command if isinstance(record, Approved) else record)
    left_out: Sequence[str] = ("recv_ns", "account", "received_ns", "decoded_ns", "decided_ns")
    return " ".join(
        f"{key}={value}" for key, value in found.items() if value and key not in left_out
    )
