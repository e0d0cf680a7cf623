"""Look-ups as requests: failed ones, late ones, many at once, within the weight of an IP."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswire.domain import AnyEvent, BalancesRead, FillsRead, OrdersRead, ReadFailed
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.session.lookups import MOST_TRIES
from crosswire.venues.interface import HttpRequest
from tests.hyperliquid_joined import KINDS, SECOND, Reader, asked, of, ready, reason
from tests.hyperliquid_stage import OTHER_KEY, order, place

ASKED = {
    "open_orders": "frontendOpenOrders",
    "closed_orders": "historicalOrders",
    "fills": "userFillsByTime",
    "balances": "clearinghouseState",
}


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("fault", ["lookup_429", "lookup_500", "lookup_502", "rest_500"])
def test_a_failed_look_up_is_never_an_empty_one(what: str, fault: str) -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")))
    reader.stage.sim.set_faults({fault: 1.0})
    events = reader.ask(what)
    if fault == "lookup_429":
        assert reader.weights.left(reader.now_ns) == 0
    assert reason([*events, *reader.wait(5)])
    assert reader.lookups.counts["lookups_failed"] == 1
    reader.stage.sim.set_faults({})
    reader.wait(61)
    assert not of(ReadFailed, reader.ask(what))


def test_views_behind_show_what_was_and_say_when_they_were_asked() -> None:
    reader = ready(faults={"views_behind_s": 2.0})
    reader.stage.act(place(order("60000", "0.01")))
    [early] = reader.ask("open_orders")
    reader.stage.wait(3)
    [late] = reader.ask("open_orders")
    assert isinstance(early, OrdersRead)
    assert isinstance(late, OrdersRead)
    assert (len(early.orders), len(late.orders)) == (0, 1)
    assert early.horizon_ns == 0  # a blind read proves nothing: it has no age


def test_an_overdue_answer_fails_and_its_late_words_are_nobodys() -> None:
    reader = ready()
    reader.is_deaf = True
    assert reader.ask("open_orders") == []
    requests = [one for one in reader.outbox if isinstance(one, HttpRequest)]
    assert reader.wait(44) == []  # each question is asked three times
    assert reason(reader.wait(5)) == "no answer within 15 s"
    reader.outbox.clear()
    for request in requests:
        assert reader.lookups.owns(request.key)
        assert reader.give(request, 200, b"[]") == []
        assert not reader.lookups.owns(request.key)
    assert reader.lookups.counts["lookups_late"] == 2
    reader.is_deaf = False
    assert of(OrdersRead, reader.ask("open_orders"))


def test_a_broken_connection_fails_the_whole_once() -> None:
    reader = ready()
    reader.is_deaf = True
    events = reader.ask("open_orders")
    for _ in range(MOST_TRIES):
        requests = [one for one in reader.outbox if isinstance(one, HttpRequest)]
        reader.outbox.clear()
        for request in requests:
            events += reader.lookups.failed(request, "reset", reader.now_ns)
        events += reader.wait(1)
    assert reason(events) == "reset"
    late = requests[-1]
    assert reader.lookups.answered(late, 200, b"[]", reader.now_ns) == []


def by_post(reader: Reader) -> dict[int, bytes]:
    """Let look-ups go by post; returns what is posted, by number."""
    posted: dict[int, bytes] = {}

    def post(body: bytes, _now_ns: int) -> int:
        posted[len(posted) + 1] = body
        return len(posted)

    vars(reader.lookups)["_post"] = post
    return posted


def reply(reader: Reader, number: int, body: bytes) -> list[AnyEvent]:
    """Let the venue answer a post as it answers by REST."""
    question = json.loads(body)
    kind = question.pop("type")
    found = {"type": kind, "data": reader.stage.info(kind, **question)}
    return reader.lookups.replied(Reply(number, "info", json.dumps(found).encode()), reader.now_ns)


def test_posts_answer_as_rest_does_and_cost_no_weight() -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")))
    left = reader.weights.left(reader.now_ns)
    posted = by_post(reader)
    for what in KINDS:
        assert reader.ask(what) == []
    assert not reader.outbox
    events: list[AnyEvent] = []
    for number, body in list(posted.items()):
        assert reader.lookups.owns_post(number)
        events += reply(reader, number, body)
    assert len(of(OrdersRead, events)) == 2
    assert (len(of(FillsRead, events)), len(of(BalancesRead, events))) == (1, 2)
    assert reader.weights.left(reader.now_ns) == left
    assert not reader.lookups.owns_post(1)


def test_what_is_lost_by_post_is_asked_by_rest() -> None:
    reader = ready()
    posted = by_post(reader)
    reader.ask("fills")
    [number] = posted
    assert reader.lookups.replied(Reply(number, "error", error="429 null"), reader.now_ns) == []
    assert of(FillsRead, reader.wait(1))
    reader.ask("fills")
    assert reader.lookups.complained(2, "too many pending post requests", reader.now_ns) == []
    assert of(FillsRead, reader.wait(1))
    reader.ask("fills")
    assert reader.lookups.closed(reader.now_ns) == []
    assert of(FillsRead, reader.wait(1))
    reader.ask("fills")
    assert of(FillsRead, reader.wait(7))  # five seconds of silence
    assert reply(reader, 4, posted[4]) == []
    assert reader.lookups.counts["lookups_late"] == 1
    assert reader.lookups.counts["lookups_failed"] == 0


def test_one_of_each_kind_is_under_way_and_the_next_waits() -> None:
    reader = ready()
    reader.is_deaf = True
    for _ in range(2):
        for what in KINDS:
            assert reader.ask(what) == []
    assert len(reader.outbox) == 2 + 1 + 1 + 3
    reader.is_deaf = False
    events = reader.run([])
    assert len(of(OrdersRead, events)) == 4
    assert (len(of(BalancesRead, events)), len(of(FillsRead, events))) == (4, 2)


def test_what_nobody_knows_and_what_is_too_much_is_refused() -> None:
    reader = ready()
    assert "expected one of open_orders" in reason(reader.ask("snapshot"))
    reader.is_deaf = True
    for _ in range(32):
        assert reader.ask("fills") == []
    assert "32 look-ups" in reason(reader.ask("fills"))


def test_a_look_up_waits_for_weight_and_not_for_ever() -> None:
    reader = ready()
    reader.weights.spend(reader.weights.limit, reader.now_ns)
    assert reader.ask("open_orders") == []
    assert reason(reader.wait(30)) == "held back for 30 s without weight"
    reader.wait(25)
    assert reader.ask("open_orders") == []
    assert of(OrdersRead, reader.wait(10))


def test_a_look_up_waits_for_the_list_of_dexs() -> None:
    reader = Reader(wanted=("BTC-PERP",))
    reader.is_deaf = True
    reader.start()
    assert reader.ask("open_orders") == []
    assert "frontendOpenOrders" not in [one["type"] for one in asked(reader.outbox)]
    reader.is_deaf = False
    reader.run([])
    assert of(OrdersRead, reader.wait(1))
    slow = Reader(wanted=("BTC-PERP",), faults={"rest_500": 1.0})
    slow.start()
    slow.ask("open_orders")
    [failed] = of(ReadFailed, slow.wait(31))
    assert failed.reason == "held back for 30 s without lists"


def test_the_weight_of_orders_is_left_to_them() -> None:
    reader = ready()
    for _ in range(60):
        reader.ask("closed_orders")
    assert reader.weights.left(reader.now_ns) >= 100


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["coin", "oid", "order", "balances"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_nothing_that_is_answered_raises_or_passes_for_empty(what: str, body: bytes) -> None:
    reader = ready()
    reader.bend = lambda q, s, b: (200, body) if q["type"] == ASKED[what] else (s, b)
    events = reader.ask(what)
    if body.strip() != b"[]":
        assert reason(events)


def test_orders_of_another_account_are_not_ours() -> None:
    reader = ready()
    reader.stage.act(place(order("60000", "0.01")), OTHER_KEY)
    reader.stage.wait(1)
    [read] = reader.ask("open_orders")
    assert isinstance(read, OrdersRead)
    assert read.orders == ()
    assert read.started_ns % SECOND == reader.now_ns % SECOND
