"""The four look-ups: which questions make one, and what their answers come to together.

Each takes answers until nothing is left to ask, and then concludes. Whatever is missing, odd or
ambiguous fails the whole: the reason is text, and nothing of it is told.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from msgspec import Struct, structs

from crosswire.domain import (
    AnyEvent,
    BalancesRead,
    Filled,
    FillsRead,
    LookUp,
    OrderReported,
    OrdersRead,
    PositionsRead,
    ReadFailed,
)
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.info import Lookups
from crosswire.venues.hyperliquid.decode.orders import latest
from crosswire.venues.hyperliquid.decode.text import MILLISECOND, noisy
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.encode.info import Question
from crosswire.venues.hyperliquid.listings import QUOTE, Listings, dex_of

REACHABLE = 10_000  # fills: what is older than so many cannot be read any more
MAX_PAGES = 20
SETTLED_NS = 10_000_000_000  # by then lists show what the history shows
_RESTING = frozenset({"open", "triggered"})  # the statuses that the lists of open orders show
MOST_BLANKS = 2  # before it: then an account without a history is believed


class Leg(Struct, frozen=True):
    """One question of a look-up."""

    question: Question
    dex: str = ""
    tries: int = 0  # that failed on the way, and said nothing
    due_ns: int = 0  # not to be asked again before


class Who(Struct, frozen=True):
    """Whose look-ups these are, and what is known of the venue."""

    account: str
    address: str
    listings: Listings
    has_name: Callable[[str], bool]  # of a coin: it has its final name, or never will
    traded_dexs: Callable[[], Sequence[str]]

    @property
    def decoder(self) -> Lookups:
        return Lookups(self.account, self.listings)


class Read(ABC):
    """One look-up: what was asked, what is still to be asked, what came."""

    what: ClassVar[str]

    def __init__(self, command: LookUp, who: Who, now_ns: int) -> None:
        self.command = command
        self.who = who
        self.todo: list[Leg] = []
        self.keys: set[int] = set()  # requests under way
        self.started_ns = now_ns
        self.venue_ns = 0  # the venue's clock was at least here then
        self.moved_ns = now_ns  # when something of it happened last
        self.rows = 0  # of the last answer: they cost weight
        self.blanks = 0  # reads of this kind before it that showed nothing, nor did the history

    @abstractmethod
    def begin(self) -> None:
        """Put the first questions on the list."""

    def take(self, leg: Leg, got: info.Answer[Any], now_ns: int) -> str:
        """Take in an answer; returns why the look-up has failed, "" if it has not."""
        if got.result is None:
            return got.error
        self.rows = len(got.result) if isinstance(got.result, list) else 0
        return self._take(leg, got, got.result, now_ns)

    @abstractmethod
    def conclude(self, now_ns: int) -> list[AnyEvent]:
        """Return what all the answers say."""

    @property
    def horizon_ns(self) -> int:
        """The latest block time that it shows."""
        return 0

    @abstractmethod
    def _take(self, leg: Leg, got: info.Answer[Any], result: Any, now_ns: int) -> str:
        """Take in what one question was answered."""

    def _ask(self, kind: str, dex: str | None = None) -> None:
        members = {} if dex is None else {"dex": dex}
        self.todo.append(Leg(questions.of_user(kind, self.who.address, **members), dex or ""))

    def _odd(self, coins: set[str], dex: str | None = None) -> str:
        """Return what is wrong with an answer that shows these coins."""
        for coin in sorted(coins):
            if dex is not None and dex_of(coin) != dex:
                return f'{coin} in the answer of the dex "{dex}"'
            if coin[:1] == "@" and not self.who.has_name(coin):
                return f"{coin} is in no list yet"
        return ""

    def _orders(
        self,
        scope: str,
        rows: list[OrderReported],
        now_ns: int,
        *,
        is_complete: bool,
        is_sure: bool = False,
    ) -> list[AnyEvent]:
        return [
            OrdersRead(
                now_ns,
                self.who.account,
                scope,
                tuple(rows),
                self.started_ns,
                is_complete=is_complete,
                source="lookup",
                venue_ns=self.venue_ns,
                since_ns=self.command.since_ns if scope == "closed" else 0,
                is_sure=is_sure,
            )
        ]


class OpenOrdersRead(Read):
    """What is open, dex by dex: spot orders are shown with the venue's own.

    The list of a dex that is empty may be a blind one. So, where we trade there, the history is
    asked as well: if that shows orders, and none open that the lists leave out, they were true.
    An account without a history has not asked for anything yet, or says nothing time after time.
    """

    what = "open_orders"

    def begin(self) -> None:
        self._rows: dict[str, OrderReported] = {}
        self._has_gap = False
        self._is_sure = False
        self.is_blank = False
        for dex in self.who.listings.dexs:
            self._ask("frontendOpenOrders", dex)

    def _take(self, leg: Leg, got: info.Answer[Any], result: Any, now_ns: int) -> str:
        if leg.question.kind == "historicalOrders":
            return self._take_history(result)
        if leg.question.kind == "userRateLimit":
            self._is_sure = result.n_requests_used == 0 or self.blanks >= MOST_BLANKS
            self.is_blank = True
            return ""
        page = self.who.decoder.open_orders(got, now_ns)
        if isinstance(page, ReadFailed):
            return page.reason
        for row in page.orders:
            if self._rows.setdefault(row.venue_order_id, row) is not row:
                return f"order {row.venue_order_id} twice"
        self._has_gap |= not result and leg.dex in self.who.traded_dexs()
        if self._has_gap and not (self.todo or self.keys):
            self._ask("historicalOrders")
        return self._odd({row.coin for row in result}, leg.dex)

    def _take_history(self, rows: list[wire.OrderUpdate]) -> str:
        if not rows and self._rows:
            return "orders are open, and the history is empty"
        if not rows:
            self._ask("userRateLimit")
        left_out = [
            row
            for row in latest(rows)
            if row.status in _RESTING and str(row.order.oid) not in self._rows
        ]
        self._is_sure = bool(rows) and not left_out
        # What is younger may have come after the lists, or be behind them.
        settled_ns = self.venue_ns - SETTLED_NS
        for row in left_out if self._rows else ():
            if row.status_timestamp * MILLISECOND <= settled_ns:
                return f"order {row.order.oid} is open by the history and in no list"
        return ""

    def conclude(self, now_ns: int) -> list[AnyEvent]:
        rows = list(self._rows.values())
        return self._orders("open", rows, now_ns, is_complete=True, is_sure=self._is_sure)


class ClosedOrdersRead(Read):
    """The history: at most 2,000 rows, which may not reach back to what is asked for.

    One without any row may be blind. That the account has never traded, which another list says,
    proves as much of what is not open: nothing of it ever filled.
    """

    what = "closed_orders"

    def begin(self) -> None:
        self._rows: list[OrderReported] = []
        self._is_complete = True
        self._is_sure = False
        self._horizon_ns = 0
        self._ask("historicalOrders")

    def _take(self, leg: Leg, got: info.Answer[Any], result: Any, now_ns: int) -> str:
        if leg.question.kind == "userRateLimit":
            self._is_sure = noisy(result.cum_vlm) == 0
            return ""
        if not result:
            self._ask("userRateLimit")
            return ""
        page = self.who.decoder.history(got, now_ns)
        if isinstance(page, ReadFailed):
            return page.reason
        since_ns = self.command.since_ns
        stamps = [row.status_timestamp * MILLISECOND for row in result]
        self._is_complete = not page.is_cut or min(stamps) < since_ns
        self._horizon_ns = max(stamps, default=0)
        self._rows = [row for row in page.orders if row.closed_ns >= since_ns]
        self._is_sure = True  # it sees, though all that it shows may be open, or older
        return self._odd({row.order.coin for row in result})

    @property
    def horizon_ns(self) -> int:
        return self._horizon_ns

    def conclude(self, now_ns: int) -> list[AnyEvent]:
        is_complete, is_sure = self._is_complete, self._is_sure
        return self._orders("closed", self._rows, now_ns, is_complete=is_complete, is_sure=is_sure)


class FillsBySince(Read):
    """Our fills, oldest first, page by page; a page begins with what ended the one before."""

    what = "fills"

    def begin(self) -> None:
        self._fills: dict[str, Filled] = {}
        self._pages = 0
        self._last = ""  # the key of the last one
        self._start_ms = self.command.since_ns // MILLISECOND
        self._ask_page(self._start_ms)

    def _ask_page(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self.todo.append(Leg(questions.fills_by_time(self.who.address, start_ms)))

    def _take(self, leg: Leg, got: info.Answer[Any], result: Any, now_ns: int) -> str:
        page = self.who.decoder.fills(got, now_ns)
        if isinstance(page, ReadFailed):
            return page.reason
        self._pages += 1
        times = [row.time for row in result]
        keys = {fill.fill_key for fill in page.fills}
        if times != sorted(times) or (times and times[0] < self._start_ms):
            return "a page of fills out of order"
        if self._last and self._last not in keys:
            return "a page of fills that does not join the one before"
        self._fills |= {fill.fill_key: fill for fill in page.fills}
        if page.is_cut:
            if times[-1] == self._start_ms:
                return f"more than {info.MAX_FILLS} fills within one ms"
            if self._pages >= MAX_PAGES:
                return f"more than {MAX_PAGES} pages of fills"
            self._last = page.fills[-1].fill_key
            self._ask_page(times[-1])
        return self._odd({row.coin for row in result})

    @property
    def horizon_ns(self) -> int:
        return max((fill.venue_ns for fill in self._fills.values()), default=0)

    def conclude(self, now_ns: int) -> list[AnyEvent]:
        fills = list(self._fills.values())
        since_ns = self.command.since_ns
        if len(fills) >= REACHABLE:  # what lies before the first of them is out of reach
            since_ns = max(since_ns, fills[0].venue_ns)
        read = FillsRead(
            now_ns,
            self.who.account,
            len(fills),
            self.started_ns,
            since_ns=since_ns,
            horizon_ns=self.horizon_ns,
        )
        return [*fills, read]


class MoneyRead(Read):
    """Positions and balances: the perps of every dex, and the spot wallet."""

    what = "balances"

    def begin(self) -> None:
        self._positions: list[tuple[str, int, int]] = []
        self._cash: dict[str, int] = {QUOTE: 0}
        self._spot: tuple[tuple[str, int], ...] = ()
        self._venue_ns = 0  # of the oldest of the perps' states, which name their block's time
        self.strange_dex = ""  # where there is money of a kind that no meta has told yet
        for dex in self.who.listings.dexs:
            self._ask("clearinghouseState", dex)
        self._ask("spotClearinghouseState")

    def _take(self, leg: Leg, got: info.Answer[Any], result: Any, now_ns: int) -> str:
        if leg.question.kind == "spotClearinghouseState":
            read = self.who.decoder.balances(got, now_ns)
            if isinstance(read, ReadFailed):
                return read.reason
            self._spot = read.balances
            return ""
        perps = self.who.decoder.perps(got, now_ns)
        if isinstance(perps, ReadFailed):
            return perps.reason
        self._venue_ns = min(self._venue_ns or perps.venue_ns, perps.venue_ns)
        asset = self.who.listings.collateral(leg.dex)
        if asset is None and (perps.positions or perps.account_value):
            self.strange_dex = leg.dex
            return f'the collateral of the dex "{leg.dex}" is not known yet'
        if asset is not None:
            self._cash[asset] = self._cash.get(asset, 0) + perps.cash
        held = [(row.instrument, row.quantity, row.entry_price) for row in perps.positions]
        self._positions += held
        if len({row[0] for row in self._positions}) < len(self._positions):
            return "a position twice"
        return self._odd({each.position.coin for each in result.asset_positions}, leg.dex)

    def conclude(self, now_ns: int) -> list[AnyEvent]:
        account, started_ns = self.who.account, self.started_ns
        clash = self._cash.keys() & dict(self._spot)
        if clash:
            return [ReadFailed(now_ns, account, self.what, f"{min(clash)} in two places")]
        cash = tuple(self._cash.items())
        read = BalancesRead(
            now_ns, account, (*cash, *self._spot), source="lookup", started_ns=started_ns
        )
        dated = structs.replace(read, balances=cash, is_complete=False, venue_ns=self._venue_ns)
        held = PositionsRead(
            now_ns, account, tuple(self._positions), started_ns, venue_ns=self._venue_ns
        )
        return [held, dated, read]


KINDS: dict[str, type[Read]] = {
    kind.what: kind for kind in (OpenOrdersRead, ClosedOrdersRead, FillsBySince, MoneyRead)
}
