"""The ledger's rows of one request: what each of its entries asked for, and what came of it."""

from msgspec import Struct

from crosswire.domain import Transport
from crosswire.sim.ledger import Ledger, Method
from crosswire.venues.hyperliquid.simulator.accounts import OrderRecord
from crosswire.venues.hyperliquid.simulator.actions import (
    BatchModify,
    Cancel,
    CancelByCloid,
    L1Action,
    Modify,
    OrderWire,
    PlaceOrders,
    ScheduleCancel,
    UserAction,
)
from crosswire.venues.hyperliquid.simulator.markets import Market
from crosswire.venues.hyperliquid.simulator.text import bare_id, scaled

Markets = dict[int, Market]


class Log(Struct):
    """Writes the rows of one copy of a request."""

    ledger: Ledger
    markets: Markets
    n: int
    account: str
    transport: Transport
    action: L1Action | UserAction
    at_ns: int

    def refuse(self, text: str) -> dict[str, object]:
        """All of it is refused; returns the answer."""
        self.whole(text)
        return {"status": "err", "response": text}

    def whole(self, text: str) -> None:
        """One outcome for all entries: refused for a reason, or accepted without one."""
        action = self.action
        if isinstance(action, PlaceOrders):
            for wire in action.orders:
                self.order(wire, None, text)
        elif isinstance(action, Cancel):
            for one in action.cancels:
                self.cancel(one.o, None, text)
        elif isinstance(action, CancelByCloid):
            for other in action.cancels:
                self.cancel(other.cloid, None, text)
        elif isinstance(action, BatchModify):
            for modify in action.modifies:
                self.edit(modify.order, None, text)
        elif isinstance(action, Modify):
            self.edit(action.order, None, text)
        else:
            method: Method = "arm_dead_man" if isinstance(action, ScheduleCancel) else "other"
            self._note(method, text)

    def order(self, wire: OrderWire, record: OrderRecord | None, text: str) -> None:
        """An order was asked for."""
        self._note("place", text, wire, record)

    def edit(self, wire: OrderWire, record: OrderRecord | None, text: str) -> None:
        """A replacement was asked for; the row names the order that it makes."""
        self._note("edit", text, wire, record)

    def cancel(self, oid: int | str, record: OrderRecord | None, text: str) -> None:
        """A cancel was asked for."""
        market = record.market.name if record else ""
        cloid = oid if isinstance(oid, str) else record.wire.cloid if record else ""
        venue_id = str(oid) if isinstance(oid, int) else record.id if record else ""
        self.ledger.note_request(
            self.n,
            self.at_ns,
            account=self.account,
            transport=self.transport,
            method="cancel",
            outcome="refused" if text else "accepted",
            client_order_id=bare_id(cloid),
            instrument=market,
            venue_order_id=venue_id,
            reason=text,
        )

    def _note(
        self,
        method: Method,
        text: str,
        wire: OrderWire | None = None,
        record: OrderRecord | None = None,
    ) -> None:
        market = self.markets.get(wire.a) if wire else None
        side = "" if wire is None else "buy" if wire.b else "sell"
        self.ledger.note_request(
            self.n,
            self.at_ns,
            account=self.account,
            transport=self.transport,
            method=method,
            outcome="refused" if text else "accepted",
            client_order_id=bare_id(wire.cloid) if wire else "",
            instrument=market.name if market else "",
            side=side,
            quantity=scaled(wire.s) if wire else None,
            price=scaled(wire.p) if wire else None,
            venue_order_id=record.id if record else "",
            reason=text,
        )
