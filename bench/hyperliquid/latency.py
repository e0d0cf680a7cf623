"""Orders by post beside orders by REST: from placing to accepted, on the hosted simulator.

Both ways wait for the same block, so with blocks of the usual length they take what a block takes;
with blocks of no length what is left is the way there and back.
"""

import json
import os
import subprocess
import sys

from bench.figures import Row, Spread, spread
from bench.race import ROOT, cores
from bench.trading import Plan
from crosswire.venues.hyperliquid.simulator.simulator import BLOCK_NS

BLOCK_MS = BLOCK_NS // 1_000_000
HOST, CLIENT = "bench.hyperliquid.host", "bench.clients.crosswire_latency"
LIMIT_S = 120
MOST_ORDERS = 250  # placed and cancelled by REST: what an IP may ask in a minute is 1,200
WORDS = {"ws": "by WebSocket post", "rest": "by REST"}


def rows(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return a row for each way and length of a block, and remarks."""
    found: list[Row] = []
    quick = min(MOST_ORDERS, plan.ticks // 4)
    for block_ms, count in ((BLOCK_MS, max(8, plan.ticks // 100)), (0, quick)):
        plan.watch.wait()
        try:
            times = measured(block_ms, count)
        except RuntimeError as error:
            return found, [f"order latency: {error}"]
        for name, taken in times.items():
            ratio = times["rest"].median / taken.median
            found.append(
                Row(
                    f"Hyperliquid order to accepted {WORDS[name]}, blocks of {block_ms} ms",
                    taken.median, "µs", taken.p99,
                    note="" if name == "rest" else f"REST takes {ratio:.2f} x as long",
                )
            )  # fmt: skip
    return found, []


def measured(block_ms: int, count: int) -> dict[str, Spread]:
    """Return the times by transport, in µs; `RuntimeError` with the last line of who failed."""
    host = _start(cores()[1], HOST, str(block_ms))
    try:
        assert host.stdout is not None
        line = host.stdout.readline()
        if not line:
            raise RuntimeError(_last_words(host))
        client = _start(cores()[0], CLIENT, str(json.loads(line)["port"]), str(count))
        out, errors = client.communicate(timeout=LIMIT_S)
    finally:
        host.kill()
        host.communicate()
    if client.returncode:
        raise RuntimeError((errors.strip().splitlines() or ["ended without a word"])[-1])
    said: dict[str, list[int]] = json.loads(out.strip().splitlines()[-1])["times_ns"]
    return {name: spread([[each / 1000 for each in times]]) for name, times in said.items()}


def _start(core: int | None, module: str, *words: str) -> subprocess.Popen[str]:
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    return subprocess.Popen(
        [*pinned, sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _last_words(process: subprocess.Popen[str]) -> str:
    errors = process.communicate()[1]
    return (errors.strip().splitlines() or ["the host did not start"])[-1]
