"""What befalls the venue, its accounts and its connections by the clock, drawn once a second."""

from collections.abc import Callable, Mapping

from crosswire.fixed import SCALE
from crosswire.sim.flow import Flow
from crosswire.venues.kraken.simulator.access import Login, Tokens
from crosswire.venues.kraken.simulator.accounts import Account
from crosswire.venues.kraken.simulator.hub import Hub
from crosswire.venues.kraken.simulator.markets import Market
from crosswire.venues.kraken.simulator.text import make_id, rounded, times

SYSTEMS = ("maintenance", "cancel_only", "post_only")
RESTARTED = 1001  # the close code of those whose server goes away
RESTART_REASON = "Service restart"
GRIDS = (1, 2, 5, 10)  # times the pair's first tick
COARSER = 10  # times the quantity step, once a pair: no finer again, for what is open has digits
# What somebody else does with an account's money: the row's kind and its quote amount.
MONEY: Mapping[str, int] = {
    "deposit": 10 * SCALE,
    "withdrawal": -5 * SCALE,
    "transfer": -3 * SCALE,
}
DUST = SCALE // 100_000  # of the base asset


class Misfortunes:
    """Strikes once a second; knows until when the venue is down or its state is changed."""

    def __init__(
        self,
        hub: Hub,
        tokens: Tokens,
        logins: Mapping[str, Login],
        lose_requests: Callable[[], None],
        flow: Flow | None,
    ) -> None:
        """`lose_requests` forgets what is under way to the engine; `flow` follows a new tick."""
        self._hub = hub
        self._exchange = hub.exchange
        self._chance = hub.chance
        self._tokens = tokens
        self._logins = logins
        self._lose_requests = lose_requests
        self._flow = flow
        self._ticks = {symbol: market.tick for symbol, market in hub.exchange.markets.items()}
        self._steps = {symbol: market.step for symbol, market in hub.exchange.markets.items()}
        self.status_until_ns = 0  # when a changed system status goes back to online
        self._down_until_ns = 0

    def is_down(self, now_ns: int) -> bool:
        """Whether nothing passes: it restarts."""
        return now_ns < self._down_until_ns

    def end(self, now_ns: int) -> None:
        """Bring the venue back online when it is time."""
        if self.status_until_ns and self.status_until_ns <= now_ns:
            self.status_until_ns = 0
            self._hub.set_system("online", now_ns)

    def strike(self, now_ns: int) -> None:
        """A second has passed: draw what goes wrong."""
        self._strike_connections()
        for system in SYSTEMS:
            if self._chance.strikes(system):
                self.status_until_ns = now_ns + self._chance.faults.status_ns
                self._hub.set_system(system, now_ns)
        for account in self._exchange.accounts.values():
            self._strike_account(account, now_ns)
        for login in self._logins.values():
            if self._chance.strikes("key_refused"):
                login.refused_until_ns = now_ns + int(self._chance.faults.key_s * 1e9)
        self._change_rules(now_ns)
        self._hub.publish(now_ns)
        for name in ("restart", "restart_empty"):
            if self._chance.strikes(name):
                self.restart(now_ns, is_emptied=name == "restart_empty")

    def _strike_connections(self) -> None:
        for connection in list(self._hub.connections.values()):
            if self._chance.strikes("half_open"):
                connection.is_half_open = True
            if self._chance.strikes("cut"):
                self._hub.drop(connection)

    def _strike_account(self, account: Account, now_ns: int) -> None:
        exchange, chance = self._exchange, self._chance
        if account.dead_man_ns and chance.strikes("dead_man"):
            exchange.fire_dead_man(account, now_ns)
        market = next(iter(exchange.markets.values()))
        for name, amount in MONEY.items():
            if chance.strikes(name):
                exchange.pay(account, market.quote, amount, name, now_ns)
        if account.available(market.base.name) >= DUST and chance.strikes("dust"):
            self._sweep_dust(account, market, now_ns)

    def _sweep_dust(self, account: Account, market: Market, now_ns: int) -> None:
        """Turn a little base asset, too little for an order, into quote: two rows, one ref."""
        exchange, ref = self._exchange, make_id(self._exchange.rng, "T")
        worth = rounded(times(exchange.engines[market.symbol].last, DUST), market.quote.decimals)
        exchange.pay(account, market.base, -DUST, "spend", now_ns, ref)
        exchange.pay(account, market.quote, worth, "receive", now_ns, ref)

    # --- rules ---------------------------------------------------------------------------------

    def _change_rules(self, now_ns: int) -> None:
        """Pairs get another tick or quantity step, and the instrument feed says so."""
        for market in self._exchange.markets.values():
            if self._chance.strikes("tick_changed"):
                first = self._ticks[market.symbol]
                others = [first * grid for grid in GRIDS if first * grid != market.tick]
                self.retick(market, self._chance.draws("tick_changed").choice(others), now_ns)
            is_first = market.step == self._steps[market.symbol]
            if is_first and self._chance.strikes("step_changed"):
                market.step *= COARSER
                self._hub.publish_rules(market, now_ns)

    def retick(self, market: Market, tick: int, now_ns: int) -> None:
        """Put a pair's prices on another grid; what rests off it stays."""
        market.tick = tick
        self._exchange.engines[market.symbol].retick(tick)
        if self._flow is not None:
            self._flow.retick(market.symbol, tick)
        self._hub.publish_rules(market, now_ns)

    # --- the venue's end and beginning ---------------------------------------------------------

    def restart(self, now_ns: int, *, is_emptied: bool) -> None:
        """Begin anew: orders and money stay (or the open orders go too), all else is forgotten."""
        self._down_until_ns = now_ns + int(self._chance.faults.restart_s * 1e9)
        self._lose_requests()
        self._tokens.lose_all()
        for connection in list(self._hub.connections.values()):
            self._hub.drop(connection, RESTARTED)
        self._hub.forget()
        for account in self._exchange.accounts.values():
            account.dead_man_ns = 0
            for record in list(account.open.values()) if is_emptied else ():
                self._exchange.cancel(record, RESTART_REASON, now_ns)
        self._hub.publish(now_ns)
