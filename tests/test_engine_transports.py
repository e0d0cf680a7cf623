"""What the engine hears of transports: breakers opened and journalled, orders counted by each."""

from collections import Counter
from collections.abc import Iterable

import pytest

from crosswire.domain import (
    Accepted,
    Amend,
    AnyEvent,
    Approved,
    BalancesRead,
    BreakerClosed,
    BreakerOpened,
    ClockMeasured,
    DeadManArmed,
    Filled,
    Halted,
    LookUp,
    Place,
    PlaceBatch,
    Refused,
    Rejected,
    Resumed,
    RunStarted,
    Sent,
    TimedOut,
    Transport,
    TransportFailed,
)
from crosswire.engine import Engine
from crosswire.fixed import parse
from crosswire.sim.ledger import RequestRow
from crosswire.sim.network import NetworkFaults
from crosswire.sim.world.process import ACCOUNT as WORLDS
from crosswire.sim.world.scenario import NS, Scenario
from crosswire.sim.world.world import World
from tests.bots import Bot
from tests.samples import ACCOUNT, BTC, S, place

COOLDOWN = 60 * S
BOTH: tuple[Transport, ...] = ("ws", "rest")


def fail(bot: Bot, *transports: Transport) -> None:
    """Let transports fail until their breakers open."""
    for transport in transports:
        for _ in range(5):
            bot.now_ns += S
            bot.turn(TransportFailed(bot.now_ns, ACCOUNT, transport, "cut"))


def concluded(bot: Bot) -> list[tuple[str, str]]:
    """What the breakers did, from the journal."""
    return [
        (type(each).__name__, each.transport)
        for each in bot.journal
        if isinstance(each, BreakerOpened | BreakerClosed)
    ]


def asked(approved: list[Approved]) -> list[str]:
    return [each.command.what for each in approved if isinstance(each.command, LookUp)]


def rebuilt(bot: Bot) -> Engine:
    """A new process that replays the journal."""
    twin = Engine(bot.settings, lambda: 0)
    for record in bot.journal:
        if isinstance(record, Approved):
            twin.register(record)
        else:
            twin.note((record,))
    twin.forget_queued()
    return twin


def test_both_breakers_open_refuse_placing_until_a_probe_is_answered() -> None:
    bot = Bot()
    bot.quoter.says = True
    fail(bot, "ws")
    assert concluded(bot) == [("BreakerOpened", "ws")]
    bot.book()
    assert isinstance(bot.engine.submit(place("x"), bot.now_ns), Approved)
    fail(bot, "rest")
    bot.book()
    refused = bot.engine.submit(place("y"), bot.now_ns)
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.actual) == ("breaker", "cut; cut")
    bot.now_ns += COOLDOWN
    assert asked(bot.tick()) == ["snapshot", "balances"]
    bot.book()
    assert isinstance(bot.engine.submit(place("z"), bot.now_ns), Refused), "not answered yet"
    bot.turn(BalancesRead(bot.now_ns, ACCOUNT, (), "lookup"))
    assert concluded(bot)[2:] == [("BreakerClosed", "rest")]
    assert isinstance(bot.engine.submit(place("z"), bot.now_ns), Approved)


def test_a_replay_rebuilds_breakers_and_counts() -> None:
    bot = Bot()
    bot.quoted()
    fail(bot, "ws")
    bot.now_ns += COOLDOWN
    fail(bot, *BOTH)
    twin = rebuilt(bot)
    for engine in (bot.engine, twin):
        assert list(engine.risk.breakers.blocked) == [ACCOUNT]
    assert twin.tally.statistics(ACCOUNT) == bot.engine.tally.statistics(ACCOUNT)
    first, second = bot.engine.risk.breakers, twin.risk.breakers
    assert first.statistics(ACCOUNT) == second.statistics(ACCOUNT)


class Counted:
    """One engine, and orders sent by hand."""

    def __init__(self) -> None:
        self.bot = Bot()
        self.bot.quoter.says = True
        self.bot.book()

    def send(self, *ids: str, transport: Transport = "ws") -> int:
        self.bot.book()
        command: Place | PlaceBatch = place(ids[0])
        if len(ids) > 1:
            command = PlaceBatch(ACCOUNT, tuple(place(name) for name in ids))
        approved = self.bot.engine.submit(command, self.bot.now_ns)
        assert isinstance(approved, Approved)
        number = approved.request_id
        self.hear(Sent(self.bot.now_ns, ACCOUNT, number, transport, ids))
        return number

    def hear(self, *events: AnyEvent) -> None:
        self.bot.now_ns += S
        self.bot.engine.note(events)

    def counts(self) -> dict[str, int]:
        found = self.bot.engine.tally.statistics(ACCOUNT)
        return {name: count for name, count in found.items() if count}


def test_each_order_counts_once_by_what_is_known_first() -> None:
    desk = Counted()
    number = desk.send("a")
    desk.hear(Accepted(S, ACCOUNT, "a", "A", number))
    desk.hear(Accepted(S, ACCOUNT, "a", "A", 0, "stream"))
    number = desk.send("b")
    desk.hear(Rejected(S, ACCOUNT, "b", "", number, "no"))
    number = desk.send("c")
    desk.hear(TimedOut(S, ACCOUNT, number, "silence", ("c",)))
    desk.hear(Accepted(S, ACCOUNT, "c", "C", number))
    desk.send("d")
    desk.hear(Filled(S, ACCOUNT, "d", "D", BTC, "buy", parse("100"), parse("1"), "f"))
    assert desk.counts() == {
        "websocket_orders": 4,
        "websocket_successes": 2,
        "websocket_failures": 2,
    }


def test_a_batch_counts_order_by_order_and_rest_after_websocket_is_a_fallback() -> None:
    desk = Counted()
    number = desk.send("a", "b", "c", "d", transport="rest")
    desk.hear(Accepted(S, ACCOUNT, "a", "A", number))
    desk.hear(Rejected(S, ACCOUNT, "b", "", number, "no"))
    desk.hear(TimedOut(S, ACCOUNT, number, "open", ("c",)))
    assert desk.counts() == {
        "rest_orders": 4,
        "rest_fallback_orders": 4,
        "fallbacks": 1,
        "rest_successes": 1,
        "rest_failures": 2,
    }
    desk.hear(RunStarted(S, 2))
    assert desk.counts()["rest_failures"] == 3, "a crash took the last answer"


def noted(rows: Iterable[RequestRow]) -> set[str]:
    return {row.client_order_id for row in rows}


def nobodys(world: World) -> set[str]:
    """Orders refused with a token that is nobody's any more: such leave no row of an account."""
    refused = [record for record in world.journal.records if isinstance(record, Rejected)]
    return {each.client_order_id for each in refused if "Invalid session" in each.reason}


@pytest.mark.parametrize(
    "venue",
    [
        {},
        {"token_revoked": 0.1},
        {"token_revoked": 0.1, "drop_ack": 0.1},
        {"token_revoked": 0.1, "rate_refused": 0.05, "events_first": 0.5},
    ],
)
def test_the_counts_are_those_of_the_venues_own_ledger(venue: dict[str, float]) -> None:
    """Worlds without loss: whatever was sent arrived, and is in the ledger."""
    totals: Counter[str] = Counter()
    for seed in range(4):
        world = World(seed, scenario=Scenario(venue=venue, duration_ns=15 * NS))
        world.run()
        counts = world.process.engine.tally.statistics(WORLDS)
        rows = [row for row in world.simulator.live_ledger.requests if row.method == "place"]
        transports: dict[Transport, str] = {"ws": "websocket", "rest": "rest"}
        for transport, name in transports.items():
            mine = [row for row in rows if row.transport == transport]
            taken = {row.client_order_id for row in mine if row.outcome == "accepted"}
            lost = nobodys(world) - noted(rows) if transport == "ws" else set()
            assert counts[f"{name}_orders"] == len(noted(mine) | lost)
            assert counts[f"{name}_successes"] == len(taken)
            assert counts[f"{name}_failures"] == counts[f"{name}_orders"] - len(taken)
        assert counts["rest_fallback_orders"] == counts["rest_orders"]
        totals.update(counts)
    assert totals["websocket_orders"] > 10
    assert (totals["rest_orders"] > 0) == bool(venue), "while there is no token"


def test_in_bad_weather_nothing_is_placed_by_an_open_breaker_and_all_of_it_is_journalled() -> None:
    sent = total = 0
    for seed in range(4):
        network = NetworkFaults(lost_before=0.7, no_connection=0.3)
        world = World(seed, scenario=Scenario(network=network, duration_ns=30 * NS))
        world.run()
        openings, placed, shut = _story(world)
        sent += placed
        statistics = world.process.engine.risk.breakers.statistics(WORLDS)
        assert statistics["breaker_openings"] == openings
        total += openings
        assert not shut, "each of them closed again"
    assert total > 0
    assert sent > 0, "the other transport went on"


def _story(world: World) -> tuple[int, int, set[Transport]]:
    """Read a journal: openings, what was placed while a breaker was open, and what is left so."""
    shut: set[Transport] = set()
    placing: set[int] = set()
    openings = placed = 0
    for record in world.journal.records:
        if isinstance(record, BreakerOpened):
            shut.add(record.transport)
            openings += 1
        elif isinstance(record, BreakerClosed):
            shut.discard(record.transport)
        elif isinstance(record, Approved):
            if isinstance(record.command, Place | PlaceBatch | Amend):
                placing.add(record.request_id)
        elif isinstance(record, Sent) and record.request_id in placing:
            placed += bool(shut)
            assert record.transport not in shut
    return openings, placed, shut


def test_what_was_held_back_stays_while_a_switch_is_off() -> None:
    """It was approved a while ago: what holds placing back since then holds it as well."""
    bot = Bot(dead_man_s=60)
    routes = bot.engine.risk.breakers.routes(ACCOUNT)
    assert not routes.may_leave("ws"), "no dead-man stands behind it"
    bot.engine.note((DeadManArmed(bot.now_ns, ACCOUNT, bot.now_ns + 60 * S),))
    assert routes.may_leave("ws")
    halt = Halted(bot.now_ns, ACCOUNT, "a reason", "a way out")
    bot.engine.note((halt,))
    assert not routes.may_leave("ws")
    assert routes.may_place("ws"), "which is another question"
    bot.engine.note((Resumed(bot.now_ns, ACCOUNT, "a reason"),))
    assert routes.may_leave("ws")
    ahead = 55 * S
    bot.engine.note((ClockMeasured(bot.now_ns, ACCOUNT, 0),))
    bot.engine.note((ClockMeasured(bot.now_ns, ACCOUNT, ahead),))
    assert not routes.may_leave("ws"), "its timer runs by the venue's clock"
