"""The promise on loopback: real sockets, the real program, the venue in a process of its own.

An order whose acknowledgement and connection are lost is settled once, whatever became of it: it
was executed, it never arrived, or it arrives after its absence was proven. The three run side by
side, because each has to wait for the venue's clock to pass a bound.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from crosswire.app.client import Client
from crosswire.app.config import parse
from crosswire.app.errors import Refused
from crosswire.app.live import Trader
from crosswire.app.placed import PlacedOrder
from crosswire.app.simprocess import SimProcess
from crosswire.domain import (
    Absent,
    AnyEvent,
    Approved,
    Cancel,
    CancelBatch,
    Closed,
    DoubtMoved,
    Filled,
    Halted,
    Place,
    Resumed,
    Sent,
)
from crosswire.journal import read
from crosswire.orders import Order
from tests.loopback import VENUE, document, until

BOUND_NS = 3_000_000_000
QUANTITY = Decimal("0.0123")  # of the order that it is about, and of no other
FAR = Decimal(50000)  # rests, whatever the market does


class Run(Struct):
    """What one of them left behind."""

    order: Order
    ledger: dict[str, Any]
    records: list[AnyEvent | Approved]
    statistics: Mapping[str, object]
    warnings: list[str]

    def told(self, kind: type) -> list[Any]:
        """Return the records of a kind that are about the order, or about all."""
        about = (self.order.client_order_id, "")
        return [
            record
            for record in self.records
            if isinstance(record, kind) and getattr(record, "client_order_id", "") in about
        ]

    def steps(self) -> list[str]:
        """Return the steps of its doubt."""
        return [moved.step for moved in self.told(DoubtMoved)]

    def copies(self) -> list[dict[str, Any]]:
        """Return each place of the order, or of its quantity, that reached the venue."""
        rows = [row for row in self.ledger["requests"] if row["method"] == "place"]
        own = self.order.client_order_id  # what was dropped unread shows no quantity
        return [r for r in rows if own == r["client_order_id"] or r["quantity"] == str(QUANTITY)]


class Warnings(logging.Handler):
    """Keeps what a person was warned of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


Story = Callable[[Client], Awaitable[PlacedOrder]]


async def tell(directory: Path, faults: str, story: Story) -> Run:
    """Run one of them to its end."""
    heard = Warnings()
    logging.getLogger("crosswire").addHandler(heard)
    simulator = SimProcess(VENUE, ["--faults", faults])
    await simulator.start()
    try:
        found = document(directory, simulator.address, strategies={})
        found["accounts"]["main"]["bound"] = "3 s"
        found["accounts"]["main"]["hosts"]["read_lag"] = "100 ms"
        found["execution"] = {"timeout": "1 s", "max_consecutive_failures": 1}
        trader = Trader(parse(found, "test"))
        client = Client(trader, "main")
        client.listen()
        try:
            await trader.start()
            placed = await story(client)
            order = trader.engine.orders.get(placed.client_order_id)
            assert order is not None
            statistics = client.statistics()
        finally:
            await trader.stop()
        assert trader.is_clean
        records = list(read(directory / "journal"))
        return Run(order, await simulator.ledger(), records, statistics, heard.lines)
    finally:
        await simulator.stop()
        logging.getLogger("crosswire").removeHandler(heard)


async def placed_in_doubt(client: Client, limit: Decimal) -> PlacedOrder:
    order = await client.place("BTC/USD", "buy", QUANTITY, limit=limit)
    assert order.status == "UNKNOWN"
    assert order.is_in_doubt
    return order


async def witness(client: Client) -> None:
    """Let some other order begin and end: a read that shows it is not blind."""
    order = await client.place("BTC/USD", "buy", "0.001", limit=FAR, post_only=True)
    await order.cancel()
    assert (await order.done()).status == "CANCELED"


async def executed(client: Client) -> PlacedOrder:
    book = await client.book("BTC/USD")
    assert book.best_ask is not None
    order = await placed_in_doubt(client, book.best_ask + 500)
    assert (await order.settled()).filled > 0
    assert (await order.done()).status == "FILLED"
    return order


async def never_arrived(client: Client) -> PlacedOrder:
    await witness(client)
    order = await placed_in_doubt(client, FAR)
    assert (await order.settled()).status == "REJECTED"
    again = await client.place("BTC/USD", "buy", QUANTITY, limit=FAR)
    assert again.status == "OPEN"
    await again.cancel()
    await again.done()
    return order


async def arrived_late(client: Client) -> PlacedOrder:
    trader = client.trader
    tried: list[asyncio.Task[PlacedOrder]] = []

    def observer(record: object) -> None:
        if isinstance(record, Halted):
            tried.append(asyncio.create_task(client.place("BTC/USD", "buy", "0.001", limit=FAR)))

    await witness(client)
    trader.observers.append(observer)
    order = await placed_in_doubt(client, FAR)
    assert (await order.settled()).status == "REJECTED"
    await until(trader, lambda: trader.engine.counts["late_accepts"])
    await until(trader, lambda: not trader.engine.risk.halted["main"])
    with pytest.raises(Refused, match="account halted"):
        await tried[0]
    await witness(client)  # trading goes on
    return order


# Requests are counted from 1: the dead-man switch is armed first, the witness takes two.
STORIES: dict[str, tuple[str, Story]] = {
    "executed": ("cut_after@2", executed),
    "never arrived": ("cut_before@4", never_arrived),
    "late": ("place_late@2,late_s=8,deadline_guards_matching_only_is=1", arrived_late),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    async def all_of_them() -> list[Run]:
        async with asyncio.TaskGroup() as group:
            told = [
                group.create_task(tell(tmp_path_factory.mktemp("bot"), faults, story))
                for faults, story in STORIES.values()
            ]
        return [task.result() for task in told]

    return dict(zip(STORIES, asyncio.run(all_of_them()), strict=True))


def test_an_order_whose_ack_is_lost_is_settled_as_filled_once(runs: dict[str, Run]) -> None:
    run = runs["executed"]
    assert (run.order.stage, run.order.end, run.order.reserved) == ("DONE", "filled", 0)
    assert [row["outcome"] for row in run.copies()] == ["accepted"]
    (theirs,) = run.ledger["orders"]
    assert theirs["client_order_id"] == run.order.client_order_id
    assert theirs["status"] == "filled"
    keys = {fill["fill_key"] for fill in run.ledger["fills"]}
    assert {fill.fill_key for fill in run.told(Filled)} == keys
    assert run.statistics["fills"] == len(keys)
    assert run.steps() == ["opened", "settled"]
    # Of several fills the first already shows that it was executed: then it is settled as open.
    (settled,) = [name for name in run.statistics if name.startswith("doubts_settled_")]
    assert settled in ("doubts_settled_filled", "doubts_settled_open")
    assert run.statistics["doubts_opened"] == run.statistics[settled] == 1


def test_one_that_never_arrived_is_absent_past_its_bound_and_placed_once_by_rest(
    runs: dict[str, Run],
) -> None:
    run = runs["never arrived"]
    assert (run.order.end, run.order.filled, run.order.reserved) == ("absent", 0, 0)
    assert set(run.steps()) == {
        "opened",
        "ruled out",
        "open orders lack it",
        "closed orders lack it",
        "settled",
    }
    (absent,) = run.told(Absent)
    own = run.order.client_order_id
    sent = next(each for each in run.told(Sent) if own in each.client_order_ids)
    assert run.order.ruled_venue_ns > sent.bound_ns > 0
    lost, again = run.copies()
    assert (lost["outcome"], lost["transport"]) == ("dropped", "ws")
    assert (again["outcome"], again["transport"]) == ("accepted", "rest")
    assert lost["client_order_id"] != again["client_order_id"]
    assert again["at_ns"] > lost["at_ns"] + BOUND_NS
    assert absent.recv_ns > run.order.ruled_out_ns
    assert [row["status"] for row in run.ledger["orders"]] == ["canceled", "canceled"]
    assert run.statistics["rest_fallback_orders"] == 1
    assert run.statistics["doubts_settled_absent"] == 1


def test_one_that_arrives_after_all_is_booked_canceled_and_halts_the_account_for_a_while(
    runs: dict[str, Run],
) -> None:
    run = runs["late"]
    assert (run.order.stage, run.order.end, run.order.is_late) == ("DONE", "canceled", False)
    assert run.order.venue_order_id
    (absent,) = run.told(Absent)
    (halted,) = run.told(Halted)
    (resumed,) = [each for each in run.told(Resumed) if each.reason == halted.reason]
    closed = run.told(Closed)[-1]
    assert halted.reason == f"late accept of {run.order.client_order_id}"
    assert any(halted.reason in line and "is halted" in line for line in run.warnings)
    assert absent.recv_ns < halted.recv_ns < closed.recv_ns < resumed.recv_ns
    asked = [record.command for record in run.records if isinstance(record, Approved)]
    assert any(names(command, run.order) for command in asked if not isinstance(command, Place))
    (row,) = run.copies()
    assert row["outcome"] == "accepted"
    (theirs,) = [each for each in run.ledger["orders"] if each["is_past_bound"]]
    assert theirs["client_order_id"] == run.order.client_order_id
    assert theirs["status"] == "canceled"
    assert run.statistics["late_accepts"] == 1
    assert run.statistics["halted"] == ""


def test_what_is_counted_is_what_the_venue_saw(runs: dict[str, Run]) -> None:
    for run in runs.values():
        rows = [row for row in run.ledger["requests"] if row["method"] == "place"]
        for name, transport in (("websocket", "ws"), ("rest", "rest")):
            seen = [row for row in rows if row["transport"] == transport]
            assert run.statistics[f"{name}_orders"] == len(seen)
        assert run.statistics["doubts_opened"] == run.statistics["doubts_settled"]
        assert run.statistics["doubts_open"] == 0
        assert run.statistics["fills"] == len(run.ledger["fills"])


def names(command: object, order: Order) -> bool:
    """Whether a cancel is of this order."""
    cancels = command.cancels if isinstance(command, CancelBatch) else (command,)
    return any(
        isinstance(each, Cancel) and each.client_order_id == order.client_order_id
        for each in cancels
    )
