"""The parts of Hyperliquid's benchmarks: a wrong tick or an unchecked order measures nothing."""

import json
from typing import Any

import pytest

from bench.hyperliquid import ticks
from bench.hyperliquid.inside import INSTRUMENT, listings, signed_order, whole_book
from bench.hyperliquid.venue import SECRET, Venue
from bench.path import Ear
from crosswire.domain import BookChanged, BookReset
from crosswire.fixed import parse
from crosswire.venues.hyperliquid.decode.messages import ChannelMessage
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from tests.hyperliquid_stage import order, place, sign


def told(decoder: Decoder, text: bytes) -> BookReset | BookChanged:
    message = decoder.frame(text, 1)
    assert type(message) is ChannelMessage
    (event,) = message.events
    assert isinstance(event, BookReset | BookChanged)
    return event


def levels(text: bytes) -> set[str]:
    return {json.dumps(level) for side in json.loads(text)["data"]["levels"] for level in side}


def test_every_book_is_whole_has_its_best_bid_and_five_new_levels() -> None:
    decoder = Decoder(listings(), session="hyperliquid", connection="public")
    seen: set[str] = set()
    for number, tick in enumerate(ticks.books(64, seed=3)):
        event = told(decoder, tick.text)
        assert isinstance(event, BookReset)
        assert (len(event.bids), len(event.asks)) == (20, 20)
        assert event.bids[0][0] == parse(tick.best_bid)
        assert list(event.bids) == sorted(event.bids, reverse=True)
        assert number == 0 or 4 <= len(levels(tick.text) - seen) <= 5
        seen |= levels(tick.text)


def test_every_top_moves_the_best_bid_of_the_book() -> None:
    decoder = Decoder(listings(), session="hyperliquid", connection="public")
    assert isinstance(told(decoder, ticks.snapshot(1000)), BookReset)
    before = ""
    for tick in ticks.tops(64, 1001, seed=3):
        event = told(decoder, tick.text)
        assert isinstance(event, BookChanged)
        best = max(price for price, quantity in event.bids if quantity)
        assert best == parse(tick.best_bid)
        assert tick.best_bid != before
        before = tick.best_bid


def test_the_steps_do_what_they_are_timed_for() -> None:
    step = whole_book(is_applied=True)
    bests = [step(number) for number in range(300)]  # once round the ring and on
    assert bests[:40] == [parse(tick.best_bid) for tick in ticks.books()[1:41]]
    assert bests[255:] == [parse(tick.best_bid) for tick in ticks.books()[: 300 - 255]]
    frame = signed_order()(7)
    assert isinstance(frame, bytes)
    payload = json.loads(frame)["request"]["payload"]
    assert payload["action"]["orders"][0]["c"] == f"0x{7:032x}"
    assert INSTRUMENT in listings().by_id


@pytest.fixture
def venue() -> Any:
    made = Venue(total=4)
    made.listener.close()
    return made


def posted(venue: Venue, ear: Ear, number: int, *, flip: int = 0) -> None:
    action = place(order("64000", "0.01", tif="Alo"))
    body = sign(action, venue.first_ms + number, SECRET)
    body["signature"]["s"] = hex(int(body["signature"]["s"], 16) ^ flip)
    request = {"type": "action", "payload": body}
    venue.told(ear, {"method": "post", "id": number, "request": request})


def test_an_order_is_carried_out_and_a_wrong_signature_is_counted(venue: Venue) -> None:
    ear = Ear()
    venue.welcomed(ear)
    posted(venue, ear, 1)
    assert venue.prices == [64000.0]
    assert venue.orders is ear
    assert b"resting" in ear.said[-1]
    assert venue.refused() == 0
    posted(venue, ear, 2, flip=4)
    assert b"does not exist" in ear.said[-1]
    assert venue.refused() == 1


def test_who_listens_to_no_tops_gets_whole_books(venue: Venue) -> None:
    ear = Ear()
    venue.welcomed(ear)
    asked = {"method": "subscribe", "subscription": {"type": "l2Book", "coin": "BTC"}}
    venue.told(ear, asked)
    assert [json.loads(said)["channel"] for said in ear.said] == ["subscriptionResponse", "l2Book"]
    assert b'"l2Book"' in venue.tick(0).text
    venue.told(ear, {"method": "subscribe", "subscription": {"type": "bbo", "coin": "BTC"}})
    assert b'"bbo"' in venue.tick(1).text
    ear.said.clear()
    venue.beat()
    assert [json.loads(said)["channel"] for said in ear.said] == ["l2Book"]
