"""verify: is the venue what our simulator says it is?"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from crosswire import venues
from crosswire.app import config as configs
from crosswire.app import verify as verifying
from crosswire.app.cli import screen
from crosswire.app.cli.asking import DEFAULT_FILE, AccountOption, FileOption, Json
from crosswire.app.config import Config
from crosswire.app.errors import UserError
from crosswire.app.resident import in_own_loop

TRANSCRIPT = Path("transcript.jsonl")


def verify(
    venue: Annotated[str, typer.Argument(help="The venue's name.")],
    config: FileOption = DEFAULT_FILE,
    account: AccountOption = "",
    instrument: Annotated[str, typer.Option(help="Where the order goes.")] = "",
    transcript: Annotated[Path, typer.Option(help="Where every frame is kept.")] = TRANSCRIPT,
    live: Annotated[bool, typer.Option("--live", help='Needed with mode = "live".')] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it.")] = False,
    json: Json = False,
) -> None:
    """Place, amend, look up and cancel one far smallest order; say what differs."""
    found = configs.load(config)
    name = _account(found, venue, account)
    instrument = instrument or venues.venue(venue).stage.instrument
    _consent(found, live=live, yes=yes, is_json=json)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=screen.err, transient=True
    ) as progress:
        task = progress.add_task(f"speaking with {venue}")
        real = in_own_loop(verifying.converse(found, str(config), name, instrument))
        progress.update(task, description="speaking with our simulator")
        twin = found.model_copy(update={"mode": "sim", "journal": _aside(found)})
        simulated = in_own_loop(verifying.converse(twin, str(config), name, instrument))
    verifying.write_transcript(transcript, real)
    report = {
        "venue": venue,
        "mode": found.mode,
        "steps": real.steps,
        "differences": verifying.differences(real, simulated),
        "frames": len(real.rows),
        "transcript": str(transcript),
        "remarks": real.remarks,
    }
    if real.has_shown_copies:
        report["recorded"] = str(verifying.record(found, str(config), name, real))
    _show(report, is_json=json)
    if not real.is_done:
        raise typer.Exit(1)


def _account(found: Config, venue: str, account: str) -> str:
    names = [name for name, section in found.accounts.items() if section.venue == venue]
    if (account and account not in names) or not names:
        raise UserError(f'no account "{account or "of any name"}" at {venue} in the config')
    if found.mode not in ("testnet", "live"):
        raise UserError(
            f'verify speaks with the venue itself: expected mode = "testnet" or "live", not '
            f'"{found.mode}"'
        )
    return account or names[0]


def _consent(found: Config, *, live: bool, yes: bool, is_json: bool) -> None:
    """Real money is touched only after a clear yes."""
    if found.mode != "live":
        return
    if not live:
        raise UserError('mode = "live" needs --live as well')
    if yes:
        return
    if is_json:
        raise UserError("with --json the consent is --yes")
    question = "This places one far, smallest, post-only order with real money, and cancels it. Go?"
    if not typer.confirm(question):
        raise UserError("nothing was sent")


def _aside(found: Config) -> configs.JournalSection:
    """The simulator's half is journalled beside the real one."""
    directory = found.journal.directory / "verify-simulator"
    return found.journal.model_copy(update={"directory": directory})


def _show(report: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        screen.show_json(report)
        return
    screen.out.print(screen.table("steps", report["steps"], ("step", "ok", "detail")))
    lines: list[str] = report["differences"]
    screen.say(f"\n{len(lines)} differences from the simulator")
    for line in lines:
        screen.say(f"- {line}")
    for line in report["remarks"]:
        screen.say(line)
    if "recorded" in report:
        screen.say(f"copies run once on this account: {report['recorded']} says so")
    screen.say(f"{report['frames']} frames are in {report['transcript']}")


COMMANDS = (verify,)
