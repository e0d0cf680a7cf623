"""The question for the address's budget: the venue's own count, once a minute."""

from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.session.numbers import Post
from crosswire.venues.hyperliquid.session.outgoing import Outgoing
from crosswire.venues.hyperliquid.session.weights import Weights


class Budget:
    """Keeps a login's pacing true."""

    def __init__(self, address: str, outgoing: Outgoing, weights: Weights, post: Post) -> None:
        self._post = post
        self._question = questions.of_user("userRateLimit", address)
        self._outgoing = outgoing
        self._pacing = outgoing.pacing
        self._weights = weights
        self._key = 0

    def tick(self, now_ns: int) -> None:
        """Ask, if it is time and there is a way."""
        question = self._question
        if not self._pacing.is_due(now_ns):
            return
        key = -self._post(question.body, now_ns)
        if not key and self._weights.may(question.weight, now_ns):
            key = self._outgoing.call("/info", question.body, question.weight, now_ns)
        if key:
            self._pacing.asked(now_ns)
            self._key = key

    def owns(self, key: int) -> bool:
        """Whether an HTTP request, or below zero a post, was the question."""
        return key == self._key

    def answered(self, status: int, body: bytes) -> None:
        """Take over what the venue counts; without an answer our own count goes on."""
        self._read(info.answer(status, body, wire.RateLimit))

    def replied(self, reply: Reply) -> None:
        """The same by post."""
        if reply.kind == "info":
            self._read(info.posted(reply.payload, wire.RateLimit))

    def _read(self, got: info.Answer[wire.RateLimit]) -> None:
        if got.result is not None:
            self._pacing.read(got.result.n_requests_cap, got.result.n_requests_used)
