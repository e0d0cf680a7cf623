"""The reads: what `/info` and posts of that kind answer."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from crosswire.venues.hyperliquid.simulator import books, lists, states
from crosswire.venues.hyperliquid.simulator.accounts import KEPT, Account, Fill
from crosswire.venues.hyperliquid.simulator.budgets import PER_ROWS, info_weight
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.gate import Gate
from crosswire.venues.hyperliquid.simulator.rows import Row, brief, whole
from crosswire.venues.hyperliquid.simulator.tape import MINUTES, Tape
from crosswire.venues.hyperliquid.simulator.text import SECOND, address, cloid, ms

Body = Mapping[str, object]
LOOKUPS = frozenset(
    {
        "openOrders",
        "frontendOpenOrders",
        "orderStatus",
        "historicalOrders",
        "userFills",
        "userFillsByTime",
        "clearinghouseState",
        "spotClearinghouseState",
    }
)
LISTS = frozenset(
    {"openOrders", "frontendOpenOrders", "historicalOrders", "userFills", "userFillsByTime"}
)
UNKNOWN: Row = {"status": "unknownOid"}
REACHABLE = 10_000  # fills that can be paged through
PAYMENTS = 500


class Answer(Struct, frozen=True):
    """An HTTP status, the JSON value, and the weight that it cost."""

    status: int
    value: object
    weight: int


class UnfitError(Exception):
    """The body fits no known type: 422."""


class MissingError(Exception):
    """There is no such coin: 500."""


class Info:
    """Answers reads."""

    def __init__(self, exchange: Exchange, gate: Gate, tapes: Mapping[str, Tape]) -> None:
        self._exchange = exchange
        self._gate = gate
        self._tapes = tapes
        self.calls: dict[str, Callable[[Body, int], object]] = {
            "meta": lambda body, _: lists.meta(exchange, _dex(body)),
            "metaAndAssetCtxs": lambda body, _: lists.contexts(exchange, tapes, _dex(body)),
            "spotMeta": lambda _, __: lists.spot_meta(exchange),
            "spotMetaAndAssetCtxs": lambda _, __: lists.spot_contexts(exchange, tapes),
            "perpDexs": lambda _, __: lists.perp_dexs(exchange),
            "allMids": lambda body, _: lists.mids(exchange, _dex(body)),
            "l2Book": self.book,
            "recentTrades": lambda body, _: list(self._tape(body).trades),
            "candleSnapshot": self._candles,
            "exchangeStatus": lambda _, now: {"time": ms(now), "specialStatuses": None},
            "clearinghouseState": self._clearinghouse,
            "spotClearinghouseState": lambda body, _: states.spot(exchange, self._user(body)),
            "openOrders": self._open_orders,
            "frontendOpenOrders": self._open_orders,
            "orderStatus": self._order_status,
            "historicalOrders": self._history,
            "userFills": self._fills,
            "userFillsByTime": self._fills_by_time,
            "userRateLimit": lambda body, _: states.rate_limit(self._user(body)),
            "userFees": lambda body, _: states.fees(self._user(body)),
            "userRole": self._role,
            "userAbstraction": self._abstraction,
            "extraAgents": self._agents,
            "maxBuilderFee": self._builder_fee,
            "subAccounts": self._sub_accounts,
            "activeAssetData": self._asset_data,
            "userFunding": self._payments,
            "userNonFundingLedgerUpdates": self._payments,
        }

    def ask(self, body: object, now_ns: int) -> Answer:
        """Answer a read."""
        kind = body.get("type") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(kind, str) or kind not in self.calls:
            return Answer(422, None, 1)
        try:
            value = self.calls[kind](body, now_ns)
        except UnfitError:
            return Answer(422, None, 1)
        except MissingError:
            if self._exchange.faults.unknown_coin_is_null_is:
                return Answer(200, None, info_weight(kind))
            return Answer(500, None, info_weight(kind))
        is_emptied = kind in LISTS or kind == "orderStatus"
        if is_emptied and self._exchange.chance.strikes("lookup_empty"):
            value = [] if kind in LISTS else UNKNOWN
        count = len(value) if kind in PER_ROWS and isinstance(value, list) else 0
        return Answer(200, value, info_weight(kind, count))

    # --- what a body says ----------------------------------------------------------------------

    def _user(self, body: Body) -> Account | None:
        """The account of an address: an API wallet has none, and nobody says so."""
        return self._exchange.addresses.get(_address(body, "user"))

    def _tape(self, body: Body) -> Tape:
        coin = body.get("coin")
        if not isinstance(coin, str):
            raise UnfitError
        if coin not in self._tapes:
            raise MissingError
        return self._tapes[coin]

    def _then(self, now_ns: int) -> int | None:
        """The moment that look-ups show; None for now."""
        faults = self._exchange.faults
        behind_ns = int(max(faults.views_behind_s, faults.views_lag_s) * SECOND)
        return now_ns - behind_ns if behind_ns else None

    # --- markets -------------------------------------------------------------------------------

    def book(self, body: Body, now_ns: int) -> Row:
        """A book as l2Book shows it."""
        market = self._tape(body).market
        figures, mantissa = body.get("nSigFigs"), body.get("mantissa")
        if figures not in {None, 2, 3, 4, 5} or mantissa not in {None, 1, 2, 5}:
            raise UnfitError
        found = books.levels(
            self._exchange.engine(market),
            books.LEVELS,
            figures if isinstance(figures, int) else None,
            mantissa if isinstance(mantissa, int) else None,
        )
        row: Row = {"coin": market.coin, "time": ms(now_ns), "levels": found}
        return row | {"spread": "0.0"} if figures is not None else row

    def _candles(self, body: Body, now_ns: int) -> list[Row]:
        asked = body.get("req")
        if not isinstance(asked, dict) or asked.get("interval") not in MINUTES:
            raise UnfitError
        start, end = _time(asked, "startTime"), _time(asked, "endTime", ms(now_ns))
        return self._tape(asked).candles(asked["interval"], start, end)

    def _asset_data(self, body: Body, now_ns: int) -> Row:
        market = self._tape(body).market
        user = _address(body, "user")
        return states.asset_data(self._exchange, self._user(body), user, market)

    # --- orders and fills ----------------------------------------------------------------------

    def _clearinghouse(self, body: Body, now_ns: int) -> Row:
        return states.clearinghouse(self._exchange, self._user(body), _dex(body), now_ns)

    def _open_orders(self, body: Body, now_ns: int) -> list[Row]:
        account = self._user(body)
        if account is None:
            return []
        found = states.open_records(account, _dex(body), self._then(now_ns))
        row = whole if body["type"] == "frontendOpenOrders" else brief
        return [row(record, left) for record, left in reversed(found)]

    def _order_status(self, body: Body, now_ns: int) -> Row:
        oid = body.get("oid")
        if isinstance(oid, str):
            try:
                oid = int(oid) if oid.isdecimal() and len(oid) < 20 else cloid(oid)
            except ValueError:
                raise UnfitError from None
        if not isinstance(oid, int | str) or isinstance(oid, bool):
            raise UnfitError
        return states.order_status(self._user(body), oid, self._then(now_ns))

    def _history(self, body: Body, now_ns: int) -> list[Row]:
        return states.history(self._user(body), self._then(now_ns))

    def _visible(self, body: Body, now_ns: int) -> list[Fill]:
        account, then = self._user(body), self._then(now_ns)
        fills = account.fills[-REACHABLE:] if account else []
        return fills if then is None else [one for one in fills if one.at_ns <= then]

    def _fills(self, body: Body, now_ns: int) -> list[Row]:
        """The newest first."""
        fills = self._visible(body, now_ns)[-KEPT:]
        return states.fill_rows(fills[::-1], is_aggregated=bool(body.get("aggregateByTime")))

    def _fills_by_time(self, body: Body, now_ns: int) -> list[Row]:
        """The oldest first, one page."""
        start, end = _time(body, "startTime"), _time(body, "endTime", ms(now_ns))
        fills = [one for one in self._visible(body, now_ns) if start <= ms(one.at_ns) <= end]
        page = fills[::-1][:KEPT] if body.get("reversed") else fills[:KEPT]
        return states.fill_rows(page, is_aggregated=bool(body.get("aggregateByTime")))

    # --- who is who ----------------------------------------------------------------------------

    def _role(self, body: Body, now_ns: int) -> Row:
        user = _address(body, "user")
        account, agent = self._exchange.addresses.get(user), self._gate.agents.get(user)
        if account is not None and account.master:
            return {"role": "subAccount", "data": {"master": account.master}}
        if account is not None:
            return {"role": "user"}
        return {"role": "agent", "data": {"user": agent.master}} if agent else {"role": "missing"}

    def _abstraction(self, body: Body, now_ns: int) -> str:
        """How the wallets are joined: perps and spot dollars are kept apart here."""
        _address(body, "user")
        return "disabled"

    def _agents(self, body: Body, now_ns: int) -> list[Row]:
        account = self._user(body)
        return [
            {"name": one.name, "address": one.address, "validUntil": one.valid_until_ms}
            for one in (self._gate.of(account) if account else [])
            if one.name
        ]

    def _builder_fee(self, body: Body, now_ns: int) -> int:
        account = self._user(body)
        return account.builders.get(_address(body, "builder"), 0) if account else 0

    def _sub_accounts(self, body: Body, now_ns: int) -> list[Row] | None:
        user = _address(body, "user")
        found = [one for one in self._exchange.accounts.values() if one.master == user]
        return [
            {
                "name": one.name,
                "subAccountUser": one.address,
                "master": user,
                "clearinghouseState": states.clearinghouse(self._exchange, one, "", now_ns),
                "spotState": states.spot(self._exchange, one),
            }
            for one in found
        ] or None

    # --- money ---------------------------------------------------------------------------------

    def _payments(self, body: Body, now_ns: int) -> list[Row]:
        """Money that no trade moved: funding, or all else."""
        account = self._user(body)
        start, end = _time(body, "startTime"), _time(body, "endTime", ms(now_ns))
        found = states.payments(account, is_funding=body["type"] == "userFunding")
        return [row for row in found if start <= int(str(row["time"])) <= end][:PAYMENTS]


def _dex(body: Body) -> str:
    dex = body.get("dex", "")
    if not isinstance(dex, str):
        raise UnfitError
    return dex


def _address(body: Body, name: str) -> str:
    try:
        return address(str(body.get(name)))
    except ValueError:
        raise UnfitError from None


def _time(body: Body, name: str, usual: int | None = None) -> int:
    found = body.get(name)
    if found is None and usual is not None:
        return usual
    if not isinstance(found, int) or isinstance(found, bool):
        raise UnfitError
    return found
