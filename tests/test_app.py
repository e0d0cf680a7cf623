"""The package around the engine: its errors, its views, its figures."""

from decimal import Decimal

from crosswire import domain, fixed
from crosswire.app import errors, stages, views
from crosswire.orders import new_order


def test_a_refusal_carries_rule_and_both_numbers() -> None:
    command = domain.Kill("", "x")
    error = errors.Refused(domain.Refused(command, "order notional", "100", "150"))
    assert (error.rule, error.limit, error.actual) == ("order notional", "100", "150")
    assert "order notional" in str(error)
    assert "100" in str(error)
    assert "150" in str(error)
    assert errors.Rejected("no money").reason == "no money"
    assert (errors.UserError.exit_code, errors.Rejected.exit_code) == (2, 1)


def test_a_spread_is_in_microseconds_and_sorted() -> None:
    found = stages.spread([4_000, 1_000, 3_000, 2_000])
    assert found == {"p50": 3.0, "p99": 4.0, "max": 4.0, "count": 4}
    assert stages.spread([])["count"] == 0


def test_an_order_is_shown_with_decimals_and_without_its_venue_in_front() -> None:
    place = domain.Place(
        "main", "v:BTC/USD", "a" * 32, "buy", fixed.parse("0.5"), fixed.parse("65000.10")
    )
    shown = views.order_view(new_order(place))
    assert shown.instrument == "BTC/USD"
    assert shown.quantity == Decimal("0.5")
    assert shown.price == Decimal("65000.1")
    assert shown.status == "PENDING_NEW"
    assert shown.average_price is None
    assert views.as_json(shown)["price"] == "65000.1"


def test_a_fill_is_shown_with_its_fee() -> None:
    fill = domain.Filled(
        7,
        "main",
        "a" * 32,
        "O1",
        "v:BTC/USD",
        "sell",
        fixed.parse("10"),
        fixed.parse("2"),
        "T1",
        fixed.parse("0.052"),
        "USD",
        "maker",
    )
    shown = views.as_json(views.execution(fill))
    assert shown["fee"] == "0.052"
    assert shown["fill_key"] == "T1"
    assert shown["at_ns"] == 7
