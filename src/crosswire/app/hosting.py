"""A venue's simulator, made from a few words, and recorded books for it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from crosswire.app.errors import UserError
from crosswire.domain import BookChanged, BookReset
from crosswire.net.clock import Clock
from crosswire.venues import NAMES, venue
from crosswire.venues.interface import FeedSettings, Session, Simulator

FLOWS = ("normal", "efficient", "off")
MAX_NESTING = 3  # how deep in a recorded document its frames may be


class SimWish(Struct, frozen=True, kw_only=True):
    """What a simulator is to be like."""

    venue: str
    seed: int = 1
    account: str = "main"
    balances: Mapping[str, str] = {}
    flow: str = ""
    recording: str = ""
    faults: Mapping[str, float] = {}


def build(wish: SimWish) -> Simulator:
    """Make the simulator; `UserError` in one line for an unknown flow, fault or pair."""
    recorded = recorded_book(wish.venue, Path(wish.recording)) if wish.recording else None
    found = venue(wish.venue)
    try:
        return found.simulator(
            wish.seed,
            Clock().now_ns(),
            found.stage.login(wish.account),
            wish.balances or found.stage.balances,
            faults=wish.faults,
            flow=wish.flow or "normal",
            recorded=recorded,
            account=wish.account,
        )
    except ValueError as error:
        raise UserError(str(error)) from None


def parse_balances(text: str) -> dict[str, str]:
    """Read "USD=100000,BTC=2"; `UserError` for anything else."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        asset, _, amount = part.partition("=")
        try:
            is_money = Decimal(amount) >= 0
        except InvalidOperation:
            is_money = False
        if not asset or not is_money:
            raise UserError(f'--balances "{part}": expected such as USD=100000,BTC=2')
        found[asset] = amount
    return found


USUAL = "usual"  # what `--faults` alone switches on: each often enough to be seen in 20 seconds


def parse_faults(text: str, venue_name: str) -> dict[str, float]:
    """Read "usual,drop_ack=0.05,cut@3" (a rate; the third opportunity); `UserError` otherwise.

    A switch behind "VENUE:" is that venue's alone, and left out for others.
    """
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        owner, _, switch = part.rpartition(":")
        if owner not in ("", *NAMES):
            raise UserError(f'--faults "{part}": expected a venue of {", ".join(NAMES)}')
        if owner not in ("", venue_name):
            continue
        if switch == USUAL:
            found |= venue(venue_name).stage.faults
            continue
        name, _, rate = switch.partition("=")
        try:
            found[name] = float(rate or ("1" if "@" in name else ""))
        except ValueError:
            raise UserError(
                f'--faults "{part}": expected switches such as drop_ack=0.05,cut@3'
            ) from None
    return found


def recorded_book(venue_name: str, file: Path) -> list[BookReset | BookChanged]:
    """Read a recorded book: the venue's frames, one a line or anywhere in one JSON document."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"--recording {file}: cannot be read: {error.strerror}") from None
    found: list[BookReset | BookChanged] = []
    decode = _Decoder(venue_name)
    for part in _documents(content):
        _collect(part, decode, found, MAX_NESTING)
    if not any(isinstance(event, BookReset) for event in found):
        raise UserError(f"--recording {file}: holds no whole book of {venue_name}")
    return found


class _Decoder:
    """A feed's decoding, without a feed."""

    def __init__(self, venue_name: str) -> None:
        found = venue(venue_name)
        self._session: Session = found.feed(FeedSettings(hosts=found.live))
        self._connection = self._session.endpoints()[0].connection
        self._session.opened(self._connection, 0)

    def __call__(self, payload: bytes) -> list[BookReset | BookChanged]:
        events = self._session.received(self._connection, payload, 0)
        return [event for event in events if isinstance(event, BookReset | BookChanged)]


def _documents(content: bytes) -> Iterator[Raw]:
    """The whole as one document, or each line as one."""
    try:
        yield msgspec.json.decode(content, type=Raw)
    except msgspec.DecodeError:
        for line in content.splitlines():
            if line.strip():
                yield Raw(line)


def _collect(part: Raw, decode: _Decoder, found: list[BookReset | BookChanged], depth: int) -> None:
    """Take a frame, or look for frames inside."""
    events = decode(bytes(part))
    if events or not depth:
        found += events
        return
    for inner in _parts(part):
        _collect(inner, decode, found, depth - 1)


def _parts(part: Raw) -> list[Raw]:
    """The members of an object or array; none of anything else."""
    opening = bytes(part).lstrip()[:1]
    try:
        if opening == b"{":
            return list(msgspec.json.decode(part, type=dict[str, Raw]).values())
        return msgspec.json.decode(part, type=list[Raw]) if opening == b"[" else []
    except msgspec.DecodeError:
        return []
