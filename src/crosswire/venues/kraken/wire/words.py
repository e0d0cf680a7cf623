"""The words all of Kraken's messages share: numbers, envelopes."""

from decimal import Decimal

from msgspec import Raw, Struct, field

# Read from the digits of a JSON number or string: exact.
Number = Decimal
# Documented, sent, not read: any JSON passes.
Ignored = object


class Envelope(Struct, frozen=True):
    """What routes a WebSocket frame: `method` first, then `channel`."""

    method: str | None = None
    channel: str | None = None
    type: str | None = None
    sequence: int | None = None
    ratecount: Number | None = None  # where the rate counter rides is not captured
    ratecounter: Number | None = None
    too_fast: str | None = field(default=None, name="Error")  # the odd {"Error": "..."}


class RestEnvelope(Struct, frozen=True):
    """A REST answer: texts of errors and warnings, and a result where there is one."""

    error: list[str]
    result: Raw = Raw(b"")
