"""One question of a kind at a time, soon for a new reason, seldom for an old one."""

import pytest

from crosswire.asking import LEAST_WAIT_NS, LOST_NS, MOST_WAIT_NS, Asking
from crosswire.domain import AnyEvent, BalancesRead, FillsRead, OrdersRead, ReadFailed
from tests.samples import ACCOUNT, S

START_NS = 1_000 * S
ANSWERS: dict[str, AnyEvent] = {
    "open_orders": OrdersRead(S, ACCOUNT, "open", (), S, True, "lookup"),
    "closed_orders": OrdersRead(S, ACCOUNT, "closed", (), S, True, "lookup"),
    "snapshot": OrdersRead(S, ACCOUNT, "open", (), S, True, "snapshot"),
    "fills": FillsRead(S, ACCOUNT, 0, S),
    "balances": BalancesRead(S, ACCOUNT, (), "lookup"),
}


def failed(what: str, account: str = ACCOUNT) -> ReadFailed:
    return ReadFailed(S, account, what, "503")


def asked_at(asking: Asking, moments: tuple[int, ...], seconds: int) -> list[float]:
    """When a question that always fails is asked, looked at each tenth of a second."""
    found: list[float] = []
    for tenth in range(seconds * 10):
        now_ns = START_NS + tenth * S // 10
        if asking.is_due(ACCOUNT, "fills", moments, now_ns):
            found.append(tenth / 10)
            asking.heard(failed("fills"))
    return found


def test_nothing_is_asked_before_an_answer_would_be_of_use() -> None:
    assert asked_at(Asking(), (), 60) == []
    assert asked_at(Asking(), (START_NS + 3 * S,), 4) == [3.0]


def test_an_old_reason_is_asked_for_at_doubling_intervals() -> None:
    assert asked_at(Asking(), (START_NS,), 80) == [0, 1, 3, 7, 15, 31, 47, 63, 79]
    assert (LEAST_WAIT_NS, MOST_WAIT_NS) == (S, 16 * S)


def test_a_new_reason_is_asked_for_at_once_and_begins_anew() -> None:
    found = asked_at(Asking(), (START_NS, START_NS + 40 * S), 50)
    assert found == [0, 1, 3, 7, 15, 31, 40, 41, 43, 47]


def test_new_reasons_that_come_all_the_time_are_put_together() -> None:
    many = tuple(START_NS + n * S // 10 for n in range(100))
    found = asked_at(Asking(), many, 10)
    assert len(found) == 20


@pytest.mark.parametrize("what", ANSWERS)
def test_a_question_is_not_asked_again_until_it_is_answered(what: str) -> None:
    for answer in (ANSWERS[what], failed(what)):
        asking = Asking()
        moments = (START_NS, START_NS + 5 * S)
        assert asking.is_due(ACCOUNT, what, moments, START_NS)
        assert not asking.is_due(ACCOUNT, what, moments, START_NS + 5 * S)
        for other, event in ANSWERS.items():
            if other != what:
                asking.heard(event)
                asking.heard(failed(other))
        asking.heard(failed(what, "another account"))
        assert not asking.is_due(ACCOUNT, what, moments, START_NS + 5 * S), "none of these is it"
        asking.heard(answer)
        assert asking.is_due(ACCOUNT, what, moments, START_NS + 5 * S)


def test_questions_of_other_kinds_and_accounts_do_not_wait() -> None:
    asking = Asking()
    for account in (ACCOUNT, "other"):
        for what in ANSWERS:
            assert asking.is_due(account, what, (START_NS,), START_NS)


def test_an_answer_that_never_comes_is_given_up() -> None:
    asking = Asking()
    assert asking.is_due(ACCOUNT, "fills", (START_NS,), START_NS)
    assert not asking.is_due(ACCOUNT, "fills", (START_NS,), START_NS + LOST_NS - 1)
    assert asking.is_due(ACCOUNT, "fills", (START_NS,), START_NS + LOST_NS)


def test_it_is_known_when_the_last_answered_question_was_asked() -> None:
    asking = Asking()
    assert asking.answered_ns(ACCOUNT, "fills") == 0
    asking.is_due(ACCOUNT, "fills", (START_NS,), START_NS)
    asking.heard(failed("fills"))
    assert asking.answered_ns(ACCOUNT, "fills") == 0, "a failure is no answer"
    asking.is_due(ACCOUNT, "fills", (START_NS,), START_NS + 5 * S)
    asking.heard(ANSWERS["fills"])
    assert asking.answered_ns(ACCOUNT, "fills") == START_NS + 5 * S


def test_the_streams_own_balances_answer_no_look_up() -> None:
    asking = Asking()
    asking.is_due(ACCOUNT, "balances", (START_NS,), START_NS)
    asking.heard(BalancesRead(S, ACCOUNT, ()))
    assert asking.answered_ns(ACCOUNT, "balances") == 0


def test_empty_answers_are_counted_until_one_fails() -> None:
    asking = Asking()
    for _ in range(3):
        asking.heard(ANSWERS["closed_orders"])
    asking.heard(ANSWERS["open_orders"])
    asking.heard(OrdersRead(S, ACCOUNT, "closed", (), S, False, "lookup"))
    assert asking.empties(ACCOUNT, "closed_orders") == 3
    asking.heard(failed("open_orders"))
    assert asking.empties(ACCOUNT, "closed_orders") == 3
    asking.heard(failed("closed_orders"))
    assert asking.empties(ACCOUNT, "closed_orders") == 0
