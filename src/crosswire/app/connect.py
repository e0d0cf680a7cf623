"""`crosswire.connect`: an account at a venue, in three words."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from crosswire.app.client import Client
from crosswire.app.config import MODES, Config, Mode, parse
from crosswire.app.errors import UserError
from crosswire.app.live import Trader
from crosswire.app.placed import Number

ACCOUNT = "main"


def connect(
    venue: str,
    *,
    mode: Mode = "paper",
    key: str | None = None,
    address: str | None = None,
    secret: str | None = None,
    key_env: str = "",
    secret_env: str = "",
    tier: str = "",
    resends: bool = False,
    bot: str = "api",
    hosts: dict[str, str] | None = None,
    journal: str | Path | None = None,
    risk: dict[str, Number] | None = None,
    balances: dict[str, str] | None = None,
    latency_ms: int = 20,
    seed: int = 1,
    leaves_orders: bool = False,
) -> AbstractAsyncContextManager[Client]:
    """Open an account: `async with crosswire.connect(...) as account`.

    `mode` is paper (the default: real books, simulated orders), sim (no network), testnet, or
    live. The last two need a key and secret: as text, or by the names of environment variables;
    where accounts are addresses, `address` and the private key of who signs for it as secret.
    `resends` lets identical bytes be sent again where `crosswire verify` has shown that to be safe.
    In live mode `risk` must hold max_order_notional, max_position_notional and max_daily_loss.
    `journal` is a directory that a later run continues from; sim and paper need none. On leaving
    the block every open order of ours is cancelled, unless `leaves_orders`. `hosts` (rest, ws,
    ws_private) puts the venue elsewhere, at a hosted simulator for example; `balances` (asset to
    text), `latency_ms` and `seed` are the embedded simulator's.

    Raises `UserError` in one line for anything that is wrong, at once.
    """
    if mode not in MODES:
        raise UserError(f'mode "{mode}": expected one of {", ".join(MODES)}')
    account: dict[str, Any] = {"venue": venue, "tier": tier, "hosts": hosts, "resends": resends}
    texts = {"key": key, "address": address, "secret": secret}
    login = {**texts, "key_env": key_env, "secret_env": secret_env}
    account |= {name: value for name, value in login.items() if value}
    if mode in ("testnet", "live") and journal is None:
        raise UserError(
            f'connect: mode = "{mode}" needs journal="DIRECTORY", so that a crash loses nothing'
        )
    scratch = None if journal is not None else Path(tempfile.mkdtemp(prefix="crosswire-"))
    simulator: dict[str, Any] = {"latency_ms": latency_ms, "seed": seed}
    if balances is not None:
        simulator["balances"] = balances
    config = parse(
        {
            "mode": mode,
            "bot": bot,
            "accounts": {ACCOUNT: account},
            "risk": {name: _plain(value) for name, value in (risk or {}).items()},
            "journal": {"directory": Path(journal or scratch or "")},
            "simulator": simulator,
        },
        "connect",
    )
    return opened(config, leaves_orders=leaves_orders, scratch=scratch)


@asynccontextmanager
async def opened(
    config: Config, *, leaves_orders: bool, scratch: Path | None = None
) -> AsyncIterator[Client]:
    """Open the only account of a config; `scratch` is a directory to be removed afterwards."""
    trader = Trader(config, where="connect", leaves_orders=leaves_orders)
    client = Client(trader, next(iter(config.accounts)))
    client.listen()
    try:
        await trader.start()
        yield client
    finally:
        await trader.stop()
        client.leave()
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    trader.raise_failure()


def _plain(value: Number) -> str | int:
    return value if isinstance(value, int | str) else f"{value:f}"
