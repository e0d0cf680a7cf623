"""All open sockets, and what is published on them."""

from collections.abc import Callable

from crosswire.sim.ledger import CashRow
from crosswire.venues.interface import SimDrop, SimFrame, SimOutput
from crosswire.venues.kraken.simulator.books import BookViews, OrderViews
from crosswire.venues.kraken.simulator.connections import (
    HEARTBEAT_NS,
    IDLE_NS,
    Connection,
    Subscription,
)
from crosswire.venues.kraken.simulator.exchange import Exchange, Print
from crosswire.venues.kraken.simulator.executions import TRANSITIONS, Item
from crosswire.venues.kraken.simulator.markets import Market, pair_item
from crosswire.venues.kraken.simulator.tape import Tape, trade_item
from crosswire.venues.kraken.simulator.text import SECOND, encode, number, stamp

VERSION = "2.0.10"
HEARTBEAT = encode({"channel": "heartbeat"})
MAX_ITEMS = 50  # of a mixed frame
LINGER_NS = 15 * SECOND  # how long frames may be under way behind their connection's end
CATEGORIES = {"margin": "margin-trade", "spend": "conversion", "receive": "conversion"}


class Hub:
    """Writes frames to sockets; faults of frames strike here."""

    def __init__(self, exchange: Exchange, put: Callable[[SimOutput], None], start_ns: int) -> None:
        self.exchange = exchange
        self.chance = exchange.chance
        self.connections: dict[int, Connection] = {}
        self.books = BookViews(exchange)
        self.orders = OrderViews(exchange, exchange.rng)
        self.tapes = {symbol: Tape(market, start_ns) for symbol, market in exchange.markets.items()}
        self._best: dict[str, object] = {}
        self._listeners: dict[str, list[tuple[Connection, Subscription]]] = {}  # by channel
        self._gone: dict[int, Connection] = {}  # ended, but frames of theirs may be under way
        self._put = put

    # --- one socket ----------------------------------------------------------------------------

    def send(self, connection: Connection, payload: bytes, now_ns: int) -> None:
        """Write a frame, unless the connection is dead without knowing."""
        connection.last_ns = now_ns
        if not (connection.is_half_open or connection.gone_ns):
            self._put(SimFrame(connection.number, payload))

    def tell(self, connection: Connection, message: object, now_ns: int) -> None:
        self.send(connection, encode(message), now_ns)

    def drop(self, connection: Connection, code: int = 1006) -> None:
        """Cut a connection."""
        if self.retire(connection.number) is not None:
            connection.is_cut = True
            self._put(SimDrop(connection.number, code))

    def retire(self, number: int) -> Connection | None:
        """A connection has ended, by either side; what was sent on it may still come."""
        held = self.connections.pop(number, None)
        if held is not None:
            self._listeners.clear()
            held.gone_ns = now_ns = self.exchange.now_ns
            for old in [one for one in self._gone.values() if now_ns - one.gone_ns > LINGER_NS]:
                del self._gone[old.number]
            self._gone[number] = held
        return held

    def sender(self, number: int, now_ns: int) -> Connection | None:
        """Whose frame this is; None if nobody reads it. No answer reaches one that has ended."""
        held = self.connections.get(number)
        if held is None:
            held = self._gone.get(number)
            if held is None or now_ns - held.gone_ns > LINGER_NS:
                return None
            if held.is_cut and not self.chance.strikes("read_after_cut"):
                return None
        return None if held.is_half_open else held

    def forget(self) -> None:
        """Read nothing more of connections that have ended."""
        self._gone.clear()

    def publish_rules(self, market: Market, now_ns: int) -> None:
        """Tell a pair's new rules."""
        data = {"assets": [], "pairs": [pair_item(market)]}
        payload = encode({"channel": "instrument", "type": "update", "data": data})
        for connection, _ in self._held("instrument"):
            self.send(connection, payload, now_ns)

    def status(self, connection: Connection, now_ns: int) -> None:
        """What the venue accepts now; the first frame of every connection."""
        connection_id = 2**63 + connection.number * 7_919  # beyond 2^53, as the venue's are
        data = {
            "version": VERSION,
            "system": self.exchange.system,
            "api_version": "v2",
            "connection_id": connection_id,
        }
        frame = {"channel": "status", "type": "update", "data": [data]}
        self.tell(connection, frame, now_ns)

    def set_system(self, system: str, now_ns: int) -> None:
        """Change what the venue accepts, and tell everyone."""
        self.exchange.system = system
        for connection in list(self.connections.values()):
            self.status(connection, now_ns)

    def subscribe(self, connection: Connection, subscription: Subscription, now_ns: int) -> None:
        connection.subscriptions[subscription.key] = subscription
        self._listeners.clear()
        connection.heartbeat_ns = connection.heartbeat_ns or now_ns + HEARTBEAT_NS

    def beat(self, connection: Connection, now_ns: int) -> None:
        """Heartbeat, or the end of an idle connection."""
        if now_ns - connection.last_ns >= IDLE_NS:
            self.drop(connection)
        elif connection.heartbeat_ns and connection.heartbeat_ns <= now_ns:
            connection.heartbeat_ns += HEARTBEAT_NS
            if connection.heartbeat_ns <= now_ns:  # nobody ticked for a while
                connection.heartbeat_ns = now_ns + HEARTBEAT_NS
            self.send(connection, HEARTBEAT, now_ns)

    def unsubscribe(self, connection: Connection, subscription: Subscription) -> None:
        del connection.subscriptions[subscription.key]
        self._listeners.clear()

    def _held(self, channel: str) -> list[tuple[Connection, Subscription]]:
        """Who listens to a channel now: a list that is never changed, only made anew."""
        found = self._listeners.get(channel)
        if found is None:
            found = self._listeners[channel] = [
                (connection, subscription)
                for connection in self.connections.values()
                for subscription in connection.of(channel)
            ]
        return found

    # --- publishing ----------------------------------------------------------------------------

    def publish(self, now_ns: int) -> None:
        """Send out everything that has happened since the last call."""
        exchange = self.exchange
        if not (exchange.touched or exchange.told or exchange.paid):  # prints touch
            return
        told, exchange.told = exchange.told, []
        paid, exchange.paid = exchange.paid, []
        prints, exchange.prints = exchange.prints, []
        touched, exchange.touched = exchange.touched, set()
        if told:
            self._publish_executions(told, now_ns)
        for row in paid:
            self._publish_balance(row, now_ns)
        for symbol in dict.fromkeys(print_.market.symbol for print_ in prints):
            mine = [print_ for print_ in prints if print_.market.symbol == symbol]
            self._publish_trades(symbol, mine, now_ns)
        for symbol in sorted(touched):
            self._publish_book(symbol, now_ns)

    def _publish_executions(self, told: list[tuple[str, Item]], now_ns: int) -> None:
        for account in dict.fromkeys(name for name, _ in told):
            items = [item for name, item in told if name == account]
            is_mixed = len(items) > 1 and self.chance.strikes("mixed_frame")
            for connection, held in self._held("executions"):
                if held.account != account:
                    continue
                mine = [self._visible(item, held, now_ns) for item in items if _wanted(item, held)]
                size = MAX_ITEMS if is_mixed else 1
                for first in range(0, len(mine), size):
                    self.private(connection, held, "update", mine[first : first + size], now_ns)

    def _visible(self, item: Item, held: Subscription, now_ns: int) -> Item:
        """Add the rate counter for those who asked for it."""
        if not held.ratecounter:
            return item
        record = self.exchange.records[str(item["order_id"])]
        counter = self.exchange.accounts[held.account].counter
        return item | {"ratecount": int(counter.value(record.market.symbol, now_ns))}

    def private(
        self, connection: Connection, held: Subscription, kind: str, data: list[Item], now_ns: int
    ) -> None:
        """Send a numbered frame of a private channel; its faults strike here."""
        if kind == "update":
            if self.chance.strikes("omit_silently"):
                return
            held.sequence += 1
            if self.chance.strikes("skip_sequence"):
                held.sequence += 1
            if self.chance.strikes("omit_frame"):
                return
        else:
            held.sequence += 1
        frame = {"channel": held.channel, "type": kind, "data": data, "sequence": held.sequence}
        self.tell(connection, frame, now_ns)
        if kind == "update" and self.chance.strikes("duplicate_frame"):
            held.sequence += 1
            self.tell(connection, frame | {"sequence": held.sequence}, now_ns)

    def _publish_balance(self, row: CashRow, now_ns: int) -> None:
        asset = self.exchange.assets[row.asset]
        item: Item = {
            "ledger_id": row.ledger_id,
            "ref_id": row.ref,
            "timestamp": stamp(row.at_ns),
            "type": "trade" if row.kind == "margin" else row.kind,
            "asset": asset.name,
            "asset_class": "currency",
            "category": CATEGORIES.get(row.kind, row.kind),
            "wallet_type": "spot",
            "wallet_id": "main",
            "amount": number(row.amount, asset.decimals),
            "fee": number(row.fee, asset.decimals),
            "balance": number(row.balance, asset.decimals),
        }
        for connection, held in self._held("balances"):
            if held.account == row.account:
                self.private(connection, held, "update", [item], now_ns)

    def _publish_trades(self, symbol: str, prints: list[Print], now_ns: int) -> None:
        tape = self.tapes[symbol]
        for print_ in prints:
            tape.add(print_)
        listeners = [each for each, held in self._held("trade") if held.symbol == symbol]
        if listeners:
            items = [trade_item(print_) for print_ in prints]
            payload = encode({"channel": "trade", "type": "update", "data": items})
            for connection in listeners:
                self.send(connection, payload, now_ns)
        for connection, held in self._held("ohlc"):
            if held.symbol == symbol:
                candle = tape.candles[held.interval][-1]
                item = tape.candle_item(candle, held.interval)
                frame = {"channel": "ohlc", "type": "update", "timestamp": stamp(now_ns)}
                self.tell(connection, frame | {"data": [item]}, now_ns)
        self._publish_ticker(symbol, "trades", now_ns)

    def _publish_ticker(self, symbol: str, trigger: str, now_ns: int) -> None:
        for connection, held in self._held("ticker"):
            if held.symbol == symbol and held.event_trigger == trigger:
                item = self.ticker(symbol, now_ns)
                frame = {"channel": "ticker", "type": "update", "data": [item]}
                self.tell(connection, frame, now_ns)

    def ticker(self, symbol: str, now_ns: int) -> Item:
        engine = self.exchange.engines[symbol]
        return self.tapes[symbol].ticker(engine.best_bid(), engine.best_ask(), now_ns)

    def _publish_book(self, symbol: str, now_ns: int) -> None:
        for depth in self.books.depths(symbol):
            self.publish_depth(symbol, depth, now_ns)
        for depth in self.orders.depths(symbol):
            self.publish_orders(symbol, depth, now_ns)
        engine = self.exchange.engines[symbol]
        best = (engine.best_bid(), engine.best_ask())
        if best != self._best.get(symbol):
            self._best[symbol] = best
            self._publish_ticker(symbol, "bbo", now_ns)

    def publish_depth(self, symbol: str, depth: int, now_ns: int) -> None:
        """Send one depth's changes to those who hold it."""
        item = self.books.update(symbol, depth, now_ns)
        if item is None:
            return
        payload = encode({"channel": "book", "type": "update", "data": [item]})
        for connection, held in self._held("book"):
            if held.symbol != symbol or held.depth != depth:
                continue
            if self.chance.strikes("wrong_checksum"):
                checksum = item["checksum"]
                assert isinstance(checksum, int)
                wrong = {"type": "update", "data": [item | {"checksum": checksum ^ 1}]}
                self.tell(connection, {"channel": "book"} | wrong, now_ns)
            else:
                self.send(connection, payload, now_ns)

    def publish_orders(self, symbol: str, depth: int, now_ns: int) -> None:
        """Level 3: the same, order by order."""
        item = self.orders.update(symbol, depth, now_ns)
        if item is None:
            return
        payload = encode({"channel": "level3", "type": "update", "data": [item]})
        for connection, held in self._held("level3"):
            if held.symbol == symbol and held.depth == depth:
                self.send(connection, payload, now_ns)


def _wanted(item: Item, held: Subscription) -> bool:
    return held.order_status or item["exec_type"] in TRANSITIONS
