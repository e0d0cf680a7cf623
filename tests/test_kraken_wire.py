"""The structs of Kraken's messages: exact numbers, tolerance for what is not read, no secrets."""

from decimal import Decimal

import msgspec
import pytest

from crosswire.venues.kraken import wire


@pytest.mark.parametrize("line", [b"0.10000000", b'"0.10000000"', b"1e-08", b"123456789.12345678"])
def test_numbers_keep_their_digits(line: bytes) -> None:
    level = msgspec.json.decode(b'{"price":%b,"qty":1}' % line, type=wire.BookLevel)
    assert level.price == Decimal(line.decode().strip('"'))


def test_a_field_that_is_not_read_may_hold_anything() -> None:
    line = (
        b'{"order_id":"O1","exec_type":"new","triggers":[1,{"a":null}],"users":7,"post_only":"?"}'
    )
    item = msgspec.json.decode(line, type=wire.ExecutionItem)
    assert (item.order_id, item.exec_type, item.cum_qty) == ("O1", "new", None)


def test_a_token_is_never_shown() -> None:
    token = wire.RestToken("1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw", 900)
    assert "1Dwc" not in f"{token} {token!r}"


def test_every_struct_is_part_of_the_face() -> None:
    assert {name for name in wire.__all__ if not hasattr(wire, name)} == set()
