"""One WebSocket connection's frames -> `Message`: total, whatever arrives."""

import msgspec

from crosswire.domain import AnyEvent, BookChanged, BookReset, Unreadable
from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode import market, methods
from crosswire.venues.kraken.decode.fast import Symbols, book_reader
from crosswire.venues.kraken.decode.messages import ChannelMessage, Heartbeat, Message, Reply
from crosswire.venues.kraken.decode.private import Private
from crosswire.venues.kraken.decode.text import FAULTS

# How much of an unreadable public frame its event shows.
EXCERPT = 120
_envelope = msgspec.json.Decoder(wire.Envelope)
_HEARTBEAT_TEXT = b'{"channel":"heartbeat"}'
_HEARTBEAT = Heartbeat()


class Decoder:
    """Reads one connection. `session` and `connection` are the names its events carry.

    Attributes: `depths`, the depth of each symbol's book subscription (learnt from the venue's
    acknowledgements; `depth` for the others); `private`, with the account's `OrderMemory`;
    `book_update(payload, recv_ns) -> BookChanged | None`, the hot path.
    """

    def __init__(
        self, *, session: str, connection: str, is_private: bool = False, depth: int = 0
    ) -> None:
        self.session = session
        self.connection = connection
        self.is_private = is_private
        self.depth = depth
        self.depths: dict[str, int] = {}
        self.private = Private(session, connection)
        self._symbols = Symbols()
        self.book_update = book_reader(self._symbols)

    def frame(self, payload: bytes, recv_ns: int) -> Message:
        """Return what one frame says; `Unreadable` for what makes no sense. Never raises."""
        if payload == _HEARTBEAT_TEXT:
            return _HEARTBEAT
        try:
            return self._frame(payload, recv_ns)
        except FAULTS as error:
            # A private frame's text stays out of the event: it may hold what must not leak.
            excerpt = "" if self.is_private else payload[:EXCERPT].decode("utf-8", "replace")
            return Unreadable(
                recv_ns, self.session, self.connection, str(error), excerpt, self.is_private
            )

    def _frame(self, payload: bytes, recv_ns: int) -> Message:
        envelope = _envelope.decode(payload)
        if envelope.too_fast is not None:
            return Reply(method="", req_id=0, success=False, error=envelope.too_fast)
        if envelope.method is not None:
            message = methods.answer(payload)
            if isinstance(message, Reply) and message.channel == "book" and message.depth:
                self.depths[message.symbol] = message.depth
            return message
        channel = envelope.channel
        if channel == "heartbeat":
            return _HEARTBEAT
        if channel is None or envelope.type is None:
            raise ValueError("neither an answer nor a channel's frame")
        connection_id = None
        if channel == "status":
            events, connection_id = market.status(payload, recv_ns)
        else:
            events = self._channel(channel, payload, recv_ns)
        count = envelope.ratecount if envelope.ratecount is not None else envelope.ratecounter
        shown = None if count is None else int(count)
        if channel == "executions" and shown is None:
            shown = self.private.rate_count
        return ChannelMessage(
            channel,
            envelope.type,
            tuple(events),
            envelope.sequence or 0,
            shown,
            connection_id,
        )

    def _channel(self, channel: str, payload: bytes, recv_ns: int) -> list[AnyEvent]:
        match channel:
            case "book":
                return self._book(payload, recv_ns)
            case "trade":
                return market.trades(payload, recv_ns)
            case "ticker":
                return market.tickers(payload, recv_ns)
            case "ohlc":
                return market.candles(payload, recv_ns)
            case "instrument":
                return market.instruments(payload, recv_ns, self.session)
            case "executions":
                return self.private.executions(payload, recv_ns)
            case "balances":
                return self.private.balances(payload, recv_ns)
            case "level3":
                return market.level3(payload)
        raise ValueError(f'unknown channel "{channel}"')

    def _book(self, payload: bytes, recv_ns: int) -> list[AnyEvent]:
        events = market.book(payload, recv_ns, lambda symbol: self.depths.get(symbol, self.depth))
        for event in events:
            if isinstance(event, BookReset | BookChanged):
                symbol = event.instrument.partition(":")[2]
                self._symbols.learn(symbol, event.instrument)
        return events
