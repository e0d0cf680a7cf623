"""Commands to bytes: every order type and parameter, exact numbers, and what is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire import fixed
from crosswire.domain import Amend, Cancel, ConditionalClose, Place, Trigger
from crosswire.fixed import parse
from crosswire.venues.kraken.encode import bodies, digits, frames, rules
from crosswire.venues.kraken.encode.frames import Frames
from tests.kraken_dialogue import (
    ACCOUNT,
    BTC,
    NOW,
    SECOND,
    TOKEN,
    amend,
    cancel,
    form,
    own_id,
    place,
)

FRAMES = Frames(TOKEN)
STOP = Trigger(parse("26000"))
ORDER_ID = "OGL7HR-SWFO4-NRQTHO"
CLOSE = ConditionalClose("stop_loss_limit", Trigger(parse("25000")), parse("24990"))


def params(order: Place, **options: Any) -> dict[str, Any]:
    """Return the params of an order's frame, numbers as Decimal, without what all have."""
    frame = FRAMES.add_order(order, 7, now_ns=NOW, **options)
    message = json.loads(frame, parse_float=Decimal)
    assert (message["method"], message["req_id"], message["params"].pop("token")) == (
        "add_order",
        7,
        TOKEN,
    )
    return dict(message["params"])


def test_a_limit_order_is_these_bytes() -> None:
    deadline_ns = NOW + 5 * SECOND + 500_000_000
    assert FRAMES.add_order(place(), 11, now_ns=NOW, deadline_ns=deadline_ns) == (
        b'{"method":"add_order","params":{"order_type":"limit","side":"buy","symbol":"BTC/USD",'
        b'"time_in_force":"gtc","post_only":true,"order_qty":0.001,"limit_price":26500.4,'
        b'"cl_ord_id":"00000000000000000000000000000001","deadline":"2026-01-22T06:06:24.500Z",'
        b'"token":"token-of-forty-three-characters-aaaaaaaaaaa"},"req_id":11}'
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"order_type": "market", "price": None}, {"order_type": "market"}),
        ({"time_in_force": "ioc"}, {"time_in_force": "ioc"}),
        ({"time_in_force": "fok"}, {"time_in_force": "fok"}),
        (
            {"order_type": "market", "price": None, "time_in_force": "ioc"},
            {"time_in_force": "ioc"},
        ),
        (
            {"time_in_force": "gtd", "expire_ns": NOW + 60 * SECOND},
            {"time_in_force": "gtd", "expire_time": "2026-01-22T06:07:19Z"},
        ),
        (
            {"order_type": "iceberg", "display_quantity": parse("0.0001")},
            {"order_type": "iceberg", "display_qty": Decimal("0.0001")},
        ),
        (
            {"order_type": "stop_loss", "price": None, "trigger": STOP},
            {
                "order_type": "stop-loss",
                "triggers": {
                    "reference": "last",
                    "price": Decimal("26000.0"),
                    "price_type": "static",
                },
            },
        ),
        (
            {
                "order_type": "stop_loss_limit",
                "trigger": Trigger(parse("-150"), "quote", "index"),
            },
            {
                "order_type": "stop-loss-limit",
                "triggers": {
                    "reference": "index",
                    "price": Decimal("-150.0"),
                    "price_type": "quote",
                },
            },
        ),
        ({"order_type": "take_profit", "price": None, "trigger": STOP}, {}),
        ({"order_type": "take_profit_limit", "trigger": STOP}, {"order_type": "take-profit-limit"}),
        (
            {
                "order_type": "trailing_stop",
                "price": None,
                "trigger": Trigger(parse("1.5"), "percent"),
            },
            {
                "triggers": {
                    "reference": "last",
                    "price": Decimal("1.5"),
                    "price_type": "pct",
                }
            },
        ),
        (
            {
                "order_type": "trailing_stop_limit",
                "price": parse("-3"),
                "price_unit": "quote",
                "trigger": Trigger(parse("10"), "quote"),
            },
            {"limit_price": Decimal("-3.0"), "limit_price_type": "quote"},
        ),
        (
            {"order_type": "settle_position", "price": None, "quantity": 0, "margin": True},
            {"order_type": "settle-position", "order_qty": Decimal("0.0"), "margin": True},
        ),
        ({"reduce_only": True}, {"reduce_only": True}),
        ({"margin": True}, {"margin": True}),
        ({"fee_asset": "base"}, {"fee_preference": "base"}),
        ({"self_trade": "cancel_both"}, {"stp_type": "cancel_both"}),
        ({"start_ns": NOW + 90 * SECOND}, {"effective_time": "2026-01-22T06:07:49Z"}),
        ({"validate": True}, {"validate": True}),
        (
            {"order_type": "market", "price": None, "quantity": 0, "cash_quantity": parse("50")},
            {"cash_order_qty": Decimal("50.0")},
        ),
        ({"client_order_id": "ws_order_12345678"}, {"cl_ord_id": "ws_order_12345678"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_every_type_and_parameter_has_its_field(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    order = place(**({"post_only": False} | changes))
    sent = params(order)
    assert expected.items() <= sent.items()
    assert sent["side"] == "buy"
    assert sent["symbol"] == "BTC/USD"
    assert sent["cl_ord_id"] == order.client_order_id
    assert ("limit_price" in sent) == (order.price is not None)
    assert ("order_qty" in sent) == (order.cash_quantity is None)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"quantity": 0}, "the quantity must be above zero"),
        ({"price": None}, "limit needs a limit price"),
        ({"price": 0}, "the price must be above zero"),
        ({"price_unit": "quote"}, "as a price, not an offset"),
        ({"order_type": "market"}, "market takes no limit price"),
        ({"order_type": "market", "price": None}, "post-only does not go with market"),
        ({"trigger": STOP}, "limit takes no trigger"),
        ({"order_type": "stop_loss_limit"}, "stop_loss_limit needs a trigger"),
        ({"order_type": "stop_loss_limit", "trigger": Trigger(-1)}, "must be above zero"),
        (
            {"order_type": "trailing_stop", "price": None, "trigger": STOP, "post_only": False},
            "trails by percent",
        ),
        (
            {
                "order_type": "trailing_stop_limit",
                "price_unit": "quote",
                "trigger": Trigger(-5, "quote"),
            },
            "must be above zero",
        ),
        ({"order_type": "iceberg"}, "an iceberg needs its display quantity"),
        ({"display_quantity": 1}, "a display quantity is for icebergs"),
        ({"order_type": "iceberg", "display_quantity": 1}, "at least 1/15"),
        ({"order_type": "iceberg", "display_quantity": parse("1")}, "no more than it has"),
        ({"cash_quantity": parse("5")}, "buying at market without margin"),
        (
            {"order_type": "market", "price": None, "cash_quantity": parse("5")},
            "not both",
        ),
        (
            {"order_type": "market", "price": None, "quantity": 0, "cash_quantity": 0},
            "the cash quantity must be above zero",
        ),
        ({"time_in_force": "gtd"}, "within a month"),
        ({"time_in_force": "gtd", "expire_ns": NOW + 40 * 86_400 * SECOND}, "within a month"),
        ({"expire_ns": NOW + SECOND}, "good-till-date only"),
        ({"time_in_force": "ioc"}, "post-only contradicts ioc"),
        (
            {"order_type": "iceberg", "display_quantity": parse("0.001"), "time_in_force": "fok"},
            "fill-or-kill is for limit orders only",
        ),
        (
            {
                "order_type": "market",
                "price": None,
                "time_in_force": "gtd",
                "expire_ns": NOW + SECOND,
                "post_only": False,
            },
            "a market order cannot be gtd",
        ),
        ({"start_ns": NOW - 1}, "the scheduled start has passed"),
        ({"fee_asset": "XYZ"}, "fee_asset is"),
        ({"close": CLOSE}, "excludes the client_order_id"),
        ({"client_order_id": 'x","margin":true'}, "is neither a UUID nor"),
        ({"client_order_id": "nineteen-characters"}, "is neither a UUID nor"),
        ({"instrument": "kraken", "reduce_only": True}, "is not an instrument id"),
    ],
)
@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_what_the_venue_cannot_do_is_refused_in_one_line(
    changes: dict[str, Any], complaint: str, transport: str
) -> None:
    order = place(**changes)

    def encode() -> object:
        if transport == "ws":
            return FRAMES.add_order(order, 1, now_ns=NOW)
        return bodies.add_order(order, now_ns=NOW)

    with pytest.raises(ValueError, match=complaint) as caught:
        encode()
    assert "\n" not in str(caught.value)


def test_a_conditional_close_goes_with_a_tag_or_where_nothing_is_placed() -> None:
    expected = {
        "order_type": "stop-loss-limit",
        "trigger_price": Decimal("25000.0"),
        "trigger_price_type": "static",
        "limit_price": Decimal("24990.0"),
        "limit_price_type": "static",
    }
    tagged = params(place(close=CLOSE), tag=-5)
    assert (tagged["order_userref"], tagged["conditional"]) == (-5, expected)
    assert "cl_ord_id" not in tagged
    checked = params(place(close=CLOSE, validate=True))
    assert {"order_userref", "cl_ord_id"}.isdisjoint(checked)
    fields = form(bodies.add_order(place(close=CLOSE), now_ns=NOW, tag=9))
    assert (fields["userref"], fields["close[price]"], fields["close[price2]"]) == (
        "9",
        "25000.0",
        "24990.0",
    )
    limit = ConditionalClose("limit", price=parse("27000"))
    assert (
        form(bodies.add_order(place(close=limit), now_ns=NOW, tag=9))["close[price]"] == "27000.0"
    )
    stop = ConditionalClose("stop_loss", Trigger(parse("-2"), "percent"))
    assert form(bodies.add_order(place(close=stop), now_ns=NOW, tag=9))["close[price]"] == "-2.0%"
    with pytest.raises(ValueError, match="32 bits"):
        params(place(close=CLOSE), tag=2**31)


@pytest.mark.parametrize(
    "close",
    [
        ConditionalClose("iceberg", price=1),
        ConditionalClose("stop_loss"),
        ConditionalClose("limit"),
    ],
)
def test_a_conditional_close_needs_its_prices(close: ConditionalClose) -> None:
    with pytest.raises(ValueError, match=r"close by|needs a"):
        params(place(close=close), tag=1)


@given(value=st.integers(1, 10**22))
def test_numbers_are_exact_plain_decimals(value: int) -> None:
    text = digits.number(value)
    assert fixed.parse(text) == value
    assert "e" not in text.lower()
    assert digits.number(-value) == "-" + text
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == fixed.to_decimal(value)
    is_shortest = text.endswith(".0") or not text.endswith("0")
    assert is_shortest


def test_numbers_are_remembered_within_a_bound() -> None:
    for value in range(digits._KEPT + 10):
        assert digits.number(value * fixed.SCALE) == f"{value}.0"
    assert len(digits.texts) <= digits._KEPT


def test_a_batch_has_one_symbol_and_up_to_fifteen_orders() -> None:
    places = [place(1), place(2, side="sell", reduce_only=True)]
    message = json.loads(FRAMES.batch_add(places, 13, now_ns=NOW, deadline_ns=NOW))
    assert message["params"]["symbol"] == "BTC/USD"
    assert [order["cl_ord_id"] for order in message["params"]["orders"]] == [own_id(1), own_id(2)]
    assert all("symbol" not in order for order in message["params"]["orders"])
    assert message["params"]["deadline"] == "2026-01-22T06:06:19.000Z"
    assert message["params"]["token"] == TOKEN
    checked = [place(1, validate=True), place(2, validate=True)]
    for encoded in (
        json.loads(FRAMES.batch_add(checked, 1, now_ns=NOW))["params"],
        json.loads(bodies.add_order_batch(checked, now_ns=NOW).body(1)),
    ):
        assert encoded["validate"] is True
        assert all("validate" not in order for order in encoded["orders"])


@pytest.mark.parametrize(
    "places",
    [
        [place(1)],
        [place(number) for number in range(16)],
        [place(1), place(2, instrument="kraken:ETH/USD")],
        [place(1), place(2, validate=True)],
        [place(1), place(2, close=CLOSE)],
    ],
)
def test_a_batch_that_is_none_is_refused(places: list[Place]) -> None:
    with pytest.raises(ValueError, match="batch"):
        FRAMES.batch_add(places, 1, now_ns=NOW)
    with pytest.raises(ValueError, match="batch"):
        bodies.add_order_batch(places, now_ns=NOW)


def test_amends_by_either_id() -> None:
    full = amend(
        venue_order_id=ORDER_ID,
        quantity=parse("1.2"),
        display_quantity=parse("0.1"),
        trigger_price=parse("7"),
        post_only=True,
    )
    message = json.loads(FRAMES.amend_order(full, 12, deadline_ns=NOW))
    assert message["params"] == {
        "order_id": ORDER_ID,
        "order_qty": 1.2,
        "limit_price": 26501.0,
        "display_qty": 0.1,
        "trigger_price": 7.0,
        "post_only": True,
        "deadline": "2026-01-22T06:06:19.000Z",
        "token": TOKEN,
    }
    assert form(bodies.amend_order(full, deadline_ns=NOW)) == {
        "txid": ORDER_ID,
        "order_qty": "1.2",
        "limit_price": "26501.0",
        "display_qty": "0.1",
        "trigger_price": "7.0",
        "post_only": "true",
        "deadline": "2026-01-22T06:06:19.000Z",
    }
    by_own = json.loads(FRAMES.amend_order(amend(), 1))["params"]
    assert by_own == {"cl_ord_id": own_id(1), "limit_price": 26501.0, "token": TOKEN}
    assert form(bodies.amend_order(amend())) == {"cl_ord_id": own_id(1), "limit_price": "26501.0"}


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        (amend(price=None), "changes nothing"),
        (amend(price=0), "price must be above zero"),
        (amend(venue_order_id="O X"), "is not an order id"),
    ],
)
def test_an_amend_that_cannot_be_is_refused(order: Amend, complaint: str) -> None:
    for encode in (lambda: FRAMES.amend_order(order, 1), lambda: bodies.amend_order(order)):
        with pytest.raises(ValueError, match=complaint):
            encode()


def test_edits_exist_by_the_venues_id_alone() -> None:
    edit = amend(venue_order_id=ORDER_ID, quantity=parse("2"), display_quantity=1, post_only=True)
    sent = json.loads(FRAMES.edit_order(edit, 1, deadline_ns=NOW))["params"]
    assert (sent["order_id"], sent["symbol"], sent["order_qty"]) == (ORDER_ID, "BTC/USD", 2.0)
    assert form(bodies.edit_order(edit, deadline_ns=NOW)) == {
        "txid": ORDER_ID,
        "pair": "BTC/USD",
        "volume": "2.0",
        "price": "26501.0",
        "displayvol": "0.0000000001",
        "oflags": "post",
        "deadline": "2026-01-22T06:06:19.000Z",
    }
    assert "oflags" not in form(bodies.edit_order(amend(venue_order_id=ORDER_ID)))
    for order in (amend(), amend(venue_order_id=ORDER_ID, trigger_price=1)):
        with pytest.raises(ValueError, match="an edit"):
            FRAMES.edit_order(order, 1)
        with pytest.raises(ValueError, match="an edit"):
            bodies.edit_order(order)


def test_cancels_by_one_kind_of_id_or_in_a_batch() -> None:
    by_own = json.loads(FRAMES.cancel_order([cancel(1), cancel(2)], 1))["params"]
    assert by_own["cl_ord_id"] == [own_id(1), own_id(2)]
    by_venue = json.loads(FRAMES.cancel_order([cancel(1, ORDER_ID)], 1))["params"]
    assert by_venue["order_id"] == [ORDER_ID]
    with pytest.raises(ValueError, match="one kind of id"):
        FRAMES.cancel_order([cancel(1), cancel(2, ORDER_ID)], 1)
    both = [cancel(1), cancel(2, ORDER_ID)]
    assert json.loads(FRAMES.batch_cancel(both, 1))["params"] == {
        "orders": [ORDER_ID],
        "cl_ord_id": [own_id(1)],
        "token": TOKEN,
    }
    assert json.loads(bodies.cancel_order_batch(both).body(9)) == {
        "nonce": "9",
        "orders": [ORDER_ID],
        "cl_ord_ids": [{"cl_ord_id": own_id(1)}],
    }
    only_own = json.loads(FRAMES.batch_cancel([cancel(1), cancel(2)], 1))["params"]
    assert "orders" not in only_own
    assert "cl_ord_ids" not in json.loads(
        bodies.cancel_order_batch([cancel(1, ORDER_ID), cancel(2, ORDER_ID)]).body(1)
    )
    assert form(bodies.cancel_order(cancel(1))) == {"cl_ord_id": own_id(1)}
    assert form(bodies.cancel_order(cancel(1, ORDER_ID))) == {"txid": ORDER_ID}
    for cancels in ([cancel()], [cancel()] * 51):
        with pytest.raises(ValueError, match="2 to 50"):
            FRAMES.batch_cancel(cancels, 1)
    with pytest.raises(ValueError, match="is not an order id"):
        FRAMES.cancel_order([Cancel(ACCOUNT, "", '"]')], 1)


def test_cancel_all_and_the_dead_man_timer() -> None:
    assert json.loads(FRAMES.cancel_all(3)) == {
        "method": "cancel_all",
        "params": {"token": TOKEN},
        "req_id": 3,
    }
    assert bodies.cancel_all().body(4) == b"nonce=4"
    timer = json.loads(FRAMES.cancel_all_orders_after(59_000_000_001, 3))
    assert timer["params"] == {"timeout": 60, "token": TOKEN}
    assert form(bodies.cancel_all_orders_after(0)) == {"timeout": "0"}
    for timeout_ns in (-1, 86_400 * SECOND):
        with pytest.raises(ValueError, match="shorter than a day"):
            rules.timeout_seconds(timeout_ns)


def test_subscriptions_and_pings() -> None:
    book = frames.subscribe("book", ["BTC/USD"], 1, depth=25)
    assert json.loads(book) == {
        "method": "subscribe",
        "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": 25, "snapshot": True},
        "req_id": 1,
    }
    gone = frames.subscribe("book", ["BTC/USD"], 2, depth=25, is_on=False)
    assert json.loads(gone)["method"] == "unsubscribe"
    assert "snapshot" not in json.loads(gone)["params"]
    assert json.loads(frames.subscribe("instrument", (), 3))["params"] == {
        "channel": "instrument",
        "snapshot": True,
    }
    assert json.loads(frames.subscribe("trade", ["A/B"], 4, snapshot=False))["params"] == {
        "channel": "trade",
        "symbol": ["A/B"],
        "snapshot": False,
    }
    assert frames.ping(5) == b'{"method":"ping","req_id":5}'
    executions = json.loads(FRAMES.subscribe_executions(6))["params"]
    assert executions == {
        "channel": "executions",
        "snap_orders": True,
        "snap_trades": True,
        "order_status": True,
        "ratecounter": True,
        "token": TOKEN,
    }
    assert json.loads(FRAMES.subscribe_executions(7, is_on=False)) == {
        "method": "unsubscribe",
        "params": {"channel": "executions", "token": TOKEN},
        "req_id": 7,
    }
    assert json.loads(FRAMES.subscribe_balances(8))["params"]["snapshot"] is True
    assert "snapshot" not in json.loads(FRAMES.subscribe_balances(9, is_on=False))["params"]


def test_no_token_in_the_text_of_an_encoder() -> None:
    assert TOKEN not in repr(FRAMES)
    assert FRAMES.token == TOKEN
    assert BTC.endswith(frames.instrument_name(BTC))
