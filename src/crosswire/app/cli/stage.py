"""The demo's screen: the ladder with our orders in it, and what they have come to."""

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
    engine = scene.trader.engine
    name = f"{scene.venue}:{scene.instrument}"
    book = engine.books.get(name)
    if book is None:
        return Panel(Text("connecting ..."), expand=False)
    shown = views.book_view(book, scene.trader.now_ns(), ROWS)
    rest = f"{scene.seconds_left:.0f} s left" if scene.seconds_left else "settling what is open"
    left = Text(f"{scene.venue}, simulated; {rest}", style="bold")
    ladder = screen.ladder(shown, ROWS, _marks(scene, name))
    return Group(left, Columns([ladder, Group(_orders(scene, name), _money(scene, name))]))


def _marks(scene: Scene, name: str) -> dict[Decimal, Decimal]:
    marks: dict[Decimal, Decimal] = {}
    for account in scene.trader.config.accounts:
        for order in scene.trader.engine.orders.open_at(account, name):
            if order.price is not None and order.is_open:
                price = fixed.to_decimal(order.price)
                marks[price] = marks.get(price, Decimal(0)) + fixed.to_decimal(order.remaining)
    return marks


def _orders(scene: Scene, name: str) -> Table:
    made = Table(title="our orders", title_justify="left", show_edge=False)
    for column in ("side", "price", "left", "stage", "in flight"):
        made.add_column(column, justify="right" if column in ("price", "left") else "left")
    for account in scene.trader.config.accounts:
        orders = sorted(
            scene.trader.engine.orders.open_at(account, name), key=lambda o: -(o.price or 0)
        )
        for order in orders[: 2 * ROWS]:
            made.add_row(
                Text(order.side, style="green" if order.side == "buy" else "red"),
                fixed.text(order.price or 0),
                fixed.text(order.remaining),
                order.stage,
                " ".join(request.kind for request in order.requests.values()),
            )
    return made


def _money(scene: Scene, name: str) -> Table:
    engine = scene.trader.engine
    made = Table.grid(padding=(0, 2))
    for account in scene.trader.config.accounts:
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
        made.add_row("doubts", f"{engine.orders.doubts(account)} of {told.get('doubts_opened', 0)}")
    latency = spread(scene.trader.tick_to_trade_ns)
    made.add_row("tick to trade", f"p50 {latency['p50']} µs, p99 {latency['p99']} µs")
    made.add_row("fills", str(len(scene.booked)))
    for fill in scene.booked[-FILLS:]:
        price, quantity = fixed.text(fill.price), fixed.text(fill.quantity)
        made.add_row("", f"{fill.side} {quantity} @ {price} {fill.liquidity}")
    return made


def summary(verdict: Mapping[str, Any]) -> RenderableType:
    """The closing summary: counted from the simulator's ledger."""
    made = Table(title="counted from the venue's ledger", title_justify="left", show_header=False)
    for name, words in LINES:
        made.add_row(words, _words(verdict[name]))
    latency = verdict["tick_to_trade_us"]
    made.add_row("tick to trade", f"p50 {latency['p50']} µs, p99 {latency['p99']} µs")
    parts: list[RenderableType] = [made]
    parts += [Text(f"- {line}", style="red") for line in verdict["findings"]]
    return Group(*parts)


def _words(value: Any) -> str:
    """A claim, a number, or several by name."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none was"
    return str(value)
