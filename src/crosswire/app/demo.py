"""The demo: the real program against a simulator in a process of its own, judged by its ledger.

Nothing here is a shortcut: the bot is built from a config as every bot is, its login is checked,
its orders cross real sockets. At the end it stops quoting, cancels, waits until every order is
done, and the ledger of the simulator is held against what the program believes.
"""

import asyncio
import json
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from crosswire import fixed
from crosswire.app.config import Config, parse
from crosswire.app.errors import CrosswireError, UserError
from crosswire.app.live import SETTLED, Trader
from crosswire.app.simprocess import SimProcess
from crosswire.app.stages import spread
from crosswire.app.views import bare
from crosswire.domain import Filled
from crosswire.sim import checks, plants
from crosswire.strategies import BUILT_IN
from crosswire.venues import NAMES, venue

ACCOUNT = "demo"
INSTRUMENT = "BTC/USD"
FRAME_S = 0.25
READ_LAG = "1 s"  # how far the simulator's look-ups may trail, as it declares
READ_EVERY = "10 s"  # a short run is held against the venue more often than a day's
SETTLE_S = 45.0  # how long the end waits for what is in doubt: a bound, a lag, some look-ups
LAST_NS = 5_000_000_000  # of the trading time: quoting has to go on to its end
# The built-in strategies' parameters for the simulated market: close enough to be filled, and
# few enough moves for the rate counters of a real account.
PARAMETERS: dict[str, dict[str, Any]] = {
    "market_making": {
        "quantity": "0.004",
        "levels": 3,
        "edge_ticks": 10,
        "spacing_ticks": 15,
        "refresh_ticks": 150,
        "skew_ticks": 8,
        "max_position": "0.5",
    }
}


class DemoOptions(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    venues: tuple[str, ...] = NAMES[:1]
    strategy: str = "market_making"
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
    venue: str
    instrument: str
    seconds_left: float
    booked: list[Filled]


Draw = Callable[[Scene], None]


def check(options: DemoOptions) -> None:
    """Refuse wrong options in one line, before anything starts."""
    for name in options.venues:
        if name not in NAMES:
            raise UserError(f'--venues "{name}": expected one of {", ".join(NAMES)}')
    if len(options.venues) != 1:
        raise UserError("--venues: one venue a demo, for now")
    if options.strategy not in PARAMETERS:
        known = ", ".join(sorted(BUILT_IN))
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
    """Run the demo and return its verdict, counted from the simulator's ledger."""
    check(options)
    name = options.venues[0]
    simulator = SimProcess(name, _sim_options(options))
    await simulator.start()
    try:
        with tempfile.TemporaryDirectory(prefix="crosswire-demo-") as directory:
            config = _config(options, simulator.address, Path(directory))
            trader = Trader(config, where="demo", tags_quantities=True, stop_s=SETTLE_S)
            booked = _record_bookings(trader)
            scene = Scene(trader, name, INSTRUMENT, options.seconds, booked)
            try:
                await _trade(scene, options, draw)
            finally:
                ended_ns = trader.now_ns()
                await _end(scene, draw)
            trader.raise_failure()
            ledger = await simulator.ledger()
            believed = _believed(trader, booked)
    finally:
        await simulator.stop()
    if options.ledger is not None:
        document = {**ledger, "believed": believed}
        options.ledger.write_text(json.dumps(document, indent=1), encoding="utf-8")
    verdict = {**_verdict(ledger, believed), **_figures(trader, options)}
    return {**verdict, "still_quoting": _is_quoting(ledger, ended_ns)}


def _sim_options(options: DemoOptions) -> list[str]:
    given = ["--seed", str(options.seed), "--account", ACCOUNT]
    for flag, value in (
        ("--faults", options.faults),
        ("--recording", options.recording),
        ("--flow", options.flow),
    ):
        if value:
            given += [flag, value]
    return given


def _config(options: DemoOptions, address: str, directory: Path) -> Config:
    name = options.venues[0]
    hosts = venue(name).local_hosts(address)
    login = venue(name).stage.login(ACCOUNT)
    strategy = {
        "class": options.strategy,
        "account": ACCOUNT,
        "instrument": INSTRUMENT,
        **PARAMETERS[options.strategy],
    }
    return parse(
        {
            "mode": "testnet",
            "bot": "demo",
            "accounts": {
                ACCOUNT: {
                    "venue": name,
                    "key": login.key,
                    "secret": login.secret,
                    "tier": "pro",
                    "hosts": {
                        "rest": hosts.rest,
                        "ws": hosts.ws,
                        "ws_private": hosts.ws_private,
                        "read_lag": READ_LAG,
                    },
                }
            },
            "strategies": {"ladder": strategy},
            "reconcile": {"orders_every": READ_EVERY, "balances_every": READ_EVERY},
            "risk": {"max_order_notional": "20000", "max_position_notional": "100000"},
            "journal": {"directory": directory / "journal"},
        },
        "demo",
    )


def _record_bookings(trader: Trader) -> list[Filled]:
    """Keep what is really booked, whatever was heard: that is what the program believes."""
    booked: list[Filled] = []
    positions = trader.engine.positions
    book = positions.book

    def recorded(fill: Filled, strategy: str) -> object:
        booked.append(fill)
        return book(fill, strategy)

    vars(positions)["book"] = recorded
    return booked


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


def _is_quoting(ledger: dict[str, Any], ended_ns: int) -> bool:
    """Whether the venue still took orders or amends in the last seconds of the trading time."""
    return any(
        row["outcome"] == "accepted"
        and row["method"] in ("place", "amend")
        and ended_ns - LAST_NS <= row["at_ns"] <= ended_ns
        for row in ledger["requests"]
    )


def _believed(trader: Trader, booked: list[Filled]) -> dict[str, Any]:
    """What the program believes, in the words of `sim.checks`."""
    engine = trader.engine
    return {
        "account": ACCOUNT,
        "fills": [_fill_row(fill) for fill in booked],
        "positions": {
            bare(instrument): fixed.text(position.quantity)
            for account, instrument, position in engine.positions.items()
            if account == ACCOUNT
        },
        "balances": {
            asset: fixed.text(total)
            for (account, asset), total in engine.positions.balances.items()
            if account == ACCOUNT
        },
        "open_orders": [
            order.client_order_id for order in engine.orders.all_open(ACCOUNT) if order.is_open
        ],
        "doubts_open": engine.orders.doubts(ACCOUNT),
    }


def _fill_row(fill: Filled) -> dict[str, str]:
    return {
        "fill_key": fill.fill_key,
        "venue_order_id": fill.venue_order_id,
        "client_order_id": fill.client_order_id,
        "account": fill.account,
        "instrument": bare(fill.instrument),
        "side": fill.side,
        "price": fixed.text(fill.price),
        "quantity": fixed.text(fill.quantity),
        "fee": fixed.text(fill.fee),
        "fee_asset": fill.fee_asset,
    }


def _verdict(ledger: dict[str, Any], believed: dict[str, Any]) -> dict[str, Any]:
    try:
        return checks.judge(ledger, believed)
    except ValueError as error:
        raise CrosswireError(str(error)) from None


def _figures(trader: Trader, options: DemoOptions) -> dict[str, Any]:
    """What the ledger cannot know: how it went on our side, and our own clock's figures."""
    counts = trader.engine.counts
    told = trader.statistics(ACCOUNT)
    return {
        "checksum_failures": counts["checksum_failures"],
        "doubts": counts["doubts_opened"],
        "doubts_settled": {
            name.removeprefix(SETTLED): count
            for name, count in sorted(counts.items())
            if name.startswith(SETTLED)
        },
        "fallbacks": told["fallbacks"],
        "rest_orders": told["rest_orders"],
        "breaker_openings": told["breaker_openings"],
        "corrections": counts["corrections"],
        "late_accepts": counts["late_accepts"],
        "tick_to_trade_us": spread(trader.tick_to_trade_ns),
        "loop_lag_us": spread(trader.lag_ns),
        "all_orders_done": trader.is_clean,
        "venues": list(options.venues),
        "strategy": options.strategy,
        "seconds": options.seconds,
        "seed": options.seed,
    }
