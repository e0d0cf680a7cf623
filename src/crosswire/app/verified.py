"""What `crosswire verify` has seen hold on an account: one small file beside the journal.

Of a venue that takes identical bytes once, by its documents, nobody has seen it do so until an
account of one's own has. The record is of that login: another account under its name has none.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from crosswire.app.errors import UserError
from crosswire.venues.interface import Credentials, Hosts


class Verified(Struct, frozen=True):
    """When copies were seen to run once on an account, and what was seen."""

    account: str
    login: str  # a hash: it tells nothing
    at: str
    seen: list[str]


def write(
    directory: Path, account: str, login: Credentials, hosts: Hosts, seen: list[str], now_ns: int
) -> Path:
    """Note that copies run once there; `UserError` if the disk refuses."""
    moment = datetime.fromtimestamp(now_ns // 10**9, tz=UTC)
    record = Verified(account, _fingerprint(login, hosts), f"{moment:%Y-%m-%d %H:%M} UTC", seen)
    path = _path(directory, account)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    return path


def read(directory: Path, account: str, login: Credentials, hosts: Hosts) -> Verified | None:
    """Return the record of this very login, None if there is none that can be read."""
    try:
        found = msgspec.json.decode(_path(directory, account).read_bytes(), type=Verified)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.login == _fingerprint(login, hosts) else None


def _path(directory: Path, account: str) -> Path:
    return directory / f"verified-{hashlib.sha256(account.encode()).hexdigest()[:8]}.json"


def _fingerprint(login: Credentials, hosts: Hosts) -> str:
    """The venue's nonces are the signer's, so both halves of the login count."""
    text = f"{hosts.rest}\n{login.key}\n{login.secret}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
