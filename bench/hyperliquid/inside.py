"""What single steps cost inside the process: an order signed, a whole book taken in."""

import json
import statistics
import subprocess
from typing import Any

from bench.build import HERE
from bench.figures import Row
from bench.hyperliquid.ticks import books
from bench.inside import NOW_NS, Step, timed
from bench.trading import Plan
from crosswire.book import Book
from crosswire.domain import BookReset, Place
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.messages import ChannelMessage
from crosswire.venues.hyperliquid.decode.websocket import Decoder
from crosswire.venues.hyperliquid.encode import envelope
from crosswire.venues.hyperliquid.encode.actions import Actions
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.signing import Signer
from tests.sdk.environment import python_of
from tests.sdk.versions import CCXT, COINCURVE, HYPERLIQUID_SDK

KEY = "0x" + "42" * 32
ORDER_NS, TIMES_PURE, TIMES_COINCURVE = 35_000, 60.0, 6.0
BOOK_NS = 9_000
INSTRUMENT = "hyperliquid:BTC-PERP"


def listings() -> Listings:
    """Return the lists of a venue that has BTC alone."""
    known = Listings()
    known.learn_dexs([None])
    row = wire.PerpAsset(name="BTC", sz_decimals=5, max_leverage=40)
    known.learn_perps(wire.Meta(universe=[row]))
    return known


def signed_order() -> Step:
    """Return the step: a place command -> the frame that posts its signed body."""
    actions, signer = Actions(listings()), Signer(KEY, is_mainnet=False)
    places = [
        Place(
            account="a", instrument=INSTRUMENT, client_order_id=f"{number:032x}", side="buy",
            quantity=parse("0.01"), price=parse(f"{64000 + 7 * number % 1999}"), post_only=True,
        )
        for number in range(1024)
    ]  # fmt: skip
    first = NOW_NS // 1_000_000

    def step(number: int) -> object:
        action = actions.order(places[number & 1023])
        body = envelope.signed(action, signer, first + number, first + 10_000 + number)
        return envelope.post_action(number, body)

    return step


def whole_book(*, is_applied: bool) -> Step:
    """Return the step: bytes of a whole book -> the event; with `is_applied`, in the book too."""
    known = listings()
    book, ticks = Book(known.by_id[INSTRUMENT].instrument), books()
    texts = [tick.text for tick in ticks]
    count = place = len(texts)
    read = Decoder(known, session="hyperliquid", connection="public").frame

    def step(_: int) -> int:
        nonlocal place, read
        if place == count:  # the ring begins anew, and nobody remembers its levels
            place, read = 0, Decoder(known, session="hyperliquid", connection="public").frame
        message = read(texts[place], NOW_NS)
        place += 1
        if type(message) is not ChannelMessage:
            raise AssertionError("a book was not read")
        event = message.events[0]
        if type(event) is not BookReset:
            raise AssertionError("a book was not taken")
        return book.reset(event) and book.best_bid if is_applied else event.bids[0][0]

    assert step(0) == parse(ticks[0].best_bid)
    return step


def rows(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return the rows, and remarks."""
    ours = timed("Hyperliquid order: build, sign, encode", signed_order(), plan, ORDER_NS)
    read = timed("Hyperliquid 20x2 book: parse", whole_book(is_applied=False), plan, BOOK_NS)
    book = timed("Hyperliquid 20x2 book: parse, apply, best", whole_book(is_applied=True), plan)
    found, remarks = [ours], []
    for times, packages in ((TIMES_PURE, ()), (TIMES_COINCURVE, (COINCURVE,))):
        try:
            theirs = sdk_order(plan, *packages)
        except RuntimeError as error:
            remarks.append(f"hyperliquid-python-sdk: {error}")
            continue
        name = f"times faster than the SDK{' with coincurve' if packages else ''}"
        found += [
            theirs,
            Row(name, theirs.value / ours.value, "x", None, times, is_at_least=True),
        ]
    found += [read, book]
    try:
        found.append(ccxt_book(plan))
    except RuntimeError as error:
        remarks.append(f"ccxt.pro: {error}")
    return found, remarks


def sdk_order(plan: Plan, *packages: str) -> Row:
    """Return what the same order costs inside the SDK, with other packages beside it."""
    python = sdk_python(*packages)
    given = {"rounds": plan.rounds, "batch": 200 if packages else 30, "key": KEY}
    said = _said(str(python), "hyperliquid_sdk_order.py", given)
    assert ("CoinCurve" in said["library"]) == bool(packages), said["library"]
    name = f"Hyperliquid order in the SDK{' with coincurve' if packages else ''}"
    return Row(name, statistics.median(said["means"]), "ns", said["p99"], note=said["library"])


def sdk_python(*packages: str) -> str:
    """Return the interpreter of the SDK's environment, with other packages beside it."""
    name = "hyperliquid-coincurve" if packages else "hyperliquid"
    return str(python_of(name, HYPERLIQUID_SDK, *packages))


def ccxt_book(plan: Plan) -> Row:
    """Return what the same book costs inside ccxt.pro."""
    ticks = books()
    given = {"rounds": plan.rounds, "ticks": [tick.text.decode() for tick in ticks]}
    said = _said(str(python_of("ccxt", CCXT)), "hyperliquid_ccxt_book.py", given)
    assert said["best_bid"] == float(ticks[-1].best_bid)
    return Row(
        "Hyperliquid 20x2 book in ccxt.pro", statistics.median(said["means"]), "ns", said["p99"]
    )


def _said(python: str, program: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run a foreign program; return what it printed."""
    done = subprocess.run(
        [python, str(HERE / "clients" / program)],
        input=json.dumps(given), capture_output=True, text=True, check=True,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(done.stdout)
    return said
