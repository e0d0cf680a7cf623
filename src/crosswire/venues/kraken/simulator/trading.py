"""Trading by WebSocket: the requests of the private socket and their answers."""

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from crosswire.sim.ledger import Method
from crosswire.venues.kraken.simulator import rules, schema
from crosswire.venues.kraken.simulator.access import Tokens
from crosswire.venues.kraken.simulator.accounts import OrderRecord
from crosswire.venues.kraken.simulator.connections import Connection
from crosswire.venues.kraken.simulator.desk import Amendment, Desk, Request, Target, Verdict
from crosswire.venues.kraken.simulator.hub import Hub
from crosswire.venues.kraken.simulator.subscriptions import NO_PRIVATE
from crosswire.venues.kraken.simulator.text import (
    SECOND,
    failure,
    stamp,
    stamp_seconds,
    success,
)
from crosswire.venues.kraken.simulator.wishes import (
    ARGUMENTS,
    UnfitError,
    amount,
    client_id,
    from_ws,
    when,
)

Message = dict[str, object]
Params = Mapping[str, object]
Later = Callable[[int, Callable[[int], None]], None]

METHODS: dict[str, Method] = {
    "add_order": "place",
    "batch_add": "place",
    "amend_order": "amend",
    "edit_order": "edit",
    "cancel_order": "cancel",
    "batch_cancel": "cancel",
    "cancel_all": "cancel_all",
    "cancel_all_orders_after": "arm_dead_man",
}
EDITABLE = (("order_qty", "quantity"), ("limit_price", "price"), ("display_qty", "display"))
PLACING = frozenset({"add_order", "batch_add"})
BUSY = "EService:Busy"
ENGINE_NS = 150_000  # between the two time stamps of an answer
MIN_BATCH, MAX_BATCH, MAX_CANCELS = 2, 15, 50


class Asked(Struct, frozen=True):
    """One request as it arrived on a socket."""

    method: str
    params: Params
    req_id: object
    request: Request


class Trading:
    """Answers the trading requests of private connections."""

    def __init__(self, hub: Hub, desk: Desk, tokens: Tokens, later: Later) -> None:
        self._hub = hub
        self._desk = desk
        self._tokens = tokens
        self._later = later
        self._chance = hub.exchange.chance
        self._answers: dict[str, Callable[[Asked], list[Message]]] = {
            "add_order": self._add,
            "batch_add": self._batch_add,
            "amend_order": self._amend,
            "edit_order": self._edit,
            "cancel_order": self._cancel,
            "batch_cancel": self._batch_cancel,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._arm,
        }

    def ask(
        self, connection: Connection, method: str, params: Params, req_id: object, now_ns: int
    ) -> None:
        """Take one request; its answers, and what it makes happen, leave by the hub."""
        error, account = "" if connection.is_private else NO_PRIVATE, ""
        if not error:
            token = params.get("token")
            account, bad_token = self._tokens.check(token, connection.number, now_ns)
            error = schema.refusal(method, params) or bad_token
        if not error and self._chance.strikes("token_revoked"):
            self._tokens.revoke(account)
            _, error = self._tokens.check(params.get("token"), connection.number, now_ns)
        if error:
            if account:
                self._note_refused(account, method, params, error, now_ns)
            message = failure(method, req_id, error, now_ns, now_ns + 35_000)
            self._hub.tell(connection, message, now_ns)
            return
        n = self._hub.exchange.ledger.arrive()
        request = Request(n, self._hub.exchange.accounts[account], "ws", now_ns, now_ns)
        self._go(connection, Asked(method, params, req_id, request), now_ns)

    def _note_refused(
        self, account: str, method: str, params: Params, error: str, now_ns: int
    ) -> None:
        """Write the rows of a request that was refused at the door."""
        exchange = self._hub.exchange
        n = exchange.ledger.arrive()
        request = Request(n, exchange.accounts[account], "ws", now_ns, now_ns)
        self._desk.note_unread(request, METHODS[method], named(params), "refused", error)

    def _go(self, connection: Connection, asked: Asked, now_ns: int) -> None:
        """Carry it out, or let a fault have its way."""
        if self._chance.strikes("cut_before"):
            self._drop(asked, "cut")
            self._hub.drop(connection)
        elif self._chance.strikes("busy_before"):
            self._drop(asked, BUSY)
            self._hub.tell(connection, self._refused(asked, BUSY, now_ns), now_ns)
        elif asked.method in PLACING and self._chance.strikes("place_late"):
            at_ns = now_ns + self._chance.faults.late_ns
            self._later(at_ns, lambda then_ns: self._execute(connection, asked, then_ns))
        elif self._chance.strikes("held_up"):
            at_ns = now_ns + self._chance.faults.held_up_ns
            self._later(at_ns, lambda then_ns: self._execute(connection, asked, then_ns))
        else:
            self._execute(connection, asked, now_ns)

    def _drop(self, asked: Asked, reason: str) -> None:
        self._desk.note_unread(
            asked.request, METHODS[asked.method], named(asked.params), "dropped", reason
        )

    def _execute(self, connection: Connection, asked: Asked, now_ns: int) -> None:
        asked = replace(asked, request=replace(asked.request, now_ns=now_ns))
        messages = self._answer(asked)
        for message in messages:
            message["time_in"] = stamp(asked.request.arrived_ns)
        is_cut = self._chance.strikes("cut_after")
        if is_cut or self._chance.strikes("drop_ack"):
            messages = []
        elif self._chance.strikes("busy_after"):
            messages = [self._refused(asked, BUSY, now_ns)]
        if is_cut:
            self._hub.drop(connection)
        if self._chance.strikes("events_first"):
            self._hub.publish(now_ns)
        if connection.number in self._hub.connections:
            for message in messages:
                self._hub.tell(connection, message, now_ns)
        self._hub.publish(now_ns)

    def _answer(self, asked: Asked) -> list[Message]:
        if self._hub.exchange.system == "maintenance":
            return self._refuse(asked, rules.UNAVAILABLE)
        try:
            return self._answers[asked.method](asked)
        except UnfitError as error:
            return self._refuse(asked, str(error))

    def _refuse(self, asked: Asked, error: str) -> list[Message]:
        """Refuse a request that never reached the desk."""
        self._desk.note_unread(
            asked.request, METHODS[asked.method], named(asked.params), "refused", error
        )
        return [self._refused(asked, error, asked.request.now_ns)]

    def _refused(self, asked: Asked, error: str, now_ns: int) -> Message:
        return failure(asked.method, asked.req_id, error, now_ns, now_ns + ENGINE_NS)

    def _done(self, asked: Asked, result: object) -> Message:
        now_ns = asked.request.now_ns
        return success(asked.method, asked.req_id, result, now_ns, now_ns + ENGINE_NS)

    # --- one method each -----------------------------------------------------------------------

    def _add(self, asked: Asked) -> list[Message]:
        wish = from_ws(asked.params, asked.params)
        verdict = self._desk.add(asked.request, wish)
        if verdict.error:
            return [self._refused(asked, verdict.error, asked.request.now_ns)]
        return [self._done(asked, _placed(verdict.record))]

    def _batch_add(self, asked: Asked) -> list[Message]:
        orders = asked.params.get("orders")
        if not isinstance(orders, list) or not MIN_BATCH <= len(orders) <= MAX_BATCH:
            raise UnfitError(f"{ARGUMENTS}:orders")
        wishes = [from_ws(asked.params, order) for order in orders]
        verdicts = self._desk.add_batch(asked.request, wishes)
        message = self._done(asked, [_batched(verdict) for verdict in verdicts])
        message["success"] = any(not verdict.error for verdict in verdicts)
        return [message]

    def _amend(self, asked: Asked) -> list[Message]:
        params = asked.params
        order_id, cl_ord_id = str(params.get("order_id", "")), client_id(params.get("cl_ord_id"))
        if bool(order_id) == bool(cl_ord_id):
            raise UnfitError(f"{ARGUMENTS}:order_id")
        verdict = self._desk.amend(asked.request, amendment(params, order_id, cl_ord_id))
        if verdict.error:
            return [self._refused(asked, verdict.error, asked.request.now_ns)]
        used = {"order_id": order_id} if order_id else {"cl_ord_id": cl_ord_id}
        return [self._done(asked, {"amend_id": verdict.amend_id, **used})]

    def _edit(self, asked: Asked) -> list[Message]:
        params = asked.params
        order_id, symbol = str(params.get("order_id", "")), params.get("symbol")
        if not order_id or symbol not in self._hub.exchange.markets:
            raise UnfitError(f"{ARGUMENTS}:{'symbol' if order_id else 'order_id'}")
        changes: dict[str, object] = {}
        for name, field in EDITABLE:
            value = amount(params, name)
            if value is not None:
                changes[field] = value
        for name in ("post_only", "reduce_only", "validate"):
            if name in params:
                changes[name] = params[name]
        if "order_userref" in params:
            changes["userref"] = params["order_userref"]
        changes["deadline_ns"] = when(params, "deadline")
        verdict = self._desk.edit(asked.request, order_id, changes)
        if verdict.error:
            return [self._refused(asked, verdict.error, asked.request.now_ns)]
        new = verdict.record.id if verdict.record is not None else ""
        return [self._done(asked, {"order_id": new, "original_order_id": order_id})]

    def _cancel(self, asked: Asked) -> list[Message]:
        """One answer per identifier, all with the same req_id."""
        messages = []
        for name, target in cancel_targets(asked.params):
            error, _ = self._desk.cancel(asked.request, target)
            if error:
                messages.append(self._refused(asked, error, asked.request.now_ns))
            else:
                messages.append(self._done(asked, {name: target.value}))
        if not messages:
            raise UnfitError(f"{ARGUMENTS}:order_id")
        return messages

    def _batch_cancel(self, asked: Asked) -> list[Message]:
        params = asked.params
        orders, ids = params.get("orders", []), params.get("cl_ord_id", [])
        assert isinstance(orders, list)
        assert isinstance(ids, list)
        targets = [target_of(value) for value in orders]
        targets += [Target("cl_ord_id", str(value)) for value in ids]
        if not MIN_BATCH <= len(targets) <= MAX_CANCELS:
            raise UnfitError(f"{ARGUMENTS}:orders")
        error, count = self._desk.cancel_batch(asked.request, targets)
        if error:
            return [self._refused(asked, error, asked.request.now_ns)]
        message = self._done(asked, {"count": count})
        if self._chance.strikes("batch_cancel_old"):
            del message["result"]
            message["orders_cancelled"] = count
        return [message]

    def _cancel_all(self, asked: Asked) -> list[Message]:
        return [self._done(asked, {"count": self._desk.cancel_all(asked.request)})]

    def _arm(self, asked: Asked) -> list[Message]:
        timeout = asked.params.get("timeout")
        if not isinstance(timeout, int):
            raise UnfitError(f"{ARGUMENTS}:timeout")
        error = self._desk.arm(asked.request, timeout)
        if error:
            return [self._refused(asked, error, asked.request.now_ns)]
        return [self._done(asked, armed(asked.request.now_ns, timeout))]


def armed(now_ns: int, timeout_s: int) -> Message:
    """The dead-man's answer, the same by both transports."""
    trigger = stamp_seconds(now_ns + timeout_s * SECOND) if timeout_s else "0"
    return {"currentTime": stamp_seconds(now_ns), "triggerTime": trigger}


def amendment(params: Params, order_id: str, cl_ord_id: str) -> Amendment:
    """Read an amend; both transports name its fields alike."""
    return Amendment(
        order_id=order_id,
        cl_ord_id=cl_ord_id,
        quantity=amount(params, "order_qty"),
        price=amount(params, "limit_price"),
        display=amount(params, "display_qty"),
        trigger_price=amount(params, "trigger_price"),
        post_only=str(params.get("post_only", "")).lower() == "true",
        deadline_ns=when(params, "deadline"),
    )


def cancel_targets(params: Params) -> list[tuple[str, Target]]:
    """The identifiers of a cancel, in the order asked, with the key each is echoed under."""
    found: list[tuple[str, Target]] = []
    for name, value in _listed(params, "order_id"):
        found.append((name, Target("order_id", str(value))))
    for name, value in _listed(params, "cl_ord_id"):
        found.append((name, Target("cl_ord_id", str(value))))
    for name, value in _listed(params, "order_userref"):
        found.append((name, Target("userref", value if isinstance(value, int) else 0)))
    return found


def _listed(params: Params, name: str) -> list[tuple[str, object]]:
    values = params.get(name, [])
    return [(name, value) for value in values] if isinstance(values, list) else []


def named(params: Params) -> list[str]:
    """The client's ids in a request of any shape, by either transport."""
    found: list[str] = []
    for name in ("cl_ord_id", "cl_ord_ids", "orders"):
        value = params.get(name)
        for item in value if isinstance(value, list) else [value]:
            one = item.get("cl_ord_id") if isinstance(item, dict) else item
            if (isinstance(one, str) and name != "orders") or isinstance(item, dict):
                found.append(str(one or ""))
    return found


def target_of(value: object) -> Target:
    """An id or a tag, told apart by their kind."""
    if isinstance(value, int):
        return Target("userref", value)
    return Target("order_id", str(value))


def _placed(record: OrderRecord | None) -> Message:
    if record is None:  # a mere validation
        return {"order_id": ""}
    found: Message = {"order_id": record.id}
    if record.wish.cl_ord_id:
        found["cl_ord_id"] = record.wish.cl_ord_id
    if record.wish.userref is not None:
        found["order_userref"] = record.wish.userref
    return found


def _batched(verdict: Verdict) -> Message:
    return {"error": verdict.error} if verdict.error else _placed(verdict.record)
