"""Questions to /info, by REST or as posts, with what each costs of the IP's weight.

`user` is always the account's address (or the vault's), never an API wallet's: the venue would
answer for that one, truthfully, that it has nothing.
"""

import msgspec
from msgspec import Struct

from crosswire.venues.hyperliquid import canonical
from crosswire.venues.hyperliquid.encode import rules

LIGHT, HEAVY, ROLE = 2, 20, 60
ROWS_PER_WEIGHT = 20  # of fills and histories; the answer's rows are charged on top
CANDLES_PER_WEIGHT = 60
MAX_CANDLES = 5000
_LIGHT_TYPES = frozenset(
    {
        "l2Book",
        "allMids",
        "clearinghouseState",
        "orderStatus",
        "spotClearinghouseState",
        "exchangeStatus",
    }
)
_encode = msgspec.json.Encoder().encode


class Question(Struct, frozen=True):
    """A question: its type, the JSON to send, what it costs before its answer's rows."""

    kind: str
    body: bytes
    weight: int


def question(kind: str, **members: object) -> Question:
    """Return any question of the venue."""
    weight = ROLE if kind == "userRole" else LIGHT if kind in _LIGHT_TYPES else HEAVY
    return Question(kind, _encode({"type": kind, **members}), weight)


def of_user(kind: str, user: str, **members: object) -> Question:
    """Return a question about an account, such as frontendOpenOrders, userRole, userFees."""
    return question(kind, user=canonical.address(user), **members)


def of_dex(kind: str, dex: str = "") -> Question:
    """Return a question about one dex: meta, metaAndAssetCtxs, allMids."""
    return question(kind, dex=dex)


def l2_book(coin: str) -> Question:
    """Return the question for a whole book of 20 levels a side."""
    return question("l2Book", coin=coin, nSigFigs=None, mantissa=None)


def order_status(user: str, *, venue_order_id: str = "", client_order_id: str = "") -> Question:
    """Return the question for one order, by its number or else by our id."""
    if venue_order_id:
        rules.require(venue_order_id.isdecimal(), f'"{venue_order_id}" is not an order number')
        return of_user("orderStatus", user, oid=int(venue_order_id))
    return of_user("orderStatus", user, oid=canonical.cloid(client_order_id))


def fills_by_time(user: str, start_ms: int, end_ms: int | None = None) -> Question:
    """Return the question for one page of fills, oldest first, single ones."""
    until = {} if end_ms is None else {"endTime": end_ms}
    return of_user("userFillsByTime", user, startTime=start_ms, **until, aggregateByTime=False)


def candles(coin: str, interval: str, start_ms: int, end_ms: int) -> Question:
    """Return the question for past candles."""
    wanted = {"coin": coin, "interval": interval, "startTime": start_ms, "endTime": end_ms}
    return question("candleSnapshot", req=wanted)


def row_weight(kind: str, rows: int) -> int:
    """Return what an answer's rows cost on top of its question."""
    return rows // (CANDLES_PER_WEIGHT if kind == "candleSnapshot" else ROWS_PER_WEIGHT)
