"""An order in a user's hands: wait for it, follow it, change it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import structs

from crosswire.app.errors import UserError
from crosswire.app.views import Update, bare, decimal, order_view
from crosswire.domain import Place, Side
from crosswire.orders import Order, Status

if TYPE_CHECKING:
    from crosswire.app.client import Client

Number = str | Decimal | int


class Wish:
    """One order to place, for `place_batch`; the same arguments as `place`."""

    def __init__(self, instrument: str, side: Side, quantity: Number, **more: Any) -> None:
        self.instrument = instrument
        self.side = side
        self.quantity = quantity
        self.more = more


class PlacedOrder:
    """One order of ours, as far as we know it now. Its properties move with the order.

    Where a venue replaces instead of amending, it goes over to each new order as that is known to
    live; quantity, filled and average price then count what those before it filled as well.
    """

    def __init__(self, client: "Client", order: Order) -> None:
        self._client = client
        self._order = order
        self._past: list[Order] = []  # those it took the place of, oldest first
        self._leaving: list[Order] = []  # of them those whose end was not told yet
        self._told_end = ""  # our id of the order whose end was told as our own
        self.expected: Order | None = None  # what is to take its place, not known to live yet
        self._followers: list[_Follower] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._last = order_view(order)

    @property
    def client_order_id(self) -> str:
        """Our id, the same for the order's whole life; after a replacement the new order's."""
        return self._order.client_order_id

    @property
    def venue_order_id(self) -> str:
        """The venue's id, "" until it named one."""
        return self._order.venue_order_id

    @property
    def instrument(self) -> str:
        """The instrument's name."""
        return bare(self._order.instrument)

    @property
    def side(self) -> Side:
        """buy or sell."""
        return self._order.side

    @property
    def status(self) -> Status:
        """The word a trader knows it by; UNKNOWN while an outcome is not proven."""
        return self._order.status

    @property
    def quantity(self) -> Decimal:
        """The total quantity, fills included."""
        return decimal(self._filled_before() + self._order.quantity)

    @property
    def price(self) -> Decimal | None:
        """The limit price, None without one."""
        return None if self._order.price is None else decimal(self._order.price)

    @property
    def filled(self) -> Decimal:
        """The quantity filled so far."""
        return decimal(self._filled_before() + self._order.filled)

    @property
    def average_price(self) -> Decimal | None:
        """The mean price of the fills, None without one."""
        orders = (*self._past, self._order)
        filled = sum(order.filled for order in orders)
        return decimal(sum(order.cost for order in orders) // filled) if filled else None

    @property
    def reason(self) -> str:
        """Why it ended or is in doubt, in the venue's words where it said something."""
        return self._order.reason

    @property
    def was_sent(self) -> bool:
        """Whether a copy of it was ever handed to a socket."""
        return self._order.transport is not None

    @property
    def is_done(self) -> bool:
        """Whether it is over and nothing about it is in doubt."""
        return not self._order.is_open and self.expected is None

    @property
    def is_in_doubt(self) -> bool:
        """Whether the outcome of one of its requests is not proven."""
        return bool(self._order.doubts) or bool(self.expected is not None and self.expected.doubts)

    def view(self) -> Update:
        """Return a copy of how it stands now."""
        seen = order_view(self._order)
        if not self._past:
            return seen
        return structs.replace(
            seen, quantity=self.quantity, filled=self.filled, average_price=self.average_price
        )

    async def amend(self, *, limit: Number | None = None, quantity: Number | None = None) -> None:
        """Change price or total quantity; raises `Rejected` or `Refused`.

        On silence it returns, and `is_in_doubt` says so. Where the venue replaces orders instead,
        a new one takes the place of the old: `client_order_id` and `venue_order_id` change, the
        place in the queue is lost, and whoever follows the order is told the old one's end (under
        its own id, with `replaced_by`) between the updates of the new. `Rejected` leaves it as it
        was, or ended, if it ended meanwhile.
        """
        await self._client.amend(self, limit=limit, quantity=quantity)

    async def cancel(self) -> None:
        """Ask for the cancel and wait for its answer; `done()` waits for the closure."""
        await self._client.cancel(self)

    async def settled(self) -> Update:
        """Wait until no outcome of it is in doubt."""
        while self.expected or self._order.doubts or self._order.stage == "SENDING":
            await self.changed()
        return self.view()

    async def done(self) -> Update:
        """Wait until it is over."""
        while not self.is_done:
            await self.changed()
        return self.view()

    async def arrived(self) -> None:
        """Wait until what is to take its place has, or has not, or is in doubt."""
        while self.expected is not None and self.expected.stage == "SENDING":
            await self.changed()
        self._go_over()

    async def changed(self) -> None:
        """Wait for the next word about it."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def __aiter__(self) -> AsyncIterator[Update]:
        follower = _Follower(self, self.view())
        self._followers.append(follower)
        return follower

    # --- replacing -----------------------------------------------------------------------------

    def _filled_before(self) -> int:
        return sum(order.filled for order in self._past)

    def successor(
        self, client_order_id: str, limit: int | None, quantity: int | None, bound_ns: int
    ) -> Place:
        """Make the order that is to take its place; `UserError` if there can be none."""
        order = self._order
        if self.expected is not None:
            raise UserError("amend: the outcome of the last one is in doubt; wait for settled()")
        if order.order_type != "limit":
            raise UserError(f"amend: a {order.order_type} order cannot be replaced; cancel it")
        filled = self._filled_before() + order.filled
        wanted = order.remaining if quantity is None else quantity - filled
        if wanted <= 0:
            raise UserError(f"amend: {decimal(filled)} is filled already; nothing would be left")
        return Place(
            order.account,
            order.instrument,
            client_order_id,
            order.side,
            wanted,
            order.price if limit is None else limit,
            time_in_force=order.time_in_force,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            bound_ns=bound_ns,
            strategy=order.strategy,
            replaces=order.client_order_id,
            replaces_venue_id=order.venue_order_id,
        )

    def expect(self, order: Order) -> None:
        """An order was sent to take its place."""
        self.expected = order

    def _go_over(self) -> None:
        """Follow the new order once it is known to live; forget it once it is known not to."""
        new, old = self.expected, self._order
        if new is None or new.stage in ("SENDING", "UNKNOWN"):
            return
        self.expected = None
        if new.stage == "LIVE" or new.end not in ("rejected", "absent"):
            self._past.append(old)
            if old.client_order_id != self._told_end:
                self._leaving.append(old)
            self._order = new
            self._client.succeeded(self, old.client_order_id, new.client_order_id)

    def _tell_ends(self) -> None:
        """Tell those who follow of orders before this one that have ended."""
        for order in [each for each in self._leaving if not each.is_open]:
            self._leaving.remove(order)
            for follower in self._followers:
                follower.updates.append(order_view(order))

    # --- the client's side ---------------------------------------------------------------------

    def notice(self) -> None:
        """Something was said about it: wake who waits (called by the client)."""
        self._go_over()
        self._tell_ends()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        now = self.view()
        if now != self._last:
            self._last = now
            self._told_end = "" if self._order.is_open else now.client_order_id
            for follower in self._followers:
                follower.updates.append(now)

    def leave(self, follower: "_Follower") -> None:
        """A follower has seen the end."""
        self._followers.remove(follower)

    def __repr__(self) -> str:
        order = self._order
        price = "" if order.price is None else f" @ {self.price}"
        return (
            f"<order {order.client_order_id} {order.side} {self.quantity} {self.instrument}{price}"
            f" {order.status} filled {self.filled}>"
        )


class _Follower:
    """One `async for` over an order: the present first, then each change, until it is over."""

    def __init__(self, order: PlacedOrder, first: Update) -> None:
        self._order = order
        self.updates: deque[Update] = deque([first])

    def __aiter__(self) -> AsyncIterator[Update]:
        return self

    async def __anext__(self) -> Update:
        while not self.updates:
            if self._order.is_done:
                self._order.leave(self)
                raise StopAsyncIteration
            await self._order.changed()
        return self.updates.popleft()
