"""A handle follows an order through replacements, in whatever order the news comes."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest

from crosswire.app.errors import UserError
from crosswire.app.placed import PlacedOrder
from crosswire.app.views import Update
from crosswire.domain import (
    Accepted,
    AnyEvent,
    CancelAccepted,
    CancelRejected,
    Closed,
    Filled,
    Rejected,
    TimedOut,
)
from crosswire.fixed import parse
from crosswire.orders import Orders
from tests.samples import ACCOUNT, BTC, S, approved, place, sent

if TYPE_CHECKING:
    from crosswire.app.client import Client


class Rig:
    """An order of 10 at 100, live as "a", and its handle; events are told by hand."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.moves: list[tuple[str, str]] = []
        self.number = 0
        self.send(place("a", quantity="10", post_only=True))
        self.orders.apply(Accepted(S, ACCOUNT, "a", "Va", 1))
        order = self.orders.get("a")
        assert order is not None
        self.handle = PlacedOrder(cast("Client", self), order)
        self.told: list[Update] = []
        self.follower = cast("Any", aiter(self.handle))
        self.drain()

    def succeeded(self, _order: PlacedOrder, old: str, new: str) -> None:
        self.moves.append((old, new))

    def send(self, command: Any) -> None:
        self.number += 1
        self.orders.register(approved(command, self.number))
        self.orders.apply(sent(self.number, command.client_order_id))

    def amend(self, name: str, limit: str | None = None, quantity: str | None = None) -> int:
        """Send a replacement, and return its request's number."""
        price = None if limit is None else parse(limit)
        total = None if quantity is None else parse(quantity)
        self.send(self.handle.successor(name, price, total, 9 * S))
        order = self.orders.get(name)
        assert order is not None
        self.handle.expect(order)
        return self.number

    def tell(self, *events: AnyEvent) -> None:
        for event in events:
            self.orders.apply(event)
            self.handle.notice()
            self.drain()

    def drain(self) -> None:
        self.told += self.follower.updates
        self.follower.updates.clear()

    def story(self) -> list[tuple[str, str]]:
        return [(update.client_order_id, update.status) for update in self.told]


def fill(name: str, quantity: str, price: str = "100") -> Filled:
    amount, venue_id = parse(quantity), f"V{name}"
    key = f"{name}-{quantity}"
    return Filled(S, ACCOUNT, name, venue_id, BTC, "buy", parse(price), amount, key, 0, "USD")


def accepted(name: str, request: int) -> Accepted:
    return Accepted(S, ACCOUNT, name, f"V{name}", request)


def ended(name: str, filled: str = "0") -> Closed:
    return Closed(S, ACCOUNT, name, f"V{name}", "canceled", parse(filled))


def test_it_goes_over_once_the_new_order_is_known_to_live() -> None:
    rig = Rig()
    request = rig.amend("b", limit="99")
    assert (rig.handle.client_order_id, rig.handle.is_done) == ("a", False)
    rig.tell(accepted("b", request), CancelAccepted(S, ACCOUNT, "a", "Va", request), ended("a"))
    assert (rig.handle.client_order_id, rig.handle.venue_order_id) == ("b", "Vb")
    assert (rig.handle.price, rig.handle.quantity) == (Decimal(99), Decimal(10))
    assert rig.moves == [("a", "b")]
    assert rig.story() == [("a", "OPEN"), ("b", "OPEN"), ("a", "CANCELED")]
    assert rig.told[-1].replaced_by == "b"


def test_the_new_order_keeps_what_the_old_one_was() -> None:
    rig = Rig()
    made = rig.handle.successor("b", None, parse("12"), 9 * S)
    assert (made.replaces, made.replaces_venue_id) == ("a", "Va")
    assert (made.price, made.quantity, made.post_only) == (parse("100"), parse("12"), True)


@pytest.mark.parametrize("is_end_first", [True, False])
def test_the_old_ones_end_is_not_the_handles(is_end_first: bool) -> None:
    rig = Rig()
    request = rig.amend("b", limit="99")
    news: list[AnyEvent] = [ended("a"), accepted("b", request)]
    for event in news if is_end_first else reversed(news):
        assert not rig.handle.is_done
        rig.tell(event)
    assert (rig.handle.client_order_id, rig.handle.status) == ("b", "OPEN")
    assert rig.story().count(("a", "CANCELED")) == 1


def test_what_was_filled_before_counts_however_often_it_is_amended() -> None:
    rig = Rig()
    rig.tell(fill("a", "3", "100"))
    request = rig.amend("b", limit="99")
    assert [order.quantity for order in rig.orders] == [parse("10"), parse("7")]
    rig.tell(accepted("b", request), fill("a", "1", "100"), ended("a", "4"))
    assert (rig.handle.quantity, rig.handle.filled) == (Decimal(11), Decimal(4)), "it filled more"
    request = rig.amend("c", quantity="10")
    rig.tell(accepted("c", request), ended("b"), fill("c", "6", "95"))
    assert (rig.handle.status, rig.handle.filled) == ("FILLED", Decimal(10))
    assert rig.handle.average_price == Decimal(97)
    assert rig.told[-1].filled == Decimal(10)
    assert rig.moves == [("a", "b"), ("b", "c")]


def test_a_refusal_leaves_it_on_the_old_order() -> None:
    rig = Rig()
    request = rig.amend("b", limit="99")
    rig.tell(
        Rejected(S, ACCOUNT, "b", "", request, "Cannot modify"),
        CancelRejected(S, ACCOUNT, "a", "Va", request, "Cannot modify", is_unknown_order=True),
    )
    assert (rig.handle.client_order_id, rig.handle.expected) == ("a", None)
    rig.tell(fill("a", "10"))
    assert (rig.handle.status, rig.handle.is_done) == ("FILLED", True)


def test_half_done_is_the_end() -> None:
    rig = Rig()
    request = rig.amend("b", limit="99")
    rig.tell(Rejected(S, ACCOUNT, "b", "", request, "would take"), ended("a"))
    assert (rig.handle.status, rig.handle.is_done) == ("CANCELED", True)


@pytest.mark.parametrize("does_live", [True, False])
def test_in_doubt_it_is_neither_done_nor_over(does_live: bool) -> None:
    rig = Rig()
    request = rig.amend("b", limit="99")
    rig.tell(TimedOut(S, ACCOUNT, request, "silence", ("b", "a"), "place"))
    assert rig.handle.is_in_doubt
    with pytest.raises(UserError, match="the last one is in doubt"):
        rig.handle.successor("c", parse("98"), None, 9 * S)
    if does_live:
        rig.tell(Accepted(S, ACCOUNT, "b", "Vb", 0, "stream"), ended("a"))
        assert (rig.handle.client_order_id, rig.handle.is_in_doubt) == ("b", False)
    else:
        rig.tell(Rejected(S, ACCOUNT, "b", "", request, "used up", is_final=True))
        assert (rig.handle.client_order_id, rig.handle.expected) == ("a", None)


def test_who_waits_for_the_answer_is_woken() -> None:
    async def story() -> None:
        rig = Rig()
        request = rig.amend("b", limit="99")
        waiting = asyncio.ensure_future(rig.handle.arrived())
        await asyncio.sleep(0)
        assert not waiting.done()
        rig.tell(accepted("b", request))
        await waiting
        assert rig.handle.client_order_id == "b"

    asyncio.run(story())


def test_what_is_filled_is_not_wanted_again() -> None:
    rig = Rig()
    rig.tell(fill("a", "3"))
    with pytest.raises(UserError, match="3 is filled already"):
        rig.handle.successor("b", None, parse("3"), 9 * S)


def test_only_a_limit_order_is_replaced() -> None:
    rig = Rig()
    rig.handle._order.order_type = "stop_loss"
    with pytest.raises(UserError, match="a stop_loss order cannot be replaced"):
        rig.handle.successor("b", parse("99"), None, 9 * S)
