"""What an engine is told at its start."""

from collections.abc import Mapping

from msgspec import Struct

from crosswire.risk import Limits


class Account(Struct, frozen=True):
    """One login: its venue's ways, and its limits."""

    venue: str
    limits: Limits = Limits()
    amends_in_place: bool = True
    max_place_batch: int = 1
    max_cancel_batch: int = 1
    bound_ns: int = 5_000_000_000  # after it the venue refuses an order request by itself
    dead_man_ns: int = 0  # 0 = the venue has none, or the user does not want it


class Settings(Struct, frozen=True):
    """One run of one bot."""

    bot: str
    run: int
    accounts: Mapping[str, Account]
    tags_quantities: bool = False
    terminal_grace_ns: int = 300_000_000_000
