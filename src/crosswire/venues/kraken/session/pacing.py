"""The venue's two rate counters, modelled: what a request costs, and whether there is room.

Trading: one counter per account and instrument, shared by both transports. Most of a cost is
for the order's youth, so amends are cheap and quick cancels are dear. REST: one per key.
Counters decay continuously; they are kept in 10^-12 of a point, so that no fraction is
lost however often one looks.
"""

from collections.abc import Mapping

from msgspec import Struct

from crosswire.venues.kraken.session.open_orders import OpenOrder, OpenOrders

POINT = 1_000_000_000_000
_SECOND = 1_000_000_000
# (younger than so many seconds, points); age runs from creation or the last amend.
_AMEND_AGES = ((5, 3), (10, 2), (15, 1))
_CANCEL_AGES = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
# The amend itself included: (until this age in ns, cost).
_AMEND_COSTS = [(seconds * _SECOND, POINT + points * POINT) for seconds, points in _AMEND_AGES]
DEAREST = 8 * POINT  # to cancel one order


class Tier(Struct, frozen=True):
    """What one verification tier is granted; decays in thousandths of a point per second."""

    trading_max: int
    trading_decay: int
    open_orders: int  # per instrument
    rest_max: int
    rest_decay: int


TIERS = {
    "starter": Tier(60, 1_000, 60, 15, 330),
    "intermediate": Tier(125, 2_340, 80, 20, 500),
    "pro": Tier(180, 3_750, 225, 20, 1_000),
}


class Counter:
    """One decaying counter; thousandths of a point per second are 10^-12 of one per ns."""

    __slots__ = ("_at_ns", "_decay", "_value", "most")

    def __init__(self, most: int, decay: int) -> None:
        self.most = most * POINT
        self._decay = decay
        self._value = 0
        self._at_ns = 0

    def value(self, now_ns: int) -> int:
        """Return the counter in 10^-12 of a point."""
        if now_ns > self._at_ns:
            self._value = max(0, self._value - (now_ns - self._at_ns) * self._decay)
            self._at_ns = now_ns
        return self._value

    def has_room(self, cost: int, now_ns: int) -> bool:
        """Whether the venue would take a request of this cost now."""
        return self.value(now_ns) + cost <= self.most

    def add(self, cost: int, now_ns: int) -> None:
        """Count a request; the counter may go over its top by a quarter, and no further.

        The venue counts nothing that it refuses or that never arrived; we do, and cancels pressed
        into a dead connection must not silence us for longer than a full counter would.
        """
        value = self.value(now_ns) + cost
        self._value = max(0, min(value, self.most + self.most // 4))

    def take(self, cost: int, kept: int, now_ns: int) -> bool:
        """Count a request if that leaves `kept`, or a quarter of all; else count nothing.

        `value`, `has_room` and `add` in one, for the hot path.
        """
        value = self._value
        if now_ns > self._at_ns:
            value -= (now_ns - self._at_ns) * self._decay
            self._at_ns = now_ns
            if value < 0:
                value = 0
        left = self.most - value - cost
        if left < kept and left < self.most // 4:
            self._value = value
            return False
        self._value = value + cost
        return True

    def set(self, value: int, now_ns: int) -> None:
        """Take over what the venue says."""
        self._value = value
        self._at_ns = max(now_ns, self._at_ns)

    def fill(self, now_ns: int) -> None:
        """The venue says that it is full: believe it."""
        self.set(self.most, now_ns)

    def left(self, now_ns: int) -> int:
        """Return the whole points that are left."""
        return max(0, self.most - self.value(now_ns)) // POINT


class Lane(Struct, frozen=True):
    """What the hot path needs of one instrument, looked up once."""

    counter: Counter
    open_orders: Mapping[str, OpenOrder]  # a live view


class Pacing:
    """Both counters of one login."""

    def __init__(self, tier: str, orders: OpenOrders) -> None:
        name = tier or "starter"
        if name not in TIERS:
            raise ValueError(f'unknown tier "{tier}": expected one of {", ".join(TIERS)}')
        self.tier = TIERS[name]
        self.rest = Counter(self.tier.rest_max, self.tier.rest_decay)
        self._most = self.tier.trading_max
        self._trading: dict[str, Counter] = {}
        self.lanes: dict[str, Lane] = {}
        self._orders = orders

    def trading(self, instrument: str) -> Counter:
        """Return an instrument's counter."""
        found = self._trading.get(instrument)
        if found is None:
            found = self._trading[instrument] = Counter(self._most, self.tier.trading_decay)
        return found

    def lane(self, instrument: str) -> Lane:
        """Return an instrument's lane, kept in `lanes`."""
        lane = Lane(self.trading(instrument), self._orders.on(instrument))
        return self.lanes.setdefault(instrument, lane)

    def set_most(self, most: int) -> None:
        """Take over the threshold that the venue names in its answer to our subscription."""
        self._most = most
        for counter in self._trading.values():
            counter.most = most * POINT

    def amend_cost(self, key: str, now_ns: int) -> int:
        """Return the cost of amending an order now."""
        since_ns = self._orders.since_ns(key)
        return POINT if since_ns is None else amend_cost(now_ns - since_ns)

    def cancel_cost(self, key: str, now_ns: int) -> int:
        """Return the cost of cancelling an order now, alone or in a batch."""
        since_ns = self._orders.since_ns(key)
        return 0 if since_ns is None else _points(_CANCEL_AGES, now_ns - since_ns)

    def give_back(self, key: str, sent_ns: int, now_ns: int) -> None:
        """Take back what a cancel sent then was charged; the venue may know better, and says so."""
        order = self._orders.orders.get(key)
        if order is not None and order.is_pressed:
            order.is_pressed = False
            self.trading(order.instrument).add(-self.cancel_cost(key, sent_ns), now_ns)

    def may_add(self, instrument: str, count: int, now_ns: int) -> bool:
        """Whether `count` new orders leave room to cancel what is open, them included."""
        is_open = self._orders.count(instrument) + count
        if is_open > self.tier.open_orders:
            return False
        return self._has_room(instrument, add_cost(count), is_open, count * DEAREST, now_ns)

    def may_amend(self, instrument: str, key: str, now_ns: int) -> bool:
        """Whether an amend leaves room to cancel what is open: it makes its order young again."""
        is_open = self._orders.count(instrument)
        more = DEAREST - self.cancel_cost(key, now_ns)
        return self._has_room(instrument, self.amend_cost(key, now_ns), is_open, more, now_ns)

    def refused(self, instrument: str, now_ns: int) -> None:
        """The venue says the counter is full: believe it."""
        self.trading(instrument).fill(now_ns)

    def left(self, now_ns: int) -> int:
        """Return the points left on the fullest trading counter."""
        lefts = [counter.left(now_ns) for counter in self._trading.values()]
        return min(lefts, default=self._most)

    def _has_room(self, instrument: str, cost: int, is_open: int, more: int, now_ns: int) -> bool:
        """Whether a request fits beside the points kept back to cancel everything open.

        `is_open` orders will be; to cancel them costs `more` than what is open now does.
        At most a quarter of the counter is kept: beyond that a batch cancel, which the venue
        accepts even over the limit, does it. The ages are only looked at where it is tight.
        """
        counter = self.trading(instrument)
        left = counter.most - counter.value(now_ns) - cost
        most = counter.most // 4
        if left >= min(most, is_open * DEAREST):
            return True
        room = more
        for since_ns in self._orders.ages(instrument):
            room += _points(_CANCEL_AGES, now_ns - since_ns)
            if room > left:
                return False
        return left >= room


def add_cost(count: int) -> int:
    """Return the cost of new orders: one each, half in a batch."""
    return POINT if count == 1 else POINT * count // 2


def amend_cost(age_ns: int) -> int:
    """Return the cost of amending an order of this age."""
    for until_ns, cost in _AMEND_COSTS:
        if age_ns < until_ns:
            return cost
    return POINT


def _points(ages: tuple[tuple[int, int], ...], age_ns: int) -> int:
    for seconds, points in ages:
        if age_ns < seconds * _SECOND:
            return points * POINT
    return 0
