"""Commands about a bot: put to it if it runs, else to its account directly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crosswire.app import config as configs
from crosswire.app import control
from crosswire.app.errors import CrosswireError
from crosswire.app.resident import ask_once, in_own_loop

File = Annotated[Path, typer.Argument(metavar="FILE", help="The bot's config.")]
FileOption = Annotated[Path, typer.Option("--config", "-c", help="The bot's config.")]
AccountOption = Annotated[str, typer.Option("--account", "-a", help="Which of its accounts.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with one line of JSON.")]
DEFAULT_FILE = Path("bot.toml")


def ask(file: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put a request to the bot of a config file, or do it at the venue if no bot runs."""
    config = configs.load(file)
    answer = control.ask(control.socket_path(config.journal.directory), request)
    if answer is None:
        if config.mode in ("sim", "paper"):
            raise CrosswireError(
                f"no bot is running for {file}, and in {config.mode} mode its orders live in its "
                f"process: start it with `crosswire run {file}`"
            )
        return in_own_loop(ask_once(config, str(file), request))
    return checked(answer)


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a bot's answer without its wrapping; raise what it refused."""
    if not answer.pop("ok"):
        error = CrosswireError(answer["error"])
        error.exit_code = answer["code"]
        raise error
    return answer
