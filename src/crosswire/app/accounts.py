"""What a config and a venue's capabilities make of an account: what its engine is told."""

from crosswire.app.config import Config
from crosswire.app.errors import ConfigError
from crosswire.engine import Account
from crosswire.risk import Limits
from crosswire.venues.interface import Capabilities

DEAD_MAN_NS = 60_000_000_000  # fires this long after our last sign of life
SIMULATED_LAG_NS = 1_000_000_000  # what look-ups of a simulator in this process may trail


def engine_account(
    config: Config,
    where: str,
    name: str,
    found: Capabilities,
    limits: Limits,
    *,
    has_shown_copies: bool,
    leaves_orders: bool,
) -> Account:
    """Return an account's settings; `ConfigError` in one line for what the venue does not have.

    `has_shown_copies`: `verify` has seen on this account that identical bytes run once.
    """
    section = config.accounts[name]
    execution, reconcile = config.execution, config.reconcile
    breakers = execution.breakers(found.transports)
    if not breakers.transports:
        line = f"execution: {section.venue} takes orders by {', '.join(found.transports)} only"
        raise ConfigError([f"{where}: {line}"])
    return Account(
        venue=section.venue,
        limits=limits,
        amends_in_place=found.amends_in_place,
        replaces=found.replaces,
        has_snapshot=found.has_snapshot,
        has_cancel_all=found.has_cancel_all,
        max_place_batch=found.max_place_batch,
        max_cancel_batch=found.max_cancel_batch,
        bound_ns=_bound_ns(config, where, name, found),
        read_lag_ns=_read_lag_ns(config, name, found),
        resends=_resends(config, name, found, has_shown_copies),
        dead_man_ns=0 if leaves_orders else _dead_man_ns(config, where, name, found),
        orders_every_ns=reconcile.orders_every,
        balances_every_ns=reconcile.balances_every,
        adopts_external=reconcile.adopt_external,
        breakers=breakers,
        max_inflight=execution.max_inflight,
    )


def remarks(config: Config, name: str, found: Capabilities, account: Account) -> list[str]:
    """Return what whoever starts an account should know of it, a line each."""
    section = config.accounts[name]
    lines: list[str] = []
    if section.dead_man is False or not (found.has_dead_man or account.dead_man_ns):
        how = "; dead_man = true, if this account may" if found.has_dead_man_by_volume else ""
        lines.append(
            f"account {name}: no dead-man switch at {section.venue}: if this program is cut off, "
            f"its orders stay{how}"
        )
    if found.takes_copies and not account.resends:
        why = "set resends = true, once `crosswire verify` has shown that copies run once"
        if section.resends:
            why = f"`crosswire verify {section.venue}` has not shown yet that copies run once"
        lines.append(f"account {name}: in doubt: looked up, never resent ({why})")
    return lines


def _dead_man_ns(config: Config, where: str, name: str, found: Capabilities) -> int:
    """How long after our last sign of life the venue is to cancel everything; 0 = never."""
    section = config.accounts[name]
    wants = found.has_dead_man if section.dead_man is None else section.dead_man
    if wants and not (found.has_dead_man or found.has_dead_man_by_volume):
        raise ConfigError([f"{where}: accounts.{name}.dead_man: {section.venue} has none"])
    return DEAD_MAN_NS if wants else 0


def _bound_ns(config: Config, where: str, name: str, found: Capabilities) -> int:
    """How long the venue may act on an order request: the config's, if the venue takes it."""
    section = config.accounts[name]
    if section.bound is None:
        return found.bound_ns
    least_ns, most_ns = found.bounds_ns
    if not least_ns <= section.bound <= most_ns:
        line = f"{section.venue} takes {least_ns / 1e9:g} s to {most_ns / 1e9:g} s"
        raise ConfigError([f"{where}: accounts.{name}.bound: {line}"])
    return section.bound


def _read_lag_ns(config: Config, name: str, found: Capabilities) -> int:
    """How far the account's look-ups may trail: a simulator knows its own."""
    if config.mode in ("sim", "paper"):
        return SIMULATED_LAG_NS
    hosts = config.accounts[name].hosts
    own_ns = hosts.read_lag if hosts else None
    return found.read_lag_ns if own_ns is None else own_ns


def _resends(config: Config, name: str, found: Capabilities, has_shown_copies: bool) -> bool:
    """Whether identical bytes may be sent again: of our simulators we know that they run once."""
    if not found.takes_copies:
        return False
    if config.mode in ("sim", "paper"):
        return True
    return config.accounts[name].resends and has_shown_copies
