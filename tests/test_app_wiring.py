"""What a config says of execution reaches the engine, the session and the link."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from crosswire.app.config import parse
from crosswire.app.errors import ConfigError, UserError
from crosswire.app.live import Trader
from crosswire.app.wiring import CANCELS_NONCES
from crosswire.risk import BreakerRules
from crosswire.venues import venue
from crosswire.venues.interface import Session, SessionSettings
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


PERPS = "hyperliquid"  # its nonce is the clock in ms


def test_nonces_that_are_the_clock_stay_below_a_ceiling_that_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, SessionSettings]] = []
    found = venue(PERPS)
    make = found.session

    def session(settings: SessionSettings, first_nonce: int) -> Session:
        given.append((first_nonce, settings))
        return make(settings, first_nonce)

    monkeypatch.setattr("crosswire.venues.hyperliquid.VENUE", replace(found, session=session))
    ceilings: list[int] = []

    def check(trader: Trader) -> None:
        first, settings = given[-1]
        ceiling = settings.nonce_ceiling()
        on_disk = json.loads((tmp_path / "nonces.json").read_bytes())["ceiling_ns"]
        assert ceiling == on_disk // 1_000_000 - CANCELS_NONCES
        assert 0 < ceiling - trader.now_ns() // 1_000_000 <= 131_000
        assert first >= max(ceilings, default=0)
        assert ceiling - first >= 9_000
        ceilings.append(ceiling)

    for _ in range(2):
        with_trader(tmp_path, check, accounts={"main": {"venue": PERPS}})
    # The next run starts where the last could have ended: at its ceiling, rounded up.
    assert 0 <= given[1][0] - (ceilings[0] + CANCELS_NONCES) <= 1


def test_a_disk_that_takes_no_ceiling_ends_the_start_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "nonces.new").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*nonces\.json"):
        with_trader(tmp_path, lambda _: None, accounts={"main": {"venue": PERPS}})


def test_other_nonces_have_no_ceiling_and_write_none(tmp_path: Path) -> None:
    with_trader(tmp_path, lambda _: None)
    assert not (tmp_path / "nonces.json").exists()


def test_two_accounts_do_not_share_a_signer(tmp_path: Path) -> None:
    secret = venue(PERPS).stage.login("main").secret
    accounts = {
        name: {"venue": PERPS, "address": venue(PERPS).stage.login(name).key, "secret": secret}
        for name in ("one", "two")
    }
    with pytest.raises(ConfigError, match=r"accounts\.two\.secret: is that of accounts\.one"):
        with_trader(tmp_path, lambda _: None, mode="testnet", accounts=accounts)


def test_the_testnet_is_the_venues_own(tmp_path: Path) -> None:
    login = venue(PERPS).stage.login("main")
    account = {"venue": PERPS, "address": login.key, "secret": login.secret}

    def check(trader: Trader) -> None:
        found = venue(PERPS).testnet
        assert found is not None
        assert trader.link("main").session.rest_url == found.rest

    with_trader(tmp_path, check, mode="testnet", accounts={"main": account})
