"""`make sdk-test`: each SDK in an environment of its own, against our simulator in its process."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.sdk.environment import ROOT, python_of
from tests.sdk.versions import CCXT, PYTHON_KRAKEN_SDK

LIMIT_S = 300


class Suite(NamedTuple):
    """The cases of one SDK, and what must be installed for them."""

    module: str
    environment: str
    package: str


SUITES = (
    Suite("kraken_rest", "kraken", PYTHON_KRAKEN_SDK),
    Suite("kraken_ws", "kraken", PYTHON_KRAKEN_SDK),
    Suite("ccxt_pro", "ccxt", CCXT),
)


@contextmanager
def hosted() -> Iterator[str]:
    """Host a fresh simulator in a process of its own; gives where it is, as JSON."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    host = subprocess.Popen(
        [sys.executable, "-m", "tests.sdk.host"],
        cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert host.stdout is not None
        yield host.stdout.readline()
    finally:
        host.kill()
        host.communicate()


def run(suite: Suite) -> tuple[int, int]:
    """Run one SDK's cases; return how many passed and how many failed."""
    python = python_of(suite.environment, suite.package)
    with hosted() as place:
        if not place:
            print(f"FAIL {suite.module}: the simulator did not start")
            return 0, 1
        command = [str(python), "-m", f"tests.sdk.{suite.module}", place]
        cases = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE)
        passed = failed = 0
        is_whole = False
        assert cases.stdout is not None
        for line in cases.stdout:
            if line.startswith('{"passed"'):
                is_whole = True
                continue
            print(line, end="", flush=True)
            passed += line.startswith("ok ")
            failed += line.startswith("FAIL")
        cases.wait(LIMIT_S)
    if not is_whole:
        print(f"FAIL {suite.module}: ended before its last case")
        failed += 1
    return passed, failed


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
