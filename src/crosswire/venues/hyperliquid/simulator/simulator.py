"""A Hyperliquid that behaves like Hyperliquid, without I/O: frames and requests in and out.

What is simplified: all dexs draw on one collateral, and dollars lie in two wallets, perps and
spot; the mark and the oracle are the middle of the book; maintenance is half the initial margin
at the highest leverage; everybody comes from one IP; an order in a sweep that closes a position
may meet a reduce-only order of the same account in the same sweep; states (not orders and fills)
are always of now, whatever the look-ups' lag.

What is guessed stands at the head of `desk`, `affairs` and in the readings of `faults`.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from random import Random

from msgspec import Struct, field

from crosswire.domain import Side
from crosswire.fixed import text
from crosswire.sim.flow import Flow
from crosswire.sim.ledger import Ledger
from crosswire.sim.life import Life
from crosswire.sim.recording import RecordedEvent, Recording
from crosswire.sim.switches import Chance, from_mapping
from crosswire.venues.hyperliquid.simulator import actions
from crosswire.venues.hyperliquid.simulator.accounts import Account, Agent
from crosswire.venues.hyperliquid.simulator.affairs import Affairs
from crosswire.venues.hyperliquid.simulator.callers import Caller, Callers
from crosswire.venues.hyperliquid.simulator.chain import Chain
from crosswire.venues.hyperliquid.simulator.channels import parse
from crosswire.venues.hyperliquid.simulator.desk import Desk
from crosswire.venues.hyperliquid.simulator.exchange import Exchange, Wish
from crosswire.venues.hyperliquid.simulator.faults import CAMPAIGN, READINGS, Faults
from crosswire.venues.hyperliquid.simulator.gate import Gate
from crosswire.venues.hyperliquid.simulator.hub import Connection, Hub
from crosswire.venues.hyperliquid.simulator.info import Info
from crosswire.venues.hyperliquid.simulator.markets import Market, default_markets
from crosswire.venues.hyperliquid.simulator.misfortunes import Misfortunes
from crosswire.venues.hyperliquid.simulator.tape import Tape
from crosswire.venues.hyperliquid.simulator.text import SECOND, decode, scaled
from crosswire.venues.interface import HttpRequest, SimOutput

BLOCK_NS = 100_000_000
UNPARSED = "Error parsing JSON into valid websocket request: "
TOO_FAST = "Cannot send more than 2000 messages per minute."


class SimAccount(Struct, frozen=True, kw_only=True):
    """An address with money on it."""

    address: str
    balances: Mapping[str, str]  # USDC (perps), spot:USDC, other tokens -> plain decimal text
    agents: Mapping[str, str] = field(default_factory=dict)  # API wallets: address -> name
    master: str = ""  # the address that signs for it: it is a sub-account then
    volume: str = "0"  # traded in its life: decides fees, budget and the dead-man switch


class HyperliquidSimulator:
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
        block_ns: int = BLOCK_NS,
        is_mainnet: bool = False,
        duplicate_cloid: str = "",
    ) -> None:
        """`accounts` by name; `recordings` by market. `block_ns` 0: every action is a block.

        `duplicate_cloid`: the text for a cloid that rests already, where that is refused.
        """
        self.outbox: list[SimOutput] = []
        self._ledger = Ledger("hyperliquid", seed, _starting(accounts))
        self._chance = Chance(Random(seed).getrandbits(64))
        markets = default_markets() if instruments is None else instruments
        exchange = self.exchange = Exchange(markets, self._ledger, self._chance)
        exchange.duplicate_cloid = duplicate_cloid or exchange.duplicate_cloid
        self._tapes = {market.coin: Tape(market) for market in markets}
        self.gate = Gate(exchange, is_mainnet=is_mainnet)
        for name, held in accounts.items():
            self._add(name, held)
        self.hub = Hub(exchange, self._tapes, self._put)
        self.desk = Desk(exchange)
        self.affairs = Affairs(exchange, self.gate)
        self._callers = Callers(self.hub, self._put, self._later)
        self.chain = Chain(self.hub, self.gate, self.desk, self.affairs, self._callers, block_ns)
        self._info = Info(exchange, self.gate, self._tapes)
        self._misfortunes = Misfortunes(
            self.hub, self.gate, self.desk, self.affairs, self._lose_delayed
        )
        engines = exchange.engines
        self._life = Life(engines, flow=flow, recordings=recordings)
        self._delayed: list[tuple[int, int, Callable[[int], None]]] = []
        self._delayed_count = 0
        self._pulse_ns = start_ns + SECOND
        self.change_faults(faults or Faults())

    def _put(self, output: SimOutput) -> None:
        self.outbox.append(output)  # looked up each time: the host may swap the list

    def _add(self, name: str, held: SimAccount) -> None:
        volume = scaled(held.volume)
        address, master = held.address.lower(), held.master.lower()
        self.exchange.add(Account(name, address, master=master, volume=volume))
        for agent, label in held.agents.items():
            self.gate.agents[agent.lower()] = Agent(agent.lower(), address, label)

    # --- the Simulator interface ---------------------------------------------------------------

    def opened(self, connection: int, path: str, now_ns: int) -> None:
        """A socket is open."""
        self.hub.opened(connection, now_ns)
        held = self.hub.connections.get(connection)
        if held is not None and self._misfortunes.is_down(now_ns):
            self.hub.drop(held)

    def received(self, connection: int, payload: bytes, now_ns: int) -> None:
        """A text frame arrived."""
        held = self.hub.connections.get(connection)
        if held is None:
            if self.hub.was_cut(connection, now_ns) and self._chance.strikes("read_after_cut"):
                self._unheard(connection, payload, now_ns)
            return
        if held.is_half_open:
            return
        if not self.hub.messages.has_room(now_ns):
            self.hub.complain(held, TOO_FAST, now_ns)
            return
        self.hub.messages.spend(1, now_ns)
        self._answer(held, payload, now_ns)
        self._after(now_ns)

    def closed(self, connection: int, now_ns: int) -> None:
        """The client hung up, or its host says the socket is gone."""
        self.hub.connections.pop(connection, None)
        self.hub.cut_ns[connection] = now_ns
        self._callers.forget(connection)

    def asked(self, key: int, request: HttpRequest, now_ns: int) -> None:
        """An HTTP request arrived."""
        path = request.path.partition("?")[0]
        caller = Caller("rest", key)
        if self._misfortunes.is_down(now_ns):
            self._callers.page(caller, 502, now_ns)
        elif request.method != "POST" or path not in {"/info", "/exchange"}:
            self._callers.page(caller, 404, now_ns)
        elif self._callers.is_let_in(caller, now_ns):
            self._ask(caller, path[1:], decode(request.body), now_ns)
        self._after(now_ns)

    def tick(self, now_ns: int) -> None:
        """Time passed."""
        while self._delayed and self._delayed[0][0] <= now_ns:
            heapq.heappop(self._delayed)[2](now_ns)
        for name, outcomes in self._life.tick(now_ns):
            self.exchange.next_hash()
            market = self.exchange.names[name]
            self.exchange.touched.add(market.coin)
            self.exchange.apply(market, outcomes, now_ns)
            self.exchange.settle(now_ns)
        self.chain.tick(now_ns)
        self.hub.tick(now_ns)
        if self._pulse_ns <= now_ns:
            self._pulse_ns = now_ns + SECOND
            self._misfortunes.strike(now_ns)
            self._after(now_ns)

    def next_due_ns(self) -> int | None:
        """When `tick` has something to do next."""
        due = [self._pulse_ns, *self.hub.next_due_ns(), *self.chain.next_due_ns()]
        due += [self._delayed[0][0]] if self._delayed else []
        life_ns = self._life.next_due_ns()
        return min(due if life_ns is None else [life_ns, *due])

    def ledger(self) -> Mapping[str, object]:
        """Everything it saw and did."""
        self._ledger.faults = dict(self._chance.counts)
        return self._ledger.plain()

    # --- for worlds, tests and operators -------------------------------------------------------

    @property
    def live_ledger(self) -> Ledger:
        """The rows themselves, to be looked at after every step and never changed."""
        return self._ledger

    @property
    def fault_counts(self) -> Mapping[str, int]:
        """How often each fault has struck."""
        return self._chance.counts

    @property
    def fault_menu(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """What a campaign may switch on: faults with the most of each, and open readings."""
        return CAMPAIGN, READINGS

    def set_faults(self, faults: Mapping[str, float]) -> None:
        """Change what goes wrong from now on; the counts go on. `ValueError` as at the start."""
        self.change_faults(from_mapping(Faults(), faults))

    def change_faults(self, faults: Faults) -> None:
        self.exchange.faults = faults
        self._chance.draw_by(faults)

    def trade_elsewhere(
        self, account: str, symbol: str, side: Side, quantity: int, price: int, now_ns: int
    ) -> str:
        """Someone places a limit order in the account by other means; returns the venue's id."""
        market = self.exchange.names[symbol]
        wire = actions.OrderWire(
            a=market.asset,
            b=side == "buy",
            p=text(price),
            s=text(quantity),
            r=False,
            t=actions.Terms(limit=actions.Limit("Gtc")),
        )
        self.exchange.next_hash()
        wish = Wish(market=market, wire=wire, quantity=quantity)
        record = self.exchange.create(self.exchange.accounts[account], wish, now_ns)
        self.exchange.settle(now_ns)
        self.hub.publish(now_ns)
        return record.id

    def deposit(self, account: str, asset: str, amount: str, now_ns: int) -> None:
        """Pay into an account (out of it, if negative)."""
        self.affairs.pay(self.exchange.accounts[account], asset, scaled(amount), now_ns)
        self.hub.publish(now_ns)

    def trim(self, before_ns: int) -> None:
        """Forget what ended before a moment, in the ledger too, for runs that last for days."""
        self.exchange.trim(before_ns)

    def mirror(self, event: RecordedEvent, now_ns: int) -> None:
        """Take over what a real book did: our clients' orders meet it. Unlisted ones are left."""
        name = event.instrument.partition(":")[2]
        if name in self.exchange.names:
            _, outcomes = self._life.mirror(name, event, now_ns)
            market = self.exchange.names[name]
            self.exchange.touched.add(market.coin)
            self.exchange.apply(market, outcomes, now_ns)
            self.exchange.settle(now_ns)
            self._after(now_ns)

    # --- frames --------------------------------------------------------------------------------

    def _answer(self, held: Connection, payload: bytes, now_ns: int) -> None:
        message = decode(payload)
        method = message.get("method") if isinstance(message, dict) else None
        if not isinstance(message, dict):
            self._unparsed(held, payload, now_ns)
        elif method == "ping":
            self.hub.tell(held, {"channel": "pong"}, now_ns)
        elif method in {"subscribe", "unsubscribe"}:
            self._subscription(held, payload, message, now_ns)
        elif method == "post":
            self._post(held, payload, message, now_ns)
        else:
            self._unparsed(held, payload, now_ns)

    def _unparsed(self, held: Connection, payload: bytes, now_ns: int) -> None:
        self.hub.complain(held, UNPARSED + payload.decode(errors="replace"), now_ns)

    def _subscription(
        self, held: Connection, payload: bytes, message: Mapping[str, object], now_ns: int
    ) -> None:
        asked = message.get("subscription")
        if not isinstance(asked, dict) or not isinstance(asked.get("type"), str):
            self._unparsed(held, payload, now_ns)
            return
        found = parse(self.exchange, asked)
        if found is None:
            echo = payload.decode(errors="replace").partition('"subscription":')[2]
            echo = echo.strip().removesuffix("}").strip()
            self.hub.complain(held, f"Invalid subscription {echo}", now_ns)
        elif message["method"] == "subscribe":
            self.hub.subscribe(held, found, now_ns)
        else:
            self.hub.unsubscribe(held, found, now_ns)

    def _post(
        self, held: Connection, payload: bytes, message: Mapping[str, object], now_ns: int
    ) -> None:
        number, request = message.get("id"), message.get("request")
        kind = request.get("type") if isinstance(request, dict) else None
        is_id = isinstance(number, int) and not isinstance(number, bool) and number >= 0
        if not isinstance(request, dict) or not is_id or kind not in {"info", "action"}:
            self._unparsed(held, payload, now_ns)
            return
        assert isinstance(number, int)
        caller = Caller("ws", held.number, number, payload)
        if self._callers.is_let_in(caller, now_ns):
            self._ask(caller, str(kind), request.get("payload"), now_ns)

    def _unheard(self, connection: int, payload: bytes, now_ns: int) -> None:
        """A frame of a connection that was cut is carried out; nobody hears of it."""
        message = decode(payload)
        request = message.get("request") if isinstance(message, dict) else None
        if isinstance(request, dict) and request.get("type") == "action":
            caller = Caller("ws", connection, 0, payload)
            self._ask(caller, "action", request.get("payload"), now_ns)
            self._after(now_ns)

    def _ask(self, caller: Caller, kind: str, body: object, now_ns: int) -> None:
        if kind == "info":
            self._callers.info(caller, body, self._info, now_ns)
        else:
            self._act(caller, body, now_ns)

    def _act(self, caller: Caller, body: object, now_ns: int) -> None:
        signed = actions.parse(body)
        if signed is None:
            self._callers.unfit(caller, now_ns)
            return
        number = self._ledger.arrive()
        if self.exchange.chance.strikes("place_late") and actions.is_trade(signed.action):
            late_ns = now_ns + int(self.exchange.faults.late_s * SECOND)
            self._later(late_ns, lambda then: self._arrive(caller, signed, number, then))
            return
        self._arrive(caller, signed, number, now_ns)

    def _arrive(self, caller: Caller, signed: actions.Signed, number: int, now_ns: int) -> None:
        self.chain.arrive(caller, signed, number, now_ns)
        self._after(now_ns)

    def _after(self, now_ns: int) -> None:
        """Without a block clock everything happens at once."""
        self.chain.tick(now_ns)

    # --- time ----------------------------------------------------------------------------------

    def _later(self, at_ns: int, act: Callable[[int], None]) -> None:
        self._delayed_count += 1
        heapq.heappush(self._delayed, (at_ns, self._delayed_count, act))

    def _lose_delayed(self, now_ns: int) -> None:
        self._delayed.clear()
        self.chain.lose(now_ns)


def _starting(accounts: Mapping[str, SimAccount]) -> dict[str, dict[str, int]]:
    """The starting balances by account; `ValueError` names an amount that is none."""
    found: dict[str, dict[str, int]] = {}
    for name, account in accounts.items():
        held = found[name] = {}
        for asset, amount in account.balances.items():
            try:
                held[asset] = scaled(amount)
            except ValueError:
                raise ValueError(f'balance of {asset}: "{amount}" is not a number') from None
    return found
