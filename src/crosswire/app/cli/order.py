"""order place | amend | cancel | list | explain."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from crosswire.app import config as configs
from crosswire.app import life
from crosswire.app.cli import screen
from crosswire.app.cli.asking import DEFAULT_FILE, AccountOption, FileOption, Json, ask
from crosswire.app.errors import UserError

app = typer.Typer(help="Place, change and explain orders.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="Our id of the order, or the venue's.")]
COLUMNS = (
    "client_order_id",
    "instrument",
    "side",
    "quantity",
    "price",
    "filled",
    "status",
    "in_doubt_s",
    "reason",
)


@app.command()
def place(
    instrument: Annotated[str, typer.Argument(help="Such as BTC/USD.")],
    side: Annotated[str, typer.Argument(help="buy or sell.")],
    quantity: Annotated[str, typer.Argument(help="Such as 0.01.")],
    limit: Annotated[str, typer.Option(help="The limit price; none = a market order.")] = "",
    post_only: Annotated[bool, typer.Option("--post-only", help="Never take.")] = False,
    time_in_force: Annotated[str, typer.Option(help="gtc, ioc or fok.")] = "gtc",
    config: FileOption = DEFAULT_FILE,
    account: AccountOption = "",
    json: Json = False,
) -> None:
    """Place one order and show how it stands once the venue has answered."""
    request = {
        "ask": "place",
        "account": account,
        "instrument": instrument,
        "side": side,
        "quantity": quantity,
        "limit": limit or None,
        "post_only": post_only,
        "time_in_force": time_in_force,
    }
    _show(ask(config, request), json)


@app.command()
def amend(
    order_id: Id,
    limit: Annotated[str, typer.Option(help="The new price.")] = "",
    quantity: Annotated[str, typer.Option(help="The new total, fills included.")] = "",
    config: FileOption = DEFAULT_FILE,
    account: AccountOption = "",
    json: Json = False,
) -> None:
    """Change an order's price or total quantity."""
    request = {"ask": "amend", "account": account, "id": order_id}
    _show(ask(config, {**request, "limit": limit or None, "quantity": quantity or None}), json)


@app.command()
def cancel(
    order_id: Annotated[str, typer.Argument(help="Our id of the order, or the venue's.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Every open order of the account.")
    ] = False,
    config: FileOption = DEFAULT_FILE,
    account: AccountOption = "",
    json: Json = False,
) -> None:
    """Cancel one order, or all."""
    if bool(order_id) == everything:
        raise UserError("order cancel: give an id, or --all")
    request = {"ask": "cancel", "account": account, "id": order_id, "all": everything}
    answer = ask(config, request)
    if everything and not json:
        screen.say(f"cancelled; {answer['open']} of our orders are still open")
    else:
        _show(answer, json)


@app.command("list")
def list_orders(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    config: FileOption = DEFAULT_FILE,
    account: AccountOption = "",
    json: Json = False,
) -> None:
    """List the open orders."""
    request = {"ask": "orders", "account": account, "open": not everything, "limit": limit}
    answer = ask(config, request)
    if json:
        screen.show_json(answer)
    else:
        screen.out.print(screen.table("orders", answer["orders"], COLUMNS))


@app.command()
def explain(order_id: Id, config: FileOption = DEFAULT_FILE, json: Json = False) -> None:
    """Tell an order's life, step by step, with the evidence for each, from the journal."""
    steps = life.explain(configs.load(config).journal.directory, order_id)
    if json:
        screen.show_json({"order": order_id, "steps": steps})
        return
    day = ""
    for step in steps:
        date = f"{datetime.fromtimestamp(step['at_ns'] // 10**9, tz=UTC):%Y-%m-%d}"
        if date != day:
            day = date
            screen.say(f"{day}, UTC")
        screen.say(_line(step))


def _line(step: life.Step) -> str:
    line = f"{life.moment(step['at_ns'])}  {step['what']:<27} {step['evidence']}"
    if "times" in step:
        line += f" (told {step['times']} times, until {life.moment(step['until_ns'])})"
    return line


def _show(answer: dict[str, Any], json: bool) -> None:
    if json:
        screen.show_json(answer)
    else:
        screen.out.print(screen.table("order", [answer["order"]], COLUMNS))
