"""A Kraken that behaves like Kraken, without I/O: frames and requests in, frames and answers out.

What is simplified: the day of the ticker begins when the simulator does; margin as `positions`
says; a market order's money is checked once, when it is placed, so that a triggered one may
overdraw; cancel-all is not counted; the 30-day volume only grows; every pair's index is its own
last price; level 3 shows external quantity as one order a level.

What is guessed, because no capture or page says it: the reasons of cancels that nobody asked for
(`exchange.REASONS`), schema texts beyond those for numbers and arrays, the text for a deadline out
of range, the place of the rate counter in a frame, the order of the checks, the lockout's count,
the kinds of a dust sweep's rows, and what a restart keeps, says and closes with.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from random import Random

from msgspec import Struct

from crosswire.domain import BookChanged, BookReset, Side
from crosswire.sim.flow import Flow, FlowInstrument
from crosswire.sim.ledger import Ledger
from crosswire.sim.life import act
from crosswire.sim.recording import Mirror, RecordedEvent, Recording
from crosswire.venues.interface import HttpRequest, SimOutput
from crosswire.venues.kraken.simulator.access import PERMISSIONS, Login, Tokens
from crosswire.venues.kraken.simulator.accounts import Account
from crosswire.venues.kraken.simulator.connections import Connection
from crosswire.venues.kraken.simulator.desk import Desk
from crosswire.venues.kraken.simulator.exchange import Exchange
from crosswire.venues.kraken.simulator.faults import (
    CAMPAIGN,
    READINGS,
    Chance,
    Faults,
    from_mapping,
)
from crosswire.venues.kraken.simulator.hub import Hub
from crosswire.venues.kraken.simulator.markets import Market, default_markets
from crosswire.venues.kraken.simulator.misfortunes import RESTARTED, Misfortunes
from crosswire.venues.kraken.simulator.rest import Rest, bad_gateway
from crosswire.venues.kraken.simulator.schema import REQUESTS
from crosswire.venues.kraken.simulator.subscriptions import Ask, Subscriptions
from crosswire.venues.kraken.simulator.text import SECOND, decode, failure, scaled, stamp
from crosswire.venues.kraken.simulator.trading import Trading
from crosswire.venues.kraken.simulator.wishes import Wish

MAX_MESSAGES = 300  # per second and connection; the venue's own limit moves and is not published
EXCEEDED = {"Error": "Exceeded msg rate"}


class SimAccount(Struct, frozen=True, kw_only=True):
    """A client: one API key, and the account behind it (several keys may share one)."""

    secret: str
    balances: Mapping[str, str]  # asset -> plain decimal text
    name: str = "main"
    tier: str = "pro"  # starter, intermediate, pro
    permissions: frozenset[str] = PERMISSIONS
    volume: str = "0"  # 30 days, US dollars: decides the fees


class KrakenSimulator:
    """The venue's side of the wire: see `crosswire.venues.interface.Simulator`."""

    def __init__(
        self,
        seed: int,
        *,
        start_ns: int = 0,
        instruments: Sequence[Market] | None = None,
        accounts: Mapping[str, SimAccount],
        faults: Faults | None = None,
        flow: Flow | None = None,
        recordings: Mapping[str, Recording] | None = None,
        max_messages: int = MAX_MESSAGES,
    ) -> None:
        """`accounts` by API key; `recordings` by pair. Without a flow nobody else trades."""
        rng = Random(seed)
        self.outbox: list[SimOutput] = []
        self.max_messages = max_messages
        self._ledger = Ledger("kraken", seed, _starting(accounts))
        self.chance = Chance(faults or Faults(), rng)
        markets = default_markets() if instruments is None else instruments
        self.exchange = Exchange(markets, self._ledger, self.chance, rng)
        for account in accounts.values():
            if account.name not in self.exchange.accounts:
                self.exchange.accounts[account.name] = self._account(account)
        self.logins = {key: _login(key, account) for key, account in accounts.items()}
        self.tokens = Tokens(rng)
        self.hub = Hub(self.exchange, self._put, start_ns)
        desk = Desk(self.exchange)
        self._subscriptions = Subscriptions(self.hub, self.tokens)
        self._misfortunes = Misfortunes(
            self.hub, self.tokens, self.logins, self._lose_delayed, flow
        )
        self._trading = Trading(self.hub, desk, self.tokens, self._later)
        self._rest = Rest(self.hub, desk, self.tokens, self.logins, self._put, self._later)
        self._flow = flow
        self._recordings = dict(recordings or {})
        self._mirrors = {
            symbol: Mirror(self.exchange.engines[symbol]) for symbol in self._recordings
        }
        self._delayed: list[tuple[int, int, Callable[[int], None]]] = []
        self._delayed_count = 0
        self._pulse_ns = start_ns + SECOND

    def _put(self, output: SimOutput) -> None:
        self.outbox.append(output)  # looked up each time: the host may swap the list

    def _account(self, account: SimAccount) -> Account:
        return Account(account.name, account.tier, self._ledger, scaled(account.volume) or 0)

    # --- the Simulator interface ---------------------------------------------------------------

    def opened(self, connection: int, path: str, now_ns: int) -> None:
        """A socket is open: `/v2` public, `/auth/v2` private, `/l3/v2` level 3."""
        self.exchange.now_ns = now_ns
        bare = path.partition("?")[0].rstrip("/")
        held = Connection(
            connection, "auth" in bare, "l3" in bare, opened_ns=now_ns, last_ns=now_ns
        )
        self.hub.connections[connection] = held
        if self._misfortunes.is_down(now_ns):
            self.hub.drop(held, RESTARTED)
        elif not bare.endswith("/v2"):
            self.hub.drop(held, 1008)
        else:
            self.hub.status(held, now_ns)

    def received(self, connection: int, payload: bytes, now_ns: int) -> None:
        """A text frame arrived."""
        self.exchange.now_ns = now_ns
        held = self.hub.sender(connection, now_ns)
        if held is None:
            return
        held.last_ns = now_ns
        if not held.count_message(self.max_messages, now_ns):
            self.hub.tell(held, EXCEEDED, now_ns)
            return
        message = decode(payload)
        if isinstance(message, dict):
            self._answer(held, message, now_ns)
        else:
            self._refuse(held, "", None, "Malformed request", now_ns)

    def closed(self, connection: int, now_ns: int) -> None:
        """The client hung up, or its host says the socket is gone."""
        self.exchange.now_ns = now_ns
        self.hub.retire(connection)
        self.tokens.forget(connection)

    def asked(self, key: int, request: HttpRequest, now_ns: int) -> None:
        """An HTTP request arrived."""
        self.exchange.now_ns = now_ns
        if self._misfortunes.is_down(now_ns):
            self._put(bad_gateway(key))
            return
        self._rest.asked(key, request, now_ns)
        self.hub.publish(now_ns)

    def tick(self, now_ns: int) -> None:
        """Time passed."""
        self.exchange.now_ns = now_ns
        while self._delayed and self._delayed[0][0] <= now_ns:
            heapq.heappop(self._delayed)[2](now_ns)
        self.exchange.tick(now_ns)
        self.hub.publish(now_ns)
        self._play(now_ns)
        self._live(now_ns)
        self._misfortunes.end(now_ns)
        if self._pulse_ns <= now_ns:
            self._pulse_ns = now_ns + SECOND
            self._misfortunes.strike(now_ns)
        for connection in list(self.hub.connections.values()):
            if connection.due_ns() <= now_ns:
                self.hub.beat(connection, now_ns)

    def next_due_ns(self) -> int | None:
        """When `tick` has something to do next."""
        due = self.exchange.next_due_ns()
        due += [connection.due_ns() for connection in self.hub.connections.values()]
        due += [self._delayed[0][0]] if self._delayed else []
        due += [self._misfortunes.status_until_ns] if self._misfortunes.status_until_ns else []
        if self._flow is not None:
            due.append(self._flow.next_due_ns())
        moments = [recording.next_due_ns() for recording in self._recordings.values()]
        moments += [mirror.next_due_ns() for mirror in self._mirrors.values()]
        due += [at_ns for at_ns in moments if at_ns is not None]
        return min([self._pulse_ns, *due])

    def ledger(self) -> Mapping[str, object]:
        """Everything it saw and did."""
        self._ledger.faults = dict(self.chance.counts)
        return self._ledger.plain()

    # --- for worlds, tests and operators -------------------------------------------------------

    @property
    def live_ledger(self) -> Ledger:
        """The rows themselves, to be looked at after every step and never changed."""
        return self._ledger

    @property
    def fault_counts(self) -> Mapping[str, int]:
        """How often each fault has struck."""
        return self.chance.counts

    @property
    def fault_menu(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """What a campaign may switch on: faults with the most of each, and open readings."""
        return CAMPAIGN, READINGS

    def set_faults(self, faults: Mapping[str, float]) -> None:
        """Change what goes wrong from now on; the counts go on. `ValueError` as at the start."""
        self.chance.change(from_mapping(faults))

    def trade_elsewhere(
        self, account: str, symbol: str, side: Side, quantity: int, price: int, now_ns: int
    ) -> str:
        """Someone places a limit order in the account by other means; returns the venue's id."""
        self.exchange.now_ns = now_ns
        wish = Wish(symbol=symbol, order_type="limit", side=side, quantity=quantity, price=price)
        held, market = self.exchange.accounts[account], self.exchange.markets[symbol]
        record = self.exchange.create(held, market, wish, now_ns)
        self.hub.publish(now_ns)
        return record.id

    def trim(self, before_ns: int) -> None:
        """Forget what ended before a moment, in the ledger too, for runs that last for days."""
        self._ledger.trim(before_ns)
        for account in self.exchange.accounts.values():
            for order_id in account.trim(before_ns):
                del self.exchange.records[order_id]

    def set_system(self, system: str, now_ns: int) -> None:
        """Change what the venue accepts: online, post_only, cancel_only, maintenance."""
        self.hub.set_system(system, now_ns)

    def revoke_tokens(self, account: str) -> None:
        """Every token of the account stops being valid."""
        self.tokens.revoke(account)

    def deposit(self, account: str, asset: str, amount: str, now_ns: int) -> None:
        """Pay into an account (out of it, if negative)."""
        value = scaled(amount)
        assert value is not None
        held = self.exchange.accounts[account]
        kind = "deposit" if value >= 0 else "withdrawal"
        self.exchange.pay(held, self.exchange.assets[asset], value, kind, now_ns)
        self.hub.publish(now_ns)

    # --- frames --------------------------------------------------------------------------------

    def _answer(self, held: Connection, message: dict[str, object], now_ns: int) -> None:
        method, req_id = message.get("method"), message.get("req_id")
        if req_id is not None and (isinstance(req_id, bool) or not isinstance(req_id, int)):
            self._refuse(held, str(method), None, "Req_id field must be an integer", now_ns)
            return
        params = message.get("params", {})
        if method == "ping":
            self._pong(held, message, req_id, now_ns)
        elif not isinstance(params, dict):
            self._refuse(held, str(method), req_id, "Params field must be an object", now_ns)
        elif method in {"subscribe", "unsubscribe"}:
            self._subscriptions.ask(Ask(held, str(method), params, req_id, now_ns))
        elif method in REQUESTS:
            self._trading.ask(held, str(method), params, req_id, now_ns)
        else:
            self._refuse(held, str(method or ""), req_id, "Unsupported event", now_ns)
        self.hub.publish(now_ns)

    def _pong(
        self, held: Connection, message: dict[str, object], req_id: object, now_ns: int
    ) -> None:
        if "params" in message:
            error = "Unsupported field: 'params' for the given msg type: ping"
            self._refuse(held, "ping", req_id, error, now_ns)
            return
        pong: dict[str, object] = {"method": "pong"}
        if req_id is not None:
            pong["req_id"] = req_id
        times = {"time_in": stamp(now_ns), "time_out": stamp(now_ns + 18_000)}
        self.hub.tell(held, pong | times, now_ns)

    def _refuse(
        self, held: Connection, method: str, req_id: object, error: str, now_ns: int
    ) -> None:
        self.hub.tell(held, failure(method, req_id, error, now_ns, now_ns + 30_000), now_ns)

    # --- time ----------------------------------------------------------------------------------

    def _later(self, at_ns: int, act: Callable[[int], None]) -> None:
        self._delayed_count += 1
        heapq.heappush(self._delayed, (at_ns, self._delayed_count, act))

    def _lose_delayed(self) -> None:
        self._delayed.clear()

    def _play(self, now_ns: int) -> None:
        """Recorded books move on."""
        for symbol, recording in self._recordings.items():
            for event in recording.due(now_ns):
                self._apply(symbol, event, now_ns)
        for symbol, mirror in self._mirrors.items():
            self.exchange.apply(self.exchange.markets[symbol], mirror.tick(now_ns), now_ns)
            self.hub.publish(now_ns)

    def mirror(self, event: RecordedEvent, now_ns: int) -> None:
        """Take over what a real book did: our clients' orders meet it. Unlisted pairs are left."""
        symbol = event.instrument.partition(":")[2]
        if symbol in self.exchange.markets:
            self._apply(symbol, event, now_ns)

    def _apply(self, symbol: str, event: RecordedEvent, now_ns: int) -> None:
        mirror = self._mirrors.get(symbol)
        if mirror is None:
            mirror = self._mirrors[symbol] = Mirror(self.exchange.engines[symbol])
        self.exchange.apply(self.exchange.markets[symbol], mirror.apply(event, now_ns), now_ns)
        self.hub.publish(now_ns)

    def _live(self, now_ns: int) -> None:
        """The order flow acts."""
        if self._flow is None:
            return
        exchange = self.exchange
        for action in self._flow.step(now_ns):
            name = action.instrument
            outcomes = act(exchange.engines[name], action, now_ns)
            if outcomes:
                exchange.apply(exchange.markets[name], outcomes, now_ns)
            else:
                exchange.touched.add(name)
        self.hub.publish(now_ns)


def _starting(accounts: Mapping[str, SimAccount]) -> dict[str, dict[str, int]]:
    """The starting balances by account; `ValueError` names an amount that is none."""
    found: dict[str, dict[str, int]] = {}
    for account in accounts.values():
        held = found.setdefault(account.name, {})
        for asset, text in account.balances.items():
            value = scaled(text)
            if value is None:
                raise ValueError(f'balance of {asset}: "{text}" is not a number')
            held.setdefault(asset, value)
    return found


def _login(key: str, account: SimAccount) -> Login:
    return Login(
        key=key,
        secret=account.secret,
        account=account.name,
        tier=account.tier,
        permissions=account.permissions,
    )


def flow_for(
    markets: Sequence[Market], seed: int, kind: str, recorded: Sequence[str]
) -> Flow | None:
    """Return an order flow for the pairs: `off`, `normal` or `efficient` (no free money).

    A recorded pair has its makers already: there, only takers come. `ValueError` otherwise.
    """
    if kind not in {"off", "normal", "efficient"}:
        raise ValueError(f'unknown flow "{kind}": expected off, normal or efficient')
    if kind == "off":
        return None
    return Flow(
        seed,
        [flow_instrument(market, has_makers=market.symbol not in recorded) for market in markets],
        venue="kraken",
        efficient=kind == "efficient",
    )


def flow_instrument(market: Market, *, has_makers: bool = True) -> FlowInstrument:
    """How a pair is brought to life."""
    return FlowInstrument(
        name=market.symbol,
        start_price=market.start_price,
        tick=market.tick,
        step=10 ** (10 - market.quantity_decimals),
        quantity=market.flow_quantity,
        has_makers=has_makers,
    )


def recordings_of(events: Sequence[BookReset | BookChanged], start_ns: int) -> dict[str, Recording]:
    """Sort recorded books by pair; each plays in a loop from `start_ns` on."""
    by_pair: dict[str, list[BookReset | BookChanged]] = {}
    for event in events:
        by_pair.setdefault(event.instrument.partition(":")[2] or event.instrument, []).append(event)
    return {symbol: Recording(rows, start_ns, has_loop=True) for symbol, rows in by_pair.items()}
