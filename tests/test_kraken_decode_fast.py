"""The fast reader of book updates equals the slow one on every frame it answers."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import BookChanged
from crosswire.venues.kraken.decode import fast
from crosswire.venues.kraken.decode.messages import ChannelMessage
from crosswire.venues.kraken.decode.websocket import Decoder
from tests.test_kraken_decode import damage

NAMES = ("BTC/USD", "1INCH/EUR", "A.B/USD")


def level(price: str, quantity: str) -> str:
    return f'{{"price":{price},"qty":{quantity}}}'


def frame(
    bids: str = "",
    asks: str = "",
    *,
    name: str = "BTC/USD",
    checksum: str = "2505869009",
    stamp: str = "2026-08-26T15:16:16.730423Z",
) -> bytes:
    return (
        f'{{"channel":"book","type":"update","data":[{{"symbol":"{name}","bids":[{bids}],'
        f'"asks":[{asks}],"checksum":{checksum},"timestamp":"{stamp}"}}]}}'
    ).encode()


def reader() -> Decoder:
    """Return a decoder that has seen all names, as after a snapshot."""
    one = Decoder(session="kraken", connection="public", depth=10)
    for name in NAMES:
        one.frame(frame(name=name), 1)
    return one


def slow(one: Decoder, payload: bytes) -> BookChanged | None:
    message = one.frame(payload, 5)
    if not isinstance(message, ChannelMessage) or len(message.events) != 1:
        return None
    (event,) = message.events
    return event if isinstance(event, BookChanged) else None


numbers = st.one_of(
    st.from_regex(r"(0|[1-9][0-9]{0,6})\.[0-9]{8}", fullmatch=True),
    st.from_regex(r"(0|[1-9][0-9]{0,6})\.[0-9]{1,6}", fullmatch=True),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,11})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
)
quantities = st.from_regex(r"(0|[1-9][0-9]{0,4})\.[0-9]{8}", fullmatch=True)
plain = st.builds(level, numbers, quantities)
sides = st.lists(st.one_of(plain, st.builds(level, numbers, numbers)), max_size=4).map(",".join)
frames = st.builds(
    frame,
    sides,
    sides,
    name=st.sampled_from(NAMES),
    checksum=st.integers(0, 2**33).map(str),
    stamp=st.sampled_from(
        [
            "2026-08-26T15:16:16.730423Z",
            "2026-02-30T23:59:60.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-08-26T15:16:16Z",
            "2026-08-26T15:77:16.730423Z",
        ]
    ),
)


@given(frames)
def test_fast_equals_slow_on_every_layout(payload: bytes) -> None:
    one = reader()
    got = one.book_update(payload, 5)
    assert got is None or got == slow(one, payload)


@given(frames, st.integers(0, 2**32))
def test_fast_equals_slow_on_damaged_frames(payload: bytes, seed: int) -> None:
    one = reader()
    damaged = damage(payload, random.Random(seed))
    got = one.book_update(damaged, 5)
    assert got is None or got == slow(one, damaged)


def each_digit_and_sign(payload: bytes) -> Iterator[bytes]:
    for at in range(len(payload)):
        yield payload[:at] + payload[at + 1 :]
        for other in b'0 9._,-+x{}[]"\n\xff':
            yield payload[:at] + bytes([other]) + payload[at:]
            yield payload[:at] + bytes([other]) + payload[at + 1 :]


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_fast_equals_slow_wherever_one_character_differs(levels: int) -> None:
    one = reader()
    line = ",".join(level(f"{100 + n}.5", "0.12300000") for n in range(levels))
    for payload in each_digit_and_sign(frame(asks=line)):
        got = one.book_update(payload, 5)
        assert got is None or got == slow(one, payload), payload


def test_the_plain_layout_is_read_fast_whatever_its_size() -> None:
    one = reader()
    for bids in range(6):
        for asks in range(6):
            payload = frame(
                ",".join(level(f"{n + 1}.5", "10.00000000") for n in range(bids)),
                ",".join(level(f"0.{n + 1}", "0.00000000") for n in range(asks)),
            )
            got = one.book_update(payload, 5)
            assert got is not None
            assert got == slow(one, payload)
            assert (len(got.bids), len(got.asks)) == (bids, asks)


@pytest.mark.parametrize(
    "payload",
    [
        frame(level("1.5", "1.0")),
        frame(level("1", "1.00000000")),
        frame(level("15e-1", "1.00000000")),
        frame(stamp="2026-08-26T15:16:16Z"),
        frame().replace(b"update", b"snapshot"),
        frame().replace(b",", b", "),
        frame(name="ETH/USD"),
        b'{"channel":"heartbeat"}',
    ],
)
def test_other_layouts_go_the_slow_way(payload: bytes) -> None:
    assert reader().book_update(payload, 5) is None


def test_a_symbol_is_read_fast_only_after_the_slow_way_has_seen_it() -> None:
    one = Decoder(session="kraken", connection="public")
    payload = frame(level("1.5", "1.00000000"))
    assert one.book_update(payload, 5) is None
    assert slow(one, payload) is not None
    assert one.book_update(payload, 5) is not None


def test_symbols_with_escapes_are_never_read_fast() -> None:
    symbols = fast.Symbols()
    symbols.learn("A\\B", "x")
    symbols.learn("Ä/B", "x")
    assert not symbols


def test_stores_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "MAX_KEPT", 2)
    one = Decoder(session="kraken", connection="public")
    for second in range(5):
        payload = frame(
            level(f"{second}.5", "1.00000000"),
            name=f"A{second}/B",
            stamp=f"2026-08-26T15:16:1{second}.730423Z",
        )
        assert slow(one, payload) == one.book_update(payload, 5) is not None
