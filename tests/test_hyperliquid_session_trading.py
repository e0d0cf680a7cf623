"""Hyperliquid's login: who may sign, what is held back, what users post, what the clock says."""

import json
from typing import Any

import pytest

from crosswire.domain import (
    ECHOES,
    Accepted,
    AnyCommand,
    Approved,
    Cancel,
    CancelBatch,
    CancelRejected,
    Closed,
    Disconnected,
    LoggedIn,
    LookUp,
    Place,
    PlaceBatch,
    Rejected,
    Sent,
    TimedOut,
    TransportProven,
    Trigger,
    VenueWarned,
)
from crosswire.fixed import parse
from crosswire.venues.hyperliquid import VENUE
from crosswire.venues.hyperliquid.session.posts import Posted
from crosswire.venues.hyperliquid.session.trading import Trading
from crosswire.venues.hyperliquid.simulator import HyperliquidSimulator, SimAccount
from crosswire.venues.interface import Credentials, Frame, HttpRequest
from tests.hyperliquid_dialogue import (
    ACCOUNT,
    FUNDS,
    HOSTS,
    LOGIN,
    NOW,
    SECOND,
    World,
    cancel,
    joined,
    of,
    only,
    own_id,
    place,
    settings,
)
from tests.hyperliquid_stage import AGENT, AGENT_KEY, KEY, OTHER, OTHER_KEY, OWN, SUB


def login(key: str, secret: str) -> World:
    """Return a login of these two halves, joined to a venue with a wallet and a sub-account."""
    simulator = HyperliquidSimulator(
        1,
        start_ns=NOW,
        accounts={
            "main": SimAccount(address=OWN, balances=FUNDS, agents={AGENT: "bot"}),
            "sub": SimAccount(address=SUB, balances=FUNDS, master=OWN),
            "other": SimAccount(address=OTHER, balances=FUNDS),
        },
    )
    world = World(simulator, [Trading(settings(credentials=Credentials(key, secret)), 1)])
    world.start()
    world.pass_time(1)
    return world


def approved(command: AnyCommand, number: int, world: World) -> Approved:
    """Return a command that was approved now."""
    return Approved(command, number, world.now_ns)


# --- who signs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "secret"), [(OWN, KEY), (OWN, AGENT_KEY), (SUB, KEY), (SUB, AGENT_KEY)]
)
def test_a_login_that_fits_trades(key: str, secret: str) -> None:
    world = login(key, secret)
    assert of(world.events, LoggedIn)
    assert of(world.do(place()), Accepted)
    orders = world.sim.ledger()["orders"]
    assert isinstance(orders, list)
    assert [each["account"] for each in orders] == ["sub" if key == SUB else "main"]


@pytest.mark.parametrize(
    ("key", "secret", "text"),
    [
        (OWN, OTHER_KEY, "is no API wallet of"),
        ("0x" + "99" * 20, KEY, "is no account here"),
        (AGENT, AGENT_KEY, "is an API wallet of"),
        (SUB, OTHER_KEY, "is no API wallet of"),
        (SUB, "0x" + "3" * 64, "its master signs for it"),
    ],
)
def test_a_login_that_does_not_fit_is_told_in_one_line_and_never_ready(
    key: str, secret: str, text: str
) -> None:
    world = login(key, secret)
    assert text in only(world.events, VenueWarned).text
    assert secret not in str(world.events)
    assert not world.session.is_ready("ws")
    assert not world.session.is_ready("rest")
    for command in (place(), cancel()):
        assert not of(world.do(command), Sent)
    asked = world.sim.ledger()
    world.wait(70)
    assert len(of(world.events, VenueWarned)) == 1
    assert not of(world.events, LoggedIn)
    assert asked


def test_a_wrong_key_is_one_line_without_the_key() -> None:
    for key, secret in ((LOGIN.key, "0x12"), ("nonsense", LOGIN.secret)):
        with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
            VENUE.session(settings(credentials=Credentials(key, secret)), 1)
        assert LOGIN.secret not in str(caught.value)


def test_mainnet_s_signature_is_used_at_mainnet_s_host_alone() -> None:
    assert VENUE.testnet is not None
    bodies = []
    for hosts in (VENUE.live, VENUE.testnet, HOSTS):
        session = Trading(settings(hosts=hosts), 5)
        bodies.append(session._outgoing.sign({"type": "noop"}, 0))
    assert bodies[1] == bodies[2] != bodies[0]


# --- nonces ------------------------------------------------------------------------------------


def nonces(world: World) -> list[int]:
    """Return the nonces in the outbox."""
    frames = [one for one in world.session.outbox if isinstance(one, Frame)]
    return [json.loads(one.payload)["request"]["payload"]["nonce"] for one in frames]


def test_nonces_rise_from_the_first_and_stay_below_the_ceiling() -> None:
    ceiling = [1 << 62]
    world = joined(changes={"nonce_ceiling": lambda: ceiling[0]})
    for number in range(50, 53):
        world.session.send(approved(place(number), number, world), "ws", world.now_ns)
    now_ms = world.now_ns // 1_000_000
    assert nonces(world) == [now_ms, now_ms + 1, now_ms + 2]
    ceiling[0] = now_ms + 3
    world.session.outbox.clear()
    refused = only(world.session.send(approved(place(60), 60, world), "ws", world.now_ns), Rejected)
    assert refused.is_unsent
    assert refused.is_transient
    assert not world.session.outbox


def test_the_first_nonce_is_kept_to() -> None:
    first = NOW // 1_000_000 + 5_000
    world = World(joined().sim, [VENUE.session(settings(), first)])
    world.start()
    world.pass_time(1)
    world.session.send(approved(place(), 50, world), "ws", world.now_ns)
    assert nonces(world) == [first]


# --- limits ------------------------------------------------------------------------------------


def test_a_spent_budget_holds_orders_back_and_never_a_cancel() -> None:
    world = joined()
    world.do(place(1))
    world.session._pacing.asked(world.now_ns)
    world.session._pacing.read(10_000, 9_999)
    assert of(world.do(place(2)), Sent)
    assert not world.do(place(3))
    assert not world.do(PlaceBatch(ACCOUNT, (place(4), place(5))))
    assert world.session.statistics()["held_now"] == 2
    assert of(world.do(cancel(3)), Rejected)[0].reason == "cancelled before it was sent"
    assert of(world.do(CancelBatch(ACCOUNT, (cancel(1),))), Closed)
    refused = of(world.wait(2.5), Rejected)
    assert {one.client_order_id for one in refused} == {own_id(4), own_id(5)}
    assert all(one.is_unsent and one.is_transient for one in refused)


def test_what_was_held_back_leaves_when_there_is_room() -> None:
    world = joined()
    world.session._pacing.read(10_000, 10_000)
    assert not world.do(place(1))
    world.session._pacing.read(10_000, 10)
    assert {one.client_order_id for one in of(world.wait(0.5), Accepted)} == {own_id(1)}


def test_orders_leave_room_to_cancel_all_that_is_open() -> None:
    world = joined()
    pacing = world.session._pacing
    pacing.read(10, 5)
    assert pacing.may_place(5, 5, 0, NOW)
    assert not pacing.may_place(5, 6, 0, NOW)


def test_the_venue_s_own_count_is_believed() -> None:
    world = joined({"budget_exhausted": 1.0})
    world.wait(1.5)
    refused = only(world.do(place(1)), Rejected)
    assert refused.reason.startswith("Too many cumulative requests sent")
    assert not world.do(place(2))
    assert world.session.statistics()["budget_refusals"] == 1


def test_posts_in_flight_are_few_enough_for_cancels() -> None:
    world = joined({"drop_ack": 1.0})
    for number in range(1, 100):
        world.session.send(approved(place(number), number, world), "ws", world.now_ns)
    assert world.session.statistics()["held_now"] == 9
    assert of(world.session.send(approved(cancel(), 200, world), "ws", world.now_ns), Sent)


def test_messages_of_a_minute_are_counted() -> None:
    world = joined()
    for _ in range(1_790):
        world.session._pacing.message(world.now_ns)
    assert of(world.do(place(1), seconds=0.1), Sent)
    for _ in range(20):
        world.session._pacing.message(world.now_ns)
    assert not of(world.do(place(2), seconds=0.1), Sent)
    assert of(world.do(cancel(1), seconds=0.1), Sent)


# --- users' posts ------------------------------------------------------------------------------


@pytest.mark.parametrize("by_ws", [True, False])
def test_users_ask_and_act_by_either_transport_alike(by_ws: bool) -> None:
    world = joined()
    session = world.session
    told: list[Posted] = []
    session.posts.on_answer = told.append
    if not by_ws:
        world.do(place(9))
        session.closed("private", "cut", world.now_ns)
    assert session.has_ws is by_ws
    order = {
        "a": 0,
        "b": True,
        "p": "50000",
        "s": "0.01",
        "r": False,
        "t": {"limit": {"tif": "Gtc"}},
    }
    asked = [
        session.post_info({"type": "exchangeStatus"}, world.now_ns),
        session.post_info({"type": "openOrders", "user": LOGIN.key}, world.now_ns),
        session.post_action({"type": "noop"}, world.now_ns),
        session.post_action({"type": "order", "orders": [order], "grouping": "na"}, world.now_ns),
        session.post_action({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3},
                            world.now_ns),
    ]  # fmt: skip
    transports = {type(one) for one in session.outbox}
    assert transports == {Frame if by_ws else HttpRequest}
    world.settle()
    world.wait(0.5)
    answers: list[Any] = []
    for number in asked:
        found = session.posts.take(number)
        assert found is not None
        assert not found.error
        answers.append(json.loads(found.payload))
        assert session.posts.take(number) is None
    assert set(answers[0]) == {"specialStatuses", "time"}
    assert len(answers[1]) == (0 if by_ws else 1)
    assert answers[2] == {"status": "ok", "response": {"type": "default"}}
    assert "resting" in answers[3]["response"]["data"]["statuses"][0]
    assert sorted(one.number for one in told) == asked


def test_an_action_that_only_the_master_may_sign_gets_its_nonce() -> None:
    world = login(OWN, KEY)
    action = {"type": "usdClassTransfer", "amount": "5", "toPerp": False}
    number = world.session.post_action(action, world.now_ns)
    world.settle()
    world.wait(0.5)
    found = world.session.posts.take(number)
    assert found is not None
    assert json.loads(found.payload)["status"] == "ok"


def test_what_a_user_may_not_post_is_refused_before_it_leaves() -> None:
    session = joined().session
    for wrong, error in (
        ({"type": "order", "orders": [{"a": 0.5}], "grouping": "na"}, TypeError),
        ({"type": "order"}, ValueError),
    ):
        with pytest.raises(error):
            session.post_action(wrong, NOW)
    assert not session.outbox


def test_posts_that_nobody_answers_end_as_lost_only_if_they_act() -> None:
    world = joined()
    session = world.session
    numbers = [
        session.post_info({"type": "exchangeStatus"}, world.now_ns),
        session.post_action({"type": "noop"}, world.now_ns),
    ]
    session.closed("private", "cut", world.now_ns)
    ends = [session.posts.take(number) for number in numbers]
    assert [end.is_lost for end in ends if end] == [False, True]
    silent = session.post_action({"type": "noop"}, world.now_ns)
    session.tick(world.now_ns + 11 * SECOND)
    found = session.posts.take(silent)
    assert found is not None
    assert found.is_lost


def test_a_refused_post_says_so() -> None:
    world = joined()
    world.disturb(post_429=1.0)
    number = world.session.post_action({"type": "order", "orders": [], "grouping": "na"}, NOW)
    world.settle()
    world.wait(0.5)
    found = world.session.posts.take(number)
    assert found is not None
    assert found.payload or found.error


# --- groups ------------------------------------------------------------------------------------


def test_a_bracket_goes_as_one_action_with_an_id_for_each_of_its_orders() -> None:
    world = joined()
    world.quote()
    places = bracket()
    command = PlaceBatch(ACCOUNT, places)
    events = world.session.send_bracket(approved(command, 50, world), "ws", world.now_ns)
    assert only(events, Sent).client_order_ids == tuple(own_id(number) for number in (1, 2, 3))
    (frame,) = [one for one in world.session.outbox if isinstance(one, Frame)]
    assert json.loads(frame.payload)["request"]["payload"]["action"]["grouping"] == "normalTpsl"
    world.settle()
    told = world.wait(0.5)
    assert {one.client_order_id for one in of(told, Accepted)} == {own_id(n) for n in (1, 2, 3)}
    closed = of(world.do(cancel()), Closed)
    assert {one.client_order_id for one in closed} == {own_id(n) for n in (1, 2, 3)}


def test_a_position_s_bracket_has_children_only() -> None:
    world = joined()
    world.quote()
    take = place(7, post_only=False, price=parse("66000"), time_in_force="ioc")
    world.do(take)
    command = PlaceBatch(ACCOUNT, bracket()[1:])
    world.session.send_bracket(approved(command, 50, world), "ws", world.now_ns)
    (frame,) = [one for one in world.session.outbox if isinstance(one, Frame)]
    assert json.loads(frame.payload)["request"]["payload"]["action"]["grouping"] == "positionTpsl"
    wrong = PlaceBatch(ACCOUNT, (place(8), place(9)))
    refused = world.session.send_bracket(approved(wrong, 51, world), "ws", world.now_ns)
    assert len(of(refused, Rejected)) == 2


def bracket() -> tuple[Place, ...]:
    """Return a buy with its take-profit and its stop."""
    child = {"side": "sell", "post_only": False, "reduce_only": True}
    return (
        place(1, price=parse("60000")),
        place(2, order_type="take_profit", price=parse("69000"),
              trigger=Trigger(parse("70000")), **child),
        place(3, order_type="stop_loss", price=parse("49000"),
              trigger=Trigger(parse("50000")), **child),
    )  # fmt: skip


# --- time --------------------------------------------------------------------------------------


def beats(world: World) -> int:
    """Count the questions for a book that the login posts in two seconds."""
    count = 0

    def look(output: object) -> bool:
        nonlocal count
        count += isinstance(output, Frame) and b'"l2Book"' in output.payload \
            and output.connection == "private"  # fmt: skip
        return False

    world.is_cut = look
    world.pass_time(2)
    return count


def test_the_clock_is_asked_for_more_often_while_an_order_is_in_doubt() -> None:
    world = joined()
    assert beats(world) <= 1
    world.disturb(drop_ack=1.0, omit_frame=1.0)
    world.send(place())
    world.pass_time(1)
    assert beats(world) >= 4


def test_the_clock_is_read_by_rest_while_there_is_no_connection() -> None:
    world = World(joined().sim, [VENUE.session(settings(), 1)])
    session = world.session
    world.events += session.start(world.now_ns)
    world.settle()
    assert session.clock.lower_ns == 0
    world.pass_time(6)
    assert session.clock.lower_ns > NOW
    assert session.is_ready("rest")
    assert not session.is_ready("ws")
    assert of(world.do(place(), "rest"), Accepted)


def test_a_stale_book_tells_no_time() -> None:
    world = joined()
    session = world.session
    offset_ns = session.clock.offset_ns
    stamp_ms = session.clock.lower_ns // 1_000_000
    number = session._outgoing.post_id + 1
    session._login._beat(world.now_ns + 8 * SECOND)
    book = {"coin": "BTC", "time": stamp_ms, "levels": [[], []]}
    payload = {"type": "l2Book", "data": book}
    response = {"type": "info", "payload": payload}
    frame = {"channel": "post", "data": {"id": number, "response": response}}
    session.received("private", json.dumps(frame).encode(), world.now_ns + 8 * SECOND)
    assert session.clock.offset_ns == offset_ns


def test_a_cancel_without_its_instrument_finds_it() -> None:
    world = joined()
    world.do(place())
    assert of(world.do(Cancel(ACCOUNT, own_id(1))), Closed)
    assert only(world.do(Cancel(ACCOUNT, own_id(5))), CancelRejected).is_unsent


def test_posts_that_were_never_answered_end_the_connection() -> None:
    world = joined({"drop_ack": 1.0, "omit_frame": 1.0})
    for number in range(1, 61):
        world.session.send(approved(place(number), number, world), "ws", world.now_ns)
    world.settle()
    events = world.wait(6)
    assert len(of(events, TimedOut)) == 60
    assert world.session.statistics()["reconnects_asked"] == 1
    assert world.session.is_ready("ws")


def test_statistics_hold_no_secret() -> None:
    world = joined()
    text = f"{world.session} {world.session.statistics()} {world.events}"
    assert LOGIN.secret[2:] not in text
    assert HOSTS.rest == world.session.rest_url


def test_an_echo_proves_the_transport_it_came_by_and_no_other() -> None:
    world = joined()
    for transport, what in ECHOES.items():
        found = of(world.do(LookUp(ACCOUNT, what)), TransportProven)
        assert [event.transport for event in found] == [transport]
    # What nobody asked for is not told.
    assert not of(world.wait(12), TransportProven)


def test_an_echo_that_is_refused_proves_nothing() -> None:
    world = joined()
    world.disturb(rest_500=1.0)
    assert not of(world.do(LookUp(ACCOUNT, ECHOES["rest"])), TransportProven)


def test_a_connection_that_is_dead_from_its_start_is_given_up() -> None:
    """Before anything is listed there is no book to ask for; something else tells."""
    world = joined(faults={"lookup_500": 1.0, "rest_500": 1.0})
    assert not world.session.is_ready("rest")
    for connection in world.sim.hub.connections.values():
        connection.is_half_open = True
    assert [event for event in of(world.wait(25), Disconnected) if event.session == ACCOUNT]
    assert world.session.statistics()["reconnects_asked"]


def test_one_light_question_is_marked_for_the_pool_to_be_kept_warm_by() -> None:
    session = VENUE.session(settings(), 1)
    session.start(NOW)
    cheap = [each for each in session.outbox if isinstance(each, HttpRequest) and each.is_cheap]
    assert [json.loads(each.body)["type"] for each in cheap] == ["exchangeStatus"]
