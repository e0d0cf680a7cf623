"""The public feed driven by literal frames: instruments first, one book at a time anew."""

import json
from typing import Any

import pytest

from crosswire.domain import (
    AnyEvent,
    Approved,
    BookChanged,
    BookLost,
    BookReset,
    Connected,
    Disconnected,
    FeedProven,
    InstrumentListed,
    Rejected,
    Resubscribe,
    TickerChanged,
    TradePrinted,
    Unreadable,
    VenueStatusChanged,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.interface import FeedSettings, Frame, HttpRequest, Reconnect
from crosswire.venues.kraken.session.feed import Feed
from tests.kraken_dialogue import BTC, HOSTS, NOW, SECOND, of, only, place

UPDATE = (
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":1.0,'
    b'"qty":0.00000000}],"asks":[],"checksum":1,"timestamp":"2026-08-26T15:16:16.730423Z"}]}'
)


def pair(symbol: str, **changes: Any) -> dict[str, Any]:
    """Return an instrument as the venue lists it."""
    base, quote = symbol.split("/")
    fields = {
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "status": "online",
        "qty_precision": 8,
        "qty_increment": 1e-08,
        "price_precision": 1,
        "cost_min": 0.5,
        "price_increment": 0.1,
        "qty_min": 0.00005,
    }
    return fields | changes


class Public:
    """A feed driven by literal frames."""

    def __init__(self, *names: str, **changes: Any) -> None:
        self.feed = Feed(FeedSettings(HOSTS, names or ("BTC/USD", "ETH/USD"), **changes))
        self.now_ns = NOW
        self.frames: list[dict[str, Any]] = []
        self.calls: list[HttpRequest] = []
        self.reconnects: list[Reconnect] = []

    def take(self, events: list[AnyEvent]) -> list[AnyEvent]:
        """Sort what the outbox holds."""
        for output in self.feed.outbox:
            if isinstance(output, Frame):
                self.frames.append(json.loads(output.payload))
            elif isinstance(output, HttpRequest):
                self.calls.append(output)
            else:
                self.reconnects.append(output)
        self.feed.outbox.clear()
        return events

    def open(self) -> list[AnyEvent]:
        """Connect, and read the instruments."""
        self.take(self.feed.start(self.now_ns))
        events = self.take(self.feed.opened("public", self.now_ns))
        data = {"assets": [], "pairs": [pair("BTC/USD"), pair("ETH/USD"), pair("ADA/USD")]}
        return events + self.hear({"channel": "instrument", "type": "snapshot", "data": data})

    def live(self) -> "Public":
        """Connect, and read both books."""
        self.open()
        for symbol in ("BTC/USD", "ETH/USD"):
            self.book(symbol)
        return self

    def book(self, symbol: str) -> list[AnyEvent]:
        """Let a book's snapshot arrive."""
        item = {"symbol": symbol, "bids": [{"price": 1.0, "qty": 2.0}], "asks": [], "checksum": 5}
        return self.hear({"channel": "book", "type": "snapshot", "data": [item]})

    def hear(self, frame: dict[str, Any] | bytes) -> list[AnyEvent]:
        """Let a frame arrive."""
        payload = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        return self.take(self.feed.received("public", payload, self.now_ns))

    def reply(self, number: int, **fields: Any) -> list[AnyEvent]:
        """Let an answer arrive."""
        frame = {"method": "subscribe", "req_id": number, "success": "error" not in fields}
        return self.hear({**frame, **fields})

    def resubscribe(self, instrument: str = BTC) -> list[AnyEvent]:
        """Ask for one book anew."""
        command = Resubscribe("kraken", instrument, "checksum")
        return self.take(self.feed.send(Approved(command, 1, self.now_ns), "ws", self.now_ns))

    def pass_time(self, seconds: float) -> list[AnyEvent]:
        """Let time pass, then tick."""
        self.now_ns += int(seconds * SECOND)
        return self.take(self.feed.tick(self.now_ns))


def test_instruments_come_first_then_what_is_wanted_of_them() -> None:
    public = Public(depth=25, trades=True, ticker=True)
    events = public.open()
    assert only(events, Connected).session == "kraken"
    assert [event.instrument.id for event in of(events, InstrumentListed)] == [
        BTC,
        "kraken:ETH/USD",
    ]
    assert [frame["params"]["channel"] for frame in public.frames] == [
        "instrument",
        "book",
        "trade",
        "ticker",
    ]
    names = ["BTC/USD", "ETH/USD"]
    assert public.frames[1]["params"] == {
        "channel": "book",
        "symbol": names,
        "depth": 25,
        "snapshot": True,
    }
    assert public.frames[2]["params"] == {"channel": "trade", "symbol": names, "snapshot": False}
    assert len({frame["req_id"] for frame in public.frames}) == 4


def test_many_books_are_asked_for_in_chunks() -> None:
    names = [f"A{number}/USD" for number in range(120)]
    public = Public(*names)
    public.take(public.feed.opened("public", public.now_ns))
    data = {"assets": [], "pairs": [pair(name) for name in names]}
    public.hear({"channel": "instrument", "type": "snapshot", "data": data})
    assert [len(frame["params"]["symbol"]) for frame in public.frames[1:]] == [50, 50, 20]


def test_an_unknown_instrument_is_told_and_the_others_go_on() -> None:
    public = Public("BTC/USD", "FOO/USD")
    events = public.open()
    assert only(events, VenueWarned).text == 'kraken has no instrument "FOO/USD"'
    assert public.frames[1]["params"]["symbol"] == ["BTC/USD"]


def test_an_instrument_too_fine_for_us_is_told_only_if_it_is_wanted() -> None:
    for name, count in (("BTC/USD", 2), ("ETH/USD", 1)):
        public = Public("BTC/USD")
        data = {"assets": [], "pairs": [pair(name, price_precision=11)]}
        events = public.hear({"channel": "instrument", "type": "snapshot", "data": data})
        assert len(of(events, VenueWarned)) == count


def test_changed_instruments_are_listed_anew_without_new_subscriptions() -> None:
    public = Public().live()
    before = len(public.frames)
    data = {"pairs": [pair("BTC/USD", status="cancel_only"), pair("ADA/USD")]}
    events = public.hear({"channel": "instrument", "type": "update", "data": data})
    assert only(events, InstrumentListed).instrument.status == "cancel_only"
    assert len(public.frames) == before


def test_fees_come_by_rest_before_or_after_the_instruments() -> None:
    public = Public()
    public.open()
    (call,) = public.calls
    assert call.path == "/0/public/AssetPairs?pair=BTC%2FUSD%2CETH%2FUSD"
    row = {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "base": "XXBT",
        "quote": "ZUSD",
        "pair_decimals": 1,
        "lot_decimals": 8,
        "fees": [[0, 0.40]],
        "fees_maker": [[0, 0.25]],
    }
    body = json.dumps({"error": [], "result": {"BTC/USD": row}}).encode()
    listed = of(public.feed.answered(call, 200, body, public.now_ns), InstrumentListed)
    fees = {event.instrument.id: event.instrument.taker_fee for event in listed}
    assert fees == {BTC: parse("0.004"), "kraken:ETH/USD": 0}
    again = public.feed.answered(call, 520, b"<html>", public.now_ns)
    assert "no fees" in only(again, VenueWarned).text
    failed = public.feed.failed(call, "timeout", public.now_ns, was_sent=True)
    assert only(failed, VenueWarned).text == "no fees: timeout"


def test_market_data_passes_as_events() -> None:
    public = Public().live()
    assert only(public.hear(UPDATE), BookChanged).bids == ((parse("1"), 0),)
    slow = UPDATE.replace(b'"data":[', b'"data": [')
    assert only(public.hear(slow), BookChanged).instrument == BTC
    trade = {
        "symbol": "BTC/USD",
        "side": "buy",
        "price": 2.0,
        "qty": 1.0,
        "trade_id": 7,
        "timestamp": "2026-08-26T15:16:16.730423Z",
    }
    events = public.hear({"channel": "trade", "type": "update", "data": [trade]})
    assert only(events, TradePrinted).trade_id == "7"
    numbers = dict.fromkeys(("bid", "bid_qty", "ask", "ask_qty", "last", "volume"), 1.0)
    ticker = {"channel": "ticker", "type": "update", "data": [{"symbol": "BTC/USD", **numbers}]}
    assert only(public.hear(ticker), TickerChanged).instrument == BTC
    status = {"channel": "status", "type": "update", "data": [{"system": "cancel_only"}]}
    assert only(public.hear(status), VenueStatusChanged).status == "cancel_only"
    assert only(public.hear(b'{"channel":"heartbeat"}'), FeedProven).session == "kraken"
    assert only(public.hear(b"garbage"), Unreadable).excerpt == "garbage"


def test_one_book_is_asked_for_again_and_no_other() -> None:
    public = Public().live()
    before = len(public.frames)
    assert not public.resubscribe()
    assert not public.resubscribe()
    (left,) = public.frames[before:]
    assert left["method"] == "unsubscribe"
    assert left["params"] == {"channel": "book", "symbol": ["BTC/USD"], "depth": 10}
    assert not public.hear(UPDATE)
    assert not public.hear(UPDATE.replace(b'"data":[', b'"data": ['))
    assert public.hear(UPDATE.replace(b'"data":[', b'"data": [').replace(b"BTC", b"ETH"))
    result = {"channel": "book", "depth": 10, "symbol": "BTC/USD"}
    public.hear(
        {"method": "unsubscribe", "req_id": left["req_id"], "success": True, "result": result}
    )
    asked = public.frames[-1]
    assert (asked["method"], asked["params"]["symbol"]) == ("subscribe", ["BTC/USD"])
    public.reply(asked["req_id"], result=result)
    assert only(public.book("BTC/USD"), BookReset).instrument == BTC
    assert of(public.hear(UPDATE), BookChanged)
    assert public.feed.statistics()["books_live"] == 2


def test_a_book_that_was_not_there_can_be_asked_for_at_once() -> None:
    public = Public().live()
    public.resubscribe()
    number = public.frames[-1]["req_id"]
    assert not public.reply(number, error="Subscription Not Found", symbol="BTC/USD")
    assert public.frames[-1]["method"] == "subscribe"


def test_a_book_already_subscribed_is_left_first() -> None:
    public = Public().live()
    public.resubscribe()
    public.reply(public.frames[-1]["req_id"], error="Subscription Not Found", symbol="BTC/USD")
    assert not public.reply(public.frames[-1]["req_id"], error="Already subscribed")
    assert public.frames[-1]["method"] == "unsubscribe"
    both = public.frames[1]["req_id"]
    before = len(public.frames)
    assert not public.reply(both, error="Already subscribed")
    assert len(public.frames) == before


def test_a_refusal_is_told_and_not_repeated() -> None:
    public = Public()
    public.open()
    number = public.frames[1]["req_id"]
    refused = public.reply(number, error="Currency pair not supported ETH/USD", symbol="ETH/USD")
    assert "book ETH/USD refused: Currency pair" in only(refused, VenueWarned).text
    public.book("BTC/USD")
    before = len(public.frames)
    public.pass_time(4.9)
    public.hear(b'{"channel":"heartbeat"}')
    public.pass_time(3)
    assert len(public.frames) == before
    assert not public.resubscribe("kraken:ETH/USD")
    assert not public.resubscribe("kraken:XYZ/USD")
    assert len(public.frames) == before
    assert "Unsupported" in only(public.reply(999, error="Unsupported event"), VenueWarned).text
    assert not public.reply(998, result={"channel": "book"})
    assert "Exceeded" in only(public.hear({"Error": "Exceeded msg rate"}), VenueWarned).text


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    public = Public()
    public.open()
    public.book("BTC/USD")
    public.pass_time(3)
    public.hear(b'{"channel":"heartbeat"}')
    public.pass_time(3)
    assert public.frames[-1]["method"] == "unsubscribe"
    assert public.frames[-1]["params"]["symbol"] == ["ETH/USD"]


def test_every_book_is_lost_with_the_connection() -> None:
    public = Public().live()
    events = public.feed.closed("public", "code 1001", public.now_ns)
    assert only(events, Disconnected).reason == "code 1001"
    assert {event.instrument for event in of(events, BookLost)} == {BTC, "kraken:ETH/USD"}
    assert not public.feed.is_ready("ws")
    assert not public.pass_time(60)
    assert not public.frames[4:]
    public.live()
    assert public.feed.statistics()["books_live"] == 2


def test_silence_gives_the_connection_up_once_but_not_before_a_subscription() -> None:
    public = Public()
    public.take(public.feed.opened("public", public.now_ns))
    public.pass_time(6)
    assert not public.reconnects
    public.live()
    public.pass_time(4.9)
    public.hear(b'{"channel":"heartbeat"}')
    public.pass_time(4.9)
    assert not public.reconnects
    public.pass_time(0.1)
    public.pass_time(5)
    assert [output.reason for output in public.reconnects] == ["silent for 5 s"]


def test_pings_measure_the_clock() -> None:
    public = Public().live()
    for _ in range(30):
        public.hear(b'{"channel":"heartbeat"}')
        public.pass_time(1)
    ping = public.frames[-1]
    assert ping == {"method": "ping", "req_id": ping["req_id"]}
    stamp = "2026-01-22T06:06:59.000000Z"
    public.hear({"method": "pong", "req_id": ping["req_id"], "time_in": stamp, "time_out": stamp})
    assert public.feed.clock.offset_ns == 10 * SECOND
    assert not public.hear({"method": "pong", "req_id": 4711, "time_in": stamp})


def test_a_feed_takes_no_orders_and_no_odd_depth() -> None:
    public = Public().live()
    refused = public.feed.send(Approved(place(), 1, NOW), "ws", NOW)
    assert only(refused, Rejected).is_unsent
    assert public.feed.is_ready("ws")
    assert not public.feed.is_ready("rest")
    with pytest.raises(ValueError, match="book depth 11: expected one of 10, 25, 100, 500, 1000"):
        Public(depth=11)


def test_no_instruments_no_question_for_fees() -> None:
    feed = Feed(FeedSettings(HOSTS))
    assert not feed.start(NOW)
    assert not feed.outbox
    assert feed.endpoints()[0].url == "ws://127.0.0.1:1/v2"
