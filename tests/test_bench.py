"""The benchmarks' own parts: a wrong ring or a wrong verdict would measure the wrong thing."""

import json

import pytest

from bench import wire
from bench.figures import Row, number, spread, table
from bench.ticks import checksum, ring


def levels(side: list[dict[str, str]]) -> dict[int, int]:
    return {int(row["price"].replace(".", "")): int(row["qty"].replace(".", "")) for row in side}


def test_every_tick_leads_to_its_checksum_and_best_bid_and_the_ring_closes() -> None:
    frames = ring(count=64, seed=3)
    book = json.loads(frames.snapshot, parse_float=str)["data"][0]
    bids, asks = levels(book["bids"]), levels(book["asks"])
    assert book["checksum"] == checksum(bids, asks)
    before = max(bids)
    for tick in frames.ticks * 2:
        row = json.loads(tick.text, parse_float=str)["data"][0]
        bids |= levels(row["bids"])
        bids = {price: lots for price, lots in bids.items() if lots}
        assert row["checksum"] == checksum(bids, asks)
        assert len(bids) == 10
        assert max(bids) == int(tick.best_bid.replace(".", "")) != before
        before = max(bids)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 300, 70_000])
def test_a_masked_frame_comes_back_as_it_was(size: int) -> None:
    payload = bytes(number % 251 for number in range(size))
    plain = wire.frame(payload)
    start = len(plain) - size
    key = b"\x01\x7f\xf0\x33"
    masked = bytes(byte ^ key[place & 3] for place, byte in enumerate(payload))
    data = bytearray(plain[:1] + bytes([plain[1] | 128]) + plain[2:start] + key + masked)
    assert wire.take(data[: len(data) - 1]) is None
    assert wire.take(data) == wire.Message(wire.TEXT, payload)
    assert not data


def test_a_request_is_whole_with_its_body_and_is_no_frame() -> None:
    whole = b"POST /exchange HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
    assert wire.is_request(whole)
    assert not any(wire.is_request(whole[:size]) for size in range(len(whole)))
    assert wire.take(bytearray(whole)) is None
    assert not wire.is_request(wire.frame(whole))


def test_a_verdict_says_by_how_much() -> None:
    assert Row("a", 2.0, "µs", budget=2.0).verdict == "PASS"
    assert Row("a", 3.0, "µs", budget=2.0).verdict == "MISS by 50 %"
    assert Row("a", 2.0, "x", budget=3.0, is_at_least=True).verdict == "MISS by 50 %"
    assert Row("a", 4.0, "x", budget=3.0, is_at_least=True).verdict == "PASS"
    assert not Row("a", 4.0, "x").verdict


def test_figures_are_medians_of_rounds() -> None:
    rounds = [[1.0, 2.0, 9.0], [4.0, 5.0, 6.0], [7.0, 8.0, 30.0]]
    assert spread(rounds) == (5.0, 9.0)
    assert [number(value) for value in (0.5, 12.345, 123.4, 1234.5)] == [
        "0.50", "12.35", "123", "1,234"
    ]  # fmt: skip


def test_the_table_keeps_its_columns() -> None:
    lines = table([Row("a long name", 1.0, "ns", 2.0, 3.0), Row("b", 1000.0, "msg/s")]).splitlines()
    assert lines[0].startswith("what")
    assert "<= 3.00" in lines[2]
    assert "PASS" in lines[2]
    assert lines[3].split() == ["b", "1,000", "msg/s"]
