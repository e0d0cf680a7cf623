"""A round starts when the machine is idle; where it never is, the report says so."""

import time
from pathlib import Path

STAT = Path("/proc/stat")
LOOK_S = 0.1
BUSY = 0.15  # of all cores together


class Watch:
    """Waits for quiet, and counts the times it waited in vain."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self.rounds = self.busy = 0

    def wait(self) -> None:
        """Return once the machine is idle, or when patience is at its end."""
        self.rounds += 1
        until = time.monotonic() + self.patience_s
        while _load() > BUSY:
            if time.monotonic() > until:
                self.busy += 1
                return

    def remarks(self) -> list[str]:
        """Return what a reader of the figures should know."""
        if not self.busy:
            return []
        text = f"the machine was busy at the start of {self.busy} of {self.rounds} rounds"
        return [f"{text}: trust the ratios, not the times"]


def _load() -> float:
    """Return how busy the machine is, 0 to 1, over a short while; 0 where it does not tell."""
    if not STAT.exists():
        return 0.0
    before = _jiffies()
    time.sleep(LOOK_S)
    after = _jiffies()
    idle, total = after[0] - before[0], after[1] - before[1]
    return 1 - idle / total if total else 0.0


def _jiffies() -> tuple[int, int]:
    numbers = [int(word) for word in STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)
