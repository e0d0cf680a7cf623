"""The public channels -> events: the slow, exact path for every layout."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from crosswire.domain import (
    AnyEvent,
    BookChanged,
    BookReset,
    CandleChanged,
    Instrument,
    InstrumentListed,
    InstrumentStatus,
    Level,
    TickerChanged,
    TradePrinted,
    VenueStatus,
    VenueStatusChanged,
    VenueWarned,
)
from crosswire.fixed import SCALE_DIGITS
from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode.text import NANOSECONDS, money, money_or, time_ns

VENUE = "kraken"
# Depths one may subscribe; 0 stands for "keep all".
DEPTHS = (10, 25, 100, 500, 1000)
SYSTEMS: dict[str, VenueStatus] = {
    "online": "online",
    "post_only": "post_only",
    "limit_only": "post_only",
    "cancel_only": "cancel_only",
    "maintenance": "maintenance",
}
STATUSES: dict[str, InstrumentStatus] = {
    "online": "online",
    "post_only": "post_only",
    "limit_only": "limit_only",
    "reduce_only": "reduce_only",
    "cancel_only": "cancel_only",
}

_status = msgspec.json.Decoder(wire.StatusFrame)
_book = msgspec.json.Decoder(wire.BookFrame)
_trade = msgspec.json.Decoder(wire.TradeFrame)
_ticker = msgspec.json.Decoder(wire.TickerFrame)
_candle = msgspec.json.Decoder(wire.CandleFrame)
_instrument = msgspec.json.Decoder(wire.InstrumentFrame)
_level3 = msgspec.json.Decoder(wire.Level3Frame)


def instrument_id(symbol: str) -> str:
    """Return the id of an instrument from the venue's v2 name."""
    return f"{VENUE}:{symbol}"


def status(payload: bytes, recv_ns: int) -> tuple[list[AnyEvent], int | None]:
    """Return the events of a `status` frame, and the connection's id where it is named."""
    events: list[AnyEvent] = []
    connection_id = None
    for item in _status.decode(payload).data:
        # A state never heard of is treated as the worst one.
        events.append(
            VenueStatusChanged(
                recv_ns, VENUE, SYSTEMS.get(item.system, "maintenance"), detail=item.system
            )
        )
        connection_id = item.connection_id
    return events, connection_id


def book(payload: bytes, recv_ns: int, depth_of: Callable[[str], int]) -> list[AnyEvent]:
    """Return the resets or changes of a `book` frame; `depth_of` a symbol's subscription."""
    frame = _book.decode(payload)
    events: list[AnyEvent] = []
    for item in frame.data:
        name = instrument_id(item.symbol)
        bids, asks = _levels(item.bids), _levels(item.asks)
        stamp = time_ns(item.timestamp)
        if frame.type == "snapshot":
            depth = depth_of(item.symbol)
            events.append(BookReset(recv_ns, name, bids, asks, depth, item.checksum, stamp))
        elif frame.type == "update":
            events.append(BookChanged(recv_ns, name, bids, asks, item.checksum, stamp))
        else:
            raise ValueError(f'a book frame of type "{frame.type}"')
    return events


def _levels(levels: list[wire.BookLevel]) -> tuple[Level, ...]:
    found = tuple([(money(level.price), money(level.qty)) for level in levels])
    if any(price < 0 or quantity < 0 for price, quantity in found):
        raise ValueError("a level below zero")
    return found


def level3(payload: bytes) -> list[AnyEvent]:
    """Check the shape of a `level3` frame; single orders are not followed yet."""
    _level3.decode(payload)
    return []


def trades(payload: bytes, recv_ns: int) -> list[AnyEvent]:
    """Return the trades of a `trade` frame."""
    frame = _trade.decode(payload)
    events: list[AnyEvent] = []
    for item in frame.data:
        if item.side not in ("buy", "sell"):
            raise ValueError(f'a trade of side "{item.side}"')
        events.append(
            TradePrinted(
                recv_ns,
                instrument_id(item.symbol),
                "buy" if item.side == "buy" else "sell",
                money(item.price),
                money(item.qty),
                str(item.trade_id),
                time_ns(item.timestamp),
                frame.type == "snapshot",
            )
        )
    return events


def tickers(payload: bytes, recv_ns: int) -> list[AnyEvent]:
    """Return the summaries of a `ticker` frame."""
    return [
        TickerChanged(
            recv_ns,
            instrument_id(item.symbol),
            bid=money(item.bid),
            bid_quantity=money(item.bid_qty),
            ask=money(item.ask),
            ask_quantity=money(item.ask_qty),
            last=money(item.last),
            volume=money(item.volume),
            venue_ns=time_ns(item.timestamp),
        )
        for item in _ticker.decode(payload).data
    ]


def candles(payload: bytes, recv_ns: int) -> list[AnyEvent]:
    """Return the bars of an `ohlc` frame."""
    return [
        CandleChanged(
            recv_ns,
            instrument_id(item.symbol),
            start_ns=time_ns(item.interval_begin),
            interval_ns=item.interval * 60 * NANOSECONDS,
            open=money(item.open),
            high=money(item.high),
            low=money(item.low),
            close=money(item.close),
            volume=money(item.volume),
            trades=item.trades,
        )
        for item in _candle.decode(payload).data
    ]


def instruments(payload: bytes, recv_ns: int, session: str) -> list[AnyEvent]:
    """Return the instruments of an `instrument` frame; too fine ones only as a warning."""
    events: list[AnyEvent] = []
    for pair in _instrument.decode(payload).data.pairs:
        if max(pair.price_precision, pair.qty_precision) > SCALE_DIGITS:
            text = f"{pair.symbol} has more than {SCALE_DIGITS} decimals: not traded"
            events.append(VenueWarned(recv_ns, session, text))
            continue
        tick = pair.price_increment if pair.price_increment is not None else pair.tick_size
        events.append(
            InstrumentListed(
                recv_ns,
                Instrument(
                    id=instrument_id(pair.symbol),
                    venue=VENUE,
                    name=pair.symbol,
                    kind="spot",
                    base=pair.base,
                    quote=pair.quote,
                    price_tick=money(Decimal(1).scaleb(-pair.price_precision))
                    if tick is None
                    else money(tick),
                    quantity_step=money(pair.qty_increment),
                    price_decimals=pair.price_precision,
                    quantity_decimals=pair.qty_precision,
                    min_quantity=money(pair.qty_min),
                    min_notional=money_or(pair.cost_min, 0),
                    status=STATUSES.get(pair.status, "off"),
                ),
            )
        )
    return events
