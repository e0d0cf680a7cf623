"""Blocks: what arrives waits for the next, is sorted there, carried out, and then answered."""

from msgspec import Struct

from crosswire.sim.switches import Chance
from crosswire.venues.hyperliquid.simulator.actions import (
    Cancel,
    CancelByCloid,
    L1Action,
    Signed,
    TwapCancel,
    TwapOrder,
    UserAction,
    is_trade,
    orders_of,
    weight,
)
from crosswire.venues.hyperliquid.simulator.affairs import Affairs, is_affair
from crosswire.venues.hyperliquid.simulator.budgets import action_weight, charge
from crosswire.venues.hyperliquid.simulator.callers import Caller, Callers
from crosswire.venues.hyperliquid.simulator.desk import Desk, Payload, default, err
from crosswire.venues.hyperliquid.simulator.gate import EXPIRED, Admitted, Gate, Refused
from crosswire.venues.hyperliquid.simulator.hub import Hub
from crosswire.venues.hyperliquid.simulator.liquidations import Liquidations
from crosswire.venues.hyperliquid.simulator.requests import Log
from crosswire.venues.hyperliquid.simulator.text import SECOND
from crosswire.venues.hyperliquid.simulator.twaps import Twaps

HOUR_NS = 3600 * SECOND
EXPIRED_COSTS = 5
LOST_BEHIND = {"rest": "rest_502_after", "ws": "post_502_after"}


class Pending(Struct):
    """A request that waits for its block."""

    caller: Caller
    admitted: Admitted
    log: Log


def rank(action: L1Action | UserAction) -> int:
    """The place of an action in its block: takers come last, cancels before them."""
    if isinstance(action, Cancel | CancelByCloid):
        return 1
    return 2 if any(wire.tif != "Alo" for wire in orders_of(action)) else 0


class Chain:
    """Makes the blocks."""

    def __init__(
        self,
        hub: Hub,
        gate: Gate,
        desk: Desk,
        affairs: Affairs,
        callers: Callers,
        block_ns: int,
    ) -> None:
        self._hub = hub
        self._exchange = hub.exchange
        self._gate = gate
        self._desk = desk
        self._affairs = affairs
        self._callers = callers
        self._twaps = Twaps(hub.exchange)
        self._liquidations = Liquidations(hub.exchange)
        self._block_ns = block_ns
        self._waiting: list[Pending] = []
        self._next_ns = 0
        self._hour = 0

    @property
    def _chance(self) -> Chance:
        return self._exchange.chance

    # --- arrival -------------------------------------------------------------------------------

    def arrive(self, caller: Caller, signed: Signed, number: int, now_ns: int) -> None:
        """Take a request: it is refused at once, or waits for its block."""
        if caller.transport == "rest":
            self._callers.weight.spend(action_weight(weight(signed.action)), now_ns)
        trades = is_trade(signed.action)
        if trades and self._chance.strikes("cut_before"):
            self._callers.cut(caller, now_ns)
            return
        admitted = self._gate.admit(signed, now_ns)
        name = admitted.account.name if admitted.account is not None else ""
        exchange = self._exchange
        log = Log(
            exchange.ledger, exchange.markets, number, name, caller.transport, signed.action, now_ns
        )
        if isinstance(admitted, Refused):
            if admitted.text == EXPIRED and admitted.account is not None:
                admitted.account.requests_used += EXPIRED_COSTS * weight(signed.action)
            self._callers.answer(caller, log.refuse(admitted.text), now_ns)
            return
        self._waiting.append(Pending(caller, admitted, log))
        self._wake(now_ns)

    def _wake(self, now_ns: int) -> None:
        """Be there for the next block."""
        if not self._next_ns:
            period = self._block_ns
            self._next_ns = (now_ns // period + 1) * period if period else now_ns

    def lose(self, now_ns: int) -> None:
        """What waits for a block never gets there; whoever asked by REST is cut off."""
        waiting, self._waiting = self._waiting, []
        for pending in waiting:
            self._callers.cut(pending.caller, now_ns)

    # --- blocks --------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Make the block that is due."""
        self._by_the_clock(now_ns)
        exchange = self._exchange
        if exchange.touched or exchange.told or exchange.events or exchange.paid:
            self._wake(now_ns)
        if self._next_ns and self._next_ns <= now_ns:
            self._next_ns = 0
            self._block(now_ns)

    def next_due_ns(self) -> list[int]:
        """When `tick` has something to do next."""
        due = [one.schedule_ns for one in self._exchange.accounts.values() if one.schedule_ns]
        due += [self._next_ns] if self._next_ns else []
        due += self._twaps.next_due_ns()
        return [*due, (self._hour + 1) * HOUR_NS] if self._hour else due

    def _by_the_clock(self, now_ns: int) -> None:
        for account in self._exchange.accounts.values():
            if account.schedule_ns and account.schedule_ns <= now_ns:
                self._affairs.fire(account, now_ns)
        self._twaps.tick(now_ns)
        hour = now_ns // HOUR_NS
        if self._hour and hour > self._hour:
            self._affairs.pay_funding(now_ns)
        self._hour = hour

    def _block(self, now_ns: int) -> None:
        waiting, self._waiting = self._waiting, []
        self._wake_triggers(now_ns)
        answers: list[tuple[Pending, Payload]] = []
        for pending in sorted(waiting, key=lambda one: rank(one.admitted.signed.action)):
            self._exchange.next_hash()
            answers.append((pending, self._carry_out(pending, now_ns)))
        self._wake_triggers(now_ns)
        self._liquidations.check(now_ns)
        if answers and self._chance.strikes("events_first"):
            self._hub.publish(now_ns)
        for pending, payload in answers:
            self._answer(pending, payload, now_ns)
        self._hub.publish(now_ns)

    def _wake_triggers(self, now_ns: int) -> None:
        """The mark has moved: those whose trigger it reached wake."""
        exchange = self._exchange
        for coin in list(exchange.touched):
            market = exchange.coins[coin]
            engine = exchange.engine(market)
            exchange.apply(market, engine.move_index(exchange.mark(market), now_ns), now_ns)
        exchange.settle(now_ns)

    def _carry_out(self, pending: Pending, now_ns: int) -> Payload:
        admitted, log = pending.admitted, pending.log
        signed, account = admitted.signed, admitted.account
        log.at_ns = now_ns
        action = signed.action
        if self._exchange.faults.nonce_spent_in_block_is:
            if text := self._gate.nonce_refusal(admitted, now_ns):
                return log.refuse(text)
            self._gate.spend(admitted)
        if self._gate.is_expired(signed, now_ns):
            account.requests_used += EXPIRED_COSTS * weight(action)
            return log.refuse(EXPIRED)
        is_cancel = isinstance(action, Cancel | CancelByCloid)
        if text := charge(account, weight(action), now_ns, is_cancel=is_cancel):
            return log.refuse(text)
        if isinstance(action, TwapOrder | TwapCancel):
            log.whole("")
            return self._twaps.run(account, action, now_ns)
        if is_trade(action):
            return self._desk.run(account, action, log, now_ns)
        assert is_affair(action)
        text = self._affairs.run(account, action, now_ns)
        log.whole(text)
        return err(text) if text else default()

    def _answer(self, pending: Pending, payload: Payload, now_ns: int) -> None:
        """An answer leaves, or meets with a fault."""
        caller, callers, chance = pending.caller, self._callers, self._chance
        if not is_trade(pending.admitted.signed.action):
            callers.answer(caller, payload, now_ns)
        elif chance.strikes("drop_ack"):
            callers.drop(caller)
        elif chance.strikes("cut_after"):
            callers.cut(caller, now_ns)
        elif chance.strikes(LOST_BEHIND[caller.transport]):
            callers.fail(caller, 502, now_ns)
        elif chance.strikes("late_ack"):
            late_ns = now_ns + int(self._exchange.faults.late_s * SECOND)
            callers.later(late_ns, lambda then: callers.answer(caller, payload, then))
        else:
            callers.answer(caller, payload, now_ns)
