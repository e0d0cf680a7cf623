"""book: a live ladder in the terminal."""

import asyncio
from typing import Annotated

import typer
from rich.live import Live

from crosswire.app import views
from crosswire.app.cli import screen
from crosswire.app.cli.asking import Json
from crosswire.app.client import Client
from crosswire.app.config import Mode
from crosswire.app.connect import connect
from crosswire.app.errors import UserError
from crosswire.app.resident import in_own_loop

FRAME_S = 0.1


def book(
    venue: Annotated[str, typer.Argument(help="The venue's name.")],
    instrument: Annotated[str, typer.Argument(help="Such as BTC/USD.")],
    mode: Annotated[str, typer.Option(help="paper shows the real book, sim a simulated one.")] = (
        "paper"
    ),
    depth: Annotated[int, typer.Option(min=1, max=10, help="Levels a side.")] = 10,
    seconds: Annotated[float, typer.Option(help="End after so long; 0 = at Ctrl-C.")] = 0,
    json: Json = False,
) -> None:
    """Show an instrument's book as it moves; with --json, once."""
    modes: dict[str, Mode] = {"paper": "paper", "sim": "sim"}
    if mode not in modes:
        raise UserError(f'book --mode "{mode}": expected paper or sim')
    in_own_loop(_show(venue, instrument, modes[mode], depth, seconds, is_json=json))


async def _show(
    venue: str, instrument: str, mode: Mode, depth: int, seconds: float, *, is_json: bool
) -> None:
    async with connect(venue, mode=mode) as client:
        if is_json:
            screen.show_json(views.as_json(await client.book(instrument, depth=depth)))
        else:
            await _follow(client, instrument, depth, seconds)


async def _follow(client: Client, instrument: str, depth: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds if seconds else float("inf")
    first = await client.book(instrument, depth=depth)
    with Live(screen.ladder(first, depth), console=screen.out, refresh_per_second=10) as live:
        while loop.time() < until:
            await asyncio.sleep(FRAME_S)
            live.update(screen.ladder(await client.book(instrument, depth=depth), depth))


COMMANDS = (book,)
