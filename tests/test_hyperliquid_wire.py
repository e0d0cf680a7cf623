"""The structs read what the venue sends, and leave alone what they do not know."""

from typing import get_args

import msgspec
import pytest

from crosswire.venues.hyperliquid import wire


def test_a_field_the_venue_adds_leaves_the_message_readable() -> None:
    row = b'{"coin":"BTC","px":"1.0","sz":"2","side":"B","time":1,"oid":7,"brandNew":{"a":[1]}}'
    fill = msgspec.json.decode(row, type=wire.Fill)
    assert (fill.coin, fill.oid, fill.fee, fill.cloid) == ("BTC", 7, "0", None)


def test_an_ignored_field_may_be_anything() -> None:
    for ignored in ("null", "[1]", '"x"', "{}"):
        payload = b'{"time":1,"specialStatuses":%b}' % ignored.encode()
        assert msgspec.json.decode(payload, type=wire.ExchangeStatus).time == 1


def test_the_venues_camels_are_our_snakes() -> None:
    order = wire.Order("BTC", 1, "B", limit_px="1", orig_sz="2", reduce_only=True)
    assert b'"limitPx":"1"' in msgspec.json.encode(order)
    assert b'"origSz":"2"' in msgspec.json.encode(order)
    candle = b'{"t":1,"T":2,"s":"BTC","i":"1m","o":"1","c":"2","h":"3","l":"0.5","v":"9","n":4}'
    bar = msgspec.json.decode(candle, type=wire.Candle)
    assert (bar.open, bar.close, bar.high, bar.low, bar.trades) == ("1", "2", "3", "0.5", 4)


@pytest.mark.parametrize("action", get_args(wire.AnyAction))
def test_an_action_is_told_by_its_type_which_comes_first(action: type[wire.Action]) -> None:
    assert action.__struct_config__.tag_field == "type"
    assert action.__struct_config__.forbid_unknown_fields
    assert action.__struct_config__.omit_defaults
