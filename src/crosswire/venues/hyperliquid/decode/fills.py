"""Fills and cash -> events.

A fill's key is coin, time, tid and order number: `tid` alone is a hash of 50 bits that both sides
share, 0 for conversions of dust, and one transaction's hash covers many fills.
"""

import msgspec

from crosswire.domain import CashMoved, Filled, Source
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.text import money, noisy, own_id, side_of, time_ns
from crosswire.venues.hyperliquid.listings import QUOTE, Listings

_delta = msgspec.json.Decoder(wire.LedgerDelta)


def fill_key(row: wire.Fill) -> str:
    """Return what is unique of a fill within its account, for ever."""
    return f"{row.coin}:{row.time}:{row.tid}:{row.oid}"


def fill(row: wire.Fill, account: str, listings: Listings, recv_ns: int, source: Source) -> Filled:
    """Return one fill of ours; `ValueError` for numbers that make no sense."""
    return Filled(
        recv_ns,
        account,
        own_id(row.cloid),
        str(row.oid),
        listings.instrument_id(row.coin),
        side_of(row.side),
        money(row.px),
        money(row.sz),
        fill_key(row),
        noisy(row.fee),
        row.fee_token or QUOTE,
        "taker" if row.crossed else "maker",
        source,
        time_ns(row.time),
    )


def funding(row: wire.Funding, account: str, recv_ns: int) -> CashMoved:
    """Return a payment of funding; the venue names no balance with it."""
    return CashMoved(
        recv_ns,
        account,
        QUOTE,
        amount=noisy(row.usdc),
        fee=0,
        balance=0,
        kind="funding",
        ref=row.coin,
        ledger_id=f"funding:{row.coin}:{row.time}",
        venue_ns=time_ns(row.time),
    )


def ledger_row(row: wire.LedgerRow, account: str, recv_ns: int) -> CashMoved:
    """Return a row of the ledger: a deposit, a withdrawal, a transfer, funding.

    Amounts are as the venue prints them; for what it prints without a sign, a withdrawal for
    one, `kind` tells the way.
    """
    delta = _delta.decode(row.delta)
    if delta.type == "funding":
        paid = msgspec.json.decode(row.delta, type=wire.Funding)
        return funding(msgspec.structs.replace(paid, time=row.time), account, recv_ns)
    is_token = delta.amount is not None
    asset = (delta.token or delta.coin or QUOTE) if is_token else QUOTE
    return CashMoved(
        recv_ns,
        account,
        asset,
        amount=noisy(delta.amount if is_token else delta.usdc),
        fee=noisy(delta.fee),
        balance=0,
        kind=delta.type,
        ref=row.hash,
        ledger_id=f"{delta.type}:{row.hash}:{row.time}",
        venue_ns=time_ns(row.time),
    )
