"""What a fill does to an account: its position, its fee, its money."""

from msgspec import Struct

from crosswire.domain import Side
from crosswire.fixed import multiply
from crosswire.sim.ledger import Ledger
from crosswire.venues.hyperliquid.simulator.accounts import Account, Fill, OrderRecord, Position
from crosswire.venues.hyperliquid.simulator.markets import USDC, Market, fee_rate, wallet
from crosswire.venues.hyperliquid.simulator.text import ZERO_HASH, ms, trade_id

FEE_STEP = 10_000  # fees have six decimals
MONEY_STEP = 10_000  # and so has the collateral, and what moves it
BASE_FEE_STEP = 100  # those in a spot pair's base token eight


class Deal(Struct, frozen=True):
    """One party's view of a trade."""

    record: OrderRecord
    price: int
    quantity: int
    is_taker: bool
    other: str  # the other party's order
    hash: str
    at_ns: int
    liquidation: dict[str, object] | None = None


def fill_key(fill: Fill) -> str:
    """Return what makes a fill one of a kind: a tid alone does not."""
    return f"{fill.market.coin}:{ms(fill.at_ns)}:{fill.tid}:{fill.oid}"


def book(ledger: Ledger, account: Account, deal: Deal) -> Fill:
    """Write a fill into the account and the ledger."""
    record, market = deal.record, deal.record.market
    notional = multiply(deal.price, deal.quantity)
    start = _start(ledger, account, market)
    direction, pnl = "Buy" if record.side == "buy" else "Sell", 0
    if not market.is_spot:
        direction, pnl = move(account, market, record.side, deal.price, deal.quantity)
    fee, builder_fee, token = _fee(account, deal, notional)
    fill = Fill(
        market=market,
        side=record.side,
        oid=record.oid,
        cloid=record.wire.cloid,
        tid=_tid(deal),
        price=deal.price,
        quantity=deal.quantity,
        start_position=start,
        direction=direction,
        closed_pnl=pnl,
        fee=fee,
        fee_token=token,
        builder_fee=builder_fee,
        is_taker=deal.is_taker,
        hash=deal.hash if record.twap_id is None else ZERO_HASH,
        at_ns=deal.at_ns,
        twap_id=record.twap_id,
        liquidation=deal.liquidation,
    )
    account.fills.append(fill)
    account.volume += notional
    record.filled += deal.quantity
    record.cost += notional
    _write(ledger, account, fill, notional)
    return fill


def _tid(deal: Deal) -> int:
    own, other = deal.record.id, deal.other
    return trade_id(own, other) if deal.record.side == "buy" else trade_id(other, own)


def _start(ledger: Ledger, account: Account, market: Market) -> int:
    if market.is_spot:
        return ledger.balance(account.name, wallet(market.base))
    return account.size(market.coin)


def _fee(account: Account, deal: Deal, notional: int) -> tuple[int, int, str]:
    """Return (fee, the builder's part of it, its token)."""
    market = deal.record.market
    rate = fee_rate(market, account.volume, is_taker=deal.is_taker)
    if market.is_spot and deal.record.side == "buy":
        fee = multiply(deal.quantity, rate)
        return fee - fee % BASE_FEE_STEP, 0, market.base
    fee, extra = multiply(notional, rate), multiply(notional, deal.record.builder_rate)
    extra -= extra % FEE_STEP
    return fee - fee % FEE_STEP + extra, extra, USDC


def move(
    account: Account, market: Market, side: Side, price: int, quantity: int
) -> tuple[str, int]:
    """Change a perp position; return the fill's direction and the profit that it closed."""
    held = account.positions.setdefault(market.coin, Position())
    start, signed = held.size, quantity if side == "buy" else -quantity
    closing = min(abs(start), quantity) if start * signed < 0 else 0
    pnl = 0
    if closing:
        sign = 1 if start > 0 else -1
        freed = held.cost * closing // abs(start)
        pnl = sign * multiply(price, closing) - freed
        pnl -= pnl % MONEY_STEP
        held.cost -= freed
        held.size -= sign * closing
    opening = quantity - closing
    sign = 1 if signed > 0 else -1
    held.size += sign * opening
    held.cost += sign * multiply(price, opening)
    if held.size == 0:
        del account.positions[market.coin]
        account.isolated.pop(market.coin, None)
    return _direction(start, start + signed), pnl


def _direction(start: int, end: int) -> str:
    """Return the venue's words for a change of position."""
    if start * end < 0:
        return "Long > Short" if start > 0 else "Short > Long"
    if abs(end) > abs(start):
        return "Open Long" if end > 0 else "Open Short"
    return "Close Long" if start > 0 else "Close Short"


def _write(ledger: Ledger, account: Account, fill: Fill, notional: int) -> None:
    key = fill_key(fill)
    ledger.note_fill(
        key,
        str(fill.oid),
        fill.at_ns,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        fee_asset=fill.fee_token,
        liquidity="taker" if fill.is_taker else "maker",
    )
    for asset, amount, fee in _legs(fill, notional):
        ledger.move_cash(
            account.name,
            asset,
            fill.at_ns,
            ledger_id=f"{key}:{asset}",
            ref=key,
            kind="trade",
            amount=amount,
            fee=fee,
        )


def _legs(fill: Fill, notional: int) -> list[tuple[str, int, int]]:
    """What moves in which wallet: (asset, amount, fee)."""
    if not fill.market.is_spot:
        return [(USDC, fill.closed_pnl, fill.fee)]
    base, dollars = wallet(fill.market.base), wallet(USDC)
    if fill.side == "buy":
        return [(base, fill.quantity, fill.fee), (dollars, -notional, 0)]
    return [(base, -fill.quantity, 0), (dollars, notional, fill.fee)]
