"""Coins, asset ids and rules, learnt from lists with holes in them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.fixed import SCALE, parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.listings import Listings
from tests.hyperliquid_world import META, SPOT_META, listings


@pytest.mark.parametrize(
    ("coin", "name", "asset", "price_decimals", "quantity_decimals"),
    [
        ("BTC", "BTC-PERP", 0, 1, 5),
        ("ETH", "ETH-PERP", 1, 2, 4),
        ("MATIC", "MATIC-PERP", 2, 5, 1),
        ("kPEPE", "kPEPE-PERP", 3, 6, 0),
        ("PURR/USDC", "PURR/USDC", 10_000, 8, 0),
        ("@107", "HYPE/USDC", 10_107, 6, 2),
        ("@200", "@200", 10_200, 6, 2),
        ("xyz:TSLA", "xyz:TSLA-PERP", 110_000, 3, 3),
    ],
)
def test_a_coin_has_its_asset_id_and_its_decimals(
    coin: str, name: str, asset: int, price_decimals: int, quantity_decimals: int
) -> None:
    known = listings()
    listing = known.by_coin[coin]
    assert known.by_asset[asset] is listing is known.by_id[f"hyperliquid:{name}"]
    assert known.instrument_id(coin) == listing.instrument.id == f"hyperliquid:{name}"
    assert listing.instrument.price_decimals == price_decimals
    assert listing.instrument.quantity_decimals == quantity_decimals
    assert listing.instrument.price_tick * 10**price_decimals == SCALE
    assert listing.instrument.quantity_step * 10**quantity_decimals == SCALE
    assert (listing.instrument.quote, listing.instrument.price_digits) == ("USDC", 5)
    assert listing.instrument.min_notional == parse("10")


def test_a_delisted_perp_keeps_its_place_and_is_off() -> None:
    known = listings()
    assert known.by_coin["MATIC"].instrument.status == "off"
    assert known.by_coin["kPEPE"].asset == 3  # the planted mistake: skipping it makes this 2


def test_a_spot_pair_counts_by_its_index_not_by_its_position() -> None:
    known = listings()
    assert "@201" not in known.by_coin  # a token it names is not in the list
    assert 10_001 not in known.by_asset


def test_the_second_pair_of_one_name_is_called_as_the_venue_calls_it() -> None:
    known = listings()
    names = {listing.instrument.name for listing in known.by_id.values()}
    assert {"HYPE/USDC", "@200"} <= names


def test_builder_dexs_count_from_the_null_in_front() -> None:
    known = listings()
    assert known.dexs == ("", "xyz", "abc")
    other = wire.Meta([wire.PerpAsset("abc:GOLD", 2)])
    assert known.learn_perps(other, "abc")[0].id == "hyperliquid:abc:GOLD-PERP"
    assert known.by_coin["abc:GOLD"].asset == 120_000
    with pytest.raises(ValueError, match="not in perpDexs"):
        known.learn_perps(other, "def")


def test_a_dexs_collateral_is_its_quote() -> None:
    known = listings()
    known.learn_perps(wire.Meta([wire.PerpAsset("abc:GOLD", 2)], collateral_token=150), "abc")
    assert known.by_coin["abc:GOLD"].instrument.quote == "HYPE"


@pytest.mark.parametrize(
    ("coin", "name"),
    [("NEW", "NEW-PERP"), ("xyz:NEW", "xyz:NEW-PERP"), ("@9", "@9"), ("#5", "#5"), ("A/B", "A/B")],
)
def test_an_unknown_coin_has_a_name_already_and_is_noted(coin: str, name: str) -> None:
    known = listings()
    assert known.instrument_id(coin) == f"hyperliquid:{name}"
    assert known.unknown == {coin}


def test_what_was_unknown_is_known_once_listed() -> None:
    known = Listings()
    assert known.instrument_id("BTC") == "hyperliquid:BTC-PERP"
    known.learn_perps(msgspec.convert(META, wire.Meta))
    assert known.unknown == set()
    known.learn_spot(msgspec.convert(SPOT_META, wire.SpotMeta))
    assert known.instrument_id("@107") == "hyperliquid:HYPE/USDC"


# --- the step between prices -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coin", "price", "tick"),
    [
        ("BTC", "123456", "1"),
        ("BTC", "65432", "1"),
        ("BTC", "9999.9", "0.1"),
        ("BTC", "10000", "1"),
        ("BTC", "1.5", "0.1"),
        ("ETH", "1100.5", "0.1"),
        ("ETH", "999.99", "0.01"),
        ("kPEPE", "0.012345", "0.000001"),
        ("PURR/USDC", "0.99999", "0.00001"),
        ("PURR/USDC", "1.0001", "0.0001"),
    ],
)
def test_prices_have_five_digits_unless_they_are_whole(coin: str, price: str, tick: str) -> None:
    instrument = listings().by_coin[coin].instrument
    assert instrument.tick_at(parse(price)) == parse(tick)


@given(st.integers(1, 10**18), st.sampled_from(["BTC", "ETH", "kPEPE", "@107"]))
def test_a_price_on_the_step_keeps_both_rules(raw: int, coin: str) -> None:
    instrument = listings().by_coin[coin].instrument
    price = raw - raw % instrument.tick_at(raw)
    if not price:
        return
    is_whole = price % SCALE == 0
    digits = len(str(price).rstrip("0"))
    assert is_whole or (digits <= 5 and price % instrument.price_tick == 0)
    above = price + instrument.tick_at(price)
    assert above % instrument.tick_at(above) == 0
