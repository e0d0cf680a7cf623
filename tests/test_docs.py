"""The documents say what the program does."""

from pathlib import Path

from crosswire import venues
from crosswire.app.accounts import DEAD_MAN_NS
from crosswire.app.config import ExecutionSection, ReconcileSection
from crosswire.app.live import STOP_S
from crosswire.orders.orders import PATIENCE
from crosswire.orders.table import STAGES, TABLE

DOCS = Path(__file__).parent.parent / "docs"
EXACTLY_ONCE = (DOCS / "exactly-once.md").read_text(encoding="utf-8")
START, END = "<!-- orders/table.py -->\n", "<!-- end -->"
SECOND_NS = 1_000_000_000


def drawn() -> list[list[str]]:
    """The order table as the program has it: a row of words for each stage."""
    events = [kind.__name__ for kind in TABLE["SENDING"]]
    rows: list[list[str]] = [["", *events]]
    rows += [[stage, *(TABLE[stage][kind] for kind in TABLE["SENDING"])] for stage in STAGES]
    return rows


def test_the_order_table_is_the_literal() -> None:
    shown = EXACTLY_ONCE.partition(START)[2].partition(END)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown]
    assert set("".join(rows.pop(1))) == {"-"}
    assert rows == drawn()


def test_the_numbers_are_the_programs() -> None:
    found = venues.venue("kraken").capabilities
    reconcile = ReconcileSection()
    execution = ExecutionSection()
    assert f"deadline ({found.bound_ns // SECOND_NS} s)" in EXACTLY_ONCE
    assert f"can't trail any more ({found.read_lag_ns // SECOND_NS} s)" in EXACTLY_ONCE
    assert f"trail by no more than {found.read_lag_ns // SECOND_NS} s" in EXACTLY_ONCE
    assert f"open orders every {reconcile.orders_every // SECOND_NS} s" in EXACTLY_ONCE
    assert f"fills every {reconcile.balances_every // SECOND_NS} s" in EXACTLY_ONCE
    assert execution.max_consecutive_failures == 5  # "Five faults in a row ...
    assert execution.failure_cooldown == 60 * SECOND_NS  # ... for a minute"
    assert f"switch ({DEAD_MAN_NS // SECOND_NS} s)" in EXACTLY_ONCE.replace("\n", " ")
    assert PATIENCE == 4  # "four times as late"
    assert f"waits {STOP_S:g} s for the proofs" in EXACTLY_ONCE


def test_each_mark_of_what_nobody_has_seen_is_explained() -> None:
    assert "`[?]` marks what nobody has seen" in EXACTLY_ONCE
    assert EXACTLY_ONCE.count("[?]") > 4
