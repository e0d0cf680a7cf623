"""What a bot's TOML file may say, and one clear line for everything that is wrong in it.

Each field's description is what an error says was expected. A value that could be a secret is
never repeated: not in errors, not in `repr`. Relative paths are relative to the file.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from crosswire import fixed
from crosswire.app.errors import ConfigError
from crosswire.domain import Transport
from crosswire.risk import BreakerRules, Limits
from crosswire.venues import NAMES, venue
from crosswire.venues.interface import Credentials, Hosts, LoginError

Mode = Literal["sim", "paper", "testnet", "live"]
MODES: tuple[Mode, ...] = ("sim", "paper", "testnet", "live")
# Without these a live bot does not start: no default fits everybody's purse.
LIVE_LIMITS = ("max_order_notional", "max_position_notional", "max_daily_loss")
# Narrow, so that a secret pasted there by mistake is not one, and is not repeated as its name.
VARIABLE = r"^([A-Z_][A-Z0-9_]{0,63})?$"
VARIABLE_TEXT = "the name of an environment variable, of A-Z, 0-9 and _"
SECRET_KEYS = ("address", "key", "secret", "key_env", "secret_env", "key_file", "secret_file")
# Where each half of a login may come from.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "key": ("address", "key", "key_env", "key_file"),
    "secret": ("secret", "secret_env", "secret_file"),
}


def _money(value: object) -> object:
    """Text or whole number to fixed point; a float is refused with the fix."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return fixed.from_user(value, "the value")
    is_float = isinstance(value, float)
    raise ValueError(f'{value} is a float; write "{value}"' if is_float else "it is not a number")


UNITS_NS = {"ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3_600 * 10**9}
DURATION = re.compile(r"([0-9]{1,9}) ?(ms|s|min|h)")
DURATION_TEXT = 'a duration above 0 such as "5 s", "500 ms" or "2 min", or whole seconds'


def _duration(value: object) -> object:
    """Text with a unit, or whole seconds, to nanoseconds above 0."""
    if isinstance(value, int) and not isinstance(value, bool):
        found = value * UNITS_NS["s"]
    else:
        match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        found = int(match[1]) * UNITS_NS[match[2]] if match else 0
    if not 0 < found <= 1_000 * UNITS_NS["h"]:
        raise ValueError(f'got "{value}"' if isinstance(value, str) else f"got {value}".lower())
    return found


def _venue(value: object) -> object:
    if value not in NAMES:
        near = get_close_matches(str(value), NAMES, 1)
        raise ValueError(f'did you mean "{near[0]}"?' if near else "it is unknown")
    return value


Money = Annotated[int, BeforeValidator(_money), Field(ge=0)]
Nanoseconds = Annotated[int, BeforeValidator(_duration)]
VenueName = Annotated[str, BeforeValidator(_venue)]


class Section(BaseModel):
    """Base of the tables: unknown keys are refused, values are not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class HostsSection(Section):
    """Where the venue lives, if not where it usually does."""

    rest: str = Field(description="a base URL such as https://host")
    ws: str = Field(description="a base URL such as wss://host/v2")
    ws_private: str = Field(description="a base URL such as wss://host/v2")
    read_lag: Nanoseconds | None = Field(default=None, description=DURATION_TEXT)

    def hosts(self) -> Hosts:
        return Hosts(rest=self.rest, ws=self.ws, ws_private=self.ws_private)


class Account(Section):
    """One login at one venue. Each half of it comes from the text, a variable or a file."""

    venue: VenueName = Field(description=f"a venue's name: {', '.join(NAMES)}")
    address: SecretStr | None = Field(default=None, description="the account's address")
    key: SecretStr | None = Field(default=None, description="the API key as text")
    key_env: str = Field(default="", pattern=VARIABLE, description=VARIABLE_TEXT)
    key_file: Path | None = Field(default=None, description="the path of a file")
    secret: SecretStr | None = Field(default=None, description="the API secret as text")
    secret_env: str = Field(default="", pattern=VARIABLE, description=VARIABLE_TEXT)
    secret_file: Path | None = Field(default=None, description="the path of a file")
    tier: str = Field(default="", description="the account's rate tier as the venue calls it")
    bound: Nanoseconds | None = Field(default=None, description=DURATION_TEXT)
    resends: bool = Field(default=False, description="true or false")
    dead_man: bool | None = Field(default=None, description="true or false")
    hosts: HostsSection | None = Field(
        default=None, description="a table with rest, ws and ws_private"
    )

    @model_validator(mode="after")
    def _one_source_each(self) -> Self:
        for sources in SOURCES.values():
            given = [name for name in sources if name in self.model_fields_set]
            if len(given) > 1:
                raise ValueError(f"expected one of {', '.join(given)}")
        return self

    @model_validator(mode="after")
    def _addresses_where_there_are_some(self) -> Self:
        if self.address is not None and (word := venue(self.venue).key_word) != "address":
            raise ValueError(f"address: {self.venue} has none; expected {word}")
        return self


class StrategySection(Section):
    """One strategy; every other key is its own parameter."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    class_name: str = Field(
        alias="class", min_length=1, description='a built-in name or "module:Class"'
    )
    account: str = Field(description="the name of an account in [accounts]")
    instrument: str = Field(min_length=1, description="an instrument's name such as BTC/USD")
    share_notional: Money = Field(default=0, description='money such as "2000"')

    def parameters(self) -> dict[str, Any]:
        """The keys that belong to the strategy itself, as TOML gave them."""
        return dict(self.model_extra or {})


class Risk(Section):
    """The limits of each account, in quote money unless a name says otherwise; None = none."""

    max_order_notional: Money | None = Field(default=None, description='money such as "1000"')
    max_position_notional: Money | None = Field(default=None, description='money such as "5000"')
    max_total_notional: Money | None = Field(default=None, description='money such as "20000"')
    max_daily_loss: Money | None = Field(default=None, description='money such as "200"')
    max_drawdown: Money | None = Field(default=None, description='money such as "500"')
    max_open_orders: int = Field(default=60, ge=1, description="a whole number above 0")
    max_orders_per_second: int = Field(default=50, ge=1, description="a whole number above 0")
    max_open_positions: int = Field(default=20, ge=1, description="a whole number above 0")
    collar_bps: int = Field(default=200, ge=1, description="whole basis points above 0")
    reduce_collar_bps: int = Field(default=1_000, ge=1, description="whole basis points above 0")
    max_book_age_ms: int = Field(default=5_000, ge=1, description="whole milliseconds above 0")
    loss_cooldown_s: int = Field(
        default=0, ge=0, description="whole seconds; 0 waits for an operator"
    )

    def limits(self, shares: Mapping[str, int]) -> Limits:
        """The limits as risk reads them; `shares` is the notional of each strategy's own."""
        return Limits(
            max_order_notional=self.max_order_notional or 0,
            max_position_notional=self.max_position_notional or 0,
            max_total_notional=self.max_total_notional or 0,
            max_open_positions=self.max_open_positions,
            max_open_orders=self.max_open_orders,
            max_orders_per_second=self.max_orders_per_second,
            max_daily_loss=self.max_daily_loss or 0,
            max_drawdown=self.max_drawdown or 0,
            loss_cooldown_ns=self.loss_cooldown_s * 10**9,
            max_book_age_ns=self.max_book_age_ms * 10**6,
            collar_bps=self.collar_bps,
            reduce_collar_bps=self.reduce_collar_bps,
            share_notional=tuple(sorted(shares.items())),
        )


class ExecutionSection(Section):
    """How requests reach the venue, and how long their answers are waited for."""

    enabled: bool = Field(default=True, description="true or false")
    timeout: Nanoseconds = Field(default=5 * 10**9, description=DURATION_TEXT)
    fallback_to_rest: bool = Field(default=True, description="true or false")
    max_consecutive_failures: int = Field(default=5, ge=1, description="a whole number above 0")
    failure_cooldown: Nanoseconds = Field(default=60 * 10**9, description=DURATION_TEXT)
    request_timeout: Nanoseconds = Field(default=5 * 10**9, description=DURATION_TEXT)
    max_inflight: int = Field(default=100, ge=1, description="a whole number above 0")
    terminal_grace: Nanoseconds = Field(default=300 * 10**9, description=DURATION_TEXT)

    def breakers(self, offered: Sequence[Transport]) -> BreakerRules:
        """By which of the venue's transports orders may go, and how patiently."""
        wanted: tuple[Transport, ...] = ("rest",)
        if self.enabled:
            wanted = ("ws", "rest") if self.fallback_to_rest else ("ws",)
        usable = tuple(each for each in wanted if each in offered)
        return BreakerRules(usable, self.max_consecutive_failures, self.failure_cooldown)


class ReconcileSection(Section):
    """How often what we believe is held against what the venue says."""

    orders_every: Nanoseconds = Field(default=30 * 10**9, description=DURATION_TEXT)
    balances_every: Nanoseconds = Field(default=60 * 10**9, description=DURATION_TEXT)
    adopt_external: bool = Field(default=False, description="true or false")


class JournalSection(Section):
    """Where the record of every event and command is kept."""

    directory: Path = Field(default=Path("journal"), description="the path of a directory")
    market_data: bool = Field(default=False, description="true or false")
    durable: bool = Field(default=False, description="true or false")


class NetSection(Section):
    """How the sockets are driven."""

    busy_poll: bool = Field(default=False, description="true or false")


class SimulatorSection(Section):
    """The simulator behind `sim` and `paper`."""

    seed: int = Field(default=1, ge=0, description="a whole number")
    latency_ms: int = Field(
        default=20, ge=0, le=10_000, description="whole milliseconds, at most 10000"
    )
    flow: str = Field(default="", description="the name of an order flow, empty for the usual one")
    balances: dict[str, str] = Field(
        default_factory=dict, description='a table such as { USD = "100000", BTC = "2" }'
    )


class Config(Section):
    """A whole bot."""

    mode: Mode = Field(default="paper", description=f"one of {', '.join(MODES)}")
    bot: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="a name of a-z, 0-9, - and _, at most 32 characters",
    )
    accounts: dict[str, Account] = Field(description="at least one [accounts.NAME] table")
    strategies: dict[str, StrategySection] = Field(
        default_factory=dict, description="tables such as [strategies.NAME]"
    )
    risk: Risk = Field(default_factory=Risk, description="a table")
    execution: ExecutionSection = Field(default_factory=ExecutionSection, description="a table")
    reconcile: ReconcileSection = Field(default_factory=ReconcileSection, description="a table")
    journal: JournalSection = Field(default_factory=JournalSection, description="a table")
    net: NetSection = Field(default_factory=NetSection, description="a table")
    simulator: SimulatorSection = Field(default_factory=SimulatorSection, description="a table")


def load(path: Path) -> Config:
    """Read a bot's file; `ConfigError` with one line for each fault."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; `crosswire init` writes one"]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path}: cannot be read: {reason}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not valid TOML: {error}"]) from None
    config = parse(document, str(path))
    directory = path.parent / config.journal.directory
    journal = config.journal.model_copy(update={"directory": directory})
    return config.model_copy(update={"journal": journal})


def parse(document: Mapping[str, Any], where: str) -> Config:
    """Check a document that is already in memory; `where` names it in errors."""
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        faults = [_line(fault, document) for fault in error.errors()]
        raise ConfigError([f"{where}: {fault}" for fault in faults]) from None
    lines = [*_unknown_accounts(config), *_missing_limits(config)]
    if lines:
        raise ConfigError([f"{where}: {line}" for line in lines])
    return config


def _unknown_accounts(config: Config) -> list[str]:
    lines = [] if config.accounts else ["accounts: expected at least one [accounts.NAME] table"]
    for name, strategy in config.strategies.items():
        if strategy.account not in config.accounts:
            known = ", ".join(config.accounts)
            lines.append(
                f'strategies.{name}.account: expected one of {known}; got "{strategy.account}"'
            )
    return lines


def _missing_limits(config: Config) -> list[str]:
    if config.mode != "live":
        return []
    return [
        f'risk.{name}: expected money such as "1000"; mode = "live" does not start without it'
        for name in LIVE_LIMITS
        if getattr(config.risk, name) is None
    ]


def _line(fault: ErrorDetails, document: Mapping[str, Any]) -> str:
    """One fault as a line: the key, what was expected, and what was found if it may be shown."""
    place = [str(part) for part in fault["loc"]]
    key = ".".join(place) or "the file"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(place[-1], _known_keys(place[:-1]), 1, 0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"known: {_list(place[:-1])}"
        return f"{key}: unknown key; {hint}"
    what = _expectation(place)
    if fault["type"] == "missing":
        return f"{key}: expected {what}; it is missing"
    if fault["type"] == "value_error":
        text = fault["msg"].removeprefix("Value error, ")
        return f"{key}: expected {what}; {text}" if what else f"{key}: {text}"
    if place[-1] in SECRET_KEYS:
        return f"{key}: expected {what}"
    return f"{key}: expected {what}; got {_found(place, document)}"


def _found(place: list[str], document: Mapping[str, Any]) -> str:
    value: Any = document
    for part in place:
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        return "a table"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _model_at(place: list[str]) -> type[BaseModel] | None:
    """The table's class at a place; the names below accounts and strategies are free."""
    fixed_tables: dict[str, type[BaseModel]] = {
        "risk": Risk,
        "execution": ExecutionSection,
        "reconcile": ReconcileSection,
        "journal": JournalSection,
        "net": NetSection,
        "simulator": SimulatorSection,
    }
    if not place:
        return Config
    if place[0] == "accounts" and len(place) == 3 and place[2] == "hosts":
        return HostsSection
    if place[0] in ("accounts", "strategies") and len(place) == 2:
        return Account if place[0] == "accounts" else StrategySection
    return fixed_tables.get(place[0]) if len(place) == 1 else None


def _fields(place: list[str]) -> dict[str, str]:
    model = _model_at(place)
    fields = model.model_fields if model else {}
    return {field.alias or name: field.description or "" for name, field in fields.items()}


def _known_keys(place: list[str]) -> list[str]:
    return list(_fields(place))


def _list(place: list[str]) -> str:
    return ", ".join(_known_keys(place))


def _expectation(place: list[str]) -> str:
    """What the description of the nearest named field asks for."""
    if len(place) == 2 and place[0] in ("accounts", "strategies"):
        return "" if place[0] == "accounts" else "a table"
    for end in range(len(place), 0, -1):
        found = _fields(place[: end - 1]).get(place[end - 1])
        if found:
            return found
    return ""


def credentials(account: Account, name: str, where: str = "config") -> Credentials:
    """Fetch a login's two halves; `ConfigError` names the key that leads nowhere.

    Where the venue knows better how they have to look, it is asked; no value is ever shown.
    """
    found = venue(account.venue)
    place = f"{where}: accounts.{name}"
    login = Credentials(
        key=_half(account, "key", found.key_word, place),
        secret=_half(account, "secret", "secret", place),
    )
    try:
        return found.read_login(login)
    except LoginError as error:
        source = _source(account, error.half) or error.half
        raise ConfigError([f"{place}.{source}: expected {error.expected}"]) from None


def _source(account: Account, half: str) -> str:
    """Where one half comes from, "" if it is not given."""
    given = (name for name in SOURCES[half] if getattr(account, name) not in (None, ""))
    return next(given, "")


def _half(account: Account, half: str, word: str, place: str) -> str:
    """One half; `word` is what the venue calls it."""
    source = _source(account, half)
    value: SecretStr | Path | str | None = getattr(account, source) if source else None
    if isinstance(value, SecretStr):
        found, fault = value.get_secret_value(), "is empty"
    elif isinstance(value, Path):
        found, fault = _first_line(value), "the file cannot be read or is empty"
    elif value is not None:
        found = os.environ.get(value, "")
        fault = f"environment variable {value} is not set"
    else:
        known = [name for name in SOURCES[half] if name != "address" or name == word]
        source, found = word, ""
        fault = f"expected one of {', '.join(known)}; none is given"
    if not found.strip():
        raise ConfigError([f"{place}.{source}: {fault}"])
    return found.strip()


def _first_line(file: Path) -> str:
    try:
        return file.expanduser().read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return ""
