"""The ledger of a simulator: what it saw and what it did, kept apart from what it tells clients.

Every claim about a run is checked against this and never against our own state. Inside, money is
an integer at 10^-10; `plain()` writes plain decimal text. `instrument` is the venue's own name.

How the rows are meant:

* `requests`: one row per order named in a request, for each copy that arrived: three orders in a
  batch are three rows with one `n`. `method` is the house's word, whatever the venue calls it;
  `outcome` is `accepted`, `refused`, or `dropped` (a fault ate the request: nothing was done).
  An accepted request whose answer a fault then lost stays `accepted`; the faults count the loss.
* `orders`: one row per order that came to exist; never removed. `quantity` and `price` follow
  amends, `original_quantity` is the intent and does not. `is_past_bound`: the venue took it
  although its deadline had passed, as some may; a late accept, and no wrong word of ours.
* `fills`: one row per fill of an account; the simulator's own order flow is nobody's account.
* `cash`: one row per change of a balance; balance = balance before + amount - fee.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, structs

from crosswire.domain import Liquidity, Side, Transport
from crosswire.fixed import text

Method = Literal["place", "amend", "edit", "cancel", "cancel_all", "arm_dead_man", "read", "other"]
RequestOutcome = Literal["accepted", "refused", "dropped"]
OrderStatus = Literal["open", "filled", "canceled", "expired"]
Plain = dict[str, object]


class RequestRow(Struct, frozen=True, gc=False):
    """One order named in one copy of a request; "" and None where it did not say."""

    n: int  # the request's number, in order of arrival
    at_ns: int
    account: str
    transport: Transport
    method: Method
    client_order_id: str
    instrument: str
    side: str
    quantity: int | None
    price: int | None
    venue_order_id: str
    outcome: RequestOutcome
    reason: str


class OrderRow(Struct, gc=False):
    """One order that existed; rewritten as it lives."""

    venue_order_id: str
    client_order_id: str
    account: str
    instrument: str
    side: Side
    quantity: int
    original_quantity: int
    price: int | None
    filled: int
    status: OrderStatus
    opened_ns: int
    closed_ns: int
    reason: str
    is_past_bound: bool  # taken although its deadline had passed


class FillRow(Struct, frozen=True, gc=False):
    """One fill of an account's order."""

    fill_key: str
    venue_order_id: str
    client_order_id: str
    account: str
    instrument: str
    side: Side
    price: int
    quantity: int
    fee: int
    fee_asset: str
    liquidity: Liquidity
    at_ns: int


class CashRow(Struct, frozen=True, gc=False):
    """One change of one balance."""

    ledger_id: str
    ref: str
    account: str
    asset: str
    kind: str
    amount: int
    fee: int
    balance: int
    at_ns: int


class Ledger:
    """All rows of one simulator. It holds the balances: `move_cash` alone changes them."""

    def __init__(self, venue: str, seed: int, balances: Mapping[str, Mapping[str, int]]) -> None:
        """`balances`: what each account starts with, by asset."""
        self.venue = venue
        self.seed = seed
        self.starting_balances = {account: dict(held) for account, held in balances.items()}
        self.balances = {account: dict(held) for account, held in balances.items()}
        self.requests: list[RequestRow] = []
        self.orders: dict[str, OrderRow] = {}  # by venue_order_id, in order of opening
        self.fills: list[FillRow] = []
        self.cash: list[CashRow] = []
        self.faults: dict[str, int] = {}
        self._requests_seen = 0

    def arrive(self) -> int:
        """Return the number of a request that has just arrived (each copy gets its own)."""
        self._requests_seen += 1
        return self._requests_seen

    def note_request(
        self,
        n: int,
        at_ns: int,
        *,
        account: str,
        transport: Transport,
        method: Method,
        outcome: RequestOutcome,
        client_order_id: str = "",
        instrument: str = "",
        side: str = "",
        quantity: int | None = None,
        price: int | None = None,
        venue_order_id: str = "",
        reason: str = "",
    ) -> None:
        """Write what one order of a request asked for, and what came of it."""
        self.requests.append(
            RequestRow(
                n=n,
                at_ns=at_ns,
                account=account,
                transport=transport,
                method=method,
                client_order_id=client_order_id,
                instrument=instrument,
                side=side,
                quantity=quantity,
                price=price,
                venue_order_id=venue_order_id,
                outcome=outcome,
                reason=reason,
            )
        )

    def open_order(
        self,
        venue_order_id: str,
        at_ns: int,
        *,
        account: str,
        client_order_id: str,
        instrument: str,
        side: Side,
        quantity: int,
        price: int | None,
        is_past_bound: bool = False,
    ) -> OrderRow:
        """Write an order that exists from now on; `ValueError` if the id is taken."""
        if venue_order_id in self.orders:
            raise ValueError(f"order {venue_order_id} is in the ledger already")
        row = OrderRow(
            venue_order_id=venue_order_id,
            client_order_id=client_order_id,
            account=account,
            instrument=instrument,
            side=side,
            quantity=quantity,
            original_quantity=quantity,
            price=price,
            filled=0,
            status="open",
            opened_ns=at_ns,
            closed_ns=0,
            reason="",
            is_past_bound=is_past_bound,
        )
        self.orders[venue_order_id] = row
        return row

    def amend_order(
        self, venue_order_id: str, *, quantity: int | None = None, price: int | None = None
    ) -> None:
        """An amend took effect; what is None stays."""
        row = self.orders[venue_order_id]
        row.quantity = row.quantity if quantity is None else quantity
        row.price = row.price if price is None else price

    def close_order(
        self, venue_order_id: str, at_ns: int, status: OrderStatus, reason: str = ""
    ) -> None:
        """The order is over."""
        row = self.orders[venue_order_id]
        row.status, row.closed_ns, row.reason = status, at_ns, reason

    def note_fill(
        self,
        fill_key: str,
        venue_order_id: str,
        at_ns: int,
        *,
        price: int,
        quantity: int,
        fee: int,
        fee_asset: str,
        liquidity: Liquidity,
    ) -> FillRow:
        """Write a fill of an order in the ledger and add it to the order's total.

        The balances are moved apart from this, by `move_cash`.
        """
        order = self.orders[venue_order_id]
        order.filled += quantity
        row = FillRow(
            fill_key=fill_key,
            venue_order_id=venue_order_id,
            client_order_id=order.client_order_id,
            account=order.account,
            instrument=order.instrument,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=fee_asset,
            liquidity=liquidity,
            at_ns=at_ns,
        )
        self.fills.append(row)
        return row

    def move_cash(
        self,
        account: str,
        asset: str,
        at_ns: int,
        *,
        ledger_id: str,
        ref: str,
        kind: str,
        amount: int,
        fee: int = 0,
    ) -> CashRow:
        """Change a balance by `amount - fee` and write the row, the new balance in it."""
        held = self.balances.setdefault(account, {})
        held[asset] = balance = held.get(asset, 0) + amount - fee
        row = CashRow(
            ledger_id=ledger_id,
            ref=ref,
            account=account,
            asset=asset,
            kind=kind,
            amount=amount,
            fee=fee,
            balance=balance,
            at_ns=at_ns,
        )
        self.cash.append(row)
        return row

    def balance(self, account: str, asset: str) -> int:
        return self.balances.get(account, {}).get(asset, 0)

    def count_fault(self, name: str, times: int = 1) -> None:
        """A fault of this name struck."""
        self.faults[name] = self.faults.get(name, 0) + times

    def trim(self, before_ns: int) -> None:
        """Forget rows older than a moment, open orders aside, for runs that last for days.

        What is left no longer adds up to the balances, and no run can be judged by it.
        """
        self.requests = [row for row in self.requests if row.at_ns >= before_ns]
        self.fills = [row for row in self.fills if row.at_ns >= before_ns]
        self.cash = [row for row in self.cash if row.at_ns >= before_ns]
        self.orders = {
            key: row
            for key, row in self.orders.items()
            if row.status == "open" or row.closed_ns >= before_ns
        }

    def plain(self) -> Plain:
        """Return everything as plain JSON values, money as plain decimal text."""
        return {
            "venue": self.venue,
            "seed": self.seed,
            "requests": [_plain_row(row) for row in self.requests],
            "orders": [_plain_row(row) for row in self.orders.values()],
            "fills": [_plain_row(row) for row in self.fills],
            "starting_balances": _plain_balances(self.starting_balances),
            "balances": _plain_balances(self.balances),
            "cash": [_plain_row(row) for row in self.cash],
            "faults": dict(self.faults),
        }


MONEY = frozenset(("quantity", "original_quantity", "price", "filled", "fee", "amount", "balance"))


def _plain_row(row: Struct) -> Plain:
    plain: Plain = structs.asdict(row)
    for name in MONEY & plain.keys():
        value = plain[name]
        plain[name] = text(value) if isinstance(value, int) else None
    return plain


def _plain_balances(balances: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, str]]:
    return {
        account: {asset: text(amount) for asset, amount in held.items()}
        for account, held in balances.items()
    }
