"""The demo's screen: each venue's ladder with our orders in it, and what they have come to."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crosswire import fixed
from crosswire.app import views
from crosswire.app.cli import screen
from crosswire.app.demo import Scene
from crosswire.app.judging import Part
from crosswire.app.stages import spread

ROWS = 10
FILLS = 6
LINES = (
    ("orders_sent", "orders sent"),
    ("amends", "amends"),
    ("cancels", "cancels"),
    ("fills", "fills"),
    ("double_sends", "orders sent twice"),
    ("lost_fills", "fills lost"),
    ("phantom_fills", "fills that never were"),
    ("doubts", "outcomes that were in doubt"),
    ("doubts_settled", "how they were settled"),
    ("doubts_open", "outcomes still in doubt"),
    ("fallbacks", "requests sent by the second transport"),
    ("breaker_openings", "transports that were given a rest"),
    ("corrections", "corrections by what the venue says"),
    ("checksum_failures", "books that did not add up"),
    ("position_matches_venue", "position matches the venue's"),
    ("cash_matches_venue", "cash matches the venue's"),
    ("still_quoting", "quoting to the end"),
    ("all_orders_done", "every order done at the end"),
)


def draw(scene: Scene) -> RenderableType:
    """One frame of the live view."""
    rest = f"{scene.seconds_left:.0f} s left" if scene.seconds_left else "settling what is open"
    latency = spread(scene.trader.tick_to_trade_ns)
    ticks = f"tick to trade p50 {latency['p50']} µs, p99 {latency['p99']} µs"
    rows = ROWS if len(scene.parts) == 1 else ROWS // 2
    shown = [_part(scene, part, rows) for part in scene.parts]
    return Group(Text(f"{rest}; {ticks}", style="bold"), *shown)


def _part(scene: Scene, part: Part, rows: int) -> RenderableType:
    """One venue's half of it."""
    book = scene.trader.engine.books.get(part.instrument_id)
    if book is None:
        return Panel(Text(f"{part.venue}: connecting ..."), expand=False)
    shown = views.book_view(book, scene.trader.now_ns(), rows)
    ladder = screen.ladder(shown, rows, _marks(scene, part))
    beside = Group(_orders(scene, part, rows), _money(scene, part, rows))
    return Group(Text(f"{part.venue}, simulated", style="bold"), Columns([ladder, beside]))


def _marks(scene: Scene, part: Part) -> dict[Decimal, Decimal]:
    marks: dict[Decimal, Decimal] = {}
    for order in scene.trader.engine.orders.open_at(part.account, part.instrument_id):
        if order.price is not None and order.is_open:
            price = fixed.to_decimal(order.price)
            marks[price] = marks.get(price, Decimal(0)) + fixed.to_decimal(order.remaining)
    return marks


def _orders(scene: Scene, part: Part, rows: int) -> Table:
    made = Table(title="our orders", title_justify="left", show_edge=False)
    for column in ("side", "price", "left", "stage", "in flight"):
        made.add_column(column, justify="right" if column in ("price", "left") else "left")
    found = scene.trader.engine.orders.open_at(part.account, part.instrument_id)
    for order in sorted(found, key=lambda order: -(order.price or 0))[: 2 * rows]:
        made.add_row(
            Text(order.side, style="green" if order.side == "buy" else "red"),
            fixed.text(order.price or 0),
            fixed.text(order.remaining),
            order.stage,
            " ".join(request.kind for request in order.requests.values()),
        )
    return made


def _money(scene: Scene, part: Part, rows: int) -> Table:
    engine, name, account = scene.trader.engine, part.instrument_id, part.account
    made = Table.grid(padding=(0, 2))
    position = views.position_view(
        name, engine.positions.get(account, name), engine.risk.mark(name)
    )
    made.add_row("position", f"{position.quantity:f}")
    made.add_row("realised", f"{position.realised:.2f}")
    if position.unrealised is not None:
        made.add_row("unrealised", f"{position.unrealised:.2f}")
    for asset, fee in position.fees.items():
        made.add_row("fees", f"{fee:.2f} {asset}")
    told = scene.trader.statistics(account)
    made.add_row("orders go by", str(told.get("transport_mode", "")))
    made.add_row("doubts open", str(engine.orders.doubts(account)))
    made.add_row("fills", str(len(part.booked)))
    for fill in part.booked[-(FILLS * rows // ROWS) :]:
        price, quantity = fixed.text(fill.price), fixed.text(fill.quantity)
        made.add_row("", f"{fill.side} {quantity} @ {price} {fill.liquidity}")
    return made


def summary(verdict: Mapping[str, Any]) -> RenderableType:
    """The closing summary: counted from the simulators' ledgers, a column for each venue."""
    made = Table(title="counted from the venue's ledger", title_justify="left")
    columns: list[Mapping[str, Any]] = list(verdict["venues"].values())
    made.add_column("")
    for name in verdict["venues"]:
        made.add_column(name)
    if len(columns) > 1:
        columns.append(verdict)
        made.add_column("together")
    for name, words in LINES:
        made.add_row(words, *(_words(column[name]) for column in columns))
    ticks = [column["tick_to_trade_us"] for column in columns]
    made.add_row(
        "tick to trade", *(f"p50 {each['p50']} µs, p99 {each['p99']} µs" for each in ticks)
    )
    parts: list[RenderableType] = [made]
    parts += [Text(f"- {line}", style="red") for line in verdict["findings"]]
    return Group(*parts)


def _latency(spread_us: Mapping[str, float]) -> str:
    return f"p50 {spread_us['p50']} µs, p99 {spread_us['p99']} µs"


def _words(value: Any) -> str:
    """A claim, a number, or several by name."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none was"
    return str(value)
