"""WebSocket frames and handshakes as the benchmark's server needs them; a few lines, no options."""

import base64
import hashlib
from typing import NamedTuple

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Message(NamedTuple):
    """One frame from a client, unmasked."""

    opcode: int
    payload: bytes


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a server's frame: final, not masked."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def is_request(data: bytes) -> bool:
    """Whether it begins with a whole HTTP request with a body."""
    head, end, body = data.partition(b"\r\n\r\n")
    _, named, size = head.lower().partition(b"\r\ncontent-length:")
    return bool(data[:1] == b"P" and end and named) and len(body) >= int(size.split()[0])


def take(buffer: bytearray) -> Message | None:
    """Take one whole client frame off the front, None if it is not there yet."""
    if len(buffer) < 2 or buffer[:1] == b"P":
        return None
    size, start = buffer[1] & 127, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(buffer[2:start], "big")
    masked = bool(buffer[1] & 128)
    end = start + 4 * masked + size
    if len(buffer) < end:
        return None
    opcode = buffer[0] & 15
    payload = bytes(buffer[end - size : end])
    if masked:
        key = bytes(buffer[start : start + 4]) * (size // 4 + 1)
        number = int.from_bytes(payload, "big") ^ int.from_bytes(key[:size], "big")
        payload = number.to_bytes(size, "big")
    del buffer[:end]
    return Message(opcode, payload)


def accept(key: bytes) -> bytes:
    """Return the server's half of the handshake."""
    proof = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
    )
