"""Actions ready to be signed: msgpack and JSON side by side, put together from known pieces.

An order's shape is one of few; what changes is its numbers and its id. So both texts are spliced
from heads and tails made once per instrument, side and rule. The rare actions go through their
structs (`of`), which is the same form by another way: a test compares the two.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from crosswire.domain import Cancel, Place
from crosswire.venues.hyperliquid import canonical, wire
from crosswire.venues.hyperliquid.encode import rules
from crosswire.venues.hyperliquid.encode.digits import (
    number,
    numbers,
    packed_count,
    packed_int,
    packed_text,
    wire_number,
)
from crosswire.venues.hyperliquid.listings import Listing, Listings

E = TypeVar("E")
_KEPT = 4_096  # beginnings of plain orders: a few for each instrument
_TIFS = {"gtc": "Gtc", "ioc": "Ioc"}
_json = msgspec.json.Encoder().encode


class Action(Struct, frozen=True, gc=False):
    """One action: what is hashed, what is sent, and what it counts."""

    kind: str
    packed: bytes
    text: str
    weight: int = 1  # entries, which the address budget counts
    client_order_ids: tuple[str, ...] = ()  # of its entries, in order; "" where it named none
    is_fast: bool = False  # it holds neither GTC nor IOC orders: first in its block


class Replacement(Struct, frozen=True):
    """An order to go, by its number or else our id, and the new one that takes its place."""

    place: Place
    venue_order_id: str = ""
    client_order_id: str = ""


class _Shape(Struct, frozen=True):
    """What stands around the numbers of a plain order."""

    listing: Listing
    head: bytes
    text_head: str
    tail: bytes
    text_tail: str


def of(action: wire.AnyAction, weight: int = 1, client_order_ids: tuple[str, ...] = ()) -> Action:
    """Return an action given as its struct; `ValueError` if its spelling cannot be read."""
    ready = canonical.canonical(action)
    kind = str(type(ready).__struct_config__.tag)
    text = _json(ready).decode()
    return Action(kind, canonical.pack(ready), text, weight, client_order_ids)


class Actions:
    """Makes the actions of trading, from commands, for the instruments that are listed."""

    def __init__(self, listings: Listings) -> None:
        self.listings = listings
        self._shapes: dict[tuple[str, str, str, bool], _Shape] = {}

    def order(self, place: Place) -> Action:
        """Return one new order; `ValueError` for what the venue cannot do or would refuse."""
        packed, text = self._order(place)
        return Action(
            "order",
            b"\x83\xa4type\xa5order\xa6orders\x91%b\xa8grouping\xa2na" % packed,
            f'{{"type":"order","orders":[{text}],"grouping":"na"}}',
            1,
            (place.client_order_id,),
            place.post_only,
        )

    def orders(
        self,
        places: Sequence[Place],
        *,
        grouping: str | wire.Priority = "na",
        builder: wire.Builder | None = None,
    ) -> Action:
        """Return several new orders as one action, in the order given."""
        rules.check_count(places)
        parts = [self._order(place) for place in places]
        listed = packed_count(len(parts)) + b"".join([packed for packed, _ in parts])
        texts = ",".join([text for _, text in parts])
        extra, extra_text = b"", ""
        if builder is not None:
            builder = wire.Builder(canonical.address(builder.b), builder.f)
            extra = b"\xa7builder" + canonical.pack(builder)
            extra_text = f',"builder":{_json(builder).decode()}'
        return Action(
            "order",
            b"%b\xa4type\xa5order\xa6orders%b\xa8grouping%b%b"
            % (b"\x84" if extra else b"\x83", listed, canonical.pack(grouping), extra),
            f'{{"type":"order","orders":[{texts}],"grouping":{_json(grouping).decode()}'
            f"{extra_text}}}",
            len(parts),
            tuple([place.client_order_id for place in places]),
            all(place.post_only for place in places),
        )

    def batches(self, places: Sequence[Place]) -> list[Action]:
        """Return new orders as few actions: post-only ones apart, at most 200 each.

        A block runs actions without GTC and IOC orders first: a post-only order in their
        company would wait with them.
        """
        resting = [place for place in places if place.post_only]
        taking = [place for place in places if not place.post_only]
        return [self.orders(part) for kind in (resting, taking) for part in _parts(kind)]

    def bracket(self, parent: Place, children: Sequence[Place]) -> Action:
        """Return an order and the take-profit and stop that wait for it to fill."""
        rules.require(parent.trigger is None, "the parent of a bracket has no trigger")
        self._check_children(children)
        return self.orders([parent, *children], grouping="normalTpsl")

    def position_bracket(self, children: Sequence[Place]) -> Action:
        """Return the take-profit and stop of a whole position, whatever becomes of its size."""
        self._check_children(children)
        return self.orders(children, grouping="positionTpsl")

    def replace(self, replacements: Sequence[Replacement], *, always_place: bool = False) -> Action:
        """Return a batchModify: each order goes and a new one, with its own id, takes its place.

        Unless `always_place`, the new one must be post-only: the venue would make it so.
        """
        rules.check_count(replacements)
        packed, texts = [], []
        for each in replacements:
            rules.require(
                always_place or (each.place.post_only and each.place.trigger is None),
                "what replaces an order is post-only, unless it is always to be placed",
            )
            key, key_text = _key(each.venue_order_id, each.client_order_id)
            order, order_text = self._order(each.place)
            packed.append(b"\x82\xa3oid%b\xa5order%b" % (key, order))
            texts.append(f'{{"oid":{key_text},"order":{order_text}}}')
        flag, flag_text = (b"\xa1a\xc3", ',"a":true') if always_place else (b"", "")
        return Action(
            "batchModify",
            b"%b\xa4type\xabbatchModify\xa8modifies%b%b%b"
            % (
                b"\x83" if always_place else b"\x82",
                packed_count(len(packed)),
                b"".join(packed),
                flag,
            ),
            f'{{"type":"batchModify","modifies":[{",".join(texts)}]{flag_text}}}',
            len(packed),
            tuple([each.place.client_order_id for each in replacements]),
            not always_place,
        )

    def move(self, place: Place) -> Action:
        """Return one new order in the place of the one it names; `replace` does it for many."""
        key, key_text = _key(place.replaces_venue_id, place.replaces)
        order, text = self._order(place)
        size, flag, flag_text = (
            (b"\x82", b"", "") if place.post_only else (b"\x83", b"\xa1a\xc3", ',"a":true')
        )
        return Action(
            "batchModify",
            b"%b\xa4type\xabbatchModify\xa8modifies\x91\x82\xa3oid%b\xa5order%b%b"
            % (size, key, order, flag),
            f'{{"type":"batchModify","modifies":[{{"oid":{key_text},"order":{text}}}]{flag_text}}}',
            1,
            (place.client_order_id,),
            place.post_only,
        )

    def cancels(self, cancels: Sequence[Cancel]) -> list[Action]:
        """Return cancels as few actions: those by number apart from those by our id."""
        for cancel in cancels:
            rules.check_cancel(cancel)
        by_number = [cancel for cancel in cancels if cancel.venue_order_id]
        by_own = [cancel for cancel in cancels if not cancel.venue_order_id]
        made = [self._cancel(part) for part in _parts(by_number)]
        return made + [self._cancel_by_cloid(part) for part in _parts(by_own)]

    def schedule_cancel(self, timeout_ns: int, now_ns: int) -> Action:
        """Return the dead-man timer, on the venue's clock; 0 disarms."""
        if timeout_ns == 0:
            return of(wire.ScheduleCancelAction())
        rules.require(
            timeout_ns >= rules.MIN_SCHEDULE_NS, "a scheduled cancel lies 5 s ahead or more"
        )
        return of(wire.ScheduleCancelAction(-(-(now_ns + timeout_ns) // 1_000_000)))

    def update_leverage(self, instrument: str, leverage: int, *, is_cross: bool) -> Action:
        """Return the change of a perp's leverage."""
        rules.require(leverage >= 1, f"a leverage of {leverage}")
        return of(wire.UpdateLeverageAction(self._listing(instrument).asset, is_cross, leverage))

    def twap(self, place: Place, minutes: int, *, is_random: bool = False) -> Action:
        """Return an order that the venue slices over 5 minutes to a day; its price is not sent."""
        listing = self._listing(place.instrument)
        rules.check_quantity(listing.instrument, place.quantity)
        rules.require(5 <= minutes <= 1440, f"a twap of {minutes} minutes: 5 to 1440")
        size = wire_number(place.quantity)
        side = place.side == "buy"
        twap = wire.TwapWire(listing.asset, side, size, place.reduce_only, minutes, is_random)
        return of(wire.TwapOrderAction(twap))

    def cancel_twap(self, instrument: str, twap_id: int) -> Action:
        """Return the end of a twap."""
        return of(wire.TwapCancelAction(self._listing(instrument).asset, twap_id))

    def _listing(self, instrument: str) -> Listing:
        found = self.listings.by_id.get(instrument)
        if found is None:
            raise ValueError(f'"{instrument}" is not listed')
        return found

    def _check_children(self, children: Sequence[Place]) -> None:
        for child in children:
            rules.require(
                child.trigger is not None and child.reduce_only,
                "what waits for a position is triggered and reduce-only",
            )

    def _order(self, place: Place) -> tuple[bytes, str]:
        """Return one order as msgpack and JSON."""
        if not rules.is_plain(place):
            return self._odd_order(place)
        rule = "Alo" if place.post_only else _TIFS[place.time_in_force]
        key = (place.instrument, place.side, rule, place.reduce_only)
        shape = self._shapes.get(key) or self._shape(key)
        own_id, price, quantity = place.client_order_id, place.price or 0, place.quantity
        if not rules.is_right(shape.listing.instrument, place):
            rules.check_numbers(shape.listing.instrument, place)
            rules.check_own_id(own_id)
        price_text, price_packed = numbers.get(price) or number(price)
        size_text, size_packed = numbers.get(quantity) or number(quantity)
        packed = b"%b%b\xa1s%b%b%b" % (
            shape.head, price_packed, size_packed, shape.tail, own_id.encode(),
        )  # fmt: skip
        text = f'{shape.text_head}{price_text}","s":"{size_text}{shape.text_tail}{own_id}"}}'
        return packed, text

    def _shape(self, key: tuple[str, str, str, bool]) -> _Shape:
        """Make the pieces of one kind of plain order; its listing may have been renewed."""
        instrument, side, tif, reduces = key
        listing = self._listing(instrument)
        flag, word = (b"\xc3", "true") if side == "buy" else (b"\xc2", "false")
        reduce, reduce_word = (b"\xc3", "true") if reduces else (b"\xc2", "false")
        shape = _Shape(
            listing,
            b"\x87\xa1a%b\xa1b%b\xa1p" % (packed_int(listing.asset), flag),
            f'{{"a":{listing.asset},"b":{word},"p":"',
            b"\xa1r%b\xa1t\x81\xa5limit\x81\xa3tif%b\xa1c\xd9\x220x" % (reduce, packed_text(tif)),
            f'","r":{reduce_word},"t":{{"limit":{{"tif":"{tif}"}}}},"c":"0x',
        )
        if len(self._shapes) >= _KEPT:
            self._shapes.clear()
        self._shapes[key] = shape
        return shape

    def relist(self) -> None:
        """Forget what was made of the listings: they were read again, and ids may have moved."""
        self._shapes.clear()

    def _odd_order(self, place: Place) -> tuple[bytes, str]:
        """Return an order with a trigger, or of a type that is spelled otherwise here."""
        rules.check_place(place)
        listing = self._listing(place.instrument)
        rules.check_numbers(listing.instrument, place)
        rules.check_own_id(place.client_order_id)
        if place.trigger is not None:
            tpsl, is_market = rules.TRIGGERED[place.order_type]
            price = wire_number(place.trigger.price)
            kind = wire.OrderKind(trigger=wire.TriggerKind(is_market, price, tpsl))
        else:
            tif = "Alo" if place.post_only else _TIFS[place.time_in_force]
            kind = wire.OrderKind(limit=wire.LimitKind(tif))
        order = wire.OrderWire(
            listing.asset,
            place.side == "buy",
            wire_number(place.price or 0),
            wire_number(place.quantity),
            place.reduce_only,
            kind,
            "0x" + place.client_order_id,
        )
        return canonical.pack(order), _json(order).decode()

    def _cancel(self, cancels: Sequence[Cancel]) -> Action:
        pairs = [
            (self._listing(each.instrument).asset, int(each.venue_order_id)) for each in cancels
        ]
        packed = [b"\x82\xa1a%b\xa1o%b" % (packed_int(a), packed_int(o)) for a, o in pairs]
        texts = ",".join([f'{{"a":{asset},"o":{number_}}}' for asset, number_ in pairs])
        listed = packed_count(len(packed)) + b"".join(packed)
        return Action(
            "cancel",
            b"\x82\xa4type\xa6cancel\xa7cancels" + listed,
            f'{{"type":"cancel","cancels":[{texts}]}}',
            len(packed),
            tuple([each.client_order_id for each in cancels]),
            is_fast=True,
        )

    def _cancel_by_cloid(self, cancels: Sequence[Cancel]) -> Action:
        pairs = [(self._listing(each.instrument).asset, each.client_order_id) for each in cancels]
        packed = [
            b"\x82\xa5asset%b\xa5cloid\xd9\x220x%b" % (packed_int(asset), own_id.encode())
            for asset, own_id in pairs
        ]
        texts = ",".join([f'{{"asset":{asset},"cloid":"0x{own_id}"}}' for asset, own_id in pairs])
        listed = packed_count(len(packed)) + b"".join(packed)
        return Action(
            "cancelByCloid",
            b"\x82\xa4type\xadcancelByCloid\xa7cancels" + listed,
            f'{{"type":"cancelByCloid","cancels":[{texts}]}}',
            len(packed),
            tuple([own_id for _, own_id in pairs]),
            is_fast=True,
        )


def noop() -> Action:
    """Return an action that only uses up its nonce."""
    return of(wire.NoopAction())


def _parts(entries: Sequence[E]) -> list[Sequence[E]]:
    return [
        entries[first : first + rules.MAX_BATCH]
        for first in range(0, len(entries), rules.MAX_BATCH)
    ]


def _key(venue_order_id: str, client_order_id: str) -> tuple[bytes, str]:
    """Return which order is meant, as msgpack and JSON."""
    if venue_order_id:
        if not venue_order_id.isdecimal():
            raise ValueError(f'"{venue_order_id}" is not an order number')
        number_ = int(venue_order_id)
        return packed_int(number_), str(number_)
    rules.check_own_id(client_order_id)
    return b"\xd9\x220x" + client_order_id.encode(), f'"0x{client_order_id}"'
