"""What the measurements come to: medians of rounds, budgets, and the table."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table. A budget is an upper limit, or a lower one where `is_at_least`."""

    name: str
    value: float
    unit: str
    p99: float | None = None
    budget: float | None = None
    is_at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """PASS, or MISS and by how much; empty where there is no budget."""
        if self.budget is None:
            return ""
        over = self.budget / self.value if self.is_at_least else self.value / self.budget
        return "PASS" if over <= 1 else f"MISS by {100 * (over - 1):.0f} %"


class Spread(NamedTuple):
    """Median and 99th percentile, each the median over the rounds."""

    median: float
    p99: float


def spread(rounds: Sequence[Sequence[float]]) -> Spread:
    """Return the median of the rounds' medians and of their 99th percentiles."""
    medians = [statistics.median(times) for times in rounds]
    tails = [sorted(times)[int(len(times) * 0.99)] for times in rounds]
    return Spread(statistics.median(medians), statistics.median(tails))


def number(value: float) -> str:
    """Return a number with about three figures that say something."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, columns aligned."""
    lines = [("what", "median", "p99", "unit", "budget", "verdict", "note")]
    for row in rows:
        sign = ">=" if row.is_at_least else "<="
        lines.append(
            (
                row.name,
                number(row.value),
                "" if row.p99 is None else number(row.p99),
                row.unit,
                "" if row.budget is None else f"{sign} {number(row.budget)}",
                row.verdict,
                row.note,
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    right = {1, 2}
    texts = [
        "  ".join(
            cell.rjust(widths[column]) if column in right else cell.ljust(widths[column])
            for column, cell in enumerate(line)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([texts[0], "-" * max(map(len, texts)), *texts[1:]])
