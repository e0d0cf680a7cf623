"""Subscribe and unsubscribe: one answer per symbol, each before its snapshot."""

from collections.abc import Mapping

from msgspec import Struct

from crosswire.venues.kraken.simulator import executions
from crosswire.venues.kraken.simulator.access import Tokens
from crosswire.venues.kraken.simulator.connections import (
    BOOK_DEPTHS,
    L3_DEPTHS,
    PRIVATE_CHANNELS,
    PUBLIC_CHANNELS,
    Connection,
    Subscription,
)
from crosswire.venues.kraken.simulator.hub import Hub
from crosswire.venues.kraken.simulator.markets import asset_item, pair_item
from crosswire.venues.kraken.simulator.schema import ARRAY, BOOLEAN, INTEGER, TEXT, is_kind
from crosswire.venues.kraken.simulator.tape import INTERVALS, trade_item
from crosswire.venues.kraken.simulator.text import failure, number, stamp, success

Item = dict[str, object]
Params = Mapping[str, object]

FIELDS = {
    "channel": TEXT,
    "symbol": ARRAY,
    "snapshot": BOOLEAN,
    "depth": INTEGER,
    "interval": INTEGER,
    "event_trigger": TEXT,
    "include_tokenized_assets": BOOLEAN,
    "token": TEXT,
    "snap_orders": BOOLEAN,
    "snap_trades": BOOLEAN,
    "snapshot_trades": BOOLEAN,
    "order_status": BOOLEAN,
    "ratecounter": BOOLEAN,
    "users": TEXT,
}
NO_SYMBOL = "Symbol(s) not found"
BAD_CHANNEL = "Subscription name invalid"
ALREADY = "Already subscribed"
NOT_FOUND = "Subscription Not Found"
BAD_DEPTH = "Subscription depth not supported"
BAD_INTERVAL = "Subscription ohlc interval not supported"
NO_PUBLIC = "Public market data subscriptions are unavailable on this endpoint"
NO_PRIVATE = "Private data and trading are unavailable on this endpoint"
MAX_L3_SYMBOLS = 200
LAST_TRADES = 50
EXECUTIONS_WARNINGS = [
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
]


class Ask(Struct, frozen=True):
    """One request as it arrived."""

    connection: Connection
    method: str
    params: Params
    req_id: object
    now_ns: int


class Subscriptions:
    """Answers subscribe and unsubscribe on every kind of connection."""

    def __init__(self, hub: Hub, tokens: Tokens) -> None:
        self._hub = hub
        self._tokens = tokens

    def ask(self, ask: Ask) -> None:
        """Answer one request of either kind."""
        params, connection = ask.params, ask.connection
        error = _refusal(connection, params)
        account = ""
        if not error and params["channel"] in PRIVATE_CHANNELS | {"level3"}:
            token = params.get("token")
            account, error = self._tokens.check(token, connection.number, ask.now_ns)
        if error:
            self._refuse(ask, error)
            return
        symbols, channel = params.get("symbol"), str(params["channel"])
        names = symbols if isinstance(symbols, list) and channel in SYMBOLED else [""]
        for name in dict.fromkeys(map(str, names)):
            if name and name not in self._hub.exchange.markets:
                self._refuse(ask, f"Currency pair not supported {name}", name)
                continue
            wanted = _wanted(channel, name, params, account)
            if ask.method == "subscribe":
                self._subscribe(ask, wanted)
            else:
                self._unsubscribe(ask, wanted)

    def _refuse(self, ask: Ask, error: str, symbol: str = "", method: str = "") -> None:
        now_ns = ask.now_ns
        message = failure(method or ask.method, ask.req_id, error, now_ns, now_ns + 30_000, symbol)
        self._hub.tell(ask.connection, message, now_ns)

    def _subscribe(self, ask: Ask, wanted: Subscription) -> None:
        connection, now_ns = ask.connection, ask.now_ns
        if wanted.key in connection.subscriptions:
            self._refuse(ask, ALREADY, wanted.symbol)
            return
        if wanted.channel == "level3" and len(list(connection.of("level3"))) >= MAX_L3_SYMBOLS:
            self._refuse(ask, "EService:Throttled", wanted.symbol)
            return
        if wanted.account:
            self._tokens.bind(str(ask.params["token"]), connection.number)
        # What others of this pair and depth have not been shown yet is sent before the snapshot.
        if wanted.channel == "book":
            self._hub.publish_depth(wanted.symbol, wanted.depth, now_ns)
        result = self._result(wanted, ask.params)
        message = success("subscribe", ask.req_id, result, now_ns, now_ns + 42_000)
        self._hub.tell(connection, message, now_ns)
        self._hub.subscribe(connection, wanted, now_ns)
        self._snapshot(ask, wanted)

    def _result(self, wanted: Subscription, params: Params) -> Item:
        """What the ack says; every key but the last two may be sent back as params."""
        snapshot = params.get("snapshot", wanted.channel != "trade")
        found: Item = {"channel": wanted.channel}
        match wanted.channel:
            case "book":
                found |= {"depth": wanted.depth, "snapshot": snapshot}
            case "ticker":
                found |= {"event_trigger": wanted.event_trigger, "snapshot": snapshot}
            case "ohlc":
                found |= {"interval": wanted.interval, "snapshot": snapshot}
            case "executions":
                return found | self._executions_result(wanted, params)
            case "level3" if wanted.depth != L3_DEPTHS[0]:
                found |= {"depth": wanted.depth, "snapshot": snapshot}
            case _:
                found |= {"snapshot": snapshot}
        if wanted.symbol:
            found["symbol"] = wanted.symbol
        if wanted.channel == "ohlc":
            found["warnings"] = ["timestamp is deprecated, use interval_begin"]
        if wanted.channel == "instrument":
            found["warnings"] = ["tick_size is deprecated, use price_increment"]
        return found

    def _executions_result(self, wanted: Subscription, params: Params) -> Item:
        account = self._hub.exchange.accounts[wanted.account]
        found: Item = {"maxratecount": account.counter.threshold}
        if not wanted.order_status:
            found["order_status"] = False
        if wanted.ratecounter:
            found["ratecounter"] = True
        orders, trades = _snapshots(params)
        return found | {
            "snap_orders": orders,
            "snap_trades": trades,
            "warnings": EXECUTIONS_WARNINGS,
        }

    def _snapshot(self, ask: Ask, wanted: Subscription) -> None:
        hub, now_ns = self._hub, ask.now_ns
        if wanted.channel == "executions":
            self._executions_snapshot(ask, wanted)
            return
        is_wanted = ask.params.get("snapshot", wanted.channel != "trade") is True
        if wanted.channel in {"book", "level3"}:
            # The view is made even where nobody wants the snapshot: updates start from it.
            views = hub.books if wanted.channel == "book" else hub.orders
            data: object = [views.snapshot(wanted.symbol, wanted.depth, now_ns)]
        elif is_wanted:
            data = self._data(wanted, now_ns)
        if not is_wanted:
            return
        if wanted.channel == "balances":
            balances = self._balances(wanted.account)
            hub.private(ask.connection, wanted, "snapshot", balances, now_ns)
        else:
            frame: Item = {"channel": wanted.channel, "type": "snapshot", "data": data}
            if wanted.channel == "ohlc":
                frame["timestamp"] = stamp(now_ns)
            hub.tell(ask.connection, frame, now_ns)

    def _data(self, wanted: Subscription, now_ns: int) -> object:
        """The data of a public snapshot, books aside."""
        hub, symbol = self._hub, wanted.symbol
        if wanted.channel == "ticker":
            return [hub.ticker(symbol, now_ns)]
        if wanted.channel == "trade":
            return [trade_item(print_) for print_ in list(hub.tapes[symbol].trades)[-LAST_TRADES:]]
        if wanted.channel == "ohlc":
            tape = hub.tapes[symbol]
            return [tape.candle_item(c, wanted.interval) for c in tape.candles[wanted.interval]]
        return self._instruments()

    def _instruments(self) -> Item:
        exchange = self._hub.exchange
        return {
            "assets": [asset_item(asset) for asset in exchange.assets.values()],
            "pairs": [pair_item(market) for market in exchange.markets.values()],
        }

    def _executions_snapshot(self, ask: Ask, wanted: Subscription) -> None:
        """Open orders and the last fills in one frame; an empty one is sent too."""
        if ask.params.get("users") == "all":
            return
        account = self._hub.exchange.accounts[wanted.account]
        orders, trades = _snapshots(ask.params)
        data: list[Item] = []
        if orders:
            data += [executions.snapshot_order(record) for record in account.open.values()]
        if trades:
            data += [executions.snapshot_trade(fill) for fill in account.fills[-LAST_TRADES:]]
        self._hub.private(ask.connection, wanted, "snapshot", data, ask.now_ns)

    def _balances(self, name: str) -> list[Item]:
        exchange = self._hub.exchange
        items: list[Item] = []
        for asset_name, held in exchange.accounts[name].balances.items():
            asset = exchange.assets.get(asset_name)
            balance = number(held, asset.decimals if asset is not None else 10)
            wallet = {"type": "spot", "id": "main", "balance": balance}
            items.append(
                {
                    "asset": asset_name,
                    "asset_class": "currency",
                    "balance": balance,
                    "wallets": [wallet],
                }
            )
        return items

    def _unsubscribe(self, ask: Ask, wanted: Subscription) -> None:
        connection, now_ns = ask.connection, ask.now_ns
        held = connection.subscriptions.get(wanted.key)
        if held is None or held.depth != wanted.depth:
            # The venue's own answer says `subscribe` here.
            self._refuse(ask, NOT_FOUND, wanted.symbol, "subscribe")
            return
        self._hub.unsubscribe(connection, held)
        result: Item = {"channel": held.channel}
        if held.channel in {"book", "level3"}:
            result["depth"] = held.depth
        if held.channel == "ticker":
            result["event_trigger"] = held.event_trigger
        if held.channel == "ohlc":
            result["interval"] = held.interval
        if held.symbol:
            result["symbol"] = held.symbol
        message = success("unsubscribe", ask.req_id, result, now_ns, now_ns + 25_000)
        self._hub.tell(connection, message, now_ns)


SYMBOLED = frozenset({"book", "trade", "ticker", "ohlc", "level3"})


def _snapshots(params: Params) -> tuple[bool, bool]:
    """Whether open orders and last fills are wanted, by the new names or the old."""
    orders = params.get("snap_orders", params.get("snapshot", True))
    trades = params.get("snap_trades", params.get("snapshot_trades", False))
    return orders is True, trades is True


def _refusal(connection: Connection, params: Params) -> str:
    """Refuse a request as a whole."""
    for name, value in params.items():
        if name not in FIELDS:
            return f"Unsupported field: '{name}' for the given msg type: subscribe"
        if not is_kind(value, FIELDS[name]):
            return f"{name.capitalize()} field {FIELDS[name]}"
    channel = params.get("channel")
    if channel == "status":
        return NO_SYMBOL
    if channel in PRIVATE_CHANNELS:
        return "" if connection.is_private else NO_PRIVATE
    if channel == "level3":
        if not (connection.is_level3 or connection.is_private):
            return NO_PRIVATE
    elif channel not in PUBLIC_CHANNELS:
        return BAD_CHANNEL
    elif connection.is_private or connection.is_level3:
        return NO_PUBLIC
    if channel != "instrument" and not params.get("symbol"):
        return NO_SYMBOL
    return _bad_setting(str(channel), params)


def _bad_setting(channel: str, params: Params) -> str:
    depth = params.get("depth", 10)
    if channel in {"book", "level3"} and depth not in (
        BOOK_DEPTHS if channel == "book" else L3_DEPTHS
    ):
        return BAD_DEPTH
    if channel == "ohlc" and params.get("interval", 1) not in INTERVALS:
        return BAD_INTERVAL
    if channel == "ticker" and params.get("event_trigger", "trades") not in {"trades", "bbo"}:
        return "Event_trigger field must be one of trades, bbo"
    return ""


def _wanted(channel: str, symbol: str, params: Params, account: str) -> Subscription:
    found = Subscription(channel, symbol)
    if channel in {"book", "level3"}:
        found.depth = _whole(params.get("depth"), 10)
    if channel == "ohlc":
        found.interval = _whole(params.get("interval"), 1)
    if channel == "ticker":
        found.event_trigger = str(params.get("event_trigger", "trades"))
    if channel in PRIVATE_CHANNELS:
        found.account = account
        found.order_status = params.get("order_status", True) is True
        found.ratecounter = params.get("ratecounter", False) is True
    return found


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
