"""A long run in virtual time, to see that nothing grows: a day's orders in an hour.

Our process trades on several pairs through light bad weather. Every so many virtual minutes the
containers that it holds are counted. What the simulator and the test remember does not count and
is forgotten on the way: the venue's ledger is trimmed and the journal is emptied.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from crosswire.sim.drill import Drill
from crosswire.sim.network import NetworkFaults
from crosswire.sim.world.process import AS_EVER
from crosswire.sim.world.scenario import MINUTE_NS, Scenario
from crosswire.sim.world.world import World
from crosswire.venues import NAMES
from crosswire.venues import venue as find

DAY_MINUTES = 24 * 60
KEPT_NS = 2 * MINUTE_NS  # of the simulator's rows: its look-ups reach back for as long
EVERY_MS = 360  # two takers each time, on four pairs: 1,000 orders a minute
LADDER_EVERY = 40
MOST_GROWTH = 0.1  # items an order: what leaks, leaks one for each order or for each fill
# Caches, and how much each may hold at most.
BOUNDS: Mapping[str, int] = MappingProxyType(
    {
        "OrderMemory.orders": 20_000,
        "OpenOrders._own_ids": 10_000,
        "Picture._instruments": 10_000,
        "Decoder.instruments": 10_000,
        "Once._fills": 20_000,
        "Once._rows": 20_000,
        "Frames._amended": 4_096,
        "Frames._plain_heads": 4_096,
        "Book._digits": 65_536,
        "Sent.client_order_ids": 2 * 4_096,
    }
)
WEATHER = Scenario(
    network=NetworkFaults(lost_after=0.0005, second_cut=0.001),
    venue={"drop_ack": 0.01, "place_late": 0.002, "omit_frame": 0.001},
    uses_batches=True,
)


class Sample(Struct, frozen=True):
    """What our process holds after so many virtual minutes."""

    minute: int
    orders: int  # of the minutes since the last sample
    held: Mapping[str, int]  # items in containers, by whose they are

    @property
    def total(self) -> int:
        """Items in all containers."""
        return sum(self.held.values())


def soak(minutes: int, *, venue: str = NAMES[0], seed: int = 1, every: int = 1) -> Iterator[Sample]:
    """Run for so many virtual minutes; yield a sample after every `every` of them."""
    quantities = find(venue).stage.instruments

    def drill(instrument: str) -> Drill:
        quantity = quantities[instrument.partition(":")[2]]
        return Drill(instrument, quantity, every_ms=EVERY_MS, redraw_every=LADDER_EVERY, takers=2)

    pairs = tuple(quantities)
    world = World(seed, venue, scenario=WEATHER, pairs=pairs, make_strategy=drill, rhythm=AS_EVER)
    world.begin()
    orders = 0
    for minute in range(1, minutes + 1):
        world.live_until(world.start_ns + minute * MINUTE_NS)
        orders += len(world.records.placed)
        world.forget(world.start_ns + minute * MINUTE_NS - KEPT_NS)
        if minute % every == 0:
            yield Sample(minute, orders, held_by(world))
            orders = 0


# --- what is held --------------------------------------------------------------------------------


def held_by(world: World) -> dict[str, int]:
    """Return how many items the containers of our process hold, by class and attribute."""
    process = world.process
    roots = (process.engine, process.login.session, process.feed.session)
    return count_items(roots)


def count_items(roots: tuple[object, ...]) -> dict[str, int]:
    """Add up the lengths of all containers that can be reached; the program's own objects only."""
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [(type(root).__name__, root) for root in roots]
    while waiting:
        name, found = waiting.pop()
        if isinstance(found, str | bytes | int | float | type | None) or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Mapping):
            counts[name] += len(found)
            waiting += [(name, key) for key in found]
            waiting += [(name, value) for value in found.values()]
        elif isinstance(found, list | set | frozenset | deque | tuple):
            counts[name] += len(found)
            waiting += [(name, item) for item in found]
        elif type(found).__module__.startswith("crosswire."):
            kind = type(found).__name__
            waiting += [(f"{kind}.{key}", value) for key, value in _fields(found)]
    return dict(counts)


def _fields(found: Any) -> Iterator[tuple[str, object]]:
    """An object's attributes, wherever they are kept."""
    yield from getattr(found, "__dict__", {}).items()
    names = {name for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ())}
    for name in (*names, *getattr(found, "__struct_fields__", ())):
        value = getattr(found, name, None)
        if value is not None:
            yield name, value


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what grew from a run's first half to its second, in items per order.

    The least of the one against the most of the other: what swings does not grow. Nor does what a
    cache holds within its bound.
    """
    middle = (len(samples) + 1) // 2
    early, late = samples[:middle], samples[middle:]
    found: dict[str, float] = {}
    for name in late[-1].held if late else ():
        most = max(sample.held.get(name, 0) for sample in early)
        least = min(sample.held.get(name, 0) for sample in late)
        if least > max(most, BOUNDS.get(name, 0)):
            found[name] = (least - most) / max(1, late[0].orders)
    return found


def is_growing(samples: Sequence[Sample]) -> bool:
    """Whether a process that goes on like this will have no memory left some day."""
    return sum(growth(samples).values()) > MOST_GROWTH
