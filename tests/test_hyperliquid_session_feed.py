"""The feed: lists, books with their tops, its own age, and what becomes of a silent book."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswire.book import Book
from crosswire.domain import (
    AnyEvent,
    Approved,
    BookChanged,
    BookLost,
    BookReset,
    CancelAll,
    CandleChanged,
    Connected,
    Disconnected,
    FeedProven,
    InstrumentListed,
    Place,
    Rejected,
    Resubscribe,
    TickerChanged,
    TradePrinted,
    Unreadable,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.hyperliquid.session.feed import MAX_MESSAGES, PUBLIC, Feed
from crosswire.venues.interface import FeedSettings, Frame, Reconnect
from tests.hyperliquid_joined import HOSTS, SECOND, Watching, of
from tests.hyperliquid_stage import KEY, OTHER_KEY, START_MS, order, place

BTC = "hyperliquid:BTC-PERP"


def started(*names: str, **options: Any) -> Watching:
    watching = Watching(*(names or ("BTC-PERP",)), **options)
    watching.stage.quote()
    watching.stage.sim.outbox.clear()
    watching.start()
    return watching


def subscribed(watching: Watching, method: str = "subscribe") -> list[str]:
    return [
        one["subscription"]["type"] + ":" + one["subscription"]["coin"]
        for one in watching.sent
        if one["method"] == method
    ]


def book_of(events: list[AnyEvent]) -> Book:
    """Build the book that some events make."""
    [listed] = [one for one in of(InstrumentListed, events) if one.instrument.id == BTC][:1]
    book = Book(listed.instrument)
    for event in events:
        if isinstance(event, BookReset) and event.instrument == BTC:
            assert book.reset(event)
        elif isinstance(event, BookChanged) and event.instrument == BTC:
            assert book.change(event)
        elif isinstance(event, BookLost) and event.instrument == BTC:
            book.lose()
    return book


# --- subscribing -----------------------------------------------------------------------------


def test_lists_come_first_and_then_the_books_of_the_wanted() -> None:
    watching = started("BTC-PERP", "HYPE/USDC", "xyz:TSLA-PERP")
    kinds = [type(event) for event in watching.events]
    assert kinds.index(InstrumentListed) < kinds.index(BookReset)
    assert subscribed(watching) == [
        "l2Book:BTC", "bbo:BTC", "l2Book:@107", "bbo:@107", "l2Book:xyz:TSLA", "bbo:xyz:TSLA",
    ]  # fmt: skip
    [listed] = [one for one in of(InstrumentListed, watching.events) if one.instrument.id == BTC]
    assert listed.instrument.taker_fee == parse("0.00045")  # a newcomer's
    assert of(Connected, watching.events) == [
        Connected(watching.stage.now_ns, "hyperliquid", PUBLIC)
    ]


def test_the_lists_may_come_after_the_connection() -> None:
    watching = Watching("BTC-PERP", faults={"rest_500": 1.0})
    watching.start()
    assert subscribed(watching) == []
    watching.stage.sim.set_faults({})
    watching.wait(10)
    assert subscribed(watching) == ["l2Book:BTC", "bbo:BTC"]


def test_trades_and_contexts_are_asked_for_if_wanted() -> None:
    watching = started(trades=True, ticker=True)
    assert subscribed(watching) == ["l2Book:BTC", "bbo:BTC", "trades:BTC", "activeAssetCtx:BTC"]
    watching.stage.act(place(order("65010", "0.2", tif="Ioc")))
    events = watching.wait(1)
    [printed] = of(TradePrinted, events)
    assert (printed.side, printed.price, printed.is_snapshot) == ("buy", parse("65010"), False)
    watching.stage.rest("64995", "0.3")
    last = of(TickerChanged, watching.wait(1))[-1]
    assert (last.bid, last.bid_quantity) == (parse("64995"), parse("0.3"))
    assert (last.ask, last.ask_quantity) == (parse("65010"), parse("0.8"))
    assert (last.last, last.volume) == (parse("65010"), parse("0.2"))


def test_candles_are_asked_for_by_name_and_again_on_a_new_connection() -> None:
    watching = started()
    with pytest.raises(ValueError, match="NOPE"):
        watching.feed.candles("NOPE", "1m", watching.stage.now_ns)
    with pytest.raises(ValueError, match="7m"):
        watching.feed.candles("BTC-PERP", "7m", watching.stage.now_ns)
    watching.stage.act(place(order("65010", "0.2", tif="Ioc")))
    watching.feed.candles("BTC-PERP", "1m", watching.stage.now_ns)
    watching.feed.candles("BTC-PERP", "1m", watching.stage.now_ns)
    assert [event.interval_ns for event in of(CandleChanged, watching.carry([]))] == [60 * SECOND]
    watching.sent.clear()
    watching.carry(watching.feed.closed(PUBLIC, "gone", watching.stage.now_ns))
    watching.open()
    assert subscribed(watching) == ["l2Book:BTC", "bbo:BTC", "candle:BTC"]


@pytest.mark.parametrize("depth", [0, 21])
def test_a_depth_the_venue_does_not_have_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="1 to 20"):
        Feed(FeedSettings(HOSTS, ("BTC-PERP",), depth))


def test_the_venues_limit_of_messages_is_kept() -> None:
    watching = started()
    feed, now_ns = watching.feed, watching.stage.now_ns
    approved = Approved(Resubscribe("hyperliquid", BTC, "test"), 1, now_ns)
    for _ in range(MAX_MESSAGES):
        feed.send(approved, "ws", now_ns)
        watching.carry([])
    assert len(watching.sent) == MAX_MESSAGES
    assert feed.statistics()["frames_waiting"]
    watching.wait(61)
    assert len(watching.sent) > MAX_MESSAGES
    assert feed.statistics()["frames_waiting"] == 0
    assert watching.stage.sim.outbox == []
    assert of(VenueWarned, watching.events) == []


# --- books -----------------------------------------------------------------------------------


def test_a_book_follows_the_venue_block_by_block() -> None:
    watching = started()
    stage = watching.stage
    for price, size in (("64995", "0.5"), ("65005", "0.4")):
        stage.rest(price, size, "buy" if price < "65" else "sell")
        watching.wait(0.5)
    stage.act(place(order("65005", "0.1", tif="Ioc")))
    watching.wait(0.5)
    book = book_of(watching.events)
    assert book.is_valid
    assert book.bids(1) == ((parse("64995"), parse("0.5")),)
    assert book.asks(1) == ((parse("65005"), parse("0.3")),)
    assert of(BookChanged, watching.events)  # from bbo: whole books come every 5 s only
    watching.wait(6)
    whole = of(BookReset, watching.events)[-1]
    assert (len(whole.bids), len(whole.asks)) == (2, 2)


def test_a_shallow_book_is_asked_for_fast() -> None:
    watching = started(depth=5)
    books = [one for one in watching.sent if one["subscription"]["type"] == "l2Book"]
    assert books[0]["subscription"]["fast"] is True
    watching.events.clear()
    watching.wait(3)
    assert len(of(BookReset, watching.events)) >= 5


def test_a_top_without_its_whole_book_is_no_book() -> None:
    feed = started().feed
    feed.closed(PUBLIC, "gone", 1)
    feed.opened(PUBLIC, 2)
    data = {"coin": "BTC", "time": START_MS, "bbo": [{"px": "1.0", "sz": "1.0", "n": 1}, None]}
    frame = json.dumps({"channel": "bbo", "data": data}).encode()
    assert feed.received(PUBLIC, frame, 3) == []
    whole = {"coin": "BTC", "time": START_MS - 5, "levels": [[], []]}
    frame = json.dumps({"channel": "l2Book", "data": whole}).encode()
    [reset] = of(BookReset, feed.received(PUBLIC, frame, 4))
    assert reset.bids == ((parse("1"), parse("1")),)  # the newer top lies over it


# --- age -------------------------------------------------------------------------------------


def test_a_quiet_market_is_proven_alive_all_the_time() -> None:
    watching = started()
    last_ns = watching.stage.now_ns
    for _ in range(60):
        for event in watching.wait(1):
            assert not isinstance(event, BookLost)
            if isinstance(event, FeedProven | BookReset):
                assert event.recv_ns - last_ns <= 3 * SECOND
                last_ns = event.recv_ns
    assert watching.stage.now_ns - last_ns <= 3 * SECOND
    assert watching.reconnects == []
    pings = sum(one["method"] == "ping" for one in watching.sent)
    assert 12 <= pings <= 30


def test_a_silent_book_is_lost_and_asked_for_again_alone() -> None:
    watching = started("BTC-PERP", "ETH-PERP")
    watching.sent.clear()
    stage = watching.stage

    def mute(seconds: float) -> list[AnyEvent]:
        """Let time pass without the book of one coin."""
        events: list[AnyEvent] = []
        for _ in range(round(2 * seconds)):
            stage.wait(0.5)
            stage.sim.outbox[:] = [
                one
                for one in stage.sim.outbox
                if b'"coin":"BTC"' not in getattr(one, "payload", b"")
            ]
            events += watching.carry([])
            events += watching.carry(watching.feed.tick(stage.now_ns))
        return events

    events = mute(14)
    assert of(BookLost, events) == []
    # The other book's frames prove the other book alone.
    assert [one for one in of(FeedProven, events) if one.recv_ns > stage.now_ns - 5 * SECOND] == []
    events = mute(1.5)
    [lost] = of(BookLost, events)
    assert (lost.instrument, lost.reason) == (BTC, "no whole book for 15 s")
    assert subscribed(watching, "unsubscribe") == ["l2Book:BTC", "bbo:BTC"]
    assert of(BookReset, events)  # the subscription brings a whole book at once
    assert watching.reconnects == []
    assert of(FeedProven, watching.wait(2))


def test_a_book_that_stays_silent_is_asked_for_less_and_less() -> None:
    watching = started(faults={"stale_book": 1.0, "stale_s": 1000.0})
    events = watching.wait(300)
    assert len(of(BookLost, events)) == 1
    count = watching.feed.statistics()["resubscribed"]
    assert isinstance(count, int)
    assert 3 <= count <= 8  # after 15, 30, 60, 120, ... s
    assert watching.reconnects == []  # pings are answered
    last = of(FeedProven, events)
    assert all(one.recv_ns < (START_MS + 9_000) * 1_000_000 for one in last)
    assert not book_of(watching.events).is_valid
    watching.stage.sim.set_faults({})
    watching.stage.sim.hub.stale_until_ns = 0
    watching.wait(70)
    assert book_of(watching.events).is_valid


def test_a_stale_book_comes_back_by_itself() -> None:
    watching = started(faults={"stale_book": 0.05})
    watching.wait(120)
    watching.stage.sim.set_faults({})
    watching.stage.rest("64999", "0.7")
    watching.wait(30)
    assert watching.stage.sim.fault_counts["stale_book"]
    assert book_of(watching.events).bids(1) == ((parse("64999"), parse("0.7")),)


def test_a_connection_that_answers_nothing_is_given_up() -> None:
    watching = started()
    watching.stage.sim.hub.connections[1].is_half_open = True
    events = watching.wait(16)
    assert watching.reconnects == ["silent for 10 s"]
    kinds = [type(one) for one in events if isinstance(one, Disconnected | BookLost | Connected)]
    assert kinds == [Disconnected, BookLost, Connected]
    assert book_of(watching.events).is_valid


def test_two_missed_pongs_end_a_connection_that_still_talks() -> None:
    watching = started()
    feed, now_ns = watching.feed, watching.stage.now_ns
    feed.outbox.clear()
    whole = {"coin": "BTC", "time": START_MS, "levels": [[], []]}
    frame = json.dumps({"channel": "l2Book", "data": whole}).encode()
    ended = None
    for second in range(1, 60):
        feed.received(PUBLIC, frame, now_ns + second * SECOND)
        feed.tick(now_ns + second * SECOND)
        if any(isinstance(one, Reconnect) for one in feed.outbox):
            ended = second
            break
    assert ended == 45  # the first ping goes after 15 s
    assert feed.outbox[-1] == Reconnect(PUBLIC, "two pings unanswered")


def test_cuts_are_routine() -> None:
    watching = started("BTC-PERP", "ETH-PERP", faults={"cut": 0.1, "greeting": 0.5}, trades=True)
    watching.wait(120)
    watching.stage.sim.set_faults({})
    watching.wait(10)
    assert watching.connection > 5
    assert watching.stage.sim.fault_counts["greeting"]
    assert of(Unreadable, watching.events) == []
    assert of(VenueWarned, watching.events) == []
    lost = [one for one in of(BookLost, watching.events) if one.instrument == BTC]
    assert len(lost) == watching.connection - 1
    assert book_of(watching.events).is_valid


# --- commands and complaints -----------------------------------------------------------------


def test_a_book_is_asked_for_anew_when_the_engine_wants_it() -> None:
    watching = started()
    watching.sent.clear()
    now_ns = watching.stage.now_ns
    approved = Approved(Resubscribe("hyperliquid", BTC, "crossed"), 1, now_ns)
    assert watching.feed.is_ready("ws")
    assert not watching.feed.is_ready("rest")
    assert watching.feed.send(approved, "ws", now_ns) == []
    assert watching.feed.send(approved, "ws", now_ns) == []  # it is under way
    assert len(of(BookReset, watching.carry([]))) == 1
    assert subscribed(watching) == ["l2Book:BTC", "bbo:BTC"]
    assert of(VenueWarned, watching.events) == []
    strange = Approved(Resubscribe("hyperliquid", "hyperliquid:NOPE", ""), 1, now_ns)
    assert watching.feed.send(strange, "ws", now_ns) == []


def test_a_book_asked_for_anew_keeps_nothing_of_what_was_wrong() -> None:
    watching = started()
    feed, now_ns = watching.feed, watching.stage.now_ns
    wrong = {"px": "70000.0", "sz": "1.0", "n": 1}
    data = {"coin": "BTC", "time": START_MS + 999_999, "bbo": [wrong, None]}
    feed.received(PUBLIC, json.dumps({"channel": "bbo", "data": data}).encode(), now_ns)
    feed.send(Approved(Resubscribe("hyperliquid", BTC, "crossed"), 1, now_ns), "ws", now_ns)
    [reset] = of(BookReset, watching.carry([]))
    assert (reset.bids[0][0], reset.asks[0][0]) == (parse("64990"), parse("65010"))


def test_a_public_feed_takes_no_orders() -> None:
    feed = started().feed
    wanted = Place("main", BTC, "ab" * 16, "buy", 1, 1)
    [refused] = feed.send(Approved(wanted, 7, 1), "ws", 1)
    assert isinstance(refused, Rejected)
    assert (refused.request_id, refused.is_unsent) == (7, True)
    assert feed.send(Approved(CancelAll("main"), 8, 1), "ws", 1)
    assert feed.outbox == []


def complaint(text: str) -> bytes:
    return json.dumps({"channel": "error", "data": text}).encode()


def test_what_we_have_already_is_no_complaint() -> None:
    watching = started()
    text = 'Already subscribed: {"type":"l2Book","coin":"BTC"}'
    assert watching.feed.received(PUBLIC, complaint(text), watching.stage.now_ns) == []


def test_limits_are_said_once_a_minute() -> None:
    watching = started()
    text, now_ns = "Cannot send more than 2000 messages per minute.", watching.stage.now_ns
    told = [
        of(VenueWarned, watching.feed.received(PUBLIC, complaint(text), now_ns + at * SECOND))
        for at in (0, 1, 59, 60)
    ]
    assert [len(one) for one in told] == [1, 0, 0, 1]
    assert told[0][0].text == text


def test_a_coin_that_the_venue_has_forgotten_is_looked_for_in_its_lists() -> None:
    watching = started()
    watching.wait(61)
    watching.feed.closed(PUBLIC, "gone", watching.stage.now_ns)
    watching.feed.opened(PUBLIC, watching.stage.now_ns)
    watching.feed.outbox.clear()
    text = 'Invalid subscription {"type":"l2Book","coin":"BTC"}'
    now_ns = watching.stage.now_ns
    assert of(VenueWarned, watching.feed.received(PUBLIC, complaint(text), now_ns))
    watching.feed.tick(now_ns)
    frames = [json.loads(one.payload) for one in watching.feed.outbox if isinstance(one, Frame)]
    posts = [one for one in frames if one["method"] == "post"]
    assert {"meta", "spotMeta", "perpDexs"} <= {one["request"]["payload"]["type"] for one in posts}
    text = f"too many pending post requests id={posts[0]['id']}"
    lost = watching.feed.received(PUBLIC, complaint(text), now_ns)
    assert "too many" in of(VenueWarned, lost)[0].text
    watching.feed.outbox.clear()
    watching.feed.tick(now_ns + 59 * SECOND)
    assert watching.feed.statistics()["resubscribed"] == 0
    watching.feed.opened(PUBLIC, now_ns)


def test_a_delisted_instrument_is_listed_and_not_watched() -> None:
    watching = started("MATIC-PERP")
    [listed] = of(InstrumentListed, watching.events)
    assert listed.instrument.status == "off"
    assert subscribed(watching) == []


def test_its_counters_are_told() -> None:
    watching = started()
    said = watching.feed.statistics()
    assert (said["websocket_connected"], said["books"], said["books_live"]) == (True, 1, 1)
    assert said["frames"] == len(watching.sent) == 2
    assert KEY not in str(said)
    assert OTHER_KEY not in str(said)


FRAMES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=30).map(str.encode),
    st.builds(
        lambda channel, data: json.dumps({"channel": channel, "data": data}).encode(),
        st.sampled_from(["l2Book", "bbo", "trades", "activeAssetCtx", "error", "pong", "post",
                         "subscriptionResponse", "orderUpdates", "candle", "nothing"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["BTC", "1.0"]),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["coin", "time", "levels", "bbo", "px", "sz", "ctx"]), inner
            ),
            max_leaves=10,
        ),
    ),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(FRAMES, max_size=4))
def test_nothing_that_arrives_raises(frames: list[bytes]) -> None:
    watching = started(trades=True, ticker=True)
    now_ns = watching.stage.now_ns
    for frame in frames:
        now_ns += SECOND
        watching.feed.received(PUBLIC, frame, now_ns)
        watching.feed.tick(now_ns)
    watching.feed.outbox.clear()
    watching.stage.rest("64998", "0.6")
    watching.wait(1)
    assert watching.feed.statistics()["websocket_connected"]
