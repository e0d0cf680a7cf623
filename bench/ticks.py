"""A ring of book updates in Kraken's words, each with the checksum of the book it leads to.

Every update moves the best bid, so that whoever quotes there has to answer each of them. The ring
closes: after the last update the first one applies again.
"""

import random
import zlib
from typing import NamedTuple

from bench.server import Tick

SYMBOL = "BTC/USD"
BEST_ASK = 650_100  # in tenths of a dollar
LOWEST_BID = 649_900
DEPTH = 10
TIMESTAMP = "2026-08-26T15:16:16.730423Z"


class Ring(NamedTuple):
    """The snapshot that the first update builds on, and the updates."""

    snapshot: bytes
    ticks: list[Tick]


def _price(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}"


def _quantity(lots: int) -> str:
    return f"{lots // 10**8}.{lots % 10**8:08d}"


def _level(price: int, lots: int) -> str:
    return f'{{"price":{_price(price)},"qty":{_quantity(lots)}}}'


def _digits(levels: list[tuple[int, int]]) -> str:
    return "".join(f"{price}{lots}" for price, lots in levels)


def checksum(bids: dict[int, int], asks: dict[int, int]) -> int:
    """Return the CRC32 over the best ten levels a side, asks first."""
    text = _digits(sorted(asks.items())[:10]) + _digits(sorted(bids.items(), reverse=True)[:10])
    return zlib.crc32(text.encode())


def _frame(kind: str, bids: list[tuple[int, int]], asks: list[tuple[int, int]], crc: int) -> bytes:
    levels = [",".join(_level(*level) for level in side) for side in (bids, asks)]
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{SYMBOL}","bids":[{levels[0]}],'
        f'"asks":[{levels[1]}],"checksum":{crc},"timestamp":"{TIMESTAMP}"}}]}}'
    ).encode()


def ring(count: int = 256, seed: int = 1) -> Ring:
    """Return a snapshot of ten levels a side and `count` updates of two levels each."""
    rng = random.Random(seed)
    asks = {BEST_ASK + 3 * level: rng.randrange(10**5, 10**9) for level in range(DEPTH)}
    fixed = {LOWEST_BID - 5 * level: rng.randrange(10**5, 10**9) for level in range(DEPTH - 1)}
    tops = [LOWEST_BID + rng.randrange(10, 90) * 2 + (step & 1) for step in range(count & ~1)]
    lots = [rng.randrange(10**5, 10**9) for _ in tops]
    bids = {tops[-1]: lots[-1], **fixed}
    snapshot = _frame(
        "snapshot", sorted(bids.items(), reverse=True), sorted(asks.items()), checksum(bids, asks)
    )
    ticks = []
    for step, top in enumerate(tops):
        before = tops[step - 1]  # of an odd and an even tick: never the same
        bids = {top: lots[step], **fixed}
        text = _frame("update", [(before, 0), (top, lots[step])], [], checksum(bids, asks))
        ticks.append(Tick(text, _price(top)))
    return Ring(snapshot, ticks)
