"""REST signatures against the venue's own vectors, and nonces that only grow."""

import json
from base64 import b64decode, b64encode
from hashlib import sha256, sha512
from hmac import digest
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.venues.kraken.signing import JSON, Signer

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors/kraken/signing_vectors.json").read_text()
)
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def signed(vector: dict[str, str]) -> str:
    signer = Signer("key", vector["secret_b64"])
    path, nonce, body = (vector[name].encode() for name in ("uri_path", "nonce", "body"))
    return signer.sign(path, nonce, body)


def test_there_are_nineteen_vectors_and_three_negative_ones() -> None:
    assert (len(VECTORS["vectors"]), len(VECTORS["negative"])) == (19, 3)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_signatures_equal_the_vectors(vector: dict[str, str]) -> None:
    assert signed(vector) == vector["api_sign"]


@pytest.mark.parametrize("vector", VECTORS["negative"], ids=lambda vector: vector["name"])
def test_the_known_mistakes_are_not_made(vector: dict[str, str]) -> None:
    assert signed(vector) != vector["api_sign_must_not_equal"]


@given(secret=st.binary(min_size=1, max_size=300), path=st.binary(), body=st.binary())
def test_any_key_length_signs_as_the_standard_library_does(
    secret: bytes, path: bytes, body: bytes
) -> None:
    signer = Signer("key", b64encode(secret).decode())
    expected = digest(secret, path + sha256(b"7" + body).digest(), sha512)
    assert b64decode(signer.sign(path, b"7", body)) == expected


def test_headers_name_the_key_and_the_form() -> None:
    headers = Signer("the-key", SECRET).headers("/0/private/Balance", 7, b"nonce=7", JSON)
    assert headers["API-Key"] == "the-key"
    assert headers["Content-Type"] == "application/json"
    assert headers["API-Sign"] == Signer("k", SECRET).sign(b"/0/private/Balance", b"7", b"nonce=7")


@given(first=st.integers(0, 10**19), clock=st.lists(st.integers(0, 10**19), min_size=1))
def test_nonces_grow_whatever_the_clock_does(first: int, clock: list[int]) -> None:
    signer = Signer("key", SECRET, first)
    nonces = [signer.nonce(now_ns) for now_ns in clock]
    assert nonces[0] >= first
    assert all(later > earlier for earlier, later in pairwise(nonces))
    assert all(nonce >= now_ns for nonce, now_ns in zip(nonces, clock, strict=True))


@pytest.mark.parametrize("secret", ["not base64!", "abc", "", "ÄÖ=="])
def test_a_bad_secret_is_one_clear_line_without_the_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="the API secret is") as caught:
        Signer("key", secret)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ"])
def test_a_bad_key_is_one_clear_line(key: str) -> None:
    with pytest.raises(ValueError, match="the API key must be printable"):
        Signer(key, SECRET)


def test_no_secret_in_its_text() -> None:
    assert repr(Signer("the-key", SECRET)) == "Signer(***)"
