"""The ledger: what it writes down, and that its plain form is the agreed one."""

import json

import pytest

from crosswire.fixed import SCALE, parse
from crosswire.sim.ledger import Ledger


def ledger_with_one_fill() -> Ledger:
    """Return the ledger of a run: one order placed, amended, half filled, cancelled."""
    ledger = Ledger("venue", 7, {"mm1": {"USD": parse("1000"), "BTC": 0}})
    n = ledger.arrive()
    ledger.note_request(
        n,
        10,
        account="mm1",
        transport="ws",
        method="place",
        outcome="accepted",
        client_order_id="c1",
        instrument="BTC/USD",
        side="buy",
        quantity=parse("0.02"),
        price=parse("100"),
        venue_order_id="o1",
    )
    ledger.open_order(
        "o1",
        10,
        account="mm1",
        client_order_id="c1",
        instrument="BTC/USD",
        side="buy",
        quantity=parse("0.02"),
        price=parse("100"),
    )
    ledger.amend_order("o1", price=parse("101"))
    ledger.amend_order("o1", quantity=parse("0.03"))
    ledger.note_fill(
        "f1",
        "o1",
        20,
        price=parse("101"),
        quantity=parse("0.01"),
        fee=parse("0.001"),
        fee_asset="USD",
        liquidity="maker",
    )
    for asset, amount, fee in (("BTC", "0.01", "0"), ("USD", "-1.01", "0.001")):
        ledger.move_cash(
            "mm1",
            asset,
            20,
            ledger_id=f"l-{asset}",
            ref="f1",
            kind="trade",
            amount=parse(amount),
            fee=parse(fee),
        )
    ledger.close_order("o1", 30, "canceled", "User requested")
    ledger.count_fault("lost_ack")
    ledger.count_fault("lost_ack", 2)
    return ledger


REQUEST = {
    "n": 1,
    "at_ns": 10,
    "account": "mm1",
    "transport": "ws",
    "method": "place",
    "client_order_id": "c1",
    "instrument": "BTC/USD",
    "side": "buy",
    "quantity": "0.02",
    "price": "100",
    "venue_order_id": "o1",
    "outcome": "accepted",
    "reason": "",
}
ORDER = {
    "venue_order_id": "o1",
    "client_order_id": "c1",
    "account": "mm1",
    "instrument": "BTC/USD",
    "side": "buy",
    "quantity": "0.03",
    "original_quantity": "0.02",
    "price": "101",
    "filled": "0.01",
    "status": "canceled",
    "opened_ns": 10,
    "closed_ns": 30,
    "reason": "User requested",
    "is_past_bound": False,
}
FILL = {
    "fill_key": "f1",
    "venue_order_id": "o1",
    "client_order_id": "c1",
    "account": "mm1",
    "instrument": "BTC/USD",
    "side": "buy",
    "price": "101",
    "quantity": "0.01",
    "fee": "0.001",
    "fee_asset": "USD",
    "liquidity": "maker",
    "at_ns": 20,
}
CASH = [
    {
        "ledger_id": "l-BTC",
        "ref": "f1",
        "account": "mm1",
        "asset": "BTC",
        "kind": "trade",
        "amount": "0.01",
        "fee": "0",
        "balance": "0.01",
        "at_ns": 20,
    },
    {
        "ledger_id": "l-USD",
        "ref": "f1",
        "account": "mm1",
        "asset": "USD",
        "kind": "trade",
        "amount": "-1.01",
        "fee": "0.001",
        "balance": "998.989",
        "at_ns": 20,
    },
]


def test_plain_is_the_agreed_form() -> None:
    assert ledger_with_one_fill().plain() == {
        "venue": "venue",
        "seed": 7,
        "requests": [REQUEST],
        "orders": [ORDER],
        "fills": [FILL],
        "starting_balances": {"mm1": {"USD": "1000", "BTC": "0"}},
        "balances": {"mm1": {"USD": "998.989", "BTC": "0.01"}},
        "cash": CASH,
        "faults": {"lost_ack": 3},
    }


def test_plain_survives_json() -> None:
    plain = ledger_with_one_fill().plain()
    assert json.loads(json.dumps(plain)) == plain


def test_what_a_request_did_not_say_is_empty() -> None:
    ledger = Ledger("venue", 0, {})
    assert [ledger.arrive(), ledger.arrive()] == [1, 2]
    ledger.note_request(
        2, 5, account="mm1", transport="rest", method="cancel_all", outcome="dropped"
    )
    (row,) = ledger.requests
    assert (row.client_order_id, row.quantity, row.price, row.reason) == ("", None, None, "")
    plain = ledger.plain()["requests"]
    assert isinstance(plain, list)
    assert plain[0]["quantity"] is None


def test_an_order_is_opened_once() -> None:
    ledger = ledger_with_one_fill()
    with pytest.raises(ValueError, match="o1 is in the ledger already"):
        ledger.open_order(
            "o1",
            1,
            account="mm1",
            client_order_id="c2",
            instrument="BTC/USD",
            side="sell",
            quantity=SCALE,
            price=None,
        )
    with pytest.raises(KeyError):
        ledger.amend_order("o2", price=1)


def test_balances_of_strangers_start_at_nothing() -> None:
    ledger = Ledger("venue", 0, {})
    assert ledger.balance("new", "USD") == 0
    row = ledger.move_cash("new", "USD", 1, ledger_id="l", ref="", kind="deposit", amount=5)
    assert row.balance == ledger.balance("new", "USD") == 5
    assert ledger.starting_balances == {}
