"""What a config says of execution reaches the engine, the session and the link."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from crosswire.app.config import parse
from crosswire.app.errors import ConfigError
from crosswire.app.live import Trader
from crosswire.risk import BreakerRules
from crosswire.venues import venue
from crosswire.venues.kraken.session.trading import Trading
from tests.samples import S


def with_trader(tmp_path: Path, check: Callable[[Trader], None], **sections: Any) -> None:
    """Make a bot in this process, look at it before anything is said, and end it."""
    document = {
        "mode": "sim",
        "bot": "wired",
        "accounts": {"main": {"venue": "kraken"}},
        "journal": {"directory": str(tmp_path)},
        **sections,
    }

    async def run() -> None:
        trader = Trader(parse(document, "test"))
        try:
            await trader.prepare()
            check(trader)
        finally:
            await trader.stop()

    asyncio.run(run())


def test_execution_and_reconcile_reach_every_part(tmp_path: Path) -> None:
    def check(trader: Trader) -> None:
        settings = trader.engine.settings
        account = settings.accounts["main"]
        assert settings.terminal_grace_ns == 9 * S
        assert account.breakers == BreakerRules(("ws", "rest"), 3, 7 * S)
        assert account.max_inflight == 12
        assert (account.orders_every_ns, account.balances_every_ns) == (11 * S, 120 * S)
        assert account.adopts_external
        session = trader.link("main").session
        assert isinstance(session, Trading)
        assert session._timeout_ns == 2 * S
        routes = trader.engine.risk.breakers.routes("main")
        assert trader.link("main")._routes is routes
        assert not session._may_place("ws"), "no dead-man stands behind it yet"
        routes.is_shut = lambda: False
        assert session._may_place("ws")
        routes.ws_places = False
        assert not session._may_place("ws")

    execution = {
        "timeout": "2 s",
        "max_consecutive_failures": 3,
        "failure_cooldown": "7 s",
        "max_inflight": 12,
        "terminal_grace": 9,
    }
    reconcile = {"orders_every": "11 s", "balances_every": "2 min", "adopt_external": True}
    with_trader(tmp_path, check, execution=execution, reconcile=reconcile)


def test_statistics_tell_of_transports(tmp_path: Path) -> None:
    def check(trader: Trader) -> None:
        statistics = trader.statistics("main")
        assert statistics["transport_mode"] == "hybrid", "not logged in yet"
        assert statistics["breaker_openings"] == 0
        assert statistics["websocket_breaker"] == "closed"
        names = ("orders", "successes", "failures")
        for transport in ("websocket", "rest"):
            assert all(statistics[f"{transport}_{name}"] == 0 for name in names)
        assert statistics["rest_fallback_orders"] == statistics["fallbacks"] == 0
        assert statistics["circuit_breaker_active"] is False
        trader.engine.risk.breakers.blocked["main"] = "cut"
        assert trader.statistics("main")["circuit_breaker_active"] is True

    with_trader(tmp_path, check)


def test_orders_by_rest_alone_are_said_to_be(tmp_path: Path) -> None:
    def check(trader: Trader) -> None:
        assert trader.statistics("main")["transport_mode"] == "rest"

    with_trader(tmp_path, check, execution={"enabled": False})


def test_a_venue_without_the_wanted_transport_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = replace(venue("kraken").capabilities, transports=("ws",))
    monkeypatch.setattr(Trader, "capabilities", lambda *_: found)
    with pytest.raises(ConfigError, match="config: execution: kraken takes orders by ws only"):
        with_trader(tmp_path, lambda _: None, execution={"enabled": False})
