"""The private REST calls that trade. Numbers come as text, answers are text again."""

from collections.abc import Callable, Mapping

from crosswire.sim.ledger import Method
from crosswire.venues.kraken.simulator import rules
from crosswire.venues.kraken.simulator.desk import Desk, Request, Target, Verdict
from crosswire.venues.kraken.simulator.exchange import Exchange
from crosswire.venues.kraken.simulator.executions import describe
from crosswire.venues.kraken.simulator.markets import Market, find
from crosswire.venues.kraken.simulator.text import ONE, scaled
from crosswire.venues.kraken.simulator.trading import (
    MAX_BATCH,
    MAX_CANCELS,
    MIN_BATCH,
    amendment,
    armed,
    target_of,
)
from crosswire.venues.kraken.simulator.wishes import (
    ARGUMENTS,
    UnfitError,
    Wish,
    amount,
    client_id,
    from_rest,
    is_true,
    when,
)

Fields = Mapping[str, object]
METHODS: dict[str, Method] = {
    "AddOrder": "place",
    "AddOrderBatch": "place",
    "AmendOrder": "amend",
    "EditOrder": "edit",
    "CancelOrder": "cancel",
    "CancelOrderBatch": "cancel",
    "CancelAll": "cancel_all",
    "CancelAllOrdersAfter": "arm_dead_man",
}
PLACING = frozenset({"AddOrder", "AddOrderBatch"})


class Orders:
    """Carries the trading calls out; a refusal is raised as `UnfitError`, its text the venue's."""

    def __init__(self, exchange: Exchange, desk: Desk) -> None:
        self._exchange = exchange
        self._desk = desk
        self.calls: dict[str, Callable[[Request, Fields], object]] = {
            "AddOrder": self._add,
            "AddOrderBatch": self._add_batch,
            "AmendOrder": self._amend,
            "EditOrder": self._edit,
            "CancelOrder": self._cancel,
            "CancelOrderBatch": self._cancel_batch,
            "CancelAll": self._cancel_all,
            "CancelAllOrdersAfter": self._arm,
        }

    def call(self, name: str, request: Request, fields: Fields) -> object:
        """Answer one call; `UnfitError` where it is refused before or by the desk."""
        if self._exchange.system == "maintenance":
            raise UnfitError(rules.UNAVAILABLE)
        return self.calls[name](request, fields)

    def _market(self, fields: Fields) -> Market:
        market = find(self._exchange.markets, fields.get("pair"))
        if market is None:
            raise UnfitError(f"{ARGUMENTS}:pair" if not fields.get("pair") else UNKNOWN_PAIR)
        return market

    def _add(self, request: Request, fields: Fields) -> object:
        market = self._market(fields)
        wish = from_rest(fields, fields, request.now_ns)
        verdict = self._desk.add(request, wish)
        if verdict.error:
            raise RefusedError(verdict.error)
        return self._placed(verdict, wish, market, is_single=True)

    def _placed(self, verdict: Verdict, wish: Wish, market: Market, *, is_single: bool) -> object:
        record = verdict.record
        if record is None:  # a mere validation
            return {"descr": {"order": _words(wish, market)}}
        txid: object = [record.id] if is_single else record.id
        return {"descr": {"order": describe(record)}, "txid": txid}

    def _add_batch(self, request: Request, fields: Fields) -> object:
        market, orders = self._market(fields), fields.get("orders")
        if not isinstance(orders, list) or not MIN_BATCH <= len(orders) <= MAX_BATCH:
            raise UnfitError(f"{ARGUMENTS}:orders")
        if not all(isinstance(order, dict) for order in orders):
            raise UnfitError(f"{ARGUMENTS}:orders")
        wishes = [from_rest(fields, order, request.now_ns) for order in orders]
        verdicts = self._desk.add_batch(request, wishes)
        return {
            "orders": [
                {"error": verdict.error}
                if verdict.error
                else self._placed(verdict, wish, market, is_single=False)
                for verdict, wish in zip(verdicts, wishes, strict=True)
            ]
        }

    def _amend(self, request: Request, fields: Fields) -> object:
        order_id = str(fields.get("txid") or "")
        cl_ord_id = client_id(fields.get("cl_ord_id") or None)
        if bool(order_id) == bool(cl_ord_id):
            raise UnfitError(f"{ARGUMENTS}:txid")
        verdict = self._desk.amend(request, amendment(fields, order_id, cl_ord_id))
        if verdict.error:
            raise RefusedError(verdict.error)
        return {"amend_id": verdict.amend_id}

    def _edit(self, request: Request, fields: Fields) -> object:
        order_id = str(fields.get("txid") or "")
        if not order_id:
            raise UnfitError(f"{ARGUMENTS}:txid")
        market = self._market(fields)
        changes: dict[str, object] = {"deadline_ns": when(fields, "deadline")}
        for name, field in (("volume", "quantity"), ("price", "price"), ("displayvol", "display")):
            value = amount(fields, name)
            if value is not None:
                changes[field] = value
        if "post" in str(fields.get("oflags") or "").split(","):
            changes["post_only"] = True
        tag = amount(fields, "userref")
        if tag is not None:
            changes["userref"] = tag // ONE
        changes["validate"] = is_true(fields.get("validate"))
        verdict = self._desk.edit(request, order_id, changes)
        if verdict.error:
            raise RefusedError(verdict.error)
        record = verdict.record
        if record is None:
            return {"descr": {"order": "validated"}}
        return {
            "status": "ok",
            "txid": record.id,
            "originaltxid": order_id,
            "volume": market.quantity_text(record.quantity),
            "price": market.price_text(record.price),
            "price2": "0",
            "orders_cancelled": 1,
            "descr": {"order": describe(record)},
        }

    def _cancel(self, request: Request, fields: Fields) -> object:
        txid, cl_ord_id = fields.get("txid"), fields.get("cl_ord_id")
        if cl_ord_id:
            target = Target("cl_ord_id", str(cl_ord_id))
        elif txid:
            target = _id_or_tag(txid)
        else:
            raise UnfitError(f"{ARGUMENTS}:txid")
        error, count = self._desk.cancel(request, target)
        if error:
            raise RefusedError(error)
        return {"count": count}

    def _cancel_batch(self, request: Request, fields: Fields) -> object:
        orders, ids = fields.get("orders") or [], fields.get("cl_ord_ids") or []
        if not isinstance(orders, list) or not isinstance(ids, list):
            raise UnfitError(f"{ARGUMENTS}:orders")
        targets = [_id_or_tag(item) for item in orders]
        targets += [
            Target("cl_ord_id", str(item.get("cl_ord_id", "") if isinstance(item, dict) else item))
            for item in ids
        ]
        if not 1 <= len(targets) <= MAX_CANCELS:
            raise UnfitError(f"{ARGUMENTS}:orders")
        error, count = self._desk.cancel_batch(request, targets)
        if error:
            raise RefusedError(error)
        return {"count": count}

    def _cancel_all(self, request: Request, fields: Fields) -> object:
        return {"count": self._desk.cancel_all(request)}

    def _arm(self, request: Request, fields: Fields) -> object:
        timeout = scaled(fields.get("timeout"))
        if timeout is None or timeout % ONE:
            raise UnfitError(f"{ARGUMENTS}:timeout")
        error = self._desk.arm(request, timeout // ONE)
        if error:
            raise RefusedError(error)
        return armed(request.now_ns, timeout // ONE)


UNKNOWN_PAIR = "EQuery:Unknown asset pair"


class RefusedError(UnfitError):
    """A refusal by the desk, whose ledger rows are written already."""


def _id_or_tag(value: object) -> Target:
    """REST takes an order id or a tag in one field, a number or its text."""
    if isinstance(value, dict):
        value = value.get("txid", "")
    text = str(value)
    if text.lstrip("-").isdecimal() and text.isascii():
        return Target("userref", int(text))
    return target_of(text)


def _words(wish: Wish, market: Market) -> str:
    head = f"{wish.side} {market.quantity_text(wish.quantity)} {market.alt_name} @ "
    kind = wish.order_type.replace("_", " ")
    return head + (f"{kind} {market.price_text(wish.price)}" if wish.price else kind)
