"""Commands -> REST calls. All numbers are text here, and `BTC/USD` names a pair as well.

REST reads a signed price as relative to the market, so a sign is written only where an
offset is meant. Unknown parameters are ignored silently by the venue: nothing is sent that
its documentation does not list. What the venue cannot do raises `ValueError`.
"""

from collections.abc import Mapping, Sequence
from json import dumps
from urllib.parse import quote, urlencode

from msgspec import Struct

from crosswire.domain import Amend, Cancel, ConditionalClose, Place, PriceUnit
from crosswire.venues.kraken.encode import rules
from crosswire.venues.kraken.encode.digits import number, stamp_ms, texts
from crosswire.venues.kraken.encode.frames import instrument_name
from crosswire.venues.kraken.signing import FORM, JSON

Fields = dict[str, str]
_SECOND = 1_000_000_000
_KEPT = 4_096  # beginnings of plain orders: a few for each instrument
_heads: dict[tuple[str, str, str], str] = {}
_FLAGS = {"base": "fcib", "quote": "fciq"}


class Call(Struct, frozen=True):
    """A private call before it has its nonce: a form, or the members of a JSON object."""

    name: str
    text: str = ""
    content: str = FORM

    @property
    def path(self) -> str:
        """Where it is posted, and what its signature covers."""
        return f"/0/private/{self.name}"

    def body(self, nonce: int) -> bytes:
        """Return the exact bytes to sign and send."""
        if self.content == JSON:
            return f'{{"nonce":"{nonce}",{self.text}}}'.encode()
        return f"nonce={nonce}&{self.text}".encode() if self.text else b"nonce=%d" % nonce


def add_order(place: Place, *, now_ns: int, deadline_ns: int = 0, tag: int = 0) -> Call:
    """Return AddOrder; `now_ns` and `deadline_ns` are the venue's clock."""
    if rules.is_plain(place) and not tag:
        return Call("AddOrder", _plain(place, deadline_ns))
    fields = _order(place, now_ns, tag)
    fields["pair"] = instrument_name(place.instrument)
    if deadline_ns:
        fields["deadline"] = stamp_ms(deadline_ns)
    if place.validate:
        fields["validate"] = "true"
    return Call("AddOrder", urlencode(fields))


def add_order_batch(places: Sequence[Place], *, now_ns: int, deadline_ns: int = 0) -> Call:
    """Return AddOrderBatch: 2 to 15 new orders of one instrument."""
    rules.check_batch(places)
    orders = [_order(place, now_ns) for place in places]
    members: dict[str, object] = {"pair": instrument_name(places[0].instrument), "orders": orders}
    if deadline_ns:
        members["deadline"] = stamp_ms(deadline_ns)
    if places[0].validate:
        members["validate"] = True
    return _json("AddOrderBatch", members)


def amend_order(amend: Amend, *, deadline_ns: int = 0) -> Call:
    """Return AmendOrder."""
    rules.check_amend(amend)
    fields = _which(amend.venue_order_id, amend.client_order_id)
    for name, value in (
        ("order_qty", amend.quantity),
        ("limit_price", amend.price),
        ("display_qty", amend.display_quantity),
        ("trigger_price", amend.trigger_price),
    ):
        if value is not None:
            fields[name] = number(value)
    if amend.post_only:
        fields["post_only"] = "true"
    if deadline_ns:
        fields["deadline"] = stamp_ms(deadline_ns)
    return Call("AmendOrder", urlencode(fields))


def edit_order(amend: Amend, *, deadline_ns: int = 0) -> Call:
    """Return EditOrder: cancel and replace, by the venue's id only."""
    rules.check_edit(amend)
    fields = {"txid": amend.venue_order_id, "pair": instrument_name(amend.instrument)}
    for name, value in (
        ("volume", amend.quantity),
        ("price", amend.price),
        ("displayvol", amend.display_quantity),
    ):
        if value is not None:
            fields[name] = number(value)
    if amend.post_only:
        fields["oflags"] = "post"
    if deadline_ns:
        fields["deadline"] = stamp_ms(deadline_ns)
    return Call("EditOrder", urlencode(fields))


def cancel_order(cancel: Cancel) -> Call:
    """Return CancelOrder."""
    rules.check_cancel(cancel)
    fields = _which(cancel.venue_order_id, cancel.client_order_id)
    return Call("CancelOrder", urlencode(fields))


def cancel_order_batch(cancels: Sequence[Cancel]) -> Call:
    """Return CancelOrderBatch: 2 to 50 orders."""
    rules.check_cancels(cancels)
    members: dict[str, object] = {}
    if by_venue := [cancel.venue_order_id for cancel in cancels if cancel.venue_order_id]:
        members["orders"] = by_venue
    if by_own := [cancel.client_order_id for cancel in cancels if not cancel.venue_order_id]:
        members["cl_ord_ids"] = [{"cl_ord_id": own_id} for own_id in by_own]
    return _json("CancelOrderBatch", members)


def cancel_all() -> Call:
    """Return CancelAll."""
    return Call("CancelAll")


def cancel_all_orders_after(timeout_ns: int) -> Call:
    """Return CancelAllOrdersAfter, in whole seconds, rounded up; 0 disarms."""
    return Call("CancelAllOrdersAfter", f"timeout={rules.timeout_seconds(timeout_ns)}")


def websockets_token() -> Call:
    """Return GetWebSocketsToken."""
    return Call("GetWebSocketsToken")


def open_orders(client_order_id: str = "") -> Call:
    """Return OpenOrders, narrowed to one order where an id is given."""
    return Call("OpenOrders", urlencode(_own(client_order_id)))


def closed_orders(client_order_id: str = "", *, since_ns: int = 0, offset: int = 0) -> Call:
    """Return one page of ClosedOrders, newest first."""
    return Call("ClosedOrders", urlencode({**_own(client_order_id), **_page(since_ns, offset)}))


def trades_history(*, since_ns: int = 0, offset: int = 0) -> Call:
    """Return one page of TradesHistory, newest first."""
    return Call("TradesHistory", urlencode(_page(since_ns, offset)))


def balance_ex() -> Call:
    """Return BalanceEx."""
    return Call("BalanceEx")


def _json(name: str, members: Mapping[str, object]) -> Call:
    return Call(name, dumps(members, separators=(",", ":"))[1:-1], JSON)


def _which(venue_order_id: str, client_order_id: str) -> Fields:
    return {"txid": venue_order_id} if venue_order_id else {"cl_ord_id": client_order_id}


def _own(client_order_id: str) -> Fields:
    if client_order_id:
        rules.check_own_id(client_order_id)
    return {"cl_ord_id": client_order_id} if client_order_id else {}


def start_seconds(since_ns: int) -> int:
    """Return the `start` after which a history holds all from `since_ns` on; 0 = no start.

    The venue takes whole seconds and leaves out the moment itself.
    """
    return max(0, since_ns - 1) // _SECOND


def _page(since_ns: int, offset: int) -> Fields:
    fields = {"ofs": str(offset)}
    if start := start_seconds(since_ns):
        fields["start"] = str(start)
    return fields


def _order(place: Place, now_ns: int, tag: int = 0) -> Fields:
    rules.check_place(place, now_ns)
    is_position = place.margin or place.order_type == "settle_position"
    rules.require(not is_position, "margin orders go by WebSocket: REST wants a leverage number")
    volume = place.quantity if place.cash_quantity is None else place.cash_quantity
    fields = {
        "ordertype": place.order_type.replace("_", "-"),
        "type": place.side,
        "volume": number(volume),
        **_prices(place),
        **_options(place),
    }
    if place.close is not None:
        fields |= _close(place.close)
    if place.close is None and not tag:
        fields["cl_ord_id"] = place.client_order_id
    else:
        rules.check_tag(place, tag)
        if tag:
            fields["userref"] = str(tag)
    return fields


def _plain(place: Place, deadline_ns: int) -> str:
    """Return the form of a plain limit order without any detour: by REST it may be urgent."""
    rule = "post" if place.post_only else place.time_in_force
    key = (place.instrument, place.side, rule)
    head = _heads.get(key)
    if head is None:
        if len(_heads) >= _KEPT:
            _heads.clear()
        flags = "&oflags=post" if place.post_only else ""
        pair = quote(instrument_name(place.instrument), safe="")
        lasting = place.time_in_force.upper()
        head = f"ordertype=limit&type={place.side}&pair={pair}&timeinforce={lasting}{flags}&volume="
        _heads[key] = head
    until = f"&deadline={stamp_ms(deadline_ns).replace(':', '%3A')}" if deadline_ns else ""
    quantity, price = place.quantity, place.price or 0
    return (
        f"{head}{texts.get(quantity) or number(quantity)}"
        f"&price={texts.get(price) or number(price)}"
        f"&cl_ord_id={place.client_order_id}{until}"
    )


def _prices(place: Place) -> Fields:
    """`price` is the limit, or the trigger of a triggered order, whose limit is `price2`."""
    fields = {}
    if place.trigger is not None:
        fields["price"] = _price(place.trigger.price, place.trigger.unit)
        fields["trigger"] = place.trigger.reference
    if place.price is not None:
        name = "price" if place.trigger is None else "price2"
        fields[name] = _price(place.price, place.price_unit)
    return fields


def _price(value: int, unit: PriceUnit) -> str:
    if unit == "static":
        return number(value)
    sign = "+" if value >= 0 else ""
    return f"{sign}{number(value)}{'%' if unit == 'percent' else ''}"


def _options(place: Place) -> Fields:
    fields: Fields = {}
    flags = ["post"] if place.post_only else []
    if place.fee_asset:
        flags.append(_FLAGS[place.fee_asset])
    if place.cash_quantity is not None:
        flags.append("viqc")
    if flags:
        fields["oflags"] = ",".join(flags)
    if place.order_type != "market" or place.time_in_force != "gtc":
        fields["timeinforce"] = place.time_in_force.upper()
    if place.display_quantity is not None:
        fields["displayvol"] = number(place.display_quantity)
    if place.expire_ns:
        fields["expiretm"] = str(place.expire_ns // _SECOND)
    if place.start_ns:
        fields["starttm"] = str(place.start_ns // _SECOND)
    if place.reduce_only:
        fields["reduce_only"] = "true"
    if place.self_trade:
        fields["stptype"] = place.self_trade.replace("_", "-")
    return fields


def _close(close: ConditionalClose) -> Fields:
    rules.check_close(close)
    fields = {"close[ordertype]": close.order_type.replace("_", "-")}
    if close.trigger is not None:
        fields["close[price]"] = _price(close.trigger.price, close.trigger.unit)
    if close.price is not None:
        name = "close[price]" if close.trigger is None else "close[price2]"
        fields[name] = _price(close.price, close.price_unit)
    return fields
