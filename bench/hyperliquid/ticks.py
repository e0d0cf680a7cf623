"""Books and tops in Hyperliquid's words, in a ring: each tick moves the best bid.

Of a book's 40 levels five are new with every frame: in a recording of BTC, two frames a second,
four to five were never seen before. The tops are those of `bbo`.
"""

import random

from bench.server import Tick

COIN = "BTC"
LOWEST_BID, BEST_ASK = 64_000, 65_100
DEPTH = 20
RENEWED = 2  # levels a side, and the best bid
FIRST_MS = 1_760_000_000_000


def _level(price: int, lots: int, count: int) -> str:
    size = f"{lots // 10**5}.{lots % 10**5:05d}".rstrip("0")
    return f'{{"px":"{price}.0","sz":"{size}{"0" if size.endswith(".") else ""}","n":{count}}}'


def _side(levels: list[tuple[int, int, int]]) -> str:
    return f"[{','.join(_level(*level) for level in levels)}]"


def _drawn(rng: random.Random) -> tuple[int, int]:
    return rng.randrange(100, 10**6), rng.randrange(1, 30)


def books(
    count: int = 256, first_ms: int = FIRST_MS, step_ms: int = 500, seed: int = 1
) -> list[Tick]:
    """Return whole books of 20 levels a side, `step_ms` apart from `first_ms` on."""
    rng = random.Random(seed)
    sides = [
        [(LOWEST_BID + 900 - 2 * number, *_drawn(rng)) for number in range(DEPTH)],
        [(BEST_ASK + 2 * number, *_drawn(rng)) for number in range(DEPTH)],
    ]
    ticks = []
    for step in range(count):
        for side in sides:
            for place in rng.sample(range(1, DEPTH), RENEWED):
                side[place] = (side[place][0], *_drawn(rng))
        # Never the same twice running: who quotes at the best bid has to answer each of them.
        best = LOWEST_BID + 902 + 2 * rng.randrange(45) + (step & 1)
        sides[0][0] = (best, *_drawn(rng))
        text = (
            f'{{"channel":"l2Book","data":{{"coin":"{COIN}","time":{first_ms + step_ms * step},'
            f'"levels":[{_side(sides[0])},{_side(sides[1])}]}}}}'
        )
        ticks.append(Tick(text.encode(), f"{sides[0][0][0]}.0"))
    return ticks


def snapshot(time_ms: int) -> bytes:
    """Return the whole book that the tops build on."""
    bids = [(LOWEST_BID - number, 10**5, 1) for number in range(DEPTH)]
    asks = [(BEST_ASK + number, 10**5, 1) for number in range(DEPTH)]
    return (
        f'{{"channel":"l2Book","data":{{"coin":"{COIN}","time":{time_ms},'
        f'"levels":[{_side(bids)},{_side(asks)}]}}}}'
    ).encode()


def tops(count: int, first_ms: int, seed: int = 1) -> list[Tick]:
    """Return tops of the book, a millisecond apart, from `first_ms` on."""
    rng = random.Random(seed)
    ticks = []
    bid = LOWEST_BID
    for step in range(count):
        bid = LOWEST_BID + 2 * rng.randrange(1, 500) + (step & 1)  # never the same twice running
        text = (
            f'{{"channel":"bbo","data":{{"coin":"{COIN}","time":{first_ms + step},'
            f'"bbo":[{_level(bid, *_drawn(rng))},{_level(BEST_ASK, 10**5, 1)}]}}}}'
        )
        ticks.append(Tick(text.encode(), f"{bid}"))
    return ticks
