"""What can go wrong at the venue, as switches. Without any, it is a well-behaved Kraken.

Each switch is a probability per opportunity (drawn from the simulator's seed), a schedule (the
numbers of the opportunities, from 1, at which it strikes), or both. Every occurrence is counted,
and the ledger shows the counts: a fault that never struck proved nothing.

Opportunities: of the request faults every trading request; of the look-up faults every REST read
of orders, trades or balances; of the frame faults every private (or book) frame; of those marked
"per second" every second per connection, account, or for the venue.
"""

from collections.abc import Mapping
from random import Random

from crosswire.sim import switches


class Faults(switches.Switches, frozen=True, kw_only=True):
    """The switches. Probabilities lie in 0..1; names ending in `_s` or `_is` are settings."""

    # Requests that place, amend or cancel, by either transport.
    drop_ack: float = 0.0  # executed, never answered
    place_late: float = 0.0  # reaches the engine `late_s` later: past its deadline, refused
    cut_before: float = 0.0  # the socket is cut, nothing executed
    cut_after: float = 0.0  # executed, then the socket is cut without an answer
    busy_before: float = 0.0  # `EService:Busy`, nothing executed
    busy_after: float = 0.0  # `EService:Busy` although executed
    events_first: float = 0.0  # the executions frames leave before the answer
    cancel_refused: float = 0.0  # `EOrder:Unknown order` though the order is open
    post_only_refused: float = 0.0  # `EOrder:Post only order` instead of accept and cancel
    # Each order of a request for itself, so that batches are taken in part.
    rate_refused: float = 0.0  # `EOrder:Rate limit exceeded` though the counter has room
    throttled: float = 0.0  # `EService:Throttled`, nothing executed; cancels pass
    unavailable: float = 0.0  # `EService:Unavailable`, nothing executed; cancels too
    held_up: float = 0.0  # executed `held_up_s` later: what was sent after it overtakes it
    read_after_cut: float = 0.0  # a frame of a connection the venue had cut is executed unheard
    batch_cancel_old: float = 0.0  # the 2024 shape of the batch_cancel answer
    token_revoked: float = 0.0  # every token of the account stops being valid, per request
    # REST alone.
    rest_520: float = 0.0  # an HTML page after executing
    rest_502: float = 0.0  # an HTML page without executing
    lookup_429: float = 0.0
    lookup_502: float = 0.0
    lookup_520: float = 0.0
    lookup_busy: float = 0.0  # `EService:Busy`
    lookup_empty: float = 0.0  # an empty answer that is not true
    lookup_jumps: float = 0.0  # one read is less behind than the others: the next goes back
    # Frames.
    skip_sequence: float = 0.0  # a number is left out, no frame is lost
    omit_frame: float = 0.0  # a frame is lost, its number with it
    omit_silently: float = 0.0  # a frame is lost and the numbers hide it
    duplicate_frame: float = 0.0  # the same items twice, under the next number
    mixed_frame: float = 0.0  # several items of one moment in one frame
    wrong_checksum: float = 0.0  # a book frame's checksum is off
    # Per second.
    half_open: float = 0.0  # a connection goes dead both ways without being closed
    cut: float = 0.0  # a connection is cut
    maintenance: float = 0.0
    cancel_only: float = 0.0
    post_only: float = 0.0
    dead_man: float = 0.0  # an armed timer fires at once
    deposit: float = 0.0  # someone pays into an account
    withdrawal: float = 0.0  # or out of it
    transfer: float = 0.0  # between its wallets
    dust: float = 0.0  # a little of the base asset is turned into quote
    restart: float = 0.0  # all connections, tokens, timers and requests under way are gone
    restart_empty: float = 0.0  # the same, and all open orders with them
    key_refused: float = 0.0  # an API key is refused for `key_s`, as if it had expired
    tick_changed: float = 0.0  # a pair's prices lie on another grid from now on
    step_changed: float = 0.0  # a pair's quantities are coarser from now on
    # Settings.
    late_s: float = 2.0
    status_s: float = 5.0  # how long a changed system status lasts
    restart_s: float = 1.0  # how long nothing passes
    key_s: float = 4.0
    held_up_s: float = 0.2
    views_behind_s: float = 0.0  # REST shows orders and trades as they were this long ago
    views_lag_s: float = 0.0  # [?] at least this long ago, however little was declared
    deadline_checked_last_is: float = 0.0  # [?] a late order may be refused for its money first
    deadline_guards_matching_only_is: float = 0.0  # [?] past it a passive order may rest
    ids_are_spent_is: float = 0.0  # [?] a closed order's cl_ord_id is never taken again

    @property
    def late_ns(self) -> int:
        return int(self.late_s * 1e9)

    @property
    def status_ns(self) -> int:
        return int(self.status_s * 1e9)

    @property
    def held_up_ns(self) -> int:
        return int(self.held_up_s * 1e9)

    @property
    def views_behind_ns(self) -> int:
        return int(max(self.views_behind_s, self.views_lag_s) * 1e9)


NAMES = switches.names(Faults)
SWITCHES = switches.chances(Faults)

# What a campaign draws from: each fault with the most that still lets somebody trade.
CAMPAIGN: Mapping[str, float] = {
    "drop_ack": 0.15,
    "place_late": 0.06,
    "cut_before": 0.02,
    "cut_after": 0.03,
    "busy_before": 0.05,
    "busy_after": 0.05,
    "events_first": 0.3,
    "cancel_refused": 0.1,
    "post_only_refused": 0.5,
    "token_revoked": 0.01,
    "rest_520": 0.2,
    "rest_502": 0.2,
    "lookup_429": 0.2,
    "lookup_502": 0.2,
    "lookup_520": 0.2,
    "lookup_busy": 0.2,
    "lookup_empty": 0.1,
    "skip_sequence": 0.02,
    "omit_frame": 0.03,
    "duplicate_frame": 0.1,
    "mixed_frame": 0.5,
    "wrong_checksum": 0.02,
    "half_open": 0.015,
    "cut": 0.02,
    "maintenance": 0.01,
    "cancel_only": 0.01,
    "post_only": 0.02,
    "dead_man": 0.02,
    "late_s": 16.0,
    "views_behind_s": 2.0,
    "rate_refused": 0.01,
    "throttled": 0.01,
    "unavailable": 0.05,
    "held_up": 0.1,
    "read_after_cut": 0.9,
    "lookup_jumps": 0.5,
    "omit_silently": 0.01,
    "withdrawal": 0.02,
    "transfer": 0.02,
    "dust": 0.02,
    "restart": 0.01,
    "restart_empty": 0.01,
    "key_refused": 0.015,
    "tick_changed": 0.02,
    "step_changed": 0.02,
}
# Readings of the venue that nobody has proven [?]: a world has them or not, to its end.
READINGS: Mapping[str, float] = {
    "deadline_guards_matching_only_is": 1.0,
    "ids_are_spent_is": 1.0,
    "deadline_checked_last_is": 1.0,
    "views_lag_s": 6.0,
}


def from_mapping(values: Mapping[str, float]) -> Faults:
    """Build the switches from plain names and numbers; `ValueError` names an unknown one.

    "cut@3" strikes at the third opportunity, whatever the number given with it.
    """
    return switches.from_mapping(Faults(), values)


class Chance:
    """Draws the faults and counts them.

    Each kind has draws of its own, so that leaving one out leaves the others as they are.
    """

    def __init__(self, faults: Faults, rng: Random) -> None:
        self.faults = faults
        self._seed = rng.getrandbits(64)
        self._rngs: dict[str, Random] = {}
        self.counts: dict[str, int] = {}
        self._opportunities: dict[str, int] = {}
        self._rates: dict[str, float] = {name: getattr(faults, name) for name in SWITCHES}

    def change(self, faults: Faults) -> None:
        """Draw by other switches from now on."""
        self.faults = faults
        self._rates = {name: getattr(faults, name) for name in SWITCHES}

    def strikes(self, name: str) -> bool:
        """Whether this opportunity goes wrong; counts it if so."""
        nth = self._opportunities.get(name, 0) + 1
        self._opportunities[name] = nth
        rate = self._rates[name]
        is_hit = nth in self.faults.schedule.get(name, ())
        if not is_hit and (rate <= 0.0 or self.draws(name).random() >= rate):
            return False
        self.count(name)
        return True

    def draws(self, name: str) -> Random:
        """Return what one kind of fault draws from."""
        rng = self._rngs.get(name)
        if rng is None:
            rng = self._rngs[name] = Random(f"{self._seed}/{name}")
        return rng

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
