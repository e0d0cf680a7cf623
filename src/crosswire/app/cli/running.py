"""init, run, stop, status, pause, resume, kill."""

import time
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer

from crosswire.app import config as configs
from crosswire.app import control
from crosswire.app.cli import screen
from crosswire.app.cli.asking import DEFAULT_FILE, Json, checked
from crosswire.app.errors import CrosswireError, UserError
from crosswire.app.live import STOP_S, Trader
from crosswire.app.resident import find_strategies, in_own_loop, reside, stop_dead

File = Annotated[Path, typer.Argument(help="The bot's config.")]
DOUBT_COLUMNS = ("client_order_id", "side", "quantity", "price", "status", "in_doubt_s", "reason")
ANSWER_S = 30.0
FLATTEN_S = 120.0  # every order has to be over before positions are closed
STOP_MARGIN_S = 5.0  # to close sockets and the journal, on top of the wait for orders


def init(
    file: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: Json = False,
) -> None:
    """Write a commented config that runs as it is, on live books with simulated orders."""
    if file.exists() and not force:
        raise UserError(f"{file}: exists already; --force replaces it")
    text = resources.files("crosswire.app").joinpath("starter.toml").read_text("utf-8")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}") from None
    if json:
        screen.show_json({"written": str(file)})
    else:
        screen.say(f"{file} is written. Start it with: crosswire run {file}")


def run(
    file: File = DEFAULT_FILE,
    live: Annotated[bool, typer.Option("--live", help='Needed with mode = "live".')] = False,
    seconds: Annotated[float, typer.Option(help="End by itself after so long; 0 = never.")] = 0,
    json: Json = False,
) -> None:
    """Run a bot until it is stopped: Ctrl-C, SIGTERM, or `crosswire stop`."""
    config = configs.load(file)
    if (config.mode == "live") != live:
        need = "needs --live as well" if not live else "is needed in the file for --live"
        raise UserError(f'{file}: mode = "live" {need}; the file says mode = "{config.mode}"')
    screen.quiet_logs("normal")
    find_strategies(file)

    def ready(trader: Trader) -> None:
        facts = {"bot": config.bot, "mode": config.mode, "run": trader.journal.run}
        if json:
            screen.show_json({"running": True, **facts, "remarks": trader.remarks()})
        else:
            names = ", ".join(config.strategies) or "no strategy"
            screen.say(
                f"{config.bot} runs {names} in {config.mode} mode, run {trader.journal.run}. "
                f"Stop it with Ctrl-C or: crosswire stop {file}"
            )
            for line in trader.remarks():
                screen.say(line)
        if seconds:
            trader.end_after(seconds)

    is_clean = in_own_loop(reside(config, str(file), ready))
    if json:
        screen.show_json({"running": False, "all_done": is_clean})
    if not is_clean:
        raise CrosswireError(
            "ended with orders that are not proven done: the dead-man switch stays armed, and the "
            "next start looks them up"
        )
    if not json:
        screen.say("ended in order: every order is done")


def stop(
    file: File = DEFAULT_FILE,
    cancel_all: Annotated[
        bool, typer.Option("--cancel-all", help="Cancel every order of the account.")
    ] = False,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Also close its positions at the market.")
    ] = False,
    json: Json = False,
) -> None:
    """Stop a bot in order; if it is dead, do at the venue what its own end would have done."""
    how = "flatten" if flatten else "cancel-all" if cancel_all else "cancel"
    config = configs.load(file)
    path = control.socket_path(config.journal.directory)
    answer = control.ask(path, {"ask": "stop", "how": how}, FLATTEN_S if flatten else ANSWER_S)
    if answer is not None:
        checked(answer)
        _await_end(path)
        is_done, said = True, "stopped"
    elif config.mode in ("sim", "paper"):
        raise CrosswireError(f"no bot is running for {file}, and its orders ended with it")
    else:
        is_done = in_own_loop(stop_dead(config, str(file), {"ask": "stop", "how": how}))
        positions = ", its positions closed" if flatten else ""
        said = f"no bot was running; its orders are cancelled{positions}"
    if json:
        screen.show_json({"stopped": True, "how": how, "all_done": is_done})
    if not is_done:
        raise CrosswireError(
            "an order is not proven done: its bound, or the lag of look-ups, is not over; the "
            "dead-man switch stays armed, try again in a minute"
        )
    if not json:
        screen.say(said)


def _await_end(path: Path) -> None:
    """Wait until the bot has closed its door, which it does last."""
    until = time.monotonic() + STOP_S + STOP_MARGIN_S
    while path.exists():
        if time.monotonic() > until:
            raise CrosswireError("the bot was told to stop but has not ended yet")
        time.sleep(0.05)


def status(file: File = DEFAULT_FILE, json: Json = False) -> None:
    """Show what a running bot is doing."""
    answer = _ask_bot(file, {"ask": "status"})
    if json:
        screen.show_json(answer)
        return
    screen.out.print(screen.pairs(f"{answer['bot']} ({answer['mode']})", answer))
    for line in answer.get("remarks", ()):
        screen.say(line)
    for name, account in answer["accounts"].items():
        if account["halts"]:
            halts = [{"halted by": why, "ends by": end} for why, end in account["halts"].items()]
            screen.out.print(screen.table(f"{name}: halts", halts, ("halted by", "ends by")))
        if account["doubts"]:
            screen.out.print(screen.table(f"{name}: in doubt", account["doubts"], DOUBT_COLUMNS))


def pause(file: File = DEFAULT_FILE, strategy: str = "", json: Json = False) -> None:
    """Withdraw the quotes of a running bot, or of one of its strategies."""
    _tell(file, {"ask": "pause", "strategy": strategy}, "paused", json)


def resume(file: File = DEFAULT_FILE, strategy: str = "", json: Json = False) -> None:
    """Quote again; without a strategy's name, also lift the kill switch and every halt."""
    _tell(file, {"ask": "resume", "strategy": strategy}, "resumed", json)


def kill(file: File = DEFAULT_FILE, reason: str = "", json: Json = False) -> None:
    """Throw the kill switch of a running bot: no new orders, everything cancelled."""
    _tell(file, {"ask": "kill", "reason": reason}, "killed: `crosswire resume` lifts it", json)


def _tell(file: Path, request: dict[str, str], said: str, json: bool) -> None:
    answer = _ask_bot(file, request)
    if json:
        screen.show_json(answer)
    else:
        screen.say(said)


def _ask_bot(file: Path, request: dict[str, str]) -> dict[str, Any]:
    directory = configs.load(file).journal.directory
    answer = control.ask(control.socket_path(directory), request)
    if answer is None:
        raise CrosswireError(f"no bot is running for {file}")
    return checked(answer)


COMMANDS = (init, run, stop, status, pause, resume, kill)
