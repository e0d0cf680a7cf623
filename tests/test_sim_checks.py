"""Every check passes on an honest run and fails on a ledger or a belief doctored against it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from crosswire.fixed import parse
from crosswire.sim.checks import MUST_BE_ZERO, MUST_HOLD, judge
from crosswire.sim.ledger import Ledger, Method, RequestOutcome

Plain = dict[str, Any]


def ledger() -> Plain:
    """Return an honest run: a fill, an amend, a cancel, an order still open."""
    book = Ledger("venue", 1, {"mm1": {"USD": parse("1000")}, "idle": {"USD": parse("5")}})
    calls: list[tuple[Method, RequestOutcome]] = [
        ("place", "accepted"),
        ("place", "accepted"),
        ("place", "refused"),
        ("place", "dropped"),
        ("amend", "accepted"),
        ("amend", "refused"),
        ("cancel", "accepted"),
    ]
    for number, (method, outcome) in enumerate(calls):
        book.note_request(
            book.arrive(), number, account="mm1", transport="ws", method=method, outcome=outcome
        )
    for number, quantity in ((1, "0.02"), (2, "0.0201"), (3, "0.0202")):
        book.open_order(
            f"o{number}",
            1,
            account="mm1",
            client_order_id=f"c{number}",
            instrument="BTC/USD",
            side="buy",
            quantity=parse(quantity),
            price=parse("100"),
        )
    book.note_fill(
        "f1",
        "o1",
        2,
        price=parse("100"),
        quantity=parse("0.02"),
        fee=parse("0.01"),
        fee_asset="USD",
        liquidity="maker",
    )
    book.move_cash(
        "mm1", "USD", 2, ledger_id="l1", ref="f1", kind="trade", amount=-2 * 10**10, fee=10**8
    )
    book.move_cash("mm1", "BTC", 2, ledger_id="l2", ref="f1", kind="trade", amount=2 * 10**8)
    book.close_order("o1", 2, "filled")
    book.close_order("o2", 3, "canceled")
    return book.plain()


def believed() -> Plain:
    """Return what an honest program believes of that run."""
    fill = copy.deepcopy(ledger()["fills"][0])
    fill["instrument"] = "venue:BTC/USD"
    return {
        "fills": [fill],
        "positions": {"venue:BTC/USD": "0.02", "venue:ETH/USD": "0"},
        "balances": {"USD": "997.99", "BTC": "0.0200"},
        "open_orders": ["c3"],
        "doubts_open": 0,
    }


def test_an_honest_run_is_clean() -> None:
    verdict = judge(ledger(), believed())
    assert verdict == {
        "orders_sent": 4,
        "orders_accepted": 3,
        "fills": 1,
        "amends": 1,
        "cancels": 1,
        "double_sends": 0,
        "overfills": 0,
        "lost_fills": 0,
        "phantom_fills": 0,
        "orphan_orders": 0,
        "ghost_orders": 0,
        "doubts_open": 0,
        "position_matches_venue": True,
        "cash_matches_venue": True,
        "ledger_is_consistent": True,
        "is_clean": True,
        "findings": [],
    }


Doctor = Callable[[Plain, Plain], None]


def again(venue: Plain, mind: Plain) -> None:
    venue["orders"].append({**venue["orders"][1], "venue_order_id": "o9", "client_order_id": "c9"})


def overfill(venue: Plain, mind: Plain) -> None:
    venue["orders"][1].update(filled="0.0202")


def overfill_by_doubles(venue: Plain, mind: Plain) -> None:
    again(venue, mind)
    for order in (venue["orders"][1], venue["orders"][-1]):
        order["filled"] = "0.0101"
    venue["orders"][1]["filled"] = "0.0201"


def lose_fill(venue: Plain, mind: Plain) -> None:
    mind["fills"] = []


def invent_fill(venue: Plain, mind: Plain) -> None:
    mind["fills"].append({**mind["fills"][0], "fill_key": "f2"})


def change_fill(**terms: str) -> Doctor:
    def doctor(venue: Plain, mind: Plain) -> None:
        mind["fills"][0].update(terms)

    return doctor


def repeat_fill(venue: Plain, mind: Plain) -> None:
    mind["fills"] *= 2


def forget_order(venue: Plain, mind: Plain) -> None:
    mind["open_orders"] = []


def dream_order(venue: Plain, mind: Plain) -> None:
    mind["open_orders"].append("c1")


def move_position(venue: Plain, mind: Plain) -> None:
    mind["positions"]["venue:BTC/USD"] = "0.03"


def drop_position(venue: Plain, mind: Plain) -> None:
    mind["positions"] = {}


def sell_instead(venue: Plain, mind: Plain) -> None:
    venue["fills"][0]["side"] = mind["fills"][0]["side"] = "sell"


def keep_cash(venue: Plain, mind: Plain) -> None:
    mind["balances"]["USD"] = "998"


def forget_asset(venue: Plain, mind: Plain) -> None:
    del mind["balances"]["BTC"]


def break_total(venue: Plain, mind: Plain) -> None:
    venue["orders"][0]["filled"] = "0.01"


def orphan_fill(venue: Plain, mind: Plain) -> None:
    venue["fills"].append({**venue["fills"][0], "fill_key": "f2", "venue_order_id": "nobody"})


def repeat_key(venue: Plain, mind: Plain) -> None:
    venue["orders"][0].update(filled="0.04", quantity="0.04")
    venue["fills"] *= 2


def break_chain(venue: Plain, mind: Plain) -> None:
    venue["cash"][0]["balance"] = "1"


def break_end(venue: Plain, mind: Plain) -> None:
    venue["balances"]["mm1"]["USD"] = mind["balances"]["USD"] = "1"


def lose_row(venue: Plain, mind: Plain) -> None:
    del venue["cash"][1]


@pytest.mark.parametrize(
    ("field", "doctor"),
    [
        ("double_sends", again),
        ("overfills", overfill),
        ("overfills", overfill_by_doubles),
        ("lost_fills", lose_fill),
        ("phantom_fills", invent_fill),
        ("phantom_fills", change_fill(price="100.1")),
        ("phantom_fills", change_fill(quantity="0.03")),
        ("phantom_fills", change_fill(fee="0")),
        ("phantom_fills", change_fill(fee_asset="BTC")),
        ("phantom_fills", change_fill(side="sell")),
        ("phantom_fills", change_fill(instrument="venue:ETH/USD")),
        ("phantom_fills", repeat_fill),
        ("orphan_orders", forget_order),
        ("ghost_orders", dream_order),
        ("position_matches_venue", move_position),
        ("position_matches_venue", drop_position),
        ("position_matches_venue", sell_instead),
        ("cash_matches_venue", keep_cash),
        ("cash_matches_venue", forget_asset),
        ("ledger_is_consistent", break_total),
        ("ledger_is_consistent", orphan_fill),
        ("ledger_is_consistent", repeat_key),
        ("ledger_is_consistent", break_chain),
        ("ledger_is_consistent", break_end),
        ("ledger_is_consistent", lose_row),
    ],
)
def test_each_check_fails_when_its_promise_is_broken(field: str, doctor: Doctor) -> None:
    venue, mind = ledger(), believed()
    doctor(venue, mind)
    verdict = judge(venue, mind)
    assert verdict[field] in (1, False)
    assert field in (*MUST_BE_ZERO, *MUST_HOLD)
    assert verdict["is_clean"] is False
    assert verdict["findings"]


def test_amends_raise_what_an_intent_may_fill() -> None:
    venue, mind = ledger(), believed()
    venue["orders"][1].update(filled="0.03")
    for identity in ({"venue_order_id": "o2"}, {"client_order_id": "c2"}):
        amended = copy.deepcopy(venue)
        amended["requests"][4].update(identity, quantity="0.03")
        assert judge(amended, mind)["overfills"] == 0
        amended["requests"][4].update(outcome="refused")
        assert judge(amended, mind)["overfills"] == 1
    venue["orders"][1].update(quantity="0.03")
    assert judge(venue, mind)["overfills"] == 0


def test_orders_without_our_ids_are_no_intents_of_ours() -> None:
    venue, mind = ledger(), believed()
    closing = {**venue["orders"][1], "client_order_id": "", "original_quantity": "0.5"}
    venue["orders"] += [{**closing, "venue_order_id": key} for key in ("x1", "x2")]
    assert judge(venue, mind)["double_sends"] == 0
    venue["orders"][-1]["original_quantity"] = "0.0201"
    assert judge(venue, mind)["double_sends"] == 1


def test_another_account_is_another_matter() -> None:
    venue, mind = ledger(), believed()
    strange = {**venue["orders"][2], "venue_order_id": "x", "account": "mm2"}
    venue["orders"].append(strange)
    venue["balances"]["mm2"] = {"USD": "3"}
    venue["starting_balances"]["mm2"] = {"USD": "3"}
    assert judge(venue, mind)["cash_matches_venue"] is False
    verdict = judge(venue, {**mind, "account": "mm1"})
    assert verdict["orders_accepted"] == 3
    assert verdict["is_clean"] is True


def test_a_run_without_orders_is_judged_by_its_balances() -> None:
    quiet = Ledger("venue", 1, {"mm1": {"USD": 5}}).plain()
    mind: Plain = {
        "fills": [],
        "positions": {},
        "balances": {"USD": "0.0000000005"},
        "open_orders": [],
        "doubts_open": 2,
    }
    verdict = judge(quiet, mind)
    assert verdict["is_clean"] is True
    assert verdict["doubts_open"] == 2


def test_findings_are_bounded() -> None:
    venue, mind = ledger(), believed()
    mind["open_orders"] += [f"x{number}" for number in range(500)]
    verdict = judge(venue, mind)
    assert verdict["ghost_orders"] == 500
    findings = verdict["findings"]
    assert isinstance(findings, list)
    assert len(findings) == 50


def test_documents_without_their_form_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="not a ledger") as caught:
        judge({"venue": "venue"}, believed())
    assert "\n" not in str(caught.value)
