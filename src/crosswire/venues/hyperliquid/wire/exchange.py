"""Answers of /exchange, which are also the payload of a post's answer to an action."""

from msgspec import Raw, Struct

from crosswire.venues.hyperliquid.wire.words import Number


class Answer(Struct, frozen=True):
    """ok with a body, or err with a text; some actions put `data` beside `response`."""

    status: str
    response: Raw = Raw(b"")
    data: Raw = Raw(b"")


class Result(Struct, frozen=True):
    """The body: what kind of answer, and its data where it has any."""

    type: str = ""
    data: Raw = Raw(b"")


class Results(Struct, frozen=True):
    """One entry per entry of the request, or for a twap one status."""

    statuses: list[Raw] = []
    status: Raw = Raw(b"")


class Resting(Struct, frozen=True):
    """The order rests, by the venue's number."""

    oid: int
    cloid: str | None = None


class FilledEntry(Struct, frozen=True, rename="camel"):
    """The order traded at once: maybe not all of it."""

    oid: int
    total_sz: Number
    avg_px: Number = "0"
    cloid: str | None = None


class Running(Struct, frozen=True, rename="camel"):
    """A twap runs."""

    twap_id: int


class Entry(Struct, frozen=True):
    """What became of one entry, where it is an object: exactly one of these."""

    resting: Resting | None = None
    filled: FilledEntry | None = None
    error: str | None = None
    running: Running | None = None
