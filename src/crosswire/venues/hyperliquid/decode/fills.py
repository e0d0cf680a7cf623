"""Fills and cash -> events.

A fill's key is coin, time, tid and order number: `tid` alone is a hash of 50 bits that both sides
share, 0 for conversions of dust, and one transaction's hash covers many fills.
"""

import msgspec

from crosswire.domain import CashMoved, Filled, Source, VenueWarned
from crosswire.fixed import multiply
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.text import money, noisy, own_id, side_of, time_ns
from crosswire.venues.hyperliquid.listings import QUOTE, Listings, spot_name

# Of a transfer between the account's own spot and perps, the whole is what it was.
_SIGNS = {"deposit": 1, "withdraw": -1, "accountClassTransfer": 0}
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


def cash(row: wire.Fill, filled: Filled, listings: Listings) -> list[CashMoved]:
    """Return what a fill does to the account's cash: the venue has no ledger row for a trade.

    Of a perp the profit that it closed moves, of a spot pair both tokens do. A coin that no meta
    has named yet is said nothing of: the next read of balances tells.
    """
    listing = listings.by_coin.get(row.coin)
    if listing is None:
        return []
    base, quote = spot_name(listing.instrument.base), spot_name(listing.instrument.quote)
    if listing.instrument.kind == "perp":
        asset = listings.collateral(listing.dex) or QUOTE
        return [_leg(filled, asset, noisy(row.closed_pnl), filled.fee)]
    sign = 1 if filled.side == "buy" else -1
    notional = multiply(filled.price, filled.quantity)
    paid = spot_name(filled.fee_asset)
    return [
        _leg(filled, asset, amount, filled.fee if asset == paid else 0)
        for asset, amount in ((base, sign * filled.quantity), (quote, -sign * notional))
    ]


def _leg(filled: Filled, asset: str, amount: int, fee: int) -> CashMoved:
    return CashMoved(
        filled.recv_ns,
        filled.account,
        asset,
        amount=amount,
        fee=fee,
        balance=None,
        kind="trade",
        ref=filled.fill_key,
        ledger_id=f"{filled.fill_key}:{asset}",
        venue_ns=filled.venue_ns,
    )


def funding(row: wire.Funding, account: str, recv_ns: int) -> CashMoved:
    """Return a payment of funding; the venue names no balance with it."""
    return CashMoved(
        recv_ns,
        account,
        QUOTE,
        amount=noisy(row.usdc),
        fee=0,
        balance=None,
        kind="funding",
        ref=row.coin,
        ledger_id=f"funding:{row.coin}:{row.time}",
        venue_ns=time_ns(row.time),
    )


def ledger_row(
    row: wire.LedgerRow, account: str, address: str, recv_ns: int
) -> CashMoved | VenueWarned:
    """Return a row of the ledger: a deposit, a withdrawal, a transfer, funding.

    The venue prints amounts without a sign: the type tells it, or who sent it to whom. A type
    that tells neither is said to people; the next read of balances tells what it came to.
    """
    delta = _delta.decode(row.delta)
    if delta.type == "funding":
        paid = msgspec.json.decode(row.delta, type=wire.Funding)
        return funding(msgspec.structs.replace(paid, time=row.time), account, recv_ns)
    sign = _sign(delta, address)
    if sign is None:
        return VenueWarned(recv_ns, account, f"cash moved: {delta.type} ({row.hash})")
    is_token = delta.amount is not None
    asset = (delta.token or delta.coin or QUOTE) if is_token else QUOTE
    return CashMoved(
        recv_ns,
        account,
        asset,
        amount=sign * noisy(delta.amount if is_token else delta.usdc),
        fee=noisy(delta.fee) if sign < 0 else 0,  # whoever sends pays
        balance=None,
        kind=delta.type,
        ref=row.hash,
        ledger_id=f"{delta.type}:{row.hash}:{row.time}",
        venue_ns=time_ns(row.time),
    )


def _sign(delta: wire.LedgerDelta, address: str) -> int | None:
    """Return whether money came (1), went (-1), or only changed its place (0)."""
    known = _SIGNS.get(delta.type)
    if known is not None:
        return known
    came, went = delta.destination.lower() == address, delta.user.lower() == address
    if not address or not (came or went):
        return None
    return came - went
