"""What the cases of every SDK share: where the simulator is, and how a case is told.

Imported in foreign environments: nothing but the standard library.
"""

import json
import sys
import traceback
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

PAIR, WS_PAIR = "XBTUSD", "BTC/USD"


class Place(NamedTuple):
    """Where the simulator and its switches are, and the keys it knows."""

    host: str  # "127.0.0.1:1234"
    control: str  # the same for the switches
    logins: list[list[str]]  # key, secret; each with a rate counter of its own

    @property
    def http(self) -> str:
        """The base of its REST calls."""
        return f"http://{self.host}"

    @property
    def ws(self) -> str:
        """The base of its sockets."""
        return f"ws://{self.host}"

    def switch(self, what: str) -> Any:
        """Ask the simulator's host for something no client could do: strike a fault, skip time."""
        address = f"http://{self.control}/{urllib.parse.quote(what)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)

    def ledger(self) -> Any:
        """Return everything that the simulator saw and did."""
        with urllib.request.urlopen(f"{self.http}/_ledger", timeout=10) as answer:
            return json.load(answer)


def place() -> Place:
    """Return the place that the runner named on the command line."""
    return Place(**json.loads(sys.argv[1]))


class Report:
    """Tells each case in a line: the SDK's method and what it saw."""

    def __init__(self, sdk: str) -> None:
        self.sdk = sdk
        self.passed = self.failed = 0

    def _told(self, name: str, saw: object, *, is_passed: bool) -> None:
        self.passed += is_passed
        self.failed += not is_passed
        text = " ".join(str(saw).split())
        print(f"{'ok  ' if is_passed else 'FAIL'} {self.sdk} {name}: {text[:300]}", flush=True)

    def _broke(self, name: str, error: Exception) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__} {error} ({where.name}, line {where.lineno})"
        self._told(name, text, is_passed=False)

    def case(self, name: str, run: Callable[[], object]) -> None:
        """Run one case; what it returns is what it saw."""
        try:
            self._told(name, run(), is_passed=True)
        except Exception as error:
            self._broke(name, error)

    async def wait(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        """The same for a case that waits."""
        try:
            self._told(name, await run(), is_passed=True)
        except Exception as error:
            self._broke(name, error)

    def refused(self, name: str, text: str, run: Callable[[], object]) -> None:
        """Run one case that must be refused with this text."""
        try:
            saw = run()
        except Exception as error:
            self._told(name, f"{type(error).__name__}: {error}", is_passed=text in str(error))
        else:
            self._told(name, f"not refused: {saw}", is_passed=False)

    def end(self) -> None:
        """Print the sum and leave."""
        print(json.dumps({"passed": self.passed, "failed": self.failed}), flush=True)
        sys.exit(1 if self.failed else 0)
