"""The client's codec against the simulated venue, which shares nothing with it but the sheet."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crosswire.book import Book
from crosswire.domain import (
    Accepted,
    AnyEvent,
    BookChanged,
    BookReset,
    Cancel,
    CancelAccepted,
    Closed,
    Filled,
    Place,
    ReadFailed,
    Rejected,
    Seen,
    Unreadable,
)
from crosswire.fixed import SCALE, parse
from crosswire.venues.hyperliquid.decode import exchange, info
from crosswire.venues.hyperliquid.decode.exchange import Request
from crosswire.venues.hyperliquid.decode.messages import ChannelMessage, Reply
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from crosswire.venues.hyperliquid.encode import envelope, subscriptions
from crosswire.venues.hyperliquid.encode import info as asking
from crosswire.venues.hyperliquid.encode.actions import Action, Actions, Replacement
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.signing import Signer
from crosswire.venues.hyperliquid.simulator import actions as theirs
from crosswire.venues.hyperliquid.simulator import signatures
from tests.hyperliquid_stage import KEY, OWN, Stage
from tests.hyperliquid_world import ACCOUNT, NOW_MS, VAULT, listings, place
from tests.hyperliquid_world import KEY as OTHER_KEY

ACTIONS = Actions(listings())
CHANNELS = ("orderUpdates", "userFills", "userEvents")

some_places = st.builds(
    lambda side, tif, post, price, quantity, own: place(
        side=side,
        time_in_force="gtc" if post else tif,
        post_only=post,
        price=price * SCALE,
        quantity=quantity * SCALE // 10_000,
        client_order_id=f"{own:032x}",
    ),
    st.sampled_from(["buy", "sell"]),
    st.sampled_from(["gtc", "ioc"]),
    st.booleans(),
    st.integers(1, 10**7),
    st.integers(1, 10**10),
    st.integers(0, 2**128 - 1),
)


@given(
    st.lists(some_places, min_size=1, max_size=20),
    st.integers(NOW_MS, NOW_MS * 2),
    st.sampled_from(["", VAULT]),
    st.sampled_from([0, NOW_MS + 10_000]),
    st.booleans(),
)
def test_the_venue_recovers_who_signed(
    places: list[Place], nonce: int, vault: str, expiry: int, is_mainnet: bool
) -> None:
    signer = Signer(OTHER_KEY, is_mainnet=is_mainnet, vault=vault)
    for action in (*ACTIONS.batches(places), ACTIONS.order(places[0])):
        body = envelope.signed(action, signer, nonce, expiry)
        understood = theirs.parse(json.loads(body))
        assert understood is not None
        assert signatures.signer(understood, is_mainnet=is_mainnet) == ACCOUNT
        assert signatures.signer(understood, is_mainnet=not is_mainnet) != ACCOUNT


class Client:
    """Our codec on a stage, without a session: what is sent goes at once, and is answered."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.stage.quote()
        self.listings = Listings()
        self.learn()
        self.actions = Actions(self.listings)
        self.signer = Signer(KEY, is_mainnet=False)
        self.decoder = Decoder(self.listings, session="main", connection="c", account="main")
        self.lookups = info.Lookups("main", self.listings)
        self.stage.open()
        self.book = Book(self.listings.by_id["hyperliquid:BTC-PERP"].instrument)
        self.events: list[AnyEvent] = []
        self._numbers = 0
        for kind in CHANNELS:
            self.subscribe(subscriptions.of_user(kind, OWN))
        for kind in ("bbo", "trades", "activeAssetCtx"):
            self.subscribe(subscriptions.of_coin(kind, "BTC"))
        self.subscribe(subscriptions.l2_book("BTC"))
        self.subscribe(subscriptions.all_mids())
        self.subscribe(subscriptions.candle("BTC", "1m"))

    def learn(self) -> None:
        self.listings.learn_spot(self.ask(asking.question("spotMeta")).result)
        dexs = self.listings.learn_dexs(self.ask(asking.question("perpDexs")).result)
        for dex in dexs:
            self.listings.learn_perps(self.ask(asking.of_dex("meta", dex)).result, dex)

    def subscribe(self, subscription: bytes) -> None:
        self.stage.send(envelope.subscribe(subscription))
        assert self.listen() == []

    def ask(self, question: asking.Question) -> Any:
        answer = self.stage.ask("/info", question.body)
        assert answer is not None
        got: Any = info.answer(answer.status, answer.body, info.SHAPES[question.kind])
        assert got.result is not None, (question.kind, got.error, answer.body[:200])
        return got

    def post(self, action: Action, expiry_ms: int = 0) -> tuple[bytes, Any]:
        """Post an action, and return what was signed and the answer."""
        self._numbers += 1
        body = envelope.signed(action, self.signer, self.stage.nonce(), expiry_ms)
        self.stage.send(envelope.post_action(self._numbers, body))
        [reply] = self.listen()
        assert reply.request_id == self._numbers
        return body, exchange.read(reply.payload)

    def listen(self) -> list[Reply]:
        """Take all frames in; returns the answers to posts."""
        replies = []
        for raw in self.stage.frames():
            payload = json.dumps(raw, separators=(",", ":")).encode()
            message = self.decoder.frame(payload, self.stage.now_ns)
            assert not isinstance(message, Unreadable), (message, payload[:300])
            if isinstance(message, Reply):
                replies.append(message)
            for event in message.events if isinstance(message, ChannelMessage) else ():
                assert not isinstance(event, Unreadable), event
                self.events.append(event)
                if isinstance(event, BookReset):
                    self.book.reset(event)
                elif isinstance(event, BookChanged):
                    self.book.change(event)
        return replies

    def wait(self, seconds: float) -> None:
        self.stage.wait(seconds)
        self.listen()

    def said(self, kind: type[AnyEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def btc(price: str, **changes: Any) -> Place:
    own = f"{parse(price) % 2**128:032x}"
    wanted = {"client_order_id": own, "quantity": parse("0.01"), "price": parse(price)}
    return place("BTC-PERP", **{**wanted, **changes})


def request(action: Action, *venue_order_ids: str) -> Request:
    return Request("main", 1, action.client_order_ids, venue_order_ids)


def test_orders_rest_are_seen_and_go() -> None:
    client = Client()
    wanted = [btc("60000", post_only=True), btc("61000", post_only=True)]
    [action] = client.actions.batches(wanted)
    body, outcome = client.post(action)
    accepted = exchange.placed(outcome, request(action), 1)
    numbers = [event.venue_order_id for event in accepted if isinstance(event, Accepted)]
    assert len(numbers) == len(accepted) == 2
    client.wait(1)
    streamed = {event.venue_order_id: event.client_order_id for event in client.said(Accepted)}
    assert streamed == dict(zip(numbers, action.client_order_ids, strict=True))
    # The same bytes again are a copy, and its answer settles nothing.
    again = client.stage.ask("/exchange", body)
    assert again is not None
    copies = exchange.placed(exchange.read_http(again.status, again.body), request(action), 1)
    assert {type(event) for event in copies} == {Seen}

    listed = client.ask(asking.of_user("frontendOpenOrders", OWN))
    page = client.lookups.open_orders(listed, 1)
    assert isinstance(page, info.OrdersPage)
    assert {order.venue_order_id for order in page.orders} == set(numbers)

    cancels = [
        Cancel("main", wanted[0].client_order_id, numbers[0], "hyperliquid:BTC-PERP"),
        Cancel("main", wanted[1].client_order_id, "", "hyperliquid:BTC-PERP"),
    ]
    for cancel in client.actions.cancels(cancels):
        _, outcome = client.post(cancel)
        taken = exchange.cancelled(outcome, request(cancel), 1)
        assert [type(event) for event in taken] == [CancelAccepted]
    client.wait(1)
    closed = {event.venue_order_id: event for event in client.said(Closed)}
    assert set(closed) == set(numbers)
    assert {event.filled for event in closed.values()} == {0}
    own = asking.order_status(OWN, client_order_id=wanted[1].client_order_id)
    shown: Any = client.lookups.order_status(client.ask(own), 1)
    assert (shown.is_open, shown.venue_order_id) == (False, numbers[1])
    history: Any = client.lookups.history(client.ask(asking.of_user("historicalOrders", OWN)), 1)
    assert {order.venue_order_id for order in history.orders} == set(numbers)


def test_what_is_taken_is_filled_in_the_stream_and_in_the_look_up() -> None:
    client = Client()
    taking = btc("65100", order_type="market", time_in_force="ioc")
    action = client.actions.order(taking)
    _, outcome = client.post(action)
    assert outcome.entries[0].outcome == "filled"
    assert outcome.entries[0].quantity == taking.quantity
    client.wait(1)
    fills = {event.fill_key: event for event in client.said(Filled)}
    assert sum(event.quantity for event in fills.values()) == taking.quantity
    [fill] = fills.values()
    assert (fill.price, fill.side, fill.liquidity) == (parse("65010"), "buy", "taker")
    assert fill.client_order_id == taking.client_order_id
    [closed] = [each for each in client.said(Closed) if each.cause == "filled"]
    assert closed.filled == taking.quantity
    page: Any = client.lookups.fills(client.ask(asking.of_user("userFills", OWN)), 1)
    assert {each.fill_key for each in page.fills} == set(fills)
    perps: Any = client.lookups.perps(client.ask(asking.of_user("clearinghouseState", OWN)), 1)
    assert [each.quantity for each in perps.positions] == [taking.quantity]
    balances = client.ask(asking.of_user("spotClearinghouseState", OWN))
    assert not isinstance(client.lookups.balances(balances, 1), ReadFailed)


def test_an_order_that_another_replaces_ends_and_the_other_lives() -> None:
    client = Client()
    old = btc("60000", post_only=True)
    _, outcome = client.post(client.actions.order(old))
    number = outcome.entries[0].venue_order_id
    new = btc("60500", post_only=True)
    action = client.actions.replace([Replacement(new, number)])
    _, outcome = client.post(action)
    accepted, gone = exchange.replaced(outcome, request(action, number), 1)
    assert isinstance(accepted, Accepted)
    assert isinstance(gone, CancelAccepted)
    assert gone.venue_order_id == number
    assert accepted.client_order_id == new.client_order_id
    assert accepted.venue_order_id != number
    client.wait(1)
    assert [event.venue_order_id for event in client.said(Closed)] == [number]


def test_refusals_are_told_apart() -> None:
    client = Client()
    crossing = btc("66000", post_only=True)
    small = btc("60000", quantity=parse("0.00001"), post_only=True)
    action = client.actions.orders([crossing, small])
    _, outcome = client.post(action)
    refused = exchange.placed(outcome, request(action), 1)
    reasons = [event.reason for event in refused if isinstance(event, Rejected)]
    assert len(reasons) == len(refused) == 2
    assert reasons[0].startswith("Post only order would have immediately matched")
    assert reasons[1].startswith("Order must have minimum value of $10")
    _, late = client.post(client.actions.order(btc("60000")), client.stage.now_ms - 1)
    assert (late.error, late.verdict) == ("Action already expired", "transient")


def test_the_book_follows_what_others_do() -> None:
    client = Client()
    assert (client.book.best_bid, client.book.best_ask) == (parse("64990"), parse("65010"))
    client.stage.rest("64995", "2")
    client.wait(10)
    assert (client.book.best_bid, client.book.bid_quantity) == (parse("64995"), parse("2"))
    assert not client.book.is_crossed
