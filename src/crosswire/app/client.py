"""The Python API: one account at one venue, in any asyncio loop.

Everything a call waits for is an event that the runner has already journalled and applied; a
client only listens, off the hot path. `crosswire.connect` opens one.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from msgspec import structs

from crosswire import domain, fixed
from crosswire.app import views
from crosswire.app.errors import CrosswireError, Refused, Rejected, UserError
from crosswire.app.hearing import KEPT, Hearing
from crosswire.app.placed import Number, PlacedOrder, Wish
from crosswire.app.posting import POST_S
from crosswire.domain import AnyEvent, OrderType, Side, TimeInForce

READ_TIMEOUT_S = 15.0  # how long a look-up of balances may take
BOOK_TIMEOUT_S = 20.0  # from subscribing to the first snapshot


class Client(Hearing):
    """An account's orders, fills, positions and books."""

    # --- market data ---------------------------------------------------------------------------

    async def book(self, instrument: str, *, depth: int = 10) -> views.BookView:
        """Return the book as it is now; the first call for an instrument subscribes to it."""
        name = await self._watch(instrument)
        book = self.trader.engine.books[name]
        return views.book_view(book, self.trader.now_ns(), depth)

    async def trades(self, instrument: str) -> list[views.Trade]:
        """Return the latest public trades seen, newest first; at most 1,000 are kept."""
        name = await self._watch(instrument)
        return [views.trade(each) for each in reversed(self._trades) if each.instrument == name]

    async def _watch(self, instrument: str) -> str:
        """Subscribe if need be, and wait until the book is there; `UserError` if unlisted."""
        name = self._name(instrument)
        engine = self.trader.engine

        def is_there() -> bool:
            book = engine.books.get(name)
            return book is not None and book.is_valid

        def is_told(event: AnyEvent) -> bool:
            return is_there() or self._is_unlisted(event, name)

        if not is_there():
            await self.trader.watch(self.venue, views.bare(name))
            event = await self.wait_for(is_told, BOOK_TIMEOUT_S, f"the book of {instrument}")
            if self._is_unlisted(event, name):
                await self.trader.forget(self.venue, views.bare(name))
                raise UserError(getattr(event, "text", ""))
        return name

    def _is_unlisted(self, event: AnyEvent, name: str) -> bool:
        """Whether the venue's feed says that it does not know an instrument."""
        is_warning = isinstance(event, domain.VenueWarned) and event.session == self.venue
        return is_warning and f'"{views.bare(name)}"' in getattr(event, "text", "")

    # --- orders --------------------------------------------------------------------------------

    async def place(
        self,
        instrument: str,
        side: Side,
        quantity: Number,
        *,
        limit: Number | None = None,
        order_type: OrderType | None = None,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        trigger: Number | None = None,
        display_quantity: Number | None = None,
        client_order_id: str = "",
    ) -> PlacedOrder:
        """Place one order and return once the venue has accepted it.

        Without `limit` it is a market order; where there are none, an ioc order within our own
        collar. Raises `Rejected` with the venue's text or `Refused` with our rule and both
        numbers. On silence it returns with status UNKNOWN; then `await order.settled()` waits for
        the proof.
        """
        wish = Wish(
            instrument,
            side,
            quantity,
            limit=limit,
            order_type=order_type,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=reduce_only,
            trigger=trigger,
            display_quantity=display_quantity,
            client_order_id=client_order_id,
        )
        await self._watch(instrument)
        place = self.draft(wish)
        self._submit(place)
        return await self._accepted(self._follow(place.client_order_id))

    async def place_batch(self, wishes: Sequence[Wish]) -> list[PlacedOrder | Rejected]:
        """Place several orders of one instrument; one verdict each, in order.

        A batch that risk holds back raises `Refused` whole. The venue's own limit on a batch's
        length is kept by sending several requests.
        """
        if not wishes:
            return []
        for name in sorted({wish.instrument for wish in wishes}):
            await self._watch(name)
        places = [self.draft(wish) for wish in wishes]
        for batch in self._batches(places):
            self._submit(batch)
        orders = [self._follow(place.client_order_id) for place in places]
        verdicts: list[PlacedOrder | Rejected] = []
        for order in orders:
            try:
                verdicts.append(await self._accepted(order))
            except Rejected as error:
                verdicts.append(error)
        return verdicts

    async def amend(
        self, order: PlacedOrder, *, limit: Number | None = None, quantity: Number | None = None
    ) -> None:
        """Change a live order's price or total quantity; raises `Rejected` or `Refused`.

        Where the venue replaces orders instead, see `PlacedOrder.amend`.
        """
        found = self._known(order)
        if limit is None and quantity is None:
            raise UserError("amend: give a limit, a quantity, or both")
        await self._watch(found.instrument)  # our own rules ask for a book
        if not self.trader.capabilities(self.account).amends_in_place:
            await self._replace(order, limit, quantity)
            return
        request = self._submit(
            domain.Amend(
                self.account,
                found.instrument,
                found.client_order_id,
                found.venue_order_id,
                None if quantity is None else _number(quantity, "quantity"),
                None if limit is None else _number(limit, "limit"),
                bound_ns=self.trader.bound_ns(self.account),
            )
        )
        refusal = await self._answer(order, request)
        if isinstance(refusal, domain.AmendRejected):
            raise Rejected(refusal.reason)

    async def _replace(
        self, order: PlacedOrder, limit: Number | None, quantity: Number | None
    ) -> None:
        """Put a new order in the other's place; the handle follows it once it is known to live."""
        if not self.trader.capabilities(self.account).replaces:
            raise UserError(f"{self.venue} cannot amend orders: cancel it and place another")
        await order.arrived()
        if order.is_done:
            raise Rejected(f"the order is over ({order.status})", was_sent=False)
        place = order.successor(
            self.trader.next_id(),
            None if limit is None else _number(limit, "limit"),
            None if quantity is None else _number(quantity, "quantity"),
            self.trader.bound_ns(self.account),
        )
        self._submit(place)
        found = self.trader.engine.orders.get(place.client_order_id)
        assert found is not None
        self._others.setdefault(found.client_order_id, []).append(order)
        order.expect(found)
        await order.arrived()
        if found.status == "REJECTED":
            raise Rejected(found.reason, was_sent=found.transport is not None)

    def succeeded(self, order: PlacedOrder, old: str, new: str) -> None:
        """A handle has gone over to the order that took the other's place (by our ids)."""
        if self._orders.get(old) is order:
            del self._orders[old]
        self._orders.setdefault(new, order)
        listeners = self._others.setdefault(old, [])
        if order not in listeners:
            listeners.append(order)

    async def cancel(self, order: PlacedOrder) -> None:
        """Ask for a cancel and wait for its answer. An order that is over is left alone."""
        if order.expected is not None:  # it may rest, or never be: the cancel is harmless
            self._submit(self._cancel(order.expected.client_order_id))
        found = self._known(order)
        if not found.is_open:
            return
        request = self._submit(self._cancel(found.client_order_id))
        refusal = await self._answer(order, request)
        # "No such order" is not a failure of the user's wish: what became of it, events tell.
        if isinstance(refusal, domain.CancelRejected) and not refusal.is_unknown_order:
            raise Rejected(refusal.reason)

    async def cancel_batch(self, orders: Sequence[PlacedOrder]) -> None:
        """Ask for the cancels of several orders at once; `done()` of each waits for its end."""
        live = [self._known(order) for order in orders if not order.is_done]
        cancels = tuple(self._cancel(order.client_order_id) for order in live)
        size = self.trader.capabilities(self.account).max_cancel_batch or 1
        for start in range(0, len(cancels), size):
            part = cancels[start : start + size]
            single = len(part) == 1
            self._submit(part[0] if single else domain.CancelBatch(self.account, part))

    async def cancel_all(self) -> None:
        """Cancel every open order of the account, whoever placed it, and wait until ours end."""
        self._submit(domain.CancelAll(self.account))
        for order in self.orders(open_only=True):
            await order.done()

    def orders(self, *, open_only: bool = False) -> list[PlacedOrder]:
        """Return the account's orders, newest first; at most 1,000 are kept in memory."""
        found = [order for order in self.trader.engine.orders if order.account == self.account]
        found = [order for order in found if order.is_open] if open_only else found[-KEPT:]
        return [self._follow(order.client_order_id) for order in reversed(found)]

    def doubts(self) -> list[PlacedOrder]:
        """Return the orders with an outcome in doubt, the oldest doubt first."""
        known = self.trader.engine.orders.unsettled.values()
        found = [each for each in known if each.account == self.account and each.doubted_ns]
        found.sort(key=lambda order: order.doubted_ns)
        return [self._follow(order.client_order_id) for order in found]

    def order(self, client_order_id: str) -> PlacedOrder:
        """Return one order by our id or the venue's; `UserError` if there is none."""
        found = self.trader.engine.orders.find(self.account, client_order_id, client_order_id)
        if found is None:
            raise UserError(f'no order "{client_order_id}" on account {self.account}')
        return self._follow(found.client_order_id)

    # --- the venue's own words -----------------------------------------------------------------

    @property
    def has_ws(self) -> bool:
        """Whether a post would go by WebSocket now; by REST it goes in any case."""
        return self.trader.posting(self.account).has_ws

    def post_action(
        self, payload: Mapping[str, Any], timeout: float = POST_S
    ) -> Coroutine[Any, Any, Any]:
        """Sign and send any action of the venue, and return its answer as JSON values.

        It goes past our own risk, and an order placed so counts as somebody else's. Raises
        `Rejected` with the venue's text, and `OutcomeUnknown` if no answer tells whether it ran.
        `UserError` where a venue has none.
        """
        return self.trader.posting(self.account).action(payload, timeout)

    def post_info(
        self, payload: Mapping[str, Any], timeout: float = POST_S
    ) -> Coroutine[Any, Any, Any]:
        """Ask the venue any of its questions, and return its answer as JSON values.

        `UserError` where a venue has none.
        """
        return self.trader.posting(self.account).info(payload, timeout)

    # --- the account ---------------------------------------------------------------------------

    async def balances(self) -> dict[str, Decimal]:
        """Read the venue's totals per asset, now."""
        event = await self.look_up(domain.LookUp(self.account, "balances"))
        if isinstance(event, domain.ReadFailed):
            raise CrosswireError(f"the balances could not be read: {event.reason}")
        assert isinstance(event, domain.BalancesRead)
        return {asset: fixed.to_decimal(total) for asset, total in event.balances}

    async def look_up(self, command: domain.LookUp) -> AnyEvent:
        """Ask the venue, and return the read that answers: complete, or `ReadFailed`."""
        kind = domain.BalancesRead if command.what == "balances" else domain.OrdersRead
        source = "snapshot" if command.what == "snapshot" else "lookup"
        scope = "closed" if command.what == "closed_orders" else "open"
        asked_ns = self.trader.now_ns()

        def is_it(event: AnyEvent) -> bool:
            if getattr(event, "account", "") != self.account:
                return False
            if isinstance(event, domain.ReadFailed):
                return event.what == command.what
            is_read = isinstance(event, kind) and event.is_complete and event.source == source
            is_new = getattr(event, "started_ns", 0) >= asked_ns  # reconciliation reads as well
            return is_read and is_new and getattr(event, "scope", scope) == scope

        self._submit(command)
        return await self.wait_for(is_it, READ_TIMEOUT_S, f"the {command.what.replace('_', ' ')}")

    def positions(self) -> dict[str, views.PositionView]:
        """Return what our fills add up to, by instrument."""
        engine = self.trader.engine
        return {
            views.bare(instrument): views.position_view(
                instrument, position, engine.risk.mark(instrument)
            )
            for account, instrument, position in engine.positions.items()
            if account == self.account
        }

    def fills(self, limit: int = KEPT) -> list[views.Execution]:
        """Return our latest fills of this run, newest first; at most 1,000 are kept."""
        return [views.execution(fill) for fill in islice(reversed(self._fills), limit)]

    async def history(self, limit: int = 100) -> list[views.Execution]:
        """Return our latest fills of all runs, newest first, from the journal if need be."""
        if limit <= len(self._fills):
            return self.fills(limit)
        records = await asyncio.to_thread(self.trader.journalled_fills, self.account, limit)
        by_key = {fill.fill_key: fill for fill in (*records, *self._fills)}
        return [views.execution(fill) for fill in islice(reversed(by_key.values()), limit)]

    def statistics(self) -> Mapping[str, int | str | bool]:
        """Return counters and states, for people and metrics."""
        return {**self.trader.statistics(self.account), **self._counted()}

    def _counted(self) -> Mapping[str, int]:
        counts = self._counts
        return {
            "orders_submitted": counts["orders"],
            "orders_filled": counts["filled"],
            "orders_cancelled": counts["canceled"] + counts["expired"],
            "orders_rejected": counts["Rejected"],
            "execution_messages_processed": counts["stream"],
            "active_orders_count": self.trader.engine.orders.open_count(self.account),
            "doubts_open": self.trader.engine.orders.doubts(self.account),
        }

    # --- inside --------------------------------------------------------------------------------

    def _name(self, instrument: str) -> str:
        return instrument if ":" in instrument else f"{self.venue}:{instrument}"

    def draft(self, wish: Wish) -> domain.Place:
        """Return the command that places a wish, under an id of its own."""
        more = wish.more
        limit, trigger = more.get("limit"), more.get("trigger")
        display = more.get("display_quantity")
        if wish.side not in ("buy", "sell"):
            raise UserError(f'side "{wish.side}": expected buy or sell')
        place = domain.Place(
            self.account,
            self._name(wish.instrument),
            more.get("client_order_id") or self.trader.next_id(),
            wish.side,
            _number(wish.quantity, "quantity"),
            None if limit is None else _number(limit, "limit"),
            more.get("order_type") or ("limit" if limit is not None else "market"),
            more.get("time_in_force", "gtc"),
            more.get("post_only", False),
            more.get("reduce_only", False),
            display_quantity=None if display is None else _number(display, "display_quantity"),
            trigger=None if trigger is None else domain.Trigger(_number(trigger, "trigger")),
            bound_ns=self.trader.bound_ns(self.account),
        )
        return self._marketable(place) if place.order_type == "market" else place

    def _marketable(self, place: domain.Place) -> domain.Place:
        """Where there are no market orders: an ioc order, as far off as our own collar lets it."""
        bps = self.trader.capabilities(self.account).market_bps
        if not bps:
            return place
        book = self.trader.engine.books[place.instrument]
        collar_bps = self.trader.engine.settings.accounts[self.account].limits.collar_bps
        reach = book.mid * min(bps, collar_bps or bps) // 10_000
        rules = book.instrument
        is_buy = place.side == "buy"
        price = (
            rules.floor_price(book.mid + reach) if is_buy else rules.ceil_price(book.mid - reach)
        )
        return structs.replace(place, price=price, order_type="limit", time_in_force="ioc")

    def _batches(self, places: list[domain.Place]) -> list[domain.Place | domain.PlaceBatch]:
        """Group by instrument, each group no longer than the venue takes."""
        size = max(self.trader.capabilities(self.account).max_place_batch, 1)
        groups: dict[str, list[domain.Place]] = {}
        for place in places:
            groups.setdefault(place.instrument, []).append(place)
        found: list[domain.Place | domain.PlaceBatch] = []
        for group in groups.values():
            for start in range(0, len(group), size):
                part = tuple(group[start : start + size])
                batch = domain.PlaceBatch(self.account, part, part[0].bound_ns)
                found.append(part[0] if len(part) == 1 else batch)
        return found

    def _cancel(self, client_order_id: str) -> domain.Cancel:
        order = self.trader.engine.orders.get(client_order_id)
        assert order is not None
        return domain.Cancel(self.account, client_order_id, order.venue_order_id, order.instrument)

    def _known(self, order: PlacedOrder) -> Any:
        found = self.trader.engine.orders.get(order.client_order_id)
        if found is None:
            raise UserError(f"order {order.client_order_id} is long over and no longer in memory")
        return found

    def _submit(self, command: domain.AnyCommand) -> int:
        """Hand a command over; its request's number, or `Refused`."""
        outcome = self.trader.submit(command)
        if isinstance(outcome, domain.Refused):
            raise Refused(outcome)
        return outcome.request_id

    def _follow(self, client_order_id: str) -> PlacedOrder:
        known = self._orders.get(client_order_id)
        if known is None:
            order = self.trader.engine.orders.get(client_order_id)
            assert order is not None
            known = self._orders[client_order_id] = PlacedOrder(self, order)
        return known

    async def _accepted(self, order: PlacedOrder) -> PlacedOrder:
        while order.status == "PENDING_NEW":
            await order.changed()
        if order.status == "REJECTED":
            raise Rejected(order.reason, was_sent=order.was_sent)
        return order

    async def _answer(self, order: PlacedOrder, request: int) -> AnyEvent | None:
        """Wait until a request about an order is settled or in doubt; its refusal, if any."""
        found = self._known(order)
        refusal: list[AnyEvent] = []

        def is_refusal(event: AnyEvent) -> bool:
            kinds = (domain.AmendRejected, domain.CancelRejected)
            if isinstance(event, kinds) and event.request_id == request:
                refusal.append(event)
            return False

        waiting = (is_refusal, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            while request in found.requests and not found.requests[request].is_doubtful:
                await order.changed()
        finally:
            self._waiting.remove(waiting)
        return refusal[0] if refusal else None


def _number(value: Number, what: str) -> int:
    """A user's number as fixed point; `UserError` with the fix for what cannot be taken."""
    try:
        return fixed.from_user(value, what)
    except (TypeError, ValueError) as error:
        raise UserError(str(error)) from None
