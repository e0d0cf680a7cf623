"""Tick-to-trade and ingest: crosswire's own program path beside the floor and the peers."""

import sys
from typing import NamedTuple

from bench import build
from bench.figures import Row, Spread, spread
from bench.idle import Watch
from bench.race import Client, FailedError, Heat, run
from tests.sdk.environment import python_of
from tests.sdk.versions import CCXT

OURS = (sys.executable, "-m", "bench.clients.crosswire_bot", "{port}")
BUDGET_BLOCKING, BUDGET_SPINNING, BUDGET_RARE, TIMES_FASTER = 1.35, 2.0, 2.2, 3.0
BUDGET_INGEST, BUDGET_RESIDENT_MB = 400_000, 120


class Plan(NamedTuple):
    """How much is measured."""

    rounds: int
    ticks: int
    rare_ticks: int
    flood: int  # rounds of the ring of 256 updates
    watch: Watch


QUICK = Plan(rounds=2, ticks=800, rare_ticks=60, flood=200, watch=Watch(0.3))
FULL = Plan(rounds=7, ticks=3000, rare_ticks=300, flood=1500, watch=Watch(5))


def clients() -> tuple[list[Client], list[str]]:
    """Return the programs to compare, and why others are not there."""
    found, absent = (
        [Client("crosswire", (*OURS, "block")), Client("crosswire busy", (*OURS, "spin"))],
        [],
    )
    if floor := build.floor():
        found.insert(0, Client("C floor", (str(floor), "{port}", "block")))
        found.insert(1, Client("C floor busy", (str(floor), "{port}", "spin")))
    else:
        absent.append("C floor: no C compiler")
    websockets = (sys.executable, "-m", "bench.clients.websockets_json", "{port}")
    found.append(Client("websockets + json", websockets))
    try:
        python = python_of("ccxt", CCXT)
        found.append(Client("ccxt.pro", (str(python), "bench/clients/ccxt_pro.py", "{port}")))
    except RuntimeError as error:
        absent.append(f"ccxt.pro: {error}")
    return found, absent


class Raced(NamedTuple):
    """The heats of each client, and what went wrong."""

    heats: dict[str, list[Heat]]
    failures: list[str]

    def spread(self, name: str) -> Spread | None:
        """Return the client's times in µs, None if it never answered."""
        rounds = [heat.times_ns for heat in self.heats.get(name, []) if heat.times_ns]
        found = spread(rounds) if rounds else None
        return Spread(found.median / 1000, found.p99 / 1000) if found else None


def race(
    field: list[Client], rounds: int, watch: Watch, *words: str, venue: str = "bench.venue"
) -> Raced:
    """Run every client once a round, in an order that turns with the rounds."""
    raced = Raced({}, [])
    for turn in range(rounds):
        shift = turn % len(field)
        for client in [*field[shift:], *field[:shift]]:
            watch.wait()
            try:
                heat = run(client, *words, venue=venue)
            except FailedError as failure:
                raced.failures.append(f"{client.name}: {failure}")
                continue
            raced.heats.setdefault(client.name, []).append(heat)
            if heat.missed or heat.wrong:
                raced.failures.append(
                    f"{client.name}: {heat.missed} ticks unanswered, {heat.wrong} at a wrong price"
                )
    return raced


def tick_to_trade(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return the rows of the race at one tick per 300 µs, and remarks."""
    field, remarks = clients()
    raced = race(field, plan.rounds, plan.watch, "--count", str(plan.ticks))
    rows = []
    floors = {"": raced.spread("C floor"), " busy": raced.spread("C floor busy")}
    peer = raced.spread("ccxt.pro")
    for client in field:
        if not (times := raced.spread(client.name)):
            continue
        kind = " busy" if client.name.endswith(" busy") else ""
        floor, limit = floors[kind], BUDGET_SPINNING if kind else BUDGET_BLOCKING
        notes = [f"{times.median / floor.median:.2f} x the floor"] if floor else []
        if client.name == "crosswire" and peer:
            notes.append(f"{peer.median / times.median:.1f} x faster than ccxt.pro")
        is_ours = client.name.startswith("crosswire")
        budget = limit * floor.median if is_ours and floor else None
        name = f"tick to trade: {client.name}"
        rows.append(Row(name, times.median, "µs", times.p99, budget, note=", ".join(notes)))
    ours = raced.spread("crosswire")
    if ours and peer:
        faster = peer.median / ours.median
        rows.append(
            Row("times faster than ccxt.pro", faster, "x", None, TIMES_FASTER, is_at_least=True)
        )
    held = [heat.resident_kb / 1000 for heat in raced.heats.get("crosswire", [])]
    if held:
        rows.append(Row("memory of the idle bot", max(held), "MB", None, BUDGET_RESIDENT_MB))
    return rows, [*remarks, *raced.failures]


def rare_ticks(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return the rows at one tick per 10 ms: cold caches, a host that falls asleep."""
    field = [client for client in clients()[0] if client.name.endswith(" busy")]
    words = ("--count", str(plan.rare_ticks), "--warm", "20", "--interval-us", "10000")
    raced = race(field, max(1, plan.rounds // 2), plan.watch, *words)
    floor, rows = raced.spread("C floor busy"), []
    for client in field:
        if times := raced.spread(client.name):
            is_ours = client.name.startswith("crosswire")
            budget = BUDGET_RARE * floor.median if is_ours and floor else None
            note = f"{times.median / floor.median:.2f} x the floor" if floor else ""
            name = f"one tick per 10 ms: {client.name}"
            rows.append(Row(name, times.median, "µs", times.p99, budget, note=note))
    return rows, raced.failures


def ingest(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return messages per second through our session and book, checksums verified."""
    client = Client("crosswire", (*OURS, "count", str(plan.flood * 256)))
    rates = []
    for _ in range(max(2, plan.rounds // 2)):
        plan.watch.wait()
        try:
            said = run(client, "--flood", str(plan.flood), answers=True).said
        except FailedError as failure:
            return [], [f"ingest: {failure}"]
        if said["lost"]:
            return [], [f"ingest: {said['lost']} books were lost"]
        rates.append(said["messages"] / said["ns"] * 1e9)
    best = spread([rates]).median
    row = Row("ingest, checksums verified", best, "msg/s", None, BUDGET_INGEST, is_at_least=True)
    return [row], []
