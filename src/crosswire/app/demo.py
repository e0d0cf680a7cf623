"""The demo: the real program against simulators in processes of their own, judged by their ledgers.

Nothing here is a shortcut: the bot is built from a config as every bot is, its logins are checked,
its orders cross real sockets. Several venues are one bot: one engine, an account and a ladder at
each. At the end it stops quoting, cancels, waits until every order is done, and each simulator's
ledger is held against what the program believes.
"""

import asyncio
import json
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from crosswire.app import verified
from crosswire.app.config import Config, credentials, parse
from crosswire.app.errors import UserError
from crosswire.app.hosting import parse_faults
from crosswire.app.judging import Part, Tally, believed, judge, record_bookings, together
from crosswire.app.live import Trader
from crosswire.app.simprocess import SimProcess
from crosswire.app.stages import spread
from crosswire.sim import plants
from crosswire.venues import NAMES, venue

FRAME_S = 0.25
READ_LAG = "1 s"  # how far the simulator's look-ups may trail, as it declares
READ_EVERY = "10 s"  # a short run is held against the venue more often than a day's
SETTLE_S = 45.0  # how long the end waits for what is in doubt: a bound, a lag, some look-ups
# The built-in strategies that a venue's stage sets up for its simulated market.
LADDER = "market_making"
STRATEGIES = (LADDER,)
SHOWN = "a simulator of ours: it runs copies once"


class DemoOptions(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    venues: tuple[str, ...] = NAMES[:1]
    strategy: str = LADDER
    seconds: float = 20.0
    seed: int = 1
    faults: str = ""
    recording: str = ""
    flow: str = ""
    ledger: Path | None = None
    plant: str = ""


class Scene(Struct):
    """What the live view shows: the bot, and how long it still runs."""

    trader: Trader
    parts: Sequence[Part]
    seconds_left: float


Draw = Callable[[Scene], None]


def check(options: DemoOptions) -> None:
    """Refuse wrong options in one line, before anything starts."""
    for name in options.venues:
        if name not in NAMES:
            raise UserError(f'--venues "{name}": expected one of {", ".join(NAMES)}')
        parse_faults(options.faults, name)
    if len(set(options.venues)) != len(options.venues):
        raise UserError("--venues: expected each venue once")
    if options.recording and len(options.venues) > 1:
        raise UserError("--recording: it is of one venue; expected one in --venues")
    if options.strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise UserError(f'--strategy "{options.strategy}": expected one of {known}')
    if options.plant and options.plant not in plants.names():
        known = ", ".join(plants.names())
        raise UserError(f'--plant "{options.plant}": expected one of {known}')
    if options.recording and not Path(options.recording).is_file():
        raise UserError(f"--recording {options.recording}: no such file")
    if options.seconds <= 0:
        raise UserError("--seconds: expected a number above 0")
    if options.ledger is not None and not options.ledger.resolve().parent.is_dir():
        raise UserError(f"--ledger {options.ledger}: no such directory")


async def perform(options: DemoOptions, draw: Draw | None = None) -> dict[str, Any]:
    """Run the demo and return its verdict, counted from the simulators' ledgers."""
    check(options)
    parts = [Part(name, account_of(name), venue(name).stage.instrument) for name in options.venues]
    async with AsyncExitStack() as stack:
        simulators = [SimProcess(part.venue, _sim_options(options, part)) for part in parts]
        for simulator in simulators:
            stack.push_async_callback(simulator.stop)
        await asyncio.gather(*(simulator.start() for simulator in simulators))
        scratch = tempfile.TemporaryDirectory(prefix="crosswire-demo-")
        directory = Path(stack.enter_context(scratch))
        addresses = [simulator.address for simulator in simulators]
        config = _config(options, parts, addresses, directory / "journal")
        trader = Trader(config, where="demo", tags_quantities=True, stop_s=SETTLE_S)
        record_bookings(trader, parts)
        tally = Tally(parts)
        trader.observers.append(tally.hear)
        scene = Scene(trader, parts, options.seconds)
        try:
            await _trade(scene, options, draw)
        finally:
            ended_ns = trader.now_ns()
            await _end(scene, draw)
        trader.raise_failure()
        ledgers = [await simulator.ledger() for simulator in simulators]
    verdicts = {
        part.venue: judge(trader, part, tally.counts[part.account], ledger, ended_ns)
        for part, ledger in zip(parts, ledgers, strict=True)
    }
    if options.ledger is not None:
        _write_ledger(options.ledger, trader, parts, ledgers)
    return {
        "venues": verdicts,
        **together(verdicts),
        "all_orders_done": trader.is_clean,
        "tick_to_trade_us": spread(trader.tick_to_trade_ns),
        "loop_lag_us": spread(trader.lag_ns),
        "strategy": options.strategy,
        "seconds": options.seconds,
        "seed": options.seed,
    }


def account_of(venue_name: str) -> str:
    """The name of the demo's account at a venue."""
    return f"demo-{venue_name}"


def _write_ledger(
    file: Path, trader: Trader, parts: Sequence[Part], ledgers: Sequence[dict[str, Any]]
) -> None:
    """Write what the simulator saw and the program believes; of several venues, by venue."""
    documents = {
        part.venue: {**ledger, "believed": believed(trader, part)}
        for part, ledger in zip(parts, ledgers, strict=True)
    }
    only = next(iter(documents.values())) if len(documents) == 1 else {"venues": documents}
    file.write_text(json.dumps(only, indent=1), encoding="utf-8")


def _sim_options(options: DemoOptions, part: Part) -> list[str]:
    given = ["--seed", str(options.seed), "--account", part.account]
    for flag, value in (
        ("--faults", options.faults),
        ("--recording", options.recording),
        ("--flow", options.flow),
    ):
        if value:
            given += [flag, value]
    return given


def _config(
    options: DemoOptions, parts: Sequence[Part], addresses: Sequence[str], journal: Path
) -> Config:
    """Make the bot's config, and the records that let its accounts send copies."""
    config = parse(
        {
            "mode": "testnet",
            "bot": "demo",
            "accounts": {
                part.account: _account(part, address)
                for part, address in zip(parts, addresses, strict=True)
            },
            "strategies": {
                f"ladder-{part.venue}": {
                    "class": options.strategy,
                    "account": part.account,
                    "instrument": part.instrument,
                    **venue(part.venue).stage.ladder,
                }
                for part in parts
            },
            "reconcile": {"orders_every": READ_EVERY, "balances_every": READ_EVERY},
            "risk": {"max_order_notional": "20000", "max_position_notional": "100000"},
            "journal": {"directory": journal},
        },
        "demo",
    )
    for part in parts:
        section = config.accounts[part.account]
        if section.resends and section.hosts is not None:
            login, hosts = credentials(section, part.account), section.hosts.hosts()
            verified.write(journal, part.account, login, hosts, [SHOWN], time.time_ns())
    return config


def _account(part: Part, address: str) -> dict[str, Any]:
    found = venue(part.venue)
    hosts, login = found.local_hosts(address), found.stage.login(part.account)
    return {
        "venue": part.venue,
        "key": login.key,
        "secret": login.secret,
        "tier": found.stage.tier,
        "resends": found.capabilities.takes_copies,
        "hosts": {
            "rest": hosts.rest,
            "ws": hosts.ws,
            "ws_private": hosts.ws_private,
            "read_lag": READ_LAG,
        },
    }


async def _trade(scene: Scene, options: DemoOptions, draw: Draw | None) -> None:
    trader = scene.trader
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, trader.over.set)
    await trader.prepare()
    if options.plant:
        plants.sow(options.plant, engine=trader.engine, sessions=trader.sessions())
    await trader.start()
    until = loop.time() + options.seconds
    while not trader.over.is_set() and (left := until - loop.time()) > 0:
        if draw is not None:
            scene.seconds_left = left
            draw(scene)
        with suppress(TimeoutError):
            await asyncio.wait_for(trader.over.wait(), min(FRAME_S, left))


async def _end(scene: Scene, draw: Draw | None) -> None:
    """End in order: cancels are answered, what is in doubt is settled."""
    scene.seconds_left = 0.0
    stopping = asyncio.ensure_future(scene.trader.stop())
    while not stopping.done():
        if draw is not None:
            draw(scene)
        await asyncio.wait((stopping,), timeout=FRAME_S)
    stopping.result()
