"""A simulated Hyperliquid: the venue's side of the wire, without I/O.

Written from the fact sheet and captured payloads alone. It shares no code with the client beside
the plain vocabulary of `domain` and the choice of a keccak, so that codec, signing and simulator
cannot share a mistake.
"""

from collections.abc import Mapping, Sequence

from crosswire.domain import BookChanged, BookReset, Instrument
from crosswire.sim.flow import Flow, FlowInstrument
from crosswire.sim.recording import Recording
from crosswire.sim.switches import chances, from_mapping
from crosswire.venues.hyperliquid.simulator.faults import Faults
from crosswire.venues.hyperliquid.simulator.markets import Market, default_markets, listed
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret
from crosswire.venues.hyperliquid.simulator.simulator import HyperliquidSimulator, SimAccount
from crosswire.venues.hyperliquid.simulator.text import address
from crosswire.venues.interface import Credentials

__all__ = [
    "SWITCHES",
    "Faults",
    "HyperliquidSimulator",
    "Market",
    "SimAccount",
    "default_markets",
    "flow_for",
    "simulator",
]

SWITCHES = chances(Faults)
FLOWS = ("off", "normal", "efficient")


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
) -> HyperliquidSimulator:
    """Build a simulator without knowing Hyperliquid: one account of that name.

    `credentials` are the account's address and the private key that signs for it: its own, or an
    API wallet's. `instruments` are listed instead of the usual markets: `mirror` brings their
    books. `flow` is off, normal or efficient. A recorded book starts at once and plays in a loop.
    `pairs` brings only these to life (BTC-PERP): the rest is listed, and nobody trades it.
    `ValueError` for what is unknown.
    """
    if flow not in FLOWS:
        raise ValueError(f'unknown flow "{flow}": expected off, normal or efficient')
    markets = listed(instruments) or default_markets()
    names = [market.name for market in markets]
    recordings = _recordings(recorded or (), start_ns)
    for name in [*pairs, *recordings]:
        if name not in names:
            raise ValueError(f"{name} is not listed: {', '.join(names)}")
    alive = [market for market in markets if not pairs or market.name in {*pairs, *recordings}]
    own, signer = address(credentials.key), address_of_secret(credentials.secret)
    agents = {} if signer == own else {signer: "crosswire"}
    held = SimAccount(address=own, balances=balances, agents=agents)
    return HyperliquidSimulator(
        seed,
        start_ns=start_ns,
        instruments=markets,
        accounts={account: held},
        faults=from_mapping(Faults(), faults or {}),
        flow=None if flow == "off" else flow_for(alive, seed, flow, list(recordings)),
        recordings=recordings,
    )


def _recordings(events: Sequence[BookReset | BookChanged], start_ns: int) -> dict[str, Recording]:
    """Sort recorded books by market; each plays in a loop from `start_ns` on."""
    by_name: dict[str, list[BookReset | BookChanged]] = {}
    for event in events:
        by_name.setdefault(event.instrument.partition(":")[2], []).append(event)
    return {name: Recording(rows, start_ns, has_loop=True) for name, rows in by_name.items()}


def flow_for(markets: Sequence[Market], seed: int, kind: str, recorded: Sequence[str] = ()) -> Flow:
    """Bring the markets to life; a recorded one has its makers already."""
    alive = [
        FlowInstrument(
            name=market.name,
            start_price=market.start_price,
            tick=market.tick,
            step=market.step,
            latent=f"{market.base}/USD",
            has_makers=market.name not in recorded,
        )
        for market in markets
        if not market.is_delisted
    ]
    return Flow(seed, alive, venue="hyperliquid", efficient=kind == "efficient")
