"""What an address, and what a whole IP, may ask: everybody here comes from one IP."""

from collections import deque
from collections.abc import Mapping

from crosswire import fixed
from crosswire.fixed import SCALE
from crosswire.venues.hyperliquid.simulator.accounts import Account
from crosswire.venues.hyperliquid.simulator.text import SECOND

MINUTE = 60 * SECOND
REST_WEIGHT = 1200
GRACE_NS = 10 * SECOND  # one action passes so often although the budget is spent
CHEAP = frozenset(
    {
        "l2Book",
        "allMids",
        "clearinghouseState",
        "orderStatus",
        "spotClearinghouseState",
        "exchangeStatus",
    }
)
PER_ROWS: Mapping[str, int] = {
    "userFills": 20,
    "userFillsByTime": 20,
    "historicalOrders": 20,
    "userTwapSliceFills": 20,
    "candleSnapshot": 60,
}
MESSAGES, CONNECTIONS, OPENINGS = 2000, 10, 30
SUBSCRIPTIONS, USERS, POSTS = 1000, 10, 100


class Window:
    """So much in any minute."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._spent: deque[tuple[int, int]] = deque()
        self._total = 0

    def has_room(self, now_ns: int) -> bool:
        while self._spent and now_ns - self._spent[0][0] >= MINUTE:
            self._total -= self._spent.popleft()[1]
        return self._total < self.limit

    def spend(self, amount: int, now_ns: int) -> None:
        self._spent.append((now_ns, amount))
        self._total += amount


def info_weight(kind: str, count: int = 0) -> int:
    """Return what a read of so many rows costs."""
    if kind in CHEAP:
        return 2
    base = 60 if kind == "userRole" else 20
    return base + count // PER_ROWS[kind] if kind in PER_ROWS else base


def action_weight(entries: int) -> int:
    return 1 + entries // 40


def charge(account: Account, entries: int, now_ns: int, *, is_cancel: bool) -> str:
    """Take a request from an address's budget; returns why it is refused, or ""."""
    cap = account.request_cap
    limit = min(cap + 100_000, 2 * cap) if is_cancel else cap
    if now_ns < account.exhausted_until_ns and not is_cancel:
        limit = min(limit, account.requests_used)
    wanted = account.requests_used + entries
    if wanted > limit:
        if now_ns - account.last_grace_ns < GRACE_NS:
            traded = fixed.text(account.volume - account.volume % (SCALE // 100), 2)
            return (
                f"Too many cumulative requests sent ({wanted} > {limit}) for cumulative volume"
                f" traded ${traded}. Place taker orders to free up 1 request per USDC traded."
            )
        account.last_grace_ns = now_ns
    account.requests_used = wanted
    return ""
