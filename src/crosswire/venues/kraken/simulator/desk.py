"""The trading desk: add, amend, edit, cancel, for both transports.

Every request writes its rows into the ledger, one per order it names. A refusal is a text; ""
means done.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from crosswire.domain import Transport
from crosswire.sim.ledger import Method, RequestOutcome
from crosswire.sim.matching import AmendRefused
from crosswire.venues.kraken.simulator import executions, rules
from crosswire.venues.kraken.simulator.accounts import Account, OrderRecord, hold, spend
from crosswire.venues.kraken.simulator.exchange import REASONS, REPLACED, Exchange
from crosswire.venues.kraken.simulator.limits import (
    AMEND_AGES,
    CANCEL_AGES,
    EDIT_AGES,
    EXCEEDED,
    penalty,
)
from crosswire.venues.kraken.simulator.markets import Market, find
from crosswire.venues.kraken.simulator.text import SECOND
from crosswire.venues.kraken.simulator.wishes import ARGUMENTS, Wish, same_id

UNKNOWN_PAIR = "EQuery:Unknown asset pair"
UNKNOWN_ORDER = "EOrder:Unknown order"
INVALID_ORDER = "EOrder:Invalid order"
NOTHING = f"{ARGUMENTS}:No amendable parameters"
MAX_TIMEOUT_S = 86_400
Kind = Literal["order_id", "cl_ord_id", "userref"]


class Request(Struct, frozen=True):
    """One copy of a request that arrived."""

    n: int
    account: Account
    transport: Transport
    arrived_ns: int
    now_ns: int  # when it reaches the engine

    @property
    def is_rest(self) -> bool:
        return self.transport == "rest"


class Verdict(Struct, frozen=True):
    """What became of one order of a request; neither part is set by a mere validation."""

    error: str = ""
    record: OrderRecord | None = None
    amend_id: str = ""


class Amendment(Struct, frozen=True, kw_only=True):
    """What an amend asks for; None stays."""

    order_id: str = ""
    cl_ord_id: str = ""
    quantity: int | None = None
    price: int | None = None
    display: int | None = None
    trigger_price: int | None = None
    post_only: bool = False
    deadline_ns: int = 0


class Target(Struct, frozen=True):
    """One order (or all orders of one tag) named in a cancel."""

    kind: Kind
    value: str | int


class Desk:
    """Takes the trading requests of all clients."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def _note(
        self,
        request: Request,
        method: Method,
        error: str,
        *,
        wish: Wish | None = None,
        record: OrderRecord | None = None,
        cl_ord_id: str = "",
    ) -> None:
        """Write the ledger's row of one order of a request."""
        if record is not None:
            wish = wish or record.wish
        self._exchange.ledger.note_request(
            request.n,
            request.now_ns,
            account=request.account.name,
            transport=request.transport,
            method=method,
            outcome="refused" if error else "accepted",
            client_order_id=wish.cl_ord_id if wish is not None else cl_ord_id,
            instrument=wish.symbol if wish is not None else "",
            side=wish.side if wish is not None else "",
            quantity=wish.quantity if wish is not None else None,
            price=wish.price if wish is not None else None,
            venue_order_id=record.id if record is not None else "",
            reason=error,
        )

    def note_unread(
        self,
        request: Request,
        method: Method,
        cl_ord_ids: Sequence[str],
        outcome: RequestOutcome,
        reason: str,
    ) -> None:
        """Write the rows of a request that never reached the desk: unreadable, or eaten."""
        for cl_ord_id in cl_ord_ids or [""]:
            self._exchange.ledger.note_request(
                request.n,
                request.arrived_ns,
                account=request.account.name,
                transport=request.transport,
                method=method,
                outcome=outcome,
                client_order_id=cl_ord_id,
                reason=reason,
            )

    # --- new orders ----------------------------------------------------------------------------

    def add(self, request: Request, wish: Wish) -> Verdict:
        """Place one order."""
        verdict = self._add(request, wish, cost=1.0)
        self._note(request, "place", verdict.error, wish=wish, record=verdict.record)
        return verdict

    def add_batch(self, request: Request, wishes: Sequence[Wish]) -> list[Verdict]:
        """Place several orders of one pair; each has its own verdict."""
        verdicts = []
        for wish in wishes:
            verdicts.append(self._add(request, wish, cost=0.5))
            last = verdicts[-1]
            self._note(request, "place", last.error, wish=wish, record=last.record)
        return verdicts

    def _add(self, request: Request, wish: Wish, *, cost: float) -> Verdict:
        exchange, account, now_ns = self._exchange, request.account, request.now_ns
        market = find(exchange.markets, wish.symbol)
        if market is None:
            return Verdict(UNKNOWN_PAIR)
        wish.symbol = market.symbol
        if not account.counter.spend(market.symbol, cost, now_ns):
            return Verdict(EXCEEDED)
        is_last = exchange.chance.faults.deadline_checked_last_is
        error = self._whim(is_cancel=False) or (
            "" if is_last else self._late(request, wish, market)
        )
        error = error or self.refusal(wish, market, account, now_ns)
        if is_last:
            error = error or self._late(request, wish, market)
        if error or wish.validate:
            return Verdict(error)
        is_past_bound = 0 < wish.deadline_ns <= now_ns
        record = exchange.create(account, market, wish, now_ns, is_past_bound=is_past_bound)
        return Verdict(record=record)

    def _whim(self, *, is_cancel: bool) -> str:
        """Refuse for a moment's reason what is right in itself."""
        chance = self._exchange.chance
        if chance.strikes("unavailable"):
            return rules.UNAVAILABLE
        if not is_cancel and chance.strikes("rate_refused"):
            return EXCEEDED
        if not is_cancel and chance.strikes("throttled"):
            return f"EService:Throttled: {self._exchange.now_ns // SECOND}"
        return ""

    def _late(self, request: Request, wish: Wish, market: Market) -> str:
        error = _deadline(wish.deadline_ns, request)
        exchange = self._exchange
        if error != rules.ELAPSED or not exchange.chance.faults.deadline_guards_matching_only_is:
            return error
        engine = exchange.engines[market.symbol]
        is_passive = wish.price is not None and not engine.would_take(wish.side, wish.price)
        return "" if is_passive else error

    def refusal(self, wish: Wish, market: Market, account: Account, now_ns: int) -> str:
        """Everything an order is checked for besides its deadline and the counter."""
        exchange = self._exchange
        engine = exchange.engines[market.symbol]
        error = (
            rules.market_open(
                exchange.system,
                market,
                is_post_only=wish.post_only,
                is_market=wish.price is None,
            )
            or rules.form(wish, market, now_ns)
            or rules.offsets(wish, engine)
            or self._spent(wish, account)
            or rules.standing(wish, market, account, engine)
        )
        if error or not wish.post_only or wish.price is None or wish.trigger is not None:
            return error
        would_take = engine.would_take(wish.side, wish.price)
        is_refused = would_take and exchange.chance.strikes("post_only_refused")
        return rules.POST_ONLY if is_refused else ""

    def _spent(self, wish: Wish, account: Account) -> str:
        """Refuse the id of a closed order, where the venue is taken to remember them."""
        wanted = same_id(wish.cl_ord_id)
        if not (wanted and self._exchange.chance.faults.ids_are_spent_is):
            return ""
        return rules.NOT_UNIQUE if wanted in account.spent_ids else ""

    # --- amend ---------------------------------------------------------------------------------

    def amend(self, request: Request, asked: Amendment) -> Verdict:
        """Change an order in place."""
        record = request.account.find(asked.order_id, asked.cl_ord_id)
        error = self._refuse_amend(request, record, asked)
        amend_id = ""
        if not error and record is not None:
            amend_id, error = self._change(record, asked, request.now_ns)
        self._note(request, "amend", error, record=record, cl_ord_id=asked.cl_ord_id)
        return Verdict(error, record, amend_id)

    def _refuse_amend(self, request: Request, record: OrderRecord | None, asked: Amendment) -> str:
        if record is None:
            return INVALID_ORDER if asked.order_id else UNKNOWN_ORDER
        if not record.is_open:
            return UNKNOWN_ORDER
        account, now_ns, market = request.account, request.now_ns, record.market
        cost = 1 + penalty(AMEND_AGES, now_ns - record.changed_ns)
        if not account.counter.spend(market.symbol, cost, now_ns):
            return EXCEEDED
        return (
            self._whim(is_cancel=False)
            or _deadline(asked.deadline_ns, request)
            or rules.market_open(
                self._exchange.system,
                market,
                is_post_only=asked.post_only or record.wish.post_only,
                is_market=False,
            )
            or self._refuse_change(record, asked, account)
        )

    def _refuse_change(self, record: OrderRecord, asked: Amendment, account: Account) -> str:
        market, wish = record.market, record.wish
        if wish.close is not None:
            return INVALID_ORDER
        if not _differs(record, asked):
            return NOTHING
        error = rules.amend_price(record, asked.price, market)
        if not error and asked.trigger_price is not None:
            is_triggered = wish.trigger is None or record.is_triggered
            error = INVALID_ORDER if is_triggered else rules.price(asked.trigger_price, market)
        quantity = record.quantity if asked.quantity is None else asked.quantity
        if not error and asked.quantity is not None and quantity > record.filled:
            error = rules.quantity(quantity, market, record.filled)
        left = quantity - record.filled
        if asked.display is not None and asked.display * rules.ICEBERG_PARTS < left:
            error = error or f"{ARGUMENTS}:display_qty"
        return error or self._refuse_money(record, asked, left, account)

    def _refuse_money(
        self, record: OrderRecord, asked: Amendment, left: int, account: Account
    ) -> str:
        """The hold of the changed order must fit into what is free with the old one given up."""
        market, wish = record.market, record.wish
        if wish.margin or wish.reduce_only:
            return ""
        if wish.side == "sell":
            asset, needed = market.base.name, left
        else:
            price = record.price if asked.price is None else asked.price
            asset = market.quote.name
            needed = spend(price or record.trigger_price, max(left, 0), account)
        free = account.available(asset) + hold(record, asset, account)
        return rules.FUNDS if needed > free else ""

    def _change(self, record: OrderRecord, asked: Amendment, now_ns: int) -> tuple[str, str]:
        """Carry an amend out; (amend id, refusal)."""
        exchange = self._exchange
        engine = exchange.engines[record.market.symbol]
        is_post_only = asked.post_only or record.wish.post_only
        outcomes = []
        if record.id in engine.orders:
            outcomes = engine.amend(
                record.id,
                now_ns,
                quantity=asked.quantity,
                price=asked.price,
                display=asked.display,
                trigger_price=asked.trigger_price,
                post_only=is_post_only,
            )
            if outcomes and isinstance(outcomes[0], AmendRefused):
                return "", rules.POST_ONLY
        self._tell_change(record, asked, now_ns)
        record.changed_ns = now_ns
        amend_id = exchange.note_change(record, "user", REASONS["canceled"], now_ns)
        exchange.apply(record.market, outcomes, now_ns)
        return amend_id, ""

    def _tell_change(self, record: OrderRecord, asked: Amendment, now_ns: int) -> None:
        """One event per changed field, price first: that is how captured frames come."""
        exchange, old_quantity = self._exchange, record.quantity
        record.is_amended = True
        if asked.trigger_price is not None:
            record.trigger_price = asked.trigger_price
        if asked.display is not None:
            record.display = asked.display
        steps = []
        if asked.price is not None and asked.price != record.price:
            record.price = asked.price
            steps.append(old_quantity)
        if asked.quantity is not None and asked.quantity != old_quantity:
            record.quantity = max(asked.quantity, record.filled)
            steps.append(record.quantity)
        exchange.ledger.amend_order(record.id, quantity=record.quantity, price=record.price or None)
        for quantity in steps or [record.quantity]:
            item = executions.amended(
                record,
                now_ns,
                quantity=quantity,
                price=record.price,
                exec_type="amended",
                reason=REASONS["canceled"],
            )
            exchange.tell(record, item)

    # --- edit ----------------------------------------------------------------------------------

    def edit(self, request: Request, order_id: str, changes: dict[str, object]) -> Verdict:
        """Cancel an order and place another in its stead; fills stay with the old one."""
        account, now_ns = request.account, request.now_ns
        old = account.orders.get(order_id)
        if old is None or not old.is_open:
            error = UNKNOWN_ORDER if old is not None else INVALID_ORDER
            self._note(request, "edit", error)
            return Verdict(error)
        # The new order is asked for what is left of the old one, unless a quantity is named; it
        # inherits neither the client's id nor its tag.
        kept = {"quantity": old.remaining, "deadline_ns": 0, "cl_ord_id": "", "userref": None}
        wish = replace(old.wish, **(kept | changes))
        error = self._refuse_edit(request, old, wish)
        if error or wish.validate:
            self._note(request, "edit", error, wish=wish, record=old)
            return Verdict(error)
        self._exchange.cancel(old, REPLACED, now_ns)
        new = self._exchange.create(account, old.market, wish, now_ns)
        self._note(request, "edit", "", wish=wish, record=new)
        return Verdict(record=new)

    def _refuse_edit(self, request: Request, old: OrderRecord, wish: Wish) -> str:
        account, now_ns = request.account, request.now_ns
        if old.wish.close is not None or old.wish.trigger is not None:
            return INVALID_ORDER
        cost = 1 + penalty(EDIT_AGES, now_ns - old.changed_ns)
        if not account.counter.spend(old.market.symbol, cost, now_ns):
            return EXCEEDED
        error = _deadline(wish.deadline_ns, request)
        del account.open[old.id]  # its hold is free for the order that replaces it
        error = error or self.refusal(wish, old.market, account, now_ns)
        account.open[old.id] = old
        return error

    # --- cancels -------------------------------------------------------------------------------

    def cancel(self, request: Request, target: Target) -> tuple[str, int]:
        """Cancel what a target names; (refusal, how many)."""
        records, error = self._find(request.account, target)
        if not error and self._exchange.chance.strikes("cancel_refused"):
            error = UNKNOWN_ORDER
        error = error or self._whim(is_cancel=True)
        count = 0
        for record in records if not error else ():
            cost = penalty(CANCEL_AGES, request.now_ns - record.changed_ns)
            if not request.account.counter.spend(record.market.symbol, cost, request.now_ns):
                error = EXCEEDED
                break
            self._exchange.cancel(record, REASONS["canceled"], request.now_ns)
            count += 1
        self._note_cancel(request, target, records, error)
        return error, count

    def _note_cancel(
        self, request: Request, target: Target, records: Sequence[OrderRecord], error: str
    ) -> None:
        named = str(target.value) if target.kind == "cl_ord_id" else ""
        for record in records:
            self._note(request, "cancel", error, record=record)
        if not records:
            self._note(request, "cancel", error, cl_ord_id=named)

    def _find(self, account: Account, target: Target) -> tuple[list[OrderRecord], str]:
        if target.kind == "order_id":
            record = account.orders.get(str(target.value))
            if record is None:
                return [], INVALID_ORDER
            return [record], "" if record.is_open else UNKNOWN_ORDER
        if target.kind == "cl_ord_id":
            wanted = same_id(str(target.value))
            found = [r for r in account.open.values() if same_id(r.wish.cl_ord_id) == wanted]
        else:
            found = [r for r in account.open.values() if r.wish.userref == target.value]
        return found, "" if found else UNKNOWN_ORDER

    def cancel_batch(self, request: Request, targets: Sequence[Target]) -> tuple[str, int]:
        """Cancel many at once: counted, never refused for the counter; (refusal, how many)."""
        count = 0
        for target in targets:
            records, error = self._find(request.account, target)
            for record in records if not error else ():
                cost = penalty(CANCEL_AGES, request.now_ns - record.changed_ns)
                request.account.counter.add(record.market.symbol, cost, request.now_ns)
                self._exchange.cancel(record, REASONS["canceled"], request.now_ns)
                count += 1
            self._note_cancel(request, target, records, error)
        return ("" if count else UNKNOWN_ORDER), count

    def cancel_all(self, request: Request) -> int:
        """Cancel every open order of the account."""
        records = list(request.account.open.values())
        for record in records:
            self._exchange.cancel(record, REASONS["canceled"], request.now_ns)
            self._note(request, "cancel_all", "", record=record)
        if not records:
            self._note(request, "cancel_all", "")
        return len(records)

    def arm(self, request: Request, timeout_s: int) -> str:
        """Set the account's dead-man timer, 0 to disarm; returns a refusal or ""."""
        error = "" if 0 <= timeout_s < MAX_TIMEOUT_S else f"{ARGUMENTS}:timeout"
        if not error:
            at_ns = request.now_ns + timeout_s * SECOND
            request.account.dead_man_ns = at_ns if timeout_s else 0
        self._note(request, "arm_dead_man", error)
        return error


def _deadline(at_ns: int, request: Request) -> str:
    return rules.deadline(at_ns, request.arrived_ns, request.now_ns, is_rest=request.is_rest)


def _differs(record: OrderRecord, asked: Amendment) -> bool:
    """Whether an amend would change anything."""
    pairs = (
        (asked.quantity, record.quantity),
        (asked.price, record.price),
        (asked.display, record.display),
        (asked.trigger_price, record.trigger_price),
    )
    return any(new is not None and new != old for new, old in pairs)
