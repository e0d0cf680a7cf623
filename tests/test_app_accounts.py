"""What a venue can do and a config says, as an engine's account; and what is said at the start."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from crosswire.app import verified
from crosswire.app.accounts import engine_account, remarks
from crosswire.app.config import Config, parse
from crosswire.app.errors import ConfigError
from crosswire.engine import Account
from crosswire.risk import Limits
from crosswire.venues import NAMES, venue
from crosswire.venues.interface import Capabilities, Credentials, Hosts

VENUE = NAMES[0]
KNOWN = venue(VENUE).capabilities
COPIES = replace(KNOWN, takes_copies=True)
LOGIN, HOSTS = Credentials("0xA", "0xB"), Hosts("https://a", "wss://a", "wss://a")


def config(mode: str, **account: Any) -> Config:
    document = {"mode": mode, "bot": "b", "accounts": {"main": {"venue": VENUE, **account}}}
    limits = dict.fromkeys(("max_order_notional", "max_position_notional", "max_daily_loss"), "1")
    return parse({**document, "risk": limits}, "test")


def account(
    found: Capabilities, mode: str, *, has_shown: bool = False, **section: Any
) -> tuple[Account, list[str]]:
    """Return an account, and what is said of it."""
    settings = config(mode, **section)
    made = engine_account(
        settings,
        "test",
        "main",
        found,
        Limits(),
        has_shown_copies=has_shown,
        leaves_orders=False,
    )
    return made, remarks(settings, "main", found, made)


@pytest.mark.parametrize(
    ("mode", "is_wanted", "has_shown", "resends"),
    [
        ("sim", False, False, True),
        ("paper", False, False, True),
        ("testnet", False, False, False),
        ("testnet", True, False, False),
        ("testnet", False, True, False),
        ("testnet", True, True, True),
        ("live", True, False, False),
        ("live", True, True, True),
    ],
)
def test_copies_are_sent_only_where_they_were_shown_and_wanted(
    mode: str, is_wanted: bool, has_shown: bool, resends: bool
) -> None:
    made, said = account(COPIES, mode, has_shown=has_shown, resends=is_wanted)
    assert made.resends is resends
    assert any("in doubt: looked up, never resent" in line for line in said) is not resends
    never, said = account(KNOWN, mode, has_shown=has_shown, resends=is_wanted)
    assert (never.resends, said) == (False, [])


def test_what_is_missing_for_copies_is_named() -> None:
    assert "set resends = true" in account(COPIES, "live")[1][0]
    assert f"`crosswire verify {VENUE}`" in account(COPIES, "live", resends=True)[1][0]


def test_without_a_dead_man_switch_that_is_said() -> None:
    made, said = account(replace(KNOWN, has_dead_man=False), "live")
    assert made.dead_man_ns == 0
    assert said == [
        f"account main: no dead-man switch at {VENUE}: if this program is cut off, its orders stay"
    ]
    assert account(KNOWN, "live")[0].dead_man_ns > 0


def test_a_dead_man_switch_is_had_where_it_is_wanted_and_may_be() -> None:
    by_volume = replace(KNOWN, has_dead_man=False, has_dead_man_by_volume=True)
    made, said = account(by_volume, "live")
    assert made.dead_man_ns == 0
    assert said[0].endswith("its orders stay; dead_man = true, if this account may")
    assert account(by_volume, "live", dead_man=True)[0].dead_man_ns > 0
    assert account(by_volume, "live", dead_man=True)[1] == []
    made, said = account(KNOWN, "live", dead_man=False)
    assert made.dead_man_ns == 0
    assert len(said) == 1
    with pytest.raises(ConfigError, match="has none"):
        account(replace(KNOWN, has_dead_man=False), "live", dead_man=True)


def test_a_record_is_of_one_login_at_one_place(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    assert verified.read(directory, "main", LOGIN, HOSTS) is None
    path = verified.write(
        directory, "main", LOGIN, HOSTS, ["duplicate nonce"], 1_700_000_000 * 10**9
    )
    found = verified.read(directory, "main", LOGIN, HOSTS)
    assert found is not None
    assert (found.account, found.at, found.seen) == (
        "main",
        "2023-11-14 22:13 UTC",
        ["duplicate nonce"],
    )
    assert verified.read(directory, "other", LOGIN, HOSTS) is None
    assert verified.read(directory, "main", Credentials("0xA", "0xC"), HOSTS) is None
    assert verified.read(directory, "main", LOGIN, replace(HOSTS, rest="https://b")) is None
    assert not any(half in path.read_text() for half in (LOGIN.key, LOGIN.secret))
    path.write_text("{")
    assert verified.read(directory, "main", LOGIN, HOSTS) is None
