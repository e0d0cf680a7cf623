"""Look-ups: whole or failed, never half; by post, else by REST within the weight that an IP has.

The venue answers for any address without a word about whose it is: what is asked is always the
account's own. The questions of one look-up leave together, so that they show one moment; one that
got lost on its way is asked again, by the other transport, before the whole is given up.
"""

from typing import Any

from msgspec import Struct, structs

from crosswire.domain import AnyEvent, LookUp, ReadFailed
from crosswire.venues.hyperliquid import canonical
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.listings import Listings
from crosswire.venues.hyperliquid.session.block_clock import BlockClock
from crosswire.venues.hyperliquid.session.catalogue import HEADERS, OVERDUE_NS, Catalogue
from crosswire.venues.hyperliquid.session.numbers import Numbers, Post, by_rest_alone
from crosswire.venues.hyperliquid.session.reads import (
    KINDS,
    Leg,
    MoneyRead,
    OpenOrdersRead,
    Read,
    Who,
)
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import HttpRequest, Output

MAX_WAITING = 32  # look-ups under way or held back
MAX_WAIT_NS = 30_000_000_000  # a look-up held back longer is of no use to who asked
KEPT = 100  # of the weight, for orders by REST
MOST_TRIES = 3  # of each question
AGAIN_NS = 100_000_000  # after the first failure; twice as long after the next
POST_OVERDUE_NS = 5_000_000_000
_REMEMBERED = 256  # requests given up, whose late answers are still known to be ours


class _Asked(Struct):
    """A question under way."""

    read: Read
    leg: Leg
    at_ns: int


class LookUps:
    """All look-ups of one login."""

    def __init__(
        self,
        account: str,
        address: str,
        listings: Listings,
        outbox: list[Output],
        numbers: Numbers,
        weights: Weights,
        clock: BlockClock,
        catalogue: Catalogue,
        post: Post = by_rest_alone,
    ) -> None:
        """`address` is the account's own (or the vault's), never an API wallet's."""
        self.counts = {"lookups": 0, "lookups_failed": 0, "lookups_late": 0}
        self._account = account
        self._outbox = outbox
        self._numbers = numbers
        self._weights = weights
        self._clock = clock
        self._catalogue = catalogue
        self._post = post
        user = canonical.address(address)
        self._who = Who(account, user, listings, catalogue.knows, lambda: catalogue.dexs)
        self._waiting: list[Read] = []
        self._running: dict[str, Read] = {}  # one of each kind
        self._asked: dict[int, _Asked] = {}  # by HTTP request, and by post, below zero
        self._given_up: dict[int, None] = {}
        self._blanks = 0  # reads of open orders in a row that found no history either
        self.has_traded = False  # the account has shown an order: its history is not empty

    def ask(self, command: LookUp, now_ns: int) -> list[AnyEvent]:
        """Begin a look-up, at once or when there is weight for it."""
        self.counts["lookups"] += 1
        kind = KINDS.get(command.what)
        if kind is None:
            text = f"unknown look-up: expected one of {', '.join(KINDS)}"
            return self._fail(command.what, text, now_ns)
        if len(self._waiting) + len(self._running) >= MAX_WAITING:
            text = f"{MAX_WAITING} look-ups are under way already"
            return self._fail(command.what, text, now_ns)
        self._waiting.append(kind(command, self._who, now_ns))
        return self._release(now_ns)

    def owns(self, key: int) -> bool:
        """Whether an HTTP request is part of a look-up, be it one that was given up."""
        return key in self._asked or key in self._given_up

    def owns_post(self, number: int) -> bool:
        """The same of a post."""
        return self.owns(-number)

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read one page; ask for the next, or conclude."""
        if status == 429:
            self._weights.refused(now_ns)
        asked = self._taken(request.key)
        if asked is None:
            return []
        if status != 200:
            return self._lost(asked, f"HTTP {status}", now_ns)
        got = info.answer(status, body, info.SHAPES[asked.leg.question.kind])
        events = self._heard(asked, got, now_ns)
        rows = asked.read.rows if got.result is not None else 0
        self._weights.spend(questions.row_weight(asked.leg.question.kind, rows), now_ns)
        return events

    def replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        """The same by post."""
        asked = self._taken(-reply.request_id)
        if asked is None:
            return []
        if reply.kind != "info":
            return self._lost(asked, reply.error or "no answer to a question", now_ns)
        kind = info.SHAPES[asked.leg.question.kind]
        return self._heard(asked, info.posted(reply.payload, kind), now_ns)

    def complained(self, number: int, reason: str, now_ns: int) -> list[AnyEvent]:
        """The error channel named one of our posts."""
        asked = self._taken(-number)
        return [] if asked is None else self._lost(asked, reason, now_ns)

    def closed(self, now_ns: int) -> list[AnyEvent]:
        """The connection is gone, and all answers by post with it."""
        events: list[AnyEvent] = []
        for key in [key for key in self._asked if key < 0]:
            events += self._miss(key, "connection lost", now_ns)
        return events

    def _taken(self, key: int) -> _Asked | None:
        """Return the question that an answer belongs to, unless it was given up."""
        asked = self._asked.pop(key, None)
        if asked is None:
            if key in self._given_up:
                del self._given_up[key]
                self.counts["lookups_late"] += 1
            return None
        asked.read.keys.discard(key)
        return asked

    def _heard(self, asked: _Asked, got: info.Answer[Any], now_ns: int) -> list[AnyEvent]:
        read = asked.read
        read.moved_ns = now_ns
        reason = read.take(asked.leg, got, now_ns)
        if reason:
            if isinstance(read, MoneyRead) and read.strange_dex:
                self._catalogue.want_dex(read.strange_dex)
            return [*self._end(read, reason, now_ns), *self._release(now_ns)]
        if read.keys or read.todo:
            return self._release(now_ns)
        del self._running[read.what]
        self._clock.see(read.horizon_ns)
        events = read.conclude(now_ns)
        if isinstance(read, OpenOrdersRead):
            self._blanks = self._blanks + 1 if read.is_blank else 0
        self.counts["lookups_failed"] += isinstance(events[-1], ReadFailed)
        return [*events, *self._release(now_ns)]

    def failed(self, request: HttpRequest, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: a failed look-up is not an empty one."""
        self._given_up.pop(request.key, None)
        return self._miss(request.key, reason, now_ns)

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask what waited for weight, or got lost; give up what is overdue."""
        events: list[AnyEvent] = []
        for key, asked in list(self._asked.items()):
            limit_ns = POST_OVERDUE_NS if key < 0 else OVERDUE_NS
            if now_ns - asked.at_ns >= limit_ns and key in self._asked:
                self._give_up(key)
                events += self._miss(key, f"no answer within {limit_ns / 1e9:g} s", now_ns)
        return [*events, *self._release(now_ns)]

    def _miss(self, key: int, reason: str, now_ns: int) -> list[AnyEvent]:
        asked = self._asked.pop(key, None)
        if asked is None:
            return []
        asked.read.keys.discard(key)
        return self._lost(asked, reason, now_ns)

    def _lost(self, asked: _Asked, reason: str, now_ns: int) -> list[AnyEvent]:
        """A question was not answered, nor read: ask again in a moment, though not for ever."""
        read, leg = asked.read, asked.leg
        tries = leg.tries + 1
        if tries >= MOST_TRIES:
            return [*self._end(read, reason, now_ns), *self._release(now_ns)]
        read.moved_ns = now_ns
        due_ns = now_ns + (AGAIN_NS << leg.tries)
        read.todo.append(structs.replace(leg, tries=tries, due_ns=due_ns))
        return self._release(now_ns)

    # --- within the weight ---------------------------------------------------------------------

    def _release(self, now_ns: int) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        for read in list(self._running.values()):
            self._go_on(read, now_ns)
            if not read.keys and now_ns - read.moved_ns >= MAX_WAIT_NS:
                events += self._end(read, "held back for 30 s without weight", now_ns)
        has_room = self._catalogue.is_ready
        for read in list(self._waiting):
            if now_ns - read.moved_ns >= MAX_WAIT_NS:
                self._waiting.remove(read)
                why = "without weight" if self._catalogue.is_ready else "without lists"
                events += self._fail(read.what, f"held back for 30 s {why}", now_ns)
            elif has_room and read.what not in self._running:
                has_room = self._begin(read, now_ns)
        return events

    def _begin(self, read: Read, now_ns: int) -> bool:
        """Send all first questions of a look-up at once; False if the weight is not there."""
        read.todo.clear()
        read.begin()
        weight = min(sum(leg.question.weight for leg in read.todo), self._weights.limit // 2)
        venue_ns = self._clock.lower_ns
        if not self._weights.may(weight + KEPT, now_ns):
            self._go_on(read, now_ns)
            if not read.keys:
                return False
        self._waiting.remove(read)
        self._running[read.what] = read
        read.started_ns, read.venue_ns = now_ns, venue_ns
        read.blanks = 0 if self.has_traded else self._blanks
        self._go_on(read, now_ns)
        return True

    def _go_on(self, read: Read, now_ns: int) -> None:
        for leg in list(read.todo):
            key = self._hand_over(leg, now_ns) if now_ns >= leg.due_ns else 0
            if key:
                read.todo.remove(leg)
                read.keys.add(key)
                read.moved_ns = now_ns
                self._asked[key] = _Asked(read, leg, now_ns)

    def _hand_over(self, leg: Leg, now_ns: int) -> int:
        """Ask a question, by post at first and by turns then; returns its key, 0 = not now."""
        body, weight = leg.question.body, leg.question.weight
        if leg.tries % 2 == 0 and (number := self._post(body, now_ns)):
            return -number
        if not self._weights.may(weight + KEPT, now_ns):
            return -self._post(body, now_ns)
        self._weights.spend(weight, now_ns)
        key = self._numbers.next()
        self._outbox.append(HttpRequest(key, "POST", "/info", HEADERS, body))
        return key

    def _end(self, read: Read, reason: str, now_ns: int) -> list[AnyEvent]:
        """Give up a look-up with all its questions."""
        for key in read.keys:
            self._asked.pop(key, None)
            self._give_up(key)
        if self._running.get(read.what) is read:
            del self._running[read.what]
        return self._fail(read.what, reason, now_ns)

    def _give_up(self, key: int) -> None:
        """Know a late answer for what it is."""
        self._given_up[key] = None
        while len(self._given_up) > _REMEMBERED:
            del self._given_up[next(iter(self._given_up))]

    def _fail(self, what: str, reason: str, now_ns: int) -> list[AnyEvent]:
        self.counts["lookups_failed"] += 1
        return [ReadFailed(now_ns, self._account, what, reason)]
