"""Tick-to-trade on Hyperliquid: a new top in, the signed order that replaces the last one out."""

import sys

from bench import build
from bench.figures import Row
from bench.hyperliquid.inside import sdk_python
from bench.hyperliquid.venue import ADDRESS, SECRET
from bench.race import Client
from bench.trading import Plan, Raced, race
from tests.sdk.environment import python_of
from tests.sdk.versions import CCXT, COINCURVE

VENUE = "bench.hyperliquid.venue"
OURS = (sys.executable, "-m", "bench.clients.crosswire_hyperliquid", "{port}")
FLOOR, PEERS = "C floor that signs", ("ccxt.pro", "the SDK", "the SDK with coincurve")
TIMES_FLOOR, TIMES_FASTER = 1.35, 30.0
INTERVAL_US = "700"  # the simulated venue takes a third of a millisecond for an order
SLOW = 20  # a peer that takes milliseconds gets this part of the ticks


def clients() -> tuple[list[Client], list[Client], list[str]]:
    """Return the quick programs and the slow ones, and why others are not there."""
    quick, slow, absent = [Client("crosswire", (*OURS, "block"))], [], []
    try:
        program, library = build.signing_floor()
        quick.insert(0, Client(FLOOR, (program, "{port}", "block", library)))
    except RuntimeError as error:
        absent.append(f"Hyperliquid's floor: {error}")
    try:
        python = str(python_of("ccxt", CCXT))
        words = ("bench/clients/hyperliquid_ccxt.py", "{port}", SECRET, ADDRESS)
        slow.append(Client(PEERS[0], (python, *words)))
    except RuntimeError as error:
        absent.append(f"ccxt.pro: {error}")
    for name, packages in zip(PEERS[1:], ((), (COINCURVE,)), strict=True):
        try:
            words = (sdk_python(*packages), "bench/clients/hyperliquid_sdk.py", "{port}", SECRET)
            slow.append(Client(name, words))
        except RuntimeError as error:
            absent.append(f"{name}: {error}")
    return quick, slow, absent


def raced(plan: Plan) -> tuple[Raced, list[str]]:
    """Run all of them in turn, round by round."""
    quick, slow, absent = clients()
    whole = Raced({}, absent)
    for _ in range(plan.rounds):
        for field, part in ((quick, 1), (slow, SLOW)):
            words = ("--count", str(plan.ticks // part), "--warm", str(300 // part))
            one = race(field, 1, plan.watch, *words, "--interval-us", INTERVAL_US, venue=VENUE)
            whole.failures.extend(one.failures)
            for name, heats in one.heats.items():
                whole.heats.setdefault(name, []).extend(heats)
    return whole, whole.failures


def rows(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return the rows of the race, and remarks."""
    found, remarks = raced(plan)
    floor, ours, made = found.spread(FLOOR), found.spread("crosswire"), []
    for name in (FLOOR, "crosswire", *PEERS):
        if not (times := found.spread(name)):
            continue
        is_ours = name == "crosswire"
        budget = TIMES_FLOOR * floor.median if is_ours and floor else None
        notes = [f"{times.median / floor.median:.2f} x the floor"] if floor else []
        if name == PEERS[0]:
            notes.append("whole books: it has no bbo")
        row = Row(
            f"Hyperliquid tick to signed trade: {name}", times.median, "µs", times.p99, budget,
            note=", ".join(notes),
        )  # fmt: skip
        made.append(row)
    for name in PEERS:
        if ours and (times := found.spread(name)):
            faster = times.median / ours.median
            is_bound = name != PEERS[2]
            made.append(
                Row(
                    f"times faster than {name}", faster, "x", None,
                    TIMES_FASTER if is_bound else None, is_at_least=True,
                )
            )  # fmt: skip
    return made, remarks
