"""Breakers: what counts, what ends the count, what opens and what closes; replay rebuilds all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswire.domain import (
    Accepted,
    Amended,
    AmendRejected,
    AnyEvent,
    Approved,
    ArmDeadMan,
    BalancesRead,
    BreakerClosed,
    BreakerOpened,
    CancelAccepted,
    CancelRejected,
    DeadManArmed,
    FillsRead,
    LoggedIn,
    LookUp,
    OrdersRead,
    ReadFailed,
    Rejected,
    Seen,
    Sent,
    TimedOut,
    Transport,
    TransportFailed,
    TransportProven,
)
from crosswire.risk import BreakerRules, Breakers
from crosswire.risk.breakers import PROBE_NS, REMEMBERED
from tests.samples import ACCOUNT, S

COOLDOWN = 60 * S
RULES = BreakerRules(max_failures=3, cooldown_ns=COOLDOWN)


class Desk:
    """Breakers of one account, and a moving clock."""

    def __init__(self, rules: BreakerRules = RULES) -> None:
        self.rules = rules
        self.breakers = Breakers({ACCOUNT: rules})
        self.routes = self.breakers.routes(ACCOUNT)
        self.now_ns = S
        self.number = 0
        self.made: list[AnyEvent] = []
        self.journal: list[AnyEvent] = []

    def hear(self, *events: AnyEvent) -> None:
        for event in events:
            self.journal.append(event)
            verdict = self.breakers.hear(event)
            if verdict is not None:
                self.made.append(verdict)
                self.hear(verdict)

    def send(self, transport: Transport = "ws") -> int:
        self.now_ns += S
        self.number += 1
        self.hear(Sent(self.now_ns, ACCOUNT, self.number, transport, ("a",)))
        return self.number

    def lose(self, transport: Transport = "ws", times: int = 1) -> None:
        """Requests without an answer."""
        for _ in range(times):
            number = self.send(transport)
            self.now_ns += S
            self.hear(TimedOut(self.now_ns, ACCOUNT, number, "silence"))

    def drop(self, transport: Transport = "ws", times: int = 1) -> None:
        """Faults of the transport itself."""
        for _ in range(times):
            self.now_ns += S
            self.hear(TransportFailed(self.now_ns, ACCOUNT, transport, "cut"))

    def take(self, transport: Transport = "ws") -> None:
        """A request with its answer."""
        number = self.send(transport)
        self.now_ns += S
        self.hear(Accepted(self.now_ns, ACCOUNT, "a", "V", number))

    def places(self, transport: Transport = "ws") -> bool:
        return self.routes.ws_places if transport == "ws" else self.routes.rest_places

    def faults(self, transport: Transport = "ws") -> int:
        return self.routes.breakers[transport].faults

    def probes(self) -> list[tuple[str, str]]:
        found = list(self.breakers.probes(self.now_ns))
        assert all(isinstance(each, LookUp) for each in found)
        return [(each.account, each.what) for each in found if isinstance(each, LookUp)]


def test_faults_in_a_row_open_and_an_answer_between_starts_anew() -> None:
    desk = Desk()
    desk.lose(times=2)
    desk.take()
    desk.lose(times=2)
    assert desk.places()
    desk.drop()
    assert not desk.places()
    assert desk.places("rest")
    until_ns = desk.now_ns + COOLDOWN
    assert desk.made == [BreakerOpened(desk.now_ns, ACCOUNT, "ws", until_ns, "cut")]
    assert desk.breakers.statistics(ACCOUNT) == {
        "breaker_openings": 1,
        "websocket_breaker": "open",
        "rest_breaker": "closed",
        "websocket_faults_in_a_row": 3,
        "rest_faults_in_a_row": 0,
    }


def test_each_transport_counts_for_itself() -> None:
    desk = Desk()
    desk.lose("ws", 2)
    desk.lose("rest", 2)
    desk.take("rest")
    assert (desk.faults("ws"), desk.faults("rest")) == (2, 0)
    desk.drop("rest", 3)
    assert desk.places()
    assert not desk.places("rest")


@pytest.mark.parametrize("failed_first", [True, False])
def test_one_dropped_connection_is_one_fault(*, failed_first: bool) -> None:
    """Whatever it takes with it, and in whatever order that is told."""
    desk = Desk()
    desk.drop()
    numbers = [desk.send() for _ in range(5)]
    desk.now_ns += S
    events: list[AnyEvent] = [TimedOut(desk.now_ns, ACCOUNT, n, "cut") for n in numbers]
    failed = TransportFailed(desk.now_ns, ACCOUNT, "ws", "cut")
    rules = BreakerRules(max_failures=100)
    desk.breakers._routes[ACCOUNT].rules = rules
    for event in (failed, *events) if failed_first else (*events, failed):
        desk.hear(event)
    assert desk.faults() == 2


@pytest.mark.parametrize("failed_first", [True, False])
def test_what_never_left_is_refused_but_that_is_no_answer(*, failed_first: bool) -> None:
    """A refused connection: the request was announced, and is taken back at once."""
    desk = Desk()
    for _ in range(3):
        number = desk.send("rest")
        desk.now_ns += S
        refused = Rejected(desk.now_ns, ACCOUNT, "a", "", number, "never left")
        failed = TransportFailed(desk.now_ns, ACCOUNT, "rest", "refused")
        for event in (failed, refused) if failed_first else (refused, failed):
            desk.hear(event)
    assert not desk.places("rest")


def answers(now_ns: int, number: int) -> list[AnyEvent]:
    """What the venue may say to a request of ours, refusals by rule or by rate included."""
    ids = (now_ns, ACCOUNT, "a", "V")
    return [
        Accepted(*ids, number),
        Rejected(*ids, number, "EOrder:Insufficient funds"),
        Rejected(*ids, number, "EOrder:Rate limit exceeded", is_transient=True),
        Amended(*ids, request_id=number),
        AmendRejected(*ids, number, "no"),
        CancelAccepted(*ids, number),
        CancelRejected(*ids, number, "EOrder:Unknown order"),
        Seen(*ids, number, "duplicate"),
    ]


@pytest.mark.parametrize("kind", range(8))
@pytest.mark.parametrize("transport", ["ws", "rest"])
def test_any_answer_ends_the_count_of_the_transport_it_came_by(
    kind: int, transport: Transport
) -> None:
    desk = Desk()
    desk.lose("ws", 2)
    desk.lose("rest", 2)
    number = desk.send(transport)
    desk.now_ns += S
    desk.hear(answers(desk.now_ns, number)[kind])
    assert desk.faults(transport) == 0
    assert desk.faults("rest" if transport == "ws" else "ws") == 2


def streamed(now_ns: int) -> list[AnyEvent]:
    """What comes with each login."""
    return [
        LoggedIn(now_ns, ACCOUNT),
        OrdersRead(now_ns, ACCOUNT, "open", (), S, is_complete=True, source="snapshot"),
        BalancesRead(now_ns, ACCOUNT, (), "snapshot"),
    ]


@pytest.mark.parametrize("kind", range(3))
def test_logins_between_lost_orders_do_not_end_the_count_but_close_what_cooled(kind: int) -> None:
    desk = Desk()
    for _ in range(3):
        desk.lose()
        desk.now_ns += S
        desk.hear(streamed(desk.now_ns)[kind])
    assert not desk.places()
    desk.now_ns += COOLDOWN
    desk.hear(streamed(desk.now_ns)[kind])
    assert desk.places()


def test_look_ups_are_answers_by_rest() -> None:
    now_ns = 100 * S
    told: list[tuple[Transport, AnyEvent]] = [
        ("rest", OrdersRead(now_ns, ACCOUNT, "closed", (), S, is_complete=True, source="lookup")),
        ("rest", BalancesRead(now_ns, ACCOUNT, (), "lookup")),
        ("rest", FillsRead(now_ns, ACCOUNT, 0, S)),
    ]
    for transport, event in told:
        desk = Desk()
        desk.drop(transport, 2)
        desk.hear(event)
        assert desk.faults(transport) == 0, event


def test_what_the_stream_says_of_an_order_or_what_was_never_sent_is_no_answer() -> None:
    desk = Desk()
    desk.lose(times=2)
    desk.now_ns += S
    ids = (desk.now_ns, ACCOUNT, "a", "V")
    unsent = Rejected(*ids, 77, "held back too long", is_unsent=True)
    strangers = TransportFailed(desk.now_ns, "nobody", "ws", "cut")
    desk.hear(Accepted(*ids, 0, "stream"), unsent, strangers)
    desk.hear(ReadFailed(desk.now_ns, ACCOUNT, "balances", "no budget"))
    desk.hear(TimedOut(desk.now_ns, ACCOUNT, 78, "crash"), LoggedIn(desk.now_ns, "nobody"))
    assert desk.faults() == 2


def test_the_dead_mans_answer_counts_by_the_way_it_was_asked_for_but_not_its_firing() -> None:
    desk = Desk()
    desk.lose("rest", 2)
    desk.lose("ws", 2)
    desk.hear(DeadManArmed(desk.now_ns + 1, ACCOUNT, desk.now_ns + COOLDOWN))
    assert (desk.faults("ws"), desk.faults("rest")) == (2, 2), "nothing was asked"
    number = desk.send("rest")
    desk.breakers.register(Approved(ArmDeadMan(ACCOUNT, COOLDOWN), number, desk.now_ns))
    desk.hear(DeadManArmed(desk.now_ns + S, ACCOUNT, 0))
    assert desk.faults("rest") == 2, "it fired"
    desk.hear(DeadManArmed(desk.now_ns + S, ACCOUNT, desk.now_ns + COOLDOWN))
    assert (desk.faults("ws"), desk.faults("rest")) == (2, 0)


def test_a_request_forgotten_after_thousands_more_is_nobodys() -> None:
    desk = Desk()
    number = desk.send("rest")
    desk.lose("rest", 2)
    for _ in range(REMEMBERED):
        desk.send("ws")
    desk.hear(Accepted(desk.now_ns + 1, ACCOUNT, "a", "V", number))
    assert desk.faults("rest") == 2


def test_an_open_breaker_stays_so_for_the_whole_cooldown_then_one_probe_decides() -> None:
    desk = Desk()
    desk.drop(times=3)
    until_ns = desk.now_ns + COOLDOWN
    desk.take()  # a cancel may go by it
    desk.drop()
    assert not desk.places()
    assert desk.probes() == []
    desk.now_ns = until_ns - 1
    assert desk.probes() == []
    desk.now_ns = until_ns
    assert desk.probes() == [(ACCOUNT, "snapshot")]
    assert desk.probes() == [], "one"
    assert not desk.places(), "until it is answered"
    desk.now_ns += S
    desk.hear(OrdersRead(desk.now_ns, ACCOUNT, "open", (), S, is_complete=True))
    assert desk.made[1:] == [BreakerClosed(desk.now_ns, ACCOUNT, "ws", "it answered")]
    assert desk.places()
    assert desk.faults() == 0
    assert desk.probes() == []


def test_a_fault_after_the_cooldown_opens_it_again_at_once() -> None:
    desk = Desk()
    desk.drop("rest", 3)
    desk.now_ns += COOLDOWN
    assert desk.probes() == [(ACCOUNT, "balances")]
    desk.drop("rest")
    again = desk.made[-1]
    assert isinstance(again, BreakerOpened)
    assert again.until_ns == desk.now_ns + COOLDOWN
    assert desk.breakers.statistics(ACCOUNT)["breaker_openings"] == 2
    desk.now_ns = again.until_ns
    assert desk.probes() == [(ACCOUNT, "balances")]


def test_where_look_ups_go_by_either_transport_an_echo_decides() -> None:
    desk = Desk(BreakerRules(max_failures=3, cooldown_ns=COOLDOWN, has_snapshot=False))
    desk.drop("ws", 3)
    desk.drop("rest", 3)
    desk.now_ns += COOLDOWN + S
    assert sorted(desk.probes()) == [(ACCOUNT, "echo_rest"), (ACCOUNT, "echo_ws")]
    desk.hear(OrdersRead(desk.now_ns, ACCOUNT, "open", (), desk.now_ns, True, "lookup"))
    assert (desk.places("ws"), desk.places("rest")) == (False, False)
    desk.hear(TransportProven(desk.now_ns, ACCOUNT, "ws"))
    assert (desk.places("ws"), desk.places("rest")) == (True, False)
    desk.hear(TransportProven(desk.now_ns, ACCOUNT, "rest"))
    assert desk.places("rest")


def test_a_probe_that_came_to_nothing_is_repeated() -> None:
    desk = Desk()
    desk.drop(times=3)
    desk.now_ns += COOLDOWN
    assert desk.probes()
    desk.hear(ReadFailed(desk.now_ns, ACCOUNT, "snapshot", "not logged in"))
    desk.now_ns += PROBE_NS - 1
    assert not desk.probes()
    desk.now_ns += 1
    assert desk.probes()
    desk.hear(LoggedIn(desk.now_ns, ACCOUNT))
    assert desk.places()


@pytest.mark.parametrize(
    ("transports", "shut", "is_blocked"),
    [
        (("ws", "rest"), ("ws",), False),
        (("ws", "rest"), ("rest",), False),
        (("ws", "rest"), ("ws", "rest"), True),
        (("ws",), ("ws",), True),
        (("ws",), ("rest",), False),
        (("rest",), ("rest",), True),
        (("rest",), ("ws",), False),
    ],
)
def test_an_account_without_a_way_to_place_is_blocked_until_one_answers(
    *, transports: tuple[Transport, ...], shut: tuple[Transport, ...], is_blocked: bool
) -> None:
    desk = Desk(BreakerRules(transports, 1, COOLDOWN))
    for transport in shut:
        desk.drop(transport)
    assert (ACCOUNT in desk.breakers.blocked) == is_blocked
    assert desk.places() == ("ws" in transports and "ws" not in shut)
    assert desk.places("rest") == ("rest" in transports and "rest" not in shut)
    if is_blocked:
        assert "cut" in desk.breakers.blocked[ACCOUNT]
    desk.now_ns += COOLDOWN
    desk.take(shut[0])
    assert desk.breakers.blocked == {}


STEPS = st.lists(
    st.tuples(st.sampled_from(["lose", "drop", "take", "wait"]), st.sampled_from(["ws", "rest"])),
    max_size=60,
)


@given(steps=STEPS)
def test_a_replay_of_what_was_heard_and_made_rebuilds_the_state(
    steps: list[tuple[str, Transport]],
) -> None:
    desk = Desk()
    for step, transport in steps:
        if step == "wait":
            desk.now_ns += COOLDOWN
        else:
            getattr(desk, step)(transport)
    twin = Breakers({ACCOUNT: RULES})
    for event in desk.journal:
        verdict = twin.hear(event)
        if verdict is not None:
            twin.hear(verdict)
    assert twin.statistics(ACCOUNT) == desk.breakers.statistics(ACCOUNT)
    assert twin.blocked == desk.breakers.blocked
    for transport, breaker in desk.routes.breakers.items():
        assert twin.routes(ACCOUNT).breakers[transport].until_ns == breaker.until_ns


@given(steps=STEPS)
def test_nothing_but_an_answer_closes_and_nothing_but_faults_open(
    steps: list[tuple[str, Transport]],
) -> None:
    desk = Desk()
    for step, transport in steps:
        before = {name: each.is_open for name, each in desk.routes.breakers.items()}
        if step == "wait":
            desk.now_ns += COOLDOWN
        else:
            getattr(desk, step)(transport)
        for name, breaker in desk.routes.breakers.items():
            if breaker.is_open and not before[name]:
                assert (step, transport) in {("lose", name), ("drop", name)}
            if before[name] and not breaker.is_open:
                assert (step, transport) == ("take", name)
