"""The lists: asked in order, believed only when they can be, asked again when a coin turns up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import AnyEvent, InstrumentListed, VenueWarned
from crosswire.fixed import parse
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.session.catalogue import NOBODY
from crosswire.venues.interface import HttpRequest
from tests.hyperliquid_joined import Reader, asked, of
from tests.hyperliquid_stage import OWN


def names(events: list[Any]) -> list[str]:
    return [event.instrument.name for event in of(InstrumentListed, events)]


def test_without_names_everything_is_listed() -> None:
    reader = Reader()
    events = reader.start()
    assert {"BTC-PERP", "HYPE/USDC", "PURR/USDC", "xyz:TSLA-PERP"} <= set(names(events))
    assert reader.catalogue.is_ready
    assert reader.catalogue.dexs == ("", "xyz")
    assert [one["type"] for one in reader.asked] == ["spotMeta", "perpDexs", "meta", "meta"]


def test_a_builders_dex_is_read_only_for_who_trades_there() -> None:
    plain, builder = Reader(wanted=("BTC-PERP",)), Reader(wanted=("xyz:TSLA-PERP",))
    assert names(plain.start()) == ["BTC-PERP"]
    assert [one.get("dex") for one in plain.asked] == [None, None, ""]
    assert names(builder.start()) == ["xyz:TSLA-PERP"]
    assert [one.get("dex") for one in builder.asked] == [None, None, "", "xyz"]
    assert plain.catalogue.dexs == ("",)
    assert plain.listings.dexs == ("", "xyz")  # look-ups must know of it all the same
    assert builder.listings.by_id["hyperliquid:xyz:TSLA-PERP"].asset == 110_000


def test_a_spot_pair_has_the_asset_of_its_sparse_index() -> None:
    reader = Reader(wanted=("HYPE/USDC",))
    reader.start()
    listing = reader.listings.by_id["hyperliquid:HYPE/USDC"]
    assert (listing.coin, listing.asset) == ("@107", 10_107)


def test_a_name_that_does_not_exist_is_said_once() -> None:
    reader = Reader(wanted=("BTC-PERP", "NOPE-PERP", "abc:X-PERP"))
    events = reader.start()
    assert [one.text for one in of(VenueWarned, events)] == [
        'hyperliquid has no instrument "NOPE-PERP"',
        'hyperliquid has no instrument "abc:X-PERP"',
    ]
    assert names(events) == ["BTC-PERP"]
    assert reader.wait(3700, 50.0) == []
    assert [one["type"] for one in reader.asked].count("meta") == 2  # once an hour


def test_fees_are_the_accounts_and_double_on_a_builders_dex() -> None:
    wanted = ("BTC-PERP", "PURR/USDC", "xyz:TSLA-PERP")
    rich = Reader(wanted=wanted, fees_of=OWN)
    fees = {
        event.instrument.name: (event.instrument.maker_fee, event.instrument.taker_fee)
        for event in of(InstrumentListed, rich.start())
    }
    assert fees["BTC-PERP"] == (parse("0.00015"), parse("0.00045"))
    assert fees["PURR/USDC"] == (parse("0.0004"), parse("0.0007"))
    assert fees["xyz:TSLA-PERP"] == (parse("0.0003"), parse("0.0009"))
    assert {"type": "userFees", "user": OWN} in rich.asked
    newcomer = Reader(wanted=("BTC-PERP",), fees_of=NOBODY)
    [listed] = of(InstrumentListed, newcomer.start())
    assert listed.instrument.taker_fee == parse("0.00045")


def test_fees_that_do_not_come_hold_nothing_up() -> None:
    reader = Reader(wanted=("BTC-PERP",), fees_of=OWN)
    reader.bend = lambda q, s, b: (500, b"null") if q["type"] == "userFees" else (s, b)
    [listed] = of(InstrumentListed, reader.start())
    assert listed.instrument.taker_fee == 0
    reader.bend = None
    [again] = of(InstrumentListed, reader.wait(3))
    assert again.instrument.taker_fee == parse("0.00045")


@pytest.mark.parametrize("fault", ["rest_429", "rest_500", "rest_502"])
def test_what_fails_is_asked_again_later_and_later(fault: str) -> None:
    reader = Reader(wanted=("BTC-PERP",), faults={fault: 1.0})
    reader.start()
    reader.wait(120)
    assert not reader.catalogue.is_ready
    # 1 + 2 + 4 + ... seconds apart, and a 429 leaves nothing to spend for a minute.
    assert 1 < len(reader.asked) <= 14
    reader.stage.sim.set_faults({})
    assert names(reader.wait(130)) == ["BTC-PERP"]


def test_no_answer_is_a_failure_too() -> None:
    reader = Reader(wanted=("BTC-PERP",))
    reader.is_deaf = True
    reader.start()
    requests = [one for one in reader.outbox if isinstance(one, HttpRequest)]
    assert len(requests) == 2
    reader.outbox.clear()
    [warned] = reader.catalogue.failed(requests[0], "connection refused", reader.now_ns)
    assert warned == VenueWarned(reader.now_ns, "main", "no spotMeta: connection refused")
    assert reader.wait(14) == []
    assert [one["type"] for one in asked(reader.outbox)] == ["spotMeta"]
    overdue = of(VenueWarned, reader.wait(2))
    assert [one.text for one in overdue] == [
        "no perpDexs: no answer within 15 s",
        "no spotMeta: no answer within 15 s",
    ]
    # An answer to what was given up is nobody's.
    assert not reader.catalogue.owns(requests[1].key)
    assert reader.catalogue.answered(requests[1], 200, b"[null]", reader.now_ns) == []
    reader.outbox.clear()
    reader.is_deaf = False
    assert names(reader.wait(20)) == ["BTC-PERP"]


LISTS: dict[str, list[Any]] = {
    "perpDexs": [[], [{"name": "xyz"}], [None, None], [None, {"name": "abc"}, {"name": "xyz"}],
                 [None], [None, {"name": "xyz"}, {"name": "xyz"}]],
    "spotMeta": [{"universe": [], "tokens": []}],
    "meta": [{"universe": []}, None, [], {"universe": [{"name": "BTC"}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "odd"), [(k, one) for k, all_of in LISTS.items() for one in all_of]
)
def test_a_list_that_contradicts_what_stood_is_not_believed(kind: str, odd: Any) -> None:
    reader = Reader()
    reader.start()
    before = dict(reader.listings.by_id), reader.listings.dexs
    reader.bend = lambda q, s, b: (200, json.dumps(odd).encode()) if q["type"] == kind else (s, b)
    events = reader.wait(3700, 50.0)
    assert any(one.text.startswith(f"no {kind}") for one in of(VenueWarned, events))
    assert (reader.listings.by_id, reader.listings.dexs) == before


def test_a_coin_that_no_list_named_is_looked_for_and_then_let_be() -> None:
    reader = Reader(wanted=("BTC-PERP",))
    reader.start()
    asked_so_far = len(reader.asked)
    for coin in ("NEW", "@300", "xyz:NEW", "new:COIN", "#5"):
        reader.listings.instrument_id(coin)
    assert not reader.catalogue.knows("@300")
    assert reader.catalogue.knows("#5")
    assert reader.catalogue.knows("BTC")
    reader.wait(1)
    found = [(one["type"], one.get("dex")) for one in reader.asked[asked_so_far:]]
    assert sorted(found, key=str) == [
        ("meta", ""), ("meta", "xyz"), ("perpDexs", None), ("spotMeta", None),
    ]  # fmt: skip
    assert reader.catalogue.knows("@300")
    # It stays unknown: asked again after 1, 2, 4 minutes and so on, not with every tick.
    asked_so_far = len(reader.asked)
    reader.wait(50)
    assert len(reader.asked) == asked_so_far
    reader.wait(800, 5.0)
    assert len(reader.asked) - asked_so_far <= 4 * 4


def test_a_new_listing_is_told_when_it_is_found() -> None:
    reader = Reader()

    def without_btc(question: dict[str, Any], status: int, body: bytes) -> tuple[int, bytes]:
        if question["type"] != "meta" or question["dex"]:
            return status, body
        meta = json.loads(body)
        meta["universe"] = meta["universe"][:-1]
        return status, json.dumps(meta).encode()

    reader.bend = without_btc
    assert "VINE-PERP" not in names(reader.start())
    reader.bend = None
    reader.listings.instrument_id("VINE")
    assert names(reader.wait(1)) == ["VINE-PERP"]


def test_the_weight_of_an_ip_is_kept() -> None:
    reader = Reader(limit=45)
    reader.start()
    assert len(reader.asked) == 2  # 20 each
    assert not reader.catalogue.is_ready
    reader.wait(61)
    assert len(reader.asked) == 4
    assert reader.catalogue.is_ready


@given(st.integers(0, 3), st.integers(100, 599), st.binary(max_size=60))
def test_nothing_that_is_answered_raises(count: int, status: int, body: bytes) -> None:
    reader = Reader()
    left = count

    def bend(question: dict[str, Any], good: int, good_body: bytes) -> tuple[int, bytes]:
        nonlocal left
        left -= 1
        return (good, good_body) if left >= 0 else (status, body)

    reader.bend = bend
    reader.start()
    reader.wait(5)
    reader.bend = None
    reader.wait(70)
    assert reader.catalogue.is_ready


def test_lists_come_by_post_where_there_is_a_connection() -> None:
    reader = Reader(wanted=("BTC-PERP",))
    posted: list[bytes] = []
    read = 1

    def post(body: bytes, _now_ns: int) -> int:
        posted.append(body)
        return len(posted)

    def answered() -> list[AnyEvent]:
        nonlocal read
        events: list[AnyEvent] = []
        while read < len(posted):
            read += 1
            question = json.loads(posted[read - 1])
            kind = question.pop("type")
            found = {"type": kind, "data": reader.stage.info(kind, **question)}
            payload = json.dumps(found).encode()
            assert reader.catalogue.owns(-read)
            events += reader.catalogue.replied(Reply(read, "info", payload), reader.now_ns)
        return events

    vars(reader.catalogue)["_post"] = post
    left = reader.weights.left(reader.now_ns)
    assert reader.catalogue.start(reader.now_ns) == []
    lost = reader.catalogue.replied(Reply(1, "error", error="429 null"), reader.now_ns)
    assert [type(event) for event in lost] == [VenueWarned]
    assert answered() == []
    assert not reader.outbox
    assert reader.weights.left(reader.now_ns) == left
    reader.wait(1)  # what was lost by post is asked by REST
    assert [one["type"] for one in reader.asked] == ["spotMeta"]
    assert names(answered()) == ["BTC-PERP"]
    assert reader.catalogue.replied(Reply(99, "info"), reader.now_ns) == []
