"""One WebSocket connection's frames -> `Message`: total, whatever arrives.

The private channels of a connection belong to one account: `orderUpdates` and `user` name none.
"""

import msgspec

from crosswire.domain import (
    AnyEvent,
    BookChanged,
    BookReset,
    Closed,
    OrdersRead,
    Source,
    Unreadable,
    VenueWarned,
)
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import errors, fills, market, orders
from crosswire.venues.hyperliquid.decode.books import Books
from crosswire.venues.hyperliquid.decode.fast import BookReader
from crosswire.venues.hyperliquid.decode.messages import (
    ChannelMessage,
    Complaint,
    Greeting,
    Message,
    Pong,
    Reply,
    Subscribed,
)
from crosswire.venues.hyperliquid.decode.text import FAULTS
from crosswire.venues.hyperliquid.listings import Listings

# How much of an unreadable public frame its event shows.
EXCERPT = 120
_REMEMBERED = 10_000  # orders
# Sent where asked for, and not read: nobody asks for them here.
UNREAD = frozenset(
    {
        "activeAssetData",
        "allDexsAssetCtxs",
        "allDexsClearinghouseState",
        "clearinghouseState",
        "fastAssetCtxs",
        "spotState",
        "twapStates",
        "userHistoricalOrders",
        "userTwapHistory",
        "userTwapSliceFills",
        "webData2",
        "webData3",
    }
)
_BENIGN = ("Already subscribed", "Already unsubscribed")
_LIMITS = ("too many pending post requests", "Cannot send more", "Cannot subscribe", "Cannot track")
_envelope = msgspec.json.Decoder(wire.Envelope)
_post = msgspec.json.Decoder(wire.Post)
_text = msgspec.json.Decoder(str)
_subscribed = msgspec.json.Decoder(wire.Subscribed)
_updates = msgspec.json.Decoder(list[wire.OrderUpdate])
_user_fills = msgspec.json.Decoder(wire.UserFills)
_user_event = msgspec.json.Decoder(wire.UserEvent)
_open_orders = msgspec.json.Decoder(wire.OpenOrders)
_fundings = msgspec.json.Decoder(wire.UserFundings)
_ledger = msgspec.json.Decoder(wire.LedgerUpdates)
_notification = msgspec.json.Decoder(wire.Notification)
_PONG = Pong()
_BOOK_HEAD, _TOP_HEAD = b'{"channel":"l2Book"', b'{"channel":"bbo"'


class Decoder:
    """Reads one connection. `session` and `connection` are the names its events carry.

    `account` is whose private channels are read here, "" on a public connection; `address` is
    the account's own, by which transfers are told from one another.
    """

    def __init__(
        self,
        listings: Listings,
        *,
        session: str,
        connection: str,
        account: str = "",
        address: str = "",
    ) -> None:
        self.listings = listings
        self.session = session
        self.connection = connection
        self.account = account
        self.address = address.lower()
        self.books = Books(listings)
        self.instruments: dict[str, str] = {}  # of the orders that orderUpdates named, by number
        self._reader = BookReader()
        self._traded: set[str] = set()  # coins whose old trades have come
        self._trades_coin = ""  # whose trades were subscribed last: an empty list names no coin

    def opened(self) -> None:
        """Begin anew: what the last connection showed is no longer continued."""
        self.books = Books(self.listings)
        self._traded.clear()

    def frame(self, payload: bytes, recv_ns: int) -> Message:
        """Return what one frame says; `Unreadable` for what makes no sense. Never raises."""
        try:
            if payload.startswith(_TOP_HEAD):
                top = self._reader.read_top(payload)
                if top is not None:
                    change = self.books.lay(*top, recv_ns)
                    return ChannelMessage("bbo", () if change is None else (change,), top[0])
            elif payload.startswith(_BOOK_HEAD):
                whole = self._reader.read(payload)
                if whole is not None:
                    reset = self.books.reset(*whole, recv_ns)
                    return _book_message("l2Book", whole[0], reset)
            return self._frame(payload, recv_ns)
        except FAULTS as error:
            if payload[:1] not in (b"{", b"["):
                text = payload[:EXCERPT].decode("utf-8", "replace")
                if text.startswith("Websocket connection established"):
                    return Greeting(text)
            # A private frame's text stays out of the event: it may hold what must not leak.
            excerpt = "" if self.account else payload[:EXCERPT].decode("utf-8", "replace")
            return self._unreadable(str(error), recv_ns, excerpt)

    def _unreadable(self, reason: str, recv_ns: int, excerpt: str = "") -> Unreadable:
        is_private = bool(self.account)
        return Unreadable(recv_ns, self.session, self.connection, reason, excerpt, is_private)

    def _frame(self, payload: bytes, recv_ns: int) -> Message:
        envelope = _envelope.decode(payload)
        channel, data = envelope.channel, envelope.data
        if channel == "post":
            return _reply(_post.decode(data))
        if channel == "pong":
            return _PONG
        if channel == "subscriptionResponse":
            return self._subscribed(_subscribed.decode(data))
        if channel == "error":
            return complaint(_text.decode(data))
        if channel in ("l2Book", "bbo"):
            return self._book(channel, data, recv_ns)
        found = self._public(channel, data, recv_ns) or self._private(channel, data, recv_ns)
        if found is None:
            if channel not in UNREAD:
                raise ValueError(f'unknown channel "{channel}"')
            return ChannelMessage(channel)
        return found

    def _subscribed(self, answer: wire.Subscribed) -> Subscribed:
        asked = answer.subscription
        if asked.type == "trades":
            self._traded.discard(asked.coin)
            self._trades_coin = asked.coin
        return Subscribed(
            answer.method == "subscribe", asked.type, asked.coin, asked.user, asked.interval
        )

    def _book(self, channel: str, data: msgspec.Raw, recv_ns: int) -> ChannelMessage:
        if channel == "l2Book":
            book = market.books.decode(data)
            return _book_message(channel, book.coin, self.books.whole(book, recv_ns))
        bbo = market.tops.decode(data)
        return _book_message(channel, bbo.coin, self.books.top(bbo, recv_ns))

    def _public(self, channel: str, data: msgspec.Raw, recv_ns: int) -> ChannelMessage | None:
        match channel:
            case "trades":
                rows = market.trade_rows.decode(data)
                coin = rows[0].coin if rows else self._trades_coin
                is_old = coin not in self._traded
                self._traded.add(coin)
                printed = market.trades(rows, self.listings, recv_ns, is_snapshot=is_old)
                return ChannelMessage(channel, tuple(printed), coin, is_snapshot=is_old)
            case "candle":
                bar = market.candles.decode(data)
                changed = market.candle(bar, self.listings, recv_ns)
                return ChannelMessage(channel, (changed,), bar.coin)
            case "activeAssetCtx" | "activeSpotAssetCtx":
                state = market.contexts.decode(data)
                fact = market.context(state.coin, state.ctx, self.listings)
                return ChannelMessage(channel, (), state.coin, fact)
            case "allMids":
                mids = market.mids(market.all_mids.decode(data).mids, self.listings)
                return ChannelMessage(channel, fact=mids)
            case "notification":
                text = _notification.decode(data).notification
                return ChannelMessage(channel, (VenueWarned(recv_ns, self.session, text),))
        return None

    def _private(self, channel: str, data: msgspec.Raw, recv_ns: int) -> ChannelMessage | None:
        match channel:
            case "orderUpdates":
                events = self._updates(_updates.decode(data), recv_ns)
            case "userFills":
                filled = _user_fills.decode(data)
                events = self._fills(filled.fills, recv_ns, is_snapshot=filled.is_snapshot)
                return ChannelMessage(channel, tuple(events), is_snapshot=filled.is_snapshot)
            case "user":
                events = self._user(_user_event.decode(data), recv_ns)
            case "openOrders":
                events = [self._open_orders(_open_orders.decode(data), recv_ns)]
            case "userFundings":
                paid = _fundings.decode(data)
                # What a snapshot shows is old: it has moved the balances long ago.
                rows = [] if paid.is_snapshot else paid.fundings
                events = [fills.funding(row, self.account, recv_ns) for row in rows]
                return ChannelMessage(channel, tuple(events), is_snapshot=paid.is_snapshot)
            case "userNonFundingLedgerUpdates":
                moved = _ledger.decode(data)
                new = [] if moved.is_snapshot else moved.non_funding_ledger_updates
                names = self.account, self.address
                events = [fills.ledger_row(row, *names, recv_ns) for row in new]
                return ChannelMessage(channel, tuple(events), is_snapshot=moved.is_snapshot)
            case _:
                return None
        return ChannelMessage(channel, tuple(events))

    def _updates(self, rows: list[wire.OrderUpdate], recv_ns: int) -> list[AnyEvent]:
        """Read each row by itself: one that makes no sense leaves its neighbours as they are."""
        events: list[AnyEvent] = []
        for row in rows:
            try:
                events.append(orders.update(row, self.account, recv_ns))
                self._remember(row.order)
            except FAULTS as error:
                events.append(self._unreadable(f"order {row.order.oid}: {error}", recv_ns))
        return events

    def _remember(self, order: wire.Order) -> None:
        """Note what an order is of: events about orders do not say it."""
        self.instruments[str(order.oid)] = self.listings.instrument_id(order.coin)
        if len(self.instruments) > _REMEMBERED:
            del self.instruments[next(iter(self.instruments))]

    def _fills(
        self, rows: list[wire.Fill], recv_ns: int, *, is_snapshot: bool = False
    ) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        source: Source = "snapshot" if is_snapshot else "stream"
        for row in rows:
            try:
                filled = fills.fill(row, self.account, self.listings, recv_ns, source)
                events.append(filled)
                if not is_snapshot:  # old ones have moved the balances long ago
                    events += fills.cash(row, filled, self.listings)
            except FAULTS as error:
                events.append(self._unreadable(f"fill of {row.oid}: {error}", recv_ns))
        return events

    def _user(self, event: wire.UserEvent, recv_ns: int) -> list[AnyEvent]:
        events = self._fills(event.fills or [], recv_ns)
        events += self._fills([each.fill for each in event.twap_slice_fills or ()], recv_ns)
        if event.funding is not None:
            events.append(fills.funding(event.funding, self.account, recv_ns))
        if event.liquidation is not None:
            text = f"liquidation {event.liquidation.lid} of {event.liquidation.liquidated_user}"
            events.append(VenueWarned(recv_ns, self.session, text))
        for gone in event.non_user_cancel or ():
            events.append(
                Closed(
                    recv_ns,
                    self.account,
                    "",
                    str(gone.oid),
                    cause="canceled",
                    reason="cancelled by the venue",
                    source="stream",
                )
            )
        return events

    def _open_orders(self, listed: wire.OpenOrders, recv_ns: int) -> AnyEvent:
        """Return the open orders of one dex: never all of an account's, so never complete."""
        shown = tuple(
            [
                orders.open_report(row, self.account, self.listings, recv_ns, "snapshot")
                for row in listed.orders
            ]
        )
        return OrdersRead(recv_ns, self.account, "open", shown, recv_ns, is_complete=False)


def _book_message(channel: str, coin: str, event: BookReset | BookChanged | None) -> ChannelMessage:
    is_whole = channel == "l2Book"
    return ChannelMessage(channel, () if event is None else (event,), coin, is_snapshot=is_whole)


def _reply(post: wire.Post) -> Reply:
    kind, payload = post.response.type, bytes(post.response.payload)
    if kind == "error":
        return Reply(post.id, kind, error=_text.decode(payload))
    if kind not in ("info", "action"):
        raise ValueError(f'a post\'s answer of the unknown kind "{kind}"')
    return Reply(post.id, kind, payload)


def complaint(text: str) -> Complaint:
    """Return what the error channel says, and about which post if it says that."""
    return Complaint(
        text,
        errors.request_id_of(text),
        is_benign=text.startswith(_BENIGN),
        is_limit=text.startswith(_LIMITS),
        is_our_words=text.startswith("Error parsing JSON"),
    )
