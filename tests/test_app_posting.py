"""Users' own posts: every end of one, and that silence is never called a failure."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from msgspec import Struct

import crosswire as cw
from crosswire.app.posting import Posting
from crosswire.app.wiring import AnyLink
from crosswire.venues.interface import PostOutcome


class Outcome(Struct):
    number: int
    payload: bytes = b""
    error: str = ""
    is_lost: bool = False


class Box:
    def __init__(self) -> None:
        self.on_answer: Callable[[PostOutcome], None] | None = None
        self.kept: list[Outcome] = []

    def take(self, number: int) -> Outcome | None:
        return next((each for each in self.kept if each.number == number), None)


class Session:
    """Answers each post at once, in the reverse order, or never."""

    has_ws = True

    def __init__(self, *outcomes: Outcome) -> None:
        self.posts = Box()
        self.outcomes = list(outcomes)
        self.asked: list[tuple[str, Mapping[str, object]]] = []

    def post_action(self, action: Mapping[str, object], now_ns: int) -> int:
        if "type" not in action:
            raise ValueError("an action has a type")
        self.asked.append(("action", action))
        return len(self.asked)

    def post_info(self, payload: Mapping[str, object], now_ns: int) -> int:
        self.asked.append(("info", payload))
        return len(self.asked)

    def flush(self) -> None:
        """Play the link: the answers come a moment after the last post has left."""
        if len(self.asked) == len(self.outcomes):
            answer = self.posts.on_answer
            assert answer is not None
            for outcome in reversed(self.outcomes):
                asyncio.get_running_loop().call_soon(answer, outcome)

    @property
    def session(self) -> "Session":
        return self


def end(kind: str, *outcomes: Outcome) -> list[Any]:
    """Return what each of several posts at once came to."""
    session = Session(*outcomes)

    async def story() -> list[Any]:
        posting = Posting(cast("AnyLink", session), "x", lambda: 1)
        send = posting.action if kind == "action" else posting.info
        posts = [send({"type": "t", "n": n}, 0.01) for n in range(max(len(outcomes), 1))]
        return await asyncio.gather(*posts, return_exceptions=True)

    return asyncio.run(story())


def test_answers_find_their_posts_in_any_order() -> None:
    assert end("info", Outcome(1, b'{"a": 1}'), Outcome(2, b"[2]")) == [{"a": 1}, [2]]
    assert end("action", Outcome(1, b'{"status": "ok"}')) == [{"status": "ok"}]


@pytest.mark.parametrize(
    ("outcome", "kind", "words"),
    [
        (Outcome(1, b'{"status":"err","response":"Insufficient"}'), cw.Rejected, "Insufficient"),
        (Outcome(1, error="429 Too Many Requests"), cw.Rejected, "429"),
        (Outcome(1, error="connection lost", is_lost=True), cw.OutcomeUnknown, "connection lost"),
        (Outcome(1, b"<html>"), cw.OutcomeUnknown, "unreadable"),
    ],
)
def test_each_bad_end_of_an_action_has_its_word(
    outcome: Outcome, kind: type[Exception], words: str
) -> None:
    (error,) = end("action", outcome)
    assert type(error) is kind
    assert words in str(error)


def test_silence_is_an_outcome_nobody_knows() -> None:
    (error,) = end("action")
    assert isinstance(error, cw.OutcomeUnknown)
    assert "fail" not in str(error)


def test_a_question_without_an_answer_is_only_that() -> None:
    found = [*end("info"), *end("info", Outcome(1, error="500")), *end("info", Outcome(1, b"<"))]
    assert [str(error) for error in found[:2]] == [
        "no answer within 0.01 s",
        "the venue did not answer: 500",
    ]
    assert not any(isinstance(error, cw.OutcomeUnknown) for error in found)
    assert "unreadable" in str(found[2])


def test_what_cannot_be_sent_is_the_users_mistake() -> None:
    posting = Posting(cast("AnyLink", Session()), "x", lambda: 1)
    with pytest.raises(cw.UserError, match="not sent: an action has a type"):
        asyncio.run(posting.action({}, 1))
    assert posting.has_ws


def test_a_venue_without_posts_says_so_in_one_line() -> None:
    class Plain:
        session = object()

    with pytest.raises(cw.UserError, match="x takes no posts"):
        Posting(cast("AnyLink", Plain()), "x", lambda: 1)
