"""Logins as users write them: both spellings are taken, anything else is one line, no secret."""

import pytest

from crosswire.venues.hyperliquid.login import read_login
from crosswire.venues.hyperliquid.stage import STAGE
from crosswire.venues.interface import Credentials, LoginError

ADDRESS = "0x" + "Ab" * 20
KEY = "0x" + "1f" * 32
ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"  # of the curve


@pytest.mark.parametrize("key", [KEY, KEY[2:], KEY.upper().replace("X", "x")])
@pytest.mark.parametrize("address", [ADDRESS, ADDRESS[2:], ADDRESS.lower()])
def test_prefix_and_case_do_not_matter(address: str, key: str) -> None:
    assert read_login(Credentials(address, key)) == Credentials(ADDRESS.lower(), KEY)


@pytest.mark.parametrize(
    ("address", "key", "half", "words"),
    [
        ("", KEY, "key", "40 hex digits"),
        (ADDRESS[:-1], KEY, "key", "40 hex digits"),
        (ADDRESS + "0", KEY, "key", "40 hex digits"),
        ("my account", KEY, "key", "40 hex digits"),
        (KEY, KEY, "key", "not a private key: that is the secret"),
        (ADDRESS, "", "secret", "64 hex digits"),
        (ADDRESS, KEY[:-2], "secret", "64 hex digits"),
        (ADDRESS, KEY[:-1] + "g", "secret", "64 hex digits"),
        (ADDRESS, ADDRESS, "secret", "not an address"),
        (ADDRESS, "0x" + "0" * 64, "secret", "secp256k1"),
        (ADDRESS, ORDER, "secret", "secp256k1"),
    ],
)
def test_what_cannot_be_a_login_is_one_line_without_it(
    address: str, key: str, half: str, words: str
) -> None:
    with pytest.raises(LoginError) as caught:
        read_login(Credentials(address, key))
    assert caught.value.half == half
    assert words in caught.value.expected
    said = str(caught.value)
    assert "\n" not in said
    assert not any(len(part) > 8 and part in said for part in (address[2:], key[2:]))


def test_a_simulators_login_is_one() -> None:
    assert read_login(STAGE.login("main")) == STAGE.login("main")
