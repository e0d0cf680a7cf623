"""What single steps cost inside the process, and what a start costs."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.build import HERE
from bench.figures import Row
from bench.ticks import SYMBOL, ring
from bench.trading import Plan
from bench.venue import INSTRUMENTS
from crosswire.book import Book
from crosswire.domain import Amend, BookChanged, BookReset, Instrument, Place, Sent
from crosswire.fixed import parse
from crosswire.journal import Journal
from crosswire.venues import venue
from crosswire.venues.interface import FeedSettings, Frame, Session
from crosswire.venues.kraken.encode import bodies
from crosswire.venues.kraken.encode.frames import Frames
from crosswire.venues.kraken.signing import Signer
from tests.sdk.environment import python_of
from tests.sdk.versions import CCXT

NOW_NS = 1_790_000_000_000_000_000
INSTRUMENT = Instrument(
    id=f"kraken:{SYMBOL}", venue="kraken", name=SYMBOL, kind="spot", base="BTC", quote="USD",
    price_tick=parse("0.1"), quantity_step=parse("0.00000001"), price_decimals=1,
    quantity_decimals=8, min_quantity=parse("0.00005"), min_notional=parse("0.5"),
)  # fmt: skip
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
PLACE = Place(
    account="a", instrument=INSTRUMENT.id, client_order_id="0" * 31 + "1", side="buy",
    quantity=parse("0.01"), price=parse("65000.1"), post_only=True,
)  # fmt: skip
Step = Callable[[int], object]


def timed(name: str, step: Step, plan: Plan, budget: float | None = None) -> Row:
    """Return the median of batch means, in ns, and the p99 of single calls."""
    batch = 2000
    means, singles = [], []
    clock = time.perf_counter_ns
    for number in range(batch):
        step(number)
    for _ in range(3 * plan.rounds):
        plan.watch.wait()
        started = clock()
        for number in range(batch):
            step(number)
        means.append((clock() - started) / batch)
        for number in range(batch):
            started = clock()
            step(number)
            singles.append(clock() - started)
    p99 = sorted(singles)[int(len(singles) * 0.99)]
    return Row(name, statistics.median(means), "ns", p99, budget)


def fed(snapshot: bytes) -> tuple[Session, str, BookReset]:
    """Return a public session that has its book, its connection, and the book's first event."""
    known = venue("kraken")
    feed = known.feed(FeedSettings(hosts=known.live, instruments=(SYMBOL,)))
    connection = feed.endpoints()[0].connection
    feed.start(NOW_NS)
    feed.opened(connection, NOW_NS)
    found = list(feed.received(connection, INSTRUMENTS.encode(), NOW_NS))
    for frame in [item for item in feed.outbox if isinstance(item, Frame)]:
        asked = json.loads(frame.payload)
        result = {**asked["params"], "symbol": SYMBOL}
        ack = {"method": "subscribe", "req_id": asked["req_id"], "result": result, "success": True}
        found += feed.received(connection, json.dumps(ack).encode(), NOW_NS)
    found += feed.received(connection, snapshot, NOW_NS)
    return feed, connection, next(event for event in found if isinstance(event, BookReset))


def book_update() -> Step:
    """Return the step: bytes of an update -> applied, checksum verified, best bid read."""
    frames = ring()
    feed, connection, reset = fed(frames.snapshot)
    book = Book(INSTRUMENT)
    assert book.reset(reset)
    texts = [tick.text for tick in frames.ticks]
    count, place, received = len(texts), 0, feed.received

    def step(_: int) -> int:
        nonlocal place
        event = received(connection, texts[place], NOW_NS)[0]
        place = place + 1 if place + 1 < count else 0
        if type(event) is not BookChanged or not book.change(event):
            raise AssertionError("a book update was not taken")
        return book.best_bid

    return step


def signed_order() -> Step:
    """Return the step: a place command -> body and signed headers of the REST call."""
    signer = Signer("key", SECRET)

    def step(number: int) -> object:
        nonce = signer.nonce(NOW_NS + number)
        call = bodies.add_order(PLACE, now_ns=NOW_NS, deadline_ns=NOW_NS + 5 * 10**9)
        return signer.headers(call.path, nonce, call.body(nonce))

    return step


def order_frame() -> Step:
    """Return the step: an amend command -> the frame's text."""
    frames = Frames("1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw")
    amends = [
        Amend(
            account="a", client_order_id=PLACE.client_order_id, venue_order_id="",
            instrument=INSTRUMENT.id, price=parse(f"{65000 + number % 50}.1"),
        )
        for number in range(256)
    ]  # fmt: skip

    def step(number: int) -> object:
        return frames.amend_order(amends[number & 255], number, deadline_ns=NOW_NS + number * 10**6)

    return step


def journal_append(journal: Journal) -> Step:
    """Return the step: an event into the ring."""
    sent = Sent(NOW_NS, "a", 7, "ws", (PLACE.client_order_id,), NOW_NS, "private")
    append = journal.append

    def step(_: int) -> None:
        append(sent)

    return step


def rows(plan: Plan) -> tuple[list[Row], list[str]]:
    """Return the rows, and remarks."""
    found = [
        timed("Kraken update: parse, apply, checksum, best", book_update(), plan, 2_500),
        timed("Kraken REST order: encode and sign", signed_order(), plan, 3_000),
        timed("Kraken WebSocket amend: encode", order_frame(), plan),
    ]
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal.open(directory, now_ns=time.time_ns)
        found.append(timed("journal: append one event", journal_append(journal), plan, 300))
        journal.close()
    plain = import_ms([sys.executable], "import crosswire", plan.rounds)
    found.append(Row("import crosswire", plain, "ms", None, 250, note="public names load on use"))
    whole = import_ms([sys.executable], "import crosswire; crosswire.connect", plan.rounds)
    found.append(Row("import crosswire, all of it", whole, "ms", None, 250))
    try:
        python = str(python_of("ccxt", CCXT))
    except RuntimeError as error:
        return found, [f"ccxt.pro: {error}"]
    theirs = import_ms([python], "import ccxt.pro", plan.rounds)
    found.append(Row("import ccxt.pro", theirs, "ms"))
    found.insert(1, ccxt_update(python, 3 * plan.rounds))
    return found, []


def ccxt_update(python: str, rounds: int) -> Row:
    """Return what the same update costs inside ccxt.pro, which verifies no checksum."""
    frames = ring()
    given = {
        "snapshot": frames.snapshot.decode(),
        "ticks": [tick.text.decode() for tick in frames.ticks],
        "rounds": rounds,
    }
    command = [python, str(HERE / "clients" / "ccxt_book.py")]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert said["best_bid"] == float(frames.ticks[-1].best_bid)
    median = statistics.median(said["means"])
    return Row("Kraken update in ccxt.pro", median, "ns", note="no checksum")


def import_ms(python: Sequence[str], statement: str, rounds: int) -> float:
    """Return how long a statement takes in a fresh interpreter, in ms."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    taken = []
    for _ in range(max(3, rounds)):
        done: Any = subprocess.run(
            [*python, "-c", code], capture_output=True, text=True, check=True
        )
        taken.append(float(done.stdout) * 1000)
    return statistics.median(taken)
