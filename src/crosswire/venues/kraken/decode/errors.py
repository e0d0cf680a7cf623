"""What Kraken's error texts mean for the request they answer: one function over texts.

Three classes. `refused`: definitely not done, and asking again changes nothing. `transient`:
definitely not done, and it may work once the cause is cured. `unknown`: it may have been done.
A text this module has never seen is `unknown`, unless it has no category in front: those come
from the venue's own schema check, before the engine saw anything.
"""

import re
from collections.abc import Iterable
from typing import Literal

Verdict = Literal["", "refused", "transient", "unknown"]

_CERTAINTY: tuple[Verdict, ...] = ("", "refused", "transient", "unknown")
_CATEGORY = re.compile(r"[EW][A-Z]?[A-Za-z]*:")
# In order: the first prefix that fits decides.
_PREFIXES: tuple[tuple[str, Verdict], ...] = (
    ("EOrder:Rate limit exceeded", "transient"),
    ("EOrder:Domain rate limit exceeded", "transient"),
    ("EOrder:", "refused"),
    ("EGeneral:Invalid arguments", "refused"),
    ("EGeneral:Permission denied", "refused"),
    ("EGeneral:Unknown method", "refused"),
    ("EGeneral:Temporary lockout", "transient"),
    ("EGeneral:Too many requests", "transient"),
    ("EService:Throttled", "transient"),
    ("EService:Market in ", "transient"),
    ("EService:Deadline elapsed", "transient"),
    ("EAPI:Rate limit exceeded", "transient"),
    ("EAPI:Invalid nonce", "transient"),
    ("EAPI:Invalid token", "transient"),
    ("EAPI:Invalid key", "refused"),
    ("EAPI:Invalid signature", "refused"),
    ("EAPI:Bad request", "refused"),
    ("EAPI:Feature disabled", "refused"),
    ("ESession:", "transient"),
    ("EAuth:Account unconfirmed", "refused"),
    ("EAuth:", "transient"),
    ("EAccount:", "refused"),
    ("EQuery:", "refused"),
    ("ETrade:Locked", "transient"),
    ("ETrade:", "refused"),
    ("EBM:", "refused"),
    ("Token(s) not found", "transient"),
    ("Exceeded msg rate", "transient"),
)
_TOKEN = ("EAPI:Invalid token", "ESession:Invalid session", "Token(s) not found")
_RATE = (
    "EOrder:Rate limit exceeded",
    "EOrder:Domain rate limit exceeded",
    "EAPI:Rate limit exceeded",
    "EAuth:Rate limit exceeded",
    "EAuth:Too many requests",
    "EGeneral:Too many requests",
    "EService:Throttled",
    "Exceeded msg rate",
)


def classify(text: str) -> Verdict:
    """Return what one error text says about its request."""
    for prefix, verdict in _PREFIXES:
        if text.startswith(prefix):
            return verdict
    return "unknown" if not text or _CATEGORY.match(text) else "refused"


def classify_all(texts: Iterable[str]) -> Verdict:
    """Return the verdict of all errors of one answer: the least certain wins; "" for none."""
    return max(map(classify, texts), key=_CERTAINTY.index, default="")


def is_duplicate(text: str) -> bool:
    """Whether the text says that an open order already has this client_order_id."""
    return text.startswith("EGeneral:Invalid arguments:cl_ord_id not unique")


def is_unknown_order(text: str) -> bool:
    """Whether the text says that there is no such open order (ended, or never there)."""
    return text.startswith(("EOrder:Unknown order", "EOrder:Invalid order"))


def is_dead_man(reason: str) -> bool:
    """Whether an order's end was the work of the dead-man timer (its exact words are open)."""
    letters = "".join(filter(str.isalpha, reason.lower()))
    return "cancelallordersafter" in letters


def is_token_refusal(text: str) -> bool:
    """Whether a new token cures it."""
    return text.startswith(_TOKEN)


def is_rate_limit(text: str) -> bool:
    """Whether waiting cures it: our own model of the counters was too optimistic."""
    return text.startswith(_RATE)
