"""An order in a user's hands: wait for it, follow it, change it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crosswire.app.views import Update, bare, decimal, order_view
from crosswire.domain import Side
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
    """One order of ours, as far as we know it now. Its properties move with the order."""

    def __init__(self, client: "Client", order: Order) -> None:
        self._client = client
        self._order = order
        self._followers: list[_Follower] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._last = order_view(order)

    @property
    def client_order_id(self) -> str:
        """Our id, the same for the order's whole life."""
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
        return decimal(self._order.quantity)

    @property
    def price(self) -> Decimal | None:
        """The limit price, None without one."""
        return None if self._order.price is None else decimal(self._order.price)

    @property
    def filled(self) -> Decimal:
        """The quantity filled so far."""
        return decimal(self._order.filled)

    @property
    def average_price(self) -> Decimal | None:
        """The mean price of the fills, None without one."""
        average = self._order.average_price
        return None if average is None else decimal(average)

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
        return not self._order.is_open

    @property
    def is_in_doubt(self) -> bool:
        """Whether the outcome of one of its requests is not proven."""
        return bool(self._order.doubts)

    def view(self) -> Update:
        """Return a copy of how it stands now."""
        return order_view(self._order)

    async def amend(self, *, limit: Number | None = None, quantity: Number | None = None) -> None:
        """Change price or total quantity; raises `Rejected` or `Refused`.

        On silence it returns, and `is_in_doubt` says so.
        """
        await self._client.amend(self, limit=limit, quantity=quantity)

    async def cancel(self) -> None:
        """Ask for the cancel and wait for its answer; `done()` waits for the closure."""
        await self._client.cancel(self)

    async def settled(self) -> Update:
        """Wait until no outcome of it is in doubt."""
        while self._order.doubts or self._order.stage == "SENDING":
            await self.changed()
        return self.view()

    async def done(self) -> Update:
        """Wait until it is over."""
        while self._order.is_open:
            await self.changed()
        return self.view()

    async def changed(self) -> None:
        """Wait for the next word about it."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def __aiter__(self) -> AsyncIterator[Update]:
        follower = _Follower(self, self.view())
        self._followers.append(follower)
        return follower

    def notice(self) -> None:
        """Something was said about it: wake who waits (called by the client)."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        now = self.view()
        if now != self._last:
            self._last = now
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
