"""The public channels -> events: trades, candles, contexts, mids. Books are in `books`."""

import msgspec

from crosswire.domain import AnyEvent, CandleChanged, TradePrinted
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.messages import Context, Mids
from crosswire.venues.hyperliquid.decode.text import money, noisy, side_of, time_ns
from crosswire.venues.hyperliquid.listings import Listings

SECOND_NS = 1_000_000_000


def trades(
    rows: list[wire.Trade], listings: Listings, recv_ns: int, *, is_snapshot: bool
) -> list[AnyEvent]:
    """Return the trades of a frame; the first one of a subscription holds old ones."""
    return [
        TradePrinted(
            recv_ns,
            listings.instrument_id(row.coin),
            side_of(row.side),
            money(row.px),
            money(row.sz),
            str(row.tid),
            time_ns(row.time),
            is_snapshot,
        )
        for row in rows
    ]


def candle(row: wire.Candle, listings: Listings, recv_ns: int) -> CandleChanged:
    """Return one bar; `ValueError` for an interval that is none of the venue's."""
    seconds = wire.INTERVALS_S.get(row.interval)
    if seconds is None:
        raise ValueError(f'unknown interval "{row.interval}"')
    return CandleChanged(
        recv_ns,
        listings.instrument_id(row.coin),
        time_ns(row.start),
        seconds * SECOND_NS,
        money(row.open),
        money(row.high),
        money(row.low),
        money(row.close),
        noisy(row.volume),
        row.trades,
    )


def context(coin: str, ctx: wire.PerpContext, listings: Listings) -> Context:
    """Return the state of one instrument."""
    return Context(
        listings.instrument_id(coin),
        mark=_price(ctx.mark_px),
        mid=_price(ctx.mid_px),
        oracle=_price(ctx.oracle_px),
        funding=noisy(ctx.funding),
        open_interest=noisy(ctx.open_interest),
        day_notional=noisy(ctx.day_ntl_vlm),
        day_volume=noisy(ctx.day_base_vlm),
    )


def mids(rows: dict[str, str], listings: Listings) -> Mids:
    """Return the mids by instrument."""
    return Mids(tuple([(listings.instrument_id(coin), noisy(px)) for coin, px in rows.items()]))


def _price(text: str | None) -> int | None:
    return None if text is None else noisy(text)


books = msgspec.json.Decoder(wire.Book)
tops = msgspec.json.Decoder(wire.Bbo)
trade_rows = msgspec.json.Decoder(list[wire.Trade])
candles = msgspec.json.Decoder(wire.Candle)
contexts = msgspec.json.Decoder(wire.AssetContext)
all_mids = msgspec.json.Decoder(wire.Mids)
