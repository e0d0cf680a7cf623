"""Logins: an account's address and the private key that signs for it, which may be another's.

The key of an API wallet is the usual signer. Whether the venue takes a pair only the venue can
say (`userRole`); here is what can be said of a text alone.
"""

import re

from crosswire.venues.hyperliquid.signing import address_of
from crosswire.venues.interface import Credentials, LoginError

_ADDRESS = re.compile("(?:0x)?([0-9a-fA-F]{40})").fullmatch
_KEY = re.compile("(?:0x)?([0-9a-fA-F]{64})").fullmatch


def read_login(login: Credentials) -> Credentials:
    """Return a login in the spelling used inside; `LoginError` says which half cannot be one.

    0x may be left out. No message holds anything of either half.
    """
    if not (address := _ADDRESS(login.key)):
        is_key = _KEY(login.key) is not None
        what = ", not a private key: that is the secret" if is_key else ""
        raise LoginError("key", f"the account's address, 0x and 40 hex digits{what}")
    key = _KEY(login.secret)
    if not key:
        is_address = _ADDRESS(login.secret) is not None
        what = ", not an address" if is_address else ""
        raise LoginError("secret", f"the signer's private key, 0x and 64 hex digits{what}")
    secret = f"0x{key[1].lower()}"
    try:
        address_of(secret)
    except ValueError:
        raise LoginError("secret", "a private key of secp256k1, and this number is none") from None
    return Credentials(f"0x{address[1].lower()}", secret)
