"""`verify`: one far, smallest, post-only order at the venue itself, and the same at our simulator.

It places, amends, looks up and cancels, and tries what proofs of absence rest on: that our id of
an order stands wherever it is shown, that the stream's own picture is whole, how far look-ups
trail, and that the cancel of an order that is over is refused as unknown.

Where a venue says that identical bytes run once, it sends some again (see `copies`): only what was
seen on the account itself lets the engine send copies there.

It keeps every frame of the account's connection in a transcript, and lists where the venue's
words have another shape than the simulator's. The transcript never holds a key, a secret, a
token or a signature.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from crosswire import fixed
from crosswire.app import verified
from crosswire.app.client import Client
from crosswire.app.config import Config, credentials
from crosswire.app.copies import Trial
from crosswire.app.errors import CrosswireError
from crosswire.app.live import Trader
from crosswire.app.placed import PlacedOrder
from crosswire.domain import (
    AnyEvent,
    Approved,
    Cancel,
    CancelRejected,
    Instrument,
    LookUp,
    OrdersRead,
    ReadFailed,
    Sent,
)
from crosswire.venues import venue
from crosswire.venues.interface import Frame, HttpRequest

FAR = Decimal("0.5")  # of the best bid: nobody sells there
LABELS = ("method", "channel", "type")  # what a message is, where it says so
HIDDEN = frozenset(("token", "nonce", "otp", "signature", "key", "secret", "api_key", "password"))
MASK = "***"
LAG_S = 90.0  # look-ups are given so long to show what the stream has shown
ASK_S = 2.0
ANSWER_S = 10.0


class Row(Struct, frozen=True):
    """One message of the transcript."""

    at_ns: int
    way: str  # "out" or "in"
    place: str  # the connection, or the HTTP path
    text: str


class Run(Struct):
    """One dialogue with a venue or its simulator."""

    steps: list[dict[str, Any]] = []
    rows: list[Row] = []
    has_shown_copies: bool = False
    remarks: list[str] = []

    @property
    def is_done(self) -> bool:
        """Whether every step succeeded."""
        return all(step["ok"] for step in self.steps)


class Recorder:
    """Keeps what an account's link carries."""

    def __init__(self, trader: Trader, account: str, run: Run) -> None:
        self._trader = trader
        self._run = run
        self._sent: list[Frame | HttpRequest] = []  # as they left; never written down
        self._link = link = trader.link(account)
        link.tap(self._frame_out)
        self._wrap(link, "ask", self._request_out)
        session = link.session
        self._wrap(session, "received", self._frame_in)
        self._wrap(session, "answered", self._answer_in)

    def _wrap(self, owner: object, name: str, record: Callable[..., None]) -> None:
        inner = getattr(owner, name)

        def recorded(*arguments: Any) -> Any:
            record(*arguments)
            return inner(*arguments)

        vars(owner)[name] = recorded

    def _add(self, way: str, place: str, text: str) -> None:
        self._run.rows.append(Row(self._trader.now_ns(), way, place, hide(text)))

    def send_again(self, mark: bytes) -> None:
        """Hand over once more, bit by bit, what was last sent with this text in it."""
        for sent in reversed(self._sent):
            if isinstance(sent, Frame) and mark in sent.payload:
                self._link.write(sent)
                return
            if isinstance(sent, HttpRequest) and mark in sent.body:
                self._link.ask(sent)
                return
        raise CrosswireError("nothing of it was sent")

    def heard(self, text: str) -> int:
        """How many messages of the venue had this text in them."""
        return sum(row.way == "in" and text in row.text for row in self._run.rows)

    def _frame_out(self, frame: Frame) -> None:
        self._sent.append(frame)
        self._add("out", frame.connection, frame.payload.decode())

    def _request_out(self, request: HttpRequest) -> None:
        self._sent.append(request)
        self._add("out", f"{request.method} {request.path}", request.body.decode())

    def _frame_in(self, connection: str, payload: bytes, _now_ns: int) -> None:
        self._add("in", connection, bytes(payload).decode(errors="replace"))

    def _answer_in(self, request: HttpRequest, status: int, body: bytes, _now_ns: int) -> None:
        self._add("in", f"{request.path} {status}", body.decode(errors="replace"))


def hide(text: str) -> str:
    """Mask everything in a message that opens a door, and change nothing else."""
    for form in (_JSON, _OBJECT):
        text = form.sub(rf'\g<1>"{MASK}"', text)
    return _FORM.sub(rf"\g<1>{MASK}", text)


_NAMES = "|".join(sorted(HIDDEN))
_JSON = re.compile(rf'("(?:{_NAMES})"\s*:\s*)(?:"[^"]*"|[0-9.]+)')
_OBJECT = re.compile(rf'("(?:{_NAMES})"\s*:\s*)\{{[^{{}}]*\}}')
_FORM = re.compile(rf"((?:^|&)(?:{_NAMES})=)[^&\s]*")


# --- the dialogue ------------------------------------------------------------------------------


async def converse(config: Config, where: str, account: str, instrument: str) -> Run:
    """Go through every step; a failed one is noted, and what can still be done is done."""
    run = Run()
    alone = config.model_copy(
        update={"strategies": {}, "accounts": {account: config.accounts[account]}}
    )
    trader = Trader(alone, where=where)
    client = Client(trader, account)
    client.listen()
    try:
        await trader.prepare()
        run.remarks = trader.remarks()
        recorder = Recorder(trader, account, run)
        await trader.start()
        await _walk(client, instrument, run)
        if trader.capabilities(account).takes_copies:
            await _repeat(client, instrument, run, recorder)
    finally:
        await trader.stop()
        client.leave()
    trader.raise_failure()
    return run


async def _walk(client: Client, instrument: str, run: Run) -> None:
    price, quantity = await _smallest_at(client, instrument)
    listed = client.trader.engine.instruments[f"{client.venue}:{instrument}"]
    placed: list[PlacedOrder] = []

    async def place() -> str:
        placed.append(await client.place(instrument, "buy", quantity, limit=price, post_only=True))
        return f"{quantity} at {price}: {placed[0].status}"

    async def amend() -> str:
        below = listed.floor_price(fixed.from_decimal(price) - 1)
        await placed[0].amend(limit=fixed.to_decimal(below))
        return f"to {placed[0].price}"

    async def cancel() -> str:
        await placed[0].cancel()
        return (await placed[0].done()).status

    await _step(run, "place", place)
    if not placed:
        return
    order = placed[0]
    await _step(run, "amend", amend)
    has_picture = client.trader.capabilities(client.account).has_snapshot
    await _step(run, "look up", lambda: _shown(client, order))
    if has_picture:
        await _step(run, "picture", lambda: _look_up(client, order, "snapshot", is_shown=True))
    await _step(run, "cancel", cancel)
    await _step(run, "look up again", lambda: _gone(client, order))
    if has_picture:
        await _step(
            run, "picture again", lambda: _look_up(client, order, "snapshot", is_shown=False)
        )
    await _step(run, "closed orders", lambda: _closed(client, order))
    await _step(run, "cancel again", lambda: _cancel_again(client, order))


def _smallest(listed: Instrument, best_bid: int) -> tuple[Decimal, Decimal]:
    """A price far away and the least quantity the venue takes there, and a step below."""
    far = fixed.multiply(best_bid, fixed.from_decimal(FAR))
    price = max(listed.floor_price(far), 2 * listed.price_tick)
    below = listed.floor_price(price - 1)
    least = max(listed.min_quantity, fixed.divide(listed.min_notional, below) + 1)
    quantity = -(-least // listed.quantity_step) * listed.quantity_step
    return fixed.to_decimal(price), fixed.to_decimal(quantity)


async def _look_up(client: Client, order: PlacedOrder, what: str, *, is_shown: bool) -> str:
    """Ask for the account's orders: it must be there, under our id, or must not."""
    read = await client.look_up(LookUp(client.account, what))
    if isinstance(read, ReadFailed):
        raise CrosswireError(f"the look-up failed: {read.reason}")
    assert isinstance(read, OrdersRead)
    found = [shown for shown in read.orders if shown.venue_order_id == order.venue_order_id]
    if bool(found) != is_shown:
        raise CrosswireError(f"{order.venue_order_id} is {'' if found else 'not '}shown")
    if found and found[0].client_order_id != order.client_order_id:
        raise CrosswireError(f"{order.venue_order_id} is shown without our id of it")
    return "shown, with our id" if found else "gone"


async def _repeat(client: Client, instrument: str, run: Run, recorder: Recorder) -> None:
    """Send identical bytes again, now and later: each must say that it came before."""
    trial = Trial(client, recorder, instrument, partial(_smallest_at, client, instrument))
    await _step(run, "copy at once", trial.copy_at_once)
    if not trial.word:
        return
    await _step(run, "copy later", trial.copy_later)
    await _step(run, "one order", lambda: _trailing(trial.one_order))
    if trial.idle is not None:
        await _step(run, "nothing, twice", trial.nothing_twice)
    await _step(run, "cancel it", trial.cancel)
    run.has_shown_copies = all(step["ok"] for step in run.steps)


async def _smallest_at(client: Client, instrument: str) -> tuple[Decimal, Decimal]:
    book = await client.book(instrument)
    listed = client.trader.engine.instruments[f"{client.venue}:{instrument}"]
    assert book.best_bid is not None
    return _smallest(listed, fixed.from_decimal(book.best_bid))


async def _shown(client: Client, order: PlacedOrder) -> str:
    return await _trailing(lambda: _look_up(client, order, "open_orders", is_shown=True))


async def _gone(client: Client, order: PlacedOrder) -> str:
    return await _trailing(lambda: _look_up(client, order, "open_orders", is_shown=False))


async def _closed(client: Client, order: PlacedOrder) -> str:
    return await _trailing(lambda: _look_up(client, order, "closed_orders", is_shown=True))


async def _trailing(ask: Callable[[], Awaitable[str]]) -> str:
    """Ask until it is as it should be, and say how long that took: look-ups trail the stream."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while True:
        try:
            found = await ask()
        except CrosswireError as error:
            if loop.time() - began_s > LAG_S:
                raise CrosswireError(f"{error}, {LAG_S:g} s later") from None
            await asyncio.sleep(ASK_S)
        else:
            return f"{found} after {loop.time() - began_s:.1f} s"


async def _cancel_again(client: Client, order: PlacedOrder) -> str:
    """Cancel by our id what is over: the refusal is what rules out an order in doubt."""
    command = Cancel(
        client.account, order.client_order_id, "", f"{client.venue}:{order.instrument}"
    )
    sent = client.trader.submit(command)
    assert isinstance(sent, Approved)

    def is_it(event: AnyEvent) -> bool:
        return getattr(event, "request_id", 0) == sent.request_id and not isinstance(event, Sent)

    answer = await client.wait_for(is_it, ANSWER_S, "the answer to a second cancel")
    if not (isinstance(answer, CancelRejected) and answer.is_unknown_order):
        raise CrosswireError(f"it was not refused as unknown: {type(answer).__name__}")
    return answer.reason


async def _step(run: Run, name: str, work: Callable[[], Awaitable[str]]) -> None:
    try:
        run.steps.append({"step": name, "ok": True, "detail": await work()})
    except CrosswireError as error:
        run.steps.append({"step": name, "ok": False, "detail": str(error)})


def record(config: Config, where: str, account: str, run: Run) -> Path:
    """Note beside the journal what was seen of copies, so that this account may send them."""
    section = config.accounts[account]
    found = venue(section.venue)
    hosts = section.hosts.hosts() if section.hosts else None
    if hosts is None:
        hosts = found.live if config.mode == "live" else found.testnet
    assert hosts is not None
    seen = [f"{step['step']}: {step['detail']}" for step in run.steps]
    login = credentials(section, account, where)
    return verified.write(config.journal.directory, account, login, hosts, seen, time.time_ns())


# --- the comparison ----------------------------------------------------------------------------


def differences(real: Run, simulated: Run) -> list[str]:
    """Where messages of one kind differ in their fields or the fields' types."""
    ours, theirs = _shapes(simulated), _shapes(real)
    lines: list[str] = []
    for label in sorted(ours.keys() | theirs.keys()):
        if label not in theirs or label not in ours:
            side = "the simulator" if label in ours else "the venue"
            lines.append(f"{label}: said by {side} alone")
            continue
        for path in sorted(ours[label].keys() | theirs[label].keys()):
            mine, real_kinds = ours[label].get(path, set()), theirs[label].get(path, set())
            if mine != real_kinds:
                lines.append(
                    f"{label} {path}: {_words(real_kinds)} at the venue, "
                    f"{_words(mine)} in the simulator"
                )
    return lines


def _words(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds)) or "absent"


def _shapes(run: Run) -> dict[str, dict[str, set[str]]]:
    """Message kind -> field path -> the types seen there."""
    found: dict[str, dict[str, set[str]]] = {}
    for row in run.rows:
        if row.way == "in":
            try:
                message = json.loads(row.text)
            except json.JSONDecodeError:
                message = row.text
            label = _label(row.place, message)
            _collect(message, "", found.setdefault(label, {}))
    return found


def _label(place: str, message: Any) -> str:
    words = [message[key] for key in LABELS if key in message] if isinstance(message, dict) else []
    return " ".join(map(str, words)) or place


def _collect(value: Any, path: str, into: dict[str, set[str]]) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            # Ids as keys are no field names.
            name = key if key.isidentifier() and not key.isupper() else "*"
            _collect(item, f"{path}.{name}", into)
    elif isinstance(value, list):
        for item in value:
            _collect(item, f"{path}[]", into)
    else:
        into.setdefault(path, set()).add(_kind(value))


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "true or false"
    return "number" if isinstance(value, int | float) else "text"


def write_transcript(path: Path, run: Run) -> None:
    """Write every message as one JSON line."""
    lines = (
        json.dumps({"at_ns": row.at_ns, "way": row.way, "place": row.place, "text": row.text})
        for row in run.rows
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
