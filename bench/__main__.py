"""`make bench`: measure, print the table, write the figures as JSON."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from bench import inside, path, trading
from bench.build import OUT, compiler
from bench.figures import Row, table
from bench.hyperliquid import inside as hyperliquid_inside
from bench.hyperliquid import latency
from bench.hyperliquid import path as hyperliquid_path
from bench.hyperliquid import trading as hyperliquid_trading
from bench.race import cores
from bench.trading import FULL, QUICK, Plan

Part = Callable[[Plan], tuple[list[Row], list[str]]]
PARTS: dict[str, Part] = {
    "inside": inside.rows,
    "path": path.rows,
    "hyperliquid": hyperliquid_inside.rows,
    "hyperliquid-path": hyperliquid_path.rows,
    "hyperliquid-trade": hyperliquid_trading.rows,
    "hyperliquid-latency": latency.rows,
    "trade": trading.tick_to_trade,
    "rare": trading.rare_ticks,
    "ingest": trading.ingest,
}


def main() -> int:
    """Run the parts asked for; 0 unless a program could not be run at all."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: two minutes")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone")
    parser.add_argument("--json", action="store_true", help="print the JSON instead of the table")
    words = parser.parse_args()
    plan = QUICK if words.quick else FULL
    rows: list[Row] = []
    remarks: list[str] = []
    for name in words.only or PARTS:
        print(f"measuring: {name} ...", file=sys.stderr, flush=True)
        found, said = PARTS[name](plan)
        rows += found
        remarks += said
    remarks += plan.watch.remarks()
    report = written(rows, remarks, is_quick=words.quick)
    print(report if words.json else f"{machine()}\n\n{table(rows)}")
    for remark in dict.fromkeys(remarks):
        print(f"note: {remark}", file=sys.stderr)
    return 0 if rows else 1


def machine() -> str:
    """Return what it ran on, in a line."""
    client, server = cores()
    pinned = (
        f"client on core {client}, server on core {server}" if server is not None else "unpinned"
    )
    python = platform.python_version()
    return f"{platform.machine()}, {os.cpu_count()} cores, {pinned}, Python {python}, " + (
        "server and floor in C" if compiler() else "no C compiler: server in Python, no floor"
    )


def written(rows: list[Row], remarks: list[str], *, is_quick: bool) -> str:
    """Write the figures to bench/out and return the text."""
    now = datetime.now(UTC)
    report = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "is_quick": is_quick,
        "rows": [{**row._asdict(), "verdict": row.verdict} for row in rows],
        "remarks": remarks,
    }
    text = json.dumps(report, ensure_ascii=False, indent=1)
    OUT.mkdir(exist_ok=True)
    (OUT / f"{now:%Y%m%d-%H%M%S}.json").write_text(text + "\n", "utf-8")
    return text


if __name__ == "__main__":
    sys.exit(main())
