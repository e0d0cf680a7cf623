"""What we asked for, and that it was sent: from here on an order's requests await an outcome.

A place that replaces another order is one request about two orders: of the new one a place, of
the old one a cancel. Each is settled by what is said of that order, in whatever order it comes;
until then both are reserved.
"""

from typing import Literal

from crosswire.domain import (
    Amend,
    AnyCommand,
    Approved,
    Cancel,
    CancelBatch,
    Place,
    PlaceBatch,
    Sent,
)
from crosswire.orders.change import NOTHING, Change
from crosswire.orders.index import Index
from crosswire.orders.order import Order, Request, new_order


class Requests(Index):
    """The index, and the requests under way about each order."""

    def register(self, approved: Approved) -> None:
        """Note the intent of a command before its bytes are handed over."""
        self._register(approved.command, approved)

    def _register(self, command: AnyCommand, approved: Approved) -> None:
        if type(command) is Place:
            self._enter(new_order(command), approved)
            if command.replaces:
                self._displace(command, approved)
        elif type(command) is Amend:
            amended = self._by_id.get(command.client_order_id)
            if amended is not None:
                request = self._request(amended, "amend", approved)
                request.quantity, request.price = command.quantity, command.price
                request.bound_ns = command.bound_ns
                if command.quantity is not None:
                    self._settle(amended)
        elif isinstance(command, Cancel):
            canceled = self._by_id.get(command.client_order_id)
            if canceled is not None:
                canceled.canceled_ns = approved.approved_ns
                self._request(canceled, "cancel", approved)
        elif isinstance(command, PlaceBatch):
            for place in command.places:
                self._register(place, approved)
        elif isinstance(command, CancelBatch):
            for cancel in command.cancels:
                self._register(cancel, approved)

    def _request(
        self, order: Order, kind: Literal["amend", "cancel"], approved: Approved
    ) -> Request:
        number = approved.request_id
        request = order.requests[number] = Request(number, kind, approved.approved_ns)
        order.changed_ns = approved.approved_ns
        others = self._by_request.get(number)
        self._by_request[number] = (*others, order) if others else (order,)
        return request

    def _displace(self, command: Place, approved: Approved) -> None:
        """An order is to make room for a new one, in the same request."""
        old = self._by_id.get(command.replaces)
        if old is not None:
            old.canceled_ns = approved.approved_ns
            old.replaced_by = command.client_order_id
            self._request(old, "cancel", approved)

    def _keep_replaced(self, order: Order, request_id: int) -> None:
        """The new order can never be: so its request does nothing to the old one either."""
        old = self._by_id.get(order.replaces)
        request = old.requests.get(request_id) if old else None
        if old is not None and request is not None:
            self._drop(old, request)
            old.replaced_by = ""
            self._settle(old)

    def _sent(self, event: Sent) -> Change:
        named = event.client_order_ids
        for order in self._by_request.get(event.request_id, ()):
            # A copy may be of one part of a request that left in several.
            if named and order.client_order_id not in named and order.replaced_by not in named:
                continue
            request = order.requests[event.request_id]
            request.copies += 1
            request.venue_bound_ns = event.bound_ns
            if request.kind == "place":
                order.transport = event.transport
                order.venue_bound_ns = max(order.venue_bound_ns, event.bound_ns)
                order.stamps.encoded = event.encoded_ns
                order.stamps.written = event.recv_ns
        return NOTHING
