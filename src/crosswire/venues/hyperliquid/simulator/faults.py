"""What can go wrong at the venue, and which of its unproven readings holds, as switches.

Opportunities: of the request faults every action that places, modifies or cancels; of the look-up
faults every read of orders, fills or balances; of the frame faults every private frame; of those
marked "per second" every second per connection, account, or for the venue.
"""

from collections.abc import Mapping

from crosswire.fixed import SCALE
from crosswire.sim.switches import Switches


class Faults(Switches, frozen=True, kw_only=True):
    """All of them off: a well-behaved Hyperliquid."""

    # Actions, by either transport.
    drop_ack: float = 0.0  # executed, never answered
    late_ack: float = 0.0  # answered `late_s` after its block
    place_late: float = 0.0  # reaches the venue `late_s` later
    cut_before: float = 0.0  # the socket is cut, nothing executed
    cut_after: float = 0.0  # executed, then the socket is cut without an answer
    events_first: float = 0.0  # events leave before the answer, which otherwise goes first
    modify_open_first: float = 0.0  # open(new) is told before canceled(old)
    cancel_refused: float = 0.0  # "never placed ..." though the order is open
    batch_err: float = 0.0  # one text for a batch of which every entry fails the same pre-check
    # Posts alone.
    error_without_id: float = 0.0  # not executed: an error frame that names no request
    error_with_id: float = 0.0  # not executed: "too many pending post requests id=N"
    post_429: float = 0.0  # not executed: `response.type` is error
    post_502_after: float = 0.0  # executed, then `response.type` is error
    read_after_cut: float = 0.0  # a frame of a connection that was cut is executed unheard
    # REST alone, of any kind.
    rest_429: float = 0.0
    rest_500: float = 0.0
    rest_502: float = 0.0  # an HTML page, nothing executed
    rest_502_after: float = 0.0  # an HTML page after executing
    # Look-ups.
    lookup_429: float = 0.0
    lookup_500: float = 0.0
    lookup_502: float = 0.0
    lookup_empty: float = 0.0  # an empty answer that is not true
    # Frames.
    omit_frame: float = 0.0
    duplicate_frame: float = 0.0
    greeting: float = 0.0  # per opened connection: a plain text before anything else
    # Per second.
    stale_book: float = 0.0  # books and bbo say nothing for `stale_s`, pings are answered
    half_open: float = 0.0  # a connection goes dead both ways without being closed
    cut: float = 0.0
    budget_exhausted: float = 0.0  # the address's budget is spent for `budget_s`
    post_only: float = 0.0  # as after an upgrade, for `post_only_s`
    agent_expired: float = 0.0  # an API wallet has expired, for `agent_s`
    deposit: float = 0.0
    withdrawal: float = 0.0
    restart: float = 0.0  # all connections and all that waits for a block are gone
    # Settings.
    late_s: float = 12.0
    stale_s: float = 10.0
    budget_s: float = 10.0
    post_only_s: float = 5.0
    agent_s: float = 5.0
    restart_s: float = 1.0
    views_behind_s: float = 0.0  # look-ups show orders and fills as they were this long ago
    views_lag_s: float = 0.0  # [?] at least this long ago, however little was declared
    schedule_gate_is: float = 1.0  # scheduleCancel needs its traded volume
    # Readings that nobody has proven [I], with what the sheet assumes.
    cloids_are_unique_is: float = 0.0  # [I] a cloid that rests is not taken again
    nonce_spent_in_block_is: float = 0.0  # [I] copies may wait for one block, the first counts
    nonce_rises_is: float = 0.0  # [I] a nonce below the signer's last is refused
    nonce_checked_first_is: float = 0.0  # [I] a late copy's nonce speaks before its lateness
    expired_spends_nonce_is: float = 0.0  # [I] a request that came too late has used its nonce
    ioc_rest_is_rejected_is: float = 0.0  # [I] an IOC's rest closes as iocCancelRejected
    partial_fill_is_told_is: float = 0.0  # [I] a partial fill makes an orderUpdates row
    partial_gtc_is_filled_is: float = 0.0  # [I] a GTC filled in part is answered `filled`
    unknown_coin_is_null_is: float = 0.0  # [I] a book of no coin is null, not an HTTP 500
    refused_replacement_is_quiet_is: float = 0.0  # [I] it makes no row; the old one's end does
    schedule_spares_vaults_is: float = 0.0  # [I] it covers the master, whatever the vaultAddress
    prechecks_are_told_is: float = 0.0  # [I] what fails a pre-check makes a `rejected` row


# What a campaign draws from: each fault with the most that still lets somebody trade.
CAMPAIGN: Mapping[str, float] = {
    "drop_ack": 0.15,
    "late_ack": 0.1,
    "place_late": 0.06,
    "cut_before": 0.02,
    "cut_after": 0.03,
    "events_first": 0.5,
    "modify_open_first": 0.5,
    "cancel_refused": 0.1,
    "batch_err": 0.5,
    "error_without_id": 0.05,
    "error_with_id": 0.05,
    "post_429": 0.05,
    "post_502_after": 0.05,
    "read_after_cut": 0.9,
    "rest_429": 0.1,
    "rest_500": 0.1,
    "rest_502": 0.1,
    "rest_502_after": 0.1,
    "lookup_429": 0.2,
    "lookup_500": 0.2,
    "lookup_502": 0.2,
    "lookup_empty": 0.1,
    "omit_frame": 0.03,
    "duplicate_frame": 0.1,
    "greeting": 0.5,
    "stale_book": 0.02,
    "half_open": 0.015,
    "cut": 0.02,
    "budget_exhausted": 0.01,
    "post_only": 0.02,
    "agent_expired": 0.01,
    "deposit": 0.02,
    "withdrawal": 0.02,
    "restart": 0.01,
    "late_s": 16.0,
    "views_behind_s": 2.0,
}
# A world has a reading of the venue or not, to its end.
READINGS: Mapping[str, float] = {
    "cloids_are_unique_is": 1.0,
    "nonce_spent_in_block_is": 1.0,
    "nonce_rises_is": 1.0,
    "nonce_checked_first_is": 1.0,
    "expired_spends_nonce_is": 1.0,
    "ioc_rest_is_rejected_is": 1.0,
    "partial_fill_is_told_is": 1.0,
    "partial_gtc_is_filled_is": 1.0,
    "unknown_coin_is_null_is": 1.0,
    "refused_replacement_is_quiet_is": 1.0,
    "schedule_spares_vaults_is": 1.0,
    "prechecks_are_told_is": 1.0,
    "views_lag_s": 6.0,
}
MONEY: Mapping[str, int] = {"deposit": 10 * SCALE, "withdrawal": -5 * SCALE}
