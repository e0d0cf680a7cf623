"""The matching engine against a trivially simple twin, in any run of commands."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import SelfTrade, Side, TimeInForce
from crosswire.sim.matching import Killed, MatchingEngine, Order
from tests.matching_orders import limit, trades

# --- the twin ----------------------------------------------------------------------------------


@dataclass
class Resting:
    id: str
    owner: str
    side: Side
    price: int
    left: int
    display: int
    shown: int
    filled: int
    place: int


SIDES: tuple[Side, Side] = ("buy", "sell")


class Twin:
    """A matcher too simple to be wrong: one list, sorted anew for every trade."""

    def __init__(self) -> None:
        self.orders: list[Resting] = []
        self.clock = 0

    def next_place(self) -> int:
        self.clock += 1
        return self.clock

    def makers(self, side: Side, price: int | None) -> list[Resting]:
        sign = 1 if side == "buy" else -1
        against = [
            one
            for one in self.orders
            if one.side != side and (price is None or sign * one.price <= sign * price)
        ]
        return sorted(against, key=lambda one: (sign * one.price, one.place))

    def place(self, order: Order) -> list[tuple[str, str, int, int]]:
        makers = self.makers(order.side, order.price)
        if order.post_only and makers:
            return []
        if order.time_in_force == "fok" and not self.fills(order, makers):
            return []
        return self.trade(order, order.quantity, 0, order.price)

    def fills(self, order: Order, makers: list[Resting]) -> bool:
        there = 0
        for maker in makers:
            own = order.self_trade is not None and maker.owner == order.owner
            if own and order.self_trade != "cancel_oldest":
                # Only what has gone before counts: the meeting ends the taker.
                break
            there += 0 if own else maker.left
        return there >= order.quantity

    def trade(
        self, order: Order, left: int, filled: int, price: int | None
    ) -> list[tuple[str, str, int, int]]:
        made: list[tuple[str, str, int, int]] = []
        while left and (makers := self.makers(order.side, price)):
            maker = makers[0]
            if order.self_trade is not None and maker.owner == order.owner:
                if order.self_trade != "cancel_newest":
                    self.orders.remove(maker)
                if order.self_trade != "cancel_oldest":
                    return made
                continue
            quantity = min(left, maker.shown)
            made.append((maker.id, order.id, maker.price, quantity))
            left, filled = left - quantity, filled + quantity
            maker.left -= quantity
            maker.shown -= quantity
            maker.filled += quantity
            if not maker.left:
                self.orders.remove(maker)
            elif not maker.shown:
                maker.shown = min(maker.display, maker.left)
                maker.place = self.next_place()
        if left and price is not None and order.time_in_force not in {"ioc", "fok"}:
            shown = min(order.display, left) if order.display else left
            place = self.next_place()
            self.orders.append(
                Resting(
                    order.id,
                    order.owner,
                    order.side,
                    price,
                    left,
                    order.display,
                    shown,
                    filled,
                    place,
                )
            )
        return made

    def amend(
        self, order: Order, one: Resting, quantity: int | None, price: int | None
    ) -> list[tuple[str, str, int, int]]:
        total = one.filled + one.left if quantity is None else quantity
        self.orders.remove(one)
        if total <= one.filled:
            return []
        if (price is None or price == one.price) and total <= one.filled + one.left:
            one.left = total - one.filled
            one.shown = min(one.shown, one.left)
            self.orders.append(one)
            return []
        where = one.price if price is None else price
        return self.trade(order, total - one.filled, one.filled, where)

    def levels(self, side: Side) -> list[tuple[int, int]]:
        prices = sorted({one.price for one in self.orders if one.side == side})
        found = [
            (p, sum(one.shown for one in self.orders if one.side == side and one.price == p))
            for p in prices
        ]
        return found[::-1] if side == "buy" else found


@dataclass(frozen=True)
class PlaceStep:
    owner: str
    side: Side
    quantity: int
    price: int | None
    display: int
    force: TimeInForce
    is_careful: bool
    prevention: SelfTrade | None


@dataclass(frozen=True)
class AmendStep:
    number: int
    quantity: int | None
    price: int | None


@dataclass(frozen=True)
class CancelStep:
    number: int


@dataclass(frozen=True)
class ClearStep:
    owner: str


Step = PlaceStep | AmendStep | CancelStep | ClearStep

owners = st.sampled_from(("ann", "bob", "cyd"))
sides: st.SearchStrategy[Side] = st.sampled_from(("buy", "sell"))
forces: st.SearchStrategy[TimeInForce] = st.sampled_from(("gtc", "gtc", "gtc", "ioc", "fok"))
preventions: st.SearchStrategy[SelfTrade | None] = st.sampled_from(
    (None, "cancel_newest", "cancel_oldest", "cancel_both")
)
places = st.builds(
    PlaceStep,
    owner=owners,
    side=sides,
    quantity=st.integers(1, 12),
    price=st.one_of(st.integers(96, 104), st.integers(98, 102), st.none()),
    display=st.sampled_from((0, 0, 1, 3)),
    force=forces,
    is_careful=st.booleans(),
    prevention=preventions,
)
amends = st.builds(
    AmendStep,
    number=st.integers(0, 30),
    quantity=st.none() | st.integers(1, 15),
    price=st.none() | st.integers(96, 104),
)
cancels = st.builds(CancelStep, number=st.integers(0, 30))
clears = st.builds(ClearStep, owner=owners)
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(places, places, places, amends, cancels, clears), max_size=60
)


class Both:
    """The engine and its twin, given the same commands."""

    def __init__(self) -> None:
        self.engine = MatchingEngine()
        self.twin = Twin()
        self.placed: dict[str, Order] = {}
        self.made: list[tuple[str, str, int, int]] = []

    def apply(self, step: Step) -> None:
        match step:
            case PlaceStep():
                self.place(step)
            case AmendStep():
                self.amend(step)
            case CancelStep(number):
                if self.twin.orders:
                    one = self.twin.orders.pop(number % len(self.twin.orders))
                    (killed,) = self.engine.cancel(one.id, 0)
                    assert killed == Killed(one.id, one.owner, "canceled", one.filled, one.left)
            case ClearStep(owner):
                gone = {one.id for one in self.twin.orders if one.owner == owner}
                self.twin.orders = [one for one in self.twin.orders if one.owner != owner]
                killed_all = self.engine.cancel_all(owner, 0)
                assert {one.order_id for one in killed_all if isinstance(one, Killed)} == gone

    def place(self, step: PlaceStep) -> None:
        order = limit(
            f"o{len(self.placed)}",
            step.owner,
            step.side,
            step.quantity,
            step.price,
            display=step.display,
            time_in_force=step.force,
            post_only=step.is_careful and step.price is not None and step.force == "gtc",
            self_trade=step.prevention,
        )
        self.placed[order.id] = order
        expected = self.twin.place(order)
        made = trades(self.engine.place(order, 0))
        assert made == expected
        self.made += made

    def amend(self, step: AmendStep) -> None:
        if not self.twin.orders:
            return
        one = self.twin.orders[step.number % len(self.twin.orders)]
        expected = self.twin.amend(self.placed[one.id], one, step.quantity, step.price)
        made = trades(self.engine.amend(one.id, 0, quantity=step.quantity, price=step.price))
        assert made == expected
        self.made += made

    def compare(self) -> None:
        engine = self.engine
        assert {one.id: (one.filled, one.shown) for one in self.twin.orders} == {
            order.id: (order.filled, order.shown) for order in engine.orders.values()
        }
        assert engine.top("buy", 99) == self.twin.levels("buy")
        assert engine.top("sell", 99) == self.twin.levels("sell")
        bid, ask = engine.best_bid(), engine.best_ask()
        assert bid is None or ask is None or bid[0] < ask[0]


@given(steps)
def test_the_engine_does_what_its_twin_does(commands: list[Step]) -> None:
    both = Both()
    for step in commands:
        both.apply(step)
        both.compare()


@given(steps)
def test_nothing_is_made_or_lost(commands: list[Step]) -> None:
    both = Both()
    for step in commands:
        both.apply(step)
    filled: dict[str, int] = {}
    for maker, taker, _, quantity in both.made:
        assert quantity > 0
        for one in (maker, taker):
            filled[one] = filled.get(one, 0) + quantity
    for order in both.placed.values():
        assert filled.get(order.id, 0) == order.filled <= order.quantity
    bought = sum(one.filled for one in both.placed.values() if one.side == "buy")
    sold = sum(one.filled for one in both.placed.values() if one.side == "sell")
    assert bought == sold


@given(steps, st.integers(1, 4))
def test_a_view_told_of_changes_alone_holds_the_best_levels(
    commands: list[Step], depth: int
) -> None:
    both = Both()
    view = both.engine.view(depth)
    held: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for step in commands:
        both.apply(step)
        for side, changed, mine in zip(SIDES, view.changes(), held, strict=True):
            best_last = 1 if side == "buy" else -1
            for price, quantity in changed:
                assert mine.get(price, 0) != quantity, "told of a level that did not change"
                assert not quantity or (price, quantity) in both.engine.top(side, depth)
                if quantity:
                    mine[price] = quantity
                else:
                    del mine[price]
            for price in sorted(mine, key=lambda p: p * best_last)[:-depth]:
                del mine[price]  # clients truncate
        for side, mine, told in zip(SIDES, held, view.snapshot(), strict=True):
            best = both.engine.top(side, depth)
            assert mine == dict(best)
            assert told == best
