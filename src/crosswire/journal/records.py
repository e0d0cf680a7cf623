"""What the journal holds, as bytes: the closed unions of the domain, so no secret has a place.

In the ring a record is msgpack, which is fastest. msgpack ends at 64 bits, and an amount at
scale 10^-10 reaches that at 1.8 thousand million; a record with such a number is written as
JSON, which has no bound. The first byte tells them apart: a msgpack struct never starts with
"{". In the database every record is JSON, for people to read.
"""

import msgspec

from crosswire.domain import AnyEvent, Approved

Record = AnyEvent | Approved

encode_msgpack = msgspec.msgpack.Encoder().encode
_decode_msgpack = msgspec.msgpack.Decoder(Record).decode
encode_json = msgspec.json.Encoder().encode
decode_json = msgspec.json.Decoder(Record).decode


class JournalError(Exception):
    """The journal cannot do what was asked; its text is one line for the user."""


class JournalHeld(JournalError):
    """Another process has this journal; the text names it."""


class JournalDamaged(JournalError):
    """The journal contradicts itself, and going on would be guessing."""


class JournalFull(JournalError):
    """No room for the record; nothing was written, and nothing was overwritten."""


def decode(body: bytes) -> Record:
    """Return the record; `msgspec.MsgspecError` if the bytes are none of ours."""
    record: Record = decode_json(body) if body[:1] == b"{" else _decode_msgpack(body)
    return record
