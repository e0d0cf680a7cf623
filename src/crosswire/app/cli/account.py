"""balances, positions, fills."""

from typing import Annotated

import typer

from crosswire.app.cli import screen
from crosswire.app.cli.asking import DEFAULT_FILE, AccountOption, FileOption, Json, ask


def balances(
    config: FileOption = DEFAULT_FILE, account: AccountOption = "", json: Json = False
) -> None:
    """Read the account's balances from the venue."""
    answer = ask(config, {"ask": "balances", "account": account})
    if json:
        screen.show_json(answer)
    else:
        screen.out.print(screen.pairs("balances", answer["balances"]))


def positions(
    config: FileOption = DEFAULT_FILE, account: AccountOption = "", json: Json = False
) -> None:
    """Show what the bot's fills add up to."""
    answer = ask(config, {"ask": "positions", "account": account})
    if json:
        screen.show_json(answer)
    else:
        columns = ("instrument", "quantity", "average_price", "realised", "unrealised")
        screen.out.print(screen.table("positions", answer["positions"], columns))


def fills(
    config: FileOption = DEFAULT_FILE,
    account: AccountOption = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    json: Json = False,
) -> None:
    """Show the latest fills, of all runs."""
    answer = ask(config, {"ask": "fills", "account": account, "limit": limit})
    if json:
        screen.show_json(answer)
    else:
        columns = ("instrument", "side", "quantity", "price", "fee", "fee_asset", "liquidity")
        screen.out.print(screen.table("fills", answer["fills"], columns))


COMMANDS = (balances, positions, fills)
