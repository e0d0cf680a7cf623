"""What a fill does to the account's cash, which the venue itself has no row for."""

from typing import Any

from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import fills
from tests.hyperliquid_world import NOW_MS, NOW_NS, listings

FEE = parse("0.00893")


def legs(**changes: Any) -> list[tuple[str, int, int]]:
    """Return what a fill of the stream moves: asset, amount, fee."""
    fields: dict[str, Any] = {
        "coin": "ETH",
        "px": "2067.2",
        "sz": "0.01",
        "side": "A",
        "time": NOW_MS,
        "oid": 3,
    }
    fields |= {"tid": 4, "fee": "0.00893", "fee_token": "USDC", "closed_pnl": "-0.13"} | changes
    row = wire.Fill(**fields)
    known = listings()
    filled = fills.fill(row, "main", known, NOW_NS, "stream")
    rows = fills.cash(row, filled, known)
    key = fills.fill_key(row)
    assert all(each.ref == key and each.kind == "trade" for each in rows)
    assert {each.ledger_id for each in rows} == {f"{key}:{each.asset}" for each in rows}
    assert all(each.balance is None for each in rows)
    return [(each.asset, each.amount, each.fee) for each in rows]


def test_a_perp_s_fill_moves_the_profit_that_it_closed() -> None:
    assert legs() == [("USDC", parse("-0.13"), FEE)]
    assert legs(closed_pnl=None) == [("USDC", 0, FEE)]


def test_a_spot_fill_moves_both_tokens_and_its_fee_with_one_of_them() -> None:
    bought = legs(coin="@107", side="B", fee_token="HYPE", px="20", sz="0.5")
    assert bought == [("HYPE", parse("0.5"), FEE), ("spot:USDC", parse("-10"), 0)]
    sold = legs(coin="@107", side="A", px="20", sz="0.5")
    assert sold == [("HYPE", parse("-0.5"), 0), ("spot:USDC", parse("10"), FEE)]


def test_of_a_coin_that_nobody_named_nothing_is_said() -> None:
    assert legs(coin="@999") == []
