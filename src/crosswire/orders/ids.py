"""Client order ids: 128 bits, written as 32 lower-case hex digits.

    bot 32 bits . run 24 . counter 40 . check 32

"Ours" means the same bot, any run. The check bits keep a stranger's id from passing as ours.
The run number comes from the journal and is on disk before a run's first send, so an id is
never used twice, whatever a crash forgot.
"""

from typing import NamedTuple
from zlib import crc32

MAX_RUN = 2**24 - 1
MAX_COUNTER = 2**40 - 1


class ParsedId(NamedTuple):
    """What one of our ids says."""

    bot: int
    run: int
    counter: int


def bot_number(name: str) -> int:
    """Return the 32 bits that stand for a bot's name."""
    return crc32(name.encode())


class ClientOrderIds:
    """Makes the ids of one run of one bot."""

    def __init__(self, bot: str, run: int, counter: int = 0) -> None:
        if not 0 <= run <= MAX_RUN:
            raise ValueError(f"run {run} is out of range: expected 0 to {MAX_RUN}")
        self.bot = bot_number(bot)
        self.run = run
        self.counter = counter
        self._prefix = f"{self.bot:08x}{run:06x}"
        self._check = crc32(self._prefix.encode())

    def next(self) -> str:
        """Return an id never returned before in this run."""
        self.counter += 1
        counter = b"%010x" % self.counter
        check = crc32(counter, self._check)
        return f"{self._prefix}{counter.decode()}{check:08x}"

    def is_ours(self, client_order_id: str) -> bool:
        """Tell whether an id was made by this bot, in any run."""
        parsed = parse(client_order_id)
        return parsed is not None and parsed.bot == self.bot


def parse(client_order_id: str) -> ParsedId | None:
    """Return what an id says, or None if crosswire did not make it."""
    body, check = client_order_id[:24], client_order_id[24:]
    if len(check) != 8 or f"{crc32(body.encode()):08x}" != check:
        return None
    try:
        return ParsedId(int(body[:8], 16), int(body[8:14], 16), int(body[14:], 16))
    except ValueError:
        return None
