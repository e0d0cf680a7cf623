"""Actions are carried out and answered here, once their signer is known and their block is there.

What is guessed, because nothing public says it: the texts for an asset that is not listed or not
traded, the answer to tpsl groups that are refused, and the place of the checks of a modify.
"""

from msgspec import UNSET, Struct
from msgspec.structs import replace

from crosswire.fixed import SCALE, divide
from crosswire.venues.hyperliquid.simulator import rules
from crosswire.venues.hyperliquid.simulator.accounts import Account, OrderRecord
from crosswire.venues.hyperliquid.simulator.actions import (
    BatchModify,
    Builder,
    Cancel,
    CancelByCloid,
    Limit,
    Modify,
    OrderWire,
    PlaceOrders,
    Terms,
    Trade,
    weight,
)
from crosswire.venues.hyperliquid.simulator.exchange import Exchange, Wish
from crosswire.venues.hyperliquid.simulator.requests import Log
from crosswire.venues.hyperliquid.simulator.rules import Refusal
from crosswire.venues.hyperliquid.simulator.text import scaled, shown

Payload = dict[str, object]
Status = dict[str, object] | str
NEVER_PLACED = "Order was never placed, already canceled, or filled."
DEAD = "Cannot modify canceled or filled order"
INVALID_NEW = "Attempted to modify to invalid new order"
TRIGGERS = "Unexpected number of trigger orders"
OVER_WEIGHT = "Signed action over weight limit of 200."
NOT_APPROVED = "Builder fee has not been approved."
POST_ONLY = "Only post-only orders allowed immediately after a network upgrade"
MOST = 200
TENTH_POINT = SCALE // 100_000  # a tenth of a basis point


def ok(kind: str, statuses: list[Status]) -> Payload:
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": statuses}}}


def default() -> Payload:
    return {"status": "ok", "response": {"type": "default"}}


def err(text: str) -> Payload:
    return {"status": "err", "response": text}


class Came(Struct):
    """What came of one order of a request."""

    record: OrderRecord | None = None
    refusal: Refusal | None = None


class Desk:
    """Carries out what trades."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.post_only_until_ns = 0

    def run(self, account: Account, action: Trade, log: Log, now_ns: int) -> Payload:
        """Carry out an action; its answer."""
        if weight(action) > MOST:
            return log.refuse(OVER_WEIGHT)
        if now_ns < self.post_only_until_ns and not _is_post_only(action):
            return log.refuse(POST_ONLY)
        if isinstance(action, PlaceOrders):
            return self._orders(account, action, log, now_ns)
        if isinstance(action, Cancel | CancelByCloid):
            return self._cancels(account, action, log, now_ns)
        if isinstance(action, BatchModify):
            always = action.a is not UNSET
            statuses = [
                self._modify(account, one.oid, one.order, log, now_ns, always_place=always)
                for one in action.modifies
            ]
            return ok("order", statuses)
        status = self._modify(
            account, action.oid, action.order, log, now_ns, always_place=action.a is not UNSET
        )
        if isinstance(status, dict) and "error" in status:
            return err(str(status["error"]))
        return default()

    # --- placing -------------------------------------------------------------------------------

    def _orders(self, account: Account, action: PlaceOrders, log: Log, now_ns: int) -> Payload:
        rate = builder_rate(account, action.builder) if action.builder else 0
        if rate is None:
            return log.refuse(NOT_APPROVED)
        if action.grouping == "normalTpsl":
            return self._parent_and_children(account, action, rate, log, now_ns)
        if action.grouping == "positionTpsl":
            return self._position_tpsl(account, action, rate, log, now_ns)
        statuses: list[Status] = []
        came: list[Came] = []
        for wire in action.orders:
            one = self._place(account, wire, rate, now_ns)
            log.order(wire, one.record, _why(one, wire))
            came.append(one)
            statuses.append(self._status(one, wire))
        return self._as_batch(came, statuses) or ok("order", statuses)

    def _as_batch(self, came: list[Came], statuses: list[Status]) -> Payload | None:
        """One text for all, where every entry failed the same pre-check."""
        texts = {one.refusal.text for one in came if one.refusal and not one.refusal.status}
        is_same = len(texts) == 1 and all(one.refusal for one in came) and len(came) > 1
        if is_same and self._exchange.chance.strikes("batch_err"):
            return err(texts.pop())
        return None

    def _place(
        self,
        account: Account,
        wire: OrderWire,
        rate: int,
        now_ns: int,
        *,
        is_position: bool = False,
    ) -> Came:
        """Check one order and let it meet the book."""
        exchange = self._exchange
        market = exchange.markets.get(wire.a)
        if market is None or market.is_delisted:
            return Came(refusal=Refusal("Trading is halted." if market else "Invalid asset."))
        refusal = rules.precheck(exchange, market, wire)
        quantity = rules.reducible(account, market, wire) if wire.r else scaled(wire.s)
        if refusal is None:
            refusal = rules.check(exchange, account, market, wire, quantity)
        elif exchange.faults.prechecks_are_told_is:
            exchange.reject(account, Wish(market=market, wire=wire, quantity=0), "rejected", now_ns)
        if refusal is None:
            wish = Wish(
                market=market,
                wire=wire,
                quantity=quantity,
                builder_rate=rate,
                is_position_tpsl=is_position,
            )
            record = exchange.create(account, wish, now_ns)
            exchange.settle(now_ns)
            return self._after(record)
        if refusal.status:
            wish = Wish(market=market, wire=wire, quantity=scaled(wire.s))
            exchange.reject(account, wish, refusal.status, now_ns)
        return Came(refusal=refusal)

    def _after(self, record: OrderRecord) -> Came:
        """An order that met the book may have been refused by it."""
        if record.status == "iocCancelRejected" and not record.filled:
            return Came(record, Refusal(rules.NO_MATCH, record.status))
        return Came(record)

    def _status(self, came: Came, wire: OrderWire) -> Status:
        """The entry of the answer."""
        if came.refusal is not None:
            return {"error": came.refusal.named(wire.a)}
        record = came.record
        assert record is not None
        named: dict[str, object] = {"oid": record.oid}
        if wire.cloid:
            named["cloid"] = wire.cloid
        is_part = record.is_open and bool(record.filled)
        if not record.filled or (is_part and not self._exchange.faults.partial_gtc_is_filled_is):
            return {"resting": named}
        average = shown(divide(record.cost, record.filled))
        return {"filled": {"totalSz": shown(record.filled), "avgPx": average, **named}}

    # --- tpsl ----------------------------------------------------------------------------------

    def _parent_and_children(
        self, account: Account, action: PlaceOrders, rate: int, log: Log, now_ns: int
    ) -> Payload:
        parent, *children = action.orders
        if parent.tif == "" or any(child.tif or not child.r for child in children):
            return self._refuse_all(action, TRIGGERS, log)
        came = self._place(account, parent, rate, now_ns)
        log.order(parent, came.record, _why(came, parent))
        statuses = [self._status(came, parent)]
        for child in children:
            if came.record is None or came.refusal is not None:
                statuses.append(statuses[0])
                log.order(child, None, _why(came, parent))
                continue
            made = self._child(account, came.record, child, now_ns)
            log.order(child, made, "")
            waits = made.status == "waitingForFill"
            statuses.append("waitingForFill" if waits else "waitingForTrigger")
        return ok("order", statuses)

    def _child(
        self, account: Account, parent: OrderRecord, wire: OrderWire, now_ns: int
    ) -> OrderRecord:
        wish = Wish(market=parent.market, wire=wire, quantity=scaled(wire.s), parent=parent)
        made = self._exchange.wait_for_fill(account, wish, now_ns)
        parent.children.append(made)
        if not parent.is_open:
            self._exchange.activate(made, now_ns)
            self._exchange.settle(now_ns)
        return made

    def _position_tpsl(
        self, account: Account, action: PlaceOrders, rate: int, log: Log, now_ns: int
    ) -> Payload:
        """Orders as large as the position, whatever they say."""
        if any(wire.tif or not wire.r for wire in action.orders):
            return self._refuse_all(action, TRIGGERS, log)
        statuses: list[Status] = []
        for wire in action.orders:
            came = self._place(account, wire, rate, now_ns, is_position=True)
            log.order(wire, came.record, _why(came, wire))
            refused = came.refusal is not None
            statuses.append(self._status(came, wire) if refused else "waitingForTrigger")
        return ok("order", statuses)

    def _refuse_all(self, action: PlaceOrders, text: str, log: Log) -> Payload:
        for wire in action.orders:
            log.order(wire, None, text)
        return ok("order", [{"error": text} for _ in action.orders])

    # --- cancelling and modifying --------------------------------------------------------------

    def _cancels(
        self, account: Account, action: Cancel | CancelByCloid, log: Log, now_ns: int
    ) -> Payload:
        statuses: list[Status] = []
        for one in action.cancels:
            asset, oid = one.named
            record = account.find(oid)
            is_there = record is not None and record.is_open and record.market.asset == asset
            text = "" if is_there else NEVER_PLACED
            if is_there and self._exchange.chance.strikes("cancel_refused"):
                text = NEVER_PLACED
            log.cancel(oid, record, text)
            if text or record is None:
                statuses.append({"error": f"{text} asset={asset}"})
                continue
            self._exchange.cancel(record, "canceled", now_ns)
            statuses.append("success")
        return ok("cancel", statuses)

    def _modify(
        self,
        account: Account,
        oid: int | str,
        wire: OrderWire,
        log: Log,
        now_ns: int,
        *,
        always_place: bool,
    ) -> Status:
        """Cancel an order and place another: the second may be refused when the first is gone."""
        exchange = self._exchange
        old = account.find(oid)
        market = exchange.markets.get(wire.a)
        if old is None or not old.is_open:
            log.edit(wire, None, DEAD)
            return {"error": DEAD}
        is_placeable = always_place or wire.tif in {"Alo", "Gtc"}
        if market is not old.market or not is_placeable or rules.precheck(exchange, market, wire):
            log.edit(wire, None, INVALID_NEW)
            return {"error": INVALID_NEW}
        told = len(exchange.told)
        exchange.cancel(old, "canceled", now_ns)
        ended = len(exchange.told)
        forced = wire if always_place else _as_alo(wire)
        came = self._place(account, forced, old.builder_rate, now_ns)
        log.edit(wire, came.record, _why(came, wire))
        if came.refusal is not None:
            if exchange.faults.refused_replacement_is_quiet_is:
                del exchange.told[ended:]
            reason = came.refusal.text.removesuffix(".")
            return {"error": f"Error placing new order during modify: {reason}"}
        if exchange.chance.strikes("modify_open_first"):
            exchange.told.append(exchange.told.pop(told))
        return self._status(came, wire)


def _is_post_only(action: Trade) -> bool:
    """Whether nothing in it could take."""
    if isinstance(action, PlaceOrders):
        return all(wire.tif == "Alo" for wire in action.orders)
    if isinstance(action, BatchModify):
        return all(one.order.tif == "Alo" for one in action.modifies)
    return not isinstance(action, Modify) or action.order.tif == "Alo"


def _as_alo(wire: OrderWire) -> OrderWire:
    """A replacement that would cross is refused: it is post-only, whatever it says."""
    return replace(wire, t=Terms(limit=Limit("Alo")))


def _why(came: Came, wire: OrderWire) -> str:
    return came.refusal.named(wire.a) if came.refusal is not None else ""


def builder_rate(account: Account, builder: Builder) -> int | None:
    """Return a builder's fee as a fraction, None if the account has not approved it."""
    if account.builders.get(builder.b, -1) < builder.f:
        return None
    return builder.f * TENTH_POINT
