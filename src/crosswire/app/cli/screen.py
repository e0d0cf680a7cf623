"""Where everything that people read is drawn: tables, the live ladder, one-line complaints."""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import structlog
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crosswire.app.views import BookView

BAR = 18  # characters of the longest quantity bar
LEVEL_NAMES = {"quiet": logging.WARNING, "normal": logging.INFO}

# A file or a pipe has no width of its own, and a table cut short is of no use there.
WIDTH = None if sys.stdout.isatty() else 200
out = Console(highlight=False, width=WIDTH)
err = Console(stderr=True, highlight=False)


def quiet_logs(level: str = "quiet") -> None:
    """Send every log line to stderr, so that stdout is the command's own."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("crosswire").setLevel(LEVEL_NAMES[level])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVEL_NAMES[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def complain(lines: Sequence[str]) -> None:
    """Write errors, one line each, never wrapped."""
    for line in lines:
        err.print(Text(f"error: {line}", style="bold red"), soft_wrap=True)


def say(text: str) -> None:
    """Write one line for people."""
    out.print(text, soft_wrap=True, markup=False)


def show_json(value: Mapping[str, Any]) -> None:
    """Write one JSON object as one line."""
    sys.stdout.write(json.dumps(value, default=str) + "\n")
    sys.stdout.flush()


def table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """A table of some columns of the rows."""
    made = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        is_id = column.endswith("_id")
        is_number = column in ("quantity", "filled", "price", "average_price", "fee", "realised")
        made.add_column(
            column.replace("_", " "), justify="right" if is_number else "left", no_wrap=is_id
        )
    for row in rows:
        made.add_row(*(_cell(row.get(column)) for column in columns))
    return made


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def pairs(title: str, values: Mapping[str, Any]) -> Table:
    """A table of names and values, nested ones flattened with a dot."""
    made = Table(title=title, title_justify="left", show_header=False, show_edge=False)
    for name, value in _flat("", values):
        made.add_row(name, _cell(value))
    return made


def _flat(prefix: str, values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(f"{prefix}{name}.", value)
        elif not isinstance(value, list):
            found.append((f"{prefix}{name}", value))
    return found


def ladder(
    book: BookView, rows: int, marks: Mapping[Decimal, Decimal] | None = None
) -> RenderableType:
    """The book as a ladder, asks above bids; `marks` are our own quantities by price."""
    made = Table.grid(padding=(0, 1))
    made.add_column(justify="right")
    made.add_column(justify="right")
    made.add_column()
    made.add_column()
    most = max((quantity for _, quantity in (*book.bids, *book.asks)), default=Decimal(1))
    digits = _decimals([price for price, _ in (*book.bids, *book.asks)])
    for price, quantity in reversed(book.asks[:rows]):
        made.add_row(*_rung(price, quantity, most, "red", marks or {}, digits))
    made.add_row("", Text(_gap(book), style="dim"), "", "")
    for price, quantity in book.bids[:rows]:
        made.add_row(*_rung(price, quantity, most, "green", marks or {}, digits))
    state = "live" if book.is_valid else "waiting for the book"
    return Panel(made, title=f"{book.instrument} ({state})", expand=False)


def _decimals(numbers: Sequence[Decimal]) -> int:
    """The most decimals that any of them has, so that all can be written alike."""
    return max((len(f"{number:f}".partition(".")[2]) for number in numbers), default=0)


def _rung(
    price: Decimal,
    quantity: Decimal,
    most: Decimal,
    colour: str,
    marks: Mapping[Decimal, Decimal],
    digits: int,
) -> tuple[Text, Text, Text, Text]:
    length = max(1, int(quantity / most * BAR)) if most else 1
    ours = marks.get(price)
    return (
        Text(f"{quantity:f}"),
        Text(f"{price:.{digits}f}", style=colour),
        Text("█" * length, style=colour),
        Text(f"◀ {ours:f}" if ours else "", style="bold yellow"),
    )


def _gap(book: BookView) -> str:
    if book.best_bid is None or book.best_ask is None:
        return "one side is empty"
    return f"spread {book.best_ask - book.best_bid:f}"


def together(*parts: RenderableType) -> Group:
    """Several things one below the other."""
    return Group(*parts)
