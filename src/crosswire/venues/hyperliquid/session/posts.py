"""What users post themselves: actions and questions of the venue, and where their answers wait.

They go by WebSocket while it is connected, else by REST; the answer reads the same either way.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.decode.text import FAULTS
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.session.outgoing import Outgoing

KEPT = 1_000  # answers that nobody has fetched
_payload = msgspec.json.Decoder(wire.InfoPayload)


class Posted(Struct, frozen=True):
    """What became of a post: the JSON that the venue answered, or why there is none.

    `payload` of an action is {"status": ..., "response": ...}, of a question its plain answer.
    `is_lost`: nobody knows whether an action ran.
    """

    number: int
    payload: bytes = b""
    error: str = ""
    is_lost: bool = False


class Posts:
    """The posts of one login, by their numbers; `on_answer` is called with each that ends."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self.on_answer: Callable[[Posted], None] | None = None
        self.posts: dict[int, tuple[int, bool, int]] = {}  # id -> number, whether action, when
        self.calls: dict[int, tuple[int, bool, int]] = {}
        self._last = 0
        self._answers: dict[int, Posted] = {}

    def action(self, action: Mapping[str, Any], now_ns: int, *, by_ws: bool) -> int:
        """Sign and send any action of the venue; returns its number.

        `ValueError` for what the venue would not understand, `TypeError` for a float.
        """
        body = self._outgoing.sign(action, now_ns)
        self._outgoing.pacing.spend(_entries(action))
        return self._send("/exchange", body, 1, now_ns, by_ws=by_ws)

    def info(self, payload: Mapping[str, Any], now_ns: int, *, by_ws: bool) -> int:
        """Ask any question of the venue; returns its number."""
        asked = dict(payload)
        question = questions.question(str(asked.pop("type", "")), **asked)
        return self._send("/info", question.body, question.weight, now_ns, by_ws=by_ws)

    def _send(self, path: str, body: bytes, weight: int, now_ns: int, *, by_ws: bool) -> int:
        self._last += 1
        number, is_action = self._last, path == "/exchange"
        kept = (number, is_action, now_ns)
        if by_ws:
            self.posts[self._outgoing.post(body, now_ns, is_action=is_action)] = kept
        else:
            self.calls[self._outgoing.call(path, body, weight, now_ns)] = kept
        return number

    def take(self, number: int) -> Posted | None:
        """Return what became of a post, once; None while it is under way."""
        return self._answers.pop(number, None)

    def replied(self, reply: Reply) -> None:
        """The venue answered a post."""
        number, is_action, _ = self.posts.pop(reply.request_id)
        if reply.error:
            self._end(Posted(number, error=reply.error, is_lost=_is_lost(reply.error, is_action)))
            return
        payload = reply.payload
        if reply.kind == "info":
            try:
                payload = bytes(_payload.decode(payload).data)
            except FAULTS as error:
                self._end(Posted(number, error=f"unreadable answer: {error}"))
                return
        self._end(Posted(number, payload))

    def answered(self, key: int, status: int, body: bytes) -> None:
        """The venue answered by REST."""
        number, is_action, _ = self.calls.pop(key)
        if status == 200:
            self._end(Posted(number, body))
            return
        text = f"{status} {body[:120].decode('utf-8', 'replace')}".rstrip()
        self._end(Posted(number, error=text, is_lost=_is_lost(text, is_action)))

    def failed(self, key: int, reason: str, *, was_sent: bool) -> None:
        """No answer came by REST."""
        number, is_action, _ = self.calls.pop(key)
        self._end(Posted(number, error=reason, is_lost=is_action and was_sent))

    def complained(self, post_id: int, reason: str) -> bool:
        """The error channel named one of these posts: it did not run."""
        found = self.posts.pop(post_id, None)
        if found is not None:
            self._end(Posted(found[0], error=reason))
        return found is not None

    def closed(self, reason: str) -> None:
        """The connection is gone, and all answers with it."""
        posts, self.posts = self.posts, {}
        for number, is_action, _ in posts.values():
            self._end(Posted(number, error=reason, is_lost=is_action))

    def expire(self, timeout_ns: int, now_ns: int) -> None:
        """Give up what had no answer in time."""
        for table in (self.posts, self.calls):
            for key, (number, is_action, sent_ns) in list(table.items()):
                if now_ns - sent_ns >= timeout_ns:
                    del table[key]
                    error = f"no answer within {timeout_ns / 1e9:g} s"
                    self._end(Posted(number, error=error, is_lost=is_action))

    def _end(self, posted: Posted) -> None:
        self._answers[posted.number] = posted
        if len(self._answers) > KEPT:
            del self._answers[next(iter(self._answers))]
        if self.on_answer is not None:
            self.on_answer(posted)


def _is_lost(error: str, is_action: bool) -> bool:
    """Whether an action may have run all the same: only what the venue refused has not."""
    return is_action and not error.startswith("4")


def _entries(action: Mapping[str, Any]) -> int:
    """Return what an action counts of the address's budget."""
    for name in ("orders", "cancels", "modifies"):
        entries = action.get(name)
        if isinstance(entries, Sequence):
            return len(entries)
    return 1
