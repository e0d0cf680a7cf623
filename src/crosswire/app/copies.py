"""Whether identical bytes run once: what `verify` tries where a venue's documents say so.

A copy right behind the first may meet it before it has run; one seconds later finds it done. Both
must be answered with the same word, and one order must be open.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Protocol

from crosswire.app.client import Client
from crosswire.app.errors import CrosswireError
from crosswire.app.placed import PlacedOrder, Wish
from crosswire.domain import (
    Accepted,
    AnyEvent,
    Approved,
    LookUp,
    OrdersRead,
    ReadFailed,
    Rejected,
    Resend,
    Seen,
)
from crosswire.venues import venue

LATER_S = 2.0  # some blocks
ANSWER_S = 10.0
POLL_S = 0.05
NUMBERED = re.compile("[0-9]")  # what follows speaks of this one alone


class Record(Protocol):
    """What went to and fro."""

    def send_again(self, mark: bytes) -> None:
        """Hand over once more, bit by bit, what was last sent with this text in it."""

    def heard(self, text: str) -> int:
        """How many messages of the venue had this text in them."""


class Trial:
    """One order that is sent again and again, on one account."""

    def __init__(
        self,
        client: Client,
        record: Record,
        instrument: str,
        smallest: Callable[[], Awaitable[tuple[Decimal, Decimal]]],
    ) -> None:
        self.word = ""  # with which the venue knows a copy
        self.idle: Mapping[str, object] | None = venue(client.venue).idle_action
        self._client = client
        self._record = record
        self._instrument = instrument
        self._smallest = smallest
        self._order: PlacedOrder | None = None

    async def copy_at_once(self) -> str:
        """Place an order, and the same bytes right behind it."""
        client = self._client
        price, quantity = await self._smallest()
        wish = Wish(self._instrument, "buy", quantity, limit=price, post_only=True)
        place = client.draft(wish)
        heard: list[AnyEvent] = []
        placed = client.trader.submit(place)
        if not isinstance(placed, Approved):
            raise CrosswireError(str(placed))
        client.trader.submit(Resend(client.account, place.client_order_id, placed.request_id))

        def are_both(event: AnyEvent) -> bool:
            is_ours = getattr(event, "client_order_id", "") == place.client_order_id
            if is_ours and isinstance(event, Accepted | Rejected | Seen):
                heard.append(event)
            kinds = {type(each) for each in heard}
            return {Accepted, Seen} <= kinds or Rejected in kinds

        await client.wait_for(are_both, ANSWER_S, "the answers to an order and its copy")
        for event in heard:
            if isinstance(event, Rejected):
                raise CrosswireError(f"one of the two was refused: {event.reason}")
            if isinstance(event, Seen):
                self.word = NUMBERED.split(event.reason)[0].strip()
        self._order = client.order(place.client_order_id)
        return self.word

    async def copy_later(self) -> str:
        """The same bytes once more, when the first have long run."""
        assert self._order is not None
        await asyncio.sleep(LATER_S)
        return await self._again(self._order.client_order_id.encode())

    async def one_order(self) -> str:
        """However often it was sent, one order is open."""
        assert self._order is not None
        client = self._client
        read = await client.look_up(LookUp(client.account, "open_orders"))
        if isinstance(read, ReadFailed):
            raise CrosswireError(f"the look-up failed: {read.reason}")
        assert isinstance(read, OrdersRead)
        own = self._order.client_order_id
        count = sum(shown.client_order_id == own for shown in read.orders)
        if count != 1:
            raise CrosswireError(f"{count} orders are open")
        return "one is open"

    async def nothing_twice(self) -> str:
        """An action that does nothing, on a nonce of its own, and its bytes again."""
        assert self.idle is not None
        await self._client.post_action(self.idle, ANSWER_S)
        return await self._again(str(self.idle["type"]).encode())

    async def cancel(self) -> str:
        """Take the order away."""
        assert self._order is not None
        await self._order.cancel()
        return (await self._order.done()).status

    async def _again(self, mark: bytes) -> str:
        before = self._record.heard(self.word)
        self._record.send_again(mark)
        until = asyncio.get_running_loop().time() + ANSWER_S
        while self._record.heard(self.word) == before:
            if asyncio.get_running_loop().time() > until:
                raise CrosswireError(f'no answer says "{self.word}"')
            await asyncio.sleep(POLL_S)
        return self.word
