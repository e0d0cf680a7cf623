"""Commands to REST calls: orders and look-ups as forms."""

from typing import Any

import pytest

from crosswire.domain import Trigger
from crosswire.fixed import parse
from crosswire.venues.kraken.encode import bodies
from tests.kraken_dialogue import NOW, SECOND, form, own_id, place


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"ordertype": "limit", "price": "26500.4", "oflags": "post", "timeinforce": "GTC"}),
        ({"fee_asset": "quote"}, {"oflags": "post,fciq"}),
        (
            {"order_type": "market", "price": None, "post_only": False},
            {"ordertype": "market", "volume": "0.001"},
        ),
        (
            {
                "order_type": "market",
                "price": None,
                "post_only": False,
                "quantity": 0,
                "cash_quantity": parse("50"),
            },
            {"volume": "50.0", "oflags": "viqc"},
        ),
        (
            {
                "order_type": "stop_loss_limit",
                "trigger": Trigger(parse("26000"), "static", "index"),
            },
            {"price": "26000.0", "price2": "26500.4", "trigger": "index"},
        ),
        (
            {
                "order_type": "trailing_stop_limit",
                "trigger": Trigger(parse("1.5"), "percent"),
                "price": parse("3"),
                "price_unit": "quote",
            },
            {"price": "+1.5%", "price2": "+3.0"},
        ),
        (
            {"order_type": "iceberg", "display_quantity": parse("0.0005")},
            {"displayvol": "0.0005"},
        ),
        (
            {"time_in_force": "gtd", "expire_ns": NOW + SECOND},
            {"timeinforce": "GTD", "expiretm": "1769061980"},
        ),
        ({"start_ns": NOW + SECOND}, {"starttm": "1769061980"}),
        ({"reduce_only": True}, {"reduce_only": "true"}),
        ({"self_trade": "cancel_newest"}, {"stptype": "cancel-newest"}),
        ({"validate": True}, {"validate": "true"}),
    ],
)
def test_orders_by_rest(changes: dict[str, Any], expected: dict[str, str]) -> None:
    fields = form(bodies.add_order(place(**changes), now_ns=NOW, deadline_ns=NOW))
    assert expected.items() <= fields.items()
    assert fields["pair"] == "BTC/USD"
    assert fields["cl_ord_id"] == own_id(1)
    assert fields["deadline"] == "2026-01-22T06:06:19.000Z"


def test_margin_has_no_number_to_go_by_rest() -> None:
    with pytest.raises(ValueError, match="margin orders go by WebSocket"):
        bodies.add_order(place(margin=True), now_ns=NOW)


def test_look_ups_by_rest() -> None:
    assert bodies.websockets_token().body(1) == b"nonce=1"
    assert bodies.websockets_token().path == "/0/private/GetWebSocketsToken"
    assert form(bodies.open_orders(own_id(1))) == {"cl_ord_id": own_id(1)}
    assert bodies.open_orders().body(2) == b"nonce=2"
    page = bodies.closed_orders(own_id(1), since_ns=NOW, offset=50)
    assert form(page) == {"cl_ord_id": own_id(1), "ofs": "50", "start": "1769061978"}
    assert form(bodies.trades_history()) == {"ofs": "0"}
    assert bodies.balance_ex().name == "BalanceEx"
    with pytest.raises(ValueError, match="is neither"):
        bodies.open_orders("a b")
