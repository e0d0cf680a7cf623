"""A simulated Kraken: the server's side of both its interfaces, without I/O.

Written from the fact sheet and captured payloads alone. It shares no code with the client beside
the plain vocabulary of `domain`, so that codec and simulator cannot share a mistake.
"""

from collections.abc import Mapping, Sequence

from crosswire.domain import BookChanged, BookReset, Instrument
from crosswire.venues.interface import Credentials
from crosswire.venues.kraken.simulator.access import PERMISSIONS, api_sign
from crosswire.venues.kraken.simulator.faults import SWITCHES, Faults, from_mapping
from crosswire.venues.kraken.simulator.listed import market_of
from crosswire.venues.kraken.simulator.markets import Market, default_markets
from crosswire.venues.kraken.simulator.simulator import (
    KrakenSimulator,
    SimAccount,
    flow_for,
    recordings_of,
)

__all__ = [
    "PERMISSIONS",
    "SWITCHES",
    "Faults",
    "KrakenSimulator",
    "Market",
    "SimAccount",
    "api_sign",
    "default_markets",
    "from_mapping",
    "simulator",
]


def simulator(
    seed: int,
    start_ns: int,
    credentials: Credentials,
    balances: Mapping[str, str],
    faults: Mapping[str, float] | None = None,
    flow: str = "normal",
    recorded: Sequence[BookReset | BookChanged] | None = None,
    account: str = "main",
    instruments: Sequence[Instrument] = (),
    pairs: Sequence[str] = (),
) -> KrakenSimulator:
    """Build a simulator without knowing Kraken: one login, one account of that name.

    `instruments` are listed instead of the usual pairs, by the real venue's rules: `mirror` brings
    their books. `flow` is off, normal or efficient. A recorded book starts at once and plays in
    a loop. `pairs` keeps of the usual pairs only these, for runs that must be cheap.
    `ValueError` for an unknown fault, flow, or pair.
    """
    recordings = recordings_of(recorded or (), start_ns)
    markets = tuple(map(market_of, instruments)) or default_markets()
    listed = {market.symbol: market for market in markets}
    if unknown := [pair for pair in pairs if pair not in listed]:
        raise ValueError(f"pair {unknown[0]} is not listed: {', '.join(listed)}")
    if pairs:
        markets = tuple(listed[pair] for pair in pairs)
        listed = {market.symbol: market for market in markets}
    for symbol, recording in recordings.items():
        if symbol not in listed:
            raise ValueError(f"recorded pair {symbol} is not listed: {', '.join(listed)}")
        listed[symbol].start_price = _middle(recording.events) or listed[symbol].start_price
    login = SimAccount(secret=credentials.secret, balances=balances, name=account)
    return KrakenSimulator(
        seed,
        start_ns=start_ns,
        instruments=markets,
        accounts={credentials.key: login},
        faults=from_mapping(faults or {}),
        flow=flow_for(markets, seed, flow, list(recordings)),
        recordings=recordings,
    )


def _middle(events: Sequence[object]) -> int:
    """The price in the middle of the first whole book."""
    for event in events:
        if isinstance(event, BookReset) and event.bids and event.asks:
            return (event.bids[0][0] + event.asks[0][0]) // 2
    return 0
