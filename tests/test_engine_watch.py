"""What the engine does by the clock and on command: kill, dead-man, loss breaker, pause."""

from crosswire.domain import (
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    BalancesRead,
    Cancel,
    CancelAll,
    CancelRejected,
    ClockMeasured,
    Closed,
    DeadManArmed,
    Disconnected,
    FeedProven,
    Filled,
    FillsRead,
    Halted,
    Kill,
    LoggedIn,
    LookUp,
    OrdersRead,
    Place,
    Refused,
    Resume,
    Resumed,
    RunStarted,
    TimedOut,
    Unreadable,
    VenueStatusChanged,
)
from crosswire.fixed import parse
from crosswire.risk import Limits
from tests.bots import Bot
from tests.samples import ACCOUNT, BTC, S, filled, place

ONE = parse("1")


def test_unreadable_private_bytes_halt_placing_until_a_complete_read() -> None:
    bot = Bot()
    approved = bot.turn(Unreadable(S, ACCOUNT, "private", "junk", is_private=True))
    assert [a.command for a in approved] == [LookUp(ACCOUNT, "open_orders")]
    assert bot.book() == []
    bot.turn(OrdersRead(S, ACCOUNT, "open", (), S, is_complete=False))
    bot.turn(OrdersRead(S, ACCOUNT, "closed", (), S, is_complete=True))
    assert bot.engine.risk.halted[ACCOUNT]
    bot.now_ns += S
    approved = bot.turn(OrdersRead(bot.now_ns, ACCOUNT, "open", (), bot.now_ns, True))
    assert bot.engine.made[0] == Resumed(bot.now_ns, ACCOUNT, "unreadable private frame")
    assert [type(a.command) for a in approved] == [Place]


def test_public_garbage_halts_nothing() -> None:
    bot = Bot()
    assert bot.turn(Unreadable(S, "kraken", "public", "junk")) == []
    assert len(bot.book()) == 1


def test_the_kill_switch_stops_placing_and_cancels_until_nothing_is_open() -> None:
    bot = Bot()
    order = bot.quoted()
    assert isinstance(bot.engine.submit(Kill("", "test"), bot.now_ns), Approved)
    assert [a.command for a in bot.tick()] == [CancelAll(ACCOUNT)]
    assert bot.tick() == []
    bot.now_ns += 3 * S
    assert [a.command for a in bot.tick()] == [CancelAll(ACCOUNT)], "one may have been lost"
    bot.turn(Closed(S, ACCOUNT, order.client_order_id, "V", "canceled", 0))
    bot.now_ns += 3 * S
    assert bot.tick() == []
    bot.book("100.1", "100.3")
    assert isinstance(bot.engine.submit(place("x"), bot.now_ns), Refused)
    bot.engine.submit(Resume(""), bot.now_ns)
    assert isinstance(bot.engine.submit(place("x"), bot.now_ns), Approved)


def ticked(bot: Bot) -> list[AnyCommand]:
    """What a tick asks for, but for the look-ups of reconciliation."""
    return [a.command for a in bot.tick() if not isinstance(a.command, LookUp)]


def test_the_dead_man_switch_is_rearmed_only_while_in_control() -> None:
    bot = Bot(dead_man_s=60)
    assert bot.tick() == [], "not logged in"
    bot.turn(LoggedIn(bot.now_ns, ACCOUNT))
    assert ticked(bot) == [ArmDeadMan(ACCOUNT, 60 * S)]
    assert bot.book() == [], "nothing is placed before the arm is acknowledged"
    bot.turn(DeadManArmed(bot.now_ns, ACCOUNT, bot.now_ns + 60 * S))
    bot.now_ns += S
    assert [type(a.command) for a in bot.book()] == [Place]
    assert ticked(bot) == []
    bot.now_ns += 21 * S
    assert ticked(bot) == [ArmDeadMan(ACCOUNT, 60 * S)]
    bot.turn(Disconnected(bot.now_ns, ACCOUNT, "private", "gone"))
    bot.now_ns += 21 * S
    assert ticked(bot) == []


def test_the_switch_fires_earlier_by_a_clock_of_ours_that_stood_still() -> None:
    """Its timer runs at the venue: a machine that slept for 40 s has 40 s less of it."""
    for offset_s, may_place in ((40, False), (0, True), (-40, True)):
        bot = Bot(dead_man_s=60)
        bot.turn(ClockMeasured(bot.now_ns, ACCOUNT, S), LoggedIn(bot.now_ns, ACCOUNT))
        bot.turn(DeadManArmed(bot.now_ns, ACCOUNT, bot.now_ns + 42 * S))
        bot.turn(ClockMeasured(bot.now_ns, ACCOUNT, (1 + offset_s) * S))
        assert bot.engine.risk.armed_ns[ACCOUNT] <= bot.now_ns + 42 * S, "never later"
        assert bool(bot.book()) == may_place


def test_a_new_run_has_not_armed_the_switch_itself() -> None:
    bot = Bot(dead_man_s=60)
    bot.turn(LoggedIn(bot.now_ns, ACCOUNT), DeadManArmed(S, ACCOUNT, bot.now_ns + 60 * S))
    bot.turn(RunStarted(bot.now_ns, 2))
    bot.now_ns += S
    bot.turn(OrdersRead(bot.now_ns, ACCOUNT, "open", (), bot.now_ns, True))
    bot.tick()
    assert not bot.engine.risk.halted.get(ACCOUNT)
    bot.now_ns += S
    assert bot.book() == []
    bot.turn(DeadManArmed(bot.now_ns, ACCOUNT, bot.now_ns + 60 * S))
    bot.now_ns += S
    assert [type(a.command) for a in bot.book()] == [Place]


def test_look_ups_that_stand_in_for_the_stream_keep_the_switch_armed() -> None:
    """Orders by REST need it: what happens to them is still seen, only later."""
    bot = Bot(dead_man_s=60)
    bot.now_ns = 1_000 * S
    bot.turn(LoggedIn(bot.now_ns, ACCOUNT))
    bot.turn(Disconnected(bot.now_ns, ACCOUNT, "private", "gone"))
    assert ticked(bot) == [], "nobody looks yet"
    for answered in (("open_orders", "fills"), ("fills",), ()):
        arms: list[int] = []
        for _ in range(120):
            bot.now_ns += S
            for command in [a.command for a in bot.tick()]:
                if isinstance(command, ArmDeadMan):
                    arms.append(bot.now_ns)
                elif isinstance(command, LookUp) and command.what in answered:
                    bot.turn(answer(bot, command.what))
        is_armed_of_late = bool(arms) and bot.now_ns - arms[-1] < 30 * S
        assert is_armed_of_late == (len(answered) == 2)


def answer(bot: Bot, what: str) -> AnyEvent:
    if what == "fills":
        return FillsRead(bot.now_ns, ACCOUNT, 0, bot.now_ns)
    if what == "balances":
        return BalancesRead(bot.now_ns, ACCOUNT, (), "lookup", started_ns=bot.now_ns)
    scope = what.removesuffix("_orders")
    return OrdersRead(bot.now_ns, ACCOUNT, scope, (), bot.now_ns, True, "lookup")


def test_a_killed_account_with_open_orders_is_left_to_the_switch() -> None:
    bot = Bot(dead_man_s=60)
    bot.turn(LoggedIn(bot.now_ns, ACCOUNT), DeadManArmed(S, ACCOUNT, bot.now_ns + 90 * S))
    bot.quoted()
    bot.engine.submit(Kill(ACCOUNT, "test"), bot.now_ns)
    bot.now_ns += 80 * S
    assert ticked(bot) == [CancelAll(ACCOUNT)]


def test_the_loss_breaker_halts_and_cools_down() -> None:
    limits = Limits(max_daily_loss=parse("5"), loss_cooldown_ns=60 * S)
    bot = Bot(limits)
    order = bot.quoted()
    bot.turn(filled("1", client_order_id=order.client_order_id, price="110"))
    bot.turn(Filled(S, ACCOUNT, "", "X", BTC, "sell", parse("100"), ONE, "k"))
    bot.tick()
    (halted,) = [e for e in bot.engine.made if isinstance(e, Halted)]
    assert "daily loss 10 USD, limit 5" in halted.reason
    bot.tick()
    assert not bot.engine.made
    bot.now_ns += 61 * S
    bot.tick()
    assert isinstance(bot.engine.made[0], Resumed)
    bot.tick()
    assert not bot.engine.made, "forgiven: it counts anew"


def test_a_manual_loss_breaker_waits_for_an_operator() -> None:
    bot = Bot(Limits(max_daily_loss=ONE))
    bot.book()
    bot.turn(filled("1", client_order_id="", price="110"))
    bot.turn(Filled(S, ACCOUNT, "", "X", BTC, "sell", parse("100"), ONE, "k"))
    bot.tick()
    bot.now_ns += 10**6 * S
    bot.tick()
    assert bot.engine.risk.halted[ACCOUNT]
    bot.engine.submit(Resume(ACCOUNT), bot.now_ns)
    assert not bot.engine.risk.halted.get(ACCOUNT)


def test_an_operator_forgives_the_loss_with_the_halt() -> None:
    bot = Bot(Limits(max_daily_loss=ONE))
    bot.book()
    bot.turn(filled("1", client_order_id="", price="110"))
    bot.turn(Filled(S, ACCOUNT, "", "X", BTC, "sell", parse("100"), ONE, "k"))
    for account in (ACCOUNT, ""):
        bot.tick()
        assert bot.engine.risk.halted[ACCOUNT]
        bot.engine.submit(Resume(account), bot.now_ns)
        bot.tick()
        assert not bot.engine.risk.halted.get(ACCOUNT), "or it would halt at once again"
        bot.turn(filled("1", f"f{account}", client_order_id="", price="110"))
        bot.turn(Filled(S, ACCOUNT, "", "X", BTC, "sell", parse("100"), ONE, f"k{account}"))


def test_a_paused_strategy_withdraws_and_comes_back() -> None:
    bot = Bot()
    order = bot.quoted()
    bot.engine.pause(True)
    assert [type(a.command) for a in bot.tick()] == [Cancel]
    bot.turn(Closed(S, ACCOUNT, order.client_order_id, "V", "canceled", 0))
    assert bot.book("100.1", "100.3") == []
    bot.engine.pause(False, "s")
    assert [type(a.command) for a in bot.tick()] == [Place]


def test_a_paused_strategys_refused_cancel_is_asked_again_by_the_clock() -> None:
    bot = Bot()
    order = bot.quoted()
    bot.engine.pause(True)
    (approved,) = bot.tick()
    ids = (ACCOUNT, order.client_order_id, "V")
    bot.turn(CancelRejected(bot.now_ns, *ids, approved.request_id, "Rate limit exceeded"))
    assert bot.tick() == []
    bot.now_ns += S
    assert [type(a.command) for a in bot.tick()] == [Cancel]


def test_timers_come_once_a_second() -> None:
    bot = Bot()
    bot.tick()
    bot.tick()
    assert bot.quoter.timers == 1
    bot.now_ns += S
    bot.tick()
    assert bot.quoter.timers == 2


def test_an_unknown_order_is_seen_to_by_the_clock_alone() -> None:
    bot = Bot()
    (approved,) = bot.book()
    bot.turn(TimedOut(bot.now_ns, ACCOUNT, approved.request_id, "silence"))
    assert bot.tick() != []
    bot.now_ns += 8 * S
    assert Cancel in [type(a.command) for a in bot.tick()]


def test_feeds_prove_their_own_venues_books() -> None:
    bot = Bot()
    bot.book()
    bot.turn(FeedProven(20 * S, "elsewhere"))
    assert bot.engine.books[BTC].proven_ns == 10 * S
    bot.turn(FeedProven(20 * S, "kraken"))
    assert bot.engine.books[BTC].proven_ns == 20 * S
    bot.turn(VenueStatusChanged(S, "kraken", "cancel_only"))
    assert isinstance(bot.engine.submit(place("x"), bot.now_ns), Refused)
