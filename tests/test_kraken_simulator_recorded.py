"""The recorded real book behind the simulated Kraken: what it publishes is what was recorded."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crosswire.domain import BookChanged, BookReset, Level
from crosswire.venues.interface import Credentials, SimFrame
from crosswire.venues.kraken.simulator import simulator
from tests.kraken_rig import SECOND, SECRET, START, items, read

SCALE = 10**10


def levels(rows: list[dict[str, Decimal]]) -> tuple[Level, ...]:
    return tuple((int(row["price"] * SCALE), int(row["qty"] * SCALE)) for row in rows)


def recorded(captures: Path) -> tuple[list[BookReset | BookChanged], list[int]]:
    """The recorded book's events, one a second, and the venue's checksum after each."""
    path = captures / "kraken" / "captured" / "python-kraken-sdk" / "orderbook-v2.json"
    if not path.exists():
        pytest.skip(f"no recording {path.name}")
    found: Any = json.loads(path.read_text(), parse_float=Decimal, parse_int=Decimal)
    (whole,) = found["init"]["data"]
    symbol = "kraken:BTC/USD"
    bids, asks = levels(whole["bids"]), levels(whole["asks"])
    events: list[BookReset | BookChanged] = [
        BookReset(0, symbol, bids, asks, depth=10, venue_ns=SECOND)
    ]
    checksums = [int(whole["checksum"])]
    for number, frame in enumerate(found["updates"], start=2):
        (item,) = frame["data"]
        bids, asks = levels(item["bids"]), levels(item["asks"])
        events.append(BookChanged(0, symbol, bids, asks, venue_ns=number * SECOND))
        checksums.append(int(item["checksum"]))
    return events, checksums


def test_every_published_checksum_is_the_recorded_one(captures: Path) -> None:
    events, checksums = recorded(captures)
    sim = simulator(1, START, Credentials("k", SECRET), {"USD": "1"}, flow="off", recorded=events)
    sim.opened(1, "/v2", START)
    ask = {"channel": "book", "symbol": ["BTC/USD"], "depth": 10}
    sim.received(1, json.dumps({"method": "subscribe", "params": ask}).encode(), START)
    sim.outbox.clear()
    seen = []
    for step in range(len(events)):
        sim.tick(START + step * SECOND)
        frames = [read(out.payload) for out in sim.outbox if isinstance(out, SimFrame)]
        sim.outbox.clear()
        published = items(frames, "book")
        assert len(published) <= 1
        seen += [(item["checksum"], checksums[step]) for item in published]
    assert len(seen) > 450  # a few recorded changes lie beyond what ten levels show
    assert [ours for ours, _ in seen] == [theirs for _, theirs in seen]
