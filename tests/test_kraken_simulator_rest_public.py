"""The simulated Kraken's public REST calls."""

import pytest

from tests.kraken_rig import Rig


@pytest.fixture(name="rig")
def _rig() -> Rig:
    return Rig()


def trade(rig: Rig) -> None:
    rig.rest("sell", "0.1", "60000")
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.1"}
    rig.result("AddOrder", order)


# --- public ------------------------------------------------------------------------------------


def test_time_and_status(rig: Rig) -> None:
    assert rig.get("/0/public/Time")["result"] == {
        "unixtime": 1_790_000_000,
        "rfc1123": "Mon, 21 Sep 26 14:13:20 +0000",
    }
    status = {"status": "online", "timestamp": "2026-09-21T14:13:20Z"}
    assert rig.get("/0/public/SystemStatus") == {"error": [], "result": status}


def test_assets_by_any_of_their_names(rig: Rig) -> None:
    found = rig.get("/0/public/Assets")["result"]
    assert list(found) == ["XXBT", "ZUSD", "XETH", "SOL"]
    assert found["XXBT"]["altname"] == "XBT"
    assert found["ZUSD"]["decimals"] == 4
    for name in ("XBT", "BTC", "XXBT"):
        assert list(rig.get(f"/0/public/Assets?asset={name}")["result"]) == ["XXBT"]
    assert "BTC" in rig.get("/0/public/Assets?assetVersion=1")["result"]
    assert rig.get("/0/public/Assets?asset=DOGE") == {"error": ["EQuery:Unknown asset"]}


def test_the_key_of_a_pair_follows_what_was_asked(rig: Rig) -> None:
    path = "/0/public/AssetPairs"
    assert list(rig.get(path)["result"]) == ["XXBTZUSD", "XETHZUSD", "XETHXXBT", "SOLUSD"]
    for asked, key in (
        ("BTC%2FUSD", "BTC/USD"),
        ("XBTUSD", "XXBTZUSD"),
        ("XXBTZUSD", "XXBTZUSD"),
        ("XBT/USD", "XXBTZUSD"),
        ("SOLUSD", "SOLUSD"),
    ):
        assert list(rig.get(f"{path}?pair={asked}&aclass_base=currency")["result"]) == [key]
    assert list(rig.get(f"{path}?pair=XBTUSD,ETH/BTC")["result"]) == ["XXBTZUSD", "ETH/BTC"]
    assert rig.get(f"{path}?pair=XBTDOGE") == {"error": ["EQuery:Unknown asset pair"]}
    modern = rig.get(f"{path}?assetVersion=1")["result"]["BTC/USD"]
    assert (modern["base"], modern["quote"]) == ("BTC", "USD")


def test_a_row_of_asset_pairs(rig: Rig) -> None:
    row = rig.get("/0/public/AssetPairs?pair=XBTUSD")["result"]["XXBTZUSD"]
    assert row["fees"][0] == [0, "0.40"]  # bare numbers, two decimals
    assert row["fees_maker"][-1] == [10_000_000, "0.00"]
    assert {name: row[name] for name in row if not name.startswith("fees")} == {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "aclass_base": "currency",
        "base": "XXBT",
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": 1,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [2, 3, 4, 5],
        "leverage_sell": [2, 3, 4, 5],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.00005",
        "costmin": "0.5",
        "tick_size": "0.1",
        "status": "online",
        "long_position_limit": 250,
        "short_position_limit": 200,
    }


def test_ticker_depth_and_spread(rig: Rig) -> None:
    rig.rest("buy", "2.5", "59999")
    rig.rest("sell", "1.25", "60001")
    trade(rig)
    row = rig.get("/0/public/Ticker?pair=BTC/USD")["result"]["BTC/USD"]
    assert row["a"] == ["60001.0", "1", "1.250"]
    assert row["b"] == ["59999.0", "3", "2.500"]
    assert row["c"] == ["60000.0", "0.10000000"]
    assert (row["v"], row["t"]) == (["0.10000000"] * 2, [1, 1])
    assert len(rig.get("/0/public/Ticker")["result"]) == 4
    depth = rig.get("/0/public/Depth?pair=XBTUSD&count=1")["result"]
    assert depth == {
        "XXBTZUSD": {
            "asks": [["60001.0", "1.250", 1_790_000_000]],
            "bids": [["59999.0", "2.500", 1_790_000_000]],
        }
    }
    spread = rig.get("/0/public/Spread?pair=XBTUSD")["result"]
    assert spread["XXBTZUSD"] == [[1_790_000_000, "59999.0", "60001.0"]]
    assert rig.get("/0/public/Depth") == {"error": ["EGeneral:Invalid arguments:pair"]}


def test_trades_and_candles(rig: Rig) -> None:
    trade(rig)
    rig.wait(60)
    trade(rig)
    found = rig.get("/0/public/Trades?pair=XBTUSD")["result"]
    first, second = found["XXBTZUSD"]
    assert first == ["60000.0", "0.10000000", "1790000000.0000", "b", "m", "", 1_000_001]
    later = rig.get("/0/public/Trades?pair=XBTUSD&since=1790000000000000000")["result"]
    assert later["XXBTZUSD"] == [second]
    assert later["last"] == "1790000060000000000"
    none = rig.get(f"/0/public/Trades?pair=XBTUSD&since={later['last']}")["result"]
    assert none == {"XXBTZUSD": [], "last": later["last"]}
    candles = rig.get("/0/public/OHLC?pair=XBTUSD&interval=1")["result"]
    assert [row[0] for row in candles["XXBTZUSD"]] == [1_789_999_980, 1_790_000_040]
    assert candles["last"] == 1_790_000_040
    since = rig.get("/0/public/OHLC?pair=XBTUSD&interval=1&since=1790000000")["result"]
    assert len(since["XXBTZUSD"]) == 1
    bad = rig.get("/0/public/OHLC?pair=XBTUSD&interval=2")
    assert bad == {"error": ["EGeneral:Invalid arguments:interval"]}
