"""Commands -> WebSocket frames. Numbers are spliced in as exact JSON numbers.

The venue refuses numbers in quotes and reads floats as what they are, so a frame is put
together as text: prefixes are made once per instrument, side and rule, the token is spliced in
at the end. Everything that is not a number or one of the venue's own words is checked or
escaped. What the venue cannot do raises `ValueError`.
"""

from collections.abc import Sequence
from json import dumps

from crosswire.domain import Amend, Cancel, ConditionalClose, Place, Trigger
from crosswire.venues.kraken.encode import rules
from crosswire.venues.kraken.encode.digits import number, stamp, stamp_ms, texts

_ADD_ORDER = '{"method":"add_order","params":{'
_AMEND_ORDER = '{"method":"amend_order","params":{'
_POST_ONLY = ',"post_only":true'
_KEPT = 4_096  # orders whose amends were begun
PRICE_UNITS = {"static": "static", "percent": "pct", "quote": "quote"}


class Frames:
    """Encodes for one login. The token never shows in its text.

    `plain_order` and `plain_amend` are for the hot path: the same bytes without a detour.
    """

    def __init__(self, token: str = "") -> None:
        self._plain_heads: dict[tuple[str, str, str, bool], str] = {}
        self._heads: dict[tuple[str, str, str], str] = {}
        self._amended: dict[str, str] = {}  # beginnings of amends by the venue's id
        self.token = token

    @property
    def token(self) -> str:
        """The token that is spliced into every private request."""
        return self._token

    @token.setter
    def token(self, token: str) -> None:
        self._token = token
        self._tail = f',"token":{dumps(token)}}},"req_id":'

    def __repr__(self) -> str:
        return "Frames(***)"

    def add_order(
        self, place: Place, request_id: int, *, now_ns: int, deadline_ns: int = 0, tag: int = 0
    ) -> bytes:
        """Return the frame of a new order; `tag` (order_userref) stands in for our id.

        `now_ns` and `deadline_ns` are the venue's clock.
        """
        fields = self._order(place, now_ns, tag=tag)
        until = f',"deadline":"{stamp_ms(deadline_ns)}"' if deadline_ns else ""
        return f"{_ADD_ORDER}{fields}{until}{self._tail}{request_id}}}".encode()

    def plain_order(self, place: Place, request_id: int, deadline_ns: int) -> bytes | None:
        """Return what `add_order` does for a plain limit order, None for any other."""
        if not rules.is_plain(place):
            return None
        instrument, side = place.instrument, place.side
        rule = "post" if place.post_only else place.time_in_force
        head = self._heads.get((instrument, side, rule))
        if head is None:
            if not instrument.partition(":")[2]:
                return None  # `add_order` says what is wrong with it
            head = _ADD_ORDER + self._plain_head(place, is_alone=True)
            self._heads[instrument, side, rule] = head
        quantity, price = place.quantity, place.price or 0
        return (
            f"{head}{texts.get(quantity) or number(quantity)}"
            f',"limit_price":{texts.get(price) or number(price)}'
            f',"cl_ord_id":"{place.client_order_id}","deadline":"{stamp_ms(deadline_ns)}"'
            f"{self._tail}{request_id}}}"
        ).encode()

    def batch_add(
        self, places: Sequence[Place], request_id: int, *, now_ns: int, deadline_ns: int = 0
    ) -> bytes:
        """Return the frame of 2 to 15 new orders of one instrument."""
        rules.check_batch(places)
        symbol = f'"symbol":{dumps(instrument_name(places[0].instrument))}'
        orders = (self._order(place, now_ns, is_alone=False) for place in places)
        checked = ',"validate":true' if places[0].validate else ""
        until = f',"deadline":"{stamp_ms(deadline_ns)}"' if deadline_ns else ""
        items = "},{".join(orders)
        body = f'{symbol},"orders":[{{{items}}}]{checked}{until}'
        return f'{{"method":"batch_add","params":{{{body}{self._tail}{request_id}}}'.encode()

    def _order(self, place: Place, now_ns: int, *, tag: int = 0, is_alone: bool = True) -> str:
        """Return an order's fields, those of a plain limit order without any detour."""
        if rules.is_plain(place) and not tag:
            rule = "post" if place.post_only else place.time_in_force
            key = (place.instrument, place.side, rule, is_alone)
            head = self._plain_heads.get(key) or self._plain_head(place, is_alone)
            self._plain_heads[key] = head
            price = place.price or 0
            return (
                f'{head}{number(place.quantity)},"limit_price":'
                f'{number(price)},"cl_ord_id":"{place.client_order_id}"'
            )
        rules.check_place(place, now_ns)
        parts = [_head(place, is_alone), *_quantities(place)]
        if place.price is not None:
            parts.append(f'"limit_price":{number(place.price)}')
        if place.order_type == "trailing_stop_limit":
            parts.append(f'"limit_price_type":"{PRICE_UNITS[place.price_unit]}"')
        if place.trigger is not None:
            parts.append(f'"triggers":{_trigger(place.trigger)}')
        parts += [*_options(place), *_identity(place, tag)]
        if place.validate and is_alone:
            parts.append('"validate":true')
        return ",".join(parts)

    def _plain_head(self, place: Place, is_alone: bool) -> str:
        """Return what plain limit orders of one instrument, side and rule begin with."""
        return _head(place, is_alone) + ',"order_qty":'

    def amend_order(self, amend: Amend, request_id: int, *, deadline_ns: int = 0) -> bytes:
        """Return the frame that changes an order in place; `deadline_ns` is the venue's clock."""
        rules.check_amend(amend)
        which = f'"order_id":"{amend.venue_order_id}"'
        if not amend.venue_order_id:
            which = f'"cl_ord_id":"{amend.client_order_id}"'
        return self._request("amend_order", which + _changes(amend, deadline_ns), request_id)

    def plain_amend(self, amend: Amend, request_id: int, deadline_ns: int) -> bytes | None:
        """Return what `amend_order` does where price and quantity alone change, or None."""
        price, quantity = amend.price, amend.quantity
        head = self._amended.get(amend.venue_order_id) or self._amend_head(amend)
        if (
            not head
            or price is None
            or price <= 0
            or amend.display_quantity is not None
            or amend.trigger_price is not None
        ):
            return None
        if quantity is not None:
            if quantity <= 0:
                return None
            head = f'{head},"order_qty":{texts.get(quantity) or number(quantity)}'
        return (
            f'{head},"limit_price":{texts.get(price) or number(price)}'
            f'{_POST_ONLY if amend.post_only else ""},"deadline":"{stamp_ms(deadline_ns)}"'
            f"{self._tail}{request_id}}}"
        ).encode()

    def _amend_head(self, amend: Amend) -> str:
        """Return what amends of one order begin with; "" where its id is not fit for it."""
        if not amend.venue_order_id:
            own_id = amend.client_order_id
            return f'{_AMEND_ORDER}"cl_ord_id":"{own_id}"' if rules.is_ours(own_id) else ""
        if not rules.is_venue_id(amend.venue_order_id):
            return ""
        if len(self._amended) >= _KEPT:
            self._amended.clear()
        head = f'{_AMEND_ORDER}"order_id":"{amend.venue_order_id}"'
        self._amended[amend.venue_order_id] = head
        return head

    def edit_order(self, amend: Amend, request_id: int, *, deadline_ns: int = 0) -> bytes:
        """Return the frame that cancels and replaces an order, known by the venue's id only.

        The new order has no id of ours: a session offers amends instead.
        """
        rules.check_edit(amend)
        symbol = dumps(instrument_name(amend.instrument))
        which = f'"order_id":"{amend.venue_order_id}","symbol":{symbol}'
        return self._request("edit_order", which + _changes(amend, deadline_ns), request_id)

    def cancel_order(self, cancels: Sequence[Cancel], request_id: int) -> bytes:
        """Return the frame that cancels orders one by one: one answer for each of them."""
        for cancel in cancels:
            rules.check_cancel(cancel)
        by_venue = [cancel.venue_order_id for cancel in cancels if cancel.venue_order_id]
        by_own = [cancel.client_order_id for cancel in cancels if not cancel.venue_order_id]
        rules.require(bool(by_venue) != bool(by_own), "one request cancels by one kind of id")
        name, ids = ("order_id", by_venue) if by_venue else ("cl_ord_id", by_own)
        return self._request("cancel_order", f'"{name}":{_list(ids)}', request_id)

    def batch_cancel(self, cancels: Sequence[Cancel], request_id: int) -> bytes:
        """Return the frame that cancels 2 to 50 orders at once: one answer, a count."""
        rules.check_cancels(cancels)
        by_venue = [cancel.venue_order_id for cancel in cancels if cancel.venue_order_id]
        by_own = [cancel.client_order_id for cancel in cancels if not cancel.venue_order_id]
        parts = [f'"orders":{_list(by_venue)}'] if by_venue else []
        if by_own:
            parts.append(f'"cl_ord_id":{_list(by_own)}')
        return self._request("batch_cancel", ",".join(parts), request_id)

    def cancel_all(self, request_id: int) -> bytes:
        """Return the frame that cancels everything open on the account."""
        params = self._tail[1:]
        return f'{{"method":"cancel_all","params":{{{params}{request_id}}}'.encode()

    def cancel_all_orders_after(self, timeout_ns: int, request_id: int) -> bytes:
        """Return the frame of the dead-man timer; whole seconds, rounded up; 0 disarms."""
        seconds = rules.timeout_seconds(timeout_ns)
        return self._request("cancel_all_orders_after", f'"timeout":{seconds}', request_id)

    def subscribe_executions(self, request_id: int, *, is_on: bool = True) -> bytes:
        """Return the frame that asks for our orders and fills, with both snapshots."""
        wants = ',"snap_orders":true,"snap_trades":true,"order_status":true,"ratecounter":true'
        params = f'"channel":"executions"{wants if is_on else ""}'
        return self._request("subscribe" if is_on else "unsubscribe", params, request_id)

    def subscribe_balances(self, request_id: int, *, is_on: bool = True) -> bytes:
        """Return the frame that asks for balances and ledger rows."""
        params = '"channel":"balances"' + (',"snapshot":true' if is_on else "")
        return self._request("subscribe" if is_on else "unsubscribe", params, request_id)

    def _request(self, method: str, params: str, request_id: int) -> bytes:
        return f'{{"method":"{method}","params":{{{params}{self._tail}{request_id}}}'.encode()


def subscribe(
    channel: str,
    names: Sequence[str],
    request_id: int,
    *,
    depth: int = 0,
    snapshot: bool = True,
    is_on: bool = True,
) -> bytes:
    """Return the frame that asks for a public channel, or with `is_on` False no longer for it."""
    params = f'"channel":"{channel}"'
    if names:
        params += f',"symbol":{dumps(list(names))}'
    if depth:
        params += f',"depth":{depth}'
    if is_on:
        params += f',"snapshot":{str(snapshot).lower()}'
    method = "subscribe" if is_on else "unsubscribe"
    return f'{{"method":"{method}","params":{{{params}}},"req_id":{request_id}}}'.encode()


def ping(request_id: int) -> bytes:
    """Return a ping; the venue refuses one with `params`."""
    return b'{"method":"ping","req_id":%d}' % request_id


def _list(ids: Sequence[str]) -> str:
    inside = '","'.join(ids)
    return f'["{inside}"]'


def instrument_name(instrument: str) -> str:
    """Return the venue's name of an instrument id such as "kraken:BTC/USD"."""
    venue, _, name = instrument.partition(":")
    rules.require(name, f'"{venue}" is not an instrument id')
    return name


def _head(place: Place, is_alone: bool) -> str:
    parts = [f'"order_type":"{place.order_type.replace("_", "-")}","side":"{place.side}"']
    if is_alone:
        parts.append(f'"symbol":{dumps(instrument_name(place.instrument))}')
    if place.order_type != "market" or place.time_in_force != "gtc":
        parts.append(f'"time_in_force":"{place.time_in_force}"')
    if place.post_only:
        parts.append('"post_only":true')
    return ",".join(parts)


def _changes(amend: Amend, deadline_ns: int) -> str:
    """Return what an amend changes: spelled out, because quoting is mostly this."""
    text = ""
    if amend.quantity is not None:
        text = f',"order_qty":{number(amend.quantity)}'
    if amend.price is not None:
        text += f',"limit_price":{number(amend.price)}'
    if amend.display_quantity is not None:
        text += f',"display_qty":{number(amend.display_quantity)}'
    if amend.trigger_price is not None:
        text += f',"trigger_price":{number(amend.trigger_price)}'
    if amend.post_only:
        text += _POST_ONLY
    return f'{text},"deadline":"{stamp_ms(deadline_ns)}"' if deadline_ns else text


def _quantities(place: Place) -> list[str]:
    if place.cash_quantity is not None:
        return [f'"cash_order_qty":{number(place.cash_quantity)}']
    parts = [f'"order_qty":{number(place.quantity)}']
    if place.display_quantity is not None:
        parts.append(f'"display_qty":{number(place.display_quantity)}')
    return parts


def _options(place: Place) -> list[str]:
    parts = []
    if place.expire_ns:
        parts.append(f'"expire_time":"{stamp(place.expire_ns)}"')
    if place.start_ns:
        parts.append(f'"effective_time":"{stamp(place.start_ns)}"')
    if place.reduce_only:
        parts.append('"reduce_only":true')
    if place.margin:
        parts.append('"margin":true')
    if place.fee_asset:
        parts.append(f'"fee_preference":"{place.fee_asset}"')
    if place.self_trade:
        parts.append(f'"stp_type":"{place.self_trade}"')
    if place.close is not None:
        parts.append(f'"conditional":{_close(place.close)}')
    return parts


def _trigger(trigger: Trigger) -> str:
    return (
        f'{{"reference":"{trigger.reference}","price":{number(trigger.price)},'
        f'"price_type":"{PRICE_UNITS[trigger.unit]}"}}'
    )


def _close(close: ConditionalClose) -> str:
    rules.check_close(close)
    parts = [f'"order_type":"{close.order_type.replace("_", "-")}"']
    if close.trigger is not None:
        parts.append(f'"trigger_price":{number(close.trigger.price)}')
        parts.append(f'"trigger_price_type":"{PRICE_UNITS[close.trigger.unit]}"')
    if close.price is not None:
        parts.append(f'"limit_price":{number(close.price)}')
        parts.append(f'"limit_price_type":"{PRICE_UNITS[close.price_unit]}"')
    return "{" + ",".join(parts) + "}"


def _identity(place: Place, tag: int) -> list[str]:
    """Our id, or a tag where the venue allows no id of ours; a mere check needs neither."""
    if place.close is None and not tag:
        return [f'"cl_ord_id":"{place.client_order_id}"']
    rules.check_tag(place, tag)
    return [f'"order_userref":{tag}'] if tag else []
