"""`make sdk-test`: each SDK in an environment of its own, against our simulator in its process."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from tests.sdk.environment import ROOT, python_of
from tests.sdk.versions import CCXT, HYPERLIQUID_SDK, PYTHON_KRAKEN_SDK

LIMIT_S = 300


class Suite(NamedTuple):
    """The cases of one SDK, and what must be installed for them."""

    module: str
    venue: str
    environment: str
    package: str


SUITES = (
    Suite("kraken_rest", "kraken", "kraken", PYTHON_KRAKEN_SDK),
    Suite("kraken_ws", "kraken", "kraken", PYTHON_KRAKEN_SDK),
    Suite("ccxt_pro", "kraken", "ccxt", CCXT),
    Suite("hyperliquid_exchange", "hyperliquid", "hyperliquid", HYPERLIQUID_SDK),
    Suite("hyperliquid_info", "hyperliquid", "hyperliquid", HYPERLIQUID_SDK),
    Suite("hyperliquid_ccxt", "hyperliquid", "ccxt", CCXT),
)


@contextmanager
def hosted(venue: str) -> Iterator[str]:
    """Host a fresh simulator in a process of its own; gives where it is, as JSON."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    host = subprocess.Popen(
        [sys.executable, "-m", "tests.sdk.host", venue],
        cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert host.stdout is not None
        yield host.stdout.readline()
    finally:
        host.kill()
        host.communicate()


def last_line(errors: IO[str]) -> str:
    """Return the last thing a program said about its end."""
    errors.seek(0)
    return (errors.read().strip().splitlines() or ["without a word"])[-1]


def run(suite: Suite) -> tuple[int, int]:
    """Run one SDK's cases; return how many passed and how many failed."""
    python = python_of(suite.environment, suite.package)
    with hosted(suite.venue) as place, tempfile.TemporaryFile("w+") as errors:
        if not place:
            print(f"FAIL {suite.module}: the simulator did not start")
            return 0, 1
        command = [str(python), "-m", f"tests.sdk.{suite.module}", place]
        # The SDKs log every reconnection; of that, the last line counts if they end too early.
        cases = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=errors
        )
        assert cases.stdout is not None
        passed, failed, is_whole = count(cases.stdout)
        cases.wait(LIMIT_S)
        if not is_whole:
            print(f"FAIL {suite.module}: ended before its last case: {last_line(errors)}")
        return passed, failed + (not is_whole)


def count(lines: Iterable[str]) -> tuple[int, int, bool]:
    """Show the cases as they come; return passed, failed, and whether the sum came at the end."""
    passed = failed = 0
    for line in lines:
        if line.startswith('{"passed"'):
            return passed, failed, True
        print(line, end="", flush=True)
        passed += line.startswith("ok ")
        failed += line.startswith("FAIL")
    return passed, failed, False


def main() -> int:
    """Run the suites asked for; the last line is the sum."""
    parser = argparse.ArgumentParser(prog="make sdk-test", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"of {', '.join(s.module for s in SUITES)}")
    words = parser.parse_args()
    passed = failed = 0
    for suite in SUITES:
        if words.only and suite.module not in words.only:
            continue
        print(f"-- {suite.package}: {suite.module}", flush=True)
        try:
            good, bad = run(suite)
        except RuntimeError as error:
            print(f"FAIL {suite.module}: {error}")
            good, bad = 0, 1
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
