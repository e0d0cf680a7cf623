"""Actions and questions in the venue's own words, of venues that take them from their users."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from crosswire.app.errors import CrosswireError, OutcomeUnknown, Rejected, UserError
from crosswire.app.wiring import AnyLink
from crosswire.venues.interface import PostingSession, PostOutcome

POST_S = 10.0  # an action is answered when its block is committed


class Posting:
    """One account's posts; `UserError` where the venue has none."""

    def __init__(self, link: AnyLink, venue_name: str, now_ns: Callable[[], int]) -> None:
        session = link.session
        if not isinstance(session, PostingSession):
            line = f"{venue_name} takes no posts: it has no actions of its users' own making"
            raise UserError(line)
        self._link = link
        self._session: PostingSession = session
        self._now_ns = now_ns
        self._waiting: dict[int, asyncio.Future[PostOutcome]] = {}
        session.posts.on_answer = self._on_answer

    @property
    def has_ws(self) -> bool:
        """Whether a post would go by WebSocket now."""
        return self._session.has_ws

    async def action(self, payload: Mapping[str, Any], timeout_s: float) -> Any:
        """Send an action; see `Client.post_action`."""
        outcome = await self._ended(payload, timeout_s, is_action=True)
        if outcome is None:
            raise OutcomeUnknown(f"no answer within {timeout_s:g} s")
        if outcome.is_lost:
            raise OutcomeUnknown(outcome.error)
        if outcome.error:
            raise Rejected(outcome.error)
        try:
            answer = msgspec.json.decode(outcome.payload)
        except msgspec.DecodeError as error:
            raise OutcomeUnknown(f"unreadable answer: {error}") from None
        if isinstance(answer, dict) and answer.get("status") == "err":
            raise Rejected(str(answer.get("response")))
        return answer

    async def info(self, payload: Mapping[str, Any], timeout_s: float) -> Any:
        """Ask a question; see `Client.post_info`."""
        outcome = await self._ended(payload, timeout_s, is_action=False)
        if outcome is None:
            raise CrosswireError(f"no answer within {timeout_s:g} s")
        if outcome.error:
            raise CrosswireError(f"the venue did not answer: {outcome.error}")
        try:
            return msgspec.json.decode(outcome.payload)
        except msgspec.DecodeError as error:
            raise CrosswireError(f"unreadable answer: {error}") from None

    async def _ended(
        self, payload: Mapping[str, Any], timeout_s: float, *, is_action: bool
    ) -> PostOutcome | None:
        """Send a post and wait for its end; None if there is none in time."""
        send = self._session.post_action if is_action else self._session.post_info
        try:
            number = send(payload, self._now_ns())
        except (TypeError, ValueError) as error:
            raise UserError(f"not sent: {error}") from None
        ended = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._link.flush()
            return await asyncio.wait_for(ended, timeout_s)
        except TimeoutError:
            return None
        finally:
            del self._waiting[number]

    def _on_answer(self, outcome: PostOutcome) -> None:
        """A post has ended; runs inside the socket's callback."""
        self._session.posts.take(outcome.number)
        ended = self._waiting.get(outcome.number)
        if ended is not None and not ended.done():
            ended.set_result(outcome)
