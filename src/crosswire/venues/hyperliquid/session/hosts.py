"""Where the venue lives. Which signatures it takes depends on it: mainnet's or all the others'."""

from crosswire.venues.interface import Hosts

LIVE = Hosts(
    rest="https://api.hyperliquid.xyz",
    ws="wss://api.hyperliquid.xyz/ws",
    ws_private="wss://api.hyperliquid.xyz/ws",
)
TESTNET = Hosts(
    rest="https://api.hyperliquid-testnet.xyz",
    ws="wss://api.hyperliquid-testnet.xyz/ws",
    ws_private="wss://api.hyperliquid-testnet.xyz/ws",
)


def local_hosts(place: str) -> Hosts:
    """Return the hosts of a simulator at "host:port", laid out as the venue's SDK expects."""
    return Hosts(rest=f"http://{place}", ws=f"ws://{place}/ws", ws_private=f"ws://{place}/ws")


def is_mainnet(hosts: Hosts) -> bool:
    """Whether signatures for mainnet are taken there."""
    return hosts.rest == LIVE.rest
