"""sim and demo."""

import errno
import os
import signal
import sys
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import typer
from rich.live import Live

from crosswire.app import hosting
from crosswire.app.cli import screen, stage
from crosswire.app.cli.asking import Json
from crosswire.app.demo import READ_LAG, DemoOptions, perform
from crosswire.app.errors import CrosswireError, UserError
from crosswire.app.resident import in_own_loop
from crosswire.net.host import serve
from crosswire.venues import NAMES, venue

Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same market.")]
Flow = Annotated[str, typer.Option(help=f"How it trades: {', '.join(hosting.FLOWS)}.")]
Recording = Annotated[str, typer.Option(help="A recorded book to trade on, instead of a flow.")]
FaultsOption = Annotated[
    str, typer.Option(help="The usual ones; or switches such as drop_ack=0.05,cut@3 (once).")
]
LedgerOption = Annotated[
    Path | None, typer.Option(help="Where to write what the simulator saw and did.")
]


def sim(
    venue_name: Annotated[str, typer.Argument(metavar="VENUE", help="The venue's name.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free one.")] = 8440,
    seed: Seed = 1,
    account: Annotated[str, typer.Option(help="The account its login is for.")] = "main",
    balances: Annotated[str, typer.Option(help="Such as USD=100000,BTC=2.")] = "",
    flow: Flow = "",
    recording: Recording = "",
    faults: FaultsOption = "",
    ledger: LedgerOption = None,
    tied: Annotated[bool, typer.Option("--tied", hidden=True)] = False,
    json: Json = False,
) -> None:
    """Host a venue's simulator on this machine until Ctrl-C."""
    if venue_name not in NAMES:
        raise UserError(f'unknown venue "{venue_name}": expected one of {", ".join(NAMES)}')
    wish = hosting.SimWish(
        venue=venue_name,
        seed=seed,
        account=account,
        balances=hosting.parse_balances(balances),
        flow=flow,
        recording=recording,
        faults=hosting.parse_faults(faults, venue_name),
    )
    simulator = hosting.build(wish)

    if tied:
        Thread(target=_end_with_parent, daemon=True).start()

    def ready(taken: int) -> None:
        _announce(venue_name, account, taken, is_json=json)

    try:
        in_own_loop(serve(simulator, port, ledger=ledger, on_ready=ready))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise CrosswireError(f"cannot listen on port {port}: {error.strerror}") from None
        raise UserError(f"port {port} is taken: choose another with --port") from None


def _end_with_parent() -> None:
    """End once whoever started us has: its end of our standard input is closed then."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _announce(venue_name: str, account: str, port: int, *, is_json: bool) -> None:
    if is_json:
        screen.show_json({"venue": venue_name, "port": port, "account": account})
        return
    found = venue(venue_name)
    hosts, login = found.local_hosts(f"127.0.0.1:{port}"), found.stage.login(account)
    screen.say(f"{venue_name} is simulated on port {port}. To trade on it:")
    screen.say(
        f'[accounts.{account}]\nvenue = "{venue_name}"\n{found.key_word} = "{login.key}"\n'
        f'secret = "{login.secret}"\n[accounts.{account}.hosts]\nrest = "{hosts.rest}"\n'
        f'ws = "{hosts.ws}"\nws_private = "{hosts.ws_private}"\nread_lag = "{READ_LAG}"'
    )
    screen.say("(a login of this simulator alone; use it with mode = testnet)")


def demo(
    venues: Annotated[str, typer.Option(help=f"Of {', '.join(NAMES)}, with commas.")] = NAMES[0],
    strategy: Annotated[str, typer.Option(help="A built-in strategy.")] = "market_making",
    seconds: Annotated[float, typer.Option(help="How long it trades.")] = 20,
    seed: Seed = 1,
    faults: FaultsOption = "",
    recording: Recording = "",
    flow: Flow = "",
    ledger: LedgerOption = None,
    plant: Annotated[str, typer.Option(help="A bug to plant: the verdict must show it.")] = "",
    json: Json = False,
) -> None:
    """Watch the real program trade on a simulated venue, and be judged by its ledger."""
    options = DemoOptions(
        venues=tuple(name.strip() for name in venues.split(",")),
        strategy=strategy,
        seconds=seconds,
        seed=seed,
        faults=faults,
        recording=recording,
        flow=flow,
        ledger=ledger,
        plant=plant,
    )
    if json:
        verdict = in_own_loop(perform(options))
    else:
        with Live(console=screen.out, auto_refresh=False, transient=True) as live:

            def draw(scene: Any) -> None:
                live.update(stage.draw(scene), refresh=True)

            verdict = in_own_loop(perform(options, draw))
    _conclude(verdict, is_json=json, is_planted=bool(plant))


def _conclude(verdict: dict[str, Any], *, is_json: bool, is_planted: bool) -> None:
    """Show the verdict. A planted bug that shows is a demo that did its work."""
    if is_json:
        screen.show_json(verdict)
    else:
        screen.out.print(stage.summary(verdict))
    if is_planted:
        return
    complaints = list(verdict["findings"])
    complaints += [] if verdict["all_orders_done"] else ["an order is not proven done"]
    complaints += [] if verdict["still_quoting"] else ["it quoted no more at the end"]
    if not verdict["is_clean"] or complaints:
        screen.complain(["the ledger speaks against this run: " + "; ".join(complaints)])
        raise typer.Exit(1)


COMMANDS = (demo, sim)
