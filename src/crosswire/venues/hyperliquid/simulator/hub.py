"""All connections: who listens to what, and what everybody is told after a block."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from crosswire.venues.hyperliquid.simulator import books, lists, rows, states
from crosswire.venues.hyperliquid.simulator.accounts import Fill
from crosswire.venues.hyperliquid.simulator.budgets import (
    CONNECTIONS,
    MESSAGES,
    OPENINGS,
    SUBSCRIPTIONS,
    USERS,
    Window,
)
from crosswire.venues.hyperliquid.simulator.channels import Subscription
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.rows import Row
from crosswire.venues.hyperliquid.simulator.tape import Tape
from crosswire.venues.hyperliquid.simulator.text import SECOND, encode, ms
from crosswire.venues.interface import SimDrop, SimFrame, SimOutput

SILENCE_NS = 60 * SECOND  # a connection on which the venue said nothing for so long is closed
RECALL_NS = 60 * SECOND  # how long a connection that was cut may still be read
SNAPSHOT = 2000
PRIVATE = frozenset({"orderUpdates", "userFills", "user"})


class Connection(Struct):
    """One open socket."""

    number: int
    last_sent_ns: int
    is_half_open: bool = False
    subscriptions: dict[bytes, Subscription] = field(default_factory=dict)
    told_ns: dict[bytes, int] = field(default_factory=dict)  # when a book was told last
    told: dict[bytes, object] = field(default_factory=dict)  # what was told last


class News(Struct):
    """What accounts are to hear, each row with its account's name."""

    told: list[tuple[str, Row]]
    filled: list[tuple[str, Fill]]
    events: list[tuple[str, Row]]
    paid: list[tuple[str, Row]]


class Hub:
    """Speaks to everybody."""

    def __init__(
        self, exchange: Exchange, tapes: Mapping[str, Tape], put: Callable[[SimOutput], None]
    ) -> None:
        self.exchange = exchange
        self.tapes = tapes
        self._put = put
        self.connections: dict[int, Connection] = {}
        self.messages = Window(MESSAGES)
        self.openings = Window(OPENINGS)
        self.cut_ns: dict[int, int] = {}
        self.stale_until_ns = 0

    # --- connections ---------------------------------------------------------------------------

    def opened(self, number: int, now_ns: int) -> None:
        """A socket is open; one too many is closed at once."""
        held = Connection(number, now_ns)
        self.connections[number] = held
        if len(self.connections) > CONNECTIONS or not self.openings.has_room(now_ns):
            self.drop(held, 1008)
            return
        self.openings.spend(1, now_ns)
        if self.exchange.chance.strikes("greeting"):
            self._put(SimFrame(number, b"Websocket connection established."))

    def drop(self, held: Connection, code: int = 1006) -> None:
        if self.connections.pop(held.number, None) is not None:
            self._put(SimDrop(held.number, code))

    def cut(self, held: Connection, now_ns: int) -> None:
        """A fault: the connection is gone, and what is under way may still be read."""
        self.cut_ns[held.number] = now_ns
        self.drop(held)

    def was_cut(self, number: int, now_ns: int) -> bool:
        """Whether the venue had cut a connection a short while ago."""
        return now_ns - self.cut_ns.get(number, now_ns - RECALL_NS) < RECALL_NS

    def tell(self, held: Connection, message: object, now_ns: int) -> None:
        self.tell_bytes(held, encode(message), now_ns)

    def tell_bytes(self, held: Connection, payload: bytes, now_ns: int) -> None:
        if held.number in self.connections and not held.is_half_open:
            held.last_sent_ns = now_ns
            self._put(SimFrame(held.number, payload))

    def complain(self, held: Connection, text: str, now_ns: int) -> None:
        self.tell(held, {"channel": "error", "data": text}, now_ns)

    # --- subscriptions -------------------------------------------------------------------------

    def subscribe(self, held: Connection, asked: Subscription, now_ns: int) -> None:
        """Add a subscription, answer, and tell what is there."""
        everything = [one for other in self.connections.values() for one in _all(other)]
        users = {one.user for one in everything if one.user}
        if asked.key in held.subscriptions:
            self.complain(held, f"Already subscribed: {asked.key.decode()}", now_ns)
        elif len(everything) >= SUBSCRIPTIONS:
            text = f"Cannot subscribe to more than {SUBSCRIPTIONS} channels."
            self.complain(held, text, now_ns)
        elif asked.user and asked.user not in users and len(users) >= USERS:
            self.complain(held, f"Cannot track more than {USERS} total users.", now_ns)
        else:
            held.subscriptions[asked.key] = asked
            self._respond(held, "subscribe", asked, now_ns)
            self._first(held, asked, now_ns)

    def unsubscribe(self, held: Connection, asked: Subscription, now_ns: int) -> None:
        if held.subscriptions.pop(asked.key, None) is None:
            self.complain(held, f"Already unsubscribed: {asked.key.decode()}", now_ns)
            return
        held.told.pop(asked.key, None)
        held.told_ns.pop(asked.key, None)
        self._respond(held, "unsubscribe", asked, now_ns)

    def _respond(self, held: Connection, method: str, asked: Subscription, now_ns: int) -> None:
        data = {"method": method, "subscription": asked.echo}
        self.tell(held, {"channel": "subscriptionResponse", "data": data}, now_ns)

    def _first(self, held: Connection, asked: Subscription, now_ns: int) -> None:
        """The frame that follows a subscription at once."""
        if asked.kind == "trades":
            self._say(held, asked, list(self.tapes[asked.coin].trades), now_ns)
        elif asked.kind == "userFills":
            account = self.exchange.addresses.get(asked.user)
            fills = account.fills[-SNAPSHOT:] if account else []
            made = states.fill_rows(fills, is_aggregated=asked.is_aggregated)
            data = {"isSnapshot": True, "user": asked.user, "fills": made}
            self._say(held, asked, data, now_ns)
        elif asked.kind in {"userFundings", "userNonFundingLedgerUpdates"}:
            account = self.exchange.addresses.get(asked.user)
            found = states.payments(account, is_funding=asked.kind == "userFundings")
            self._say(held, asked, {"isSnapshot": True} | _paid(asked, found), now_ns)
        elif asked.kind not in {"orderUpdates", "userEvents", "notification"}:
            self._refresh(held, asked, now_ns)

    # --- what is told after a block ------------------------------------------------------------

    def publish(self, now_ns: int) -> None:
        """Tell everybody what happened since the last time."""
        exchange = self.exchange
        news = News(exchange.told, exchange.filled, exchange.events, exchange.paid)
        exchange.told, exchange.filled, exchange.events, exchange.paid = [], [], [], []
        prints, exchange.prints = exchange.prints, []
        touched, exchange.touched = exchange.touched, set()
        printed: dict[str, list[Row]] = {}
        for one in prints:
            coin = one.market.coin
            printed.setdefault(coin, []).append(self.tapes[coin].print(one))
        changed = {name for name, _ in [*news.told, *news.filled, *news.paid]}
        for held in list(self.connections.values()):
            for asked in _all(held):
                if asked.user:
                    account = exchange.addresses.get(asked.user)
                    name = account.name if account else ""
                    self._tell_user(held, asked, name, news, now_ns)
                    if name in changed:
                        self._refresh(held, asked, now_ns)
                elif asked.kind == "trades" and asked.coin in printed:
                    self._say(held, asked, printed[asked.coin], now_ns)
                elif asked.coin in touched or asked.kind in {"allMids", "l2Book"}:
                    self._refresh(held, asked, now_ns)

    def _tell_user(
        self,
        held: Connection,
        asked: Subscription,
        name: str,
        news: News,
        now_ns: int,
    ) -> None:
        """The rows of one account, in one frame a channel."""
        fills = [one for owner, one in news.filled if owner == name]
        if asked.kind == "orderUpdates":
            if found := [row for owner, row in news.told if owner == name]:
                self._say(held, asked, found, now_ns)
        elif asked.kind == "userFills" and fills:
            made = states.fill_rows(fills, is_aggregated=asked.is_aggregated)
            self._say(held, asked, {"user": asked.user, "fills": made}, now_ns)
        elif asked.kind == "userEvents":
            if fills:
                self._say(held, asked, {"fills": [rows.fill(one) for one in fills]}, now_ns)
            for owner, row in news.events:
                if owner == name:
                    self._say(held, asked, row, now_ns)
        elif asked.kind in {"userFundings", "userNonFundingLedgerUpdates"}:
            is_funding = asked.kind == "userFundings"
            mine = [row for owner, row in news.paid if owner == name]
            if found := [row for row in mine if states.is_funding_row(row) == is_funding]:
                self._say(held, asked, _paid(asked, found), now_ns)

    def _refresh(self, held: Connection, asked: Subscription, now_ns: int) -> None:
        """Tell the present state of what is a state, if it is another one or due."""
        if asked.kind in {"l2Book", "allMids", "activeAssetCtx"} and asked.key in held.told_ns:
            period_ns = asked.period_ns if asked.kind == "l2Book" else SECOND
            if now_ns - held.told_ns[asked.key] < period_ns:
                return
        data = self._state(asked, now_ns)
        if data is None or (asked.kind != "l2Book" and held.told.get(asked.key) == data):
            return
        held.told_ns[asked.key] = now_ns
        held.told[asked.key] = data
        if asked.kind == "bbo":
            data = {"coin": asked.coin, "time": ms(now_ns), "bbo": data}
        self._say(held, asked, data, now_ns)

    def _state(self, asked: Subscription, now_ns: int) -> object:
        """What a state subscription shows now; None for what is none."""
        exchange = self.exchange
        if asked.kind == "allMids":
            return {"mids": lists.mids(exchange, asked.dex)}
        if asked.user:
            return self._user_state(asked, now_ns)
        market = exchange.coins[asked.coin]
        if asked.kind == "bbo":
            return books.best(exchange.engine(market))
        if asked.kind == "l2Book":
            count = books.FAST_LEVELS if asked.is_fast else books.LEVELS
            found = books.levels(exchange.engine(market), count, asked.figures, asked.mantissa)
            row: Row = {"coin": asked.coin, "time": ms(now_ns), "levels": found}
            return row | {"fast": True} if asked.is_fast else row
        if asked.kind == "candle":
            return self.tapes[asked.coin].last_candle(asked.interval)
        if asked.kind != "activeAssetCtx":
            return None
        context = lists.spot_context if market.is_spot else lists.perp_context
        return {"coin": asked.coin, "ctx": context(exchange, market, self.tapes[asked.coin])}

    def _user_state(self, asked: Subscription, now_ns: int) -> object:
        exchange = self.exchange
        account = exchange.addresses.get(asked.user)
        head: Row = {"user": asked.user}
        head |= {"dex": asked.dex} if asked.dex else {}
        if asked.kind == "openOrders":
            found = states.open_records(account, asked.dex, None) if account else []
            return head | {"orders": [rows.whole(record, left) for record, left in found]}
        if asked.kind == "clearinghouseState":
            state = states.clearinghouse(exchange, account, asked.dex, now_ns)
            return head | {"clearinghouseState": state}
        if asked.kind == "spotState":
            return head | {"spotState": states.spot(exchange, account)}
        if asked.kind == "activeAssetData":
            market = exchange.coins[asked.coin]
            return states.asset_data(exchange, account, asked.user, market)
        return None

    def _say(self, held: Connection, asked: Subscription, data: object, now_ns: int) -> None:
        """Send a frame of a channel, unless a fault eats it."""
        chance, channel = self.exchange.chance, asked.channel
        if asked.kind == "activeAssetCtx" and self.exchange.coins[asked.coin].is_spot:
            channel = "activeSpotAssetCtx"
        if now_ns < self.stale_until_ns and not asked.user:
            return
        is_private = channel in PRIVATE
        if is_private and chance.strikes("omit_frame"):
            return
        payload = encode({"channel": channel, "data": data})
        self.tell_bytes(held, payload, now_ns)
        if is_private and chance.strikes("duplicate_frame"):
            self.tell_bytes(held, payload, now_ns)

    # --- time ----------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Books are told at their times, and who was told nothing for a minute is closed."""
        for held in list(self.connections.values()):
            for asked in _all(held):
                if asked.kind == "l2Book":
                    self._refresh(held, asked, now_ns)
            if held.last_sent_ns + SILENCE_NS <= now_ns:
                self.drop(held, 1000)

    def next_due_ns(self) -> list[int]:
        """When `tick` has something to do next."""
        due = [held.last_sent_ns + SILENCE_NS for held in self.connections.values()]
        for held in self.connections.values():
            due += [
                held.told_ns[asked.key] + asked.period_ns
                for asked in _all(held)
                if asked.key in held.told_ns and asked.kind == "l2Book"
            ]
        return due


def _all(held: Connection) -> list[Subscription]:
    return list(held.subscriptions.values())


def _paid(asked: Subscription, found: list[Row]) -> Row:
    """The data of the two channels of money."""
    if asked.kind == "userFundings":
        return {"user": asked.user, "fundings": states.as_fundings(found)}
    return {"user": asked.user, "nonFundingLedgerUpdates": found}
