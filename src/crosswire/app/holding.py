"""One process a login: nonces and orders of two processes would get in each other's way.

The journal's lock guards a directory; this one guards the login itself, whatever directory or
bot it is used with, on this machine. Its file is named after a hash, so it tells nothing.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from crosswire.app.errors import UserError
from crosswire.journal import JournalHeld
from crosswire.journal.claim import holder, lock
from crosswire.venues.interface import Hosts


def hold(account: str, half: str, hosts: Hosts, now_ns: int) -> int:
    """Hold half a login until the returned descriptor is closed; `UserError` names who has it.

    Both halves are held: of some venues one signs for several accounts, and has the nonces.
    """
    digest = hashlib.sha256(f"{hosts.rest}\n{half}".encode()).hexdigest()[:32]
    directory = Path(tempfile.gettempdir()) / f"crosswire-{os.getuid()}" / digest
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return lock(directory, now_ns)
    except JournalHeld:
        raise UserError(f"account {account} is held by {holder(directory)}") from None
