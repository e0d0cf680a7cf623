"""The command line: human output by default, `--json` for programs.

Exit codes: 0 done, 1 failed, 2 wrong use or config. A user's mistake is one line on stderr.
"""

import json
import sys
from typing import Annotated

import typer

from crosswire import __version__
from crosswire.app.cli import account, campaigning, checking, market, order, running, simulating
from crosswire.app.cli.screen import complain, quiet_logs
from crosswire.app.errors import ConfigError, CrosswireError
from crosswire.app.hosting import USUAL
from crosswire.journal import JournalError

app = typer.Typer(
    name="crosswire",
    help="Executes orders on several venues and knows what became of each of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(order.app, name="order")
for _module in (simulating, running, market, account, checking, campaigning):
    for _command in _module.COMMANDS:
        app.command()(_command)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"crosswire {__version__}")
        raise typer.Exit


@app.callback()
def crosswire(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Executes orders on several venues and knows what became of each of them."""


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    quiet_logs()
    is_json = "--json" in sys.argv
    try:
        app(args=_with_usual_faults(sys.argv[1:]))
    except CrosswireError as error:
        lines = error.lines if isinstance(error, ConfigError) else [str(error)]
        _fail(lines, error.exit_code, is_json)
    except JournalError as error:
        _fail([str(error)], 2, is_json)
    except KeyboardInterrupt:
        _fail(["interrupted"], 1, is_json)


def _with_usual_faults(arguments: list[str]) -> list[str]:
    """Let `--faults` stand without a value: the usual ones are meant."""
    full: list[str] = []
    for argument, following in zip(arguments, [*arguments[1:], "-"], strict=False):
        is_bare = argument == "--faults" and following.startswith("-")
        full += [argument, USUAL] if is_bare else [argument]
    return full


def _fail(lines: list[str], exit_code: int, is_json: bool) -> None:
    if is_json:
        sys.stdout.write(json.dumps({"error": "; ".join(lines), "code": exit_code}) + "\n")
    complain(lines)
    sys.exit(exit_code)
