"""What Hyperliquid's texts mean for the request they answer: one function over texts.

`refused`: definitely not done, and asking again changes nothing. `transient`: definitely not
done, and it may work once the cause is cured. `seen`: the nonce is used up, so a copy was
processed, with an outcome that must be looked up. `unknown`: it may have been done. Any text in
an answer of /exchange is the venue's own word and so at least `refused`; only the transport's
texts can be `unknown`.
"""

import re
from typing import Literal

Verdict = Literal["refused", "transient", "seen", "unknown"]

# In order: the first prefix that fits decides; nothing fits: refused.
_PREFIXES: tuple[tuple[str, Verdict], ...] = (
    ("Invalid nonce: duplicate nonce", "seen"),
    ("Invalid nonce", "transient"),
    ("Action already expired", "transient"),
    ("Too many cumulative requests sent", "transient"),
    ("Only post-only orders allowed", "transient"),
    ("Insufficient margin", "transient"),
    ("Insufficient spot balance", "transient"),
    ("Post only order would have immediately matched", "transient"),
    ("Order could not immediately match", "transient"),
    ("No liquidity available", "transient"),
    ("Price too far from oracle", "transient"),
    ("Order price too far from oracle", "transient"),
    ("Order price cannot be more than", "transient"),
    ("Order would increase open interest", "transient"),
    ("Order rejected due to price more aggressive than oracle", "transient"),
    ("Reduce only order would increase position", "transient"),
    ("too many pending post requests", "transient"),
    ("Cannot send more than", "transient"),
)
_UNKNOWN_ORDER = (
    "Order was never placed, already canceled, or filled",
    "TWAP was never placed, already canceled, or filled",
    "Cannot modify canceled or filled order",
)
_MODIFY_KILLED = "Error placing new order during modify"
_IDENTITY = ("User or API Wallet", "Must deposit before", "Unable to recover signer")
_OLD_PREFIX = "L1 error: "
_ASSET = re.compile(r"\s+asset=(\d+)\s*$")
_ID = re.compile(r"\bid=(\d{1,19})\s*$")
# The transport's words for it: nothing ran where the answer says 4xx.
_STATUS = re.compile(r"(\d{3})\b")


def plain(text: str) -> str:
    """Return a text without the older prefix and the asset at its end."""
    return _ASSET.sub("", text.removeprefix(_OLD_PREFIX))


def asset_of(text: str) -> int | None:
    """Return the asset id at the end of a text; chain-level refusals have one."""
    match = _ASSET.search(text)
    return int(match[1]) if match else None


def classify(text: str) -> Verdict:
    """Return what a text in an answer of /exchange says about its request or entry."""
    bare = plain(text)
    for prefix, verdict in _PREFIXES:
        if bare.startswith(prefix):
            return verdict
    return "refused"


def classify_transport(text: str) -> Verdict:
    """Return what a post's error, or an HTTP error's status, says: 5xx may have been done."""
    match = _STATUS.match(text)
    if match is None:
        return "unknown"
    code = int(match[1])
    if code == 429:
        return "transient"
    return "refused" if code in (400, 401, 403, 404, 405, 413, 415, 422) else "unknown"


def is_unknown_order(text: str) -> bool:
    """Whether the text says that there is no such open order (ended, or never there)."""
    return plain(text).startswith(_UNKNOWN_ORDER)


def is_modify_half_done(text: str) -> bool:
    """Whether the old order is gone though the new one was refused."""
    return plain(text).startswith(_MODIFY_KILLED)


def is_wrong_signer(text: str) -> bool:
    """Whether the venue recovered somebody else: wrong bytes, wrong network, expired wallet."""
    return plain(text).startswith(_IDENTITY)


def is_expired(text: str) -> bool:
    """Whether the request came after its `expiresAfter`: it can no longer run."""
    return plain(text).startswith("Action already expired")


def is_spent_budget(text: str) -> bool:
    """Whether the address has no requests left."""
    return plain(text).startswith("Too many cumulative requests sent")


def is_no_dead_man(text: str) -> bool:
    """Whether the account may not schedule cancels yet."""
    return plain(text).startswith("Cannot set scheduled cancel time")


def request_id_of(text: str) -> int:
    """Return the post's number at the end of an error channel's text; 0 where it has none."""
    match = _ID.search(text)
    return int(match[1]) if match else 0
